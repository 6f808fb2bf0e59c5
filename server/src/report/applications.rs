//! Time per application from activity minutes.
//!
//! ```text
//! 09:00 Terminal 40 s, Firefox 20 s  \   Terminal 70 s in 2 minutes
//! 09:01 Terminal 30 s                /   Firefox  20 s in 1 minute
//! ```

use std::collections::BTreeMap;

use glasshour_protocol::payload::ApplicationTime;

/// One application's time in the foreground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationTotal {
    /// Its name.
    pub name: String,
    /// Milliseconds in the foreground.
    pub active_ms: i64,
    /// In how many activity minutes it appears.
    pub minutes: u32,
}

/// Sums minutes up by application, longest first; titles are put together.
pub fn application_totals<'a>(
    minutes: impl IntoIterator<Item = &'a [ApplicationTime]>,
) -> Vec<ApplicationTotal> {
    let mut totals: BTreeMap<&str, (i64, u32)> = BTreeMap::new();
    for minute in minutes {
        let mut in_minute: BTreeMap<&str, i64> = BTreeMap::new();
        for part in minute {
            *in_minute.entry(&part.name).or_default() += i64::from(part.active_ms);
        }
        for (name, active_ms) in in_minute {
            let total = totals.entry(name).or_default();
            total.0 += active_ms;
            total.1 += 1;
        }
    }
    let mut totals: Vec<_> = totals
        .into_iter()
        .map(|(name, (active_ms, minutes))| ApplicationTotal {
            name: name.to_owned(),
            active_ms,
            minutes,
        })
        .collect();
    totals.sort_by(|a, b| {
        b.active_ms
            .cmp(&a.active_ms)
            .then_with(|| a.name.cmp(&b.name))
    });
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_titles_are_put_together_by_application() {
        let part = |name: &str, title: Option<&str>, active_ms| ApplicationTime {
            name: name.into(),
            title: title.map(Into::into),
            active_ms,
        };
        let first = [
            part("Firefox", Some("a"), 10),
            part("Firefox", Some("b"), 20),
            part("XTerm", None, 20),
        ];
        let second = [part("XTerm", None, 40)];
        let total = |name: &str, active_ms, minutes| ApplicationTotal {
            name: name.into(),
            active_ms,
            minutes,
        };
        assert_eq!(
            application_totals([&first[..], &second[..]]),
            [total("XTerm", 60, 2), total("Firefox", 30, 1)]
        );
    }
}
