//! The list of employees, and what its rows can do.

mod view;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect};
use glasshour_license_format::WorkMode;
use glasshour_protocol::EmployeeId;
use serde::Deserialize;

pub(super) use view::{EmployeesView, Row};

use super::form::ticked;
use super::gate::{FormOf, PageError, PageResult, PathId, page};
use super::layout::{Page, Part, Viewer};
use super::place;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, EmployeeForm};
use crate::store::{Employee, EmployeeFilter, Read};

/// Rows on a page.
const ROWS: u32 = 200;
/// Projects and profiles that are looked up for the list: more than any company has.
pub(super) const MANY: u32 = 10_000;

/// Which part of the list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    said: Option<String>,
    #[serde(default)]
    id: Option<EmployeeId>,
}

/// The list.
pub(super) async fn list(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    actor.may(Verb::Read, Object::Employee)?;
    let scope = actor.scope(None)?;
    let after = match query.after.as_deref().map(place::read).transpose()? {
        None => None,
        Some((name, id)) => {
            let id = id.parse().map_err(|_| ApiError::not_found("page"))?;
            Some((name, id))
        }
    };
    let later_page = after.is_some();
    let mut read = state.read(actor.company_id).await?;
    let filter = EmployeeFilter {
        workspace_id: scope,
        after,
        limit: ROWS + 1,
    };
    let mut employees = read.employees(&filter).await?;
    let said = said(&mut read, &actor, &query).await?;
    let more = employees.len() > ROWS as usize;
    employees.truncate(ROWS as usize);
    let next = employees
        .last()
        .filter(|_| more)
        .map(|last| place::write(&last.name, &last.employee_id.to_string()))
        .map(|place| format!("/employees?after={place}"));
    let projects = read.projects(None, MANY).await?;
    let profiles = read.profiles(MANY).await?;
    let rows = employees
        .into_iter()
        .map(|employee| {
            let project = projects
                .iter()
                .find(|one| one.project_id == employee.project_id);
            let profile = profiles
                .iter()
                .find(|one| one.profile_id == employee.profile_id);
            Row {
                employee_id: employee.employee_id.to_string(),
                mode: mode_name(employee.work_mode),
                project: project.map_or_else(String::new, |project| project.name.clone()),
                color: project.map_or_else(String::new, |project| project.color.clone()),
                profile: profile.map_or_else(String::new, |profile| profile.name.clone()),
                active: employee.active,
                serial: employee.serial,
                name: employee.name,
                email: employee.email,
            }
        })
        .collect();
    let title = Page::new("Employees", Part::Employees, viewer).said(said);
    page(&EmployeesView {
        page: title,
        rows,
        next,
        later_page,
    })
}

/// `Worklog` or `Monitoring`.
pub(super) fn mode_name(mode: WorkMode) -> &'static str {
    match mode {
        WorkMode::Worklog => "Worklog",
        WorkMode::Monitoring => "Monitoring",
    }
}

async fn said(
    read: &mut Read,
    actor: &Actor,
    query: &ListQuery,
) -> Result<Option<String>, PageError> {
    if query.said.as_deref() == Some("erased") {
        return Ok(Some(
            "The person is erased. The receipt is in the audit log.".into(),
        ));
    }
    let (Some(said), Some(id)) = (query.said.as_deref(), query.id) else {
        return Ok(None);
    };
    let Some(Employee {
        name,
        serial,
        active,
        ..
    }) = read
        .employee(id)
        .await?
        .filter(|one| actor.reaches(&one.workspace_id))
    else {
        return Ok(None);
    };
    Ok(match said {
        "saved" if active => Some(format!(
            "{name} is saved, and license no. {serial} is ready."
        )),
        "saved" => Some(format!("{name} is saved. A license is made on activation.")),
        "sent" => Some(format!("The license of {name} is on its way.")),
        "active" if active => Some(format!(
            "{name} is active, and license no. {serial} is ready."
        )),
        "inactive" if !active => Some(format!(
            "{name} is not active any more: from now on nothing is taken."
        )),
        _ => None,
    })
}

/// What the row's menu sends.
#[derive(Debug, Deserialize)]
pub(super) struct ActiveForm {
    #[serde(deserialize_with = "ticked")]
    active: bool,
}

/// Ticks or unticks the Active box (rules 8 to 10).
pub(super) async fn set_active(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
    FormOf(form): FormOf<ActiveForm>,
) -> PageResult {
    let change = EmployeeForm {
        active: Some(form.active),
        ..EmployeeForm::default()
    };
    people::update_employee(&state, &actor, id, change).await?;
    let said = if form.active { "active" } else { "inactive" };
    Ok(Redirect::to(&format!("/employees?said={said}&id={id}")).into_response())
}

/// "Send license": queued as an attachment of a mail, with instructions (rules 14 and 15).
pub(super) async fn send_license(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> PageResult {
    people::send_license(&state, &actor, id).await?;
    Ok(Redirect::to(&format!("/employees?said=sent&id={id}")).into_response())
}

/// "Save license": the file (rule 14).
pub(super) async fn license(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> PageResult {
    let (employee, license) = people::license_for(&state, &actor, id).await?;
    let name = people::license_file_name(&employee);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(ApiError::internal)?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/gzip"),
        ),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, license.file).into_response())
}
