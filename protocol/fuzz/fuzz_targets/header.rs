//! Fuzzes the reader of record headers: as they travel, and as a device might have signed them.
//!
//! Seeds: `cargo +nightly fuzz run header fuzz/corpus/header fixtures/v1`.

#![no_main]

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use glasshour_protocol::SignedHeader;
use glasshour_protocol::jws;
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[3; 32]));

fuzz_target!(|data: &[u8]| {
    // Unsigned, in two parts: nothing may verify.
    let text = String::from_utf8_lossy(data);
    let (record, signature) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(header) = SignedHeader::from_wire(record, signature) {
        let _ = header.parse();
        assert!(header.verify(&KEY.verifying_key()).is_err());
    }

    // Signed: read as it says, or refused.
    let signed = SignedHeader {
        bytes: data.to_vec(),
        signature: jws::sign(&KEY, data),
    };
    if let Ok(header) = signed.verify(&KEY.verifying_key()) {
        let again = SignedHeader::sign(&header, &KEY);
        assert_eq!(again.verify(&KEY.verifying_key()).ok(), Some(header));
    }
});
