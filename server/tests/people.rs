//! The rules about employees, profiles and licenses, through the API.

mod common;

use axum::http::{Method, StatusCode};
use common::{OWNER, Server};
use glasshour_license_format::WorkMode;
use glasshour_protocol::payload::SessionEventKind;
use serde_json::{Value, json};

fn form(active: bool) -> Value {
    json!({"name": "Jo Doe", "work_mode": "worklog", "active": active})
}

#[cfg(test)]
async fn serial(server: &Server, employee: &str) -> Value {
    server
        .get(&format!("/api/v1/employees/{employee}"))
        .await
        .json()["serial"]
        .clone()
}

#[tokio::test]
async fn p01_a_form_without_a_required_field_is_refused_and_names_it() {
    let server = Server::start().await;
    for field in ["name", "work_mode", "active"] {
        let mut form = form(true);
        form.as_object_mut().unwrap().remove(field);
        let answer = server.post("/api/v1/employees", form).await;
        answer.refused(422, "invalid");
        assert_eq!(answer.json()["field"], field);
    }
    let unknown = json!({"name": "Jo", "work_mode": "worklog", "active": true, "covert": true});
    server
        .post("/api/v1/employees", unknown)
        .await
        .refused(422, "invalid");
}

#[tokio::test]
async fn p02_any_other_work_mode_is_refused() {
    let server = Server::start().await;
    let mut form = form(true);
    form["work_mode"] = "stealth".into();
    let answer = server.post("/api/v1/employees", form).await;
    answer.refused(422, "invalid");
    assert_eq!(answer.json()["field"], "work_mode");
}

#[tokio::test]
async fn p05_the_default_project_is_chosen_and_a_new_one_can_be() {
    let server = Server::start().await;
    let projects = server.get("/api/v1/projects").await.json();
    let general = projects["items"][0].clone();
    assert_eq!(
        (&general["name"], &general["is_default"]),
        (&json!("General"), &json!(true))
    );
    let made = server
        .post("/api/v1/employees", form(true))
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made.json()["project_id"], general["project_id"]);

    let support = json!({"name": "Support", "kind": "department", "color": "#112233"});
    let support = server
        .post("/api/v1/projects", support)
        .await
        .expect(StatusCode::CREATED)
        .json();
    let mut with_project = form(true);
    with_project["project_id"] = support["project_id"].clone();
    let made = server
        .post("/api/v1/employees", with_project)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made.json()["project_id"], support["project_id"]);

    let mut unknown = form(true);
    unknown["project_id"] = json!("00000000-0000-0000-0000-000000000000");
    let answer = server.post("/api/v1/employees", unknown).await;
    answer.refused(422, "invalid");
    assert_eq!(answer.json()["field"], "project_id");
    server
        .post("/api/v1/projects", json!({"name": "Support"}))
        .await
        .refused(409, "conflict");
}

#[tokio::test]
async fn p06_the_employees_name_is_in_every_report() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let at = server.clock_ms();
    for made in [
        device.session(SessionEventKind::Started, at),
        device.activity(),
        device.session(SessionEventKind::Stopped, at + 60_000),
    ] {
        let put = device.put(&server, &made).await;
        put.expect(StatusCode::CREATED);
    }
    // Whatever reports there are, by the API's own description.
    let described = server.get("/api/openapi.json").await.json();
    let paths = described["paths"].as_object().unwrap();
    let reports: Vec<&String> = paths
        .keys()
        .filter(|path| path.starts_with("/api/v1/reports/"))
        .collect();
    assert!(!reports.is_empty());
    for path in reports {
        let report = server.get(&format!("{path}?group_by=employee")).await;
        let text = String::from_utf8(report.expect(StatusCode::OK).body).unwrap();
        assert!(text.contains("Jo Doe"), "{path}: {text}");
    }
    // And the pages.
    let owner = server.log_in(OWNER).await;
    for path in [
        format!("/employees/{employee}/day"),
        "/employees".into(),
        "/team".into(),
        "/devices".into(),
    ] {
        let answer = owner.get(&path).await.expect(StatusCode::OK);
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.contains("Jo Doe"), "{path}");
    }
}

#[tokio::test]
async fn p07_a_default_profile_exists_and_others_can_be_made() {
    let server = Server::start().await;
    let standard = server.get("/api/v1/profiles").await.json()["items"][0].clone();
    assert_eq!(standard["name"], "Standard");
    assert!(standard["settings"].get("camera").is_none());

    let body = json!({"name": "Counts only", "settings": {"activity": {"input_counts": true}}});
    let made = server
        .post("/api/v1/profiles", body)
        .await
        .expect(StatusCode::CREATED)
        .json();
    let mut with_profile = form(true);
    with_profile["profile_id"] = made["profile_id"].clone();
    let employee = server.post("/api/v1/employees", with_profile).await.json();
    let license = server
        .license(employee["employee_id"].as_str().unwrap())
        .await;
    assert!(license.claims().profile.screenshots.is_none());
    assert_eq!(license.claims().profile.name, "Counts only");
}

