//! The running agent on a desktop in memory: what is captured, what is not, and what the person sees.
//!
//! Time stands still until a test moves it; the server cannot be reached, so everything that was kept
//! can be read from the spool afterwards.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::engine::{self, RunConfig};
use glasshour_agent::home::Home;
use glasshour_agent::ipc::{Answer, Request, Work, call};
use glasshour_agent::license::{LicenseStore, LoadOptions, Notices};
use glasshour_agent::platform::fake::{FakeDesktop, Source, picture};
use glasshour_agent::platform::{Message, Rect, Unavailable, Window};
use glasshour_agent::seal_key::spool_config;
use glasshour_agent::status::{StateWord, Status};
use glasshour_agent::tray::{Action, Icon};
use glasshour_protocol::payload::{Cause, NoticeKind, SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, Kind, LicenseId, RecordHeader};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::OpenError;
use serde_json::{Value, json};
use uuid::Uuid;

const COMPANY: CompanyId = CompanyId(Uuid::from_u128(1));
const LICENSE: LicenseId = LicenseId(Uuid::from_u128(2));
const SECOND: Duration = Duration::from_secs(1);

/// A record as it lies in the spool.
struct Record {
    header: RecordHeader,
    payload: Vec<u8>,
}

/// An agent's home with one license, and the desktop it runs on.
struct Stage {
    dir: tempfile::TempDir,
    desktop: FakeDesktop,
    claims: Value,
}

impl Stage {
    fn new(mode: &str, profile: impl Into<Value>) -> Self {
        let mut stage = Self {
            dir: tempfile::tempdir().unwrap(),
            desktop: FakeDesktop::new(),
            claims: Value::Null,
        };
        stage.claims = json!({
            "version": 1,
            "license_id": LICENSE,
            "serial": 1,
            "issued_at": "2026-11-21T09:00:00Z",
            // Nothing listens on the discard port: the server cannot be reached.
            "issuer": {"company": "Acme", "company_id": COMPANY, "server_url": "http://127.0.0.1:9"},
            "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
            "work_mode": mode,
            "profile": profile.into(),
        });
        stage.load();
        stage
    }

    /// The employer changes the license before the agent is started.
    fn reissue(&mut self, serial: u64, change: impl FnOnce(&mut Value)) {
        self.claims["serial"] = json!(serial);
        self.claims["license_id"] = json!(Uuid::from_u128(u128::from(serial) + 100));
        change(&mut self.claims);
        self.load();
    }

    fn load(&self) {
        let claims = serde_json::from_value(self.claims.clone()).unwrap();
        let key = SigningKey::from_bytes(&[8; 32]);
        let file = glasshour_license_format::sign(&claims, &key).unwrap();
        let options = LoadOptions::strict(jiff::Timestamp::MIN);
        let signed = glasshour_license_format::read(&file).unwrap();
        LicenseStore::new(self.home())
            .load(&file, signed, &options)
            .unwrap();
    }

    fn config(&self) -> RunConfig {
        RunConfig {
            home: self.home(),
            license_dir: self.dir.path().join("license.d"),
            allow_plain_http: vec![],
            trusted_keys: glasshour_agent::license::TrustedKeys::default(),
            spool_quota_bytes: glasshour_uploader::spool::DEFAULT_QUOTA_BYTES,
            line: glasshour_uploader::send::Line::default(),
            words: glasshour_words::Words::ENGLISH,
            tray: true,
        }
    }

    async fn until_it_answers(&self) {
        let answers = async || self.try_ask(&Request::Status).await.is_some();
        until("the agent answers", answers).await;
    }

    fn home(&self) -> Home {
        Home::open(self.dir.path()).unwrap()
    }

    /// Runs the agent for as long as the story goes on; then it is gone as by kill -9.
    async fn run(&self, story: impl AsyncFnOnce(&Self)) {
        tokio::select! {
            ended = engine::run(self.config(), Arc::new(self.desktop.clone())) => {
                panic!("the agent ended: {ended:?}")
            }
            () = async {
                self.until_it_answers().await;
                story(self).await;
            } => {}
        }
    }

    async fn try_ask(&self, request: &Request) -> Option<Answer> {
        call(&self.home().socket(), request).await.ok()
    }

    async fn ask(&self, request: Request) -> Answer {
        self.try_ask(&request).await.unwrap()
    }

    async fn status(&self) -> Status {
        match self.ask(Request::Status).await {
            Answer::Done { status } => *status,
            other => panic!("{other:?}"),
        }
    }

