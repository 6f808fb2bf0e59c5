//! Two employers, one agent: nothing of one is in the traffic of the other (rule 18).
//!
//! Each server stands behind a proxy that writes down every byte. What one employer's server has of the
//! person is then looked for in the recording of both: it must be in its own, and not in the other's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::Kind;
use glasshour_protocol::jws::sha256_hex;
use glasshour_tests::api::Employee;
use glasshour_tests::chain::{self, Balance};
use glasshour_tests::desktop::{Prop, windows};
use glasshour_tests::device::Device;
use glasshour_tests::recorder::Recording;
use glasshour_tests::server::Owner;
use glasshour_tests::wait::{wait_until, when};
use glasshour_tests::{Agent, Desktop, Recorder, Seen, Server, profiles, story};
use serde_json::Value;

const SOON: Duration = Duration::from_mins(1);
const CAPTURED: Duration = Duration::from_secs(90);

/// One employer: its server behind a proxy, and the person as it knows them.
struct Site {
    company: &'static str,
    name: &'static str,
    project: &'static str,
    /// The title of the window that is worked in for it.
    title: &'static str,
    notes: [&'static str; 2],
    colour: [u8; 3],
    recorder: Recorder,
    server: Server,
    employee: Employee,
    license: PathBuf,
}

impl Site {
    fn acme(folder: &Path) -> Result<Self> {
        let words = ("Acme", "Jo Alpha", "Apollo", "acme-ledger-7Qx");
        let notes = ["the first note for acme 4Tn", "a second note for acme 9Rw"];
        Self::new(&folder.join("acme"), words, notes, [200, 40, 40])
    }

    fn beta(folder: &Path) -> Result<Self> {
        let words = ("Beta", "Jo Bravo", "Borealis", "beta-drawing-2Zk");
        let notes = ["the first note for beta 6Ly", "a second note for beta 1Mv"];
        Self::new(&folder.join("beta"), words, notes, [40, 60, 200])
    }

    fn new(
        folder: &Path,
        (company, name, project, title): (&'static str, &'static str, &'static str, &'static str),
        notes: [&'static str; 2],
        colour: [u8; 3],
    ) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let recorder = Recorder::start()?;
        let owner = Owner {
            email: format!("owner@{}.example", company.to_lowercase()),
            password: "correct horse 1".into(),
        };
        let mut server = Server::make(folder, &folder.join("server"), company, owner)?;
        server.public_url = Some(recorder.url());
        server.start_again()?;
        recorder.lead_to(server.url())?;
        let api = server.api();
        api.create_project(project)?;
        // A name that both have.
        api.create_project("Support")?;
        let profile = api.create_profile("Everything", &profiles::eager())?;
        let employee = api.create_employee(name, "worklog", &profile)?;
        let license = folder.join("jo.license.gz");
        std::fs::write(&license, api.license_gz(&employee)?)?;
        Ok(Self {
            company,
            name,
            project,
            title,
            notes,
            colour,
            recorder,
            server,
            employee,
            license,
        })
    }

    fn window(&self) -> Prop<'_> {
        Prop {
            application: "Work",
            title: self.title,
            colour: self.colour,
            geometry: "40x12+300+200",
        }
    }

    fn seen(&self) -> Result<Seen> {
        Seen::now(&self.server.api(), &self.employee)
    }

    fn wait_for_pictures(&self, wanted: usize) -> Result<()> {
        let enough = (CAPTURED, "pictures at the server");
        let api = self.server.api();
        Seen::when(&api, &self.employee, enough, |seen| {
            Ok(seen.pictures() >= wanted)
        })
        .map(drop)
    }

    /// How many records wait on the computer for it.
    fn waiting(&self, agent: &Agent) -> Result<u64> {
        let status = agent.status()?;
        let employers = status.0.get("employers").and_then(Value::as_array);
        let company = |employer: &&Value| {
            employer.get("company").and_then(Value::as_str) == Some(self.company)
        };
        let ours = employers.and_then(|employers| employers.iter().find(company));
        ours.and_then(|employer| employer.pointer("/spool/waiting")?.as_u64())
            .with_context(|| format!("{} in {}", self.company, status.0))
    }

