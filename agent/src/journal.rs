//! The employee's own log of sessions on this machine: for `today`, and to find what a crash left
//! open (rule 19: a session whose agent vanished ends at its last sign of life).
//!
//! Lines of JSON, each flushed before the call returns. A last line that a crash cut is ignored.

use std::collections::BTreeMap;
use std::io;

use glasshour_protocol::payload::{SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, LicenseId, SessionId};
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

/// When running sessions were last seen alive.
#[derive(Deserialize)]
#[serde(untagged)]
enum Alive {
    /// Of versions that ran one at a time.
    One { session_id: SessionId, at_ms: i64 },
    /// By session.
    Each(BTreeMap<SessionId, i64>),
}

/// What is kept of the last pictures.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shots {
    /// Of versions that had one moment for all: it counts for each.
    Any(i64),
    /// By employer.
    Each(BTreeMap<CompanyId, LastShots>),
}

/// How much was captured on one local day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// Days since 1970, by the clock on the wall.
    pub day: i64,
    /// For each employer.
    pub by_company: BTreeMap<CompanyId, CapturedOf>,
}

impl Captured {
    /// The day of a moment.
    pub fn day_of(wall_ms: i64, utc_offset_min: i32) -> i64 {
        (wall_ms + i64::from(utc_offset_min) * 60_000).div_euclid(86_400_000)
    }
}

/// How much was captured for one employer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedOf {
    /// Pictures of screens.
    pub screenshots: u64,
    /// Looks at screens that had not changed: no picture.
    pub unchanged: u64,
    /// Pictures of the camera.
    pub camera: u64,
    /// Minutes of activity.
    pub minutes: u64,
}

/// A session that a crash left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOpen {
    /// Its beginning, with the license of its last event.
    pub started: Entry,
    /// Its last sign of life, UTC milliseconds.
    pub alive_ms: i64,
}

