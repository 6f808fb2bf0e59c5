//! Plays administrator and user inside the clean system of `./dev package --verify`.
//!
//! `hire`, as root: makes an employee in monitoring mode and puts the license where an administrator
//! would. `log-in`, as that user: a desktop, and then whatever the installed autostart file says.

#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use glasshour_tests::api::{Api, Employee};
use glasshour_tests::process::Plan;
use glasshour_tests::server::Initialised;
use glasshour_tests::story::SCREEN;
use glasshour_tests::{Desktop, Seen, profiles, wait_until};
use serde::{Deserialize, Serialize};

const SOON: Duration = Duration::from_mins(1);

/// Plays administrator and user inside the clean system of `./dev package --verify`
#[derive(Parser)]
#[command(name = "glasshour-package-check")]
enum Command {
    /// Make an employee and put the license in place
    Hire {
        /// What `glasshour-server init --json` answered
        #[arg(long)]
        init: PathBuf,
        /// The running server's standard output, which says where it listens
        #[arg(long)]
        server_output: PathBuf,
        /// Where the license goes
        #[arg(long)]
        into: PathBuf,
    },
    /// Log in: a desktop, and what the autostart file starts on it
    LogIn {
        /// What `hire` answered
        #[arg(long)]
        hired: PathBuf,
        /// A folder for the desktop
        #[arg(long)]
        folder: PathBuf,
    },
}

/// What `log-in` needs to know.
#[derive(Serialize, Deserialize)]
struct Hired {
    url: String,
    token: String,
    employee_id: String,
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Hire {
            init,
            server_output,
            into,
        } => hire(&init, &server_output, &into),
        Command::LogIn { hired, folder } => log_in(&hired, &folder),
    }
}

fn hire(init: &Path, server_output: &Path, into: &Path) -> Result<()> {
    let init: Initialised = serde_json::from_str(&std::fs::read_to_string(init)?)?;
    let url = wait_until(SOON, "the server to listen", || {
        let text = std::fs::read_to_string(server_output)?;
        let line = text
            .lines()
            .find_map(|line| line.split_once("listening on "));
        Ok(line.map(|(_, url)| url.trim().to_owned()))
    })?;
    let api = Api::new(&url, &init.api_token);
    let profile = api.create_profile("Everyone", &profiles::eager())?;
    let employee = api.create_employee("Jo Doe", "monitoring", &profile)?;
    std::fs::write(into, api.license_gz(&employee)?)?;
    let hired = Hired {
        url,
        token: init.api_token,
        employee_id: employee.employee_id,
    };
    println!("{}", serde_json::to_string(&hired)?);
    Ok(())
}

fn log_in(hired: &Path, folder: &Path) -> Result<()> {
    let hired: Hired = serde_json::from_str(&std::fs::read_to_string(hired)?)?;
    let api = Api::new(&hired.url, &hired.token);
    let employee = Employee {
        employee_id: hired.employee_id,
        active: true,
    };
    let desktop = Desktop::start(folder, SCREEN)?;

    let autostart = std::fs::read_to_string("/etc/xdg/autostart/glasshour.desktop")?;
    let mut words = exec(&autostart)?.into_iter();
    let program = words.next().context("Exec names no program")?;
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    let mut environment = desktop.environment().to_vec();
    environment.extend([
        ("HOME".into(), home),
        ("XDG_RUNTIME_DIR".into(), folder.into()),
    ]);
    let mut agent = Plan::new("agent", &program, &folder.join("logs"))
        .with(words)
        .within(&environment)
        .start()?;

    let first = (SOON, "the first screenshot at the server");
    let seen = Seen::when(&api, &employee, first, |seen| {
        if let Some(status) = agent.status()? {
            bail!("the agent ended with {status}");
        }
        Ok(seen.pictures() >= 1)
    });
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => {
            let log = std::fs::read_to_string(folder.join("logs/agent.err")).unwrap_or_default();
            eprintln!("--- the agent's log\n{log}");
            for command in ["status", "doctor"] {
                let mut asked = std::process::Command::new(&program);
                asked
                    .arg(command)
                    .envs(environment.iter().cloned())
                    .stdout(std::io::stderr());
                eprintln!("--- glasshour {command}");
                let _ = asked.status();
            }
            return Err(error);
        }
    };
    let checked = seen.check_pictures(SCREEN)?;
    let record = seen.records.iter().find(|record| record.has_picture());
    let record = record.context("a screenshot was seen a moment ago")?;
    println!(
        "--- the first screenshot is at the server: record {}, {} bytes of {}, {}x{}; {checked} \
         decoded, with something on them",
        record.record_id, record.payload_len, record.content_type, SCREEN.0, SCREEN.1
    );
    agent.end().map(drop)
}

/// The words of `Exec=` in a desktop entry, without field codes (`%u`, …).
fn exec(entry: &str) -> Result<Vec<String>> {
    let line = entry.lines().find_map(|line| line.strip_prefix("Exec="));
    let line = line.context("the desktop entry has no Exec")?;
    Ok(line
        .split_whitespace()
        .filter(|word| !word.starts_with('%'))
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_of_a_desktop_entry_is_read() {
        let entry = "[Desktop Entry]\nTryExec=glasshour\nExec=glasshour run %u\n";
        assert_eq!(exec(entry).unwrap(), ["glasshour", "run"]);
        assert!(exec("[Desktop Entry]\n").is_err());
    }
}