#[tokio::test]
async fn p09_making_an_active_employee_generates_a_license_at_once() {
    let server = Server::start().await;
    let made = server
        .post("/api/v1/employees", form(true))
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made.json()["serial"], 1);
    let employee = made.json()["employee_id"].as_str().unwrap().to_owned();
    let license = server.license(&employee).await;
    assert_eq!(license.claims().serial, 1);
    assert_eq!(license.claims().employee.employee_id.to_string(), employee);
}

#[tokio::test]
async fn p10_an_inactive_employee_has_no_license_until_activation() {
    let server = Server::start().await;
    let made = server
        .post("/api/v1/employees", form(false))
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(made.json()["serial"], Value::Null);
    let employee = made.json()["employee_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/employees/{employee}/license.gz");
    server.get(&path).await.refused(409, "no_license");
    server.set_active(&employee, true).await;
    assert_eq!(server.license(&employee).await.claims().serial, 1);
}

#[tokio::test]
async fn p11_the_license_is_a_gz_file_that_holds_the_whole_control_mode() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let answer = server
        .get(&format!("/api/v1/employees/{employee}/license.gz"))
        .await;
    assert_eq!(answer.headers["content-type"], "application/gzip");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"jo-doe.license.gz\""
    );
    let license = glasshour_license_format::read(&answer.body).unwrap();
    let claims = license.claims();
    assert_eq!(claims.work_mode, WorkMode::Worklog);
    assert_eq!(claims.issuer.company, "Acme");
    assert_eq!(claims.issuer.server_url, "http://127.0.0.1:8080");
    assert_eq!(claims.employee.name, "Jo Doe");
    assert!(claims.profile.screenshots.is_some() && claims.profile.activity.is_some());
    assert!(claims.default_project_id.is_some());
}

#[tokio::test]
async fn p17_each_change_of_what_the_license_says_issues_the_next_serial() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let path = format!("/api/v1/employees/{employee}");
    let project = server
        .post("/api/v1/projects", json!({"name": "Apollo"}))
        .await
        .json();
    let body = json!({"name": "Counts only", "settings": {"activity": {"input_counts": true}}});
    let profile = server.post("/api/v1/profiles", body).await.json();
    let changes = [
        (json!({"name": "Jo Roe"}), 2),
        (json!({"work_mode": "monitoring"}), 3),
        (json!({"project_id": project["project_id"]}), 4),
        (json!({"profile_id": profile["profile_id"]}), 5),
        (json!({"email": "jo@acme.example"}), 5),
        (json!({"name": "Jo Roe"}), 5),
        (json!({"active": false}), 5),
        (json!({"work_mode": "worklog"}), 5),
        (json!({"active": true}), 6),
    ];
    for (change, expected) in changes {
        server.clock.advance(1000);
        let answer = server
            .patch(&path, change.clone())
            .await
            .expect(StatusCode::OK);
        assert_eq!(answer.json()["serial"], expected, "{change}");
    }
    let license = server.license(&employee).await;
    assert_eq!(license.claims().serial, 6);
    assert_eq!(license.claims().work_mode, WorkMode::Worklog);
    assert_eq!(license.claims().employee.name, "Jo Roe");
}

#[tokio::test]
async fn p17_a_changed_profile_gives_each_active_employee_on_it_a_new_license() {
    let server = Server::start().await;
    let (on, off) = (server.employee().await, server.employee().await);
    server.set_active(&off, false).await;
    let standard = server.get("/api/v1/profiles").await.json()["items"][0].clone();
    let path = format!(
        "/api/v1/profiles/{}",
        standard["profile_id"].as_str().unwrap()
    );

    server
        .patch(&path, json!({"settings": standard["settings"]}))
        .await
        .expect(StatusCode::OK);
    assert_eq!(serial(&server, &on).await, 1, "nothing changed");
    let bad = json!({"settings": {"screenshots": {"per_hour": 0}}});
    let answer = server.patch(&path, bad).await;
    answer.refused(422, "invalid");
    assert_eq!(answer.json()["field"], "settings.screenshots.per_hour");

    let activity = json!({"settings": {"activity": {"input_counts": true}}});
    server.patch(&path, activity).await.expect(StatusCode::OK);
    assert_eq!(serial(&server, &on).await, 2);
    assert_eq!(serial(&server, &off).await, 1);
    assert!(
        server
            .license(&on)
            .await
            .claims()
            .profile
            .screenshots
            .is_none()
    );
}