    fn wait_for_delivery(&self, agent: &Agent) -> Result<()> {
        let what = format!("all records for {} at its server", self.company);
        wait_until(SOON, &what, || Ok(when(self.waiting(agent)? == 0)))
    }

    /// What only this employer may ever see, each with a word on what it is.
    fn secrets(&self, agent: &Agent) -> Result<Vec<(String, Vec<u8>)>> {
        let seen = self.seen()?;
        let api = self.server.api();
        let device = Device::of_agent(agent.home(), &self.server.init.company_id)?;
        let mut secrets = vec![
            ("company id", self.server.init.company_id.clone()),
            ("employee id", self.employee.employee_id.clone()),
            ("employee's name", self.name.into()),
            ("project", self.project.into()),
            ("window title", self.title.into()),
            ("first note", self.notes[0].into()),
            ("second note", self.notes[1].into()),
            ("device id", device.id().to_string()),
            ("device key", device.public_key()),
        ];
        for session in api.sessions(&self.employee)? {
            let id = session.get("session_id").and_then(Value::as_str);
            let id = id.context("a session's id")?;
            secrets.push(("session id", id.to_owned()));
        }
        let mut found = Vec::new();
        let mut pictures = 0;
        for record in &seen.records {
            secrets.push(("license id", record.license_id.clone()));
            secrets.push(("record id", record.record_id.clone()));
            // A health record tells of the computer, in the same words to both.
            if record.payload_len == 0 || record.kind == Kind::Health {
                continue;
            }
            let payload = api.payload(record)?;
            secrets.push(("payload's hash", sha256_hex(&payload)));
            if record.has_picture() {
                pictures += 1;
                found.push(("picture".to_owned(), payload));
            }
        }
        ensure!(pictures >= 4, "{} has {pictures} pictures", self.company);
        let words = secrets.into_iter();
        found.extend(words.map(|(what, text)| (what.to_owned(), text.into_bytes())));
        Ok(found)
    }
}

/// Each secret is in its owner's recording, and in no other.
fn keeps_apart(site: &Site, agent: &Agent, own: &Recording, other: &Recording) -> Result<()> {
    for (what, secret) in site.secrets(agent)? {
        let text = String::from_utf8_lossy(&secret);
        let of = format!("{} of {}", what, site.company);
        ensure!(own.holds(&secret), "the {of} was not recorded: {text}");
        ensure!(!other.holds(&secret), "the {of} was sent elsewhere: {text}");
    }
    Ok(())
}

#[test]
fn p18_no_byte_of_what_is_done_for_one_employer_reaches_the_other() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("glasshour-").tempdir()?;
    let told = tell(folder.path());
    if told.is_err() {
        story::show_logs(folder.path());
    }
    told
}

