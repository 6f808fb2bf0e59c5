//! The real agent: its background process and its command line, with a home of its own.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process::{Plan, Process};
use crate::wait::{wait_until, when};
use crate::{Desktop, programs};

const START: Duration = Duration::from_secs(20);

/// The exit codes that the agent's command line promises.
pub mod exit {
    /// No agent is running.
    pub const NOT_RUNNING: i32 = 3;
    /// No license is loaded.
    pub const NO_LICENSE: i32 = 4;
    /// The license or the work mode says no.
    pub const REFUSED: i32 = 5;
    /// An export is not altered, and not proven to be whole either.
    pub const UNPROVEN: i32 = 6;
}

/// What a command answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Exit code; -1 where it ended by a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// The answer, if the command said that all went well.
    ///
    /// # Errors
    /// It did not; the text holds what it said.
    pub fn ok(self) -> Result<Self> {
        if self.code != 0 {
            bail!("exit code {}: {}{}", self.code, self.out, self.err);
        }
        Ok(self)
    }

    /// Everything it said.
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// `glasshour status --json`.
#[derive(Clone, Debug)]
pub struct Status(pub Value);

impl Status {
    /// `tracking`, `stopped`, `paused`, `blocked` or `no_license`.
    pub fn state(&self) -> &str {
        self.0
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or("(no state)")
    }

    /// Whether the channels are open.
    pub fn is_capturing(&self) -> bool {
        self.0.get("capturing") == Some(&Value::Bool(true))
    }

    /// Records that wait in the spool.
    pub fn waiting(&self) -> u64 {
        self.spool("waiting")
    }

    /// Records that the server refuses for good.
    pub fn quarantined(&self) -> u64 {
        self.spool("quarantined")
    }

    /// Records that the server has.
    pub fn delivered(&self) -> u64 {
        self.spool("delivered")
    }

    /// The code of what blocks the agent, if anything does.
    pub fn blocked(&self) -> Option<&str> {
        self.0.pointer("/blocked/code").and_then(Value::as_str)
    }

    /// The health entry of a channel, if there is one.
    pub fn channel(&self, name: &str) -> Option<&Value> {
        let channels = self.0.get("channels")?.as_array()?;
        channels
            .iter()
            .find(|entry| entry.get("channel").and_then(Value::as_str) == Some(name))
    }

    fn spool(&self, member: &str) -> u64 {
        // A missing number must not pass for an empty spool.
        self.0
            .pointer(&format!("/spool/{member}"))
            .and_then(Value::as_u64)
            .unwrap_or(u64::MAX)
    }
}

/// An agent with a home of its own. Dropping it ends its process.
#[derive(Debug)]
pub struct Agent {
    home: PathBuf,
    system: PathBuf,
    logs: PathBuf,
    environment: Vec<(String, OsString)>,
    process: Option<Process>,
    /// The program; before it what runs it, if it is not for this system (`wine`).
    pub command: Vec<OsString>,
    /// What each start goes through: a program and its arguments, which runs the rest (`strace`).
    pub wrapper: Vec<OsString>,
}

