//! What a case needs of this machine, found by trying it, and the sentence where it is not to be had.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use glasshour_tests::programs;

use crate::disk::Disk;

/// Something that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// strace, and the right to trace what we start.
    Strace,
    /// Root, loop devices and ext4.
    LoopDisk,
    /// Root, to mount a memory disk.
    MemoryDisk,
    /// Root and a network of our own, with `tc` and `nft`.
    Network,
    /// Root and the memory controller of cgroup v1.
    MemoryLimit,
    /// libfaketime.
    Faketime,
    /// What `Desktop` starts.
    Desktop,
    /// `prlimit`.
    Prlimit,
}

impl Need {
    /// Why it cannot be had here, if so. Tried once.
    pub(crate) fn missing(self, own_network: bool) -> Option<String> {
        match self {
            Self::Strace => once(&STRACE, strace),
            Self::LoopDisk => once(&LOOP, || with_disk(|folder| Disk::ext4(folder, "try", 8))),
            Self::MemoryDisk => once(&MEMORY, || {
                with_disk(|folder| Disk::memory(folder, "try", 64))
            }),
            Self::Network if !own_network => {
                Some("a network of its own needs root (unshare --net)".into())
            }
            Self::Network => first_missing(&["tc", "nft", "ip"]),
            Self::MemoryLimit => (!Path::new("/sys/fs/cgroup/memory/memory.limit_in_bytes")
                .exists())
            .then(|| "there is no memory controller of cgroup v1".into())
            .or_else(not_root),
            Self::Faketime => faketime().is_none().then(|| {
                "libfaketime is not installed: ./dev faults puts it in place on Debian".into()
            }),
            Self::Desktop => first_missing(&["Xvfb", "openbox", "xterm", "xdotool", "dbus-daemon"]),
            Self::Prlimit => first_missing(&["prlimit"]),
        }
    }
}

static STRACE: OnceLock<Option<String>> = OnceLock::new();
static LOOP: OnceLock<Option<String>> = OnceLock::new();
static MEMORY: OnceLock<Option<String>> = OnceLock::new();

fn once(cell: &OnceLock<Option<String>>, look: impl FnOnce() -> Option<String>) -> Option<String> {
    cell.get_or_init(look).clone()
}

fn strace() -> Option<String> {
    let tried = Command::new("strace")
        .args(["-D", "-qq", "-o", "/dev/null", "true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(_) => Some("strace may not trace here".into()),
        Err(_) => Some("strace is not installed: ./dev faults puts it in place on Debian".into()),
    }
}

fn with_disk(make: impl FnOnce(&Path) -> anyhow::Result<Disk>) -> Option<String> {
    not_root().or_else(|| {
        let tried = tempfile::tempdir()
            .map_err(anyhow::Error::from)
            .and_then(|folder| {
                let disk = make(folder.path())?;
                drop(disk);
                Ok(())
            });
        tried.err().map(|error| format!("{error:#}"))
    })
}

fn not_root() -> Option<String> {
    (!rustix::process::geteuid().is_root()).then(|| "it needs root".into())
}

fn first_missing(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find(|name| programs::systems(name).is_err())
        .map(|name| format!("{name} is not installed: ./dev faults puts it in place on Debian"))
}

/// The library that puts another clock before a program's eyes.
pub(crate) fn faketime() -> Option<std::path::PathBuf> {
    ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .iter()
        .map(|arch| {
            Path::new("/usr/lib")
                .join(arch)
                .join("faketime/libfaketime.so.1")
        })
        .find(|path| path.is_file())
}
