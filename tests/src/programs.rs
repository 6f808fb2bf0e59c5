//! Where the programs lie: ours next to the running test, the system's on the path.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// Finds one of our own programs (`glasshour`, `glasshour-server`) in the folder that the running
/// test or program was built into.
///
/// # Errors
/// It was not built.
pub fn ours(name: &str) -> Result<PathBuf> {
    let running = std::env::current_exe().context("cannot tell where this program lies")?;
    let mut folder = running.parent().context("this program lies nowhere")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("this program lies nowhere")?;
    }
    let program = folder.join(name);
    if !program.is_file() {
        bail!(
            "{} is not built: run ./dev test, which builds it first",
            program.display()
        );
    }
    Ok(program)
}

/// Checks that a program of the system is there.
///
/// # Errors
/// It is not on the path.
pub fn systems(name: &str) -> Result<PathBuf> {
    search_path()
        .iter()
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("{name} is not installed: ./dev puts it in place"))
}

/// The folders that programs are looked for in.
pub fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default()
}

/// The name of the user we run as.
///
/// # Errors
/// `id` cannot tell.
pub fn os_user() -> Result<String> {
    let output = std::process::Command::new("id")
        .arg("-un")
        .output()
        .context("cannot run id")?;
    let name = String::from_utf8(output.stdout).context("the user's name is not text")?;
    Ok(name.trim().to_owned())
}
