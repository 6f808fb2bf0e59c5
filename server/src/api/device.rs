//! The device's own routes: enrolment, and what it needs to know to run.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glasshour_license_format::{MAX_FILE_BYTES, SignedLicense};
use glasshour_protocol::CompanyId;
use glasshour_protocol::device::{DeviceState, EnrollRequest, Project};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::JsonBody;
use super::openapi::{DeviceStateSchema, EnrollRequestSchema, ErrorBodySchema};
use super::permit;
use super::wire::MAX_LIMIT;
use crate::AppState;
use crate::auth::{DeviceToken, authenticate_device};
use crate::error::ApiError;
use crate::people;
use crate::store::{Device, Employee, License, Read};

/// Longest text that a device says about itself, in characters.
const MAX_TEXT_CHARS: usize = 255;

/// Makes a device known, or notes what it says about itself now.
///
/// The token must be signed by the key that the request carries. Enrolling again changes nothing
/// but the description; another key under the same id is a conflict.
#[utoipa::path(post, path = "/api/v1/devices", tag = "devices", request_body = EnrollRequestSchema,
    responses((status = 201, body = DeviceStateSchema), (status = 200, body = DeviceStateSchema),
        (status = 401, body = ErrorBodySchema),
        (status = 403, description = "`employee_inactive`, `license_unknown` or `device_revoked`",
            body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("device_token" = [])))]
pub(super) async fn enroll(
    State(state): State<AppState>,
    headers: HeaderMap,
    JsonBody(request): JsonBody<EnrollRequest>,
) -> Result<(StatusCode, Json<DeviceState>), ApiError> {
    let key = request
        .public_key
        .to_key()
        .map_err(|error| ApiError::invalid("public_key", format!("`public_key`: {error}.")))?;
    let token = DeviceToken::from_headers(&headers)?;
    if token.device_id != request.device_id {
        return Err(ApiError::unauthenticated(
            "The token is from another device.",
        ));
    }
    token.verify(&state, &key)?;
    crate::asker::is(
        crate::store::AskerKind::Device,
        request.device_id.to_string(),
        plain(&request.host_name),
    );
    let signed = read_license(&request.license_gz)?;

    let now_ms = state.clock.now_ms();
    let mut write = state.write(token.company_id).await?;
    let (employee, license) = known_license(&mut write, &signed).await?;
    if !employee.active {
        return Err(permit::inactive(&employee));
    }
    let settings = people::company_settings(&mut write).await?;
    let described = Device {
        device_id: request.device_id,
        employee_id: employee.employee_id,
        public_key: request.public_key.x,
        host_name: plain(&request.host_name),
        os_user: plain(&request.os_user),
        platform: plain(&request.platform),
        agent_version: plain(&request.agent_version),
        enrolled_at: now_ms,
        last_seen_at: now_ms,
        approved_at: (!settings.approve_devices).then_some(now_ms),
        revoked_at: None,
        health: None,
        health_at: None,
    };
    let status = match write.device(request.device_id).await? {
        None => {
            people::enroll_device(&mut write, &described, &employee).await?;
            StatusCode::CREATED
        }
        Some(known) if known.public_key != described.public_key => {
            return Err(ApiError::conflict(
                Some("device_id"),
                "Another device has that id. Remove this device's key and id, and enrol anew.",
            ));
        }
        Some(known) if !permit::same_employee(known.employee_id, &license) => {
            return Err(ApiError::conflict(
                Some("license_gz"),
                "This device is enrolled for another employee.",
            ));
        }
        Some(known) if known.revoked_at.is_some() => return Err(crate::auth::revoked()),
        Some(_) => {
            write.update_device(&described).await?;
            StatusCode::OK
        }
    };
    let answer = describe(&state, &mut write, token.company_id, &described, &employee).await?;
    write.commit().await?;
    Ok((status, Json(answer)))
}

/// What the device needs to know to run. Answered for an inactive employee as well, so that the
/// agent can say why it does not capture.
#[utoipa::path(get, path = "/api/v1/device", tag = "devices",
    responses((status = 200, body = DeviceStateSchema), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema)),
    security(("device_token" = [])))]
pub(super) async fn state(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Json<DeviceState>, ApiError> {
    let token = DeviceToken::from_headers(&headers)?;
    let mut read = state.read(token.company_id).await?;
    let (device, _) = authenticate_device(&state, &mut read, &token).await?;
    let employee = read
        .employee(device.employee_id)
        .await?
        .ok_or_else(|| ApiError::internal("a device without its employee"))?;
    let answer = describe(&state, &mut read, token.company_id, &device, &employee).await?;
    drop(read);
    let mut write = state.write(token.company_id).await?;
    write
        .touch_device(device.device_id, state.clock.now_ms())
        .await?;
    write.commit().await?;
    Ok(Json(answer))
}

/// A link to the employee's own day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayLink {
    /// To be opened in a browser, once.
    url: String,
    /// RFC 3339; a minute from now.
    expires_at: String,
}

