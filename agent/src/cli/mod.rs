//! The command line: what can be asked, in words that teach.

mod control;
mod day;
mod doctor;
mod held;
mod idle;
mod license;
mod out;
mod run;
mod shell;
mod today;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use glasshour_words::Language;

use crate::config;
use crate::exit::Exit;
use crate::home::Home;
use crate::sentence::with_causes;

/// Time tracking that the tracked person can trust.
///
/// Glasshour captures what a signed license permits, and nothing else. Your employer gives you a file
/// that ends in .license.gz; load it, and you can read in plain words what will be captured, how
/// often, and where it goes.
#[derive(Debug, Parser)]
#[command(
    name = "glasshour",
    version,
    after_help = "First steps:\n  \
        glasshour license show jo.license.gz   read what the license permits, before anything else\n  \
        glasshour license load jo.license.gz   load it\n  \
        glasshour run                          start the agent (it starts by itself at log-in)\n  \
        glasshour start --project Apollo       start tracking (worklog mode)\n  \
        glasshour status                       what is captured now, and does everything work\n\n\
        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the agent is not running, 4 no license, \
        5 not allowed, 6 not proven (`verify`)"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Args)]
struct Global {
    /// Keep everything of this agent in DIR instead of your data folder
    #[arg(long, global = true, value_name = "DIR", env = "GLASSHOUR_HOME")]
    home: Option<PathBuf>,
    /// Answer in JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    /// Speak this language instead of your session's: en or fr; `GLASSHOUR_LANG` says the same
    #[arg(long, global = true, value_name = "LANGUAGE")]
    lang: Option<Language>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent until you log out (it starts by itself at log-in)
    Run {
        /// Show messages instead of a tray icon
        #[arg(long)]
        no_tray: bool,
    },
    /// Look at, load or remove licenses
    #[command(subcommand)]
    License(license::LicenseCommand),
    /// Start tracking (worklog mode)
    Start {
        /// Employer, by name; left out: whose the project is, else who you worked for last
        #[arg(long, short)]
        employer: Option<String>,
        /// Project or department, by name; the license's default if left out
        #[arg(long, short)]
        project: Option<String>,
        /// What you are working on
        #[arg(long, short)]
        note: Option<String>,
    },
    /// Stop tracking (worklog mode)
    Stop,
    /// Stop tracking for a while, and keep in mind what it was on (worklog mode)
    Pause,
    /// Go on after a pause (worklog mode)
    Resume,
    /// Time without input that you have not spoken of yet; say whether it was work (worklog mode)
    #[command(
        after_help = "After a while without input the time is kept apart as idle. You are asked once what it \
        was, when you are back; without an answer it stays idle, and is neither added nor removed."
    )]
    Idle {
        #[command(subcommand)]
        command: Option<idle::IdleCommand>,
    },
    /// Go on with another project, or for another employer (worklog mode)
    #[command(after_help = "Another employer begins a session of its own: no session is of two.")]
    Switch {
        /// Project or department, by name
        #[arg(value_name = "PROJECT")]
        named: Option<String>,
        /// The same as PROJECT
        #[arg(long, short, conflicts_with = "named")]
        project: Option<String>,
        /// Employer, by name; left out: whose the project is
        #[arg(long, short, required_unless_present_any = ["named", "project"])]
        employer: Option<String>,
    },
    /// Add a note to the running session
    Note {
        /// The note
        text: String,
        /// Employer, by name; left out: who the worklog is for
        #[arg(long, short)]
        employer: Option<String>,
    },
    /// Say what is captured now, and whether everything works
    Status,
    /// Show your own day: sessions, and what waits to be sent
    Today,
    /// Open your own day at your employer's server, in the browser
    #[command(
        after_help = "Asks the server for a link that works once, for a minute, and shows your own days for an \
        hour. Without a network, `glasshour today` shows what is known on this computer."
    )]
    Day {
        /// Employer, by name; left out: who the worklog is for, else who monitors
        #[arg(long, short)]
        employer: Option<String>,
        /// Print the link instead of opening it
        #[arg(long)]
        print: bool,
    },
    /// List captures that wait here before they are sent; look at them, delete them
    #[command(
        after_help = "Works while the agent runs and while it does not. What has been sent cannot be \
        deleted here. Exit code 5: your license does not let you delete captures."
    )]
    Held {
        #[command(subcommand)]
        command: Option<held::HeldCommand>,
    },
    /// Check an export of records, and say what it proves and what it cannot
    #[command(
        after_help = "Needs no server and no network. The export is the file that your employer's server gives out \
        under /api/v1/export. Devices sign each record and chain them: within a chain none was changed, removed, \
        inserted or exchanged. The server signs the whole file: nobody but it can have taken something away. \
        Compare the keys that are told with those that your employer and the computer show, or give --key.\n\n\
        Exit code 0: whole, or records may still wait for review, which is said; 1: altered, and the first break \
        is said; 6: nothing is altered, and yet it is not proven whole (contents are missing, no server has \
        signed, or there are no records)."
    )]
    Verify {
        /// The export (.jsonl)
        file: PathBuf,
        /// The employer's key, by its fingerprint: only what it has signed counts
        #[arg(long, value_name = "FINGERPRINT")]
        key: Option<String>,
    },
    /// Check everything that the agent needs, with a remedy for each problem
    Doctor,
    /// Print what a shell needs to complete commands
    #[command(
        after_help = "For this session: source <(glasshour completions bash). Packages bring it along."
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder (packages bring them along: man glasshour)
    Manual {
        /// Made if it is not there
        folder: PathBuf,
    },
}

