//! Where one-time links lead, and where somebody asks for an account: open to strangers.

mod view;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

pub(super) use view::{JoinView, SignUpView};

use super::fault::FaultView;
use super::form::Errors;
use super::gate::{FormOf, PageResult, PathId, page};
use super::layout::Page;
use crate::auth::{Actor, Peer};
use crate::error::ApiError;
use crate::people::{self, Door, Entered, EntryForm};
use crate::store::LinkPurpose;
use crate::{AppState, SignUp};

/// What the link's form sends.
#[derive(Default, Deserialize)]
pub(super) struct JoinForm {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    password: String,
}

/// The page of a link.
pub(super) async fn show(
    actor: Result<Option<Actor>, ApiError>,
    State(state): State<AppState>,
    PathId(token): PathId<String>,
) -> Response {
    let actor = actor.ok().flatten();
    match people::look(&state, &token).await {
        Ok(door) => {
            let view = view(
                &token,
                &door,
                actor.as_ref(),
                JoinForm::default(),
                Errors::default(),
            );
            answer(StatusCode::OK, page(&view))
        }
        Err(error) => worthless(error),
    }
}

/// Uses a link.
pub(super) async fn submit(
    actor: Result<Option<Actor>, ApiError>,
    State(state): State<AppState>,
    PathId(token): PathId<String>,
    headers: HeaderMap,
    FormOf(form): FormOf<JoinForm>,
) -> Response {
    let actor = actor.ok().flatten();
    let filled = EntryForm {
        first_name: Some(form.first_name.clone()),
        last_name: Some(form.last_name.clone()),
        password: Some(form.password.clone()),
    };
    match people::enter(&state, actor.as_ref(), &token, filled, &headers).await {
        Ok(Entered::LoggedIn(logged_in)) => (
            [(header::SET_COOKIE, logged_in.set_cookie)],
            Redirect::to("/"),
        )
            .into_response(),
        Ok(Entered::PasswordSet) => Redirect::to("/login?said=password").into_response(),
        Ok(Entered::Joined(_)) => Redirect::to("/notices?said=accepted").into_response(),
        Err(error) => {
            let Ok(door) = people::look(&state, &token).await else {
                return worthless(error);
            };
            error.log();
            let mut errors = Errors::default();
            let field = error.field.clone().unwrap_or_else(|| "elsewhere".into());
            errors.add(field, error.message.clone());
            let view = view(&token, &door, actor.as_ref(), form, errors);
            answer(error.status, page(&view))
        }
    }
}

fn view(
    token: &str,
    door: &Door,
    actor: Option<&Actor>,
    form: JoinForm,
    errors: Errors,
) -> JoinView {
    let logged_in = actor.and_then(|actor| actor.user().ok());
    JoinView {
        page: Page::outside("Welcome"),
        token: token.to_owned(),
        email: door.email.clone(),
        to: match (&door.workspace, &door.company) {
            (Some(workspace), Some(company)) => Some(format!("{workspace} of {company}")),
            (None, company) => company.clone(),
            (Some(workspace), None) => Some(workspace.clone()),
        },
        asks_name: !matches!(door.purpose, LinkPurpose::Welcome | LinkPurpose::Reset)
            && !door.has_account,
        has_account: door.has_account,
        is_logged_in: logged_in.is_some_and(|user| user.email == door.email),
        first_name: form.first_name,
        last_name: form.last_name,
        errors,
    }
}

/// A link that leads nowhere any more.
fn worthless(error: ApiError) -> Response {
    error.log();
    let view = FaultView::worthless_link(error.message);
    answer(error.status, page(&view))
}

/// What the sign-up form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SignUpForm {
    #[serde(default)]
    email: String,
}

/// The page to ask for an account.
pub(super) async fn sign_up(State(state): State<AppState>) -> Response {
    let view = SignUpView {
        page: Page::outside("Sign up"),
        closed: state.sign_up == SignUp::Closed,
        asked: false,
        email: String::new(),
        error: None,
    };
    answer(StatusCode::OK, page(&view))
}

/// Asks for an account. The answer does not tell whether the address may have one.
pub(super) async fn ask(
    State(state): State<AppState>,
    Peer(from): Peer,
    FormOf(form): FormOf<SignUpForm>,
) -> Response {
    let asked = people::sign_up(&state, &form.email, from).await;
    let (status, error) = match asked {
        Ok(()) => (StatusCode::OK, None),
        Err(error) => (error.status, Some(error.message)),
    };
    let view = SignUpView {
        page: Page::outside("Sign up"),
        closed: state.sign_up == SignUp::Closed,
        asked: error.is_none(),
        email: form.email,
        error,
    };
    answer(status, page(&view))
}

fn answer(status: StatusCode, page: PageResult) -> Response {
    match page {
        Ok(page) => (status, [(header::CACHE_CONTROL, "no-store")], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
