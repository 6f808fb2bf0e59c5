//! What stands between a capture and the server: the durable [`spool`] and the [`send`]er.
//!
//! The promise: a record is durable when [`spool::Spool::push`] returns, and it leaves the spool only
//! when the server has said that it has it, or when the employee or a stated policy removes it.

#![forbid(unsafe_code)]

mod runtime;
pub mod send;
pub mod spool;

pub use runtime::runtime;
pub use send::{SendStatus, Sender, SenderConfig};
pub use spool::{Draft, Spool};
