//! A toolchain that can compile for a system that it has no standard library for.
//!
//! Where rustup has put the target's library, that is used. Else the library is built from its source:
//! cargo can do that (`-Zbuild-std`) and asks for a source below its own folder, so a copy of the
//! toolchain is made, of links where the disk allows it, and the source is linked into it. The compiler
//! is the pinned one; `RUSTC_BOOTSTRAP` only lets it take that one unstable option.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::source;
use crate::progress::{Steps, capture};
use crate::root;

/// Compiler and cargo for one target.
pub(super) struct Toolchain {
    sysroot: PathBuf,
    target: &'static str,
    builds_std: bool,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Toolchain {
    /// Finds or makes it.
    pub(super) fn ready(target: &'static str, steps: &mut Steps) -> Result<Self> {
        steps.work("have a standard library for it ready", || {
            let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?);
            let has_target = sysroot.join("lib/rustlib").join(target).is_dir();
            let sysroot = if has_target || has_source(&sysroot) {
                sysroot
            } else {
                with_source(&sysroot)?
            };
            Ok(Self {
                sysroot,
                target,
                builds_std: !has_target,
                environment: Vec::new(),
            })
        })
    }

    /// Has cargo see a variable, in each call.
    pub(super) fn with(mut self, variable: &'static str, value: impl Into<PathBuf>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    /// `cargo WORD --target … …`, with a build folder of its own.
    pub(super) fn cargo(&self, word: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.sysroot.join("bin/cargo"));
        command
            .arg(word)
            .args(["--target", self.target])
            .current_dir(root::root())
            .env("RUSTC", self.sysroot.join("bin/rustc"))
            // The compiler takes itself to be where its libraries are, and the cargo that runs us has
            // named its own first.
            .env("LD_LIBRARY_PATH", self.sysroot.join("lib"))
            .env("CARGO_TARGET_DIR", target_dir())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.builds_std {
            command
                .arg("-Zbuild-std=std,panic_unwind,proc_macro,test")
                .env("RUSTC_BOOTSTRAP", "1");
        }
        command.args(arguments);
        command
    }

    /// Where its programs are.
    pub(super) fn programs(&self) -> PathBuf {
        target_dir().join(self.target).join("debug")
    }
}

/// Where it is built: apart, so that what is built for this machine stays as it is.
pub(super) fn target_dir() -> PathBuf {
    root::target_dir().join("cross")
}

/// Writes a script that stands for a tool of the compiler's.
pub(super) fn script(name: &str, text: &str) -> Result<PathBuf> {
    let path = target_dir().join(name);
    std::fs::create_dir_all(target_dir())?;
    std::fs::write(&path, text)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn ask(arguments: &[&str]) -> Result<String> {
    let answer = capture(
        Command::new("rustc")
            .args(arguments)
            .current_dir(root::root()),
    )?;
    Ok(answer.trim().to_owned())
}

fn has_source(sysroot: &Path) -> bool {
    sysroot
        .join("lib/rustlib/src/rust/library/Cargo.lock")
        .is_file()
}

/// The copy of the toolchain that has the source.
fn with_source(sysroot: &Path) -> Result<PathBuf> {
    let said = ask(&["--version"])?;
    let version = said
        .split_whitespace()
        .nth(1)
        .with_context(|| format!("rustc --version says {said}"))?;
    let folder = root::cache_dir()?.join("cross");
    std::fs::create_dir_all(&folder)?;
    let copy = folder.join(format!("toolchain-{version}"));
    if has_source(&copy) {
        return Ok(copy);
    }
    let source = source::ready(&folder, version)?;
    let beside = folder.join(format!("toolchain-{version}.new"));
    if beside.exists() {
        std::fs::remove_dir_all(&beside)?;
    }
    let copied = |how: &str| capture(Command::new("cp").arg(how).arg(sysroot).arg(&beside));
    if copied("-al").is_err() {
        // Another disk.
        let _ = std::fs::remove_dir_all(&beside);
        copied("-a")?;
    }
    let place = beside.join("lib/rustlib/src");
    std::fs::create_dir_all(&place)?;
    symlink(source, place.join("rust"))?;
    std::fs::rename(&beside, &copy)?;
    Ok(copy)
}
