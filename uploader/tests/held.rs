//! Records that are held: the employee looks at them and withdraws them, and nothing of a withdrawn
//! payload is left, while its place in the chain is.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use glasshour_protocol::payload::JSON;
use glasshour_protocol::withdrawal::{self, Reason};
use glasshour_protocol::{Kind, RecordId, SessionId};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::held::WithdrawError;
use glasshour_uploader::spool::{Draft, Settlement};
use support::{LICENSE, NOW_MS, draft, identity, key};
use uuid::Uuid;

const HOLD_MS: i64 = 60_000;
const SESSION: SessionId = SessionId(Uuid::from_u128(50));

fn open(dir: &tempfile::TempDir) -> Spool {
    Spool::open(&dir.path().join("spool.sqlite"), identity()).unwrap()
}

fn held(kind: Kind, at_ms: i64, payload: &[u8]) -> Draft {
    let mut draft = draft(LICENSE, kind, at_ms, payload);
    draft.hold_until_ms = at_ms + HOLD_MS;
    draft.meta.session_id = Some(SESSION);
    draft
}

/// Whether a file of the spool has these bytes in it, the log included.
fn is_in_a_file(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[tokio::test]
async fn what_is_held_can_be_listed_and_read_until_its_hold_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let shot = spool
        .push(held(Kind::Screenshot, NOW_MS, b"picture"))
        .await
        .unwrap();
    spool
        .push(draft(LICENSE, Kind::Session, NOW_MS, b"{}"))
        .await
        .unwrap();
    let list = spool.held(NOW_MS + HOLD_MS - 1).await.unwrap();
    assert_eq!(list.len(), 1, "a session is not held");
    assert_eq!(list[0].header.record_id, shot.record_id);
    assert_eq!(list[0].until_ms, NOW_MS + HOLD_MS);
    assert_eq!(spool.held_count(NOW_MS).await.unwrap(), 1);
    let content = spool.held_content(shot.record_id, NOW_MS).await.unwrap();
    let content = content.unwrap();
    assert_eq!(
        (content.content_type.as_str(), &*content.payload),
        (JSON, &b"picture"[..])
    );

    let over = NOW_MS + HOLD_MS;
    assert_eq!(spool.held(over).await.unwrap(), []);
    assert_eq!(spool.held_count(over).await.unwrap(), 0);
    assert_eq!(
        spool.held_content(shot.record_id, over).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_withdrawn_record_keeps_its_place_and_is_delivered_without_its_payload() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let mut ids = Vec::new();
    for n in 0..3 {
        let draft = held(Kind::Screenshot, NOW_MS + n, b"a picture");
        ids.push(spool.push(draft).await.unwrap().record_id);
    }
    spool
        .withdraw(vec![ids[1]], NOW_MS + 10, NOW_MS + 10)
        .await
        .unwrap();
    assert_eq!(spool.held_content(ids[1], NOW_MS + 11).await.unwrap(), None);
    let waiting: Vec<_> = spool.held(NOW_MS + 11).await.unwrap();
    let waiting: Vec<_> = waiting.iter().map(|held| held.header.record_id).collect();
    assert_eq!(waiting, [ids[0], ids[2]]);
    assert_eq!(spool.held_count(NOW_MS + 11).await.unwrap(), 2);

    let gone = spool.lease(10, NOW_MS + 11).await.unwrap();
    let gone: Vec<_> = gone.iter().map(|record| record.record_id).collect();
    assert_eq!(gone, [ids[1]], "that it is gone is told at once");
    spool.release([ids[1]]);
    let leased = spool.lease(10, i64::MAX).await.unwrap();
    assert_eq!(leased.len(), 3);
    let withdrawn = &leased[1];
    assert!(withdrawn.payload.is_empty());
    let header = withdrawn.header.verify(&key().verifying_key()).unwrap();
    assert_eq!(header.payload_len, 9, "the header is as it was signed");
    let signed = withdrawn.withdrawn.as_ref().unwrap();
    let read =
        withdrawal::verify(signed, ids[1], &withdrawn.header, &key().verifying_key()).unwrap();
    assert_eq!((read.reason, read.at_ms), (Reason::Employee, NOW_MS + 10));
    for other in [&leased[0], &leased[2]] {
        assert_eq!((other.withdrawn.clone(), other.payload.len()), (None, 9));
    }
    let next = leased[2].header.verify(&key().verifying_key()).unwrap();
    assert_eq!(next.prev, Some(withdrawn.header.hash()));

    // What it cost is known after it is gone from here.
    for record in &leased {
        spool
            .settle(record.record_id, Settlement::Delivered)
            .await
            .unwrap();
    }
    let told = spool.withdrawn(NOW_MS).await.unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].record_id, told[0].session_id),
        (ids[1], Some(SESSION))
    );
    assert_eq!(spool.withdrawn(NOW_MS + 2).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_not_held_or_no_capture_is_not_withdrawn_and_neither_is_what_was_asked_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let shot = spool.push(held(Kind::Screenshot, NOW_MS, b"picture"));
    let shot = shot.await.unwrap().record_id;
    let session = spool.push(held(Kind::Session, NOW_MS, b"{}"));
    let session = session.await.unwrap().record_id;
    let unknown = RecordId(Uuid::from_u128(9));
    let not_held = |result: Result<(), WithdrawError>, id| {
        assert!(matches!(result, Err(WithdrawError::NotHeld(which)) if which == id));
    };
    not_held(
        spool.withdraw(vec![shot, unknown], NOW_MS, NOW_MS).await,
        unknown,
    );
    let refused = spool.withdraw(vec![shot, session], NOW_MS, NOW_MS).await;
    assert!(matches!(refused, Err(WithdrawError::NotDeletable(id)) if id == session));
    not_held(
        spool
            .withdraw(vec![shot], NOW_MS + HOLD_MS, NOW_MS + HOLD_MS)
            .await,
        shot,
    );
    assert!(spool.held_content(shot, NOW_MS).await.unwrap().is_some());

    // One that is on its way: the clock may have been set back since.
    spool.lease(10, i64::MAX).await.unwrap();
    not_held(spool.withdraw(vec![shot], NOW_MS, NOW_MS).await, shot);
    spool.settle(shot, Settlement::Later).await.unwrap();
    spool.withdraw(vec![shot], NOW_MS, NOW_MS).await.unwrap();
    not_held(spool.withdraw(vec![shot], NOW_MS, NOW_MS).await, shot);
}

