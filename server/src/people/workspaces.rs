//! Workspaces: made by anybody with an account, owned by that account's company (rules 23 to 25), given
//! to another owner and deleted by their owner alone (rule 51).

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{founding, rules, tracking};
use crate::AppState;
use crate::auth::{Actor, Object, Role, Verb, Who};
use crate::error::{ApiError, CONFIRM_FIRST};
use crate::store::{EmployeeFilter, MemberRole, MemberStatus, Notice, Workspace};

/// The workspace form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceForm {
    /// Its name.
    pub name: Option<String>,
    /// Follows from who makes it, and stays: cannot be set (rule 25).
    #[schema(read_only)]
    pub company_id: Option<String>,
}

/// To whom a workspace goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferForm {
    /// An active member of it.
    pub member_id: Option<String>,
    /// True: the new owner alone can give it back.
    pub confirm: Option<bool>,
}

impl WorkspaceForm {
    fn refuse_fixed(&self) -> Result<(), ApiError> {
        if self.company_id.is_none() {
            return Ok(());
        }
        let message =
            "A workspace belongs to the company of the user who made it, and stays with it.";
        Err(ApiError::invalid("company_id", message))
    }
}

/// Makes a workspace. From this instant it belongs to the home company of whoever makes it (rule 23),
/// who is its owner.
pub async fn create_workspace(
    state: &AppState,
    actor: &Actor,
    form: WorkspaceForm,
) -> Result<Workspace, ApiError> {
    form.refuse_fixed()?;
    let name = rules::name("name", &rules::required("name", form.name)?)?;
    let now_ms = state.clock.now_ms();
    let (mut write, owner) = match &actor.who {
        Who::User { user, .. } => (state.write(user.company_id).await?, (**user).clone()),
        Who::Token { .. } => {
            let mut write = state.write(actor.company_id).await?;
            let owner = write.company_owner().await?;
            let owner = owner.ok_or_else(|| ApiError::internal("a company without an owner"))?;
            (write, owner)
        }
    };
    let id = Uuid::now_v7().to_string();
    founding::make_workspace(&mut write, &id, &name, &owner, now_ms).await?;
    write.commit().await?;
    Ok(Workspace {
        workspace_id: id,
        name,
        created_at: now_ms,
    })
}

/// One workspace within reach.
pub async fn read_workspace(
    state: &AppState,
    actor: &Actor,
    id: &str,
) -> Result<Workspace, ApiError> {
    actor.may_in(Verb::Read, Object::Workspace, id, "workspace")?;
    let workspace = state.read(actor.company_id).await?.workspace(id).await?;
    workspace.ok_or_else(|| ApiError::not_found("workspace"))
}

/// Renames a workspace.
pub async fn update_workspace(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: WorkspaceForm,
) -> Result<Workspace, ApiError> {
    actor.may_in(Verb::Change, Object::Workspace, id, "workspace")?;
    form.refuse_fixed()?;
    let mut write = state.write(actor.company_id).await?;
    let workspace = write.workspace(id).await?;
    let mut workspace = workspace.ok_or_else(|| ApiError::not_found("workspace"))?;
    if let Some(name) = form.name {
        workspace.name = rules::name("name", &name)?;
        write.rename_workspace(id, &workspace.name).await?;
        write.commit().await?;
    }
    Ok(workspace)
}

/// Gives a workspace to another of its members; the owner before becomes an admin. Asked to confirm
/// (rule 51): 409 `confirm_first` without it. The company that owns the workspace stays the same.
pub async fn transfer_workspace(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: TransferForm,
) -> Result<(), ApiError> {
    actor.may_in(Verb::Delete, Object::Workspace, id, "workspace")?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let workspace = write.workspace(id).await?;
    let workspace = workspace.ok_or_else(|| ApiError::not_found("workspace"))?;
    let member_id = rules::required("member_id", form.member_id)?;
    let member = write.member(&member_id).await?;
    let mut member = member
        .filter(|one| one.workspace_id == id && one.status == MemberStatus::Active)
        .ok_or_else(|| {
            ApiError::invalid("member_id", "Choose an active member of this workspace.")
        })?;
    let owner = write.workspace_owner(id).await?;
    let mut owner = owner.ok_or_else(|| ApiError::internal("a workspace without an owner"))?;
    if owner.member_id == member.member_id {
        return Ok(());
    }
    if form.confirm != Some(true) {
        return Err(ApiError::not_now(
            CONFIRM_FIRST,
            format!(
                "{} will own {}, and {} will be an admin. Only {} can give it back. Send it again with \
                 `confirm`.",
                member.name, workspace.name, owner.name, member.name
            ),
        ));
    }
    owner.role = MemberRole::Admin;
    owner.updated_at = now_ms;
    member.role = MemberRole::Owner;
    member.updated_at = now_ms;
    write.update_member(&owner).await?;
    write.update_member(&member).await?;
    let params = json!({
        "workspace": workspace.name, "by": actor.name(), "owner": member.name,
    });
    for told in [&owner, &member] {
        let (Some(home), Some(user_id)) = (told.home_id, &told.user_id) else {
            continue;
        };
        let here = write.rebind(home)?;
        let notice = Notice {
            notice_id: Uuid::now_v7().to_string(),
            kind: "ownership".into(),
            params: params.clone(),
            created_at: now_ms,
            read_at: None,
        };
        write.insert_notice(user_id, &notice).await?;
        write.rebind(here)?;
    }
    write.commit().await?;
    Ok(())
}

/// Takes a workspace out of everybody's sight and stops what is tracked in it. What was tracked is kept.
/// A company keeps at least one.
pub async fn delete_workspace(state: &AppState, actor: &Actor, id: &str) -> Result<(), ApiError> {
    actor.may_in(Verb::Delete, Object::Workspace, id, "workspace")?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    if write.workspace(id).await?.is_none() {
        return Err(ApiError::not_found("workspace"));
    }
    if actor.role == Role::Company && write.workspaces(None, 2).await?.len() < 2 {
        let message = "This is the company's last workspace. Make another one first.";
        return Err(ApiError::conflict(None, message));
    }
    let mut filter = EmployeeFilter {
        workspace_id: Some(id.to_owned()),
        after: None,
        limit: 1000,
    };
    loop {
        let page = write.employees(&filter).await?;
        let Some(last) = page.last() else { break };
        filter.after = Some((last.name.clone(), last.employee_id));
        for mut employee in page {
            tracking::stop_sessions(&mut write, employee.employee_id, now_ms).await?;
            if employee.active {
                employee.active = false;
                employee.updated_at = now_ms;
                write.update_employee(&employee).await?;
            }
        }
    }
    write.delete_workspace(id, now_ms).await?;
    write.commit().await?;
    Ok(())
}
