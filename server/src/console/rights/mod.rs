//! Deleting for good, each after a page that tells what it takes: an own capture, a person.

mod view;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect};
use glasshour_protocol::{EmployeeId, RecordId};
use serde::Deserialize;

pub(super) use view::{CaptureDeletionView, ErasureView, ExportView};

use super::form::Errors;
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use super::words;
use super::zone;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, ErasureForm, reach};

/// What deleting an own capture takes off, before it is done.
pub(super) async fn ask_capture(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
) -> PageResult {
    let (record, told) = people::deletion_consequence(&state, &actor, id).await?;
    let mut read = state.read(actor.company_id).await?;
    let zone = zone::of_employee(&mut read, record.employee_id).await?;
    page(&CaptureDeletionView {
        page: Page::new("Delete a capture", Part::Own, viewer),
        record_id: id.to_string(),
        employee_id: record.employee_id.to_string(),
        time: zone.date_clock(record.captured_at),
        date: zone.date(record.captured_at).to_string(),
        off: words::duration(told.off_ms),
        tracked: words::duration(told.tracked_ms),
        left: words::duration(told.tracked_ms - told.off_ms),
    })
}

/// Deletes it.
pub(super) async fn delete_capture(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
) -> PageResult {
    let (record, _) = people::deletion_consequence(&state, &actor, id).await?;
    people::delete_own_capture(&state, &actor, id, true).await?;
    let day = format!("/employees/{}/day", record.employee_id);
    Ok(Redirect::to(&day).into_response())
}

/// Asks why everything of a person is carried away, before it is.
pub(super) async fn ask_export(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let employee = reach::employee(&mut read, &actor, Verb::Read, Object::Export, id).await?;
    page(&ExportView {
        page: Page::new(format!("Export {}", employee.name), Part::Employees, viewer),
        employee_id: id.to_string(),
        name: employee.name,
    })
}

/// What erasing a person takes, before it is done.
pub(super) async fn ask_erasure(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> PageResult {
    page(&erasure(&state, &actor, viewer, id, Errors::default()).await?)
}

async fn erasure(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    id: EmployeeId,
    errors: Errors,
) -> Result<ErasureView, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let employee = reach::employee(&mut read, actor, Verb::Delete, Object::Person, id).await?;
    Ok(ErasureView {
        page: Page::new(format!("Erase {}", employee.name), Part::Employees, viewer),
        employee_id: id.to_string(),
        name: employee.name,
        errors,
    })
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct TypedName {
    /// The person's name, typed to be sure.
    #[serde(default)]
    name: String,
    #[serde(default)]
    reason: String,
}

/// Erases the person, where their name was typed.
pub(super) async fn erase(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
    FormOf(form): FormOf<TypedName>,
) -> PageResult {
    let mut view = erasure(&state, &actor, viewer, id, Errors::default()).await?;
    if form.name.trim() != view.name {
        view.errors
            .add("name", "Type the name exactly as it stands above.");
        return refused(&view);
    }
    let asked = ErasureForm {
        confirm: Some(true),
        reason: Some(form.reason),
    };
    match people::erase_employee(&state, &actor, id, asked).await {
        Ok(_) => Ok(Redirect::to("/employees?said=erased").into_response()),
        Err(error) if error.field.is_some() || error.status.as_u16() == 409 => {
            view.errors.add("reason", error.message);
            refused(&view)
        }
        Err(error) => Err(error.into()),
    }
}
