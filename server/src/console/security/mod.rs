//! What keeps an account and a company safe: password, second factor, log-ins; API tokens; and the way
//! back in for who has forgotten the password.

mod view;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

pub(super) use view::{CodeView, ForgottenView, SecurityView, TokenRow, TokensView};

use super::form::{Errors, Said};
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use super::words;
use super::zone;
use crate::AppState;
use crate::auth::{self, Actor, Peer};
use crate::error::ApiError;
use crate::people::{self, PasswordForm, TokenForm};
use crate::store::{ApiToken, TokenScope};

/// Tokens on the page; older ones are not shown.
const TOKENS: u32 = 200;

/// The person's own safety.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    let said = match query.said.as_str() {
        "password" => Some("The password is changed. You are logged out everywhere else."),
        "removed" => Some("The second factor is removed."),
        _ => None,
    };
    let mut view = security(&state, &actor, viewer).await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

async fn security(state: &AppState, actor: &Actor, viewer: Viewer) -> PageResult<SecurityView> {
    let user = people::person(actor)?;
    let mut read = state.read(user.company_id).await?;
    let factor = read.second_factor(&user.user_id).await?;
    let confirmed = factor.is_some_and(|factor| factor.confirmed_at.is_some());
    let left = read.recovery_codes_left(&user.user_id).await?;
    Ok(SecurityView {
        page: Page::new("Password and log-in", Part::Own, viewer),
        owes: actor.owes_factor,
        has_factor: confirmed,
        codes_left: usize::try_from(left).unwrap_or(0),
        new_secret: None,
        new_codes: Vec::new(),
        errors: Errors::default(),
    })
}

/// What the forms of the page send.
#[derive(Default, Deserialize)]
pub(super) struct SecurityForm {
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    /// The secret that waits to be confirmed, to be shown again.
    #[serde(default)]
    secret: String,
}

/// Shows the page again with what was wrong.
async fn again(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    error: ApiError,
    form: &str,
) -> PageResult {
    if error.field.is_none() && error.status != StatusCode::TOO_MANY_REQUESTS {
        return Err(error.into());
    }
    let mut view = security(state, actor, viewer).await?;
    let field = error.field.clone().unwrap_or_else(|| "password".into());
    view.errors.add(format!("{form}_{field}"), error.message);
    refused(&view)
}

/// Sets another password.
pub(super) async fn change_password(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
    FormOf(form): FormOf<SecurityForm>,
) -> PageResult {
    let asked = PasswordForm {
        current: Some(form.current),
        password: Some(form.password),
    };
    match people::change_password(&state, &actor, asked, from, &headers).await {
        Ok(done) => Ok((
            [(header::SET_COOKIE, done.set_cookie)],
            Redirect::to("/me/security?said=password"),
        )
            .into_response()),
        Err(error) => again(&state, &actor, viewer, error, "change").await,
    }
}

/// Ends every log-in.
pub(super) async fn log_out_everywhere(actor: Actor, State(state): State<AppState>) -> PageResult {
    people::log_out_everywhere(&state, &actor).await?;
    Ok(Redirect::to("/login").into_response())
}

/// Begins a second factor.
pub(super) async fn begin_factor(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Peer(from): Peer,
    FormOf(form): FormOf<SecurityForm>,
) -> PageResult {
    match people::begin_second_factor(&state, &actor, Some(form.password), from).await {
        Ok(factor) => {
            let mut view = security(&state, &actor, viewer).await?;
            view.new_secret = Some((factor.secret, factor.uri));
            page(&view)
        }
        Err(error) => again(&state, &actor, viewer, error, "factor").await,
    }
}

