//! Several companies on one server see nothing of each other.

mod common;

use axum::http::StatusCode;
use common::{Device, Server};
use serde_json::{Value, json};

#[cfg(test)]
fn items(list: &Value) -> usize {
    list["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn what_one_company_makes_no_other_can_see_or_change() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let picture = device.screenshot();
    device
        .put(&server, &picture)
        .await
        .expect(StatusCode::CREATED);
    for list in ["employees", "devices", "records", "sessions"] {
        let path = format!("/api/v1/{list}");
        assert_eq!(items(&bolt.get(&path).await.json()), 0, "{list}");
    }
    for path in [
        format!("/api/v1/employees/{employee}"),
        format!("/api/v1/employees/{employee}/license.gz"),
        format!("/api/v1/records/{}/payload", picture.header.record_id),
        format!("/api/v1/export?employee_id={employee}"),
    ] {
        server.get(&path).await.expect(StatusCode::OK);
        bolt.get(&path).await.refused(404, "not_found");
    }
    let path = format!("/api/v1/employees/{employee}");
    bolt.patch(&path, json!({"active": false}))
        .await
        .refused(404, "not_found");
    let path = format!("/api/v1/devices/{}/revoke", device.id);
    bolt.post(&path, json!({})).await.refused(404, "not_found");
    let record = device.activity();
    device
        .put(&server, &record)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn each_company_signs_with_its_own_key_and_names_itself() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    let ours = server.employee().await;
    let form = json!({"name": "Ann Lee", "work_mode": "monitoring", "active": true});
    let theirs = bolt
        .post("/api/v1/employees", form)
        .await
        .expect(StatusCode::CREATED);
    let theirs = theirs.json()["employee_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/employees/{theirs}/license.gz");
    let file = bolt.get(&path).await.expect(StatusCode::OK).body;
    let license = glasshour_license_format::read(&file).unwrap();
    assert_eq!(license.claims().issuer.company, "Bolt");
    assert_ne!(
        license.thumbprint(),
        server.license(&ours).await.thumbprint()
    );
    // Its device enrols where its license comes from, and with no other company.
    let mut device = Device::new(&server, license);
    device
        .enroll(&server, &server.license_gz(&ours).await)
        .await
        .refused(403, "license_unknown");
    device
        .enroll(&server, &file)
        .await
        .expect(StatusCode::CREATED);
    let record = device.activity();
    device
        .put(&server, &record)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(items(&bolt.get("/api/v1/records").await.json()), 1);
    assert_eq!(items(&server.get("/api/v1/records").await.json()), 0);
}
