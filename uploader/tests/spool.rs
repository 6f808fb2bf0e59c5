//! The spool's invariants, on real SQLite files.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use glasshour_protocol::{DeviceId, Kind, LicenseId, RecordHeader, RecordId};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::{Leased, OpenError, Settlement, SpoolStats};
use proptest::prelude::*;
use support::{DEVICE, LICENSE, NOW_MS, draft, identity, key};
use uuid::Uuid;

fn open(dir: &tempfile::TempDir) -> Spool {
    Spool::open(&dir.path().join("spool.sqlite"), identity()).unwrap()
}

/// Closes the spool and waits until its thread has let go of the file.
async fn close(spool: Spool, dir: &tempfile::TempDir) {
    drop(spool);
    let lock = std::fs::File::open(dir.path().join("spool.lock")).unwrap();
    while lock.try_lock().is_err() {
        tokio::task::yield_now().await;
    }
}

async fn reopen(spool: Spool, dir: &tempfile::TempDir) -> Spool {
    close(spool, dir).await;
    open(dir)
}

fn headers(leased: &[Leased]) -> Vec<RecordHeader> {
    let public = key().verifying_key();
    leased
        .iter()
        .map(|record| record.header.verify(&public).unwrap())
        .collect()
}

#[tokio::test]
async fn what_was_pushed_is_there_after_a_restart_signed_and_chained() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(&dir);
    for n in 0..3 {
        spool
            .push(draft(LICENSE, Kind::Activity, NOW_MS + n, b"{}"))
            .await
            .unwrap();
    }
    spool = reopen(spool, &dir).await;
    let fourth = spool
        .push(draft(LICENSE, Kind::Session, NOW_MS + 3, b"[]"))
        .await
        .unwrap();
    assert_eq!(fourth.seq, 4, "the chain goes on where it was");

    let leased = spool.lease(10, NOW_MS + 10).await.unwrap();
    let headers = headers(&leased);
    assert_eq!(
        headers.iter().map(|h| h.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(headers[0].prev, None);
    for (header, previous) in headers[1..].iter().zip(&leased) {
        assert_eq!(
            header.prev.as_deref(),
            Some(previous.header.hash().as_str())
        );
    }
    assert_eq!(headers[3].device_id, DEVICE);
    assert_eq!(
        headers[3].payload_sha256,
        glasshour_protocol::jws::sha256_hex(b"[]")
    );
    assert_eq!(leased[3].payload, b"[]");
}

#[tokio::test]
async fn each_license_has_its_own_chain() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let other = LicenseId(Uuid::from_u128(99));
    for license in [LICENSE, other, LICENSE] {
        spool
            .push(draft(license, Kind::Activity, NOW_MS, b"{}"))
            .await
            .unwrap();
    }
    let mut seqs: BTreeMap<LicenseId, Vec<u64>> = BTreeMap::new();
    for header in headers(&spool.lease(10, NOW_MS).await.unwrap()) {
        seqs.entry(header.license_id).or_default().push(header.seq);
    }
    assert_eq!(seqs[&LICENSE], [1, 2]);
    assert_eq!(seqs[&other], [1]);
}

#[tokio::test]
async fn a_record_on_hold_waits_for_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let mut held = draft(LICENSE, Kind::Screenshot, NOW_MS, b"picture");
    held.hold_until_ms = NOW_MS + 60_000;
    spool.push(held).await.unwrap();
    assert!(spool.lease(10, NOW_MS + 59_999).await.unwrap().is_empty());
    assert_eq!(spool.lease(10, NOW_MS + 60_000).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_record_is_kept_apart_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let id = spool
        .push(draft(LICENSE, Kind::Activity, NOW_MS, b"{}"))
        .await
        .unwrap()
        .record_id;
    spool.lease(1, NOW_MS).await.unwrap();
    let refusal = Settlement::Quarantined {
        code: "conflict".into(),
        message: "taken".into(),
    };
    spool.settle(id, refusal).await.unwrap();
    assert!(spool.lease(10, NOW_MS).await.unwrap().is_empty());
    let stats = SpoolStats {
        waiting: 0,
        quarantined: 1,
        delivered: 0,
    };
    assert_eq!(spool.stats().await.unwrap(), stats);
    let refusals = spool.refusals(10).await.unwrap();
    assert_eq!(
        (refusals[0].record_id, refusals[0].code.as_str()),
        (id, "conflict")
    );
}

