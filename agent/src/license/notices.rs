//! Which licenses' notices were put before the employee, and whether they were acknowledged.
//!
//! Small on purpose: the proof is the signed `notice` record in the chain; this file only remembers
//! not to ask twice. The running agent and the command line both write it, each under a lock and on
//! top of what the file says then: an acknowledgement is never taken back by a later `shown`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use glasshour_protocol::LicenseId;
use glasshour_protocol::payload::NoticeKind;
use glasshour_words::Language;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::platform::files;

/// The state of every notice. Nothing is remembered here: the file is the truth.
#[derive(Debug)]
pub struct Notices {
    home: Home,
}

/// A notice whose signed record is still to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecorded {
    /// The license that the notice explains.
    pub license_id: LicenseId,
    /// What happened to it.
    pub event: NoticeKind,
    /// How it was shown.
    pub shown_by: String,
    /// The language it was in, where that was kept.
    pub language: Option<String>,
}

/// How a notice was put before the employee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Showing {
    /// `window`, `notification`, `terminal`, or `--yes` for one who said so beforehand.
    pub by: &'static str,
    /// The language it was in.
    pub language: Language,
}

type Entries = BTreeMap<LicenseId, Entry>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    event: NoticeKind,
    /// Absent in files of versions before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown_by: Option<String>,
    /// Absent in files of versions that spoke but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Whether the signed record of it is in the spool.
    recorded: bool,
}

impl Notices {
    /// The notices of that home.
    pub fn open(home: Home) -> Self {
        Self { home }
    }

    /// Whether that license's notice was shown or acknowledged. A file that cannot be read counts as
    /// empty, so that notices are shown again rather than not at all.
    pub fn was_shown(&self, license: LicenseId) -> bool {
        self.read_or_empty().contains_key(&license)
    }

    /// What became of every license's notice so far.
    pub fn events(&self) -> BTreeMap<LicenseId, NoticeKind> {
        let entries = self.read_or_empty().into_iter();
        entries.map(|(id, entry)| (id, entry.event)).collect()
    }

    /// Another license bears that number from now on: its notice was neither shown nor acknowledged.
    pub(super) fn forget(&self, license: LicenseId) -> io::Result<()> {
        self.change(|entries| {
            entries.remove(&license);
        })
    }

    /// What became of that license's notice so far.
    pub fn event(&self, license: LicenseId) -> Option<NoticeKind> {
        self.read_or_empty().get(&license).map(|entry| entry.event)
    }

    /// Remembers that it was, and how.
    ///
    /// What is known already stays: a notice that was acknowledged does not become one that was only
    /// shown, and the first of two alike events counts.
    pub fn set(&self, license: LicenseId, event: NoticeKind, showing: Showing) -> io::Result<()> {
        self.change(|entries| {
            let known = entries.get(&license).map(|entry| entry.event);
            if known == Some(event) || known == Some(NoticeKind::Acknowledged) {
                return;
            }
            let entry = Entry {
                event,
                shown_by: Some(showing.by.to_owned()),
                language: Some(showing.language.code().to_owned()),
                recorded: false,
            };
            entries.insert(license, entry);
        })
    }

    /// Notices whose signed record is still to be made.
    pub fn unrecorded(&self) -> Vec<Unrecorded> {
        let open = self.read_or_empty().into_iter();
        open.filter(|(_, entry)| !entry.recorded)
            .map(|(license_id, entry)| Unrecorded {
                license_id,
                event: entry.event,
                shown_by: entry.shown_by.unwrap_or_else(|| {
                    match entry.event {
                        NoticeKind::Shown => "notification",
                        NoticeKind::Acknowledged => "terminal",
                    }
                    .to_owned()
                }),
                language: entry.language,
            })
            .collect()
    }

    /// The signed record of that event is durable. One that happened since stays to be recorded.
    pub fn set_recorded(&self, license: LicenseId, event: NoticeKind) -> io::Result<()> {
        self.change(|entries| {
            if let Some(entry) = entries.get_mut(&license).filter(|e| e.event == event) {
                entry.recorded = true;
            }
        })
    }

    /// Reads, changes and writes the file, while no other process does.
    fn change(&self, change: impl FnOnce(&mut Entries)) -> io::Result<()> {
        let _lock = self.lock()?;
        // Damaged content is begun anew; a file that cannot be opened is left as it is.
        let before = self.read()?;
        let mut entries = before.clone().unwrap_or_default();
        change(&mut entries);
        if before.as_ref() == Some(&entries) {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(&entries).expect("plain data");
        files::write_private(&self.home.notices(), &bytes)
    }

    /// Held until it is dropped. Not the file itself, which each write replaces.
    fn lock(&self) -> io::Result<File> {
        files::lock(&self.home.notices().with_extension("lock"))
    }

    fn read_or_empty(&self) -> Entries {
        self.read().ok().flatten().unwrap_or_default()
    }

    /// `None`: there is no file, or what it holds is damaged.
    fn read(&self) -> io::Result<Option<Entries>> {
        match std::fs::read(self.home.notices()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LICENSE: LicenseId = LicenseId(Uuid::from_u128(1));

    const YES: Showing = in_french("--yes");
    const TERMINAL: Showing = in_french("terminal");
    const NOTIFICATION: Showing = in_french("notification");

    const fn in_french(by: &'static str) -> Showing {
        Showing {
            by,
            language: Language::French,
        }
    }

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        (dir, home)
    }

    #[test]
    fn an_acknowledgement_made_beside_the_running_agent_is_seen_and_never_taken_back() {
        let (_dir, home) = home();
        let agent = Notices::open(home.clone());
        let terminal = Notices::open(home);
        assert!(!agent.was_shown(LICENSE));
        terminal
            .set(LICENSE, NoticeKind::Acknowledged, YES)
            .unwrap();
        assert!(agent.was_shown(LICENSE));
        agent.set(LICENSE, NoticeKind::Shown, NOTIFICATION).unwrap();
        let expected = Unrecorded {
            license_id: LICENSE,
            event: NoticeKind::Acknowledged,
            shown_by: "--yes".into(),
            language: Some("fr".into()),
        };
        assert_eq!(agent.unrecorded(), [expected]);
    }

    #[test]
    fn what_happens_while_a_record_is_made_is_recorded_too() {
        let (_dir, home) = home();
        let notices = Notices::open(home);
        notices
            .set(LICENSE, NoticeKind::Shown, NOTIFICATION)
            .unwrap();
        notices
            .set(LICENSE, NoticeKind::Acknowledged, TERMINAL)
            .unwrap();
        notices.set_recorded(LICENSE, NoticeKind::Shown).unwrap();
        assert_eq!(notices.unrecorded().len(), 1);
        notices
            .set_recorded(LICENSE, NoticeKind::Acknowledged)
            .unwrap();
        assert_eq!(notices.unrecorded(), []);
        // The same once more makes no second record.
        notices
            .set(LICENSE, NoticeKind::Acknowledged, TERMINAL)
            .unwrap();
        assert_eq!(notices.unrecorded(), []);
    }

    #[test]
    fn a_file_of_an_earlier_version_is_read() {
        let (_dir, home) = home();
        let text = format!(
            r#"{{"{}": {{"event": "acknowledged", "recorded": false}}}}"#,
            LICENSE.0
        );
        std::fs::write(home.notices(), text).unwrap();
        let open = Notices::open(home).unrecorded();
        let open = open.first().unwrap();
        assert_eq!(
            (open.shown_by.as_str(), &open.language),
            ("terminal", &None)
        );
    }
}
