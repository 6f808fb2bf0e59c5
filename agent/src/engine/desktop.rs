//! The thread that talks to the desktop: tray, indicator and messages. They may block for as long as
//! a desktop takes; the loop must not.
//!
//! It also holds the promise that nothing is captured unseen. In this order: the icon in the tray; where
//! that is not shown, an indicator that we draw ourselves, and a message at each start; and where none of
//! these can be had, [`Desktop::is_in_sight`] is false and the loop keeps every channel closed.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use glasshour_protocol::{CompanyId, LicenseId};
use glasshour_words::{Message as Say, Outside, Words};
use tokio::sync::{Notify, mpsc};

use super::RunConfig;
use crate::platform::{Message, NoticeWindow, Notifier, Picked, Platform, Tray, Unavailable};
use crate::tray::{Action, View};

/// Orders that may wait.
const QUEUE: usize = 64;
/// How often it is checked that the agent can still be seen, and tried to show what could not be.
const CHECK: Duration = Duration::from_secs(10);

enum Order {
    Show(View),
    Notify(Message),
    Ask(Message, Vec<(Action, String)>),
    Notice(LicenseId, Message),
    Read(LicenseId, Message),
    Camera(CompanyId, Message),
}

/// What the thread has found out, for the loop.
#[derive(Debug)]
struct Sight {
    /// Why the person can see nothing of the agent; `None`: they can.
    hidden: Option<String>,
    /// Whether the icon is in the tray, once that is known.
    tray: Option<Result<(), String>>,
    /// Whether the last message was shown.
    messages: Option<Result<(), String>>,
    /// Notices that were shown since they were last asked for, and how.
    notices: Vec<(LicenseId, &'static str)>,
    /// Whether the announcement of a picture of the camera was shown, once that is known, for whom.
    camera: BTreeMap<CompanyId, Result<(), String>>,
}

/// Handle to the thread.
pub(super) struct Desktop {
    orders: SyncSender<Order>,
    sight: Arc<Mutex<Sight>>,
    changed: Arc<Notify>,
}

impl Desktop {
    /// Starts the thread. Where there is to be no icon, indicator and messages stand in.
    pub(super) fn start(
        platform: Arc<dyn Platform>,
        config: &RunConfig,
        actions: mpsc::Sender<Action>,
    ) -> Self {
        let (orders, inbox) = sync_channel(QUEUE);
        let sight = Arc::new(Mutex::new(Sight {
            hidden: Some("the desktop has not answered yet".into()),
            tray: None,
            messages: None,
            notices: Vec::new(),
            camera: BTreeMap::new(),
        }));
        let changed = Arc::new(Notify::new());
        let seen = (sight.clone(), changed.clone());
        let worker = Worker::new(platform, (config.words, config.tray), actions, seen);
        let spawned = std::thread::Builder::new()
            .name("desktop".into())
            .spawn(move || worker.run(&inbox));
        if let Err(error) = spawned {
            lock(&sight).hidden = Some(format!("no thread for the desktop could be had: {error}"));
        }
        Self {
            orders,
            sight,
            changed,
        }
    }

    /// Draws a state; false where the desktop is too slow and it is to be drawn again.
    pub(super) fn show(&self, view: View) -> bool {
        self.order(Order::Show(view))
    }

    /// Shows a message.
    pub(super) fn notify(&self, message: Message) {
        if !self.order(Order::Notify(message)) {
            tracing::warn!("the desktop is slow: a message was not shown");
        }
    }

    /// Shows a message later, from elsewhere.
    pub(super) fn messenger(&self) -> impl FnOnce(Message) + Send + 'static {
        let orders = self.orders.clone();
        move |message| {
            if orders.try_send(Order::Notify(message)).is_err() {
                tracing::warn!("the desktop is slow: a message was not shown");
            }
        }
    }

    /// Shows a message with answers to pick from; what is picked comes as from the tray.
    pub(super) fn ask(&self, question: Message, choices: Vec<(Action, String)>) {
        if !self.order(Order::Ask(question, choices)) {
            tracing::warn!("the desktop is slow: a question was not asked");
        }
    }