#[tokio::test]
async fn a_second_process_is_turned_away() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(&dir);
    let second = Spool::open(&dir.path().join("spool.sqlite"), identity());
    assert!(matches!(second, Err(OpenError::InUse { .. })));
}

#[tokio::test]
async fn a_spool_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 1000).unwrap();
    drop(newer);
    let opened = Spool::open(&path, identity());
    assert!(matches!(opened, Err(OpenError::TooNew { found: 1000, .. })));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    assert!(matches!(
        Spool::open(&path, identity()),
        Err(OpenError::Damaged { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), vec![7; 8192]);
}

#[tokio::test]
async fn a_delivered_record_leaves_nothing_readable_behind() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let secret = b"a picture of somebody's screen ".repeat(400);
    let id = spool
        .push(draft(LICENSE, Kind::Screenshot, NOW_MS, &secret))
        .await
        .unwrap()
        .record_id;
    spool.lease(1, NOW_MS).await.unwrap();
    spool.settle(id, Settlement::Delivered).await.unwrap();
    close(spool, &dir).await;
    let database = std::fs::read(dir.path().join("spool.sqlite")).unwrap();
    let found = database.windows(16).any(|window| window == &secret[..16]);
    assert!(!found, "secure_delete overwrites what is deleted");
}

/// Changes the file behind the spool's back.
async fn tamper(spool: Spool, dir: &tempfile::TempDir, sql: &str) -> Spool {
    close(spool, dir).await;
    let path = dir.path().join("spool.sqlite");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    open(dir)
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_set_aside_and_the_others_are_lent() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(&dir);
    for n in 0..5 {
        let draft = draft(LICENSE, Kind::Activity, NOW_MS + n, b"{}");
        spool.push(draft).await.unwrap();
    }
    let damage = "UPDATE records SET record_id = 'x' WHERE seq = 1;
                  UPDATE records SET kind = 'x' WHERE seq = 2;
                  UPDATE records SET license_id = x'ff' WHERE seq = 3;
                  UPDATE records SET header = 7 WHERE seq = 4;";
    spool = tamper(spool, &dir, damage).await;
    let leased = spool.lease(10, NOW_MS + 10).await.unwrap();
    assert_eq!(headers(&leased)[0].seq, 5);
    let stats = SpoolStats {
        waiting: 1,
        quarantined: 4,
        delivered: 0,
    };
    assert_eq!(spool.stats().await.unwrap(), stats);
    let refusals = spool.refusals(10).await.unwrap();
    assert!(refusals.iter().all(|refusal| refusal.code == "unreadable"));
    assert_eq!(refusals.len(), 2, "of those whose id and kind can be told");
}

#[tokio::test]
async fn a_new_device_begins_chains_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let first = spool
        .push(draft(LICENSE, Kind::Activity, NOW_MS, b"{}"))
        .await
        .unwrap();
    close(spool, &dir).await;
    let mut anew = identity();
    anew.device_id = DeviceId(Uuid::from_u128(77));
    let spool = Spool::open(&dir.path().join("spool.sqlite"), anew.clone()).unwrap();
    let second = spool
        .push(draft(LICENSE, Kind::Activity, NOW_MS + 1, b"{}"))
        .await
        .unwrap();
    assert_eq!((first.seq, second.seq), (1, 1));
    let headers = headers(&spool.lease(10, NOW_MS + 1).await.unwrap());
    assert_eq!(headers[1].device_id, anew.device_id);
    assert_eq!(headers[1].prev, None);
}

