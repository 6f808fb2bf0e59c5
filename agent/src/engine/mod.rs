//! The running agent: one loop that ties the pure parts to the desktop, the spool and the server.
//!
//! The loop owns all state and runs on one thread; what blocks (grabbing, encoding, messages, the
//! database) lives on threads of its own and answers through bounded channels. Each turn: something
//! happens, the session machine is told, captures that are due are made, the tray is drawn.

mod accounts;
mod camera;
mod captured;
mod choice;
mod commands;
mod day_link;
mod desktop;
mod employers;
mod health;
mod held;
mod idle;
mod keep;
mod minutes;
mod notify;
mod quiet;
mod refresh;
mod reload;
mod remind;
mod report;
mod shots;
mod system;
mod today;
mod tracking;

pub use report::plain_status;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use glasshour_license_format::License;
use glasshour_protocol::payload::{Cause, HealthReport, SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, Kind, LicenseId, ProjectId, RecordMeta, SessionId};
use glasshour_uploader::Draft;
use glasshour_uploader::send::Line;
use glasshour_words::Words;
use tokio::sync::{Notify, mpsc};
use tokio_util::task::AbortOnDropHandle;

use crate::capture::encode::WEBP;
use crate::clock::{Clock, Moment};
use crate::held::clock::HoldClock;
use crate::home::Home;
use crate::ipc::Listener;
use crate::journal::{Captured, Journal, LeftOpen};
use crate::license::{KeyChange, LatestTime, LicenseStore, Notices, TrustedKeys};
use crate::platform::{Message, Platform, signals};
use crate::status::Status;
use crate::tray::{Action, View};
use accounts::Accounts;
use desktop::Desktop;
use shots::ShotDone;
use system::System;
use today::Today;
use tracking::Tracking;

/// Media type of a picture that equals the last one and so has no bytes.
const UNCHANGED: &str = "application/octet-stream";
/// How often the administrator's license folder is looked at.
const RESCAN: Duration = Duration::from_secs(30);
/// How often a running session leaves a sign of life, milliseconds.
const ALIVE_MS: u64 = 30_000;
/// How long the display may be gone before that means log-out (rule 20), milliseconds.
const DISPLAY_GONE_MS: u64 = 30_000;
/// Longest pause between two turns: bounds how exactly a sleep is dated.
const LONGEST_PAUSE_MS: u64 = 15_000;

/// How the agent is to run.
#[derive(Clone, Debug)]
pub struct RunConfig {
    /// The agent's own folder.
    pub home: Home,
    /// Where the administrator puts licenses.
    pub license_dir: PathBuf,
    /// Hosts that the administrator's policy lets be reached without TLS.
    pub allow_plain_http: Vec<String>,
    /// The keys that may sign licenses here, where the administrator names any.
    pub trusted_keys: TrustedKeys,
    /// How large the spool of one employer may grow, bytes, before pictures make way.
    pub spool_quota_bytes: u64,
    /// What the administrator says of the way to the servers.
    pub line: Line,
    /// The language to speak.
    pub words: Words,
    /// Whether to put an icon into the tray. Without one, messages stand in: it is never covert.
    pub tray: bool,
}

