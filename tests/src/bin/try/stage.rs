//! Setting the stage: the folder, the display, the server, an employee with a license, the agent.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use glasshour_protocol::jws::base64url;
use glasshour_tests::api::Employee;
use glasshour_tests::server::Owner;
use glasshour_tests::wait::now;
use glasshour_tests::{Agent, Desktop, Server};
use serde_json::{Value, json};

use crate::Args;
use crate::show::Steps;

/// Pixels of a display of our own.
const SCREEN: (u32, u32) = (1280, 800);
const SOON: Duration = Duration::from_secs(30);
/// Marks a folder as one that a try made and a later one may replace.
const MARK: &str = "made-by-dev-try.txt";

/// All that runs during a try. Dropping it ends everything, the agent first.
pub(crate) struct Stage {
    pub(crate) agent: Agent,
    pub(crate) server: Server,
    /// The display of our own; `None` where the user's is recorded.
    pub(crate) desktop: Option<Desktop>,
    pub(crate) employee: Employee,
    pub(crate) license: PathBuf,
    pub(crate) begun: std::time::Instant,
    folder: PathBuf,
    _lock: File,
}

impl Stage {
    /// Sets everything up and starts the worklog.
    pub(crate) fn set(args: &Args, steps: &mut Steps) -> Result<Self> {
        let begun = now();
        let folder = std::path::absolute(&args.data)?;
        let lock = fresh_folder(&folder)?;

        let users = if args.own_display {
            None
        } else {
            users_display(args.display.as_deref())?
        };
        let desktop = match &users {
            Some(display) => {
                let name = display.to_string_lossy();
                let title = steps.next(&format!("your display {name} will be recorded"));
                eprintln!("{title}");
                eprintln!("      Nothing is typed or clicked on it. The pictures stay on this");
                eprintln!("      machine, in {}.", folder.display());
                None
            }
            None => Some(steps.run(
                "start a display of its own, with windows to work in",
                || Desktop::start(&folder, SCREEN),
            )?),
        };

        let owner = Owner {
            email: "owner@try.example".into(),
            password: password()?,
        };
        let server = steps.run("start the server", || {
            Server::start(&folder, "Try & Co", owner)
        })?;

        let (employee, license) =
            steps.run("hire an employee; the license comes with it", || {
                let api = server.api();
                let profile = api.create_profile("Try", &profile(args.time))?;
                let employee = api.create_employee("Jo Doe", "worklog", &profile)?;
                let license = folder.join("Jo Doe.license.gz");
                std::fs::write(&license, api.license_gz(&employee)?)?;
                Ok((employee, license))
            })?;

        let agent = steps.run("load the license and start the agent", || {
            let mut agent = match &desktop {
                Some(desktop) => Agent::new(&folder, desktop)?,
                None => Agent::on_display(&folder, &users_environment(users.as_ref()))?,
            };
            agent.load(&license)?;
            agent.run()?;
            agent.call(["start", "--note", "trying Glasshour"])?.ok()?;
            agent.wait_for_state("tracking", SOON)?;
            Ok(agent)
        })?;
        Ok(Self {
            agent,
            server,
            desktop,
            employee,
            license,
            begun,
            folder,
            _lock: lock,
        })
    }

    /// Where the logs lie.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// What a person wants to know while everything runs.
    pub(crate) fn print_where_to_look(&self) {
        eprintln!();
        eprintln!("  Console   {}", self.server.url());
        eprintln!(
            "  Log-in    {}   {}",
            self.server.owner.email, self.server.owner.password
        );
        eprintln!("  License   {}", self.license.display());
        eprintln!("  Data      {}", self.folder.display());
        eprintln!();
        eprintln!(
            "  A worklog is running. Press Enter (or Ctrl-C) to stop it and to end all this."
        );
        eprintln!();
    }

    /// How to see the records once everything has ended.
    pub(crate) fn print_how_to_look_again(&self) {
        let address = self.server.url().trim_start_matches("http://");
        let Ok(program) = glasshour_tests::programs::ours("glasshour-server") else {
            return;
        };
        println!();
        println!("To look at it again in the console, log-in as above:");
        println!(
            "  {} serve --data {} --listen {address}",
            program.display(),
            self.server.data().display()
        );
    }
}

/// Often enough that the shortest try has several pictures.
fn profile(time: Option<Duration>) -> Value {
    let per_hour = match time {
        Some(time) if time < Duration::from_secs(40) => 3600,
        Some(_) => 720,
        None => 360,
    };
    json!({
        "screenshots": {"per_hour": per_hour, "random_moment": true, "monitors": "all",
            "blur": "none", "skip_unchanged": true},
        "activity": {"input_counts": true, "applications": true, "window_titles": true},
        "idle_after_s": 300,
        "employee_may_delete": true,
    })
}

/// Empties the folder of an earlier try, after saying so; refuses to touch anything else.
fn fresh_folder(folder: &Path) -> Result<File> {
    let mark = folder.join(MARK);
    let lock = folder.join("lock");
    let taken = || {
        format!(
            "another try is running in {}: end it first",
            folder.display()
        )
    };
    if folder.exists() {
        let empty = std::fs::read_dir(folder)?.next().is_none();
        if !empty && !mark.is_file() {
            bail!(
                "{} holds something that no try made; choose another folder with --data",
                folder.display()
            );
        }
        if let Ok(file) = File::open(&lock) {
            file.try_lock().with_context(taken)?;
        }
        if !empty {
            eprintln!("The data of the last try is replaced: {}", folder.display());
        }
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    std::fs::write(&mark, "The next ./dev try replaces this folder.\n")?;
    let file = File::create(&lock)?;
    file.try_lock().with_context(taken)?;
    Ok(file)
}

/// The user's display, if there is one that answers.
fn users_display(asked: Option<&str>) -> Result<Option<OsString>> {
    let from_environment = || std::env::var_os("DISPLAY").filter(|name| !name.is_empty());
    let Some(name) = asked.map(OsString::from).or_else(from_environment) else {
        eprintln!("There is no display here (DISPLAY is not set): starting one of its own.");
        return Ok(None);
    };
    if answers(&name.to_string_lossy()) {
        return Ok(Some(name));
    }
    if asked.is_some() {
        bail!("no X server answers on display {}", name.to_string_lossy());
    }
    eprintln!(
        "DISPLAY says {}, but no X server answers there: starting a display of its own.",
        name.to_string_lossy()
    );
    Ok(None)
}

/// Whether a local display (`:N`, `:N.S`) has a server; another machine's is taken at its word.
fn answers(display: &str) -> bool {
    let Some(local) = display.strip_prefix(':') else {
        return true;
    };
    let number = local.split('.').next().unwrap_or(local);
    UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).is_ok()
}

/// What the agent needs of the user's environment to show up on the user's desktop.
fn users_environment(display: Option<&OsString>) -> Vec<(String, OsString)> {
    const NEEDED: [&str; 6] = [
        "HOME",
        "LANG",
        "XAUTHORITY",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_CURRENT_DESKTOP",
        "XDG_SESSION_TYPE",
    ];
    let named = NEEDED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?)));
    named
        .chain(display.map(|display| ("DISPLAY".to_owned(), display.clone())))
        .collect()
}

/// A password nobody knows in advance.
fn password() -> Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)
        .ok()
        .context("the system gives no random numbers")?;
    Ok(base64url(&bytes))
}
