//! The console's pages about people: users, members, invitations, the company. What a role is refused is
//! not offered to it.

mod common;

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use common::person::Person;
use common::{Answer, OWNER, PASSWORD, Server};
use glasshour_server::plan::PlanChange;
use serde_json::json;

#[cfg(test)]
fn location(answer: &Answer) -> String {
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
    answer.headers[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}

#[cfg(test)]
fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// What stands between two marks.
#[cfg(test)]
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from:?} in {text}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// The values of an attribute of one kind of element.
#[cfg(test)]
fn attributes(html: &str, element: &str, attribute: &str) -> BTreeSet<String> {
    let (begin, named) = (format!("<{element} "), format!("{attribute}=\""));
    let tags = html.split(&begin).skip(1);
    tags.filter_map(|rest| rest.split_once('>'))
        .filter_map(|(tag, _)| tag.split_once(&named))
        .filter_map(|(_, rest)| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
const JO: [(&str, &str); 5] = [
    ("user_id", "jo"),
    ("first_name", "Jo"),
    ("last_name", "Doe"),
    ("email", "jo@acme.example"),
    ("active", "yes"),
];

#[tokio::test]
async fn p29_p36_a_user_is_made_by_the_form_and_gets_in_by_the_link_it_shows() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let made = owner.submit("/users/new", &JO).await;
    let page = owner.page(&location(&made)).await;
    assert!(page.contains("The user is made and active."), "{page}");
    assert!(page.contains("active, not logged in yet"), "{page}");
    let link = between(&page, "id=\"link\" class=\"copy\" readonly value=\"", "\"").to_owned();
    let list = owner.page("/users").await;
    assert!(list.contains("2 active users."), "{list}");
    assert!(!list.contains(&link), "the link is not in a list");
    let jo = server.enter("jo@acme.example", &link).await;
    jo.get("/me").await.expect(StatusCode::OK);
    // Used: neither shown nor made anew from then on.
    let path = location(&made);
    let page = owner.page(&path).await;
    assert!(
        !page.contains("/join/") && !page.contains("/welcome"),
        "{page}"
    );
}

#[tokio::test]
async fn p32_p34_p35_each_row_says_whether_all_is_well_or_what_to_do() {
    let server = Server::start().await;
    server
        .grant(PlanChange {
            seats: Some("1".into()),
            ..PlanChange::default()
        })
        .await;
    let owner = server.log_in(OWNER).await;
    let made = owner.submit("/users/new", &JO).await;
    let page = owner.page(&location(&made)).await;
    let what_to_do = "No seat is free. Add seats under Plan, or deactivate a user.";
    assert!(
        page.contains(what_to_do) && page.contains("not yet active"),
        "{page}"
    );
    let list = owner.page("/users").await;
    assert!(list.contains("1 of 1 seats in use."), "{list}");
    assert!(
        list.contains("<td data-label=\"Validation result\">OK</td>"),
        "{list}"
    );
    assert!(list.contains(what_to_do), "{list}");
    // Activating from the row says the same, and nothing happened.
    let path = location(&made);
    let path = path.split('?').next().unwrap();
    let refused = owner
        .submit(&format!("{path}/status"), &[("status", "active")])
        .await;
    let list = owner.page(&location(&refused)).await;
    assert!(
        list.contains("No seat is free: the user was not activated."),
        "{list}"
    );
    assert!(list.contains("not yet active"), "{list}");
}

#[tokio::test]
async fn p01_a_wrong_field_of_a_user_is_marked_and_what_was_entered_stays() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let mut form = JO;
    form[1].1 = " ";
    let refused = owner.submit("/users/new", &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(&refused);
    assert!(page.contains("First name must not be empty."), "{page}");
    assert!(page.contains("value=\"jo@acme.example\""), "{page}");
    // An address in use.
    let mut form = JO;
    form[3].1 = OWNER;
    let refused = owner.submit("/users/new", &form).await;
    assert!(text(&refused).contains("has an account on this server"));
}

#[tokio::test]
async fn p39_p40_names_are_changed_and_the_user_id_is_not() {
    let server = Server::start().await;
    let (id, jo) = server.internal("jo").await;
    let owner = server.log_in(OWNER).await;
    let path = format!("/users/{id}");
    let page = owner.page(&path).await;
    assert!(
        !attributes(&page, "input", "name").contains("user_id"),
        "{page}"
    );
    let mut form = JO;
    form[1].1 = "Joanna";
    let saved = owner.submit(&path, &form[1..4]).await;
    assert!(owner.page(&location(&saved)).await.contains("It is saved."));
    assert!(jo.page("/me").await.contains("Joanna"));
}

#[tokio::test]
async fn p42_p43_an_inactive_user_is_deleted_after_one_more_question() {
    let server = Server::start().await;
    let (id, jo) = server.internal("jo").await;
    let owner = server.log_in(OWNER).await;
    let status = format!("/users/{id}/status");
    assert!(
        !owner.page("/users").await.contains("/delete"),
        "not while active"
    );
    let off = owner.submit(&status, &[("status", "inactive")]).await;
    let list = owner.page(&location(&off)).await;
    assert!(list.contains("Delete jo Doe…"), "{list}");
    assert_eq!(location(&jo.get("/me").await), "/login?next=/me");
    let delete = format!("/users/{id}/delete");
    assert!(
        owner
            .page(&delete)
            .await
            .contains("What they tracked is kept")
    );
    let gone = owner.submit(&delete, &[]).await;
    let list = owner.page(&location(&gone)).await;
    assert!(!list.contains("jo@acme.example"), "{list}");
}

#[tokio::test]
async fn p41_an_external_user_is_shown_with_their_rights_and_not_edited() {
    let server = Server::start().await;
    let (member, ann) = server.member("ann@bolt.example", "manager").await;
    let owner = server.log_in(OWNER).await;
    let list = owner.page("/users").await;
    let me = ann.get("/api/v1/me").await.json();
    let path = format!("/users/{}", me["id"].as_str().unwrap());
    assert!(list.contains(&format!("href=\"{path}\"")), "{list}");
    let page = owner.page(&path).await;
    assert!(page.contains("An external user"), "{page}");
    assert!(page.contains(&format!("/members/{member}")), "{page}");
    assert!(!page.contains("name=\"first_name\""), "{page}");
    let refused = owner.submit(&path, &JO[1..4]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn p47_each_address_of_an_invitation_has_its_own_result_and_link() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let fields = [
        ("emails", "ann@bolt.example, nobody\nsam@bolt.example"),
        ("role", "manager"),
        ("send", "yes"),
    ];
    let page = text(
        &owner
            .submit("/members/invite", &fields)
            .await
            .expect(StatusCode::OK),
    );
    assert!(page.contains("This is not an e-mail address."), "{page}");
    assert!(
        page.contains("aria-label=\"Link for ann@bolt.example\""),
        "{page}"
    );
    assert!(
        page.contains("aria-label=\"Link for sam@bolt.example\""),
        "{page}"
    );
    assert!(
        page.contains(">nobody</textarea>"),
        "what is to be corrected stays: {page}"
    );
    let list = owner.page("/members").await;
    assert!(
        list.contains("just invited, link until 2026-12-18"),
        "{list}"
    );
}

#[tokio::test]
async fn p49_an_invitation_is_sent_later_and_again_and_withdrawn_from_the_row() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let fields = [("emails", "ann@bolt.example"), ("role", "employee")];
    owner
        .submit("/members/invite", &fields)
        .await
        .expect(StatusCode::OK);
    let list = owner.page("/members").await;
    assert!(list.contains("added, told nothing yet"), "{list}");
    let send = attributes(&list, "form", "action");
    let send = send
        .iter()
        .find(|action| action.ends_with("/send"))
        .unwrap();
    let link = async || {
        let page = owner.page(&location(&owner.submit(send, &[]).await)).await;
        between(&page, "id=\"link\" class=\"copy\" readonly value=\"", "\"").to_owned()
    };
    let (first, second) = (link().await, link().await);
    assert_ne!(first, second);
    let body = json!({"first_name": "Ann", "last_name": "Lee", "password": PASSWORD});
    server
        .follow(&first, body.clone())
        .await
        .refused(404, "link_unknown");
    let withdrawn = owner.submit(&send.replace("/send", "/withdraw"), &[]).await;
    let list = owner.page(&location(&withdrawn)).await;
    assert!(!list.contains("ann@bolt.example"), "{list}");
    server
        .follow(&second, body)
        .await
        .refused(404, "link_unknown");
}

#[tokio::test]
async fn p46_p53_a_members_role_rate_days_groups_and_leave_are_set_on_their_page() {
    let server = Server::start().await;
    let (id, _) = server.member("ann@bolt.example", "employee").await;
    let owner = server.log_in(OWNER).await;
    let path = format!("/members/{id}");
    let fields = [
        ("role", "manager"),
        ("first_day", "sun"),
        ("capacity_h", "7,5"),
        ("rate", "80.50"),
        ("mon", "yes"),
        ("thu", "yes"),
        ("new_group", "Night shift"),
    ];
    let page = owner
        .page(&location(&owner.submit(&path, &fields).await))
        .await;
    assert!(
        page.contains("<option value=\"manager\" selected>"),
        "{page}"
    );
    assert!(page.contains("name=\"rate\" value=\"80.50\""), "{page}");
    assert!(
        page.contains("name=\"thu\" value=\"yes\" checked"),
        "{page}"
    );
    assert!(
        !page.contains("name=\"tue\" value=\"yes\" checked"),
        "{page}"
    );
    assert!(page.contains("Night shift") && page.contains("value=\"yes\" checked><span>Night"));
    let member = server.get(&format!("/api/v1/members/{id}")).await.json();
    assert_eq!(member["hourly_rate_cents"], 8050);
    assert_eq!(member["daily_capacity_min"], 450);
    let leave = [("day", "2026-12-24"), ("kind", "vacation")];
    let noted = owner.submit(&format!("{path}/leave"), &leave).await;
    assert!(
        owner
            .page(&location(&noted))
            .await
            .contains("datetime=\"2026-12-24\"")
    );
    let wrong = owner.submit(
        &path,
        &[("first_day", "sun"), ("capacity_h", "8"), ("rate", "much")],
    );
    let wrong = wrong.await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&wrong).contains("Enter an amount"));
}

