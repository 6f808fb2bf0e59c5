//! The console in process: who gets in, what pages show of real records, what forms do.

#[cfg(test)]
mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::person::form;
use common::{Answer, OWNER, PASSWORD, START_MS, Server};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::SessionEventKind;
use serde_json::json;

struct Browser {
    server: Server,
    cookie: String,
}

#[cfg(test)]
impl Browser {
    async fn stranger() -> Self {
        Self {
            server: Server::start().await,
            cookie: String::new(),
        }
    }

    async fn logged_in() -> Self {
        let mut browser = Self::stranger().await;
        let answer = browser.log_in(PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        cookie
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut browser.cookie);
        browser
    }

    async fn log_in(&self, password: &str) -> Answer {
        self.post(
            "/login",
            &[
                ("email", OWNER),
                ("password", password),
                ("next", "/devices"),
            ],
        )
        .await
    }

    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.server.send(request.body(Body::empty()).unwrap()).await
    }

    /// A page as a browser with that `Accept-Language` gets it.
    async fn page_in(&self, language: &str, path: &str) -> String {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::ACCEPT_LANGUAGE, language);
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        String::from_utf8(answer.expect(StatusCode::OK).body).unwrap()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::ORIGIN, "http://127.0.0.1:8080")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.server
            .send(request.body(Body::from(form(fields))).unwrap())
            .await
    }

    /// The page's HTML; panics unless it was shown.
    async fn page(&self, path: &str) -> String {
        String::from_utf8(self.get(path).await.expect(StatusCode::OK).body).unwrap()
    }
}

#[cfg(test)]
fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

