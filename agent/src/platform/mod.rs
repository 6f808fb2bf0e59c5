//! What the agent asks of a desktop: one trait, one implementation per operating system.
//!
//! Gate 1 of "the license is a contract": every source of captures takes a [`Permit`] to be built.
//! Only this directory and `ipc/` may contain `cfg(target_os)`, and only this directory `unsafe`.
//!
//! Threads: sources are `Send` and used by one thread at a time, off the async runtime; their calls
//! may block for as long as a display server takes to answer (milliseconds), never for user input.

use std::time::Duration;

use glasshour_license_format::{Activity, Permit, Screenshots};
use glasshour_protocol::payload::InputCounts;
use glasshour_words::Words;

use crate::clock::Clock;
use crate::tray::{Action, View};

mod camera;
pub mod fake;
pub mod files;
#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "macos")]
pub mod macos;
pub mod signals;
mod system;
pub mod text;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod tray_menu;
mod webcam;
#[cfg(target_os = "windows")]
pub mod windows;

pub use camera::{Camera, NoPicture};
pub use system::{Hold, SystemEvent, SystemEvents, Told};

/// The desktop of one logged-in user.
pub trait Platform: Send + Sync {
    /// System and display server in two words, such as `linux x11`.
    fn describe(&self) -> String;

    /// The machine's name and the user's, for enrolment.
    fn identity(&self) -> Identity;

    /// Whether this machine knows a user of that name: a license that bears it is theirs alone.
    fn is_user(&self, name: &str) -> bool;

    /// The system's clocks.
    fn clock(&self) -> Box<dyn Clock>;

    /// Opens the screens for pictures.
    fn screens(&self, permit: &Permit<Screenshots>) -> Result<Box<dyn Screens>, Unavailable>;

    /// Begins to count input.
    fn input(&self, permit: &Permit<Activity>) -> Result<Box<dyn Input>, Unavailable>;

    /// Begins to watch which window is in the foreground.
    fn foreground(&self, permit: &Permit<Activity>) -> Result<Box<dyn Foreground>, Unavailable>;

    /// The camera. Nothing is opened by this; each picture opens it.
    fn camera(&self, permit: &Permit<glasshour_license_format::Camera>) -> Box<dyn Camera>;

    /// Tells how long there has been no input. Needs no permit: it is not content, and the license's
    /// `idle_after_s` applies to every mode.
    fn idle(&self) -> Result<Box<dyn Idle>, Unavailable>;

    /// Whether somebody is in a call: a microphone or a camera is in use, by another program. Needs no
    /// permit: nothing of it is captured, it only keeps time from being called idle. Where it cannot be told,
    /// there is none.
    fn call_in_progress(&self) -> bool {
        false
    }

    /// Shows messages to the user.
    fn notifier(&self) -> Result<Box<dyn Notifier>, Unavailable>;

    /// Shows a text whole, in a window of the agent's own, until the person closes it. `seen` is called, on
    /// any thread, once they can see it.
    fn notice_window(
        &self,
        message: &Message,
        words: Words,
        seen: Box<dyn FnOnce() + Send>,
    ) -> Result<Box<dyn NoticeWindow>, Unavailable> {
        let _ = (message, words, seen);
        Err(Unavailable::Unsupported(
            "notices are shown as messages on this system".into(),
        ))
    }

    /// Puts the icon into the tray. `picked` is called, on any thread, for each action picked.
    fn tray(
        &self,
        view: &View,
        picked: Box<dyn Fn(Action) + Send + Sync>,
    ) -> Result<Box<dyn Tray>, Unavailable>;

    /// Shows an indicator that the agent draws by itself, for desktops that have no tray: a small
    /// window that stays in sight.
    ///
    /// While [`Icon::Off`](crate::tray::Icon::Off) is shown there is no window, and
    /// [`Tray::is_shown`] tells whether there could be one.
    fn indicator(&self, view: &View) -> Result<Box<dyn Tray>, Unavailable>;

    /// Begins to tell of sleep, locks, other users and shutdown. Needs no permit: nothing of it is
    /// captured, it only ends tracking sooner. What holds already is told at once.
    fn system_events(&self, told: Told) -> Result<Box<dyn SystemEvents>, Unavailable>;
}

