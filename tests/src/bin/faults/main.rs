//! `./dev faults`: does to the real programs what disks, networks, clocks and people do, and counts what is lost.
//!
//! Level one: the real spool and sender in a program of their own (`glasshour-pusher`), against the real server, in
//! numbers; level two: the real agent on a desktop, where the desktop matters. Ledgers of what was acknowledged are
//! kept where no fault reaches: the pusher's of each push that returned, the proxy's of each 2xx of the server.
//!
//! Where we are root it runs in a mount namespace and a network of its own: nothing of it is left on the machine,
//! and no fault reaches anybody else.

#![forbid(unsafe_code)]

mod case;
mod cases;
mod disk;
mod needs;
mod oracle;
mod proxy;
mod report;
mod stage;
mod strace;

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use glasshour_tests::wait::now;
use indicatif::{ProgressBar, ProgressStyle};

use case::{Case, Run, Tally};
use report::{End, Line};

/// A case that takes longer hangs.
const CASE_DEADLINE: Duration = Duration::from_hours(1);

/// Breaks disks, networks and processes under the real programs, and counts what is lost
///
/// Every acknowledged record must be at the server exactly once, unaltered, or still in the spool, or set aside
/// with its reason. Exit code 0: it is so, and every case could be brought to its end or was skipped, loudly.
#[derive(Debug, Parser)]
#[command(
    name = "glasshour-faults",
    bin_name = "./dev faults",
    max_term_width = 100
)]
#[command(after_help = "Examples:
  ./dev faults                       every case, in full: about an hour
  ./dev faults --quick               every case a few times: some minutes
  ./dev faults --case 3 --case reply-lost
  ./dev faults --list")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
struct Args {
    /// Only this case, by name or number; can be said more than once
    #[arg(long = "case", value_name = "NAME|NUMBER")]
    cases: Vec<String>,

    /// Each fault a few times only
    #[arg(long)]
    quick: bool,

    /// Each fault so often, instead of as often as the case says
    #[arg(long, value_name = "N")]
    tries: Option<u64>,

    /// Prints JSON instead of the table
    #[arg(long)]
    json: bool,

    /// Says which cases there are
    #[arg(long)]
    list: bool,

    /// Makes all chance the same again
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Keeps the folders of the cases, and says where they are
    #[arg(long)]
    keep: bool,

    /// Stays in the network and with the mounts of the machine: cases that need their own are skipped
    #[arg(long)]
    no_namespaces: bool,

    #[arg(long, hide = true)]
    inside: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    if args.list {
        for case in cases::all() {
            println!("{:>3} {:<34} {}", case.number, case.name, case.says);
        }
        return Ok(true);
    }
    let chosen = choose(&args.cases)?;
    let root = rustix::process::geteuid().is_root();
    if root && !args.inside && !args.no_namespaces {
        return enter_namespaces();
    }
    if args.inside {
        disk::run("ip", ["link", "set", "lo", "up"])?;
    }
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    eprintln!("Seed {seed}: --seed {seed} makes all chance the same again.");
    let mut lines = Vec::new();
    for case in chosen {
        let line = play(case, args, seed)?;
        if let End::Skipped(why) = &line.end {
            eprintln!("!! {} is SKIPPED: {why}", case.name);
        }
        lines.push(line);
    }
    if args.json {
        println!("{:#}", report::json(&lines, seed));
    } else {
        report::print(&lines, seed);
    }
    Ok(lines.iter().all(Line::is_well))
}

fn choose(names: &[String]) -> Result<Vec<&'static Case>> {
    let all = cases::all();
    if names.is_empty() {
        return Ok(all);
    }
    names
        .iter()
        .map(|name| {
            all.iter()
                .find(|case| case.name == name || case.number.to_string() == *name)
                .copied()
                .with_context(|| format!("there is no case {name}: see ./dev faults --list"))
        })
        .collect()
}

/// Becomes the same program in namespaces of its own. Comes back only where that fails.
fn enter_namespaces() -> Result<bool> {
    let this = std::env::current_exe()?;
    let error = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "--net", "--"])
        .arg(this)
        .arg("--inside")
        .args(std::env::args_os().skip(1))
        .exec();
    Err(error).context("cannot run unshare (of util-linux); --no-namespaces does without")
}

fn play(case: &'static Case, args: &Args, seed: u64) -> Result<Line> {
    let begin = now();
    let missing = case.needs.iter().find_map(|need| need.missing(args.inside));
    if let Some(why) = missing {
        return Ok(Line {
            case,
            end: End::Skipped(why),
            took: begin.elapsed(),
        });
    }
    let (quick, full) = case.tries;
    let wanted = args.tries.unwrap_or(if args.quick { quick } else { full });
    let mut folder = tempfile::Builder::new()
        .prefix(&format!("glasshour-{}-", case.name))
        .tempdir()?;
    folder.disable_cleanup(args.keep);
    if args.keep {
        eprintln!("{} plays in {}", case.name, folder.path().display());
    }
    let bar = bar(case, wanted);
    let path = folder.path().to_owned();
    let (tell, told) = mpsc::channel();
    let for_thread = bar.clone();
    let thread = std::thread::Builder::new()
        .name(case.name.to_owned())
        .spawn(move || {
            let mut run = Run {
                folder: &path,
                // Each case has chance of its own, whichever others are played.
                random: fastrand::Rng::with_seed(seed ^ (u64::from(case.number) << 32)),
                wanted,
                tally: Tally::default(),
                bar: for_thread,
            };
            let done = (case.run)(&mut run);
            let _ = tell.send(match done {
                Ok(()) => End::Done(run.tally),
                Err(error) => End::Failed(run.tally, format!("{error:#}")),
            });
        })?;
    let failed = |why: String| End::Failed(Tally::default(), why);
    let end = match told.recv_timeout(CASE_DEADLINE) {
        Ok(end) => {
            let _ = thread.join();
            end
        }
        Err(RecvTimeoutError::Disconnected) => failed("it panicked; see above".into()),
        // Its thread is left alone: what it holds is ended with this program.
        Err(RecvTimeoutError::Timeout) => failed(format!(
            "it hangs: it took longer than {} minutes",
            CASE_DEADLINE.as_secs() / 60
        )),
    };
    bar.finish_and_clear();
    let line = Line {
        case,
        end,
        took: begin.elapsed(),
    };
    let well = if line.is_well() { "ok" } else { "NOT WELL" };
    eprintln!(
        "{:>3} {}: {well}, {:.1} s",
        case.number,
        case.name,
        line.took.as_secs_f64()
    );
    for why in line.reasons() {
        eprintln!("      {why}");
    }
    Ok(line)
}

fn bar(case: &Case, wanted: u64) -> ProgressBar {
    let bar = ProgressBar::new(wanted);
    bar.set_style(
        ProgressStyle::with_template("{msg:36} {wide_bar} {pos}/{len}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(format!("{:>3} {}", case.number, case.name));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
