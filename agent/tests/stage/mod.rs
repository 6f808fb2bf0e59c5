//! A stage for the running agent: a home with the licenses of one or several employers, and a desktop in
//! memory. No server can be reached, so everything that was kept can be read from the spools afterwards.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::engine::{self, RunConfig};
use glasshour_agent::home::Home;
use glasshour_agent::ipc::{Answer, RefusedBy, Request, Work, call};
use glasshour_agent::license::{LicenseStore, LoadOptions};
use glasshour_agent::platform::fake::FakeDesktop;
use glasshour_agent::seal_key::spool_config;
use glasshour_agent::status::{EmployerStatus, Status};
use glasshour_protocol::payload::{Cause, SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, Kind, LicenseId, RecordHeader};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::OpenError;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// An employer, as a test names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Employer {
    pub(crate) name: &'static str,
    number: u128,
}

pub(crate) const ACME: Employer = Employer {
    name: "Acme",
    number: 1,
};
pub(crate) const BETA: Employer = Employer {
    name: "Beta",
    number: 2,
};

impl Employer {
    pub(crate) fn id(self) -> CompanyId {
        CompanyId(Uuid::from_u128(self.number))
    }

    /// The id of its license with that serial.
    pub(crate) fn license(self, serial: u64) -> LicenseId {
        LicenseId(Uuid::from_u128(self.number * 1000 + u128::from(serial)))
    }

    pub(crate) fn claims(self, mode: &str, profile: impl Into<Value>, serial: u64) -> Value {
        json!({
            "version": 1,
            "license_id": self.license(serial),
            "serial": serial,
            "issued_at": "2026-11-21T09:00:00Z",
            // Nothing listens on the discard port: the server cannot be reached.
            "issuer": {
                "company": self.name,
                "company_id": self.id(),
                "server_url": "http://127.0.0.1:9",
            },
            "employee": {"employee_id": Uuid::from_u128(self.number * 10), "name": "Jo Doe"},
            "work_mode": mode,
            "profile": profile.into(),
        })
    }
}

/// A record as it lies in a spool.
pub(crate) struct Record {
    pub(crate) header: RecordHeader,
    pub(crate) payload: Vec<u8>,
}

