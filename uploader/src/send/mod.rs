//! The sender: takes records out of the spool and brings them to the employer's server.
//!
//! Promises: at least once, oldest first, a bounded number at a time that follows what the server can take
//! (`pace.rs`), and polite: it backs off with jitter, obeys `Retry-After`, and never redirects credentials to another host. It refuses (gate 2)
//! to send a record that exceeds its license in any detail.
//!
//! What it has leased it settles or gives back, also when it is dropped in the middle: the spool can
//! be handed to another sender.
//!
//! What the server answers is sorted into four [`Verdict`]s, each a different thing to do next:
//! settled, set aside, come back later, or stop until somebody changes something.

mod backoff;
mod client;
mod gate;
mod pace;
mod round;
mod verdict;
mod way;

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use glasshour_license_format::Claims;
use glasshour_protocol::device::{DeviceState, EnrollRequest};
use glasshour_protocol::{CompanyId, LicenseId, code};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::spool::{DeviceIdentity, Spool, SpoolError};
use backoff::Backoff;
use client::Client;
pub use client::{BuildError, Wall};
use gate::Sent;
use pace::{Rate, Width};
pub use verdict::Verdict;
pub use way::{WayOut, count_authorities, proxy_to};

/// How often the server is asked, and how long is waited for it at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// How often the server is asked for news of this device, whatever else is sent.
    pub heartbeat: Duration,
    /// How often it is asked while it accepts no records.
    pub blocked_heartbeat: Duration,
    /// What is under way and what is left in the spool when sending is cancelled has so long.
    pub last_words: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(30),
            blocked_heartbeat: Duration::from_secs(15),
            last_words: Duration::from_secs(3),
        }
    }
}

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
    /// Its serial; when the server has a higher one, that license is fetched.
    pub serial: u64,
    /// Every license whose records may still be in the spool.
    pub licenses: Arc<dyn LicenseBook>,
    /// The wall clock, for tokens and holds.
    pub wall: Arc<dyn Wall>,
    /// Identifies the program, such as `glasshour/0.1.0`.
    pub user_agent: String,
    /// What the administrator says of the way there.
    pub line: Line,
}

/// What an administrator says of the way to the server. By default: as fast as it goes, the proxy that the
/// environment or the system names, the authorities that the system trusts.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Bytes of payload a second, at the most.
    pub bytes_per_s: Option<NonZeroU32>,
    /// Certificates (PEM, one or several) of authorities that are trusted beside the system's.
    pub authorities: Option<Arc<[u8]>>,
    /// The proxy for every server that is reached with TLS, such as `http://proxy.acme.example:3128`, instead
    /// of what environment or system say.
    pub proxy: Option<String>,
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
    /// The file of a newer license, as fetched: neither read nor trusted yet.
    pub newer_license: Option<Arc<[u8]>>,
}

/// Why the server registers nothing at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Stable code.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Asks one server, beside the sender and with its key. Cheap to clone.
#[derive(Clone)]
pub struct Asker(Client);

impl Asker {
    /// The server's clock less this computer's, milliseconds, as its last answer told; 0 where they are less
    /// than half a minute apart; `None` before any.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.0.clock_offset_ms()
    }

    /// A one-time link to the person's own day, to be opened in a browser at once; or why there is none.
    pub async fn day_link(&self) -> Result<String, String> {
        self.0.day_link().await.map_err(|verdict| match verdict {
            Verdict::Retry { why, .. } => why,
            Verdict::Reject { message, .. } | Verdict::Stop { message, .. } => message,
            Verdict::Enroll => "The server does not know this device yet.".into(),
        })
    }
}

/// Brings one spool to one server.
pub struct Sender {
    client: Client,
    spool: Spool,
    config: SenderConfig,
    status: watch::Sender<SendStatus>,
    rhythm: Rhythm,
    enrolled: bool,
    /// When the server is asked next, whatever happens until then.
    heartbeat_at: Instant,
    /// The serial of the newest license that is here: the one enrolled with, or a fetched one.
    newest_serial: u64,
    /// When something that is held may be sent.
    hold_ends_at: Option<Instant>,
    /// Licenses with records in the spool that are not in the book.
    unknown: Vec<LicenseId>,
    /// Pictures that were sent; `None` before the spool was asked.
    sent: Option<Sent>,
    width: Width,
    rate: Rate,
}

/// What the main loop does next, the more urgent the later.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// There may be more to send.
    Again,
    /// Wait for a push or the next heartbeat.
    Idle,
    /// The server could not be reached or is busy.
    BackOff(Option<Duration>),
    /// The server does not know this device.
    Enroll,
    /// The server registers nothing.
    Blocked,
}

impl Sender {
    /// Makes a sender and the place where its status can be watched. Nothing is sent yet.
    pub fn new(
        spool: Spool,
        config: SenderConfig,
    ) -> Result<(Self, watch::Receiver<SendStatus>), BuildError> {
        let client = Client::new(&config)?;
        let newest_serial = config.serial;
        let (status, watcher) = watch::channel(SendStatus::default());
        let sender = Self {
            client,
            spool,
            rate: Rate::new(config.line.bytes_per_s),
            width: Width::default(),
            config,
            status,
            rhythm: Rhythm::default(),
            enrolled: false,
            heartbeat_at: Instant::now(),
            newest_serial,
            hold_ends_at: None,
            unknown: Vec::new(),
            sent: None,
        };
        Ok((sender, watcher))
    }

