//! Who may do what to what, and where: every operation of the OpenAPI document, for every role, on
//! something of the own workspace, of another workspace and of another company.
//!
//! The table below is written by hand and says who is let in. Whatever it does not say is denied, and an
//! operation that is not in it fails the test.

mod common;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use common::person::Person;
use common::{Device, OWNER, Server, WEBP};
use glasshour_server::api;
use serde_json::{Value, json};

/// The roles, from most to least; `k`: an API token, `c`: the company's account logged in.
const ROLES: &str = "kcoamen";

/// Operation, and the roles that are let in: `o`wner, `a`dmin, `m`anager, `e`mployee of the workspace,
/// `n`: logged in and in no workspace.
const ALLOWED: &[(&str, &str)] = &[
    ("get /api/v1/employees", "kcoam"),
    ("post /api/v1/employees", "kcoa"),
    ("get /api/v1/employees/{employee_id}", "kcoam"),
    ("patch /api/v1/employees/{employee_id}", "kcoa"),
    ("get /api/v1/employees/{employee_id}/license.gz", "kcoa"),
    ("post /api/v1/employees/{employee_id}/license/send", "kcoa"),
    ("post /api/v1/licenses/send", "kcoa"),
    ("post /api/v1/employees/import", "kcoa"),
    ("get /api/v1/licenses.zip", "kcoa"),
    ("get /api/v1/mail", "kc"),
    ("post /api/v1/mail/{mail_id}/send", "kc"),
    ("get /api/v1/profiles", "kcoam"),
    ("post /api/v1/profiles", "kc"),
    ("get /api/v1/profiles/{profile_id}", "kcoam"),
    ("patch /api/v1/profiles/{profile_id}", "kc"),
    ("get /api/v1/projects", "kcoam"),
    ("post /api/v1/projects", "kcoam"),
    ("get /api/v1/projects/{project_id}", "kcoam"),
    ("patch /api/v1/projects/{project_id}", "kcoam"),
    ("get /api/v1/devices", "kcoam"),
    ("post /api/v1/devices/{device_id}/revoke", "kcoa"),
    ("post /api/v1/devices/{device_id}/approve", "kcoa"),
    ("post /api/v1/records/{record_id}/accept", "kcoam"),
    ("get /api/v1/records", "kcoam"),
    ("get /api/v1/records/{record_id}/payload", "kcoam"),
    ("get /api/v1/export", "kcoa"),
    ("get /api/v1/sessions", "kcoam"),
    ("get /api/v1/reports/timesheet", "kcoam"),
    ("get /api/v1/users", "kc"),
    ("post /api/v1/users", "kc"),
    ("get /api/v1/users/{id}", "kc"),
    ("patch /api/v1/users/{id}", "kc"),
    ("delete /api/v1/users/{id}", "kc"),
    ("post /api/v1/users/{id}/welcome", "kc"),
    ("get /api/v1/members", "kcoam"),
    ("post /api/v1/members", "kcoa"),
    ("get /api/v1/members/{member_id}", "kcoam"),
    ("patch /api/v1/members/{member_id}", "kcoa"),
    ("delete /api/v1/members/{member_id}", "kcoa"),
    ("get /api/v1/members/{member_id}/photo", "kcoam"),
    ("put /api/v1/members/{member_id}/photo", "kcoa"),
    ("get /api/v1/members/{member_id}/leave", "kcoam"),
    ("post /api/v1/members/{member_id}/leave", "kcoa"),
    ("get /api/v1/invitations", "kcoa"),
    ("post /api/v1/invitations", "kcoa"),
    ("get /api/v1/invitations/{invitation_id}", "kcoa"),
    ("patch /api/v1/invitations/{invitation_id}", "kcoa"),
    ("delete /api/v1/invitations/{invitation_id}", "kcoa"),
    ("get /api/v1/workspaces", "kcoame"),
    ("post /api/v1/workspaces", "kcoamen"),
    ("get /api/v1/workspaces/{workspace_id}", "kcoame"),
    ("patch /api/v1/workspaces/{workspace_id}", "kcoa"),
    ("delete /api/v1/workspaces/{workspace_id}", "kco"),
    ("post /api/v1/workspaces/{workspace_id}/transfer", "kco"),
    ("get /api/v1/groups", "kcoam"),
    ("post /api/v1/groups", "kcoa"),
    ("get /api/v1/groups/{group_id}", "kcoam"),
    ("patch /api/v1/groups/{group_id}", "kcoa"),
    ("delete /api/v1/groups/{group_id}", "kcoa"),
    ("get /api/v1/company", "kc"),
    ("patch /api/v1/company", "kc"),
    ("get /api/v1/company/plan", "kc"),
    ("patch /api/v1/company/plan", "kc"),
    ("post /api/v1/employees/{employee_id}/erase", "kco"),
    ("post /api/v1/users/{id}/erase", "kc"),
    ("get /api/v1/purge-receipts", "kc"),
    ("post /api/v1/users/{id}/password-reset", "kc"),
    ("delete /api/v1/users/{id}/second-factor", "kc"),
    ("get /api/v1/tokens", "kc"),
    // A script makes no token.
    ("post /api/v1/tokens", "c"),
    // Of a name that no token has: only who may is told.
    ("delete /api/v1/tokens/{token_id}", ""),
    ("post /api/v1/me/password", "coamen"),
    ("post /api/v1/me/second-factor", "coamen"),
    ("post /api/v1/me/second-factor/confirm", "coamen"),
    ("post /api/v1/me/second-factor/remove", "coamen"),
    // Of somebody else's captures.
    ("get /api/v1/me/captures/{record_id}/deletion", ""),
    ("post /api/v1/me/captures/{record_id}/deletion", ""),
    ("get /api/v1/audit", "kcoa"),
    ("get /api/v1/me/views", "coamen"),
    ("get /api/v1/me", "coamen"),
    ("patch /api/v1/me", "coamen"),
    ("post /api/v1/me/workspace", "coamen"),
    ("get /api/v1/me/notices", "coamen"),
    // Of somebody else: they are nobody's but the person's own.
    ("post /api/v1/me/notices/{notice_id}/read", ""),
    ("post /api/v1/me/invitations/{invitation_id}/accept", ""),
    ("post /api/v1/me/invitations/{invitation_id}/decline", ""),
    ("post /api/v1/me/log-out-everywhere", "coamen"),
];

