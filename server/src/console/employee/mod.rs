//! The employee form: the fields of rule 1 on the left, on the right the notice they will make.

mod view;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect};
use glasshour_license_format::WorkMode;
use glasshour_protocol::EmployeeId;
use glasshour_words::Words;
use glasshour_words::notice::{Notice, NoticeInput};

use view::KeyView;
pub(super) use view::{EmployeeForm, EmployeeView, NoticeView};

use super::employees::MANY;
use super::form::{Choice, Errors};
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use super::words::utc_day;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, ProjectForm, reach};
use crate::store::{Employee, ProjectKind, Read};

/// The form for a new employee, with the defaults chosen (rules 5 and 7).
pub(super) async fn blank(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    actor.may(Verb::Create, Object::Employee)?;
    let scope = actor.scope(None)?;
    let mut read = state.read(actor.company_id).await?;
    let project = read.default_project(scope.as_deref()).await?;
    let profile = read.default_profile().await?;
    let form = EmployeeForm {
        work_mode: WorkMode::Worklog.as_str().into(),
        project_id: project.map_or_else(String::new, |project| project.project_id.to_string()),
        profile_id: profile.map_or_else(String::new, |profile| profile.profile_id),
        active: true,
        ..EmployeeForm::default()
    };
    page(&view(&state, &actor, read, viewer, None, form, Errors::default()).await?)
}

/// The form of an employee.
pub(super) async fn edit(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let employee = reach::employee(&mut read, &actor, Verb::Change, Object::Employee, id).await?;
    let form = EmployeeForm {
        name: employee.name.clone(),
        email: employee.email.clone().unwrap_or_default(),
        work_mode: employee.work_mode.as_str().into(),
        project_id: employee.project_id.to_string(),
        profile_id: employee.profile_id.clone(),
        active: employee.active,
        ..EmployeeForm::default()
    };
    page(
        &view(
            &state,
            &actor,
            read,
            viewer,
            Some(&employee),
            form,
            Errors::default(),
        )
        .await?,
    )
}

/// Makes an employee.
pub(super) async fn create(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<EmployeeForm>,
) -> PageResult {
    submit(viewer, actor, state, None, form).await
}

/// Changes an employee.
pub(super) async fn update(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
    FormOf(form): FormOf<EmployeeForm>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let employee = reach::employee(&mut read, &actor, Verb::Change, Object::Employee, id).await?;
    drop(read);
    submit(viewer, actor, state, Some(employee), form).await
}

/// The notice alone, for the form's script.
pub(super) async fn notice(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<EmployeeForm>,
) -> PageResult {
    actor.may(Verb::Create, Object::Employee)?;
    let mut read = state.read(actor.company_id).await?;
    let notice = notice_of(&state, &mut read, viewer.words, &form).await?;
    page(&NoticeView { notice })
}

async fn submit(
    viewer: Viewer,
    actor: Actor,
    state: AppState,
    old: Option<Employee>,
    mut form: EmployeeForm,
) -> PageResult {
    actor.may(Verb::Create, Object::Employee)?;
    if form.then == "preview" {
        let read = state.read(actor.company_id).await?;
        return page(
            &view(
                &state,
                &actor,
                read,
                viewer,
                old.as_ref(),
                form,
                Errors::default(),
            )
            .await?,
        );
    }
    match save(&state, &actor, old.as_ref(), &mut form).await {
        Ok(employee) => {
            let id = employee.employee_id;
            Ok(Redirect::to(&format!("/employees?said=saved&id={id}")).into_response())
        }
        Err(error) if error.status.is_server_error() => Err(error.into()),
        Err(error) => {
            let mut errors = Errors::default();
            let field = error.field.clone().unwrap_or_default();
            errors.add(&field, words(&field, &error));
            let read = state.read(actor.company_id).await?;
            refused(&view(&state, &actor, read, viewer, old.as_ref(), form, errors).await?)
        }
    }
}

