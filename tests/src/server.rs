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

/// A server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    process: Option<Process>,
    data: PathBuf,
    logs: PathBuf,
    url: String,
    starts: u32,
    /// What each start goes through: a program and its arguments, which runs the rest (`strace`, `prlimit`).
    pub wrapper: Vec<OsString>,
    /// What licenses name as the server's address from the next start on, where that is not its own: that
    /// of a proxy.
    pub public_url: Option<String>,
    /// Added to the command line of each start.
    pub arguments: Vec<OsString>,
    /// Added to the environment of each start.
    pub environment: Vec<(String, OsString)>,
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
        let mut server = Self::make(folder, &folder.join("server"), company, owner)?;
        server.start_again()?;
        Ok(server)
    }

    /// Makes a company with its data in `data` and its logs in `folder`; nothing is served yet.
    ///
    /// # Errors
    /// The server is not built, or refuses.
    pub fn make(folder: &Path, data: &Path, company: &str, owner: Owner) -> Result<Self> {
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs)?;
        let init = initialise(data, folder, company, &owner)?;
        Ok(Self {
            process: None,
            data: data.to_owned(),
            logs,
            url: String::new(),
            starts: 0,
            wrapper: Vec::new(),
            public_url: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            init,
            owner,
        })
    }

    /// `http://127.0.0.1:PORT`; empty before the first start.
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

    /// Its process id, while it was started and not waited for.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// The system does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        let status = self.process.as_mut().map(Process::status).transpose()?;
        Ok(matches!(status, Some(None)))
    }

    /// SIGKILL, as a crash would.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn kill_hard(&mut self) -> Result<()> {
        match &mut self.process {
            Some(process) => process.kill_hard(),
            None => Ok(()),
        }
    }

    /// Stops it where it is: it does nothing more until it is killed.
    ///
    /// # Errors
    /// It does not run, or does not stop.
    pub fn freeze(&mut self) -> Result<()> {
        self.process
            .as_mut()
            .context("the server was not started")?
            .freeze()
    }

    /// SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn end(&mut self) -> Result<()> {
        match &mut self.process {
            Some(process) => process.end().map(drop),
            None => Ok(()),
        }
    }

    /// Starts it (again: on the same port, over the same data).
    ///
    /// # Errors
    /// It does not come up.
    pub fn start_again(&mut self) -> Result<()> {
        let address = match self.url.strip_prefix("http://") {
            Some(address) => address.to_owned(),
            None => "127.0.0.1:0".to_owned(),
        };
        // The old output names the same address, so it must not be taken for the new start.
        self.starts += 1;
        let name = match self.starts {
            1 => "server".to_owned(),
            more => format!("server-{more}"),
        };
        let process = self.plan(&name, &address)?.start()?;
        self.url = self
            .process
            .insert(process)
            .line(START, |line| {
                line.split_once("listening on ")
                    .map(|(_, url)| url.trim().to_owned())
            })
            .context("the server did not come up")?;
        Ok(())
    }

    fn plan(&self, name: &str, listen: &str) -> Result<Plan> {
        let server = programs::ours("glasshour-server")?;
        let mut words = self.wrapper.clone();
        words.push(server.into_os_string());
        let program = words.remove(0);
        let public_url = self.public_url.as_deref().map(|url| ["--public-url", url]);
        Ok(Plan::new(name, program, &self.logs)
            .with(words)
            .with([
                "serve".into(),
                "--data".into(),
                self.data.as_os_str().to_owned(),
            ])
            .with(["--listen", listen])
            .with(public_url.into_iter().flatten())
            .with(self.arguments.clone())
            .within(&[
                ("HOME".to_owned(), self.data.as_os_str().to_owned()),
                ("GLASSHOUR_LOG".to_owned(), OsString::from("info")),
            ])
            .within(&self.environment))
    }
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
