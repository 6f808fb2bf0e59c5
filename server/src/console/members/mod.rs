//! Members of the workspace one works in: the list, inviting, one member's page, and what the row's menu
//! does (rules 46 to 60). What would be refused is not offered.

mod invite;
mod view;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

pub(super) use invite::{ask as invite_form, submit as invite};
pub(super) use view::{
    Can, InviteView, Leave, MemberFields, MemberView, MembersView, Row, Standing,
};

use super::confirm::ConfirmView;
use super::employees::MANY;
use super::form::{Choice, Errors, Said, plainly};
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{self, Page, Part, Viewer};
use super::{place, words, zone};
use crate::AppState;
use crate::auth::{Actor, Object, Verb, allows};
use crate::error::ApiError;
use crate::people::{self, DAYS, GroupForm, LeaveForm, MemberForm, TransferForm};
use crate::store::{
    Employee, EmployeeFilter, Member, MemberFilter, MemberRole, MemberStatus, Read, Show, Workspace,
};

/// Rows on a page.
const ROWS: u32 = 200;
/// Days of leave that a member's page shows.
const LEAVE_DAYS: u32 = 100;

/// Which members, which part of the list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    show: String,
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
    actor.may(Verb::Read, Object::Member)?;
    let scope = actor.scope(None)?;
    let (show, wanted) = match query.show.as_str() {
        "inactive" => ("inactive", Show::Inactive),
        "all" => ("all", Show::All),
        _ => ("", Show::Present),
    };
    let mut read = state.read(actor.company_id).await?;
    let filter = MemberFilter {
        workspace_id: scope.clone(),
        show: wanted,
        after: query.after.as_deref().map(place::read).transpose()?,
        limit: ROWS + 1,
    };
    let mut members = read.members(&filter).await?;
    let more = members.len() > ROWS as usize;
    members.truncate(ROWS as usize);
    let next = members.last().filter(|_| more).map(|last| {
        let after = place::write(&last.name, &last.member_id);
        format!("/members?show={show}&after={after}")
    });
    let around = Around::read(&mut read, scope, state.clock.now_ms()).await?;
    let said = match query.said.as_str() {
        "active" => Some("The member takes part again."),
        "inactive" => Some("The member is deactivated: what they tracked has stopped."),
        "deleted" => Some("The member is deleted. What they tracked is kept."),
        "withdrawn" => Some("The invitation is withdrawn: its link is worth nothing now."),
        "own" => Some("The workspace has a new owner."),
        _ => None,
    };
    page(&MembersView {
        page: Page::new("Members", Part::Members, viewer).said(said),
        show,
        of_all: filter.workspace_id.is_none() && around.workspaces.len() > 1,
        can_invite: allows(actor.role, Verb::Create, Object::Invitation),
        rows: members
            .iter()
            .map(|member| around.row(&actor, member))
            .collect(),
        next,
        later_page: query.after.is_some(),
    })
}

/// What rows are shown with.
struct Around {
    workspaces: Vec<Workspace>,
    employees: Vec<Employee>,
    zone: words::Zone,
    now_ms: i64,
}

impl Around {
    async fn read(
        read: &mut Read,
        workspace_id: Option<String>,
        now_ms: i64,
    ) -> Result<Self, ApiError> {
        let filter = EmployeeFilter {
            workspace_id,
            after: None,
            limit: MANY,
        };
        Ok(Self {
            workspaces: read.workspaces(None, MANY).await?,
            employees: read.employees(&filter).await?,
            zone: zone::of_company(read).await?,
            now_ms,
        })
    }

    fn row(&self, actor: &Actor, member: &Member) -> Row {
        let workspace = self
            .workspaces
            .iter()
            .find(|one| one.workspace_id == member.workspace_id);
        let employee = self
            .employees
            .iter()
            .find(|one| Some(one.employee_id) == member.employee_id);
        Row {
            member_id: member.member_id.clone(),
            name: member.name.clone(),
            email: Some(member.email.clone()).filter(|email| *email != member.name),
            workspace: workspace.map_or_else(String::new, |one| one.name.clone()),
            role: words::role(member.role.as_str()),
            standing: self.standing(member),
            employee: employee.map(|one| (one.employee_id.to_string(), one.name.clone())),
            can: can(actor, member),
        }
    }

