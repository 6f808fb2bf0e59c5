//! Groups of members within a workspace: admins make them and assign people (rule 46).

use serde::Deserialize;
use uuid::Uuid;

use super::rules;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{Group, MemberStatus, Read, StoreError, Write};

/// The group form: `name` is required for a new one; for a change, what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupForm {
    /// Unique within the workspace.
    pub name: Option<String>,
    /// Where; for a new one only. Absent: the chosen workspace, or the company's first.
    pub workspace_id: Option<String>,
    /// Ids of its members.
    pub members: Option<Vec<String>>,
}

/// A group with the ids of its members.
pub type Filled = (Group, Vec<String>);

/// Makes a group.
pub async fn create_group(
    state: &AppState,
    actor: &Actor,
    form: GroupForm,
) -> Result<Filled, ApiError> {
    actor.may(Verb::Create, Object::Group)?;
    let mut write = state.write(actor.company_id).await?;
    let workspace_id = actor
        .workspace(&mut write, form.workspace_id.as_deref())
        .await?;
    let group = Group {
        group_id: Uuid::now_v7().to_string(),
        workspace_id,
        name: rules::name("name", &rules::required("name", form.name)?)?,
        created_at: state.clock.now_ms(),
    };
    write.insert_group(&group).await.map_err(name_taken)?;
    fill(&mut write, &group, form.members.as_deref()).await?;
    let members = write.group_members(&group.group_id).await?;
    write.commit().await?;
    Ok((group, members))
}

/// One group.
pub async fn read_group(state: &AppState, actor: &Actor, id: &str) -> Result<Filled, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let group = find(&mut read, actor, Verb::Read, id).await?;
    let members = read.group_members(id).await?;
    Ok((group, members))
}

/// Renames a group, or assigns other members.
pub async fn update_group(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: GroupForm,
) -> Result<Filled, ApiError> {
    let mut write = state.write(actor.company_id).await?;
    let mut group = find(&mut write, actor, Verb::Change, id).await?;
    if form
        .workspace_id
        .is_some_and(|other| other != group.workspace_id)
    {
        let message = "A group stays in its workspace.";
        return Err(ApiError::invalid("workspace_id", message));
    }
    if let Some(name) = form.name {
        group.name = rules::name("name", &name)?;
        write
            .rename_group(id, &group.name)
            .await
            .map_err(name_taken)?;
    }
    fill(&mut write, &group, form.members.as_deref()).await?;
    let members = write.group_members(id).await?;
    write.commit().await?;
    Ok((group, members))
}

/// Removes a group; its members stay.
pub async fn delete_group(state: &AppState, actor: &Actor, id: &str) -> Result<(), ApiError> {
    let mut write = state.write(actor.company_id).await?;
    find(&mut write, actor, Verb::Delete, id).await?;
    write.delete_group(id).await?;
    write.commit().await?;
    Ok(())
}

/// A group, for somebody who may do that with it.
pub(super) async fn find(
    read: &mut Read,
    actor: &Actor,
    verb: Verb,
    id: &str,
) -> Result<Group, ApiError> {
    actor.may(verb, Object::Group)?;
    let group = read.group(id).await?;
    let group = group.ok_or_else(|| ApiError::not_found("group"))?;
    actor.may_in(verb, Object::Group, &group.workspace_id, "group")?;
    Ok(group)
}

async fn fill(
    write: &mut Write,
    group: &Group,
    members: Option<&[String]>,
) -> Result<(), ApiError> {
    let Some(members) = members else {
        return Ok(());
    };
    write.empty_group(&group.group_id).await?;
    for id in members {
        let member = write.member(id).await?;
        let here = member.is_some_and(|one| {
            one.workspace_id == group.workspace_id && one.status != MemberStatus::Deleted
        });
        if !here {
            let message = "There is no such member in this workspace.";
            return Err(ApiError::invalid("members", message));
        }
        write.join_group(&group.group_id, id).await?;
    }
    Ok(())
}

fn name_taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Taken { .. } => {
            ApiError::conflict(Some("name"), "A group of that name exists already.")
        }
        other => other.into(),
    }
}
