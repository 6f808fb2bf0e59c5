//! Python's packages, pinned, each set in an environment of its own in the user's cache folder. Made once;
//! later runs need no network.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use glasshour_protocol::jws;

use crate::programs;

/// A set of packages.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// What it is called in the cache folder.
    pub name: &'static str,
    /// The text of its requirements file: every package with its version.
    pub requirements: &'static str,
    /// What must be importable, separated by commas.
    pub imports: &'static str,
}

impl Environment {
    /// The Python of the environment; makes it the first time.
    ///
    /// # Errors
    /// There is no Python, or the packages cannot be had.
    pub fn python(self) -> Result<PathBuf> {
        let system = programs::systems("python3")?;
        let cache = cache_folder()?;
        std::fs::create_dir_all(&cache)?;
        // Tests run side by side: one makes the environment, the others wait for it.
        let lock = std::fs::File::create(cache.join(format!("{}.lock", self.name)))?;
        lock.lock()?;

        let hash = jws::sha256_hex(self.requirements.as_bytes());
        let hash = hash.get(..16).unwrap_or(&hash);
        let folder = cache.join(format!("{}-{hash}", self.name));
        let python = folder.join("bin/python");
        let import = format!("import {}", self.imports);
        let complete = |python: &Path| run(Command::new(python).args(["-c", &import])).is_ok();
        if !complete(&python) {
            run(Command::new(system)
                .args(["-m", "venv", "--clear"])
                .arg(&folder))
            .context("python3-venv is needed: ./dev puts it in place")?;
            let wanted = folder.join("requirements.txt");
            std::fs::write(&wanted, self.requirements)?;
            run(Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"])
                .arg("-r")
                .arg(&wanted))
            .with_context(|| {
                format!(
                    "the first run installs {} and needs a network",
                    self.imports
                )
            })?;
            ensure!(complete(&python), "{} lacks its packages", folder.display());
        }
        Ok(python)
    }
}

fn cache_folder() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(cache.join("glasshour"))
}

/// Runs a command to its end; gives its standard output.
///
/// # Errors
/// It cannot be started, or says that it failed: with what it wrote.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{command:?} ({}):\n{said}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}
