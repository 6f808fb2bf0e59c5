//! Gate 3, alone: a forged record for every detail of a profile, signed by an enrolled device and put
//! straight to the server, as an agent and an uploader without any gate would. Each passes everything
//! but the license, and has a twin that is stored.

mod common;
#[path = "../../license-format/tests/forged/mod.rs"]
mod forged;

use axum::http::StatusCode;
use common::{Device, Made, Server};
use forged::{Capture, Case, cases};
use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::{RecordHeader, RecordId, RecordMeta};
use serde_json::{Value, json};
use uuid::Uuid;

/// A server, and a device of an employee with that profile.
#[cfg(test)]
async fn server_with(case: &Case) -> (Server, Device) {
    let server = Server::start().await;
    let profile = json!({"name": "Case", "settings": case.settings()});
    let made = server.post("/api/v1/profiles", profile).await;
    let profile = made.expect(StatusCode::CREATED).json()["profile_id"].clone();
    let form = json!({"name": "Jo", "work_mode": "worklog", "active": true, "profile_id": profile});
    let employee = server.post("/api/v1/employees", form).await.json();
    let device = server
        .device(employee["employee_id"].as_str().unwrap())
        .await;
    (server, device)
}

#[cfg(test)]
fn record(device: &mut Device, capture: &Capture) -> Made {
    let payload = capture.payload();
    device.seq += 1;
    let header = RecordHeader {
        version: 1,
        record_id: RecordId(Uuid::now_v7()),
        device_id: device.id,
        license_id: device.license_id(),
        seq: device.seq,
        prev: device.prev.take(),
        kind: capture.kind,
        captured_at_ms: capture.wall_ms(),
        mono_ms: capture.boot_ms(),
        boot_id: "boot".into(),
        utc_offset_min: 60,
        payload_sha256: sha256_hex(&payload),
        payload_len: payload.len() as u64,
        content_type: capture.content_type().into(),
        meta: RecordMeta {
            session_id: Some(device.session),
            frame: capture.frame(),
            boot_ms: capture.is_picture().then_some(capture.boot_ms()),
            ..RecordMeta::default()
        },
    };
    let made = device.sign(header, &payload);
    device.prev = Some(made.signed.hash());
    made
}

#[cfg(test)]
async fn refusals(server: &Server) -> Value {
    let devices = server.get("/api/v1/devices").await.json();
    devices["items"][0]["refusals"].clone()
}

#[tokio::test]
async fn p12_the_server_alone_refuses_every_detail_that_exceeds_the_license_and_counts_it() {
    for case in cases() {
        let (server, mut device) = server_with(&case).await;
        for capture in &case.before {
            let made = record(&mut device, capture);
            device.put(&server, &made).await.expect(StatusCode::CREATED);
        }
        let made = record(&mut device, &case.forged);
        for again in 1..3 {
            let answer = device.put(&server, &made).await;
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            let found = (answer.status.as_u16(), answer.code());
            assert_eq!(found, (403, case.code.clone()), "{}: {body}", case.name);
            let counted = refusals(&server).await;
            assert_eq!(counted.as_array().unwrap().len(), 1, "{}", case.name);
            assert_eq!(
                (&counted[0]["code"], &counted[0]["refused"]),
                (&json!(case.code), &json!(again)),
                "{}",
                case.name
            );
        }
        // Nothing of it was kept, not even a picture without its row.
        let key = glasshour_server::objects::ObjectKey::new(
            device.license.claims().issuer.company_id,
            &made.header.payload_sha256,
        );
        let kept = server.state.objects.read(key.unwrap()).await.unwrap();
        assert_eq!(kept, None, "{}", case.name);

        let twin = record(&mut device, &case.permitted);
        let answer = device.put(&server, &twin).await;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, StatusCode::CREATED, "{}: {body}", case.name);
        // The same again is not held against itself.
        device.put(&server, &twin).await.expect(StatusCode::OK);
    }
}

#[tokio::test]
async fn p12_two_of_one_moment_too_many_at_once_are_not_both_stored() {
    let case = cases()
        .into_iter()
        .find(|case| case.code == "rate_exceeded" && case.before.len() == 1)
        .unwrap();
    let (server, mut device) = server_with(&case).await;
    let made = [&case.before[0], &case.forged].map(|capture| record(&mut device, capture));
    let puts = made.iter().map(|made| device.put(&server, made));
    let answers = futures_util::future::join_all(puts).await;
    let stored = |answer: &&common::Answer| answer.status == StatusCode::CREATED;
    assert_eq!(answers.iter().filter(stored).count(), 1);
}

#[tokio::test]
async fn a_picture_that_is_not_as_large_as_its_header_says_is_not_stored() {
    let case = &cases()[1];
    let (server, mut device) = server_with(case).await;
    let mut made = record(&mut device, &case.permitted);
    made.header.meta.frame.as_mut().unwrap().height = 99;
    let made = device.sign(made.header, &made.payload);
    device.put(&server, &made).await.refused(422, "invalid");
}