/// Asked last of all: it ends the log-in that asks.
const LOG_OUT: &str = "post /api/v1/me/log-out-everywhere";

const DELETE_WORKSPACE: &str = "delete /api/v1/workspaces/{workspace_id}";

/// Open to everybody, or to devices: no role of a person is asked.
const WITHOUT_ROLES: &[&str] = &[
    "get /healthz",
    "get /readyz",
    "get /metrics",
    "get /api/openapi.json",
    "get /api/v1/links/{token}",
    "post /api/v1/links/{token}",
    "post /api/v1/sign-up",
    "post /api/v1/password-reset",
    "post /api/v1/devices",
    "get /api/v1/device",
    "post /api/v1/device/day-link",
    "get /api/v1/license",
    "put /api/v1/records/{record_id}",
];

/// What an address's parameter can name, in one place.
#[derive(Default)]
struct Place {
    workspace: String,
    employee: String,
    device: String,
    record: String,
    profile: String,
    project: String,
    member: String,
    /// Of the same member.
    invitation: String,
    group: String,
    user: String,
    /// Of the company, whichever place asks.
    mail: String,
}

impl Place {
    fn fill(&self, path: &str) -> String {
        let ids = [
            ("{workspace_id}", &self.workspace),
            ("{employee_id}", &self.employee),
            ("{device_id}", &self.device),
            ("{record_id}", &self.record),
            ("{profile_id}", &self.profile),
            ("{project_id}", &self.project),
            ("{member_id}", &self.member),
            ("{invitation_id}", &self.invitation),
            ("{group_id}", &self.group),
            ("{id}", &self.user),
            ("{mail_id}", &self.mail),
            ("{notice_id}", &self.member),
            ("{token_id}", &self.member),
        ];
        let filled = ids
            .iter()
            .fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        // The queries that name somebody, and the lists that can be narrowed to a place.
        match filled.as_str() {
            "/api/v1/export" => format!("{filled}?employee_id={}", self.employee),
            "/api/v1/employees"
            | "/api/v1/licenses.zip"
            | "/api/v1/projects"
            | "/api/v1/devices"
            | "/api/v1/records"
            | "/api/v1/sessions"
            | "/api/v1/audit"
            | "/api/v1/members"
            | "/api/v1/invitations"
            | "/api/v1/groups"
            | "/api/v1/reports/timesheet" => format!("{filled}?workspace_id={}", self.workspace),
            _ => filled,
        }
    }
}

