//! The desktop of a Mac, by the system's own interfaces. Type-checked; it has run on no Mac yet.
//!
//! | source       | by                                      | without it                           |
//! |--------------|-----------------------------------------|--------------------------------------|
//! | screens      | `screenshots` (xcap); asks once         | denied: says which setting           |
//! | windows      | the window server's list                | an error: the caller does not trust  |
//! | input        | the system's counters of events         | there always                         |
//! | foreground   | `NSWorkspace`; titles by accessibility  | denied: says which setting           |
//! | idle         | the system's counters of events         | there always                         |
//! | tray         | an icon in the menu bar                 | gone                                 |
//! | indicator    | none: every session has a menu bar      | unsupported; messages stand in       |
//! | messages     | notifications                           | gone                                 |
//! | camera       | nokhwa on `AVFoundation`                | a reason in words                    |
//! | sleep, locks | `NSWorkspace` and the system's own word | sleep: clocks are compared           |
//!
//! The main thread belongs to the system (`main_thread.rs`); the agent runs beside it. Making a
//! [`MacDesktop`] opens nothing.

mod accessibility;
mod camera;
mod clock;
mod foreground;
mod identity;
mod idle;
mod input;
mod main_thread;
mod notifier;
mod observers;
mod screens;
mod session;
mod tray;
mod windows;

use glasshour_license_format::{Activity, Permit, Screenshots};
use objc2_core_foundation::CGRect;
use objc2_foundation::NSLocale;

use super::{
    Camera, Foreground, Identity, Idle, Input, Notifier, Platform, Rect, Screens, SystemEvents,
    Told, Tray, Unavailable,
};
use crate::clock::Clock;
use crate::tray::{Action, View};

/// The desktop of the session that the agent runs in.
#[derive(Debug)]
pub struct MacDesktop(());

impl MacDesktop {
    /// The desktop of this process.
    pub fn detect() -> Self {
        Self(())
    }
}

impl Platform for MacDesktop {
    fn describe(&self) -> String {
        "macos desktop".to_owned()
    }

    fn identity(&self) -> Identity {
        identity::identity()
    }

    fn is_user(&self, name: &str) -> bool {
        identity::is_user(name)
    }

    fn clock(&self) -> Box<dyn Clock> {
        Box::new(clock::MacClock::new())
    }

    fn screens(&self, permit: &Permit<Screenshots>) -> Result<Box<dyn Screens>, Unavailable> {
        Ok(Box::new(screens::MacScreens::open(permit)?))
    }

    fn input(&self, permit: &Permit<Activity>) -> Result<Box<dyn Input>, Unavailable> {
        Ok(Box::new(input::MacInput::open(permit)?))
    }

    fn foreground(&self, permit: &Permit<Activity>) -> Result<Box<dyn Foreground>, Unavailable> {
        Ok(Box::new(foreground::MacForeground::open(permit)?))
    }

    fn camera(&self, _permit: &Permit<glasshour_license_format::Camera>) -> Box<dyn Camera> {
        Box::new(camera::AskedWebcam)
    }

    fn idle(&self) -> Result<Box<dyn Idle>, Unavailable> {
        Ok(Box::new(idle::MacIdle))
    }

    fn notifier(&self) -> Result<Box<dyn Notifier>, Unavailable> {
        Ok(Box::new(notifier::MacNotifier))
    }

    fn tray(
        &self,
        view: &View,
        picked: Box<dyn Fn(Action) + Send + Sync>,
    ) -> Result<Box<dyn Tray>, Unavailable> {
        Ok(Box::new(tray::MenuBarIcon::open(view, picked)?))
    }

    fn indicator(&self, _view: &View) -> Result<Box<dyn Tray>, Unavailable> {
        Err(Unavailable::Unsupported(
            "on a Mac Glasshour shows itself in the menu bar and draws no indicator of its own"
                .to_owned(),
        ))
    }

    fn system_events(&self, told: Told) -> Result<Box<dyn SystemEvents>, Unavailable> {
        Ok(Box::new(session::SessionEvents::open(told)))
    }
}

/// Runs the agent beside the main thread's loop, by which the desktop tells things.
pub(super) fn beside_desktop<T: Send + 'static>(agent: impl FnOnce() -> T + Send + 'static) -> T {
    main_thread::beside(agent)
}

/// Opens a file with the desktop's own viewer for its kind, and does not wait for it.
pub fn open_file(path: &std::path::Path) -> std::io::Result<()> {
    std::process::Command::new("/usr/bin/open")
        .arg(path)
        .spawn()
        .map(drop)
}

/// The language that the user prefers, such as `fr-FR`.
pub(super) fn locale() -> Option<String> {
    let first = NSLocale::preferredLanguages().firstObject()?;
    Some(first.to_string())
}

/// A rectangle of the system's, in whole points; `None`: it has no extent.
fn rect(rect: CGRect) -> Option<Rect> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a desktop is far smaller, and a cast from floating point saturates"
    )]
    let whole = |value: f64| value.round() as i64;
    let width = u32::try_from(whole(rect.size.width)).ok()?;
    let height = u32::try_from(whole(rect.size.height)).ok()?;
    (width > 0 && height > 0).then_some(Rect {
        x: i32::try_from(whole(rect.origin.x)).ok()?,
        y: i32::try_from(whole(rect.origin.y)).ok()?,
        width,
        height,
    })
}
