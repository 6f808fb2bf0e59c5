//! Where things are: the clone, the build output, the folder the caller stands in.
//!
//! The one place of this crate that reads the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The clone's top folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies one level below the root")
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Where downloads and made-up systems are kept between runs, outside the clone.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let base = match variable("XDG_CACHE_HOME") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(variable("HOME").context("HOME is not set")?).join(".cache"),
    };
    let dir = base.join("glasshour");
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}

/// The folder in which the caller typed `./dev`: file arguments are meant from there.
pub(crate) fn caller_dir() -> PathBuf {
    variable("GLASSHOUR_DEV_FROM").map_or_else(|| root().to_owned(), PathBuf::from)
}

/// The cargo that runs us, so that a pinned toolchain stays the same throughout.
pub(crate) fn cargo() -> OsString {
    variable("CARGO").unwrap_or_else(|| "cargo".into())
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
