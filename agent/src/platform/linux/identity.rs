//! The names of the machine and of the user.

use std::process::Command;

use crate::platform::Identity;
use crate::platform::text::clean;

/// Longest name kept, in characters.
const MAX_NAME_CHARS: usize = 255;

/// Reads both names. `user_hint`: what the session says the user is called, used last.
pub(super) fn identity(user_hint: Option<&str>) -> Identity {
    let host_name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let uid = rustix::process::getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let os_user = name_in_passwd(&passwd, uid)
        .or_else(name_from_directory)
        .or_else(|| user_hint.filter(|name| !name.is_empty()).map(str::to_owned))
        .unwrap_or_else(|| format!("uid-{uid}"));
    Identity {
        host_name: clean(&host_name, MAX_NAME_CHARS),
        os_user: clean(&os_user, MAX_NAME_CHARS),
    }
}

/// Asks the system's resolver, which knows local users and those of a directory service.
pub(super) fn is_user(name: &str) -> bool {
    let asked = Command::new("/usr/bin/id")
        .args(["-u", "--", name])
        .output();
    asked.is_ok_and(|output| output.status.success())
}

fn name_in_passwd(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let its_uid = fields.nth(1)?;
        (its_uid.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// Users of a directory service are in no file; `id` asks the system's resolver.
fn name_from_directory() -> Option<String> {
    let output = Command::new("/usr/bin/id").arg("-un").output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_from_other_words() {
        assert!(is_user("root"));
        assert!(!is_user("no-such-user-here"));
        assert!(!is_user("--help"));
        assert!(!is_user(""));
    }

    #[test]
    fn a_user_is_found_by_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\njo:x:1000:1000:Jo Doe:/home/jo:/bin/sh\n";
        assert_eq!(name_in_passwd(passwd, 1000).as_deref(), Some("jo"));
        assert_eq!(name_in_passwd(passwd, 7), None);
    }

    #[test]
    fn this_machine_and_user_have_names() {
        let identity = identity(None);
        assert!(!identity.host_name.is_empty());
        assert!(!identity.os_user.is_empty());
    }
}
