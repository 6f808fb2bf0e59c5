//! Tests of the export: every record signed and linked, and the first break found wherever it is.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::{CompanyId, EmployeeId};
use crate::record::{Kind, RecordHeader, RecordMeta};
use crate::withdrawal::Reason;

const DEVICE: DeviceId = DeviceId(Uuid::from_u128(2));

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The lines of two chains of one device, four records each; the records are lines 2 to 9.
fn lines() -> Vec<String> {
    let mut all = vec![
        Line::Export {
            export: About {
                version: 1,
                company: "Acme".into(),
                made_at_ms: 1_795_000_000_000,
                from_ms: None,
                to_ms: None,
            },
        },
        Line::Device {
            device: Device {
                device_id: DEVICE,
                key: Jwk::from_key(&key().verifying_key()),
            },
        },
    ];
    for license in [3_u128, 4] {
        let mut prev = None;
        for seq in 1..=4 {
            let (signed, payload) = record(license, seq, prev.take());
            prev = Some(signed.hash());
            all.push(Line::Record(Record::new(&signed, Some(&payload))));
        }
    }
    all.push(Line::End {
        end: End {
            records: 8,
            seal: None,
        },
    });
    all.iter()
        .map(|line| serde_json::to_string(line).unwrap())
        .collect()
}

fn record(license: u128, seq: u64, prev: Option<String>) -> (SignedHeader, Vec<u8>) {
    let payload = format!("payload {seq} of {license}").into_bytes();
    let header = RecordHeader {
        version: 1,
        record_id: RecordId(Uuid::from_u128(license * 100 + u128::from(seq))),
        device_id: DEVICE,
        license_id: LicenseId(Uuid::from_u128(license)),
        seq,
        prev,
        kind: Kind::Activity,
        captured_at_ms: 1_795_000_000_000,
        mono_ms: 5,
        boot_id: "boot".into(),
        utc_offset_min: 60,
        payload_sha256: jws::sha256_hex(&payload),
        payload_len: payload.len() as u64,
        content_type: "application/json".into(),
        meta: RecordMeta::default(),
    };
    (SignedHeader::sign(&header, &key()), payload)
}

/// The lines, the third record withdrawn; and its id and header.
fn with_one_withdrawn() -> (Vec<String>, RecordId, SignedHeader) {
    let mut lines = lines();
    let mut prev = None;
    let mut third = None;
    for seq in 1..=3 {
        let (signed, _) = record(3, seq, prev.take());
        prev = Some(signed.hash());
        third = Some(signed);
    }
    let third = third.unwrap();
    let id = RecordId(Uuid::from_u128(303));
    let withdrawal = withdrawal::sign(id, &third, (Reason::Employee, 7), &key());
    let line = Line::Record(Record::withdrawn(&third, &withdrawal));
    lines[4] = serde_json::to_string(&line).unwrap();
    (lines, id, third)
}

#[test]
fn a_withdrawn_record_is_whole_and_counted_apart() {
    let (lines, ..) = with_one_withdrawn();
    let verified = check(&lines).unwrap();
    assert_eq!((verified.records, verified.without_payload), (8, 0));
    let withdrawn: Vec<_> = verified.withdrawn.into_iter().collect();
    assert_eq!(withdrawn, [("employee".to_owned(), 1)]);
}

#[test]
fn a_withdrawal_that_the_device_did_not_sign_is_found() {
    let (lines, id, third) = with_one_withdrawn();
    let with = |change: &dyn Fn(&mut Record)| {
        let mut lines = lines.clone();
        let mut line: Record = serde_json::from_str(&lines[4]).unwrap();
        change(&mut line);
        lines[4] = serde_json::to_string(&line).unwrap();
        check(&lines)
    };
    let forger = SigningKey::from_bytes(&[8; 32]);
    let forged = withdrawal::sign(id, &third, (Reason::Employee, 7), &forger);
    let result = with(&|line| line.withdrawn = Some(forged.clone()));
    assert!(
        matches!(result, Err((4, Break::Withdrawal { .. }))),
        "{result:?}"
    );

    let other = RecordId(Uuid::from_u128(302));
    let moved = withdrawal::sign(other, &third, (Reason::Employee, 7), &key());
    let result = with(&|line| line.withdrawn = Some(moved.clone()));
    assert!(
        matches!(result, Err((4, Break::Withdrawal { .. }))),
        "{result:?}"
    );

    let payload = STANDARD.encode(b"payload 3 of 3");
    let result = with(&|line| line.payload = Some(payload.clone()));
    assert!(
        matches!(result, Err((4, Break::WithdrawnPayload(_)))),
        "{result:?}"
    );

    // Without the withdrawal nobody has signed for the missing payload, and it is told so.
    assert_eq!(
        with(&|line| line.withdrawn = None).unwrap().without_payload,
        1
    );
}

