//! A D-Bus of a test's own.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::bound_to_us;

/// Set where a test runs on its own bus already.
pub(crate) const ON_BUS: &str = "GLASSHOUR_TEST_ON_BUS";

/// Runs the rest of a test in a process of its own, whose session bus, which is its system bus as
/// well, is nobody else's. `true`: this
/// is that process.
pub(crate) fn on_own_bus(test: &str) -> bool {
    if std::env::var_os(ON_BUS).is_some() {
        return true;
    }
    let mut bus = bound_to_us("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("setpriv is missing: `./dev test` installs what the tests need (util-linux)");
    let mut address = String::new();
    BufReader::new(bus.stdout.take().expect("stdout is piped"))
        .read_line(&mut address)
        .expect("the bus's address can be read");
    assert!(
        !address.trim().is_empty(),
        "dbus-daemon is missing or did not start: `./dev test` installs what the tests need (dbus)"
    );
    let passed = run_again(test, address.trim());
    // It may have been killed by the test.
    let _ = bus.kill();
    bus.wait().expect("it can be waited for");
    assert!(passed, "the test failed on its own bus; see above");
    false
}

pub(crate) fn run_again(test: &str, address: &str) -> bool {
    let this = std::env::current_exe().expect("we run from a file");
    let output = Command::new(this)
        .args(["--exact", test, "--nocapture"])
        .env(ON_BUS, "1")
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .env("DBUS_SYSTEM_BUS_ADDRESS", address)
        .output()
        .expect("the test runs again");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{printed}{}", String::from_utf8_lossy(&output.stderr));
    // A name that fits no test would pass as well.
    output.status.success() && printed.contains("1 passed")
}
