//! The camera channel: a picture is announced, then taken, and never otherwise.
//!
//! When one is due: is there a camera at all; then a message says that a picture is about to be taken, and
//! by whom; once the desktop has taken that message, five seconds pass; then the picture is made. The
//! tray says so all the while. A message that cannot be shown means no picture. The gate is asked at the
//! beginning, right before the picture, and again before it is kept.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use glasshour_license_format::{Camera, Channel as _, Permit, Profile};
use glasshour_protocol::payload::ChannelHealth;
use glasshour_protocol::{Kind, ProjectId, RecordMeta, SessionId};
use glasshour_uploader::Draft;
use glasshour_words::{Message as Say, Outside, Words};
use tokio::sync::Notify;

use super::Engine;
use super::tracking::Tracking;
use crate::capture::camera::{CameraError, CameraShooter};
use crate::capture::encode::WEBP;
use crate::capture::schedule::{Due, ShotSchedule};
use crate::clock::Moment;
use crate::journal::LastShots;
use crate::platform::{Message, Platform};

/// Between the message and the picture, milliseconds.
const LEAD_MS: u64 = 5_000;
/// A desktop or a camera that takes longer than this does not answer, milliseconds.
const PATIENCE_MS: u64 = 30_000;

/// The camera under one license.
pub(super) struct CameraChannel {
    schedule: ShotSchedule,
    orders: SyncSender<Order>,
    news: Arc<Mutex<Option<News>>>,
    step: Step,
    last_ms: Option<i64>,
    trouble: Option<String>,
    /// Whether anything is known of it yet.
    tried: bool,
}

/// Where a picture stands. Times are monotonic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Waiting,
    /// The thread looks for a camera.
    Looking {
        since_ms: u64,
    },
    /// The desktop shows the message.
    Announcing {
        since_ms: u64,
    },
    /// It is shown; the picture is taken then.
    Announced {
        at_ms: u64,
    },
    /// The thread takes the picture.
    Taking {
        since_ms: u64,
        of: Of,
    },
}

/// What a picture belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Of {
    session_id: SessionId,
    project_id: Option<ProjectId>,
    captured: Moment,
}

enum Order {
    Look,
    Shoot,
}

enum News {
    There,
    Picture(Vec<u8>),
    Not(CameraError),
}

impl CameraChannel {
    /// Starts its thread, which sleeps until a picture is due. It cannot be had without a permit.
    /// `wake` is told when the thread has something to say; `last`: the last pictures before the agent
    /// was restarted.
    pub(super) fn start(
        permit: Permit<Camera>,
        platform: Arc<dyn Platform>,
        wake: Arc<Notify>,
        last: Option<LastShots>,
    ) -> std::io::Result<Self> {
        let last_ms = last.as_ref().map(|last| last.wall_ms);
        // Those of another boot lie by another clock.
        let boot_id = platform.clock().boot_id().to_owned();
        let earned = last.filter(|last| last.boot_id == boot_id);
        let schedule = ShotSchedule::new(permit.settings().per_hour, true, last_ms)
            .after(earned.into_iter().flat_map(|last| last.boot_ms));
        let (orders, inbox) = sync_channel(1);
        let news = Arc::new(Mutex::new(None));
        let place = Arc::clone(&news);
        std::thread::Builder::new()
            .name("camera".into())
            .spawn(move || {
                work(&permit, platform.as_ref(), &inbox, |said| {
                    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
                    wake.notify_one();
                });
            })?;
        Ok(Self {
            schedule,
            orders,
            news,
            step: Step::Waiting,
            last_ms: None,
            trouble: None,
            tried: false,
        })
    }