/// The line at which it breaks (counted from 0; the number of lines: at the end), and how.
fn check(lines: &[String]) -> Result<Verified, (usize, Break)> {
    let mut verifier = Verifier::default();
    for (at, line) in lines.iter().enumerate() {
        verifier.line(line).map_err(|fault| (at, fault))?;
    }
    verifier.finish().map_err(|fault| (lines.len(), fault))
}

fn id(license: u128, seq: u64) -> RecordId {
    RecordId(Uuid::from_u128(license * 100 + u128::from(seq)))
}

#[test]
fn a_whole_export_is_found_whole_and_says_how_far_it_goes() {
    let verified = check(&lines()).unwrap();
    assert_eq!((verified.records, verified.without_payload), (8, 0));
    let ends: Vec<_> = verified
        .chains
        .iter()
        .map(|chain| (chain.first_seq, chain.last_seq))
        .collect();
    assert_eq!(ends, [(1, 4), (1, 4)]);
    assert_eq!(
        verified.keys[&DEVICE],
        jws::thumbprint(&key().verifying_key())
    );
}

#[test]
fn a_removed_record_is_found() {
    let mut removed = lines();
    removed.remove(3);
    let (at, fault) = check(&removed).unwrap_err();
    assert!(
        matches!(fault, Break::Missing { record, missing: 1, line: 4 } if record == id(3, 3)),
        "{fault:?}"
    );
    assert_eq!(at, 9);
    // The first of a chain, too, in an export that begins at the beginning.
    let mut removed = lines();
    removed.remove(6);
    let (_, fault) = check(&removed).unwrap_err();
    assert!(matches!(fault, Break::Missing { record, .. } if record == id(4, 2)));
    // And the last, by the count.
    let mut removed = lines();
    removed.remove(9);
    assert!(matches!(check(&removed), Err((_, Break::End))));
}

#[test]
fn swapped_records_are_found() {
    let mut swapped = lines();
    swapped.swap(3, 4);
    assert!(matches!(check(&swapped), Err((4, Break::Order(_)))));
    // Across chains as well.
    let mut swapped = lines();
    swapped.swap(5, 6);
    assert!(check(&swapped).is_err());
}

#[test]
fn an_inserted_record_is_found_even_where_the_device_signed_it() {
    // One from elsewhere, with the seq of another.
    let (foreign, payload) = record(3, 3, Some("0".repeat(64)));
    let line = serde_json::to_string(&Line::Record(Record::new(&foreign, Some(&payload)))).unwrap();
    let mut inserted = lines();
    inserted.insert(4, line.clone());
    assert!(matches!(check(&inserted), Err((4, Break::Chain(_)))));
    let mut exchanged = lines();
    exchanged[4] = line;
    assert!(matches!(check(&exchanged), Err((4, Break::Chain(_)))));
    // The same one again.
    let mut twice = lines();
    let again = twice[4].clone();
    twice.insert(5, again);
    assert!(matches!(check(&twice), Err((5, Break::Order(_)))));
}

#[test]
fn a_changed_payload_and_a_payload_that_is_gone_are_told_apart() {
    let change = |payload: Option<String>| {
        let mut changed = lines();
        let Line::Record(mut record) = serde_json::from_str(&changed[5]).unwrap() else {
            panic!("line 5 is a record");
        };
        record.payload = payload;
        changed[5] = serde_json::to_string(&record).unwrap();
        check(&changed)
    };
    let other = STANDARD.encode(b"payload 4 of 4");
    assert!(matches!(
        change(Some(other)),
        Err((5, Break::Payload(record))) if record == id(3, 4)
    ));
    assert_eq!(change(None).unwrap().without_payload, 1);
}

