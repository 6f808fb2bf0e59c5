//! `glasshour today`: the employee's own day, from the log on this machine, also without a network: what was
//! tracked, what was captured, and what waits to be sent.

mod day;

use std::collections::BTreeSet;

use glasshour_protocol::SessionId;
use glasshour_words::Words;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::day::{Names, Total, Worked};
use super::{block_on, held, out};
use crate::day::{Log, Open, Sums, Withdrawn};
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, Request, call};
use crate::journal::{Captured, CapturedOf, Journal};
use crate::license::LicenseStore;
use crate::platform;
use crate::status::{SpoolStatus, Status};

pub(super) fn today(home: &Home, json: bool) -> anyhow::Result<Exit> {
    let zone = TimeZone::system();
    let clock = platform::detect().clock().now();
    let now = Timestamp::from_millisecond(clock.wall_ms)?;
    let midnight = now
        .to_zoned(zone.clone())
        .start_of_day()?
        .timestamp()
        .as_millisecond();
    let status = match block_on(call(&home.socket(), &Request::Status))? {
        Ok(Answer::Done { status }) => Some(status),
        _ => None,
    };
    let (withdrawn, spool) = match &status {
        Some(status) => (withdrawn(status), status.spool),
        None => block_on(without_agent(home))??,
    };
    let running = running(status.as_deref());
    let open = Open {
        now_ms: now.as_millisecond(),
        running: &running,
    };
    // Also of licenses that are out of use: the day was worked nevertheless.
    let licenses = LicenseStore::new(home.clone()).read()?.all;
    let names = Names::new(&licenses, status.as_deref());
    let journal = Journal::new(home.clone());
    let log = Log::of(journal.read()?);
    let sessions = day::sessions_since(&log, midnight, open, &withdrawn, &names);
    let totals = day::totals(&sessions, midnight, open.now_ms, &names);
    let captured = captured(&journal.captured(), clock.wall_ms, clock.utc_offset_min);
    if json {
        out::json(&serde_json::json!({
            "sessions": sessions,
            "totals": totals,
            "captured": captured,
            "spool": spool,
            "agent_is_running": status.is_some(),
        }))?;
        return Ok(Exit::Ok);
    }
    if sessions.is_empty() {
        out::line("Nothing was tracked today.");
    }
    let view = DayView {
        zone,
        several: totals.len() > 1,
        names: &names,
    };
    for session in &sessions {
        out::line(session_line(session, &view));
    }
    let tells_more = |total: &&Total| view.several || total.projects.len() > 1;
    for total in totals.iter().filter(tells_more) {
        out::line(total_line(total));
    }
    let days = sessions.iter().map(|session| session.sums);
    if let Some(line) = apart_line(days.fold(Sums::default(), add)) {
        out::line(line);
    }
    out::line(captured_line(captured));
    out::line(waiting_line(spool, status.is_some()));
    Ok(Exit::Ok)
}

fn running(status: Option<&Status>) -> BTreeSet<SessionId> {
    let employers = status.map(|status| status.employers.as_slice());
    let employers = employers.unwrap_or_default().iter();
    employers
        .filter_map(|employer| employer.session_id)
        .collect()
}

fn withdrawn(status: &Status) -> Withdrawn {
    let mut withdrawn = Withdrawn::new();
    for time in &status.withdrawn {
        withdrawn
            .entry(time.session_id)
            .or_default()
            .push(time.span);
    }
    withdrawn
}

/// What only the agent or the spools themselves can tell.
async fn without_agent(home: &Home) -> anyhow::Result<(Withdrawn, SpoolStatus)> {
    let desk = held::desk(home)?;
    let mut all = SpoolStatus::default();
    for source in &desk.sources {
        let stats = source.spool.stats().await?;
        all.waiting += stats.waiting;
        all.quarantined += stats.quarantined;
        all.delivered += stats.delivered;
        all.held += source.spool.held_count(desk.holds_ms).await?;
    }
    Ok((desk.withdrawn().await?, all))
}

fn captured(noted: &Captured, wall_ms: i64, utc_offset_min: i32) -> CapturedOf {
    let mut all = CapturedOf::default();
    if noted.day == Captured::day_of(wall_ms, utc_offset_min) {
        for of in noted.by_company.values() {
            all.screenshots += of.screenshots;
            all.unchanged += of.unchanged;
            all.camera += of.camera;
            all.minutes += of.minutes;
        }
    }
    all
}

fn add(a: Sums, b: Sums) -> Sums {
    Sums {
        tracked_ms: a.tracked_ms + b.tracked_ms,
        idle_ms: a.idle_ms + b.idle_ms,
        withdrawn_ms: a.withdrawn_ms + b.withdrawn_ms,
        kept_ms: a.kept_ms + b.kept_ms,
    }
}

/// `09:12 – 10:40     1 h 28 m  Acme: Apollo  the note`; the time is what counts as tracked.
fn session_line(session: &Worked, view: &DayView<'_>) -> String {
    let end = session.ended_ms.map_or("now".into(), |end| view.clock(end));
    let employer = if view.several {
        format!("{}: ", session.company)
    } else {
        String::new()
    };
    let note = session
        .note
        .as_ref()
        .map(|note| format!("  {note}"))
        .unwrap_or_default();
    format!(
        "{} – {end}  {:>9}  {employer}{}{note}",
        view.clock(session.started_ms),
        duration(session.sums.tracked_ms.unsigned_abs()),
        view.names.project(session.project_id),
    )
}

