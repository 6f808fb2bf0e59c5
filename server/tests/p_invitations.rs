//! Rules about inviting people and about coming in (rules 46 to 50).

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::person::{api_link, column};
use common::{Answer, NEIGHBOUR, PASSWORD, Server};
use glasshour_server::SignUp;
use glasshour_server::plan::PlanChange;
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;

#[cfg(test)]
async fn sign_up(server: &Server, email: &str) -> Answer {
    let request = Request::post("/api/v1/sign-up")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({"email": email}).to_string()));
    server.send(request.unwrap()).await
}

/// The link that waits to be mailed to an address.
#[cfg(test)]
async fn waiting_link(server: &Server, subject: &str) -> Option<String> {
    server.read().await.waiting_link(subject).await.unwrap()
}

#[cfg(test)]
fn results(answer: &Value) -> Vec<(String, String)> {
    let all = answer["results"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter()
        .map(|one| (text(&one["email"]), text(&one["result"])))
        .collect()
}

#[tokio::test]
async fn p46_only_admins_and_the_owner_invite_set_rates_deactivate_and_assign_groups() {
    let server = Server::start().await;
    let (target, _) = server.member("target@bolt.example", "employee").await;
    let group = server
        .post("/api/v1/groups", json!({"name": "Night shift"}))
        .await;
    let group = group.expect(StatusCode::CREATED).json()["group_id"].clone();
    let path = format!("/api/v1/members/{target}");
    for (role, allowed) in [("employee", false), ("manager", false), ("admin", true)] {
        let (_, person) = server.member(&format!("{role}@bolt.example"), role).await;
        let invite = json!({"emails": format!("new-{role}@bolt.example")});
        let new_group = json!({"name": format!("By {role}")});
        let answers = [
            person.post("/api/v1/invitations", invite).await,
            person.post("/api/v1/groups", new_group).await,
            person
                .patch(&path, json!({"hourly_rate_cents": 4200}))
                .await,
            person.patch(&path, json!({"groups": [group]})).await,
            person.patch(&path, json!({"status": "inactive"})).await,
        ];
        for answer in answers {
            if allowed {
                assert!(answer.status.is_success(), "{role}: {}", answer.json());
            } else {
                answer.refused(403, "forbidden");
            }
        }
    }
    let members = server
        .get(&format!("/api/v1/groups/{}", group.as_str().unwrap()))
        .await;
    assert_eq!(members.json()["members"], json!([target]));
    // Any number of users.
    let many: Vec<String> = (0..300).map(|n| format!("many{n}@bolt.example")).collect();
    let invited = server
        .post("/api/v1/invitations", json!({"emails": many.join(",")}))
        .await;
    assert_eq!(
        results(&invited.expect(StatusCode::CREATED).json()).len(),
        300
    );
}

#[tokio::test]
async fn p47_each_address_has_its_own_result_and_a_bad_one_stops_no_other() {
    let server = Server::start().await;
    let missing = server
        .post("/api/v1/invitations", json!({"emails": " , "}))
        .await;
    missing.refused(422, "invalid");
    assert_eq!(missing.json()["field"], "emails");
    server.member("ann@bolt.example", "employee").await;
    let emails =
        "jo@bolt.example, not an address, ANN@bolt.example, sam@bolt.example,jo@bolt.example";
    let invited = server
        .post("/api/v1/invitations", json!({"emails": emails}))
        .await;
    let invited = invited.expect(StatusCode::CREATED).json();
    let expected = [
        ("jo@bolt.example", "invited"),
        ("not an address", "invalid"),
        ("ANN@bolt.example", "already_member"),
        ("sam@bolt.example", "invited"),
        ("jo@bolt.example", "already_invited"),
    ];
    assert_eq!(
        results(&invited),
        expected.map(|(email, result)| (email.into(), result.into()))
    );
    let waiting = server.get("/api/v1/invitations").await.json();
    assert_eq!(
        column(&waiting, "email"),
        ["jo@bolt.example", "sam@bolt.example"]
    );
}

#[tokio::test]
async fn p48_a_plan_may_cap_the_addresses_of_one_invitation_but_not_the_total() {
    let server = Server::start().await;
    server
        .grant(PlanChange {
            plan: Some("free".into()),
            ..PlanChange::default()
        })
        .await;
    let addresses = |from: u32, to: u32| {
        let all: Vec<String> = (from..to).map(|n| format!("p{n}@bolt.example")).collect();
        json!({"emails": all.join(", ")})
    };
    let six = server.post("/api/v1/invitations", addresses(0, 6)).await;
    six.refused(422, "too_many_invitations");
    assert_eq!(six.json()["field"], "emails");
    for round in 0..3 {
        let five = addresses(round * 5, round * 5 + 5);
        server
            .post("/api/v1/invitations", five)
            .await
            .expect(StatusCode::CREATED);
    }
    let waiting = server.get("/api/v1/invitations").await.json();
    assert_eq!(column(&waiting, "email").len(), 15);
}

#[tokio::test]
async fn p49_without_the_tick_the_member_is_added_and_told_nothing() {
    let server = Server::start().await;
    let body = json!({"emails": "jo@bolt.example", "send": false});
    let added = server
        .post("/api/v1/invitations", body)
        .await
        .expect(StatusCode::CREATED);
    assert_eq!(results(&added.json())[0].1, "added");
    assert!(added.json()["results"][0]["link"].is_null());
    assert!(server.mail("jo@bolt.example").await.is_empty());
    let id = added.json()["results"][0]["member_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let team = server.get("/api/v1/members").await.json();
    assert!(column(&team, "email").contains(&"jo@bolt.example".into()));
    // Later, from the row's menu.
    let path = format!("/api/v1/invitations/{id}");
    let sent = server
        .patch(&path, json!({"send": true}))
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(server.mail("jo@bolt.example").await, ["invitation"]);
    server
        .enter("jo@bolt.example", sent["link"].as_str().unwrap())
        .await;
}

#[tokio::test]
async fn p49_sending_again_replaces_the_link_which_lives_thirty_days() {
    let server = Server::start().await;
    let (id, first) = server.invite("jo@bolt.example", "employee").await;
    let path = format!("/api/v1/invitations/{id}");
    let again = server
        .patch(&path, json!({"send": true}))
        .await
        .expect(StatusCode::OK)
        .json();
    let second = again["link"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    server
        .get(&api_link(&first))
        .await
        .refused(404, "link_unknown");
    assert_eq!(
        server.mail("jo@bolt.example").await,
        ["invitation"],
        "one mail waits, not two"
    );
    server.clock.advance(30 * DAY_MS - 1);
    server.get(&api_link(&second)).await.expect(StatusCode::OK);
    server.clock.advance(1);
    server
        .get(&api_link(&second))
        .await
        .refused(410, "link_expired");
    // Taken back, it is worth nothing either.
    let again = server.patch(&path, json!({"send": true})).await.json();
    server.delete(&path).await.expect(StatusCode::NO_CONTENT);
    let third = again["link"].as_str().unwrap();
    server
        .get(&api_link(third))
        .await
        .refused(404, "link_unknown");
}

#[tokio::test]
async fn p50_somebody_invited_who_signs_up_joins_by_it_and_gets_no_second_account() {
    let server = Server::start().await;
    let (id, _) = server.invite("jo@bolt.example", "manager").await;
    sign_up(&server, "Jo@bolt.example")
        .await
        .expect(StatusCode::ACCEPTED);
    let link = waiting_link(&server, "jo@bolt.example").await.unwrap();
    let jo = server.enter("jo@bolt.example", &link).await;
    assert_eq!(jo.workspaces().await, [server.workspace().await]);
    let member = server.get(&format!("/api/v1/members/{id}")).await.json();
    assert_eq!(
        (&member["status"], &member["role"]),
        (&json!("active"), &json!("manager"))
    );
    // Once more: no second account, and no word to a stranger on whether there is one.
    sign_up(&server, "jo@bolt.example")
        .await
        .expect(StatusCode::ACCEPTED);
    server
        .follow(&link, json!({"password": PASSWORD}))
        .await
        .refused(404, "link_unknown");
    assert!(waiting_link(&server, "jo@bolt.example").await.is_none());
}

#[tokio::test]
async fn p50_whoever_was_not_invited_gets_the_same_answer_and_no_link() {
    let mut server = Server::start().await;
    sign_up(&server, "eve@bolt.example")
        .await
        .expect(StatusCode::ACCEPTED);
    assert!(server.mail("eve@bolt.example").await.is_empty());
    server.state.sign_up = SignUp::Open;
    server.router = glasshour_server::router(server.state.clone());
    sign_up(&server, "eve@bolt.example")
        .await
        .expect(StatusCode::ACCEPTED);
    let link = waiting_link(&server, "eve@bolt.example").await.unwrap();
    let eve = server.enter("eve@bolt.example", &link).await;
    let own = eve.workspaces().await;
    assert_eq!(
        own.len(),
        1,
        "a workspace of her own, in a company of her own"
    );
    assert_ne!(own[0], server.workspace().await);
    server.state.sign_up = SignUp::Closed;
    server.router = glasshour_server::router(server.state.clone());
    sign_up(&server, "new@bolt.example")
        .await
        .refused(403, "sign_up_closed");
}

#[tokio::test]
async fn p50_somebody_with_an_account_gets_mail_and_a_notice_and_accepts_logged_in() {
    let server = Server::start().await;
    server.another_company().await;
    let (id, link) = server.invite(NEIGHBOUR, "employee").await;
    assert_eq!(server.mail(NEIGHBOUR).await, ["invitation_account"]);
    // The link alone lets nobody in.
    server
        .follow(
            &link,
            json!({"first_name": "E", "last_name": "V", "password": PASSWORD}),
        )
        .await
        .refused(401, "unauthenticated");
    let (_, other) = server.member("other@bolt.example", "employee").await;
    other
        .post(&api_link(&link), json!({}))
        .await
        .refused(403, "forbidden");
    other
        .post(&format!("/api/v1/me/invitations/{id}/accept"), json!({}))
        .await
        .refused(404, "not_found");

    let them = server.log_in(NEIGHBOUR).await;
    assert_eq!(them.get("/api/v1/me").await.json()["unread"], 1);
    let notices = them.get("/api/v1/me/notices").await.json();
    assert_eq!(notices["items"][0]["kind"], "invitation");
    assert_eq!(notices["items"][0]["params"]["member_id"], json!(id));
    let notice = notices["items"][0]["notice_id"].as_str().unwrap();
    them.post(&format!("/api/v1/me/notices/{notice}/read"), json!({}))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(them.get("/api/v1/me").await.json()["unread"], 0);
    them.post(&api_link(&link), json!({}))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(them.workspaces().await.len(), 2);
}

#[tokio::test]
async fn p50_a_new_person_follows_the_link_proves_the_address_and_logs_in() {
    let server = Server::start().await;
    let (id, link) = server.invite("jo@bolt.example", "employee").await;
    let nameless = server.follow(&link, json!({"password": PASSWORD})).await;
    nameless.refused(422, "invalid");
    assert_eq!(nameless.json()["field"], "first_name");
    let jo = server.enter("jo@bolt.example", &link).await;
    assert_eq!(jo.workspaces().await.len(), 1);
    let member = server.get(&format!("/api/v1/members/{id}")).await.json();
    assert_eq!(
        (&member["status"], &member["name"]),
        (&json!("active"), &json!("jo Doe"))
    );
    server.log_in("jo@bolt.example").await;
    let again = json!({"first_name": "Eve", "last_name": "V", "password": PASSWORD});
    server
        .follow(&link, again)
        .await
        .refused(404, "link_unknown");
}
