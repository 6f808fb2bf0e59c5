//! The fake desktop: what a test can set, and what it can see.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use glasshour_license_format::{Activity, Permit, Screenshots};
use glasshour_protocol::payload::InputCounts;

use super::camera::FileCamera;
use super::clock::FakeTime;
use super::sources::{
    FakeForeground, FakeIdle, FakeIndicator, FakeInput, FakeNotifier, FakeScreens,
    FakeSystemEvents, FakeTray,
};
use crate::clock::Clock;
use crate::platform::{
    Camera, Foreground, Frame, Hold, Identity, Idle, Input, Message, Monitor, Notifier, Platform,
    Rect, Screens, SystemEvent, SystemEvents, Tray, Unavailable, Window, permits_foreground,
    permits_input,
};
use crate::session::Absence;
use crate::tray::{Action, View};

/// A desktop in memory. Clones are the same desktop.
#[derive(Clone)]
pub struct FakeDesktop {
    shared: Arc<Shared>,
}

/// A part of the desktop that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Pictures of monitors, and the list of monitors.
    Screens,
    /// The list of windows alone: pictures can still be taken.
    Windows,
    /// Input counts.
    Input,
    /// The active window.
    Foreground,
    /// Idle time.
    Idle,
    /// Messages.
    Notifier,
    /// The tray icon.
    Tray,
    /// The indicator that the agent draws by itself.
    Indicator,
    /// The camera.
    Camera,
    /// Word of sleep, locks, other users and shutdown.
    SystemEvents,
}

/// Called with what is picked in the tray.
pub(super) type Picked = Arc<dyn Fn(Action) + Send + Sync>;

/// Called with what the system tells.
pub(super) type Told = Arc<dyn Fn(SystemEvent) + Send + Sync>;

pub(super) struct Shared {
    state: Mutex<State>,
    foreground_changed: Condvar,
    pub(super) time: FakeTime,
}

pub(super) struct State {
    pub(super) failing: BTreeMap<Source, Unavailable>,
    pub(super) opened: BTreeMap<Source, u32>,
    pub(super) monitors: Vec<Monitor>,
    pub(super) frames: BTreeMap<String, VecDeque<Frame>>,
    pub(super) grabs: u32,
    pub(super) windows: Vec<Window>,
    /// Since the desktop began.
    pub(super) input: InputCounts,
    pub(super) last_input_mono_ms: u64,
    pub(super) foreground: Option<Window>,
    pub(super) foreground_changes: u64,
    pub(super) messages: Vec<Message>,
    pub(super) questions: Vec<(Message, Vec<(Action, String)>)>,
    pub(super) call: bool,
    pub(super) views: Vec<View>,
    pub(super) picked: Option<Picked>,
    pub(super) tray_is_shown: bool,
    pub(super) indicator_views: Vec<View>,
    pub(super) indicators: u32,
    pub(super) indicator_is_shown: bool,
    pub(super) told: Option<Told>,
    pub(super) camera: Option<PathBuf>,
    pub(super) camera_pictures: u32,
    identity: Identity,
    users: BTreeSet<String>,
}

