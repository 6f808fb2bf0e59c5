//! Licenses read, damaged, forged and bombed.
//!
//! `fixtures/v1/golden.license.gz` was made once from `claims.json` with the key of 32 times 0x01 and
//! is never made again: today's reader must read yesterday's licenses.

mod damage;
mod forge;
mod mutations;
pub(crate) mod schema;
mod succession;

use ed25519_dalek::SigningKey;
use glasshour_protocol::jws;
use proptest::prelude::*;
use serde_json::{Value, json};

use forge::with_claims;

use crate::read::{MAX_INFLATED_BYTES, ReadError, SignedLicense, read};
use crate::sign::{SignError, gzip, protected_header, sign};
use crate::{Claims, MAX_FILE_BYTES, Monitors, TYP, WorkMode};

const GOLDEN: &[u8] = include_bytes!("../../fixtures/v1/golden.license.gz");
const CLAIMS: &str = include_str!("../../fixtures/v1/claims.json");

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
fn how_long_it_is_kept_is_read_where_it_is_said_and_only_in_range() {
    let said: Claims =
        serde_json::from_str(include_str!("../../fixtures/v1/claims-retention.json")).unwrap();
    let read_back = read(&sign(&said, &key()).unwrap()).unwrap();
    assert_eq!(read_back.claims(), &said);
    let kept = said.issuer.retention_days.as_ref().unwrap();
    assert_eq!(kept.by_kind(), [Some(30), None, Some(90), Some(1095)]);
    assert_eq!(claims().issuer.retention_days, None);
    for days in [0, 36_501] {
        let mut bad = said.clone();
        bad.issuer.retention_days.as_mut().unwrap().session = Some(days);
        let Err(SignError::Invalid(invalid)) = sign(&bad, &key()) else {
            panic!("{days} days were signed");
        };
        assert_eq!(invalid.field, "issuer.retention_days");
    }
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
fn a_newer_license_within_an_agreed_one_hands_out_no_more_than_both() {
    let license = |change: &dyn Fn(&mut Value)| {
        let signed = read(&with_claims(change)).unwrap();
        let thumbprint = signed.thumbprint().to_owned();
        signed.trust(&thumbprint).unwrap()
    };
    let agreed = license(&|c| {
        c["profile"].as_object_mut().unwrap().remove("camera");
    });
    let newer = license(&|c| {
        c["serial"] = json!(8);
        c["work_mode"] = json!("monitoring");
        c["profile"]["screenshots"]["per_hour"] = json!(60);
        c["profile"].as_object_mut().unwrap().remove("activity");
    });
    let held = agreed.narrowed_by(&newer);
    assert_eq!(
        held.claims(),
        agreed.claims(),
        "records bear the agreed license"
    );
    assert!(held.permits().camera().is_none());
    assert!(held.permits().activity().is_none());
    assert_eq!(held.permits().screenshots().unwrap().settings().per_hour, 6);
    assert_eq!(held.work_mode(), WorkMode::Worklog);
    assert_eq!(
        newer.permits().screenshots().unwrap().settings().per_hour,
        60
    );
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

#[test]
fn ten_thousand_random_gzip_bodies_are_refused() {
    let mut random = fastrand::Rng::with_seed(1952);
    for round in 0..10_000 {
        let mut body = vec![0; random.usize(..1_000)];
        random.fill(&mut body);
        assert!(read(&gzip(&body)).is_err(), "round {round}: {body:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_bytes_come_give_an_error_and_no_panic(mut file in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(read(&file).is_err());
        if file.len() > 2 {
            file[..2].copy_from_slice(&[0x1f, 0x8b]);
            prop_assert!(read(&file).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_signed_reads_back(
        name in "\\PC{1,40}", serial in 1u64..1 << 53, per_hour in 1u32..=3600, titles in any::<bool>(),
        idle in 10u32..=86_400,
    ) {
        let mut wanted = claims();
        wanted.employee.name = name;
        wanted.serial = serial;
        wanted.profile.screenshots.as_mut().unwrap().per_hour = per_hour;
        wanted.profile.activity.as_mut().unwrap().window_titles = titles;
        wanted.profile.idle_after_s = idle;
        // Some characters that are no controls are refused in names all the same.
        prop_assume!(wanted.validate().is_ok());
        let file = sign(&wanted, &key()).unwrap();
        let license = read(&file).unwrap();
        prop_assert_eq!(license.claims(), &wanted);
    }
}
