//! The spool against a model of it in memory, with a crash between any two steps, and in the middle of one.
//!
//! A crash is what a power cut leaves: everything that was flushed, and of what was being written any part
//! from its beginning. The spool writes by appending to its log, so the state in the middle of a step
//! is the files of before it with the log of after it, cut anywhere behind its old end; where a step did
//! something else (a checkpoint), only its two ends are states. The file of the heads is not flushed: it
//! may be of before or of after.
//!
//! The oracle: what was acknowledged is there, in the state that was acknowledged; what was under way
//! when it crashed is there wholly or not at all; no record is there twice, and no place in a chain
//! was given twice to anybody who heard of it.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use glasshour_protocol::withdrawal::{self, Reason};
use glasshour_protocol::{Kind, RecordHeader, RecordId};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::{Leased, SealKey, Settlement, SpoolConfig};
use proptest::prelude::*;
use support::{LICENSE, NOW_MS, draft, identity, key};
use tempfile::TempDir;

const HOLD_MS: i64 = 1_000_000_000;

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    Push { held: bool, bytes: usize },
    Lease(usize),
    Settle(End),
    Withdraw(usize),
    Restart,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Delivered,
    Later,
    Refused,
    Superseded,
}

/// Where a step is cut off: nowhere, before it, after it, or so many thousandths through what it writes.
#[derive(Clone, Copy, Debug)]
enum Cut {
    No,
    Before,
    After,
    Within {
        thousandths: usize,
        heads_written: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (prop::bool::weighted(0.3), 0_usize..9_000)
            .prop_map(|(held, bytes)| Step::Push { held, bytes }),
        2 => (1_usize..5).prop_map(Step::Lease),
        3 => prop_oneof![
            4 => Just(End::Delivered),
            2 => Just(End::Later),
            1 => Just(End::Refused),
            1 => Just(End::Superseded),
        ].prop_map(Step::Settle),
        1 => (0_usize..8).prop_map(Step::Withdraw),
        1 => Just(Step::Restart),
    ]
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        5 => Just(Cut::No),
        1 => Just(Cut::Before),
        1 => Just(Cut::After),
        3 => (0_usize..1000, any::<bool>())
            .prop_map(|(thousandths, heads_written)| Cut::Within { thousandths, heads_written }),
    ]
}

/// What the model knows of a record.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    seq: u64,
    payload: Vec<u8>,
    held: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Withdrawn(Reason),
    Refused,
    Delivered,
}

type Model = BTreeMap<RecordId, Known>;

/// The spool's files at one moment.
#[derive(Clone, Debug, PartialEq)]
struct Files {
    database: Vec<u8>,
    log: Vec<u8>,
    heads: Vec<u8>,
}

impl Files {
    fn of(folder: &Path) -> Self {
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap_or_default();
        Self {
            database: read("spool.sqlite"),
            log: read("spool.sqlite-wal"),
            heads: read("spool.heads"),
        }
    }

    /// The state in the middle of a step, if it has one.
    fn within(&self, after: &Self, thousandths: usize, heads_written: bool) -> Option<Self> {
        let appended = self.database == after.database
            && after.log.len() >= self.log.len()
            && after.log.starts_with(&self.log);
        let at = self.log.len()
            + (after.log.len() - self.log.len().min(after.log.len())) * thousandths / 1000;
        appended.then(|| Self {
            database: self.database.clone(),
            log: after.log.get(..at).unwrap_or_default().to_vec(),
            // It is written when the log is.
            heads: if heads_written && at == after.log.len() {
                after.heads.clone()
            } else {
                self.heads.clone()
            },
        })
    }

    fn lay_out(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in [
            ("spool.sqlite", &self.database),
            ("spool.sqlite-wal", &self.log),
            ("spool.heads", &self.heads),
        ] {
            if !bytes.is_empty() {
                std::fs::write(dir.path().join(name), bytes).unwrap();
            }
        }
        dir
    }
}

struct World {
    dir: TempDir,
    spool: Spool,
    model: Model,
    lent: BTreeSet<RecordId>,
    pushes: i64,
    /// The highest place that anybody was told.
    told: u64,
    crashes: usize,
}

fn config() -> SpoolConfig {
    SpoolConfig {
        seal: Some(SealKey::new(&[4; 32])),
        ..identity().into()
    }
}

