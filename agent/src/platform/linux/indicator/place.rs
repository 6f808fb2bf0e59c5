//! Where the indicator is: one of two corners of the monitor, never so wide that they meet.
//!
//! Pure.

use crate::platform::Rect;

/// Distance from the monitor's edges, in pixels.
const MARGIN: u16 = 8;
/// The line around it, in pixels.
pub(super) const BORDER: u16 = 1;
/// Its greatest width in pixels; on a narrow monitor half of that, so that its two places are apart.
const MAX_WIDTH: u16 = 440;

/// A corner of the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Corner {
    /// Bottom right.
    Home,
    /// Top left, to be out of the way.
    Away,
}

/// The greatest width on a monitor, without the border.
pub(super) fn max_width(monitor: Rect) -> u16 {
    let half = u16::try_from(monitor.width / 2).unwrap_or(u16::MAX);
    MAX_WIDTH.min(half.saturating_sub(MARGIN + 2 * BORDER))
}

/// The place of a window of that size (without border) in a corner of a monitor.
pub(super) fn place(monitor: Rect, (width, height): (u16, u16), corner: Corner) -> Rect {
    let (width, height) = (
        u32::from(width + 2 * BORDER),
        u32::from(height + 2 * BORDER),
    );
    let margin = u32::from(MARGIN);
    let (right, down) = match corner {
        Corner::Home => (
            monitor.width.saturating_sub(width + margin),
            monitor.height.saturating_sub(height + margin),
        ),
        Corner::Away => (margin, margin),
    };
    Rect {
        x: monitor.x.saturating_add_unsigned(right),
        y: monitor.y.saturating_add_unsigned(down),
        width,
        height,
    }
}

/// Whether nothing of the one lies outside the other.
pub(super) fn contains(outer: Rect, inner: Rect) -> bool {
    let within = |outer: i32, outer_len: u32, inner: i32, inner_len: u32| {
        outer <= inner
            && i64::from(inner) + i64::from(inner_len) <= i64::from(outer) + i64::from(outer_len)
    };
    within(outer.x, outer.width, inner.x, inner.width)
        && within(outer.y, outer.height, inner.y, inner.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONITOR: Rect = Rect {
        x: 100,
        y: -50,
        width: 800,
        height: 600,
    };

    #[test]
    fn its_two_places_lie_within_the_monitor_and_apart() {
        let home = place(MONITOR, (200, 24), Corner::Home);
        let away = place(MONITOR, (200, 24), Corner::Away);
        let expected = Rect {
            x: 100 + 800 - 8 - 202,
            y: -50 + 600 - 8 - 26,
            width: 202,
            height: 26,
        };
        assert_eq!(home, expected);
        assert!(contains(MONITOR, home) && contains(MONITOR, away));
        assert!(!home.overlaps(away));

        let narrow = Rect {
            width: 320,
            ..MONITOR
        };
        let size = (max_width(narrow), 24);
        assert_eq!((size.0, max_width(MONITOR)), (150, 390));
        let home = place(narrow, size, Corner::Home);
        assert!(!home.overlaps(Rect {
            y: home.y,
            ..place(narrow, size, Corner::Away)
        }));
    }

    #[test]
    fn a_window_contains_itself_and_nothing_larger() {
        assert!(contains(MONITOR, MONITOR));
        let wider = Rect {
            width: 801,
            ..MONITOR
        };
        assert!(contains(wider, MONITOR) && !contains(MONITOR, wider));
        let moved = Rect { y: -49, ..MONITOR };
        assert!(!contains(moved, MONITOR) && !contains(MONITOR, moved));
    }
}
