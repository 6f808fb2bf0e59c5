//! Rules about a company: what it owns, what it is granted (rules 16, 23 to 25, 33).

mod common;

use axum::http::{StatusCode, header};
use common::person::column;
use common::{OWNER, Server};
use glasshour_server::plan::PlanChange;
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;

#[tokio::test]
async fn p16_when_a_trial_ends_ingest_stops_with_a_code_and_nothing_is_deleted() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    server
        .grant(PlanChange {
            trial: Some("15".into()),
            ..PlanChange::default()
        })
        .await;
    server.clock.advance(15 * DAY_MS - 1);
    let before = device.activity();
    device
        .put(&server, &before)
        .await
        .expect(StatusCode::CREATED);
    server.clock.advance(1);
    let after = device.activity();
    let refused = device.put(&server, &after).await;
    refused.refused(403, "trial_ended");
    assert_eq!(refused.headers[header::RETRY_AFTER], "3600");
    let plan = server.get("/api/v1/company/plan").await.json();
    assert_eq!(plan["trial_over"], true);
    let records = server.get("/api/v1/records").await.json();
    assert_eq!(records["items"].as_array().unwrap().len(), 1);

    // With a plan, what had waited is taken.
    server
        .grant(PlanChange {
            trial: Some("none".into()),
            ..PlanChange::default()
        })
        .await;
    device
        .put(&server, &after)
        .await
        .expect(StatusCode::CREATED);
}

#[tokio::test]
async fn p16_a_company_without_a_plan_has_no_trial_and_no_limit() {
    let server = Server::start().await;
    let plan = server.get("/api/v1/company/plan").await.json();
    for nothing in ["plan", "seats", "invitations_at_once", "trial_ends_at"] {
        assert!(plan[nothing].is_null(), "{nothing}");
    }
    assert_eq!(plan["trial_over"], false);
}

#[tokio::test]
async fn p23_a_workspace_made_by_a_user_of_the_company_belongs_to_it_at_once() {
    let server = Server::start().await;
    let (_, jo) = server.internal("jo").await;
    let made = jo.post("/api/v1/workspaces", json!({"name": "Lab"})).await;
    let made = made.expect(StatusCode::CREATED).json();
    let all = server.get("/api/v1/workspaces").await.json();
    assert!(column(&all, "workspace_id").contains(&made["workspace_id"].as_str().unwrap().into()));
    // Somebody with an account of their own makes it for their own company.
    let (_, ann) = server.member("ann@bolt.example", "admin").await;
    ann.post("/api/v1/workspaces", json!({"name": "Hers"}))
        .await
        .expect(StatusCode::CREATED);
    let all = server.get("/api/v1/workspaces").await.json();
    assert!(!column(&all, "name").contains(&"Hers".into()));
}

