//! The stage of a case: the real server with a company and an employee, a proxy before it, and seats: devices of
//! that employee, each with a spool and a ledger.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::CompanyId;
use glasshour_tests::api::Employee;
use glasshour_tests::device::Device;
use glasshour_tests::process::{Plan, Process};
use glasshour_tests::server::Owner;
use glasshour_tests::wait::now;
use glasshour_tests::{Api, Server, profiles, programs, wait_until};

use crate::proxy::Proxy;

/// How long the spool of a healthy pair may take to be empty.
pub(crate) const DRAIN: Duration = Duration::from_mins(4);

pub(crate) struct Stage {
    pub(crate) proxy: Proxy,
    pub(crate) server: Server,
    pub(crate) employee: Employee,
    pub(crate) company: CompanyId,
    license: Vec<u8>,
    folder: PathBuf,
    seats: u32,
}

impl Stage {
    /// A server with its data in `folder`.
    pub(crate) fn set(folder: &Path) -> Result<Self> {
        Self::set_at(folder, &folder.join("server"), |_| ())
    }

    /// A server with its data elsewhere, on a disk that can be broken; `prepare` is called before its first start.
    pub(crate) fn set_at(
        folder: &Path,
        data: &Path,
        prepare: impl FnOnce(&mut Server),
    ) -> Result<Self> {
        let owner = Owner {
            email: "owner@acme.example".into(),
            password: "correct horse 1".into(),
        };
        let mut server = Server::make(folder, data, "Acme", owner)?;
        prepare(&mut server);
        server.start_again()?;
        let api = server.api();
        let profile = api.create_profile("Everything", &profiles::eager())?;
        let employee = api.create_employee("Jo Doe", "worklog", &profile)?;
        let license = api.license_gz(&employee)?;
        Ok(Self {
            proxy: Proxy::start(server.url())?,
            company: server.init.company_id.parse().context("the company's id")?,
            server,
            employee,
            license,
            folder: folder.to_owned(),
            seats: 0,
        })
    }

    pub(crate) fn api(&self) -> Api {
        self.server.api()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The license that every seat has.
    pub(crate) fn license(&self) -> &[u8] {
        &self.license
    }

    /// A new device with its spool in the stage's folder.
    pub(crate) fn seat(&mut self) -> Result<Seat> {
        let home = self.folder.join(format!("seat-{}", self.seats + 1));
        self.seat_at(&home)
    }

    /// A new device with its spool on a disk that can be broken. The ledger lies in the stage's folder.
    pub(crate) fn seat_at(&mut self, home: &Path) -> Result<Seat> {
        self.seats += 1;
        let name = format!("seat-{}", self.seats);
        std::fs::create_dir_all(home)?;
        std::fs::write(home.join("license.gz"), &self.license)?;
        Device::make(&home.join("device.json"), self.company)?;
        // A power cut is to take what the spool did, not what we put there.
        std::fs::File::open(home.join("license.gz"))?.sync_all()?;
        std::fs::File::open(home.join("device.json"))?.sync_all()?;
        std::fs::File::open(home)?.sync_all()?;
        Ok(Seat {
            ledger: self.folder.join(format!("{name}.ledger")),
            logs: self.folder.join("logs"),
            home: home.to_owned(),
            name,
            starts: AtomicU32::new(0),
        })
    }
}

/// A device: where its spool lies and what was acknowledged to it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) name: String,
    pub(crate) home: PathBuf,
    pub(crate) ledger: PathBuf,
    logs: PathBuf,
    starts: AtomicU32,
}

/// What a seat's spool holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spooled {
    /// Record id and hash of the payload as it lies there.
    pub(crate) waiting: Vec<(String, String)>,
    /// Record id and code.
    pub(crate) refused: Vec<(String, String)>,
    /// How many it says were lost with a damaged file.
    pub(crate) missing: u64,
}

impl Seat {
    pub(crate) fn spool(&self) -> PathBuf {
        self.home.join("spool.sqlite")
    }

    pub(crate) fn device(&self, company: CompanyId) -> Result<Device> {
        Device::read(&self.home.join("device.json"), company)
    }

