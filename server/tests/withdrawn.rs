//! Records that wait for the employee's review: no gap while they may wait. And those that come without
//! their payload: kept in their place, taken off the tracked time where the employee deleted them, and
//! refused where the license does not let them.

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::{Device, Made, OWNER, PASSWORD, START_MS, Server};
use glasshour_protocol::Kind;
use glasshour_protocol::export::{Break, Verdict, Verified, Verifier};
use glasshour_protocol::payload::SessionEventKind::{Idle, Resumed, Started, Stopped};
use glasshour_protocol::withdrawal::Reason;
use glasshour_server::clock::Clock as _;
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

/// An employee with six shots an hour who may delete captures, or not; and an enrolled device.
#[cfg(test)]
async fn stage(may_delete: bool) -> (Server, String, Device) {
    let server = Server::start().await;
    let settings = json!({
        "screenshots": {"per_hour": 6}, "activity": {"input_counts": true, "applications": true},
        "review_hold_s": 3600, "employee_may_delete": may_delete,
    });
    let body = json!({"name": "Held", "settings": settings});
    let profile = server.post("/api/v1/profiles", body).await.json()["profile_id"].clone();
    let form = json!({"name": "Jo", "work_mode": "worklog", "active": true, "profile_id": profile});
    let made = server.post("/api/v1/employees", form).await.json();
    let employee = made["employee_id"].as_str().unwrap().to_owned();
    let device = server.device(&employee).await;
    (server, employee, device)
}

#[cfg(test)]
async fn put(server: &Server, device: &Device, made: &Made) {
    device.put(server, made).await.expect(StatusCode::CREATED);
}

#[cfg(test)]
async fn session(server: &Server, employee: &str) -> Value {
    let path = format!("/api/v1/sessions?employee_id={employee}");
    server.get(&path).await.json()["items"][0].clone()
}

#[cfg(test)]
async fn export(server: &Server, employee: &str) -> (Verified, String) {
    let path = format!("/api/v1/export?employee_id={employee}");
    let text = String::from_utf8(server.get(&path).await.body).unwrap();
    let mut verifier = Verifier::default();
    for line in text.lines() {
        verifier.line(line).unwrap();
    }
    (verifier.finish().unwrap(), text)
}

#[cfg(test)]
async fn page(server: &Server, path: &str) -> String {
    let login = format!(
        "email={}&password={}&next=%2F",
        OWNER.replace('@', "%40"),
        PASSWORD.replace(' ', "%20")
    );
    let request = Request::post("/login")
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "http://127.0.0.1:8080")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = server.send(request.body(Body::from(login)).unwrap()).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let request = Request::get(path).header(header::COOKIE, cookie);
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    String::from_utf8(answer.expect(StatusCode::OK).body).unwrap()
}

