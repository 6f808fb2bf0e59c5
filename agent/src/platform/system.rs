//! What the operating system tells of the session: sleep, lock, users, shutdown.
//!
//! Told at the moment it happens, so that a session ends to the millisecond and what was tracked is on
//! disk before the machine sleeps. Without such a source the session machine still finds a sleep
//! afterwards, by comparing clocks; a lock and another user it cannot find.

use std::any::Any;

use crate::session::Absence;

/// What is told. On any thread, in order.
#[derive(Debug)]
pub enum SystemEvent {
    /// From now on nobody can be at work here.
    Leaves(Absence, Hold),
    /// That is over.
    Returns(Absence),
    /// This session of the user has ended.
    LoggedOut,
    /// Nothing more will be told: the source is gone.
    Lost(String),
}

/// While it exists, the machine waits with what it is about to do, for a few seconds at the most.
///
/// Empty where nothing waits.
#[derive(Debug, Default)]
pub struct Hold {
    _held: Option<Box<dyn Any + Send>>,
}

impl Hold {
    /// Holds until `held` is dropped with it.
    pub fn of(held: impl Any + Send) -> Self {
        Self {
            _held: Some(Box::new(held)),
        }
    }
}

/// Called with what is told.
pub type Told = Box<dyn Fn(SystemEvent) + Send + Sync>;

/// Tells what the system does, until it is dropped.
pub trait SystemEvents: Send {
    /// By what, in a few words for `doctor`.
    fn describe(&self) -> String;
}
