//! Whether somebody is in a call: a microphone or a camera is in use.
//!
//! Read from what the kernel shows of its devices, so that it needs no sound server and holds for each of them:
//! `/proc/asound` says of every recording device whether it is open, and a camera in use is an open file
//! of one of this user's processes. What is said or seen is not touched. A headset over Bluetooth has no
//! device in the kernel and is not seen.

use std::fs;
use std::path::Path;

/// Whether a microphone or a camera is in use, by another program than this one.
pub(super) fn in_progress() -> bool {
    let proc = Path::new("/proc");
    microphone(&proc.join("asound")) || camera(proc, Path::new("/dev"), std::process::id())
}

/// `card0/pcm0c/sub0/status` says `closed` where nobody records.
fn microphone(asound: &Path) -> bool {
    let inside = |folder: &Path, is_one: fn(&str) -> bool| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_str().is_some_and(is_one))
            .map(|entry| entry.path())
            .collect::<Vec<_>>()
    };
    let cards = inside(asound, |name| name.starts_with("card"));
    let devices = cards
        .iter()
        .flat_map(|card| inside(card, |name| name.starts_with("pcm") && name.ends_with('c')));
    let mut streams = devices.flat_map(|device| inside(&device, |name| name.starts_with("sub")));
    streams.any(|stream| {
        fs::read_to_string(stream.join("status")).is_ok_and(|status| status.trim() != "closed")
    })
}

/// Processes are looked through only where there is a camera.
fn camera(proc: &Path, dev: &Path, ourselves: u32) -> bool {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let is_camera = |name: &str| name.starts_with("video");
    if !entries(dev).any(|entry| entry.file_name().to_str().is_some_and(is_camera)) {
        return false;
    }
    let others = entries(proc).filter(|entry| {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        pid.is_some_and(|pid: u32| pid != ourselves)
    });
    // Those of other users cannot be read, and do not matter: a call is the person's own.
    others
        .flat_map(|process| entries(&process.path().join("fd")))
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|file| {
            file.parent() == Some(dev)
                && file
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(is_camera)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_that_is_open_is_a_call_and_a_loudspeaker_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let stream = |name: &str, status: &str| {
            let folder = dir.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("status"), status).unwrap();
        };
        assert!(!microphone(&dir.path().join("missing")));
        stream("card0/pcm0p/sub0", "state: RUNNING\nowner_pid   : 812\n");
        stream("card0/pcm0c/sub0", "closed\n");
        assert!(!microphone(dir.path()));
        stream("card1/pcm0c/sub0", "state: RUNNING\nowner_pid   : 812\n");
        assert!(microphone(dir.path()));
    }

    #[test]
    fn a_camera_that_another_program_has_open_is_a_call() {
        let dir = tempfile::tempdir().unwrap();
        let (proc, dev) = (dir.path().join("proc"), dir.path().join("dev"));
        let open = |pid: &str, file: &Path| {
            let files = proc.join(pid).join("fd");
            fs::create_dir_all(&files).unwrap();
            std::os::unix::fs::symlink(file, files.join("3")).unwrap();
        };
        fs::create_dir_all(&dev).unwrap();
        open("10", &dev.join("null"));
        open("11", &dev.join("video0"));
        assert!(!camera(&proc, &dev, 1), "no camera, so nobody is looked at");
        fs::write(dev.join("video0"), "").unwrap();
        assert!(!camera(&proc, &dev, 11), "our own picture is no call");
        assert!(camera(&proc, &dev, 1));
    }
}
