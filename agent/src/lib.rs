//! The Glasshour desktop agent: captures what a signed license permits, keeps it, sends it, and
//! never hides.

pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod day;
pub mod device;
pub mod engine;
pub mod exit;
pub mod held;
pub mod home;
pub mod ipc;
pub mod journal;
pub mod license;
pub mod platform;
pub mod seal_key;
pub mod sentence;
pub mod session;
pub mod status;
pub mod tray;
