//! Devices of employees, as far as people decide about them.

use axum::http::StatusCode;
use glasshour_protocol::DeviceId;

use super::reach;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::Device;

/// Refuses a device from now on.
pub async fn revoke_device(
    state: &AppState,
    actor: &Actor,
    id: DeviceId,
) -> Result<Device, ApiError> {
    actor.may(Verb::Change, Object::Device)?;
    let missing = || ApiError::not_found("device");
    let mut write = state.write(actor.company_id).await?;
    let device = write.device(id).await?.ok_or_else(missing)?;
    reach::employee(
        &mut write,
        actor,
        Verb::Change,
        Object::Device,
        device.employee_id,
    )
    .await
    .map_err(|error| match error.status {
        StatusCode::NOT_FOUND => missing(),
        _ => error,
    })?;
    write.revoke_device(id, state.clock.now_ms()).await?;
    let device = write.device(id).await?.ok_or_else(missing)?;
    write.commit().await?;
    Ok(device)
}
