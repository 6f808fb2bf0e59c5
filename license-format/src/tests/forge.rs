//! The workshop: how licenses that must be refused are made.

use ed25519_dalek::VerifyingKey;
use glasshour_protocol::jws::{self, Jwk};
use serde_json::{Value, json};

use super::{CLAIMS, key};
use crate::TYP;
use crate::sign::{envelope, gzip, protected_header};

/// The golden claims under another protected header, properly signed.
pub(super) fn with_header(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut header: Value = serde_json::from_slice(&protected_header(&key())).unwrap();
    change(&mut header);
    let header = serde_json::to_vec(&header).unwrap();
    envelope(CLAIMS.as_bytes(), &header, &key()).unwrap()
}

/// Any payload, properly signed.
pub(super) fn with_payload(payload: &[u8]) -> Vec<u8> {
    envelope(payload, &protected_header(&key()), &key()).unwrap()
}

/// Changed golden claims, properly signed.
pub(super) fn with_claims(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut claims: Value = serde_json::from_str(CLAIMS).unwrap();
    change(&mut claims);
    with_payload(&serde_json::to_vec(&claims).unwrap())
}

/// The JWS of the golden claims, changed after it was signed.
pub(super) fn with_envelope(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let payload = jws::base64url(CLAIMS.as_bytes());
    let protected = jws::base64url(&protected_header(&key()));
    let signature = jws::sign(&key(), &jws::signing_input(&protected, &payload));
    let mut jws = json!({ "payload": payload, "protected": protected, "signature": signature });
    change(&mut jws);
    gzip(&serde_json::to_vec(&jws).unwrap())
}

/// The other writing of the same signature: S plus the order of the group (RFC 8032, 5.1.7, which
/// says to refuse it).
pub(super) fn malleable(signature: &str) -> String {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = jws::from_base64url(signature).unwrap();
    let mut carry = 0_u16;
    for (digit, order) in bytes[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*digit) + u16::from(order);
        *digit = u8::try_from(carry & 0xff).unwrap();
        carry >>= 8;
    }
    jws::base64url(&bytes)
}

/// A key of small order and the signature that fits it under any text where a reader is lenient.
pub(super) fn weak_key() -> Vec<u8> {
    let mut point = [0; 32];
    point[0] = 1;
    let key = VerifyingKey::from_bytes(&point).unwrap();
    let header = json!({
        "alg": "EdDSA", "typ": TYP, "kid": jws::thumbprint(&key), "jwk": Jwk::from_key(&key),
    });
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&point);
    with_envelope(|jws| {
        jws["protected"] = json!(jws::base64url(header.to_string().as_bytes()));
        jws["signature"] = json!(jws::base64url(&signature));
    })
}
