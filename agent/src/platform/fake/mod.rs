//! A desktop that exists in memory only, for tests of everything above it.
//!
//! A test holds a [`FakeDesktop`], hands a clone to the code under test as its [`Platform`], and
//! drives both from outside: sets monitors and windows, types, lets time pass, makes a source fail,
//! and reads what was shown to the person. Nothing happens by itself: the clock stands still until it
//! is moved, and the same script gives the same answers. It asks for the same permits as a real one.
//!
//! ```
//! use std::time::Duration;
//! use glasshour_agent::platform::Platform;
//! use glasshour_agent::platform::fake::FakeDesktop;
//!
//! let desktop = FakeDesktop::new();
//! let mut idle = desktop.idle().expect("nothing was made to fail");
//! desktop.time().advance(Duration::from_mins(6));
//! assert_eq!(idle.idle(), Ok(Duration::from_mins(6)));
//! desktop.add_keys(1);
//! assert_eq!(idle.idle(), Ok(Duration::ZERO));
//! ```
//!
//! [`Platform`]: super::Platform

mod camera;
mod clock;
mod desktop;
mod sources;

pub use clock::FakeTime;
pub use desktop::{FakeDesktop, Source, Waiting, picture};
