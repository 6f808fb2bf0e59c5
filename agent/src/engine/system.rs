//! What the system tells of the session, brought to the session machine: sleep, lock, another user,
//! shutdown and log-out.
//!
//! The source tells on a thread of its own. What it has told is kept as how things are now, not as a
//! list of what happened: a lock and its end that cross in one turn of the loop are nothing, and the
//! place for it cannot overflow. What makes the machine wait is let go when everything is on disk.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glasshour_protocol::payload::Cause;
use tokio::sync::Notify;

use super::Engine;
use super::tracking::Tracking;
use crate::clock::Moment;
use crate::platform::{Hold, Platform, SystemEvent, SystemEvents, Told, Unavailable};
use crate::session::Absence;

/// What was told and is not taken up yet.
#[derive(Default)]
struct Heard {
    absences: BTreeSet<Absence>,
    holds: Vec<Hold>,
    logged_out: bool,
    lost: bool,
    opened: Option<Result<Box<dyn SystemEvents>, Unavailable>>,
}

/// The source, and what was taken up of it.
pub(super) struct System {
    platform: Arc<dyn Platform>,
    heard: Arc<Mutex<Heard>>,
    changed: Arc<Notify>,
    source: Option<Box<dyn SystemEvents>>,
    /// Why nothing is heard.
    without: String,
    /// Lost, or not there yet: to be looked for again.
    gone: bool,
    absences: BTreeSet<Absence>,
}

impl System {
    /// Begins to listen, on another thread: a bus may take its time.
    pub(super) fn start(platform: Arc<dyn Platform>) -> Self {
        let system = Self {
            platform,
            heard: Arc::default(),
            changed: Arc::new(Notify::new()),
            source: None,
            without: "not asked yet".into(),
            gone: false,
            absences: BTreeSet::new(),
        };
        system.open();
        system
    }

    fn open(&self) {
        let (platform, heard, changed) = (
            Arc::clone(&self.platform),
            Arc::clone(&self.heard),
            Arc::clone(&self.changed),
        );
        let spawned = std::thread::Builder::new()
            .name("system-open".into())
            .spawn(move || {
                let opened = platform.system_events(told(Arc::clone(&heard), Arc::clone(&changed)));
                lock(&heard).opened = Some(opened);
                changed.notify_one();
            });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread could be had to hear of sleep and locks");
        }
    }

    /// Looks again for a source that was lost.
    pub(super) fn look_again(&mut self) {
        if std::mem::take(&mut self.gone) {
            self.open();
        }
    }

    /// By what sleep and locks are heard of, or why they are not.
    pub(super) fn how(&self) -> Result<String, String> {
        let source = self.source.as_ref();
        source
            .map(|source| source.describe())
            .ok_or_else(|| self.without.clone())
    }

    /// Returns when something was told.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Tells a machine that is new what keeps the person away at present.
    pub(super) fn brief(&self, tracking: &mut Tracking, now: Moment) {
        for absence in &self.absences {
            let events = tracking.machine.leave(now, *absence);
            debug_assert!(events.is_empty(), "a new machine is at rest");
        }
    }
}

fn told(heard: Arc<Mutex<Heard>>, changed: Arc<Notify>) -> Told {
    Box::new(move |event| {
        let mut heard = lock(&heard);
        match event {
            SystemEvent::Leaves(absence, hold) => {
                heard.absences.insert(absence);
                heard.holds.push(hold);
            }
            SystemEvent::Returns(absence) => {
                heard.absences.remove(&absence);
            }
            SystemEvent::LoggedOut => heard.logged_out = true,
            SystemEvent::Lost(why) => {
                tracing::warn!(%why, "nothing is heard of sleep and locks any more");
                // Nothing would end them.
                heard.absences.clear();
                heard.lost = true;
            }
        }
        drop(heard);
        changed.notify_one();
    })
}

/// A panic elsewhere must not hide what was told.
fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Takes up what the system has told. Returns why to end, if that was it.
    pub(super) async fn take_system_news(&mut self) -> Option<Cause> {
        let (absences, holds, logged_out, lost, opened) = {
            let mut heard = lock(&self.system.heard);
            (
                heard.absences.clone(),
                std::mem::take(&mut heard.holds),
                heard.logged_out,
                std::mem::take(&mut heard.lost),
                heard.opened.take(),
            )
        };
        match opened {
            Some(Ok(source)) => {
                tracing::info!(by = source.describe(), "hearing of sleep and locks");
                self.system.source = Some(source);
            }
            Some(Err(error)) => {
                tracing::info!(%error, "hearing nothing of sleep and locks");
                self.system.without = error.to_string();
                self.system.gone = matches!(error, Unavailable::Gone(_));
            }
            None => {}
        }
        if lost {
            self.system.source = None;
            self.system.gone = true;
        }
        let before = std::mem::replace(&mut self.system.absences, absences.clone());
        for absence in absences.difference(&before) {
            self.leave(*absence).await;
        }
        for absence in before.difference(&absences) {
            self.come_back(*absence).await;
        }
        // Everything is on disk: the machine may go on with what it is about to do.
        self.retry_all_unpushed().await;
        drop(holds);
        logged_out.then_some(Cause::Logout)
    }

    async fn leave(&mut self, absence: Absence) {
        let now = self.clock.now();
        for company in self.companies() {
            if let Some(mut tracking) = self.trackings.remove(&company) {
                let events = tracking.machine.leave(now, absence);
                self.apply(&mut tracking, now, events).await;
                self.trackings.insert(company, tracking);
            }
        }
    }

    async fn come_back(&mut self, absence: Absence) {
        let now = self.clock.now();
        for company in self.companies() {
            if let Some(mut tracking) = self.trackings.remove(&company) {
                let default = tracking.default_project();
                let events = tracking.machine.come_back(now, absence, default);
                self.apply(&mut tracking, now, events).await;
                self.trackings.insert(company, tracking);
            }
        }
    }
}
