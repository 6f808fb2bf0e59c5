//! The names of the machine and of the user.

use windows::Win32::Security::{LookupAccountNameW, PSID, SID_NAME_USE, SidTypeUser};
use windows::Win32::System::SystemInformation::{ComputerNameDnsHostname, GetComputerNameExW};
use windows::Win32::System::WindowsProgramming::GetUserNameW;
use windows::core::{HSTRING, PCWSTR, PWSTR};

use crate::platform::Identity;
use crate::platform::text::clean;

/// Longest name kept, in characters.
const MAX_NAME_CHARS: usize = 255;

/// Reads both names.
pub(super) fn identity() -> Identity {
    let host_name = name(|place, size| {
        // SAFETY: the place is as large as `size` says.
        unsafe { GetComputerNameExW(ComputerNameDnsHostname, Some(place), size) }
    });
    let os_user = name(|place, size| {
        // SAFETY: the place is as large as `size` says.
        unsafe { GetUserNameW(Some(place), size) }
    });
    Identity { host_name, os_user }
}

/// Asks the system, which knows local accounts and those of a domain. Groups are no users.
pub(super) fn is_user(name: &str) -> bool {
    let name = HSTRING::from(name);
    if name.is_empty() {
        return false;
    }
    // In words, so that it is aligned; the longest SID has 68 bytes.
    let mut sid = [0_u64; 16];
    let mut sid_bytes = u32::try_from(size_of_val(&sid)).unwrap_or_default();
    let mut domain = [0_u16; 256];
    let mut domain_chars = u32::try_from(domain.len()).unwrap_or_default();
    let mut kind = SID_NAME_USE::default();
    // SAFETY: both places are as large as is said, and outlive the call.
    let found = unsafe {
        LookupAccountNameW(
            PCWSTR::null(),
            &name,
            Some(PSID(sid.as_mut_ptr().cast())),
            &raw mut sid_bytes,
            Some(PWSTR(domain.as_mut_ptr())),
            &raw mut domain_chars,
            &raw mut kind,
        )
    };
    found.is_ok() && kind == SidTypeUser
}

/// A name as the system writes it into a place of ours.
fn name(ask: impl Fn(PWSTR, *mut u32) -> windows::core::Result<()>) -> String {
    let mut place = [0_u16; 256];
    let mut size = u32::try_from(place.len()).unwrap_or_default();
    if ask(PWSTR(place.as_mut_ptr()), &raw mut size).is_err() {
        return "unknown".to_owned();
    }
    clean(&super::text_of(&place), MAX_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_user_have_names_and_the_system_knows_the_user() {
        let identity = identity();
        assert!(!identity.host_name.is_empty() && identity.host_name != "unknown");
        assert!(!identity.os_user.is_empty() && identity.os_user != "unknown");
        assert!(is_user(&identity.os_user));
        assert!(!is_user("no-such-user-here"));
        assert!(!is_user(""));
    }
}
