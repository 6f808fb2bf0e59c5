//! A whole working day by the running agent, on a clock that is turned by hand: every second that its
//! records tell is one that the script has.
//!
//! The script: start, switch, a coffee, lunch behind a locked screen, a sleep, another time zone, a crash,
//! overtime past midnight.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::engine::{self, RunConfig};
use glasshour_agent::home::Home;
use glasshour_agent::ipc::{Answer, Request, Work, call};
use glasshour_agent::license::{LicenseStore, LoadOptions, TrustedKeys};
use glasshour_agent::platform::SystemEvent;
use glasshour_agent::platform::fake::FakeDesktop;
use glasshour_agent::seal_key::spool_config;
use glasshour_agent::session::Absence;
use glasshour_agent::status::{StateWord, Status};
use glasshour_protocol::payload::SessionEventKind::{Idle, Resumed, Started, Stopped, Switched};
use glasshour_protocol::payload::{ActivityMinute, Cause, SessionEvent};
use glasshour_protocol::{CompanyId, Kind, ProjectId};
use glasshour_uploader::Spool;
use serde_json::json;
use uuid::Uuid;

const COMPANY: CompanyId = CompanyId(Uuid::from_u128(1));
const APOLLO: ProjectId = ProjectId(Uuid::from_u128(7));
const SUPPORT: ProjectId = ProjectId(Uuid::from_u128(8));
/// The agent leaves a sign of life at least as often: its death costs nothing where it comes after one.
const STEP: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(20);

fn time(hours: u64, minutes: u64, seconds: u64) -> Duration {
    Duration::from_secs(hours * 3600 + minutes * 60 + seconds)
}

fn on(project: ProjectId) -> Work {
    Work {
        employer: None,
        project: Some(project.to_string()),
    }
}

struct Day {
    dir: tempfile::TempDir,
    desktop: FakeDesktop,
}

impl Day {
    fn new(mode: &str) -> Self {
        let day = Self {
            dir: tempfile::tempdir().unwrap(),
            desktop: FakeDesktop::new(),
        };
        let claims = json!({
            "version": 1,
            "license_id": Uuid::from_u128(2),
            "serial": 1,
            "issued_at": "2026-11-21T09:00:00Z",
            // Nothing listens on the discard port: the server cannot be reached.
            "issuer": {"company": "Acme", "company_id": COMPANY, "server_url": "http://127.0.0.1:9"},
            "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
            "work_mode": mode,
            "profile": {"name": "Time", "activity": {"input_counts": true}, "idle_after_s": 300},
        });
        let claims = serde_json::from_value(claims).unwrap();
        let key = SigningKey::from_bytes(&[8; 32]);
        let file = glasshour_license_format::sign(&claims, &key).unwrap();
        let options = LoadOptions::strict(jiff::Timestamp::MIN);
        let signed = glasshour_license_format::read(&file).unwrap();
        let store = LicenseStore::new(day.home());
        store.load(&file, signed, &options).unwrap();
        day
    }

    fn home(&self) -> Home {
        Home::open(self.dir.path()).unwrap()
    }

