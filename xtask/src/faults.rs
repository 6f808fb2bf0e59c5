//! `./dev faults`: builds the programs and hands over to `glasshour-faults`, which does the rest.
//!
//! That program lives in `tests/`, since this crate depends on nothing of ours.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::Steps;
use crate::{root, run};

/// Everything after `faults` goes to `glasshour-faults` as it is, `--help` too.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Options of glasshour-faults: --quick, --case NAME|NUMBER, --tries N, --json, --list, --seed N
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds, then becomes `glasshour-faults`.
pub(crate) fn run(args: &Args) -> Result<()> {
    Steps::new(1).loud(
        "build the server, the agent and the harness",
        &mut run::cargo(&["build", "--workspace", "--bins"]),
    )?;
    let program = root::target_dir().join("debug/glasshour-faults");
    let error = Command::new(&program)
        .args(&args.arguments)
        .current_dir(root::caller_dir())
        .exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
