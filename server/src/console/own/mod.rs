//! The person's own pages: profile, the bell, and the choice of a workspace.

mod view;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use serde::Deserialize;

pub(super) use view::{MeView, Membership, NoticeRow, NoticesView, WorkspaceView};

use super::form::{Errors, Said};
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use super::words;
use crate::AppState;
use crate::auth::{Actor, Role};
use crate::error::ApiError;
use crate::people::{self, DAYS, MemberForm, OwnForm, WorkspaceForm};
use crate::store::MemberStatus;

/// Notices on the page; older ones are not shown.
const NOTICES: u32 = 100;

/// Where somebody begins: with the team, with themself, or with a workspace to make (rule 56).
pub(super) async fn home(actor: Actor) -> Redirect {
    Redirect::to(match actor.role {
        Role::Nobody if actor.owes_factor => "/me/security",
        Role::Nobody => "/workspaces/new",
        Role::Employee => "/me",
        Role::Company | Role::Owner | Role::Admin | Role::Manager => "/team",
    })
}

/// The profile.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    let said = match query.said.as_str() {
        "saved" => Some("Your profile is saved."),
        _ => None,
    };
    let mut view = me(&state, &actor, viewer, Errors::default()).await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

/// What the profile's form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ProfileForm {
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    /// Absent where there is no workspace.
    #[serde(default)]
    first_day: Option<String>,
    #[serde(default)]
    capacity_h: Option<String>,
    #[serde(default, rename = "mon")]
    monday: Option<String>,
    #[serde(default, rename = "tue")]
    tuesday: Option<String>,
    #[serde(default, rename = "wed")]
    wednesday: Option<String>,
    #[serde(default, rename = "thu")]
    thursday: Option<String>,
    #[serde(default, rename = "fri")]
    friday: Option<String>,
    #[serde(default, rename = "sat")]
    saturday: Option<String>,
    #[serde(default, rename = "sun")]
    sunday: Option<String>,
}

impl ProfileForm {
    fn days(&self) -> Vec<String> {
        let ticked = [
            &self.monday,
            &self.tuesday,
            &self.wednesday,
            &self.thursday,
            &self.friday,
            &self.saturday,
            &self.sunday,
        ];
        let days = DAYS.into_iter().zip(ticked);
        days.filter(|(_, ticked)| ticked.is_some())
            .map(|(day, _)| day.to_owned())
            .collect()
    }
}