/// Saves the form. A new project is made first (rule 5) and stays chosen if the rest is refused.
async fn save(
    state: &AppState,
    actor: &Actor,
    old: Option<&Employee>,
    form: &mut EmployeeForm,
) -> Result<Employee, ApiError> {
    // Refused before a project is made for it.
    if form.name.trim().is_empty() {
        return Err(ApiError::invalid("name", ""));
    }
    if !form.new_project.trim().is_empty() {
        let project = ProjectForm {
            name: Some(form.new_project.clone()),
            color: None,
            kind: Some(form.new_project_kind.clone()).filter(|kind| !kind.is_empty()),
            archived: None,
            workspace_id: old.map(|old| old.workspace_id.clone()),
        };
        let project = people::create_project(state, actor, project)
            .await
            .map_err(|error| {
                let taken = error.status == axum::http::StatusCode::CONFLICT;
                let message = if taken {
                    "A project or department of that name exists already. Choose it above."
                } else {
                    "Enter one line of at most 200 characters."
                };
                if error.status.is_server_error() {
                    error
                } else {
                    ApiError::invalid("new_project", message)
                }
            })?;
        form.project_id = project.project_id.to_string();
        form.new_project.clear();
    }
    let filled = people::EmployeeForm {
        name: Some(form.name.clone()),
        email: Some(Some(form.email.clone())),
        work_mode: Some(form.work_mode.clone()),
        project_id: Some(form.project_id.clone()).filter(|id| !id.is_empty()),
        profile_id: Some(form.profile_id.clone()).filter(|id| !id.is_empty()),
        active: Some(form.active),
        workspace_id: None,
    };
    match old {
        Some(old) => people::update_employee(state, actor, old.employee_id, filled).await,
        None => people::create_employee(state, actor, filled).await,
    }
}

/// What is wrong with a field, as the form says it.
fn words(field: &str, error: &ApiError) -> String {
    match field {
        "name" => "Enter a name: one line of at most 200 characters.".into(),
        "email" => "This is not an e-mail address. Correct it, or leave it empty.".into(),
        "work_mode" => "Choose who starts and stops tracking.".into(),
        "project_id" => "Choose a project or department.".into(),
        "profile_id" => "Choose a profile.".into(),
        _ => error.message.clone(),
    }
}

async fn view(
    state: &AppState,
    actor: &Actor,
    mut read: Read,
    viewer: Viewer,
    old: Option<&Employee>,
    form: EmployeeForm,
    errors: Errors,
) -> PageResult<EmployeeView> {
    let scope = match old {
        Some(old) => Some(old.workspace_id.clone()),
        None => actor.scope(None)?,
    };
    let projects = read
        .projects(scope.as_deref(), MANY)
        .await?
        .into_iter()
        .filter(|one| !one.archived || one.project_id.to_string() == form.project_id)
        .map(|project| Choice {
            value: project.project_id.to_string(),
            label: match project.kind {
                ProjectKind::Project => project.name,
                ProjectKind::Department => format!("{} (department)", project.name),
            },
        });
    let projects = projects.collect();
    let profiles = read.profiles(MANY).await?.into_iter();
    let profiles = profiles
        .map(|profile| Choice {
            value: profile.profile_id,
            label: profile.name,
        })
        .collect();
    let notice = notice_of(state, &mut read, viewer.words, &form).await?;
    let key = key_view(&mut read).await?;
    let title = old.map_or_else(|| "New employee".into(), |old| format!("Edit {}", old.name));
    Ok(EmployeeView {
        page: Page::new(title, Part::Employees, viewer),
        employee_id: old.map(|old| old.employee_id.to_string()),
        form,
        errors,
        projects,
        profiles,
        notice,
        key,
    })
}

/// The key that signs the company's licenses now.
async fn key_view(read: &mut Read) -> PageResult<KeyView> {
    let keys = read.signing_keys().await?;
    let (now, former) = keys
        .split_last()
        .ok_or_else(|| ApiError::internal("the company has no signing key"))?;
    Ok(KeyView {
        fingerprint: now.fingerprint.clone(),
        changed: (!former.is_empty()).then(|| utc_day(now.created_at)),
    })
}

/// The notice that the form's license would make; of the default profile where none is chosen.
async fn notice_of(
    state: &AppState,
    read: &mut Read,
    words: Words,
    form: &EmployeeForm,
) -> PageResult<Notice> {
    let chosen = match form.profile_id.as_str() {
        "" => None,
        id => read.profile(id).await?,
    };
    let profile = match chosen {
        Some(profile) => profile,
        None => read
            .default_profile()
            .await?
            .ok_or_else(|| ApiError::internal("the company has no default profile"))?,
    };
    let company = people::company(read).await?;
    let settings = people::company_settings(read).await?;
    let input = NoticeInput {
        company: &company.name,
        employee: &form.name,
        work_mode: form.mode().unwrap_or(WorkMode::Worklog),
        profile: &profile.settings,
        server_url: &state.server_url,
        retention: None,
        privacy_contact: company.privacy_contact.as_deref(),
        extra: settings.notice.as_deref(),
        not_before: None,
        expires_at: None,
    };
    Ok(input.notice(words))
}
