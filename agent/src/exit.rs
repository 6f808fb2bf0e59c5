//! Exit codes by name. Scripts rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As asked.
    Ok,
    /// Something went wrong; standard error says what.
    Failure,
    /// The agent is not running.
    NotRunning,
    /// No license is loaded.
    NoLicense,
    /// The license, its mode or the server does not allow it.
    Refused,
    /// Nothing is wrong with an export, and yet it is not proven to be whole.
    Unproven,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // 2 is left to the command line's own errors (clap).
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failure => 1,
            Exit::NotRunning => 3,
            Exit::NoLicense => 4,
            Exit::Refused => 5,
            Exit::Unproven => 6,
        })
    }
}
