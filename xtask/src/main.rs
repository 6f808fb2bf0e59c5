//! Glasshour's own commands, called as `./dev COMMAND` (or `cargo xtask COMMAND` once the system
//! packages are there).
//!
//! The crate depends on nothing of ours: it builds in seconds and works while the rest does not
//! compile. What it checks are pure functions over text and graphs, tested with violations they
//! must find; what it runs are steps, shown with their number and their time.

#![forbid(unsafe_code)]

mod bench;
mod check;
mod cross;
mod deps;
mod faults;
mod package;
mod people_rules;
mod pictures;
mod progress;
mod root;
mod run;
mod tidy;
mod try_it;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Glasshour's own commands
///
/// Start with `./dev try`: it builds everything, starts a server and an agent on this machine,
/// records a worklog for real and says where to look.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "./dev", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server and an agent here and record a worklog for real
    Try(try_it::Args),
    /// Run every check and every test
    Test(check::Args),
    /// The same as `test`, as CI runs it: with the lock file as it is, and the time of each step
    Ci(check::Args),
    /// Break disks, networks and processes under the real programs, and count what is lost
    Faults(faults::Args),
    /// Check the dependency directions between the crates (ARCHITECTURE.md)
    Deps,
    /// Check what no compiler checks: file headers, where `cfg`, SQL and `unsafe` may stand, sizes
    Tidy,
    /// Write which tests hold which rule about people into docs/people-rules.md; fail where a rule has none
    PeopleRules,
    /// Measure what the programs cost, beside their peers
    Bench(bench::Args),
    /// Look at the tray under a real panel, and keep a picture of each state in docs/pictures/
    Pictures,
    /// Make the Debian packages of the agent and the server, into dist/
    Package(package::Args),
    /// Build the agent for Windows; run its tests and a worklog under wine, against the server here
    Windows(cross::windows::Args),
    /// Type-check the agent for macOS
    MacosCheck,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Try(args) => try_it::run(&args),
        Command::Test(args) => check::run(&args, check::Flavour::Test),
        Command::Ci(args) => check::run(&args, check::Flavour::Ci),
        Command::Faults(args) => faults::run(&args),
        Command::Deps => deps::run().map(|()| println!("Every dependency goes the right way.")),
        Command::Tidy => tidy::run().map(|()| println!("Everything is tidy.")),
        Command::PeopleRules => people_rules::run(),
        Command::Bench(args) => bench::run(&args),
        Command::Pictures => pictures::run(),
        Command::Package(args) => package::run(&args),
        Command::Windows(args) => cross::windows::run(&args),
        Command::MacosCheck => cross::macos::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
