//! The few JOSE pieces that licenses and device tokens share: Ed25519 keys as JWK (RFC 8037),
//! their thumbprints (RFC 7638) and compact signatures (RFC 7515), for `alg` = `EdDSA` alone.
//!
//! There is deliberately no choice of algorithm: a reader that knows one cannot be talked into
//! another (`none`, HMAC with the public key, …).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The only signature algorithm there is (RFC 8037, section 3.1).
pub const ALG: &str = "EdDSA";

/// A public Ed25519 key as a JSON Web Key (RFC 8037, section 2). Private members are never written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// The 32 key bytes, base64url without padding.
    pub x: String,
}

/// Why a key or a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// The key is not an Ed25519 public key.
    #[error("the key is not an Ed25519 public key (kty OKP, crv Ed25519, 32 bytes)")]
    Key,
    /// Text that should be base64url without padding is not.
    #[error("not canonical base64url")]
    Base64,
    /// The structure is not that of a JWS.
    #[error("not a JSON Web Signature in the form expected")]
    Structure,
    /// Header asks for something other than `EdDSA`.
    #[error("the signature algorithm is not EdDSA")]
    Algorithm,
    /// The signature does not fit the bytes and the key.
    #[error("the signature does not match")]
    Signature,
}

impl Jwk {
    /// Describes a public key.
    pub fn from_key(key: &VerifyingKey) -> Self {
        Self {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: base64url(key.as_bytes()),
        }
    }

    /// Reads the key, refusing any that is not a valid Ed25519 point.
    pub fn to_key(&self) -> Result<VerifyingKey, JwsError> {
        if self.kty != "OKP" || self.crv != "Ed25519" {
            return Err(JwsError::Key);
        }
        let bytes: [u8; 32] = from_base64url(&self.x)?
            .as_slice()
            .try_into()
            .map_err(|_| JwsError::Key)?;
        VerifyingKey::from_bytes(&bytes).map_err(|_| JwsError::Key)
    }
}

/// The RFC 7638 thumbprint of an Ed25519 key: base64url of SHA-256 over its canonical JWK.
pub fn thumbprint(key: &VerifyingKey) -> String {
    // RFC 8037, section 2: the required members in lexicographic order are crv, kty, x.
    let canonical = format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
        base64url(key.as_bytes())
    );
    base64url(&Sha256::digest(canonical))
}

/// Base64url without padding (RFC 7515, section 2).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding; refuses padding and stray bits in the last character.
pub fn from_base64url(text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Base64)
}

/// SHA-256 as lower-case hexadecimal, 64 characters.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let text = String::with_capacity(bytes.len() * 2);
    bytes.iter().fold(text, |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Signs bytes; 64 raw bytes as base64url.
pub fn sign(key: &SigningKey, bytes: &[u8]) -> String {
    base64url(&key.sign(bytes).to_bytes())
}

/// Checks a base64url signature strictly (RFC 8032, section 5.1.7, without the cofactored leniency).
pub fn verify(key: &VerifyingKey, bytes: &[u8], signature: &str) -> Result<(), JwsError> {
    let signature =
        Signature::from_slice(&from_base64url(signature)?).map_err(|_| JwsError::Signature)?;
    key.verify_strict(bytes, &signature)
        .map_err(|_| JwsError::Signature)
}

/// The bytes that a JWS signature covers: `protected.payload` (RFC 7515, section 5.1).
pub fn signing_input(protected: &str, payload: &str) -> Vec<u8> {
    let mut input = Vec::with_capacity(protected.len() + payload.len() + 1);
    input.extend_from_slice(protected.as_bytes());
    input.push(b'.');
    input.extend_from_slice(payload.as_bytes());
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_of_rfc_8037_appendix_a3_is_reproduced() {
        let jwk = Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into(),
        };
        let key = jwk.to_key().unwrap();
        assert_eq!(
            thumbprint(&key),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        assert_eq!(Jwk::from_key(&key), jwk);
    }

    #[test]
    fn a_key_of_another_curve_is_refused() {
        let jwk = Jwk {
            kty: "OKP".into(),
            crv: "X25519".into(),
            x: base64url(&[9; 32]),
        };
        assert_eq!(jwk.to_key(), Err(JwsError::Key));
    }

    #[test]
    fn stray_bits_in_the_last_character_are_refused() {
        assert_eq!(from_base64url("AA"), Ok(vec![0]));
        assert_eq!(from_base64url("AB"), Err(JwsError::Base64));
        assert_eq!(from_base64url("AA=="), Err(JwsError::Base64));
    }

    #[test]
    fn a_signature_holds_for_its_bytes_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signature = sign(&key, b"bytes");
        assert_eq!(verify(&key.verifying_key(), b"bytes", &signature), Ok(()));
        assert_eq!(
            verify(&key.verifying_key(), b"Bytes", &signature),
            Err(JwsError::Signature)
        );
    }
}
