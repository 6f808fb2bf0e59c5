//! A spool's files are damaged in every way that a disk can: it is set aside, what is whole goes on, what is
//! not is counted, and no place in a chain is given twice.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use glasshour_protocol::withdrawal::{self, Reason};
use glasshour_protocol::{Kind, RecordId};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::{Leased, SealKey, Settlement, SpoolConfig};
use support::{LICENSE, NOW_MS, draft, identity, key};

const RECORDS: i64 = 60;
const DELIVERED: usize = 12;

/// A record as it was pushed.
#[derive(Clone)]
struct Pushed {
    seq: u64,
    payload: Vec<u8>,
    delivered: bool,
}

/// The files of a spool whose agent was killed: nothing has been carried over or tidied up.
struct Files {
    bytes: BTreeMap<&'static str, Vec<u8>>,
    pushed: BTreeMap<RecordId, Pushed>,
    /// The heads as they were before the last push.
    heads_before: Vec<u8>,
    /// The last push, where nobody was told of it.
    unheard: Option<RecordId>,
}

fn config(sealed: bool) -> SpoolConfig {
    SpoolConfig {
        seal: sealed.then(|| SealKey::new(&[9; 32])),
        ..identity().into()
    }
}

impl Files {
    async fn of_a_killed_agent(sealed: bool, checkpoint: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool.sqlite");
        let spool = Spool::open(&path, config(sealed)).unwrap();
        let mut random = fastrand::Rng::with_seed(5);
        let mut pushed = BTreeMap::new();
        let mut heads_before = Vec::new();
        for n in 0..RECORDS {
            if n == RECORDS - 1 {
                for record in spool.lease(DELIVERED, i64::MAX).await.unwrap() {
                    let id = record.record_id;
                    spool.settle(id, Settlement::Delivered).await.unwrap();
                    let was: &mut Pushed = pushed.get_mut(&id).unwrap();
                    was.delivered = true;
                }
            }
            heads_before = std::fs::read(dir.path().join("spool.heads")).unwrap();
            let (kind, length) = match n % 3 {
                0 => (Kind::Screenshot, random.usize(2_000..9_000)),
                _ => (Kind::Activity, random.usize(20..400)),
            };
            let payload: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
                .take(length)
                .collect();
            let record = spool
                .push(draft(LICENSE, kind, NOW_MS + n, &payload))
                .await
                .unwrap();
            let what = Pushed {
                seq: record.seq,
                payload,
                delivered: false,
            };
            pushed.insert(record.record_id, what);
        }
        if checkpoint {
            rusqlite::Connection::open(&path)
                .unwrap()
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
        }
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap_or_default();
        let bytes =
            ["spool.sqlite", "spool.sqlite-wal", "spool.heads"].map(|name| (name, read(name)));
        Self {
            bytes: bytes.into(),
            pushed,
            heads_before,
            unheard: None,
        }
    }

