//! Gate 2, alone: a forged record for every detail of a profile is pushed straight into the spool, as
//! an agent without its own gate would, and must not reach a server that would take anything. Each has
//! a twin that arrives.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../license-format/tests/forged/mod.rs"]
mod forged;
mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use forged::{Capture, Case, cases};
use glasshour_license_format::Claims;
use glasshour_protocol::device::{DeviceState, EnrollRequest};
use glasshour_protocol::jws::Jwk;
use glasshour_protocol::{EmployeeId, LicenseId, Receipt, RecordId, RecordMeta};
use glasshour_uploader::send::LicenseBook;
use glasshour_uploader::spool::{CapturedAt, Draft};
use glasshour_uploader::{Sender, SenderConfig, Spool};
use support::{COMPANY, DEVICE, LICENSE, NOW_MS, StoppedAt, claims, identity, key};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Arrived = Arc<Mutex<BTreeSet<RecordId>>>;

struct Book(Claims);

impl LicenseBook for Book {
    fn claims(&self, _: LicenseId) -> Option<Arc<Claims>> {
        Some(Arc::new(self.0.clone()))
    }
}

async fn enroll() -> Json<DeviceState> {
    Json(DeviceState {
        device_id: DEVICE,
        company_id: COMPANY,
        employee_id: EmployeeId(Uuid::from_u128(4)),
        employee_active: true,
        current_serial: 1,
        projects: vec![],
        server_time_ms: NOW_MS,
    })
}

async fn store(
    State(arrived): State<Arrived>,
    Segment(id): Segment<RecordId>,
) -> (StatusCode, Json<Receipt>) {
    let receipt = Receipt {
        record_id: id,
        stored_at_ms: NOW_MS,
        new: arrived.lock().unwrap().insert(id),
    };
    (StatusCode::CREATED, Json(receipt))
}

