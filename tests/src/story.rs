//! A story: a folder, a desktop, a server and an agent, and their logs where it goes wrong.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::api::{Api, Employee};
use crate::chain::{self, Balance};
use crate::server::Owner;
use crate::{Agent, Desktop, Server};

/// Screen of every story, pixels: small, so that pictures are quick.
pub const SCREEN: (u32, u32) = (1280, 800);

/// Lines of each log that are shown when a story fails.
const LAST_LINES: usize = 40;

/// Everything a story plays with.
#[derive(Debug)]
pub struct Story {
    // Ended in this order.
    /// The agent; not started yet.
    pub agent: Agent,
    /// The server, running.
    pub server: Server,
    /// The desktop, running.
    pub desktop: Desktop,
    folder: TempDir,
}

/// Sets the stage, tells the story, and shows the logs if it fails.
///
/// # Errors
/// The story's own.
pub fn tell(story: impl FnOnce(&mut Story) -> Result<()>) -> Result<()> {
    let mut stage = Story::begin()?;
    let told = story(&mut stage);
    if told.is_err() {
        stage.show_logs();
    }
    told
}

impl Story {
    fn begin() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("glasshour-").tempdir()?;
        let begin = || -> Result<(Agent, Server, Desktop)> {
            let desktop = Desktop::start(folder.path(), SCREEN)?;
            let owner = Owner {
                email: "owner@acme.example".into(),
                password: "correct horse 1".into(),
            };
            let server = Server::start(folder.path(), "Acme", owner)?;
            let agent = Agent::new(folder.path(), &desktop)?;
            Ok((agent, server, desktop))
        };
        match begin() {
            Ok((agent, server, desktop)) => Ok(Self {
                agent,
                server,
                desktop,
                folder,
            }),
            Err(error) => {
                show_logs(folder.path());
                Err(error)
            }
        }
    }

    /// The story's own folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's API.
    pub fn api(&self) -> Api {
        self.server.api()
    }

    /// Makes an active employee with a profile of these settings; gives it and its license file.
    ///
    /// # Errors
    /// The server refuses.
    pub fn hire(&self, name: &str, mode: &str, settings: &Value) -> Result<(Employee, PathBuf)> {
        let api = self.api();
        let profile = api.create_profile(&format!("For {name}"), settings)?;
        let employee = api.create_employee(name, mode, &profile)?;
        let file = self.folder().join(format!("{name}.license.gz"));
        std::fs::write(&file, api.license_gz(&employee)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok((employee, file))
    }

    /// What the agent pushed against what the server has.
    ///
    /// # Errors
    /// One of the two cannot be read.
    pub fn balance(&self, employee: &Employee) -> Result<Balance> {
        let pushed = chain::pushed(self.agent.home())?;
        Ok(Balance::of(&pushed, &self.api().records(employee)?))
    }

    fn show_logs(&self) {
        show_logs(self.folder());
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
    }
}

/// Shows the logs of a story that failed: its own, and those of each folder in it that has some.
pub fn show_logs(folder: &Path) {
    show_logs_in(folder);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.path().join("logs").is_dir() {
            eprintln!("=== {}", entry.file_name().to_string_lossy());
            show_logs_in(&entry.path());
        }
    }
}

fn show_logs_in(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder.join("logs")) else {
        return;
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        // The harness's own questions, many a second, would leave no room for anything else.
        let ours = |line: &&str| !(line.contains("method=GET") && line.contains("status=200"));
        let lines: Vec<&str> = text.lines().filter(ours).collect();
        if lines.is_empty() {
            continue;
        }
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        eprintln!("--- {name}");
        let from = lines.len().saturating_sub(LAST_LINES);
        for line in lines.iter().skip(from) {
            eprintln!("    {line}");
        }
    }
}
