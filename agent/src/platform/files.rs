//! Files that only their owner may read, written so that a crash leaves the old or the new content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Makes a folder (and its parents) that only the owner may enter. One that exists is narrowed.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    system::close_folder(path)
}

/// Writes a whole file that only the owner may read: beside it first, flushed, then renamed over it.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written = write_new(&beside, bytes).and_then(|()| system::replace(&beside, path));
    if written.is_err() {
        // The half-written file is of no use; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Appends a line to a file that only the owner may read, and flushes it to disk.
pub fn append_private(path: &Path, line: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    let mut file = system::open_private(&mut options, path)?;
    // A last line that a crash cut is ended first, so that it spoils no other.
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    let end = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{end}{line}\n").as_bytes())?;
    file.sync_data()
}

/// Waits until nobody else holds the lock of that file, and holds it until what is returned is dropped.
pub fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let lock = system::open_private(&mut options, path)?;
    lock.lock()?;
    Ok(lock)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    let mut file = system::open_private(&mut options, path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Owner-only by mode.
#[cfg(unix)]
mod unix {
    use std::fs::{self, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;

    pub(super) fn close_folder(path: &Path) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(0o700))
    }

    pub(super) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        options.mode(0o600).open(path)
    }

    pub(super) fn replace(from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        File::open(to.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// Owner-only by access list.
#[cfg(windows)]
mod windows {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(super) use crate::platform::windows::owner::replace;
    use crate::platform::windows::owner::{Object, restrict};

    pub(super) fn close_folder(path: &Path) -> io::Result<()> {
        restrict(path, Object::Folder)
    }

    /// Until the list is set, the folder's holds: in a folder of ours that is the same.
    pub(super) fn open_private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        let file = options.open(path)?;
        if file.metadata()?.len() == 0 {
            restrict(path, Object::File)?;
        }
        Ok(file)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_the_owner_can_read_what_is_written() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        create_private_dir(&folder).unwrap();
        let file = folder.join("secret.json");
        write_private(&file, b"one").unwrap();
        write_private(&file, b"two").unwrap();
        append_private(&folder.join("log"), "line").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(&folder.join("log")), 0o600);
        assert_eq!(fs::read(&file).unwrap(), b"two");
        let names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "nothing half-written stays: {names:?}");
    }
}
