//! The chart of one day: hours across; below them the sessions (colour by project, pattern by
//! state), a mark for each picture, and the input of each minute.
//!
//! It shows the hours in which something happened, at least [`LEAST_SPAN_MS`] of them, and always
//! begins and ends on a full hour of the zone.

use std::fmt::Write as _;

use askama::Template;

use super::{ink_on, share};
use crate::console::words::{self, Zone};

const WIDTH: f64 = 1120.0;
const SHOT_TOP: f64 = 72.0;
const SHOT_HEIGHT: f64 = 8.0;
const MINUTE_BASE: f64 = 168.0;
const MINUTE_HEIGHT: f64 = 72.0;
const HOUR_MS: i64 = 3_600_000;
/// A short day is not stretched over the whole width.
const LEAST_SPAN_MS: i64 = 3 * HOUR_MS;
/// A label is drawn where the bar has room for it; about the width of one letter.
const LETTER: f64 = 7.5;

/// What a stretch of time was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanKind {
    /// Tracked, with input.
    Working,
    /// Tracked, without input for a while.
    Idle,
    /// Tracked, and its captures deleted by the employee: it does not count.
    Withdrawn,
    /// Records are missing here.
    Gap,
}

/// A stretch of time with one project and one state.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    pub(crate) kind: SpanKind,
    pub(crate) project: String,
    /// `#rrggbb`.
    pub(crate) color: String,
}

/// The chart, ready to be drawn.
#[derive(Clone, Debug, Template)]
#[template(path = "chart/day.html")]
pub(crate) struct DayChart {
    label: String,
    hours: Vec<Hour>,
    blocks: Vec<Block>,
    shots: String,
    minutes: String,
    quiet: String,
    most: i64,
}

#[derive(Clone, Debug)]
struct Hour {
    x: String,
    text: String,
}

#[derive(Clone, Debug)]
struct Block {
    x: String,
    width: String,
    kind: SpanKind,
    color: String,
    title: String,
    label: Option<Label>,
}

#[derive(Clone, Debug)]
struct Label {
    x: String,
    ink: &'static str,
    text: String,
}

impl DayChart {
    /// Draws a day. `minutes` are (start, keys + clicks + wheel steps); `day` its first and last
    /// moment, which the chart never leaves.
    pub(crate) fn draw(
        zone: &Zone,
        day: (i64, i64),
        spans: &[Span],
        minutes: &[(i64, i64)],
        shots: &[i64],
    ) -> Self {
        let (from, to) = range(zone, day, spans, minutes, shots);
        let x = |ms: i64| share(ms.clamp(from, to) - from, to - from) * WIDTH;
        let hours = hours(zone, from, to)
            .into_iter()
            .map(|(ms, text)| Hour {
                x: format!("{:.1}", x(ms)),
                text,
            })
            .collect();
        let blocks = spans
            .iter()
            .filter(|span| span.to_ms > from && span.from_ms < to)
            .map(|span| block(zone, span, x(span.from_ms), x(span.to_ms)))
            .collect();
        let most = minutes
            .iter()
            .map(|(_, actions)| *actions)
            .max()
            .unwrap_or(0);
        let width = (share(60_000, to - from) * WIDTH - 0.3).max(0.8);
        let (mut bars, mut quiet, mut marks) = (String::new(), String::new(), String::new());
        for (ms, actions) in minutes {
            let height = share(*actions, most) * (MINUTE_HEIGHT - 2.0) + 2.0;
            let path = if *actions > 0 { &mut bars } else { &mut quiet };
            let _ = write!(
                path,
                "M{:.1} {MINUTE_BASE}v-{height:.1}h{width:.1}V{MINUTE_BASE}z",
                x(*ms)
            );
        }
        for ms in shots {
            let _ = write!(marks, "M{:.1} {SHOT_TOP}v{SHOT_HEIGHT}", x(*ms));
        }
        let tracked: i64 = spans
            .iter()
            .filter(|span| span.kind == SpanKind::Working)
            .map(|span| span.to_ms - span.from_ms)
            .sum();
        let label = format!(
            "{} to {}: {} of work, {}; the tables below say the same",
            zone.clock(from),
            zone.clock(to),
            words::duration(tracked),
            words::count(shots.len(), "picture"),
        );
        Self {
            label,
            hours,
            blocks,
            shots: marks,
            minutes: bars,
            quiet,
            most,
        }
    }
}

fn block(zone: &Zone, span: &Span, left: f64, right: f64) -> Block {
    let width = (right - left).max(1.5);
    let name = match span.kind {
        SpanKind::Working => span.project.clone(),
        SpanKind::Idle => format!("{}, idle", span.project),
        SpanKind::Withdrawn => format!("{}, withdrawn by the employee", span.project),
        SpanKind::Gap => "records are missing".to_owned(),
    };
    let letters = f64::from(u32::try_from(span.project.chars().count()).unwrap_or(u32::MAX));
    let fits = span.kind == SpanKind::Working && letters * LETTER + 16.0 < width;
    Block {
        x: format!("{left:.1}"),
        width: format!("{width:.1}"),
        kind: span.kind,
        color: span.color.clone(),
        title: format!(
            "{}–{} {name}, {}",
            zone.clock(span.from_ms),
            zone.clock(span.to_ms),
            words::duration(span.to_ms - span.from_ms)
        ),
        label: fits.then(|| Label {
            x: format!("{:.1}", left + 8.0),
            ink: ink_on(&span.color),
            text: span.project.clone(),
        }),
    }
}

