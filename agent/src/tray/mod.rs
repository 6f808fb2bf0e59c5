//! The tray as a value: which icon, which words, which menu. No display is needed to make one.
//!
//! `platform/<os>` draws a [`View`] and reports the [`Action`] that was picked. Nothing here or there
//! can hide the icon (tenet 3).

mod model;
mod rows;

pub use model::view;

use glasshour_protocol::{CompanyId, ProjectId, SessionId};

use crate::ipc::IdleReply;

/// What the tray shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The state at one glance.
    pub icon: Icon,
    /// One line: product, state, project, today's time.
    pub tooltip: String,
    /// The same without the time, for what is drawn on the screen: a text that changes each minute would
    /// change the picture of a screen on which nothing happens.
    pub label: String,
    /// Top to bottom.
    pub menu: Vec<Item>,
    /// Whether a session runs: then the person must be able to see it.
    pub running: bool,
}

impl View {
    /// Says, before anything else, that a picture of the camera is announced or being taken.
    pub fn tell_of_the_camera(&mut self, words: glasshour_words::Words) {
        let now = words.say(glasshour_words::Message::TrayCamera {});
        self.tooltip = format!("Glasshour: {now}");
        self.label.clone_from(&self.tooltip);
        self.menu.insert(0, Item::Label(now));
    }
}

/// States differ by shape, not by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Icon {
    /// Ring empty: nothing is captured.
    Off,
    /// Ring with sand running: tracking.
    Tracking,
    /// Two bars: outside the licensed hours, nothing is captured.
    Paused,
    /// Ring with a dot on the upper right: something needs the person.
    Problem,
}

/// One row of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Text that does nothing.
    Label(String),
    /// Something to do.
    Command {
        /// What is reported when it is picked.
        action: Action,
        /// A verb.
        label: String,
        /// Greyed out where false.
        enabled: bool,
    },
    /// One of several, or on/off.
    Choice {
        /// What is reported when it is picked.
        action: Action,
        /// A name.
        label: String,
        /// Whether it is the current one.
        checked: bool,
    },
    /// A row that opens more rows.
    Submenu {
        /// Its label.
        label: String,
        /// Its rows.
        items: Vec<Item>,
    },
    /// A line.
    Separator,
}

/// What can be picked in the tray.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Start a worklog.
    Start(Pick),
    /// Go on with another project, of the same employer or of another one.
    Switch(Pick),
    /// Stop the running worklog.
    Stop,
    /// Stop for a while.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Say what a stretch without input was.
    AnswerIdle(IdlePick),
    /// Show the state in plain words.
    ShowStatus,
    /// Open the own day at that employer's server, in the browser.
    OpenDay(CompanyId),
    /// Show what waits on this computer before it is sent.
    ShowHeld,
    /// Show what the license permits, in plain words.
    ShowLicense,
    /// End the agent (worklog mode only).
    Quit,
}

/// What a stretch without input was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdlePick {
    /// Of which session.
    pub session: SessionId,
    /// Its start, UTC milliseconds.
    pub from_ms: i64,
    /// What it was.
    pub reply: IdleReply,
}

/// For whom a worklog is, and on what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pick {
    /// `None`: whose the project is, else who was worked for last.
    pub employer: Option<CompanyId>,
    /// `None`: the license's default.
    pub project: Option<ProjectId>,
}