/// Why the agent could not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A second agent.
    #[error("another Glasshour agent is already running with {}", .0.display())]
    AlreadyRunning(PathBuf),
    /// The lock cannot be taken.
    #[error("cannot use {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No control socket.
    #[error(transparent)]
    Listen(#[from] crate::ipc::ListenError),
    /// The licenses cannot be read.
    #[error(transparent)]
    Store(#[from] crate::license::StoreError),
    /// Signals cannot be listened to.
    #[error("cannot listen for the system's word to end")]
    Signals(#[source] std::io::Error),
}

/// Everything the loop owns.
struct Engine {
    config: RunConfig,
    platform: Arc<dyn Platform>,
    clock: Box<dyn Clock>,
    store: LicenseStore,
    notices: Notices,
    latest_time: LatestTime,
    holds: HoldClock,
    journal: Journal,
    accounts: Accounts,
    /// The licenses that count, each with its session and channels.
    trackings: BTreeMap<CompanyId, Tracking>,
    /// Licenses that count and cannot be put to work, and why not.
    out_of_order: BTreeMap<CompanyId, (License, String)>,
    desktop: Desktop,
    system: System,
    /// Told when a camera's thread has something to say.
    camera_news: Arc<Notify>,
    /// Records that a spool could not take yet, oldest first; none is empty.
    unpushed: BTreeMap<CompanyId, VecDeque<Draft>>,
    /// Why not, in a sentence.
    spool_trouble: BTreeMap<CompanyId, String>,
    /// Licenses that could not be used, in sentences.
    license_problems: Vec<String>,
    /// Changes of employers' keys that were followed.
    key_changes: Vec<KeyChange>,
    /// Licenses by keys that have nothing to do with those that count.
    strangers: Vec<LicenseId>,
    /// Companies whose newest license waits, in part, to be agreed to.
    waiting: BTreeMap<CompanyId, License>,
    /// The newer license that was last fetched from a server, as a file, and why it cannot be used.
    last_newer_license: BTreeMap<CompanyId, Arc<[u8]>>,
    refresh_problem: BTreeMap<CompanyId, String>,
    /// Which names of license files are names of users.
    user_names: HashMap<String, bool>,
    last_rescan_mono_ms: u64,
    last_view: Option<View>,
    /// When each running session was last seen alive.
    alive: BTreeMap<SessionId, i64>,
    /// What the last run left open and is not ended yet.
    left_open: Vec<LeftOpen>,
    /// When a worklog was last started for whom; and those of the log whose company is not known yet.
    last_used: BTreeMap<CompanyId, i64>,
    last_started: Vec<(LicenseId, i64)>,
    /// When each project was last worked on.
    project_used: BTreeMap<ProjectId, i64>,
    /// The day so far.
    today: Today,
    /// How much was captured today, and whether that is to be written.
    captured: Captured,
    captured_is_new: bool,
    reminders: remind::Reminders,
    /// Links to the own day that are asked for.
    asking: tokio::task::JoinSet<()>,
    /// Idle time that was not spoken of yet.
    questions: idle::Questions,
}

/// Runs the agent until it is told to end.
pub async fn run(config: RunConfig, platform: Arc<dyn Platform>) -> Result<(), RunError> {
    let _lock = lock(&config.home)?;
    let (command_sender, mut commands) = mpsc::channel(16);
    let listener = Listener::open(&config.home.socket())?;
    let socket = config.home.socket();
    let serving = AbortOnDropHandle::new(tokio::spawn(listener.serve(command_sender)));

    let (shot_sender, mut shots) = mpsc::channel(4);
    let (action_sender, mut actions) = mpsc::channel(16);
    let (news_sender, mut news) = mpsc::channel(16);
    let mut engine = Engine::new(config, platform, news_sender, action_sender);
    let ending = signals::told_to_end().map_err(RunError::Signals)?;
    tokio::pin!(ending);

    engine.reload(&shot_sender).await;
    let cause = loop {
        engine.turn(&shot_sender).await;
        if engine.display_is_gone_for_good() {
            break Cause::Logout;
        }
        let pause = Duration::from_millis(engine.pause_ms());
        tokio::select! {
            Some(command) = commands.recv() => engine.command(command, &shot_sender).await,
            Some(action) = actions.recv() => {
                if let Some(cause) = engine.action(action, &shot_sender).await {
                    break cause;
                }
            }
            Some(done) = shots.recv() => engine.shot_done(done).await,
            Some(company) = news.recv() => engine.server_news(company, &shot_sender).await,
            () = engine.desktop.changed() => {}
            () = engine.camera_news.notified() => {}
            () = engine.system.changed() => {
                if let Some(cause) = engine.take_system_news().await {
                    break cause;
                }
            }
            () = tokio::time::sleep(pause) => {}
            cause = &mut ending => break cause,
        }
    };
    engine.end(cause).await;
    serving.abort();
    // Gone already where the listener removed it; the next agent removes a leftover anyway.
    let _ = std::fs::remove_file(socket);
    Ok(())
}

/// One agent per home, also where no spool is open yet.
fn lock(home: &Home) -> Result<std::fs::File, RunError> {
    let path = home.root().join("agent.lock");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| RunError::Lock {
            path: path.clone(),
            source,
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(RunError::AlreadyRunning(home.root().to_owned()))
        }
        Err(std::fs::TryLockError::Error(source)) => Err(RunError::Lock { path, source }),
    }
}

impl Engine {
    fn new(
        config: RunConfig,
        platform: Arc<dyn Platform>,
        news: mpsc::Sender<CompanyId>,
        actions: mpsc::Sender<Action>,
    ) -> Self {
        let clock = platform.clock();
        let now = clock.now();
        let home = config.home.clone();
        let journal = Journal::new(home.clone());
        let today = Today::read(&journal, now);
        let captured = journal.captured();
        let left_open = journal.left_open().unwrap_or_else(|error| {
            tracing::error!(%error, "the session log cannot be read");
            Vec::new()
        });
        let holds = HoldClock::open(home.clone(), now, clock.boot_id());
        let accounts = Accounts::new(home.clone(), platform.clone(), (news, holds.readings()))
            .with_quota(config.spool_quota_bytes)
            .with_line(config.line.clone());
        let desktop = Desktop::start(platform.clone(), &config, actions);
        let system = System::start(platform.clone());
        let last_started = employers::last_started(&journal);
        let project_used = employers::last_projects(&journal);
        Self {
            store: LicenseStore::new(home.clone()).with_trusted_keys(config.trusted_keys.clone()),
            latest_time: LatestTime::open(home.clone()),
            holds,
            notices: Notices::open(home),
            journal,
            accounts,
            trackings: BTreeMap::new(),
            out_of_order: BTreeMap::new(),
            desktop,
            system,
            camera_news: Arc::default(),
            unpushed: BTreeMap::new(),
            spool_trouble: BTreeMap::new(),
            license_problems: Vec::new(),
            key_changes: Vec::new(),
            strangers: Vec::new(),
            waiting: BTreeMap::new(),
            last_newer_license: BTreeMap::new(),
            refresh_problem: BTreeMap::new(),
            user_names: HashMap::new(),
            last_rescan_mono_ms: now.mono_ms,
            last_view: None,
            alive: BTreeMap::new(),
            left_open,
            last_used: BTreeMap::new(),
            last_started,
            project_used,
            today,
            captured,
            captured_is_new: false,
            reminders: remind::Reminders::default(),
            asking: tokio::task::JoinSet::new(),
            questions: idle::Questions::new(now),
            clock,
            platform,
            config,
        }
    }

    /// One turn: time has passed, or something has happened.
    async fn turn(&mut self, shots: &mpsc::Sender<ShotDone>) {
        let now = self.clock.now();
        if now.mono_ms.saturating_sub(self.last_rescan_mono_ms) >= millis(RESCAN) {
            self.reload(shots).await;
            self.system.look_again();
        }
        self.latest_time.passed(now.wall_ms);
        self.holds.keep(now);
        self.retry_all_unpushed().await;
        self.take_shown_notices();
        self.record_notices(now).await;
        for company in self.companies() {
            let Some(mut tracking) = self.trackings.remove(&company) else {
                continue;
            };
            let idle = tracking.idle_ms(&self.platform, now);
            let default = tracking.default_project();
            let mut events = tracking.machine.tick(now, idle, default);
            events.extend(tracking.check_validity(now, self.latest(company, now)));
            self.apply(&mut tracking, now, events).await;
            if let Some(minute) = tracking.minute_if_over(now) {
                self.push_minute(&tracking, minute).await;
            }
            if now.mono_ms.saturating_sub(tracking.last_alive_mono_ms) >= ALIVE_MS {
                self.note_alive(&mut tracking, now);
            }
            tracking.shoot_if_due(now);
            self.camera_turn(&mut tracking, now).await;
            self.trackings.insert(company, tracking);
        }
        self.remind(now);
        self.show(now).await;
    }

    /// Those whose licenses are at work.
    fn companies(&self) -> Vec<CompanyId> {
        self.trackings.keys().copied().collect()
    }

    /// A display that was there and has been gone for a while: the user has logged out, and this process
    /// was left behind (rule 20).
    fn display_is_gone_for_good(&self) -> bool {
        let now = self.clock.now().mono_ms;
        self.trackings
            .values()
            .filter_map(Tracking::display_gone_since)
            .any(|since| now.saturating_sub(since) >= DISPLAY_GONE_MS)
    }

    /// How long nothing will be due.
    fn pause_ms(&mut self) -> u64 {
        let now = self.clock.now();
        let rescan =
            millis(RESCAN).saturating_sub(now.mono_ms.saturating_sub(self.last_rescan_mono_ms));
        let due = self.trackings.values_mut().map(|t| t.pause_ms(now)).min();
        let retry = if self.unpushed.is_empty() {
            u64::MAX
        } else {
            1_000
        };
        rescan
            .min(due.unwrap_or(u64::MAX))
            .min(retry)
            .clamp(10, LONGEST_PAUSE_MS)
    }

    /// Records events and opens or closes the channels as the one gate says.
    async fn apply(&mut self, tracking: &mut Tracking, now: Moment, events: Vec<SessionEvent>) {
        for event in events {
            if event.event == SessionEventKind::Stopped {
                if event.cause == Cause::Sleep && event.at_ms < now.wall_ms {
                    // Found afterwards. What was counted since waking is in no session, and cannot be told apart.
                    tracking.drop_minute(now);
                }
                // The last, shorter minute belongs to the session that ends.
                self.close_channels(tracking, now).await;
            }
            tracking.follow(&event);
            self.note_project(&event);
            self.today.add(tracking.license_id(), &event, now);
            self.push_event(tracking, now, &event).await;
            self.announce(tracking, &event, now);
            self.idle_time_may_have_ended(now, &event);
        }
        if tracking.machine.may_capture(now.wall_ms) && self.desktop.is_in_sight() {
            tracking.open_channels(&self.platform, now);
        } else {
            self.close_channels(tracking, now).await;
        }
    }

    async fn close_channels(&mut self, tracking: &mut Tracking, now: Moment) {
        if let Some(minute) = tracking.close_channels(now) {
            self.push_minute(tracking, minute).await;
        }
    }

    /// A moment's pictures are ready, or there are none.
    async fn shot_done(&mut self, done: ShotDone) {
        let Some(mut tracking) = self.trackings.remove(&done.company) else {
            return;
        };
        // The gate may have shut since they were ordered: it is asked anew, as of now.
        let now = self.clock.now();
        let default = tracking.default_project();
        let mut events = tracking.machine.tick(now, None, default);
        events.extend(tracking.check_validity(now, self.latest(tracking.company(), now)));
        self.apply(&mut tracking, now, events).await;
        let kept = tracking.shot_done(&done).unwrap_or_default();
        if !kept.is_empty() {
            self.session_reaches(Some(done.session_id), done.captured);
        }
        for shot in kept {
            let unchanged = shot.webp.is_none();
            let draft = Draft {
                license_id: tracking.license_id(),
                kind: Kind::Screenshot,
                captured: self.captured(done.captured),
                content_type: if unchanged { UNCHANGED } else { WEBP }.into(),
                payload: shot.webp.clone().unwrap_or_default(),
                meta: RecordMeta {
                    session_id: Some(done.session_id),
                    project_id: done.project_id,
                    frame: Some(shot.meta.clone()),
                    boot_ms: Some(done.captured.boot_ms),
                    ..RecordMeta::default()
                },
                hold_until_ms: self.hold_until(tracking.license(), done.captured),
            };
            if self.push(tracking.company(), draft).await {
                let grab_to_durable_ms = self
                    .clock
                    .now()
                    .mono_ms
                    .saturating_sub(done.captured.mono_ms);
                tracing::debug!(grab_to_durable_ms, unchanged, "a picture is on disk");
            } else {
                tracking.picture_was_lost();
            }
        }
        if !kept.is_empty()
            && let Some(last) = tracking.last_shots(done.captured, self.clock.boot_id())
            && let Err(error) = self.journal.shots(done.company, last)
        {
            tracing::error!(%error, "the time of the last picture cannot be written");
        }
        self.trackings.insert(done.company, tracking);
    }

    /// The sender has learnt something.
    async fn server_news(&mut self, company: CompanyId, shots: &mpsc::Sender<ShotDone>) {
        let status = self.accounts.send_status(company);
        if let Some(device) = status.and_then(|status| status.device) {
            self.latest_time.heard(company, device.server_time_ms);
        }
        if self.take_newer_license(company, self.clock.now()) {
            self.reload(shots).await;
        }
        let Some(mut tracking) = self.trackings.remove(&company) else {
            return;
        };
        let now = self.clock.now();
        let blocked = self.accounts.send_status(company).and_then(|s| s.blocked);
        let latest = self.latest(company, now);
        let events = tracking.server_says(now, latest, blocked);
        self.apply(&mut tracking, now, events).await;
        self.trackings.insert(company, tracking);
    }

    /// The time that a license's dates are held against.
    fn latest(&self, company: CompanyId, now: Moment) -> jiff::Timestamp {
        self.latest_time.now_for_validity(company, now.wall_ms)
    }

    /// Ends the sessions and lets the senders finish.
    async fn end(&mut self, cause: Cause) {
        let now = self.clock.now();
        for mut tracking in std::mem::take(&mut self.trackings).into_values() {
            let events = tracking.machine.end(now, cause);
            self.apply(&mut tracking, now, events).await;
        }
        self.retry_all_unpushed().await;
        self.keep_captured();
        self.accounts.close().await;
    }

    /// Draws the tray and sends each employer its health record, each only when something changed.
    async fn show(&mut self, now: Moment) {
        let status = self.status(now).await;
        let mut view = crate::tray::view(&status, self.config.words);
        if self.trackings.values().any(Tracking::camera_is_under_way) {
            view.tell_of_the_camera(self.config.words);
        }
        if self.last_view.as_ref() != Some(&view) && self.desktop.show(view.clone()) {
            self.last_view = Some(view);
        }
        for employer in &status.employers {
            let company = employer.company_id;
            let health = report::health(&status, employer);
            let news = |last: &HealthReport| report::differs(last, &health);
            let Some(tracking) = self.trackings.get_mut(&company) else {
                continue;
            };
            if tracking.last_health.as_ref().is_none_or(news) {
                tracking.last_health = Some(health.clone());
                let license_id = tracking.license_id();
                let meta = RecordMeta::default();
                let draft = self.json_draft(license_id, Kind::Health, now, &health, meta, 0);
                self.push(company, draft).await;
            }
        }
    }

    async fn status(&mut self, now: Moment) -> Status {
        report::status(self, now).await
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn message(title: impl Into<String>, body: String) -> Message {
    Message {
        title: title.into(),
        body,
        important: false,
    }
}

fn no_license(words: Words, problems: &[String]) -> String {
    let mut text = words.say(glasshour_words::Message::NoLicense {});
    for problem in problems {
        text.push(' ');
        text.push_str(problem);
    }
    text
}