/// The part of the day that is shown, from a full hour to a full hour.
fn range(
    zone: &Zone,
    day: (i64, i64),
    spans: &[Span],
    minutes: &[(i64, i64)],
    shots: &[i64],
) -> (i64, i64) {
    let firsts = spans
        .iter()
        .map(|s| s.from_ms)
        .chain(minutes.iter().map(|m| m.0));
    let lasts = spans
        .iter()
        .map(|s| s.to_ms)
        .chain(minutes.iter().map(|m| m.0 + 60_000));
    let first = firsts.chain(shots.iter().copied()).min();
    let last = lasts.chain(shots.iter().copied()).max();
    let (Some(first), Some(last)) = (first, last) else {
        return (day.0 + 8 * HOUR_MS, day.0 + 18 * HOUR_MS);
    };
    let mut from = zone.hour_start(first.clamp(day.0, day.1));
    let last = last.clamp(day.0, day.1);
    let mut to = zone.hour_start(last);
    if to < last {
        to += HOUR_MS;
    }
    let lacking = (LEAST_SPAN_MS - (to - from)).max(0) / HOUR_MS;
    from -= lacking / 3 * HOUR_MS;
    to += (lacking - lacking / 3) * HOUR_MS;
    if from < day.0 {
        to += day.0 - from;
        from = day.0;
    }
    if to > day.1 {
        from = (from - (to - day.1)).max(day.0);
        to = day.1;
    }
    (from, to)
}

/// Hours to be named: each one, or every second where they would crowd.
fn hours(zone: &Zone, from: i64, to: i64) -> Vec<(i64, String)> {
    let count = (to - from) / HOUR_MS;
    let every = if count > 14 { 2 } else { 1 };
    (0..count)
        .filter(|hour| hour % every == 0)
        .map(|hour| (from + hour * HOUR_MS, zone.clock(from + hour * HOUR_MS)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> (Zone, (i64, i64)) {
        let zone = Zone::offset(60);
        let day = zone.day(jiff::civil::date(2026, 11, 20));
        (zone, day)
    }

    fn span(from_ms: i64, to_ms: i64, kind: SpanKind) -> Span {
        Span {
            from_ms,
            to_ms,
            kind,
            project: "Apollo".into(),
            color: "#0072b2".into(),
        }
    }

    #[test]
    fn a_short_day_gets_room_and_begins_on_a_full_hour() {
        let (zone, day) = day();
        let nine = day.0 + 9 * HOUR_MS;
        let spans = [span(nine + 300_000, nine + 600_000, SpanKind::Working)];
        let (from, to) = range(&zone, day, &spans, &[], &[]);
        assert_eq!(to - from, LEAST_SPAN_MS);
        assert_eq!(
            (zone.clock(from), zone.clock(to)),
            ("09:00".into(), "12:00".into())
        );
    }

    #[test]
    fn the_chart_never_leaves_its_day() {
        let (zone, day) = day();
        for at in [day.0 + 60_000, day.1 - 60_000] {
            let (from, to) = range(&zone, day, &[], &[(at, 3)], &[]);
            assert!(from >= day.0 && to <= day.1 && to - from == LEAST_SPAN_MS);
        }
        let (from, to) = range(
            &zone,
            day,
            &[span(day.0 - 1, day.1 + 1, SpanKind::Idle)],
            &[],
            &[],
        );
        assert_eq!((from, to), day);
    }

    #[test]
    fn minutes_without_input_are_drawn_apart() {
        let (zone, day) = day();
        let nine = day.0 + 9 * HOUR_MS;
        let chart = DayChart::draw(&zone, day, &[], &[(nine, 10), (nine + 60_000, 0)], &[nine]);
        assert_eq!(chart.minutes.matches('M').count(), 1);
        assert_eq!(chart.quiet.matches('M').count(), 1);
        assert_eq!(chart.shots.matches('M').count(), 1);
        assert_eq!(chart.most, 10);
    }

    #[test]
    fn a_hostile_project_name_is_escaped() {
        let (zone, day) = day();
        let mut bad = span(day.0 + 9 * HOUR_MS, day.0 + 17 * HOUR_MS, SpanKind::Working);
        bad.project = "<script>".into();
        let svg = DayChart::draw(&zone, day, &[bad], &[], &[])
            .render()
            .unwrap();
        assert!(
            !svg.contains("<script>") && svg.contains("&#60;script&#62;"),
            "{svg}"
        );
    }
}