fn open(dir: &TempDir) -> Spool {
    Spool::open(&dir.path().join("spool.sqlite"), config()).unwrap()
}

async fn close(spool: Spool, dir: &TempDir) {
    drop(spool);
    let lock = std::fs::File::open(dir.path().join("spool.lock")).unwrap();
    while lock.try_lock().is_err() {
        tokio::task::yield_now().await;
    }
}

fn header(record: &Leased) -> RecordHeader {
    record.header.verify(&key().verifying_key()).unwrap()
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            spool: open(&dir),
            dir,
            model: Model::new(),
            lent: BTreeSet::new(),
            pushes: 0,
            told: 0,
            crashes: 0,
        }
    }

    /// Carries a step out; the model follows what was acknowledged.
    async fn step(&mut self, step: &Step) {
        match *step {
            Step::Push { held, bytes } => {
                self.pushes += 1;
                let tag = self.pushes.to_le_bytes();
                let payload: Vec<u8> = tag.iter().copied().cycle().take(bytes).collect();
                let mut draft = draft(LICENSE, Kind::Activity, NOW_MS + self.pushes, &payload);
                if held {
                    draft.hold_until_ms = HOLD_MS + NOW_MS;
                }
                let pushed = self.spool.push(draft).await.unwrap();
                assert!(pushed.seq > self.told, "a place was given twice");
                self.told = pushed.seq;
                let known = Known {
                    seq: pushed.seq,
                    payload,
                    held,
                    state: State::Waiting,
                };
                self.model.insert(pushed.record_id, known);
            }
            Step::Lease(most) => {
                let leased = self.spool.lease(most, NOW_MS + 1_000_000).await.unwrap();
                assert!(leased.len() <= most);
                for record in &leased {
                    self.check(record);
                    assert!(self.lent.insert(record.record_id), "lent twice");
                    assert!(!self.model.get(&record.record_id).unwrap().held);
                }
            }
            Step::Settle(end) => {
                let Some(id) = self.lent.pop_first() else {
                    return;
                };
                let known = self.model.get_mut(&id).unwrap();
                let (settlement, state) = match end {
                    End::Delivered => (Settlement::Delivered, State::Delivered),
                    End::Later => (Settlement::Later, known.state),
                    End::Refused => {
                        let (code, message) = ("c".into(), "m".into());
                        (Settlement::Quarantined { code, message }, State::Refused)
                    }
                    End::Superseded => (
                        Settlement::Superseded { at_ms: NOW_MS },
                        match known.state {
                            State::Waiting => State::Withdrawn(Reason::Superseded),
                            other => other,
                        },
                    ),
                };
                self.spool.settle(id, settlement).await.unwrap();
                known.state = state;
            }
            Step::Withdraw(which) => {
                let held = |(_, known): &(&RecordId, &mut Known)| {
                    known.held && known.state == State::Waiting
                };
                let mut all = self.model.iter_mut().filter(held);
                let Some((id, known)) = all.nth(which) else {
                    return;
                };
                self.spool
                    .withdraw(vec![*id], NOW_MS, NOW_MS)
                    .await
                    .unwrap();
                known.state = State::Withdrawn(Reason::Employee);
                // Nothing is left to look at, so that it is gone is told at once.
                known.held = false;
            }
            Step::Restart => {
                self.lent.clear();
                self.reopen().await;
            }
        }
    }

    /// The files as they are when the owning thread has come to rest: what it does behind an answer (the
    /// emptying of the log) is done, so that the copies of several files are of one moment.
    async fn files(&self) -> Files {
        for _ in 0..2 {
            self.spool.stats().await.unwrap();
        }
        Files::of(self.dir.path())
    }

    async fn reopen(&mut self) {
        let elsewhere = tempfile::tempdir().unwrap();
        let standing_in = open(&elsewhere);
        let old = std::mem::replace(&mut self.spool, standing_in);
        close(old, &self.dir).await;
        self.spool = open(&self.dir);
    }

    /// Goes on from what a crash has left.
    fn crash(&mut self, files: &Files) {
        self.crashes += 1;
        let dir = files.lay_out();
        self.spool = open(&dir);
        self.dir = dir;
        self.lent.clear();
    }

    fn check(&self, record: &Leased) {
        let known = &self.model.get(&record.record_id).expect("it was pushed");
        let header = header(record);
        assert_eq!(header.seq, known.seq);
        match known.state {
            State::Waiting => {
                assert_eq!(record.withdrawn, None);
                assert!(
                    record.payload == known.payload,
                    "its payload is another one"
                );
            }
            State::Withdrawn(reason) => {
                assert!(record.payload.is_empty());
                let signed = record.withdrawn.as_ref().expect("it was withdrawn");
                assert_eq!(withdrawal::parse(signed).unwrap().reason, reason);
            }
            other => unreachable!("{other:?} is not lent"),
        }
    }

    /// What is there, in full; the leases that this takes are given back.
    async fn look(&self) -> (BTreeMap<RecordId, Leased>, u64, u64) {
        self.spool.release(self.lent.iter().copied());
        let leased = self.spool.lease(10_000, i64::MAX).await.unwrap();
        self.spool
            .release(leased.iter().map(|record| record.record_id));
        let stats = self.spool.stats().await.unwrap();
        let mut all = BTreeMap::new();
        for record in leased {
            assert!(
                all.insert(record.record_id, record).is_none(),
                "there twice"
            );
        }
        (all, stats.quarantined, stats.delivered)
    }

    /// Whether the spool holds what the model says.
    async fn agrees(&self, model: &Model) -> Result<(), String> {
        let (there, refused, delivered) = self.look().await;
        let mut hashes: BTreeMap<u64, (String, Option<String>)> = BTreeMap::new();
        for (id, record) in &there {
            let Some(known) = model.get(id) else {
                return Err(format!("{id} is there and was not pushed"));
            };
            let is = match &record.withdrawn {
                None => State::Waiting,
                Some(signed) => State::Withdrawn(withdrawal::parse(signed).unwrap().reason),
            };
            if is != known.state {
                return Err(format!("{id} is {is:?}, not {:?}", known.state));
            }
            if is == State::Waiting && record.payload != known.payload {
                return Err(format!("{id} has another payload"));
            }
            let header = header(record);
            hashes.insert(header.seq, (record.header.hash(), header.prev));
        }
        for (seq, (_, prev)) in &hashes {
            if let Some((hash, _)) = hashes.get(&(seq - 1))
                && prev.as_ref() != Some(hash)
            {
                return Err(format!("the chain is broken before {seq}"));
            }
        }
        let count = |wanted: State| model.values().filter(|known| known.state == wanted).count();
        let waiting = model.len() - count(State::Refused) - count(State::Delivered);
        let found = (there.len(), refused, delivered);
        let expected = (
            waiting,
            count(State::Refused) as u64,
            count(State::Delivered) as u64,
        );
        (found == expected)
            .then_some(())
            .ok_or_else(|| format!("{found:?} (waiting, refused, delivered), not {expected:?}"))
    }
}

