//! Rules about a company's users: internal and external ones, seats, what is checked (rules 26 to 45).

mod common;

use axum::http::StatusCode;
use common::person::{api_link, column};
use common::{OWNER, Server};
use glasshour_server::plan::PlanChange;
use serde_json::{Value, json};

#[cfg(test)]
async fn seats_used(server: &Server) -> Value {
    server.get("/api/v1/company/plan").await.json()["seats_used"].clone()
}

#[cfg(test)]
async fn seats(server: &Server, number: &str) {
    server
        .grant(PlanChange {
            seats: Some(number.into()),
            ..PlanChange::default()
        })
        .await;
}

/// The listed user with that address.
#[cfg(test)]
async fn listed(server: &Server, email: &str) -> Option<Value> {
    let all = server.get("/api/v1/users").await.json();
    let items = all["items"].as_array().unwrap();
    items.iter().find(|one| one["email"] == email).cloned()
}

#[cfg(test)]
fn path(user: &Value) -> String {
    format!("/api/v1/users/{}", user["id"].as_str().unwrap())
}

#[tokio::test]
async fn p26_users_are_internal_or_external() {
    let server = Server::start().await;
    server.internal("jo").await;
    server.member("ann@bolt.example", "employee").await;
    let external = async |email| listed(&server, email).await.unwrap()["external"].clone();
    assert_eq!(external(OWNER).await, false);
    assert_eq!(external("jo@acme.example").await, false);
    assert_eq!(external("ann@bolt.example").await, true);
}

#[tokio::test]
async fn p27_internal_users_are_made_and_managed_by_the_company_alone() {
    let server = Server::start().await;
    let (_, admin) = server.member("ann@bolt.example", "admin").await;
    let body = json!({"user_id": "jo", "first_name": "Jo", "last_name": "Doe",
        "email": "jo@acme.example"});
    admin
        .post("/api/v1/users", body.clone())
        .await
        .refused(403, "forbidden");
    admin.get("/api/v1/users").await.refused(403, "forbidden");
    let owner = server.log_in(OWNER).await;
    let made = owner.post("/api/v1/users", body).await;
    let made = made.expect(StatusCode::CREATED).json();
    admin
        .patch(&path(&made), json!({"status": "active"}))
        .await
        .refused(403, "forbidden");
    owner
        .patch(&path(&made), json!({"status": "active"}))
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn p28_external_users_are_not_made_but_invited_from_a_workspace() {
    let server = Server::start().await;
    let body = json!({"user_id": "ann", "first_name": "Ann", "last_name": "Lee",
        "email": "ann@bolt.example", "external": true});
    let refused = server.post("/api/v1/users", body).await;
    refused.refused(422, "invalid");
    assert_eq!(refused.json()["field"], "external");
    let (_, ann) = server.member("ann@bolt.example", "employee").await;
    // She has an account, and a company, of her own.
    let workspaces = ann
        .post("/api/v1/workspaces", json!({"name": "Hers"}))
        .await;
    workspaces.expect(StatusCode::CREATED);
    assert_eq!(
        listed(&server, "ann@bolt.example").await.unwrap()["external"],
        true
    );
}

#[tokio::test]
async fn p29_an_internal_user_has_a_user_id_names_and_an_address_and_is_then_made_active() {
    let server = Server::start().await;
    let whole = json!({"user_id": "jo", "first_name": "Jo", "last_name": "Doe",
        "email": "jo@acme.example"});
    for field in ["user_id", "first_name", "last_name", "email"] {
        let mut form = whole.clone();
        form.as_object_mut().unwrap().remove(field);
        let refused = server.post("/api/v1/users", form).await;
        refused.refused(422, "invalid");
        assert_eq!(refused.json()["field"], field);
    }
    let made = server.post("/api/v1/users", whole).await;
    let made = made.expect(StatusCode::CREATED).json();
    assert_eq!(made["status"], "not_yet_active");
    let active = server
        .patch(&path(&made), json!({"status": "active"}))
        .await;
    assert_eq!(active.expect(StatusCode::OK).json()["status"], "active");
}

#[tokio::test]
async fn p30_a_record_not_yet_active_has_no_account_and_uses_no_seat() {
    let server = Server::start().await;
    let made = server.new_user("jo", false).await;
    assert_eq!(seats_used(&server).await, 1, "the owner's");
    assert!(made["link"].is_null(), "nothing lets in: {made}");
    assert!(server.mail("jo@acme.example").await.is_empty());
    assert!(server.try_log_in("jo@acme.example").await.is_none());
}

#[tokio::test]
async fn p31_becoming_active_uses_one_seat_at_once() {
    let server = Server::start().await;
    let made = server.new_user("jo", false).await;
    server
        .patch(&path(&made), json!({"status": "active"}))
        .await
        .expect(StatusCode::OK);
    assert_eq!(seats_used(&server).await, 2);
    // External users use none.
    server.member("ann@bolt.example", "employee").await;
    assert_eq!(seats_used(&server).await, 2);
}

#[tokio::test]
async fn p32_with_no_seat_free_an_activation_is_refused() {
    let server = Server::start().await;
    seats(&server, "2").await;
    server.internal("jo").await;
    let ann = server.new_user("ann", false).await;
    let refused = server.patch(&path(&ann), json!({"status": "active"})).await;
    refused.refused(409, "no_seat");
    assert_eq!(
        listed(&server, "ann@acme.example").await.unwrap()["status"],
        "not_yet_active"
    );
    assert_eq!(seats_used(&server).await, 2);
    // Of many at once, as many as there are seats.
    seats(&server, "3").await;
    let sam = server.new_user("sam", false).await;
    let activate = async |user: &Value| {
        let answer = server.patch(&path(user), json!({"status": "active"})).await;
        answer.status == StatusCode::OK
    };
    let (one, other) = tokio::join!(activate(&ann), activate(&sam));
    assert!(one != other, "{one} {other}");
}

#[tokio::test]
async fn p34_the_validation_result_of_a_user_is_ok_on_success() {
    let server = Server::start().await;
    for active in [false, true] {
        let login = format!("jo{active}");
        let made = server.new_user(&login, active).await;
        assert_eq!(made["validation_result"], "OK");
    }
    server.member("ann@bolt.example", "employee").await;
    let all = server.get("/api/v1/users").await.json();
    let results = column(&all, "validation_result");
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|result| result == "OK"));
}

