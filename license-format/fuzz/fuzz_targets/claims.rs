//! Fuzzes the reader of claims behind a good signature: an issuer with a bug or a grudge.
//!
//! Seeds: `cargo +nightly fuzz run claims fuzz/corpus/claims fixtures/v1`.

#![no_main]

use std::io::Write as _;
use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use flate2::Compression;
use flate2::write::GzEncoder;
use glasshour_license_format::{TYP, read, sign};
use glasshour_protocol::jws::{self, Jwk};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[1; 32]));

static PROTECTED: LazyLock<String> = LazyLock::new(|| {
    let key = KEY.verifying_key();
    let header = json!({
        "alg": jws::ALG, "typ": TYP, "kid": jws::thumbprint(&key), "jwk": Jwk::from_key(&key),
    });
    jws::base64url(header.to_string().as_bytes())
});

fuzz_target!(|data: &[u8]| {
    let payload = jws::base64url(data);
    let signature = jws::sign(&KEY, &jws::signing_input(&PROTECTED, &payload));
    let envelope = json!({ "payload": payload, "protected": *PROTECTED, "signature": signature });
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(envelope.to_string().as_bytes())
        .expect("writing to memory");
    if let Ok(license) = read(&gzip.finish().expect("writing to memory")) {
        license.claims().validate().expect("the reader has checked");
        let again = sign(license.claims(), &KEY).expect("what was read can be signed");
        let again = read(&again).expect("what was signed can be read");
        assert_eq!(again.claims(), license.claims());
    }
});
