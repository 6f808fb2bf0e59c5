//! `./dev tidy`: what no compiler checks, over every file that git knows or would add.
//!
//! Each rule is a pure function from a path and a text to findings. An error fails the run; a
//! warning (a file that grows long) is printed and lets it pass. Last it asks whether every rule about people
//! has its test (`people_rules`).

mod rules;
mod scan;
mod text;

use anyhow::{Context as _, Result, bail};

use crate::{people_rules, progress, root};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Printed.
    Warning,
    /// Fails the run.
    Error,
}

/// One place where a rule does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How much it weighs.
    pub(crate) weight: Weight,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

/// Prints every finding and fails if one is an error.
pub(crate) fn run() -> Result<()> {
    let mut git = std::process::Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])
    .current_dir(root::root());
    let names = progress::capture(&mut git).context("tidy asks git for the list of files")?;
    let (mut errors, mut files) = (0, 0);
    for name in names.split_terminator('\0') {
        let path = root::root().join(name);
        // Deleted but not yet committed, or not text: nothing to read line by line.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        files += 1;
        for finding in rules::check(name, &text) {
            let word = match finding.weight {
                Weight::Warning => "warning",
                Weight::Error => "error",
            };
            eprintln!("tidy: {word}: {name}:{}: {}", finding.line, finding.message);
            errors += usize::from(finding.weight == Weight::Error);
        }
    }
    if files == 0 {
        bail!("tidy found no file to read: is this a git clone?");
    }
    if errors > 0 {
        bail!("{errors} places are not tidy");
    }
    people_rules::check()
}
