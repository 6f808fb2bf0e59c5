//! The audit log: append-only, complete, without secrets; and who looked at whom.

mod common;

use axum::http::{Method, StatusCode};
use common::person::column;
use common::{Device, OWNER, PASSWORD, Server};
use glasshour_server::store::Db;
use serde_json::{Value, json};

#[cfg(test)]
async fn log(server: &Server, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?limit=1000{query}");
    let list = server.get(&path).await.expect(StatusCode::OK).json();
    list["items"].as_array().unwrap().clone()
}

/// What was done, as `actor action object`, the newest first.
#[cfg(test)]
fn told(entries: &[Value]) -> Vec<String> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or("-").to_owned();
    entries
        .iter()
        .map(|entry| {
            let words = ["actor_kind", "action", "object"].map(|field| text(entry, field));
            words.join(" ")
        })
        .collect()
}

#[tokio::test]
async fn a_change_tells_who_did_what_to_whom_and_what_was_before_and_after() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let owner = server.log_in(OWNER).await;
    let path = format!("/api/v1/employees/{employee}");
    owner
        .patch(&path, json!({"name": "Jo Roe", "email": "jo@roe.example"}))
        .await
        .expect(StatusCode::OK);
    let entries = log(&server, &format!("&about_id={employee}")).await;
    assert_eq!(
        told(&entries),
        [
            "person change employee",
            "person create license",
            "token create license",
            "token create employee"
        ]
    );
    let change = &entries[0];
    assert_eq!(change["actor_name"], OWNER);
    assert_eq!(change["address"], "0.0.0.0");
    assert_eq!(change["at"], "2026-11-18T11:06:40Z");
    assert_eq!(change["object_name"], "Jo Roe");
    assert_eq!(change["workspace_id"], server.workspace().await);
    assert_eq!(change["before"], json!({"name": "Jo Doe", "email": null}));
    let after = json!({"name": "Jo Roe", "email": "jo@roe.example"});
    assert_eq!(change["after"], after);
    // A request that changes nothing, and one that is refused, are none.
    owner.patch(&path, json!({"name": "Jo Roe"})).await;
    owner
        .patch(&path, json!({"name": ""}))
        .await
        .refused(422, "invalid");
    assert_eq!(
        log(&server, &format!("&about_id={employee}")).await.len(),
        4
    );
}

#[tokio::test]
async fn whatever_changes_people_or_settings_is_in_the_log_whichever_way_it_came() {
    let server = Server::start().await;
    let founding = told(&log(&server, "").await);
    for object in [
        "company",
        "signing_key",
        "workspace",
        "user",
        "member",
        "api_token",
    ] {
        let entry = format!("operator create {object}");
        assert!(founding.contains(&entry), "{entry}: {founding:?}");
    }
    let (_, ann) = server.member("ann@bolt.example", "admin").await;
    let (user, _) = server.internal("jo").await;
    server
        .patch(
            &format!("/api/v1/users/{user}"),
            json!({"status": "inactive"}),
        )
        .await
        .expect(StatusCode::OK);
    let employee = server.employee().await;
    let device = server.device(&employee).await;
    server
        .api(
            Method::POST,
            &format!("/api/v1/devices/{}/revoke", device.id),
            Some(json!({})),
        )
        .await
        .expect(StatusCode::OK);
    ann.post("/api/v1/projects", json!({"name": "Apollo"}))
        .await
        .expect(StatusCode::CREATED);
    server
        .patch("/api/v1/company", json!({"name": "Acme Works"}))
        .await
        .expect(StatusCode::OK);
    let entries = told(&log(&server, "").await);
    for wanted in [
        "token create member",
        "guest change user",
        "person log_in session",
        "guest change member",
        "token create user",
        "token change user",
        "device create device",
        "token change device",
        "person create project",
        "token change company",
    ] {
        assert!(
            entries.contains(&wanted.to_owned()),
            "{wanted}: {entries:#?}"
        );
    }
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let server = Server::start().await;
    server.internal("jo").await;
    let all = json!(log(&server, "").await).to_string();
    let hash = glasshour_server_hash(&server).await;
    for secret in [PASSWORD, "argon2", &server.token, &hash] {
        assert!(!all.contains(secret), "{secret}");
    }
    // That a password was set is told.
    let jo = log(&server, "&object=user").await;
    assert!(
        jo.iter()
            .any(|entry| entry["after"]["password_hash"] == "changed"),
        "{jo:#?}"
    );
}