    async fn start(&self) {
        let answer = self
            .ask(Request::Start {
                work: Work::default(),
                note: None,
            })
            .await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    }

    async fn stop(&self) {
        let answer = self.ask(Request::Stop).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    }

    /// Lets that many seconds pass, one turn each.
    async fn seconds(&self, seconds: u32) {
        for _ in 0..seconds {
            self.desktop.time().advance(SECOND);
            self.status().await;
        }
    }

    /// Lets seconds pass until so many pictures were asked for and answered.
    async fn until_grabs(&self, wanted: u32) {
        until("pictures are taken", async || {
            self.seconds(1).await;
            self.desktop.grabs() >= wanted
        })
        .await;
        until("the last picture is kept", async || {
            let status = self.status().await;
            status
                .channels
                .iter()
                .any(|c| c.channel == "screenshots" && c.granted.is_some())
        })
        .await;
    }

    /// What the agent has kept, once it is gone.
    async fn records(&self) -> Vec<Record> {
        let config = spool_config(&self.home(), COMPANY, u64::MAX).unwrap();
        let spool = loop {
            match Spool::open(&self.home().spool(COMPANY), config.clone()) {
                Ok(spool) => break spool,
                Err(OpenError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => panic!("{error}"),
            }
        };
        let key = config.identity.key.verifying_key();
        let leased = spool.lease(10_000, i64::MAX).await.unwrap();
        drop(spool);
        // Its thread lets go of the file a moment later; the next agent needs it.
        let lock = std::fs::File::open(self.home().spool(COMPANY).with_extension("lock")).unwrap();
        until("the spool is closed", async || lock.try_lock().is_ok()).await;
        leased
            .into_iter()
            .map(|r| Record {
                header: r.header.verify(&key).unwrap(),
                payload: r.payload,
            })
            .collect()
    }
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_secs(20), reached)
            .await
            .is_ok(),
        "until {what}"
    );
}

fn of_kind(records: &[Record], kind: Kind) -> Vec<&Record> {
    records
        .iter()
        .filter(|record| record.header.kind == kind)
        .collect()
}

fn events(records: &[Record]) -> Vec<(SessionEventKind, Cause)> {
    of_kind(records, Kind::Session)
        .iter()
        .map(|record| serde_json::from_slice::<SessionEvent>(&record.payload).unwrap())
        .map(|event| (event.event, event.cause))
        .collect()
}

/// The event that ended the first session, and how long after its start, milliseconds.
fn first_session(records: &[Record]) -> (SessionEvent, i64) {
    let sessions = of_kind(records, Kind::Session);
    let stopped: SessionEvent = serde_json::from_slice(&sessions[1].payload).unwrap();
    let length = stopped.at_ms - sessions[0].header.captured_at_ms;
    (stopped, length)
}

fn every_second() -> Value {
    json!({"name": "All", "screenshots": {"per_hour": 3600}, "activity": {"input_counts": true, "applications": true}})
}

fn decode(webp: &[u8]) -> Vec<[u8; 3]> {
    let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(webp)).unwrap();
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    let step = if decoder.has_alpha() { 4 } else { 3 };
    decoder.read_image(&mut pixels).unwrap();
    pixels
        .chunks_exact(step)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect()
}

#[tokio::test]
async fn p12_a_license_with_only_activity_never_even_opens_the_screens() {
    let stage = Stage::new(
        "worklog",
        json!({"name": "A", "activity": {"input_counts": true}}),
    );
    stage
        .run(async |stage| {
            stage.start().await;
            until("it captures", async || stage.status().await.capturing).await;
            stage.desktop.add_keys(7);
            stage.seconds(70).await;
            stage.stop().await;
        })
        .await;
    assert_eq!(stage.desktop.opened(Source::Screens), 0);
    assert_eq!(
        stage.desktop.opened(Source::Foreground),
        0,
        "applications are not licensed either"
    );
    let records = stage.records().await;
    assert!(of_kind(&records, Kind::Screenshot).is_empty());
    let keys: u64 = of_kind(&records, Kind::Activity)
        .iter()
        .map(|r| serde_json::from_slice::<Value>(&r.payload).unwrap()["input"]["keys"].as_u64())
        .map(Option::unwrap_or_default)
        .sum();
    assert_eq!(keys, 7);
}