    /// Whether a picture is announced or being taken.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(
            self.step,
            Step::Announcing { .. } | Step::Announced { .. } | Step::Taking { .. }
        )
    }

    /// How long nothing will be due; asked while its channel is open.
    pub(super) fn pause_ms(&mut self, now: Moment) -> u64 {
        match self.step {
            Step::Waiting => match self.schedule.due(now, fastrand::f64) {
                Due::Now => 0,
                Due::In(ms) => ms,
            },
            Step::Announced { at_ms } => at_ms.saturating_sub(now.mono_ms),
            Step::Looking { since_ms }
            | Step::Announcing { since_ms }
            | Step::Taking { since_ms, .. } => {
                PATIENCE_MS.saturating_sub(now.mono_ms.saturating_sub(since_ms))
            }
        }
    }

    /// The state of the channel (tenet 4).
    pub(super) fn health(channel: Option<&Self>, profile: &Profile) -> ChannelHealth {
        let trouble = channel.and_then(|channel| channel.trouble.clone());
        ChannelHealth {
            channel: Camera::NAME.into(),
            permitted: profile.camera.is_some(),
            granted: channel
                .filter(|channel| channel.tried)
                .map(|_| trouble.is_none()),
            last_capture_ms: channel.and_then(|channel| channel.last_ms),
            reason: trouble,
        }
    }

    fn order(&mut self, order: Order, step: Step) {
        if self.orders.try_send(order).is_ok() {
            self.step = step;
        } else {
            self.fail("the camera does not answer; no picture was made");
        }
    }

    /// This moment passes without a picture.
    fn fail(&mut self, why: impl Into<String>) {
        self.step = Step::Waiting;
        self.tried = true;
        self.trouble = Some(why.into());
    }

    fn take_news(&self) -> Option<News> {
        self.news
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

fn work(
    permit: &Permit<Camera>,
    platform: &dyn Platform,
    inbox: &Receiver<Order>,
    say: impl Fn(News),
) {
    let mut camera = CameraShooter::new(permit, platform);
    for order in inbox {
        say(match order {
            Order::Look => camera.look().map_or_else(News::Not, |()| News::There),
            Order::Shoot => camera.shoot().map_or_else(News::Not, News::Picture),
        });
    }
}

impl Engine {
    /// Opens the camera channel of a license that has one.
    pub(super) fn open_camera(&self, tracking: &mut Tracking) -> std::io::Result<()> {
        let Some(permit) = tracking.license().permits().camera() else {
            return Ok(());
        };
        tracking.camera = Some(CameraChannel::start(
            permit,
            Arc::clone(&self.platform),
            Arc::clone(&self.camera_news),
            self.journal.last_camera_shots(tracking.company()),
        )?);
        Ok(())
    }

    /// Takes the camera one step further, where the license has one.
    pub(super) async fn camera_turn(&mut self, tracking: &mut Tracking, now: Moment) {
        let Some(mut channel) = tracking.camera.take() else {
            return;
        };
        self.camera_step(&mut channel, tracking, now).await;
        tracking.camera = Some(channel);
    }

    async fn camera_step(&mut self, channel: &mut CameraChannel, tracking: &Tracking, now: Moment) {
        let news = channel.take_news();
        let Some(session) = tracking.open_session() else {
            // The gate has shut: what is under way is dropped, and this moment passes.
            if channel.step != Step::Waiting {
                channel.step = Step::Waiting;
                self.desktop.forget_camera(tracking.company());
            }
            if channel.schedule.due(now, fastrand::f64) == Due::Now {
                channel.schedule.skip_past(now);
            }
            return;
        };
        let late = |since_ms: u64| now.mono_ms.saturating_sub(since_ms) >= PATIENCE_MS;
        match (channel.step, news) {
            (Step::Waiting, _) if channel.schedule.due(now, fastrand::f64) == Due::Now => {
                channel.schedule.skip_past(now);
                let since_ms = now.mono_ms;
                channel.order(Order::Look, Step::Looking { since_ms });
            }
            (Step::Looking { .. }, Some(News::There)) => {
                self.desktop.announce_camera(
                    tracking.company(),
                    announcement(tracking, self.config.words),
                );
                channel.step = Step::Announcing {
                    since_ms: now.mono_ms,
                };
            }
            (Step::Announcing { since_ms }, _) => {
                match self.desktop.camera_word(tracking.company()) {
                    Some(Ok(())) => {
                        channel.step = Step::Announced {
                            at_ms: now.mono_ms + LEAD_MS,
                        };
                    }
                    Some(Err(why)) => channel.fail(format!(
                        "no picture was made, because you could not be told of it before: {why}"
                    )),
                    None if late(since_ms) => {
                        self.desktop.forget_camera(tracking.company());
                        channel.fail(
                            "the desktop does not answer, and no picture is made unannounced",
                        );
                    }
                    None => {}
                }
            }
            (Step::Announced { at_ms }, _) if now.mono_ms >= at_ms => {
                channel.schedule.taken(now);
                let of = Of {
                    session_id: session.0,
                    project_id: session.1,
                    captured: now,
                };
                let since_ms = now.mono_ms;
                channel.order(Order::Shoot, Step::Taking { since_ms, of });
            }
            (Step::Taking { of, .. }, Some(News::Picture(webp))) => {
                channel.step = Step::Waiting;
                channel.tried = true;
                channel.trouble = None;
                if of.session_id == session.0 {
                    channel.last_ms = Some(of.captured.wall_ms);
                    let taken = channel.schedule.remembered();
                    self.keep_camera(tracking, of, webp, taken).await;
                }
            }
            (Step::Looking { .. } | Step::Taking { .. }, Some(News::Not(error))) => {
                channel.fail(error.to_string());
            }
            (Step::Looking { since_ms } | Step::Taking { since_ms, .. }, _) if late(since_ms) => {
                channel.fail("the camera does not answer; no picture was made");
            }
            _ => {}
        }
    }

    async fn keep_camera(&mut self, tracking: &Tracking, of: Of, webp: Vec<u8>, taken: Vec<u64>) {
        self.session_reaches(Some(of.session_id), of.captured);
        let draft = Draft {
            license_id: tracking.license_id(),
            kind: Kind::Camera,
            captured: self.captured(of.captured),
            content_type: WEBP.into(),
            payload: webp,
            meta: RecordMeta {
                session_id: Some(of.session_id),
                project_id: of.project_id,
                ..RecordMeta::default()
            },
            hold_until_ms: self.hold_until(tracking.license(), of.captured),
        };
        self.push(tracking.company(), draft).await;
        let last = LastShots {
            license_id: tracking.license_id(),
            boot_id: self.clock.boot_id().to_owned(),
            wall_ms: of.captured.wall_ms,
            boot_ms: taken,
        };
        if let Err(error) = self.journal.camera_shots(tracking.company(), last) {
            tracing::error!(%error, "the time of the last camera picture cannot be written");
        }
    }
}

fn announcement(tracking: &Tracking, words: Words) -> Message {
    let company = &tracking.license().claims().issuer.company;
    Message {
        title: words.say(Say::ToldCamera {}),
        body: words.say(Say::ToldCameraSoon {
            company: Outside(company),
            seconds: u32::try_from(LEAD_MS / 1000).unwrap_or_default(),
        }),
        important: false,
    }
}
