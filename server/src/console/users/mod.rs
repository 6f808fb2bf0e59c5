//! The company's users: the list with each one's validation result, the form of one, and what the row's
//! menu does (rules 26 to 45).

mod view;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};
use serde::Deserialize;

pub(super) use view::{Right, Row, Seats, UserFields, UserView, UsersView};

use super::confirm::ConfirmView;
use super::form::{Errors, Said, plainly};
use super::gate::{FormOf, PageResult, PathId, form_encode, page, refused};
use super::layout::{Page, Part, Viewer};
use super::words;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, NO_SEAT};
use crate::people::{self, PlanState, UserForm};
use crate::store::{MemberStatus, User, UserFilter, UserStatus};

/// Rows on a page.
const ROWS: u32 = 200;
/// Workspaces whose names are looked up: more than any company has.
const MANY_WORKSPACES: u32 = 10_000;

/// Which part of the list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    after: Option<String>,
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
    actor.may(Verb::Read, Object::User)?;
    let seats = seats(&state, &actor).await?;
    let filter = UserFilter {
        after: query.after.clone(),
        limit: ROWS + 1,
    };
    let mut read = state.read(actor.company_id).await?;
    let mut users = read.listed_users(&filter).await?;
    let more = users.len() > ROWS as usize;
    users.truncate(ROWS as usize);
    let next = users
        .last()
        .filter(|_| more)
        .map(|last| format!("/users?after={}", form_encode(&last.email)));
    let said = match query.said.as_str() {
        "active" => Some("The user is active."),
        "inactive" => Some("The user is inactive: logged out, and the seat is free."),
        "deleted" => Some("The user is deleted. What they tracked is kept."),
        _ => None,
    };
    let problem = (query.said == "no-seat" && seats.none_free())
        .then(|| "No seat is free: the user was not activated. See the row for what to do.".into());
    page(&UsersView {
        page: Page::new("Users", Part::Users, viewer).said(said),
        seats,
        problem,
        rows: users
            .iter()
            .map(|user| Row::of(user, user.company_id != actor.company_id))
            .collect(),
        next,
        later_page: query.after.is_some(),
    })
}

async fn seats(state: &AppState, actor: &Actor) -> Result<Seats, ApiError> {
    let PlanState { plan, seats_used } = people::read_plan(state, actor).await?;
    Ok(Seats {
        used: seats_used,
        of: plan.seats.and_then(|seats| u64::try_from(seats).ok()),
    })
}

/// The form of a new one.
pub(super) async fn blank(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    actor.may(Verb::Create, Object::User)?;
    let form = UserFields {
        active: true,
        ..UserFields::default()
    };
    page(&new_view(&state, &actor, viewer, form, Errors::default()).await?)
}

/// Makes an internal user.
pub(super) async fn create(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<UserFields>,
) -> PageResult {
    let mut filled = filled(&form);
    filled.user_id = Some(form.user_id.clone());
    filled.status = form.active.then(|| "active".into());
    match people::create_user(&state, &actor, filled).await {
        Ok(user) => Ok(to_user(&user.user_id, "made")),
        Err(error) => {
            let errors = at_fields(error)?;
            refused(&new_view(&state, &actor, viewer, form, errors).await?)
        }
    }
}