    fn standing(&self, member: &Member) -> Standing {
        let (state, text) = match (member.status, member.sent_at) {
            (MemberStatus::Active, _) => (layout::State::Working, "active".to_owned()),
            (MemberStatus::Inactive | MemberStatus::Deleted, _) => {
                (layout::State::Paused, "inactive".to_owned())
            }
            (MemberStatus::Pending, None) => {
                (layout::State::Off, "added, told nothing yet".to_owned())
            }
            (MemberStatus::Pending, Some(sent_at)) => {
                let sent = match words::ago(self.now_ms - sent_at).as_str() {
                    "now" => "just invited".to_owned(),
                    ago => format!("invited {ago} ago"),
                };
                match member.expires_at {
                    Some(end) if end <= self.now_ms => (
                        layout::State::Problem,
                        format!("{sent}, the link is too old: send it again"),
                    ),
                    Some(end) => (
                        layout::State::Idle,
                        format!("{sent}, link until {}", self.zone.date(end)),
                    ),
                    None => (layout::State::Idle, sent),
                }
            }
        };
        Standing {
            state,
            text,
            inactive: member.status == MemberStatus::Inactive,
        }
    }
}

/// What the asker's role allows on that member now (rules 46, 51, 52, 57).
fn can(actor: &Actor, member: &Member) -> Can {
    let may = |verb, object| allows(actor.role, verb, object);
    let edit = may(Verb::Change, Object::Member) && actor.reaches(&member.workspace_id);
    let is_owner = member.role == MemberRole::Owner;
    let is_admin = member.role == MemberRole::Admin;
    let may_touch = edit && !is_owner && (!is_admin || may(Verb::Delete, Object::AdminRole));
    let pending = member.status == MemberStatus::Pending;
    let active = member.status == MemberStatus::Active;
    let inactive = member.status == MemberStatus::Inactive;
    Can {
        edit,
        change_role: may_touch,
        send: edit && pending && may(Verb::Change, Object::Invitation),
        sent: member.sent_at.is_some(),
        withdraw: edit && pending && may(Verb::Delete, Object::Invitation),
        deactivate: may_touch && active,
        reactivate: edit && inactive,
        delete: may_touch && inactive && may(Verb::Delete, Object::Member),
        own: edit && active && !is_owner && may(Verb::Delete, Object::Workspace),
    }
}

/// One member.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    Query(query): Query<Said>,
) -> PageResult {
    let said = match query.said.as_str() {
        "saved" => Some("It is saved."),
        "sent" if state.mail_is_sent => Some("The invitation is on its way."),
        "sent" => Some("A new link is made. The one before is worth nothing from now on."),
        "leave" => Some("The leave is noted."),
        _ => None,
    };
    let mut view = member_view(&state, &actor, viewer, &id, None, Errors::default()).await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

/// Changes a member.
pub(super) async fn update(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<MemberFields>,
) -> PageResult {
    match save(&state, &actor, &id, &form).await {
        Ok(()) => Ok(to_member(&id, "saved")),
        Err(error) => {
            let errors = at_fields(error)?;
            let view = member_view(&state, &actor, viewer, &id, Some(form), errors).await?;
            refused(&view)
        }
    }
}

async fn save(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: &MemberFields,
) -> Result<(), ApiError> {
    let named = |prefix: &'static str| {
        let names = form.ticked.keys();
        names.filter_map(move |name| name.strip_prefix(prefix).map(str::to_owned))
    };
    let days = DAYS.into_iter().filter(|day| form.is_ticked(day));
    let change = MemberForm {
        role: form.role.clone(),
        first_day: Some(form.first_day.clone()),
        working_days: Some(days.map(str::to_owned).collect()),
        daily_capacity_min: Some(words::minutes(&form.capacity_h)?),
        hourly_rate_cents: Some(words::cents(&form.rate)?),
        employee_id: Some(Some(form.employee_id.clone()).filter(|id| !id.is_empty())),
        groups: Some(named("group_").collect()),
        ..MemberForm::default()
    };
    let member = people::update_member(state, actor, id, change).await?;
    if !form.new_group.trim().is_empty() {
        let group = GroupForm {
            name: Some(form.new_group.clone()),
            workspace_id: Some(member.workspace_id),
            members: Some(vec![member.member_id]),
        };
        people::create_group(state, actor, group).await?;
    }
    Ok(())
}

