//! Commands to the running agent: one line of JSON each way over a local socket.
//!
//! The socket lies in the agent's own folder (0700) and is itself owner-only (0600): another local
//! user can neither connect nor take its place. Lines are capped, so that not even the owner can make
//! the agent grow.

mod client;
mod server;

pub use client::{CallError, call};
pub use server::{Command, ListenError, Listener};

use serde::{Deserialize, Serialize};

use crate::status::Status;

/// Longest line either way.
const MAX_LINE: u64 = 1024 * 1024;

/// What can be asked of the running agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Request {
    /// Start tracking.
    Start {
        /// Name or id; `None`: the license's default.
        project: Option<String>,
        /// What is being done.
        note: Option<String>,
    },
    /// Stop tracking.
    Stop,
    /// Go on with another project.
    Switch {
        /// Name or id.
        project: String,
    },
    /// Add a note to the running session.
    Note {
        /// The note.
        text: String,
    },
    /// Only tell how things are.
    Status,
    /// Licenses were loaded or removed: look again.
    Reload,
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
