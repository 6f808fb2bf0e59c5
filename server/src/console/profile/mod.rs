//! The profile form: every setting of a license's profile, with the notice it will make.

mod form;
mod view;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};
use glasshour_license_format::{Profile as Settings, WorkMode};
use glasshour_words::Words;
use glasshour_words::notice::{Notice, NoticeInput};
use serde_json::Value;

use form::ProfileForm;
pub(super) use view::ProfileView;

use super::employee::NoticeView;
use super::form::Errors;
use super::gate::{FormOf, PageError, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people;
use crate::store::Profile;

/// The form for a new profile, filled like the standard one.
pub(super) async fn blank(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    actor.may(Verb::Create, Object::Profile)?;
    let mut form = ProfileForm::of(&people::standard_profile(""));
    let mut read = state.read(actor.company_id).await?;
    let own = people::company_settings(&mut read).await?;
    drop(read);
    form.time_zone = own.time_zone.unwrap_or_default();
    page(&view(&state, &actor, viewer, None, form, Errors::default()).await?)
}

/// The form of a profile.
pub(super) async fn edit(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    actor.may(Verb::Change, Object::Profile)?;
    let old = find(&state, &actor, &id).await?;
    let form = ProfileForm::of(&old.settings);
    page(&view(&state, &actor, viewer, Some(&old), form, Errors::default()).await?)
}

/// Makes a profile.
pub(super) async fn create(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<ProfileForm>,
) -> PageResult {
    submit(viewer, &actor, &state, None, form).await
}

/// Changes a profile; everyone on it gets a new license (rule 17).
pub(super) async fn update(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<ProfileForm>,
) -> PageResult {
    actor.may(Verb::Change, Object::Profile)?;
    let old = find(&state, &actor, &id).await?;
    submit(viewer, &actor, &state, Some(old), form).await
}

/// The notice alone, for the form's script.
pub(super) async fn notice(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<ProfileForm>,
) -> PageResult {
    actor.may(Verb::Create, Object::Profile)?;
    let notice = notice_of(&state, &actor, viewer.words, &form.read().0).await?;
    page(&NoticeView { notice })
}

async fn find(state: &AppState, actor: &Actor, id: &str) -> Result<Profile, PageError> {
    let profile = state.read(actor.company_id).await?.profile(id).await?;
    Ok(profile.ok_or_else(|| ApiError::not_found("profile"))?)
}

async fn submit(
    viewer: Viewer,
    actor: &Actor,
    state: &AppState,
    old: Option<Profile>,
    form: ProfileForm,
) -> PageResult {
    actor.may(Verb::Create, Object::Profile)?;
    if form.then == "preview" {
        return page(&view(state, actor, viewer, old.as_ref(), form, Errors::default()).await?);
    }
    let (settings, mut errors) = form.read();
    if errors.is_empty() {
        let filled = people::ProfileForm {
            name: Some(settings.name.clone()),
            settings: match serde_json::to_value(&settings).map_err(ApiError::internal)? {
                Value::Object(mut members) => {
                    members.remove("name");
                    Some(members)
                }
                _ => None,
            },
        };
        let saved = match &old {
            Some(old) => people::update_profile(state, actor, &old.profile_id, filled).await,
            None => people::create_profile(state, actor, filled).await,
        };
        let said = if old.is_some() { "saved" } else { "made" };
        match saved {
            Ok(_) => return Ok(Redirect::to(&format!("/profiles?said={said}")).into_response()),
            Err(error) if error.status.is_server_error() => return Err(error.into()),
            Err(error) if error.status == StatusCode::CONFLICT => {
                errors.add(
                    "name",
                    "A profile of that name exists already. Choose another name.",
                );
            }
            Err(error) if error.field.as_deref() == Some("name") => {
                errors.add("name", "Enter a name: one line of at most 200 characters.");
            }
            Err(error) => errors.add("elsewhere", error.message),
        }
    }
    refused(&view(state, actor, viewer, old.as_ref(), form, errors).await?)
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    old: Option<&Profile>,
    form: ProfileForm,
    errors: Errors,
) -> PageResult<ProfileView> {
    let title = old.map_or_else(|| "New profile".into(), |old| format!("Edit {}", old.name));
    let notice = notice_of(state, actor, viewer.words, &form.read().0).await?;
    Ok(ProfileView {
        page: Page::new(title, Part::Profiles, viewer),
        profile_id: old.map(|old| old.profile_id.clone()),
        form,
        errors,
        notice,
    })
}

/// A profile does not know its employees' mode: the notice is that of the worklog mode.
async fn notice_of(
    state: &AppState,
    actor: &Actor,
    words: Words,
    settings: &Settings,
) -> PageResult<Notice> {
    let mut read = state.read(actor.company_id).await?;
    let company = people::company(&mut read).await?;
    let own = people::company_settings(&mut read).await?;
    let input = NoticeInput {
        company: &company.name,
        employee: "",
        work_mode: WorkMode::Worklog,
        profile: settings,
        server_url: &state.server_url,
        retention: None,
        privacy_contact: company.privacy_contact.as_deref(),
        extra: own.notice.as_deref(),
        not_before: None,
        expires_at: None,
    };
    Ok(input.notice(words))
}
