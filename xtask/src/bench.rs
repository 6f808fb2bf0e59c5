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
    /// How long the server takes to import 5,000 employees from CSV
    Import {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Builds, then becomes `glasshour-bench`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let arguments = match &args.what {
        What::Agent { arguments } => arguments.clone(),
        What::Import { json } => {
            let json = json.then_some("--json");
            let words = ["--import"].into_iter().chain(json);
            words.map(str::to_owned).collect()
        }
    };
    run::become_program(run::Profile::Release, "glasshour-bench", &arguments)
}
