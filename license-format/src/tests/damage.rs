//! Every kind of damage and forgery, as a table, and as files that never change again.
//!
//! The table makes the files that `fixtures/v1/damaged/` holds. Those were written once and are what
//! readers of the future are held to, whatever becomes of the code that made them;
//! `fixtures/v1/damaged/expected.json` says for each which error of `FORMAT.md` it earns. To add a
//! kind: add it to the table and run `GLASSHOUR_FREEZE=1 cargo test -p glasshour-license-format
//! damage`, which writes the files that are missing and touches no other.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use ed25519_dalek::SigningKey;
use glasshour_protocol::jws::{self, Jwk};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::forge::{
    self, announcement, good_announcement, with_claims, with_envelope, with_header, with_history,
    with_payload,
};
use super::{CLAIMS, GOLDEN, key};
use crate::read::{MAX_FILE_BYTES, MAX_INFLATED_BYTES, ReadError, read};
use crate::sign::{gzip, protected_header};

/// What a damaged file earns.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Expected {
    /// Name of the error, as in `FORMAT.md`.
    error: String,
    /// Part of what our reader says of it.
    says: String,
}

struct Case {
    name: &'static str,
    file: Vec<u8>,
    error: &'static str,
    says: &'static str,
}

/// The variant's name.
fn name_of(error: &ReadError) -> String {
    let debug = format!("{error:?}");
    debug.split([' ', '(', '{']).next().unwrap().to_owned()
}

fn flipped(byte: usize, mask: u8) -> Vec<u8> {
    let mut file = GOLDEN.to_vec();
    file[byte] ^= mask;
    file
}

fn pad(part: &mut Value) {
    *part = json!(format!("{}=", part.as_str().unwrap()));
}