#[tokio::test]
async fn captures_that_wait_for_review_are_no_gap_until_they_should_have_come() {
    const HOUR_MS: i64 = 60 * MINUTE_MS;
    let (server, employee, mut device) = stage(true).await;
    let started = device.session(Started, START_MS);
    put(&server, &device, &started).await;
    let (held, other) = (device.screenshot(), device.screenshot());
    server.clock.advance(MINUTE_MS);
    let noted = device.session(Idle, START_MS + MINUTE_MS);
    put(&server, &device, &noted).await;

    let due = START_MS + MINUTE_MS + HOUR_MS + 15 * MINUTE_MS;
    let id = noted.header.record_id.to_string();
    let record = async || {
        let all = server.get("/api/v1/records").await.json();
        let all = all["items"].as_array().unwrap().clone();
        all.into_iter().find(|r| r["record_id"] == id).unwrap()
    };
    let day = format!("/employees/{employee}/day");
    let waits = "Captures may still wait on the computer for review";

    let now = record().await;
    assert_eq!(now["grade"], "waiting");
    let until: jiff::Timestamp = now["waits_until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until.as_millisecond(), due);
    let text = page(&server, &day).await;
    assert!(text.contains(waits), "{text}");
    assert!(text.contains("no gaps") && !text.contains("Records are missing"));
    assert!(!page(&server, "/team").await.contains("records are missing"));
    let (verified, _) = export(&server, &employee).await;
    assert_eq!((verified.verdict, verified.waiting), (Verdict::Waiting, 2));
    let says = verified.sealed.unwrap().says;
    assert_eq!(says.waiting[0].until_ms, Some(due));
    assert_eq!(says.employee, "Jo");

    // They should have come, and the computer was not heard of: nobody can tell yet.
    server.clock.advance(due - server.clock.now_ms());
    assert_eq!(record().await["grade"], "waiting");
    let text = page(&server, &day).await;
    assert!(text.contains("it was last heard of at"), "{text}");
    // It was, and they have not come.
    let resumed = device.session(Resumed, server.clock.now_ms());
    put(&server, &device, &resumed).await;
    assert_eq!(record().await["grade"], "gap-before");
    let text = page(&server, &day).await;
    assert!(text.contains("Records are missing between"), "{text}");
    assert!(!text.contains(waits), "{text}");
    assert!(page(&server, "/team").await.contains("records are missing"));
    let path = format!("/api/v1/export?employee_id={employee}");
    let text = String::from_utf8(server.get(&path).await.body).unwrap();
    let mut verifier = Verifier::default();
    text.lines().for_each(|line| verifier.line(line).unwrap());
    assert!(matches!(
        verifier.finish(),
        Err(Break::Missing { missing: 2, .. })
    ));

    for late in [&held, &other] {
        put(&server, &device, late).await;
    }
    assert_eq!(record().await["grade"], "verified");
    assert_eq!(export(&server, &employee).await.0.verdict, Verdict::Whole);
}

#[tokio::test]
async fn a_deleted_capture_keeps_its_place_and_its_time_is_taken_off_and_shown_apart() {
    let (server, employee, mut device) = stage(true).await;
    let clock = server.clock.clone();
    let started = device.session(Started, START_MS);
    clock.advance(12 * MINUTE_MS);
    let kept = device.screenshot();
    clock.advance(10 * MINUTE_MS);
    // Two monitors at one moment, and a minute of activity inside what they stand for.
    let deleted = [device.screenshot(), device.screenshot(), device.activity()];
    clock.advance(MINUTE_MS);
    let unchanged = device.make(Kind::Screenshot, "application/octet-stream", b"");
    clock.advance(7 * MINUTE_MS);
    let idle = device.session(Idle, START_MS + 20 * MINUTE_MS);
    let resumed = device.session(Resumed, START_MS + 24 * MINUTE_MS);
    let stopped = device.session(Stopped, START_MS + 30 * MINUTE_MS);

    for made in [&started, &kept, &idle, &resumed] {
        put(&server, &device, made).await;
    }
    for made in &deleted {
        let signed = device.withdraw(made, Reason::Employee);
        for status in [StatusCode::CREATED, StatusCode::OK] {
            device
                .put_withdrawn(&server, made, &signed)
                .await
                .expect(status);
        }
    }
    for made in [&unchanged, &stopped] {
        put(&server, &device, made).await;
    }

    // 12 to 22 minutes after the start less the idle ones from 20; the activity lies within.
    let session = session(&server, &employee).await;
    let told = ["tracked_ms", "idle_ms", "withdrawn_ms"].map(|name| session[name].as_i64());
    let minutes = told.map(|ms| ms.unwrap() / MINUTE_MS);
    assert_eq!(minutes, [18, 4, 8], "{session}");

    let all = server.get("/api/v1/records?limit=100").await.json();
    let all = all["items"].as_array().unwrap();
    assert_eq!(all.len(), 9);
    assert!(all.iter().all(|r| r["grade"] != "gap-before"), "{all:?}");
    let withdrawn = all.iter().filter(|r| r["withdrawn"] == "employee");
    assert_eq!(withdrawn.count(), 3);
    for made in &deleted {
        let path = format!("/api/v1/records/{}/payload", made.header.record_id);
        server.get(&path).await.refused(410, "withdrawn");
    }

    let (verified, text) = export(&server, &employee).await;
    assert_eq!((verified.records, verified.without_payload), (9, 0));
    assert_eq!(verified.withdrawn["employee"], 3);
    assert_eq!(text.matches("\"payload\":null").count(), 3);

    let day = page(&server, &format!("/employees/{employee}/day")).await;
    let day = day.replace('\u{a0}', " ");
    for words in [
        "<dt>tracked</dt><dd>18 m</dd>",
        "<dt>idle</dt><dd>4 m</dd>",
        "<dt>withdrawn by the employee</dt><dd>8 m</dd>",
        "deleted by the employee",
        "every record is in its place",
    ] {
        assert!(day.contains(words), "{words}: {day}");
    }
    // The screen that had not changed since shows nothing either: no older picture in its place.
    let id = unchanged.header.record_id;
    let capture = page(&server, &format!("/captures/{id}")).await;
    assert!(capture.contains("Deleted by the employee"), "{capture}");
    assert!(!capture.contains("/image"), "{capture}");
}

#[tokio::test]
async fn p12_a_deletion_is_refused_where_the_license_does_not_permit_it_or_the_kind_is_no_capture()
{
    let (server, _, mut device) = stage(false).await;
    let shot = device.screenshot();
    let signed = device.withdraw(&shot, Reason::Employee);
    device
        .put_withdrawn(&server, &shot, &signed)
        .await
        .refused(403, "deletion_not_licensed");
    let records = server.get("/api/v1/records").await.json();
    assert_eq!(records["items"], json!([]));

    let (server, _, mut device) = stage(true).await;
    let started = device.session(Started, START_MS);
    let signed = device.withdraw(&started, Reason::Employee);
    device
        .put_withdrawn(&server, &started, &signed)
        .await
        .refused(403, "deletion_not_licensed");
}

#[tokio::test]
async fn a_withdrawal_that_does_not_hold_is_refused() {
    let (server, _, mut device) = stage(true).await;
    let shot = device.screenshot();
    let other = device.screenshot();
    let of_the_other = device.withdraw(&other, Reason::Employee);
    device
        .put_withdrawn(&server, &shot, &of_the_other)
        .await
        .refused(422, "bad_signature");
    device
        .put_withdrawn(&server, &shot, "employee")
        .await
        .refused(422, "invalid");
    // It was not superseded.
    let signed = device.withdraw(&shot, Reason::Superseded);
    device
        .put_withdrawn(&server, &shot, &signed)
        .await
        .refused(422, "invalid");

    // Nobody is told that a picture is gone which the server has.
    put(&server, &device, &shot).await;
    let signed = device.withdraw(&shot, Reason::Employee);
    device
        .put_withdrawn(&server, &shot, &signed)
        .await
        .refused(409, "conflict");
    // And one that is gone does not come back.
    let signed = device.withdraw(&other, Reason::Employee);
    device
        .put_withdrawn(&server, &other, &signed)
        .await
        .expect(StatusCode::CREATED);
    device.put(&server, &other).await.expect(StatusCode::OK);
    let path = format!("/api/v1/records/{}/payload", other.header.record_id);
    server.get(&path).await.refused(410, "withdrawn");
}

#[tokio::test]
async fn what_a_newer_license_does_not_permit_keeps_its_place_without_its_payload() {
    let (server, employee, mut device) = stage(true).await;
    server.clock.advance(MINUTE_MS);
    let narrow = json!({"name": "Time", "settings": {}});
    let profile = server.post("/api/v1/profiles", narrow).await.json()["profile_id"].clone();
    let path = format!("/api/v1/employees/{employee}");
    server
        .patch(&path, json!({"profile_id": profile}))
        .await
        .expect(StatusCode::OK);
    server.clock.advance(MINUTE_MS);
    let started = device.session(Started, START_MS);
    let late = device.screenshot();
    let stopped = device.session(Stopped, server.clock.now_ms());
    put(&server, &device, &started).await;
    put(&server, &device, &stopped).await;
    device
        .put(&server, &late)
        .await
        .refused(403, "license_superseded");
    let signed = device.withdraw(&late, Reason::Superseded);
    device
        .put_withdrawn(&server, &late, &signed)
        .await
        .expect(StatusCode::CREATED);
    let records = server.get("/api/v1/records").await.json();
    let records = records["items"].as_array().unwrap();
    assert!(
        records.iter().all(|r| r["grade"] == "verified"),
        "{records:?}"
    );
    let session = session(&server, &employee).await;
    assert_eq!(session["withdrawn_ms"], 0, "the employee deleted nothing");
}
