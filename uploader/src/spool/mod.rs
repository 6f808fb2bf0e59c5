//! The spool: one SQLite file per employer, owned by one thread.
//!
//! # Invariants
//! 1. `push` returns after the transaction is on disk (WAL, `synchronous=FULL`): a record whose push
//!    returned survives kill -9 and power cut.
//! 2. `seq` and `prev` are taken, the header is signed and the row is inserted in one transaction:
//!    the chain of a license never has a gap or a fork, whatever dies when.
//! 3. A row is deleted only by `settle(Delivered)`, in the transaction that counts it.
//! 4. Leases live in memory only. After a crash nothing is leased, so the worst that can happen is
//!    that a record is sent again; the server stores it once.
//! 5. The employee may withdraw a record while it is held: its payload is overwritten, and header,
//!    signature and a signed reason stay and are delivered in its place. [`held`] has the details.
//! 6. A payload that may not be sent (a newer license does not permit it) or that cannot be read any more
//!    goes the same way: dropped, counted, and its record delivered without it.
//! 7. No place in a chain is told to two pushers, even where the disk forgets what it had: `heads.rs`.
//! 8. One process: the lock file beside the database is held for as long as the spool is open.
//!
//! # Recovery
//! A crash needs none: SQLite replays the log. A database that is no database, that fails its check, that
//! is behind the heads (its log was cut short), or in which damage is met while it is in use, is set
//! aside as `….damaged-SECONDS-N`, and `salvage.rs` makes a new one of every record that proves itself
//! by its signature and its payload's hash or seal. What is lost is counted ([`SpoolReport`]).
//!
//! # Quota
//! Pictures make way as the file nears its quota, sessions and activity never: `quota.rs`.
//!
//! # A full disk
//! Captures are refused and say so. What was delivered is struck off all the same, with room that is held for
//! that (`reserve.rs`), and what the database leaves free goes back to the disk.
//!
//! # Order
//! Oldest first. Of a backlog, the last of several lent is one of the newest, so that what happens now is
//! seen while it drains; the others are the oldest, so that it does drain.
//!
//! # Layout
//! `records` holds the exact header bytes with their signature and the payload; the other columns are
//! copies for ordering. `seal` says how the payload is protected at rest (`seal.rs`): rows of before are
//! `none` and stay readable; `withdrawn` holds the signed withdrawal of a row without payload.
//! `withdrawals` remembers what the employee withdrew, for what that costs in time. `chains` holds the
//! last `seq` and header hash per device and license.
//! `counters` holds what must be known after the rows are gone: how many were delivered, what had to be
//! given up, and when delivered pictures had been taken (`shots.rs`). `marks` tells the key again that
//! payloads are sealed with. Beside the database lie `.lock`, `.heads`, `.reserve`, and what was set
//! aside.
//!
//! # Threading
//! [`Spool`] is a cheap handle. Requests go through a bounded channel (when it is full, pushers wait)
//! to the owning thread, which commits what is waiting in one transaction and then answers each with
//! its own typed reply.

mod heads;
pub mod held;
mod pages;
mod quota;
mod reserve;
mod rows;
mod salvage;
mod schema;
mod seal;
mod shots;
mod thread;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ed25519_dalek::SigningKey;
use glasshour_protocol::{DeviceId, Kind, LicenseId, RecordId, RecordMeta, SignedHeader};
use tokio::sync::{Notify, mpsc, oneshot};

pub use quota::DEFAULT_BYTES as DEFAULT_QUOTA_BYTES;
pub use seal::{KEY_BYTES, SealError, SealKey};

use held::{Content, Held, WithdrawError, Withdrawn};
pub(crate) use shots::MOST_SHOTS;
pub use shots::Shot;
use thread::Request;

/// Requests that may wait for the owning thread.
const QUEUE: usize = 256;

