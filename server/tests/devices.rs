//! Enrolment and devices: whose key opens what.

mod common;

use axum::http::StatusCode;
use common::{Device, Server};
use glasshour_protocol::LicenseId;
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
async fn p17_a_device_refreshes_its_license() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let device = server.device(&employee).await;
    let first = server.license(&employee).await;
    let known = Some(first.claims().license_id);
    device
        .refresh(&server, known)
        .await
        .expect(StatusCode::NOT_MODIFIED);

    let renamed = json!({"name": "Jo Roe"});
    server
        .patch(&format!("/api/v1/employees/{employee}"), renamed)
        .await
        .expect(StatusCode::OK);
    let answer = device.refresh(&server, known).await.expect(StatusCode::OK);
    let newer = glasshour_license_format::read(&answer.body).unwrap();
    assert_eq!(newer.claims().serial, 2);
    assert_eq!(newer.claims().employee.name, "Jo Roe");
    assert_eq!(newer.thumbprint(), first.thumbprint());

    // A license opens nothing for somebody who is not a device of that employee.
    let stranger = Device::new(&server, first);
    stranger
        .refresh(&server, None)
        .await
        .refused(401, "device_unknown");
}

#[tokio::test]
async fn where_the_company_approves_devices_nothing_is_taken_from_a_new_one_and_nothing_given_up() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut known = server.device(&employee).await;
    server
        .patch("/api/v1/company", json!({"approve_devices": true}))
        .await
        .expect(StatusCode::OK);
    let mut fresh = server.device(&employee).await;
    let record = fresh.activity();
    let waits = fresh.put(&server, &record).await;
    waits.refused(403, "device_waits");
    assert_eq!(waits.headers["retry-after"], "60");
    // It may know how it stands; the devices that were there before go on.
    fresh.state(&server).await.expect(StatusCode::OK);
    let of_known = known.activity();
    let put = known.put(&server, &of_known).await;
    put.expect(StatusCode::CREATED);
    let owner = server.log_in(common::OWNER).await;
    let bell = owner.page("/notices").await;
    assert!(
        bell.contains("of Jo Doe is new and waits to be approved"),
        "{bell}"
    );
    assert_eq!(
        bell.matches("is new and waits").count(),
        1,
        "known ones not"
    );
    let page = owner.page("/devices").await;
    assert!(page.contains("waits to be approved"), "{page}");
    let path = format!("/devices/{}/approve", fresh.id);
    owner.submit(&path, &[]).await.expect(StatusCode::SEE_OTHER);
    let put = fresh.put(&server, &record).await;
    put.expect(StatusCode::CREATED);
    assert!(
        !owner
            .page("/devices")
            .await
            .contains("waits to be approved")
    );
}