/// Saves the profile (rule 53).
pub(super) async fn save(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<ProfileForm>,
) -> PageResult {
    match save_all(&state, &actor, &form).await {
        Ok(()) => Ok(Redirect::to("/me?said=saved").into_response()),
        Err(error) if error.field.is_some() => {
            let mut errors = Errors::default();
            let field = error.field.clone().unwrap_or_default();
            errors.add(field, error.message);
            refused(&me(&state, &actor, viewer, errors).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn save_all(state: &AppState, actor: &Actor, form: &ProfileForm) -> Result<(), ApiError> {
    let names = OwnForm {
        first_name: Some(form.first_name.clone()),
        last_name: Some(form.last_name.clone()).filter(|name| !name.trim().is_empty()),
    };
    people::update_own(state, actor, names).await?;
    let member = people::own_member(state, actor).await?;
    let (Some(member), Some(first_day)) = (member, &form.first_day) else {
        return Ok(());
    };
    let change = MemberForm {
        first_day: Some(first_day.clone()),
        working_days: Some(form.days()),
        daily_capacity_min: form.capacity_h.as_deref().map(words::minutes).transpose()?,
        ..MemberForm::default()
    };
    people::update_member(state, actor, &member.member_id, change).await?;
    Ok(())
}

async fn me(state: &AppState, actor: &Actor, viewer: Viewer, errors: Errors) -> PageResult<MeView> {
    let user = people::person(actor)?;
    let member = people::own_member(state, actor).await?;
    Ok(MeView {
        page: Page::new("Your profile", Part::Own, viewer),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.clone(),
        user_id: user.login.clone(),
        employee_id: member
            .as_ref()
            .and_then(|member| member.employee_id)
            .map(|id| id.to_string()),
        member: member.map(|member| Membership {
            first_day: member.first_day,
            working_days: member.working_days.split(',').map(str::to_owned).collect(),
            capacity: words::hours(member.capacity_min),
            role: member.role.as_str(),
        }),
        errors,
    })
}

/// The bell. Looking at it marks what it shows as seen.
pub(super) async fn notices(
    mut viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    let user = people::person(&actor)?;
    let now_ms = state.clock.now_ms();
    let waiting = state
        .db
        .find_memberships(user.company_id, &user.user_id)
        .await?;
    let mut read = state.read(user.company_id).await?;
    let notices = read.notices(&user.user_id, None, NOTICES).await?;
    drop(read);
    viewer.unread = 0;
    let mut rows = Vec::new();
    for notice in notices {
        if notice.read_at.is_none() {
            people::see_notice(&state, &actor, &notice.notice_id).await?;
        }
        let text = |name: &str| {
            let value = notice.params.get(name).and_then(serde_json::Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let member_id = text("member_id");
        let waits = waiting
            .iter()
            .any(|one| one.member_id == member_id && one.status == MemberStatus::Pending);
        rows.push(NoticeRow {
            text: match notice.kind.as_str() {
                "invitation" => format!(
                    "{} invites you into {} of {}.",
                    text("by"),
                    text("workspace"),
                    text("company")
                ),
                "ownership" => format!(
                    "{} owns {} now: {} transferred it.",
                    text("owner"),
                    text("workspace"),
                    text("by")
                ),
                "mail_failed" => format!(
                    "Mail to {} could not be sent: {}",
                    text("to"),
                    text("reason")
                ),
                "device_waits" => format!(
                    "{} of {} is new and waits to be approved: nothing is taken from it before.",
                    text("computer"),
                    text("employee")
                ),
                other => other.to_owned(),
            },
            leads_to: match notice.kind.as_str() {
                "device_waits" => Some(("/devices", "Devices")),
                "mail_failed" => Some(("/mail", "Mail")),
                _ => None,
            },
            ago: words::ago(now_ms - notice.created_at),
            fresh: notice.read_at.is_none(),
            invitation: Some(member_id).filter(|_| waits),
        });
    }
    let said = match query.said.as_str() {
        "accepted" => Some("You take part from now on. Choose the workspace at the top."),
        "declined" => Some("The invitation is declined."),
        _ => None,
    };
    page(&NoticesView {
        page: Page::new("Notices", Part::Own, viewer).said(said),
        rows,
    })
}

/// Accepts an invitation.
pub(super) async fn accept(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::answer_invitation(&state, &actor, &id, true).await?;
    Ok(Redirect::to("/notices?said=accepted").into_response())
}

/// Declines an invitation.
pub(super) async fn decline(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::answer_invitation(&state, &actor, &id, false).await?;
    Ok(Redirect::to("/notices?said=declined").into_response())
}

/// What the switcher sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ChoiceForm {
    #[serde(default)]
    workspace_id: String,
}

/// Chooses the workspace to work in.
pub(super) async fn choose(
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<ChoiceForm>,
) -> PageResult {
    people::choose_workspace(&state, &actor, Some(&form.workspace_id)).await?;
    Ok(Redirect::to("/").into_response())
}

/// The form for a new workspace.
pub(super) async fn blank(viewer: Viewer) -> PageResult {
    page(&new_workspace(viewer, String::new(), Errors::default()))
}

/// What that form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NewWorkspace {
    #[serde(default)]
    name: String,
}

/// Makes a workspace, and works in it from then on.
pub(super) async fn create(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<NewWorkspace>,
) -> PageResult {
    let filled = WorkspaceForm {
        name: Some(form.name.clone()),
        company_id: None,
    };
    match people::create_workspace(&state, &actor, filled).await {
        Ok(made) => {
            people::choose_workspace(&state, &actor, Some(&made.workspace_id)).await?;
            Ok(Redirect::to("/").into_response())
        }
        Err(error) if error.field.is_some() => {
            let mut errors = Errors::default();
            errors.add("name", "Enter a name: one line of at most 200 characters.");
            refused(&new_workspace(viewer, form.name, errors))
        }
        Err(error) => Err(error.into()),
    }
}

fn new_workspace(viewer: Viewer, name: String, errors: Errors) -> WorkspaceView {
    WorkspaceView {
        nowhere: viewer.role == Role::Nobody,
        page: Page::new("New workspace", Part::Own, viewer),
        name,
        errors,
    }
}
