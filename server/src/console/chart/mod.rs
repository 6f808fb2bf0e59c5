//! Charts as inline SVG, drawn by pure functions: sparklines and the chart of one day.
//!
//! Colours come from CSS classes, or (projects) as presentation attributes; there is no inline style
//! and no script, so the strict content policy holds. Every chart has a text beside it that says the
//! same.

mod day;
mod spark;

pub(crate) use day::{DayChart, Span, SpanKind};
pub(crate) use spark::{Slot, Spark};

/// Black or white, whichever reads better on an `#rrggbb` ground (WCAG 2.2 relative luminance).
pub(crate) fn ink_on(color: &str) -> &'static str {
    let channel = |from: usize| {
        let byte = color
            .get(from..from + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let value = f64::from(byte.unwrap_or(128)) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    if luminance > 0.179 {
        "#000000"
    } else {
        "#ffffff"
    }
}

/// Milliseconds as a share of a span, for coordinates; exact far beyond any chart's width.
#[expect(
    clippy::cast_precision_loss,
    reason = "spans of days are far below 2^52 ms"
)]
fn share(part_ms: i64, whole_ms: i64) -> f64 {
    if whole_ms <= 0 {
        0.0
    } else {
        part_ms as f64 / whole_ms as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_on_any_project_colour() {
        assert_eq!(ink_on("#ffffff"), "#000000");
        assert_eq!(ink_on("#102030"), "#ffffff");
        assert_eq!(ink_on("#ffcc00"), "#000000");
        assert_eq!(ink_on("not a colour"), "#000000");
    }
}
