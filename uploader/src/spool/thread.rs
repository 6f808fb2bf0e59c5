//! The thread that owns the spool's database: takes requests in batches, commits, then answers.

use glasshour_protocol::{LicenseId, RecordId};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::heads::Head;
use super::held::{self, Content, Held, WithdrawError, Withdrawn};
use super::rows::{Kept, Wanted};
use super::schema::{self, Database};
use super::{
    Draft, Leased, Leases, Pushed, Refusal, Settlement, Shot, SpoolConfig, SpoolError, SpoolReport,
    SpoolStats, reserve, rows, shots,
};

/// Most requests that share one transaction and so one flush to disk.
const BATCH: usize = 64;

/// One request with the place for its answer.
pub(super) enum Request {
    Push {
        draft: Box<Draft>,
        reply: oneshot::Sender<Result<Pushed, SpoolError>>,
    },
    Lease {
        most: usize,
        now_ms: i64,
        except: Vec<LicenseId>,
        reply: oneshot::Sender<Result<Vec<Leased>, SpoolError>>,
    },
    Settle {
        id: RecordId,
        settlement: Settlement,
        reply: oneshot::Sender<Result<(), SpoolError>>,
    },
    Stats {
        reply: oneshot::Sender<Result<SpoolStats, SpoolError>>,
    },
    Report {
        reply: oneshot::Sender<Result<SpoolReport, SpoolError>>,
    },
    Refusals {
        most: usize,
        reply: oneshot::Sender<Result<Vec<Refusal>, SpoolError>>,
    },
    RefusedOf {
        licenses: Vec<LicenseId>,
        reply: oneshot::Sender<Result<u64, SpoolError>>,
    },
    Shots {
        reply: oneshot::Sender<Result<Vec<Shot>, SpoolError>>,
    },
    Held {
        now_ms: i64,
        reply: oneshot::Sender<Result<Vec<Held>, SpoolError>>,
    },
    HeldCount {
        now_ms: i64,
        reply: oneshot::Sender<Result<u64, SpoolError>>,
    },
    HoldEnds {
        now_ms: i64,
        reply: oneshot::Sender<Result<Option<i64>, SpoolError>>,
    },
    HeldContent {
        id: RecordId,
        now_ms: i64,
        reply: oneshot::Sender<Result<Option<Content>, SpoolError>>,
    },
    Withdraw {
        ids: Vec<RecordId>,
        /// By the clock of the holds, and by the wall clock.
        now: (i64, i64),
        reply: oneshot::Sender<Result<(), WithdrawError>>,
    },
    Withdrawn {
        since_ms: i64,
        reply: oneshot::Sender<Result<Vec<Withdrawn>, SpoolError>>,
    },
}

/// What a write of a batch came to, before the batch is on disk.
enum Done {
    Pushed(LicenseId, Kept),
    /// So many rows went.
    Settled(usize),
}

/// What became of each write of a transaction.
type Committed = rusqlite::Result<std::vec::IntoIter<Result<Done, SpoolError>>>;

pub(super) struct Owner {
    database: Database,
    config: SpoolConfig,
    leases: Leases,
    /// Something was met that is not what was written.
    damaged: bool,
    /// The write-ahead log may still hold what was withdrawn.
    log_holds_deleted: bool,
}

impl Owner {
    pub(super) fn new(database: Database, config: SpoolConfig, leases: Leases) -> Self {
        Self {
            database,
            config,
            leases,
            damaged: false,
            // A crash may have come between a withdrawal and the emptying of the log.
            log_holds_deleted: true,
        }
    }

