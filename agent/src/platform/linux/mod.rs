//! The Linux desktop: X11 for pictures, input and windows; D-Bus for the tray and messages.
//!
//! | source       | by                                     | without it                          |
//! |--------------|----------------------------------------|-------------------------------------|
//! | screens      | MIT-SHM on a kept connection, `RandR`  | strips over the wire; whole root    |
//! | windows      | EWMH lists, else the root's children   | an error: the caller does not trust |
//! | input        | XInput2 raw events, a sleeping thread  | unsupported                         |
//! | foreground   | EWMH, waited for on the root window    | keyboard focus, read but not waited |
//! | idle         | MIT-SCREEN-SAVER                       | unsupported                         |
//! | tray         | `StatusNotifierItem`                   | [`Tray::is_shown`] says so          |
//! | indicator    | a window of our own, where no tray is  | gone, or unsupported on Wayland     |
//! | notices      | a window of our own                    | messages                            |
//! | messages     | `org.freedesktop.Notifications`        | gone                                |
//! | camera       | nokhwa on `V4L2`                       | a reason in words                   |
//! | calls        | what the kernel shows of its devices   | none                                |
//! | sleep, locks | logind on the system bus               | unsupported: clocks are compared    |
//!
//! Making a [`LinuxDesktop`] touches nothing; each source connects when it is opened, on a connection
//! of its own, and a source that has answered [`Unavailable::Gone`] is to be opened anew. Wayland is
//! refused in words, because X11 shows only a part of a Wayland desktop: a black or partial picture
//! would look like an honest one. The only `unsafe` is a setting
//! of the allocator, in `memory.rs`.
//!
//! [`Tray::is_shown`]: super::Tray::is_shown

mod calls;
mod clock;
mod connection;
mod foreground;
mod identity;
mod idle;
mod indicator;
mod ink;
mod input;
mod introduce;
mod logind;
pub(super) mod memory;
mod notice;
mod notifier;
mod pixels;
mod properties;
mod question;
mod screens;
mod shared_memory;
mod tray;
mod windows;

use glasshour_license_format::{Activity, Permit, Screenshots};
use glasshour_words::Words;

use super::webcam::Webcam;
use super::{
    Camera, Foreground, Identity, Idle, Input, Message, NoticeWindow, Notifier, Platform, Screens,
    SystemEvents, Told, Tray, Unavailable,
};
use crate::clock::Clock;
use crate::tray::{Action, View};

/// What the environment says about the session. The config module reads it; nothing here does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `DISPLAY`.
    pub display: Option<String>,
    /// `WAYLAND_DISPLAY`.
    pub wayland_display: Option<String>,
    /// `XDG_SESSION_TYPE`.
    pub session_type: Option<String>,
    /// `USER` or `LOGNAME`: asked only where the system itself has no name for the user.
    pub user: Option<String>,
    /// `XDG_SESSION_ID`.
    pub session_id: Option<String>,
}

/// The desktop of the session that the agent runs in.
#[derive(Debug)]
pub struct LinuxDesktop {
    session: Session,
    user_hint: Option<String>,
    session_id: Option<String>,
}

/// What kind of session it is.
#[derive(Debug, PartialEq, Eq)]
enum Session {
    X11 { display: String },
    Wayland,
    NoDisplay,
}

impl LinuxDesktop {
    /// Tells the kind of session from the environment. Connects to nothing, and never fails: what
    /// cannot be had is said by each source when it is opened.
    pub fn detect(environment: Environment) -> Self {
        let Environment {
            display,
            wayland_display,
            session_type,
            user,
            session_id,
        } = environment;
        let display = display.filter(|display| !display.is_empty());
        let wayland_display = wayland_display.filter(|display| !display.is_empty());
        let session = match (session_type.as_deref(), display, wayland_display) {
            (Some("wayland"), _, _) | (_, None, Some(_)) => Session::Wayland,
            (_, Some(display), _) => Session::X11 { display },
            (_, None, None) => Session::NoDisplay,
        };
        Self {
            session,
            user_hint: user,
            session_id,
        }
    }

    /// The display to connect to, or why there is none.
    fn display(&self) -> Result<&str, Unavailable> {
        match &self.session {
            Session::X11 { display } => Ok(display),
            Session::Wayland => Err(connection::wayland()),
            Session::NoDisplay => Err(Unavailable::Gone(
                "there is no display here (DISPLAY is not set); start glasshour in a graphical \
                 session"
                    .to_owned(),
            )),
        }
    }
}

impl Platform for LinuxDesktop {
    fn describe(&self) -> String {
        match self.session {
            Session::X11 { .. } => "linux x11",
            Session::Wayland => "linux wayland",
            Session::NoDisplay => "linux headless",
        }
        .to_owned()
    }

