//! A bounded run of what `fuzz/` does without end: known files, mutated at random.
//!
//! The corpus is fixed: the golden license and every frozen damage. Mutations strike the file, the JSON
//! inside, or the claims; the latter are signed anew, as an issuer with a bug or a grudge would. What
//! must hold: no panic, and no claims but the golden ones unless they were signed.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::forge::with_payload;
use super::{CLAIMS, GOLDEN, claims, key};
use crate::read::read;
use crate::sign::{gzip, sign};

/// The golden license first, then the damaged ones by name.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/v1/damaged"));
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "gz"))
        .collect();
    paths.sort();
    let damaged = paths.into_iter().map(|path| std::fs::read(path).unwrap());
    std::iter::once(GOLDEN.to_vec()).chain(damaged).collect()
});

/// The JSON inside of the golden license.
static ENVELOPE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut json = Vec::new();
    let mut decoder = flate2::write::GzDecoder::new(&mut json);
    std::io::Write::write_all(&mut decoder, GOLDEN).unwrap();
    decoder.finish().unwrap();
    json
});

#[derive(Clone, Debug)]
pub(super) enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
    Remove(Index, Index),
    Repeat(Index, Index),
    Splice(Index, Index, Index),
}

pub(super) fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0_u8..8).prop_map(|(i, bit)| Mutation::Flip(i, bit)),
        4 => (at(), any::<u8>()).prop_map(|(i, byte)| Mutation::Set(i, byte)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(i, bytes)| Mutation::Insert(i, bytes)),
        1 => at().prop_map(Mutation::Cut),
        2 => (at(), at()).prop_map(|(i, j)| Mutation::Remove(i, j)),
        1 => (at(), at()).prop_map(|(i, j)| Mutation::Repeat(i, j)),
        2 => (at(), at(), at()).prop_map(|(i, from, file)| Mutation::Splice(i, from, file)),
    ]
}

pub(super) fn apply(bytes: &mut Vec<u8>, mutations: &[Mutation], others: &[Vec<u8>]) {
    for mutation in mutations {
        if bytes.is_empty() {
            return;
        }
        let range = |i: &Index, j: &Index| {
            let (i, j) = (i.index(bytes.len()), j.index(bytes.len()));
            i.min(j)..i.max(j)
        };
        match mutation {
            Mutation::Flip(i, bit) => *i.get_mut(bytes) ^= 1 << bit,
            Mutation::Set(i, byte) => *i.get_mut(bytes) = *byte,
            Mutation::Insert(i, new) => {
                let at = i.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Mutation::Cut(i) => bytes.truncate(i.index(bytes.len())),
            Mutation::Remove(i, j) => drop(bytes.drain(range(i, j))),
            Mutation::Repeat(i, j) => bytes.extend_from_within(range(i, j)),
            Mutation::Splice(i, from, file) => {
                let other = file.get(others);
                bytes.truncate(i.index(bytes.len()));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
    }
}

/// Every place in the golden claims, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-2_i64..70_000).prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[0-9:TZ+.-]{1,30}".prop_map(Value::from),
        Just(json!("Europe/../../../etc/passwd")),
        Just(json!("9999-12-31T23:59:59.999999999Z")),
        Just(json!([])),
        Just(json!({})),
        Just(json!(["mon", "mon"])),
        Just(json!({ "per_hour": 1 })),
        Just(json!("x".repeat(3_000))),
    ]
}

/// What is read after claims were signed may be anything but impossible, and is read the same again.
fn holds_together(file: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(license) = read(file) {
        prop_assert!(license.claims().validate().is_ok());
        let again = sign(license.claims(), &key()).unwrap();
        let again = read(&again).unwrap();
        prop_assert_eq!(again.claims(), license.claims());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_mutated_file_never_says_anything_else(
        seed in any::<Index>(), mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        // Every other time the golden license itself.
        let seed = seed.index(CORPUS.len() * 2);
        let mut file = CORPUS.get(seed).unwrap_or(&CORPUS[0]).clone();
        apply(&mut file, &mutations, &CORPUS);
        if let Ok(license) = read(&file) {
            prop_assert_eq!(license.claims(), &claims());
        }
    }

    #[test]
    fn a_mutated_signature_envelope_never_says_anything_else(
        mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        let mut json = ENVELOPE.clone();
        apply(&mut json, &mutations, std::slice::from_ref(&ENVELOPE));
        if let Ok(license) = read(&gzip(&json)) {
            prop_assert_eq!(license.claims(), &claims());
        }
    }
}

// Fewer: each is signed twice.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn mutated_claims_that_are_signed_give_a_possible_license_or_an_error(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let mut payload = CLAIMS.as_bytes().to_vec();
        apply(&mut payload, &mutations, &[CLAIMS.as_bytes().to_vec()]);
        holds_together(&with_payload(&payload))?;
    }

    #[test]
    fn odd_values_that_are_signed_give_a_possible_license_or_an_error(
        changes in prop::collection::vec((any::<Index>(), odd_value()), 1..4),
    ) {
        let mut payload: Value = serde_json::from_str(CLAIMS).unwrap();
        for (place, value) in changes {
            let mut found = Vec::new();
            places(&payload, "", &mut found);
            let at: &String = place.get(&found);
            *payload.pointer_mut(at).unwrap() = value;
        }
        holds_together(&with_payload(&serde_json::to_vec(&payload).unwrap()))?;
    }
}
