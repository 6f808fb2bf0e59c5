//! The rights of a person: erased without a trace but the receipt, kept no longer than told, and able to
//! delete an own capture.

mod common;

use std::path::Path;

use axum::http::StatusCode;
use common::person::Person;
use common::{Device, Made, OWNER, START_MS, Server};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::SessionEventKind::{Started, Stopped};
use glasshour_server::people;
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// An employee with an account of the company, a place in the workspace, a device and some records.
struct Tracked<'a> {
    employee: String,
    member: String,
    user: String,
    device: Device,
    records: Vec<Made>,
    person: Person<'a>,
}

#[cfg(test)]
async fn tracked(server: &Server, settings: Value) -> Tracked<'_> {
    let body = json!({"name": "Rights", "settings": settings});
    let profile = server.post("/api/v1/profiles", body).await.json()["profile_id"].clone();
    let form = json!({"name": "Josephine Quackenbush", "email": "josephine@quackenbush.example",
        "work_mode": "worklog", "active": true, "profile_id": profile});
    let made = server.post("/api/v1/employees", form).await;
    let employee = made.expect(StatusCode::CREATED).json();
    let employee = employee["employee_id"].as_str().unwrap().to_owned();
    let (user, person) = server.internal("quackenbush").await;
    let body = json!({"emails": "quackenbush@acme.example", "role": "employee"});
    let invited = server.post("/api/v1/invitations", body).await.json();
    let member = invited["results"][0]["member_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let accept = format!("/api/v1/me/invitations/{member}/accept");
    person
        .post(&accept, json!({}))
        .await
        .expect(StatusCode::NO_CONTENT);
    server
        .patch(
            &format!("/api/v1/members/{member}"),
            json!({"employee_id": employee}),
        )
        .await
        .expect(StatusCode::OK);
    let device = server.device(&employee).await;
    Tracked {
        employee,
        member,
        user,
        device,
        records: vec![],
        person,
    }
}

impl Tracked<'_> {
    async fn put(&mut self, server: &Server, made: Made) {
        self.device
            .put(server, &made)
            .await
            .expect(StatusCode::CREATED);
        self.records.push(made);
    }
}

#[cfg(test)]
fn all_settings() -> Value {
    json!({
        "screenshots": {"per_hour": 6}, "activity": {"input_counts": true, "applications": true},
        "review_hold_s": 3600, "employee_may_delete": true,
    })
}

/// Where any of these stands in any file below a folder, names of files included.
#[cfg(test)]
fn found(folder: &Path, needles: &[String]) -> Vec<String> {
    let mut all = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(found(&path, needles));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for needle in needles {
            let inside = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            // An object's name is its hash, cut in two.
            if inside || name.replace('/', "").contains(needle.as_str()) {
                all.push(format!("{needle} in {name}"));
            }
        }
    }
    all
}

