//! The seal of an export: what the server signs for with the key that signs its licenses.
//!
//! A JWS in compact serialization (RFC 7515, section 7.1) of [`TYP`], whose header carries the public key
//! and its thumbprint as a license's does. It names a hash over every line before it, so that nothing of
//! the file can be changed or taken away by anybody but the server itself. A type of its own keeps it
//! from being taken for a license, and a license for it.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{CompanyId, DeviceId, EmployeeId, LicenseId};
use crate::jws::{self, Jwk, JwsError};

/// `typ` of a seal's protected header.
pub const TYP: &str = "glasshour-export+json";

/// What the server signs for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Version of this structure; 1.
    pub version: u32,
    /// The employer.
    pub company_id: CompanyId,
    /// The employer's name.
    pub company: String,
    /// Whose records they are.
    pub employee_id: EmployeeId,
    /// That person's name.
    pub employee: String,
    /// When the export was made, by the server's clock, UTC milliseconds.
    pub made_at_ms: i64,
    /// Captured at or after, UTC milliseconds; absent: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// Captured before, UTC milliseconds; absent: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
    /// How many records there are: all that the server had of that person and time.
    pub records: u64,
    /// SHA-256 (hex) over every line before the end, each followed by a line feed.
    pub lines_sha256: String,
    /// Places in the chains whose records had not come, and may still wait on the computer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
}

/// Records that the server did not have yet, because the license lets them wait for the person's review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Whose chain.
    pub device_id: DeviceId,
    /// Whose chain.
    pub license_id: LicenseId,
    /// The first that is not there.
    pub first_seq: u64,
    /// The last that is not there.
    pub last_seq: u64,
    /// Until when they may wait, UTC milliseconds; absent: that is over, and the computer has not been
    /// heard of since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// The protected header. Unknown parameters are refused: none is ever written, and one could be critical.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected {
    alg: String,
    typ: String,
    kid: String,
    jwk: Jwk,
}

/// Why a seal was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Not a JWS, of another type, or not signed by the key that it carries.
    #[error("it was changed, or is none: {0}")]
    Signature(#[from] JwsError),
    /// Signed, but not a seal that this version can read.
    #[error("it cannot be read: {0}")]
    Json(#[source] serde_json::Error),
    /// From the future.
    #[error("it is of version {0}, which this program does not know: update Glasshour")]
    Version(u32),
}

/// The hash that a seal names, taken line by line.
#[derive(Clone, Debug, Default)]
pub struct LinesHash(Sha256);

impl LinesHash {
    /// Takes the next line, without its line feed.
    pub fn line(&mut self, text: impl AsRef<[u8]>) {
        self.0.update(text);
        self.0.update("\n");
    }

    /// Hexadecimal.
    pub fn finish(self) -> String {
        jws::hex(&self.0.finalize())
    }
}

/// Signs for an export.
pub fn sign(seal: &Seal, key: &SigningKey) -> String {
    let public = key.verifying_key();
    let header = Protected {
        alg: jws::ALG.into(),
        typ: TYP.into(),
        kid: jws::thumbprint(&public),
        jwk: Jwk::from_key(&public),
    };
    let json =
        |bytes: Result<Vec<u8>, _>| jws::base64url(&bytes.expect("plain data with string keys"));
    let header = json(serde_json::to_vec(&header));
    let payload = json(serde_json::to_vec(seal));
    let signature = jws::sign(key, &jws::signing_input(&header, &payload));
    format!("{header}.{payload}.{signature}")
}

/// Verifies a seal by the key that it carries, over its exact bytes, then parses it. Gives the
/// thumbprint of that key too: whose it is has to be known from elsewhere.
pub fn read(text: &str) -> Result<(Seal, String), SealError> {
    let mut parts = text.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Structure.into());
    };
    let protected: Protected =
        serde_json::from_slice(&jws::from_base64url(header)?).map_err(|_| JwsError::Structure)?;
    if protected.alg != jws::ALG {
        return Err(JwsError::Algorithm.into());
    }
    let key = protected.jwk.to_key()?;
    let thumbprint = jws::thumbprint(&key);
    if protected.typ != TYP || protected.kid != thumbprint {
        return Err(JwsError::Structure.into());
    }
    jws::verify(&key, &jws::signing_input(header, payload), signature)?;
    let seal: Seal =
        serde_json::from_slice(&jws::from_base64url(payload)?).map_err(SealError::Json)?;
    if seal.version != 1 {
        return Err(SealError::Version(seal.version));
    }
    Ok((seal, thumbprint))
}