/// Makes one of everything in a workspace, with the token of its company.
#[cfg(test)]
async fn furnish(server: &Server, token: &str, workspace: &str, tag: &str) -> Place {
    let post = async |path: &str, body: Value| {
        let made = server.api_as(token, Method::POST, path, Some(body)).await;
        assert!(made.status.is_success(), "{path}: {}", made.json());
        made.json()
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let employee = json!({"name": tag, "work_mode": "worklog", "active": true,
        "workspace_id": workspace});
    let employee = text(&post("/api/v1/employees", employee).await["employee_id"]);
    let file = format!("/api/v1/employees/{employee}/license.gz");
    let file = server.api_as(token, Method::GET, &file, None).await.body;
    let license = glasshour_license_format::read(&file).unwrap();
    let mut device = Device::new(server, license);
    device
        .enroll(server, &file)
        .await
        .expect(StatusCode::CREATED);
    let record = device.screenshot();
    device
        .put(server, &record)
        .await
        .expect(StatusCode::CREATED);
    let profile = json!({"name": tag, "settings": {"activity": {"input_counts": true}}});
    let project = json!({"name": tag, "workspace_id": workspace});
    let invite = |name: &str| {
        json!({"emails": format!("{name}-{tag}@bolt.example"),
        "workspace_id": workspace})
    };
    let member = post("/api/v1/invitations", invite("member")).await;
    let member = text(&member["results"][0]["member_id"]);
    let invited = post("/api/v1/invitations", invite("invited")).await;
    let photo = Request::put(format!("/api/v1/members/{member}/photo"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(WEBP));
    server
        .send(photo.unwrap())
        .await
        .expect(StatusCode::NO_CONTENT);
    let user = json!({"user_id": tag, "first_name": tag, "last_name": "Doe",
        "email": format!("{tag}@acme.example")});
    let mail = server
        .api_as(token, Method::GET, "/api/v1/mail", None)
        .await
        .json();
    Place {
        mail: text(&mail["items"][0]["mail_id"]),
        workspace: workspace.to_owned(),
        employee,
        device: device.id.to_string(),
        record: record.header.record_id.to_string(),
        profile: text(&post("/api/v1/profiles", profile).await["profile_id"]),
        project: text(&post("/api/v1/projects", project).await["project_id"]),
        member,
        invitation: text(&invited["results"][0]["member_id"]),
        group: text(
            &post(
                "/api/v1/groups",
                json!({"name": tag, "workspace_id": workspace}),
            )
            .await["group_id"],
        ),
        user: text(&post("/api/v1/users", user).await["id"]),
    }
}

/// Every operation of the document, as `method path`.
#[cfg(test)]
fn operations() -> Vec<String> {
    let document: Value = serde_json::from_str(&api::document()).unwrap();
    let mut all = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            all.push(format!("{method} {path}"));
        }
    }
    all
}

#[test]
fn every_operation_of_the_document_is_in_the_matrix_once() {
    for operation in operations() {
        let with = ALLOWED
            .iter()
            .filter(|(name, _)| *name == operation)
            .count();
        let without = WITHOUT_ROLES
            .iter()
            .filter(|name| **name == operation)
            .count();
        assert_eq!(with + without, 1, "{operation}");
    }
    assert_eq!(ALLOWED.len() + WITHOUT_ROLES.len(), operations().len());
    for (name, roles) in ALLOWED {
        assert!(roles.chars().all(|role| ROLES.contains(role)), "{name}");
    }
}