/// The file as version 1 made it. Never edited.
const VERSION_1: &str = include_str!("spool-v1.sql");

#[tokio::test]
async fn a_file_of_version_1_keeps_its_records_and_goes_on_with_its_chains() {
    let dir = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(dir.path().join("spool.sqlite")).unwrap();
    old.execute_batch(VERSION_1).unwrap();
    drop(old);

    let spool = open(&dir);
    let stats = SpoolStats {
        waiting: 1,
        quarantined: 1,
        delivered: 7,
    };
    assert_eq!(spool.stats().await.unwrap(), stats);
    assert_eq!(spool.refusals(1).await.unwrap()[0].code, "conflict");
    let leased = spool.lease(10, NOW_MS).await.unwrap();
    assert_eq!(leased[0].header.bytes, b"header nine");
    assert_eq!(leased[0].payload, b"payload nine");
    let tenth = spool
        .push(draft(LICENSE, Kind::Activity, NOW_MS, b"{}"))
        .await
        .unwrap();
    assert_eq!(tenth.seq, 10);
    let lent = spool.lease(10, NOW_MS).await.unwrap();
    assert_eq!(headers(&lent)[0].prev.as_deref(), Some("hash of nine"));
}

/// What can happen to a spool, for the model test.
#[derive(Clone, Debug)]
enum Step {
    Push,
    Lease(usize),
    Settle(Settlement),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let refused = Settlement::Quarantined {
        code: "c".into(),
        message: "m".into(),
    };
    prop_oneof![
        4 => Just(Step::Push),
        2 => (1usize..5).prop_map(Step::Lease),
        3 => prop_oneof![
            3 => Just(Settlement::Delivered),
            2 => Just(Settlement::Later),
            1 => Just(refused),
        ].prop_map(Step::Settle),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Every pushed record is waiting, refused or delivered, whatever the order of events; a lease
    /// never lends one record twice; the order is that of the captures.
    #[test]
    fn nothing_is_lost_lent_twice_or_out_of_order(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let mut spool = open(&dir);
            let mut waiting: BTreeMap<u64, RecordId> = BTreeMap::new();
            let mut lent: BTreeMap<u64, RecordId> = BTreeMap::new();
            let mut expected = SpoolStats::default();
            let mut pushed = 0;
            for step in steps {
                match step {
                    Step::Push => {
                        pushed += 1;
                        let at = NOW_MS + pushed;
                        let record = spool.push(draft(LICENSE, Kind::Activity, at, b"{}")).await;
                        let record = record.unwrap();
                        assert_eq!(record.seq, pushed.unsigned_abs());
                        waiting.insert(record.seq, record.record_id);
                        expected.waiting += 1;
                    }
                    Step::Lease(most) => {
                        let leased = spool.lease(most, i64::MAX).await.unwrap();
                        let seqs: Vec<_> = headers(&leased).iter().map(|h| h.seq).collect();
                        let oldest: Vec<_> = waiting.keys().copied().take(most).collect();
                        assert_eq!(seqs, oldest);
                        for seq in seqs {
                            lent.insert(seq, waiting.remove(&seq).unwrap());
                        }
                    }
                    Step::Settle(settlement) => {
                        let Some((seq, id)) = lent.pop_first() else { continue };
                        spool.settle(id, settlement.clone()).await.unwrap();
                        match settlement {
                            Settlement::Later => {
                                waiting.insert(seq, id);
                                continue;
                            }
                            Settlement::Delivered => expected.delivered += 1,
                            Settlement::Quarantined { .. } => expected.quarantined += 1,
                        }
                        expected.waiting -= 1;
                    }
                    Step::Restart => {
                        spool = reopen(spool, &dir).await;
                        waiting.append(&mut lent);
                    }
                }
                assert_eq!(spool.stats().await.unwrap(), expected);
            }
        });
    }
}
