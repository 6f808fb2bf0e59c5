//! Announcements of keys: read as written, and refused each for its own reason.
//!
//! `fixtures/v1/rotated.license.gz` is the golden license after two changes of the key (of the keys of 32
//! times 0x03, 0x02 and 0x01), and is never made again. Whole licenses with a wrong history stand among the
//! damaged files (`damage.rs`).

use std::collections::HashSet;

use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::{self, Jwk};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::forge::{announcement, good_announcement, seeded, with_history};
use super::mutations::{apply, mutation};
use super::{claims, key};
use crate::read::read;
use crate::sign::{SignError, sign};
use crate::succession::{
    Announcement, HistoryError, KeyHistory, MAX_ANNOUNCEMENT_BYTES, MAX_ANNOUNCEMENTS, announce,
    compact,
};

const ROTATED: &[u8] = include_bytes!("../../fixtures/v1/rotated.license.gz");
const ROTATED_CLAIMS: &str = include_str!("../../fixtures/v1/rotated.json");

fn thumbprint(seed: u8) -> String {
    jws::thumbprint(&seeded(seed).verifying_key())
}

fn company() -> CompanyId {
    claims().issuer.company_id
}

fn history(announcements: &[String]) -> Result<KeyHistory, HistoryError> {
    KeyHistory::read(announcements, company(), &thumbprint(1))
}

#[test]
fn the_golden_license_of_a_changed_key_reads_as_it_was_written() {
    let written: crate::Claims = serde_json::from_str(ROTATED_CLAIMS).unwrap();
    let license = read(ROTATED).unwrap();
    assert_eq!(license.claims(), &written);
    assert_eq!(sign(&written, &key()).unwrap(), ROTATED);
    let steps = license.key_history().announcements();
    let pairs: Vec<_> = steps
        .iter()
        .map(|step| (step.former.clone(), step.key.clone()))
        .collect();
    let expected = [(3, 2), (2, 1)].map(|(a, b)| (thumbprint(a), thumbprint(b)));
    assert_eq!(pairs, expected);
    assert!(steps.iter().all(|step| step.company_id == company()));
}

#[test]
fn whoever_trusts_a_former_key_finds_the_way_and_nobody_else_does() {
    let history = history(&[good_announcement(3, 2), good_announcement(2, 1)]).unwrap();
    let steps = |seed: u8| history.way_from(&thumbprint(seed)).map(<[_]>::len);
    assert_eq!(steps(3), Some(2));
    assert_eq!(steps(2), Some(1));
    assert_eq!(steps(1), None, "the signer itself needs no way");
    assert_eq!(steps(9), None);
    let none = KeyHistory::read(&[], company(), &thumbprint(1)).unwrap();
    assert_eq!(none.announcements(), []);
}

#[test]
fn what_is_announced_reads_back_and_is_as_long_as_a_license_may_carry() {
    let issued_at = claims().issued_at;
    let seeds = u8::try_from(MAX_ANNOUNCEMENTS).unwrap() + 1;
    let mut chain = Vec::new();
    for former in (2..=seeds).rev() {
        let next = seeded(former - 1).verifying_key();
        let text = announce(company(), &seeded(former), &next, issued_at);
        assert!(text.len() < MAX_ANNOUNCEMENT_BYTES, "{}", text.len());
        let read = Announcement::read(&text).unwrap();
        assert_eq!(read.former, thumbprint(former));
        assert_eq!((read.company_id, read.issued_at), (company(), issued_at));
        chain.push(text);
    }
    let mut claims = claims();
    claims.issuer.key_history.clone_from(&chain);
    let file = sign(&claims, &key()).unwrap();
    let license = read(&file).unwrap();
    assert!(license.key_history().way_from(&thumbprint(seeds)).is_some());
    // One more is one too many, also for who signs.
    let next = seeded(seeds).verifying_key();
    let older = announce(company(), &seeded(seeds + 1), &next, issued_at);
    claims.issuer.key_history.insert(0, older);
    assert!(matches!(
        sign(&claims, &key()),
        Err(SignError::KeyHistory(HistoryError::TooMany))
    ));
}

