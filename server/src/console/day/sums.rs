//! Sums over a day's minutes: input by quarter of an hour, time by application.

use std::collections::BTreeMap;

use super::view::{Application, Quarter};
use crate::console::words::{self, Zone};
use crate::report::application_totals;
use crate::store::ActivityRow;

const QUARTER_MS: i64 = 15 * 60_000;
/// Applications that are listed by name.
const LISTED: usize = 12;
/// Window titles under each.
const TITLES: usize = 3;

/// Input by quarter of an hour, for who reads rather than looks.
pub(super) fn quarters(zone: &Zone, minutes: &[ActivityRow]) -> Vec<Quarter> {
    let mut quarters: BTreeMap<i64, Vec<&ActivityRow>> = BTreeMap::new();
    for minute in minutes {
        quarters
            .entry(minute.from_ms.div_euclid(QUARTER_MS))
            .or_default()
            .push(minute);
    }
    let sum = |rows: &[&ActivityRow], of: fn(&ActivityRow) -> i64| {
        words::grouped(rows.iter().map(|row| of(row)).sum())
    };
    quarters
        .into_iter()
        .map(|(quarter, rows)| {
            let totals = application_totals(rows.iter().map(|row| row.applications.as_slice()));
            let names: Vec<String> = totals.into_iter().take(3).map(|total| total.name).collect();
            Quarter {
                from: zone.clock(quarter * QUARTER_MS),
                keys: sum(&rows, |row| row.keys),
                clicks: sum(&rows, |row| row.clicks),
                scrolls: sum(&rows, |row| row.scrolls),
                applications: names.join(", "),
            }
        })
        .collect()
}

/// Time by application, longest first, with the titles that were longest in front; and the rest in
/// one line.
pub(super) fn applications(minutes: &[ActivityRow]) -> (Vec<Application>, Option<String>) {
    let totals = application_totals(minutes.iter().map(|row| row.applications.as_slice()));
    let longest = totals.first().map_or(1, |total| total.active_ms).max(1);
    let others = totals
        .get(LISTED..)
        .filter(|rest| !rest.is_empty())
        .map(|rest| {
            let time: i64 = rest.iter().map(|total| total.active_ms).sum();
            format!("{} more, {} together", rest.len(), words::duration(time))
        });
    let listed = totals
        .into_iter()
        .take(LISTED)
        .map(|total| Application {
            time: words::duration(total.active_ms),
            share: u32::try_from(total.active_ms * 100 / longest)
                .unwrap_or(0)
                .clamp(1, 100),
            titles: titles(minutes, &total.name),
            name: total.name,
        })
        .collect();
    (listed, others)
}

fn titles(minutes: &[ActivityRow], name: &str) -> Vec<String> {
    let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
    for part in minutes
        .iter()
        .flat_map(|row| &row.applications)
        .filter(|part| part.name == name)
    {
        if let Some(title) = part.title.as_deref().filter(|title| !title.is_empty()) {
            *totals.entry(title).or_default() += i64::from(part.active_ms);
        }
    }
    let mut totals: Vec<(&str, i64)> = totals.into_iter().collect();
    totals.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    totals
        .into_iter()
        .take(TITLES)
        .map(|(title, _)| title.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_protocol::payload::ApplicationTime;

    fn minute(from_ms: i64, keys: i64, applications: &[(&str, Option<&str>, u32)]) -> ActivityRow {
        ActivityRow {
            from_ms,
            to_ms: from_ms + 60_000,
            session_id: None,
            project_id: None,
            keys,
            clicks: 1,
            scrolls: 0,
            motions: 9,
            exact: true,
            idle_ms: None,
            applications: applications
                .iter()
                .map(|(name, title, active_ms)| ApplicationTime {
                    name: (*name).into(),
                    title: title.map(Into::into),
                    active_ms: *active_ms,
                })
                .collect(),
        }
    }

    #[test]
    fn quarters_add_their_minutes_up() {
        let rows = [
            minute(0, 600, &[("XTerm", None, 10)]),
            minute(14 * 60_000, 500, &[("Firefox", None, 20)]),
            minute(15 * 60_000, 7, &[]),
        ];
        let quarters = quarters(&Zone::offset(0), &rows);
        assert_eq!(quarters.len(), 2);
        assert_eq!(
            (quarters[0].keys.as_str(), quarters[0].clicks.as_str()),
            ("1,100", "2")
        );
        assert_eq!(quarters[0].applications, "Firefox, XTerm");
        assert_eq!(quarters[1].from, "00:15");
    }

    #[test]
    fn applications_beyond_the_list_are_summed_up() {
        let names: Vec<String> = (0..15).map(|i| format!("app-{i:02}")).collect();
        let parts: Vec<(&str, Option<&str>, u32)> = names
            .iter()
            .zip(0..)
            .map(|(name, i)| (name.as_str(), None, 60_000 - i))
            .collect();
        let (listed, others) = applications(&[minute(0, 0, &parts)]);
        assert_eq!((listed.len(), listed[0].share), (LISTED, 100));
        assert_eq!(
            others.unwrap().replace('\u{a0}', " "),
            "3 more, 2 m together"
        );
    }

    #[test]
    fn the_longest_titles_stand_first() {
        let rows = [minute(
            0,
            0,
            &[
                ("Firefox", Some("a"), 10),
                ("Firefox", Some("b"), 30),
                ("Firefox", Some(""), 99),
            ],
        )];
        let (listed, others) = applications(&rows);
        assert_eq!(listed[0].titles, ["b", "a"]);
        assert_eq!(others, None);
    }
}
