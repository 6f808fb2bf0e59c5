//! Ingest: what is stored, what is refused, and with which code.

mod common;

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::StatusCode;
use common::{Device, Made, Server, WEBP};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use glasshour_protocol::payload::{JSON, SessionEventKind};
use glasshour_protocol::{CompanyId, Kind, LicenseId, RecordId, SignedHeader};
use glasshour_server::clock::Clock as _;
use glasshour_server::objects::{ObjectError, ObjectKey, Objects};
use glasshour_server::router;
use glasshour_server::store::License;
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
    flipped.payload[30] ^= 1;
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
        .refused(403, "titles_not_licensed");
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
async fn p12_what_was_captured_is_held_against_the_license_of_that_day_not_of_today() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let standard = server.get("/api/v1/profiles").await.json()["items"][0]["profile_id"].clone();
    let path = format!("/api/v1/profiles/{}", standard.as_str().unwrap());
    let shots = json!({"screenshots": {"per_hour": 60}});
    let counts = json!({"activity": {"input_counts": true, "applications": true}});
    let mut made = Vec::new();
    // With pictures, without, with them again: the device hears of none of it.
    for settings in [counts.clone(), shots.clone(), counts] {
        server.clock.advance(60_000);
        let body = json!({ "settings": settings });
        server.patch(&path, body).await.expect(StatusCode::OK);
        server.clock.advance(60_000);
        made.push(device.screenshot());
    }
    for (made, taken) in made.iter().zip([false, true, false]) {
        let answer = device.put(&server, made).await;
        if taken {
            answer.expect(StatusCode::CREATED);
        } else {
            answer.refused(403, "license_superseded");
        }
    }
}

/// The employee's next license, with an end.
#[cfg(test)]
async fn license_until(server: &Server, employee: &str, end_ms: i64) {
    let mut claims = server.license(employee).await.claims().clone();
    claims.serial += 1;
    claims.license_id = LicenseId(Uuid::now_v7());
    claims.expires_at = Some(jiff::Timestamp::from_millisecond(end_ms).unwrap());
    let license = License {
        license_id: claims.license_id,
        employee_id: claims.employee.employee_id,
        serial: claims.serial,
        file: glasshour_license_format::sign(&claims, &server.company().await.signing_key).unwrap(),
        claims,
        issued_at: server.clock.now_ms(),
        superseded_at: None,
    };
    let mut write = server.state.write(server.company_id).await.unwrap();
    write.insert_license(&license).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn p12_after_the_licenses_end_only_the_minute_under_way_and_what_the_agent_did_are_taken() {
    let server = Server::start().await;
    let employee = server.employee().await;
    license_until(&server, &employee, common::START_MS + 30_000).await;
    let mut device = server.device(&employee).await;
    let mut under_way = device.activity();
    under_way.header.captured_at_ms += 60_000;
    let under_way = device.sign(under_way.header, &under_way.payload);
    server.clock.advance(30_000);
    let after = [device.screenshot(), device.activity()];
    let stopped = device.session(SessionEventKind::Stopped, server.clock.now_ms());
    server.clock.advance(61_000);
    let mut much_later = device.make(Kind::Activity, JSON, &under_way.payload);

    for made in [&under_way, &stopped] {
        device.put(&server, made).await.expect(StatusCode::CREATED);
    }
    for made in &after {
        device
            .put(&server, made)
            .await
            .refused(403, "license_expired");
    }
    // A header from long after the end is refused before its payload is looked at.
    much_later.payload.clear();
    device
        .put(&server, &much_later)
        .await
        .refused(403, "license_expired");
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

/// A disk without room.
#[derive(Debug)]
struct FullDisk;

impl Objects for FullDisk {
    fn put(&self, _: ObjectKey, _: Bytes) -> BoxFuture<'_, Result<(), ObjectError>> {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        async { Err(ObjectError::Full(full)) }.boxed()
    }

    fn read(&self, _: ObjectKey) -> BoxFuture<'_, Result<Option<Vec<u8>>, ObjectError>> {
        async { Ok(None) }.boxed()
    }

    fn older_than(
        &self,
        _: CompanyId,
        _: u8,
        _: i64,
    ) -> BoxFuture<'_, Result<Vec<String>, ObjectError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn remove(&self, _: ObjectKey, _: i64) -> BoxFuture<'_, Result<bool, ObjectError>> {
        async { Ok(false) }.boxed()
    }

    fn remove_leftovers(&self, _: CompanyId, _: i64) -> BoxFuture<'_, Result<u64, ObjectError>> {
        async { Ok(0) }.boxed()
    }

    fn delete(&self, _: ObjectKey) -> BoxFuture<'_, Result<(), ObjectError>> {
        async { Ok(()) }.boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ObjectError>> {
        async { Ok(()) }.boxed()
    }
}

#[tokio::test]
async fn a_full_disk_stores_nothing_says_so_and_says_when_to_come_back() {
    let mut server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let made = device.screenshot();
    let roomy = std::mem::replace(&mut server.state.objects, Arc::new(FullDisk));
    server.router = router(server.state.clone());
    let answer = device.put(&server, &made).await;
    answer.refused(507, "storage_full");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(
        !answer.json()["message"]
            .as_str()
            .unwrap()
            .contains("StorageFull")
    );
    assert_eq!(records(&server).await, Vec::<Value>::new());

    server.state.objects = roomy;
    server.router = router(server.state.clone());
    device.put(&server, &made).await.expect(StatusCode::CREATED);
}
