//! The Glasshour desktop agent: captures what a signed license permits, keeps it, sends it, and
//! never hides.

pub mod capture;
pub mod clock;
pub mod platform;
pub mod session;
pub mod tray;