    /// Serves until every handle is gone, or until the database is damaged beyond mending: then nothing
    /// more is kept here, and everybody is told that the spool is closed.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH);
        while inbox.blocking_recv_many(&mut batch, BATCH) > 0 {
            let (writes, reads): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .partition(|r| matches!(r, Request::Push { .. } | Request::Settle { .. }));
            if !writes.is_empty() {
                self.write(writes);
            }
            for request in reads {
                self.read(request);
            }
            if self.damaged && !self.mend() {
                return;
            }
            if self.log_holds_deleted {
                self.empty_log();
            }
        }
    }

    /// Few transactions for many writes; payloads are kept from making one of them so large that the log
    /// grows beyond what the reserve can carry over.
    fn write(&mut self, requests: Vec<Request>) {
        let mut together = Vec::with_capacity(requests.len());
        let mut bytes = 0;
        for request in requests {
            let more = match &request {
                Request::Push { draft, .. } => draft.payload.len(),
                _ => 0,
            };
            if bytes + more > reserve::TRANSACTION_BYTES && !together.is_empty() {
                self.write_together(std::mem::take(&mut together));
                bytes = 0;
            }
            bytes += more;
            together.push(request);
        }
        self.write_together(together);
    }

    /// One transaction for all of them. A failed statement fails its own request; a failed begin or
    /// commit, or a fault for which SQLite gives the whole transaction up, fails them all.
    fn write_together(&mut self, requests: Vec<Request>) {
        // Where the reserve is given up, what room there is belongs to what is to be struck off.
        let mut pushes = true;
        if requests.iter().any(|r| matches!(r, Request::Push { .. })) {
            pushes = self.database.reserve.hold();
        }
        let mut committed = self.transact(&requests, pushes);
        let damaged = |result: &Result<_, _>| match result {
            Err(error) => schema::is_damage(error),
            Ok(_) => false,
        };
        if damaged(&committed) && self.mend() {
            committed = self.transact(&requests, pushes);
        }
        if not_struck_off(&requests, &committed) {
            committed = self.strike_off(&requests);
        }
        self.damaged |= damaged(&committed);
        if let Err(error) = &committed {
            tracing::error!(%error, "the spool could not commit");
        }
        // What was settled is no longer lent, even where that could not be written down.
        for request in &requests {
            if let Request::Settle { id, .. } = request {
                self.leases.lock().remove(id);
            }
        }
        for request in requests {
            let result = match &mut committed {
                Ok(results) => results.next().expect("one for each request"),
                Err(error) => Err(classify(error)),
            };
            match (request, result) {
                (Request::Push { reply, .. }, Ok(Done::Pushed(_, kept))) => {
                    let _ = reply.send(match kept {
                        Kept::Record(pushed, _) => Ok(pushed),
                        Kept::Full => Err(SpoolError::Full),
                        Kept::Unsealed => Err(SpoolError::Seal(super::SealError)),
                    });
                }
                (Request::Push { reply, .. }, Err(error)) => {
                    let _ = reply.send(Err(error));
                }
                (Request::Settle { reply, .. }, result) => {
                    let _ = reply.send(result.map(drop));
                }
                _ => unreachable!("a push is answered with what was pushed"),
            }
        }
        self.database.tidy();
    }

    /// On a full disk: what is settled is struck off with the room of the reserve, and nothing is pushed.
    fn strike_off(&mut self, requests: &[Request]) -> Committed {
        self.database.make_room();
        let committed = self.transact(requests, false);
        if !not_struck_off(requests, &committed) {
            return committed;
        }
        // Overwriting what is deleted takes as much room as it had. Rather than send it for ever it is left
        // in free pages, sealed as it is.
        let connection = &self.database.connection;
        connection.pragma_update(None, "secure_delete", "FAST")?;
        let committed = self.transact(requests, false);
        let connection = &self.database.connection;
        if let Err(error) = connection.pragma_update(None, "secure_delete", "ON") {
            tracing::error!(%error, "what is deleted from the spool may not be overwritten");
        }
        committed
    }

    /// Carries the writes out, but for pushes where there is no room for them; the error is the first that
    /// ended the transaction.
    fn transact(&mut self, requests: &[Request], pushes: bool) -> Committed {
        let transaction = self
            .database
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut results = Vec::with_capacity(requests.len());
        for request in requests {
            if !pushes && matches!(request, Request::Push { .. }) {
                results.push(Err(SpoolError::DiskFull));
                continue;
            }
            results.push(in_savepoint(&transaction, |t| match request {
                Request::Push { draft, .. } => rows::push(t, &self.config, draft)
                    .map(|kept| Done::Pushed(draft.license_id, kept)),
                Request::Settle { id, settlement, .. } => {
                    rows::settle(t, &self.config, (*id, settlement)).map(Done::Settled)
                }
                _ => unreachable!("reads are served by `read`"),
            })?);
        }
        transaction.commit()?;
        self.note_heads(&results);
        Ok(results.into_iter())
    }

    /// Before anybody hears of a place in a chain, it stands beside the database as well.
    fn note_heads(&mut self, results: &[Result<Done, SpoolError>]) {
        let heads = &mut self.database.heads;
        let device = self.config.identity.device_id;
        let mut rows = heads.rows().unwrap_or(0);
        let mut told = false;
        for result in results {
            match result {
                Ok(Done::Pushed(license, Kept::Record(record, hash))) => {
                    let (seq, hash) = (record.seq, hash.clone());
                    heads.note((device, *license), Head { seq, hash });
                    rows += 1;
                    told = true;
                }
                Ok(Done::Settled(gone)) if *gone > 0 => {
                    rows = rows.saturating_sub(*gone as u64);
                    told = true;
                }
                _ => {}
            }
        }
        heads.set_rows(rows);
        if told && let Err(error) = heads.write() {
            // The records are durable all the same; only the witness against a cut log is behind.
            tracing::warn!(%error, "the heads of the chains could not be written");
        }
    }

    /// Sets the damaged file aside and goes on with what is whole of it; false where that fails.
    fn mend(&mut self) -> bool {
        tracing::error!("the spool was damaged while it was in use");
        match self.database.mend(&self.config) {
            Ok(()) => {
                self.damaged = false;
                true
            }
            Err(error) => {
                tracing::error!(%error, "and could not be mended; nothing more is kept");
                self.damaged = true;
                false
            }
        }
    }

    fn read(&mut self, request: Request) {
        let connection = &self.database.connection;
        match request {
            Request::Lease {
                most,
                now_ms,
                except,
                reply,
            } => {
                let wanted = Wanted {
                    most,
                    now_ms,
                    except: &except,
                };
                let lent = rows::lease(connection, &self.config, &mut self.leases.lock(), &wanted);
                self.damaged |= match &lent {
                    Ok(lent) => lent.damaged,
                    Err(SpoolError::Database(error)) => schema::is_damage(error),
                    Err(_) => false,
                };
                let lent = lent.map(|lent| lent.records);
                // Nobody is there any more to settle them.
                if let Err(Ok(unheard)) = reply.send(lent) {
                    for record in unheard {
                        self.leases.lock().remove(&record.record_id);
                    }
                }
            }
            Request::Stats { reply } => {
                let _ = reply.send(rows::stats(connection));
            }
            Request::Report { reply } => {
                let _ = reply.send(rows::report(connection));
            }
            Request::Refusals { most, reply } => {
                let _ = reply.send(rows::refusals(connection, most));
            }
            Request::RefusedOf { licenses, reply } => {
                let _ = reply.send(rows::refused_of(connection, &licenses));
            }
            Request::Shots { reply } => {
                let _ = reply.send(shots::remembered(connection));
            }
            Request::Held { now_ms, reply } => {
                let _ = reply.send(held::list(connection, now_ms));
            }
            Request::HeldCount { now_ms, reply } => {
                let _ = reply.send(held::count(connection, now_ms));
            }
            Request::HoldEnds { now_ms, reply } => {
                let _ = reply.send(held::next_end(connection, now_ms));
            }
            Request::HeldContent { id, now_ms, reply } => {
                let _ = reply.send(held::content(connection, &self.config, id, now_ms));
            }
            Request::Withdraw { ids, now, reply } => {
                let _ = reply.send(self.withdraw(&ids, now));
            }
            Request::Withdrawn { since_ms, reply } => {
                let _ = reply.send(held::withdrawn(connection, since_ms));
            }
            Request::Push { .. } | Request::Settle { .. } => {
                unreachable!("writes are served by `write`")
            }
        }
    }
}

