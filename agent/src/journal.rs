//! The employee's own log of sessions on this machine: for `today`, and to find what a crash left
//! open (rule 19: a session whose agent vanished ends at its last sign of life).
//!
//! Lines of JSON, each flushed before the call returns. A last line that a crash cut is ignored.

use std::io;

use glasshour_protocol::payload::{SessionEvent, SessionEventKind};
use glasshour_protocol::{LicenseId, SessionId};
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::platform::files;

/// One event with the license it happened under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The license.
    pub license_id: LicenseId,
    /// The event.
    #[serde(flatten)]
    pub event: SessionEvent,
}

#[derive(Serialize, Deserialize)]
struct Alive {
    session_id: SessionId,
    at_ms: i64,
}

/// The log.
#[derive(Clone, Debug)]
pub struct Journal {
    home: Home,
}

impl Journal {
    /// The log of that home.
    pub fn new(home: Home) -> Self {
        Self { home }
    }

    /// Adds an event; it is on disk when this returns.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        let line = serde_json::to_string(entry).expect("plain data");
        files::append_private(&self.home.sessions(), &line)
    }

    /// Every event, oldest first.
    pub fn read(&self) -> io::Result<Vec<Entry>> {
        match std::fs::read_to_string(self.home.sessions()) {
            Ok(text) => Ok(text
                .lines()
                .filter_map(|l| serde_json::from_str(l).ok())
                .collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Notes that the session is alive.
    pub fn alive(&self, session_id: SessionId, at_ms: i64) -> io::Result<()> {
        let bytes = serde_json::to_vec(&Alive { session_id, at_ms }).expect("plain data");
        files::write_private(&self.home.alive(), &bytes)
    }

    /// Notes when a picture was taken.
    pub fn shot(&self, at_ms: i64) -> io::Result<()> {
        files::write_private(&self.home.last_shot(), at_ms.to_string().as_bytes())
    }

    /// When the last picture was taken, if that is known.
    pub fn last_shot(&self) -> Option<i64> {
        std::fs::read_to_string(self.home.last_shot())
            .ok()?
            .parse()
            .ok()
    }

    /// The session that was left open, if one was: its `started` entry and its last sign of life.
    pub fn left_open(&self) -> io::Result<Option<(Entry, i64)>> {
        let entries = self.read()?;
        let Some(last) = entries.last() else {
            return Ok(None);
        };
        if last.event.event == SessionEventKind::Stopped {
            return Ok(None);
        }
        let session = last.event.session_id;
        let started = entries.iter().rfind(|entry| {
            entry.event.session_id == session && entry.event.event == SessionEventKind::Started
        });
        let alive_ms = std::fs::read(self.home.alive())
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Alive>(&bytes).ok())
            .filter(|alive| alive.session_id == session)
            .map_or(last.event.at_ms, |alive| alive.at_ms.max(last.event.at_ms));
        Ok(started.map(|started| (started.clone(), alive_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_protocol::payload::Cause;
    use std::slice;
    use uuid::Uuid;

    fn entry(session: u128, event: SessionEventKind, at_ms: i64) -> Entry {
        Entry {
            license_id: LicenseId(Uuid::from_u128(9)),
            event: SessionEvent {
                session_id: SessionId(Uuid::from_u128(session)),
                event,
                cause: Cause::User,
                at_ms,
                project_id: None,
                note: None,
            },
        }
    }

    #[test]
    fn p19_a_session_left_open_ends_at_its_last_sign_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(Home::open(dir.path()).unwrap());
        assert_eq!(journal.left_open().unwrap(), None);
        let started = entry(1, SessionEventKind::Started, 100);
        journal.append(&started).unwrap();
        assert_eq!(journal.left_open().unwrap(), Some((started.clone(), 100)));
        journal.alive(SessionId(Uuid::from_u128(1)), 250).unwrap();
        assert_eq!(journal.left_open().unwrap(), Some((started, 250)));
        journal
            .append(&entry(1, SessionEventKind::Stopped, 300))
            .unwrap();
        assert_eq!(journal.left_open().unwrap(), None);
    }

    #[test]
    fn a_line_that_a_crash_cut_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let journal = Journal::new(home.clone());
        let whole = entry(1, SessionEventKind::Started, 100);
        journal.append(&whole).unwrap();
        let mut text = std::fs::read_to_string(home.sessions()).unwrap();
        text.push_str(r#"{"license_id":"0000"#);
        std::fs::write(home.sessions(), text).unwrap();
        assert_eq!(journal.read().unwrap(), slice::from_ref(&whole));
        journal.append(&whole).unwrap();
        assert_eq!(
            journal.read().unwrap(),
            [whole.clone(), whole],
            "the next one is whole again"
        );
    }
}
