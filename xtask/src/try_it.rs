//! `./dev try`: builds the programs and hands over to `glasshour-try`, which does the rest.
//!
//! That program lives in `tests/`, on the harness of the end-to-end stories, since this crate
//! depends on nothing of ours.

use std::ffi::OsString;

use anyhow::Result;

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
    let data = [OsString::from("--data"), root::root().join(".try").into()];
    let arguments = args.arguments.iter().map(OsString::from);
    let arguments = data.into_iter().chain(arguments);
    run::become_program(run::Profile::Debug, "glasshour-try", arguments)
}
