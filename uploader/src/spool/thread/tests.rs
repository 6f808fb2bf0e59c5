//! The owning thread's batches where the database fails: nothing is half done, everybody hears why.

use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use glasshour_protocol::{DeviceId, Kind, LicenseId, RecordMeta};
use uuid::Uuid;

use super::super::{CapturedAt, DeviceIdentity, schema};
use super::*;

type Answer<T> = oneshot::Receiver<Result<T, SpoolError>>;

fn owner(folder: &Path) -> Owner {
    let identity = DeviceIdentity {
        device_id: DeviceId(Uuid::from_u128(2)),
        key: Arc::new(SigningKey::from_bytes(&[5; 32])),
    };
    let config = SpoolConfig::from(identity);
    let database = schema::open(&folder.join("spool.sqlite"), &config).unwrap();
    Owner::new(database, config, Leases::default())
}

fn push(payload: usize) -> (Request, Answer<Pushed>) {
    let (reply, answer) = oneshot::channel();
    let draft = Draft {
        license_id: LicenseId(Uuid::from_u128(3)),
        kind: Kind::Screenshot,
        captured: CapturedAt {
            wall_ms: 1_795_424_400_000,
            mono_ms: 1,
            boot_id: "boot".into(),
            utc_offset_min: 60,
        },
        content_type: "image/webp".into(),
        payload: vec![7; payload],
        meta: RecordMeta::default(),
        hold_until_ms: 0,
    };
    let draft = Box::new(draft);
    (Request::Push { draft, reply }, answer)
}

fn settle(id: RecordId, settlement: Settlement) -> (Request, Answer<()>) {
    let (reply, answer) = oneshot::channel();
    let settle = Request::Settle {
        id,
        settlement,
        reply,
    };
    (settle, answer)
}

/// A record that is kept, and lent.
fn lent(owner: &mut Owner) -> RecordId {
    let (request, mut answer) = push(10);
    owner.write(vec![request]);
    let pushed = answer.try_recv().unwrap().unwrap();
    owner.leases.lock().insert(pushed.record_id);
    pushed.record_id
}

fn waiting(owner: &Owner) -> u64 {
    rows::stats(&owner.database.connection).unwrap().waiting
}

#[test]
fn a_full_disk_is_called_so_and_nothing_of_the_batch_is_kept_unsaid() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = owner(folder.path());
    let connection = &owner.database.connection;
    let pages: i64 = connection
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    // Another cache than this would spill before it is full.
    connection.pragma_update(None, "cache_size", 10).unwrap();
    connection
        .pragma_update(None, "max_page_count", pages + 40)
        .unwrap();

    let (small, mut first) = push(10);
    let (large, mut second) = push(1 << 20);
    let (small_too, mut third) = push(10);
    owner.write(vec![small, large, small_too]);
    let answers = [&mut first, &mut second, &mut third].map(|answer| answer.try_recv().unwrap());
    assert!(
        matches!(answers[1], Err(SpoolError::DiskFull)),
        "{:?}",
        answers[1]
    );
    let kept = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(waiting(&owner), kept as u64, "{answers:?}");
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(refused, SpoolError::DiskFull), "{refused:?}");
    }

    // With room again it goes on.
    let connection = &owner.database.connection;
    connection
        .pragma_update(None, "max_page_count", pages + 4000)
        .unwrap();
    let (large, mut answer) = push(1 << 20);
    owner.write(vec![large]);
    let next = answer.try_recv().unwrap().unwrap();
    assert_eq!(next.seq, kept as u64 + 1);
}

#[test]
fn a_transaction_that_cannot_begin_answers_everybody_and_ends_their_leases() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = owner(folder.path());
    let id = lent(&mut owner);
    let connection = &owner.database.connection;
    connection.execute_batch("BEGIN").unwrap();

    let (pushed, mut first) = push(10);
    let (settled, mut second) = settle(id, Settlement::Delivered);
    owner.write(vec![pushed, settled]);
    assert!(matches!(first.try_recv(), Ok(Err(SpoolError::Database(_)))));
    assert!(matches!(
        second.try_recv(),
        Ok(Err(SpoolError::Database(_)))
    ));
    assert!(owner.leases.lock().is_empty());

    owner.database.connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(waiting(&owner), 1, "and it can be delivered again");
}

#[test]
fn counting_walks_two_indexes_and_not_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let owner = owner(folder.path());
    let explain = format!("EXPLAIN QUERY PLAN {}", rows::COUNTS);
    let mut statement = owner.database.connection.prepare(&explain).unwrap();
    let plan: Vec<String> = statement
        .query_map([], |row| row.get("detail"))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for index in ["records_by_age", "records_refused"] {
        let walked = format!("SCAN records USING INDEX {index}");
        assert!(plan.contains(&walked), "{plan:?}");
    }
}