    fn lay_out(&self, folder: &Path) -> PathBuf {
        for (name, bytes) in &self.bytes {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        folder.join("spool.sqlite")
    }
}

/// What was found after the damage.
#[derive(Default, Debug)]
struct Outcome {
    whole: usize,
    headers: usize,
    gone: usize,
    salvaged: bool,
}

/// Opens what is left; capture must go on, and everything that is there must be true.
async fn after(path: &Path, files: &Files, sealed: bool) -> Outcome {
    let spool = Spool::open(path, config(sealed)).unwrap();
    let next = spool
        .push(draft(LICENSE, Kind::Activity, NOW_MS + RECORDS, b"{}"))
        .await
        .unwrap();
    let last = files
        .pushed
        .values()
        .map(|record| record.seq)
        .max()
        .unwrap();
    assert!(next.seq > last, "a place in the chain was given twice");

    let mut outcome = Outcome::default();
    let mut seen = BTreeSet::new();
    let mut hashes = BTreeMap::new();
    let mut sent_again = 0;
    let mut leased: Vec<Leased> = Vec::new();
    loop {
        // Damage that is met on the way is mended on the way.
        let more = spool.lease(16, i64::MAX).await.unwrap();
        if more.is_empty() {
            break;
        }
        leased.extend(more);
    }
    for record in &leased {
        let header = record.header.verify(&key().verifying_key()).unwrap();
        assert!(seen.insert(header.seq), "{} is there twice", header.seq);
        hashes.insert(header.seq, (record.header.hash(), header.prev.clone()));
        if record.record_id == next.record_id {
            continue;
        }
        let was = &files.pushed[&record.record_id];
        // Where the deletion of its row was hit, it is sent once more, and stored once.
        sent_again += usize::from(was.delivered);
        match &record.withdrawn {
            None => {
                assert!(record.payload == was.payload, "an altered payload was lent");
                outcome.whole += usize::from(!was.delivered);
            }
            Some(signed) => {
                let id = record.record_id;
                let read = withdrawal::verify(signed, id, &record.header, &key().verifying_key());
                assert_eq!(read.unwrap().reason, Reason::Damaged);
                outcome.headers += usize::from(!was.delivered);
            }
        }
    }
    for (seq, (_, prev)) in &hashes {
        if let Some((hash, _)) = hashes.get(&(seq - 1)) {
            assert_eq!(
                prev.as_ref(),
                Some(hash),
                "the chain is broken before {seq}"
            );
        }
    }
    let refused = usize::try_from(spool.stats().await.unwrap().quarantined).unwrap();
    let waiting = files.pushed.len() - DELIVERED;
    outcome.gone = waiting.saturating_sub(outcome.whole + outcome.headers + refused);
    let report = spool.report().await.unwrap();
    outcome.salvaged = report.salvages > 0;
    let counted = usize::try_from(report.missing).unwrap();
    let there = |id: RecordId| leased.iter().any(|record| record.record_id == id);
    let unheard = usize::from(files.unheard.is_some_and(|id| !there(id)));
    assert!(
        outcome.gone <= counted + sent_again + unheard,
        "{outcome:?}: gone without a word, {report:?}"
    );
    outcome
}

fn seeds() -> u64 {
    100
}

#[tokio::test]
async fn four_kilobytes_of_noise_anywhere_cost_what_they_hit_and_no_more() {
    let mut worst = 0;
    let mut gone = 0;
    for (sealed, checkpoint) in [(false, false), (false, true), (true, false), (true, true)] {
        let files = Files::of_a_killed_agent(sealed, checkpoint).await;
        for seed in 0..seeds() / 4 {
            let mut random = fastrand::Rng::with_seed(seed);
            let dir = tempfile::tempdir().unwrap();
            let path = files.lay_out(dir.path());
            let name = if checkpoint || random.bool() && !files.bytes["spool.sqlite"].is_empty() {
                "spool.sqlite"
            } else {
                "spool.sqlite-wal"
            };
            let mut bytes = files.bytes[name].clone();
            // Now on a page, now across two.
            let at = if random.bool() {
                random.usize(0..bytes.len() / 4096) * 4096
            } else {
                random.usize(0..bytes.len() - 4096)
            };
            random.fill(&mut bytes[at..at + 4096]);
            std::fs::write(dir.path().join(name), bytes).unwrap();
            let outcome = after(&path, &files, sealed).await;
            worst = worst.max(outcome.gone);
            gone += outcome.gone;
        }
    }
    println!(
        "{} tries: {gone} records gone in all, {worst} at the worst",
        seeds() / 4 * 4
    );
    // A page holds a dozen small records, and noise across two of them hits both.
    assert!(worst <= 40, "{worst} records were lost at once");
}

/// Killed after the last record was on disk and before the witness heard of it.
#[tokio::test]
async fn what_is_lost_is_counted_also_where_the_witness_is_a_record_behind() {
    let mut files = Files::of_a_killed_agent(true, true).await;
    let heads = files.heads_before.clone();
    files.bytes.insert("spool.heads", heads);
    let last = files.pushed.iter().max_by_key(|(_, record)| record.seq);
    files.unheard = last.map(|(id, _)| *id);
    let mut hit = 0;
    for seed in 0..seeds() / 4 {
        let mut random = fastrand::Rng::with_seed(seed);
        let dir = tempfile::tempdir().unwrap();
        let path = files.lay_out(dir.path());
        let mut bytes = files.bytes["spool.sqlite"].clone();
        let at = random.usize(1..bytes.len() / 4096) * 4096;
        random.fill(&mut bytes[at..at + 4096]);
        std::fs::write(&path, bytes).unwrap();
        hit += after(&path, &files, true).await.gone;
    }
    assert!(hit > 0);
}

#[tokio::test]
async fn a_log_or_a_database_that_is_cut_short_anywhere_gives_no_place_twice() {
    let mut salvages = 0;
    for checkpoint in [false, true] {
        let files = Files::of_a_killed_agent(true, checkpoint).await;
        let name = if checkpoint {
            "spool.sqlite"
        } else {
            "spool.sqlite-wal"
        };
        for seed in 0..seeds() / 2 {
            let mut random = fastrand::Rng::with_seed(seed);
            let dir = tempfile::tempdir().unwrap();
            let path = files.lay_out(dir.path());
            let bytes = &files.bytes[name];
            let to = match seed {
                0 => 0,
                1 => bytes.len() - 1,
                _ => random.usize(0..bytes.len()),
            };
            std::fs::write(dir.path().join(name), &bytes[..to]).unwrap();
            salvages += usize::from(after(&path, &files, true).await.salvaged);
        }
    }
    println!("{salvages} of {} files were set aside", seeds() / 2 * 2);
    assert!(salvages > 0);
}

#[tokio::test]
async fn without_the_witness_a_chain_jumps_ahead_and_what_is_sound_is_left_alone() {
    let files = Files::of_a_killed_agent(false, false).await;
    // Sound, and the file of the heads is missing: of an older version, or lost.
    let dir = tempfile::tempdir().unwrap();
    let path = files.lay_out(dir.path());
    std::fs::remove_file(dir.path().join("spool.heads")).unwrap();
    let outcome = after(&path, &files, false).await;
    assert!(!outcome.salvaged && outcome.gone == 0, "{outcome:?}");

    // Damaged, and missing.
    let dir = tempfile::tempdir().unwrap();
    let path = files.lay_out(dir.path());
    std::fs::remove_file(dir.path().join("spool.heads")).unwrap();
    std::fs::write(dir.path().join("spool.sqlite-wal"), b"").unwrap();
    std::fs::write(&path, vec![3; 8192]).unwrap();
    let spool = Spool::open(&path, config(false)).unwrap();
    let pushed = spool.push(draft(LICENSE, Kind::Activity, NOW_MS, b"{}"));
    // Nothing at all is left that knows of the chain: it begins anew.
    assert_eq!(pushed.await.unwrap().seq, 1);
}

#[tokio::test]
async fn a_crash_while_the_new_file_takes_its_place_is_finished_by_the_next_start() {
    let files = Files::of_a_killed_agent(false, false).await;
    let dir = tempfile::tempdir().unwrap();
    let path = files.lay_out(dir.path());
    // The new file is whole under its other name, the log is renamed, the damaged one is not.
    let whole = tempfile::tempdir().unwrap();
    let sound = files.lay_out(whole.path());
    rusqlite::Connection::open(&sound)
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    std::fs::copy(&sound, dir.path().join("spool.sqlite.rebuilt")).unwrap();
    std::fs::write(&path, vec![1; 4096]).unwrap();
    std::fs::remove_file(dir.path().join("spool.sqlite-wal")).unwrap();
    let outcome = after(&path, &files, false).await;
    assert_eq!((outcome.gone, outcome.headers), (0, 0), "{outcome:?}");
    assert!(!dir.path().join("spool.sqlite.rebuilt").exists());
}

#[tokio::test]
async fn what_the_employee_deletes_is_not_kept_in_a_file_that_was_set_aside() {
    let files = Files::of_a_killed_agent(false, true).await;
    let dir = tempfile::tempdir().unwrap();
    let path = files.lay_out(dir.path());
    let mut bytes = files.bytes["spool.sqlite"].clone();
    bytes[..4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let spool = Spool::open(&path, config(false)).unwrap();
    let set_aside = || {
        let entries = std::fs::read_dir(dir.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().contains(".damaged-"))
            .count()
    };
    assert!(set_aside() > 0);
    let mut held = draft(LICENSE, Kind::Screenshot, NOW_MS, b"picture");
    held.hold_until_ms = NOW_MS + 60_000;
    let id = spool.push(held).await.unwrap().record_id;
    spool.withdraw(vec![id], NOW_MS, NOW_MS).await.unwrap();
    assert_eq!(set_aside(), 0);
}
