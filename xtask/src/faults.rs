//! `./dev faults`: builds the programs and hands over to `glasshour-faults`, which does the rest.
//!
//! That program lives in `tests/`, since this crate depends on nothing of ours.

use anyhow::Result;

use crate::run;

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
    run::become_program(run::Profile::Debug, "glasshour-faults", &args.arguments)
}
