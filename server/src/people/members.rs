//! Members of a workspace: what they may do, when they are switched off and on, and when they are gone
//! (rules 46, 51 to 60).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use glasshour_protocol::EmployeeId;
use glasshour_protocol::code;
use serde::{Deserialize, Deserializer};

use super::tracking;
use crate::AppState;
use crate::auth::{Actor, Object, Verb, Who, forbidden};
use crate::error::{ApiError, MEMBER_ACTIVE};
use crate::license;
use crate::store::{
    LinkPurpose, Member, MemberRole, MemberStatus, Read, StoreError, User, UserStatus, Write,
};

/// Longest photo, in bytes.
pub(crate) const MAX_PHOTO_BYTES: usize = 256 * 1024;

/// Days of the week, as they are written.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What can be changed about a member; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberForm {
    /// `admin`, `manager` or `employee`.
    pub role: Option<String>,
    /// `active` or `inactive`.
    pub status: Option<String>,
    /// First day of the week, `mon` to `sun`.
    pub first_day: Option<String>,
    /// Days worked, of `mon` to `sun`.
    pub working_days: Option<Vec<String>>,
    /// Minutes a day.
    pub daily_capacity_min: Option<i64>,
    /// Cents an hour; `null`: none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    pub hourly_rate_cents: Option<Option<i64>>,
    /// As whom they track; `null`: they do not.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub employee_id: Option<Option<String>>,
    /// Ids of the groups they are in.
    pub groups: Option<Vec<String>>,
}

/// Tells `null` from absent.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things in a PATCH"
)]
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl MemberForm {
    /// Whether it changes nothing but what a person sets for themself (rule 53).
    fn is_own_profile(&self) -> bool {
        let own = Self {
            first_day: self.first_day.clone(),
            working_days: self.working_days.clone(),
            daily_capacity_min: self.daily_capacity_min,
            ..Self::default()
        };
        *self == own
    }
}

/// A member who is not deleted, for somebody who may do that to them.
pub(crate) async fn find(
    read: &mut Read,
    actor: &Actor,
    verb: Verb,
    id: &str,
) -> Result<Member, ApiError> {
    actor.may(verb, Object::Member)?;
    let member = existing(read, id).await?;
    actor.may_in(verb, Object::Member, &member.workspace_id, "member")?;
    Ok(member)
}

async fn existing(read: &mut Read, id: &str) -> Result<Member, ApiError> {
    let member = read.member(id).await?;
    let member = member.filter(|member| member.status != MemberStatus::Deleted);
    member.ok_or_else(|| ApiError::not_found("member"))
}

/// Changes a member. Roles and the status have rules of their own: see the module's tests by number.
pub async fn update_member(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: MemberForm,
) -> Result<Member, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let mut member = if form.is_own_profile() && is_self(actor, &existing(&mut write, id).await?) {
        existing(&mut write, id).await?
    } else {
        find(&mut write, actor, Verb::Change, id).await?
    };
    if let Some(role) = &form.role {
        change_role(actor, &mut member, role)?;
    }
    profile(&mut member, &form)?;
    if let Some(rate) = form.hourly_rate_cents {
        if rate.is_some_and(|rate| !(0..=10_000_000).contains(&rate)) {
            let message = "`hourly_rate_cents` must be from 0 to 10000000.";
            return Err(ApiError::invalid("hourly_rate_cents", message));
        }
        member.rate_cents = rate;
    }
    if let Some(employee) = form.employee_id {
        member.employee_id = match employee.filter(|id| !id.is_empty()) {
            None => None,
            Some(id) => Some(employee_in(&mut write, &member, &id).await?),
        };
    }
    if let Some(groups) = &form.groups {
        assign_groups(&mut write, &member, groups).await?;
    }
    let status = match form.status.as_deref() {
        None => None,
        Some("active") => Some(true),
        Some("inactive") => Some(false),
        Some(_) => {
            let message = "`status` must be `active` or `inactive`.";
            return Err(ApiError::invalid("status", message));
        }
    };
    match status {
        Some(false) if member.status != MemberStatus::Inactive => {
            deactivate(state, &mut write, actor, &mut member, now_ms).await?;
        }
        Some(true) if member.status == MemberStatus::Inactive => {
            reactivate(state, &mut write, &mut member, now_ms).await?;
        }
        _ => {}
    }
    member.updated_at = now_ms;
    write
        .update_member(&member)
        .await
        .map_err(|error| match error {
            StoreError::Taken { .. } => ApiError::conflict(
                Some("employee_id"),
                "Another member tracks as that employee already.",
            ),
            other => other.into(),
        })?;
    write.commit().await?;
    Ok(member)
}