/// The desktop of the session that this process runs in.
#[cfg(target_os = "linux")]
pub fn detect() -> std::sync::Arc<dyn Platform> {
    use crate::config::environment;
    linux::memory::give_large_blocks_back();
    std::sync::Arc::new(linux::LinuxDesktop::detect(linux::Environment {
        display: environment("DISPLAY"),
        wayland_display: environment("WAYLAND_DISPLAY"),
        session_type: environment("XDG_SESSION_TYPE"),
        user: environment("USER").or_else(|| environment("LOGNAME")),
        session_id: environment("XDG_SESSION_ID"),
    }))
}

/// The desktop of the session that this process runs in.
#[cfg(target_os = "windows")]
pub fn detect() -> std::sync::Arc<dyn Platform> {
    std::sync::Arc::new(windows::WindowsDesktop::detect())
}

/// The desktop of the session that this process runs in.
#[cfg(target_os = "macos")]
pub fn detect() -> std::sync::Arc<dyn Platform> {
    std::sync::Arc::new(macos::MacDesktop::detect())
}

/// Runs the agent, on this thread or, where the desktop wants that one for itself, on another.
///
/// To be called from the program's main thread, once.
pub fn beside_desktop<T: Send + 'static>(agent: impl FnOnce() -> T + Send + 'static) -> T {
    #[cfg(target_os = "macos")]
    return macos::beside_desktop(agent);
    #[cfg(not(target_os = "macos"))]
    agent()
}

#[cfg(target_os = "linux")]
pub use linux::open_file;
#[cfg(target_os = "macos")]
pub use macos::open_file;
#[cfg(target_os = "windows")]
pub use windows::open_file;

/// The folder where the administrator's files are: only administrators may write there (ADR 0021).
#[cfg(target_os = "linux")]
pub const SYSTEM_DIR: &str = "/etc/glasshour";
/// The folder where the administrator's files are: only administrators may write there (ADR 0021).
#[cfg(target_os = "macos")]
pub const SYSTEM_DIR: &str = "/Library/Application Support/Glasshour";
/// The folder where the administrator's files are: only administrators may write there (ADR 0021).
#[cfg(target_os = "windows")]
pub const SYSTEM_DIR: &str = r"C:\Program Files\Glasshour";

/// The user's language as the system names it, where that is not in the environment.
pub fn locale() -> Option<String> {
    #[cfg(target_os = "windows")]
    return windows::locale();
    #[cfg(target_os = "macos")]
    return macos::locale();
    #[cfg(target_os = "linux")]
    None
}

/// Who and where we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The machine's name.
    pub host_name: String,
    /// The logged-in user's name.
    pub os_user: String,
}

/// Why something of the desktop cannot be used. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// This system has no such thing, whatever the settings: never worth trying again.
    #[error("{0}")]
    Unsupported(String),
    /// The system refuses until somebody allows it.
    #[error("{0}")]
    Denied(String),
    /// Not there at the moment (display gone, no session bus): worth trying again later.
    #[error("{0}")]
    Gone(String),
}

/// What every [`Platform::input`] asks first: a permit for activity may leave out counts.
fn permits_input(permit: &Permit<Activity>) -> Result<(), Unavailable> {
    if permit.settings().input_counts {
        Ok(())
    } else {
        Err(Unavailable::Denied(
            "the license does not permit counting input".to_owned(),
        ))
    }
}

/// What every [`Platform::foreground`] asks first: a permit for activity may leave out names.
fn permits_foreground(permit: &Permit<Activity>) -> Result<(), Unavailable> {
    let settings = permit.settings();
    if settings.applications || settings.window_titles {
        Ok(())
    } else {
        Err(Unavailable::Denied(
            "the license does not permit naming applications".to_owned(),
        ))
    }
}

/// A monitor in the desktop, in pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// Such as `HDMI-1`; unique at one moment.
    pub name: String,
    /// Where it is.
    pub area: Rect,
    /// The system's main monitor.
    pub primary: bool,
}

/// A rectangle in desktop pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    /// Whether the two have a pixel in common.
    pub fn overlaps(self, other: Self) -> bool {
        let apart = |a: i32, a_len: u32, b: i32, b_len: u32| {
            i64::from(a) + i64::from(a_len) <= i64::from(b)
                || i64::from(b) + i64::from(b_len) <= i64::from(a)
        };
        !apart(self.x, self.width, other.x, other.width)
            && !apart(self.y, self.height, other.y, other.height)
    }
}

