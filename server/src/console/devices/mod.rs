//! Devices: where the agent runs, how it is, and the way to shut one out.

mod view;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use glasshour_protocol::DeviceId;
use serde::Deserialize;

pub(super) use view::{DevicesView, Row, SILENT_AFTER_MS, health, refused};

use super::employees::MANY;
use super::gate::{PageResult, PathId, page};
use super::layout::{Page, Part, Viewer};
use super::words;
use super::zone;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::people;
use crate::store::{Device, EmployeeFilter};

/// Rows on a page.
const ROWS: u32 = 200;

/// More than all devices of a page have reasons.
const MOST_REFUSALS: u32 = 10_000;

/// Which part of the list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    after: Option<DeviceId>,
    #[serde(default)]
    said: String,
}

/// The list.
pub(super) async fn list(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    actor.may(Verb::Read, Object::Device)?;
    let scope = actor.scope(None)?;
    let now_ms = state.clock.now_ms();
    let mut read = state.read(actor.company_id).await?;
    let mut devices = read
        .devices(scope.as_deref(), query.after, ROWS + 1)
        .await?;
    let employees = read
        .employees(&EmployeeFilter {
            workspace_id: scope.clone(),
            after: None,
            limit: MANY,
        })
        .await?;
    let refusals = match (devices.first(), devices.last()) {
        (Some(first), Some(last)) => {
            let range = (first.device_id, last.device_id);
            read.refusals(range, now_ms, MOST_REFUSALS).await?
        }
        _ => Vec::new(),
    };
    let zone = zone::of_company(&mut read).await?;
    // Who waits comes first, wherever they stand in the list.
    let waiting = match query.after {
        None => read.waiting_devices(scope.as_deref(), ROWS).await?,
        Some(_) => Vec::new(),
    };
    let more = devices.len() > ROWS as usize;
    devices.truncate(ROWS as usize);
    let next = devices
        .last()
        .filter(|_| more)
        .map(|last| format!("/devices?after={}", last.device_id));
    let row = |device: Device| {
        let employee = employees
            .iter()
            .find(|one| one.employee_id == device.employee_id);
        Row {
            device_id: device.device_id.to_string(),
            host: device.host_name,
            os_user: device.os_user,
            employee_id: device.employee_id.to_string(),
            employee: employee.map_or_else(String::new, |employee| employee.name.clone()),
            platform: device.platform,
            version: device.agent_version,
            seen: words::ago(now_ms - device.last_seen_at),
            seen_machine: zone.machine(device.last_seen_at),
            seen_full: format!("{} {}", zone.date_clock(device.last_seen_at), zone.name()),
            revoked: device.revoked_at.is_some(),
            waits: device.approved_at.is_none(),
            health: health(device.health.as_ref())
                .into_iter()
                .chain(refused(
                    refusals
                        .iter()
                        .filter(|one| one.device_id == device.device_id),
                ))
                .collect(),
        }
    };
    devices.retain(|device| device.approved_at.is_some() || device.revoked_at.is_some());
    let rows = waiting.into_iter().chain(devices).map(row).collect();
    let said = match query.said.as_str() {
        "approved" => {
            Some("The device is approved: what it sends is taken, and what waited on it.")
        }
        "revoked" => Some("The device is revoked: nothing more is taken from it."),
        _ => None,
    };
    let title = Page::new("Devices", Part::Devices, viewer).said(said);
    page(&DevicesView {
        page: title,
        rows,
        next,
    })
}

/// Takes what a new device sends from now on.
pub(super) async fn approve(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<DeviceId>,
) -> PageResult {
    people::approve_device(&state, &actor, id).await?;
    Ok(Redirect::to("/devices?said=approved").into_response())
}

/// Refuses a device from now on.
pub(super) async fn revoke(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<DeviceId>,
) -> PageResult {
    people::revoke_device(&state, &actor, id).await?;
    Ok(Redirect::to("/devices?said=revoked").into_response())
}