/// Deletes a member who was deactivated before (rule 57): leave, photo and groups are gone for good
/// (rule 59), what they tracked is kept (rule 58).
pub async fn delete_member(state: &AppState, actor: &Actor, id: &str) -> Result<(), ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let mut member = find(&mut write, actor, Verb::Delete, id).await?;
    if member.role == MemberRole::Owner {
        return Err(owner_stays());
    }
    if member.status != MemberStatus::Inactive {
        let message = format!("{} is not deactivated. Do that first.", member.name);
        return Err(ApiError::not_now(MEMBER_ACTIVE, message));
    }
    if member.role == MemberRole::Admin {
        actor.may(Verb::Delete, Object::AdminRole)?;
    }
    remove(&mut write, &mut member, now_ms).await?;
    write.commit().await?;
    Ok(())
}

/// Makes a member one of the past.
pub(super) async fn remove(
    write: &mut Write,
    member: &mut Member,
    now_ms: i64,
) -> Result<(), ApiError> {
    let id = member.member_id.clone();
    write.delete_leave_of(&id).await?;
    write.delete_photo(&id).await?;
    write.leave_groups(&id).await?;
    forget_invitation(write, &id).await?;
    member.status = MemberStatus::Deleted;
    member.accepted_at = None;
    member.tracking_stopped = false;
    member.updated_at = now_ms;
    write.update_member(member).await?;
    Ok(())
}

pub(super) async fn forget_invitation(write: &mut Write, id: &str) -> Result<(), ApiError> {
    write.delete_links(LinkPurpose::Invitation, id).await?;
    write.drop_mail(id).await?;
    Ok(())
}

/// Whether the asker is that member.
pub(crate) fn is_self(actor: &Actor, member: &Member) -> bool {
    match &actor.who {
        Who::Token { .. } => false,
        Who::User { user, .. } => {
            member.home_id == Some(user.company_id)
                && member.user_id.as_deref() == Some(user.user_id.as_str())
        }
    }
}

/// Rules 51 and 52.
fn change_role(actor: &Actor, member: &mut Member, role: &str) -> Result<(), ApiError> {
    let role: MemberRole = role.parse().map_err(|_| {
        ApiError::invalid("role", "`role` must be `admin`, `manager` or `employee`.")
    })?;
    if role == member.role {
        return Ok(());
    }
    if role == MemberRole::Owner || member.role == MemberRole::Owner {
        let message = "A workspace has one owner. Transfer the ownership instead.";
        return Err(ApiError::invalid("role", message));
    }
    if role == MemberRole::Admin {
        actor.may(Verb::Create, Object::AdminRole)?;
    }
    if member.role == MemberRole::Admin {
        actor.may(Verb::Delete, Object::AdminRole)?;
    }
    member.role = role;
    Ok(())
}

