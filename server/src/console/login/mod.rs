//! Logging in and out.

mod view;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

pub(super) use view::LoginView;

use super::gate::{FormOf, PageResult, form_encode, page};
use super::layout::Page;
use crate::AppState;
use crate::auth::{self, CurrentUser, LogIn, Peer, Returned};
use crate::error::ApiError;
use crate::people;

/// Where to go after log-in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Way {
    #[serde(default)]
    next: String,
    #[serde(default)]
    said: String,
}

impl Way {
    /// Where to go, on this server.
    pub(super) fn path(&self) -> String {
        own_path(&self.next).to_owned()
    }
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// The log-in page; who is logged in already goes on.
pub(super) async fn show(
    State(state): State<AppState>,
    user: Result<Option<CurrentUser>, ApiError>,
    Query(way): Query<Way>,
) -> Response {
    let next = own_path(&way.next).to_owned();
    if let Ok(Some(_)) = user {
        return Redirect::to(&next).into_response();
    }
    let mut view = view(&state, String::new(), next, None).await;
    if way.said == "password" {
        view.page.said = Some("The password is set. Log in with it.".into());
    }
    answer(page(&view))
}

/// Logs in; a refused form comes back with the address kept and the password empty.
pub(super) async fn submit(
    State(state): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
    FormOf(form): FormOf<LoginForm>,
) -> Response {
    let next = own_path(&form.next).to_owned();
    match auth::log_in(&state, &form.email, &form.password, from, &headers).await {
        Ok(done) => way_in(done, &next),
        Err(error) => {
            error.log();
            let view = view(&state, form.email, next, Some(error.message)).await;
            (error.status, answer(page(&view))).into_response()
        }
    }
}

/// Goes on, or asks for the second factor first.
pub(super) fn way_in(done: LogIn, next: &str) -> Response {
    let (cookie, to) = match done {
        LogIn::Done(logged_in) => (logged_in.set_cookie, next.to_owned()),
        LogIn::Code(cookie) => (cookie, format!("/login/code?next={}", form_encode(next))),
    };
    ([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response()
}

/// Sends the browser to the organisation's own log-in.
pub(super) async fn sign_on(State(state): State<AppState>, Query(way): Query<Way>) -> Response {
    match auth::begin_sign_on(&state, own_path(&way.next)).await {
        Ok((address, cookie)) => {
            ([(header::SET_COOKIE, cookie)], Redirect::to(&address)).into_response()
        }
        Err(error) => again(&state, error).await,
    }
}

/// Takes back whom the organisation sends.
pub(super) async fn signed_on(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Response {
    match auth::finish_sign_on(&state, &returned, &headers).await {
        Ok((done, next)) => way_in(done, own_path(&next)),
        Err(error) => again(&state, error).await,
    }
}

/// The log-in page with what went wrong.
async fn again(state: &AppState, error: ApiError) -> Response {
    error.log();
    let view = view(state, String::new(), "/".into(), Some(error.message)).await;
    (error.status, answer(page(&view))).into_response()
}

/// Logs out.
pub(super) async fn leave(State(state): State<AppState>, headers: HeaderMap) -> Response {
    match auth::log_out(&state, &headers).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response(),
        Err(error) => {
            error.log();
            Redirect::to("/login").into_response()
        }
    }
}

async fn view(state: &AppState, email: String, next: String, error: Option<String>) -> LoginView {
    let company = only_company(state).await.unwrap_or_default();
    LoginView {
        page: Page::outside("Log in"),
        company,
        email,
        next,
        error,
        sign_on: state.oidc.is_some(),
    }
}

/// The company's name where this server is for one alone; a stranger is not told of several.
async fn only_company(state: &AppState) -> Result<String, ApiError> {
    let companies = state.db.companies(2).await?;
    let [only] = companies.as_slice() else {
        return Ok(String::new());
    };
    Ok(people::company(&mut state.read(*only).await?).await?.name)
}

fn answer(page: PageResult) -> Response {
    match page {
        Ok(page) => ([(header::CACHE_CONTROL, "no-store")], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A path on this server, or where everybody begins: nobody is led elsewhere by a link to the log-in page.
pub(super) fn own_path(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic())
        && !next.starts_with("/login");
    if own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_in_leads_nowhere_but_to_our_own_pages() {
        assert_eq!(own_path("/employees?cursor=a"), "/employees?cursor=a");
        for bad in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nX: y",
            "/login",
        ] {
            assert_eq!(own_path(bad), "/", "{bad:?}");
        }
    }
}
