//! What a person does for themself: their name, the workspace they work in, their notices.

use serde::Deserialize;

use super::{members, rules};
use crate::AppState;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::store::{MemberStatus, User};

/// What a person changes about themself; what is absent stays. The e-mail address is changed by the
/// company (rule 39).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnForm {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
}

/// Changes the person's own name, wherever they are a member.
pub async fn update_own(state: &AppState, actor: &Actor, form: OwnForm) -> Result<User, ApiError> {
    let person = members::person(actor)?;
    let mut write = state.write(person.company_id).await?;
    let user = write.user(&person.user_id).await?;
    let mut user = user.ok_or_else(|| ApiError::not_found("user"))?;
    if let Some(name) = form.first_name {
        user.first_name = rules::name("first_name", &name)?;
    }
    if let Some(name) = form.last_name {
        user.last_name = rules::name("last_name", &name)?;
    }
    user.updated_at = state.clock.now_ms();
    write.update_user(&user).await?;
    write
        .rename_memberships(user.company_id, &user.user_id, &user.name(), &user.email)
        .await?;
    write.commit().await?;
    Ok(user)
}

/// Chooses the workspace that the session works in: one of the person's own, or for the company's
/// account any of the company (rule 24); `None`: no one in particular. 404 for any other.
pub async fn choose_workspace(
    state: &AppState,
    actor: &Actor,
    workspace_id: Option<&str>,
) -> Result<(), ApiError> {
    let user = members::person(actor)?;
    let home = user.company_id;
    let at = match workspace_id.filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => {
            let own = state.db.find_memberships(home, &user.user_id).await?;
            let own = own
                .iter()
                .find(|one| one.workspace_id == id && one.status == MemberStatus::Active);
            let company = match own {
                Some(one) => one.company_id,
                None if user.is_company_account()
                    && state.read(home).await?.workspace(id).await?.is_some() =>
                {
                    home
                }
                None => return Err(ApiError::not_found("workspace")),
            };
            Some((company, id))
        }
    };
    let mut write = state.write(home).await?;
    write.choose_workspace(actor.session()?, at).await?;
    write.commit().await?;
    Ok(())
}

/// Notes that a notice was seen.
pub async fn see_notice(state: &AppState, actor: &Actor, notice_id: &str) -> Result<(), ApiError> {
    let user = members::person(actor)?;
    let mut write = state.write(user.company_id).await?;
    let now_ms = state.clock.now_ms();
    if !write.read_notice(&user.user_id, notice_id, now_ms).await? {
        return Err(ApiError::not_found("notice"));
    }
    write.commit().await?;
    Ok(())
}