#[test]
fn an_export_of_some_days_may_begin_in_the_middle_of_a_chain_but_has_no_gap() {
    let mut some = lines();
    some[0] = some[0].replace(r#""made_at_ms""#, r#""from_ms":1,"made_at_ms""#);
    some.remove(2);
    *some.last_mut().unwrap() = r#"{"end":{"records":7}}"#.into();
    let verified = check(&some).unwrap();
    assert_eq!(verified.chains[0].first_seq, 2);
    some.remove(3);
    *some.last_mut().unwrap() = r#"{"end":{"records":6}}"#.into();
    assert!(matches!(
        check(&some),
        Err((_, Break::Missing { line: 4, .. }))
    ));
}

fn server_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// The same lines with an end that says how many records there are, and is signed for.
fn sealed(lines: &[String], change: impl FnOnce(&mut Seal)) -> Vec<String> {
    let mut lines = lines.to_vec();
    lines.pop();
    let mut hash = LinesHash::default();
    for line in &lines {
        hash.line(line);
    }
    let mut seal = Seal {
        version: 1,
        company_id: CompanyId(Uuid::from_u128(5)),
        company: "Acme".into(),
        employee_id: EmployeeId(Uuid::from_u128(6)),
        employee: "Jo Doe".into(),
        made_at_ms: 1_795_000_000_000,
        from_ms: None,
        to_ms: None,
        records: lines.iter().filter(|l| l.contains("\"record\"")).count() as u64,
        lines_sha256: hash.finish(),
        waiting: vec![],
    };
    change(&mut seal);
    let end = End {
        records: seal.records,
        seal: Some(seal::sign(&seal, &server_key())),
    };
    lines.push(serde_json::to_string(&Line::End { end }).unwrap());
    lines
}

/// The end's count made right again by whoever took records out.
fn counted(mut lines: Vec<String>, keep_seal: bool) -> Vec<String> {
    let records = lines.iter().filter(|l| l.contains("\"record\"")).count() as u64;
    let last = lines.pop().unwrap();
    let Line::End { mut end } = serde_json::from_str(&last).unwrap() else {
        panic!("the last line is the end");
    };
    end.records = records;
    end.seal = end.seal.filter(|_| keep_seal);
    lines.push(serde_json::to_string(&Line::End { end }).unwrap());
    lines
}

#[test]
fn only_an_export_that_the_server_signed_and_that_holds_records_is_whole() {
    assert_eq!(check(&lines()).unwrap().verdict, Verdict::Unsealed);
    let verified = check(&sealed(&lines(), |_| ())).unwrap();
    assert_eq!(verified.verdict, Verdict::Whole);
    let says = verified.sealed.unwrap();
    assert_eq!(
        (says.key, says.says.company.as_str()),
        (jws::thumbprint(&server_key().verifying_key()), "Acme")
    );
    let head = [lines()[0].clone(), r#"{"end":{"records":0}}"#.into()];
    assert_eq!(check(&head).unwrap().verdict, Verdict::Empty);
    let none = sealed(&head, |seal| seal.records = 0);
    assert_eq!(check(&none).unwrap().verdict, Verdict::Empty);
}

#[test]
fn whatever_is_taken_out_of_a_sealed_export_breaks_the_seal_or_leaves_it_unsealed() {
    let whole = sealed(&lines(), |_| ());
    let no_payloads = || {
        let strip = |line: &String| match serde_json::from_str(line).unwrap() {
            Line::Record(mut record) => {
                record.payload = None;
                serde_json::to_string(&Line::Record(record)).unwrap()
            }
            _ => line.clone(),
        };
        whole.iter().map(strip).collect::<Vec<_>>()
    };
    let without = |range: std::ops::Range<usize>| {
        let mut some = whole.clone();
        some.drain(range);
        some
    };
    let head = |from: &str, to: &str| {
        let mut other = whole.clone();
        other[0] = other[0].replace(from, to);
        other
    };
    let mut first_three = without(2..5);
    first_three[0] = first_three[0].replace(r#""made_at_ms""#, r#""from_ms":1,"made_at_ms""#);
    let tampered = [
        (no_payloads(), Verdict::ContentsMissing),
        (without(7..10), Verdict::Unsealed),
        (first_three, Verdict::Unsealed),
        (without(1..10), Verdict::Empty),
        (head("Acme", "Bolt"), Verdict::Unsealed),
    ];
    for (lines, unsealed) in tampered {
        let with_seal = check(&counted(lines.clone(), true));
        assert!(
            matches!(with_seal, Err((_, Break::Sealed))),
            "{with_seal:?}"
        );
        let without_seal = check(&counted(lines, false)).unwrap();
        assert_eq!(without_seal.verdict, unsealed);
        assert_eq!(without_seal.sealed, None);
    }
}

#[test]
fn contents_that_the_server_had_no_more_are_missing_under_its_seal_too() {
    let mut gone = lines();
    let Line::Record(mut record) = serde_json::from_str(&gone[5]).unwrap() else {
        panic!("line 5 is a record");
    };
    record.payload = None;
    gone[5] = serde_json::to_string(&record).unwrap();
    let verified = check(&sealed(&gone, |_| ())).unwrap();
    assert_eq!(verified.verdict, Verdict::ContentsMissing);
    assert!(verified.sealed.is_some());
}

#[test]
fn records_that_may_wait_for_review_are_no_break_where_the_server_signed_for_them() {
    let mut held = lines();
    held.drain(3..5);
    let waiting = Waiting {
        device_id: DEVICE,
        license_id: LicenseId(Uuid::from_u128(3)),
        first_seq: 2,
        last_seq: 3,
        until_ms: Some(1_795_000_000_000),
    };
    let verified = check(&sealed(&held, |seal| seal.waiting = vec![waiting])).unwrap();
    assert_eq!((verified.verdict, verified.waiting), (Verdict::Waiting, 2));
    for other in [
        Waiting {
            last_seq: 2,
            ..waiting
        },
        Waiting {
            license_id: LicenseId(Uuid::from_u128(4)),
            ..waiting
        },
    ] {
        let refused = check(&sealed(&held, |seal| seal.waiting = vec![other]));
        assert!(matches!(refused, Err((_, Break::Missing { line: 4, .. }))));
    }
}

#[test]
fn a_seal_is_signed_by_the_key_that_it_carries_and_is_nothing_else() {
    let seal_of = |lines: &[String]| {
        let Line::End { end } = serde_json::from_str(lines.last().unwrap()).unwrap() else {
            panic!("the last line is the end");
        };
        end.seal.unwrap()
    };
    let seal = seal_of(&sealed(&lines(), |_| ()));
    assert!(seal::read(&seal).is_ok());
    let other = seal_of(&sealed(&lines(), |seal| seal.company = "Bolt".into()));
    let [header, payload, signature]: [&str; 3] =
        seal.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other_payload = other.split('.').nth(1).unwrap();
    for forged in [
        format!("{header}.{other_payload}.{signature}"),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        String::new(),
    ] {
        assert!(seal::read(&forged).is_err(), "{forged}");
    }
    // Signed for another purpose, by the same key.
    let license_header = jws::base64url(
        &String::from_utf8(jws::from_base64url(header).unwrap())
            .unwrap()
            .replace(seal::TYP, "glasshour-license+json")
            .into_bytes(),
    );
    let signature = jws::sign(&server_key(), &jws::signing_input(&license_header, payload));
    assert!(seal::read(&format!("{license_header}.{payload}.{signature}")).is_err());
}

#[test]
fn what_is_no_export_or_goes_on_behind_its_end_is_refused() {
    assert!(matches!(check(&[]), Err((0, Break::End))));
    assert!(matches!(check(&["hello".into()]), Err((0, Break::Line(_)))));
    assert!(matches!(check(&lines()[1..]), Err((0, Break::Beginning))));
    let mut more = lines();
    more.push(more[3].clone());
    assert!(matches!(check(&more), Err((11, Break::End))));
    let mut future = lines();
    future[0] = future[0].replace(r#""version":1"#, r#""version":2"#);
    assert!(matches!(check(&future), Err((0, Break::Version(2)))));
    let mut stranger = lines();
    stranger.remove(1);
    assert!(matches!(
        check(&stranger),
        Err((1, Break::UnknownDevice { .. }))
    ));
}

proptest! {
    /// Whatever character of whatever record is changed, the export does not verify as another one.
    #[test]
    fn a_change_anywhere_in_a_record_is_found(line in 2_usize..10, at in any::<prop::sample::Index>(), with in 0_u8..64) {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut changed = lines();
        let mut bytes = changed[line].clone().into_bytes();
        let at = at.index(bytes.len());
        let with = alphabet[usize::from(with)];
        prop_assume!(bytes[at] != with);
        bytes[at] = with;
        changed[line] = String::from_utf8(bytes).unwrap();
        prop_assert!(check(&changed).is_err());
    }
}