#[tokio::test]
async fn no_byte_of_a_withdrawn_payload_is_left_in_any_file_of_the_spool() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir);
    let mut secrets = Vec::new();
    // Pictures fill pages of their own, minutes share them with their neighbours.
    for n in 0..120_i64 {
        let secret = format!("secret-{n:04}-{:016x}", n * 7_919 + 3);
        let (kind, repeat) = if n % 3 == 0 {
            (Kind::Screenshot, 700)
        } else {
            (Kind::Activity, 9)
        };
        let draft = held(kind, NOW_MS + n, secret.repeat(repeat).as_bytes());
        let id = spool.push(draft).await.unwrap().record_id;
        secrets.push((id, secret));
    }
    assert!(is_in_a_file(dir.path(), secrets[60].1.as_bytes()));
    for (n, (id, secret)) in secrets.iter().enumerate() {
        if n % 2 == 0 {
            spool
                .withdraw(vec![*id], NOW_MS + 200, NOW_MS + 200)
                .await
                .unwrap();
            assert!(!is_in_a_file(dir.path(), secret.as_bytes()), "{secret}");
        }
    }
    for (n, (id, secret)) in secrets.iter().enumerate() {
        let content = spool.held_content(*id, NOW_MS + 200).await.unwrap();
        assert_eq!(content.is_none(), n % 2 == 0, "{secret}");
        assert_eq!(is_in_a_file(dir.path(), secret.as_bytes()), n % 2 == 1);
    }
}
