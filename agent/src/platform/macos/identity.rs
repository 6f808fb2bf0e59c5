//! The names of the machine and of the user.

use std::process::Command;

use crate::platform::Identity;
use crate::platform::text::clean;

/// Longest name kept, in characters.
const MAX_NAME_CHARS: usize = 255;

/// Reads both names.
pub(super) fn identity() -> Identity {
    let system = rustix::system::uname();
    let host_name = system.nodename().to_string_lossy();
    let os_user = id(&["-un"]).unwrap_or_else(|| format!("uid-{}", rustix::process::getuid()));
    Identity {
        host_name: clean(&host_name, MAX_NAME_CHARS),
        os_user: clean(&os_user, MAX_NAME_CHARS),
    }
}

/// Asks the system's directory, which knows local users and those of a service.
pub(super) fn is_user(name: &str) -> bool {
    id(&["-u", "--", name]).is_some()
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("/usr/bin/id").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}
