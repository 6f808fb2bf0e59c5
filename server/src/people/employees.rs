//! Employees: made, changed, switched on and off, each with the license that follows (rules 1 to 17).

use glasshour_license_format::WorkMode;
use glasshour_protocol::{CompanyId, EmployeeId, ProjectId};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::{reach, rules};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, NO_LICENSE};
use crate::license::{self, Signing};
use crate::store::{Employee, License, MemberStatus, Profile, Project, Read};

/// The employee form (rule 1). For a new employee `name`, `work_mode` and `active` are required, and
/// the default project and profile stand in for missing ones; for a change, what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EmployeeForm)]
pub struct EmployeeForm {
    /// As it appears in every report.
    pub name: Option<String>,
    /// Where the license can be sent; `null` or empty: nowhere.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    /// `worklog` or `monitoring`.
    pub work_mode: Option<String>,
    /// A project or department; absent: the default one.
    pub project_id: Option<String>,
    /// A profile; absent: the default one.
    pub profile_id: Option<String>,
    /// Whether the server takes captures of this employee.
    pub active: Option<bool>,
    /// Where a new one works; absent: where the project is, or the chosen workspace.
    pub workspace_id: Option<String>,
}

/// Tells `null` from absent.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things in a PATCH"
)]
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Makes an employee; an active one has a license when this returns (rules 9 and 10).
pub async fn create_employee(
    state: &AppState,
    actor: &Actor,
    form: EmployeeForm,
) -> Result<Employee, ApiError> {
    actor.may(Verb::Create, Object::Employee)?;
    let name = rules::name("name", &rules::required("name", form.name)?)?;
    let work_mode = rules::work_mode(&rules::required("work_mode", form.work_mode)?)?;
    let active = rules::required("active", form.active)?;
    let email = rules::email(&form.email.flatten().unwrap_or_default())?;

    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let workspace = match (&form.workspace_id, &form.project_id) {
        (None, Some(_)) => None,
        (asked, _) => Some(actor.workspace(&mut write, asked.as_deref()).await?),
    };
    let project = choose_project(
        &mut write,
        actor,
        workspace.as_deref(),
        form.project_id.as_deref(),
    )
    .await?;
    let profile = choose_profile(&mut write, form.profile_id.as_deref()).await?;
    let mut employee = Employee {
        employee_id: EmployeeId(Uuid::now_v7()),
        workspace_id: project.workspace_id,
        name,
        email,
        work_mode,
        project_id: project.project_id,
        profile_id: profile.profile_id.clone(),
        active,
        serial: 0,
        created_at: now_ms,
        updated_at: now_ms,
    };
    let signing = Signing::begin(&mut write).await?;
    let license = first_license(state, &signing, &mut employee, &profile)?;
    write
        .insert_employees(std::slice::from_ref(&employee))
        .await?;
    write.insert_first_licenses(license.as_slice()).await?;
    write.commit().await?;
    Ok(employee)
}

/// The license that a new employee is stored with: an active one has one, another has none (rules 9 and 10).
pub(super) fn first_license(
    state: &AppState,
    signing: &Signing,
    employee: &mut Employee,
    profile: &Profile,
) -> Result<Option<License>, ApiError> {
    if !employee.active {
        return Ok(None);
    }
    let now_ms = employee.created_at;
    license::make(state, signing, employee, profile, now_ms).map(Some)
}

/// Changes an employee. A change of what the license says, and activation, issue the next serial
/// (rule 17); deactivation issues none, and the server takes nothing more (rule 8).
pub async fn update_employee(
    state: &AppState,
    actor: &Actor,
    id: EmployeeId,
    form: EmployeeForm,
) -> Result<Employee, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let old = reach::employee(&mut write, actor, Verb::Change, Object::Employee, id).await?;
    if form
        .workspace_id
        .is_some_and(|other| other != old.workspace_id)
    {
        let message = "An employee stays in their workspace.";
        return Err(ApiError::invalid("workspace_id", message));
    }
    let mut new = old.clone();
    if let Some(name) = form.name {
        new.name = rules::name("name", &name)?;
    }
    if let Some(email) = form.email {
        new.email = rules::email(&email.unwrap_or_default())?;
    }
    if let Some(mode) = form.work_mode {
        new.work_mode = rules::work_mode(&mode)?;
    }
    // Whoever is on an archived one may stay there.
    let project_id = form.project_id;
    if let Some(project_id) = project_id.filter(|id| *id != old.project_id.to_string()) {
        let here = Some(old.workspace_id.as_str());
        new.project_id = choose_project(&mut write, actor, here, Some(&project_id))
            .await?
            .project_id;
    }
    let profile_id = form.profile_id.unwrap_or_else(|| old.profile_id.clone());
    let profile = choose_profile(&mut write, Some(&profile_id)).await?;
    new.profile_id.clone_from(&profile.profile_id);
    if let Some(active) = form.active {
        new.active = active;
    }
    if new.active && !old.active {
        refuse_deactivated(&mut write, id).await?;
    }
    if new == old {
        return Ok(old);
    }
    new.updated_at = now_ms;
    if needs_license(&old, &new) {
        license::issue(state, &mut write, &mut new, &profile, now_ms).await?;
    }
    write.update_employee(&new).await?;
    write.commit().await?;
    Ok(new)
}

/// Somebody who was deactivated as a member tracks nothing, whoever ticks the box (rule 54).
async fn refuse_deactivated(read: &mut Read, id: EmployeeId) -> Result<(), ApiError> {
    let member = read.member_of_employee(id).await?;
    match member {
        Some(member)
            if matches!(
                member.status,
                MemberStatus::Inactive | MemberStatus::Deleted
            ) =>
        {
            let message = format!(
                "{} was deactivated as a member. Reactivate them first.",
                member.name
            );
            Err(ApiError::conflict(Some("active"), message))
        }
        _ => Ok(()),
    }
}