/// A capture that is to become a record.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The license that permitted it.
    pub license_id: LicenseId,
    /// What it is.
    pub kind: Kind,
    /// When it was captured.
    pub captured: CapturedAt,
    /// Media type of the payload.
    pub content_type: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// What else the header says.
    pub meta: RecordMeta,
    /// Not to be sent before this moment (license: `review_hold_s`), by the clock that
    /// [`Wall::holds_ms`](crate::send::Wall::holds_ms) reads, milliseconds;
    /// 0: at once.
    pub hold_until_ms: i64,
}

/// The clocks at the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedAt {
    /// UTC milliseconds.
    pub wall_ms: i64,
    /// Monotonic milliseconds of this boot.
    pub mono_ms: u64,
    /// The boot.
    pub boot_id: String,
    /// Offset of the local zone, minutes.
    pub utc_offset_min: i32,
}

/// A record that is durable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its id.
    pub record_id: RecordId,
    /// Its place in the chain.
    pub seq: u64,
}

/// A record lent to the sender until it is settled.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its id.
    pub record_id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its license.
    pub license_id: LicenseId,
    /// Header and signature, exactly as made.
    pub header: SignedHeader,
    /// Media type of the payload.
    pub content_type: String,
    /// The payload; empty where it was withdrawn.
    pub payload: Vec<u8>,
    /// The signed withdrawal, where the payload was withdrawn.
    pub withdrawn: Option<String>,
}

/// What became of a leased record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The server has it durably: the row goes.
    Delivered,
    /// Not now; it can be leased again.
    Later,
    /// A newer license does not permit it: its payload is dropped, and it is sent without, so that its
    /// place in the chain is kept.
    Superseded {
        /// When, UTC milliseconds.
        at_ms: i64,
    },
    /// The server (or gate 2) refuses it for good: the row stays, apart, with the reason.
    Quarantined {
        /// Stable code of the refusal.
        code: String,
        /// In a sentence.
        message: String,
    },
}

/// How a spool is to be kept.
#[derive(Clone, Debug)]
pub struct SpoolConfig {
    /// Who signs its records.
    pub identity: DeviceIdentity,
    /// What payloads are sealed with; `None`: they are kept as they are.
    pub seal: Option<SealKey>,
    /// How large it may grow, bytes, before pictures make way.
    pub quota_bytes: u64,
}

impl From<DeviceIdentity> for SpoolConfig {
    /// Not sealed, with the quota that holds where nothing else is said.
    fn from(identity: DeviceIdentity) -> Self {
        Self {
            identity,
            seal: None,
            quota_bytes: DEFAULT_QUOTA_BYTES,
        }
    }
}

/// What a spool had to give up since it was made, for `status`, `doctor` and health records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolReport {
    /// Pictures that were not kept because the spool was full, or nearly.
    pub not_kept: u64,
    /// Records whose payload was dropped because a newer license does not permit it.
    pub superseded: u64,
    /// How often a damaged file was set aside.
    pub salvages: u64,
    /// Records whose payload was lost with a damaged file; their places in the chain were kept.
    pub lost_payloads: u64,
    /// Records that were lost altogether with a damaged file.
    pub missing: u64,
}

/// Counts for `status`, `doctor` and health records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpoolStats {
    /// Records to be sent.
    pub waiting: u64,
    /// Records refused for good.
    pub quarantined: u64,
    /// Records delivered since the spool was made.
    pub delivered: u64,
}

/// The refusal of a quarantined record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The record.
    pub record_id: RecordId,
    /// The license that it was captured under, where that can be read.
    pub license_id: Option<LicenseId>,
    /// Its kind.
    pub kind: Kind,
    /// Stable code.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Whether anything was ever recorded under that license in the spool at that path, also while somebody
/// has it open.
///
/// # Errors
/// The file is there and cannot be read.
pub fn has_chain(path: &Path, license: LicenseId) -> Result<bool, SpoolError> {
    if !path.try_exists().unwrap_or(true) {
        return Ok(false);
    }
    rows::has_chain(path, license)
}

