//! `glasshour-windows`: the agent that was built for Windows, under wine on a desktop of its own: first
//! its own tests, then a worklog against the real server of this system.
//!
//! Ends with success only where every test has passed, there was at least one, and the employer saw what
//! happened. Wine is not Windows: what it cannot show is listed in `docs/manual-checks.md`.

#![forbid(unsafe_code)]

mod tests;
mod wine;
mod worklog;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;

use wine::Wine;

/// Run the Windows agent under wine
#[derive(Parser)]
struct Args {
    /// The agent's program
    #[arg(long)]
    agent: PathBuf,
    /// A program that holds tests; may be given more than once
    #[arg(long = "test")]
    tests: Vec<PathBuf>,
    /// Where wine keeps its Windows between runs
    #[arg(long)]
    prefix: PathBuf,
    /// Only tests whose name contains this word; without the worklog
    #[arg(long)]
    only: Option<String>,
    /// Only the worklog
    #[arg(long)]
    worklog: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let wine = Wine::prepare(&args.prefix)?;
    let mut passed = 0;
    if !args.worklog {
        passed = tests::run(&wine, &args.tests, args.only.as_deref())?;
        if passed == 0 {
            bail!("not one test ran");
        }
    }
    if args.only.is_none() {
        worklog::tell_it(&wine, &args.agent)?;
        println!("A worklog under wine: license loaded, started, pictured, stopped, uploaded.");
    }
    println!("{passed} tests passed under wine.");
    Ok(())
}
