//! What is tracked under one license: its session machine and the channels that it opens.

use std::collections::BTreeMap;
use std::sync::Arc;

use glasshour_license_format::{
    Channel as _, HoursError, License, LicensedHours, Profile, Screenshots, WorkMode,
};
use glasshour_protocol::payload::{ChannelHealth, HealthReport, SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, LicenseId, ProjectId, SessionId, code};
use glasshour_uploader::send::Blocked;
use glasshour_words::Words;
use glasshour_words::notice::notice;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::camera::CameraChannel;
use super::minutes::Minute;
use super::quiet::Quiet;
use super::shots::{ShotDone, ShotOrder, ShotThread};
use crate::capture::activity::ActivityChannel;
use crate::capture::schedule::{Due, ShotSchedule};
use crate::capture::screenshot::Shot;
use crate::clock::Moment;
use crate::ipc::RefusedBy;
use crate::journal::LastShots;
use crate::license::{LoadError, invalid};
use crate::platform::{Message, Platform};
use crate::session::{Block, Machine, Refused, State};

const MINUTE_MS: i64 = 60_000;
/// How often input is looked for while idle, to see it come back.
const WATCH_IDLE_MS: u64 = 2_000;

/// One license at work.
pub(super) struct Tracking {
    license: License,
    /// What blocks are explained in.
    words: Words,
    pub(super) machine: Machine,
    session: Option<Session>,
    /// Whether the channels are open.
    capturing: bool,
    server_block: Option<Block>,
    quiet: Quiet,
    shots: Option<Shots>,
    pub(super) camera: Option<CameraChannel>,
    activity: Option<ActivityChannel>,
    /// The wall-clock minute that the activity channel is adding up.
    minute: i64,
    last_minute_ms: Option<i64>,
    /// When (monotonic) the running session last left a sign of life.
    pub(super) last_alive_mono_ms: u64,
    /// The last health record made.
    pub(super) last_health: Option<HealthReport>,
}

#[derive(Clone, Copy)]
struct Session {
    id: SessionId,
    project: Option<ProjectId>,
}

/// The screenshot channel.
struct Shots {
    thread: ShotThread,
    schedule: ShotSchedule,
    open: bool,
    first: bool,
    last_ms: Option<i64>,
    trouble: Option<String>,
}