/// A one-time link to the own day of the device's employee, to be opened in a browser at once.
///
/// It is worth one exchange, for an hour of that one person's own days, and nothing else.
#[utoipa::path(post, path = "/api/v1/device/day-link", tag = "devices",
    responses((status = 201, body = DayLink), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema)),
    security(("device_token" = [])))]
pub(super) async fn day_link(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<DayLink>), ApiError> {
    let token = DeviceToken::from_headers(&headers)?;
    let mut read = state.read(token.company_id).await?;
    let (device, _) = authenticate_device(&state, &mut read, &token).await?;
    drop(read);
    let (secret, expires_at) = crate::auth::day_link(&state, token.company_id, &device).await?;
    let link = DayLink {
        url: format!("{}/my/day/{}", state.server_url, secret.expose()),
        expires_at: super::wire::time(expires_at),
    };
    Ok((StatusCode::CREATED, Json(link)))
}

/// The current license of the device's employee, for the device to refresh its own.
///
/// `ETag` is the license's id: a device that names it in `If-None-Match` has that one already. The
/// device verifies the file as any other and decides by itself what of it holds at once; nothing that
/// widens what is captured does.
#[utoipa::path(get, path = "/api/v1/license", tag = "devices",
    params(("If-None-Match" = Option<String>, Header)),
    responses((status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 304, description = "The device has it already"),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 409, description = "`no_license`: never active yet", body = ErrorBodySchema)),
    security(("device_token" = [])))]
pub(super) async fn license(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let token = DeviceToken::from_headers(&headers)?;
    let mut read = state.read(token.company_id).await?;
    let (device, _) = authenticate_device(&state, &mut read, &token).await?;
    drop(read);
    let (_, license) = people::license_file(&state, token.company_id, device.employee_id).await?;
    let etag = format!("\"{}\"", license.license_id);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let tag = HeaderValue::from_str(&etag).map_err(ApiError::internal)?;
    let headers = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/gzip"),
        ),
    ];
    if known {
        let [tag, cache, _] = headers;
        return Ok((StatusCode::NOT_MODIFIED, [tag, cache]).into_response());
    }
    Ok((headers, license.file).into_response())
}

fn read_license(license_gz: &str) -> Result<SignedLicense, ApiError> {
    let invalid = |message: String| ApiError::invalid("license_gz", message);
    if license_gz.len() > MAX_FILE_BYTES.div_ceil(3) * 4 {
        return Err(invalid(
            "`license_gz` is larger than a license can be.".into(),
        ));
    }
    let file = STANDARD
        .decode(license_gz)
        .map_err(|_| invalid("`license_gz` must be the whole license file in base64.".into()))?;
    glasshour_license_format::read(&file).map_err(|error| invalid(format!("The license: {error}.")))
}

/// The issued license and its employee; 403 `license_unknown` for one that is not ours.
async fn known_license(
    read: &mut Read,
    signed: &SignedLicense,
) -> Result<(Employee, License), ApiError> {
    // Also by a key that went: the license was issued here all the same, and the device is told of the
    // newer one at once.
    let keys = read.signing_keys().await?;
    if !keys
        .iter()
        .any(|key| key.fingerprint == signed.thumbprint())
    {
        return Err(permit::license_unknown());
    }
    let license = read
        .license(signed.claims().license_id)
        .await?
        .filter(|license| license.claims == *signed.claims())
        .ok_or_else(permit::license_unknown)?;
    let employee = read
        .employee(license.employee_id)
        .await?
        .ok_or_else(permit::license_unknown)?;
    Ok((employee, license))
}

async fn describe(
    state: &AppState,
    read: &mut Read,
    company_id: CompanyId,
    device: &Device,
    employee: &Employee,
) -> Result<DeviceState, ApiError> {
    let projects = read
        .projects(Some(&employee.workspace_id), MAX_LIMIT)
        .await?;
    Ok(DeviceState {
        device_id: device.device_id,
        company_id,
        employee_id: employee.employee_id,
        employee_active: employee.active,
        current_serial: employee.serial,
        projects: projects
            .into_iter()
            .filter(|one| !one.archived || one.project_id == employee.project_id)
            .map(|project| Project {
                project_id: project.project_id,
                name: project.name,
                color: project.color,
            })
            .collect(),
        server_time_ms: state.clock.now_ms(),
    })
}

/// One line of bounded length: devices describe themselves, and the console shows it.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_TEXT_CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}
