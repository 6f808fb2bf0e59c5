//! Passwords, log-ins, links, second factors and API tokens.

mod common;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use common::person::{Person, api_link};
use common::{Answer, OWNER, PASSWORD, Server};
use glasshour_server::people;
use ring::hmac;
use serde_json::{Value, json};

const HOUR_MS: i64 = 3_600_000;

/// Sends a form as a browser does.
#[cfg(test)]
async fn form(server: &Server, path: &str, fields: &[(&str, &str)], cookie: &str) -> Answer {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<Vec<_>>()
            .concat()
    };
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, cookie)
        .body(Body::from(body.join("&")));
    server.send(request.unwrap()).await
}

#[cfg(test)]
fn cookie(answer: &Answer) -> String {
    let value = answer.headers[header::SET_COOKIE].to_str().unwrap();
    value.split(';').next().unwrap().to_owned()
}

#[cfg(test)]
async fn log_in_with(server: &Server, email: &str, password: &str) -> Answer {
    form(
        server,
        "/login",
        &[("email", email), ("password", password)],
        "",
    )
    .await
}

#[tokio::test]
async fn another_password_ends_every_other_log_in_and_is_asked_for_from_then_on() {
    let server = Server::start().await;
    let here = server.log_in(OWNER).await;
    let there = server.log_in(OWNER).await;
    let change = |current: &str, new: &str| json!({"current": current, "password": new});
    let path = "/api/v1/me/password";
    let wrong = here
        .post(path, change("not it at all", "four new words here"))
        .await;
    wrong.refused(422, "invalid");
    assert_eq!(wrong.json()["field"], "current");
    for bad in ["short", "password123", "qwertyuiop12", "me-acme-2026"] {
        let refused = here.post(path, change(PASSWORD, bad)).await;
        refused.refused(422, "invalid");
        assert_eq!(refused.json()["field"], "password", "{bad}");
    }
    let done = here
        .post(path, change(PASSWORD, "four new words here"))
        .await;
    let done = done.expect(StatusCode::NO_CONTENT);
    for old in [&here, &there] {
        assert_eq!(old.get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    }
    let request = Request::get("/api/v1/me").header(header::COOKIE, cookie(&done));
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    answer.expect(StatusCode::OK);
    assert_eq!(
        log_in_with(&server, OWNER, PASSWORD).await.status,
        StatusCode::UNAUTHORIZED
    );
    let new = log_in_with(&server, OWNER, "four new words here").await;
    new.expect(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn log_out_everywhere_ends_every_log_in() {
    let server = Server::start().await;
    let (here, there) = (server.log_in(OWNER).await, server.log_in(OWNER).await);
    here.post("/api/v1/me/log-out-everywhere", json!({}))
        .await
        .expect(StatusCode::NO_CONTENT);
    for old in [here, there] {
        assert_eq!(old.get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_a_link_once_and_within_an_hour() {
    let server = Server::start().await;
    let (id, jo) = server.internal("jo").await;
    let forgot = async |email: &str| {
        let request = Request::post("/api/v1/password-reset")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({"email": email}).to_string()));
        server.send(request.unwrap()).await
    };
    // The same answer for an address that has no account.
    for email in ["jo@acme.example", "nobody@acme.example"] {
        let answer = forgot(email).await.expect(StatusCode::ACCEPTED);
        assert!(answer.body.is_empty());
    }
    assert_eq!(server.mail("jo@acme.example").await, ["reset"]);
    assert_eq!(
        server.mail("nobody@acme.example").await,
        Vec::<String>::new()
    );

    let make = format!("/api/v1/users/{id}/password-reset");
    let link = async || {
        let made = server.post(&make, json!({})).await.expect(StatusCode::OK);
        made.json()["link"].as_str().unwrap().to_owned()
    };
    let old = link().await;
    let new = link().await;
    let body = json!({"password": "four new words here"});
    server
        .follow(&old, body.clone())
        .await
        .refused(404, "link_unknown");
    server
        .follow(&new, json!({"password": "password123"}))
        .await
        .refused(422, "invalid");
    let set = server
        .follow(&new, body.clone())
        .await
        .expect(StatusCode::NO_CONTENT);
    assert!(
        !set.headers.contains_key(header::SET_COOKIE),
        "it logs nobody in"
    );
    server
        .follow(&new, body.clone())
        .await
        .refused(404, "link_unknown");
    assert_eq!(jo.get("/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
    let email = "jo@acme.example";
    log_in_with(&server, email, "four new words here")
        .await
        .expect(StatusCode::SEE_OTHER);

    let late = link().await;
    server.clock.advance(HOUR_MS);
    server
        .follow(&late, body)
        .await
        .refused(410, "link_expired");
    // The page of the link asks for a password and nothing else.
    let fresh = link().await;
    let path = fresh.split_once("8080").unwrap().1;
    let request = Request::get(path).body(Body::empty()).unwrap();
    let page = String::from_utf8(server.send(request).await.body).unwrap();
    assert!(
        page.contains("Choose a password") && !page.contains("First name"),
        "{page}"
    );
    assert!(api_link(&fresh).starts_with("/api/v1/links/"));
}

#[tokio::test]
async fn the_operator_helps_an_owner_back_in() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    set_up(&server, &owner).await;
    let url = "http://127.0.0.1:8080";
    let now_ms = server.clock_ms();
    let link = people::operator_reset(&server.state.db, OWNER, url, true, now_ms)
        .await
        .unwrap();
    let body = json!({"password": "four new words here"});
    server
        .follow(&link, body)
        .await
        .expect(StatusCode::NO_CONTENT);
    let whole = log_in_with(&server, OWNER, "four new words here").await;
    assert_eq!(whole.headers[header::LOCATION], "/");
    let nobody = people::operator_reset(&server.state.db, "x@y.example", url, true, now_ms).await;
    assert_eq!(nobody.unwrap_err().code, "not_found");
}

#[cfg(test)]
async fn token(owner: &Person<'_>, scopes: Value) -> (String, String) {
    let body = json!({"name": "payroll", "scopes": scopes, "expires_in_days": 30});
    let made = owner.post("/api/v1/tokens", body).await;
    let made = made.expect(StatusCode::CREATED).json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("token_id"), text("token"))
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_no_more() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let ask = async |token: &str, method: Method, path: &str| {
        let body = (method != Method::GET).then(|| json!({}));
        server.api_as(token, method, path, body).await
    };
    let cases = [
        ("read", Method::GET, "/api/v1/employees"),
        ("captures", Method::GET, "/api/v1/records"),
        ("write", Method::POST, "/api/v1/projects"),
        ("people", Method::POST, "/api/v1/users"),
    ];
    for (scope, _, _) in &cases {
        let (_, token) = token(&owner, json!([scope])).await;
        for (needed, method, path) in &cases {
            let answer = ask(&token, method.clone(), path).await;
            if scope == needed {
                assert_ne!(answer.status, StatusCode::FORBIDDEN, "{scope}: {path}");
            } else {
                answer.refused(403, "out_of_scope");
            }
        }
        // And no token makes another.
        let made = ask(&token, Method::POST, "/api/v1/tokens").await;
        assert_eq!(made.status, StatusCode::FORBIDDEN);
    }
    for bad in [json!([]), json!(["everything"])] {
        let body = json!({"name": "x", "scopes": bad});
        owner
            .post("/api/v1/tokens", body)
            .await
            .refused(422, "invalid");
    }
    let body = json!({"name": "x", "scopes": ["read"], "expires_in_days": 367});
    owner
        .post("/api/v1/tokens", body)
        .await
        .refused(422, "invalid");
}

#[tokio::test]
async fn a_token_ends_by_itself_or_when_it_is_revoked_and_tells_when_it_was_used() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let (id, secret) = token(&owner, json!(["read"])).await;
    let listed = async || {
        let list = server
            .get("/api/v1/tokens")
            .await
            .expect(StatusCode::OK)
            .json();
        let all = list["items"].as_array().unwrap().clone();
        all.into_iter()
            .find(|one| one["token_id"] == id.as_str())
            .unwrap()
    };
    let before = listed().await;
    assert_eq!(before["last_used_at"], Value::Null);
    assert_eq!(before["expires_at"], "2026-12-18T11:06:40Z");
    assert_eq!(before.get("token"), None, "it is shown once");
    let ask = async || {
        server
            .api_as(&secret, Method::GET, "/api/v1/employees", None)
            .await
            .status
    };
    assert_eq!(ask().await, StatusCode::OK);
    assert_eq!(listed().await["last_used_at"], "2026-11-18T11:06:40Z");
    server.clock.advance(30 * 24 * HOUR_MS);
    assert_eq!(ask().await, StatusCode::UNAUTHORIZED);
    // The owner's log-in is over by now too.
    let owner = server.log_in(OWNER).await;
    let (id, secret) = token(&owner, json!(["read"])).await;
    let revoke = format!("/api/v1/tokens/{id}");
    owner.delete(&revoke).await.expect(StatusCode::NO_CONTENT);
    owner.delete(&revoke).await.refused(404, "not_found");
    let after = server
        .api_as(&secret, Method::GET, "/api/v1/employees", None)
        .await;
    assert_eq!(after.status, StatusCode::UNAUTHORIZED);
    let page = owner.get("/tokens").await.expect(StatusCode::OK);
    assert!(String::from_utf8(page.body).unwrap().contains("revoked"));
}

/// The code that an app with that secret shows.
#[cfg(test)]
fn code(secret: &str, now_ms: i64) -> String {
    let mut bytes = vec![];
    let (mut held, mut bits) = (0_u32, 0);
    for c in secret.bytes() {
        let digit = if c.is_ascii_digit() {
            c - b'2' + 26
        } else {
            c - b'A'
        };
        held = (held << 5) | u32::from(digit);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 255).unwrap());
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &(now_ms / 30_000).to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Sets a second factor up; returns the secret and the recovery codes.
#[cfg(test)]
async fn set_up(server: &Server, person: &Person<'_>) -> (String, Vec<String>) {
    let path = "/api/v1/me/second-factor";
    let body = json!({"password": PASSWORD});
    let made = person.post(path, body).await.expect(StatusCode::OK).json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let confirm = format!("{path}/confirm");
    person
        .post(&confirm, json!({"code": "000000"}))
        .await
        .refused(422, "invalid");
    let body = json!({"code": code(&secret, server.clock_ms())});
    let made = person
        .post(&confirm, body)
        .await
        .expect(StatusCode::OK)
        .json();
    let codes = made["recovery_codes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    (secret, codes.collect())
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_opens_nothing() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let wrong = json!({"password": "not it at all"});
    owner
        .post("/api/v1/me/second-factor", wrong)
        .await
        .refused(422, "invalid");
    let (secret, codes) = set_up(&server, &owner).await;
    assert_eq!(codes.len(), 10);

    let half = log_in_with(&server, OWNER, PASSWORD)
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(half.headers[header::LOCATION], "/login/code?next=/");
    let half = cookie(&half);
    assert!(half.starts_with("glasshour-step="), "{half}");
    let me = Request::get("/api/v1/me").header(header::COOKIE, &half);
    let me = server.send(me.body(Body::empty()).unwrap()).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED);

    let give =
        async |code: &str, step: &str| form(&server, "/login/code", &[("code", code)], step).await;
    // The code that switched it on was used; so the next one.
    let now = code(&secret, server.clock_ms());
    assert_eq!(give(&now, &half).await.status, StatusCode::UNAUTHORIZED);
    server.clock.advance(30_000);
    let now = code(&secret, server.clock_ms());
    let done = give(&now, &half).await.expect(StatusCode::SEE_OTHER);
    assert!(cookie(&done).starts_with("glasshour="));
    // Neither the step nor the code is worth anything a second time.
    assert_eq!(give(&now, &half).await.status, StatusCode::UNAUTHORIZED);
    let half = cookie(&log_in_with(&server, OWNER, PASSWORD).await);
    assert_eq!(give(&now, &half).await.status, StatusCode::UNAUTHORIZED);
    // A recovery code is, once, however it is typed.
    let typed = codes[0].to_lowercase().replace('-', " ");
    give(&typed, &half).await.expect(StatusCode::SEE_OTHER);
    let half = cookie(&log_in_with(&server, OWNER, PASSWORD).await);
    assert_eq!(
        give(&codes[0], &half).await.status,
        StatusCode::UNAUTHORIZED
    );
    // And the question is asked for five minutes.
    server.clock.advance(5 * 60_000);
    assert_eq!(
        give(&codes[1], &half).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn codes_are_not_guessed_by_trying() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let (_, codes) = set_up(&server, &owner).await;
    let half = cookie(&log_in_with(&server, OWNER, PASSWORD).await);
    for _ in 0..10 {
        let wrong = form(&server, "/login/code", &[("code", "123456")], &half).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let even_right = form(&server, "/login/code", &[("code", &codes[0])], &half).await;
    assert_eq!(even_right.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_reset_password_does_not_get_round_the_second_factor_and_an_admin_removes_a_lost_one() {
    let server = Server::start().await;
    let (id, jo) = server.internal("jo").await;
    set_up(&server, &jo).await;
    let made = server
        .post(&format!("/api/v1/users/{id}/password-reset"), json!({}))
        .await
        .json();
    let body = json!({"password": "four new words here"});
    server
        .follow(made["link"].as_str().unwrap(), body)
        .await
        .expect(StatusCode::NO_CONTENT);
    let half = log_in_with(&server, "jo@acme.example", "four new words here").await;
    assert_eq!(half.headers[header::LOCATION], "/login/code?next=/");
    server
        .delete(&format!("/api/v1/users/{id}/second-factor"))
        .await
        .expect(StatusCode::NO_CONTENT);
    let whole = log_in_with(&server, "jo@acme.example", "four new words here").await;
    assert_eq!(whole.headers[header::LOCATION], "/");
}

#[tokio::test]
async fn where_the_company_asks_for_a_second_factor_nothing_is_open_without_one() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    owner.get("/api/v1/employees").await.expect(StatusCode::OK);
    let body = json!({"require_second_factor": true});
    owner
        .patch("/api/v1/company", body)
        .await
        .expect(StatusCode::OK);
    owner
        .get("/api/v1/employees")
        .await
        .refused(403, "second_factor_required");
    let page = owner.get("/team").await;
    assert_eq!(page.headers[header::LOCATION], "/me/security");
    let page = owner.get("/me/security").await.expect(StatusCode::OK);
    assert!(
        String::from_utf8(page.body)
            .unwrap()
            .contains("asks everybody for a second factor")
    );
    set_up(&server, &owner).await;
    owner.get("/api/v1/employees").await.expect(StatusCode::OK);
    // Scripts have none.
    server.get("/api/v1/employees").await.expect(StatusCode::OK);
}
