//! A person with a browser's cookie, who uses the same API as scripts do.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use glasshour_server::plan::{self, PlanChange};
use serde_json::{Value, json};

use super::{Answer, PASSWORD, Server};

/// Somebody logged in.
pub(crate) struct Person<'a> {
    server: &'a Server,
    pub(crate) email: String,
    pub(crate) cookie: String,
}

impl Person<'_> {
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, &self.cookie);
        let request = match body {
            None => request.body(Body::empty()),
            Some(json) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(json.to_string())),
        };
        self.server.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// A page of the console, as they see it.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await.expect(StatusCode::OK);
        String::from_utf8(answer.body).unwrap()
    }

    /// Sends a form of the console.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form(fields)));
        self.server.send(request.unwrap()).await
    }

    /// The ids of the workspaces that they take part in.
    pub(crate) async fn workspaces(&self) -> Vec<String> {
        let me = self.get("/api/v1/me").await.expect(StatusCode::OK).json();
        let all = me["memberships"].as_array().unwrap();
        all.iter()
            .filter(|one| one["status"] == "active")
            .map(|one| one["workspace_id"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Server {
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.api(Method::DELETE, path, None).await
    }

    /// Logs in; `None` where that is refused.
    pub(crate) async fn try_log_in(&self, email: &str) -> Option<Person<'_>> {
        let form = format!(
            "email={}&password={}",
            email.replace('@', "%40").replace('+', "%2B"),
            PASSWORD.replace(' ', "+")
        );
        let request = Request::post("/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form));
        let answer = self.send(request.unwrap()).await;
        (answer.status == StatusCode::SEE_OTHER).then(|| self.keep_cookie(email, &answer))
    }

    pub(crate) async fn log_in(&self, email: &str) -> Person<'_> {
        self.try_log_in(email).await.expect("the log-in is refused")
    }

    fn keep_cookie(&self, email: &str, answer: &Answer) -> Person<'_> {
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        Person {
            server: self,
            email: email.to_owned(),
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    /// Uses a one-time link as somebody new.
    pub(crate) async fn follow(&self, link: &str, body: Value) -> Answer {
        let request = Request::post(api_link(link))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// Uses a one-time link as somebody new, who is logged in from then on.
    pub(crate) async fn enter(&self, email: &str, link: &str) -> Person<'_> {
        let first = email.split('@').next().unwrap();
        let body = json!({"first_name": first, "last_name": "Doe", "password": PASSWORD});
        let answer = self.follow(link, body).await.expect(StatusCode::NO_CONTENT);
        self.keep_cookie(email, &answer)
    }

    /// Invites an address into the first workspace; returns the member's id and the link.
    pub(crate) async fn invite(&self, email: &str, role: &str) -> (String, String) {
        let body = json!({"emails": email, "role": role});
        let made = self.post("/api/v1/invitations", body).await;
        let made = made.expect(StatusCode::CREATED).json();
        let one = &made["results"][0];
        let text = |name: &str| {
            one[name]
                .as_str()
                .unwrap_or_else(|| panic!("{made}"))
                .to_owned()
        };
        (text("member_id"), text("link"))
    }

    /// Somebody from elsewhere who takes part in the first workspace; with the member's id.
    pub(crate) async fn member(&self, email: &str, role: &str) -> (String, Person<'_>) {
        let (id, link) = self.invite(email, role).await;
        (id, self.enter(email, &link).await)
    }

    /// An active internal user without a workspace, who has chosen a password; with the user's id.
    pub(crate) async fn internal(&self, login: &str) -> (String, Person<'_>) {
        let email = format!("{login}@acme.example");
        let user = self.new_user(login, true).await;
        assert_eq!(user["validation_result"], "OK");
        let id = user["id"].as_str().unwrap().to_owned();
        (id, self.enter(&email, user["link"].as_str().unwrap()).await)
    }

    /// A user record, active or not yet.
    pub(crate) async fn new_user(&self, login: &str, active: bool) -> Value {
        let mut body = json!({"user_id": login, "first_name": login, "last_name": "Doe",
            "email": format!("{login}@acme.example")});
        if active {
            body["status"] = "active".into();
        }
        let made = self.post("/api/v1/users", body).await;
        made.expect(StatusCode::CREATED).json()
    }

    /// What the operator grants.
    pub(crate) async fn grant(&self, change: PlanChange) {
        let company = Some(self.company_id);
        plan::set(&self.state.db, company, &change, &*self.clock)
            .await
            .unwrap();
    }

    /// The first workspace.
    pub(crate) async fn workspace(&self) -> String {
        let all = self.get("/api/v1/workspaces").await.json();
        all["items"][0]["workspace_id"].as_str().unwrap().to_owned()
    }

    /// Templates of the mail that waits, the oldest first, for one address.
    pub(crate) async fn mail(&self, email: &str) -> Vec<String> {
        let waiting = self.read().await.waiting_mail(1000).await.unwrap();
        waiting
            .into_iter()
            .filter(|(to, _)| to == email)
            .map(|(_, template)| template)
            .collect()
    }
}

/// Percent-encodes the fields of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    char::from(byte).to_string()
                }
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    pairs.join("&")
}

/// The API's address of a link that a person would open.
pub(crate) fn api_link(link: &str) -> String {
    let token = link.rsplit('/').next().unwrap();
    format!("/api/v1/links/{token}")
}

/// One field of every item of a list.
pub(crate) fn column(list: &Value, field: &str) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[field].as_str().unwrap_or_default().to_owned())
        .collect()
}
