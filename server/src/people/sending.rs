//! Sending licenses by mail, one or many, and handing many over as files (rules 14 and 15).

use glasshour_protocol::{EmployeeId, ProjectId, code};
use serde::Deserialize;
use serde_json::json;

use super::links::{self, Letter};
use super::{groups, reach};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, MAIL_OFF, NO_EMAIL};
use crate::store::{Employee, EmployeeSelection, MailTemplate, Read, Write};

/// Whose licenses: everybody's who fits all that is said.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema, utoipa::IntoParams,
)]
#[serde(deny_unknown_fields)]
#[schema(as = LicenseSelection)]
#[into_params(parameter_in = Query)]
pub struct SelectionForm {
    /// Everybody active; needed where nothing else is said.
    pub all: Option<bool>,
    /// Of this workspace; absent: the chosen workspace, or every one of the company.
    pub workspace_id: Option<String>,
    /// On this project or department.
    pub project_id: Option<String>,
    /// On this profile.
    pub profile_id: Option<String>,
    /// Whose member is in this group.
    pub group_id: Option<String>,
    /// True: only who has no device yet, or none any more.
    pub without_device: Option<bool>,
}

/// What became of one employee's license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicenseSent {
    /// Whose.
    pub employee_id: EmployeeId,
    /// Their name.
    pub name: String,
    /// `queued`, `no_email` or `no_license`.
    pub result: &'static str,
    /// For a person.
    pub message: String,
}

/// Sends an employee their license as an attachment with instructions: 422 `no_email` where there is no
/// address (rule 15), 409 `mail_off` where this server sends no mail.
pub async fn send_license(
    state: &AppState,
    actor: &Actor,
    id: EmployeeId,
) -> Result<Employee, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let employee = reach::employee(&mut write, actor, Verb::Change, Object::License, id).await?;
    if employee.email.is_none() {
        let message = format!(
            "{} has no e-mail address. Add one, or save the license and hand it over.",
            employee.name
        );
        let error = ApiError::invalid("email", message);
        return Err(ApiError {
            code: NO_EMAIL,
            ..error
        });
    }
    if !employee.active {
        let message = format!(
            "{} is not active. Activate them first: a license is sent to active employees.",
            employee.name
        );
        return Err(ApiError::not_now(code::EMPLOYEE_INACTIVE, message));
    }
    refuse_without_mail(state)?;
    queue(state, &mut write, &employee, now_ms).await?;
    write.commit().await?;
    Ok(employee)
}

/// Sends many employees their licenses; each has a result of its own.
pub async fn send_licenses(
    state: &AppState,
    actor: &Actor,
    form: SelectionForm,
) -> Result<Vec<LicenseSent>, ApiError> {
    actor.may(Verb::Change, Object::License)?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let selected = select(&mut write, actor, form).await?;
    refuse_without_mail(state)?;
    let mut results = Vec::new();
    for employee in selected {
        let (result, message) = if employee.email.is_none() {
            ("no_email", "No e-mail address. Save the license instead.")
        } else if queue(state, &mut write, &employee, now_ms).await? {
            ("queued", "On its way.")
        } else {
            ("no_license", "No license yet.")
        };
        results.push(LicenseSent {
            employee_id: employee.employee_id,
            name: employee.name,
            result,
            message: message.to_owned(),
        });
    }
    write.commit().await?;
    Ok(results)
}

/// The active employees that a form names, by name, within what the asker reaches.
pub(super) async fn select(
    read: &mut Read,
    actor: &Actor,
    form: SelectionForm,
) -> Result<Vec<Employee>, ApiError> {
    let narrowed = form.project_id.is_some()
        || form.profile_id.is_some()
        || form.group_id.is_some()
        || form.workspace_id.is_some()
        || form.without_device == Some(true);
    if !narrowed && form.all != Some(true) {
        let message = "Say whose licenses: `all`, `workspace_id`, `project_id`, `profile_id`, \
            `group_id` or `without_device`.";
        return Err(ApiError::invalid("all", message));
    }
    let workspace_id = actor.scope(form.workspace_id.as_deref())?;
    if let Some(id) = &form.group_id {
        groups::find(read, actor, Verb::Read, id).await?;
    }
    let unknown = || {
        let message = "There is no project or department by that id.";
        ApiError::invalid("project_id", message)
    };
    let project_id: Option<ProjectId> = match form.project_id {
        Some(id) => Some(id.parse().map_err(|_| unknown())?),
        None => None,
    };
    let selection = EmployeeSelection {
        workspace_id,
        project_id,
        profile_id: form.profile_id,
        group_id: form.group_id,
        without_device: form.without_device == Some(true),
    };
    Ok(read.selected_employees(&selection).await?)
}

fn refuse_without_mail(state: &AppState) -> Result<(), ApiError> {
    if state.mail_is_sent {
        return Ok(());
    }
    let message = "This server sends no mail. Save the license and hand it over, or have whoever runs \
        the server set up a mail server (`--smtp`).";
    Err(ApiError::not_now(MAIL_OFF, message))
}

/// Queues the mail; false where there is no license. A mail to the same employee that still waits is
/// replaced: both would carry the same file.
async fn queue(
    state: &AppState,
    write: &mut Write,
    employee: &Employee,
    now_ms: i64,
) -> Result<bool, ApiError> {
    let Some(email) = employee.email.as_deref() else {
        return Ok(false);
    };
    if employee.serial == 0 {
        return Ok(false);
    }
    let company = super::company(write).await?.name;
    let letter = Letter {
        to: email,
        template: MailTemplate::License,
        subject_id: &employee.employee_id.to_string(),
        params: json!({"name": employee.name, "company": company}),
    };
    links::queue(state, write, &letter, None, now_ms).await?;
    Ok(true)
}
