//! The one way in which a signature of ours is verified, whatever is signed: header, key, and the
//! exact bytes, before the payload is decoded.

#[cfg(feature = "sign")]
use ed25519_dalek::VerifyingKey;
use glasshour_protocol::jws::{self, Jwk, JwsError};
use serde::{Deserialize, Serialize};

use crate::object::{self, Object};
use crate::strict_json;

/// The protected header (RFC 7515, section 4.1). Unknown parameters are refused: none is ever
/// written, and one could be critical.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Protected {
    pub(crate) alg: String,
    pub(crate) typ: String,
    pub(crate) kid: String,
    #[serde(deserialize_with = "object::only")]
    pub(crate) jwk: Jwk,
}

impl Protected {
    /// The header of what a key signs.
    #[cfg(feature = "sign")]
    pub(crate) fn of(key: &VerifyingKey, typ: &str) -> Self {
        Self {
            alg: jws::ALG.into(),
            typ: typ.into(),
            kid: jws::thumbprint(key),
            jwk: Jwk::from_key(key),
        }
    }
}

/// The three parts of a JWS, each base64url as it was received.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) protected: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
}

/// What a good signature covers, and whose it is.
pub(crate) struct Verified {
    pub(crate) payload: Vec<u8>,
    pub(crate) jwk: Jwk,
    pub(crate) thumbprint: String,
}

/// What can be wrong with it. Each kind of signed thing has its own words for these.
#[derive(Debug)]
pub(crate) enum Fault {
    Encoding {
        part: &'static str,
        source: JwsError,
    },
    Header(serde_json::Error),
    WrongAlgorithm(String),
    WrongType(String),
    Key(JwsError),
    KeyIdMismatch,
    BadSignature,
}

/// Verifies that the key in the header signed exactly these bytes as something of that type.
pub(crate) fn verify(parts: Parts<'_>, typ: &str) -> Result<Verified, Fault> {
    let decode = |part: &'static str, text: &str| {
        jws::from_base64url(text).map_err(|source| Fault::Encoding { part, source })
    };
    let protected = decode("protected", parts.protected)?;
    strict_json::check(&protected).map_err(Fault::Header)?;
    // `alg` and `typ` first and by themselves, so that a foreign token gets the message it earns.
    let Object(outline): Object<Outline> =
        serde_json::from_slice(&protected).map_err(Fault::Header)?;
    if outline.alg != jws::ALG {
        return Err(Fault::WrongAlgorithm(outline.alg));
    }
    if outline.typ != typ {
        return Err(Fault::WrongType(outline.typ));
    }
    let protected: Protected = serde_json::from_slice(&protected).map_err(Fault::Header)?;

    let key = protected.jwk.to_key().map_err(Fault::Key)?;
    let thumbprint = jws::thumbprint(&key);
    if protected.kid != thumbprint {
        return Err(Fault::KeyIdMismatch);
    }
    let signed = jws::signing_input(parts.protected, parts.payload);
    jws::verify(&key, &signed, parts.signature).map_err(|source| match source {
        JwsError::Base64 => Fault::Encoding {
            part: "signature",
            source,
        },
        _ => Fault::BadSignature,
    })?;
    Ok(Verified {
        payload: decode("payload", parts.payload)?,
        jwk: protected.jwk,
        thumbprint,
    })
}

#[derive(Deserialize)]
struct Outline {
    alg: String,
    #[serde(default)]
    typ: String,
}

/// The version of a signed payload, before anything else of it is looked at.
#[derive(Deserialize)]
pub(crate) struct Version {
    pub(crate) version: u64,
}
