//! The sender: takes records out of the spool and brings them to the employer's server.
//!
//! Promises: at least once, oldest first, a bounded number at a time, and polite: it backs off with
//! jitter, obeys `Retry-After`, and never redirects credentials to another host. It refuses (gate 2)
//! to send a record of a kind that its license does not permit.
//!
//! What the server answers is sorted into four [`Verdict`]s, each a different thing to do next:
//! settled, set aside, come back later, or stop until somebody changes something.

mod backoff;
mod client;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use glasshour_license_format::Claims;
use glasshour_protocol::device::{DeviceState, EnrollRequest};
use glasshour_protocol::{CompanyId, LicenseId, code};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::spool::{DeviceIdentity, Leased, Settlement, Spool, SpoolError};
use backoff::Backoff;
use client::Client;
pub use client::{BuildError, Wall};
pub use verdict::Verdict;

/// Records on their way at the same time.
const CONCURRENCY: usize = 4;
/// How often the server is asked for news while it accepts records.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// How often it is asked whether it accepts records again.
const BLOCKED_HEARTBEAT: Duration = Duration::from_secs(15);

/// What a sender needs to know.
pub struct SenderConfig {
    /// Origin of the server, such as `https://time.acme.example`.
    pub server_url: String,
    /// The employer.
    pub company_id: CompanyId,
    /// The device.
    pub identity: DeviceIdentity,
    /// What to enrol with: the newest license.
    pub enrollment: EnrollRequest,
    /// Every license whose records may still be in the spool.
    pub licenses: Arc<dyn LicenseBook>,
    /// The wall clock, for tokens and holds.
    pub wall: Arc<dyn Wall>,
    /// Identifies the program, such as `glasshour/0.1.0`.
    pub user_agent: String,
}

/// Looks licenses up by id.
pub trait LicenseBook: Send + Sync {
    /// What that license says; `None`: it was never loaded here.
    fn claims(&self, id: LicenseId) -> Option<Arc<Claims>>;
}

/// What is known about the server, for `status`, the tray and the session machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendStatus {
    /// When the server last answered as it should, UTC milliseconds.
    pub last_ok_ms: Option<i64>,
    /// Why it did not, in a sentence, if the last attempt failed.
    pub trouble: Option<String>,
    /// Set while the server registers nothing (employee inactive, device revoked, …).
    pub blocked: Option<Blocked>,
    /// What the server last said about this device.
    pub device: Option<DeviceState>,
}

/// Why the server registers nothing at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Stable code.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Brings one spool to one server.
pub struct Sender {
    client: Client,
    spool: Spool,
    config: SenderConfig,
    status: watch::Sender<SendStatus>,
}

/// What the main loop does next.
enum Next {
    /// There may be more to send.
    Again,
    /// Wait for a push or the next heartbeat.
    Idle,
    /// The server could not be reached or is busy.
    BackOff(Option<Duration>),
    /// The server registers nothing.
    Blocked,
    /// The server does not know this device.
    Enroll,
}

impl Sender {
    /// Makes a sender and the place where its status can be watched. Nothing is sent yet.
    pub fn new(
        spool: Spool,
        config: SenderConfig,
    ) -> Result<(Self, watch::Receiver<SendStatus>), BuildError> {
        let client = Client::new(&config)?;
        let (status, watcher) = watch::channel(SendStatus::default());
        Ok((
            Self {
                client,
                spool,
                config,
                status,
            },
            watcher,
        ))
    }

