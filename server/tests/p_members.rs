//! Rules about members of a workspace: roles, profile, leaving and coming back (rules 51 to 60).

mod common;

use axum::http::{Method, StatusCode};
use common::person::{Person, column};
use common::{OWNER, Server, WEBP};
use glasshour_protocol::payload::SessionEventKind;
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

#[cfg(test)]
fn path(id: &str) -> String {
    format!("/api/v1/members/{id}")
}

#[cfg(test)]
async fn set(server: &Server, id: &str, change: Value) {
    server.patch(&path(id), change).await.expect(StatusCode::OK);
}

/// Gives the first workspace to somebody, so that its owner is not the company's account.
#[cfg(test)]
async fn hand_over(server: &Server, id: &str) {
    let workspace = server.workspace().await;
    let body = json!({"member_id": id, "confirm": true});
    let path = format!("/api/v1/workspaces/{workspace}/transfer");
    server
        .post(&path, body)
        .await
        .expect(StatusCode::NO_CONTENT);
}

/// A member who tracks as an employee, with the employee's id.
#[cfg(test)]
async fn tracking_member<'a>(server: &'a Server, email: &str) -> (String, Person<'a>, String) {
    let (id, person) = server.member(email, "employee").await;
    let employee = server.employee().await;
    set(server, &id, json!({"employee_id": employee})).await;
    (id, person, employee)
}

#[tokio::test]
async fn p51_only_the_owner_takes_the_admin_role_away_transfers_and_deletes() {
    let server = Server::start().await;
    let (owner_id, owner) = server.member("owner@bolt.example", "admin").await;
    let (admin_id, admin) = server.member("admin@bolt.example", "admin").await;
    let (other_id, _) = server.member("other@bolt.example", "admin").await;
    hand_over(&server, &owner_id).await;
    let demote = json!({"role": "manager"});
    admin
        .patch(&path(&other_id), demote.clone())
        .await
        .refused(403, "forbidden");
    owner
        .patch(&path(&other_id), demote)
        .await
        .expect(StatusCode::OK);

    let workspace = format!("/api/v1/workspaces/{}", server.workspace().await);
    let transfer = format!("{workspace}/transfer");
    let to_admin = json!({"member_id": admin_id, "confirm": true});
    admin
        .post(&transfer, to_admin.clone())
        .await
        .refused(403, "forbidden");
    admin.delete(&workspace).await.refused(403, "forbidden");
    // Asked to confirm; the old owner becomes admin; there is one owner.
    owner
        .post(&transfer, json!({"member_id": admin_id}))
        .await
        .refused(409, "confirm_first");
    owner
        .post(&transfer, to_admin)
        .await
        .expect(StatusCode::NO_CONTENT);
    let members = server.get("/api/v1/members").await.json();
    let roles: Vec<_> = column(&members, "email")
        .into_iter()
        .zip(column(&members, "role"))
        .collect();
    assert!(
        roles.contains(&("owner@bolt.example".into(), "admin".into())),
        "{roles:?}"
    );
    assert_eq!(roles.iter().filter(|(_, role)| role == "owner").count(), 1);
    owner.delete(&workspace).await.refused(403, "forbidden");
    // No other way leads to the owner's role.
    for (id, role) in [(&other_id, "owner"), (&admin_id, "employee")] {
        admin
            .patch(&path(id), json!({"role": role}))
            .await
            .refused(422, "invalid");
    }
    let lab = server
        .post("/api/v1/workspaces", json!({"name": "Lab"}))
        .await;
    lab.expect(StatusCode::CREATED);
    admin
        .delete(&workspace)
        .await
        .expect(StatusCode::NO_CONTENT);
    server.get(&workspace).await.refused(404, "not_found");
}

