//! `glasshour`: the desktop agent and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    glasshour_agent::cli::main()
}
