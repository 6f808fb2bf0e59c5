//! The X server and its window manager: started, killed in mid-run, and put in their place again.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Desktop, Input, START};
use crate::process::{Plan, Process};
use crate::wait::{wait_until, when};

/// Starts a display that the server finds free; gives its number.
pub(super) fn start(logs: &Path, size: (u32, u32)) -> Result<(Process, u32)> {
    let mut display = plan(logs, size).with(["-displayfd", "1"]).start()?;
    let number = display
        .line(START, |line| {
            let number = line.trim().parse::<u32>().ok()?;
            Some(number.to_string())
        })
        .context("the X server did not say which display it opened")?;
    Ok((display, number.parse()?))
}

fn plan(logs: &Path, (width, height): (u32, u32)) -> Plan {
    let screen = format!("{width}x{height}x24");
    Plan::new("xvfb", "Xvfb", logs).with([
        "-screen",
        "0",
        screen.as_str(),
        "-nolisten",
        "tcp",
        // Without it the server starts over whenever its last client leaves, and takes a window manager that is
        // just coming with it.
        "-noreset",
    ])
}

/// Starts the window manager, and waits until it has taken over.
pub(super) fn manage(
    environment: &[(String, std::ffi::OsString)],
    logs: &Path,
    input: &Input,
) -> Result<Process> {
    let mut window_manager = Plan::new("openbox", "openbox", logs)
        .with(["--sm-disable"])
        .within(environment)
        .start()?;
    wait_until(START, "the window manager to take over", || {
        if let Some(status) = window_manager.status()? {
            bail!("openbox ended with {status}");
        }
        Ok(when(input.is_managed()))
    })?;
    Ok(window_manager)
}

impl Desktop {
    /// Kills the X server; every window goes with it.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn lose_display(&mut self) -> Result<()> {
        self.display.kill_hard()
    }

    /// Starts the X server anew under the same number, with the window manager and no window.
    ///
    /// # Errors
    /// One of them does not come up.
    pub fn regain_display(&mut self) -> Result<()> {
        self.opened.clear();
        let number = format!(":{}", self.number);
        self.display = plan(&self.logs, self.size).with([number]).start()?;
        self.window_manager = manage(&self.environment, &self.logs, &self.input)?;
        Ok(())
    }
}