/// Why the spool could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("another Glasshour agent is running with {}: only one may", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder or the lock file cannot be used.
    #[error("cannot use {}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Written by a newer version.
    #[error("{} was written by a newer Glasshour (schema {found}, known {known}): update Glasshour", path.display())]
    TooNew {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Sealed with another key.
    #[error(
        "the spool {} was sealed with another key than the one on this computer: restore the key, or move \
         the spool away",
        path.display()
    )]
    Key {
        /// The database.
        path: PathBuf,
    },
    /// Not readable as a database, and not to be mended.
    #[error("the spool {} cannot be read; it is left as it is", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// Why a request to the spool failed.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk is full: nothing was written, the record is still the caller's.
    #[error("the disk is full: the record could not be kept")]
    DiskFull,
    /// The spool is as large as it may grow, or nearly: the picture was not kept, and is counted.
    #[error("the spool is full: the picture was not kept")]
    Full,
    /// A record could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Another fault of the database.
    #[error("the spool cannot be written or read")]
    Database(#[from] rusqlite::Error),
    /// The owning thread has ended.
    #[error("the spool is closed")]
    Closed,
    /// A row cannot be understood.
    #[error("the spool's record {0} cannot be read")]
    Row(String),
}

/// Who signs the records of a spool.
#[derive(Clone)]
pub struct DeviceIdentity {
    /// The device.
    pub device_id: DeviceId,
    /// Its key.
    pub key: Arc<SigningKey>,
}

impl std::fmt::Debug for DeviceIdentity {
    /// Never prints the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceIdentity")
            .field("device_id", &self.device_id)
            .finish_non_exhaustive()
    }
}

/// Which records are lent, shared by the owning thread and the handles.
#[derive(Clone, Debug, Default)]
struct Leases(Arc<Mutex<HashSet<RecordId>>>);

impl Leases {
    fn lock(&self) -> MutexGuard<'_, HashSet<RecordId>> {
        // A set of ids is whole between any two of its operations.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handle to a spool.
#[derive(Clone, Debug)]
pub struct Spool {
    requests: mpsc::Sender<Request>,
    pushed: Arc<Notify>,
    leases: Leases,
}

impl Spool {
    /// Opens (or makes) the spool in `path`, which names the database file, and starts its thread.
    ///
    /// Touches the disk; call it off the async runtime.
    pub fn open(path: &Path, config: impl Into<SpoolConfig>) -> Result<Self, OpenError> {
        let config = config.into();
        let database = schema::open(path, &config)?;
        let (requests, inbox) = mpsc::channel(QUEUE);
        let leases = Leases::default();
        let thread = thread::Owner::new(database, config, leases.clone());
        std::thread::Builder::new()
            .name("spool".into())
            .spawn(move || thread.run(inbox))
            .map_err(|source| OpenError::Io {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            requests,
            pushed: Arc::new(Notify::new()),
            leases,
        })
    }

    /// Keeps a record. It is durable when this returns.
    ///
    /// Not cancellation safe in the useful direction: a dropped future may still have pushed.
    pub async fn push(&self, draft: Draft) -> Result<Pushed, SpoolError> {
        let pushed = self
            .ask(|reply| Request::Push {
                draft: Box::new(draft),
                reply,
            })
            .await?;
        self.pushed.notify_one();
        pushed
    }

    /// Lends up to `most` of the oldest records that may be sent at `now_ms` and are not lent yet.
    ///
    /// A row that cannot be read is set aside with the code `unreadable`; the others are lent.
    pub async fn lease(&self, most: usize, now_ms: i64) -> Result<Vec<Leased>, SpoolError> {
        self.lease_except(most, now_ms, Vec::new()).await
    }

    /// Like [`Spool::lease`], and passes over what was captured under the licenses in `except`.
    pub async fn lease_except(
        &self,
        most: usize,
        now_ms: i64,
        except: Vec<LicenseId>,
    ) -> Result<Vec<Leased>, SpoolError> {
        self.ask(|reply| Request::Lease {
            most,
            now_ms,
            except,
            reply,
        })
        .await?
    }

