//! Whose process this is, and access lists that let nobody else in.
//!
//! An access list is written in SDDL, protected, so that nothing is inherited from the folder above. An
//! administrator can still take ownership, as root can read everything elsewhere.

use std::io;
use std::path::Path;

use windows::Win32::Foundation::{CloseHandle, HANDLE, HLOCAL, LocalFree};
use windows::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetTokenInformation, PROTECTED_DACL_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR, SetFileSecurityW, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows::Win32::Storage::FileSystem::{
    MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW,
};
use windows::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows::core::{HSTRING, PWSTR};

/// What an access list is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    /// What is made in it later inherits the list.
    Folder,
    /// A file.
    File,
    /// A named pipe.
    Pipe,
}

/// An access list by which this user alone may use the object.
pub(crate) fn only_us(object: Object) -> io::Result<String> {
    let sid = user_sid()?;
    Ok(match object {
        Object::Folder => format!("D:P(A;OICI;FA;;;{sid})"),
        Object::File => format!("D:P(A;;FA;;;{sid})"),
        Object::Pipe => format!("D:P(A;;GA;;;{sid})"),
    })
}

/// Closes a file or folder to everybody else.
pub(crate) fn restrict(path: &Path, object: Object) -> io::Result<()> {
    let list = HSTRING::from(only_us(object)?);
    let mut descriptor = PSECURITY_DESCRIPTOR::default();
    // SAFETY: the text ends with a zero and the place for the answer is ours.
    unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            &list,
            SDDL_REVISION_1,
            &raw mut descriptor,
            None,
        )
    }?;
    let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the descriptor is the one just made, and is freed after this.
    let set = unsafe { SetFileSecurityW(&HSTRING::from(path), what, descriptor) }.ok();
    free(descriptor.0);
    Ok(set?)
}

/// Puts a file in another's place; both names are on disk when this returns.
pub(crate) fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    // SAFETY: both names end with a zero and outlive the call.
    unsafe { MoveFileExW(&HSTRING::from(from), &HSTRING::from(to), flags) }?;
    Ok(())
}

/// The user's identity, such as `S-1-5-21-…`.
fn user_sid() -> io::Result<String> {
    let mut token = HANDLE::default();
    // SAFETY: the handle of this process needs no closing, and the place for the token is ours.
    unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) }?;
    let sid = sid_of(token);
    // SAFETY: it was opened above and is used no more.
    let _ = unsafe { CloseHandle(token) };
    sid
}

fn sid_of(token: HANDLE) -> io::Result<String> {
    // A TOKEN_USER and the longest SID (68 bytes) behind it; in words that keep it aligned.
    let mut buffer = [0_u64; 24];
    let size = u32::try_from(size_of_val(&buffer)).unwrap_or_default();
    let mut filled = 0;
    let place = Some(buffer.as_mut_ptr().cast());
    // SAFETY: the place is as large as is said.
    unsafe { GetTokenInformation(token, TokenUser, place, size, &raw mut filled) }?;
    // SAFETY: a TOKEN_USER stands at the start of the aligned buffer, and points into it.
    let user: TOKEN_USER = unsafe { buffer.as_ptr().cast::<TOKEN_USER>().read() };
    let mut text = PWSTR::null();
    // SAFETY: the SID lies in the buffer, which is still there.
    unsafe { ConvertSidToStringSidW(user.User.Sid, &raw mut text) }?;
    // SAFETY: the system has made a text that ends with a zero.
    let sid = unsafe { text.to_string() };
    free(text.0.cast());
    sid.map_err(io::Error::other)
}

fn free(what: *mut core::ffi::c_void) {
    // SAFETY: the system gave it to be freed so, and it is used no more.
    unsafe { LocalFree(Some(HLOCAL(what))) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_the_user_and_nobody_else() {
        let sid = user_sid().unwrap();
        assert!(sid.starts_with("S-1-5-"), "{sid}");
        for object in [Object::Folder, Object::File, Object::Pipe] {
            let list = only_us(object).unwrap();
            assert!(list.starts_with("D:P(") && list.matches('(').count() == 1);
            assert!(list.ends_with(&format!(";;;{sid})")), "{list}");
        }
    }

    /// The access list of a file, as the system has it.
    fn list_of(path: &Path) -> String {
        use windows::Win32::Security::Authorization::ConvertSecurityDescriptorToStringSecurityDescriptorW;
        use windows::Win32::Security::GetFileSecurityW;
        let mut buffer = [0_u64; 256];
        let size = u32::try_from(size_of_val(&buffer)).unwrap();
        let descriptor = PSECURITY_DESCRIPTOR(buffer.as_mut_ptr().cast());
        let mut needed = 0;
        // SAFETY: the place is as large as is said.
        unsafe {
            GetFileSecurityW(
                &HSTRING::from(path),
                DACL_SECURITY_INFORMATION.0,
                Some(descriptor),
                size,
                &raw mut needed,
            )
        }
        .ok()
        .unwrap();
        let mut text = PWSTR::null();
        // SAFETY: the descriptor is the one just read.
        unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor,
                SDDL_REVISION_1,
                DACL_SECURITY_INFORMATION,
                &raw mut text,
                None,
            )
        }
        .unwrap();
        // SAFETY: the system has made a text that ends with a zero.
        unsafe { text.to_string() }.unwrap()
    }

    #[test]
    fn what_is_written_is_for_its_owner_alone() {
        use crate::platform::files::{append_private, create_private_dir, write_private};
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        create_private_dir(&folder).unwrap();
        let file = folder.join("secret.json");
        write_private(&file, b"one").unwrap();
        write_private(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        let log = folder.join("log");
        append_private(&log, "line").unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        let sid = user_sid().unwrap();
        for path in [&folder, &file, &log] {
            let list = list_of(path);
            let others: Vec<_> = list
                .split('(')
                .skip(1)
                .filter(|entry| entry.starts_with("A;") && !entry.contains(&sid))
                // Wine keeps modes, and adds the system itself.
                .filter(|entry| !entry.ends_with(";;;SY)"))
                .collect();
            assert!(list.contains(&sid) && others.is_empty(), "{list}");
        }
    }
}
