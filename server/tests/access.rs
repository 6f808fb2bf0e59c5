//! Log-in, cookie sessions and the defences around them.

mod common;

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use common::{OWNER, PASSWORD, Server};
use glasshour_server::auth::{self, CurrentUser, LogIn};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HOUR_MS: i64 = 3_600_000;

/// The cookie of somebody who is logged in, as they have no second factor.
#[cfg(test)]
fn cookie(log_in: LogIn) -> String {
    let LogIn::Done(logged_in) = log_in else {
        panic!("a second factor is asked for")
    };
    logged_in.set_cookie.to_str().unwrap().to_owned()
}

/// Logs the owner in and returns the request headers of a browser that kept the cookie.
#[cfg(test)]
async fn log_in(server: &Server, headers: &HeaderMap) -> HeaderMap {
    let logged_in = auth::log_in(&server.state, OWNER, PASSWORD, HERE, headers)
        .await
        .unwrap();
    let cookie = cookie(logged_in);
    let cookie = cookie.split(';').next().unwrap();
    HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
}

#[cfg(test)]
async fn who(server: &Server, headers: &HeaderMap) -> Option<String> {
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers.clone();
    let (mut parts, _) = request.into_parts();
    let user = CurrentUser::from_request_parts(&mut parts, &server.state).await;
    user.ok().map(|user| user.user.email)
}

#[tokio::test]
async fn a_cookie_lets_in_until_log_out() {
    let server = Server::start().await;
    assert_eq!(who(&server, &HeaderMap::new()).await, None);
    let browser = log_in(&server, &HeaderMap::new()).await;
    assert_eq!(who(&server, &browser).await.as_deref(), Some(OWNER));
    let removed = auth::log_out(&server.state, &browser).await.unwrap();
    assert!(removed.to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(who(&server, &browser).await, None);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_is_not_stored() {
    let server = Server::start().await;
    let logged_in = auth::log_in(
        &server.state,
        " ME@acme.example ",
        PASSWORD,
        HERE,
        &HeaderMap::new(),
    )
    .await;
    let cookie = cookie(logged_in.unwrap());
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let token = cookie.split(['=', ';']).nth(1).unwrap();
    assert_eq!(token.len(), 43);
    let found = std::fs::read_dir(server.folder.path().join("data"))
        .unwrap()
        .any(|file| {
            let path = file.unwrap().path();
            path.is_file() && {
                let bytes = std::fs::read(path).unwrap();
                bytes
                    .windows(token.len())
                    .any(|window| window == token.as_bytes())
            }
        });
    assert!(!found, "the database holds a cookie that lets in");
}

#[tokio::test]
async fn over_tls_the_cookie_is_secure_and_bound_to_the_host() {
    let mut server = Server::start().await;
    server.state.server_url = "https://time.acme.example".into();
    let logged_in = auth::log_in(&server.state, OWNER, PASSWORD, HERE, &HeaderMap::new())
        .await
        .unwrap();
    let cookie = cookie(logged_in);
    assert!(
        cookie.starts_with("__Host-glasshour=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn a_session_ends_after_two_idle_hours_and_after_twelve_in_any_case() {
    let server = Server::start().await;
    let browser = log_in(&server, &HeaderMap::new()).await;
    for _ in 0..11 {
        server.clock.advance(HOUR_MS);
        assert!(who(&server, &browser).await.is_some());
    }
    server.clock.advance(HOUR_MS);
    assert_eq!(who(&server, &browser).await, None);

    let browser = log_in(&server, &HeaderMap::new()).await;
    server.clock.advance(2 * HOUR_MS);
    assert_eq!(who(&server, &browser).await, None);
}

#[tokio::test]
async fn logging_in_again_ends_the_session_before() {
    let server = Server::start().await;
    let before = log_in(&server, &HeaderMap::new()).await;
    let after = log_in(&server, &before).await;
    assert_eq!(who(&server, &before).await, None);
    assert!(who(&server, &after).await.is_some());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let server = Server::start().await;
    let refuse = async |email: &str, password: &str| {
        let error = auth::log_in(&server.state, email, password, HERE, &HeaderMap::new())
            .await
            .unwrap_err();
        (error.status.as_u16(), error.body())
    };
    let wrong = refuse(OWNER, "another password").await;
    assert_eq!((wrong.0, wrong.1.code.as_str()), (401, "unauthenticated"));
    assert_eq!(refuse("nobody@acme.example", PASSWORD).await, wrong);
}

#[tokio::test]
async fn after_ten_failures_even_the_right_password_has_to_wait() {
    let server = Server::start().await;
    let attempt = async |password: &str| {
        let result = auth::log_in(&server.state, OWNER, password, HERE, &HeaderMap::new()).await;
        result.map_or_else(|error| error.status.as_u16(), |_| 200)
    };
    for _ in 0..10 {
        assert_eq!(attempt("another password").await, 401);
    }
    assert_eq!(attempt(PASSWORD).await, 429);
    server.clock.advance(15 * 60_000);
    assert_eq!(attempt(PASSWORD).await, 200);
}

#[tokio::test]
async fn a_request_that_another_site_makes_a_browser_send_is_refused() {
    let server = Server::start().await;
    let request = Request::post("/api/v1/employees")
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "https://evil.example")
        .header(header::AUTHORIZATION, format!("Bearer {}", server.token))
        .body(Body::empty())
        .unwrap();
    server.send(request).await.refused(403, "forbidden");
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_bind_browsers() {
    let server = Server::start().await;
    for path in ["/healthz", "/api/v1/nothing", "/api/v1/employees"] {
        let answer = server.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "same-origin");
    }
}
