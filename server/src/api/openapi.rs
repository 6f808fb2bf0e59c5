//! The OpenAPI 3.1 document, made from the handlers themselves.
//!
//! `server/openapi.json` is the same document, checked in so that a change shows in review. A test
//! compares them; `cargo run -p glasshour-server -- openapi > server/openapi.json` updates it.

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::openapi_shared::Shared;
use super::{
    audit, company, device, devices, employees, entry, export, health, import, ingest, invitations,
    licenses, mail, me, members, metrics, profiles, projects, records, reports, rights, security,
    sessions, users, workspaces,
};

/// Every error: the code is for programs, the message for a person.
///
/// The wire types below are described here because `protocol` depends on nothing but serde.
#[derive(ToSchema)]
#[schema(as = Error)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct ErrorBodySchema {
    /// A stable code, such as `employee_inactive`.
    code: String,
    /// What is wrong and what to do.
    message: String,
    /// The request field at fault, where there is one.
    field: Option<String>,
}

/// What a stored record is acknowledged with.
#[derive(ToSchema)]
#[schema(as = Receipt)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct ReceiptSchema {
    record_id: uuid::Uuid,
    /// When the server first had it durably, UTC milliseconds.
    stored_at_ms: i64,
    /// False where it had been stored before.
    new: bool,
}

/// An Ed25519 public key (RFC 8037).
#[derive(ToSchema)]
#[schema(as = Jwk)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct JwkSchema {
    /// `OKP`.
    kty: String,
    /// `Ed25519`.
    crv: String,
    /// The key's 32 bytes, base64url.
    x: String,
}

/// How a device makes itself known.
#[derive(ToSchema)]
#[schema(as = EnrollRequest)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct EnrollRequestSchema {
    /// Chosen by the device.
    device_id: uuid::Uuid,
    public_key: JwkSchema,
    /// The whole `.license.gz`, base64.
    license_gz: String,
    host_name: String,
    os_user: String,
    platform: String,
    agent_version: String,
}

/// What the agent needs to know to run.
#[derive(ToSchema)]
#[schema(as = DeviceState)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct DeviceStateSchema {
    device_id: uuid::Uuid,
    company_id: uuid::Uuid,
    employee_id: uuid::Uuid,
    employee_active: bool,
    /// Above the loaded license's: it was superseded.
    current_serial: u64,
    projects: Vec<DeviceProjectSchema>,
    /// The server's clock, UTC milliseconds.
    server_time_ms: i64,
}

/// A project or department, as the agent's menu shows it.
#[derive(ToSchema)]
#[schema(as = DeviceProject)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct DeviceProjectSchema {
    project_id: uuid::Uuid,
    name: String,
    /// `#rrggbb`.
    color: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Glasshour",
        description = "Open time tracking that the person being tracked can trust. Times are \
            RFC 3339 with offset; lists are {items, next}; errors are {code, message, field}.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    paths(
        employees::list, employees::create, employees::read, employees::update, employees::license,
        import::import, licenses::send, licenses::send_many, licenses::bundle, mail::list, mail::send,
        profiles::list, profiles::create, profiles::read, profiles::update,
        projects::list, projects::create, projects::read, projects::update,
        devices::list, devices::approve, devices::revoke, device::enroll, device::state,
        device::day_link,
        device::license,
        ingest::put_record, records::list, records::payload, records::accept, export::export, sessions::list,
        users::list, users::create, users::read, users::update, users::delete, users::welcome,
        members::list, members::create, members::read, members::update, members::delete,
        members::photo, members::set_photo, members::leave, members::set_leave,
        invitations::list, invitations::create, invitations::read, invitations::update,
        invitations::delete,
        workspaces::list, workspaces::create, workspaces::read, workspaces::update,
        workspaces::delete, workspaces::transfer,
        workspaces::groups, workspaces::create_group, workspaces::read_group,
        workspaces::update_group, workspaces::delete_group,
        company::read, company::update, company::plan, company::update_plan,
        audit::list, audit::own_views,
        rights::erase_employee, rights::erase_user, rights::receipts, rights::consequence,
        rights::delete_capture,
        security::change_password, security::log_out_everywhere, security::begin_factor,
        security::confirm_factor, security::remove_factor, security::remove_factor_of,
        security::reset_password_of, security::forgot_password,
        security::tokens, security::create_token, security::revoke_token,
        me::read, me::update, me::choose, me::accept, me::decline, me::notices, me::read_notice,
        entry::look, entry::enter, entry::sign_up, reports::timesheet,
        health::live, health::ready, metrics::metrics, serve,
    ),
    modifiers(&Securities, &Shared)
)]
struct Document;

struct Securities;

impl Modify for Securities {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |format: &str, description: &str| {
            let mut http = Http::new(HttpAuthScheme::Bearer);
            http.bearer_format = Some(format.to_owned());
            http.description = Some(description.to_owned());
            SecurityScheme::Http(http)
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "api_token",
            bearer(
                "gh_…",
                "An API token, as `glasshour-server init` prints it or `POST /api/v1/tokens` makes it. It \
                 does what the company's account may, within its scopes: `read`, `captures`, `write`, \
                 `people`; beyond them 403 `out_of_scope`.",
            ),
        );
        let mut cookie = ApiKeyValue::new("glasshour");
        cookie.description = Some(
            "The cookie of a person who logged in to the console; over TLS it is named \
             `__Host-glasshour`. What they may do follows from their role."
                .to_owned(),
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        components.add_security_scheme(
            "device_token",
            bearer(
                "JWT",
                "A JWT (EdDSA) signed by the device's key, at most five minutes old.",
            ),
        );
    }
}

/// The document as it is served, with a newline at its end.
pub fn document() -> String {
    let mut json = Document::openapi()
        .to_pretty_json()
        .expect("the document is plain data");
    json.push('\n');
    json
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "health",
    responses((status = 200, content_type = "application/json", body = Object)))]
pub(super) async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document())
}
