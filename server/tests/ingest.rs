//! Enrolment and ingest: what is stored, what is refused, and with which code.

#[cfg(test)]
mod common;

use axum::http::StatusCode;
use common::{Device, Made, Server, WEBP};
use glasshour_protocol::payload::SessionEventKind::{Idle, Resumed, Started, Stopped};
use glasshour_protocol::{Kind, LicenseId, RecordId, SignedHeader};
use serde_json::{Value, json};
use uuid::Uuid;

#[cfg(test)]
async fn records(server: &Server) -> Vec<Value> {
    server.get("/api/v1/records").await.json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_record_is_stored_once_and_read_back_as_it_was_signed() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let made = device.screenshot();

    let receipt = device
        .put(&server, &made)
        .await
        .expect(StatusCode::CREATED)
        .json();
    assert_eq!(
        (&receipt["new"], &receipt["stored_at_ms"]),
        (&json!(true), &json!(common::START_MS))
    );
    server.clock.advance(5000);
    let again = device
        .put(&server, &made)
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(
        (&again["new"], &again["stored_at_ms"]),
        (&json!(false), &json!(common::START_MS))
    );

    let stored = records(&server).await;
    assert_eq!(stored.len(), 1);
    let record = &stored[0];
    assert_eq!(record["record_id"], made.header.record_id.to_string());
    assert_eq!(record["employee_id"], employee);
    assert_eq!(record["captured_at"], "2026-11-18T12:06:40+01:00");
    assert_eq!(record["grade"], "verified");
    assert_eq!(record["meta"]["frame"]["monitor"], "HDMI-1");
    let path = format!("/api/v1/records/{}/payload", made.header.record_id);
    let payload = server.get(&path).await.expect(StatusCode::OK);
    assert_eq!(payload.body, WEBP);
    assert_eq!(payload.headers["content-type"], "image/webp");
    assert_eq!(payload.headers["cache-control"], "no-store");
    assert_eq!(payload.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn two_uploads_of_one_record_at_once_store_it_once() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let made = device.screenshot();
    let puts = (0..8).map(|_| device.put(&server, &made));
    let answers = futures_util::future::join_all(puts).await;
    let new = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::CREATED)
        .count();
    let known = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    assert_eq!((new, known), (1, 7));
    assert_eq!(records(&server).await.len(), 1);
}

#[tokio::test]
async fn another_body_under_a_known_id_is_a_conflict() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let made = device.screenshot();
    device.put(&server, &made).await.expect(StatusCode::CREATED);
    let mut other = device.activity();
    other.header.record_id = made.header.record_id;
    let other = device.sign(other.header, &other.payload);
    device.put(&server, &other).await.refused(409, "conflict");
}