/// A server that takes anything; what it took, and its address.
async fn server() -> (Arrived, String) {
    let arrived = Arrived::default();
    let routes = Router::new()
        .route("/api/v1/devices", post(enroll))
        .route("/api/v1/records/{id}", put(store))
        .with_state(arrived.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (arrived, format!("http://{address}"))
}

fn draft(capture: &Capture) -> Draft {
    Draft {
        license_id: LICENSE,
        kind: capture.kind,
        captured: CapturedAt {
            wall_ms: capture.wall_ms(),
            mono_ms: capture.boot_ms(),
            boot_id: "boot".into(),
            utc_offset_min: 60,
        },
        content_type: capture.content_type().into(),
        payload: capture.payload(),
        meta: RecordMeta {
            frame: capture.frame(),
            boot_ms: capture.is_picture().then_some(capture.boot_ms()),
            ..RecordMeta::default()
        },
        hold_until_ms: 0,
    }
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Arrived,
    /// Set aside with that code.
    Refused(String),
}

/// An agent's life: opens the spool, pushes, sends until nothing waits, and ends.
async fn live(file: &Path, case: &Case, url: &str, captures: &[&Capture]) -> Vec<Fate> {
    let mut claims = claims();
    claims.profile = case.profile();
    live_under(file, claims, url, captures).await
}

async fn live_under(file: &Path, claims: Claims, url: &str, captures: &[&Capture]) -> Vec<Fate> {
    let (file, identity) = (file.to_owned(), identity());
    let (file, device) = (file.clone(), identity.clone());
    let opened = move || loop {
        // The one before lets go of it in its own thread.
        match Spool::open(&file, device.clone()) {
            Err(glasshour_uploader::spool::OpenError::InUse { .. }) => std::thread::yield_now(),
            spool => return spool,
        }
    };
    let spool = tokio::task::spawn_blocking(opened).await.unwrap().unwrap();
    let config = SenderConfig {
        server_url: url.to_owned(),
        company_id: COMPANY,
        identity,
        enrollment: EnrollRequest {
            device_id: DEVICE,
            public_key: Jwk::from_key(&key().verifying_key()),
            license_gz: String::new(),
            host_name: "desk".into(),
            os_user: "jo".into(),
            platform: "test".into(),
            agent_version: "0".into(),
        },
        serial: 1,
        licenses: Arc::new(Book(claims)),
        wall: Arc::new(StoppedAt(NOW_MS)),
        user_agent: "glasshour-test".into(),
        line: glasshour_uploader::send::Line::default(),
    };
    let mut ids = Vec::new();
    for capture in captures {
        ids.push(spool.push(draft(capture)).await.unwrap().record_id);
    }
    let (sender, _status) = Sender::new(spool.clone(), config).unwrap();
    let cancel = CancellationToken::new();
    let sending = tokio::spawn(sender.run(cancel.clone()));
    let settled = async {
        while spool.stats().await.unwrap().waiting > 0 {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(20), settled).await;
    in_time.unwrap_or_else(|_| panic!("it still waits: {captures:?}"));
    cancel.cancel();
    sending.await.unwrap();
    let refusals = spool.refusals(100).await.unwrap();
    let fate = |id: RecordId| {
        let refusal = refusals.iter().find(|refusal| refusal.record_id == id);
        refusal.map_or(Fate::Arrived, |refusal| Fate::Refused(refusal.code.clone()))
    };
    ids.into_iter().map(fate).collect()
}

#[tokio::test]
async fn p12_the_uploader_alone_sends_nothing_that_exceeds_its_license_in_any_detail() {
    let (arrived, url) = server().await;
    for case in cases() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("spool.sqlite");
        let before = live(&file, &case, &url, &case.before.iter().collect::<Vec<_>>()).await;
        assert!(
            before.iter().all(|fate| *fate == Fate::Arrived),
            "{}: {before:?}",
            case.name
        );
        // Another life: what was delivered before is known all the same.
        let count = arrived.lock().unwrap().len();
        let fate = live(&file, &case, &url, &[&case.forged]).await;
        assert_eq!(fate, [Fate::Refused(case.code.clone())], "{}", case.name);
        assert_eq!(arrived.lock().unwrap().len(), count, "{}", case.name);

        let fate = live(&file, &case, &url, &[&case.permitted]).await;
        assert_eq!(fate, [Fate::Arrived], "{}: its twin", case.name);
        assert_eq!(arrived.lock().unwrap().len(), count + 1, "{}", case.name);
    }
}

#[tokio::test]
async fn p12_the_uploader_alone_sends_nothing_from_before_its_license_began_or_after_it_ended() {
    let (arrived, url) = server().await;
    let mut claims = claims();
    claims.profile = serde_json::from_value(serde_json::json!({
        "name": "P", "screenshots": {"per_hour": 60}, "camera": {"per_hour": 60},
        "activity": {"input_counts": true},
    }))
    .unwrap();
    let at = |ms: i64| Some(jiff::Timestamp::from_millisecond(ms).unwrap());
    claims.not_before = at(forged::NOON_MS);
    claims.expires_at = at(forged::NOON_MS + 3_600_000);
    let capture = |kind: &str, minute: f64| -> Capture {
        let input = kind == "activity";
        serde_json::from_value(serde_json::json!({
            "kind": kind, "minute": minute, "input": input,
        }))
        .unwrap()
    };
    for (kind, minute, arrives) in [
        ("screenshot", -1.0, false),
        ("screenshot", 0.0, true),
        ("screenshot", 59.0, true),
        ("screenshot", 60.0, false),
        ("camera", -1.0, false),
        ("camera", 60.0, false),
        ("activity", -1.0, false),
        ("activity", 59.5, true),
        ("activity", 60.0, false),
        ("activity", 62.0, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("spool.sqlite");
        let count = arrived.lock().unwrap().len();
        let capture = capture(kind, minute);
        let fate = live_under(&file, claims.clone(), &url, &[&capture]).await;
        let wanted = if arrives {
            Fate::Arrived
        } else {
            Fate::Refused("license_expired".into())
        };
        assert_eq!(fate, [wanted], "{kind} at {minute}");
        let now = arrived.lock().unwrap().len();
        assert_eq!(now, count + usize::from(arrives), "{kind} at {minute}");
    }
}

#[tokio::test]
async fn p12_of_a_backlog_exactly_what_is_within_the_rate_is_sent() {
    let (arrived, url) = server().await;
    let case = cases()
        .into_iter()
        .find(|case| case.code == "rate_exceeded" && !case.before.is_empty())
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("spool.sqlite");
    let mut all: Vec<_> = case.before.iter().collect();
    all.extend([&case.forged, &case.permitted]);
    let fates = live(&file, &case, &url, &all).await;
    let mut wanted: Vec<_> = case.before.iter().map(|_| Fate::Arrived).collect();
    wanted.extend([Fate::Refused(case.code.clone()), Fate::Arrived]);
    assert_eq!(fates, wanted);
    assert_eq!(arrived.lock().unwrap().len(), all.len() - 1);
}
