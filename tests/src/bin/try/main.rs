//! `./dev try`: the whole product on this machine, for real, in one command.
//!
//! Starts a server and an agent, makes an employee, loads the license, records a worklog, and tells
//! from the server's own answers what was recorded. Records the user's own display where there is
//! one, after saying so, and never types into it; otherwise starts a display of its own with real
//! windows and works in them. All data lies in one folder and stays there.

#![forbid(unsafe_code)]

mod report;
mod show;
mod stage;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

/// Records a worklog for real on this machine and says where to look
///
/// Without --for it keeps a server and an agent running until you press Enter or Ctrl-C: open the
/// console in a browser, log in, and watch the records come in. With --for it ends by itself.
///
/// If you have a display, that one is recorded (the agent's tray icon shows it) and nothing is ever
/// typed into it. If not, a display of its own is started, with a terminal, a document and a draft,
/// and keyboard and mouse are driven there.
#[derive(Debug, Parser)]
#[command(name = "glasshour-try", bin_name = "./dev try", max_term_width = 100)]
#[command(after_help = "Examples:
  ./dev try                                    look around in the console
  ./dev try --for 45s --report report.json     a check for scripts: exit code 0 if all is well")]
struct Args {
    /// End by itself after this long, such as 45s or 2m
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,

    /// Write what the server answered into this file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Record this display instead of the one in DISPLAY
    #[arg(long, value_name = ":N", conflicts_with = "own_display")]
    display: Option<String>,

    /// Start a display of its own even if there is one
    #[arg(long)]
    own_display: bool,

    /// Where everything is kept; what an earlier try left there is replaced
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".try",
        overrides_with = "data"
    )]
    data: PathBuf,
}

/// Reads `45s`, `2m` or `90` (seconds); at least ten seconds.
fn duration(text: &str) -> Result<Duration> {
    let (digits, unit) = match text.strip_suffix('m') {
        Some(digits) => (digits, 60),
        None => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let number: u64 = digits.parse().context("write it like 45s or 2m")?;
    let seconds = number.checked_mul(unit).context("that is too long")?;
    if !(10..=86_400).contains(&seconds) {
        bail!("choose between 10 seconds and a day");
    }
    Ok(Duration::from_secs(seconds))
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the whole try; false where a check of the result failed.
fn run(args: &Args) -> Result<bool> {
    let report_file = args
        .report
        .as_deref()
        .map(std::path::absolute)
        .transpose()?;
    let stop = watch::Stop::listen()?;
    let mut steps = show::Steps::new(6);
    let mut stage = stage::Stage::set(args, &mut steps)?;
    if args.time.is_none() {
        stage.print_where_to_look();
    }
    let recorded = watch::record(&stage, args.time, &stop, &mut steps)?;
    let report = report::close(&mut stage, &recorded, &mut steps)?;
    report.print();
    if let Some(file) = &report_file {
        report.write(file)?;
    }
    stage.print_how_to_look_again();
    let wrong = report.wrong();
    for line in &wrong {
        eprintln!("NOT AS PROMISED: {line}");
    }
    if !wrong.is_empty() {
        eprintln!("Logs: {}", stage.logs().display());
    }
    Ok(wrong.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_seconds_and_minutes() {
        assert_eq!(duration("45s").unwrap(), Duration::from_secs(45));
        assert_eq!(duration("2m").unwrap(), Duration::from_mins(2));
        assert_eq!(duration("90").unwrap(), Duration::from_secs(90));
        for bad in ["", "s", "9s", "-45s", "45h", "99999999999999999m"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
