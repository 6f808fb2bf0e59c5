//! The spool's invariants, on real SQLite files.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use glasshour_protocol::{DeviceId, Kind, LicenseId, RecordHeader};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::{
    Leased, OpenError, SealKey, Settlement, SpoolConfig, SpoolError, SpoolStats,
};
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
async fn a_file_that_is_no_database_is_set_aside_as_it_is_and_capture_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    std::fs::write(&path, vec![7; 8192]).unwrap();
    let spool = open(&dir);
    let first = spool.push(draft(LICENSE, Kind::Activity, NOW_MS, b"{}"));
    assert_eq!(first.await.unwrap().seq, 1);
    assert_eq!(spool.report().await.unwrap().salvages, 1);
    let aside = std::fs::read_dir(dir.path()).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.to_string_lossy().contains(".damaged-").then_some(path)
    });
    assert_eq!(std::fs::read(aside.unwrap()).unwrap(), vec![7; 8192]);
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

#[tokio::test]
async fn a_backlog_is_sent_oldest_first_with_one_of_the_newest_beside() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    for n in 0..100 {
        let draft = draft(LICENSE, Kind::Activity, NOW_MS + n, b"{}");
        spool.push(draft).await.unwrap();
    }
    let seqs = async || -> Vec<u64> {
        let leased = spool.lease(4, NOW_MS + 1_000).await.unwrap();
        headers(&leased).iter().map(|header| header.seq).collect()
    };
    assert_eq!(seqs().await, [1, 2, 3, 100]);
    assert_eq!(seqs().await, [4, 5, 6, 99], "what is lent is passed over");
    let live = draft(LICENSE, Kind::Activity, NOW_MS + 500, b"{}");
    spool.push(live).await.unwrap();
    assert_eq!(seqs().await, [7, 8, 9, 101], "what is new overtakes");
    let one = spool.lease(1, NOW_MS + 1_000).await.unwrap();
    assert_eq!(
        headers(&one)[0].seq,
        10,
        "and never keeps the old ones back"
    );
}

fn sealed(key: u8, quota_bytes: u64) -> SpoolConfig {
    SpoolConfig {
        seal: Some(SealKey::new(&[key; 32])),
        quota_bytes,
        ..identity().into()
    }
}

#[tokio::test]
async fn payloads_are_sealed_at_rest_and_old_ones_stay_readable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    let secret = b"a window's title that is nobody's business";
    let old = open(&dir);
    old.push(draft(LICENSE, Kind::Activity, NOW_MS, b"of before"))
        .await
        .unwrap();
    close(old, &dir).await;

    let spool = Spool::open(&path, sealed(1, u64::MAX)).unwrap();
    spool
        .push(draft(LICENSE, Kind::Activity, NOW_MS + 1, secret))
        .await
        .unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(12).any(|window| window == &secret[..12]);
        assert!(!found, "it is readable at rest");
    }
    close(spool, &dir).await;

    // Another key, or none, opens nothing and damages nothing.
    for config in [sealed(2, u64::MAX), identity().into()] {
        let refused = Spool::open(&path, config);
        assert!(matches!(refused, Err(OpenError::Key { .. })), "{refused:?}");
    }
    let spool = Spool::open(&path, sealed(1, u64::MAX)).unwrap();
    let leased = spool.lease(10, NOW_MS + 10).await.unwrap();
    let payloads: Vec<&[u8]> = leased.iter().map(|record| &*record.payload).collect();
    assert_eq!(payloads, [&b"of before"[..], secret]);
}

#[tokio::test]
async fn a_payload_that_was_altered_at_rest_goes_without_and_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    let spool = Spool::open(&path, sealed(1, u64::MAX)).unwrap();
    for n in 0..3 {
        spool
            .push(draft(LICENSE, Kind::Activity, NOW_MS + n, b"{}"))
            .await
            .unwrap();
    }
    close(spool, &dir).await;
    let swap =
        "UPDATE records SET payload = (SELECT payload FROM records WHERE seq = 1) WHERE seq = 2";
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(swap)
        .unwrap();
    let spool = Spool::open(&path, sealed(1, u64::MAX)).unwrap();
    let mut leased = spool.lease(10, NOW_MS + 10).await.unwrap();
    leased.extend(spool.lease(10, NOW_MS + 10).await.unwrap());
    assert_eq!(leased.len(), 3, "each keeps its place");
    let bare: Vec<u64> = headers(&leased)
        .iter()
        .zip(&leased)
        .filter(|(_, record)| record.withdrawn.is_some())
        .map(|(header, _)| header.seq)
        .collect();
    assert_eq!(bare, [2]);
    assert_eq!(spool.report().await.unwrap().lost_payloads, 1);
}

#[tokio::test]
async fn when_it_is_full_pictures_make_way_and_sessions_and_activity_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    let spool = Spool::open(&path, sealed(1, 1 << 20)).unwrap();
    let picture = vec![7; 20_000];
    let (mut kept, mut refused) = (0, 0);
    for n in 0..200 {
        let at = NOW_MS + n * 600_000;
        match spool
            .push(draft(LICENSE, Kind::Screenshot, at, &picture))
            .await
        {
            Ok(_) => kept += 1,
            Err(SpoolError::Full) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        let minute = draft(LICENSE, Kind::Activity, at, b"{}");
        spool.push(minute).await.unwrap();
    }
    // Some of those that came above three quarters were kept, none above the quota.
    assert!((39..=52).contains(&kept), "{kept} of 200 pictures");
    assert_eq!(spool.report().await.unwrap().not_kept, refused);
    let event = draft(LICENSE, Kind::Session, NOW_MS, b"{}");
    let last = spool.push(event).await.unwrap();
    assert_eq!(
        last.seq,
        kept + 201,
        "what was not kept takes no place in the chain"
    );

    // Room is made by sending.
    for record in spool.lease(200, i64::MAX).await.unwrap() {
        let id = record.record_id;
        spool.settle(id, Settlement::Delivered).await.unwrap();
    }
    let again = draft(LICENSE, Kind::Screenshot, NOW_MS, &picture);
    spool.push(again).await.unwrap();
}

/// What the restart of an agent takes that was offline for a month: printed, and held to its promise.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_fifty_thousand_waiting_records_lends_the_first_within_two_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.sqlite");
    let spool = Spool::open(&path, sealed(1, u64::MAX)).unwrap();
    let payload = vec![b'x'; 700];
    let mut pushes = tokio::task::JoinSet::new();
    for n in 0..50_000 {
        let spool = spool.clone();
        let draft = draft(LICENSE, Kind::Activity, NOW_MS + n, &payload);
        pushes.spawn(async move { spool.push(draft).await.unwrap() });
        if pushes.len() > 500 {
            pushes.join_next().await;
        }
    }
    while pushes.join_next().await.is_some() {}
    close(spool, &dir).await;
    let bytes = std::fs::metadata(&path).unwrap().len();

    let began = tokio::time::Instant::now();
    let spool = Spool::open(&path, sealed(1, u64::MAX)).unwrap();
    let opened = began.elapsed();
    let leased = spool.lease(4, i64::MAX).await.unwrap();
    let lent = began.elapsed();
    println!("50,000 records, {bytes} bytes: open after {opened:?}, the first lent after {lent:?}");
    assert_eq!(leased.len(), 4);
    assert!(lent < Duration::from_secs(2), "{lent:?}");
}