#[tokio::test]
async fn p54_p57_p60_a_deactivated_member_is_struck_through_under_show_inactive() {
    let server = Server::start().await;
    let (id, ann) = server.member("ann@bolt.example", "manager").await;
    let owner = server.log_in(OWNER).await;
    ann.get("/team").await.expect(StatusCode::OK);
    let path = format!("/members/{id}");
    let off = owner
        .submit(&format!("{path}/status"), &[("status", "inactive")])
        .await;
    let list = owner.page(&location(&off)).await;
    assert!(!list.contains("ann@bolt.example"), "{list}");
    assert_eq!(location(&ann.get("/team").await), "/login?next=/team");
    for show in ["inactive", "all"] {
        let list = owner.page(&format!("/members?show={show}")).await;
        let (_, row) = list.split_once("<tr class=\"inactive\">").unwrap();
        assert!(row.contains("ann@bolt.example"), "{row}");
    }
    let delete = format!("{path}/delete");
    assert!(owner.page(&delete).await.contains("gone for good"));
    owner
        .submit(&delete, &[])
        .await
        .expect(StatusCode::SEE_OTHER);
    assert!(
        !owner
            .page("/members?show=all")
            .await
            .contains("ann@bolt.example")
    );
}

#[tokio::test]
async fn p51_the_ownership_is_given_after_one_more_question() {
    let server = Server::start().await;
    let (id, ann) = server.member("ann@bolt.example", "admin").await;
    assert!(
        !ann.page("/members").await.contains("/own\""),
        "an admin does not give it"
    );
    let owner = server.log_in(OWNER).await;
    let path = format!("/members/{id}/own");
    assert!(owner.page("/members").await.contains(&path));
    let asked = owner.page(&path).await;
    assert!(
        asked.contains("becomes an admin. Only ann Doe can give it back."),
        "{asked}"
    );
    let given = owner.submit(&path, &[]).await;
    assert!(
        owner
            .page(&location(&given))
            .await
            .contains("The workspace has a new owner.")
    );
    ann.get(&path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn the_companys_settings_are_in_the_next_license_and_on_its_pages() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let mut fields = [
        ("name", "Acme Works"),
        ("privacy_contact", "dpo@acme.example"),
        ("time_zone", "Asia/Kolkata"),
        ("language", "fr"),
        ("notice", "Pictures are kept\r\nfor 30 days."),
    ];
    let page = owner
        .page(&location(&owner.submit("/company", &fields).await))
        .await;
    assert!(
        page.contains("value=\"Acme Works\"") && page.contains("for 30 days."),
        "{page}"
    );
    let employee = server.employee().await;
    let license = server.license(&employee).await;
    let notice = license.claims().notice.as_deref();
    assert_eq!(notice, Some("Pictures are kept\nfor 30 days."));
    let profile = owner.page("/profiles/new").await;
    assert!(profile.contains("value=\"Asia/Kolkata\""), "{profile}");
    // A browser that asks for no language.
    assert!(
        profile.contains("<aside class=\"notice\" lang=\"fr\""),
        "{profile}"
    );
    assert!(profile.contains("for 30 days."), "{profile}");
    fields[2].1 = "Mars/Olympus";
    let refused = owner.submit("/company", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&refused).contains("There is no such time zone."));
    let company = server.get("/api/v1/company").await.json();
    assert_eq!(company["time_zone"], "Asia/Kolkata");
}

