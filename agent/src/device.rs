//! This device's id and key for one employer: made on first use, kept in an owner-only file.
//!
//! The key never leaves the machine; the server gets its public half at enrolment.

use std::path::PathBuf;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use glasshour_protocol::{CompanyId, DeviceId, jws};
use glasshour_uploader::spool::DeviceIdentity;
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::platform::files;

#[derive(Serialize, Deserialize)]
struct DeviceFile {
    device_id: DeviceId,
    /// Base64url of the 32 secret bytes (RFC 8032).
    secret_key: String,
}

/// Why there is no device key.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The file cannot be read or written.
    #[error("cannot use the device key in {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what was written. A new key would break the chain, so none is made.
    #[error(
        "the device key in {} is damaged; restore it, or move it away to enrol as a new device",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers for a device key")]
    Random(getrandom::Error),
}

/// Reads the device's identity for a company, or makes it.
pub fn open(home: &Home, company: CompanyId) -> Result<DeviceIdentity, DeviceError> {
    let path = home.device(company);
    match std::fs::read(&path) {
        Ok(bytes) => parse(&bytes).ok_or(DeviceError::Damaged { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path),
        Err(source) => Err(DeviceError::Io { path, source }),
    }
}

fn parse(bytes: &[u8]) -> Option<DeviceIdentity> {
    let file: DeviceFile = serde_json::from_slice(bytes).ok()?;
    let secret: [u8; 32] = jws::from_base64url(&file.secret_key)
        .ok()?
        .try_into()
        .ok()?;
    let key = Arc::new(SigningKey::from_bytes(&secret));
    Some(DeviceIdentity {
        device_id: file.device_id,
        key,
    })
}

fn make(path: PathBuf) -> Result<DeviceIdentity, DeviceError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(DeviceError::Random)?;
    let device_id = DeviceId(uuid::Uuid::new_v4());
    let file = DeviceFile {
        device_id,
        secret_key: jws::base64url(&secret),
    };
    let bytes = serde_json::to_vec_pretty(&file).expect("plain data");
    files::write_private(&path, &bytes).map_err(|source| DeviceError::Io { path, source })?;
    Ok(DeviceIdentity {
        device_id,
        key: Arc::new(SigningKey::from_bytes(&secret)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_device_keeps_its_identity_and_has_one_per_employer() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let company = CompanyId(Uuid::from_u128(1));
        let first = open(&home, company).unwrap();
        let again = open(&home, company).unwrap();
        assert_eq!(first.device_id, again.device_id);
        assert_eq!(first.key.to_bytes(), again.key.to_bytes());
        let other = open(&home, CompanyId(Uuid::from_u128(2))).unwrap();
        assert_ne!(first.key.to_bytes(), other.key.to_bytes());
        assert!(!format!("{first:?}").contains(&jws::base64url(&first.key.to_bytes())));
    }

    #[test]
    fn a_damaged_key_is_not_silently_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let company = CompanyId(Uuid::from_u128(1));
        open(&home, company).unwrap();
        std::fs::write(home.device(company), b"{").unwrap();
        assert!(matches!(
            open(&home, company),
            Err(DeviceError::Damaged { .. })
        ));
    }
}