#[test]
fn a_license_whose_history_does_not_lead_to_the_signer_is_not_signed() {
    let mut claims = claims();
    claims.issuer.key_history = vec![good_announcement(3, 2)];
    assert!(matches!(
        sign(&claims, &key()),
        Err(SignError::KeyHistory(HistoryError::OtherKey))
    ));
}

#[rustfmt::skip] // one case a line reads as the table it is
fn wrong() -> Vec<(&'static str, String, &'static str)> {
    let good = good_announcement(2, 1);
    let parts: Vec<_> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let other = seeded(9);
    let signed = |payload: &str| {
        let header = jws::from_base64url(header).unwrap();
        compact(&header, payload.as_bytes(), &seeded(2))
    };
    let text = String::from_utf8(jws::from_base64url(payload).unwrap()).unwrap();
    vec![
        ("nothing", String::new(), "three parts"),
        ("two parts", format!("{header}.{payload}"), "three parts"),
        ("four parts", format!("{good}.AA"), "three parts"),
        ("too long", format!("{good}{}", "A".repeat(MAX_ANNOUNCEMENT_BYTES)), "longer than 1024 bytes"),
        ("flattened JSON", format!(r#"{{"payload":"{payload}"}}"#), "three parts"),
        ("header not base64url", format!("%{header}.{payload}.{signature}"), "its protected is damaged"),
        ("padded signature", format!("{good}="), "its signature is damaged"),
        ("header not JSON", format!("AAAA.{payload}.{signature}"), "its header cannot be read"),
        ("alg none", announcement(2, 1, |h, _| h["alg"] = json!("none")), "verified by \"none\""),
        ("alg none, no signature", { let h = jws::base64url(br#"{"alg":"none"}"#); format!("{h}.{payload}.") }, "verified by \"none\""),
        ("alg HS256 with the public key", announcement(2, 1, |h, _| h["alg"] = json!("HS256")), "verified by \"HS256\""),
        ("a license's header", announcement(2, 1, |h, _| h["typ"] = json!(crate::TYP)), "its type is \"glasshour-license+json\""),
        ("a token's header", announcement(2, 1, |h, _| h["typ"] = json!("JWT")), "its type is \"JWT\""),
        ("no key", announcement(2, 1, |h, _| drop(h.as_object_mut().unwrap().remove("jwk"))), "missing field `jwk`"),
        ("key by address", announcement(2, 1, |h, _| h["jku"] = json!("https://evil.example/k")), "unknown field `jku`"),
        ("critical parameter", announcement(2, 1, |h, _| h["crit"] = json!(["b64"])), "unknown field `crit`"),
        ("key of another curve", announcement(2, 1, |h, _| h["jwk"]["crv"] = json!("X25519")), "key that signed it cannot be used"),
        ("foreign kid", announcement(2, 1, |h, _| h["kid"] = json!(jws::thumbprint(&other.verifying_key()))), "one former key and carries another"),
        ("foreign key and kid", announcement(2, 1, |h, _| {
            h["jwk"] = json!(Jwk::from_key(&other.verifying_key()));
            h["kid"] = json!(jws::thumbprint(&other.verifying_key()));
        }), "not signed by the former key"),
        ("swapped payload", { let p = jws::base64url(text.replace("2026", "2027").as_bytes()); format!("{header}.{p}.{signature}") }, "was altered since"),
        ("swapped signature", { let s = good_announcement(2, 3); format!("{header}.{payload}.{}", s.rsplit('.').next().unwrap()) }, "was altered since"),
        ("payload not JSON", signed("hello"), "signed but cannot be read: expected value"),
        ("payload an array", signed("[1]"), "expected a JSON object"),
        ("member twice", signed(&text.replacen('{', r#"{"version":1,"#, 1)), "\"version\" stands twice"),
        ("no version", announcement(2, 1, |_, p| drop(p.as_object_mut().unwrap().remove("version"))), "missing field `version`"),
        ("version 2", announcement(2, 1, |_, p| p["version"] = json!(2)), "of version 2, which this program does not know"),
        ("no company", announcement(2, 1, |_, p| drop(p.as_object_mut().unwrap().remove("company_id"))), "missing field `company_id`"),
        ("member not known", announcement(2, 1, |_, p| p["until"] = json!(1)), "unknown field `until`"),
        ("no moment", announcement(2, 1, |_, p| p["issued_at"] = json!("soon")), "signed but cannot be read"),
        ("new key as an array", announcement(2, 1, |_, p| p["jwk"] = json!(["OKP", "Ed25519", "AA"])), "expected a JSON object"),
        ("private key announced", announcement(2, 1, |_, p| p["jwk"]["d"] = json!("AAAA")), "unknown field `d`"),
        ("new key too short", announcement(2, 1, |_, p| p["jwk"]["x"] = json!("AAAA")), "key that it announces cannot be used"),
    ]
}

#[test]
fn each_wrong_announcement_is_refused_with_its_own_message() {
    let mut messages = HashSet::new();
    for (name, text, says) in wrong() {
        let refused = Announcement::read(&text).expect_err(name);
        let message = refused.to_string();
        assert!(message.contains(says), "{name}: {message}");
        messages.insert(message);
    }
    assert!(messages.len() > 22, "told apart: {}", messages.len());
}

#[test]
fn each_break_in_a_chain_is_refused_with_its_own_message() {
    let good = good_announcement;
    let foreign = json!("01932b5e-0000-7000-8000-0000000000ff");
    let cases = [
        (
            vec![announcement(2, 1, |_, p| p["company_id"] = foreign)],
            "1 is of another company",
        ),
        (
            vec![good(4, 3), good(2, 1)],
            "2 is signed by another key than the one before",
        ),
        (
            vec![good(2, 1), good(3, 2)],
            "2 is signed by another key than the one before",
        ),
        (vec![good(1, 2), good(2, 1)], "2 leads back to a key"),
        (
            vec![good(3, 2), good(2, 3), good(3, 1)],
            "2 leads back to a key",
        ),
        (vec![good(1, 1)], "1 leads back to a key"),
        (
            vec![good(3, 2)],
            "another key than the one that signed the license",
        ),
        (
            vec![good(2, 1), good(1, 3)],
            "another key than the one that signed the license",
        ),
        (
            vec![good(3, 2), good(2, 1).replace('.', ":")],
            "announcement 2: it is not a signature",
        ),
    ];
    for (announcements, says) in cases {
        let refused = history(&announcements).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
        // And so does the license that carries it say.
        let license = read(&with_history(&announcements)).unwrap_err().to_string();
        assert!(license.ends_with(&refused), "{license}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_mutated_announcement_never_says_anything_else(
        mutations in prop::collection::vec(mutation(), 1..5),
    ) {
        let good = good_announcement(2, 1);
        let others = [good_announcement(3, 2).into_bytes(), good_announcement(2, 9).into_bytes()];
        let mut bytes = good.clone().into_bytes();
        apply(&mut bytes, &mutations, &others);
        if let Ok(read) = Announcement::read(&String::from_utf8_lossy(&bytes)) {
            let whole: Vec<_> = std::iter::once(&good)
                .map(|text| Announcement::read(text).unwrap())
                .chain(others.iter().map(|o| Announcement::read(std::str::from_utf8(o).unwrap()).unwrap()))
                .collect();
            prop_assert!(whole.contains(&read));
        }
    }

    #[test]
    fn a_mutated_payload_that_is_signed_is_read_or_refused_without_a_panic(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let good = good_announcement(2, 1);
        let parts: Vec<_> = good.split('.').collect();
        let header = jws::from_base64url(parts[0]).unwrap();
        let mut payload = jws::from_base64url(parts[1]).unwrap();
        let others = [payload.clone()];
        apply(&mut payload, &mutations, &others);
        if let Ok(read) = Announcement::read(&compact(&header, &payload, &seeded(2))) {
            prop_assert_eq!(read.former, thumbprint(2));
            let said: Value = serde_json::from_slice(&payload).unwrap();
            prop_assert_eq!(&said["version"], &json!(1));
        }
    }
}