#[tokio::test]
async fn p33_the_plan_is_shown_and_seats_are_changed_where_that_is_the_companys() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    server
        .grant(PlanChange {
            seats: Some("3".into()),
            trial: Some("15".into()),
            ..PlanChange::default()
        })
        .await;
    let page = owner.page("/company").await;
    assert!(
        page.contains("1 of 3 seats in use.") && page.contains("left"),
        "{page}"
    );
    assert!(
        !page.contains("/company/seats"),
        "the operator sets them: {page}"
    );
    server
        .grant(PlanChange {
            seats_by: Some("company".into()),
            ..PlanChange::default()
        })
        .await;
    let more = owner.submit("/company/seats", &[("seats", "5")]).await;
    assert!(
        owner
            .page(&location(&more))
            .await
            .contains("1 of 5 seats in use.")
    );
    for wrong in ["0", "many"] {
        let refused = owner.submit("/company/seats", &[("seats", wrong)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(text(&refused).contains("id=\"seats-error\""));
    }
}

#[tokio::test]
async fn p17_the_owner_replaces_the_signing_key_after_saying_so_and_nobody_else_does() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let before = server.license(&employee).await;
    let (_, ann) = server.member("ann@bolt.example", "admin").await;
    for path in ["/company", "/company/key"] {
        assert_eq!(ann.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let refused = ann.submit("/company/key", &[("sure", "yes")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let owner = server.log_in(OWNER).await;
    assert!(owner.page("/company").await.contains(before.thumbprint()));
    let unsure = owner.submit("/company/key", &[]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        server.license(&employee).await.thumbprint(),
        before.thumbprint()
    );
    let done = owner.submit("/company/key", &[("sure", "yes")]).await;
    let page = owner.page(&location(&done)).await;
    let after = server.license(&employee).await;
    assert_ne!(after.thumbprint(), before.thumbprint());
    assert!(page.contains(after.thumbprint()), "{page}");
    assert_eq!(after.claims().serial, before.claims().serial + 1);
}

#[tokio::test]
async fn p46_p51_p52_no_page_offers_what_the_role_is_refused() {
    for (who, least) in [
        ("company", 20),
        ("admin", 12),
        ("manager", 8),
        ("employee", 3),
    ] {
        let server = Server::start().await;
        let employee = server.employee().await;
        server.device(&employee).await;
        server.invite("waits@bolt.example", "employee").await;
        let (off, _) = server.member("off@bolt.example", "employee").await;
        let path = format!("/api/v1/members/{off}");
        let inactive = server.patch(&path, json!({"status": "inactive"})).await;
        inactive.expect(StatusCode::OK);
        server.member("other@bolt.example", "admin").await;
        server.new_user("sam", false).await;
        let person = match who {
            "company" => server.log_in(OWNER).await,
            role => server.member("me@bolt.example", role).await.1,
        };
        let (links, forms) = crawl(&person).await;
        assert!(links.len() >= least, "{who} sees {links:?}");
        for action in forms {
            let sent = person.submit(&action, &[]).await;
            assert_ne!(
                sent.status,
                StatusCode::FORBIDDEN,
                "{who} is offered {action}"
            );
        }
    }
}

/// Follows every link of the console; asserts that each leads somewhere. The addresses of all forms but
/// the log-out.
#[cfg(test)]
async fn crawl(person: &Person<'_>) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut open: Vec<String> = vec!["/me".into(), "/notices".into()];
    let (mut seen, mut forms) = (BTreeSet::new(), BTreeSet::new());
    while let Some(path) = open.pop() {
        let path = path.replace("&#38;", "&");
        let ours = path.starts_with('/') && !path.starts_with("/assets/") && path != "/";
        // Days go on for ever.
        if !ours || path.contains("date=") || !seen.insert(path.clone()) {
            continue;
        }
        let answer = person.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", text(&answer));
        let kind = answer.headers[header::CONTENT_TYPE].to_str().unwrap();
        if kind.starts_with("text/html") {
            let html = text(&answer);
            open.extend(attributes(&html, "a", "href"));
            forms.extend(attributes(&html, "form method=\"post\"", "action"));
        }
    }
    forms.remove("/logout");
    (seen, forms)
}

#[tokio::test]
async fn p14_each_row_offers_to_save_and_to_send_the_license() {
    let server = Server::start().await;
    let id = server.employee().await;
    let owner = server.log_in(OWNER).await;
    let list = owner.page("/employees").await;
    let save = format!("/employees/{id}/license.gz");
    let send = format!("/employees/{id}/license/send");
    let saves = format!("href=\"{save}\" download>Save license");
    assert!(list.contains(&saves), "{list}");
    assert!(list.contains(&format!("action=\"{send}\"")), "{list}");
    assert!(list.contains("Send license"), "{list}");
    let file = owner.get(&save).await.expect(StatusCode::OK);
    assert!(file.body.starts_with(&[0x1f, 0x8b]), "a gzip file");
    // Without an address it says what to do.
    let refused = owner.submit(&send, &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(&refused).contains("has no e-mail address"));
}
