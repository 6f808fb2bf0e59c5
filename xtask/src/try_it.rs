//! `./dev try`: builds the programs and hands over to `glasshour-try`, which does the rest.
//!
//! That program lives in `tests/`, on the harness of the end-to-end stories, since this crate
//! depends on nothing of ours.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::Steps;
use crate::{root, run};

/// Everything after `try` goes to `glasshour-try` as it is, `--help` too.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Options of glasshour-try: --for 45s, --report FILE, --display :N, --own-display
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds, then becomes `glasshour-try`.
pub(crate) fn run(args: &Args) -> Result<()> {
    Steps::new(1).loud(
        "build the server, the agent and the harness",
        &mut run::cargo(&["build", "--workspace", "--bins"]),
    )?;
    let program = root::target_dir().join("debug/glasshour-try");
    let error = Command::new(&program)
        .arg("--data")
        .arg(root::root().join(".try"))
        .args(&args.arguments)
        .current_dir(root::caller_dir())
        .exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