impl Default for FakeDesktop {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeDesktop {
    /// One monitor with one active window, used just now by `jo` on `fake-host`; everything works.
    pub fn new() -> Self {
        let area = Rect {
            x: 0,
            y: 0,
            width: 64,
            height: 48,
        };
        let window = Window {
            id: 1,
            application: "Editor".to_owned(),
            title: "Notes".to_owned(),
            area: Rect {
                x: 8,
                y: 8,
                width: 32,
                height: 24,
            },
            active: true,
        };
        let time = FakeTime::new();
        let state = State {
            failing: BTreeMap::new(),
            opened: BTreeMap::new(),
            monitors: vec![Monitor {
                name: "Fake-1".to_owned(),
                area,
                primary: true,
            }],
            frames: BTreeMap::new(),
            grabs: 0,
            windows: vec![window.clone()],
            input: NO_INPUT,
            last_input_mono_ms: time.now().mono_ms,
            foreground: Some(window),
            foreground_changes: 0,
            messages: Vec::new(),
            questions: Vec::new(),
            call: false,
            views: Vec::new(),
            picked: None,
            tray_is_shown: true,
            indicator_views: Vec::new(),
            indicators: 0,
            indicator_is_shown: true,
            told: None,
            camera: None,
            camera_pictures: 0,
            identity: Identity {
                host_name: "fake-host".to_owned(),
                os_user: "jo".to_owned(),
            },
            users: BTreeSet::from(["jo".to_owned()]),
        };
        let foreground_changed = Condvar::new();
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                foreground_changed,
                time,
            }),
        }
    }

    /// Its clocks.
    pub fn time(&self) -> &FakeTime {
        &self.shared.time
    }

    /// Makes a source fail, when opened and when already open, until [`heal`](Self::heal).
    pub fn fail(&self, source: Source, error: Unavailable) {
        self.shared.lock().failing.insert(source, error);
        self.shared.foreground_changed.notify_all();
    }

    /// Lets a source work again.
    pub fn heal(&self, source: Source) {
        self.shared.lock().failing.remove(&source);
    }

    /// How many times a source was opened with success.
    pub fn opened(&self, source: Source) -> u32 {
        self.shared
            .lock()
            .opened
            .get(&source)
            .copied()
            .unwrap_or_default()
    }

    /// Plugs in these monitors and no others.
    pub fn set_monitors(&self, monitors: Vec<Monitor>) {
        self.shared.lock().monitors = monitors;
    }

    /// Puts a picture on a monitor: each queued one is grabbed once, the last one again and again.
    /// Without any, a monitor shows [`picture`] number 0 in its size.
    pub fn queue_frame(&self, monitor: &str, frame: Frame) {
        self.shared
            .lock()
            .frames
            .entry(monitor.to_owned())
            .or_default()
            .push_back(frame);
    }

    /// How many pictures were taken.
    pub fn grabs(&self) -> u32 {
        self.shared.lock().grabs
    }

    /// Opens these windows and no others, lowest first. The foreground is set apart from this.
    pub fn set_windows(&self, windows: Vec<Window>) {
        self.shared.lock().windows = windows;
    }

    /// Gives a window the focus, or none.
    pub fn set_foreground(&self, window: Option<Window>) {
        let mut state = self.shared.lock();
        state.foreground = window;
        state.foreground_changes += 1;
        self.shared.foreground_changed.notify_all();
    }

    /// Presses so many keys, now.
    pub fn add_keys(&self, keys: u32) {
        self.add_input(InputCounts { keys, ..NO_INPUT });
    }

    /// Uses the input devices, now: ends idle time.
    pub fn add_input(&self, counts: InputCounts) {
        let now = self.shared.time.now();
        let mut state = self.shared.lock();
        state.input.add(counts);
        state.last_input_mono_ms = now.mono_ms;
    }

    /// Lets the last input have been so long ago. From there idle time grows with the clock.
    pub fn set_idle(&self, idle: Duration) {
        let idle_ms = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        let now = self.shared.time.now();
        self.shared.lock().last_input_mono_ms = now.mono_ms.saturating_sub(idle_ms);
    }

    /// Begins a call, or ends it.
    pub fn set_call(&self, call: bool) {
        self.shared.lock().call = call;
    }

    /// The questions that were asked, oldest first, each with the answers it offered.
    pub fn questions(&self) -> Vec<(Message, Vec<(Action, String)>)> {
        self.shared.lock().questions.clone()
    }

    /// The messages that were shown, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.lock().messages.clone()
    }

    /// Everything that the tray has shown, oldest first.
    pub fn views(&self) -> Vec<View> {
        self.shared.lock().views.clone()
    }

    /// Whether an icon is in the tray.
    pub fn has_tray(&self) -> bool {
        self.shared.lock().picked.is_some()
    }

    /// Whether the desktop has a place that shows icons.
    pub fn set_tray_is_shown(&self, is_shown: bool) {
        self.shared.lock().tray_is_shown = is_shown;
    }

    /// Everything that the agent's own indicator has shown, oldest first.
    pub fn indicator_views(&self) -> Vec<View> {
        self.shared.lock().indicator_views.clone()
    }

    /// Whether the agent's own indicator is alive.
    pub fn has_indicator(&self) -> bool {
        self.shared.lock().indicators > 0
    }

    /// Whether the agent's own indicator is in sight.
    pub fn set_indicator_is_shown(&self, is_shown: bool) {
        self.shared.lock().indicator_is_shown = is_shown;
    }

    /// Picks something in the tray's menu; `false`: there is no tray.
    ///
    /// It need not be in the menu: a click may cross with a new menu on its way.
    pub fn pick(&self, action: Action) -> bool {
        let Some(picked) = self.shared.lock().picked.clone() else {
            return false;
        };
        picked(action);
        true
    }

    /// Lets the system tell that nobody can be at work. The result says, while it lasts, whether the
    /// machine still waits for the agent; `None`: nobody listens.
    pub fn leave(&self, absence: Absence) -> Option<Waiting> {
        let held = Arc::new(());
        let waiting = Waiting(Arc::downgrade(&held));
        let hold = Hold::of(held);
        self.tell(SystemEvent::Leaves(absence, hold))
            .then_some(waiting)
    }

    /// Lets the system tell anything; `false`: nobody listens.
    pub fn tell(&self, event: SystemEvent) -> bool {
        let Some(told) = self.shared.lock().told.clone() else {
            return false;
        };
        told(event);
        true
    }

    /// Plugs a camera in whose pictures are that file, or none.
    pub fn set_camera(&self, file: Option<PathBuf>) {
        self.shared.lock().camera = file;
    }

    /// How many pictures the camera has given.
    pub fn camera_pictures(&self) -> u32 {
        self.shared.lock().camera_pictures
    }

    /// Names the machine and its user.
    pub fn set_identity(&self, identity: Identity) {
        let mut state = self.shared.lock();
        state.users.insert(identity.os_user.clone());
        state.identity = identity;
    }

    /// Makes another user known to the machine.
    pub fn add_user(&self, name: &str) {
        self.shared.lock().users.insert(name.to_owned());
    }

    fn open(&self, source: Source) -> Result<Arc<Shared>, Unavailable> {
        let mut state = self.shared.lock();
        state.working(source)?;
        *state.opened.entry(source).or_default() += 1;
        Ok(Arc::clone(&self.shared))
    }
}

