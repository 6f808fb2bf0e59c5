//! The real server, with a folder of its own and a port that the system picks.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::api::Api;
use crate::process::{Plan, Process};
use crate::programs;

const START: Duration = Duration::from_secs(30);

/// Whom the company belongs to.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Log-in name.
    pub email: String,
    /// Password.
    pub password: String,
}

/// What `init` answers.
#[derive(Clone, Debug, Deserialize)]
pub struct Initialised {
    /// The company.
    pub company_id: String,
    /// Its first workspace.
    pub workspace_id: String,
    /// The key to the API.
    pub api_token: String,
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    process: Process,
    data: PathBuf,
    logs: PathBuf,
    url: String,
    /// What `init` answered.
    pub init: Initialised,
    /// Who can log in at the console.
    pub owner: Owner,
}

impl Server {
    /// Makes a company in `folder` and serves it on a free port of this machine.
    ///
    /// # Errors
    /// The server is not built, or does not come up.
    pub fn start(folder: &Path, company: &str, owner: Owner) -> Result<Self> {
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs)?;
        let data = folder.join("server");
        let init = initialise(&data, folder, company, &owner)?;
        let process = plan(&data, &logs, "127.0.0.1:0")?.start()?;
        let mut server = Self {
            process,
            data,
            logs,
            url: String::new(),
            init,
            owner,
        };
        server.url = server.wait_until_listening()?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its data lies.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its API, with the owner's token.
    pub fn api(&self) -> Api {
        Api::new(&self.url, &self.init.api_token)
    }

    /// SIGKILL, as a crash would.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn kill_hard(&mut self) -> Result<()> {
        self.process.kill_hard()
    }

    /// Starts it again on the same port, over the same data.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_again(&mut self) -> Result<()> {
        let address = self.url.trim_start_matches("http://").to_owned();
        // The old output names the same address, so it must not be taken for the new start.
        let mut plan = plan(&self.data, &self.logs, &address)?;
        plan.name = format!("server-{}", self.process.id());
        self.process = plan.start()?;
        self.wait_until_listening().map(drop)
    }

    fn wait_until_listening(&mut self) -> Result<String> {
        self.process
            .line(START, |line| {
                line.split_once("listening on ")
                    .map(|(_, url)| url.trim().to_owned())
            })
            .context("the server did not come up")
    }
}

fn plan(data: &Path, logs: &Path, listen: &str) -> Result<Plan> {
    Ok(
        Plan::new("server", programs::ours("glasshour-server")?, logs)
            .with(["serve".into(), "--data".into(), data.as_os_str().to_owned()])
            .with(["--listen", listen])
            .within(&[
                ("HOME".to_owned(), data.as_os_str().to_owned()),
                ("GLASSHOUR_LOG".to_owned(), OsString::from("info")),
            ]),
    )
}

fn initialise(data: &Path, folder: &Path, company: &str, owner: &Owner) -> Result<Initialised> {
    let password_file = folder.join("owner-password");
    std::fs::write(&password_file, &owner.password)?;
    let output = Command::new(programs::ours("glasshour-server")?)
        .arg("init")
        .arg("--data")
        .arg(data)
        .args([
            "--company",
            company,
            "--owner-email",
            &owner.email,
            "--json",
        ])
        .arg("--owner-password-file")
        .arg(&password_file)
        .output()
        .context("cannot run glasshour-server init")?;
    std::fs::remove_file(&password_file)?;
    if !output.status.success() {
        bail!(
            "glasshour-server init: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "init --json answered: {}",
            String::from_utf8_lossy(&output.stdout)
        )
    })
}