/// After a crash in the middle of a step it has happened, or it has not.
async fn settle_on(world: &mut World, before: &(Model, u64), after: &(Model, u64)) {
    let (mut failures, mut states) = (Vec::new(), [after, before].into_iter());
    let found = loop {
        let Some((model, told)) = states.next() else {
            break None;
        };
        match world.agrees(model).await {
            Ok(()) => break Some((model.clone(), *told)),
            Err(failure) => failures.push(failure),
        }
    };
    let (model, told) = found.unwrap_or_else(|| unreachable!("neither: {failures:?}"));
    world.model = model;
    // Whoever was not answered was told nothing.
    world.told = told;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_is_lost_nothing_is_there_twice_and_the_chain_is_whole_whatever_crashes_when(
        steps in prop::collection::vec((step(), cut()), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for (step, cut) in steps {
                let before = (world.model.clone(), world.told);
                let files = world.files().await;
                if matches!(cut, Cut::Before) {
                    world.crash(&files);
                    world.agrees(&before.0).await.unwrap();
                }
                world.step(&step).await;
                match cut {
                    Cut::No | Cut::Before => {}
                    Cut::After => {
                        let files = world.files().await;
                        world.crash(&files);
                        world.agrees(&world.model).await.unwrap();
                    }
                    Cut::Within { thousandths, heads_written } => {
                        let later = world.files().await;
                        if let Some(torn) = files.within(&later, thousandths, heads_written) {
                            let after = (world.model.clone(), world.told);
                            world.crash(&torn);
                            settle_on(&mut world, &before, &after).await;
                        }
                    }
                }
            }
            world.agrees(&world.model).await.unwrap();
        });
    }
}