    fn identity(&self) -> Identity {
        identity::identity(self.user_hint.as_deref())
    }

    fn is_user(&self, name: &str) -> bool {
        identity::is_user(name)
    }

    fn clock(&self) -> Box<dyn Clock> {
        Box::new(clock::LinuxClock::new())
    }

    fn screens(&self, permit: &Permit<Screenshots>) -> Result<Box<dyn Screens>, Unavailable> {
        Ok(Box::new(screens::X11Screens::open(
            self.display()?,
            permit,
        )?))
    }

    fn input(&self, permit: &Permit<Activity>) -> Result<Box<dyn Input>, Unavailable> {
        Ok(Box::new(input::X11Input::open(self.display()?, permit)?))
    }

    fn foreground(&self, permit: &Permit<Activity>) -> Result<Box<dyn Foreground>, Unavailable> {
        Ok(Box::new(foreground::X11Foreground::open(
            self.display()?,
            permit,
        )?))
    }

    fn camera(&self, _permit: &Permit<glasshour_license_format::Camera>) -> Box<dyn Camera> {
        Box::new(Webcam)
    }

    fn idle(&self) -> Result<Box<dyn Idle>, Unavailable> {
        Ok(Box::new(idle::X11Idle::open(self.display()?)?))
    }

    fn call_in_progress(&self) -> bool {
        calls::in_progress()
    }

    fn notifier(&self) -> Result<Box<dyn Notifier>, Unavailable> {
        Ok(Box::new(notifier::DesktopNotifier::open()?))
    }

    fn notice_window(
        &self,
        message: &Message,
        words: Words,
        seen: Box<dyn FnOnce() + Send>,
    ) -> Result<Box<dyn NoticeWindow>, Unavailable> {
        let display = self.display()?;
        Ok(Box::new(notice::X11Notice::open(
            display, message, words, seen,
        )?))
    }

    fn tray(
        &self,
        view: &View,
        picked: Box<dyn Fn(Action) + Send + Sync>,
    ) -> Result<Box<dyn Tray>, Unavailable> {
        Ok(Box::new(tray::StatusNotifier::open(view, picked)?))
    }

    fn indicator(&self, view: &View) -> Result<Box<dyn Tray>, Unavailable> {
        Ok(Box::new(indicator::X11Indicator::open(
            self.display()?,
            view,
        )?))
    }

    fn system_events(&self, told: Told) -> Result<Box<dyn SystemEvents>, Unavailable> {
        let listening = logind::Logind::open(self.session_id.as_deref(), told)?;
        Ok(Box::new(listening))
    }
}

/// Opens a file or an address with the desktop's own viewer for its kind, and does not wait for it.
pub fn open_file(path: &std::path::Path) -> std::io::Result<()> {
    let mut viewer = std::process::Command::new("xdg-open").arg(path).spawn()?;
    // An agent lives all day: what it started is not left behind as a zombie.
    std::thread::Builder::new()
        .name("viewer".to_owned())
        .spawn(move || viewer.wait())
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(display: &str, wayland_display: &str, session_type: &str) -> Session {
        let set = |value: &str| Some(value.to_owned());
        LinuxDesktop::detect(Environment {
            display: set(display),
            wayland_display: set(wayland_display),
            session_type: set(session_type),
            ..Environment::default()
        })
        .session
    }

    #[test]
    fn the_session_is_told_from_the_environment() {
        let x11 = || Session::X11 {
            display: ":0".to_owned(),
        };
        assert_eq!(session(":0", "", "x11"), x11());
        assert_eq!(session(":0", "", ""), x11());
        assert_eq!(session(":0", "", "tty"), x11(), "startx");
        assert_eq!(
            session(":0", "wayland-0", "x11"),
            x11(),
            "a nested compositor"
        );
        assert_eq!(
            session(":0", "wayland-0", "wayland"),
            Session::Wayland,
            "Xwayland is not all"
        );
        assert_eq!(session("", "wayland-0", ""), Session::Wayland);
        assert_eq!(session("", "", "tty"), Session::NoDisplay);
    }

    #[test]
    fn what_cannot_be_had_says_what_to_do() {
        let wayland = LinuxDesktop::detect(Environment {
            session_type: Some("wayland".to_owned()),
            ..Environment::default()
        });
        match wayland.idle().map(drop) {
            Err(Unavailable::Unsupported(why)) => {
                assert!(why.contains("log in to an X11"), "{why}");
            }
            other => panic!("{other:?}"),
        }
        let headless = LinuxDesktop::detect(Environment::default());
        assert_eq!(headless.describe(), "linux headless");
        assert!(!headless.identity().os_user.is_empty());
        match headless.idle().map(drop) {
            Err(Unavailable::Gone(why)) => assert!(why.contains("graphical session"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