#[cfg(test)]
async fn glasshour_server_hash(server: &Server) -> String {
    let Db::Sqlite { readers, .. } = &server.state.db else {
        unreachable!()
    };
    let (hash,): (String,) = sqlx::query_as("SELECT token_hash FROM api_tokens")
        .fetch_one(readers)
        .await
        .unwrap();
    hash
}

#[tokio::test]
async fn nobody_alters_the_log_not_even_in_the_database() {
    let server = Server::start().await;
    server.employee().await;
    let before = log(&server, "").await;
    let Db::Sqlite { writer, .. } = &server.state.db else {
        unreachable!()
    };
    for attempt in [
        "DELETE FROM audit",
        "UPDATE audit SET actor_name = 'nobody'",
        "UPDATE audit SET erased_by = 'r', after_json = NULL",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit",
    ] {
        let error = sqlx::query(attempt).execute(writer).await.unwrap_err();
        assert!(
            error.to_string().contains("append-only"),
            "{attempt}: {error}"
        );
    }
    assert_eq!(log(&server, "").await, before);
}

#[tokio::test]
async fn the_log_is_walked_by_cursor_and_an_admin_sees_what_belongs_to_their_workspace() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    server.employee().await;
    let all = log(&server, "").await;
    let mut walked = vec![];
    let mut cursor = String::new();
    loop {
        let list = server
            .get(&format!("/api/v1/audit?limit=3{cursor}"))
            .await
            .json();
        walked.extend(list["items"].as_array().unwrap().clone());
        match list["next"].as_str() {
            None => break,
            Some(next) => cursor = format!("&cursor={next}"),
        }
    }
    assert_eq!(walked, all);

    let own = server.workspace().await;
    let (_, admin) = server.member("ann@bolt.example", "admin").await;
    let seen = admin
        .get("/api/v1/audit?limit=1000")
        .await
        .expect(StatusCode::OK)
        .json();
    let workspaces = column(&seen, "workspace_id");
    assert!(workspaces.len() > 3 && workspaces.iter().all(|id| *id == own));
    assert!(column(&seen, "object").contains(&"employee".to_owned()));
    assert!(!column(&seen, "object").contains(&"company".to_owned()));
    let (_, manager) = server.member("max@bolt.example", "manager").await;
    manager.get("/api/v1/audit").await.refused(403, "forbidden");
    // And nothing of another company's.
    let theirs = bolt.get("/api/v1/audit?limit=1000").await.json();
    assert!(!theirs.to_string().contains("Jo Doe"));
}

/// An employee with a picture, who has an account and tracks as a member.
#[cfg(test)]
struct Watched<'a> {
    employee: String,
    record: String,
    person: common::person::Person<'a>,
}

#[cfg(test)]
async fn watched(server: &Server) -> Watched<'_> {
    let employee = server.employee().await;
    let mut device: Device = server.device(&employee).await;
    let shot = device.screenshot();
    device.put(server, &shot).await.expect(StatusCode::CREATED);
    let (member, person) = server.member("jo@home.example", "employee").await;
    server
        .patch(
            &format!("/api/v1/members/{member}"),
            json!({"employee_id": employee}),
        )
        .await
        .expect(StatusCode::OK);
    Watched {
        employee,
        record: shot.header.record_id.to_string(),
        person,
    }
}

