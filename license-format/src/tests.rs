//! Licenses read, damaged, forged and bombed.
//!
//! `fixtures/v1/golden.license.gz` was made once from `claims.json` with the key of 32 times 0x01 and
//! is never made again: today's reader must read yesterday's licenses.

use ed25519_dalek::SigningKey;
use glasshour_protocol::jws::{self, Jwk};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::read::{MAX_INFLATED_BYTES, ReadError, SignedLicense, read};
use crate::sign::{SignError, envelope, gzip, protected_header, sign};
use crate::{Claims, MAX_FILE_BYTES, Monitors, TYP};

const GOLDEN: &[u8] = include_bytes!("../fixtures/v1/golden.license.gz");
const CLAIMS: &str = include_str!("../fixtures/v1/claims.json");

fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn claims() -> Claims {
    serde_json::from_str(CLAIMS).unwrap()
}

fn golden() -> SignedLicense {
    read(GOLDEN).unwrap()
}

#[test]
fn the_golden_license_reads_as_it_was_written() {
    let license = golden();
    assert_eq!(license.claims(), &claims());
    assert_eq!(
        license.thumbprint(),
        jws::thumbprint(&key().verifying_key())
    );
    assert_eq!(
        license
            .claims()
            .profile
            .screenshots
            .as_ref()
            .unwrap()
            .monitors,
        Monitors::All
    );
    assert_eq!(
        license.claims().profile.unknown.len(),
        1,
        "unknown members are kept"
    );
}

#[test]
fn signing_the_same_claims_gives_the_golden_license_again() {
    assert_eq!(sign(&claims(), &key()).unwrap(), GOLDEN);
}

#[test]
fn every_single_bit_flip_is_refused_or_carries_nothing() {
    let mut same = Vec::new();
    for bit in 0..GOLDEN.len() * 8 {
        let mut file = GOLDEN.to_vec();
        file[bit / 8] ^= 1 << (bit % 8);
        if let Ok(license) = read(&file) {
            assert_eq!(
                license.claims(),
                &claims(),
                "bit {bit} made another license"
            );
            assert_eq!(license.payload_sha256(), golden().payload_sha256());
            same.push(bit);
        }
    }
    // Bytes 3 to 9 of a gzip header: flags, time, hints, system. Nothing else may be flipped, but for
    // padding bits behind the last symbol of the deflate stream.
    let elsewhere: Vec<_> = same.iter().filter(|bit| !(24..80).contains(*bit)).collect();
    assert!(elsewhere.len() <= 7, "{elsewhere:?}");
    assert!(
        same.len() >= 48,
        "time, hints and system carry nothing: {}",
        same.len()
    );
}

#[test]
fn every_truncation_is_refused() {
    for length in 0..GOLDEN.len() {
        let error = read(&GOLDEN[..length]).unwrap_err();
        match (length, &error) {
            (0, ReadError::Empty) | (1, ReadError::NotGzip) | (2.., ReadError::Truncated) => {}
            _ => panic!("{length} bytes: {error:?}"),
        }
    }
}

#[test]
fn a_gzip_bomb_is_refused_within_the_cap() {
    // 64 MiB of zeros are 64 KiB of gzip: as much bomb as a file of the allowed size can hold.
    let mut bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(
        matches!(read(&bomb), Err(ReadError::InflatedTooLarge)),
        "{} bytes",
        bomb.len()
    );
    // A file that is longer is refused by its length alone.
    bomb.resize(MAX_FILE_BYTES + 1, 0);
    assert!(matches!(read(&bomb), Err(ReadError::FileTooLarge)));
}

/// One way to forge or break a license, and the message it earns.
struct Case {
    name: &'static str,
    file: Vec<u8>,
    says: &'static str,
}

fn header(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut header: Value = serde_json::from_slice(&protected_header(&key())).unwrap();
    change(&mut header);
    serde_json::to_vec(&header).unwrap()
}

fn with_header(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    envelope(CLAIMS.as_bytes(), &header(change), &key()).unwrap()
}

fn with_claims(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut claims: Value = serde_json::from_str(CLAIMS).unwrap();
    change(&mut claims);
    envelope(
        &serde_json::to_vec(&claims).unwrap(),
        &protected_header(&key()),
        &key(),
    )
    .unwrap()
}