#[tokio::test]
async fn an_erased_person_is_found_nowhere_but_for_the_receipt() {
    let server = Server::start().await;
    let mut jo = tracked(&server, all_settings()).await;
    // Somebody else has the very same picture: it stays theirs.
    let other = server.employee().await;
    let mut others = server.device(&other).await;
    let shared = others.screenshot();
    others
        .put(&server, &shared)
        .await
        .expect(StatusCode::CREATED);

    let started = jo.device.session(Started, START_MS);
    jo.put(&server, started).await;
    server.clock.advance(10 * MINUTE_MS);
    let mut picture = common::WEBP.to_vec();
    picture.extend(b"of Josephine");
    let shot = jo.device.make(Kind::Screenshot, "image/webp", &picture);
    jo.put(&server, shot).await;
    let same = jo.device.screenshot();
    jo.put(&server, same).await;
    let activity = jo.device.activity();
    jo.put(&server, activity).await;
    let stopped = jo.device.session(Stopped, START_MS + 10 * MINUTE_MS);
    jo.put(&server, stopped).await;
    // Looked at, invited, renamed, and busy themself.
    let owner = server.log_in(OWNER).await;
    let day = format!("/employees/{}/day", jo.employee);
    owner.get(&day).await.expect(StatusCode::OK);
    let path = format!("/api/v1/employees/{}", jo.employee);
    let note = json!({"name": "Josephine Quackenbush-Doe"});
    owner.patch(&path, note).await.expect(StatusCode::OK);
    let renamed = json!({"first_name": "Josephine", "last_name": "Quackenbush"});
    jo.person
        .patch("/api/v1/me", renamed)
        .await
        .expect(StatusCode::OK);

    let mut needles: Vec<String> = [
        "Josephine",
        "Quackenbush",
        "quackenbush",
        "josephine@",
        jo.employee.as_str(),
        jo.member.as_str(),
        jo.user.as_str(),
    ]
    .map(str::to_owned)
    .to_vec();
    needles.push(jo.device.id.to_string());
    needles.push(jo.device.license_id().to_string());
    for made in &jo.records {
        needles.push(made.header.record_id.to_string());
        needles.push(made.signed.hash());
        if made.header.payload_sha256 != shared.header.payload_sha256 {
            needles.push(made.header.payload_sha256.clone());
        }
    }
    let data = server.folder.path();
    for needle in &needles {
        let there = found(data, std::slice::from_ref(needle));
        assert!(!there.is_empty(), "{needle} is looked for in vain before");
    }

    let erase = format!("/api/v1/employees/{}/erase", jo.employee);
    server
        .post(&erase, json!({}))
        .await
        .refused(409, "confirm_first");
    let body = json!({"confirm": true, "reason": "asked for by letter"});
    let receipt = server
        .post(&erase, body)
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(receipt["counts"]["records"], 5, "{receipt}");
    assert_eq!(receipt["counts"]["users"], 1, "{receipt}");

    let left = found(data, &needles);
    assert!(left.is_empty(), "{left:#?}");
    // The receipt, and the log under the receipt's name.
    let receipts = server.get("/api/v1/purge-receipts").await.json();
    assert_eq!(receipts["items"][0], receipt);
    let id = receipt["receipt_id"].as_str().unwrap();
    let log = server
        .get(&format!("/api/v1/audit?about_id={id}"))
        .await
        .json();
    let actions: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["action"])
        .collect();
    assert!(
        actions.contains(&&json!("erase")) && actions.contains(&&json!("create")),
        "{log}"
    );
    // What is others' is untouched.
    let payload = format!("/api/v1/records/{}/payload", shared.header.record_id);
    assert_eq!(
        server.get(&payload).await.expect(StatusCode::OK).body,
        shared.payload
    );
    // The person is nobody here now, and their agent gets nothing in.
    assert_eq!(
        jo.person.get("/api/v1/me").await.status,
        StatusCode::UNAUTHORIZED
    );
    let late = jo.device.screenshot();
    jo.device
        .put(&server, &late)
        .await
        .refused(401, "device_unknown");
}

#[tokio::test]
async fn who_owns_something_is_not_erased_and_only_the_company_and_owners_erase() {
    let server = Server::start().await;
    let list = server.get("/api/v1/users").await.json();
    let owner = list["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/users/{owner}/erase");
    server
        .post(&path, json!({"confirm": true}))
        .await
        .refused(409, "owns_workspace");
    let employee = server.employee().await;
    let (_, admin) = server.member("ann@bolt.example", "admin").await;
    let path = format!("/api/v1/employees/{employee}/erase");
    admin
        .post(&path, json!({"confirm": true}))
        .await
        .refused(403, "forbidden");
    // In the console the name is typed.
    let owner = server.log_in(OWNER).await;
    let page = format!("/employees/{employee}/erase");
    owner.get(&page).await.expect(StatusCode::OK);
}

#[cfg(test)]
async fn kinds(server: &Server) -> Vec<String> {
    let list = server.get("/api/v1/records?limit=1000").await.json();
    common::person::column(&list, "kind")
}

#[tokio::test]
async fn what_has_had_its_time_goes_by_kind_with_a_receipt() {
    let server = Server::start().await;
    let keep = json!({"retention_days": {"screenshot": 30, "activity": 90}});
    let company = server
        .patch("/api/v1/company", keep)
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(company["retention_days"]["screenshot"], 30);
    assert_eq!(company["retention_days"]["session"], Value::Null);
    let mut jo = tracked(&server, all_settings()).await;
    let told = server
        .license(&jo.employee)
        .await
        .claims()
        .issuer
        .retention_days
        .clone()
        .unwrap();
    assert_eq!(
        (told.screenshot, told.activity, told.session),
        (Some(30), Some(90), None)
    );

    let started = jo.device.session(Started, START_MS);
    jo.put(&server, started).await;
    let shot = jo.device.screenshot();
    let sha256 = shot.header.payload_sha256.clone();
    jo.put(&server, shot).await;
    let activity = jo.device.activity();
    jo.put(&server, activity).await;

    server.clock.advance(29 * DAY_MS);
    people::hold_to_retention(&server.state).await.unwrap();
    assert_eq!(kinds(&server).await, ["session", "screenshot", "activity"]);
    let receipts = server.get("/api/v1/purge-receipts").await.json();
    assert_eq!(receipts["items"], json!([]));

    server.clock.advance(2 * DAY_MS);
    people::hold_to_retention(&server.state).await.unwrap();
    assert_eq!(kinds(&server).await, ["session", "activity"]);
    assert_eq!(found(server.folder.path(), &[sha256]), Vec::<String>::new());
    let receipts = server.get("/api/v1/purge-receipts").await.json();
    assert_eq!(receipts["items"][0]["kind"], "retention");
    assert_eq!(
        receipts["items"][0]["counts"],
        json!({"pictures": 1, "screenshot": 1})
    );

    server.clock.advance(60 * DAY_MS);
    people::hold_to_retention(&server.state).await.unwrap();
    assert_eq!(kinds(&server).await, ["session"]);
}

