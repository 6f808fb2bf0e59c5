//! Devices, for scripts: what is enrolled and how it fares, and the way to shut one out.

use axum::Json;
use axum::extract::State;
use glasshour_protocol::payload::HealthReport;
use glasshour_protocol::{DeviceId, EmployeeId};
use serde::Serialize;
use utoipa::ToSchema;

use super::employees::ListQuery;
use super::extract::{PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people;
use crate::store::{Device, Refusals};

/// A device, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceView {
    #[schema(value_type = uuid::Uuid)]
    device_id: DeviceId,
    #[schema(value_type = uuid::Uuid)]
    employee_id: EmployeeId,
    host_name: String,
    os_user: String,
    platform: String,
    agent_version: String,
    /// RFC 3339.
    enrolled_at: String,
    /// RFC 3339.
    last_seen_at: String,
    /// RFC 3339; `null`: it waits to be approved, and nothing is taken from it.
    approved_at: Option<String>,
    /// RFC 3339; from then on it is refused.
    revoked_at: Option<String>,
    /// The last health report, channel by channel.
    #[schema(value_type = Option<Object>)]
    health: Option<HealthReport>,
    /// RFC 3339.
    health_at: Option<String>,
    /// Records refused for what their license says, within the last 30 days, by code.
    refusals: Vec<RefusalsView>,
}

/// Refusals of one device for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusals)]
struct RefusalsView {
    /// Stable, such as `titles_not_licensed`.
    code: String,
    refused: u64,
    /// RFC 3339.
    last_at: String,
}

/// More than all devices of a page have reasons.
const MOST_REFUSALS: u32 = 10_000;

impl DeviceView {
    fn with(self, refusals: &[Refusals]) -> Self {
        let of_device = |one: &&Refusals| one.device_id == self.device_id;
        let view = |one: &Refusals| RefusalsView {
            code: one.code.clone(),
            refused: one.refused,
            last_at: wire::time(one.last_at),
        };
        Self {
            refusals: refusals.iter().filter(of_device).map(view).collect(),
            ..self
        }
    }
}

impl From<Device> for DeviceView {
    fn from(device: Device) -> Self {
        Self {
            device_id: device.device_id,
            employee_id: device.employee_id,
            host_name: device.host_name,
            os_user: device.os_user,
            platform: device.platform,
            agent_version: device.agent_version,
            enrolled_at: wire::time(device.enrolled_at),
            last_seen_at: wire::time(device.last_seen_at),
            approved_at: device.approved_at.map(wire::time),
            revoked_at: device.revoked_at.map(wire::time),
            health: device.health,
            health_at: device.health_at.map(wire::time),
            refusals: Vec::new(),
        }
    }
}

/// Lists devices.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices", params(ListQuery),
    responses((status = 200, body = Page<DeviceView>), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<DeviceView>>, ApiError> {
    actor.may(Verb::Read, Object::Device)?;
    let workspace = actor.scope(query.workspace_id.as_deref())?;
    let limit = wire::limit(query.limit)?;
    let after = match &query.cursor {
        None => None,
        Some(text) => Some(wire::part(&wire::cursor(text)?)?),
    };
    let mut read = state.read(actor.company_id).await?;
    let rows = read.devices(workspace.as_deref(), after, limit + 1).await?;
    let refusals = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => {
            let range = (first.device_id, last.device_id);
            let now_ms = state.clock.now_ms();
            read.refusals(range, now_ms, MOST_REFUSALS).await?
        }
        _ => Vec::new(),
    };
    let cursor = |last: &Device| last.device_id.to_string();
    let view = |device| DeviceView::from(device).with(&refusals);
    Ok(Json(Page::cut(rows, limit, cursor, view)))
}

/// Approves a device that waits: what it sends is taken from now on.
#[utoipa::path(post, path = "/api/v1/devices/{device_id}/approve", tag = "devices",
    params(("device_id" = uuid::Uuid, Path)),
    responses((status = 200, body = DeviceView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn approve(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<DeviceId>,
) -> Result<Json<DeviceView>, ApiError> {
    let device = people::approve_device(&state, &actor, id).await?;
    decided(&state, &actor, device).await
}

/// Refuses a device from now on.
#[utoipa::path(post, path = "/api/v1/devices/{device_id}/revoke", tag = "devices",
    params(("device_id" = uuid::Uuid, Path)),
    responses((status = 200, body = DeviceView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn revoke(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<DeviceId>,
) -> Result<Json<DeviceView>, ApiError> {
    let device = people::revoke_device(&state, &actor, id).await?;
    decided(&state, &actor, device).await
}

async fn decided(
    state: &AppState,
    actor: &Actor,
    device: Device,
) -> Result<Json<DeviceView>, ApiError> {
    let id = device.device_id;
    let now_ms = state.clock.now_ms();
    let mut read = state.read(actor.company_id).await?;
    let refusals = read.refusals((id, id), now_ms, MOST_REFUSALS).await?;
    Ok(Json(DeviceView::from(device).with(&refusals)))
}