fn with_envelope(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let payload = jws::base64url(CLAIMS.as_bytes());
    let protected = jws::base64url(&protected_header(&key()));
    let signature = jws::sign(&key(), &jws::signing_input(&protected, &payload));
    let mut jws = json!({ "payload": payload, "protected": protected, "signature": signature });
    change(&mut jws);
    gzip(&serde_json::to_vec(&jws).unwrap())
}

#[test]
fn each_forgery_is_refused_with_its_own_message() {
    let other = SigningKey::from_bytes(&[2; 32]);
    let foreign = Jwk::from_key(&other.verifying_key());
    let twice = CLAIMS.replacen("\"serial\": 7", "\"serial\": 7, \"serial\": 8", 1);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let cases = [
        Case {
            name: "alg none",
            file: with_header(|h| h["alg"] = json!("none")),
            says: "asks to be verified by \"none\"",
        },
        Case {
            name: "HS256 with the public key",
            file: with_header(|h| h["alg"] = json!("HS256")),
            says: "asks to be verified by \"HS256\"",
        },
        Case {
            name: "another type of token",
            file: with_header(|h| h["typ"] = json!("JWT")),
            says: "not a Glasshour license (its type is \"JWT\")",
        },
        Case {
            name: "foreign jwk under the old kid",
            file: with_header(|h| h["jwk"] = serde_json::to_value(&foreign).unwrap()),
            says: "names one signing key and carries another",
        },
        Case {
            name: "foreign jwk and kid, signature of the issuer",
            file: with_header(|h| {
                h["jwk"] = serde_json::to_value(&foreign).unwrap();
                h["kid"] = json!(jws::thumbprint(&other.verifying_key()));
            }),
            says: "altered after it was signed",
        },
        Case {
            name: "a private key in the header",
            file: with_header(|h| h["jwk"]["d"] = json!("AAAA")),
            says: "header cannot be read",
        },
        Case {
            name: "a critical parameter",
            file: with_header(|h| h["crit"] = json!(["b64"])),
            says: "header cannot be read",
        },
        Case {
            name: "a key of another curve",
            file: with_header(|h| h["jwk"]["crv"] = json!("X25519")),
            says: "signing key cannot be used",
        },
        Case {
            name: "swapped payload",
            file: with_envelope(|j| {
                j["payload"] = json!(jws::base64url(
                    CLAIMS.replace("Jo Doe", "Al Roe").as_bytes()
                ));
            }),
            says: "altered after it was signed",
        },
        Case {
            name: "padding in the signature",
            file: with_envelope(|j| {
                j["signature"] = json!(format!("{}=", j["signature"].as_str().unwrap()));
            }),
            says: "signature is damaged",
        },
        Case {
            name: "an unprotected header",
            file: with_envelope(|j| j["header"] = json!({ "alg": "none" })),
            says: "not a license: unknown field",
        },
        Case {
            name: "general serialization",
            file: gzip(br#"{"payload":"e30","signatures":[]}"#),
            says: "not a license: unknown field",
        },
        Case {
            name: "not JSON",
            file: gzip(b"hello"),
            says: "not a license: expected value",
        },
        Case {
            name: "deep nesting",
            file: gzip(deep.as_bytes()),
            says: "recursion limit",
        },
        Case {
            name: "duplicate member in the envelope",
            file: gzip(br#"{"payload":"","payload":"","protected":"","signature":""}"#),
            says: "\"payload\" stands twice",
        },
        Case {
            name: "duplicate member in the claims",
            file: envelope(twice.as_bytes(), &protected_header(&key()), &key()).unwrap(),
            says: "\"serial\" stands twice",
        },
        Case {
            name: "two gzip members",
            file: [GOLDEN, GOLDEN].concat(),
            says: "something stands after its end",
        },
        Case {
            name: "trailing data",
            file: [GOLDEN, b"x"].concat(),
            says: "something stands after its end",
        },
        Case {
            name: "trailing JSON",
            file: {
                let text = br#"{"payload":"","protected":"","signature":""} {}"#;
                gzip(text)
            },
            says: "trailing characters",
        },
        Case {
            name: "no gzip",
            file: CLAIMS.as_bytes().to_vec(),
            says: "not gzip",
        },
        Case {
            name: "a version from the future",
            file: with_claims(|c| c["version"] = json!(2)),
            says: "version 2, which this program does not know",
        },
        Case {
            name: "a work mode that is none",
            file: with_claims(|c| c["work_mode"] = json!("stealth")),
            says: "unknown variant `stealth`",
        },
        Case {
            name: "an impossible rate",
            file: with_claims(|c| c["profile"]["screenshots"]["per_hour"] = json!(0)),
            says: "profile.screenshots.per_hour: must be from 1 to 3600",
        },
        Case {
            name: "a time zone that is none",
            file: with_claims(|c| c["profile"]["schedule"]["time_zone"] = json!("Mars/Base")),
            says: "profile.schedule.time_zone: must be an IANA time zone name",
        },
        Case {
            name: "hours that end before they begin",
            file: with_claims(|c| c["profile"]["schedule"]["to"] = json!("07:00")),
            says: "profile.schedule.to: must be later than `from`",
        },
    ];
    let mut messages = std::collections::HashSet::new();
    for Case { name, file, says } in cases {
        let message = match read(&file) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{name}: was accepted"),
        };
        assert!(message.contains(says), "{name}: {message}");
        messages.insert(message);
    }
    assert!(
        messages.len() > 18,
        "messages tell the cases apart: {}",
        messages.len()
    );
}

#[test]
fn a_license_that_no_reader_would_accept_is_not_signed() {
    let mut long = claims();
    long.notice = Some("x".repeat(MAX_INFLATED_BYTES));
    assert!(matches!(sign(&long, &key()), Err(SignError::TooLarge)));
    let mut nameless = claims();
    nameless.employee.name = " ".into();
    assert!(matches!(
        sign(&nameless, &key()),
        Err(SignError::Invalid(_))
    ));
}

#[test]
fn permits_come_only_with_trust_and_only_for_what_is_licensed() {
    let file = with_claims(|c| {
        c["profile"].as_object_mut().unwrap().remove("screenshots");
        c["profile"].as_object_mut().unwrap().remove("camera");
    });
    let signed = read(&file).unwrap();
    let stranger = jws::thumbprint(&SigningKey::from_bytes(&[9; 32]).verifying_key());
    assert!(signed.clone().trust(&stranger).is_err());
    let thumbprint = signed.thumbprint().to_owned();
    let license = signed.trust(&thumbprint).unwrap();
    assert!(license.permits().screenshots().is_none());
    assert!(license.permits().camera().is_none());
    let activity = license.permits().activity().unwrap();
    assert!(!activity.settings().window_titles);
    assert_eq!(activity.exclude().applications, ["KeePassXC"]);
}

#[test]
fn the_type_in_the_header_is_ours() {
    let header: Value = serde_json::from_slice(&protected_header(&key())).unwrap();
    assert_eq!(header["typ"], TYP);
    assert_eq!(header["alg"], "EdDSA");
    assert!(
        header["jwk"].get("d").is_none(),
        "the private key is never written"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_gzipped_gives_an_error_and_no_panic(body in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(read(&gzip(&body)).is_err());
    }

    #[test]
    fn whatever_bytes_come_give_an_error_and_no_panic(mut file in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(read(&file).is_err());
        if file.len() > 2 {
            file[..2].copy_from_slice(&[0x1f, 0x8b]);
            prop_assert!(read(&file).is_err());
        }
    }

    #[test]
    fn what_is_signed_reads_back(
        name in "\\PC{1,40}", serial in 1u64..1 << 53, per_hour in 1u32..=3600, titles in any::<bool>(),
        idle in 10u32..=86_400,
    ) {
        prop_assume!(!name.trim().is_empty());
        let mut wanted = claims();
        wanted.employee.name = name;
        wanted.serial = serial;
        wanted.profile.screenshots.as_mut().unwrap().per_hour = per_hour;
        wanted.profile.activity.as_mut().unwrap().window_titles = titles;
        wanted.profile.idle_after_s = idle;
        let file = sign(&wanted, &key()).unwrap();
        let license = read(&file).unwrap();
        prop_assert_eq!(license.claims(), &wanted);
    }
}
