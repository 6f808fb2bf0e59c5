//! `./dev bench`: builds the programs as they are shipped and hands over to `glasshour-bench`, which
//! measures them and prints what it found beside their peers.

use anyhow::Result;

use crate::run;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// What the agent costs a computer, and its pictures against those of scrot, maim and ffmpeg
    #[command(disable_help_flag = true)]
    Agent {
        /// Options of glasshour-bench: --json, --seconds N
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// Builds, then becomes `glasshour-bench`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let What::Agent { arguments } = &args.what;
    run::become_program(run::Profile::Release, "glasshour-bench", arguments)
}
