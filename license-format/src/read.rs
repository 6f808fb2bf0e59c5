//! Reading a license: inflate within a cap, verify, and only then parse.
//!
//! This is the one place in the project where gzip is inflated. Order matters and is fixed: size of
//! the file, gzip (one member, nothing after it, at most [`MAX_INFLATED_BYTES`]), JWS structure,
//! protected header, key, signature over the exact bytes, only then claims, and last the history of
//! signing keys in them.

use std::io::Read as _;

use glasshour_protocol::jws::{self, Jwk, JwsError};
use serde::{Deserialize, Serialize};

use crate::TYP;
use crate::claims::Claims;
use crate::object::Object;
use crate::signature::{self, Fault, Parts, Verified, Version};
use crate::strict_json;
use crate::succession::{HistoryError, KeyHistory};
use crate::validate::Invalid;

/// Most bytes that a license may inflate to.
pub const MAX_INFLATED_BYTES: usize = 64 * 1024;

/// Most bytes of a license file: incompressible content grows by less than 1 KiB in gzip.
pub const MAX_FILE_BYTES: usize = MAX_INFLATED_BYTES + 1024;

/// The JWS in flattened JSON serialization (RFC 7515, section 7.2.2).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope {
    pub(crate) payload: String,
    pub(crate) protected: String,
    pub(crate) signature: String,
}

/// A license that is whole and unaltered since it was signed by the key it names. Whether that key
/// is to be trusted is not known yet.
#[derive(Clone, Debug)]
pub struct SignedLicense {
    claims: Claims,
    jwk: Jwk,
    thumbprint: String,
    payload_sha256: String,
    key_history: KeyHistory,
}

impl SignedLicense {
    /// What the license says. For showing only: capture needs [`trust`](SignedLicense::trust).
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The signer's public key.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The signer's RFC 7638 thumbprint, 43 characters: the fingerprint that people compare.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// SHA-256 (hex) of the exact payload bytes: what notices are bound to.
    pub fn payload_sha256(&self) -> &str {
        &self.payload_sha256
    }

    /// The keys that the signer took the place of: whoever trusts one of them can follow.
    pub fn key_history(&self) -> &KeyHistory {
        &self.key_history
    }
}