#[tokio::test]
async fn nothing_is_kept_longer_than_the_license_said_under_which_it_was_captured() {
    let server = Server::start().await;
    let keep = |days: Value| json!({"retention_days": {"screenshot": days}});
    server
        .patch("/api/v1/company", keep(json!(30)))
        .await
        .expect(StatusCode::OK);
    let mut jo = tracked(&server, all_settings()).await;
    let shot = jo.device.screenshot();
    jo.put(&server, shot).await;
    // The company would keep them for ever now, and says so in the next license.
    let before = server.license(&jo.employee).await.claims().serial;
    server
        .patch("/api/v1/company", keep(Value::Null))
        .await
        .expect(StatusCode::OK);
    let license = server.license(&jo.employee).await;
    assert_eq!(license.claims().serial, before + 1);
    assert_eq!(license.claims().issuer.retention_days, None);
    server.clock.advance(31 * DAY_MS);
    people::hold_to_retention(&server.state).await.unwrap();
    assert_eq!(kinds(&server).await, Vec::<String>::new());
    server
        .patch("/api/v1/company", keep(json!(0)))
        .await
        .refused(422, "invalid");
}

#[tokio::test]
async fn sessions_go_with_the_last_of_their_records() {
    let server = Server::start().await;
    let keep = json!({"retention_days": {"session": 10}});
    server
        .patch("/api/v1/company", keep)
        .await
        .expect(StatusCode::OK);
    let mut jo = tracked(&server, all_settings()).await;
    let started = jo.device.session(Started, START_MS);
    jo.put(&server, started).await;
    let stopped = jo.device.session(Stopped, START_MS + MINUTE_MS);
    jo.put(&server, stopped).await;
    server.clock.advance(11 * DAY_MS);
    people::hold_to_retention(&server.state).await.unwrap();
    let sessions = server.get("/api/v1/sessions").await.json();
    assert_eq!(sessions["items"], json!([]));
}

#[tokio::test]
async fn an_employee_deletes_an_own_capture_and_is_told_the_time_first() {
    let server = Server::start().await;
    let mut jo = tracked(&server, all_settings()).await;
    let started = jo.device.session(Started, START_MS);
    jo.put(&server, started).await;
    server.clock.advance(20 * MINUTE_MS);
    let shot = jo.device.screenshot();
    let (id, sha256) = (shot.header.record_id, shot.header.payload_sha256.clone());
    jo.put(&server, shot).await;
    let stopped = jo.device.session(Stopped, START_MS + 20 * MINUTE_MS);
    jo.put(&server, stopped).await;

    let path = format!("/api/v1/me/captures/{id}/deletion");
    let told = jo.person.get(&path).await.expect(StatusCode::OK).json();
    assert_eq!(
        told,
        json!({"off_ms": 10 * MINUTE_MS, "tracked_ms": 20 * MINUTE_MS})
    );
    let page = jo
        .person
        .get(&format!("/captures/{id}/delete"))
        .await
        .expect(StatusCode::OK);
    let page = String::from_utf8(page.body).unwrap().replace('\u{a0}', " ");
    assert!(
        page.contains("It takes 10 m off your tracked time"),
        "{page}"
    );
    jo.person
        .post(&path, json!({}))
        .await
        .refused(409, "confirm_first");
    let done = jo
        .person
        .post(&path, json!({"confirm": true}))
        .await
        .expect(StatusCode::OK);
    assert_eq!(done.json(), told);

    // As told; the place stays, the picture is gone.
    let sessions = server
        .get(&format!("/api/v1/sessions?employee_id={}", jo.employee))
        .await
        .json();
    let session = &sessions["items"][0];
    assert_eq!(session["tracked_ms"], 10 * MINUTE_MS);
    assert_eq!(session["withdrawn_ms"], 10 * MINUTE_MS);
    let payload = format!("/api/v1/records/{id}/payload");
    server.get(&payload).await.refused(410, "withdrawn");
    let (fan, rest) = sha256.split_at(2);
    let objects = server.folder.path().join("data/objects");
    let object = objects
        .join(server.company_id.to_string())
        .join(fan)
        .join(rest);
    assert!(!object.exists());
    jo.person
        .post(&path, json!({"confirm": true}))
        .await
        .refused(410, "withdrawn");
    // The employer cannot do it for them.
    let owner = server.log_in(OWNER).await;
    let session = jo.records[0].header.record_id;
    let others = format!("/api/v1/me/captures/{session}/deletion");
    owner.get(&others).await.refused(404, "not_found");
    jo.person
        .get(&others)
        .await
        .refused(403, "deletion_not_licensed");
}

