//! A person's day, as values: what happened, and can it be trusted.

use askama::Template;

use crate::auth::{Object, Verb};
use crate::console::chart::DayChart;
use crate::console::layout::{MARK, Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "day/page.html")]
pub(crate) struct DayView {
    pub(crate) page: Page,
    /// The page's own address.
    pub(crate) address: String,
    /// Whether the person looks at their own day.
    pub(crate) own: bool,
    /// Whether who looks is somebody else, who may accept what is in doubt where the role allows it.
    pub(crate) accepts: bool,
    pub(crate) name: String,
    /// Whose, for whoever is not the person.
    pub(crate) employee_id: Option<String>,
    /// `Friday 20 November 2026`.
    pub(crate) date_text: String,
    /// `2026-11-20`.
    pub(crate) date: String,
    pub(crate) previous: String,
    /// Absent on today's page.
    pub(crate) next: Option<String>,
    pub(crate) today: String,
    pub(crate) zone: String,
    pub(crate) tracked: String,
    pub(crate) idle: String,
    /// What the employee deleted before it was sent; absent where that is nothing.
    pub(crate) withdrawn: Option<String>,
    /// Tracked time in front of records in doubt that nobody has accepted: not in `tracked`.
    pub(crate) uncounted: Option<String>,
    /// `no gaps`, `1 gap`.
    pub(crate) gaps: String,
    pub(crate) gap_count: usize,
    /// Why some of it may not be trusted; empty where all is verified.
    pub(crate) doubts: Vec<DoubtRow>,
    /// That captures may still wait for review on the computer.
    pub(crate) waiting: Option<String>,
    pub(crate) chart: Option<DayChart>,
    pub(crate) legend: Vec<(String, String)>,
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) quarters: Vec<Quarter>,
    pub(crate) hours: Vec<FilmHour>,
    pub(crate) shot_count: usize,
    /// True where more pictures exist than the page shows.
    pub(crate) shots_cut: bool,
    /// Pictures of the camera, apart from those of the screen.
    pub(crate) camera: Vec<Shot>,
    pub(crate) applications: Vec<Application>,
    /// `and 3 more, 12 m together`.
    pub(crate) other_applications: Option<String>,
}

/// A record that cannot be trusted as it stands.
#[derive(Debug)]
pub(crate) struct DoubtRow {
    pub(crate) record_id: String,
    /// What is wrong.
    pub(crate) text: String,
    /// When it was captured.
    pub(crate) at: String,
    /// By whom it was accepted, when and why (rule 22).
    pub(crate) accepted: Option<String>,
}

/// One session.
#[derive(Debug)]
pub(crate) struct SessionRow {
    pub(crate) from: String,
    pub(crate) from_machine: String,
    /// `now` while it runs.
    pub(crate) to: String,
    /// Name and colour, in the order in which they were worked on.
    pub(crate) projects: Vec<(String, String)>,
    pub(crate) tracked: String,
    pub(crate) idle: String,
    /// Shown where the day has any.
    pub(crate) withdrawn: String,
    /// Why it ended, in words.
    pub(crate) end: String,
    pub(crate) note: Option<String>,
}

/// A quarter of an hour of input, for who reads rather than looks.
#[derive(Debug)]
pub(crate) struct Quarter {
    pub(crate) from: String,
    pub(crate) keys: String,
    pub(crate) clicks: String,
    pub(crate) scrolls: String,
    pub(crate) applications: String,
}

/// The pictures of one hour.
#[derive(Debug)]
pub(crate) struct FilmHour {
    pub(crate) hour: String,
    pub(crate) shots: Vec<Shot>,
}

/// One picture.
#[derive(Debug)]
pub(crate) struct Shot {
    /// Where a click leads; absent where there is nothing more to see.
    pub(crate) href: Option<String>,
    /// The picture's address; absent for an unchanged screen, or while the original is on its way.
    pub(crate) src: Option<String>,
    pub(crate) time: String,
    pub(crate) machine: String,
    pub(crate) monitor: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) unchanged: bool,
    /// Why there is no picture and none will come.
    pub(crate) withdrawn: Option<&'static str>,
}

/// One application's time.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) time: String,
    /// Width of its bar, 0 to 100, of the longest.
    pub(crate) share: u32,
    /// The windows that were longest in front; empty where titles are not captured.
    pub(crate) titles: Vec<String>,
}

