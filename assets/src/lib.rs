//! Glasshour's look, as bytes: the mark, the tray icons, the design tokens, the console's CSS and
//! JavaScript, the message catalogues.
//!
//! Everything is drawn by us and compiled in; nothing is read from disk or fetched. This crate has
//! no dependencies and knows nothing of the agent, the server or the web framework.

#![forbid(unsafe_code)]

#[cfg(test)]
mod style;
mod tray;
pub mod words;

pub use tray::{TrayIcon, tray, tray_svg};

/// The tray icon while nothing is captured.
pub const TRAY_OFF_SVG: &str = include_str!("../tray/off.svg");
/// The tray icon while tracking.
pub const TRAY_TRACKING_SVG: &str = include_str!("../tray/tracking.svg");
/// The tray icon while paused.
pub const TRAY_PAUSED_SVG: &str = include_str!("../tray/paused.svg");
/// The tray icon while something needs the person.
pub const TRAY_PROBLEM_SVG: &str = include_str!("../tray/problem.svg");

/// The mark in one colour (`currentColor`): an hourglass lying in a ring of glass.
pub const MARK_SVG: &str = include_str!("../mark/mark.svg");
/// The mark in the accent colour, for browser tabs.
pub const FAVICON_SVG: &str = include_str!("../mark/favicon.svg");
/// The application's icon, for any size.
pub const APP_ICON_SVG: &str = include_str!("../mark/glasshour.svg");
/// The application's icon at 128 pixels, for desktops that want pixels.
pub const APP_ICON_PNG_128: &[u8] = include_bytes!("../mark/glasshour-128.png");

/// The design tokens: every colour, size and space by name, light and dark.
pub const TOKENS_CSS: &str = include_str!("../tokens.css");
/// The console's style sheet; names tokens only.
pub const CONSOLE_CSS: &str = include_str!("../console.css");
/// What the console does beyond plain HTML.
pub const CONSOLE_JS: &str = include_str!("../console.js");