/// Each way in which a license file can be wrong. Messages are written for the person who holds it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// The file itself is too long to be a license.
    #[error("the file is larger than a license can be ({MAX_FILE_BYTES} bytes)")]
    FileTooLarge,
    /// Does not begin with the gzip magic.
    #[error("the file is not gzip: a license ends in .license.gz and must be loaded as downloaded")]
    NotGzip,
    /// Ends in the middle.
    #[error("the file is cut short: it was not copied or downloaded to its end")]
    Truncated,
    /// Gzip says that bytes were changed.
    #[error("the file is damaged (gzip: {0})")]
    DamagedGzip(#[source] std::io::Error),
    /// More than one gzip member, or something after it.
    #[error("the file holds more than one license: something stands after its end")]
    TrailingData,
    /// Inflates to too much: a decompression bomb.
    #[error("the file inflates to more than {MAX_INFLATED_BYTES} bytes, which no license does")]
    InflatedTooLarge,
    /// Inside the gzip there is not a JWS in flattened JSON.
    #[error("the file is not a license: {0}")]
    NotAJws(#[source] serde_json::Error),
    /// The protected header cannot be read.
    #[error("the license's header cannot be read: {0}")]
    Header(#[source] serde_json::Error),
    /// A part is not base64url.
    #[error("the license's {part} is damaged: {source}")]
    Encoding {
        /// `payload`, `protected` or `signature`.
        part: &'static str,
        /// What is wrong.
        source: JwsError,
    },
    /// `typ` is something else.
    #[error("the file is signed, but it is not a Glasshour license (its type is {0:?})")]
    WrongType(String),
    /// `alg` is something else: `none`, `HS256`, …
    #[error("the license asks to be verified by {0:?}; only EdDSA is accepted")]
    WrongAlgorithm(String),
    /// `jwk` is no Ed25519 public key.
    #[error("the license's signing key cannot be used: {0}")]
    Key(#[source] JwsError),
    /// `kid` is not the thumbprint of `jwk`.
    #[error("the license names one signing key and carries another")]
    KeyIdMismatch,
    /// Altered after signing.
    #[error("the license was altered after it was signed")]
    BadSignature,
    /// From a future version of Glasshour.
    #[error("the license is of version {0}, which this program does not know: update Glasshour")]
    UnknownVersion(u64),
    /// Properly signed, yet not readable as claims.
    #[error("the license is signed but its content cannot be read: {0}")]
    Claims(#[source] serde_json::Error),
    /// Properly signed, with a value that no license may have.
    #[error("the license is signed but says something impossible: {0}")]
    Invalid(#[from] Invalid),
    /// Properly signed, with announcements of keys that do not lead to the one that signed.
    #[error("the license's history of signing keys does not hold: {0}")]
    KeyHistory(#[from] HistoryError),
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Encoding { part, source } => Self::Encoding { part, source },
            Fault::Header(error) => Self::Header(error),
            Fault::WrongAlgorithm(found) => Self::WrongAlgorithm(found),
            Fault::WrongType(found) => Self::WrongType(found),
            Fault::Key(error) => Self::Key(error),
            Fault::KeyIdMismatch => Self::KeyIdMismatch,
            Fault::BadSignature => Self::BadSignature,
        }
    }
}

/// Reads a license file: verifies that it is whole and unaltered, and parses it.
///
/// Total: for any input it returns within time linear in [`MAX_FILE_BYTES`] and memory linear in
/// [`MAX_INFLATED_BYTES`].
pub fn read(file: &[u8]) -> Result<SignedLicense, ReadError> {
    let json = inflate(file)?;
    strict_json::check(&json).map_err(ReadError::NotAJws)?;
    let Object(envelope): Object<Envelope> =
        serde_json::from_slice(&json).map_err(ReadError::NotAJws)?;

    let parts = Parts {
        protected: &envelope.protected,
        payload: &envelope.payload,
        signature: &envelope.signature,
    };
    let Verified {
        payload,
        jwk,
        thumbprint,
    } = signature::verify(parts, TYP)?;
    strict_json::check(&payload).map_err(ReadError::Claims)?;
    let Object(Version { version }) =
        serde_json::from_slice(&payload).map_err(ReadError::Claims)?;
    if version != 1 {
        return Err(ReadError::UnknownVersion(version));
    }
    let claims: Claims = serde_json::from_slice(&payload).map_err(ReadError::Claims)?;
    claims.validate()?;
    let issuer = &claims.issuer;
    let key_history = KeyHistory::read(&issuer.key_history, issuer.company_id, &thumbprint)?;
    Ok(SignedLicense {
        claims,
        jwk,
        thumbprint,
        key_history,
        payload_sha256: jws::sha256_hex(&payload),
    })
}

fn inflate(file: &[u8]) -> Result<Vec<u8>, ReadError> {
    if file.is_empty() {
        return Err(ReadError::Empty);
    }
    if !file.starts_with(&[0x1f, 0x8b]) {
        return Err(ReadError::NotGzip);
    }
    if file.len() > MAX_FILE_BYTES {
        return Err(ReadError::FileTooLarge);
    }
    #[expect(
        clippy::disallowed_types,
        reason = "this is the capped reader the ban points to"
    )]
    let mut member = flate2::bufread::GzDecoder::new(file);
    let mut json = Vec::with_capacity(file.len().saturating_mul(2).min(MAX_INFLATED_BYTES));
    let cap = MAX_INFLATED_BYTES as u64 + 1;
    member
        .by_ref()
        .take(cap)
        .read_to_end(&mut json)
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::UnexpectedEof {
                ReadError::Truncated
            } else {
                ReadError::DamagedGzip(error)
            }
        })?;
    if json.len() > MAX_INFLATED_BYTES {
        return Err(ReadError::InflatedTooLarge);
    }
    if !member.into_inner().is_empty() {
        return Err(ReadError::TrailingData);
    }
    Ok(json)
}