/// A home, and the desktop it runs on.
pub(crate) struct Stage {
    dir: tempfile::TempDir,
    pub(crate) desktop: FakeDesktop,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            desktop: FakeDesktop::new(),
        }
    }

    pub(crate) fn home(&self) -> Home {
        Home::open(self.dir.path()).unwrap()
    }

    /// Loads an employer's first license.
    pub(crate) fn load(&self, employer: Employer, mode: &str, profile: impl Into<Value>) {
        self.load_changed(employer, (mode, profile.into()), 1, |_| {});
    }

    /// Loads a license that differs from the usual one.
    pub(crate) fn load_changed(
        &self,
        employer: Employer,
        what: (&str, Value),
        serial: u64,
        change: impl FnOnce(&mut Value),
    ) {
        let key = [u8::try_from(employer.number).unwrap(); 32];
        let options = LoadOptions::strict(jiff::Timestamp::MIN);
        self.load_signed(employer, what, serial, (key, options), change);
    }

    /// The same by another key, which the person trusts by hand.
    pub(crate) fn load_by_hand(
        &self,
        employer: Employer,
        what: (&str, Value),
        serial: u64,
        change: impl FnOnce(&mut Value),
    ) {
        let options = LoadOptions {
            trust_new_key: true,
            ..LoadOptions::strict(jiff::Timestamp::MIN)
        };
        self.load_signed(employer, what, serial, ([99; 32], options), change);
    }

    fn load_signed(
        &self,
        employer: Employer,
        (mode, profile): (&str, Value),
        serial: u64,
        (key, options): ([u8; 32], LoadOptions<'_>),
        change: impl FnOnce(&mut Value),
    ) {
        let mut claims = employer.claims(mode, profile, serial);
        change(&mut claims);
        let claims = serde_json::from_value(claims).unwrap();
        let file = glasshour_license_format::sign(&claims, &SigningKey::from_bytes(&key)).unwrap();
        let signed = glasshour_license_format::read(&file).unwrap();
        LicenseStore::new(self.home())
            .load(&file, signed, &options)
            .unwrap();
    }

    /// Runs the agent for as long as the story goes on; then it is gone as by kill -9.
    pub(crate) async fn run(&self, story: impl AsyncFnOnce(&Self)) {
        let config = RunConfig {
            home: self.home(),
            license_dir: self.dir.path().join("license.d"),
            allow_plain_http: vec![],
            trusted_keys: glasshour_agent::license::TrustedKeys::default(),
            spool_quota_bytes: glasshour_uploader::spool::DEFAULT_QUOTA_BYTES,
            line: glasshour_uploader::send::Line::default(),
            words: glasshour_words::Words::ENGLISH,
            tray: true,
        };
        // On the heap: with the story, it is too large for a test's stack.
        let agent = Box::pin(engine::run(config, Arc::new(self.desktop.clone())));
        tokio::select! {
            ended = agent => {
                panic!("the agent ended: {ended:?}")
            }
            () = async {
                until("the agent answers", async || {
                    self.try_ask(&Request::Status).await.is_some()
                })
                .await;
                story(self).await;
            } => {}
        }
    }

    async fn try_ask(&self, request: &Request) -> Option<Answer> {
        call(&self.home().socket(), request).await.ok()
    }

    /// Asks, and expects to be obeyed.
    pub(crate) async fn ask(&self, request: Request) -> Status {
        match self.try_ask(&request).await.unwrap() {
            Answer::Done { status } => *status,
            other => panic!("{other:?}"),
        }
    }

    /// Asks, and expects to be refused.
    pub(crate) async fn refused(&self, request: Request) -> (RefusedBy, String) {
        match self.try_ask(&request).await.unwrap() {
            Answer::Refused { reason, message } => (reason, message),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn status(&self) -> Status {
        self.ask(Request::Status).await
    }

    /// Lets that many seconds pass, one turn each.
    pub(crate) async fn seconds(&self, seconds: u32) {
        for _ in 0..seconds {
            self.desktop.time().advance(SECOND);
            self.status().await;
        }
    }

    /// Waits until what an employer's license permits is captured: the person must see it first.
    pub(crate) async fn until_capturing(&self, employer: Employer) {
        until("it is captured", async || {
            of(&self.status().await, employer).capturing
        })
        .await;
    }

    /// Lets seconds pass until so many more pictures were taken.
    pub(crate) async fn until_grabs(&self, more: u32) {
        let wanted = self.desktop.grabs() + more;
        until("pictures are taken", async || {
            self.seconds(1).await;
            self.desktop.grabs() >= wanted
        })
        .await;
    }

    /// What the agent has kept for an employer, once it is gone.
    pub(crate) async fn records(&self, employer: Employer) -> Vec<Record> {
        let home = self.home();
        let config = spool_config(&home, employer.id(), u64::MAX).unwrap();
        let path = home.spool(employer.id());
        let spool = loop {
            match Spool::open(&path, config.clone()) {
                Ok(spool) => break spool,
                Err(OpenError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => panic!("{error}"),
            }
        };
        let key = config.identity.key.verifying_key();
        let leased = spool.lease(10_000, i64::MAX).await.unwrap();
        drop(spool);
        // Its thread lets go of the file a moment later; the next agent needs it.
        let lock = std::fs::File::open(path.with_extension("lock")).unwrap();
        until("the spool is closed", async || lock.try_lock().is_ok()).await;
        leased
            .into_iter()
            .map(|r| Record {
                header: r.header.verify(&key).unwrap(),
                payload: r.payload,
            })
            .collect()
    }

    /// The session events kept for an employer.
    pub(crate) async fn events(&self, employer: Employer) -> Vec<SessionEvent> {
        of_kind(&self.records(employer).await, Kind::Session)
            .iter()
            .map(|record| serde_json::from_slice(&record.payload).unwrap())
            .collect()
    }
}

/// What becomes of sessions, in short.
pub(crate) fn in_short(events: &[SessionEvent]) -> Vec<(SessionEventKind, Cause)> {
    let ours = |kind: SessionEventKind| {
        !matches!(kind, SessionEventKind::Idle | SessionEventKind::Resumed)
    };
    events
        .iter()
        .map(|event| (event.event, event.cause))
        .filter(|(kind, _)| ours(*kind))
        .collect()
}

pub(crate) fn of_kind(records: &[Record], kind: Kind) -> Vec<&Record> {
    let of_kind = |record: &&Record| record.header.kind == kind;
    records.iter().filter(of_kind).collect()
}

/// How things are with one employer.
pub(crate) fn of(status: &Status, employer: Employer) -> EmployerStatus {
    let found = status
        .employers
        .iter()
        .find(|other| other.company_id == employer.id());
    found.unwrap_or_else(|| panic!("{status:?}")).clone()
}

pub(crate) fn start(employer: Option<Employer>) -> Request {
    Request::Start {
        work: work(employer),
        note: None,
    }
}

pub(crate) fn switch(employer: Employer) -> Request {
    Request::Switch {
        work: work(Some(employer)),
    }
}

fn work(employer: Option<Employer>) -> Work {
    Work {
        employer: employer.map(|employer| employer.name.to_owned()),
        project: None,
    }
}

pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), reached).await;
    assert!(in_time.is_ok(), "until {what}");
}