    /// Runs the agent for that part of the day; then it is gone as by kill -9.
    async fn run(&self, part: impl AsyncFnOnce(&Self)) {
        let config = RunConfig {
            home: self.home(),
            license_dir: self.dir.path().join("license.d"),
            allow_plain_http: vec![],
            trusted_keys: TrustedKeys::default(),
            spool_quota_bytes: glasshour_uploader::spool::DEFAULT_QUOTA_BYTES,
            line: glasshour_uploader::send::Line::default(),
            words: glasshour_words::Words::ENGLISH,
            tray: true,
        };
        let platform = Arc::new(self.desktop.clone());
        tokio::select! {
            ended = engine::run(config, platform) => panic!("the agent ended: {ended:?}"),
            () = async {
                self.until("the agent answers", |_| true).await;
                part(self).await;
            } => {}
        }
        // Its spool's thread lets go of the file a moment later; the next agent needs it.
        let path = self.home().spool(COMPANY).with_extension("lock");
        let lock = std::fs::File::open(path).unwrap();
        while lock.try_lock().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let asked = async {
            loop {
                let answer = call(&self.home().socket(), &Request::Status).await;
                match answer {
                    Ok(Answer::Done { status }) if wanted(&status) => return *status,
                    _ => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        let reached = tokio::time::timeout(PATIENCE, asked).await;
        reached.unwrap_or_else(|_| panic!("until {what}"))
    }

    async fn ask(&self, request: Request) {
        let answer = call(&self.home().socket(), &request).await.unwrap();
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    }

    async fn start(&self, project: ProjectId) {
        let work = on(project);
        self.ask(Request::Start { work, note: None }).await;
    }

    /// Time passes in small steps, each a turn of the agent's, with the keyboard in use or not.
    async fn pass(&self, time: Duration, working: bool) {
        let mut left = time;
        while left > Duration::ZERO {
            let step = left.min(STEP);
            left -= step;
            self.desktop.time().advance(step);
            if working {
                self.desktop.add_keys(1);
            }
            self.ask(Request::Status).await;
        }
    }

    async fn work(&self, time: Duration) {
        self.pass(time, true).await;
    }

    /// The system says that nobody can be at work, and the agent has heard.
    async fn leave(&self, absence: Absence) {
        let waiting = self.desktop.leave(absence).expect("the agent listens");
        self.until("the agent lets the machine go on", |_| waiting.is_over())
            .await;
    }

    async fn come_back(&self, absence: Absence, state: StateWord) {
        assert!(self.desktop.tell(SystemEvent::Returns(absence)));
        self.until("the agent has heard", |status| status.state == state)
            .await;
    }

    /// What is kept, once the agent is gone: events in order, and how many minutes of activity.
    async fn records(&self) -> (Vec<SessionEvent>, Vec<ActivityMinute>) {
        let config = spool_config(&self.home(), COMPANY, u64::MAX).unwrap();
        let spool = Spool::open(&self.home().spool(COMPANY), config.clone()).unwrap();
        let (mut events, mut minutes) = (Vec::new(), Vec::new());
        for record in spool.lease(10_000, i64::MAX).await.unwrap() {
            let header = record
                .header
                .verify(&config.identity.key.verifying_key())
                .unwrap();
            match header.kind {
                Kind::Session => events.push(serde_json::from_slice(&record.payload).unwrap()),
                Kind::Activity => minutes.push(serde_json::from_slice(&record.payload).unwrap()),
                _ => {}
            }
        }
        (events, minutes)
    }
}

#[tokio::test]
async fn every_second_of_a_working_day_is_where_the_script_has_it() {
    let day = Day::new("worklog");
    let desktop = &day.desktop;
    desktop.time().set_utc_offset_min(60);
    day.run(async |day| {
        day.work(time(0, 3, 7)).await;
        day.start(APOLLO).await;
        day.work(time(1, 17, 4)).await;
        day.ask(Request::Switch { work: on(SUPPORT) }).await;
        day.work(time(1, 41, 19)).await;
        // A coffee: nobody locks the screen for that.
        day.pass(time(0, 22, 5), false).await;
        desktop.add_keys(1);
        day.ask(Request::Status).await;
        day.work(time(0, 8, 0)).await;
        // Lunch.
        day.leave(Absence::Locked).await;
        day.pass(time(0, 47, 30), false).await;
        desktop.add_keys(1);
        day.come_back(Absence::Locked, StateWord::Tracking).await;
        day.work(time(0, 52, 21)).await;
        // The lid is closed and opened on the train.
        day.leave(Absence::Asleep).await;
        desktop.time().sleep(time(1, 5, 0));
        day.come_back(Absence::Asleep, StateWord::Stopped).await;
        day.work(time(0, 4, 9)).await;
        day.start(APOLLO).await;
        day.work(time(1, 0, 1)).await;
        // Over the border.
        desktop.time().set_utc_offset_min(0);
        day.work(time(1, 2, 0)).await;
    })
    .await;
    // The agent has died; twelve minutes later somebody sees it.
    desktop.time().advance(time(0, 12, 0));
    desktop.add_keys(1);
    day.run(async |day| {
        day.start(APOLLO).await;
        day.work(time(8, 33, 33)).await;
        let midnight = 86_400_000 - 9 * 3_600_000;
        let began = 1_795_424_400_000_i64;
        let since = desktop.time().now().wall_ms - began - midnight;
        assert!(since > 3_600_000, "it is past midnight: {since}");
        let status = day.until("the day is told", |_| true).await;
        assert_eq!(i64::try_from(status.today_ms).unwrap(), since);
        day.ask(Request::Stop).await;
    })
    .await;

    let (events, _) = day.records().await;
    let mut by_project: BTreeMap<ProjectId, i64> = BTreeMap::new();
    let (mut idle, mut project, mut since) = (0, None, 0);
    let mut told = Vec::new();
    for event in &events {
        assert!(event.at_ms >= since, "{event:?} overlaps what was before");
        match event.event {
            Started => {}
            Resumed => idle += event.at_ms - since,
            _ => *by_project.entry(project.unwrap()).or_default() += event.at_ms - since,
        }
        project = event.project_id.or(project);
        since = event.at_ms;
        told.push((event.event, event.cause));
    }
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap();
    assert_eq!(
        by_project,
        BTreeMap::from([
            (
                APOLLO,
                ms(time(1, 17, 4) + time(1, 0, 1) + time(1, 2, 0) + time(8, 33, 33))
            ),
            (
                SUPPORT,
                ms(time(1, 41, 19) + time(0, 8, 0) + time(0, 52, 21))
            ),
        ])
    );
    assert_eq!(idle, ms(time(0, 22, 5)));
    assert_eq!(
        told,
        [
            (Started, Cause::User),
            (Switched, Cause::User),
            (Idle, Cause::Input),
            (Resumed, Cause::Input),
            (Stopped, Cause::Lock),
            (Started, Cause::Lock),
            (Stopped, Cause::Sleep),
            (Started, Cause::User),
            (Stopped, Cause::CrashRecovered),
            (Started, Cause::User),
            (Stopped, Cause::User),
        ]
    );
}

#[tokio::test]
async fn p19_the_machine_sleeps_once_what_was_tracked_is_on_disk() {
    let day = Day::new("monitoring");
    day.run(async |day| {
        day.until("a session runs", |status| status.capturing).await;
        day.work(time(0, 2, 30)).await;
        day.leave(Absence::Asleep).await;
        // And here its battery ends.
    })
    .await;
    let (events, minutes) = day.records().await;
    let slept = events.last().unwrap();
    assert_eq!((slept.event, slept.cause), (Stopped, Cause::Sleep));
    let last = minutes.last().unwrap();
    assert_eq!(last.to_ms, slept.at_ms, "the minute under way was kept");
    let keys: u32 = minutes.iter().filter_map(|m| m.input).map(|i| i.keys).sum();
    assert_eq!(keys, 3, "a key at the end of every step");
}

#[tokio::test]
async fn p20_another_user_stops_monitoring_and_a_shutdown_that_is_called_off_does_not_end_it() {
    let day = Day::new("monitoring");
    day.run(async |day| {
        day.until("a session runs", |status| status.capturing).await;
        day.work(time(0, 1, 0)).await;
        day.leave(Absence::OtherUser).await;
        let away = day.until("it is told", |status| !status.capturing).await;
        assert_eq!(away.state, StateWord::Away);
        day.pass(time(0, 10, 0), false).await;
        day.desktop.add_keys(1);
        day.come_back(Absence::OtherUser, StateWord::Tracking).await;
        day.leave(Absence::ShuttingDown).await;
        day.come_back(Absence::ShuttingDown, StateWord::Tracking)
            .await;
        // Word is lost while the screen is locked: nothing would end that.
        day.leave(Absence::Locked).await;
        day.desktop
            .tell(SystemEvent::Lost("the bus has died".into()));
        day.until("it goes on", |status| status.state == StateWord::Tracking)
            .await;
    })
    .await;
    let (events, _) = day.records().await;
    let told: Vec<_> = events.iter().map(|event| event.cause).collect();
    assert_eq!(
        told,
        [
            Cause::Login,
            Cause::UserSwitch,
            Cause::UserSwitch,
            Cause::Shutdown,
            Cause::Shutdown,
            Cause::Lock,
            Cause::Lock
        ]
    );
}