    /// A pusher on this seat, marked in the ledger with `mark`.
    pub(crate) fn pusher(&self, mark: &str, words: &[&str]) -> Result<Plan> {
        self.through(&[], mark, words)
    }

    /// The same, started by another program (`strace`, `prlimit`) with its own arguments.
    pub(crate) fn through(&self, wrapper: &[OsString], mark: &str, words: &[&str]) -> Result<Plan> {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let mut line: Vec<OsString> = wrapper.to_vec();
        line.push(programs::ours("glasshour-pusher")?.into_os_string());
        let program = line.remove(0);
        Ok(
            Plan::new(&format!("{}-{number}", self.name), program, &self.logs)
                .with(line)
                .with(["--home".as_ref(), self.home.as_os_str()])
                .with(["--ledger".as_ref(), self.ledger.as_os_str()])
                .with(["--mark", mark])
                .with(words.iter().copied()),
        )
    }

    /// Sends what is left to a server that is well; gives how long that took.
    pub(crate) fn drain(&self, url: &str) -> Result<Duration> {
        self.drain_within(url, DRAIN)
    }

    /// The same with less or more patience.
    pub(crate) fn drain_within(&self, url: &str, patience: Duration) -> Result<Duration> {
        let begin = now();
        let seconds = patience.as_secs().to_string();
        let words = ["--count", "0", "--server", url, "--drain-s", &seconds];
        let plan = self.pusher("drain", &words)?;
        let (out, err) = (plan.out_file(), plan.err_file());
        let status = run_to_end(plan, patience + Duration::from_secs(30))?;
        ensure!(
            status.success(),
            "{} could not send everything: {status}: {} {}",
            self.name,
            last_line(&out),
            last_line(&err)
        );
        Ok(begin.elapsed())
    }

    /// What is in the spool, by the library.
    pub(crate) fn spooled(&self) -> Result<Spooled> {
        let plan = self.pusher("list", &["--list"])?;
        let (out, err) = (plan.out_file(), plan.err_file());
        let status = run_to_end(plan, DRAIN)?;
        ensure!(
            status.success(),
            "the spool of {} cannot be read: {}",
            self.name,
            last_line(&err)
        );
        let mut spooled = Spooled::default();
        for line in std::fs::read_to_string(&out)?.lines() {
            match *line.split(' ').collect::<Vec<_>>() {
                ["waiting", id, _, _, sha256] => spooled.waiting.push((id.into(), sha256.into())),
                ["refused", id, _, code] => spooled.refused.push((id.into(), code.into())),
                ["missing", count] => spooled.missing = count.parse()?,
                _ => {}
            }
        }
        Ok(spooled)
    }
}

/// Starts it and waits until it has ended.
pub(crate) fn run_to_end(plan: Plan, deadline: Duration) -> Result<ExitStatus> {
    let name = plan.name.clone();
    let mut process = plan.start()?;
    wait_for_end(&mut process, &name, deadline)
}

pub(crate) fn wait_for_end(
    process: &mut Process,
    name: &str,
    deadline: Duration,
) -> Result<ExitStatus> {
    wait_until(deadline, &format!("{name} ends"), || process.status())
}

/// The last line that a program wrote, for messages.
pub(crate) fn last_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().last().unwrap_or_default().to_owned()
}

/// Checks the employee's export with the agent's `verify`: every payload is the one that was signed, every chain
/// whole. Gives how many records it holds.
pub(crate) fn verify_export(stage: &Stage) -> Result<u64> {
    let file = stage.folder().join("export.jsonl");
    stage.api().export(&stage.employee, &file)?;
    let license = glasshour_license_format::read(stage.license())?;
    let output = Command::new(programs::ours("glasshour")?)
        .args(["verify", "--json", "--key", license.thumbprint()])
        .arg(&file)
        .output()
        .context("cannot run glasshour verify")?;
    let said: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("glasshour verify --json")?;
    ensure!(
        output.status.success(),
        "the export does not verify: {said}"
    );
    let without = said.pointer("/verified/without_payload");
    ensure!(
        without.and_then(serde_json::Value::as_u64) == Some(0),
        "payloads are missing in the export: {said}"
    );
    said.pointer("/verified/records")
        .and_then(serde_json::Value::as_u64)
        .context("how many records the export holds")
}
