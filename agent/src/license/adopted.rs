//! Which licenses came from the administrator's folder, and from which file: `adopted.json`.
//!
//! Such a license stays in use for as long as its file is there: to take it away, the administrator
//! takes the file away.

use std::collections::BTreeMap;

use glasshour_protocol::{CompanyId, LicenseId};

use super::StoreError;
use crate::home::Home;
use crate::platform::files;

/// File names by license.
pub(super) type Adopted = BTreeMap<LicenseId, String>;

/// A license file that lies in the administrator's folder for this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Its name in the folder.
    pub file: String,
    /// Whose license it holds. `None`: it cannot be read now, and nothing is concluded from that.
    pub company: Option<CompanyId>,
}

pub(super) fn read(home: &Home) -> Result<Adopted, StoreError> {
    let path = home.adopted();
    match std::fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|source| StoreError::Damaged { path, source })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Adopted::new()),
        Err(source) => Err(StoreError::Io { path, source }),
    }
}

pub(super) fn write(home: &Home, adopted: &Adopted) -> Result<(), StoreError> {
    let path = home.adopted();
    let bytes = serde_json::to_vec_pretty(adopted).expect("plain data with string keys");
    files::write_private(&path, &bytes).map_err(|source| StoreError::Io { path, source })
}