/// Confirms it by a code.
pub(super) async fn confirm_factor(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<SecurityForm>,
) -> PageResult {
    match people::confirm_second_factor(&state, &actor, Some(form.code)).await {
        Ok(codes) => {
            let mut view = security(&state, &actor, viewer).await?;
            view.owes = false;
            view.new_codes = codes;
            page(&view)
        }
        Err(error) if error.field.is_some() => {
            let mut view = security(&state, &actor, viewer).await?;
            view.new_secret = Some((form.secret, String::new()));
            view.errors.add("factor_code", error.message);
            refused(&view)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes it.
pub(super) async fn remove_factor(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Peer(from): Peer,
    FormOf(form): FormOf<SecurityForm>,
) -> PageResult {
    match people::remove_second_factor(&state, &actor, Some(form.password), from).await {
        Ok(()) => Ok(Redirect::to("/me/security?said=removed").into_response()),
        Err(error) => again(&state, &actor, viewer, error, "factor").await,
    }
}

/// Where the second factor is asked for, behind the password.
pub(super) async fn ask_code(Query(way): Query<super::login::Way>) -> Response {
    answer(StatusCode::OK, page(&code_view(way.path(), None)))
}

/// What that page sends.
#[derive(Default, Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Takes the code.
pub(super) async fn take_code(
    State(state): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
    FormOf(form): FormOf<CodeForm>,
) -> Response {
    let next = super::login::own_path(&form.next).to_owned();
    match auth::log_in_by_code(&state, &form.code, from, &headers).await {
        Ok(logged_in) => (
            [(header::SET_COOKIE, logged_in.set_cookie)],
            Redirect::to(&next),
        )
            .into_response(),
        Err(error) => {
            error.log();
            let view = code_view(next, Some(error.message));
            answer(error.status, page(&view))
        }
    }
}

fn code_view(next: String, error: Option<String>) -> CodeView {
    CodeView {
        page: Page::outside("Log in"),
        next,
        error,
    }
}

/// What the page for a forgotten password sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ForgottenForm {
    #[serde(default)]
    email: String,
}

/// The page for a forgotten password.
pub(super) async fn forgotten(State(state): State<AppState>) -> Response {
    answer(StatusCode::OK, page(&forgotten_view(&state, false, None)))
}

/// Asks for a link. The answer does not tell whether the address has an account.
pub(super) async fn ask_link(
    State(state): State<AppState>,
    Peer(from): Peer,
    FormOf(form): FormOf<ForgottenForm>,
) -> Response {
    match people::forgot_password(&state, &form.email, from).await {
        Ok(()) => answer(StatusCode::OK, page(&forgotten_view(&state, true, None))),
        Err(error) => {
            let status = error.status;
            answer(
                status,
                page(&forgotten_view(&state, false, Some(error.message))),
            )
        }
    }
}

fn forgotten_view(state: &AppState, asked: bool, error: Option<String>) -> ForgottenView {
    ForgottenView {
        page: Page::outside("Forgotten password"),
        mail_is_sent: state.mail_is_sent,
        asked,
        error,
    }
}

fn answer(status: StatusCode, page: PageResult) -> Response {
    match page {
        Ok(page) => (status, [(header::CACHE_CONTROL, "no-store")], page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The company's API tokens.
pub(super) async fn tokens(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    page(&tokens_view(&state, &actor, viewer).await?)
}

async fn tokens_view(state: &AppState, actor: &Actor, viewer: Viewer) -> PageResult<TokensView> {
    let now_ms = state.clock.now_ms();
    let found = people::list_tokens(state, actor, None, TOKENS).await?;
    let zone = zone::of_company(&mut state.read(actor.company_id).await?).await?;
    let row = |token: ApiToken| {
        let expired = token.expires_at.is_some_and(|end| now_ms >= end);
        TokenRow {
            id: token.token_id,
            name: token.name,
            scopes: token
                .scopes
                .0
                .iter()
                .map(|scope| scope.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            made: match token.made_by {
                Some(by) => format!("{}, by {by}", zone.date(token.created_at)),
                None => format!("{}, by the command line", zone.date(token.created_at)),
            },
            ends: match (token.revoked_at, token.expires_at) {
                (Some(at), _) => format!("revoked {}", zone.date(at)),
                (None, Some(end)) if expired => format!("over since {}", zone.date(end)),
                (None, Some(end)) => zone.date(end).to_string(),
                (None, None) => "never".to_owned(),
            },
            used: token
                .last_used_at
                .map_or_else(|| "not yet".to_owned(), |at| words::ago(now_ms - at)),
            opens: token.revoked_at.is_none() && !expired,
        }
    };
    Ok(TokensView {
        page: Page::new("API tokens", Part::Tokens, viewer),
        rows: found.into_iter().map(row).collect(),
        new: None,
        name: String::new(),
        days: "90".into(),
        errors: Errors::default(),
    })
}

/// What the form for a token sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewToken {
    #[serde(default)]
    name: String,
    #[serde(default)]
    days: String,
    #[serde(default)]
    read: Option<String>,
    #[serde(default)]
    captures: Option<String>,
    #[serde(default)]
    write: Option<String>,
    #[serde(default)]
    people: Option<String>,
}

/// Makes a token, and shows it this once.
pub(super) async fn create_token(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<NewToken>,
) -> PageResult {
    let ticked = [&form.read, &form.captures, &form.write, &form.people];
    let scopes = TokenScope::ALL.iter().zip(ticked);
    let scopes = scopes
        .filter(|(_, ticked)| ticked.is_some())
        .map(|(scope, _)| scope.as_str().to_owned())
        .collect();
    let asked = TokenForm {
        name: Some(form.name.clone()),
        scopes: Some(scopes),
        expires_in_days: Some(form.days.trim().parse().unwrap_or(0)),
    };
    match people::create_token(&state, &actor, asked).await {
        Ok((_, secret)) => {
            let mut view = tokens_view(&state, &actor, viewer).await?;
            view.new = Some(secret.expose().to_owned());
            page(&view)
        }
        Err(error) if error.field.is_some() => {
            let mut view = tokens_view(&state, &actor, viewer).await?;
            view.name = form.name;
            view.days = form.days;
            view.errors
                .add(error.field.clone().unwrap_or_default(), error.message);
            refused(&view)
        }
        Err(error) => Err(error.into()),
    }
}

/// Revokes one.
pub(super) async fn revoke_token(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::revoke_token(&state, &actor, &id).await?;
    Ok(Redirect::to("/tokens").into_response())
}
