//! The workshop: how licenses that must be refused are made.

use ed25519_dalek::{SigningKey, VerifyingKey};
use glasshour_protocol::jws::{self, Jwk};
use serde_json::{Value, json};

use super::{CLAIMS, key};
use crate::TYP;
use crate::sign::{envelope, gzip, protected_header};
use crate::succession::{KEY_TYP, compact};

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

/// The key of a seed.
pub(super) fn seeded(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// An announcement of the key of one seed by the key of another, changed before it is signed.
pub(super) fn announcement(
    former: u8,
    key: u8,
    change: impl FnOnce(&mut Value, &mut Value),
) -> String {
    let claims: Value = serde_json::from_str(CLAIMS).unwrap();
    let signer = seeded(former);
    let mut header: Value = serde_json::from_slice(&protected_header(&signer)).unwrap();
    header["typ"] = json!(KEY_TYP);
    let mut payload = json!({
        "version": 1,
        "company_id": claims["issuer"]["company_id"],
        "jwk": Jwk::from_key(&seeded(key).verifying_key()),
        "issued_at": "2026-11-25T04:00:00Z",
    });
    change(&mut header, &mut payload);
    compact(
        header.to_string().as_bytes(),
        payload.to_string().as_bytes(),
        &signer,
    )
}

/// An announcement as it should be.
pub(super) fn good_announcement(former: u8, key: u8) -> String {
    announcement(former, key, |_, _| {})
}

/// The golden claims with a history of keys, properly signed.
pub(super) fn with_history(history: &[String]) -> Vec<u8> {
    with_claims(|claims| claims["issuer"]["key_history"] = json!(history))
}