impl Agent {
    /// Prepares an agent in `folder` for a desktop; nothing is started yet.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub fn new(folder: &Path, desktop: &Desktop) -> Result<Self> {
        Self::on_display(folder, desktop.environment())
    }

    /// Prepares an agent for whatever display the environment names.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub fn on_display(folder: &Path, display: &[(String, OsString)]) -> Result<Self> {
        let [home, system, logs, run] =
            ["agent", "etc-glasshour", "logs", "run"].map(|name| folder.join(name));
        for made in [&home, &system.join("license.d"), &logs, &run] {
            std::fs::create_dir_all(made)?;
        }
        let mut environment = display.to_vec();
        environment.extend([
            ("GLASSHOUR_HOME".to_owned(), home.clone().into_os_string()),
            (
                "GLASSHOUR_SYSTEM_CONFIG".to_owned(),
                system.clone().into_os_string(),
            ),
            ("XDG_RUNTIME_DIR".to_owned(), run.into_os_string()),
            ("USER".to_owned(), programs::os_user()?.into()),
        ]);
        if !environment.iter().any(|(name, _)| name == "HOME") {
            environment.push(("HOME".to_owned(), folder.as_os_str().to_owned()));
        }
        Ok(Self {
            home,
            system,
            logs,
            environment,
            process: None,
            command: vec![programs::ours("glasshour")?.into()],
            wrapper: Vec::new(),
        })
    }

    /// Where everything of the agent lies.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The id of its background process, while that runs.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// The folder that stands in for `/etc/glasshour`.
    pub fn system_folder(&self) -> &Path {
        &self.system
    }

    /// Starts `glasshour run` and waits until it answers.
    ///
    /// # Errors
    /// It ends at once, or does not answer.
    pub fn run(&mut self) -> Result<()> {
        let mut words = self.wrapper.clone();
        words.extend(self.command.iter().cloned());
        let program = words.remove(0);
        let process = Plan::new("agent", program, &self.logs)
            .with(words)
            .with(["run"])
            .within(&self.environment)
            .start()?;
        self.process = Some(process);
        wait_until(START, "the agent to answer", || {
            if let Some(status) = self
                .process
                .as_mut()
                .map(Process::status)
                .transpose()?
                .flatten()
            {
                bail!("glasshour run ended with {status}");
            }
            Ok(when(self.call(["status", "--json"])?.code == 0))
        })
    }

    /// Asks the running agent to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It does not end in time, or not with success.
    pub fn end(&mut self) -> Result<()> {
        let mut process = self.process.take().context("the agent is not running")?;
        let status = process.end()?;
        if !status.success() {
            bail!("glasshour run ended with {status} after SIGTERM");
        }
        Ok(())
    }

    /// SIGKILL, as a crash would.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn kill_hard(&mut self) -> Result<()> {
        self.process
            .take()
            .context("the agent is not running")?
            .kill_hard()
    }

    /// Runs one command of the agent and gives what it answered.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn call<T: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = T>) -> Result<Answer> {
        let (program, before) = self.command.split_first().context("no program is named")?;
        let output = Command::new(program)
            .args(before)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .context("cannot run glasshour")?;
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Loads a license file, as an employee would.
    ///
    /// # Errors
    /// It is refused.
    pub fn load(&self, file: &Path) -> Result<Answer> {
        self.call([
            OsStr::new("license"),
            "load".as_ref(),
            file.as_os_str(),
            "--yes".as_ref(),
        ])?
        .ok()
        .with_context(|| format!("cannot load {}", file.display()))
    }

    /// `glasshour status --json`.
    ///
    /// # Errors
    /// The agent does not answer.
    pub fn status(&self) -> Result<Status> {
        let answer = self.call(["status", "--json"])?.ok()?;
        let status = serde_json::from_str(&answer.out)
            .with_context(|| format!("status --json answered: {}", answer.out))?;
        Ok(Status(status))
    }

    /// Waits until the state is the one named.
    ///
    /// # Errors
    /// It does not become so in time.
    pub fn wait_for_state(&self, state: &str, deadline: Duration) -> Result<Status> {
        let mut last = String::new();
        let result = wait_until(
            deadline,
            &format!("the agent's state to be {state:?}"),
            || {
                let status = self.status()?;
                last = status.0.to_string();
                // While tracking, only once it captures: that takes until the person can see it.
                let reached =
                    status.state() == state && (state != "tracking" || status.is_capturing());
                Ok(reached.then_some(status))
            },
        );
        result.with_context(|| format!("its last status was {last}"))
    }

    /// Waits until every record is at the server.
    ///
    /// # Errors
    /// Some still wait when the time is over.
    pub fn wait_for_empty_spool(&self, deadline: Duration) -> Result<Status> {
        let mut last = String::new();
        let result = wait_until(deadline, "the spool to be empty", || {
            let status = self.status()?;
            last = status.0.to_string();
            Ok((status.waiting() == 0).then_some(status))
        });
        result.with_context(|| format!("its last status was {last}"))
    }
}
