//! What is measured, set up: a desktop, a server, and an agent for each measurement.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_tests::api::Employee;
use glasshour_tests::process::Process;
use glasshour_tests::server::Owner;
use glasshour_tests::{Agent, Api, Desktop, Server, programs};
use serde_json::Value;
use tempfile::TempDir;

use crate::screens::{self, SCREEN};

const SOON: Duration = Duration::from_secs(30);

/// Everything that runs. Ended in this order.
pub(crate) struct Stage {
    server: Server,
    _text: Process,
    pub(crate) desktop: Desktop,
    folder: TempDir,
}

/// An agent at work.
pub(crate) struct Measured {
    pub(crate) agent: Agent,
    pub(crate) employee: Employee,
    /// Its process.
    pub(crate) pid: u32,
}

impl Stage {
    /// Starts desktop and server; a terminal with text covers the screen.
    pub(crate) fn set() -> Result<Self> {
        for program in ["ffmpeg", "scrot", "maim", "time"] {
            programs::systems(program)?;
        }
        eprintln!("start a display, windows and a server");
        let folder = tempfile::Builder::new()
            .prefix("glasshour-bench-")
            .tempdir()?;
        let desktop = Desktop::start(folder.path(), (SCREEN.0.into(), SCREEN.1.into()))?;
        let text = screens::open_text(&desktop, folder.path())?;
        let owner = Owner {
            email: "owner@bench.example".into(),
            password: "correct horse 1".into(),
        };
        let server = Server::start(folder.path(), "Bench", owner)?;
        Ok(Self {
            server,
            _text: text,
            desktop,
            folder,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn api(&self) -> Api {
        self.server.api()
    }

    /// Hires somebody and starts their agent; `log` says how much of it is logged.
    pub(crate) fn hire(&self, name: &str, profile: &Value, log: Option<&str>) -> Result<Measured> {
        let api = self.api();
        let profile = api.create_profile(&format!("For {name}"), profile)?;
        let employee = api.create_employee(name, "worklog", &profile)?;
        let folder = self.folder().join(name);
        let mut environment = self.desktop.environment().to_vec();
        environment.extend(log.map(|level| ("RUST_LOG".to_owned(), level.into())));
        let mut agent = Agent::on_display(&folder, &environment)?;
        let license = folder.join("bench.license.gz");
        std::fs::write(&license, api.license_gz(&employee)?)?;
        agent.load(&license)?;
        agent.run()?;
        let pid = agent.id().context("the agent runs")?;
        Ok(Measured {
            agent,
            employee,
            pid,
        })
    }
}

impl Measured {
    /// Starts a worklog and waits until its channels are open.
    pub(crate) fn start(&self) -> Result<()> {
        self.agent.call(["start"])?.ok()?;
        self.agent.wait_for_state("tracking", SOON).map(drop)
    }

    /// Stops it, and waits until everything is at the server.
    pub(crate) fn stop(&self) -> Result<()> {
        self.agent.call(["stop"])?.ok()?;
        self.agent.wait_for_empty_spool(SOON).map(drop)
    }
}