#[tokio::test]
async fn what_the_license_does_not_let_an_employee_delete_stays() {
    let server = Server::start().await;
    let mut settings = all_settings();
    settings["employee_may_delete"] = false.into();
    settings["review_hold_s"] = 0.into();
    let mut jo = tracked(&server, settings).await;
    let shot = jo.device.screenshot();
    let id = shot.header.record_id;
    jo.put(&server, shot).await;
    let path = format!("/api/v1/me/captures/{id}/deletion");
    jo.person
        .post(&path, json!({"confirm": true}))
        .await
        .refused(403, "deletion_not_licensed");
    server
        .get(&format!("/api/v1/records/{id}/payload"))
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn the_company_says_in_the_console_how_long_what_is_kept_and_finds_the_receipts_there() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let owner = server.log_in(OWNER).await;
    let kept = "/company/kept";
    let page = owner.page(kept).await;
    assert!(page.contains("Nothing was deleted yet"), "{page}");
    let refused = owner.submit(kept, &[("screenshot", "soon")]).await;
    let refused = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    let page = String::from_utf8(refused.body).unwrap();
    assert!(
        page.contains("whole number of days") && page.contains("value=\"soon\""),
        "{page}"
    );
    let fields = [("screenshot", "30"), ("camera", ""), ("activity", "90")];
    let saved = owner.submit(kept, &fields).await;
    saved.expect(StatusCode::SEE_OTHER);
    let days = json!({"screenshot": 30, "camera": null, "activity": 90, "session": null});
    let company = server.get("/api/v1/company").await.json();
    assert_eq!(company["retention_days"], days);
    let license = server.get(&format!("/api/v1/employees/{employee}")).await;
    assert_eq!(license.json()["serial"], 2, "every license says it");

    // What is carried away before.
    let page = owner.page(&format!("/employees/{employee}/export")).await;
    assert!(page.contains("action=\"/api/v1/export\""), "{page}");
    let export = format!("/api/v1/export?employee_id={employee}&reason=asked+for+it");
    owner.get(&export).await.expect(StatusCode::OK);
    let fields = [("name", "Jo Doe"), ("reason", "asked for it")];
    let erase = format!("/employees/{employee}/erase");
    let erased = owner.submit(&erase, &fields).await;
    erased.expect(StatusCode::SEE_OTHER);
    let receipts = server.get("/api/v1/purge-receipts").await.json();
    let receipt = receipts["items"][0]["receipt_id"].as_str().unwrap();
    let page = owner.page(kept).await;
    assert!(
        page.contains(receipt) && page.contains("a person was erased"),
        "{page}"
    );
}

#[tokio::test]
async fn the_company_asks_everybody_for_a_second_factor_from_its_page() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let page = owner.page("/company").await;
    assert!(
        page.contains("name=\"require_second_factor\" value=\"yes\">"),
        "{page}"
    );
    let name = server.company().await.name;
    let fields = [
        ("name", name.as_str()),
        ("language", "en"),
        ("require_second_factor", "yes"),
    ];
    let saved = owner.submit("/company", &fields).await;
    saved.expect(StatusCode::SEE_OTHER);
    let company = server.get("/api/v1/company").await.json();
    assert_eq!(company["require_second_factor"], true);
    // From the next page on, who asked for it included.
    let refused = owner.get("/api/v1/company").await;
    refused.refused(403, "second_factor_required");
}