    /// Shows a license's notice; [`shown_notices`](Self::shown_notices) tells whether it came through.
    pub(super) fn show_notice(&self, license: LicenseId, message: Message) {
        self.order(Order::Notice(license, message));
    }

    /// Shows what a license says, to somebody who asks for it.
    pub(super) fn read(&self, license: LicenseId, message: Message) {
        if !self.order(Order::Read(license, message)) {
            tracing::warn!("the desktop is slow: a license was not shown");
        }
    }

    /// Notices that the person could see since the last call, and how: in a `window` of ours, or as a
    /// `notification`.
    pub(super) fn shown_notices(&self) -> Vec<(LicenseId, &'static str)> {
        std::mem::take(&mut lock(&self.sight).notices)
    }

    /// Announces a picture of the camera; [`camera_word`](Self::camera_word) tells whether it was shown.
    pub(super) fn announce_camera(&self, company: CompanyId, message: Message) {
        self.forget_camera(company);
        if !self.order(Order::Camera(company, message)) {
            let why = "the desktop does not keep up".to_owned();
            lock(&self.sight).camera.insert(company, Err(why));
        }
    }

    /// Whether the last announcement was shown, or why not; `None`: not known yet. Told once.
    pub(super) fn camera_word(&self, company: CompanyId) -> Option<Result<(), String>> {
        lock(&self.sight).camera.remove(&company)
    }

    /// What was announced is not going to be.
    pub(super) fn forget_camera(&self, company: CompanyId) {
        lock(&self.sight).camera.remove(&company);
    }

    /// Whether the person can see that the agent runs.
    pub(super) fn is_in_sight(&self) -> bool {
        lock(&self.sight).hidden.is_none()
    }

    /// Why not, if not.
    pub(super) fn hidden(&self) -> Option<String> {
        lock(&self.sight).hidden.clone()
    }

    /// Whether the icon is in the tray, or why not; `None`: not known yet.
    pub(super) fn tray(&self) -> Option<Result<(), String>> {
        lock(&self.sight).tray.clone()
    }

    /// Whether the last message was shown, or why not; `None`: there was none.
    pub(super) fn messages(&self) -> Option<Result<(), String>> {
        lock(&self.sight).messages.clone()
    }