#[tokio::test]
async fn p24_the_company_account_sees_every_workspace_of_all_its_users() {
    let server = Server::start().await;
    let (_, jo) = server.internal("jo").await;
    let (_, ann) = server.internal("ann").await;
    for (person, name) in [(&jo, "Lab"), (&ann, "Shop")] {
        let body = json!({"name": name});
        person
            .post("/api/v1/workspaces", body)
            .await
            .expect(StatusCode::CREATED);
    }
    let owner = server.log_in(OWNER).await;
    let all = owner.get("/api/v1/workspaces").await.json();
    assert_eq!(column(&all, "name"), ["Acme", "Lab", "Shop"]);
    // And what is in them, although it is a member of none of these.
    for id in column(&all, "workspace_id") {
        let path = format!("/api/v1/members?workspace_id={id}");
        let members = owner.get(&path).await.expect(StatusCode::OK).json();
        assert_eq!(members["items"].as_array().unwrap().len(), 1);
        owner
            .post("/api/v1/me/workspace", json!({"workspace_id": id}))
            .await
            .expect(StatusCode::NO_CONTENT);
        owner.get("/api/v1/employees").await.expect(StatusCode::OK);
    }
    // One user does not see the other's.
    let lab = jo.workspaces().await;
    let path = format!("/api/v1/workspaces/{}", lab[0]);
    jo.get(&path).await.expect(StatusCode::OK);
    ann.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn p25_a_workspace_is_not_given_away_to_another_company() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    let theirs = bolt.get("/api/v1/company").await.json()["company_id"].clone();
    let workspace = server.workspace().await;
    let path = format!("/api/v1/workspaces/{workspace}");
    let refused = server.patch(&path, json!({"company_id": theirs})).await;
    refused.refused(422, "invalid");
    assert_eq!(refused.json()["field"], "company_id");
    // Not even when somebody of another company becomes its owner.
    let (id, _ann) = server.member("ann@bolt.example", "admin").await;
    let body = json!({"member_id": id, "confirm": true});
    server
        .post(&format!("{path}/transfer"), body)
        .await
        .expect(StatusCode::NO_CONTENT);
    server.get(&path).await.expect(StatusCode::OK);
    bolt.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn p33_more_seats_come_from_the_operator_or_where_it_may_from_the_company() {
    let server = Server::start().await;
    server
        .grant(PlanChange {
            seats: Some("1".into()),
            ..PlanChange::default()
        })
        .await;
    let user = server.new_user("jo", false).await;
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let activate = json!({"status": "active"});
    server
        .patch(&path, activate.clone())
        .await
        .refused(409, "no_seat");
    // The operator has not left it to the company.
    let more = json!({"seats": 2});
    server
        .patch("/api/v1/company/plan", more.clone())
        .await
        .refused(403, "operator_only");
    server
        .grant(PlanChange {
            seats_by: Some("company".into()),
            ..PlanChange::default()
        })
        .await;
    let plan = server.patch("/api/v1/company/plan", more).await;
    let plan = plan.expect(StatusCode::OK).json();
    assert_eq!(
        (&plan["seats"], &plan["seats_used"]),
        (&json!(2), &json!(1))
    );
    server.patch(&path, activate).await.expect(StatusCode::OK);
    // Not below what is in use.
    server
        .patch("/api/v1/company/plan", json!({"seats": 1}))
        .await
        .refused(409, "no_seat");
}

#[tokio::test]
async fn what_a_company_says_of_itself_is_in_the_next_license() {
    let server = Server::start().await;
    let body = json!({"name": "Acme Works", "privacy_contact": "dpo@acme.example"});
    let company = server
        .patch("/api/v1/company", body)
        .await
        .expect(StatusCode::OK);
    let employee = server.employee().await;
    let license = server.license(&employee).await;
    assert_eq!(license.claims().issuer.company, "Acme Works");
    let contact = license.claims().issuer.privacy_contact.as_deref();
    assert_eq!(contact, Some("dpo@acme.example"));
    assert_eq!(company.json()["key_fingerprint"], license.thumbprint());
}

#[tokio::test]
async fn what_no_license_can_say_is_refused_where_it_comes_in() {
    let server = Server::start().await;
    let employee = server.employee().await;
    for bad in ["Ac\u{202e}me", "Ac\u{200b}me", "Ac\u{2028}me"] {
        for field in ["name", "privacy_contact"] {
            let body = json!({ field: bad });
            let answer = server.patch("/api/v1/company", body).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.json()["field"], field, "{bad:?}");
        }
        for (path, body) in [
            (
                "/api/v1/employees",
                json!({"name": bad, "work_mode": "worklog", "active": true}),
            ),
            ("/api/v1/projects", json!({"name": bad})),
            ("/api/v1/profiles", json!({"name": bad, "settings": {}})),
        ] {
            let answer = server.post(path, body).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.json()["field"], "name", "{path}");
        }
        let again = format!("/api/v1/employees/{employee}");
        let answer = server.patch(&again, json!({"name": bad})).await;
        answer.refused(422, "invalid");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_by_field_and_what_is_wanted() {
    let server = Server::start().await;
    let profile = |settings: Value| json!({"name": "P", "settings": settings});
    let cases = [
        (
            "/api/v1/employees",
            json!({"active": "yes"}),
            "active",
            "must be true or false",
        ),
        (
            "/api/v1/employees",
            json!({"nmae": "Jo"}),
            "nmae",
            "is not known",
        ),
        (
            "/api/v1/employees",
            json!([]),
            "body",
            "must be a JSON object",
        ),
        (
            "/api/v1/profiles",
            profile(json!({"idle_after_s": "x"})),
            "settings",
            "must be a whole number",
        ),
    ];
    for (path, body, field, says) in cases {
        let answer = server.post(path, body.clone()).await;
        answer.refused(422, "invalid");
        let answer = answer.json();
        let message = answer["message"].as_str().unwrap();
        assert_eq!(answer["field"], field, "{body}: {message}");
        assert!(message.contains(says), "{body}: {message}");
        for raw in [
            "deserialize",
            "expected",
            "struct ",
            "untagged",
            " at line ",
        ] {
            assert!(!message.contains(raw), "{body}: {message}");
        }
    }
    let path = "/api/v1/records?limit=many";
    let answer = server.get(path).await;
    assert_eq!(answer.json()["field"], "limit", "{}", answer.json());
}
