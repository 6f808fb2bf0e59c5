//! `./dev test` and `./dev ci`: every check there is, cheapest first.
//!
//! Nothing is skipped: where `cargo nextest` is missing, `cargo test` runs the same tests, and says
//! so. The first failing step ends the run.

use anyhow::Result;

use crate::progress::Steps;
use crate::{deps, run, tidy};

/// Runs, in this order: format, dependency directions, tidiness, lints, build, tests, doc tests.
///
/// The end-to-end stories need Xvfb, openbox, xterm, xdotool, xrandr and a D-Bus daemon; `./dev` puts
/// them in place. Every test starts what it needs and ends only that.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tests whose name contains this word; checks other than tests are left out
    #[arg(value_name = "WORD")]
    filter: Option<String>,

    /// Without a bound on the tests that have one: everything that schemathesis can think of is asked
    #[arg(long)]
    thorough: bool,
}

/// How the same steps are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// By a developer.
    Test,
    /// By CI.
    Ci,
}

/// Runs all checks, or the tests that a word selects.
pub(crate) fn run(args: &Args, flavour: Flavour) -> Result<()> {
    let locked: &[&str] = if flavour == Flavour::Ci {
        &["--locked"]
    } else {
        &[]
    };
    let cargo = |words: &[&str], after: &[&str]| run::cargo(&[words, locked, after].concat());
    let thorough = args.thorough.then_some(("GLASSHOUR_THOROUGH", "1"));
    let nextest = run::has_cargo_command("nextest");
    if !nextest {
        eprintln!("!! cargo-nextest is not installed: the tests run with `cargo test` instead.");
        eprintln!("!! The same tests, but slower and without a time limit on each.");
        eprintln!("!! To install it: cargo install --locked cargo-nextest");
    }
    let build = ["build", "--workspace", "--bins"];
    let runner: &[&str] = if nextest {
        &["nextest", "run", "--workspace"]
    } else {
        &["test", "--workspace", "--all-targets"]
    };

    if let Some(word) = &args.filter {
        let mut steps = Steps::new(2);
        steps.loud(
            "build the programs the stories drive",
            &mut cargo(&build, &[]),
        )?;
        return steps.loud(
            "tests by that name",
            cargo(runner, &[word.as_str()]).envs(thorough),
        );
    }

    let mut steps = Steps::new(7);
    steps.loud("format", &mut run::cargo(&["fmt", "--all", "--check"]))?;
    steps.work("dependency directions", deps::run)?;
    steps.work("tidiness", tidy::run)?;
    steps.loud(
        "lints",
        &mut cargo(
            &["clippy", "--workspace", "--all-targets"],
            &["--", "-D", "warnings"],
        ),
    )?;
    steps.loud(
        "build the programs the stories drive",
        &mut cargo(&build, &[]),
    )?;
    steps.loud("tests", cargo(runner, &[]).envs(thorough))?;
    steps.loud(
        "doc tests",
        &mut cargo(&["test", "--workspace", "--doc", "--quiet"], &[]),
    )?;
    if flavour == Flavour::Ci {
        steps.print_times();
    }
    eprintln!("\nAll checks passed.");
    Ok(())
}