#[tokio::test]
async fn an_address_can_be_set_and_taken_away_again() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let path = format!("/api/v1/employees/{employee}");
    let email = async |body| server.patch(&path, body).await.json()["email"].clone();
    assert_eq!(
        email(json!({"email": "jo@acme.example"})).await,
        "jo@acme.example"
    );
    assert_eq!(email(json!({"name": "Jo Doe"})).await, "jo@acme.example");
    assert_eq!(email(json!({"email": null})).await, Value::Null);
    server
        .patch(&path, json!({"email": "jo"}))
        .await
        .refused(422, "invalid");
}

#[tokio::test]
async fn employees_are_listed_by_name_in_pages() {
    let server = Server::start().await;
    for name in ["Cy", "Ann", "Bo"] {
        let body = json!({"name": name, "work_mode": "monitoring", "active": true});
        server
            .post("/api/v1/employees", body)
            .await
            .expect(StatusCode::CREATED);
    }
    let first = server.get("/api/v1/employees?limit=2").await.json();
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&first), ["Ann", "Bo"]);
    let next = format!(
        "/api/v1/employees?limit=2&cursor={}",
        first["next"].as_str().unwrap()
    );
    let second = server.get(&next).await.json();
    assert_eq!(
        (names(&second), &second["next"]),
        (vec!["Cy".to_owned()], &Value::Null)
    );
    server
        .get("/api/v1/employees?limit=0")
        .await
        .refused(422, "invalid");
    server
        .get("/api/v1/employees?cursor=x")
        .await
        .refused(422, "invalid");
}

#[tokio::test]
async fn without_a_token_of_this_server_nothing_is_shown() {
    let mut server = Server::start().await;
    let other = Server::start().await;
    server.token = other.token;
    server
        .get("/api/v1/employees")
        .await
        .refused(401, "unauthenticated");
    server.token = String::new();
    server
        .get("/api/v1/employees")
        .await
        .refused(401, "unauthenticated");
    server
        .api(Method::DELETE, "/api/v1/employees", None)
        .await
        .refused(405, "invalid");
    server
        .get("/api/v1/nothing")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn p05_an_archived_project_is_not_offered_any_more_and_who_is_on_it_may_stay() {
    let server = Server::start().await;
    let made = server
        .post("/api/v1/projects", json!({"name": "Apollo"}))
        .await
        .json();
    let apollo = made["project_id"].as_str().unwrap().to_owned();
    let body = json!({"name": "Ann", "work_mode": "worklog", "active": true,
        "project_id": apollo});
    let made = server.post("/api/v1/employees", body.clone()).await;
    let ann = made.json()["employee_id"].as_str().unwrap().to_owned();
    let (on_it, elsewhere) = (
        server.device(&ann).await,
        server.device(&server.employee().await).await,
    );
    let path = format!("/api/v1/projects/{apollo}");
    let archived = server.patch(&path, json!({"archived": true})).await;
    assert_eq!(archived.expect(StatusCode::OK).json()["archived"], true);

    let refused = server.post("/api/v1/employees", body).await;
    refused.refused(422, "invalid");
    assert_eq!(refused.json()["field"], "project_id");
    let stays = json!({"name": "Ann Lee", "project_id": apollo});
    let changed = server
        .patch(&format!("/api/v1/employees/{ann}"), stays)
        .await;
    assert_eq!(changed.expect(StatusCode::OK).json()["project_id"], apollo);
    let offered = async |device: &common::Device| {
        let state = device.state(&server).await.json();
        let all = state["projects"].as_array().unwrap().clone();
        all.iter().any(|one| one["name"] == "Apollo")
    };
    assert!(offered(&on_it).await && !offered(&elsewhere).await);

    let all = server.get("/api/v1/projects").await.json();
    let all = all["items"].as_array().unwrap();
    let default = all.iter().find(|one| one["is_default"] == true).unwrap();
    let path = format!(
        "/api/v1/projects/{}",
        default["project_id"].as_str().unwrap()
    );
    let refused = server.patch(&path, json!({"archived": true})).await;
    refused.refused(409, "conflict");
    assert_eq!(refused.json()["field"], "archived");
    let owner = server.log_in(OWNER).await;
    let page = owner.page("/projects").await;
    assert!(
        page.contains("<span class=\"struck\">Apollo</span>"),
        "{page}"
    );
}
