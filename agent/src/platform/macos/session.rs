//! What macOS tells of the session: sleep, lock, another user, log-out and shutdown.
//!
//! A sleep and an end of the session wait in the notification that announces them until what was tracked
//! is on disk. An end that somebody calls off is not told: what was believed of it ends by itself after a
//! minute.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use block2::RcBlock;
use objc2_app_kit::{
    NSWorkspace, NSWorkspaceDidWakeNotification, NSWorkspaceSessionDidBecomeActiveNotification,
    NSWorkspaceSessionDidResignActiveNotification, NSWorkspaceWillPowerOffNotification,
    NSWorkspaceWillSleepNotification,
};
use objc2_core_foundation::{CFBoolean, CFDictionary, CFRetained, CFString, CFType};
use objc2_core_graphics::CGSessionCopyCurrentDictionary;
use objc2_foundation::{
    NSDistributedNotificationCenter, NSNotification, NSNotificationName, NSString,
};

use super::observers::Observers;
use crate::platform::{Hold, SystemEvent, SystemEvents, Told};
use crate::session::Absence;

/// How long a sleep or an end may wait for us.
const PATIENCE: Duration = Duration::from_secs(5);
/// When an end of the session that was announced and has not come was called off.
const CALLED_OFF: Duration = Duration::from_secs(60);

/// Listens until it is dropped.
pub(super) struct SessionEvents {
    _workspace: Observers,
    _system: Observers,
}

impl SessionEvents {
    pub(super) fn open(told: Told) -> Self {
        let told: Arc<Told> = Arc::new(told);
        tell_how_it_is(&told);
        let mut workspace = Observers::of(NSWorkspace::sharedWorkspace().notificationCenter());
        // SAFETY: the names are constants of the system.
        let (sleeps, wakes, resigns, returns, ends) = unsafe {
            (
                NSWorkspaceWillSleepNotification,
                NSWorkspaceDidWakeNotification,
                NSWorkspaceSessionDidResignActiveNotification,
                NSWorkspaceSessionDidBecomeActiveNotification,
                NSWorkspaceWillPowerOffNotification,
            )
        };
        hear(&mut workspace, sleeps, &told, |told| {
            wait_for(told, Absence::Asleep);
        });
        hear(&mut workspace, wakes, &told, |told| {
            told(SystemEvent::Returns(Absence::Asleep));
        });
        hear(&mut workspace, resigns, &told, |told| {
            leaves(told, Absence::OtherUser);
        });
        hear(&mut workspace, returns, &told, |told| {
            told(SystemEvent::Returns(Absence::OtherUser));
        });
        hear(&mut workspace, ends, &told, |told| {
            wait_for(told, Absence::ShuttingDown);
            expect_it_called_off(told);
        });

        let centre = NSDistributedNotificationCenter::defaultCenter();
        let mut system = Observers::of(centre.into_super());
        let locks = NSString::from_str("com.apple.screenIsLocked");
        let unlocks = NSString::from_str("com.apple.screenIsUnlocked");
        hear(&mut system, &locks, &told, |told| {
            leaves(told, Absence::Locked);
        });
        hear(&mut system, &unlocks, &told, |told| {
            told(SystemEvent::Returns(Absence::Locked));
        });
        Self {
            _workspace: workspace,
            _system: system,
        }
    }
}

impl SystemEvents for SessionEvents {
    fn describe(&self) -> String {
        "macOS tells of sleep, lock, other users, log-out and shutdown".to_owned()
    }
}

fn hear(
    observers: &mut Observers,
    name: &NSNotificationName,
    told: &Arc<Told>,
    what: fn(&Arc<Told>),
) {
    let told = Arc::clone(told);
    let block = RcBlock::new(move |_: NonNull<NSNotification>| what(&told));
    observers.add(name, &block);
}

fn leaves(told: &Arc<Told>, absence: Absence) {
    told(SystemEvent::Leaves(absence, Hold::default()));
}

/// Tells of it, and returns when everything is on disk, or when the time is over.
fn wait_for(told: &Arc<Told>, absence: Absence) {
    let (held, let_go) = mpsc::sync_channel::<()>(0);
    told(SystemEvent::Leaves(absence, Hold::of(held)));
    if let_go.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        tracing::warn!("the computer goes before everything is on disk");
    }
}

fn expect_it_called_off(told: &Arc<Told>) {
    let told = Arc::clone(told);
    let spawned = thread::Builder::new()
        .name("called-off".to_owned())
        .spawn(move || {
            thread::sleep(CALLED_OFF);
            told(SystemEvent::Returns(Absence::ShuttingDown));
        });
    if let Err(cause) = spawned {
        tracing::warn!(%cause, "an end of the session that is called off will not be noticed");
    }
}

/// What holds already when we come.
fn tell_how_it_is(told: &Arc<Told>) {
    let Some(session) = CGSessionCopyCurrentDictionary() else {
        return;
    };
    // SAFETY: its documentation says that its keys are texts.
    let session = unsafe { CFRetained::cast_unchecked::<CFDictionary<CFString, CFType>>(session) };
    let is = |name: &'static str| {
        let value = session.get(&CFString::from_static_str(name))?;
        Some(value.downcast::<CFBoolean>().ok()?.as_bool())
    };
    if is("CGSSessionScreenIsLocked") == Some(true) {
        leaves(told, Absence::Locked);
    }
    if is("kCGSSessionOnConsoleKey") == Some(false) {
        leaves(told, Absence::OtherUser);
    }
}
