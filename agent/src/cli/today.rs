//! `glasshour today`: the employee's own day, from the log on this machine.

use std::collections::BTreeMap;

use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_protocol::{ProjectId, SessionId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{block_on, out};
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, Request, call};
use crate::journal::{Entry, Journal};
use crate::platform;
use crate::status::{Status, duration};

/// One session of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Stretch {
    session_id: SessionId,
    project_id: Option<ProjectId>,
    started_ms: i64,
    /// `None` while it runs.
    ended_ms: Option<i64>,
    cause: Option<Cause>,
    note: Option<String>,
}

pub(super) fn today(home: &Home, json: bool) -> anyhow::Result<Exit> {
    let zone = TimeZone::system();
    let now = Timestamp::from_millisecond(platform::detect().clock().now().wall_ms)?;
    let midnight = now
        .to_zoned(zone.clone())
        .start_of_day()?
        .timestamp()
        .as_millisecond();
    let sessions = sessions_since(&Journal::new(home.clone()).read()?, midnight);
    let status = match block_on(call(&home.socket(), &Request::Status))? {
        Ok(Answer::Done { status }) => Some(status),
        _ => None,
    };
    if json {
        out::json(&serde_json::json!({
            "sessions": sessions,
            "spool": status.as_ref().map(|status| status.spool),
        }))?;
        return Ok(Exit::Ok);
    }
    if sessions.is_empty() {
        out::line("Nothing was tracked today.");
    }
    let clock = |ms: i64| {
        Timestamp::from_millisecond(ms)
            .map(|at| at.to_zoned(zone.clone()).strftime("%H:%M").to_string())
            .unwrap_or_default()
    };
    for session in &sessions {
        let end = session.ended_ms.map_or("now".into(), clock);
        let until = session.ended_ms.unwrap_or(now.as_millisecond());
        let length = u64::try_from(until - session.started_ms.max(midnight)).unwrap_or(0);
        let project = project_name(session.project_id, status.as_deref());
        let note = session
            .note
            .as_ref()
            .map(|note| format!("  {note}"))
            .unwrap_or_default();
        out::line(format!(
            "{} – {end}  {:>9}  {project}{note}",
            clock(session.started_ms),
            duration(length)
        ));
    }
    if let Some(status) = &status {
        out::line(format!(
            "{} records were delivered, {} wait to be sent.",
            status.spool.delivered, status.spool.waiting
        ));
    }
    Ok(Exit::Ok)
}

fn project_name(id: Option<ProjectId>, status: Option<&Status>) -> String {
    let Some(id) = id else {
        return "no project".into();
    };
    status
        .and_then(|status| {
            status
                .projects
                .iter()
                .find(|project| project.project_id == id)
        })
        .map_or_else(|| id.to_string(), |project| project.name.clone())
}

/// Sessions that ran after that moment, oldest first.
fn sessions_since(entries: &[Entry], since_ms: i64) -> Vec<Stretch> {
    let mut sessions: BTreeMap<SessionId, Stretch> = BTreeMap::new();
    for Entry { event, .. } in entries {
        match event.event {
            SessionEventKind::Started => {
                let session = Stretch {
                    session_id: event.session_id,
                    project_id: event.project_id,
                    started_ms: event.at_ms,
                    ended_ms: None,
                    cause: None,
                    note: event.note.clone(),
                };
                sessions.insert(event.session_id, session);
            }
            SessionEventKind::Stopped => {
                if let Some(session) = sessions.get_mut(&event.session_id) {
                    session.ended_ms = Some(event.at_ms);
                    session.cause = Some(event.cause);
                }
            }
            SessionEventKind::Switched => {
                if let Some(session) = sessions.get_mut(&event.session_id) {
                    session.project_id = event.project_id;
                }
            }
            SessionEventKind::Noted | SessionEventKind::Idle | SessionEventKind::Resumed => {}
        }
    }
    let mut sessions: Vec<_> = sessions
        .into_values()
        .filter(|session| session.ended_ms.is_none_or(|end| end > since_ms))
        .collect();
    sessions.sort_by_key(|session| session.started_ms);
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_protocol::LicenseId;
    use glasshour_protocol::payload::SessionEvent;
    use uuid::Uuid;

    #[test]
    fn a_session_over_midnight_belongs_to_the_day_and_an_older_one_does_not() {
        let entry = |session: u128, event, at_ms| Entry {
            license_id: LicenseId(Uuid::nil()),
            event: SessionEvent {
                session_id: SessionId(Uuid::from_u128(session)),
                event,
                cause: Cause::User,
                at_ms,
                project_id: None,
                note: None,
            },
        };
        let entries = [
            entry(1, SessionEventKind::Started, 0),
            entry(1, SessionEventKind::Stopped, 100),
            entry(2, SessionEventKind::Started, 200),
            entry(2, SessionEventKind::Stopped, 400),
            entry(3, SessionEventKind::Started, 500),
        ];
        let days = sessions_since(&entries, 300);
        let ends: Vec<_> = days.iter().map(|session| session.ended_ms).collect();
        assert_eq!(ends, [Some(400), None]);
    }
}