/// What the buttons of a row send.
#[derive(Debug, Deserialize)]
pub(super) struct StatusForm {
    status: String,
}

/// Deactivates or reactivates (rules 54 to 56).
pub(super) async fn set_status(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<StatusForm>,
) -> PageResult {
    let said = if form.status == "active" {
        "active"
    } else {
        "inactive"
    };
    let change = MemberForm {
        status: Some(form.status),
        ..MemberForm::default()
    };
    people::update_member(&state, &actor, &id, change).await?;
    Ok(to_list(said))
}

/// Sends an invitation, or sends it again (rule 49).
pub(super) async fn send(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::send_invitation(&state, &actor, &id).await?;
    Ok(to_member(&id, "sent"))
}

/// Takes an invitation back.
pub(super) async fn withdraw(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::withdraw_invitation(&state, &actor, &id).await?;
    Ok(to_list("withdrawn"))
}

/// Asks before deleting.
pub(super) async fn ask_delete(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let member = people::find_member(&mut read, &actor, Verb::Delete, &id).await?;
    page(&ConfirmView {
        page: Page::new(format!("Delete {}?", member.name), Part::Members, viewer),
        back: ("/members?show=inactive".into(), "Members".into()),
        text: vec![
            "Their leave days, photo and groups are gone for good, even if they come back.".into(),
            "What they tracked is kept: reports grouped by user show it.".into(),
        ],
        action: format!("/members/{id}/delete"),
        button: format!("Delete {}", member.name),
        tick: None,
        problem: None,
    })
}

/// Deletes a deactivated member (rules 57 to 59).
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::delete_member(&state, &actor, &id).await?;
    Ok(to_list("deleted"))
}

/// Asks before giving the workspace to somebody else.
pub(super) async fn ask_own(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    actor.may(Verb::Delete, Object::Workspace)?;
    let mut read = state.read(actor.company_id).await?;
    let member = people::find_member(&mut read, &actor, Verb::Read, &id).await?;
    let workspace = read.workspace(&member.workspace_id).await?;
    let workspace = workspace.ok_or_else(|| ApiError::not_found("workspace"))?;
    let owner = read.workspace_owner(&member.workspace_id).await?;
    let owner = owner.map_or_else(|| "The owner".into(), |owner| owner.name);
    let title = format!("Make {} the owner of {}?", member.name, workspace.name);
    page(&ConfirmView {
        page: Page::new(title, Part::Members, viewer),
        back: ("/members".into(), "Members".into()),
        text: vec![
            format!(
                "{owner} becomes an admin. Only {} can give it back.",
                member.name
            ),
            "The workspace stays with your company.".into(),
        ],
        action: format!("/members/{id}/own"),
        button: format!("Make {} the owner", member.name),
        tick: None,
        problem: None,
    })
}

/// Gives the workspace to a member (rule 51).
pub(super) async fn own(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let member = people::find_member(&mut read, &actor, Verb::Read, &id).await?;
    drop(read);
    let form = TransferForm {
        member_id: Some(member.member_id),
        confirm: Some(true),
    };
    people::transfer_workspace(&state, &actor, &member.workspace_id, form).await?;
    Ok(to_list("own"))
}

/// What the leave forms send.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LeaveFields {
    #[serde(default)]
    day: String,
    #[serde(default)]
    kind: String,
}

/// Notes a day of leave, or removes it.
pub(super) async fn set_leave(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<LeaveFields>,
) -> PageResult {
    let leave = LeaveForm {
        day: Some(form.day),
        kind: Some(form.kind),
    };
    match people::set_leave(&state, &actor, &id, leave).await {
        Ok(_) => Ok(to_member(&id, "leave")),
        Err(error) => {
            let errors = at_fields(error)?;
            refused(&member_view(&state, &actor, viewer, &id, None, errors).await?)
        }
    }
}

fn to_member(id: &str, said: &str) -> Response {
    Redirect::to(&format!("/members/{id}?said={said}")).into_response()
}

fn to_list(said: &str) -> Response {
    Redirect::to(&format!("/members?said={said}")).into_response()
}

/// What a refusal says at its field; what no field can help stays an error.
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

