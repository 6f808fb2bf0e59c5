//! Commands as the other modules start them: cargo in the clone, with the toolchain that runs us.

use std::process::Command;

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