#[tokio::test]
async fn before_the_start_and_after_the_stop_no_source_is_open() {
    let stage = Stage::new("worklog", every_second());
    stage
        .run(async |stage| {
            stage.seconds(5).await;
            for source in [
                Source::Screens,
                Source::Input,
                Source::Foreground,
                Source::Idle,
            ] {
                assert_eq!(stage.desktop.opened(source), 0, "{source:?}");
            }
            stage.start().await;
            stage.until_grabs(2).await;
            stage.stop().await;
            let grabs = stage.desktop.grabs();
            stage.seconds(5).await;
            assert_eq!(stage.desktop.grabs(), grabs);
        })
        .await;
    let records = stage.records().await;
    let last = records
        .iter()
        .rfind(|r| r.header.meta.session_id.is_some())
        .unwrap();
    assert_eq!(
        last.header.kind,
        Kind::Session,
        "nothing of the session comes after its end"
    );
    let seqs: Vec<_> = records.iter().map(|record| record.header.seq).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "{seqs:?}");
}

#[tokio::test]
async fn where_no_tray_can_be_had_an_indicator_is_drawn_and_a_message_says_that_it_runs() {
    for shown in [false, true] {
        let stage = Stage::new("monitoring", every_second());
        if shown {
            // There is an icon, but no panel that shows it.
            stage.desktop.set_tray_is_shown(false);
        } else {
            let gone = Unavailable::Gone("no session bus".into());
            stage.desktop.fail(Source::Tray, gone);
        }
        stage
            .run(async |stage| {
                stage.until_grabs(1).await;
                assert!(stage.desktop.has_indicator());
                let messages = stage.desktop.messages();
                let said = |m: &&Message| m.title == "Glasshour is running" && m.important;
                assert_eq!(
                    messages.iter().filter(said).count(),
                    1,
                    "once, not at each check"
                );
            })
            .await;
    }
}

#[tokio::test]
async fn nothing_is_captured_where_nothing_of_the_agent_can_be_seen() {
    let stage = Stage::new("monitoring", every_second());
    for source in [Source::Tray, Source::Indicator, Source::Notifier] {
        let gone = Unavailable::Gone("no display".into());
        stage.desktop.fail(source, gone);
    }
    stage
        .run(async |stage| {
            until("the status says why", async || {
                let problems = stage.status().await.problems;
                problems
                    .iter()
                    .any(|p| p.contains("because you could not see it"))
            })
            .await;
            stage.seconds(70).await;
            for source in [Source::Screens, Source::Input, Source::Foreground] {
                assert_eq!(stage.desktop.opened(source), 0, "{source:?}");
            }
        })
        .await;
    let records = stage.records().await;
    assert!(of_kind(&records, Kind::Screenshot).is_empty());
    assert!(of_kind(&records, Kind::Activity).is_empty());
    assert!(
        of_kind(&records, Kind::Notice).is_empty(),
        "and no notice is said to be shown"
    );
}

#[tokio::test]
async fn a_license_that_has_run_out_opens_nothing() {
    let mut stage = Stage::new("monitoring", every_second());
    stage.desktop.time().advance(Duration::from_hours(24 * 365));
    stage.reissue(2, |claims| {
        claims["expires_at"] = json!("2026-12-01T00:00:00Z");
    });
    stage
        .run(async |stage| {
            assert_eq!(stage.status().await.state, StateWord::Blocked);
            stage.seconds(3).await;
            for source in [Source::Screens, Source::Input, Source::Foreground] {
                assert_eq!(stage.desktop.opened(source), 0, "{source:?}");
            }
        })
        .await;
    assert_eq!(events(&stage.records().await), []);
}

#[tokio::test]
async fn p20_a_display_that_is_gone_for_good_is_a_log_out() {
    let stage = Stage::new("worklog", every_second());
    let desktop = stage.desktop.clone();
    let config = stage.config();
    let engine = engine::run(config, Arc::new(stage.desktop.clone()));
    let story = async {
        stage.until_it_answers().await;
        stage.start().await;
        stage.seconds(3).await;
        for source in [
            Source::Idle,
            Source::Screens,
            Source::Input,
            Source::Foreground,
        ] {
            desktop.fail(source, Unavailable::Gone("the display is gone".into()));
        }
        // A turn that sees it go, and one after it has been gone for long enough.
        stage.seconds(1).await;
        desktop.time().advance(Duration::from_secs(31));
        stage.try_ask(&Request::Status).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = engine => ended.unwrap(),
        () = story => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("the agent goes on"),
    }
    let started = (SessionEventKind::Started, Cause::User);
    let logged_out = (SessionEventKind::Stopped, Cause::Logout);
    assert_eq!(events(&stage.records().await), [started, logged_out]);
}