fn tell(folder: &Path) -> Result<()> {
    let mut desktop = Desktop::start(folder, story::SCREEN)?;
    let (acme, beta) = (Site::acme(folder)?, Site::beta(folder)?);
    let mut agent = Agent::new(folder, &desktop)?;
    for site in [&acme, &beta] {
        agent.load(&site.license)?;
    }
    agent.run()?;
    nothing_is_guessed(&agent, &acme, &beta)?;

    // By project, which says whose it is; then for the other one, without a stop in between.
    let note = ["--note", acme.notes[0]];
    agent
        .call(["start", "--project", acme.project].iter().chain(&note))?
        .ok()?;
    work_in(&mut desktop, &acme)?;
    acme.wait_for_pictures(2)?;
    desktop.input().activate(windows::EDITOR)?;
    let said = agent.call(["switch", "--employer", beta.company])?.ok()?;
    assert!(said.out.contains("(Beta)"), "{}", said.out);
    agent.call(["note", beta.notes[0]])?.ok()?;
    agent.call(["switch", beta.project])?.ok()?;
    work_in(&mut desktop, &beta)?;
    beta.wait_for_pictures(2)?;
    agent.call(["stop"])?.ok()?;
    for site in [&acme, &beta] {
        site.wait_for_delivery(&agent)?;
    }

    // The same without a network; what was kept for each goes out in its turn.
    for site in [&acme, &beta] {
        site.recorder.cut();
    }
    for site in [&acme, &beta] {
        let (employer, note) = (site.company, site.notes[1]);
        desktop.input().activate(windows::EDITOR)?;
        agent
            .call(["start", "--employer", employer, "--note", note])?
            .ok()?;
        desktop.input().activate(site.title)?;
        wait_until(CAPTURED, "a backlog of pictures", || {
            Ok(when(site.waiting(&agent)? >= 4))
        })?;
        desktop.input().activate(windows::EDITOR)?;
        agent.call(["stop"])?.ok()?;
    }
    let held_back = beta.waiting(&agent)?;
    acme.recorder.mend();
    acme.wait_for_delivery(&agent)?;
    ensure!(
        beta.waiting(&agent)? >= held_back,
        "beta's wait for beta's server"
    );
    beta.recorder.mend();
    beta.wait_for_delivery(&agent)?;

    the_day_is_told_apart(&agent, &acme, &beta)?;
    agent.end()?;
    let recordings = [acme.recorder.recording()?, beta.recorder.recording()?];
    let [of_acme, of_beta] = &recordings;
    assert!(
        of_acme.requests > 10 && of_beta.requests > 10,
        "both were talked to"
    );
    keeps_apart(&acme, &agent, of_acme, of_beta)?;
    keeps_apart(&beta, &agent, of_beta, of_acme)?;
    // The check can fail: with the recordings exchanged it does.
    assert!(keeps_apart(&acme, &agent, of_beta, of_acme).is_err());
    nothing_is_lost(&agent, &[&acme, &beta])
}

/// Brings the employer's own window up; nobody else's is in front while it is worked for.
fn work_in(desktop: &mut Desktop, site: &Site) -> Result<()> {
    desktop.open(&site.window())?;
    desktop.input().activate(site.title)
}

fn nothing_is_guessed(agent: &Agent, acme: &Site, beta: &Site) -> Result<()> {
    let refused = agent.call(["start"])?;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains("There are: Acme, Beta."),
        "{refused:?}"
    );
    wait_until(SOON, "the projects of both to be known", || {
        let known = agent.status()?.0.to_string();
        Ok(when(
            known.contains(acme.project) && known.contains(beta.project),
        ))
    })?;
    let refused = agent.call(["start", "--project", "Support"])?;
    assert!(
        refused.err.contains("say whose with --employer"),
        "{refused:?}"
    );
    Ok(())
}

fn the_day_is_told_apart(agent: &Agent, acme: &Site, beta: &Site) -> Result<()> {
    let today = agent.call(["today"])?.ok()?.out;
    for site in [acme, beta] {
        let line = format!("{}: ", site.company);
        assert!(today.lines().any(|l| l.starts_with(&line)), "{today}");
        assert!(
            today.contains(&format!("{}: {}", site.company, site.project)),
            "{today}"
        );
    }
    Ok(())
}

/// Everything that was captured is at one of the two servers, once.
fn nothing_is_lost(agent: &Agent, sites: &[&Site]) -> Result<()> {
    let mut records = Vec::new();
    for site in sites {
        let seen = site.seen()?.records;
        ensure!(seen.iter().all(|record| record.grade == "verified"));
        records.extend(seen);
    }
    let devices: std::collections::BTreeSet<_> = records.iter().map(|r| &r.device_id).collect();
    assert_eq!(devices.len(), 2, "a device for each");
    Balance::of(&chain::pushed(agent.home())?, &records).check()
}
