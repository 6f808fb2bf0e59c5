//! Where the agent keeps what: one folder per operating-system user, closed to everybody else.
//!
//! ```text
//! licenses/<license_id>.license.gz   loaded licenses; the highest serial per company counts
//! licenses/removed/                  removed ones: needed to send what was captured under them
//! devices/<company_id>.json          this device's id and key for one employer
//! spool/<company_id>.sqlite          records on their way to one employer
//! seal.key                           what the payloads in the spools are sealed with
//! trust.json                         pinned signing keys by company
//! adopted.json                       which licenses came from the administrator's folder
//! latest_time.json                   the latest moment that is known to have passed
//! hold_clock.json                    how late it is for captures that wait to be looked at
//! notices.json                       which licenses' notices were shown or acknowledged
//! sessions.jsonl                     own sessions, for `today` and to find what a crash left open
//! alive.json                         when each running session was last seen alive
//! last_shot.json                     when the last picture was taken for whom: a restart earns no extra one
//! last_camera_shot.json              the same for the camera
//! control.sock                       commands to the running agent
//! ```

use std::path::{Path, PathBuf};

use glasshour_protocol::CompanyId;

use crate::platform::files;

/// The agent's own folder.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("Glasshour cannot use its folder {}", path.display())]
pub struct HomeError {
    path: PathBuf,
    source: std::io::Error,
}

impl Home {
    /// Makes the folder if it is not there, and closes it to other users.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        for folder in [
            root.to_owned(),
            root.join("licenses"),
            root.join("licenses/removed"),
            root.join("devices"),
            root.join("spool"),
        ] {
            files::create_private_dir(&folder).map_err(|source| HomeError {
                path: folder,
                source,
            })?;
        }
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Loaded licenses.
    pub fn licenses(&self) -> PathBuf {
        self.root.join("licenses")
    }

    /// Removed licenses.
    pub fn removed_licenses(&self) -> PathBuf {
        self.root.join("licenses/removed")
    }

    /// Device id and key for one employer.
    pub fn device(&self, company: CompanyId) -> PathBuf {
        self.root.join("devices").join(format!("{company}.json"))
    }

    /// Records for one employer.
    pub fn spool(&self, company: CompanyId) -> PathBuf {
        self.root.join("spool").join(format!("{company}.sqlite"))
    }

    /// Key of what is kept in the spools.
    pub fn seal_key(&self) -> PathBuf {
        self.root.join("seal.key")
    }

    /// Pinned keys.
    pub fn trust(&self) -> PathBuf {
        self.root.join("trust.json")
    }

    /// Licenses from the administrator's folder.
    pub fn adopted(&self) -> PathBuf {
        self.root.join("adopted.json")
    }

    /// Latest known time.
    pub fn latest_time(&self) -> PathBuf {
        self.root.join("latest_time.json")
    }

    /// How late it is for captures that wait.
    pub fn hold_clock(&self) -> PathBuf {
        self.root.join("hold_clock.json")
    }

    /// Shown and acknowledged notices.
    pub fn notices(&self) -> PathBuf {
        self.root.join("notices.json")
    }

    /// Own sessions.
    pub fn sessions(&self) -> PathBuf {
        self.root.join("sessions.jsonl")
    }

    /// Sign of life.
    pub fn alive(&self) -> PathBuf {
        self.root.join("alive.json")
    }

    /// Time of the last picture.
    pub fn last_shot(&self) -> PathBuf {
        self.root.join("last_shot.json")
    }

    /// Time of the last picture of the camera.
    pub fn last_camera_shot(&self) -> PathBuf {
        self.root.join("last_camera_shot.json")
    }

    /// How much was captured today.
    pub fn captured(&self) -> PathBuf {
        self.root.join("captured.json")
    }

    /// Control socket.
    pub fn socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }
}
