//! A bounded run of what `fuzz/` does without end: signed record headers, mutated at random.
//!
//! What must hold: no panic; a header that verifies is, byte for byte, the one that was signed; one
//! that was signed by a device with a bug or a grudge is read as it says or refused.

#![expect(
    clippy::indexing_slicing,
    reason = "an index that is out of range fails the test"
)]

use ed25519_dalek::SigningKey;
use glasshour_protocol::limits::MAX_HEADER_BYTES;
use glasshour_protocol::{SignedHeader, jws};
use proptest::prelude::*;
use proptest::sample::Index;

const CORPUS: [&[u8]; 4] = [
    include_bytes!("../fixtures/v1/screenshot_header.json"),
    include_bytes!("../fixtures/v1/first_header.json"),
    include_bytes!("../fixtures/v1/activity_minute.json"),
    b"{}",
];

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn signed(bytes: Vec<u8>) -> SignedHeader {
    let signature = jws::sign(&key(), &bytes);
    SignedHeader { bytes, signature }
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
    Remove(Index, Index),
    Splice(Index, Index, Index),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<Index>;
    let one = prop_oneof![
        (at(), 0_u8..8).prop_map(|(i, bit)| Mutation::Flip(i, bit)),
        (at(), any::<u8>()).prop_map(|(i, byte)| Mutation::Set(i, byte)),
        (at(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(i, bytes)| Mutation::Insert(i, bytes)),
        at().prop_map(Mutation::Cut),
        (at(), at()).prop_map(|(i, j)| Mutation::Remove(i, j)),
        (at(), at(), at()).prop_map(|(i, j, file)| Mutation::Splice(i, j, file)),
    ];
    prop::collection::vec(one, 1..5)
}

fn apply(bytes: &mut Vec<u8>, mutations: &[Mutation]) {
    for mutation in mutations {
        if bytes.is_empty() {
            return;
        }
        match mutation {
            Mutation::Flip(i, bit) => *i.get_mut(bytes) ^= 1 << bit,
            Mutation::Set(i, byte) => *i.get_mut(bytes) = *byte,
            Mutation::Insert(i, new) => {
                let at = i.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Mutation::Cut(i) => bytes.truncate(i.index(bytes.len())),
            Mutation::Remove(i, j) => {
                let (i, j) = (i.index(bytes.len()), j.index(bytes.len()));
                bytes.drain(i.min(j)..i.max(j));
            }
            Mutation::Splice(i, j, file) => {
                let other = file.get(&CORPUS);
                bytes.truncate(i.index(bytes.len()));
                bytes.extend_from_slice(&other[j.index(other.len())..]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_mutated_header_verifies_only_as_it_was_signed(
        seed in any::<Index>(), wire in mutations(), signature in mutations(), which in 0_u8..3,
    ) {
        let original = signed(seed.get(&CORPUS).to_vec());
        let mut record = original.to_wire().into_bytes();
        let mut by = original.signature.clone().into_bytes();
        if which != 0 {
            apply(&mut record, &wire);
        }
        if which != 1 {
            apply(&mut by, &signature);
        }
        let (record, by) = (String::from_utf8_lossy(&record), String::from_utf8_lossy(&by));
        if let Ok(header) = SignedHeader::from_wire(&record, &by)
            && header.verify(&key().verifying_key()).is_ok()
        {
            prop_assert_eq!(header, original);
        }
    }

    #[test]
    fn whatever_a_device_signs_is_read_as_it_says_or_refused(
        seed in any::<Index>(), mutations in mutations(),
    ) {
        let mut bytes = seed.get(&CORPUS).to_vec();
        apply(&mut bytes, &mutations);
        let header = signed(bytes);
        prop_assert!(header.bytes.len() <= MAX_HEADER_BYTES);
        let read = SignedHeader::from_wire(&header.to_wire(), &header.signature).unwrap();
        prop_assert_eq!(&read, &header);
        if let Ok(record) = read.verify(&key().verifying_key()) {
            let again = SignedHeader::sign(&record, &key());
            prop_assert_eq!(again.verify(&key().verifying_key()).unwrap(), record);
        }
    }
}
