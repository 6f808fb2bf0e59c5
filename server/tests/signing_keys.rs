//! A company's signing key is replaced beside a running server: licenses follow in the same transaction,
//! and what the former key has signed is known as this server's own.

mod common;

use std::path::Path;

use axum::http::StatusCode;
use common::{Device, Server};
use glasshour_license_format::{SignedLicense, read};
use glasshour_server::backup::{self, Folders};
use glasshour_server::people::{Rotated, rotate_key};
use glasshour_server::setup;
use serde_json::json;

/// Rotates as the command line does: by a database handle of its own.
#[cfg(test)]
async fn rotate(server: &Server) -> Rotated {
    server.clock.advance(1_000);
    let data = server.folder.path().join("data");
    let db = setup::open(&data, None).await.unwrap();
    let now_ms = glasshour_server::clock::Clock::now_ms(&*server.clock);
    let rotated = rotate_key(&db, server.company_id, now_ms).await.unwrap();
    db.close().await;
    rotated
}

#[cfg(test)]
fn thumbprints(license: &SignedLicense) -> Vec<&str> {
    let steps = license.key_history().announcements().iter();
    steps.map(|step| step.former.as_str()).collect()
}

#[tokio::test]
async fn p17_a_new_key_comes_with_a_license_that_says_the_same_for_each_active_employee() {
    let server = Server::start().await;
    let active = server.employee().await;
    let idle = server.employee().await;
    server.set_active(&idle, false).await;
    let before = server.license(&active).await;
    let rotated = rotate(&server).await;
    assert_eq!(rotated.licenses, 1);
    assert_eq!(rotated.former_key, before.thumbprint());
    assert_ne!(rotated.key, rotated.former_key);

    let after = server.license(&active).await;
    assert_eq!(after.thumbprint(), rotated.key);
    assert_eq!(thumbprints(&after), [rotated.former_key.as_str()]);
    assert_eq!(after.claims().serial, before.claims().serial + 1);
    let mut same = before.claims().clone();
    let new = after.claims();
    same.license_id = new.license_id;
    same.serial = new.serial;
    same.issued_at = new.issued_at;
    same.issuer.key_history.clone_from(&new.issuer.key_history);
    assert_eq!(&same, new, "nothing else is said");

    // The server that ran all the time signs with the new key from now on.
    assert_eq!(server.license(&idle).await.thumbprint(), rotated.former_key);
    server.set_active(&idle, true).await;
    assert_eq!(server.license(&idle).await.thumbprint(), rotated.key);
    let changed = json!({"name": "Jo Roe"});
    server
        .patch(&format!("/api/v1/employees/{active}"), changed)
        .await
        .expect(StatusCode::OK);
    assert_eq!(server.license(&active).await.thumbprint(), rotated.key);
}

#[tokio::test]
async fn two_changes_make_a_history_of_two_and_more_than_sixteen_keep_the_newest() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut keys = vec![server.license(&employee).await.thumbprint().to_owned()];
    for _ in 0..2 {
        keys.push(rotate(&server).await.key);
    }
    assert_eq!(thumbprints(&server.license(&employee).await), keys[..2]);
    for _ in 0..15 {
        keys.push(rotate(&server).await.key);
    }
    let license = server.license(&employee).await;
    assert_eq!(license.thumbprint(), keys[17]);
    assert_eq!(thumbprints(&license), keys[1..17]);
    let known = server.read().await.signing_keys().await.unwrap();
    let fingerprints: Vec<_> = known.iter().map(|key| key.fingerprint.clone()).collect();
    assert_eq!(fingerprints, keys);
    assert!(known[..17].iter().all(|key| key.retired_at.is_some()));
    assert_eq!(known[17].retired_at, None);
}

#[tokio::test]
async fn a_file_that_the_former_key_has_signed_still_enrols_and_is_told_of_the_newer_one() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let file = server.license_gz(&employee).await;
    let mut old = server.device(&employee).await;
    let rotated = rotate(&server).await;

    let late = Device::new(&server, read(&file).unwrap());
    let answer = late
        .enroll(&server, &file)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(answer.json()["current_serial"], 2);
    let fetched = late.refresh(&server, None).await.expect(StatusCode::OK);
    assert_eq!(read(&fetched.body).unwrap().thumbprint(), rotated.key);
    // What was captured under the former license, before and after the change, is stored.
    let shot = old.screenshot();
    old.put(&server, &shot).await.expect(StatusCode::CREATED);

    // The same words by a key that never was the company's are not this server's.
    let claims = read(&file).unwrap().claims().clone();
    let forged = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let forged = glasshour_license_format::sign(&claims, &forged).unwrap();
    let stranger = Device::new(&server, read(&forged).unwrap());
    stranger
        .enroll(&server, &forged)
        .await
        .refused(403, "license_unknown");
}

#[tokio::test]
async fn a_company_changes_its_own_key_alone_and_a_restored_backup_has_every_key() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let neighbour = server.another_company().await;
    drop(neighbour);
    let companies = server.state.db.companies(9).await.unwrap();
    let other = *companies
        .iter()
        .find(|id| **id != server.company_id)
        .unwrap();
    let keys = async |company| {
        let mut read = server.state.read(company).await.unwrap();
        read.signing_keys().await.unwrap()
    };
    let before = keys(other).await;
    rotate(&server).await;
    assert_eq!(keys(other).await, before);

    let folders = |data: &'static str| server.folder.path().join(data);
    let (data, restored, file) = (folders("data"), folders("restored"), folders("b.tar"));
    let at = |data: &Path| Folders {
        data: Box::leak(data.to_owned().into_boxed_path()),
        objects: None,
    };
    backup::make(at(&data), &file, &*server.clock, |_| {})
        .await
        .unwrap();
    backup::restore(&file, at(&restored), |_| {}).await.unwrap();
    let db = setup::open(&restored, None).await.unwrap();
    let mut copy = db.read(server.company_id).await.unwrap();
    assert_eq!(
        copy.signing_keys().await.unwrap(),
        keys(server.company_id).await
    );
    let company = copy.company().await.unwrap().unwrap();
    drop(copy);
    let license = server.license(&employee).await;
    let signer = glasshour_protocol::jws::thumbprint(&company.signing_key.verifying_key());
    assert_eq!(signer, license.thumbprint());
    db.close().await;
}
