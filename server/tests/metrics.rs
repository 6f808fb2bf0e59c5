//! What a monitoring system is told, who may ask, and that no person is in it.

mod common;

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use common::{Answer, Server};
use glasshour_server::router;
use serde_json::json;

#[cfg(test)]
impl Server {
    async fn metrics(&self, from: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get("/metrics");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let from: SocketAddr = from.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(from));
        self.send(request).await
    }
}

#[tokio::test]
async fn without_a_token_only_this_very_machine_may_ask() {
    let server = Server::start().await;
    let told = server.metrics("127.0.0.1:4711", &[]).await;
    let told = told.expect(StatusCode::OK);
    let kind = told.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    server
        .metrics("192.0.2.7:4711", &[])
        .await
        .refused(403, "forbidden");
    // Behind a proxy everybody connects from this machine.
    for header in ["x-forwarded-for", "forwarded", "via"] {
        let proxied = server
            .metrics("127.0.0.1:4711", &[(header, "192.0.2.7")])
            .await;
        proxied.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn with_a_token_whoever_has_it_may_ask_and_nobody_else() {
    let mut server = Server::start().await;
    server.state.metrics_token = Some("a-token-of-twenty-one".into());
    server.router = router(server.state.clone());
    let bearer = [("authorization", "Bearer a-token-of-twenty-one")];
    server
        .metrics("192.0.2.7:4711", &bearer)
        .await
        .expect(StatusCode::OK);
    let wrong = [("authorization", "Bearer a-token-of-twenty-two")];
    server
        .metrics("192.0.2.7:4711", &wrong)
        .await
        .refused(403, "forbidden");
    server
        .metrics("127.0.0.1:4711", &[])
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_no_person_is_named() {
    let server = Server::start().await;
    let body = json!({"name": "Jo Doe", "work_mode": "worklog", "active": true,
        "email": "jo@acme.example"});
    let made = server.post("/api/v1/employees", body).await;
    let id = made.json()["employee_id"].as_str().unwrap().to_owned();
    server
        .get(&format!("/api/v1/employees/{id}"))
        .await
        .expect(StatusCode::OK);
    server
        .get("/api/v1/nothing/jo@acme.example")
        .await
        .expect(StatusCode::NOT_FOUND);
    let text = server.metrics("127.0.0.1:4711", &[]).await.body;
    let text = String::from_utf8(text).unwrap();
    let line = "glasshour_http_requests_total{method=\"GET\",\
        route=\"/api/v1/employees/{employee_id}\",status=\"200\"} 1";
    assert!(text.lines().any(|one| one == line), "{text}");
    assert!(
        text.lines().any(|one| one == "glasshour_companies 1"),
        "{text}"
    );
    assert!(
        text.lines().any(|one| one == "glasshour_database_up 1"),
        "{text}"
    );
    for personal in ["Jo", "acme", id.as_str()] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
}
