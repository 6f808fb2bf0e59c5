//! Devices of employees, as far as people decide about them.

use axum::http::StatusCode;
use glasshour_protocol::DeviceId;
use serde_json::json;
use uuid::Uuid;

use super::reach;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{Device, Employee, Notice, Read, Write};

/// Makes a device known. One that has to wait is told to everybody who may approve it.
pub(crate) async fn enroll_device(
    write: &mut Write,
    device: &Device,
    employee: &Employee,
) -> Result<(), ApiError> {
    write.insert_device(device).await?;
    if device.approved_at.is_some() {
        return Ok(());
    }
    let params = json!({"employee": employee.name, "computer": device.host_name});
    for (home, user_id) in write.deciders(&employee.workspace_id).await? {
        let here = write.rebind(home)?;
        let notice = Notice {
            notice_id: Uuid::now_v7().to_string(),
            kind: "device_waits".into(),
            params: params.clone(),
            created_at: device.enrolled_at,
            read_at: None,
        };
        write.insert_notice(&user_id, &notice).await?;
        write.rebind(here)?;
    }
    Ok(())
}

/// Takes what a new device sends from now on, with all that waits on it.
pub async fn approve_device(
    state: &AppState,
    actor: &Actor,
    id: DeviceId,
) -> Result<Device, ApiError> {
    let mut write = state.write(actor.company_id).await?;
    find(&mut write, actor, id).await?;
    write.approve_device(id, state.clock.now_ms()).await?;
    let device = find(&mut write, actor, id).await?;
    write.commit().await?;
    Ok(device)
}

/// Refuses a device from now on.
pub async fn revoke_device(
    state: &AppState,
    actor: &Actor,
    id: DeviceId,
) -> Result<Device, ApiError> {
    let mut write = state.write(actor.company_id).await?;
    find(&mut write, actor, id).await?;
    write.revoke_device(id, state.clock.now_ms()).await?;
    let device = find(&mut write, actor, id).await?;
    write.commit().await?;
    Ok(device)
}

/// A device within reach of somebody who may decide about it.
async fn find(read: &mut Read, actor: &Actor, id: DeviceId) -> Result<Device, ApiError> {
    actor.may(Verb::Change, Object::Device)?;
    let missing = || ApiError::not_found("device");
    let device = read.device(id).await?.ok_or_else(missing)?;
    let (verb, object) = (Verb::Change, Object::Device);
    reach::employee(read, actor, verb, object, device.employee_id)
        .await
        .map_err(|error| match error.status {
            StatusCode::NOT_FOUND => missing(),
            _ => error,
        })?;
    Ok(device)
}
