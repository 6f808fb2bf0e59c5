//! `./dev windows` and `./dev macos-check`: what this Linux machine can say of the other systems.
//!
//! Neither system is here, so the standard library is built from its source where the toolchain lacks
//! it, Windows is played by wine, and macOS is checked by types alone. What cannot be had is told, and
//! is no success.

pub(crate) mod macos;
mod source;
mod toolchain;
pub(crate) mod windows;
