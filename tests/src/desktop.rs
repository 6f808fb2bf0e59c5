//! A desktop of its own: an X server without a screen, a window manager, a session bus, a service
//! that shows messages, and real windows with something in them.
//!
//! Nothing of the user's is touched: the display number is one that the X server finds free, and
//! the bus is private: no service but that one is on it, and none could be started.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process::{Plan, Process};
use crate::programs;
use crate::wait::{wait_until, when};

mod display;
mod input;
mod props;

pub use input::{Input, TEXT};
pub use props::{LEFT, Prop, RIGHT};

/// The font of all windows, twice as easy to read in a small picture as the default.
const FONT: &str = "XTerm.VT100.utf8Fonts.font: 9x15";
const START: Duration = Duration::from_secs(30);

/// The titles of the windows that every desktop shows.
pub mod windows {
    /// A terminal in which lines keep coming.
    pub const BUILD: &str = "Build log";
    /// A document in a pager.
    pub const DOCUMENT: &str = "Meeting notes";
    /// A terminal that takes what is typed.
    pub const EDITOR: &str = "Draft";
}

/// A desktop that lasts as long as its value.
#[derive(Debug)]
pub struct Desktop {
    // Ended in this order: windows before the window manager before the display.
    opened: Vec<Process>,
    _messages: Process,
    window_manager: Process,
    _bus: Process,
    display: Process,
    number: u32,
    environment: Vec<(String, OsString)>,
    size: (u32, u32),
    input: Input,
    logs: PathBuf,
}

impl Desktop {
    /// Starts a display of `size` pixels with three windows, in `folder` (which must exist).
    ///
    /// # Errors
    /// One of the system's programs is missing or does not start.
    pub fn start(folder: &Path, size: (u32, u32)) -> Result<Self> {
        for name in [
            "Xvfb",
            "openbox",
            "xterm",
            "xdotool",
            "dbus-daemon",
            "dbus-send",
            "dunst",
            "less",
            "setpriv",
        ] {
            programs::systems(name)?;
        }
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs)?;

        let (display, number) = display::start(&logs, size)?;

        let (bus, address) = start_bus(folder, &logs)?;
        let environment = vec![
            ("DISPLAY".to_owned(), OsString::from(format!(":{number}"))),
            ("DBUS_SESSION_BUS_ADDRESS".to_owned(), address),
            ("HOME".to_owned(), folder.as_os_str().to_owned()),
            ("LANG".to_owned(), "C.UTF-8".into()),
        ];

        let input = Input::new(&environment);
        let window_manager = display::manage(&environment, &logs, &input)?;
        let messages = start_messages(&environment, &logs)?;
        let mut desktop = Self {
            opened: Vec::new(),
            _messages: messages,
            window_manager,
            _bus: bus,
            display,
            number,
            environment,
            size,
            input,
            logs: logs.clone(),
        };
        desktop.open_windows(folder, &logs)?;
        Ok(desktop)
    }

    fn open_windows(&mut self, folder: &Path, logs: &Path) -> Result<()> {
        let document = folder.join("meeting-notes.txt");
        std::fs::write(&document, document_text())?;
        let draft = Self::draft(folder);
        // Lines that keep coming, so that no two pictures are the same.
        let build = "n=0; while :; do n=$((n+1)); \
            printf '\\033[1;32m   Compiling\\033[0m part-%03d v0.%d.%d\\n' \
            $n $((n % 7)) $((n * 37 % 11)); sleep 0.4; done";
        let editor = format!("cat >> '{}'", draft.display());
        // Sizes in characters, places in pixels: at 1280x800 the three fill the screen.
        let plans = [
            (
                windows::BUILD,
                "66x24+16+16",
                "#10243a",
                "#d8e6f3",
                vec!["sh", "-c", build],
            ),
            (
                windows::DOCUMENT,
                "66x49+650+16",
                "#fbf6ea",
                "#33261a",
                vec![
                    "less",
                    "--mouse",
                    document.to_str().context("the folder's path is not text")?,
                ],
            ),
            (
                windows::EDITOR,
                "66x22+16+420",
                "#ffffff",
                "#14213d",
                vec!["sh", "-c", &editor],
            ),
        ];
        for (title, geometry, paper, ink, command) in plans {
            let name = format!("xterm-{}", title.to_lowercase().replace(' ', "-"));
            let window = Plan::new(&name, "xterm", logs)
                .with(["-T", title, "-geometry", geometry, "-bg", paper, "-fg", ink])
                .with(["-xrm", FONT, "-e"])
                .with(command)
                .within(&self.environment)
                .start()?;
            self.opened.push(window);
            self.input().wait_for_window(title, START)?;
        }
        Ok(())
    }

    /// What a program needs in its environment to show up here.
    pub fn environment(&self) -> &[(String, OsString)] {
        &self.environment
    }

    /// Width and height, pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The file that holds what was typed into the draft window, line by line.
    pub fn draft(folder: &Path) -> PathBuf {
        folder.join("draft.txt")
    }

    /// Keyboard and mouse.
    pub fn input(&self) -> Input {
        self.input.clone()
    }
}

