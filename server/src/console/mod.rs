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
mod day;
mod devices;
mod employee;
mod employees;
mod fault;
mod form;
mod gate;
mod join;
mod layout;
mod login;
mod own;
mod profile;
mod profiles;
mod projects;
#[cfg(test)]
mod samples;
mod team;
mod words;
mod zone;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use glasshour_words::notice::Notice;
use glasshour_words::{Message, Words};

use crate::AppState;

/// Largest form: a profile with long lists of exclusions.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// What stands above a notice that is previewed, in its language.
fn notice_intro(notice: &Notice) -> String {
    Words::new(notice.language).say(Message::ConsoleNoticeIntro {})
}

/// The console's routes.
pub fn router(state: AppState) -> Router {
    let pages = Router::new()
        .route("/", get(own::home))
        .route("/me", get(own::show).post(own::save))
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
        .route("/devices/{id}/revoke", post(devices::revoke))
        .layer(middleware::from_fn_with_state(state.clone(), gate::guard));
    Router::new()
        .route("/login", get(login::show).post(login::submit))
        .route("/logout", post(login::leave))
        .route("/join/{token}", get(join::show).post(join::submit))
        .route("/signup", get(join::sign_up).post(join::ask))
        .route("/assets/{name}", get(assets::serve))
        .fallback(gate::not_found)
        .merge(pages)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .with_state(state)
}
