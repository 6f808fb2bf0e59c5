//! What becomes of stored records: sessions, grades, references and lists.

mod common;

use axum::http::StatusCode;
use common::{Made, Server};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::SessionEventKind::{Idle, Resumed, Started, Stopped};
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
async fn p22_time_in_a_gap_counts_once_a_manager_accepts_it_and_the_employee_reads_who_and_why() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let (member, jo) = server.member("jo@elsewhere.example", "manager").await;
    let own = json!({"employee_id": employee});
    let path = format!("/api/v1/members/{member}");
    server.patch(&path, own).await.expect(StatusCode::OK);
    let (_, ann) = server.member("ann@elsewhere.example", "manager").await;
    let (_, sam) = server.member("sam@elsewhere.example", "employee").await;

    let t = common::START_MS;
    let started = device.session(Started, t);
    server.clock.advance(10 * 60_000);
    let before = device.activity();
    server.clock.advance(10 * 60_000);
    drop(device.activity());
    server.clock.advance(10 * 60_000);
    let behind = device.activity();
    let stopped = device.session(Stopped, t + 30 * 60_000);
    for record in [&started, &before, &behind, &stopped] {
        let put = device.put(&server, record).await;
        put.expect(StatusCode::CREATED);
    }
    let line = async || {
        let report = server.get("/api/v1/reports/timesheet").await.json();
        let line = &report["items"][0];
        let minutes = |name: &str| line[name].as_i64().unwrap() / 60_000;
        (minutes("tracked_ms"), minutes("uncounted_ms"))
    };
    assert_eq!(line().await, (10, 20));
    let day = format!("/employees/{employee}/day");
    let page = ann.page(&day).await;
    assert!(page.contains("in doubt, not counted"), "{page}");
    assert!(page.contains("Records are missing between"), "{page}");

    let id = behind.header.record_id;
    let accept = format!("/api/v1/records/{id}/accept");
    let reason = || json!({"reason": "the office had no power"});
    let nothing = ann.post(&accept, json!({})).await;
    nothing.refused(422, "invalid");
    assert_eq!(nothing.json()["field"], "reason");
    sam.post(&accept, reason()).await.refused(403, "forbidden");
    let themself = jo.post(&accept, reason()).await;
    themself.refused(403, "forbidden");
    let whole = format!("/api/v1/records/{}/accept", before.header.record_id);
    ann.post(&whole, reason()).await.refused(409, "conflict");
    assert_eq!(line().await, (10, 20));

    let form = format!("/records/{id}/accept");
    assert!(page.contains(&format!("action=\"{form}\"")), "{page}");
    let own = jo.page(&day).await;
    assert!(!own.contains(&form), "it is not offered in vain");
    let fields = [
        ("reason", "the office had no power"),
        ("date", "2026-11-18"),
    ];
    let answer = ann.submit(&form, &fields).await;
    answer.expect(StatusCode::SEE_OTHER);
    assert_eq!(line().await, (30, 0));
    ann.post(&accept, reason()).await.refused(409, "conflict");
    for page in [jo.page(&day).await, ann.page(&day).await] {
        let told = page.contains("Accepted by ann Doe on");
        assert!(told && page.contains("the office had no power"), "{page}");
        assert!(!page.contains(&form) && !page.contains("not counted"));
        assert!(page.contains("1\u{a0}gap"), "what is missing stays shown");
    }
    let stored = records(&server).await;
    let record = stored.iter().find(|one| one["record_id"] == id.to_string());
    assert_eq!(record.unwrap()["accepted"]["by"], "ann Doe");
    let path = format!("/api/v1/audit?about_id={employee}");
    let log = server.get(&path).await.json();
    let entries = log["items"].as_array().unwrap();
    let entry = entries.iter().find(|one| one["object"] == "acceptance");
    let entry = entry.unwrap_or_else(|| panic!("{log}"));
    assert_eq!(entry["reason"], "the office had no power", "{entry}");
    assert_eq!(entry["object_id"], id.to_string(), "{entry}");
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
        let mut read = server.read().await;
        read.pictures(Kind::Screenshot, employee, 0, i64::MAX, 10)
            .await
            .unwrap()
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