/// One user.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    Query(query): Query<Said>,
) -> PageResult {
    let user = find(&state, &actor, &id).await?;
    let said = match (query.said.as_str(), user.status) {
        ("made", UserStatus::Active) => Some("The user is made and active."),
        ("made", _) => Some("The record is made. It has no account yet."),
        ("saved", _) => Some("It is saved."),
        ("link", _) => Some("A new link is made. The one before is worth nothing from now on."),
        _ => None,
    };
    let mut view = user_view(&state, &actor, viewer, &user, None, Errors::default()).await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

/// Changes an internal user (rule 39).
pub(super) async fn update(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<UserFields>,
) -> PageResult {
    let mut change = filled(&form);
    // Not among the fields once the account exists (rule 40).
    change.user_id = Some(form.user_id.clone()).filter(|login| !login.is_empty());
    match people::update_user(&state, &actor, &id, change).await {
        Ok(_) => Ok(to_user(&id, "saved")),
        Err(error) => {
            let errors = at_fields(error)?;
            let user = find(&state, &actor, &id).await?;
            let view = user_view(&state, &actor, viewer, &user, Some(form), errors).await?;
            refused(&view)
        }
    }
}

/// What the buttons of a row send.
#[derive(Debug, Deserialize)]
pub(super) struct StatusForm {
    status: String,
}

/// Activates or deactivates (rules 31, 32, 43).
pub(super) async fn set_status(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<StatusForm>,
) -> PageResult {
    let change = UserForm {
        status: Some(form.status.clone()),
        ..UserForm::default()
    };
    match people::update_user(&state, &actor, &id, change).await {
        // A fresh account has a link to be handed on.
        Ok(user) if user.is_active() && user.password_hash.is_none() => Ok(to_user(&id, "made")),
        Ok(user) if user.is_active() => Ok(Redirect::to("/users?said=active").into_response()),
        Ok(_) => Ok(Redirect::to("/users?said=inactive").into_response()),
        Err(error) if error.code == NO_SEAT => {
            Ok(Redirect::to("/users?said=no-seat").into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes a new link to choose a password (rule 36).
pub(super) async fn welcome(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::send_welcome(&state, &actor, &id).await?;
    Ok(to_user(&id, "link"))
}

/// Asks before deleting.
pub(super) async fn ask_delete(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    actor.may(Verb::Delete, Object::User)?;
    let user = find(&state, &actor, &id).await?;
    let name = user.name();
    page(&ConfirmView {
        page: Page::new(format!("Delete {name}?"), Part::Users, viewer),
        back: ("/users".into(), "Users".into()),
        text: vec![
            format!(
                "The account of {name} ({}) and their leave days are gone for good.",
                user.email
            ),
            "What they tracked is kept and stays in the reports.".into(),
        ],
        action: format!("/users/{id}/delete"),
        button: format!("Delete {name}"),
        tick: None,
        problem: None,
    })
}

/// Deletes an inactive internal user (rules 42 and 43).
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::delete_user(&state, &actor, &id).await?;
    Ok(Redirect::to("/users?said=deleted").into_response())
}

fn to_user(id: &str, said: &str) -> axum::response::Response {
    Redirect::to(&format!("/users/{id}?said={said}")).into_response()
}

fn filled(form: &UserFields) -> UserForm {
    UserForm {
        first_name: Some(form.first_name.clone()),
        last_name: Some(form.last_name.clone()),
        email: Some(form.email.clone()),
        ..UserForm::default()
    }
}

/// What a refusal says at its field; what the form cannot help stays an error.
fn at_fields(error: ApiError) -> Result<Errors, ApiError> {
    let entered = matches!(
        error.status,
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT
    );
    let (true, Some(field)) = (entered, error.field.clone()) else {
        return Err(error);
    };
    let mut errors = Errors::default();
    errors.add(field, plainly(&error));
    Ok(errors)
}

async fn find(state: &AppState, actor: &Actor, id: &str) -> Result<User, ApiError> {
    actor.may(Verb::Read, Object::User)?;
    let user = state.read(actor.company_id).await?.listed_user(id).await?;
    user.ok_or_else(|| ApiError::not_found("user"))
}

async fn new_view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    form: UserFields,
    errors: Errors,
) -> PageResult<UserView> {
    Ok(UserView {
        page: Page::new("New user", Part::Users, viewer),
        row: None,
        seats: seats(state, actor).await?,
        form,
        errors,
        link: None,
        mail_is_sent: state.mail_is_sent,
        rights: Vec::new(),
    })
}

async fn user_view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    user: &User,
    form: Option<UserFields>,
    errors: Errors,
) -> PageResult<UserView> {
    let external = user.company_id != actor.company_id;
    let seats = seats(state, actor).await?;
    let mut read = state.read(actor.company_id).await?;
    let link = if external {
        None
    } else {
        people::link_to_copy(state, &mut read, &user.user_id).await?
    };
    let workspaces = read.workspaces(None, MANY_WORKSPACES).await?;
    let members = read.members_of(user.company_id, &user.user_id).await?;
    let rights = members
        .into_iter()
        .filter(|member| matches!(member.status, MemberStatus::Active | MemberStatus::Inactive))
        .filter_map(|member| {
            let workspace = workspaces
                .iter()
                .find(|one| one.workspace_id == member.workspace_id)?;
            Some(Right {
                member_id: member.member_id,
                workspace: workspace.name.clone(),
                role: words::role(member.role.as_str()),
                inactive: member.status == MemberStatus::Inactive,
            })
        })
        .collect();
    // The User ID is no field of the form once the account exists.
    let mut form = form.unwrap_or_else(|| UserFields {
        user_id: user.login.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.clone(),
        active: false,
    });
    if user.status != UserStatus::NotYetActive {
        form.user_id.clone_from(&user.login);
    }
    Ok(UserView {
        page: Page::new(user.name(), Part::Users, viewer),
        row: Some(Row::of(user, external)),
        seats,
        form,
        errors,
        link,
        mail_is_sent: state.mail_is_sent,
        rights,
    })
}
