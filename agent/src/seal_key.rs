//! The key that captures are sealed with while they wait here: made on first use, kept in an owner-only file.
//!
//! What it is good for, and what not: a copy of a spool, a backup without this file and a damaged spool
//! that somebody takes along show nothing. Whoever can read the whole home can read the key as well. It
//! lies beside what it seals because the agent starts without anybody there to open a keyring.

use std::path::PathBuf;

use glasshour_protocol::{CompanyId, jws};
use glasshour_uploader::spool::{KEY_BYTES, SealKey, SpoolConfig};

use crate::device::{self, DeviceError};
use crate::home::Home;
use crate::platform::files;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealKeyError {
    /// The file cannot be read or written.
    #[error("cannot use the key of what is kept in {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what was written. A new key would not open what is there, so none is made.
    #[error("the key in {} is damaged: restore it, or move it and the spools away", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a key")]
    Random(getrandom::Error),
    /// The device has no key of its own.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// Reads the home's key, or makes it.
pub fn open(home: &Home) -> Result<SealKey, SealKeyError> {
    let path = home.seal_key();
    match std::fs::read(&path) {
        Ok(text) => std::str::from_utf8(&text)
            .ok()
            .and_then(|text| jws::from_base64url(text.trim()).ok())
            .and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok())
            .map(|bytes| SealKey::new(&bytes))
            .ok_or(SealKeyError::Damaged { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path),
        Err(source) => Err(SealKeyError::Io { path, source }),
    }
}

fn make(path: PathBuf) -> Result<SealKey, SealKeyError> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(SealKeyError::Random)?;
    files::write_private(&path, jws::base64url(&bytes).as_bytes())
        .map_err(|source| SealKeyError::Io { path, source })?;
    Ok(SealKey::new(&bytes))
}

/// How the spool of an employer is kept: signed by the device, sealed with the home's key, and as large as
/// the administrator lets it grow.
pub fn spool_config(
    home: &Home,
    company: CompanyId,
    quota_bytes: u64,
) -> Result<SpoolConfig, SealKeyError> {
    Ok(SpoolConfig {
        seal: Some(open(home)?),
        quota_bytes,
        ..device::open(home, company)?.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_a_damaged_one_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        open(&home).unwrap();
        let made = std::fs::read(home.seal_key()).unwrap();
        open(&home).unwrap();
        assert_eq!(std::fs::read(home.seal_key()).unwrap(), made);
        std::fs::write(home.seal_key(), b"short").unwrap();
        assert!(matches!(open(&home), Err(SealKeyError::Damaged { .. })));
    }
}