/// A bus that knows no services, so that nothing but what the story starts is ever on it.
fn start_bus(folder: &Path, logs: &Path) -> Result<(Process, OsString)> {
    let socket: PathBuf = folder.join("bus");
    let configuration = folder.join("bus.conf");
    let text = format!(
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
         \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
         <busconfig>\n  <type>session</type>\n  <listen>unix:path={}</listen>\n  \
         <policy context=\"default\">\n    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n    \
         <allow eavesdrop=\"true\"/>\n    <allow own=\"*\"/>\n  </policy>\n</busconfig>\n",
        socket.display()
    );
    std::fs::write(&configuration, text)?;
    let mut bus = Plan::new("dbus", "dbus-daemon", logs)
        .with(["--nofork", "--nopidfile", "--print-address=1"])
        .with([format!("--config-file={}", configuration.display())])
        .start()?;
    let address = bus
        .line(START, |line| {
            line.starts_with("unix:").then(|| line.to_owned())
        })
        .context("the session bus did not say where it listens")?;
    Ok((bus, address.into()))
}

/// What shows messages on that desktop: without it an agent in monitoring mode could not put its
/// notice before anybody. Ready when this returns.
fn start_messages(environment: &[(String, OsString)], logs: &Path) -> Result<Process> {
    let mut dunst = Plan::new("dunst", "dunst", logs)
        .within(environment)
        .start()?;
    wait_until(START, "the service that shows messages", || {
        if let Some(status) = dunst.status()? {
            bail!("dunst ended with {status}");
        }
        let asked = Command::new("dbus-send")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .args(["--session", "--print-reply", "--dest=org.freedesktop.DBus"])
            .args(["/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner"])
            .arg("string:org.freedesktop.Notifications")
            .output()?;
        Ok(when(
            String::from_utf8_lossy(&asked.stdout).contains("boolean true"),
        ))
    })?;
    Ok(dunst)
}

/// Some pages to scroll through, in lines that fit the window.
fn document_text() -> String {
    const POINTS: [(&str, &str); 5] = [
        (
            "The import",
            "Runs through for all three customers. Each took less than\na night; the longest waits for the network.",
        ),
        (
            "The export",
            "Two reports, one cause: a comma in a name. The repair is in\nreview and comes with the next release.",
        ),
        (
            "The release",
            "Planned for the end of the month. Whoever has something for\nit says so by Thursday.",
        ),
        (
            "The second floor",
            "We move on Monday. Boxes are in the corridor; please label\nwhat is yours and leave the plants to Robin.",
        ),
        (
            "Questions",
            "Who looks after the build machine in December? Sam asks\naround and tells us next week.",
        ),
    ];
    let mut text = String::from("MEETING NOTES\n=============\n\n");
    for week in 1..=12 {
        let _ = writeln!(text, "WEEK {week}\n");
        for (point, words) in POINTS {
            let _ = writeln!(text, "  * {point}\n");
            for line in words.lines() {
                let _ = writeln!(text, "    {line}");
            }
            text.push('\n');
        }
    }
    text
}