#[tokio::test]
async fn p52_an_admin_grants_admin_and_only_the_owner_deactivates_one() {
    let server = Server::start().await;
    let (owner_id, owner) = server.member("owner@bolt.example", "admin").await;
    let (_, admin) = server.member("admin@bolt.example", "admin").await;
    let (other, _) = server.member("other@bolt.example", "employee").await;
    hand_over(&server, &owner_id).await;
    admin
        .patch(&path(&other), json!({"role": "admin"}))
        .await
        .expect(StatusCode::OK);
    let off = json!({"status": "inactive"});
    admin
        .patch(&path(&other), off.clone())
        .await
        .refused(403, "forbidden");
    admin
        .patch(&path(&owner_id), off.clone())
        .await
        .refused(403, "forbidden");
    owner
        .patch(&path(&owner_id), off.clone())
        .await
        .refused(403, "forbidden");
    server
        .patch(&path(&owner_id), off.clone())
        .await
        .refused(403, "forbidden");
    owner.patch(&path(&other), off).await.expect(StatusCode::OK);
    // Nor does an admin delete one who was deactivated.
    admin.delete(&path(&other)).await.refused(403, "forbidden");
    owner
        .delete(&path(&other))
        .await
        .expect(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn p53_a_member_has_a_photo_name_address_week_working_days_and_capacity() {
    let server = Server::start().await;
    let (id, jo) = server.member("jo@bolt.example", "employee").await;
    // Their own week is theirs to set; what an admin sets is not.
    let week =
        json!({"first_day": "sun", "working_days": ["thu", "mon"], "daily_capacity_min": 450});
    let set = jo
        .patch(&path(&id), week)
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(set["working_days"], json!(["mon", "thu"]));
    assert_eq!(
        (&set["first_day"], &set["daily_capacity_min"]),
        (&json!("sun"), &json!(450))
    );
    assert_eq!(
        (&set["name"], &set["email"]),
        (&json!("jo Doe"), &json!("jo@bolt.example"))
    );
    jo.patch(&path(&id), json!({"hourly_rate_cents": 1}))
        .await
        .refused(403, "forbidden");
    for wrong in [
        json!({"first_day": "monday"}),
        json!({"working_days": ["mon", "day"]}),
        json!({"daily_capacity_min": 1441}),
    ] {
        jo.patch(&path(&id), wrong).await.refused(422, "invalid");
    }
    let photo = format!("{}/photo", path(&id));
    server.get(&photo).await.refused(404, "not_found");
    let put = async |bytes: &'static [u8]| {
        let request = axum::http::Request::put(&photo)
            .header("cookie", &jo.cookie)
            .body(axum::body::Body::from(bytes));
        server.send(request.unwrap()).await
    };
    put(WEBP).await.expect(StatusCode::NO_CONTENT);
    let shown = server.get(&photo).await.expect(StatusCode::OK);
    assert_eq!(
        (
            shown.headers["content-type"].as_bytes(),
            shown.body.as_slice()
        ),
        (&b"image/webp"[..], WEBP)
    );
    put(b"<svg onload=alert(1)>").await.refused(422, "invalid");
    put(b"").await.expect(StatusCode::NO_CONTENT);
    server.get(&photo).await.refused(404, "not_found");
}

#[tokio::test]
async fn p54_a_deactivated_member_sees_nothing_and_a_running_timer_stops_at_that_instant() {
    let server = Server::start().await;
    let (id, jo, employee) = tracking_member(&server, "jo@bolt.example").await;
    set(&server, &id, json!({"role": "manager"})).await;
    let mut device = server.device(&employee).await;
    let started = server.clock_ms();
    let start = device.session(SessionEventKind::Started, started);
    device
        .put(&server, &start)
        .await
        .expect(StatusCode::CREATED);
    server.clock.advance(10 * MINUTE_MS);
    jo.get("/api/v1/employees").await.expect(StatusCode::OK);

    set(&server, &id, json!({"status": "inactive"})).await;
    let session = server.get("/api/v1/sessions").await.json()["items"][0].clone();
    assert_eq!(session["tracked_ms"], 10 * MINUTE_MS);
    assert_eq!(session["cause"], "license");
    assert!(session["ended_at"].is_string());
    assert_eq!(device.state(&server).await.json()["employee_active"], false);
    let late = device.activity();
    device
        .put(&server, &late)
        .await
        .refused(403, "employee_inactive");
    assert!(jo.get("/api/v1/employees").await.status.is_client_error());
    let team = server.get("/api/v1/members").await.json();
    assert!(!column(&team, "email").contains(&"jo@bolt.example".into()));
    // Nobody ticks the employee's box past it.
    server
        .patch(
            &format!("/api/v1/employees/{employee}"),
            json!({"active": true}),
        )
        .await
        .refused(409, "conflict");
    server
        .delete(&path(&id))
        .await
        .expect(StatusCode::NO_CONTENT);
    let late = device.activity();
    device
        .put(&server, &late)
        .await
        .refused(403, "employee_inactive");
}

#[tokio::test]
async fn p55_reactivating_needs_no_acceptance_and_sends_no_mail() {
    let server = Server::start().await;
    let (id, _, employee) = tracking_member(&server, "jo@bolt.example").await;
    let mut device = server.device(&employee).await;
    set(&server, &id, json!({"status": "inactive"})).await;
    set(&server, &id, json!({"status": "active"})).await;
    let member = server.get(&path(&id)).await.json();
    assert_eq!(member["status"], "active");
    assert!(server.mail("jo@bolt.example").await.is_empty());
    let jo = server.log_in("jo@bolt.example").await;
    assert_eq!(jo.workspaces().await.len(), 1);
    assert_eq!(jo.get("/api/v1/me").await.json()["unread"], 0);
    // What was switched off is on again, and an employee who was off before stays off.
    let record = device.activity();
    device
        .put(&server, &record)
        .await
        .expect(StatusCode::CREATED);
    server.set_active(&employee, false).await;
    set(&server, &id, json!({"status": "inactive"})).await;
    set(&server, &id, json!({"status": "active"})).await;
    let found = server
        .get(&format!("/api/v1/employees/{employee}"))
        .await
        .json();
    assert_eq!(found["active"], false);
}

#[tokio::test]
async fn p56_deactivated_in_the_only_workspace_means_logged_out_and_one_may_be_made() {
    let server = Server::start().await;
    let (id, jo) = server.member("jo@bolt.example", "admin").await;
    set(&server, &id, json!({"role": "employee"})).await;
    set(&server, &id, json!({"status": "inactive"})).await;
    let page = jo.get("/me").await;
    assert_eq!(page.headers["location"], "/login?next=/me");
    jo.get("/api/v1/me").await.refused(401, "unauthenticated");
    // Logged in again they are in no workspace, and make one of their own.
    let jo = server.log_in("jo@bolt.example").await;
    assert_eq!(jo.get("/").await.headers["location"], "/workspaces/new");
    jo.get("/workspaces/new").await.expect(StatusCode::OK);
    jo.get("/api/v1/employees").await.refused(403, "forbidden");
    let made = jo
        .post("/api/v1/workspaces", json!({"name": "My own"}))
        .await;
    made.expect(StatusCode::CREATED);
    assert_eq!(jo.workspaces().await.len(), 1);
    jo.get("/api/v1/employees").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn p56_a_member_of_other_workspaces_goes_on_in_those() {
    let server = Server::start().await;
    let (id, jo) = server.member("jo@bolt.example", "manager").await;
    let made = jo
        .post("/api/v1/workspaces", json!({"name": "My own"}))
        .await
        .json();
    let first = json!({"workspace_id": server.workspace().await});
    // What they make themselves makes them no company account of this server's first company.
    jo.post("/api/v1/me/workspace", first)
        .await
        .expect(StatusCode::NO_CONTENT);
    set(&server, &id, json!({"status": "inactive"})).await;
    let me = jo.get("/api/v1/me").await.expect(StatusCode::OK).json();
    assert_eq!(me["memberships"][0]["workspace_id"], made["workspace_id"]);
    jo.get("/api/v1/employees").await.expect(StatusCode::OK);
    let first = json!({"workspace_id": server.workspace().await});
    jo.post("/api/v1/me/workspace", first)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn p57_only_a_deactivated_member_is_deleted() {
    let server = Server::start().await;
    let (id, _) = server.member("jo@bolt.example", "employee").await;
    server
        .delete(&path(&id))
        .await
        .refused(409, "member_active");
    set(&server, &id, json!({"status": "inactive"})).await;
    server
        .delete(&path(&id))
        .await
        .expect(StatusCode::NO_CONTENT);
    server.get(&path(&id)).await.refused(404, "not_found");
    let all = server.get("/api/v1/members?show=all").await.json();
    assert_eq!(column(&all, "email"), [OWNER]);
}

#[tokio::test]
async fn p58_time_of_inactive_and_deleted_members_is_kept_and_shown_by_user_only() {
    let server = Server::start().await;
    let (id, _, employee) = tracking_member(&server, "jo@bolt.example").await;
    let mut device = server.device(&employee).await;
    let at = server.clock_ms();
    for event in [
        device.session(SessionEventKind::Started, at),
        device.session(SessionEventKind::Stopped, at + 30 * MINUTE_MS),
    ] {
        device
            .put(&server, &event)
            .await
            .expect(StatusCode::CREATED);
    }
    let by_user = async || {
        let report = server
            .get("/api/v1/reports/timesheet?group_by=employee")
            .await;
        let report = report.expect(StatusCode::OK).json();
        (
            report["items"][0]["tracked_ms"].clone(),
            report["items"][0]["member_status"].clone(),
        )
    };
    let narrowed = format!("/api/v1/reports/timesheet?employee_id={employee}");
    assert_eq!(by_user().await, (json!(30 * MINUTE_MS), json!("active")));
    server.get(&narrowed).await.expect(StatusCode::OK);
    set(&server, &id, json!({"status": "inactive"})).await;
    assert_eq!(by_user().await, (json!(30 * MINUTE_MS), json!("inactive")));
    let refused = server.get(&narrowed).await;
    refused.refused(422, "invalid");
    assert_eq!(refused.json()["field"], "employee_id");
    server
        .delete(&path(&id))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(by_user().await, (json!(30 * MINUTE_MS), json!("deleted")));
    server.get(&narrowed).await.refused(422, "invalid");
    let records = server.get("/api/v1/records").await.json();
    assert_eq!(records["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn p59_leave_of_a_deleted_member_is_gone_even_if_the_person_comes_back() {
    let server = Server::start().await;
    let (id, _, employee) = tracking_member(&server, "jo@bolt.example").await;
    let leave = format!("{}/leave", path(&id));
    for day in ["2026-12-24", "2026-12-23"] {
        server
            .post(&leave, json!({"day": day, "kind": "vacation"}))
            .await
            .expect(StatusCode::OK);
    }
    server
        .post(&leave, json!({"day": "24.12.2026"}))
        .await
        .refused(422, "invalid");
    let noted = async || column(&server.get(&leave).await.json(), "day");
    assert_eq!(noted().await, ["2026-12-23", "2026-12-24"]);
    set(&server, &id, json!({"status": "inactive"})).await;
    assert_eq!(noted().await.len(), 2, "switched off is not gone");
    server
        .delete(&path(&id))
        .await
        .expect(StatusCode::NO_CONTENT);
    let invited = server
        .post("/api/v1/invitations", json!({"emails": "jo@bolt.example"}))
        .await;
    assert_eq!(invited.json()["results"][0]["member_id"], json!(id));
    let jo = server.log_in("jo@bolt.example").await;
    jo.post(&format!("/api/v1/me/invitations/{id}/accept"), json!({}))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(noted().await, Vec::<String>::new());
    let back = server.get(&path(&id)).await.json();
    assert_eq!(
        back["employee_id"],
        json!(employee),
        "what they tracked is theirs"
    );
}

#[tokio::test]
async fn p60_inactive_members_are_found_under_show_all_and_show_inactive() {
    let server = Server::start().await;
    let (id, _) = server.member("jo@bolt.example", "employee").await;
    set(&server, &id, json!({"status": "inactive"})).await;
    let emails = async |show: &str| {
        let path = format!("/api/v1/members{show}");
        column(
            &server.get(&path).await.expect(StatusCode::OK).json(),
            "email",
        )
    };
    assert_eq!(emails("").await, [OWNER]);
    assert_eq!(emails("?show=inactive").await, ["jo@bolt.example"]);
    assert_eq!(emails("?show=all").await.len(), 2);
    server
        .api(Method::GET, "/api/v1/members?show=deleted", None)
        .await
        .refused(422, "invalid");
}