/// When the last pictures were taken: a restart of the agent earns no extra one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastShots {
    /// Under which license.
    pub license_id: LicenseId,
    /// The boot that `boot_ms` counts in.
    pub boot_id: String,
    /// The last one, UTC milliseconds.
    pub wall_ms: i64,
    /// Those of the last hour, milliseconds of the boot, the oldest first.
    pub boot_ms: Vec<u64>,
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

    /// Notes when each running session was last seen alive.
    pub fn alive(&self, sessions: &BTreeMap<SessionId, i64>) -> io::Result<()> {
        let bytes = serde_json::to_vec(sessions).expect("plain data with string keys");
        files::write_private(&self.home.alive(), &bytes)
    }

    /// Notes when the last pictures were taken for an employer.
    pub fn shots(&self, company: CompanyId, last: LastShots) -> io::Result<()> {
        let mut shots = match self.all_shots() {
            Some(Shots::Each(shots)) => shots,
            _ => BTreeMap::new(),
        };
        shots.insert(company, last);
        let bytes = serde_json::to_vec(&shots).expect("plain data with string keys");
        files::write_private(&self.home.last_shot(), &bytes)
    }

    /// When the last pictures were taken for an employer, if that is known.
    pub fn last_shots(&self, company: CompanyId) -> Option<LastShots> {
        match self.all_shots()? {
            Shots::Any(wall_ms) => Some(LastShots {
                license_id: LicenseId(uuid::Uuid::nil()),
                boot_id: String::new(),
                wall_ms,
                boot_ms: Vec::new(),
            }),
            Shots::Each(mut shots) => shots.remove(&company),
        }
    }

    /// Notes how much was captured today.
    pub fn set_captured(&self, captured: &Captured) -> io::Result<()> {
        let bytes = serde_json::to_vec(captured).expect("plain data with string keys");
        files::write_private(&self.home.captured(), &bytes)
    }

    /// How much was captured on the day that was noted last.
    pub fn captured(&self) -> Captured {
        let bytes = std::fs::read(self.home.captured()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Notes when the last pictures of the camera were taken for an employer.
    pub fn camera_shots(&self, company: CompanyId, last: LastShots) -> io::Result<()> {
        let mut shots = self.all_camera_shots();
        shots.insert(company, last);
        let bytes = serde_json::to_vec(&shots).expect("plain data with string keys");
        files::write_private(&self.home.last_camera_shot(), &bytes)
    }

    /// When the last pictures of the camera were taken for an employer, if that is known.
    pub fn last_camera_shots(&self, company: CompanyId) -> Option<LastShots> {
        self.all_camera_shots().remove(&company)
    }

    fn all_camera_shots(&self) -> BTreeMap<CompanyId, LastShots> {
        let bytes = std::fs::read(self.home.last_camera_shot()).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    fn all_shots(&self) -> Option<Shots> {
        serde_json::from_slice(&std::fs::read(self.home.last_shot()).ok()?).ok()
    }

    /// The sessions that were left open, oldest first: ask before any is begun.
    pub fn left_open(&self) -> io::Result<Vec<LeftOpen>> {
        let mut open: Vec<LeftOpen> = Vec::new();
        for entry in self.read()? {
            let (session, at_ms) = (entry.event.session_id, entry.event.at_ms);
            let known = |left: &LeftOpen| left.started.event.session_id == session;
            match entry.event.event {
                SessionEventKind::Started => open.push(LeftOpen {
                    started: entry,
                    alive_ms: at_ms,
                }),
                SessionEventKind::Stopped => open.retain(|left| !known(left)),
                _ => {
                    if let Some(left) = open.iter_mut().find(|left| known(left)) {
                        left.alive_ms = left.alive_ms.max(at_ms);
                        left.started.license_id = entry.license_id;
                    }
                }
            }
        }
        let alive = self.last_signs_of_life();
        for left in &mut open {
            let sign = alive.get(&left.started.event.session_id);
            left.alive_ms = left.alive_ms.max(sign.copied().unwrap_or(i64::MIN));
        }
        Ok(open)
    }

    fn last_signs_of_life(&self) -> BTreeMap<SessionId, i64> {
        let file = std::fs::read(self.home.alive()).ok();
        match file.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            Some(Alive::One { session_id, at_ms }) => BTreeMap::from([(session_id, at_ms)]),
            Some(Alive::Each(sessions)) => sessions,
            None => BTreeMap::new(),
        }
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
                idle: None,
            },
        }
    }

    fn left_open(journal: &Journal) -> Vec<(Entry, i64)> {
        let open = journal.left_open().unwrap().into_iter();
        open.map(|left| (left.started, left.alive_ms)).collect()
    }

    #[test]
    fn p19_a_session_left_open_ends_at_its_last_sign_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(Home::open(dir.path()).unwrap());
        assert_eq!(left_open(&journal), []);
        let started = entry(1, SessionEventKind::Started, 100);
        journal.append(&started).unwrap();
        assert_eq!(left_open(&journal), [(started.clone(), 100)]);
        let first = SessionId(Uuid::from_u128(1));
        journal.alive(&BTreeMap::from([(first, 250)])).unwrap();
        assert_eq!(left_open(&journal), [(started.clone(), 250)]);
        // The file of a version that ran one session at a time.
        let old = serde_json::json!({"session_id": first, "at_ms": 270});
        std::fs::write(journal.home.alive(), old.to_string()).unwrap();
        assert_eq!(left_open(&journal), [(started, 270)]);
        journal
            .append(&entry(1, SessionEventKind::Stopped, 300))
            .unwrap();
        assert_eq!(left_open(&journal), []);
    }

    #[test]
    fn p19_of_two_sessions_that_ran_at_once_each_ends_at_its_own_last_sign_of_life() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(Home::open(dir.path()).unwrap());
        let [first, second] = [1, 2].map(|id| entry(id, SessionEventKind::Started, 100));
        for started in [&first, &second] {
            journal.append(started).unwrap();
        }
        // What comes last under a newer license is ended under that one.
        let mut noted = entry(2, SessionEventKind::Noted, 400);
        noted.license_id = LicenseId(Uuid::from_u128(10));
        journal.append(&noted).unwrap();
        let id = |number| SessionId(Uuid::from_u128(number));
        journal
            .alive(&BTreeMap::from([(id(1), 300), (id(2), 350)]))
            .unwrap();
        let renewed = Entry {
            license_id: noted.license_id,
            ..second
        };
        assert_eq!(left_open(&journal), [(first, 300), (renewed, 400)]);
    }

    #[test]
    fn the_last_picture_of_one_employer_is_not_that_of_another() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(Home::open(dir.path()).unwrap());
        let [acme, beta] = [1, 2].map(|id| CompanyId(Uuid::from_u128(id)));
        let last = |company| journal.last_shots(company).map(|last| last.wall_ms);
        let shots = |wall_ms| LastShots {
            license_id: LicenseId(Uuid::from_u128(1)),
            boot_id: "boot".into(),
            wall_ms,
            boot_ms: vec![7],
        };
        assert_eq!(last(acme), None);
        // A version with one moment for all: it holds for each until there is a newer one.
        std::fs::write(journal.home.last_shot(), "100").unwrap();
        assert_eq!(last(beta), Some(100));
        journal.shots(acme, shots(200)).unwrap();
        journal.shots(beta, shots(300)).unwrap();
        assert_eq!((last(acme), last(beta)), (Some(200), Some(300)));
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
