//! The console: pages rendered on the server, complete without JavaScript.
//!
//! A page is a folder: handlers in `mod.rs` (request, domain call, view), the view as plain values
//! with samples in `view.rs`, the template beside them. Templates escape all text; there is no inline
//! style and no inline script, so a strict content policy holds for every page. Whoever is not
//! logged in sees the log-in page and nothing else; no page is kept by a cache.

mod assets;
mod audit;
mod capture;
mod chart;
mod company;
mod confirm;
mod day;
mod devices;
mod employee;
mod employees;
mod fault;
mod form;
mod gate;
mod join;
mod kept;
mod layout;
mod login;
mod mail;
mod many;
mod members;
mod own;
mod own_day;
mod place;
mod profile;
mod profiles;
mod projects;
mod rights;
#[cfg(test)]
mod samples;
mod security;
mod team;
mod users;
mod words;
mod workspace;
mod zone;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use glasshour_words::notice::Notice;
use glasshour_words::{Message, Words};

use crate::people::MAX_SHEET_BYTES;
use crate::{AppState, auth};

/// Largest form: a profile with long lists of exclusions.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// Largest form with a file of employees in it, percent-encoded.
const MAX_IMPORT_FORM_BYTES: usize = 3 * MAX_SHEET_BYTES;

/// What stands above a notice that is previewed, in its language.
fn notice_intro(notice: &Notice) -> String {
    Words::new(notice.language).say(Message::ConsoleNoticeIntro {})
}

/// Members of workspaces, users of the company, and the company itself.
fn people() -> Router<AppState> {
    Router::new()
        .route("/members", get(members::list))
        .route(
            "/members/invite",
            get(members::invite_form).post(members::invite),
        )
        .route("/members/{id}", get(members::show).post(members::update))
        .route("/members/{id}/status", post(members::set_status))
        .route("/members/{id}/send", post(members::send))
        .route("/members/{id}/withdraw", post(members::withdraw))
        .route("/members/{id}/leave", post(members::set_leave))
        .route(
            "/members/{id}/own",
            get(members::ask_own).post(members::own),
        )
        .route(
            "/members/{id}/delete",
            get(members::ask_delete).post(members::delete),
        )
        .route("/users", get(users::list))
        .route("/users/new", get(users::blank).post(users::create))
        .route("/users/{id}", get(users::show).post(users::update))
        .route("/users/{id}/status", post(users::set_status))
        .route("/users/{id}/welcome", post(users::welcome))
        .route(
            "/users/{id}/delete",
            get(users::ask_delete).post(users::delete),
        )
        .route(
            "/workspaces/{id}",
            get(workspace::show).post(workspace::save),
        )
        .route(
            "/workspaces/{id}/delete",
            get(workspace::ask_delete).post(workspace::delete),
        )
        .route("/company", get(company::show).post(company::save))
        .route("/company/kept", get(kept::show).post(kept::save))
        .route("/mail", get(mail::list))
        .route("/mail/{id}/again", post(mail::again))
        .route("/company/seats", post(company::set_seats))
        .route("/company/key", get(company::ask_key).post(company::rotate))
}

/// The console's routes.
pub fn router(state: AppState) -> Router {
    let pages = Router::new()
        .route("/", get(own::home))
        .route("/me", get(own::show).post(own::save))
        .route(
            "/captures/{id}/delete",
            get(rights::ask_capture).post(rights::delete_capture),
        )
        .route(
            "/employees/{id}/erase",
            get(rights::ask_erasure).post(rights::erase),
        )
        .route("/me/security", get(security::show))
        .route("/me/security/password", post(security::change_password))
        .route("/me/security/factor", post(security::begin_factor))
        .route(
            "/me/security/factor/confirm",
            post(security::confirm_factor),
        )
        .route("/me/security/factor/remove", post(security::remove_factor))
        .route(
            "/me/security/log-out-everywhere",
            post(security::log_out_everywhere),
        )
        .route(
            "/tokens",
            get(security::tokens).post(security::create_token),
        )
        .route("/tokens/{id}/revoke", post(security::revoke_token))
        .route("/me/views", get(audit::views))
        .route("/audit", get(audit::log))
        .route("/notices", get(own::notices))
        .route("/invitations/{id}/accept", post(own::accept))
        .route("/invitations/{id}/decline", post(own::decline))
        .route("/workspace", post(own::choose))
        .route("/workspaces/new", get(own::blank).post(own::create))
        .route("/team", get(team::show))
        .route("/employees", get(employees::list))
        .route(
            "/employees/new",
            get(employee::blank).post(employee::create),
        )
        .route("/employees/notice", post(employee::notice))
        .route("/employees/many", get(many::show))
        .route(
            "/employees/import",
            post(many::import).layer(DefaultBodyLimit::max(MAX_IMPORT_FORM_BYTES)),
        )
        .route("/employees/licenses/send", post(many::send))
        .route("/employees/licenses.zip", get(many::bundle))
        .route(
            "/employees/{id}/edit",
            get(employee::edit).post(employee::update),
        )
        .route("/employees/{id}/active", post(employees::set_active))
        .route("/employees/{id}/license.gz", get(employees::license))
        .route(
            "/employees/{id}/license/send",
            post(employees::send_license),
        )
        .route("/employees/{id}/day", get(day::show))
        .route("/employees/{id}/export", get(rights::ask_export))
        .route("/records/{id}/accept", post(day::accept))
        .route("/captures/{id}", get(capture::show))
        .route("/captures/{id}/image", get(capture::image))
        .route("/profiles", get(profiles::list))
        .route("/profiles/new", get(profile::blank).post(profile::create))
        .route("/profiles/notice", post(profile::notice))
        .route(
            "/profiles/{id}/edit",
            get(profile::edit).post(profile::update),
        )
        .route("/projects", get(projects::list).post(projects::create))
        .route(
            "/projects/{id}/edit",
            get(projects::edit).post(projects::update),
        )
        .route("/devices", get(devices::list))
        .route("/devices/{id}/approve", post(devices::approve))
        .route("/devices/{id}/revoke", post(devices::revoke))
        .merge(people())
        .layer(middleware::from_fn_with_state(state.clone(), gate::guard));
    Router::new()
        .route("/login", get(login::show).post(login::submit))
        .route("/login/sign-on", get(login::sign_on))
        .route(auth::SIGN_ON_CALLBACK, get(login::signed_on))
        .route(
            "/login/code",
            get(security::ask_code).post(security::take_code),
        )
        .route(
            "/forgotten",
            get(security::forgotten).post(security::ask_link),
        )
        .route("/logout", post(login::leave))
        .route("/join/{token}", get(join::show).post(join::submit))
        .route("/my/day", get(own_day::show))
        .route("/my/day/{token}", get(own_day::open))
        .route("/my/captures/{id}/image", get(own_day::image))
        .route("/signup", get(join::sign_up).post(join::ask))
        .route("/assets/{name}", get(assets::serve))
        .fallback(gate::not_found)
        .merge(pages)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(state)
}
