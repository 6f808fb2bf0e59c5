//! Group commit: records that arrive at the same time share one flush to disk.
//!
//! Requests put their record in a queue and wait. One task at a time takes what is there: pictures are
//! written and flushed together, then all rows go into one transaction, then each request gets its own
//! answer. While it flushes, the next ones gather; nobody waits for company that does not come. A record
//! that fails undoes only itself (savepoint); where the flush fails, none of them is acknowledged.
//!
//! The queue is bounded by [`Room`](crate::room::Room): every record in it holds its share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glasshour_protocol::{CompanyId, Receipt, code};
use tokio::sync::{RwLock, oneshot};
use tokio_util::task::TaskTracker;

use super::store::{self, Incoming};
use crate::AppState;
use crate::error::ApiError;
use crate::objects::ObjectKey;

/// Most records that share one flush.
const MOST: usize = 128;

/// Takes records to disk, many at a time.
#[derive(Debug)]
pub struct Committer {
    queue: Mutex<Queue>,
    most: usize,
    tasks: TaskTracker,
    flushes: AtomicU64,
    /// Held (shared) from before a picture is written until its row is there: whoever removes pictures
    /// without a row takes it alone.
    pictures: RwLock<()>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether a task takes them.
    taken: bool,
}

#[derive(Debug)]
struct Waiting {
    record: Incoming,
    reply: oneshot::Sender<Result<Receipt, ApiError>>,
}

impl Default for Committer {
    fn default() -> Self {
        Self::of_most(MOST)
    }
}

/// Whoever takes the queue gives it back, also when a batch panics: what it had is answered with an
/// error, and the rest finds the next taker.
struct Turn<'a>(&'a Committer);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.queue().taken = false;
    }
}

impl Committer {
    /// One that flushes for at most so many records together.
    pub fn of_most(most: usize) -> Self {
        Self {
            queue: Mutex::default(),
            most: most.max(1),
            tasks: TaskTracker::new(),
            flushes: AtomicU64::new(0),
            pictures: RwLock::default(),
        }
    }

    /// How many transactions were made durable.
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Waits until nothing is under way.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Keeps new records out while pictures without a row are removed.
    pub(crate) async fn keep_out(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        self.pictures.write().await
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a record durable and returns its receipt. What was begun ends even where nobody waits for
    /// it any more.
    pub(super) async fn store(
        self: &Arc<Self>,
        state: &AppState,
        record: Incoming,
    ) -> Result<Receipt, ApiError> {
        let (reply, answer) = oneshot::channel();
        let begin = {
            let mut queue = self.queue();
            queue.waiting.push_back(Waiting { record, reply });
            !std::mem::replace(&mut queue.taken, true)
        };
        if begin {
            let (this, state) = (Arc::clone(self), state.clone());
            self.tasks.spawn(async move { this.run(&state).await });
        }
        answer
            .await
            .unwrap_or_else(|_| Err(ApiError::internal("a batch of records was given up")))
    }

    async fn run(&self, state: &AppState) {
        let turn = Turn(self);
        loop {
            let batch: Vec<_> = {
                let mut queue = self.queue();
                let most = self.most.min(queue.waiting.len());
                if most == 0 {
                    // Under the lock: whoever comes next begins a task of its own.
                    queue.taken = false;
                    std::mem::forget(turn);
                    return;
                }
                queue.waiting.drain(..most).collect()
            };
            let _held = self.pictures.read().await;
            let with_pictures = write_pictures(state, batch).await;
            for (company, records) in by_company(with_pictures) {
                self.write_rows(state, company, records).await;
            }
        }
    }

    /// One transaction for all; each is answered when it is durable.
    async fn write_rows(&self, state: &AppState, company: CompanyId, batch: Vec<Waiting>) {
        let (mut answers, failed) = match insert(state, company, &batch).await {
            Ok(answers) => (answers.into_iter(), None),
            Err(error) => (Vec::new().into_iter(), Some(error)),
        };
        self.flushes.fetch_add(1, Ordering::Relaxed);
        if failed.is_none() {
            state.looks.database_was_written();
        }
        if let Some(error) = &failed {
            error.log();
            if error.code != code::BUSY {
                // What the disk refused to write or to flush may not be trusted: the next ones begin
                // with a file handle of their own.
                state.db.reopen_writer().await;
            }
        }
        for waiting in batch {
            let answer = match &failed {
                None => answers.next().unwrap_or_else(|| Err(ApiError::busy())),
                Some(error) => Err(error.again()),
            };
            // Nobody waits any more where the client went away: the record is stored all the same.
            let _ = waiting.reply.send(answer);
        }
    }
}

/// Writes the pictures of a batch; what cannot be written is answered, and is not among the rest.
async fn write_pictures(state: &AppState, batch: Vec<Waiting>) -> Vec<Waiting> {
    let mut named = Vec::new();
    let mut rest = Vec::new();
    for waiting in batch {
        let record = &waiting.record;
        if !record.content.is_picture() {
            rest.push(waiting);
            continue;
        }
        match ObjectKey::new(record.company, &record.header.payload_sha256) {
            Ok(key) => named.push((key, waiting)),
            Err(error) => drop(waiting.reply.send(Err(error.into()))),
        }
    }
    if named.is_empty() {
        return rest;
    }
    let objects = named
        .iter()
        .map(|(key, waiting)| (key.clone(), waiting.record.bytes.clone()))
        .collect();
    let kept = state.objects.put_all(objects).await;
    for ((_, waiting), kept) in named.into_iter().zip(kept) {
        match kept {
            Ok(()) => rest.push(waiting),
            Err(error) => drop(waiting.reply.send(Err(error.into()))),
        }
    }
    rest
}

/// By company, and within it by device: transactions of several servers that touch the same devices
/// do so in one order.
fn by_company(batch: Vec<Waiting>) -> BTreeMap<CompanyId, Vec<Waiting>> {
    let mut companies: BTreeMap<_, Vec<Waiting>> = BTreeMap::new();
    for waiting in batch {
        let company = waiting.record.company;
        companies.entry(company).or_default().push(waiting);
    }
    for records in companies.values_mut() {
        records.sort_by_key(|waiting| waiting.record.device.device_id);
    }
    companies
}

/// The outer error means that nothing is stored.
async fn insert(
    state: &AppState,
    company: CompanyId,
    batch: &[Waiting],
) -> Result<Vec<Result<Receipt, ApiError>>, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(company).await?;
    let mut answers = Vec::with_capacity(batch.len());
    for waiting in batch {
        write.savepoint().await?;
        let answer = store::store(&mut write, &waiting.record, now_ms).await;
        match &answer {
            Ok(_) => write.release().await?,
            // Fails where the database has given the whole transaction up, as on a full disk.
            Err(_) if write.roll_back().await.is_err() => return answer.map(|_| Vec::new()),
            Err(_) => {}
        }
        answers.push(answer);
    }
    write.commit().await?;
    Ok(answers)
}
