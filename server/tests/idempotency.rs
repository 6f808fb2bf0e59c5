//! `Idempotency-Key`: the same request under the same key makes one thing and has one answer.

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::{Answer, OWNER, Server};
use glasshour_server::store::Db;
use serde_json::{Value, json};

const KEY: &str = "2f1e7c52-2d3b-4f0e-9f57-3f0e6a1c9d11";

#[cfg(test)]
impl Server {
    async fn keyed(&self, token: &str, path: &str, key: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    async fn count(&self, path: &str) -> usize {
        let list = self.get(path).await.expect(StatusCode::OK).json();
        list["items"].as_array().unwrap().len()
    }
}

#[cfg(test)]
fn jo() -> Value {
    json!({"name": "Jo Doe", "work_mode": "worklog", "active": true})
}

#[tokio::test]
async fn the_same_request_again_makes_nothing_and_has_the_same_answer() {
    let server = Server::start().await;
    let post = async |key: &str, body: &Value| {
        server
            .keyed(&server.token, "/api/v1/employees", key, body)
            .await
    };
    let first = post(KEY, &jo()).await.expect(StatusCode::CREATED);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = post(KEY, &jo()).await.expect(StatusCode::CREATED);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(again.body, first.body);
    assert_eq!(server.count("/api/v1/employees").await, 1);
    // Another key is another request, and so is no key.
    post("another-key-of-16", &jo())
        .await
        .expect(StatusCode::CREATED);
    server
        .post("/api/v1/employees", jo())
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(server.count("/api/v1/employees").await, 3);
    // After a day the key is free.
    server.clock.advance(24 * 3_600_000 + 1);
    let fresh = post(KEY, &jo()).await.expect(StatusCode::CREATED);
    assert_ne!(fresh.body, first.body);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let server = Server::start().await;
    let post = async |path: &str, body: Value| server.keyed(&server.token, path, KEY, &body).await;
    post("/api/v1/employees", jo())
        .await
        .expect(StatusCode::CREATED);
    let mut other = jo();
    other["name"] = "Sam".into();
    post("/api/v1/employees", other)
        .await
        .refused(422, "idempotency_key_reused");
    let elsewhere = post("/api/v1/projects", jo()).await;
    elsewhere.refused(422, "idempotency_key_reused");
    for bad in ["short", "with blanks within it", ""] {
        let answer = server
            .keyed(&server.token, "/api/v1/employees", bad, &jo())
            .await;
        answer.refused(422, "invalid");
        assert_eq!(answer.json()["field"], "Idempotency-Key");
    }
    assert_eq!(server.count("/api/v1/employees").await, 1);
}

#[tokio::test]
async fn what_was_refused_can_be_corrected_under_the_same_key() {
    let server = Server::start().await;
    let bad = json!({"name": "", "work_mode": "worklog", "active": true});
    let refused = server
        .keyed(&server.token, "/api/v1/employees", KEY, &bad)
        .await;
    refused.refused(422, "invalid");
    let good = server
        .keyed(&server.token, "/api/v1/employees", KEY, &jo())
        .await;
    good.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_is_its_owners_alone() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    let acme = server
        .keyed(&server.token, "/api/v1/employees", KEY, &jo())
        .await;
    let theirs = server
        .keyed(&bolt.token, "/api/v1/employees", KEY, &jo())
        .await;
    assert_ne!(
        acme.expect(StatusCode::CREATED).json()["employee_id"],
        theirs.expect(StatusCode::CREATED).json()["employee_id"]
    );
    // A person of the same company does not get a script's answer.
    let owner = server.log_in(OWNER).await;
    let request = Request::post("/api/v1/employees")
        .header(header::COOKIE, &owner.cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .header("Idempotency-Key", KEY)
        .body(Body::from(jo().to_string()));
    server
        .send(request.unwrap())
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(server.count("/api/v1/employees").await, 2);
    // A stranger is asked who they are, and leaves nothing.
    let stranger = server
        .keyed("gh_nobody", "/api/v1/employees", KEY, &jo())
        .await;
    stranger.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_request_that_still_runs_is_not_run_beside_itself_and_a_lost_one_says_so() {
    let server = Server::start().await;
    // As if a server had died in the middle of it: the place is taken, and no answer stands there.
    server
        .keyed(&server.token, "/api/v1/employees", KEY, &jo())
        .await
        .expect(StatusCode::CREATED);
    let Db::Sqlite { writer, .. } = &server.state.db else {
        panic!("the tests' servers keep a file")
    };
    let forget = "UPDATE idempotency SET status = NULL, answer = NULL";
    sqlx::query(forget).execute(writer).await.unwrap();
    let again = server
        .keyed(&server.token, "/api/v1/employees", KEY, &jo())
        .await;
    again.refused(409, "request_runs");
    server.clock.advance(6 * 60_000);
    let lost = server
        .keyed(&server.token, "/api/v1/employees", KEY, &jo())
        .await;
    lost.refused(409, "request_runs");
    assert!(
        lost.json()["message"]
            .as_str()
            .unwrap()
            .contains("is not known")
    );
    assert_eq!(server.count("/api/v1/employees").await, 1);
}

#[tokio::test]
async fn the_database_alone_gives_away_no_answer() {
    let server = Server::start().await;
    let body = json!({"emails": "sam@elsewhere.example"});
    let made = server
        .keyed(&server.token, "/api/v1/invitations", KEY, &body)
        .await;
    let made = made.expect(StatusCode::CREATED).json();
    let link = made["results"][0]["link"].as_str().unwrap().to_owned();
    let token = link.rsplit('/').next().unwrap().to_owned();
    let again = server
        .keyed(&server.token, "/api/v1/invitations", KEY, &body)
        .await;
    assert_eq!(again.json(), made);
    // The link is used up: neither the outbox nor a kept answer has it any more in clear.
    server.enter("sam@elsewhere.example", &link).await;
    let Db::Sqlite { writer, .. } = &server.state.db else {
        panic!("the tests' servers keep a file")
    };
    let kept: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT answer FROM idempotency")
        .fetch_all(writer)
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    let holds = |needle: &str| {
        let mut parts = kept[0].0.windows(needle.len());
        parts.any(|part| part == needle.as_bytes())
    };
    assert!(!holds(&token) && !holds("sam@elsewhere"));
    server.state.db.close().await;
    for file in std::fs::read_dir(server.folder.path().join("data")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
            assert!(!found, "the key itself is in {}", path.display());
        }
    }
}