/// Reads the command line, obeys, and returns the exit code.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = open_home(&cli.global).and_then(|home| dispatch(cli, home));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            out::complain(with_causes(error.as_ref()));
            Exit::Failure.into()
        }
    }
}

fn open_home(global: &Global) -> anyhow::Result<Home> {
    Ok(config::home(global.home.as_deref())?)
}

fn dispatch(cli: Cli, home: Home) -> anyhow::Result<Exit> {
    use crate::ipc::{Request, Work};
    let json = cli.global.json;
    let words = config::words(cli.global.lang);
    let reader = out::Reader { json, words };
    match cli.command {
        Command::Run { no_tray } => run::run(home, words, !no_tray),
        Command::License(command) => license::license(command, &home, reader),
        Command::Start {
            employer,
            project,
            note,
        } => {
            let work = Work { employer, project };
            control::ask(&home, &Request::Start { work, note }, reader)
        }
        Command::Stop => control::ask(&home, &Request::Stop, reader),
        Command::Pause => control::ask(&home, &Request::Pause, reader),
        Command::Resume => control::ask(&home, &Request::Resume, reader),
        Command::Idle { command } => idle::idle(command, &home, reader),
        Command::Switch {
            named,
            project,
            employer,
        } => {
            let project = project.or(named);
            let work = Work { employer, project };
            control::ask(&home, &Request::Switch { work }, reader)
        }
        Command::Note { text, employer } => {
            control::ask(&home, &Request::Note { text, employer }, reader)
        }
        Command::Status => control::status(&home, reader),
        Command::Today => today::today(&home, json),
        Command::Day { employer, print } => day::day(employer, print, &home, reader),
        Command::Held { command } => held::held(command, &home, reader),
        Command::Verify { file, key } => verify::verify(&home, &file, key.as_deref(), json),
        Command::Doctor => doctor::doctor(&home, json),
        Command::Completions { shell } => Ok(shell::completions(shell)),
        Command::Manual { folder } => shell::manual(&folder),
    }
}

/// A runtime for one short conversation.
fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(future))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nothing_on_the_command_line_hides_the_agent() {
        let mut words = String::new();
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            words.push_str(
                &command
                    .clone()
                    .render_long_help()
                    .to_string()
                    .to_lowercase(),
            );
            commands.extend(command.get_subcommands().cloned());
        }
        for word in [
            "stealth",
            "hidden",
            "hide",
            "silent",
            "invisible",
            "--no-notice",
        ] {
            assert!(!words.contains(word), "{word}");
        }
    }
}
