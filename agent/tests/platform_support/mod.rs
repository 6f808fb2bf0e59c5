//! A real X server for the platform tests, alone on a display number that it picks itself.
//!
//! What is started here dies with the value that started it, and with the test process.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

pub(crate) mod bus;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::platform::Rect;
use glasshour_agent::platform::linux::{Environment, LinuxDesktop};
use glasshour_license_format::License;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use x11rb::connection::Connection as _;
use x11rb::protocol::randr::{ConnectionExt as _, MonitorInfo};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, PropMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// How often [`eventually`] asks, and how many times.
const ASK_EVERY: Duration = Duration::from_millis(20);
const ASK_TIMES: u32 = 500;

/// A running Xvfb and the programs on it.
pub(crate) struct XServer {
    pub(crate) display: String,
    server: Child,
    programs: Mutex<Vec<Child>>,
}

impl XServer {
    /// Starts Xvfb with one screen such as `800x600x24`.
    pub(crate) fn start(screen: &str) -> Self {
        Self::start_with(screen, &[])
    }

    /// Starts Xvfb with more arguments.
    pub(crate) fn start_with(screen: &str, arguments: &[&str]) -> Self {
        let mut server = bound_to_us("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                screen,
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("setpriv is missing: `./dev test` installs what the tests need (util-linux)");
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("stdout is piped"))
            .read_line(&mut number)
            .expect("Xvfb's display number can be read");
        assert!(
            !number.trim().is_empty(),
            "Xvfb is missing or did not start: `./dev test` installs what the tests need (xvfb)"
        );
        Self {
            display: format!(":{}", number.trim()),
            server,
            programs: Mutex::new(Vec::new()),
        }
    }

    /// Starts openbox and waits until it manages windows.
    pub(crate) fn with_window_manager(self) -> Self {
        self.spawn("openbox", &["--sm-disable"]);
        let connection = self.connect();
        let root = connection.setup().roots[0].root;
        let manager = atom(&connection, "_NET_SUPPORTING_WM_CHECK");
        eventually("openbox manages windows", || {
            let asked = connection.get_property(false, root, manager, AtomEnum::WINDOW, 0, 1);
            let property = asked.expect("the request is sent").reply();
            property.expect("the server answers").value_len == 1
        });
        self
    }

    /// Lays a monitor over a part of the screen. The first one must take the screen's own output,
    /// whose monitor it replaces.
    pub(crate) fn add_monitor(&self, name: &str, area: Rect, takes_output: bool) {
        let connection = self.connect();
        let root = connection.setup().roots[0].root;
        let resources = connection.randr_get_screen_resources_current(root);
        let resources = resources.expect("the request is sent").reply();
        let outputs = resources.expect("the server answers").outputs;
        let fits = "the screen is smaller than 32768 pixels";
        let monitor = MonitorInfo {
            name: atom(&connection, name),
            x: area.x.try_into().expect(fits),
            y: area.y.try_into().expect(fits),
            width: area.width.try_into().expect(fits),
            height: area.height.try_into().expect(fits),
            outputs: if takes_output { outputs } else { Vec::new() },
            ..MonitorInfo::default()
        };
        connection
            .randr_set_monitor(root, monitor)
            .expect("the request is sent")
            .check()
            .expect("the monitor is there");
    }

    /// Opens an xterm that runs nothing, and waits until it is mapped; returns its window.
    pub(crate) fn xterm(&self, title: &str, geometry: &str) -> u32 {
        self.spawn(
            "xterm",
            &["-T", title, "-geometry", geometry, "-e", "sleep", "1000"],
        );
        let found = self.output(
            "xdotool",
            &["search", "--sync", "--onlyvisible", "--name", title],
        );
        let window = found.lines().next().expect("xdotool prints the window");
        window.parse().expect("a window is a number")
    }

    /// Starts a program on this display.
    pub(crate) fn spawn(&self, program: &str, arguments: &[&str]) {
        let child = bound_to_us(program)
            .args(arguments)
            .env("DISPLAY", &self.display)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        self.programs
            .lock()
            .expect("no test has panicked here")
            .push(child);
    }

    /// Runs a program on this display to its end, which must be a good one.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .args(arguments)
            .env("DISPLAY", &self.display)
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}; `./dev test` installs it"));
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn xdotool(&self, arguments: &[&str]) {
        self.output("xdotool", arguments);
    }

    /// A connection of the test's own.
    pub(crate) fn connect(&self) -> RustConnection {
        RustConnection::connect(Some(&self.display))
            .expect("the server takes connections")
            .0
    }

    /// Where a window is on the screen, without decorations.
    pub(crate) fn place_of(&self, window: u32) -> Rect {
        let connection = self.connect();
        let root = connection.setup().roots[0].root;
        let geometry = connection
            .get_geometry(window)
            .expect("the request is sent");
        let corner = connection.translate_coordinates(window, root, 0, 0);
        let geometry = geometry.reply().expect("the window is there");
        let corner = corner
            .expect("the request is sent")
            .reply()
            .expect("the window is there");
        Rect {
            x: corner.dst_x.into(),
            y: corner.dst_y.into(),
            width: geometry.width.into(),
            height: geometry.height.into(),
        }
    }

    /// The desktop under test.
    pub(crate) fn desktop(&self) -> LinuxDesktop {
        desktop(&self.display)
    }

    /// Kills the server, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.server.kill().expect("it runs");
        self.server.wait().expect("it can be waited for");
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        let mut programs = self.programs.lock().expect("no test has panicked here");
        for program in programs.iter_mut() {
            // It may have ended by itself.
            let _ = program.kill();
            let _ = program.wait();
        }
        // Asked to end, it takes its socket with it.
        let _ = kill_process(Pid::from_child(&self.server), Signal::TERM);
        let _ = self.server.wait();
    }
}

