//! The Glasshour server: issues licenses, receives captures, shows them.
//!
//! ```text
//! cli ── setup, serve ── AppState ─┬─ api/      JSON for scripts and agents
//!                                  ├─ console/  HTML for people
//!                                  └─ people/, license, auth/, report/   the rules, shared by both
//!                                        └─ store/ (SQL)   objects/ (pictures)
//! ```
//!
//! Architecture invariants: SQL stands in `store/` alone; `report/` and the rules of `people/` are
//! pure; the clock is injected; a record is acknowledged only when its picture and its row are on
//! disk; nothing is stored that a license does not permit. The server runs on Unix systems.

#![forbid(unsafe_code)]

pub mod api;
mod asker;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
mod doctor;
mod error;
mod license;
mod log;
pub mod looks;
pub mod mail;
pub mod metrics;
pub mod objects;
pub mod people;
pub mod plan;
mod prompt;
mod refusal;
pub mod report;
mod reset;
pub mod room;
mod rotate;
mod serve;
pub mod setup;
mod state;
pub mod store;
mod unreadable;
pub mod upkeep;

pub use error::ApiError;
pub use state::{AppState, SignUp, router};
