//! Which licenses' notices were put before the employee, and whether they were acknowledged.
//!
//! Small on purpose: the proof is the signed `notice` record in the chain; this file only remembers
//! not to ask twice.

use std::collections::BTreeMap;

use glasshour_protocol::LicenseId;
use glasshour_protocol::payload::NoticeKind;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::platform::files;

/// The state of every notice.
#[derive(Debug)]
pub struct Notices {
    home: Home,
    entries: BTreeMap<LicenseId, Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    event: NoticeKind,
    /// Whether the signed record of it is in the spool.
    recorded: bool,
}

impl Notices {
    /// Reads the file; one that cannot be read counts as empty, so that notices are shown again
    /// rather than not at all.
    pub fn open(home: Home) -> Self {
        let entries = std::fs::read(home.notices())
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self { home, entries }
    }

    /// Whether that license's notice was shown or acknowledged.
    pub fn was_shown(&self, license: LicenseId) -> bool {
        self.entries.contains_key(&license)
    }

    /// Remembers that it was.
    pub fn set(&mut self, license: LicenseId, event: NoticeKind) -> std::io::Result<()> {
        self.entries.insert(
            license,
            Entry {
                event,
                recorded: false,
            },
        );
        self.save()
    }

    /// Notices whose signed record is still to be made.
    pub fn unrecorded(&self) -> Vec<(LicenseId, NoticeKind)> {
        let open = self.entries.iter().filter(|(_, entry)| !entry.recorded);
        open.map(|(license, entry)| (*license, entry.event))
            .collect()
    }

    /// The signed record is durable.
    pub fn set_recorded(&mut self, license: LicenseId) -> std::io::Result<()> {
        if let Some(entry) = self.entries.get_mut(&license) {
            entry.recorded = true;
        }
        self.save()
    }

    fn save(&self) -> std::io::Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.entries).expect("plain data");
        files::write_private(&self.home.notices(), &bytes)
    }
}