#[tokio::test]
async fn p19_a_session_without_any_channel_leaves_signs_of_life() {
    let stage = Stage::new("worklog", json!({"name": "Time only"}));
    stage
        .run(async |stage| {
            stage.start().await;
            stage.seconds(200).await;
        })
        .await;
    stage.records().await;
    stage.run(async |stage| stage.seconds(1).await).await;
    let records = stage.records().await;
    let (_, length) = first_session(&records);
    assert!(
        (165_000..=200_000).contains(&length),
        "{length} ms of 200 s"
    );
}

#[tokio::test]
async fn p04_monitoring_shows_its_notice_and_its_icon_and_offers_no_end() {
    let stage = Stage::new("monitoring", every_second());
    stage
        .run(async |stage| {
            assert_eq!(stage.status().await.state, StateWord::Tracking);
            until("the icon is drawn", async || {
                stage
                    .desktop
                    .views()
                    .last()
                    .is_some_and(|view| view.icon == Icon::Tracking)
            })
            .await;
            until("the notice is shown", async || {
                stage
                    .desktop
                    .messages()
                    .iter()
                    .any(|message| message.title.contains("Acme"))
            })
            .await;
            // A stale menu might still offer it.
            stage.desktop.pick(Action::Quit);
            stage.desktop.pick(Action::Stop);
            stage.seconds(2).await;
            assert_eq!(stage.status().await.state, StateWord::Tracking);
        })
        .await;
    assert!(Notices::open(stage.home()).was_shown(LICENSE));
    let records = stage.records().await;
    let notice: Value =
        serde_json::from_slice(&of_kind(&records, Kind::Notice)[0].payload).unwrap();
    assert_eq!(
        notice["event"],
        serde_json::to_value(NoticeKind::Shown).unwrap()
    );
}

#[tokio::test]
async fn an_excluded_window_is_in_no_stored_picture() {
    let mut profile = every_second();
    profile["exclude"] = json!({"applications": ["KeePassXC"]});
    let stage = Stage::new("worklog", profile);
    stage.desktop.set_windows(vec![Window {
        id: 2,
        application: "KeePassXC".into(),
        title: "vault".into(),
        area: Rect {
            x: 20,
            y: 20,
            width: 60,
            height: 40,
        },
        active: false,
    }]);
    stage
        .run(async |stage| {
            stage.start().await;
            stage.until_grabs(2).await;
            stage.stop().await;
        })
        .await;
    let records = stage.records().await;
    let shots = of_kind(&records, Kind::Screenshot);
    let shot = shots
        .iter()
        .find(|record| !record.payload.is_empty())
        .unwrap();
    let frame = shot.header.meta.frame.as_ref().unwrap();
    assert_eq!((frame.masked_windows, frame.windows_unknown), (1, false));
    let pixels = decode(&shot.payload);
    let at = |x: usize, y: usize| pixels[y * frame.width as usize + x];
    let grey = at(50, 40);
    assert!(
        grey.iter().all(|channel| channel.abs_diff(96) < 6),
        "{grey:?}"
    );
    assert_ne!(at(10, 10), grey, "the rest is still a picture");
}

#[tokio::test]
async fn where_windows_cannot_be_told_the_whole_picture_is_blurred_and_says_so() {
    let mut profile = every_second();
    profile["exclude"] = json!({"title_contains": ["Private"]});
    let stage = Stage::new("worklog", profile);
    stage.desktop.fail(
        Source::Windows,
        Unavailable::Gone("no window manager".into()),
    );
    stage
        .run(async |stage| {
            stage.start().await;
            stage.until_grabs(2).await;
            stage.stop().await;
        })
        .await;
    let records = stage.records().await;
    let frame = of_kind(&records, Kind::Screenshot)[0]
        .header
        .meta
        .frame
        .clone()
        .unwrap();
    assert_eq!(
        (frame.blur.as_str(), frame.windows_unknown),
        ("strong", true)
    );
}