/// A window without a window manager's doing, filled with one colour (0xRRGGBB).
pub(crate) struct Patch {
    pub(crate) id: u32,
    connection: RustConnection,
}

impl Patch {
    pub(crate) fn show(server: &XServer, place: [i16; 2], size: [u16; 2], colour: u32) -> Self {
        let connection = server.connect();
        let id = patch(&connection, place, size, colour);
        Self { id, connection }
    }

    /// One more window of the same program; it goes with this one.
    pub(crate) fn show_another(&self, place: [i16; 2], size: [u16; 2], colour: u32) {
        patch(&self.connection, place, size, colour);
    }

    /// Sets a property of 8-bit values.
    pub(crate) fn set(&self, property: &str, kind: &str, value: &[u8]) {
        set_property(&self.connection, self.id, property, kind, value);
    }

    /// Sets `WM_TRANSIENT_FOR`.
    pub(crate) fn belongs_to(&self, owner: u32) {
        let (name, kind) = (
            atom(&self.connection, "WM_TRANSIENT_FOR"),
            atom(&self.connection, "WINDOW"),
        );
        self.connection
            .change_property32(PropMode::REPLACE, self.id, name, kind, &[owner])
            .expect("the request is sent")
            .check()
            .expect("the property is set");
    }
}

fn patch(
    connection: &RustConnection,
    [x, y]: [i16; 2],
    [width, height]: [u16; 2],
    colour: u32,
) -> u32 {
    let id = connection.generate_id().expect("there are identifiers");
    let root = connection.setup().roots[0].root;
    let attributes = CreateWindowAux::new()
        .override_redirect(1)
        .background_pixel(colour);
    let class = WindowClass::INPUT_OUTPUT;
    connection
        .create_window(0, id, root, x, y, width, height, 0, class, 0, &attributes)
        .expect("the request is sent")
        .check()
        .expect("the window is made");
    connection
        .map_window(id)
        .expect("the request is sent")
        .check()
        .expect("it is mapped");
    connection.sync().expect("the server answers");
    id
}

/// Sets a property of 8-bit values on any window.
pub(crate) fn set_property(
    connection: &RustConnection,
    id: u32,
    property: &str,
    kind: &str,
    value: &[u8],
) {
    let (name, kind) = (atom(connection, property), atom(connection, kind));
    connection
        .change_property8(PropMode::REPLACE, id, name, kind, value)
        .expect("the request is sent")
        .check()
        .expect("the property is set");
}

pub(crate) fn atom(connection: &RustConnection, name: &str) -> u32 {
    let cookie = connection
        .intern_atom(false, name.as_bytes())
        .expect("the request is sent");
    cookie.reply().expect("the server answers").atom
}

/// The desktop under test, on any display.
pub(crate) fn desktop(display: &str) -> LinuxDesktop {
    LinuxDesktop::detect(Environment {
        display: Some(display.to_owned()),
        session_type: Some("x11".to_owned()),
        ..Environment::default()
    })
}

/// A license that permits everything that the platform offers.
pub(crate) fn license() -> License {
    license_with(&json!({
        "name": "Test",
        "screenshots": {"per_hour": 6},
        "activity": {"input_counts": true, "applications": true, "window_titles": true},
    }))
}

/// A trusted license with that profile.
pub(crate) fn license_with(profile: &serde_json::Value) -> License {
    let id = "0193a7a0-0000-7000-8000-000000000001";
    let claims = serde_json::from_value(json!({
        "version": 1, "license_id": id, "serial": 1, "issued_at": "2026-11-21T09:00:00Z",
        "issuer": {"company": "Acme", "company_id": id, "server_url": "https://time.acme.example"},
        "employee": {"employee_id": id, "name": "Jo Doe"},
        "work_mode": "worklog", "profile": profile,
    }))
    .expect("these are claims");
    let file = glasshour_license_format::sign(&claims, &SigningKey::from_bytes(&[7; 32]))
        .expect("the claims are valid");
    let signed = glasshour_license_format::read(&file).expect("what was signed can be read");
    let thumbprint = signed.thumbprint().to_owned();
    signed.trust(&thumbprint).expect("it is its own signer")
}

/// Asks until the answer is yes; fails after ten seconds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..ASK_TIMES {
        if holds() {
            return;
        }
        thread::sleep(ASK_EVERY);
    }
    panic!("waited in vain until {what}");
}

/// A program that the kernel kills when our thread ends.
pub(crate) fn bound_to_us(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

/// Processor time of this process so far, in hundredths of a second.
pub(crate) fn processor_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has /proc");
    let (_, after_name) = stat.rsplit_once(')').expect("the name is in brackets");
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum()
}