impl Owner {
    fn withdraw(&mut self, ids: &[RecordId], now: (i64, i64)) -> Result<(), WithdrawError> {
        // On its way to the server already: what is told about it would not hold.
        if let Some(lent) = ids.iter().find(|id| self.leases.lock().contains(id)) {
            return Err(WithdrawError::NotHeld(*lent));
        }
        let identity = &self.config.identity;
        held::withdraw(&mut self.database.connection, identity, ids, now)?;
        self.log_holds_deleted = true;
        self.empty_log();
        // It may be in a damaged file as well that was kept for whoever can read more of it.
        if let Err(error) = self.database.remove_set_aside() {
            tracing::error!(%error, "a damaged spool that was set aside could not be removed");
        }
        Ok(())
    }

    /// What was withdrawn is overwritten in the database; its older copy in the log goes with the log.
    fn empty_log(&mut self) {
        match held::empty_log(&self.database.connection) {
            Ok(true) => self.log_holds_deleted = false,
            Ok(false) => tracing::info!("a reader keeps the spool's log from being emptied"),
            Err(error) => tracing::error!(%error, "the spool's log could not be emptied"),
        }
    }
}

/// Whether something that is settled could not be struck off for want of room.
fn not_struck_off(requests: &[Request], committed: &Committed) -> bool {
    let settles = |request: &Request| matches!(request, Request::Settle { .. });
    match committed {
        Err(error) => reserve::is_full(error) && requests.iter().any(settles),
        Ok(results) => requests
            .iter()
            .zip(results.as_slice())
            .any(|(request, result)| {
                settles(request) && matches!(result, Err(SpoolError::DiskFull))
            }),
    }
}

/// Runs one request of a batch so that its failure undoes only itself.
///
/// The outer error means that the transaction is over: on a full disk, among others, SQLite may roll
/// all of it back by itself, and then nothing more may be asked of it as if it were still open.
fn in_savepoint<T>(
    transaction: &Transaction<'_>,
    request: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<Result<T, SpoolError>> {
    transaction.execute_batch("SAVEPOINT request")?;
    let error = match request(transaction) {
        Ok(done) => {
            transaction.execute_batch("RELEASE request")?;
            return Ok(Ok(done));
        }
        Err(error) => error,
    };
    if transaction.is_autocommit() {
        return Err(error);
    }
    match transaction.execute_batch("ROLLBACK TO request; RELEASE request") {
        Ok(()) => Ok(Err(classify(&error))),
        Err(_) => Err(error),
    }
}

/// `rusqlite::Error` is not `Clone`; what the callers tell apart is.
fn classify(error: &rusqlite::Error) -> SpoolError {
    match error {
        full if reserve::is_full(full) => SpoolError::DiskFull,
        rusqlite::Error::SqliteFailure(failure, message) => {
            SpoolError::Database(rusqlite::Error::SqliteFailure(*failure, message.clone()))
        }
        other => SpoolError::Row(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