    /// Sends until cancelled. On cancellation the requests under way are given two seconds.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut backoff = Backoff::default();
        let mut enrolled = false;
        loop {
            let round = async {
                if !enrolled {
                    match self.enroll().await {
                        Next::Again => enrolled = true,
                        other => return other,
                    }
                }
                self.round().await
            };
            let next = tokio::select! {
                next = round => next,
                () = cancel.cancelled() => break,
            };
            let pause = match next {
                Next::Again => {
                    backoff.reset();
                    continue;
                }
                Next::Idle => {
                    backoff.reset();
                    HEARTBEAT
                }
                Next::Blocked => BLOCKED_HEARTBEAT,
                Next::Enroll => {
                    enrolled = false;
                    backoff.next(None)
                }
                Next::BackOff(after) => backoff.next(after),
            };
            // A push wakes an idle sender; one that backs off stays polite.
            let wake_on_push = matches!(next, Next::Idle);
            tokio::select! {
                () = tokio::time::sleep(pause) => {
                    if matches!(next, Next::Idle | Next::Blocked) {
                        self.heartbeat().await;
                    }
                }
                () = self.spool.wait_for_push(), if wake_on_push => {}
                () = cancel.cancelled() => break,
            }
        }
        // What was leased and cut off is leased again at the next start; one last try for the
        // session's end, which was pushed a moment ago.
        let _ = tokio::time::timeout(Duration::from_secs(2), async {
            if enrolled {
                while matches!(self.round().await, Next::Again) {}
            }
        })
        .await;
    }

    async fn enroll(&mut self) -> Next {
        match self.client.enroll(&self.config.enrollment).await {
            Ok(state) => {
                self.heard(Some(state));
                Next::Again
            }
            Err(verdict) => self.sorted(verdict),
        }
    }

    async fn heartbeat(&mut self) {
        match self.client.device_state().await {
            Ok(state) => self.heard(Some(state)),
            Err(verdict) => {
                self.sorted(verdict);
            }
        }
    }

    /// Sends one batch.
    async fn round(&mut self) -> Next {
        if self.status.borrow().blocked.is_some() {
            return Next::Blocked;
        }
        let leased = match self
            .spool
            .lease(CONCURRENCY, self.config.wall.now_ms())
            .await
        {
            Ok(leased) if leased.is_empty() => return Next::Idle,
            Ok(leased) => leased,
            Err(error) => return self.spool_failed(&error),
        };
        let mut under_way = JoinSet::new();
        let mut next = Next::Again;
        for record in leased {
            if let Some(settlement) = self.gate(&record) {
                if let Err(error) = self.spool.settle(record.record_id, settlement).await {
                    next = self.spool_failed(&error);
                }
                continue;
            }
            let client = self.client.clone();
            under_way.spawn(async move { (record.record_id, client.put(&record).await) });
        }
        while let Some(done) = under_way.join_next().await {
            let Ok((id, answer)) = done else { continue };
            let settlement = match answer {
                Ok(()) => {
                    self.heard(None);
                    Settlement::Delivered
                }
                Err(Verdict::Reject { code, message }) => Settlement::Quarantined { code, message },
                Err(verdict) => {
                    next = self.sorted(verdict);
                    Settlement::Later
                }
            };
            if let Err(error) = self.spool.settle(id, settlement).await {
                next = self.spool_failed(&error);
            }
        }
        next
    }

    /// Gate 2: whether the record's license permits it to be sent.
    fn gate(&self, record: &Leased) -> Option<Settlement> {
        let refuse = |code: &str, message: &str| {
            Some(Settlement::Quarantined {
                code: code.into(),
                message: message.into(),
            })
        };
        match self.config.licenses.claims(record.license_id) {
            None => refuse(
                code::LICENSE_UNKNOWN,
                "The license that this record names was never loaded here.",
            ),
            Some(claims) if !claims.profile.permits_kind(record.kind) => refuse(
                code::CHANNEL_NOT_LICENSED,
                "The license does not permit this kind of record; it was not sent.",
            ),
            Some(_) => None,
        }
    }

    /// The server answered as it should.
    fn heard(&self, state: Option<DeviceState>) {
        let now = self.config.wall.now_ms();
        self.status.send_modify(|status| {
            status.last_ok_ms = Some(now);
            status.trouble = None;
            if let Some(state) = state {
                status.blocked = (!state.employee_active).then(|| Blocked {
                    code: code::EMPLOYEE_INACTIVE.into(),
                    message: "Your employer has set you to inactive: nothing is captured.".into(),
                });
                status.device = Some(state);
            } else {
                status.blocked = None;
            }
        });
    }

    /// Notes a verdict and says what to do next.
    fn sorted(&self, verdict: Verdict) -> Next {
        match verdict {
            Verdict::Retry { after, why } => {
                tracing::debug!(%why, "the server could not take records; trying again later");
                self.status.send_modify(|status| status.trouble = Some(why));
                Next::BackOff(after)
            }
            Verdict::Stop { code, message } => {
                tracing::info!(%code, "the server registers nothing at present");
                self.status.send_modify(|status| {
                    status.trouble = None;
                    status.blocked = Some(Blocked { code, message });
                });
                Next::Blocked
            }
            Verdict::Enroll => Next::Enroll,
            Verdict::Reject { code, message } => {
                tracing::warn!(%code, %message, "the server refuses this device's request");
                self.status
                    .send_modify(|status| status.trouble = Some(message));
                Next::BackOff(None)
            }
        }
    }

    fn spool_failed(&self, error: &SpoolError) -> Next {
        tracing::error!(%error, "the spool failed");
        self.status
            .send_modify(|status| status.trouble = Some(error.to_string()));
        Next::BackOff(None)
    }
}