/// Why a session ended, in words.
pub(crate) fn ending(cause: Option<&str>, running: bool) -> String {
    if running {
        return "running".into();
    }
    match cause {
        Some("user") => "stopped by hand",
        Some("sleep") => "the computer slept",
        Some("lock") => "the screen was locked",
        Some("logout") => "logged out",
        Some("user-switch") => "another user came to the screen",
        Some("schedule") => "the licensed hours ended",
        Some("license") => "the license changed",
        Some("shutdown") => "the computer or the agent was shut down",
        Some("clock-set") => "the computer's clock was set",
        Some("crash-recovered") => "the agent had died; found at its next start",
        None => "nothing more was heard",
        Some(_) => "ended",
    }
    .into()
}

#[cfg(test)]
impl DayView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::chart::{Span, SpanKind};
        use crate::console::layout::Part;
        use crate::console::words::Zone;

        const MINUTE: i64 = 60_000;
        let zone = Zone::named("Europe/Paris").unwrap();
        let day = zone.day(jiff::civil::date(2026, 11, 20));
        let at = |hour: i64, minute: i64| day.0 + (hour * 60 + minute) * MINUTE;
        let span = |from_ms, to_ms, kind, project: &str, color: &str| Span {
            from_ms,
            to_ms,
            kind,
            project: project.into(),
            color: color.into(),
        };
        let (apollo, support) = ("#0072b2", "#d55e00");
        let spans = vec![
            span(at(8, 4), at(9, 50), SpanKind::Working, "Apollo", apollo),
            span(at(9, 50), at(10, 12), SpanKind::Idle, "Apollo", apollo),
            span(at(10, 12), at(11, 40), SpanKind::Working, "Apollo", apollo),
            span(
                at(11, 40),
                at(11, 50),
                SpanKind::Withdrawn,
                "Apollo",
                apollo,
            ),
            span(at(11, 50), at(12, 1), SpanKind::Working, "Apollo", apollo),
            span(
                at(12, 55),
                at(14, 20),
                SpanKind::Working,
                "<script>alert(1)</script>",
                support,
            ),
            span(at(14, 20), at(14, 41), SpanKind::Gap, "", support),
            span(
                at(14, 41),
                at(16, 30),
                SpanKind::Working,
                "Support",
                support,
            ),
        ];
        let minutes: Vec<(i64, i64)> = spans
            .iter()
            .filter(|s| s.kind == SpanKind::Working)
            .flat_map(|s| {
                (0..(s.to_ms - s.from_ms) / MINUTE).map(|i| {
                    let wave = (i * 7919 + i * i * 31) % 90;
                    (
                        s.from_ms + i * MINUTE,
                        if i % 23 > 19 { 0 } else { wave + (i % 11) * 8 },
                    )
                })
            })
            .collect();
        let shots: Vec<i64> = (0..50)
            .map(|i| at(8, 9) + i * 10 * MINUTE)
            .filter(|at| {
                spans
                    .iter()
                    .any(|s| s.kind == SpanKind::Working && s.from_ms <= *at && *at < s.to_ms)
            })
            .collect();
        let shot = |index: usize, ms: i64| Shot {
            href: Some(format!("/captures/{index}")),
            src: (index % 4 != 3).then(|| super::super::assets::address("favicon.svg")),
            time: zone.clock(ms),
            machine: zone.machine(ms),
            monitor: "HDMI-1".into(),
            width: 1920,
            height: 1080,
            unchanged: index % 4 == 3,
            withdrawn: (index == 5).then_some("deleted by the employee"),
        };
        let mut hours: Vec<FilmHour> = Vec::new();
        for (index, ms) in shots.iter().enumerate() {
            let hour = zone.clock(zone.hour_start(*ms));
            if hours.last().is_none_or(|h| h.hour != hour) {
                hours.push(FilmHour {
                    hour,
                    shots: vec![],
                });
            }
            hours.last_mut().unwrap().shots.push(shot(index, *ms));
        }
        let session =
            |from: i64, to: i64, project: &str, color: &str, note: Option<&str>| SessionRow {
                from: zone.clock(from),
                from_machine: zone.machine(from),
                to: zone.clock(to),
                projects: vec![(project.into(), color.into())],
                tracked: crate::console::words::duration(to - from),
                idle: "22\u{a0}m".into(),
                withdrawn: "10\u{a0}m".into(),
                end: ending(Some("user"), false),
                note: note.map(Into::into),
            };
        let application = |name: &str, time: &str, share, titles: &[&str]| Application {
            name: name.into(),
            time: time.into(),
            share,
            titles: titles.iter().map(|&t| t.into()).collect(),
        };
        let doubt = |text: &str, accepted: Option<&str>| DoubtRow {
            record_id: "1".into(),
            text: text.into(),
            at: "14:41".into(),
            accepted: accepted.map(Into::into),
        };
        let page = || Page::sample("Jo Doe, 20 November 2026", Part::Employees);
        let shell = |page| Self {
            page,
            address: "/employees/1/day".into(),
            own: false,
            accepts: true,
            name: "Jo Doe".into(),
            employee_id: Some("1".into()),
            date_text: "Friday 20 November 2026".into(),
            date: "2026-11-20".into(),
            previous: "2026-11-19".into(),
            next: None,
            today: "2026-11-20".into(),
            zone: zone.name().into(),
            tracked: "0\u{a0}m".into(),
            idle: "0\u{a0}m".into(),
            withdrawn: None,
            uncounted: None,
            gaps: "no gaps".into(),
            gap_count: 0,
            doubts: vec![],
            waiting: None,
            chart: None,
            legend: vec![],
            sessions: vec![],
            quarters: vec![],
            hours: vec![],
            shot_count: 0,
            shots_cut: false,
            camera: vec![],
            applications: vec![],
            other_applications: None,
        };
        let full = Self {
            next: Some("2026-11-21".into()),
            tracked: "6\u{a0}h\u{a0}49\u{a0}m".into(),
            idle: "22\u{a0}m".into(),
            withdrawn: Some("10\u{a0}m".into()),
            uncounted: Some("21\u{a0}m".into()),
            gaps: "1 gap".into(),
            gap_count: 1,
            doubts: vec![
                doubt("Records are missing before 14:41.", None),
                doubt(
                    "The clock of studio-7 was moved at 15:02.",
                    Some(
                        "Accepted by <script>alert(1)</script> on 21 November 09:10: daylight saving",
                    ),
                ),
            ],
            waiting: Some(
                "Captures may still wait on the computer for review, as the license gives, \
                 until 17:45."
                    .into(),
            ),
            chart: Some(DayChart::draw(&zone, day, &spans, &minutes, &shots)),
            legend: vec![
                ("Apollo".into(), apollo.into()),
                ("Support".into(), support.into()),
            ],
            sessions: vec![
                session(
                    at(8, 4),
                    at(12, 1),
                    "Apollo",
                    apollo,
                    Some("<script>alert(1)</script> release notes"),
                ),
                session(at(12, 55), at(16, 30), "Support", support, None),
            ],
            quarters: (0..8)
                .map(|i| Quarter {
                    from: zone.clock(at(8, i * 15)),
                    keys: (i * 120 + 31).to_string(),
                    clicks: (i * 7).to_string(),
                    scrolls: (i * 13).to_string(),
                    applications: "Terminal, Firefox".into(),
                })
                .collect(),
            hours,
            camera: vec![shot(0, at(9, 31)), shot(1, at(14, 12))],
            shot_count: shots.len(),
            applications: vec![
                application("Terminal", "4\u{a0}h\u{a0}10\u{a0}m", 100, &[]),
                application(
                    "Firefox",
                    "1\u{a0}h\u{a0}02\u{a0}m",
                    25,
                    &["<script>alert(1)</script> · Mozilla Firefox"],
                ),
                application("LibreOffice Writer", "54\u{a0}m", 21, &[]),
                application("Files", "3\u{a0}m", 1, &[]),
            ],
            other_applications: Some("3 more, 12\u{a0}m together".into()),
            ..shell(page())
        };
        vec![("full", full), ("empty", shell(page()))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_protocol::payload::Cause;

    #[test]
    fn p19_every_cause_has_words_of_its_own() {
        let causes = [
            Cause::User,
            Cause::Sleep,
            Cause::Lock,
            Cause::Logout,
            Cause::UserSwitch,
            Cause::Schedule,
            Cause::License,
            Cause::Shutdown,
            Cause::CrashRecovered,
            Cause::ClockSet,
        ];
        for cause in causes {
            let name = serde_json::to_value(cause).unwrap();
            let words = ending(name.as_str(), false);
            assert_ne!(words, "ended", "{cause:?}");
        }
        assert_eq!(ending(None, true), "running");
    }
}
