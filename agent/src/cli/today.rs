//! `glasshour today`: the employee's own day, from the log on this machine.

mod day;

use glasshour_words::Words;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::day::{Names, Stretch, Total};
use super::{block_on, out};
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, Request, call};
use crate::journal::Journal;
use crate::license::LicenseStore;
use crate::platform;

pub(super) fn today(home: &Home, json: bool) -> anyhow::Result<Exit> {
    let zone = TimeZone::system();
    let now = Timestamp::from_millisecond(platform::detect().clock().now().wall_ms)?;
    let midnight = now
        .to_zoned(zone.clone())
        .start_of_day()?
        .timestamp()
        .as_millisecond();
    let status = match block_on(call(&home.socket(), &Request::Status))? {
        Ok(Answer::Done { status }) => Some(status),
        _ => None,
    };
    // Also of licenses that are out of use: the day was worked nevertheless.
    let licenses = LicenseStore::new(home.clone()).read()?.all;
    let names = Names::new(&licenses, status.as_deref());
    let sessions = day::sessions_since(&Journal::new(home.clone()).read()?, midnight, &names);
    let totals = day::totals(&sessions, midnight, now.as_millisecond(), &names);
    if json {
        out::json(&serde_json::json!({
            "sessions": sessions,
            "totals": totals,
            "spool": status.as_ref().map(|status| status.spool),
        }))?;
        return Ok(Exit::Ok);
    }
    if sessions.is_empty() {
        out::line("Nothing was tracked today.");
    }
    let view = DayView {
        zone,
        midnight_ms: midnight,
        now_ms: now.as_millisecond(),
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
    if let Some(status) = &status {
        out::line(format!(
            "{} records were delivered, {} wait to be sent.",
            status.spool.delivered, status.spool.waiting
        ));
    }
    Ok(Exit::Ok)
}

/// `09:12 – 10:40     1 h 28 m  Acme: Apollo  the note`
fn session_line(session: &Stretch, view: &DayView<'_>) -> String {
    let end = session.ended_ms.map_or("now".into(), |end| view.clock(end));
    let until = session.ended_ms.unwrap_or(view.now_ms);
    let length = u64::try_from(until - session.started_ms.max(view.midnight_ms)).unwrap_or(0);
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
        duration(length),
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
    format!("{company}: {time} ({})", projects.join(", "))
}

fn duration(ms: u64) -> String {
    Words::ENGLISH.short_duration(ms).as_str().to_owned()
}

/// How a day is shown.
struct DayView<'a> {
    zone: TimeZone,
    midnight_ms: i64,
    now_ms: i64,
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