/// A machine that waits with its sleep until the agent lets it.
#[derive(Debug)]
pub struct Waiting(Weak<()>);

impl Waiting {
    /// Whether the agent has let it go on.
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl Platform for FakeDesktop {
    fn describe(&self) -> String {
        "fake memory".to_owned()
    }

    fn identity(&self) -> Identity {
        self.shared.lock().identity.clone()
    }

    fn is_user(&self, name: &str) -> bool {
        self.shared.lock().users.contains(name)
    }

    fn clock(&self) -> Box<dyn Clock> {
        Box::new(self.shared.time.clock())
    }

    fn screens(&self, _permit: &Permit<Screenshots>) -> Result<Box<dyn Screens>, Unavailable> {
        Ok(Box::new(FakeScreens(self.open(Source::Screens)?)))
    }

    fn input(&self, permit: &Permit<Activity>) -> Result<Box<dyn Input>, Unavailable> {
        permits_input(permit)?;
        let shared = self.open(Source::Input)?;
        // A real source counts from when it is opened, and takes nothing from another one.
        let taken = shared.lock().input;
        Ok(Box::new(FakeInput { shared, taken }))
    }

    fn foreground(&self, permit: &Permit<Activity>) -> Result<Box<dyn Foreground>, Unavailable> {
        permits_foreground(permit)?;
        let shared = self.open(Source::Foreground)?;
        let seen_changes = shared.lock().foreground_changes;
        Ok(Box::new(FakeForeground {
            shared,
            seen_changes,
        }))
    }

    fn camera(&self, _permit: &Permit<glasshour_license_format::Camera>) -> Box<dyn Camera> {
        Box::new(FileCamera(Arc::clone(&self.shared)))
    }

    fn idle(&self) -> Result<Box<dyn Idle>, Unavailable> {
        Ok(Box::new(FakeIdle(self.open(Source::Idle)?)))
    }

    fn call_in_progress(&self) -> bool {
        self.shared.lock().call
    }

    fn notifier(&self) -> Result<Box<dyn Notifier>, Unavailable> {
        Ok(Box::new(FakeNotifier(self.open(Source::Notifier)?)))
    }

    fn tray(
        &self,
        view: &View,
        picked: Box<dyn Fn(Action) + Send + Sync>,
    ) -> Result<Box<dyn Tray>, Unavailable> {
        let shared = self.open(Source::Tray)?;
        let mut state = shared.lock();
        state.views.push(view.clone());
        state.picked = Some(Arc::from(picked));
        drop(state);
        Ok(Box::new(FakeTray(shared)))
    }

    fn indicator(&self, view: &View) -> Result<Box<dyn Tray>, Unavailable> {
        let shared = self.open(Source::Indicator)?;
        let mut state = shared.lock();
        state.indicator_views.push(view.clone());
        state.indicators += 1;
        drop(state);
        Ok(Box::new(FakeIndicator(shared)))
    }

    fn system_events(
        &self,
        told: crate::platform::Told,
    ) -> Result<Box<dyn SystemEvents>, Unavailable> {
        let shared = self.open(Source::SystemEvents)?;
        let told: Told = Arc::from(told);
        let mine = Arc::downgrade(&told);
        // What listened before, an agent that has ended, is dropped without the lock: it takes it too.
        let before = shared.lock().told.replace(told);
        drop(before);
        Ok(Box::new(FakeSystemEvents { shared, told: mine }))
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something about the foreground is set, but no longer than that in real time.
    pub(super) fn wait_for_foreground(&self, state: MutexGuard<'_, State>, at_most: Duration) {
        drop(self.foreground_changed.wait_timeout(state, at_most));
    }
}

impl State {
    /// The source's error, if it was made to fail.
    pub(super) fn working(&self, source: Source) -> Result<(), Unavailable> {
        self.failing.get(&source).cloned().map_or(Ok(()), Err)
    }
}

/// What an exact source says when nothing was done.
pub(super) const NO_INPUT: InputCounts = InputCounts {
    keys: 0,
    clicks: 0,
    scrolls: 0,
    motions: 0,
    exact: true,
};

/// A picture that differs from that of any other number, and in every corner.
pub fn picture(width: u32, height: u32, number: u8) -> Frame {
    let low_byte = |value: u32| value.to_le_bytes().first().copied().unwrap_or_default();
    let rgba = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| [low_byte(x), low_byte(y), number, u8::MAX])
        .collect();
    Frame {
        width,
        height,
        rgba,
    }
}
