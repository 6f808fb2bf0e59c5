//! The harness of the end-to-end stories and of `./dev try`.
//!
//! Everything here drives the real programs from outside, as a person or an administrator would:
//! a display with a window manager and windows, input by `xdotool`, the agent and the server by
//! their command lines, the server's answers by HTTP. Blocking throughout; nothing is simulated.
//!
//! Promises: every process started is ended, by its own id, when its guard is dropped, and dies with
//! this process at the latest; each writes its output to a file of its own; each wait has a deadline
//! and says what it waited for. Nothing is left outside the story's folder.

#![forbid(unsafe_code)]

pub mod agent;
pub mod api;
pub mod chain;
pub mod desktop;
pub mod device;
pub mod ledger;
pub mod panel;
pub mod picture;
pub mod process;
pub mod profiles;
pub mod programs;
pub mod python;
pub mod recorder;
pub mod seen;
pub mod server;
pub mod story;
pub mod wait;
pub mod wire;
pub mod worker;

pub use agent::Agent;
pub use api::Api;
pub use desktop::Desktop;
pub use recorder::Recorder;
pub use seen::Seen;
pub use server::Server;
pub use story::{Story, tell};
pub use wait::wait_until;
pub use worker::Worker;
