//! `./dev deps`: which crate may use which (ARCHITECTURE.md, "The house").
//!
//! Read from `cargo metadata`, so it sees what is really linked, through any number of steps.
//! Dev-dependencies do not count: a test may look from outside at whatever it likes.

mod graph;
mod rules;

use anyhow::{Context as _, Result, bail};

use crate::{progress, run};
use graph::Graph;

/// Prints every violation and fails if there is one.
pub(crate) fn run() -> Result<()> {
    let json = progress::capture(&mut run::cargo(&["metadata", "--format-version", "1"]))?;
    let metadata = serde_json::from_str(&json).context("cargo metadata gave no JSON")?;
    let graph = Graph::from_metadata(&metadata)?;
    let violations = rules::check(&graph);
    for violation in &violations {
        eprintln!("deps: {violation}");
    }
    if !violations.is_empty() {
        bail!("{} dependencies go the wrong way", violations.len());
    }
    Ok(())
}