/// Why a license cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrackingError {
    #[error(transparent)]
    Hours(#[from] HoursError),
    #[error("no thread for screenshots could be had: {0}")]
    Thread(#[from] std::io::Error),
}

/// Whether what holds of a license is for monitoring.
pub(super) fn is_monitoring(license: &License) -> bool {
    license.work_mode() == WorkMode::Monitoring
}

/// The licenses to put to work, and those that stay out because another one monitors already, with the
/// reason. A second one is refused when it is loaded; this holds whatever came into the folder.
pub(super) fn at_most_one_monitors(
    mut licenses: Vec<License>,
) -> (
    BTreeMap<CompanyId, License>,
    BTreeMap<CompanyId, (License, String)>,
) {
    licenses.sort_by_key(|license| license.claims().issued_at);
    let mut monitors: Option<String> = None;
    let (mut wanted, mut second) = (BTreeMap::new(), BTreeMap::new());
    for license in licenses {
        let issuer = license.claims().issuer.clone();
        match &monitors {
            Some(first) if is_monitoring(&license) => {
                let why = LoadError::SecondMonitoring(first.clone()).to_string();
                second.insert(issuer.company_id, (license, why));
            }
            _ => {
                if is_monitoring(&license) {
                    monitors = Some(issuer.company);
                }
                wanted.insert(issuer.company_id, license);
            }
        }
    }
    (wanted, second)
}

/// What stands in the way, for the exit code.
pub(super) fn refused_by(refused: &Refused) -> RefusedBy {
    match refused {
        Refused::Monitoring | Refused::Blocked(_) => RefusedBy::License,
        Refused::AlreadyRunning
        | Refused::NotRunning
        | Refused::NotPaused
        | Refused::NoteTooLong
        | Refused::Away => RefusedBy::State,
    }
}

impl Tracking {
    /// Puts a license to work. Nothing is captured before a session runs. `last_shots`: when the
    /// agent last took pictures before it was restarted.
    pub(super) fn new(
        license: License,
        platform: &Arc<dyn Platform>,
        now: Moment,
        last_shots: Option<LastShots>,
        done: mpsc::Sender<ShotDone>,
    ) -> Result<Self, TrackingError> {
        let profile = license.profile();
        let hours = LicensedHours::within(license.schedules())?;
        let mode = license.work_mode();
        let company = license.claims().issuer.company_id;
        let machine = Machine::new(mode, profile.idle_after_s, Some(hours), now, new_session_id);
        let shots = match license.permits().screenshots() {
            None => None,
            Some(permit) => {
                let settings = permit.settings();
                let last_ms = last_shots.as_ref().map(|last| last.wall_ms);
                // Those of another boot lie by another clock; another license has its own rate.
                let earned = last_shots.filter(|last| {
                    last.boot_id == platform.clock().boot_id()
                        && last.license_id == license.claims().license_id
                });
                let schedule =
                    ShotSchedule::new(settings.per_hour, settings.random_moment, last_ms)
                        .after(earned.into_iter().flat_map(|last| last.boot_ms));
                Some(Shots {
                    schedule,
                    thread: ShotThread::start(company, permit.clone(), platform.clone(), done)?,
                    open: false,
                    first: true,
                    last_ms: None,
                    trouble: None,
                })
            }
        };
        Ok(Self {
            license,
            words: Words::ENGLISH,
            machine,
            session: None,
            capturing: false,
            server_block: None,
            quiet: Quiet::default(),
            shots,
            camera: None,
            activity: None,
            minute: 0,
            last_minute_ms: None,
            last_alive_mono_ms: now.mono_ms,
            last_health: None,
        })
    }

    /// In that language.
    pub(super) fn speaking(self, words: Words) -> Self {
        Self { words, ..self }
    }

    pub(super) fn license(&self) -> &License {
        &self.license
    }

    pub(super) fn license_id(&self) -> LicenseId {
        self.license.claims().license_id
    }

    pub(super) fn company(&self) -> CompanyId {
        self.license.claims().issuer.company_id
    }

    /// Whether what that license permits is what is at work already, so that what runs can go on
    /// under it: all but names, words, the serial and the end of its time.
    pub(super) fn has_the_extent_of(&self, license: &License) -> bool {
        let extent = |license: &License| {
            let profile = Profile {
                name: String::new(),
                ..license.profile().clone()
            };
            let hours = license.schedules().to_vec();
            (profile, hours, license.work_mode(), license.not_before())
        };
        extent(&self.license) == extent(license)
    }

    /// Whether what runs may go on under that license: it is for the same person, in the same mode.
    pub(super) fn is_succeeded_by(&self, license: &License) -> bool {
        let whose = |license: &License| {
            let employee = license.claims().employee.employee_id;
            (license.work_mode(), employee)
        };
        whose(&self.license) == whose(license)
    }

    /// Goes on under a license of the same extent: what comes from now on is recorded under it.
    pub(super) fn go_on_under(&mut self, license: License) {
        self.license = license;
    }

    pub(super) fn is_monitoring(&self) -> bool {
        is_monitoring(&self.license)
    }

    pub(super) fn default_project(&self) -> Option<ProjectId> {
        self.license.claims().default_project_id
    }

    /// Keeps in mind which session and project captures belong to.
    pub(super) fn follow(&mut self, event: &SessionEvent) {
        match event.event {
            SessionEventKind::Started => {
                self.session = Some(Session {
                    id: event.session_id,
                    project: event.project_id,
                });
                if let Some(shots) = &mut self.shots {
                    shots.first = true;
                }
            }
            SessionEventKind::Switched => {
                if let Some(session) = &mut self.session {
                    session.project = event.project_id;
                }
            }
            SessionEventKind::Stopped => self.session = None,
            SessionEventKind::Noted | SessionEventKind::Idle | SessionEventKind::Resumed => {}
        }
    }

    /// The project that an event happened on.
    pub(super) fn project_at(&self, event: &SessionEvent) -> Option<ProjectId> {
        event
            .project_id
            .or_else(|| self.session.and_then(|session| session.project))
    }

    /// The server registers nothing, or registers again.
    pub(super) fn server_says(
        &mut self,
        now: Moment,
        latest: Timestamp,
        blocked: Option<Blocked>,
    ) -> Vec<SessionEvent> {
        self.server_block = blocked.map(|Blocked { code, message }| Block { code, message });
        self.check_validity(now, latest)
    }

    /// Blocks or unblocks as the license's dates and the server say. `latest`: the time that the dates
    /// are held against, which may be later than the clock.
    pub(super) fn check_validity(&mut self, now: Moment, latest: Timestamp) -> Vec<SessionEvent> {
        let wanted = self
            .license_block(now, latest)
            .or_else(|| self.server_block.clone());
        let present = match self.machine.state() {
            State::Blocked { block, .. } => Some(block),
            _ => None,
        };
        match wanted {
            Some(block) if present != Some(&block) => self.machine.block(now, block),
            None if present.is_some() => {
                let default = self.default_project();
                self.machine.unblock(now, default)
            }
            _ => Vec::new(),
        }
    }

    fn license_block(&self, now: Moment, latest: Timestamp) -> Option<Block> {
        let message = invalid(&self.license, latest, now.wall_ms, self.words)?;
        Some(Block {
            code: code::LICENSE_EXPIRED.into(),
            message,
        })
    }

    /// How long nobody has been at the computer, while that matters.
    pub(super) fn idle_ms(&mut self, platform: &Arc<dyn Platform>, now: Moment) -> Option<u64> {
        self.machine.running()?;
        let idle_after = self.idle_after_ms();
        self.quiet.look(platform, now, idle_after)
    }

    fn idle_after_ms(&self) -> u64 {
        u64::from(self.license.profile().idle_after_s) * 1000
    }

    /// Whether the channels are open.
    pub(super) fn is_capturing(&self) -> bool {
        self.capturing
    }

    /// The session that captures belong to, and its project, while the channels are open.
    pub(super) fn open_session(&self) -> Option<(SessionId, Option<ProjectId>)> {
        let session = self.session.filter(|_| self.capturing)?;
        Some((session.id, session.project))
    }

    /// Whether a picture of the camera is announced or being taken.
    pub(super) fn camera_is_under_way(&self) -> bool {
        self.camera
            .as_ref()
            .is_some_and(CameraChannel::is_under_way)
    }

    /// Why the display that the session runs on does not answer.
    pub(super) fn display_trouble(&self) -> Option<&String> {
        self.quiet.display_trouble()
    }

    /// Since when (monotonic) the display that the session runs on does not answer.
    pub(super) fn display_gone_since(&self) -> Option<u64> {
        self.quiet.gone_since()
    }

    /// Forgets what the minute under way has counted.
    pub(super) fn drop_minute(&mut self, now: Moment) {
        if let Some(mut channel) = self.activity.take() {
            channel.finish(now, None);
        }
    }

    /// The next picture is stored whatever the last one looked like: that one is not there.
    pub(super) fn picture_was_lost(&mut self) {
        if let Some(shots) = &mut self.shots {
            shots.first = true;
        }
    }

    /// The gate has opened: what the license permits is captured from now on.
    pub(super) fn open_channels(&mut self, platform: &Arc<dyn Platform>, now: Moment) {
        self.capturing = true;
        if let Some(shots) = &mut self.shots {
            shots.open = true;
        }
        let Some(permit) = self.license.permits().activity() else {
            return;
        };
        match &mut self.activity {
            Some(channel) => channel.reopen(&permit, platform),
            None => {
                self.minute = now.wall_ms.div_euclid(MINUTE_MS);
                self.activity = Some(ActivityChannel::open(&permit, platform, now));
            }
        }
    }

    /// The gate has shut. Returns the minute that was under way.
    pub(super) fn close_channels(&mut self, now: Moment) -> Option<Minute> {
        self.capturing = false;
        if let Some(shots) = &mut self.shots {
            shots.open = false;
        }
        let mut channel = self.activity.take()?;
        self.finish(&mut channel, now)
    }

    /// The minute that has just ended, if one has.
    pub(super) fn minute_if_over(&mut self, now: Moment) -> Option<Minute> {
        let minute = now.wall_ms.div_euclid(MINUTE_MS);
        if minute == self.minute {
            return None;
        }
        let mut channel = self.activity.take()?;
        self.minute = minute;
        let finished = self.finish(&mut channel, now);
        self.activity = Some(channel);
        finished
    }

    fn finish(&mut self, channel: &mut ActivityChannel, now: Moment) -> Option<Minute> {
        let activity = channel.finish(now, self.quiet.last_ms());
        let session = self.session?;
        if activity.from_ms == activity.to_ms {
            return None;
        }
        self.last_minute_ms = Some(now.wall_ms);
        Some(Minute {
            now,
            activity,
            session_id: session.id,
            project_id: session.project,
        })
    }

    /// Orders a picture if the schedule says now and the gate is open.
    pub(super) fn shoot_if_due(&mut self, now: Moment) {
        let Some(shots) = &mut self.shots else { return };
        if shots.schedule.due(now, fastrand::f64) != Due::Now {
            return;
        }
        let Some(session) = self.session.filter(|_| shots.open) else {
            shots.schedule.skip_past(now);
            return;
        };
        let order = ShotOrder {
            session_id: session.id,
            project_id: session.project,
            first: shots.first,
            due: now,
        };
        if shots.thread.order(order) {
            shots.first = false;
        } else {
            shots.trouble = Some("this computer is too busy to take every shot".into());
        }
        shots.schedule.taken(now);
    }

    /// Pictures have come, or not. Returns them if they may still be kept: the session they were
    /// ordered in runs, and the gate is open.
    pub(super) fn shot_done<'a>(&mut self, done: &'a ShotDone) -> Option<&'a [Shot]> {
        let shots = self.shots.as_mut()?;
        match &done.result {
            Err(error) => {
                shots.trouble = Some(error.to_string());
                None
            }
            Ok(pictures) => {
                shots.trouble = None;
                let running = self
                    .session
                    .is_some_and(|session| session.id == done.session_id);
                let slept = done.slept() || done.is_late();
                let permitted = self.machine.may_capture(done.captured.wall_ms);
                if slept || !(running && permitted && shots.open) {
                    shots.first = true;
                    return None;
                }
                shots.last_ms = Some(done.captured.wall_ms);
                Some(pictures)
            }
        }
    }

    /// What a restart has to know of the pictures taken so far, now that one was taken.
    pub(super) fn last_shots(&self, captured: Moment, boot_id: &str) -> Option<LastShots> {
        let shots = self.shots.as_ref()?;
        Some(LastShots {
            license_id: self.license_id(),
            boot_id: boot_id.to_owned(),
            wall_ms: captured.wall_ms,
            boot_ms: shots.schedule.remembered(),
        })
    }

    /// How long nothing will be due.
    pub(super) fn pause_ms(&mut self, now: Moment) -> u64 {
        let Some(running) = self.machine.running() else {
            return u64::MAX;
        };
        let idle_after = self.idle_after_ms();
        let idle = match self.quiet.last_ms() {
            Some(_) if running.idle_since_ms.is_some() => WATCH_IDLE_MS,
            Some(idle) => idle_after.saturating_sub(idle).max(1_000),
            None => u64::MAX,
        };
        let shot = match &mut self.shots {
            Some(shots) if shots.open => match shots.schedule.due(now, fastrand::f64) {
                Due::Now => 0,
                Due::In(ms) => ms,
            },
            _ => u64::MAX,
        };
        let minute = if self.activity.is_some() {
            (MINUTE_MS - now.wall_ms.rem_euclid(MINUTE_MS)).unsigned_abs()
        } else {
            u64::MAX
        };
        let capturing = self.capturing;
        let camera = self.camera.as_mut().filter(|_| capturing);
        let camera = camera.map_or(u64::MAX, |camera| camera.pause_ms(now));
        idle.min(shot).min(minute).min(camera)
    }

    /// The state of every channel (tenet 4).
    pub(super) fn health(&self) -> Vec<ChannelHealth> {
        let profile = self.license.profile();
        let shots = self.shots.as_ref();
        let activity = self.activity.as_ref();
        let trouble = activity
            .and_then(ActivityChannel::trouble)
            .map(|error| error.to_string());
        let granted = |tried: bool, trouble: &Option<String>| tried.then_some(trouble.is_none());
        let shot_trouble = shots.and_then(|shots| shots.trouble.clone());
        let shot_tried = shots.is_some_and(|s| s.last_ms.is_some() || s.trouble.is_some());
        vec![
            ChannelHealth {
                channel: Screenshots::NAME.into(),
                permitted: profile.screenshots.is_some(),
                granted: granted(shot_tried, &shot_trouble),
                last_capture_ms: shots.and_then(|shots| shots.last_ms),
                reason: shot_trouble,
            },
            ChannelHealth {
                channel: glasshour_license_format::Activity::NAME.into(),
                permitted: profile.activity.is_some(),
                granted: granted(activity.is_some(), &trouble),
                last_capture_ms: self.last_minute_ms,
                reason: trouble,
            },
            CameraChannel::health(self.camera.as_ref(), profile),
            ChannelHealth {
                channel: "idle".into(),
                permitted: true,
                granted: granted(
                    self.machine.running().is_some(),
                    &self.quiet.trouble().cloned(),
                ),
                last_capture_ms: None,
                reason: self.quiet.trouble().cloned(),
            },
        ]
    }
}

/// A license's notice as a message that stays until it is closed.
pub(super) fn notice_message(license: &License, words: Words) -> Message {
    let notice = notice(&license.in_force(), words);
    Message {
        title: notice.title.clone(),
        body: notice.to_text(),
        important: true,
    }
}

fn new_session_id(_: Moment) -> SessionId {
    SessionId(uuid::Uuid::now_v7())
}