/// Rule 53.
fn profile(member: &mut Member, form: &MemberForm) -> Result<(), ApiError> {
    let known = |day: &String| DAYS.contains(&day.as_str());
    if let Some(day) = &form.first_day {
        if !known(day) {
            let message = "`first_day` must be one of `mon` to `sun`.";
            return Err(ApiError::invalid("first_day", message));
        }
        member.first_day.clone_from(day);
    }
    if let Some(days) = &form.working_days {
        if !days.iter().all(known) {
            let message = "`working_days` must be of `mon` to `sun`.";
            return Err(ApiError::invalid("working_days", message));
        }
        let worked = DAYS
            .into_iter()
            .filter(|day| days.iter().any(|one| one == day));
        member.working_days = worked.collect::<Vec<_>>().join(",");
    }
    if let Some(minutes) = form.daily_capacity_min {
        if !(0..=24 * 60).contains(&minutes) {
            let message = "`daily_capacity_min` must be from 0 to 1440 minutes.";
            return Err(ApiError::invalid("daily_capacity_min", message));
        }
        member.capacity_min = minutes;
    }
    Ok(())
}

async fn employee_in(write: &mut Write, member: &Member, id: &str) -> Result<EmployeeId, ApiError> {
    let unknown = || ApiError::invalid("employee_id", "There is no employee by that id.");
    let id: EmployeeId = id.parse().map_err(|_| unknown())?;
    let employee = write.employee(id).await?;
    let here = employee.filter(|one| one.workspace_id == member.workspace_id);
    here.map(|one| one.employee_id).ok_or_else(unknown)
}

async fn assign_groups(
    write: &mut Write,
    member: &Member,
    groups: &[String],
) -> Result<(), ApiError> {
    let groups: BTreeSet<&String> = groups.iter().collect();
    write.leave_groups(&member.member_id).await?;
    for id in groups {
        let group = write.group(id).await?;
        if group.is_none_or(|group| group.workspace_id != member.workspace_id) {
            let message = "There is no such group in this workspace.";
            return Err(ApiError::invalid("groups", message));
        }
        write.join_group(id, &member.member_id).await?;
    }
    Ok(())
}

/// Rules 52, 54 and 56.
async fn deactivate(
    state: &AppState,
    write: &mut Write,
    actor: &Actor,
    member: &mut Member,
    now_ms: i64,
) -> Result<(), ApiError> {
    if member.role == MemberRole::Owner {
        return Err(owner_stays());
    }
    if member.role == MemberRole::Admin {
        actor.may(Verb::Delete, Object::AdminRole)?;
    }
    stop_tracking(write, member, now_ms).await?;
    forget_invitation(write, &member.member_id).await?;
    member.status = MemberStatus::Inactive;
    let (Some(home), Some(user_id)) = (member.home_id, member.user_id.clone()) else {
        return Ok(());
    };
    let others = state.db.find_memberships(home, &user_id).await?;
    let goes_on = others
        .iter()
        .any(|one| one.status == MemberStatus::Active && one.member_id != member.member_id);
    let here = write.rebind(home)?;
    let account = write.user(&user_id).await?;
    let at_home = account.is_some_and(|user| user.is_company_account())
        && write.first_workspace().await?.is_some();
    if !goes_on && !at_home {
        write.delete_web_sessions_of(&user_id).await?;
    }
    write.rebind(here)?;
    Ok(())
}

/// Rule 55: no new acceptance, no mail.
async fn reactivate(
    state: &AppState,
    write: &mut Write,
    member: &mut Member,
    now_ms: i64,
) -> Result<(), ApiError> {
    member.status = match member.accepted_at {
        Some(_) => MemberStatus::Active,
        None => MemberStatus::Pending,
    };
    resume_tracking(state, write, member, now_ms).await
}

/// Switches the member's employee off and stops what runs, at this instant (rule 54).
pub(super) async fn stop_tracking(
    write: &mut Write,
    member: &mut Member,
    now_ms: i64,
) -> Result<(), ApiError> {
    let Some(id) = member.employee_id else {
        return Ok(());
    };
    let Some(mut employee) = write.employee(id).await? else {
        return Ok(());
    };
    if employee.active {
        employee.active = false;
        employee.updated_at = now_ms;
        write.update_employee(&employee).await?;
        member.tracking_stopped = true;
    }
    tracking::stop_sessions(write, id, now_ms).await
}

