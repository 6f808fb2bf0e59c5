//! What the socket is called.
//!
//! Elsewhere than on Windows it is a file in the agent's own folder. A named pipe of Windows lies in no
//! folder: anybody could open one of a known name first, and hear what is said to the agent. So its name
//! is new at each start and cannot be guessed; the file holds it, and only the owner can read that.

use std::io;
use std::path::Path;

use interprocess::local_socket::prelude::*;
use interprocess::local_socket::{GenericFilePath, Name};

/// A name to listen under. What an agent that died has left is removed.
#[cfg(unix)]
pub(super) fn make(path: &Path) -> io::Result<Name<'_>> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    path.to_fs_name::<GenericFilePath>()
}

/// The name under which the agent listens; [`io::ErrorKind::NotFound`] where none has begun to.
#[cfg(unix)]
pub(super) fn find(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

/// How the names of our pipes begin.
#[cfg(windows)]
const PIPE: &str = r"\\.\pipe\glasshour-";

/// A name to listen under. What an agent that died has left is replaced.
#[cfg(windows)]
pub(super) fn make(path: &Path) -> io::Result<Name<'_>> {
    let name = format!("{PIPE}{}", uuid::Uuid::new_v4());
    crate::platform::files::write_private(path, name.as_bytes())?;
    name.to_fs_name::<GenericFilePath>()
}

/// The name under which the agent listens; [`io::ErrorKind::NotFound`] where none has begun to.
#[cfg(windows)]
pub(super) fn find(path: &Path) -> io::Result<Name<'_>> {
    let name = std::fs::read_to_string(path)?;
    if !name.starts_with(PIPE) {
        return Err(io::ErrorKind::NotFound.into());
    }
    name.to_fs_name::<GenericFilePath>()
}
