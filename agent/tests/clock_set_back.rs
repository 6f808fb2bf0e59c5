//! A license that has run out, on a computer whose clock is set back or was far ahead.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::engine::{self, RunConfig};
use glasshour_agent::home::Home;
use glasshour_agent::ipc::{Answer, Request, call};
use glasshour_agent::license::{LatestTime, LicenseStore, LoadError, LoadOptions};
use glasshour_agent::platform::fake::FakeDesktop;
use glasshour_agent::status::{StateWord, Status};
use glasshour_protocol::CompanyId;
use glasshour_protocol::device::DeviceState;
use serde_json::json;
use uuid::Uuid;

const COMPANY: CompanyId = CompanyId(Uuid::from_u128(1));
/// Some seconds after the fake clock begins.
const ENDS: &str = "2026-11-23T10:00:00Z";
/// When the fake clock begins: an hour before that.
const NINE: i64 = 1_795_424_400_000;
const IN_2099: i64 = 4_070_908_800_000;

fn license(serial: u64, server_url: &str) -> Vec<u8> {
    let claims = json!({
        "version": 1,
        "license_id": Uuid::from_u128(u128::from(serial) + 100),
        "serial": serial,
        "issued_at": "2026-11-21T09:00:00Z",
        "expires_at": ENDS,
        "issuer": {"company": "Acme", "company_id": COMPANY, "server_url": server_url},
        "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
        "work_mode": "worklog",
        "profile": {"name": "All", "activity": {"input_counts": true}},
    });
    let claims = serde_json::from_value(claims).unwrap();
    glasshour_license_format::sign(&claims, &SigningKey::from_bytes(&[8; 32])).unwrap()
}

fn load(home: &Home, file: &[u8], wall_ms: i64) -> Result<(), LoadError> {
    let options =
        LoadOptions::strict(LatestTime::open(home.clone()).now_for_validity(COMPANY, wall_ms));
    let signed = glasshour_license_format::read(file).unwrap();
    LicenseStore::new(home.clone())
        .load(file, signed, &options)
        .map(drop)
}

/// Runs the agent until its status is as wanted, and returns that.
async fn run_until(
    home: &Home,
    desktop: &FakeDesktop,
    what: &str,
    mut wanted: impl FnMut(&Status) -> bool,
) -> Status {
    let config = RunConfig {
        home: home.clone(),
        license_dir: home.root().join("license.d"),
        allow_plain_http: vec![],
        trusted_keys: glasshour_agent::license::TrustedKeys::default(),
        spool_quota_bytes: glasshour_uploader::spool::DEFAULT_QUOTA_BYTES,
        line: glasshour_uploader::send::Line::default(),
        words: glasshour_words::Words::ENGLISH,
        tray: true,
    };
    let story = async {
        loop {
            if let Ok(Answer::Done { status }) = call(&home.socket(), &Request::Status).await
                && wanted(&status)
            {
                return *status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let status = tokio::select! {
        ended = engine::run(config, Arc::new(desktop.clone())) => panic!("the agent ended: {ended:?}"),
        status = story => status,
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("never: {what}"),
    };
    // Its spool's thread lets go of the file a moment later; the next agent needs it.
    let lock = std::fs::File::open(home.spool(COMPANY).with_extension("lock")).unwrap();
    while lock.try_lock().is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    status
}

fn is_blocked(status: &Status) -> bool {
    status.state == StateWord::Blocked
}

#[tokio::test]
async fn a_clock_set_back_does_not_bring_a_license_back_not_after_a_restart_either() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let desktop = FakeDesktop::new();
    // Nothing listens on the discard port: the server cannot be reached.
    load(&home, &license(1, "http://127.0.0.1:9"), NINE).unwrap();
    let stopped = |status: &Status| status.state == StateWord::Stopped;
    run_until(&home, &desktop, "it is valid", stopped).await;
    desktop.time().advance(Duration::from_hours(2));
    let status = run_until(&home, &desktop, "it has run out", is_blocked).await;
    assert!(!status.blocked.unwrap().message.contains("set back"));

    desktop.time().set_wall_ms(NINE);
    let status = run_until(&home, &desktop, "it is blocked still", |_| true).await;
    assert_eq!(status.state, StateWord::Blocked);
    let message = status.blocked.unwrap().message;
    assert!(
        message.contains("The clock of this computer was set back"),
        "{message}"
    );
    let again = load(&home, &license(2, "http://127.0.0.1:9"), NINE);
    assert!(matches!(again, Err(LoadError::Expired(_))), "{again:?}");
}

#[tokio::test]
async fn the_server_heals_a_clock_that_was_far_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let desktop = FakeDesktop::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    load(&home, &license(1, &url), NINE).unwrap();
    desktop.time().set_wall_ms(IN_2099);
    run_until(&home, &desktop, "it seems to have run out", is_blocked).await;
    desktop.time().set_wall_ms(NINE);

    let device = glasshour_agent::device::open(&home, COMPANY).unwrap();
    let state = DeviceState {
        device_id: device.device_id,
        company_id: COMPANY,
        employee_id: serde_json::from_value(json!(Uuid::from_u128(3))).unwrap(),
        employee_active: true,
        current_serial: 1,
        projects: vec![],
        server_time_ms: NINE + 1_000,
    };
    std::thread::spawn(move || serve(&listener, &serde_json::to_string(&state).unwrap()));
    run_until(&home, &desktop, "the license is good again", |status| {
        status.state == StateWord::Stopped
    })
    .await;
    // It is remembered, for when the server cannot be reached.
    let latest = LatestTime::open(home).now_for_validity(COMPANY, 0);
    assert_eq!(latest.as_millisecond(), NINE + 1_000);
}

/// Answers every request with that body, one connection at a time.
fn serve(listener: &TcpListener, body: &str) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        // A client that hangs up in the middle ends its own request alone.
        let _ = reader.read_exact(&mut vec![0; length]);
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
    }
}