#[cfg(test)]
fn location(answer: &Answer) -> &str {
    answer.headers[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn a_stranger_sees_the_log_in_page_and_nothing_else() {
    let browser = Browser::stranger().await;
    let id = browser.server.employee().await;
    for path in [
        "/team".to_owned(),
        "/employees".to_owned(),
        "/employees/new".to_owned(),
        format!("/employees/{id}/edit"),
        format!("/employees/{id}/day"),
        format!("/employees/{id}/license.gz"),
        format!("/captures/{id}/image"),
        "/profiles".to_owned(),
        "/projects".to_owned(),
        "/devices".to_owned(),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(location(&answer).starts_with("/login?next=/"), "{path}");
        assert!(answer.body.is_empty(), "{path}");
    }
    for path in [
        "/employees/new",
        "/employees/notice",
        "/profiles/new",
        "/projects",
    ] {
        let answer = browser.post(path, &[("name", "x")]).await;
        assert_eq!(
            (answer.status, location(&answer)),
            (StatusCode::SEE_OTHER, "/login"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn log_in_leads_on_and_log_out_ends_the_session() {
    let browser = Browser::stranger().await;
    let refused = browser.log_in("wrong password").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(text(&refused).contains("role=\"alert\"") && text(&refused).contains(OWNER));
    assert!(
        !text(&refused).contains("wrong password"),
        "a password is never sent back"
    );

    let browser = Browser::logged_in().await;
    let again = browser.log_in(PASSWORD).await;
    assert_eq!(location(&again), "/devices");
    let browser = Browser::logged_in().await;
    browser.page("/team").await;
    browser.post("/logout", &[]).await;
    assert_eq!(browser.get("/team").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn pages_are_kept_by_no_cache_and_files_by_every_one() {
    let browser = Browser::logged_in().await;
    let page = browser.get("/team").await.expect(StatusCode::OK);
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    let html = text(&page);
    let address = html.split("href=\"/assets/tokens.css").nth(1).unwrap();
    let address = format!("/assets/tokens.css{}", address.split('"').next().unwrap());
    let file = browser.get(&address).await.expect(StatusCode::OK);
    assert!(
        file.headers[header::CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(
        file.headers[header::CONTENT_TYPE],
        "text/css; charset=utf-8"
    );
    let request = Request::get("/assets/tokens.css")
        .header(header::IF_NONE_MATCH, file.headers[header::ETAG].clone());
    let same = browser
        .server
        .send(request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    assert_eq!(same.headers[header::CACHE_CONTROL], "no-cache");
    assert_eq!(
        browser.get("/assets/nothing.css").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn what_is_not_there_is_a_page_for_people_and_json_for_programs() {
    let browser = Browser::logged_in().await;
    for path in [
        "/nothing",
        "/employees/x/edit",
        "/captures/x",
        "/employees/00000000-0000-0000-0000-000000000001/day",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(text(&answer).contains("<h1>Nothing is here</h1>"), "{path}");
    }
    browser
        .get("/api/v1/nothing")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn p01_p05_p09_the_form_makes_an_employee_a_project_and_a_license() {
    let browser = Browser::logged_in().await;
    let blank = browser.page("/employees/new").await;
    assert!(blank.contains("What is captured") && blank.contains("A picture of each monitor"));
    let profile = blank.split("<select id=\"profile_id\"").nth(1).unwrap();
    let profile = profile
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();

    let without_name = [
        ("work_mode", "worklog"),
        ("new_project", "Apollo"),
        ("active", "yes"),
    ];
    let refused = browser.post("/employees/new", &without_name).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        text(&refused).contains("id=\"name-error\"") && text(&refused).contains("value=\"Apollo\"")
    );
    assert!(
        !browser.page("/projects").await.contains("Apollo"),
        "nothing is made by half a form"
    );

    let filled = [
        ("name", "Jo <script>alert(1)</script>"),
        ("email", "jo@acme.example"),
        ("work_mode", "worklog"),
        ("new_project", "Apollo"),
        ("new_project_kind", "department"),
        ("profile_id", profile),
        ("active", "yes"),
    ];
    let made = browser.post("/employees/new", &filled).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", text(&made));
    let list = browser.page(location(&made)).await;
    assert!(list.contains("is saved, and license no. 1 is ready.") && list.contains("Apollo"));
    assert!(list.contains("Jo &#60;script&#62;") && !list.contains("<script>alert"));
    let id = location(&made).split("&id=").nth(1).unwrap().to_owned();
    let license = browser
        .get(&format!("/employees/{id}/license.gz"))
        .await
        .expect(StatusCode::OK);
    let disposition = license.headers[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap();
    assert!(disposition.ends_with(".license.gz\""), "{disposition}");
    glasshour_license_format::read(&license.body).unwrap();
}

#[tokio::test]
async fn the_notice_is_previewed_in_the_language_that_the_browser_asks_for() {
    let browser = Browser::logged_in().await;
    for path in ["/profiles/new", "/employees/new"] {
        let french = browser.page_in("fr-CH, fr;q=0.9, en;q=0.5", path).await;
        let notice = french.split("<aside class=\"notice\" lang=\"fr\"").nth(1);
        let notice = notice.unwrap_or_else(|| panic!("{french}"));
        for words in [
            "Ce qui est enregistré",
            "Voici ce que lit la personne",
            "au plus 6\u{a0}fois par heure",
            "class=\"never\"",
        ] {
            assert!(notice.contains(words), "{words} in {notice}");
        }
        let german = browser.page_in("de", path).await;
        assert!(german.contains("<aside class=\"notice\" lang=\"en\""));
        assert!(german.contains("A picture of each monitor, at most 6 times an hour"));
    }
}

#[tokio::test]
async fn the_preview_changes_nothing_and_follows_the_mode() {
    let browser = Browser::logged_in().await;
    let fields = [
        ("name", "Jo Doe"),
        ("work_mode", "monitoring"),
        ("then", "preview"),
    ];
    let preview = browser
        .post("/employees/new", &fields)
        .await
        .expect(StatusCode::OK);
    assert!(
        text(&preview).contains("You cannot stop it")
            && text(&preview).contains("value=\"Jo Doe\"")
    );
    let notice = browser
        .post("/employees/notice", &fields)
        .await
        .expect(StatusCode::OK);
    assert!(text(&notice).contains("data-notice") && !text(&notice).contains("<html"));
    assert!(
        browser
            .page("/employees")
            .await
            .contains("No employees yet")
    );
}

#[tokio::test]
async fn p08_p10_deactivating_says_so_and_takes_the_license_off_the_row() {
    let browser = Browser::logged_in().await;
    let id = browser.server.employee().await;
    let path = format!("/employees/{id}/active");
    let off = browser.post(&path, &[("active", "no")]).await;
    let list = browser.page(location(&off)).await;
    assert!(list.contains("Jo Doe is not active any more") && !list.contains("Save license"));
    let on = browser.post(&path, &[("active", "yes")]).await;
    let list = browser.page(location(&on)).await;
    assert!(
        list.contains("Jo Doe is active, and license no. 2 is ready.")
            && list.contains("Save license")
    );
}

#[tokio::test]
async fn p07_p17_a_profile_is_made_and_changed_by_its_form_and_issues_licenses() {
    let browser = Browser::logged_in().await;
    let id = browser.server.employee().await;
    let list = browser.page("/profiles").await;
    let edit = list
        .split("href=\"/profiles/")
        .nth(2)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let edit = format!("/profiles/{edit}");
    let fields = [
        ("name", "Standard"),
        ("shots", "yes"),
        ("shots_per_hour", "12"),
        ("monitors", "all"),
        ("blur", "light"),
        ("idle_after_min", "5"),
        ("review_hold_min", "0"),
    ];
    let saved = browser.post(&edit, &fields).await;
    assert_eq!(location(&saved), "/profiles?said=saved", "{}", text(&saved));
    let license = browser.server.license(&id).await;
    assert_eq!(license.claims().serial, 2);
    assert_eq!(
        license
            .claims()
            .profile
            .screenshots
            .as_ref()
            .unwrap()
            .per_hour,
        12
    );
    assert!(
        license.claims().profile.activity.is_none(),
        "an unticked channel is absent"
    );

    let mut wrong = fields;
    wrong[2] = ("shots_per_hour", "0");
    let refused = browser.post(&edit, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&refused).contains("id=\"shots_per_hour-error\""));
    let taken = browser.post("/profiles/new", &fields).await;
    assert!(text(&taken).contains("A profile of that name exists already"));
}

#[tokio::test]
async fn a_projects_name_is_free_and_its_colour_a_colour() {
    let browser = Browser::logged_in().await;
    let fields = [
        ("name", "Apollo"),
        ("color", "#0072b2"),
        ("kind", "project"),
    ];
    assert_eq!(
        location(&browser.post("/projects", &fields).await),
        "/projects?said=made"
    );
    let taken = browser.post("/projects", &fields).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&taken).contains("One of that name exists already"));
    let hostile = [
        ("name", "B"),
        ("color", "\"/><script>"),
        ("kind", "project"),
    ];
    assert!(text(&browser.post("/projects", &hostile).await).contains("Choose a colour."));
}

#[tokio::test]
async fn a_first_run_shows_the_steps_until_the_first_record_and_then_who_does_what() {
    let browser = Browser::logged_in().await;
    let steps = |html: &str| html.matches("aria-label=\"done\"").count();
    assert_eq!(steps(&browser.page("/team").await), 1);
    let id = browser.server.employee().await;
    assert_eq!(steps(&browser.page("/team").await), 2);
    let mut device = browser.server.device(&id).await;
    assert_eq!(steps(&browser.page("/team").await), 4);
    let started = device.session(SessionEventKind::Started, START_MS);
    device
        .put(&browser.server, &started)
        .await
        .expect(StatusCode::CREATED);
    let team = browser.page("/team").await;
    assert_eq!(steps(&team), 0);
    assert!(
        team.contains("1 person is working.") && team.contains("Jo Doe"),
        "{team}"
    );

    let activity = device.activity();
    device
        .put(&browser.server, &activity)
        .await
        .expect(StatusCode::CREATED);
    browser.server.clock.advance(60_000);
    let idle = device.session(SessionEventKind::Idle, START_MS + 60_000);
    device
        .put(&browser.server, &idle)
        .await
        .expect(StatusCode::CREATED);
    browser.server.clock.advance(120_000);
    let team = browser.page("/team").await;
    assert!(team.contains("1 person is idle.") && team.contains("General · idle for 2\u{a0}m"));
    assert!(
        team.contains("class=\"bars\" d=\"M"),
        "input of the last minutes"
    );
}

#[tokio::test]
async fn the_day_shows_sessions_pictures_and_activity_and_the_picture_opens() {
    let browser = Browser::logged_in().await;
    let server = &browser.server;
    let id = server.employee().await;
    let mut device = server.device(&id).await;
    let day = format!("/employees/{id}/day");
    assert!(
        browser
            .page(&day)
            .await
            .contains("Nothing was recorded on this day")
    );

    let started = device.session(SessionEventKind::Started, START_MS);
    device
        .put(server, &started)
        .await
        .expect(StatusCode::CREATED);
    server.clock.advance(60_000);
    let activity = device.activity();
    device
        .put(server, &activity)
        .await
        .expect(StatusCode::CREATED);
    let shot = device.screenshot();
    device.put(server, &shot).await.expect(StatusCode::CREATED);
    server.clock.advance(60_000);
    let lost = device.screenshot();
    let behind = device.screenshot();
    device
        .put(server, &behind)
        .await
        .expect(StatusCode::CREATED);
    drop(lost);

    let html = browser.page(&day).await;
    // 11:06:40 UTC is 12:06 where the device's clock is, an hour ahead.
    assert!(
        html.contains("UTC+01:00") && html.contains(">12:07</time>"),
        "{html}"
    );
    assert!(html.contains("1\u{a0}gap") && html.contains("Records are missing between"));
    assert!(html.contains("General") && html.contains("XTerm") && html.contains("running"));
    assert!(html.contains("loading=\"lazy\"") && html.contains("Activity as a table"));
    let picture = shot.header.record_id;
    assert!(html.contains(&format!("src=\"/captures/{picture}/image\"")));

    let page = browser.page(&format!("/captures/{picture}")).await;
    assert!(page.contains("1 of 2") && page.contains("rel=\"next\""));
    let image = browser
        .get(&format!("/captures/{picture}/image"))
        .await
        .expect(StatusCode::OK);
    assert_eq!(image.body, shot.payload);
    assert_eq!(image.headers[header::CONTENT_TYPE], "image/webp");
    assert_eq!(image.headers[header::CACHE_CONTROL], "no-store");
    let not_a_picture = started.header.record_id;
    for path in [
        format!("/captures/{not_a_picture}"),
        format!("/captures/{not_a_picture}/image"),
    ] {
        assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    assert!(
        browser
            .page(&format!("{day}?date=2026-11-17"))
            .await
            .contains("Nothing was recorded")
    );
    assert_eq!(
        browser.get(&format!("{day}?date=x")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_device_is_listed_with_its_health_and_can_be_revoked() {
    let browser = Browser::logged_in().await;
    let id = browser.server.employee().await;
    let device = browser.server.device(&id).await;
    let list = browser.page("/devices").await;
    assert!(list.contains("desk") && list.contains("has not reported yet"));
    let revoked = browser
        .post(&format!("/devices/{}/revoke", device.id), &[])
        .await;
    assert!(
        browser
            .page(location(&revoked))
            .await
            .contains("nothing more is taken from it")
    );
    device
        .state(&browser.server)
        .await
        .refused(403, "device_revoked");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let browser = Browser::logged_in().await;
    let id = browser.server.employee().await;
    let request = Request::post(format!("/employees/{id}/active"))
        .header(header::COOKIE, &browser.cookie)
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = browser
        .server
        .send(request.body(Body::from("active=no")).unwrap())
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let path = format!("/api/v1/employees/{id}");
    assert_eq!(
        browser.server.get(&path).await.json()["active"],
        json!(true)
    );
}

#[tokio::test]
async fn pictures_of_the_camera_are_shown_apart_from_those_of_the_screen() {
    let browser = Browser::logged_in().await;
    let server = &browser.server;
    let profile = json!({"name": "Camera", "settings": {"camera": {"per_hour": 2}, "screenshots": {"per_hour": 6}}});
    let profile = server
        .post("/api/v1/profiles", profile)
        .await
        .expect(StatusCode::CREATED);
    let employee = json!({
        "name": "Jo Doe", "work_mode": "worklog", "active": true,
        "profile_id": profile.json()["profile_id"],
    });
    let employee = server
        .post("/api/v1/employees", employee)
        .await
        .expect(StatusCode::CREATED);
    let id = employee.json()["employee_id"].as_str().unwrap().to_owned();
    let mut device = server.device(&id).await;
    let screen = device.screenshot();
    server.clock.advance(1_000);
    let camera = device.make(Kind::Camera, "image/webp", &screen.payload);
    for record in [&screen, &camera] {
        device.put(server, record).await.expect(StatusCode::CREATED);
    }

    let html = browser.page(&format!("/employees/{id}/day")).await;
    let (before, after) = html.split_once("id=\"camera\"").expect("a part of its own");
    let picture = camera.header.record_id;
    let link = format!("src=\"/captures/{picture}/image\"");
    assert!(after.contains(&link) && !before.contains(&link), "{html}");
    assert!(before.contains(&format!("/captures/{}", screen.header.record_id)));

    let page = browser.page(&format!("/captures/{picture}")).await;
    assert!(
        page.contains("Camera picture of Jo Doe") && page.contains("1 of 1"),
        "{page}"
    );
    let image = browser.get(&format!("/captures/{picture}/image")).await;
    assert_eq!(image.expect(StatusCode::OK).body, camera.payload);
}
