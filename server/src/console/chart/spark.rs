//! A sparkline: the last hours in short slots, high where there was much input, flat where time was
//! tracked in quiet, empty where nothing was tracked.

use std::fmt::Write as _;

use askama::Template;

use crate::console::words;

/// One slot of a sparkline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Milliseconds tracked within it.
    pub(crate) tracked_ms: i64,
    /// Keys, clicks and wheel steps.
    pub(crate) actions: i64,
}

/// A sparkline, ready to be drawn.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/spark.html")]
pub(crate) struct Spark {
    label: String,
    bars: String,
    quiet: String,
}

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 32.0;
/// A tracked slot is at least this high, so that quiet work is seen.
const LEAST: f64 = 2.0;

impl Spark {
    /// Draws slots from the oldest to now.
    pub(crate) fn draw(slots: &[Slot]) -> Self {
        let most = slots
            .iter()
            .map(|slot| slot.actions)
            .max()
            .unwrap_or(0)
            .max(1);
        let count = u32::try_from(slots.len()).unwrap_or(u32::MAX).max(1);
        let step = WIDTH / f64::from(count);
        let (mut bars, mut quiet) = (String::new(), String::new());
        for (index, slot) in (0_u32..).zip(slots) {
            let x = f64::from(index) * step;
            let width = (step - 1.0).max(0.5);
            if slot.actions > 0 {
                let height = LEAST + super::share(slot.actions, most) * (HEIGHT - LEAST);
                let _ = write!(bars, "M{x:.1} {HEIGHT}v-{height:.1}h{width:.1}V{HEIGHT}z");
            } else if slot.tracked_ms > 0 {
                let _ = write!(quiet, "M{x:.1} {HEIGHT}v-{LEAST}h{width:.1}V{HEIGHT}z");
            }
        }
        let tracked: i64 = slots.iter().map(|slot| slot.tracked_ms).sum();
        let label = if tracked == 0 {
            "Nothing tracked in the last 8 hours".to_owned()
        } else {
            format!("{} tracked in the last 8 hours", words::duration(tracked))
        };
        Self { label, bars, quiet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_work_is_drawn_apart_from_no_work() {
        let slot = |tracked_ms, actions| Slot {
            tracked_ms,
            actions,
        };
        let spark = Spark::draw(&[slot(0, 0), slot(600_000, 0), slot(600_000, 90)]);
        assert_eq!(spark.quiet.matches('M').count(), 1);
        assert_eq!(spark.bars, "M160.0 32v-32.0h79.0V32z");
        assert_eq!(
            spark.label.replace('\u{a0}', " "),
            "20 m tracked in the last 8 hours"
        );
    }

    #[test]
    fn an_empty_sparkline_says_so() {
        let spark = Spark::draw(&[]);
        assert_eq!((spark.bars.as_str(), spark.quiet.as_str()), ("", ""));
        assert_eq!(spark.label, "Nothing tracked in the last 8 hours");
    }
}