    /// Asks the same server for what is not sent.
    pub fn asker(&self) -> Asker {
        Asker(self.client.clone())
    }

    /// Another rhythm than the default one.
    #[must_use]
    pub fn with_rhythm(self, rhythm: Rhythm) -> Self {
        Self { rhythm, ..self }
    }

    /// Sends until cancelled. Then what is under way, and what was pushed a moment ago, is given
    /// [`Rhythm::last_words`]; what is not settled by then can be leased again.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut backoff = Backoff::default();
        let last_words = self.rhythm.last_words;
        let deadline = loop {
            let next = {
                let mut step = pin!(self.step());
                tokio::select! {
                    next = &mut step => next,
                    () = cancel.cancelled() => {
                        let deadline = Instant::now() + last_words;
                        let _ = tokio::time::timeout_at(deadline, step).await;
                        break deadline;
                    }
                }
            };
            let until = match next {
                Next::Again => {
                    backoff.reset();
                    continue;
                }
                Next::Idle => {
                    backoff.reset();
                    let hold_ends = self.hold_ends_at.take();
                    hold_ends.map_or(self.heartbeat_at, |at| at.min(self.heartbeat_at))
                }
                Next::Blocked => self.heartbeat_at,
                Next::Enroll => Instant::now() + backoff.next(None),
                Next::BackOff(after) => Instant::now() + backoff.next(after),
            };
            // A push wakes an idle sender; one that backs off stays polite.
            let wake_on_push = matches!(next, Next::Idle);
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = self.spool.wait_for_push(), if wake_on_push => {}
                () = cancel.cancelled() => break Instant::now() + last_words,
            }
        };
        // One last try for the session's end, which was pushed a moment ago.
        let _ = tokio::time::timeout_at(deadline, async {
            while self.enrolled && matches!(self.round().await, Next::Again) {}
        })
        .await;
    }

    /// Enrols if that is to be done, asks for news if that is due, sends one batch.
    async fn step(&mut self) -> Next {
        if !self.enrolled {
            match self.enroll().await {
                Next::Again => self.refresh().await,
                other => return other,
            }
        }
        if self.heartbeat_at <= Instant::now() {
            match self.heartbeat().await {
                Next::Again => self.refresh().await,
                other => return other,
            }
        }
        self.round().await
    }

    async fn enroll(&mut self) -> Next {
        self.heartbeat_at = Instant::now() + self.rhythm.heartbeat;
        match self.client.enroll(&self.config.enrollment).await {
            Ok(state) => {
                self.enrolled = true;
                self.heard(state)
            }
            Err(verdict) => self.sorted(verdict),
        }
    }

    async fn heartbeat(&mut self) -> Next {
        // Whatever comes of it: a server that cannot answer this may still take records.
        let blocked = self.status.borrow().blocked.is_some();
        self.heartbeat_at = Instant::now()
            + if blocked {
                self.rhythm.blocked_heartbeat
            } else {
                self.rhythm.heartbeat
            };
        match self.client.device_state().await {
            Ok(state) => self.heard(state),
            Err(verdict) => self.sorted(verdict),
        }
    }

    /// Fetches a newer license, each once, when the server has said that there is one. Where that
    /// fails it is tried again after the next news.
    async fn refresh(&mut self) {
        let Some(serial) = self
            .status
            .borrow()
            .device
            .as_ref()
            .map(|d| d.current_serial)
        else {
            return;
        };
        if serial <= self.newest_serial {
            return;
        }
        match self.client.license().await {
            Ok(file) => {
                self.newest_serial = serial;
                self.status
                    .send_modify(|status| status.newer_license = Some(file.into()));
            }
            Err(verdict) => tracing::info!(?verdict, "the newer license could not be fetched"),
        }
    }

    /// The server said how this device stands: the one thing that ends a block.
    fn heard(&mut self, state: DeviceState) -> Next {
        let now = self.config.wall.now_ms();
        let active = state.employee_active;
        let trouble = self.license_trouble();
        self.status.send_modify(|status| {
            status.last_ok_ms = Some(now);
            status.trouble = trouble;
            status.blocked = (!active).then(|| Blocked {
                code: code::EMPLOYEE_INACTIVE.into(),
                message: "Your employer has set you to inactive: nothing is captured.".into(),
            });
            status.device = Some(state);
        });
        if active {
            return Next::Again;
        }
        self.ask_again_soon();
        Next::Blocked
    }

    fn ask_again_soon(&mut self) {
        self.heartbeat_at = Instant::now() + self.rhythm.blocked_heartbeat;
    }

    /// Notes a verdict and says what to do next.
    fn sorted(&mut self, verdict: Verdict) -> Next {
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
                self.ask_again_soon();
                Next::Blocked
            }
            Verdict::Enroll => {
                self.enrolled = false;
                Next::Enroll
            }
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