#[tokio::test]
async fn an_unchanged_screen_costs_no_picture_and_a_changed_one_does() {
    let mut profile = every_second();
    profile["screenshots"]["skip_unchanged"] = json!(true);
    let stage = Stage::new("worklog", profile);
    let name = "fake-1";
    stage
        .run(async |stage| {
            stage.start().await;
            stage.until_grabs(4).await;
            let monitor = stage.desktop.clone();
            monitor.queue_frame(name, picture(64, 64, 9));
            stage.until_grabs(stage.desktop.grabs() + 2).await;
            stage.stop().await;
        })
        .await;
    let records = stage.records().await;
    let shots = of_kind(&records, Kind::Screenshot);
    let unchanged = shots
        .iter()
        .filter(|r| r.header.meta.frame.as_ref().unwrap().unchanged)
        .collect::<Vec<_>>();
    assert!(!unchanged.is_empty());
    assert!(unchanged.iter().all(|record| record.payload.is_empty()));
    assert!(shots.len() > unchanged.len());
}

#[tokio::test]
async fn p19_sleep_ends_a_worklog_and_says_so() {
    let stage = Stage::new("worklog", every_second());
    stage
        .run(async |stage| {
            stage.start().await;
            stage.seconds(3).await;
            stage.desktop.time().sleep(Duration::from_hours(8));
            assert_eq!(stage.status().await.state, StateWord::Stopped);
            until("a message says so", async || {
                stage
                    .desktop
                    .messages()
                    .iter()
                    .any(|m| m.body.contains("went to sleep"))
            })
            .await;
            assert!(stage.status().await.today_ms < 60_000);
        })
        .await;
    let started = (SessionEventKind::Started, Cause::User);
    let slept = (SessionEventKind::Stopped, Cause::Sleep);
    assert_eq!(events(&stage.records().await), [started, slept]);
}

#[tokio::test]
async fn p19_a_session_that_a_crash_cut_is_ended_at_the_next_start() {
    let stage = Stage::new("worklog", every_second());
    stage
        .run(async |stage| {
            stage.start().await;
            stage.seconds(65).await;
        })
        .await;
    stage.desktop.time().advance(Duration::from_hours(1));
    // The spool of the first run is let go of by its thread a moment after the agent is gone.
    stage.records().await;
    stage.run(async |stage| stage.seconds(1).await).await;
    let records = stage.records().await;
    let (stopped, length) = first_session(&records);
    assert_eq!(stopped.cause, Cause::CrashRecovered);
    assert!(
        (60_000..=66_000).contains(&length),
        "{length} ms, not the hour after the crash"
    );
}

#[tokio::test]
async fn a_display_that_goes_and_comes_back_is_a_reason_and_then_none() {
    let stage = Stage::new("worklog", every_second());
    let reason = |status: &Status| {
        let shots = status
            .channels
            .iter()
            .find(|channel| channel.channel == "screenshots");
        shots.and_then(|channel| channel.reason.clone())
    };
    stage
        .run(async |stage| {
            stage.start().await;
            stage.until_grabs(1).await;
            let gone = Unavailable::Gone("the display is gone".into());
            stage.desktop.fail(Source::Screens, gone);
            until("the reason is given", async || {
                stage.seconds(1).await;
                reason(&stage.status().await).is_some_and(|text| text.contains("is gone"))
            })
            .await;
            stage.desktop.heal(Source::Screens);
            until("it works again", async || {
                stage.seconds(1).await;
                reason(&stage.status().await).is_none()
            })
            .await;
            assert_eq!(stage.status().await.state, StateWord::Tracking);
            stage.stop().await;
        })
        .await;
    let started = (SessionEventKind::Started, Cause::User);
    let stopped = (SessionEventKind::Stopped, Cause::User);
    assert_eq!(
        events(&stage.records().await),
        [started, stopped],
        "the session itself went on"
    );
}

#[tokio::test]
async fn p13_monitoring_ends_when_the_administrator_takes_the_file_away() {
    let stage = Stage::new("monitoring", json!({"name": "Standard"}));
    let folder = stage.dir.path().join("license.d");
    std::fs::create_dir(&folder).unwrap();
    let loaded = format!("{}.license.gz", LICENSE.0);
    let file = folder.join("everybody.license.gz");
    std::fs::copy(stage.home().licenses().join(loaded), &file).unwrap();
    stage
        .run(async |stage| {
            stage.seconds(2).await;
            assert_eq!(stage.status().await.state, StateWord::Tracking);
            std::fs::remove_file(&file).unwrap();
            stage.seconds(31).await;
            assert_eq!(stage.status().await.state, StateWord::NoLicense);
        })
        .await;
}
