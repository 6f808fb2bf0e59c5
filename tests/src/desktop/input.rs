//! Keyboard and mouse of a display, by `xdotool`.
//!
//! Each method tells exactly how many events it made, so that a story can compare. Keys are typed
//! into the draft window only: the pager would take letters as commands.

use std::ffi::OsString;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::windows;
use crate::programs::search_path;
use crate::wait::wait_until;

/// What is typed, again and again, each call where the last one ended. Lower case, and only signs
/// that need no Shift, which would be one press more.
pub const TEXT: &str = "\
dear all,
here is where we stand at the end of the week.

the import runs through for all three customers. the last one took
four hours, most of it waiting for the network. sam has an idea for
that and will try it on monday.

two reports came in about the export. both are the same thing, a
comma in a name, and the repair is in review.

next week brings the new price list, and the move to the second floor.
please label your boxes.

";

/// Drives one display. Cheap to clone; can be sent to another thread.
#[derive(Clone, Debug)]
pub struct Input {
    environment: Vec<(String, OsString)>,
    /// How many keys were typed so far: where [`TEXT`] goes on.
    typed: Arc<AtomicU32>,
}

impl Input {
    pub(super) fn new(environment: &[(String, OsString)]) -> Self {
        Self {
            environment: environment.to_vec(),
            typed: Arc::default(),
        }
    }

    /// Whether a window manager runs on the display.
    pub(super) fn is_managed(&self) -> bool {
        self.xdotool(&["get_desktop"]).is_ok()
    }

    /// Waits for a window to be on the screen; gives its id.
    ///
    /// # Errors
    /// It does not come up in time.
    pub fn wait_for_window(&self, title: &str, deadline: Duration) -> Result<String> {
        let pattern = format!("^{title}$");
        wait_until(deadline, &format!("the window {title:?}"), || {
            let found = self.xdotool(&["search", "--onlyvisible", "--name", &pattern]);
            Ok(found
                .ok()
                .and_then(|ids| ids.lines().next().map(str::to_owned)))
        })
    }

    /// Brings a window to the front. Makes no input event.
    ///
    /// # Errors
    /// There is no such window.
    pub fn activate(&self, title: &str) -> Result<()> {
        let id = self.wait_for_window(title, Duration::from_secs(5))?;
        self.xdotool(&["windowactivate", "--sync", &id]).map(drop)
    }

    /// Types exactly `count` keys, each pressed once, into the draft window; gives `count`.
    ///
    /// # Errors
    /// The window is gone.
    pub fn type_keys(&self, count: u32) -> Result<u32> {
        self.type_keys_into(windows::EDITOR, count)
    }

    /// The same, into another window.
    ///
    /// # Errors
    /// The window is gone.
    pub fn type_keys_into(&self, title: &str, count: u32) -> Result<u32> {
        self.activate(title)?;
        let from = self.typed.fetch_add(count, Ordering::Relaxed) as usize;
        let text = TEXT.chars().cycle().skip(from % TEXT.len());
        let text: String = text.take(count as usize).collect();
        self.xdotool(&["type", "--delay", "12", &text])?;
        Ok(count)
    }

    /// Types a text without a pause, as XTEST events; gives how many keys that was. Only what needs no Shift.
    ///
    /// # Errors
    /// The window is gone.
    pub fn type_text(&self, text: &str) -> Result<u32> {
        self.activate(windows::EDITOR)?;
        self.xdotool(&["type", "--delay", "0", text])?;
        // What is typed lies in the terminal's line until it ends.
        self.xdotool(&["key", "Return"])?;
        Ok(u32::try_from(text.chars().count())? + 1)
    }

    /// Clicks the left button `count` times in the middle of the draft window; gives `count`.
    ///
    /// # Errors
    /// The window is gone.
    pub fn click(&self, count: u32) -> Result<u32> {
        self.button(windows::EDITOR, "1", count)
    }

    /// Turns the wheel `count` steps down over the document; gives `count`.
    ///
    /// # Errors
    /// The window is gone.
    pub fn scroll(&self, count: u32) -> Result<u32> {
        self.button(windows::DOCUMENT, "5", count)
    }

    /// Moves a window to another place, its upper left corner. Makes no input event.
    ///
    /// # Errors
    /// There is no such window.
    pub fn move_window(&self, title: &str, x: u32, y: u32) -> Result<()> {
        let id = self.wait_for_window(title, Duration::from_secs(5))?;
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&["windowmove", "--sync", &id, &x, &y])
            .map(drop)
    }

    fn button(&self, title: &str, button: &str, count: u32) -> Result<u32> {
        let id = self.wait_for_window(title, Duration::from_secs(5))?;
        self.xdotool(&["mousemove", "--window", &id, "200", "120"])?;
        let count_text = count.to_string();
        self.xdotool(&["click", "--repeat", &count_text, "--delay", "15", button])?;
        Ok(count)
    }

    /// Moves the pointer about, as a hand would: relative motion, a few pixels each.
    ///
    /// # Errors
    /// The display is gone.
    pub fn wander(&self) -> Result<()> {
        for (x, y) in [("25", "10"), ("10", "-15"), ("-20", "12"), ("-15", "-7")] {
            self.xdotool(&["mousemove_relative", "--", x, y])?;
        }
        Ok(())
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("xdotool")
            .args(arguments)
            .env_clear()
            .env(
                "PATH",
                std::env::join_paths(search_path()).unwrap_or_default(),
            )
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .context("cannot run xdotool")?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("xdotool {}: {}", arguments.join(" "), errors.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::TEXT;

    #[test]
    fn nothing_in_the_text_needs_the_shift_key() {
        let plain = |c: char| c.is_ascii_lowercase() || " \n.,".contains(c);
        assert_eq!(TEXT.chars().find(|c| !plain(*c)), None);
    }
}
