//! Things that a story puts on its stage besides the three windows: a second monitor, and windows of one
//! colour that can be found again in a picture.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Desktop, START};
use crate::process::Plan;
use crate::programs::{search_path, systems};

/// Name of the left one of two monitors.
pub const LEFT: &str = "LEFT";
/// Name of the right one of two monitors.
pub const RIGHT: &str = "RIGHT";

/// A window with nothing in it but its colour.
#[derive(Clone, Copy, Debug)]
pub struct Prop<'a> {
    /// The application's name, as a license would exclude it.
    pub application: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its colour, all over.
    pub colour: [u8; 3],
    /// Its size in characters of 9 by 15 pixels and its place in pixels: `20x10+700+500`.
    pub geometry: &'a str,
}

impl Desktop {
    /// Cuts the screen into two monitors side by side, [`LEFT`] (the primary one) and [`RIGHT`].
    ///
    /// # Errors
    /// `xrandr` is missing or fails.
    pub fn split_in_two(&self) -> Result<()> {
        systems("xrandr")?;
        let (width, height) = (self.size.0 / 2, self.size.1);
        // Millimetres, at 96 dots an inch; nothing looks at them.
        let (width_mm, height_mm) = (width * 254 / 960, height * 254 / 960);
        let area = |x: u32| format!("{width}/{width_mm}x{height}/{height_mm}+{x}+0");
        // The first must take the screen's own output, whose monitor it replaces.
        self.xrandr(&["--setmonitor", &format!("*{LEFT}"), &area(0), "screen"])?;
        self.xrandr(&["--setmonitor", RIGHT, &area(width), "none"])
    }

    fn xrandr(&self, arguments: &[&str]) -> Result<()> {
        let path = std::env::join_paths(search_path()).unwrap_or_default();
        let output = Command::new("xrandr")
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .context("cannot run xrandr")?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("xrandr {}: {}", arguments.join(" "), errors.trim());
        }
        Ok(())
    }

    /// Opens a window of one colour, which takes the focus.
    ///
    /// # Errors
    /// It does not come up.
    pub fn open(&mut self, prop: &Prop<'_>) -> Result<()> {
        let [red, green, blue] = prop.colour;
        let colour = format!("#{red:02x}{green:02x}{blue:02x}");
        let name = format!("xterm-{}", prop.title.to_lowercase().replace(' ', "-"));
        let window = Plan::new(&name, "xterm", &self.logs)
            .with(["-class", prop.application, "-T", prop.title])
            .with(["-geometry", prop.geometry, "-fn", "9x15"])
            .with(["-bg", &colour, "-fg", &colour, "-cr", &colour])
            .with(["+sb", "-e", "sleep", "infinity"])
            .within(&self.environment)
            .start()?;
        self.opened.push(window);
        self.input.wait_for_window(prop.title, START).map(drop)
    }
}