#[tokio::test]
async fn p35_otherwise_it_says_what_to_do() {
    let server = Server::start().await;
    seats(&server, "1").await;
    let made = server.new_user("jo", true).await;
    let to_do = "No seat is free. Add seats under Plan, or deactivate a user.";
    assert_eq!(made["status"], "not_yet_active");
    assert_eq!(made["validation_result"], to_do);
    let ann = server.new_user("ann", false).await;
    let refused = server.patch(&path(&ann), json!({"status": "active"})).await;
    assert_eq!(refused.json()["message"], to_do);
    let row = listed(&server, "ann@acme.example").await.unwrap();
    assert_eq!(row["validation_result"], to_do);
    // And it is OK once that was done.
    seats(&server, "none").await;
    let active = server.patch(&path(&ann), json!({"status": "active"})).await;
    assert_eq!(
        active.expect(StatusCode::OK).json()["validation_result"],
        "OK"
    );
}

#[tokio::test]
async fn p36_on_success_the_user_gets_a_mail_with_a_link_that_works_once_and_expires() {
    let server = Server::start().await;
    let made = server.new_user("jo", true).await;
    assert_eq!(server.mail("jo@acme.example").await, ["welcome"]);
    let link = made["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("http://127.0.0.1:8080/join/"), "{link}");
    let door = server
        .get(&api_link(&link))
        .await
        .expect(StatusCode::OK)
        .json();
    assert_eq!(
        (&door["purpose"], &door["email"]),
        (&json!("welcome"), &json!("jo@acme.example"))
    );
    // A short password leaves it as good as it was.
    let short = server.follow(&link, json!({"password": "short"})).await;
    short.refused(422, "invalid");
    server.enter("jo@acme.example", &link).await;
    server.log_in("jo@acme.example").await;
    server
        .follow(&link, json!({"password": "another password"}))
        .await
        .refused(404, "link_unknown");
    assert!(
        server.mail("jo@acme.example").await.is_empty(),
        "nothing in clear is left waiting"
    );

    let late = server.new_user("ann", true).await;
    let link = late["link"].as_str().unwrap().to_owned();
    server.clock.advance(7 * 24 * 3_600_000);
    server
        .follow(&link, json!({"password": "another password"}))
        .await
        .refused(410, "link_expired");
    // Sent again: the new one lets in.
    let again = server
        .post(&format!("{}/welcome", path(&late)), json!({}))
        .await;
    let again = again.expect(StatusCode::OK).json();
    server
        .enter("ann@acme.example", again["link"].as_str().unwrap())
        .await;
}

#[tokio::test]
async fn p37_an_external_user_appears_in_the_list_only_after_accepting() {
    let server = Server::start().await;
    let (_, link) = server.invite("ann@bolt.example", "employee").await;
    assert!(listed(&server, "ann@bolt.example").await.is_none());
    server.enter("ann@bolt.example", &link).await;
    assert!(listed(&server, "ann@bolt.example").await.is_some());
    // The same for somebody who had an account before.
    let bolt = server.another_company().await;
    let (member, _) = server.invite(common::NEIGHBOUR, "manager").await;
    assert!(listed(&server, common::NEIGHBOUR).await.is_none());
    let them = server.log_in(common::NEIGHBOUR).await;
    let path = format!("/api/v1/me/invitations/{member}/accept");
    them.post(&path, json!({}))
        .await
        .expect(StatusCode::NO_CONTENT);
    assert_eq!(
        listed(&server, common::NEIGHBOUR).await.unwrap()["external"],
        true
    );
    // In their own company they are an internal user still.
    let theirs = bolt.get("/api/v1/users").await.json();
    assert_eq!(theirs["items"][0]["external"], false);
}

#[tokio::test]
async fn p38_an_externals_rights_are_managed_as_an_internals_are() {
    let server = Server::start().await;
    let (_, jo) = server.internal("jo").await;
    let (inside, _) = server.invite("jo@acme.example", "employee").await;
    jo.post(
        &format!("/api/v1/me/invitations/{inside}/accept"),
        json!({}),
    )
    .await
    .expect(StatusCode::NO_CONTENT);
    let (outside, ann) = server.member("ann@bolt.example", "employee").await;
    for (id, person) in [(inside, jo), (outside, ann)] {
        let path = format!("/api/v1/members/{id}");
        person
            .get("/api/v1/members")
            .await
            .refused(403, "forbidden");
        server
            .patch(&path, json!({"role": "manager"}))
            .await
            .expect(StatusCode::OK);
        person.get("/api/v1/members").await.expect(StatusCode::OK);
        server
            .patch(&path, json!({"status": "inactive"}))
            .await
            .expect(StatusCode::OK);
        assert!(person.get("/api/v1/members").await.status.is_client_error());
        server.delete(&path).await.expect(StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn p39_names_and_address_of_an_internal_user_change_the_users_own_profile() {
    let server = Server::start().await;
    let (id, jo) = server.internal("jo").await;
    let (member, _) = server.invite("jo@acme.example", "employee").await;
    jo.post(
        &format!("/api/v1/me/invitations/{member}/accept"),
        json!({}),
    )
    .await
    .expect(StatusCode::NO_CONTENT);
    let change =
        json!({"first_name": "Joanna", "last_name": "Roe", "email": "Joanna@acme.example"});
    let changed = server.patch(&format!("/api/v1/users/{id}"), change).await;
    changed.expect(StatusCode::OK);
    let me = jo.get("/api/v1/me").await.json();
    assert_eq!(
        (&me["first_name"], &me["last_name"]),
        (&json!("Joanna"), &json!("Roe"))
    );
    assert_eq!(me["email"], "joanna@acme.example");
    let row = server
        .get(&format!("/api/v1/members/{member}"))
        .await
        .json();
    assert_eq!(
        (&row["name"], &row["email"]),
        (&json!("Joanna Roe"), &json!("joanna@acme.example"))
    );
    server.log_in("joanna@acme.example").await;
    assert!(server.try_log_in("jo@acme.example").await.is_none());
}

#[tokio::test]
async fn p40_user_id_external_and_validation_result_are_fixed_once_the_account_exists() {
    let server = Server::start().await;
    let made = server.new_user("jo", false).await;
    // Before that, the User ID can still be corrected.
    let corrected = server.patch(&path(&made), json!({"user_id": "jdoe"})).await;
    assert_eq!(corrected.expect(StatusCode::OK).json()["user_id"], "jdoe");
    server
        .patch(&path(&made), json!({"status": "active"}))
        .await
        .expect(StatusCode::OK);
    for (field, value) in [
        ("user_id", json!("other")),
        ("external", json!(true)),
        ("validation_result", json!("fine")),
    ] {
        let refused = server.patch(&path(&made), json!({field: value})).await;
        refused.refused(422, "invalid");
        assert_eq!(refused.json()["field"], field);
    }
}

#[tokio::test]
async fn p40_user_id_and_address_are_unique_across_the_server() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    server.new_user("jo", false).await;
    for (login, email, field) in [
        ("JO", "other@bolt.example", "user_id"),
        ("other", "JO@acme.example", "email"),
        ("other", OWNER, "email"),
    ] {
        let body =
            json!({"user_id": login, "first_name": "Jo", "last_name": "Doe", "email": email});
        let refused = bolt.post("/api/v1/users", body).await;
        refused.refused(409, "conflict");
        assert_eq!(refused.json()["field"], field);
    }
}

#[tokio::test]
async fn p41_external_users_cannot_be_edited_by_the_company() {
    let server = Server::start().await;
    server.member("ann@bolt.example", "employee").await;
    let ann = listed(&server, "ann@bolt.example").await.unwrap();
    server.get(&path(&ann)).await.expect(StatusCode::OK);
    for change in [
        json!({"first_name": "Anna"}),
        json!({"email": "anna@bolt.example"}),
        json!({"status": "inactive"}),
        json!({}),
    ] {
        server
            .patch(&path(&ann), change)
            .await
            .refused(403, "external_user");
    }
}

#[tokio::test]
async fn p42_deleting_an_active_user_is_refused() {
    let server = Server::start().await;
    let (id, _) = server.internal("jo").await;
    let path = format!("/api/v1/users/{id}");
    server.delete(&path).await.refused(409, "user_active");
    let early = server.new_user("ann", false).await;
    server
        .delete(&self::path(&early))
        .await
        .refused(409, "user_active");
    server
        .patch(&path, json!({"status": "inactive"}))
        .await
        .expect(StatusCode::OK);
    server.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert!(listed(&server, "jo@acme.example").await.is_none());
}

#[tokio::test]
async fn p43_inactive_blocks_the_account_frees_the_seat_and_allows_deletion() {
    let server = Server::start().await;
    seats(&server, "2").await;
    let (id, jo) = server.internal("jo").await;
    let path = format!("/api/v1/users/{id}");
    server
        .patch(&path, json!({"status": "inactive"}))
        .await
        .expect(StatusCode::OK);
    jo.get("/api/v1/me").await.refused(401, "unauthenticated");
    assert!(server.try_log_in("jo@acme.example").await.is_none());
    assert_eq!(seats_used(&server).await, 1);
    server.internal("ann").await;
    // The way back needs a seat again.
    server
        .patch(&path, json!({"status": "active"}))
        .await
        .refused(409, "no_seat");
    server.delete(&path).await.expect(StatusCode::NO_CONTENT);
    // The company's owner stays.
    let owner = listed(&server, OWNER).await.unwrap();
    server
        .patch(&self::path(&owner), json!({"status": "inactive"}))
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn p44_an_external_user_vanishes_when_the_last_right_is_removed() {
    let server = Server::start().await;
    let (first, ann) = server.member("ann@bolt.example", "employee").await;
    let user = listed(&server, "ann@bolt.example").await.unwrap();
    server
        .delete(&path(&user))
        .await
        .refused(403, "external_user");
    let made = server
        .post("/api/v1/workspaces", json!({"name": "Lab"}))
        .await;
    let lab = made.json()["workspace_id"].clone();
    let body = json!({"emails": "ann@bolt.example", "workspace_id": lab});
    let invited = server.post("/api/v1/invitations", body).await.json();
    let second = invited["results"][0]["member_id"]
        .as_str()
        .unwrap()
        .to_owned();
    ann.post(
        &format!("/api/v1/me/invitations/{second}/accept"),
        json!({}),
    )
    .await
    .expect(StatusCode::NO_CONTENT);
    let remove = async |id: &str| {
        let path = format!("/api/v1/members/{id}");
        server
            .patch(&path, json!({"status": "inactive"}))
            .await
            .expect(StatusCode::OK);
        server.delete(&path).await.expect(StatusCode::NO_CONTENT);
    };
    remove(&first).await;
    assert!(
        listed(&server, "ann@bolt.example").await.is_some(),
        "one right is left"
    );
    remove(&second).await;
    assert!(listed(&server, "ann@bolt.example").await.is_none());
    server.get(&path(&user)).await.refused(404, "not_found");
    // Her own account stands.
    server.log_in("ann@bolt.example").await;
}

#[tokio::test]
async fn p45_an_external_user_vanishes_when_removed_from_the_workspace_by_hand() {
    let server = Server::start().await;
    let (_, admin) = server.member("admin@bolt.example", "admin").await;
    let (id, _) = server.member("ann@bolt.example", "employee").await;
    let path = format!("/api/v1/members/{id}");
    admin
        .patch(&path, json!({"status": "inactive"}))
        .await
        .expect(StatusCode::OK);
    assert!(listed(&server, "ann@bolt.example").await.is_some());
    admin.delete(&path).await.expect(StatusCode::NO_CONTENT);
    assert!(listed(&server, "ann@bolt.example").await.is_none());
}
