//! What stays on this computer: captures that wait to be looked at, while the clock is set; and what was
//! refused of a license that was loaded by mistake.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod stage;

use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::held::{HeldAnswer, HeldCapture, HeldRequest};
use glasshour_agent::ipc::{Answer, Request, call};
use glasshour_agent::license::{LicenseStore, LoadOptions};
use glasshour_agent::seal_key::spool_config;
use glasshour_protocol::payload::JSON;
use glasshour_protocol::{Kind, RecordMeta};
use glasshour_uploader::spool::{CapturedAt, Settlement};
use glasshour_uploader::{Draft, Spool};
use serde_json::json;
use stage::{ACME, Stage, of, start, until};

const HOLD: Duration = Duration::from_mins(10);
const IN_2099: i64 = 4_070_908_800_000;

async fn held(stage: &Stage) -> Vec<HeldCapture> {
    let request = Request::Held(HeldRequest::List);
    match call(&stage.home().socket(), &request).await.unwrap() {
        Answer::Held(HeldAnswer::List { captures }) => captures,
        other => panic!("{other:?}"),
    }
}

/// Minutes until it is sent, by the clock of the person.
fn minutes_left(stage: &Stage, capture: &HeldCapture) -> i64 {
    (capture.until_ms - stage.desktop.time().now().wall_ms + 59_999) / 60_000
}

fn with_hold() -> serde_json::Value {
    json!({"name": "P", "activity": {"input_counts": true}, "review_hold_s": HOLD.as_secs()})
}

#[tokio::test]
async fn what_is_held_is_held_as_long_as_licensed_however_the_clock_is_set() {
    let stage = Stage::new();
    stage.load(ACME, "worklog", with_hold());
    let time = stage.desktop.time();
    let nine = time.now().wall_ms;
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.until_capturing(ACME).await;
            until("a minute is held", async || {
                stage.seconds(10).await;
                !held(stage).await.is_empty()
            })
            .await;
            let first = held(stage).await.first().unwrap().clone();
            assert_eq!(minutes_left(stage, &first), 10);
            // Ahead: nobody has looked at it yet, and it stays. Back: it goes no later for it.
            for wall_ms in [IN_2099, nine - 3_600_000] {
                time.set_wall_ms(wall_ms);
                stage.seconds(1).await;
                let waiting = held(stage).await;
                let still = waiting.iter().find(|one| one.record_id == first.record_id);
                let still = still.unwrap_or_else(|| panic!("gone at {wall_ms}"));
                assert_eq!(minutes_left(stage, still), 10, "at {wall_ms}");
            }
            time.advance(HOLD);
            stage.seconds(1).await;
            let ids = held(stage).await;
            assert!(
                ids.iter().all(|one| one.record_id != first.record_id),
                "{ids:?}"
            );
        })
        .await;
}

#[tokio::test]
async fn what_was_captured_while_the_clock_was_ahead_does_not_wait_for_years() {
    let stage = Stage::new();
    stage.load(ACME, "worklog", with_hold());
    let time = stage.desktop.time();
    let nine = time.now().wall_ms;
    time.set_wall_ms(IN_2099);
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.until_capturing(ACME).await;
            until("a minute is held", async || {
                stage.seconds(10).await;
                !held(stage).await.is_empty()
            })
            .await;
        })
        .await;
    stage.records(ACME).await;
    // The computer is off for a minute, and its clock is right again.
    time.reboot(Duration::from_mins(1));
    time.set_wall_ms(nine);
    stage
        .run(async |stage| {
            let waiting = held(stage).await;
            let left = minutes_left(stage, waiting.first().unwrap());
            // What passed since the clock was kept last counts once more: minutes, not years.
            assert!((1..=12).contains(&left), "{left}");
            time.advance(HOLD + Duration::from_mins(2));
            stage.seconds(1).await;
            assert_eq!(held(stage).await, []);
        })
        .await;
}

#[tokio::test]
async fn what_was_refused_of_a_license_by_mistake_is_no_problem_once_that_is_undone() {
    let stage = Stage::new();
    let profile = || json!({"name": "P", "activity": {"input_counts": true}});
    stage.load(ACME, "worklog", profile());
    let trusted = |serial: u64, key: u8, number: u64| {
        let mut claims = ACME.claims("worklog", profile(), serial);
        claims["license_id"] = json!(ACME.license(number));
        let claims = serde_json::from_value(claims).unwrap();
        let key = SigningKey::from_bytes(&[key; 32]);
        let file = glasshour_license_format::sign(&claims, &key).unwrap();
        let options = LoadOptions {
            trust_new_key: true,
            ..LoadOptions::strict(jiff::Timestamp::MIN)
        };
        let signed = glasshour_license_format::read(&file).unwrap();
        let store = LicenseStore::new(stage.home());
        store.load(&file, signed, &options).unwrap();
    };
    // Somebody's forgery; the employer's server takes nothing that was captured under it.
    trusted(9, 77, 500);
    {
        let home = stage.home();
        let config = spool_config(&home, ACME.id(), u64::MAX).unwrap();
        let spool = Spool::open(&home.spool(ACME.id()), config).unwrap();
        let draft = Draft {
            license_id: ACME.license(500),
            kind: Kind::Activity,
            captured: CapturedAt {
                wall_ms: 1,
                mono_ms: 1,
                boot_id: "boot".into(),
                utc_offset_min: 0,
            },
            content_type: JSON.into(),
            payload: b"{}".to_vec(),
            meta: RecordMeta::default(),
            hold_until_ms: 0,
        };
        let pushed = spool.push(draft).await.unwrap();
        spool.lease(1, i64::MAX).await.unwrap();
        let refused = Settlement::Quarantined {
            code: "license_unknown".into(),
            message: "This server did not issue that license.".into(),
        };
        spool.settle(pushed.record_id, refused).await.unwrap();
    }
    stage.records(ACME).await;
    let problem = "The server refuses some records";
    stage
        .run(async |stage| {
            let status = stage.status().await;
            assert!(status.problems.concat().contains(problem), "{status:?}");
            assert_eq!(of(&status, ACME).spool.quarantined, 1);
        })
        .await;
    stage.records(ACME).await;
    trusted(2, 1, 2);
    stage
        .run(async |stage| {
            let status = stage.status().await;
            assert!(!status.problems.concat().contains(problem), "{status:?}");
            assert_eq!(status.refusals, []);
            let spool = of(&status, ACME).spool;
            assert_eq!((spool.quarantined, spool.of_strangers), (0, 1));
        })
        .await;
}