/// `Acme: 2 h 10 m (Apollo 1 h 30 m, no project 40 m)`
fn total_line(total: &Total) -> String {
    let projects: Vec<_> = total
        .projects
        .iter()
        .map(|project| format!("{} {}", project.name, duration(project.ms)))
        .collect();
    let (company, time) = (&total.company, duration(total.ms));
    if projects.is_empty() {
        return format!("{company}: {time}");
    }
    format!("{company}: {time} ({})", projects.join(", "))
}

/// `Not tracked: 12 m idle, 5 m deleted by you. Of what is tracked, 20 m are idle time that you kept.`
fn apart_line(sums: Sums) -> Option<String> {
    let time = |ms: i64| duration(ms.unsigned_abs());
    let mut apart = Vec::new();
    if sums.idle_ms > 0 {
        apart.push(format!("{} idle", time(sums.idle_ms)));
    }
    if sums.withdrawn_ms > 0 {
        apart.push(format!("{} deleted by you", time(sums.withdrawn_ms)));
    }
    let mut sentences = Vec::new();
    if !apart.is_empty() {
        sentences.push(format!("Not tracked: {}.", apart.join(", ")));
    }
    if sums.kept_ms > 0 {
        let kept = time(sums.kept_ms);
        sentences.push(format!("Tracked by your word, without input: {kept}."));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn captured_line(of: CapturedOf) -> String {
    let mut parts = Vec::new();
    let mut count = |number: u64, one: &str, several: &str| {
        if number > 0 {
            let what = if number == 1 { one } else { several };
            parts.push(format!("{number} {what}"));
        }
    };
    count(of.screenshots, "screenshot", "screenshots");
    count(
        of.unchanged,
        "look at an unchanged screen",
        "looks at an unchanged screen",
    );
    count(of.camera, "picture of the camera", "pictures of the camera");
    count(of.minutes, "minute of activity", "minutes of activity");
    if parts.is_empty() {
        "Captured today: nothing.".into()
    } else {
        format!("Captured today: {}.", parts.join(", "))
    }
}

fn waiting_line(spool: SpoolStatus, agent_runs: bool) -> String {
    let SpoolStatus {
        waiting,
        held,
        quarantined,
        delivered,
        ..
    } = spool;
    let mut parts = vec![match waiting {
        0 => format!("Everything was delivered: {delivered} records so far."),
        1 => format!("1 record waits to be sent; {delivered} were delivered."),
        _ => format!("{waiting} records wait to be sent; {delivered} were delivered."),
    }];
    if held > 0 {
        parts.push(format!(
            "{held} of them wait for you to look at first: `glasshour held`."
        ));
    }
    if quarantined > 0 {
        parts.push(format!(
            "{quarantined} were refused for good and stay here: `glasshour doctor`."
        ));
    }
    if !agent_runs {
        parts.push("The agent is not running: nothing is captured or sent before it is.".into());
    }
    parts.join(" ")
}

fn duration(ms: u64) -> String {
    Words::ENGLISH.short_duration(ms).as_str().to_owned()
}

/// How a day is shown.
struct DayView<'a> {
    zone: TimeZone,
    /// Whether there is more than one employer to tell apart.
    several: bool,
    names: &'a Names,
}

impl DayView<'_> {
    fn clock(&self, ms: i64) -> String {
        Timestamp::from_millisecond(ms)
            .map(|at| at.to_zoned(self.zone.clone()).strftime("%H:%M").to_string())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_apart_and_what_waits_is_said_in_words() {
        assert_eq!(apart_line(Sums::default()), None);
        let sums = Sums {
            tracked_ms: 0,
            idle_ms: 720_000,
            withdrawn_ms: 300_000,
            kept_ms: 60_000,
        };
        assert_eq!(
            apart_line(sums).unwrap(),
            "Not tracked: 12 m idle, 5 m deleted by you. Tracked by your word, without input: 1 m."
        );
        let of = CapturedOf {
            screenshots: 3,
            unchanged: 1,
            camera: 0,
            minutes: 1,
        };
        assert_eq!(
            captured_line(of),
            "Captured today: 3 screenshots, 1 look at an unchanged screen, 1 minute of activity."
        );
        let spool = SpoolStatus {
            waiting: 2,
            held: 1,
            quarantined: 0,
            delivered: 9,
            ..SpoolStatus::default()
        };
        let line = waiting_line(spool, false);
        assert!(line.starts_with("2 records wait to be sent; 9 were delivered. 1 of them"));
        assert!(line.contains("The agent is not running"), "{line}");
    }

    #[test]
    fn an_employer_without_time_on_a_project_has_no_empty_brackets() {
        let mut total = Total {
            company_id: None,
            company: "Soonco".into(),
            ms: 0,
            projects: vec![],
        };
        assert_eq!(total_line(&total), "Soonco: 0 s");
        total.ms = 60_000;
        total.projects.push(day::ProjectTotal {
            project_id: None,
            name: "no project".into(),
            ms: 60_000,
        });
        assert_eq!(total_line(&total), "Soonco: 1 m (no project 1 m)");
    }
}