/// Whether a change makes the next license necessary (rule 17).
fn needs_license(old: &Employee, new: &Employee) -> bool {
    let licensed = |employee: &Employee| -> (bool, String, WorkMode, ProjectId, String) {
        (
            employee.active,
            employee.name.clone(),
            employee.work_mode,
            employee.project_id,
            employee.profile_id.clone(),
        )
    };
    new.active && licensed(old) != licensed(new)
}

/// The employee with their current license, for somebody who may hand it over (rule 14).
pub async fn license_for(
    state: &AppState,
    actor: &Actor,
    id: EmployeeId,
) -> Result<(Employee, License), ApiError> {
    let mut read = state.read(actor.company_id).await?;
    reach::employee(&mut read, actor, Verb::Read, Object::License, id).await?;
    drop(read);
    license_file(state, actor.company_id, id).await
}

/// The employee with their current license: 404 without the employee, 409 `no_license` where none
/// was ever issued (rule 10).
pub async fn license_file(
    state: &AppState,
    company: CompanyId,
    id: EmployeeId,
) -> Result<(Employee, License), ApiError> {
    let mut read = state.read(company).await?;
    let employee = read
        .employee(id)
        .await?
        .ok_or_else(|| ApiError::not_found("employee"))?;
    let license = read.current_license(id).await?.ok_or_else(|| {
        let message = format!(
            "There is no license for {} yet: one is made when the employee becomes active.",
            employee.name
        );
        ApiError::new(axum::http::StatusCode::CONFLICT, NO_LICENSE, message)
    })?;
    Ok((employee, license))
}

/// `<employee>.license.gz`, of characters that every file system and HTTP header takes.
pub fn license_file_name(employee: &Employee) -> String {
    let mut stem = String::new();
    for c in employee.name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => stem.push(c.to_ascii_lowercase()),
            _ if stem.ends_with('-') || stem.is_empty() => {}
            _ => stem.push('-'),
        }
    }
    let stem = stem.trim_end_matches('-');
    let stem = if stem.is_empty() { "employee" } else { stem };
    format!("{stem}.license.gz")
}

/// The project asked for, else the workspace's default one. `workspace`: `None` where the project decides.
async fn choose_project(
    read: &mut Read,
    actor: &Actor,
    workspace: Option<&str>,
    id: Option<&str>,
) -> Result<Project, ApiError> {
    let unknown = || {
        ApiError::invalid(
            "project_id",
            "There is no project or department by that id.",
        )
    };
    match id {
        Some(id) => read
            .project(id.parse().map_err(|_| unknown())?)
            .await?
            .filter(|project| match workspace {
                Some(workspace) => project.workspace_id == workspace,
                None => actor.reaches(&project.workspace_id),
            })
            .ok_or_else(unknown)
            .and_then(not_archived),
        None => read
            .default_project(workspace)
            .await?
            .ok_or_else(|| rules::missing("project_id")),
    }
}

/// Nothing new begins on what is over.
fn not_archived(project: Project) -> Result<Project, ApiError> {
    if project.archived {
        let message = format!("{} is archived. Choose another.", project.name);
        return Err(ApiError::invalid("project_id", message));
    }
    Ok(project)
}

async fn choose_profile(read: &mut Read, id: Option<&str>) -> Result<Profile, ApiError> {
    let unknown = || ApiError::invalid("profile_id", "There is no profile by that id.");
    match id {
        Some(id) => read.profile(id).await?.ok_or_else(unknown),
        None => read
            .default_profile()
            .await?
            .ok_or_else(|| rules::missing("profile_id")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn employee() -> Employee {
        Employee {
            employee_id: EmployeeId(Uuid::from_u128(1)),
            workspace_id: "w".into(),
            name: "Jo Doe".into(),
            email: None,
            work_mode: WorkMode::Worklog,
            project_id: ProjectId(Uuid::from_u128(2)),
            profile_id: "p".into(),
            active: true,
            serial: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn p17_mode_profile_project_name_and_activation_need_a_license_and_nothing_else_does() {
        let old = employee();
        let changed = |change: fn(&mut Employee)| {
            let mut new = old.clone();
            change(&mut new);
            needs_license(&old, &new)
        };
        assert!(changed(|e| e.work_mode = WorkMode::Monitoring));
        assert!(changed(|e| e.profile_id = "q".into()));
        assert!(changed(|e| e.project_id = ProjectId(Uuid::from_u128(3))));
        assert!(changed(|e| e.name = "Jo Roe".into()));
        assert!(!changed(|e| e.email = Some("jo@acme.example".into())));
        assert!(!changed(|e| e.active = false));
        assert!(!changed(|e| {
            e.active = false;
            e.name = "Jo Roe".into();
        }));
        let off = Employee {
            active: false,
            ..old.clone()
        };
        assert!(needs_license(&off, &old));
    }

    #[test]
    fn a_license_is_named_after_the_employee_in_plain_characters() {
        let named = |name: &str| {
            license_file_name(&Employee {
                name: name.into(),
                ..employee()
            })
        };
        assert_eq!(named("Jo Doe"), "jo-doe.license.gz");
        assert_eq!(named("../Jo \"x\" / Doe\r\n"), "jo-x-doe.license.gz");
        assert_eq!(named("李雷"), "employee.license.gz");
    }
}
