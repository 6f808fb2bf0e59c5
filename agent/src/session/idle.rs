//! Stretches of sessions without input that the employee has not spoken of yet, and what they say.
//!
//! Found in the log of sessions, so that a question outlives the agent. Until it is answered the stretch is
//! kept apart as idle; nothing is added or removed by itself.

use std::collections::BTreeMap;

use glasshour_protocol::payload::{
    Cause, IdleAnswer, IdleSays, SessionEvent, SessionEventKind as Kind,
};
use glasshour_protocol::{LicenseId, ProjectId, SessionId};

use crate::journal::Entry;

/// A stretch without input that nobody has spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Under which license it came to its end.
    pub license_id: LicenseId,
    /// Of which session.
    pub session_id: SessionId,
    /// What the session was on.
    pub project_id: Option<ProjectId>,
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds.
    pub to_ms: i64,
}

impl Unanswered {
    /// How long it is.
    pub fn length_ms(&self) -> i64 {
        self.to_ms - self.from_ms
    }

    /// What the employee says of it. `project_id`: what the work was on, where it was something else.
    pub fn said(&self, at_ms: i64, says: IdleSays, project_id: Option<ProjectId>) -> SessionEvent {
        SessionEvent {
            session_id: self.session_id,
            event: Kind::Noted,
            cause: Cause::User,
            at_ms,
            project_id: None,
            note: None,
            idle: Some(IdleAnswer {
                from_ms: self.from_ms,
                to_ms: self.to_ms,
                says,
                project_id: project_id.filter(|_| says == IdleSays::Work),
            }),
        }
    }
}

/// What is known of a session while the log is read.
#[derive(Default)]
struct Open {
    project_id: Option<ProjectId>,
    idle_since_ms: Option<i64>,
    stopped: bool,
}

/// The stretches that have ended and were not spoken of, in the order of the log.
pub fn unanswered(entries: &[Entry]) -> Vec<Unanswered> {
    let mut sessions: BTreeMap<SessionId, Open> = BTreeMap::new();
    let mut found: Vec<Unanswered> = Vec::new();
    for Entry { license_id, event } in entries {
        if let Some(said) = event.idle {
            found.retain(|one| {
                one.session_id != event.session_id
                    || one.from_ms < said.from_ms
                    || one.to_ms > said.to_ms
            });
        }
        let session = sessions.entry(event.session_id).or_default();
        if session.stopped {
            continue;
        }
        match event.event {
            Kind::Started | Kind::Switched => session.project_id = event.project_id,
            Kind::Idle => session.idle_since_ms = Some(event.at_ms),
            Kind::Resumed | Kind::Stopped => {
                session.stopped = event.event == Kind::Stopped;
                if let Some(from_ms) = session.idle_since_ms.take()
                    && from_ms < event.at_ms
                {
                    found.push(Unanswered {
                        license_id: *license_id,
                        session_id: event.session_id,
                        project_id: session.project_id,
                        from_ms,
                        to_ms: event.at_ms,
                    });
                }
            }
            Kind::Noted => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn entry(session: u128, event: Kind, at_ms: i64) -> Entry {
        Entry {
            license_id: LicenseId(Uuid::from_u128(9)),
            event: SessionEvent {
                session_id: SessionId(Uuid::from_u128(session)),
                event,
                cause: Cause::Input,
                at_ms,
                project_id: None,
                note: None,
                idle: None,
            },
        }
    }

    #[test]
    fn what_was_spoken_of_is_not_asked_again() {
        let mut log = vec![
            entry(1, Kind::Started, 0),
            entry(1, Kind::Idle, 10),
            entry(1, Kind::Resumed, 20),
            entry(1, Kind::Idle, 30),
            entry(1, Kind::Stopped, 45),
            entry(2, Kind::Started, 50),
            entry(2, Kind::Idle, 60),
        ];
        let open = unanswered(&log);
        let spans: Vec<_> = open.iter().map(|one| (one.from_ms, one.to_ms)).collect();
        assert_eq!(spans, [(10, 20), (30, 45)], "one that goes on is not over");
        let said = open.first().unwrap().said(70, IdleSays::NotWork, None);
        log.push(Entry {
            license_id: LicenseId(Uuid::from_u128(9)),
            event: said,
        });
        let open = unanswered(&log);
        assert_eq!(open.first().map(|one| one.from_ms), Some(30));
    }
}
