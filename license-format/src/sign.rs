//! Making a license. Only the server and tests are built with this (feature `sign`).

use std::io::Write as _;

use ed25519_dalek::SigningKey;
use glasshour_protocol::jws;

use crate::TYP;
use crate::claims::Claims;
use crate::read::{Envelope, MAX_INFLATED_BYTES};
use crate::signature::Protected;
use crate::succession::{HistoryError, KeyHistory};
use crate::validate::Invalid;

/// Why a license could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A value that no license may have.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Longer than any reader accepts: shorten the notice or the exclusions.
    #[error(
        "the license would be larger than {MAX_INFLATED_BYTES} bytes: shorten its notice or its exclusions"
    )]
    TooLarge,
    /// The announcements in the claims do not lead to the key that would sign.
    #[error("the history of signing keys does not hold: {0}")]
    KeyHistory(#[from] HistoryError),
}

/// Signs claims and returns the bytes of the `.license.gz` file.
///
/// Deterministic: the same claims and key give the same bytes (no time, no name in the gzip header).
pub fn sign(claims: &Claims, key: &SigningKey) -> Result<Vec<u8>, SignError> {
    claims.validate()?;
    let issuer = &claims.issuer;
    let signer = jws::thumbprint(&key.verifying_key());
    KeyHistory::read(&issuer.key_history, issuer.company_id, &signer)?;
    let payload = to_json(claims);
    envelope(&payload, &protected_header(key), key)
}

/// The protected header for a key.
pub(crate) fn protected_header(key: &SigningKey) -> Vec<u8> {
    to_json(&Protected::of(&key.verifying_key(), TYP))
}

/// Signs any payload under any header and gzips the JWS; tests make wrong licenses with it.
pub(crate) fn envelope(
    payload: &[u8],
    protected: &[u8],
    key: &SigningKey,
) -> Result<Vec<u8>, SignError> {
    let payload = jws::base64url(payload);
    let protected = jws::base64url(protected);
    let signature = jws::sign(key, &jws::signing_input(&protected, &payload));
    let json = to_json(&Envelope {
        payload,
        protected,
        signature,
    });
    if json.len() > MAX_INFLATED_BYTES {
        return Err(SignError::TooLarge);
    }
    Ok(gzip(&json))
}

/// One gzip member at the best compression.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder
        .write_all(bytes)
        .expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with string keys")
}
