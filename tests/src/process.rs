//! A process that is ended with its guard.
//!
//! Output goes to `<name>.out` and `<name>.err` in the log folder, so that no pipe ever fills. The
//! process leads a group of its own (a Ctrl-C at the terminal does not reach it past us) and is sent
//! SIGTERM by the kernel should we die (`setpriv --pdeathsig`).

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::programs::search_path;
use crate::wait::wait_until;

/// How long a process may take to end when asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// What to start.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name in logs and messages.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment, besides `PATH`: nothing else of ours is passed on.
    pub environment: Vec<(String, OsString)>,
    /// Where its output goes.
    pub logs: PathBuf,
}

impl Plan {
    /// A program without arguments.
    pub fn new(name: &str, program: impl Into<PathBuf>, logs: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            logs: logs.to_owned(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn with<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds to the environment.
    #[must_use]
    pub fn within(mut self, environment: &[(String, OsString)]) -> Self {
        self.environment.extend_from_slice(environment);
        self
    }

    /// Where its standard output goes.
    pub fn out_file(&self) -> PathBuf {
        self.logs.join(format!("{}.out", self.name))
    }

    /// Where its standard error goes.
    pub fn err_file(&self) -> PathBuf {
        self.logs.join(format!("{}.err", self.name))
    }

    /// Starts it. A second start under the same name adds to the same files.
    ///
    /// # Errors
    /// The program or its log files cannot be opened.
    pub fn start(self) -> Result<Process> {
        let append = |path: PathBuf| -> Result<File> {
            File::options()
                .create(true)
                .append(true)
                .open(&path)
                .with_context(|| format!("cannot write {}", path.display()))
        };
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env(
                "PATH",
                std::env::join_paths(search_path()).unwrap_or_default(),
            )
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(append(self.out_file())?)
            .stderr(append(self.err_file())?)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {} (through setpriv)", self.name))?;
        Ok(Process {
            plan: self,
            child,
            ended: None,
        })
    }
}

/// A running process. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    plan: Plan,
    child: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the first line of its standard output that `wanted` accepts.
    ///
    /// # Errors
    /// The process ended, or the time is over.
    pub fn line(
        &mut self,
        deadline: Duration,
        wanted: impl Fn(&str) -> Option<String>,
    ) -> Result<String> {
        let path = self.plan.out_file();
        let what = format!("a line in {}", path.display());
        wait_until(deadline, &what, || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // Only whole lines: the last one may still be written.
            let whole = text
                .rfind('\n')
                .and_then(|end| text.get(..end))
                .unwrap_or_default();
            if let Some(found) = whole.lines().rev().find_map(&wanted) {
                return Ok(Some(found));
            }
            if let Some(status) = self.status()? {
                bail!(
                    "{} ended with {status}: {}",
                    self.plan.name,
                    self.last_words()
                );
            }
            Ok(None)
        })
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system does not say.
    pub fn status(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Kills it like a power cut would: SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn kill_hard(&mut self) -> Result<()> {
        if self.status()?.is_none() {
            self.signal(Signal::KILL)?;
            self.ended = Some(self.child.wait()?);
        }
        Ok(())
    }

    /// Stops it where it is (SIGSTOP) and waits until none of its threads runs: each has stopped, or is within a
    /// system call of the disk, after which it stops before it sees the result.
    ///
    /// # Errors
    /// The signal cannot be sent, or it does not stop.
    pub fn freeze(&mut self) -> Result<()> {
        self.signal(Signal::STOP)?;
        let tasks = format!("/proc/{}/task", self.id());
        let what = format!("every thread of {} stands still", self.plan.name);
        wait_until(PATIENCE, &what, || {
            for task in std::fs::read_dir(&tasks)? {
                let stat = std::fs::read_to_string(task?.path().join("stat")).unwrap_or_default();
                // proc(5): the state is the first word behind the name, which stands in parentheses.
                let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
                if !stat.is_empty() && !state.starts_with(['T', 't', 'D']) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Lets it run again after [`Process::freeze`].
    ///
    /// # Errors
    /// The signal cannot be sent.
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It takes longer than ten seconds.
    pub fn end(&mut self) -> Result<ExitStatus> {
        if self.status()?.is_none() {
            self.signal(Signal::TERM)?;
        }
        let what = format!("{} ends after SIGTERM", self.plan.name);
        wait_until(PATIENCE, &what, || self.status())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        // Not reaped yet, so the id is still this process's.
        kill_process(Pid::from_child(&self.child), signal)
            .with_context(|| format!("cannot signal {}", self.plan.name))
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.plan.err_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.status(), Ok(None)) {
            // The whole group, which nobody else is in: what it started itself ends with it.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::TERM);
        }
        if self.end().is_err() {
            let _ = self.kill_hard();
        }
    }
}
