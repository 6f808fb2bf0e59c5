//! An employee's own day by a one-time link: of that person alone, once, and not for long.

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::{Answer, Device, Server};
use glasshour_protocol::payload::SessionEventKind;

#[cfg(test)]
async fn link(server: &Server, device: &Device) -> Answer {
    let request = Request::post("/api/v1/device/day-link")
        .header(header::AUTHORIZATION, format!("Bearer {}", device.token()))
        .body(Body::empty())
        .unwrap();
    server.send(request).await
}

/// The link's path on the server.
#[cfg(test)]
async fn path(server: &Server, device: &Device) -> String {
    let answer = link(server, device).await.expect(StatusCode::CREATED);
    let url = answer.json()["url"].as_str().unwrap().to_owned();
    url.strip_prefix("http://127.0.0.1:8080")
        .unwrap()
        .to_owned()
}

#[cfg(test)]
async fn get(server: &Server, path: &str, cookie: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

/// Opens the link as a browser does; returns the cookie.
#[cfg(test)]
async fn open(server: &Server, path: &str) -> String {
    let answer = get(server, path, None).await.expect(StatusCode::SEE_OTHER);
    assert_eq!(answer.headers[header::LOCATION], "/my/day");
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_opens_the_own_day_once_and_nothing_else() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let started = device.session(SessionEventKind::Started, server.clock_ms() - 600_000);
    device
        .put(&server, &started)
        .await
        .expect(StatusCode::CREATED);
    let shot = device.screenshot();
    device.put(&server, &shot).await.expect(StatusCode::CREATED);

    let path = path(&server, &device).await;
    let cookie = open(&server, &path).await;
    let page = get(&server, "/my/day", Some(&cookie))
        .await
        .expect(StatusCode::OK);
    let page_text = String::from_utf8(page.body).unwrap();
    assert!(page_text.contains("Jo Doe") && page_text.contains("Your own day"));
    let picture = format!("/my/captures/{}/image", shot.header.record_id);
    assert!(page_text.contains(&picture), "{page_text}");
    assert!(
        !page_text.contains("href=\"/employees"),
        "no way into the console"
    );
    get(&server, &picture, Some(&cookie))
        .await
        .expect(StatusCode::OK);

    // Used up; and the pass opens no page of the console and nothing of the API.
    get(&server, &path, None).await.expect(StatusCode::GONE);
    for closed in ["/team", "/employees", "/captures/x"] {
        get(&server, closed, Some(&cookie))
            .await
            .expect(StatusCode::SEE_OTHER);
    }
    get(&server, "/api/v1/records", Some(&cookie))
        .await
        .refused(401, "unauthenticated");
    // Nor does it open anything of somebody else.
    let other = server.employee().await;
    let mut others = server.device(&other).await;
    let theirs = others.screenshot();
    others
        .put(&server, &theirs)
        .await
        .expect(StatusCode::CREATED);
    let theirs = format!("/my/captures/{}/image", theirs.header.record_id);
    get(&server, &theirs, Some(&cookie))
        .await
        .expect(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_is_over_after_a_minute_and_the_page_after_an_hour() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let device = server.device(&employee).await;
    let late = path(&server, &device).await;
    server.clock.advance(61_000);
    get(&server, &late, None).await.expect(StatusCode::GONE);

    let link = path(&server, &device).await;
    let cookie = open(&server, &link).await;
    server.clock.advance(3_599_000);
    get(&server, "/my/day", Some(&cookie))
        .await
        .expect(StatusCode::OK);
    server.clock.advance(1_000);
    get(&server, "/my/day", Some(&cookie))
        .await
        .expect(StatusCode::UNAUTHORIZED);
    get(&server, "/my/day", None)
        .await
        .expect(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_revoked_device_opens_no_day_and_what_it_opened_closes() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let device = server.device(&employee).await;
    let link_path = path(&server, &device).await;
    let cookie = open(&server, &link_path).await;
    let revoke = format!("/api/v1/devices/{}/revoke", device.id);
    server
        .post(&revoke, serde_json::json!({}))
        .await
        .expect(StatusCode::OK);
    get(&server, "/my/day", Some(&cookie))
        .await
        .expect(StatusCode::UNAUTHORIZED);
    link(&server, &device).await.refused(403, "device_revoked");
}