#[cfg(test)]
async fn looked_at(watched: &Watched<'_>) -> Vec<(String, String, i64)> {
    let list = watched.person.get("/api/v1/me/views").await;
    let list = list.expect(StatusCode::OK).json();
    let views = list["items"].as_array().unwrap();
    let text = |view: &Value, field: &str| view[field].as_str().unwrap().to_owned();
    views
        .iter()
        .map(|view| {
            (
                text(view, "what"),
                text(view, "viewer_name"),
                view["times"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_way_to_look_at_a_person_is_shown_to_that_person() {
    let server = Server::start().await;
    let watched = watched(&server).await;
    let (employee, record) = (watched.employee.as_str(), watched.record.as_str());
    assert_eq!(looked_at(&watched).await, []);
    let owner = server.log_in(OWNER).await;
    let ways = [
        (format!("/employees/{employee}/day"), "day"),
        (format!("/captures/{record}/image"), "pictures"),
        (format!("/api/v1/records/{record}/payload"), "pictures"),
        (format!("/api/v1/records?employee_id={employee}"), "records"),
        ("/api/v1/records?reason=theft".to_owned(), "records"),
        (
            format!("/api/v1/export?employee_id={employee}&reason=court"),
            "export",
        ),
    ];
    for (path, what) in ways {
        // Each in a quarter of an hour of its own.
        server.clock.advance(15 * 60_000);
        owner.get(&path).await.expect(StatusCode::OK);
        let seen = looked_at(&watched).await;
        assert_eq!(seen[0], (what.into(), OWNER.into(), 1), "{path}");
    }
    assert_eq!(looked_at(&watched).await.len(), 6);
    // Twice within a quarter of an hour is one row that counts.
    server.clock.advance(15 * 60_000);
    for _ in 0..2 {
        owner
            .get(&format!("/captures/{record}/image"))
            .await
            .expect(StatusCode::OK);
    }
    assert_eq!(looked_at(&watched).await[0].2, 2);
    // A script by its name; one's own look is nobody's news.
    server.clock.advance(15 * 60_000);
    server
        .get(&format!("/api/v1/records?employee_id={employee}"))
        .await
        .expect(StatusCode::OK);
    assert_eq!(looked_at(&watched).await[0].1, "init");
    let count = looked_at(&watched).await.len();
    watched
        .person
        .get(&format!("/employees/{employee}/day"))
        .await
        .expect(StatusCode::OK);
    assert_eq!(looked_at(&watched).await.len(), count);
    // The page says the same.
    let page = watched.person.get("/me/views").await.expect(StatusCode::OK);
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("court") && page.contains(OWNER), "{page}");
    // Nobody else is shown it.
    let mine = owner
        .get("/api/v1/me/views")
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(mine["items"], json!([]));
}

#[tokio::test]
async fn looking_at_many_or_carrying_away_asks_a_person_for_a_reason() {
    let server = Server::start().await;
    let watched = watched(&server).await;
    let owner = server.log_in(OWNER).await;
    let export = format!("/api/v1/export?employee_id={}", watched.employee);
    for path in ["/api/v1/records", "/api/v1/sessions", &export] {
        let refused = owner.get(path).await;
        refused.refused(422, "invalid");
        assert_eq!(refused.json()["field"], "reason", "{path}");
    }
    assert_eq!(looked_at(&watched).await, []);
    let with = format!("{export}&reason=Asked%20for%20by%20Jo");
    owner.get(&with).await.expect(StatusCode::OK);
    let entries = log(&server, "&object=captures").await;
    assert_eq!(told(&entries), ["person export captures"]);
    assert_eq!(entries[0]["reason"], "Asked for by Jo");
    // A script says what it is for by its name, or more.
    server.get(&export).await.expect(StatusCode::OK);
    let entries = log(&server, "&object=captures").await;
    assert_eq!(entries[0]["reason"], "init");
}

#[tokio::test]
async fn an_employee_sees_their_own_captures_and_no_one_elses() {
    let server = Server::start().await;
    let watched = watched(&server).await;
    let other = server.employee().await;
    let me = &watched.person;
    for path in [
        format!("/employees/{}/day", watched.employee),
        format!("/captures/{}", watched.record),
        format!("/captures/{}/image", watched.record),
        format!("/api/v1/records/{}/payload", watched.record),
        format!("/api/v1/records?employee_id={}", watched.employee),
        format!("/api/v1/sessions?employee_id={}", watched.employee),
    ] {
        me.get(&path).await.expect(StatusCode::OK);
    }
    for path in [
        format!("/employees/{other}/day"),
        format!("/api/v1/records?employee_id={other}"),
        "/api/v1/records?reason=x".to_owned(),
        format!("/api/v1/export?employee_id={other}&reason=x"),
    ] {
        assert_eq!(me.get(&path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}