#[rustfmt::skip] // one case a line reads as the table it is
fn cases() -> Vec<Case> {
    let foreign = SigningKey::from_bytes(&[2; 32]).verifying_key();
    let case = |name, file, error, says| Case { name, file, error, says };
    vec![
        case("empty", Vec::new(), "Empty", "the file is empty"),
        case("not-gzip", CLAIMS.as_bytes().to_vec(), "NotGzip", "not gzip"),
        case("cut-in-the-gzip-header", GOLDEN[..7].to_vec(), "Truncated", "cut short"),
        case("cut-in-the-middle", GOLDEN[..GOLDEN.len() / 2].to_vec(), "Truncated", "cut short"),
        case("cut-before-the-check-sum", GOLDEN[..GOLDEN.len() - 8].to_vec(), "Truncated", "cut short"),
        case("cut-by-one-byte", GOLDEN[..GOLDEN.len() - 1].to_vec(), "Truncated", "cut short"),
        case("compression-method-unknown", flipped(2, 1), "DamagedGzip", "the file is damaged"),
        case("deflate-bit-flipped", flipped(GOLDEN.len() / 2, 1), "DamagedGzip", "the file is damaged"),
        case("check-sum-wrong", flipped(GOLDEN.len() - 8, 1), "DamagedGzip", "the file is damaged"),
        case("length-wrong", flipped(GOLDEN.len() - 4, 1), "DamagedGzip", "the file is damaged"),
        case("two-gzip-members", [GOLDEN, GOLDEN].concat(), "TrailingData", "something stands after its end"),
        case("trailing-byte", [GOLDEN, b"x"].concat(), "TrailingData", "something stands after its end"),
        case("trailing-zeros", [GOLDEN, &[0; 512]].concat(), "TrailingData", "something stands after its end"),
        case("file-too-large", [&[0x1f, 0x8b], vec![0; MAX_FILE_BYTES - 1].as_slice()].concat(), "FileTooLarge", "larger than a license can be"),
        case("inflates-to-one-byte-too-many", gzip(&vec![b' '; MAX_INFLATED_BYTES + 1]), "InflatedTooLarge", "inflates to more than 65536 bytes"),
        case("gzip-bomb", gzip(&vec![0; 32 << 20]), "InflatedTooLarge", "inflates to more than 65536 bytes"),
        case("nothing-in-the-gzip", gzip(b""), "NotAJws", "not a license: EOF"),
        case("not-json", gzip(b"hello"), "NotAJws", "not a license: expected value"),
        case("byte-order-mark", gzip(b"\xef\xbb\xbf{}"), "NotAJws", "not a license: expected value"),
        case("not-utf-8", gzip(b"{\"payload\":\"\xff\"}"), "NotAJws", "not a license: invalid unicode"),
        case("deep-nesting", gzip(format!("{}{}", "[".repeat(20_000), "]".repeat(20_000)).as_bytes()), "NotAJws", "recursion limit"),
        case("compact-serialization", gzip(br#""eyJhbGciOiJFZERTQSJ9.e30.AA""#), "NotAJws", "not a license: invalid type"),
        case("general-serialization", gzip(br#"{"payload":"e30","signatures":[]}"#), "NotAJws", "not a license: unknown field"),
        case("envelope-as-an-array", gzip(br#"["e30","e30","AA"]"#), "NotAJws", "expected a JSON object"),
        case("unprotected-header", with_envelope(|j| j["header"] = json!({ "alg": "none" })), "NotAJws", "not a license: unknown field"),
        case("signature-missing", with_envelope(|j| drop(j.as_object_mut().unwrap().remove("signature"))), "NotAJws", "missing field `signature`"),
        case("duplicate-member-in-the-envelope", gzip(br#"{"payload":"","payload":"","protected":"","signature":""}"#), "NotAJws", "\"payload\" stands twice"),
        case("trailing-json", gzip(br#"{"payload":"","protected":"","signature":""} {}"#), "NotAJws", "trailing characters"),
        case("padding-in-the-protected-header", with_envelope(|j| pad(&mut j["protected"])), "Encoding", "protected is damaged"),
        case("stray-bits-in-the-protected-header", with_envelope(|j| j["protected"] = json!("AB")), "Encoding", "protected is damaged"),
        case("header-not-json", with_envelope(|j| j["protected"] = json!("AAAA")), "Header", "header cannot be read"),
        case("header-as-an-array", with_envelope(|j| j["protected"] = json!(jws::base64url(br#"["EdDSA","x"]"#))), "Header", "header cannot be read"),
        case("duplicate-member-in-the-header", with_envelope(|j| j["protected"] = json!(jws::base64url(br#"{"alg":"none","alg":"EdDSA"}"#))), "Header", "\"alg\" stands twice"),
        case("alg-none", with_header(|h| h["alg"] = json!("none")), "WrongAlgorithm", "asks to be verified by \"none\""),
        case("alg-hs256-with-the-public-key", with_header(|h| h["alg"] = json!("HS256")), "WrongAlgorithm", "asks to be verified by \"HS256\""),
        case("alg-in-other-case", with_header(|h| h["alg"] = json!("eddsa")), "WrongAlgorithm", "asks to be verified by \"eddsa\""),
        case("another-type-of-token", with_header(|h| h["typ"] = json!("JWT")), "WrongType", "its type is \"JWT\""),
        case("no-type", with_header(|h| drop(h.as_object_mut().unwrap().remove("typ"))), "WrongType", "its type is \"\""),
        case("private-key-in-the-header", with_header(|h| h["jwk"]["d"] = json!("AAAA")), "Header", "header cannot be read"),
        case("critical-parameter", with_header(|h| h["crit"] = json!(["b64"])), "Header", "header cannot be read"),
        case("key-by-address", with_header(|h| h["jku"] = json!("https://evil.example/k")), "Header", "header cannot be read"),
        case("no-key", with_header(|h| drop(h.as_object_mut().unwrap().remove("jwk"))), "Header", "missing field `jwk`"),
        case("key-of-another-curve", with_header(|h| h["jwk"]["crv"] = json!("X25519")), "Key", "signing key cannot be used"),
        case("key-too-short", with_header(|h| h["jwk"]["x"] = json!("AAAA")), "Key", "signing key cannot be used"),
        case("foreign-key-under-the-old-kid", with_header(|h| h["jwk"] = json!(Jwk::from_key(&foreign))), "KeyIdMismatch", "names one signing key and carries another"),
        case("foreign-key-and-kid", with_header(|h| {
                h["jwk"] = json!(Jwk::from_key(&foreign));
                h["kid"] = json!(jws::thumbprint(&foreign));
            }), "BadSignature", "altered after it was signed"),
        case("key-that-fits-any-text", forge::weak_key(), "BadSignature", "altered after it was signed"),
        case("swapped-payload", with_envelope(|j| {
                j["payload"] = json!(jws::base64url(CLAIMS.replace("Jo Doe", "Al Roe").as_bytes()));
            }), "BadSignature", "altered after it was signed"),
        case("signature-of-other-writing", with_envelope(|j| {
                j["signature"] = json!(forge::malleable(j["signature"].as_str().unwrap()));
            }), "BadSignature", "altered after it was signed"),
        case("signature-too-short", with_envelope(|j| j["signature"] = json!("AAAA")), "BadSignature", "altered after it was signed"),
        case("padding-in-the-signature", with_envelope(|j| pad(&mut j["signature"])), "Encoding", "signature is damaged"),
        case("padding-in-the-payload", {
                let key = key();
                let protected = jws::base64url(&protected_header(&key));
                let signature = jws::sign(&key, &jws::signing_input(&protected, "e30="));
                let jws =
                    json!({ "payload": "e30=", "protected": protected, "signature": signature });
                gzip(jws.to_string().as_bytes())
            }, "Encoding", "payload is damaged"),
        case("claims-not-json", with_payload(b"hello"), "Claims", "content cannot be read"),
        case("claims-as-an-array", with_payload(b"[1]"), "Claims", "expected a JSON object"),
        case("duplicate-member-in-the-claims", with_payload(CLAIMS.replacen("\"serial\": 7", "\"serial\": 7, \"serial\": 8", 1).as_bytes()), "Claims", "\"serial\" stands twice"),
        case("claims-nested-too-deep", with_payload(
                format!(r#"{{"x":{}{}}}"#, "[".repeat(200), "]".repeat(200)).as_bytes(),
            ), "Claims", "recursion limit"),
        case("no-version", with_claims(|c| drop(c.as_object_mut().unwrap().remove("version"))), "Claims", "missing field `version`"),
        case("version-0", with_claims(|c| c["version"] = json!(0)), "UnknownVersion", "version 0, which"),
        case("version-from-the-future", with_claims(|c| c["version"] = json!(2)), "UnknownVersion", "version 2, which this program does not know"),
        case("no-profile", with_claims(|c| drop(c.as_object_mut().unwrap().remove("profile"))), "Claims", "missing field `profile`"),
        case("issuer-as-an-array", with_claims(|c| {
                c["issuer"] = json!(["Acme", c["issuer"]["company_id"], "https://a.example"]);
            }), "Claims", "expected a JSON object"),
        case("screenshots-as-an-array", with_claims(|c| c["profile"]["screenshots"] = json!([6])), "Claims", "expected a JSON object"),
        case("work-mode-unknown", with_claims(|c| c["work_mode"] = json!("stealth")), "Claims", "unknown variant `stealth`"),
        case("blur-unknown", with_claims(|c| c["profile"]["screenshots"]["blur"] = json!("some")), "Claims", "unknown variant `some`"),
        case("rate-not-whole", with_claims(|c| c["profile"]["screenshots"]["per_hour"] = json!(1.5)), "Claims", "expected u32"),
        case("time-of-day-impossible", with_claims(|c| c["profile"]["schedule"]["to"] = json!("24:01")), "Claims", "not a time of day"),
        case("serial-0", with_claims(|c| c["serial"] = json!(0)), "Invalid", "serial: must be from 1"),
        case("serial-that-readers-round", with_claims(|c| c["serial"] = json!(1_u64 << 53)), "Invalid", "serial: must be from 1"),
        case("employee-without-a-name", with_claims(|c| c["employee"]["name"] = json!(" ")), "Invalid", "employee.name: must not be empty"),
        case("company-without-a-name", with_claims(|c| c["issuer"]["company"] = json!("")), "Invalid", "issuer.company: must not be empty"),
        case("server-address-of-another-kind", with_claims(|c| c["issuer"]["server_url"] = json!("ftp://a.example")), "Invalid", "issuer.server_url: must begin with"),
        case("ends-before-it-begins", with_claims(|c| {
                c["not_before"] = json!("2026-12-01T00:00:00Z");
                c["expires_at"] = json!("2026-12-01T00:00:00Z");
            }), "Invalid", "expires_at: must be later"),
        case("profile-without-a-name", with_claims(|c| c["profile"]["name"] = json!("")), "Invalid", "profile.name: must not be empty"),
        case("rate-0", with_claims(|c| c["profile"]["screenshots"]["per_hour"] = json!(0)), "Invalid", "profile.screenshots.per_hour: must be from 1 to 3600"),
        case("rate-too-high", with_claims(|c| c["profile"]["screenshots"]["per_hour"] = json!(3601)), "Invalid", "profile.screenshots.per_hour: must be from 1 to 3600"),
        case("camera-rate-0", with_claims(|c| c["profile"]["camera"]["per_hour"] = json!(0)), "Invalid", "profile.camera.per_hour: must be from 1 to 3600"),
        case("width-too-small", with_claims(|c| c["profile"]["screenshots"]["max_width_px"] = json!(63)), "Invalid", "max_width_px: must be from 64 to 16384"),
        case("titles-without-applications", with_claims(|c| c["profile"]["activity"] = json!({ "window_titles": true })), "Invalid", "window_titles: needs `applications`"),
        case("idle-too-soon", with_claims(|c| c["profile"]["idle_after_s"] = json!(9)), "Invalid", "profile.idle_after_s: must be from 10 to 86400"),
        case("hold-too-long", with_claims(|c| c["profile"]["review_hold_s"] = json!(2_592_001)), "Invalid", "profile.review_hold_s: must be at most 30 days"),
        case("no-day", with_claims(|c| c["profile"]["schedule"]["days"] = json!([])), "Invalid", "profile.schedule.days: must name at least one day"),
        case("hours-that-end-before-they-begin", with_claims(|c| c["profile"]["schedule"]["to"] = json!("07:00")), "Invalid", "profile.schedule.to: must be later than `from`"),
        case("time-zone-unknown", with_claims(|c| c["profile"]["schedule"]["time_zone"] = json!("Mars/Base")), "Invalid", "time_zone: must be an IANA time zone name"),
        case("history-of-another-algorithm", with_history(&[announcement(2, 1, |h, _| h["alg"] = json!("none"))]), "KeyHistory", "announcement 1: it asks to be verified by \"none\""),
        case("history-of-an-hmac", with_history(&[announcement(2, 1, |h, _| h["alg"] = json!("HS256"))]), "KeyHistory", "announcement 1: it asks to be verified by \"HS256\""),
        case("history-of-another-type", with_history(&[announcement(2, 1, |h, _| h["typ"] = json!(crate::TYP))]), "KeyHistory", "it is no announcement of a key"),
        case("history-under-a-foreign-kid", with_history(&[announcement(2, 1, |h, _| h["kid"] = json!(jws::thumbprint(&foreign_to(2))))]), "KeyHistory", "names one former key and carries another"),
        case("history-signed-by-the-new-key-as-if-by-the-old", with_history(&[announcement(1, 1, |h, _| {
                h["jwk"] = json!(Jwk::from_key(&foreign));
                h["kid"] = json!(jws::thumbprint(&foreign));
            })]), "KeyHistory", "was not signed by the former key"),
        case("history-of-another-company", with_history(&[announcement(2, 1, |_, p| p["company_id"] = json!("01932b5e-0000-7000-8000-0000000000ff"))]), "KeyHistory", "announcement 1 is of another company"),
        case("history-with-a-missing-step", with_history(&[good_announcement(4, 3), good_announcement(2, 1)]), "KeyHistory", "announcement 2 is signed by another key"),
        case("history-that-leads-back", with_history(&[good_announcement(1, 2), good_announcement(2, 1)]), "KeyHistory", "announcement 2 leads back"),
        case("history-of-one-key-only", with_history(&[good_announcement(1, 1)]), "KeyHistory", "announcement 1 leads back"),
        case("history-to-another-key", with_history(&[good_announcement(3, 2)]), "KeyHistory", "another key than the one that signed the license"),
        case("history-too-long", with_history(&(0..17).map(|i| good_announcement(18 - i, 17 - i)).collect::<Vec<_>>()), "KeyHistory", "more than 16 announcements"),
        case("history-with-a-member-too-many", with_history(&[announcement(2, 1, |_, p| p["until"] = json!("2027-01-01T00:00:00Z"))]), "KeyHistory", "unknown field `until`"),
        case("history-of-a-future-version", with_history(&[announcement(2, 1, |_, p| p["version"] = json!(2))]), "KeyHistory", "announcement 1: it is of version 2"),
        case("history-not-compact", with_history(&["e30.e30".into()]), "KeyHistory", "three parts with dots"),
        case("empty-exclusion", with_claims(|c| c["profile"]["exclude"]["applications"] = json!([""])), "Invalid", "profile.exclude: must not contain an empty text"),
    ]
}

/// A key other than that of the seed.
fn foreign_to(seed: u8) -> ed25519_dalek::VerifyingKey {
    forge::seeded(seed + 1).verifying_key()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/v1/damaged"))
}

fn frozen() -> BTreeMap<String, Expected> {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

#[test]
fn each_forgery_is_refused_with_its_own_message() {
    let mut messages = HashSet::new();
    for Case {
        name,
        file,
        error,
        says,
    } in cases()
    {
        let Err(refused) = read(&file) else {
            panic!("{name}: was accepted");
        };
        let message = refused.to_string();
        assert_eq!(name_of(&refused), error, "{name}: {message}");
        assert!(message.contains(says), "{name}: {message}");
        messages.insert(message);
    }
    assert!(
        messages.len() > 50,
        "messages tell the cases apart: {}",
        messages.len()
    );
}

#[test]
fn every_frozen_file_is_refused_as_on_its_first_day() {
    let expected = frozen();
    for (name, Expected { error, says }) in &expected {
        let file = std::fs::read(folder().join(format!("{name}.license.gz"))).unwrap();
        let refused = read(&file).expect_err(name);
        assert_eq!(&name_of(&refused), error, "{name}: {refused}");
        assert!(refused.to_string().contains(says), "{name}: {refused}");
    }
    let files = std::fs::read_dir(folder()).unwrap().count();
    assert_eq!(
        files,
        expected.len() + 1,
        "each file stands in expected.json"
    );
}

#[test]
fn every_kind_of_damage_is_frozen_and_every_error_is_described() {
    if std::env::var_os("GLASSHOUR_FREEZE").is_some() {
        freeze();
    }
    let frozen = frozen();
    let format = include_str!("../../FORMAT.md");
    for Case { name, error, .. } in cases() {
        assert!(
            frozen.contains_key(name),
            "{name}: to freeze it, run GLASSHOUR_FREEZE=1 cargo test -p glasshour-license-format damage"
        );
        assert!(
            format.contains(&format!("| `{error}` |")),
            "{error} is missing from FORMAT.md"
        );
    }
}

/// Writes what is missing; what is there stays as it is.
fn freeze() {
    let table = folder().join("expected.json");
    let mut expected: BTreeMap<String, Expected> = std::fs::read(&table).map_or_else(
        |_| BTreeMap::new(),
        |text| serde_json::from_slice(&text).unwrap(),
    );
    for Case {
        name,
        file,
        error,
        says,
    } in cases()
    {
        if expected.contains_key(name) {
            continue;
        }
        std::fs::write(folder().join(format!("{name}.license.gz")), file).unwrap();
        let (error, says) = (error.to_owned(), says.to_owned());
        expected.insert(name.to_owned(), Expected { error, says });
    }
    let text = serde_json::to_string_pretty(&expected).unwrap();
    std::fs::write(table, text + "\n").unwrap();
}
