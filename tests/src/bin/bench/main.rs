//! `./dev bench agent`: what the agent costs the computer it runs on, and what its pictures cost, beside
//! well-known programs that take pictures of the same screen. `./dev bench import`: what an import of many
//! employees costs the server.
//!
//! Everything is measured from outside on the real programs (`/proc`, GNU time), on a display of its own.
//! It prints numbers and ratios and never fails because of them; what fails is a measurement that could
//! not be made.

#![forbid(unsafe_code)]

mod import;
mod meter;
mod peers;
mod pictures;
mod report;
mod screens;
mod ssim;
mod stage;
mod states;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;

/// Measures the agent on this machine: memory, processor, wake-ups, disk writes, pictures
///
/// Starts a server and an agent of its own on a display of its own (1920x1080), works on it with
/// synthetic input, and takes pictures of a text screen and of a busy one with the agent, scrot, maim
/// and ffmpeg. Takes about four minutes; keep the machine quiet meanwhile.
#[derive(Debug, Parser)]
#[command(
    name = "glasshour-bench",
    bin_name = "./dev bench agent",
    max_term_width = 100
)]
struct Args {
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    /// Measure an import of 5,000 employees into a server instead; needs no display
    #[arg(long)]
    import: bool,

    /// How long each state is watched, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if args.import {
        return import::measure(args.json);
    }
    if !(5..=3600).contains(&args.seconds) {
        bail!("watch each state for 5 to 3600 seconds");
    }
    let mut stage = stage::Stage::set()?;
    let states = states::watch(&mut stage, Duration::from_secs(args.seconds))?;
    let pictures = pictures::take(&mut stage)?;
    let peers = peers::measure(&stage, &pictures)?;
    let report = report::Report::new(states, pictures, peers);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    Ok(())
}
