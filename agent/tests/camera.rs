//! The camera channel of the running agent: announced, taken, kept, and otherwise a reason.
//!
//! The camera's pictures are a file; time stands still until a test moves it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::engine::{self, RunConfig};
use glasshour_agent::home::Home;
use glasshour_agent::ipc::{Answer, Request, call};
use glasshour_agent::license::{LicenseStore, LoadOptions, TrustedKeys};
use glasshour_agent::platform::fake::{FakeDesktop, Source};
use glasshour_agent::platform::{SystemEvent, Unavailable};
use glasshour_agent::seal_key::spool_config;
use glasshour_agent::session::Absence;
use glasshour_agent::status::Status;
use glasshour_protocol::payload::ChannelHealth;
use glasshour_protocol::{CompanyId, Kind, RecordHeader};
use glasshour_uploader::Spool;
use serde_json::{Value, json};
use uuid::Uuid;

const COMPANY: CompanyId = CompanyId(Uuid::from_u128(1));
const PATIENCE: Duration = Duration::from_secs(20);

struct Stage {
    dir: tempfile::TempDir,
    desktop: FakeDesktop,
}

impl Stage {
    fn new(profile: &Value) -> Self {
        let stage = Self {
            dir: tempfile::tempdir().unwrap(),
            desktop: FakeDesktop::new(),
        };
        let claims = json!({
            "version": 1,
            "license_id": Uuid::from_u128(2),
            "serial": 1,
            "issued_at": "2026-11-21T09:00:00Z",
            "issuer": {"company": "Acme", "company_id": COMPANY, "server_url": "http://127.0.0.1:9"},
            "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
            "work_mode": "monitoring",
            "profile": profile,
        });
        let claims = serde_json::from_value(claims).unwrap();
        let key = SigningKey::from_bytes(&[8; 32]);
        let file = glasshour_license_format::sign(&claims, &key).unwrap();
        let options = LoadOptions::strict(jiff::Timestamp::MIN);
        let signed = glasshour_license_format::read(&file).unwrap();
        let store = LicenseStore::new(stage.home());
        store.load(&file, signed, &options).unwrap();
        stage
    }

    fn home(&self) -> Home {
        Home::open(self.dir.path()).unwrap()
    }

    /// A camera that sees one colour.
    fn plug_in(&self) -> PathBuf {
        let file = self.dir.path().join("camera.ppm");
        let mut bytes = b"P6\n32 24\n255\n".to_vec();
        bytes.extend([200_u8, 30, 60].repeat(32 * 24));
        std::fs::write(&file, bytes).unwrap();
        self.desktop.set_camera(Some(file.clone()));
        file
    }

