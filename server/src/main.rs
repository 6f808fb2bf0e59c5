//! `glasshour-server`: reads the command line and hands over to the library.

use clap::Parser as _;
use glasshour_server::cli::Cli;

fn main() -> std::process::ExitCode {
    match Cli::parse().run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("glasshour-server: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