    /// Ends a lease.
    pub async fn settle(&self, id: RecordId, settlement: Settlement) -> Result<(), SpoolError> {
        self.ask(|reply| Request::Settle {
            id,
            settlement,
            reply,
        })
        .await?
    }

    /// Gives leases back at once, as [`Settlement::Later`] does, where nothing can be awaited: the
    /// records can be leased again. Ids that are not lent are passed over.
    pub fn release(&self, ids: impl IntoIterator<Item = RecordId>) {
        let mut leases = self.leases.lock();
        for id in ids {
            leases.remove(&id);
        }
    }

    /// Counts.
    pub async fn stats(&self) -> Result<SpoolStats, SpoolError> {
        self.ask(|reply| Request::Stats { reply }).await?
    }

    /// What it had to give up since it was made.
    pub async fn report(&self) -> Result<SpoolReport, SpoolError> {
        self.ask(|reply| Request::Report { reply }).await?
    }

    /// How many were refused of what was captured under these licenses.
    pub async fn refused_of(&self, licenses: Vec<LicenseId>) -> Result<u64, SpoolError> {
        self.ask(|reply| Request::RefusedOf { licenses, reply })
            .await?
    }

    /// The newest refusals, at most `most`.
    pub async fn refusals(&self, most: usize) -> Result<Vec<Refusal>, SpoolError> {
        self.ask(|reply| Request::Refusals { most, reply }).await?
    }

    /// When pictures that were delivered had been taken, the oldest delivery first, as far back as the
    /// licensed rate needs it.
    pub async fn shots(&self) -> Result<Vec<Shot>, SpoolError> {
        self.ask(|reply| Request::Shots { reply }).await?
    }

    /// What is held at that moment, oldest first.
    pub async fn held(&self, now_ms: i64) -> Result<Vec<Held>, SpoolError> {
        self.ask(|reply| Request::Held { now_ms, reply }).await?
    }

    /// How many captures are held at that moment.
    pub async fn held_count(&self, now_ms: i64) -> Result<u64, SpoolError> {
        self.ask(|reply| Request::HeldCount { now_ms, reply })
            .await?
    }

    /// When the next hold is over, UTC milliseconds.
    pub async fn next_hold_end(&self, now_ms: i64) -> Result<Option<i64>, SpoolError> {
        self.ask(|reply| Request::HoldEnds { now_ms, reply })
            .await?
    }

    /// What a record shows or says that is held; `None`: it is not, or it was withdrawn.
    pub async fn held_content(
        &self,
        id: RecordId,
        now_ms: i64,
    ) -> Result<Option<Content>, SpoolError> {
        self.ask(|reply| Request::HeldContent { id, now_ms, reply })
            .await?
    }

    /// Withdraws records that are held, all of them or none: their payloads are gone when this returns,
    /// and that they are may be sent.
    /// Whether the license permits it is the caller's to ask.
    pub async fn withdraw(
        &self,
        ids: Vec<RecordId>,
        holds_ms: i64,
        now_ms: i64,
    ) -> Result<(), WithdrawError> {
        let now = (holds_ms, now_ms);
        let withdrawn = self
            .ask(|reply| Request::Withdraw { ids, now, reply })
            .await?;
        self.pushed.notify_one();
        withdrawn
    }

    /// What was withdrawn of what was captured since then, delivered or not.
    pub async fn withdrawn(&self, since_ms: i64) -> Result<Vec<Withdrawn>, SpoolError> {
        self.ask(|reply| Request::Withdrawn { since_ms, reply })
            .await?
    }

    /// Returns after a push since the last call (a push that came meanwhile counts).
    pub async fn wait_for_push(&self) {
        self.pushed.notified().await;
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, SpoolError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| SpoolError::Closed)?;
        answer.await.map_err(|_| SpoolError::Closed)
    }
}