    async fn run(&self, story: impl AsyncFnOnce(&Self)) {
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
        tokio::select! {
            ended = engine::run(config, Arc::new(self.desktop.clone())) => {
                panic!("the agent ended: {ended:?}")
            }
            () = async {
                self.until("a session is captured", |status| status.capturing).await;
                story(self).await;
            } => {}
        }
        let path = self.home().spool(COMPANY).with_extension("lock");
        let lock = std::fs::File::open(path).unwrap();
        while lock.try_lock().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn status(&self) -> Option<Status> {
        match call(&self.home().socket(), &Request::Status).await {
            Ok(Answer::Done { status }) => Some(*status),
            _ => None,
        }
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let asked = async {
            loop {
                if let Some(status) = self.status().await.filter(&wanted) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, asked).await;
        reached.unwrap_or_else(|_| panic!("until {what}"))
    }

    /// Lets seconds pass, one turn each, until the condition holds.
    async fn pass_until(&self, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
        let asked = async {
            loop {
                self.desktop.time().advance(Duration::from_secs(1));
                self.desktop.add_keys(1);
                if let Some(status) = self.status().await.filter(&wanted) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, asked).await;
        reached.unwrap_or_else(|_| panic!("until {what}"))
    }

    fn announcements(&self) -> usize {
        let messages = self.desktop.messages();
        messages.iter().filter(|m| m.title == "Camera").count()
    }

    async fn pictures(&self) -> Vec<(RecordHeader, Vec<u8>)> {
        let config = spool_config(&self.home(), COMPANY, u64::MAX).unwrap();
        let key = config.identity.key.verifying_key();
        let spool = Spool::open(&self.home().spool(COMPANY), config).unwrap();
        let leased = spool.lease(10_000, i64::MAX).await.unwrap();
        leased
            .into_iter()
            .map(|record| (record.header.verify(&key).unwrap(), record.payload))
            .filter(|(header, _)| header.kind == Kind::Camera)
            .collect()
    }
}

fn camera(status: &Status) -> &ChannelHealth {
    let mut channels = status.channels.iter();
    channels.find(|c| c.channel == "camera").unwrap()
}

fn often() -> Value {
    json!({"name": "Camera", "camera": {"per_hour": 60}})
}

#[tokio::test]
async fn a_picture_is_announced_first_then_taken_and_kept_and_the_tray_says_so() {
    let stage = Stage::new(&often());
    stage.plug_in();
    stage
        .run(async |stage| {
            stage
                .pass_until("it is announced", |_| stage.announcements() == 1)
                .await;
            assert_eq!(
                stage.desktop.camera_pictures(),
                0,
                "not before it is announced"
            );
            let message = stage.desktop.messages().pop().unwrap();
            assert!(message.body.contains("for Acme"), "{message:?}");
            stage
                .until("the tray says so", |_| {
                    let views = stage.desktop.views();
                    views.last().unwrap().tooltip.contains("camera")
                })
                .await;
            // Time stands still: five seconds have not passed.
            assert_eq!(stage.desktop.camera_pictures(), 0);
            let status = stage
                .pass_until("it is taken", |s| camera(s).last_capture_ms.is_some())
                .await;
            assert_eq!(camera(&status).granted, Some(true));
            assert_eq!(camera(&status).reason, None);
            stage
                .until("the tray is as before", |_| {
                    let views = stage.desktop.views();
                    !views.last().unwrap().tooltip.contains("camera")
                })
                .await;
        })
        .await;
    let pictures = stage.pictures().await;
    assert_eq!(pictures.len(), 1);
    let (header, webp) = pictures.first().unwrap();
    assert_eq!(header.content_type, "image/webp");
    assert!(header.meta.session_id.is_some());
    let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(webp)).unwrap();
    assert_eq!(decoder.dimensions(), (32, 24));
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
    decoder.read_image(&mut pixels).unwrap();
    let near = |a: u8, b: u8| a.abs_diff(b) < 12;
    assert!(
        matches!(pixels.as_slice(), [r, g, b, ..] if near(*r, 200) && near(*g, 30) && near(*b, 60)),
        "{:?}",
        pixels.first_chunk::<3>()
    );
}

#[tokio::test]
async fn no_picture_is_made_that_could_not_be_announced() {
    let stage = Stage::new(&often());
    stage.plug_in();
    let hung_up = Unavailable::Gone("no service shows messages".into());
    stage.desktop.fail(Source::Notifier, hung_up);
    stage
        .run(async |stage| {
            let status = stage
                .pass_until("it says why", |s| camera(s).reason.is_some())
                .await;
            let reason = camera(&status).reason.clone().unwrap();
            assert!(reason.contains("could not be told"), "{reason}");
            assert_eq!(stage.desktop.camera_pictures(), 0);
            assert_eq!(camera(&status).granted, Some(false));
        })
        .await;
    assert_eq!(stage.pictures().await.len(), 0);
}

#[tokio::test]
async fn a_camera_that_is_missing_busy_or_unplugged_says_so_and_is_found_when_it_is_back() {
    let stage = Stage::new(&often());
    stage
        .run(async |stage| {
            let says = async |words: &'static str| {
                stage
                    .pass_until(words, |s| {
                        camera(s).reason.as_ref().is_some_and(|r| r.contains(words))
                    })
                    .await
            };
            says("no camera was found").await;
            assert_eq!(stage.announcements(), 0, "nothing to announce");
            let file = stage.plug_in();
            let taken = std::fs::File::open(&file).unwrap();
            taken.lock().unwrap();
            says("in use by another program").await;
            drop(taken);
            let aside = file.with_extension("aside");
            std::fs::rename(&file, &aside).unwrap();
            says("was unplugged").await;
            std::fs::rename(&aside, &file).unwrap();
            let status = stage
                .pass_until("it works", |s| camera(s).granted == Some(true))
                .await;
            assert_eq!(camera(&status).reason, None);
        })
        .await;
    assert_eq!(stage.pictures().await.len(), 1);
}

#[tokio::test]
async fn a_picture_that_was_announced_is_not_taken_when_the_screen_is_locked_meanwhile() {
    let stage = Stage::new(&often());
    stage.plug_in();
    stage
        .run(async |stage| {
            stage
                .pass_until("it is announced", |_| stage.announcements() == 1)
                .await;
            let waiting = stage.desktop.leave(Absence::Locked).unwrap();
            stage
                .pass_until("the session has ended", |s| {
                    waiting.is_over() && !s.capturing
                })
                .await;
            for _ in 0..70 {
                stage.desktop.time().advance(Duration::from_secs(1));
                stage.status().await.unwrap();
            }
            assert_eq!(stage.desktop.camera_pictures(), 0);
            assert!(stage.desktop.tell(SystemEvent::Returns(Absence::Locked)));
            stage
                .pass_until("the next one is taken", |_| {
                    stage.desktop.camera_pictures() == 1
                })
                .await;
            assert_eq!(stage.announcements(), 2, "and was announced anew");
        })
        .await;
}

#[tokio::test]
async fn p12_without_the_license_the_camera_is_never_touched() {
    let stage = Stage::new(&json!({"name": "Time", "activity": {"input_counts": true}}));
    stage.plug_in();
    stage
        .run(async |stage| {
            for _ in 0..120 {
                stage.desktop.time().advance(Duration::from_mins(1));
                let status = stage.status().await.unwrap();
                assert!(!camera(&status).permitted);
            }
            assert_eq!(stage.announcements(), 0);
            assert_eq!(stage.desktop.camera_pictures(), 0);
        })
        .await;
}