async fn member_view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    id: &str,
    form: Option<MemberFields>,
    errors: Errors,
) -> PageResult<MemberView> {
    let mut read = state.read(actor.company_id).await?;
    let member = people::find_member(&mut read, actor, Verb::Change, id).await?;
    let workspace = Some(member.workspace_id.clone());
    let around = Around::read(&mut read, workspace, state.clock.now_ms()).await?;
    let mut groups = Vec::new();
    let mut ticked = std::collections::BTreeMap::new();
    for group in read.groups(Some(&member.workspace_id), None, MANY).await? {
        let field = format!("group_{}", group.group_id);
        let members = read.group_members(&group.group_id).await?;
        if members.contains(&member.member_id) {
            ticked.insert(field.clone(), "yes".to_owned());
        }
        groups.push(Choice {
            value: field,
            label: group.name,
        });
    }
    for day in member.working_days.split(',') {
        ticked.insert(day.to_owned(), "yes".to_owned());
    }
    let today = around.zone.date(around.now_ms);
    let yesterday = today.yesterday().unwrap_or(today).to_string();
    let leave = read.leave_days(id, &yesterday, LEAVE_DAYS).await?;
    let form = form.unwrap_or_else(|| MemberFields {
        role: Some(member.role.as_str().to_owned()),
        first_day: member.first_day.clone(),
        capacity_h: words::hours(member.capacity_min),
        rate: member.rate_cents.map_or_else(String::new, words::amount),
        employee_id: member
            .employee_id
            .map_or_else(String::new, |id| id.to_string()),
        new_group: String::new(),
        ticked,
    });
    let choice = |one: &Employee| Choice {
        value: one.employee_id.to_string(),
        label: one.name.clone(),
    };
    Ok(MemberView {
        page: Page::new(member.name.clone(), Part::Members, viewer),
        row: around.row(actor, &member),
        form,
        errors,
        may_admin: allows(actor.role, Verb::Create, Object::AdminRole),
        employees: around.employees.iter().map(choice).collect(),
        groups,
        has_photo: read.photo(id).await?.is_some(),
        link: people::link_to_copy(state, &mut read, id).await?,
        leave: leave
            .into_iter()
            .map(|one| Leave {
                kind: one.kind.as_str(),
                day: one.day,
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Role, Who};
    use glasshour_protocol::CompanyId;

    fn member(role: MemberRole, status: MemberStatus) -> Member {
        Member {
            member_id: "m".into(),
            workspace_id: "w".into(),
            home_id: None,
            user_id: None,
            email: "jo@acme.example".into(),
            name: "Jo".into(),
            role,
            status,
            first_day: "mon".into(),
            working_days: String::new(),
            capacity_min: 0,
            rate_cents: None,
            employee_id: None,
            tracking_stopped: false,
            sent_at: None,
            expires_at: None,
            accepted_at: None,
            created_at: 0,
            updated_at: 0,
        }
    }

    fn asked(role: Role, of: MemberRole, status: MemberStatus) -> Can {
        let actor = Actor {
            company_id: CompanyId(uuid::Uuid::nil()),
            role,
            workspace_id: Some("w".into()),
            owes_factor: false,
            who: Who::Token {
                name: "t".into(),
                id: "t".into(),
                scopes: crate::store::Scopes::all(),
            },
        };
        can(&actor, &member(of, status))
    }

    #[test]
    fn p51_p52_what_the_role_does_not_allow_is_not_offered() {
        use MemberStatus::{Active, Inactive, Pending};
        let by_admin = asked(Role::Admin, MemberRole::Admin, Active);
        assert!(by_admin.edit && !by_admin.deactivate && !by_admin.change_role && !by_admin.own);
        let by_owner = asked(Role::Owner, MemberRole::Admin, Active);
        assert!(by_owner.deactivate && by_owner.change_role && by_owner.own);
        for role in [Role::Company, Role::Owner, Role::Admin] {
            let owner = asked(role, MemberRole::Owner, Active);
            assert!(
                !owner.deactivate && !owner.change_role && !owner.own,
                "{role:?}"
            );
        }
        let manager = asked(Role::Manager, MemberRole::Employee, Active);
        assert!(!manager.edit && !manager.own && !manager.deactivate);
        let invited = asked(Role::Admin, MemberRole::Employee, Pending);
        assert!(invited.send && invited.withdraw && !invited.delete && !invited.deactivate);
        let off = asked(Role::Admin, MemberRole::Employee, Inactive);
        assert!(off.reactivate && off.delete && !off.deactivate, "rule 57");
    }
}
