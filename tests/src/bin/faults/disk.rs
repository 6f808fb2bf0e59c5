//! Disks to break: an ext4 in a file, which can lose power, and a memory disk of few bytes.
//!
//! Mounted in the mount namespace that `main` makes for the harness, so that nothing of it is left however the
//! harness ends.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use glasshour_tests::wait::{wait_until, when};

/// `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`: from this instant on nothing more reaches the disk, and what was not
/// flushed never did. The number is `_IOR('X', 125, __u32)` of the kernel's ext4.h. Perl is on every Debian.
const CUT: &str = r#"open(my $d, "<", $ARGV[0]) or die "$!\n"; my $how = pack("L", 2);
ioctl($d, 0x8004587d, $how) or die "$!\n";"#;

/// A mounted disk. Dropping it unmounts it.
#[derive(Debug)]
pub(crate) struct Disk {
    image: Option<PathBuf>,
    mount: PathBuf,
    mounted: bool,
}

impl Disk {
    /// An ext4 of so many MiB, below `folder`.
    pub(crate) fn ext4(folder: &Path, name: &str, mib: u64) -> Result<Self> {
        let image = folder.join(format!("{name}.img"));
        std::fs::File::create(&image)?.set_len(mib * 1024 * 1024)?;
        run("mkfs.ext4", ["-q".as_ref(), image.as_os_str()])?;
        let mut disk = Self {
            image: Some(image),
            mount: folder.join(name),
            mounted: false,
        };
        std::fs::create_dir_all(&disk.mount)?;
        disk.mount()?;
        Ok(disk)
    }

    /// A memory disk of so many KiB, below `folder`.
    pub(crate) fn memory(folder: &Path, name: &str, kib: u64) -> Result<Self> {
        let mount = folder.join(name);
        std::fs::create_dir_all(&mount)?;
        let options = format!("size={kib}k");
        let words = ["-t", "tmpfs", "-o", &options, "tmpfs"].map(OsStr::new);
        run("mount", words.into_iter().chain([mount.as_os_str()]))?;
        Ok(Self {
            image: None,
            mount,
            mounted: true,
        })
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.mount
    }

    /// Gives a memory disk another size.
    pub(crate) fn resize(&self, kib: u64) -> Result<()> {
        let options = format!("remount,size={kib}k");
        run(
            "mount",
            ["-o".as_ref(), options.as_ref(), self.mount.as_os_str()],
        )
    }

    /// The power goes.
    pub(crate) fn cut_power(&self) -> Result<()> {
        run(
            "perl",
            ["-e".as_ref(), CUT.as_ref(), self.mount.as_os_str()],
        )
    }

    /// The power is back: the file system recovers as after any power cut. Nobody may have it open.
    pub(crate) fn power_up(&mut self) -> Result<()> {
        self.unmount()?;
        self.mount()
    }

    fn mount(&mut self) -> Result<()> {
        let image = self.image.as_ref().context("a memory disk has no power")?;
        let words = ["-o".as_ref(), "loop".as_ref(), image.as_os_str()];
        run("mount", words.into_iter().chain([self.mount.as_os_str()]))?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        // A process that was killed a moment ago may still be closing its files.
        wait_until(Duration::from_secs(10), "the disk can be unmounted", || {
            let done = Command::new("umount").arg(&self.mount).output()?;
            Ok(when(done.status.success()))
        })?;
        self.mounted = false;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.mount).output();
        }
    }
}

/// Runs a program of the system to its end.
pub(crate) fn run<T: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = T>,
) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