/// One picture: RGBA, 8 bits each, rows top to bottom without padding; alpha is always 255.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

impl std::fmt::Debug for Frame {
    /// Never prints the picture itself.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({}x{})", self.width, self.height)
    }
}

/// A top-level window that is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The desktop's number of it, by which two listings tell that a window is the same.
    pub id: u64,
    /// The application's name, such as `XTerm`.
    pub application: String,
    /// Its title.
    pub title: String,
    /// Where it is, decorations included, in desktop pixels.
    pub area: Rect,
    /// Whether it has the focus.
    pub active: bool,
}

/// Takes pictures of monitors.
pub trait Screens: Send {
    /// The monitors as they are now (they come and go).
    fn monitors(&mut self) -> Result<Vec<Monitor>, Unavailable>;

    /// A picture of one monitor.
    fn grab(&mut self, monitor: &Monitor) -> Result<Frame, Unavailable>;

    /// Every visible top-level window, lowest first: for masks, and to tell the active monitor.
    ///
    /// An error means that windows cannot be told; the caller must then not trust the picture to be
    /// free of excluded windows.
    fn windows(&mut self) -> Result<Vec<Window>, Unavailable>;
}

/// Counts input since it was opened.
pub trait Input: Send {
    /// What was counted since the last call.
    fn take(&mut self) -> Result<InputCounts, Unavailable>;
}

/// Watches the foreground.
pub trait Foreground: Send {
    /// The window with the focus; `None`: the desktop itself, or nothing.
    fn active(&mut self) -> Result<Option<Window>, Unavailable>;

    /// Waits until the foreground may have changed, or until the time is over. Tells whether it may have:
    /// then, and only then, asking for it again is worth its round trips.
    fn wait(&mut self, at_most: Duration) -> Result<bool, Unavailable>;
}

/// Tells how long there has been no input.
pub trait Idle: Send {
    /// Time since the last input of any kind.
    fn idle(&mut self) -> Result<Duration, Unavailable>;
}

/// Shows messages.
pub trait Notifier: Send {
    /// Shows one message; returns once the desktop has taken it.
    fn notify(&mut self, message: &Message) -> Result<(), Unavailable>;

    /// Shows one message with answers to pick from; `picked` is called, on any thread, for the one that is
    /// picked. Where the desktop cannot do that, the message says how else to answer.
    fn ask(
        &mut self,
        message: &Message,
        choices: Vec<(Action, String)>,
        picked: Picked,
    ) -> Result<(), Unavailable> {
        let _ = (choices, picked);
        self.notify(message)
    }
}

/// Called with what was picked.
pub type Picked = std::sync::Arc<dyn Fn(Action) + Send + Sync>;

/// A message to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub body: String,
    /// Whether it should stay until it is closed.
    pub important: bool,
}

/// A window with a notice, until it is dropped.
pub trait NoticeWindow: Send {
    /// Whether it is still there: not once the person has closed it, or the display is gone.
    fn is_open(&self) -> bool;
}

/// The icon in the tray, until it is dropped.
pub trait Tray: Send {
    /// Draws another state. May return before the desktop has drawn it.
    fn show(&mut self, view: &View) -> Result<(), Unavailable>;

    /// Whether the desktop has a place that shows the icon now.
    ///
    /// `false`: an icon is ready, but nobody sees it (no panel yet, or a desktop without a tray), so
    /// the person must be told in another way.
    fn is_shown(&mut self) -> Result<bool, Unavailable>;
}

#[cfg(test)]
mod tests {
    use super::Rect;

    #[test]
    fn rectangles_that_only_touch_do_not_overlap() {
        let here = Rect {
            x: 0,
            y: 0,
            width: 10,
            height: 10,
        };
        assert!(here.overlaps(here));
        assert!(here.overlaps(Rect {
            x: 9,
            y: -9,
            ..here
        }));
        assert!(!here.overlaps(Rect { x: 10, ..here }));
        assert!(!here.overlaps(Rect { y: -10, ..here }));
        assert!(!here.overlaps(Rect {
            x: i32::MIN,
            width: 5,
            ..here
        }));
    }
}
