//! The OpenAPI document is the one checked in, and describes the router as it is.

mod common;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use common::Server;
use glasshour_server::api;
use serde_json::Value;

#[cfg(test)]
fn document() -> Value {
    serde_json::from_str(&api::document()).unwrap()
}

/// Every documented method and path, with a nil id for each parameter.
#[cfg(test)]
fn operations() -> Vec<(Method, String, Value)> {
    let document = document();
    let mut all = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        let mut filled = path.clone();
        while let (Some(from), Some(to)) = (filled.find('{'), filled.find('}')) {
            filled.replace_range(from..=to, "00000000-0000-0000-0000-000000000000");
        }
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            all.push((method, filled.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_document_checked_in_is_the_one_served() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let checked_in = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(
        checked_in,
        api::document(),
        "after a look at the difference: cargo run -p glasshour-server -- openapi > server/openapi.json"
    );
}

#[test]
fn it_is_openapi_3_1_and_every_protected_operation_says_so() {
    assert_eq!(document()["openapi"], "3.1.0");
    let open = ["/healthz", "/readyz", "/metrics", "/api/openapi.json"];
    let mut names = std::collections::BTreeSet::new();
    for (method, path, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name), "{method} {path}: its name is another's");
        let protected = operation.get("security").is_some();
        // A link is its own proof; whoever signs up is a stranger.
        let entry = path.starts_with("/api/v1/links/")
            || path == "/api/v1/sign-up"
            || path == "/api/v1/password-reset";
        let is_open = open.contains(&path.as_str()) || entry;
        assert_eq!(protected, !is_open, "{method} {path}");
        if entry {
            continue;
        }
        let refusals = operation["responses"].as_object().unwrap();
        assert_eq!(refusals.contains_key("401"), protected, "{method} {path}");
    }
}

#[tokio::test]
async fn every_documented_operation_exists_and_asks_who_is_there() {
    let server = Server::start().await;
    let operations = operations();
    assert_eq!(operations.len(), 100);
    for (method, path, operation) in operations {
        let request = Request::builder()
            .method(&method)
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        let answer = server.send(request).await;
        let expected = match operation.get("security") {
            None if path.starts_with("/api/v1/links/") && method == Method::GET => {
                StatusCode::NOT_FOUND
            }
            // For monitoring, from this machine or by a token.
            None if path == "/metrics" => StatusCode::FORBIDDEN,
            None if method == Method::POST => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            None => StatusCode::OK,
            // Enrolment reads its body, which carries the key, before it can check the token.
            Some(_) if method == Method::POST && path == "/api/v1/devices" => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Some(_) => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(answer.status, expected, "{method} {path}");
    }
}
