//! Commands to the running agent: one line of JSON each way over a local socket.
//!
//! The socket lies in the agent's own folder (0700) and is itself owner-only (0600), on Windows a named
//! pipe with an access list for the owner alone: another local user can neither connect nor take its
//! place. Lines are capped, so that not even the owner can make
//! the agent grow.

mod client;
mod name;
mod server;

pub use client::{CallError, call};
pub use server::{Command, ListenError, Listener};

use glasshour_protocol::SessionId;
use serde::{Deserialize, Serialize};

use crate::held::{HeldAnswer, HeldRequest};
use crate::status::Status;

/// Longest line that is asked.
const MAX_LINE: u64 = 1024 * 1024;
/// Longest line that is answered: the largest picture in base64 fits.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;

/// What can be asked of the running agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// Start tracking.
    Start {
        /// For whom, and on what.
        #[serde(flatten)]
        work: Work,
        /// What is being done.
        note: Option<String>,
    },
    /// Stop tracking.
    Stop,
    /// Go on with another project, of the same employer or of another one.
    Switch {
        /// For whom, and on what.
        #[serde(flatten)]
        work: Work,
    },
    /// Add a note to the running session.
    Note {
        /// The note.
        text: String,
        /// Whose session, by name or id; `None`: the worklog's, else the one of monitoring.
        #[serde(default)]
        employer: Option<String>,
    },
    /// Stop tracking for a while, and keep in mind what it was on.
    Pause,
    /// Go on after a pause.
    Resume,
    /// Say what a stretch without input was.
    AnswerIdle {
        /// Of which session.
        session_id: SessionId,
        /// Its start, UTC milliseconds.
        from_ms: i64,
        /// What it was.
        reply: IdleReply,
    },
    /// Ask an employer's server for a link to the own day.
    DayLink {
        /// Name or id; `None`: whom the worklog is for, else who monitors.
        #[serde(default)]
        employer: Option<String>,
    },
    /// Only tell how things are.
    Status,
    /// Licenses were loaded or removed: look again.
    Reload,
    /// About captures that wait here before they are sent.
    Held(HeldRequest),
}

/// For whom a worklog is, and on what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Name or id; `None`: whose the project is, else who was worked for last.
    #[serde(default)]
    pub employer: Option<String>,
    /// Name or id; `None`: the license's default.
    #[serde(default)]
    pub project: Option<String>,
}

/// What a stretch without input was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleReply {
    /// Work, on what was tracked.
    Keep,
    /// No work.
    Discard,
    /// Work on something else.
    Assign {
        /// Name or id.
        project: String,
    },
}

/// What the running agent answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done; this is how things are now.
    Done {
        /// How things are.
        status: Box<Status>,
    },
    /// A link to the own day: to be opened in a browser at once, worth something once.
    Link {
        /// On the employer's own server.
        url: String,
    },
    /// About captures that wait here.
    Held(HeldAnswer),
    /// Not done.
    Refused {
        /// What stands in the way.
        reason: RefusedBy,
        /// In a sentence.
        message: String,
    },
}

/// What stands in the way of a command; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBy {
    /// There is no license.
    NoLicense,
    /// The license, its mode, or the server does not allow it.
    License,
    /// It makes no sense now, or names something that is not there.
    State,
}
