//! Commands as the other modules start them: cargo in the clone, with the toolchain that runs us, and our own
//! programs once they are built.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::Steps;
use crate::root;

/// `cargo …` in the clone's top folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(root::cargo());
    command.args(arguments).current_dir(root::root());
    command
}

/// Whether `cargo NAME` exists here.
pub(crate) fn has_cargo_command(name: &str) -> bool {
    cargo(&[name, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Which build of our programs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// There at once.
    Debug,
    /// As they are shipped.
    Release,
}

/// Builds all our programs, then becomes one of them, in the caller's folder.
pub(crate) fn become_program(
    profile: Profile,
    name: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<()> {
    let (title, folder, release): (_, _, &[&str]) = match profile {
        Profile::Debug => ("build the server, the agent and the harness", "debug", &[]),
        Profile::Release => (
            "build server, agent and harness as they are shipped",
            "release",
            &["--release"],
        ),
    };
    let words: &[&str] = &["build", "--workspace", "--bins"];
    Steps::new(1).loud(title, &mut cargo(&[words, release].concat()))?;
    let program = root::target_dir().join(folder).join(name);
    let error = Command::new(&program)
        .args(arguments)
        .current_dir(root::caller_dir())
        .exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