/// Switches the employee on again, where the deactivation had switched them off; their next license is
/// issued (rule 17).
async fn resume_tracking(
    state: &AppState,
    write: &mut Write,
    member: &mut Member,
    now_ms: i64,
) -> Result<(), ApiError> {
    if !std::mem::take(&mut member.tracking_stopped) {
        return Ok(());
    }
    let Some(id) = member.employee_id else {
        return Ok(());
    };
    let Some(mut employee) = write.employee(id).await?.filter(|one| !one.active) else {
        return Ok(());
    };
    let profile = write.profile(&employee.profile_id).await?;
    let profile = profile.ok_or_else(|| ApiError::internal("an employee without a profile"))?;
    employee.active = true;
    employee.updated_at = now_ms;
    license::issue(state, write, &mut employee, &profile, now_ms).await?;
    write.update_employee(&employee).await?;
    Ok(())
}

/// Switches on again what blocking an account had switched off.
pub(super) async fn resume_all(
    state: &AppState,
    write: &mut Write,
    user: &User,
    now_ms: i64,
) -> Result<(), ApiError> {
    if user.status != UserStatus::Active {
        return Ok(());
    }
    for mut member in write.members_of(user.company_id, &user.user_id).await? {
        if member.status == MemberStatus::Active && member.tracking_stopped {
            resume_tracking(state, write, &mut member, now_ms).await?;
            write.update_member(&member).await?;
        }
    }
    Ok(())
}

/// 403: rule 52.
fn owner_stays() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        code::FORBIDDEN,
        "Nobody deactivates or deletes the owner. Transfer the ownership first.",
    )
}

/// Who may see or change a photo: the member, and whoever may do so with members.
async fn own_or(read: &mut Read, actor: &Actor, verb: Verb, id: &str) -> Result<Member, ApiError> {
    let member = existing(read, id).await;
    match member {
        Ok(member) if is_self(actor, &member) => Ok(member),
        _ => find(read, actor, verb, id).await,
    }
}

/// A member's photo: content type and bytes.
pub async fn read_photo(
    state: &AppState,
    actor: &Actor,
    id: &str,
) -> Result<(String, Vec<u8>), ApiError> {
    let mut read = state.read(actor.company_id).await?;
    own_or(&mut read, actor, Verb::Read, id).await?;
    let photo = read.photo(id).await?;
    photo.ok_or_else(|| ApiError::not_found("photo"))
}

/// Sets a member's photo; empty bytes remove it.
pub async fn set_photo(
    state: &AppState,
    actor: &Actor,
    id: &str,
    bytes: &[u8],
) -> Result<(), ApiError> {
    let mut write = state.write(actor.company_id).await?;
    own_or(&mut write, actor, Verb::Change, id).await?;
    if bytes.is_empty() {
        write.delete_photo(id).await?;
    } else {
        let kind = picture_kind(bytes).filter(|_| bytes.len() <= MAX_PHOTO_BYTES);
        let kind = kind.ok_or_else(|| {
            let message = "A photo must be a PNG, JPEG or WebP picture of at most 256 KB.";
            ApiError::invalid("photo", message)
        })?;
        write.set_photo(id, kind, bytes).await?;
    }
    write.commit().await?;
    Ok(())
}

fn picture_kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

/// Words for a name that a member is shown by before an account exists.
pub(super) fn named(user: Option<&User>, email: &str) -> String {
    user.map_or_else(|| email.to_owned(), User::name)
}

/// A person's own part in a workspace.
pub async fn own_member(state: &AppState, actor: &Actor) -> Result<Option<Member>, ApiError> {
    let user = actor.user()?;
    let Some(workspace) = actor.workspace_id.as_deref() else {
        return Ok(None);
    };
    let mut read = state.read(actor.company_id).await?;
    let all = read.members_of(user.company_id, &user.user_id).await?;
    let own = all.into_iter().find(|one| one.workspace_id == workspace);
    Ok(own.filter(|one| one.status == MemberStatus::Active))
}

/// 403 where a script asks for what only a person has.
pub(crate) fn person(actor: &Actor) -> Result<&User, ApiError> {
    actor.user().map_err(|_| forbidden())
}