    /// Returns when something of the above has changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn order(&self, order: Order) -> bool {
        match self.orders.try_send(order) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// A panic elsewhere must not hide what is known.
fn lock(sight: &Mutex<Sight>) -> MutexGuard<'_, Sight> {
    sight.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Worker {
    platform: Arc<dyn Platform>,
    words: Words,
    wants_tray: bool,
    actions: mpsc::Sender<Action>,
    sight: Arc<Mutex<Sight>>,
    changed: Arc<Notify>,
    tray: Option<Box<dyn Tray>>,
    indicator: Option<Box<dyn Tray>>,
    notifier: Option<Box<dyn Notifier>>,
    /// Notices that are open to be read.
    windows: Vec<(LicenseId, Box<dyn NoticeWindow>)>,
    view: Option<View>,
    /// Whether a message has said that this session runs without an icon.
    told: bool,
    /// Why the last message could not be shown: the log says each cause once.
    unshown: Option<String>,
}

impl Worker {
    fn new(
        platform: Arc<dyn Platform>,
        (words, wants_tray): (Words, bool),
        actions: mpsc::Sender<Action>,
        (sight, changed): (Arc<Mutex<Sight>>, Arc<Notify>),
    ) -> Self {
        Self {
            platform,
            words,
            wants_tray,
            actions,
            sight,
            changed,
            tray: None,
            indicator: None,
            notifier: None,
            windows: Vec::new(),
            view: None,
            told: false,
            unshown: None,
        }
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        loop {
            match inbox.recv_timeout(CHECK) {
                Ok(Order::Notify(message)) => {
                    self.notify(&message);
                }
                Ok(Order::Ask(question, choices)) => self.ask(&question, choices),
                Ok(Order::Notice(license, message)) => self.show_notice(license, &message),
                Ok(Order::Read(license, message)) => {
                    if !self.open_window(license, &message, Box::new(|| ())) {
                        self.notify(&message);
                    }
                }
                Ok(Order::Camera(company, message)) => {
                    let shown = self.try_notify(&message).map_err(|error| error.to_string());
                    lock(&self.sight).camera.insert(company, shown);
                    self.changed.notify_one();
                }
                Ok(Order::Show(view)) => {
                    let began = view.running && !self.view.as_ref().is_some_and(|v| v.running);
                    self.told &= !began;
                    self.view = Some(view);
                    self.draw();
                }
                // A panel that starts after us, or dies, is found here.
                Err(RecvTimeoutError::Timeout) => self.draw(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// In a window of our own, whole; where there can be none, as a message.
    fn show_notice(&mut self, license: LicenseId, message: &Message) {
        let shown = {
            let (sight, changed) = (Arc::clone(&self.sight), Arc::clone(&self.changed));
            move |by| {
                lock(&sight).notices.push((license, by));
                changed.notify_one();
            }
        };
        let seen = shown.clone();
        if self.open_window(license, message, Box::new(move || seen("window"))) {
            return;
        }
        if self.notify(message) {
            shown("notification");
        }
    }

    /// False where there can be no window. One that is open already is not opened twice.
    fn open_window(
        &mut self,
        license: LicenseId,
        message: &Message,
        seen: Box<dyn FnOnce() + Send>,
    ) -> bool {
        self.windows.retain(|(_, window)| window.is_open());
        if self.windows.iter().any(|(open, _)| *open == license) {
            return true;
        }
        match self.platform.notice_window(message, self.words, seen) {
            Ok(window) => {
                self.windows.push((license, window));
                true
            }
            Err(error) => {
                tracing::debug!(%error, "a notice is shown as a message");
                false
            }
        }
    }

    fn draw(&mut self) {
        let Some(view) = self.view.clone() else {
            return;
        };
        let drawn = self.draw_tray(&view);
        let tray = drawn.as_ref().copied().map_err(ToString::to_string);
        let hidden = match drawn {
            Ok(()) => {
                self.indicator = None;
                self.told = false;
                None
            }
            Err(no_tray) => self.stand_in(&view, &no_tray),
        };
        let mut sight = lock(&self.sight);
        if sight.hidden != hidden || sight.tray.as_ref() != Some(&tray) {
            sight.hidden = hidden;
            sight.tray = Some(tray);
            self.changed.notify_one();
        }
    }

    /// Shows the state without a tray; returns why it cannot be seen, if it cannot.
    fn stand_in(&mut self, view: &View, no_tray: &Unavailable) -> Option<String> {
        let drawn = self.draw_indicator(view);
        if view.running && !self.told {
            let message = Message {
                title: self.words.say(Say::ToldRunning {}),
                body: self.words.say(Say::ToldNoIcon {
                    state: Outside(&view.tooltip),
                    reason: Outside(&no_tray.to_string()),
                }),
                important: true,
            };
            self.told = self.notify(&message);
        }
        match drawn {
            Ok(()) => None,
            Err(_) if self.told => None,
            Err(no_indicator) => Some(format!(
                "Nothing is captured, because you could not see it: there is no tray icon \
                 ({no_tray}), no indicator ({no_indicator}), and no message could be shown."
            )),
        }
    }

    fn draw_tray(&mut self, view: &View) -> Result<(), Unavailable> {
        if !self.wants_tray {
            return Err(Unavailable::Unsupported(
                "it was started with --no-tray".into(),
            ));
        }
        let tray = match self.tray.take() {
            Some(tray) => tray,
            None => {
                let picked = self.picked();
                self.platform
                    .tray(view, Box::new(move |action| picked(action)))?
            }
        };
        let no_place = "this desktop has no place for tray icons at the moment";
        show(&mut self.tray, tray, view, no_place)
    }

    fn draw_indicator(&mut self, view: &View) -> Result<(), Unavailable> {
        let indicator = match self.indicator.take() {
            Some(indicator) => indicator,
            None => self.platform.indicator(view)?,
        };
        show(&mut self.indicator, indicator, view, "something covers it")
    }

    /// Where picks go.
    fn picked(&self) -> Picked {
        let actions = self.actions.clone();
        Arc::new(move |action| {
            if actions.try_send(action).is_err() {
                tracing::warn!("a pick in the tray or in a message was lost");
            }
        })
    }

    fn ask(&mut self, question: &Message, choices: Vec<(Action, String)>) {
        let picked = self.picked();
        let asked = self.with_notifier(|notifier| notifier.ask(question, choices, picked));
        if let Err(error) = asked {
            tracing::warn!(%error, title = %question.title, "a question could not be asked");
        }
    }

    fn notify(&mut self, message: &Message) -> bool {
        match self.try_notify(message) {
            Ok(()) => {
                self.unshown = None;
                true
            }
            Err(error) => {
                let (title, why) = (&message.title, error.to_string());
                if self.unshown.as_ref() == Some(&why) {
                    tracing::debug!(%error, %title, "a message could not be shown");
                } else {
                    tracing::warn!(%error, %title, "a message could not be shown");
                    self.unshown = Some(why);
                }
                false
            }
        }
    }

    fn try_notify(&mut self, message: &Message) -> Result<(), Unavailable> {
        self.with_notifier(|notifier| notifier.notify(message))
    }

    fn note_messages(&self, shown: &Result<(), Unavailable>) {
        let told = shown.as_ref().copied().map_err(ToString::to_string);
        lock(&self.sight).messages = Some(told);
    }

    fn with_notifier(
        &mut self,
        show: impl FnOnce(&mut dyn Notifier) -> Result<(), Unavailable>,
    ) -> Result<(), Unavailable> {
        let mut notifier = match self.notifier.take() {
            Some(notifier) => notifier,
            None => self.platform.notifier().inspect_err(|error| {
                lock(&self.sight).messages = Some(Err(error.to_string()));
            })?,
        };
        let shown = show(notifier.as_mut());
        if shown.is_ok() {
            self.notifier = Some(notifier);
        }
        self.note_messages(&shown);
        shown
    }
}

/// Draws a state on an icon and keeps it in its place, unless it fails: then it is made anew next time.
fn show(
    place: &mut Option<Box<dyn Tray>>,
    mut icon: Box<dyn Tray>,
    view: &View,
    unseen: &str,
) -> Result<(), Unavailable> {
    icon.show(view)?;
    let shown = icon.is_shown()?;
    *place = Some(icon);
    if shown {
        Ok(())
    } else {
        Err(Unavailable::Gone(unseen.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::platform::fake::{FakeDesktop, Source};

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn that_messages_cannot_be_shown_is_a_warning_once_until_the_cause_changes() {
        let desktop = FakeDesktop::new();
        let sight = Arc::new(Mutex::new(Sight {
            tray: None,
            messages: None,
            hidden: None,
            notices: Vec::new(),
            camera: BTreeMap::new(),
        }));
        let mut worker = Worker::new(
            Arc::new(desktop.clone()),
            (Words::ENGLISH, true),
            mpsc::channel(1).0,
            (sight, Arc::new(Notify::new())),
        );
        let message = crate::engine::message("Glasshour", "hello".into());
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish();
        let told = |level: &str| {
            let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            text.lines().filter(|line| line.contains(level)).count()
        };
        tracing::subscriber::with_default(subscriber, || {
            let fail = |why: &str| {
                desktop.fail(Source::Notifier, Unavailable::Gone(why.into()));
            };
            fail("no service");
            assert!((0..3).all(|_| !worker.notify(&message)));
            assert_eq!((told("WARN"), told("DEBUG")), (1, 2));
            fail("another reason");
            assert!((0..2).all(|_| !worker.notify(&message)));
            assert_eq!((told("WARN"), told("DEBUG")), (2, 3));
            desktop.heal(Source::Notifier);
            assert!(worker.notify(&message));
            fail("another reason");
            assert!(!worker.notify(&message));
            assert_eq!((told("WARN"), told("DEBUG")), (3, 3));
        });
    }
}
