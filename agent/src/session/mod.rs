//! The session machine: when tracking runs, why it began and why it ended (rules 3, 4, 19, 20).
//!
//! A pure function over values: every input comes with the [`Moment`] at which it happened, every
//! change comes out as [`SessionEvent`]s to be recorded. No clock, no disk, no display.
//!
//! Invariants, held by property tests:
//! - events of one session lie in order: `started`, then any, then one `stopped`;
//! - two sessions of one machine never overlap, and no event is dated before its session's start;
//! - time asleep is in no session;
//! - time that the employee says was work is taken from idle time, and from nothing else;
//! - tracked and idle time, pauses and gaps together are the time that has passed.

#[cfg(test)]
mod days;
pub mod idle;
mod machine;
#[cfg(test)]
mod tests;

pub use machine::{Absence, Block, Machine, Refused, Running, State};