/// Asks as a role. An empty object changes nothing and breaks nothing, so one place serves all; what
/// would remove something is asked of a place of its own.
#[cfg(test)]
async fn ask(
    server: &Server,
    people: &[(char, Person<'_>)],
    role: char,
    operation: &str,
    place: &Place,
) -> StatusCode {
    let (method, path) = operation.split_once(' ').unwrap();
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let body = (method != Method::GET && method != Method::DELETE).then(|| json!({}));
    let path = place.fill(path);
    let answer = match people.iter().find(|(one, _)| *one == role) {
        Some((_, person)) => person.call(method, &path, body).await,
        None => server.api(method, &path, body).await,
    };
    answer.status
}

/// Denied: 401, 403 or 404. Everything else got past the gate: done, or refused for its content.
#[cfg(test)]
fn is_let_in(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 401 | 403 | 404)
}

#[tokio::test]
async fn each_role_is_let_in_where_the_matrix_says_and_nowhere_else() {
    let server = Server::start().await;
    let bolt = server.another_company().await;
    let own = server.workspace().await;
    let made = server
        .post("/api/v1/workspaces", json!({"name": "Other"}))
        .await
        .json();
    let other = made["workspace_id"].as_str().unwrap().to_owned();
    let theirs = bolt.get("/api/v1/workspaces").await.json()["items"][0]["workspace_id"].clone();
    let theirs = theirs.as_str().unwrap().to_owned();

    let (owner_id, owner) = server.member("owner@roles.example", "admin").await;
    let (_, admin) = server.member("admin@roles.example", "admin").await;
    let (_, manager) = server.member("manager@roles.example", "manager").await;
    let (_, employee) = server.member("employee@roles.example", "employee").await;
    let (gone, _) = server.member("nobody@roles.example", "employee").await;
    let off = json!({"status": "inactive"});
    server
        .patch(&format!("/api/v1/members/{gone}"), off)
        .await
        .expect(StatusCode::OK);
    let give = json!({"member_id": owner_id, "confirm": true});
    server
        .post(&format!("/api/v1/workspaces/{own}/transfer"), give)
        .await
        .expect(StatusCode::NO_CONTENT);
    let people = [
        ('c', server.log_in(OWNER).await),
        ('o', owner),
        ('a', admin),
        ('m', manager),
        ('e', employee),
        ('n', server.log_in("nobody@roles.example").await),
    ];

    let here = furnish(&server, &server.token, &own, "own").await;
    let there = furnish(&server, &server.token, &other, "other").await;
    let away = furnish(&server, &bolt.token, &theirs, "away").await;
    let mut cells = 0;
    for (operation, allowed) in ALLOWED {
        if *operation == LOG_OUT {
            continue;
        }
        for role in ROLES.chars() {
            // Of the own workspace. What removes is asked of the least first, so it is there for all
            // who are denied; who is let in after it was removed would not be told apart from denied.
            let removes = operation.starts_with("delete ");
            let fresh;
            let place = if removes && allowed.contains(role) {
                let tag = format!("fresh{cells}");
                fresh = furnish(&server, &server.token, &own, &tag).await;
                &fresh
            } else {
                &here
            };
            // Those who may delete the workspace do so in the end.
            if *operation != DELETE_WORKSPACE || !allowed.contains(role) {
                let status = ask(&server, &people, role, operation, place).await;
                assert_eq!(
                    is_let_in(status),
                    allowed.contains(role),
                    "{role} {operation}, own: {status}"
                );
                cells += 1;
            }
            // What belongs to a workspace: the company's account reaches every one, others do not.
            let named = place_of(operation);
            if named == Named::Workspace && !operation.starts_with("delete ") {
                let status = ask(&server, &people, role, operation, &there).await;
                let company = "kc".contains(role) && allowed.contains(role);
                assert_eq!(
                    is_let_in(status),
                    company,
                    "{role} {operation}, other workspace: {status}"
                );
                cells += 1;
            }
            if named != Named::Nothing {
                let status = ask(&server, &people, role, operation, &away).await;
                let leaks = is_let_in(status) && !lists_nothing(operation, role);
                assert!(!leaks, "{role} {operation}, other company: {status}");
                cells += 1;
            }
        }
    }
    for role in "kco".chars() {
        let mut place = Place {
            workspace: own.clone(),
            ..Place::default()
        };
        if role != 'o' {
            let made = server
                .post("/api/v1/workspaces", json!({"name": "Short"}))
                .await
                .json();
            made["workspace_id"]
                .as_str()
                .unwrap()
                .clone_into(&mut place.workspace);
        }
        let status = ask(&server, &people, role, DELETE_WORKSPACE, &place).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{role}");
        cells += 1;
    }
    for role in ROLES.chars() {
        let status = ask(&server, &people, role, LOG_OUT, &here).await;
        assert_eq!(is_let_in(status), role != 'k', "{role} {LOG_OUT}: {status}");
        cells += 1;
    }
    assert!(cells > 1_100, "{cells}");
}

/// What an operation's address names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Nothing,
    /// Something of the company as a whole.
    Company,
    /// Something of one workspace.
    Workspace,
}

#[cfg(test)]
fn place_of(operation: &str) -> Named {
    let path = operation.split_once(' ').unwrap().1;
    if path.contains("{profile_id}") || path.contains("/users/{id}") {
        return Named::Company;
    }
    let filled = Place {
        workspace: "w".into(),
        ..Place::default()
    };
    let narrowed = operation.starts_with("get ") && filled.fill(path).contains('?');
    let elsewhere = path.contains("/me/");
    if (path.contains('{') && !elsewhere) || narrowed {
        Named::Workspace
    } else {
        Named::Nothing
    }
}

/// The company's account may narrow a list to a workspace that is not there: the list is empty.
#[cfg(test)]
fn lists_nothing(operation: &str, role: char) -> bool {
    "kc".contains(role) && operation.starts_with("get ") && !operation.contains('{')
}