#[tokio::test]
async fn what_does_not_match_its_signature_or_hash_is_refused() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let good = device.screenshot();

    let mut longer = good.clone();
    longer.payload.push(0);
    device
        .put(&server, &longer)
        .await
        .refused(422, "payload_mismatch");
    let mut flipped = good.clone();
    flipped.payload[20] ^= 1;
    device
        .put(&server, &flipped)
        .await
        .refused(422, "payload_mismatch");

    let mut altered = good.clone();
    altered.signed.bytes = {
        let mut header = good.header.clone();
        header.captured_at_ms += 1;
        header.to_bytes()
    };
    device
        .put(&server, &altered)
        .await
        .refused(422, "bad_signature");

    let other = server.device(&employee).await;
    let mut foreign = good.clone();
    foreign.signed = SignedHeader::sign(&good.header, &other.key);
    device
        .put(&server, &foreign)
        .await
        .refused(422, "bad_signature");
    // Signed by the device that sends it, about another one.
    other
        .put(&server, &foreign)
        .await
        .refused(422, "bad_signature");

    let mut elsewhere = good.clone();
    elsewhere.header.record_id = RecordId(Uuid::now_v7());
    device
        .put(&server, &elsewhere)
        .await
        .refused(422, "invalid");
    assert_eq!(records(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_payload_must_be_what_its_header_says() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let wrong: Vec<(Made, &str)> = vec![
        (
            device.make(Kind::Screenshot, "image/webp", b"<script>"),
            "payload",
        ),
        (
            device.make(Kind::Screenshot, "text/html", WEBP),
            "content_type",
        ),
        (
            device.make(Kind::Activity, "application/json", b"{}"),
            "payload",
        ),
        (
            device.make(Kind::Session, "text/html", b"{}"),
            "content_type",
        ),
    ];
    for (made, field) in wrong {
        let answer = device.put(&server, &made).await;
        answer.refused(422, "invalid");
        assert_eq!(answer.json()["field"], field);
    }
    assert_eq!(records(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn p12_a_channel_that_the_license_lacks_is_refused() {
    let server = Server::start().await;
    let body = json!({"name": "Counts", "settings": {"activity": {"input_counts": true, "applications": true}}});
    let profile = server.post("/api/v1/profiles", body).await.json()["profile_id"].clone();
    let form = json!({"name": "Jo", "work_mode": "worklog", "active": true, "profile_id": profile});
    let made = server.post("/api/v1/employees", form).await.json();
    let mut device = server.device(made["employee_id"].as_str().unwrap()).await;

    let screenshot = device.screenshot();
    device
        .put(&server, &screenshot)
        .await
        .refused(403, "channel_not_licensed");
    let camera = device.make(Kind::Camera, "image/webp", WEBP);
    device
        .put(&server, &camera)
        .await
        .refused(403, "channel_not_licensed");
    let activity = device.activity();
    device
        .put(&server, &activity)
        .await
        .expect(StatusCode::CREATED);

    let titled = activity.payload.clone();
    let mut minute: Value = serde_json::from_slice(&titled).unwrap();
    minute["applications"][0]["title"] = "secret".into();
    let titled = device.make(
        Kind::Activity,
        "application/json",
        minute.to_string().as_bytes(),
    );
    device
        .put(&server, &titled)
        .await
        .refused(403, "channel_not_licensed");
    assert_eq!(records(&server).await.len(), 1);
}

#[tokio::test]
async fn p08_nothing_is_registered_from_an_inactive_employee_and_all_of_it_afterwards() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let (first, second) = (device.screenshot(), device.activity());
    device
        .put(&server, &first)
        .await
        .expect(StatusCode::CREATED);

    server.set_active(&employee, false).await;
    device
        .put(&server, &second)
        .await
        .refused(403, "employee_inactive");
    let state = device.state(&server).await.expect(StatusCode::OK).json();
    assert_eq!(state["employee_active"], false);
    let another = Device::new(&server, device.license.clone());
    let file = server.license_gz(&employee).await;
    another
        .enroll(&server, &file)
        .await
        .refused(403, "employee_inactive");
    assert_eq!(records(&server).await.len(), 1);

    server.set_active(&employee, true).await;
    let state = device.state(&server).await.expect(StatusCode::OK).json();
    assert_eq!(
        (&state["employee_active"], &state["current_serial"]),
        (&json!(true), &json!(2))
    );
    device
        .put(&server, &second)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn p12_after_a_narrower_license_only_what_was_captured_before_or_stays_permitted_is_taken() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let before = device.screenshot();
    server.clock.advance(60_000);
    let standard = server.get("/api/v1/profiles").await.json()["items"][0]["profile_id"].clone();
    let path = format!("/api/v1/profiles/{}", standard.as_str().unwrap());
    let counts = json!({"settings": {"activity": {"input_counts": true, "applications": true}}});
    server.patch(&path, counts).await.expect(StatusCode::OK);
    server.clock.advance(60_000);
    let (after, activity) = (device.screenshot(), device.activity());

    device
        .put(&server, &before)
        .await
        .expect(StatusCode::CREATED);
    device
        .put(&server, &after)
        .await
        .refused(403, "license_superseded");
    device
        .put(&server, &activity)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_license_that_this_server_did_not_issue_opens_nothing() {
    let server = Server::start().await;
    let other = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;

    let foreign = other.employee().await;
    let stranger = Device::new(&server, server.license(&employee).await);
    let file = other.license_gz(&foreign).await;
    stranger
        .enroll(&server, &file)
        .await
        .refused(403, "license_unknown");
    let mut damaged = server.license_gz(&employee).await;
    let end = damaged.len() - 12;
    damaged[end] ^= 1;
    stranger
        .enroll(&server, &damaged)
        .await
        .refused(422, "invalid");

    let mut unknown = device.activity();
    unknown.header.license_id = LicenseId(Uuid::now_v7());
    let unknown = device.sign(unknown.header, &unknown.payload);
    device
        .put(&server, &unknown)
        .await
        .refused(403, "license_unknown");
    // Issued here, but for somebody else.
    let colleague = server.license(&server.employee().await).await;
    let mut borrowed = device.activity();
    borrowed.header.license_id = colleague.claims().license_id;
    let borrowed = device.sign(borrowed.header, &borrowed.payload);
    device
        .put(&server, &borrowed)
        .await
        .refused(403, "license_unknown");
}

#[tokio::test]
async fn enrolling_again_changes_nothing_and_another_key_is_a_conflict() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let device = server.device(&employee).await;
    let file = server.license_gz(&employee).await;
    let again = device
        .enroll(&server, &file)
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(again["device_id"], device.id.to_string());
    assert_eq!(again["employee_active"], true);
    assert_eq!(again["current_serial"], 1);
    assert_eq!(again["projects"][0]["name"], "General");

    let mut thief = Device::new(&server, server.license(&employee).await);
    thief.id = device.id;
    thief.enroll(&server, &file).await.refused(409, "conflict");
    let colleague = server.employee().await;
    let other = server.license_gz(&colleague).await;
    device
        .enroll(&server, &other)
        .await
        .refused(409, "conflict");
    let devices = server.get("/api/v1/devices").await.json();
    assert_eq!(devices["items"].as_array().unwrap().len(), 1);
    assert_eq!(devices["items"][0]["host_name"], "desk");
}

#[tokio::test]
async fn a_device_must_be_known_unrevoked_and_hold_a_fresh_token() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let made = device.activity();

    let old = device.token();
    server.clock.advance(300_000);
    device
        .put_with_token(&server, &made, &old)
        .await
        .refused(401, "token_expired");
    device
        .put_with_token(&server, &made, "x")
        .await
        .refused(401, "unauthenticated");
    let mut stranger = Device::new(&server, device.license.clone());
    let unknown = stranger.activity();
    stranger
        .put(&server, &unknown)
        .await
        .refused(401, "device_unknown");
    stranger.id = device.id;
    device
        .put_with_token(&server, &made, &stranger.token())
        .await
        .refused(401, "unauthenticated");

    let path = format!("/api/v1/devices/{}/revoke", device.id);
    server.post(&path, json!({})).await.expect(StatusCode::OK);
    device
        .put(&server, &made)
        .await
        .refused(403, "device_revoked");
    device.state(&server).await.refused(403, "device_revoked");
    let file = server.license_gz(&employee).await;
    device
        .enroll(&server, &file)
        .await
        .refused(403, "device_revoked");
    assert_eq!(records(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn p19_a_session_is_rolled_up_whatever_the_order_of_arrival() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let t = common::START_MS;
    let mut made = vec![device.session(Started, t)];
    server.clock.advance(60_000);
    made.push(device.activity());
    made.push(device.session(Idle, t + 30_000));
    server.clock.advance(60_000);
    made.push(device.session(Resumed, t + 90_000));
    made.push(device.session(Stopped, t + 120_000));
    for record in made.iter().rev() {
        device
            .put(&server, record)
            .await
            .expect(StatusCode::CREATED);
    }
    let path = format!("/api/v1/sessions?employee_id={employee}");
    let sessions = server.get(&path).await.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
    let session = &sessions["items"][0];
    assert_eq!(session["started_at"], "2026-11-18T11:06:40Z");
    assert_eq!(session["ended_at"], "2026-11-18T11:08:40Z");
    assert_eq!(
        (&session["tracked_ms"], &session["idle_ms"]),
        (&json!(60_000), &json!(60_000))
    );
    assert_eq!(session["cause"], "user");
    // Sent backwards, each record was a gap until the one before it came.
    assert!(
        records(&server)
            .await
            .iter()
            .all(|record| record["grade"] == "verified")
    );
}

#[tokio::test]
async fn p19_a_session_whose_agent_vanished_ends_at_its_last_record() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let started = device.session(Started, common::START_MS);
    server.clock.advance(60_000);
    let last = device.activity();
    device
        .put(&server, &started)
        .await
        .expect(StatusCode::CREATED);
    device.put(&server, &last).await.expect(StatusCode::CREATED);
    let ended =
        async || server.get("/api/v1/sessions").await.json()["items"][0]["ended_at"].clone();
    assert_eq!(ended().await, Value::Null);
    server.clock.advance(16 * 60_000);
    assert_eq!(ended().await, "2026-11-18T11:07:40Z");
}

#[tokio::test]
async fn a_gap_is_shown_and_heals_when_the_missing_record_arrives() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let (first, second, third) = (
        device.screenshot(),
        device.screenshot(),
        device.screenshot(),
    );
    device
        .put(&server, &first)
        .await
        .expect(StatusCode::CREATED);
    device
        .put(&server, &third)
        .await
        .expect(StatusCode::CREATED);
    let grade = async |made: &Made| {
        let id = made.header.record_id.to_string();
        let stored = records(&server).await;
        stored.iter().find(|r| r["record_id"] == id).unwrap()["grade"].clone()
    };
    assert_eq!(grade(&third).await, "gap-before");
    device
        .put(&server, &second)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(grade(&third).await, "verified");
}

#[tokio::test]
async fn an_unchanged_frame_refers_to_the_picture_before_it() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let picture = device.screenshot();
    server.clock.advance(600_000);
    let unchanged = device.make(Kind::Screenshot, "application/octet-stream", b"");
    // Out of order: the reference is right once both are there.
    device
        .put(&server, &unchanged)
        .await
        .expect(StatusCode::CREATED);
    let employee = employee.parse().unwrap();
    let shots = async || {
        let mut read = server.state.read().await.unwrap();
        read.screenshots(employee, 0, i64::MAX, 10).await.unwrap()
    };
    assert_eq!(shots().await[0].image_record_id, None);
    device
        .put(&server, &picture)
        .await
        .expect(StatusCode::CREATED);
    let shots = shots().await;
    assert_eq!(shots.len(), 2);
    assert!(
        shots
            .iter()
            .all(|shot| shot.image_record_id == Some(picture.header.record_id))
    );
    assert!(shots[1].frame().unwrap().unchanged);
}

#[tokio::test]
async fn records_are_listed_by_time_kind_and_employee_in_pages() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    for _ in 0..3 {
        let made = device.activity();
        device.put(&server, &made).await.expect(StatusCode::CREATED);
        server.clock.advance(60_000);
    }
    let made = device.screenshot();
    device.put(&server, &made).await.expect(StatusCode::CREATED);

    let count = async |query: &str| {
        let path = format!("/api/v1/records?{query}");
        server.get(&path).await.expect(StatusCode::OK).json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(count("kind=activity").await, 3);
    assert_eq!(
        count(&format!("employee_id={employee}&kind=screenshot")).await,
        1
    );
    assert_eq!(count(&format!("employee_id={}", Uuid::nil())).await, 0);
    assert_eq!(
        count("from=2026-11-18T12:07:40%2B01:00&to=2026-11-18T11:08:40Z").await,
        1
    );
    server
        .get("/api/v1/records?kind=keys")
        .await
        .refused(422, "invalid");

    let mut seen = vec![];
    let mut path = "/api/v1/records?limit=3".to_owned();
    loop {
        let page = server.get(&path).await.json();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["seq"].as_u64().unwrap()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/records?limit=3&cursor={next}");
    }
    assert_eq!(seen, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_payload_above_the_limit_is_refused_with_413() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let mut bytes = vec![0; glasshour_protocol::limits::MAX_PAYLOAD_BYTES + 1];
    bytes[..WEBP.len()].copy_from_slice(WEBP);
    let made = device.make(Kind::Screenshot, "image/webp", &bytes);
    device.put(&server, &made).await.refused(413, "too_large");
}
