//! Who a request acts for: the company whose rows it works on, and what it may do there.
//!
//! The company always follows from who asks: an API token and a device belong to one, a person logged
//! in to the console works in one of their workspaces or in their home. No request names a company by
//! itself.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use glasshour_protocol::CompanyId;
use subtle::ConstantTimeEq as _;

use super::authorize::{Role, forbidden};
use super::extract::{CurrentUser, bearer};
use super::token::{API_TOKEN_PREFIX, hash_token};
use super::web;
use crate::error::ApiError;
use crate::store::{AskerKind, MemberRole, MemberStatus, Membership, Read, Scopes, User};
use crate::{AppState, asker, looks};

/// Who asks, for which company, and as what.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Whose rows the request works on.
    pub company_id: CompanyId,
    /// As what.
    pub role: Role,
    /// The workspace that was chosen; `None`: every one of the company, for its own account.
    pub workspace_id: Option<String>,
    /// The company asks for a second factor and the person has none: until then they may do nothing.
    pub owes_factor: bool,
    /// A script or a person.
    pub who: Who,
}

/// A script or a person.
#[derive(Clone, Debug)]
pub enum Who {
    /// An API token (`Authorization: Bearer gh_…`): does what the company's account may, within its scopes.
    Token {
        /// What it was named when it was made.
        name: String,
        /// Its id.
        id: String,
        /// What it may do.
        scopes: Scopes,
    },
    /// A person logged in by cookie.
    User {
        /// Who.
        user: Box<User>,
        /// The session's token hash.
        session: String,
    },
}

impl Actor {
    /// Finds out who sent a request: `None` for a stranger.
    async fn find(parts: &Parts, state: &AppState) -> Result<Option<Self>, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(Some(known.clone()));
        }
        if let Some(token) = bearer(&parts.headers) {
            return of_token(state, token).await;
        }
        match web::find_user(state, &parts.headers).await? {
            None => Ok(None),
            Some(user) => of_user(state, user).await.map(Some),
        }
    }

    /// The logged-in person; 403 for a script, which is nobody in particular.
    pub fn user(&self) -> Result<&User, ApiError> {
        match &self.who {
            Who::User { user, .. } => Ok(user),
            Who::Token { .. } => Err(forbidden()),
        }
    }

    /// The hash of the person's session token; 403 for a script.
    pub fn session(&self) -> Result<&str, ApiError> {
        match &self.who {
            Who::User { session, .. } => Ok(session),
            Who::Token { .. } => Err(forbidden()),
        }
    }

    /// As whom the audit and people's notices show the asker.
    pub fn name(&self) -> String {
        match &self.who {
            Who::User { user, .. } => user.name(),
            Who::Token { name, .. } => name.clone(),
        }
    }

    /// The workspace that something is made in: the one asked for, else the chosen one, else the
    /// company's first. 404 where it is not within reach.
    pub async fn workspace(
        &self,
        read: &mut Read,
        asked: Option<&str>,
    ) -> Result<String, ApiError> {
        let missing = || ApiError::not_found("workspace");
        let id = match asked.or(self.workspace_id.as_deref()) {
            Some(id) => id.to_owned(),
            None if self.role == Role::Company => {
                read.first_workspace().await?.ok_or_else(missing)?
            }
            None => return Err(forbidden()),
        };
        if !self.reaches(&id) || read.workspace(&id).await?.is_none() {
            return Err(missing());
        }
        Ok(id)
    }

    /// What a list is narrowed to: the workspace asked for, else the chosen one; `None` for the whole
    /// company. 404 where it is not within reach.
    pub fn scope(&self, asked: Option<&str>) -> Result<Option<String>, ApiError> {
        match asked {
            Some(id) if !self.reaches(id) => Err(ApiError::not_found("workspace")),
            Some(id) => Ok(Some(id.to_owned())),
            None if self.role == Role::Company => Ok(self.workspace_id.clone()),
            None => self.workspace_id.clone().map(Some).ok_or_else(forbidden),
        }
    }
}

/// `last_used_at` of a token is exact to this much: not every request writes.
const TOUCH_EVERY_MS: i64 = 60_000;

async fn of_token(state: &AppState, token: &str) -> Result<Option<Actor>, ApiError> {
    if !token.starts_with(API_TOKEN_PREFIX) {
        return Ok(None);
    }
    let hash = hash_token(token);
    let found = state.db.find_api_token(&hash).await?;
    let known =
        found.filter(|known| bool::from(known.token_hash.as_bytes().ct_eq(hash.as_bytes())));
    let now_ms = state.clock.now_ms();
    let Some(known) = known.filter(|known| known.expires_at.is_none_or(|end| now_ms < end)) else {
        return Ok(None);
    };
    if known
        .last_used_at
        .is_none_or(|at| now_ms - at >= TOUCH_EVERY_MS)
    {
        let mut write = state.write(known.company_id).await?;
        let touched = write.touch_api_token(&known.token_id, now_ms).await;
        looks::unless_full(match touched {
            Ok(()) => write.commit().await,
            failed => failed,
        })?;
    }
    asker::is(AskerKind::Token, known.token_id.clone(), known.name.clone());
    Ok(Some(Actor {
        company_id: known.company_id,
        role: Role::Company,
        workspace_id: None,
        owes_factor: false,
        who: Who::Token {
            name: known.name,
            id: known.token_id,
            scopes: known.scopes,
        },
    }))
}

/// What a logged-in person is now: in the workspace they chose, else at home for the company account,
/// else in the first workspace they take part in.
pub(crate) async fn of_user(state: &AppState, found: CurrentUser) -> Result<Actor, ApiError> {
    let CurrentUser {
        user, session, at, ..
    } = found;
    asker::is(AskerKind::Person, user.user_id.clone(), user.name());
    let memberships = state
        .db
        .find_memberships(user.company_id, &user.user_id)
        .await?;
    let active: Vec<&Membership> = memberships
        .iter()
        .filter(|one| one.status == MemberStatus::Active)
        .collect();
    let home = user.company_id;
    let chosen = at.as_ref().and_then(|(company, workspace)| {
        let is_it =
            |one: &&&Membership| one.company_id == *company && one.workspace_id == *workspace;
        active.iter().find(is_it).copied()
    });
    let (company_id, role, workspace_id) = if let Some(one) = chosen {
        let of_own = one.company_id == home && user.is_company_account();
        let role = if of_own {
            Role::Company
        } else {
            role(one.role)
        };
        (one.company_id, role, Some(one.workspace_id.clone()))
    } else if let Some(workspace) = at_home(state, &user, at).await? {
        (home, Role::Company, workspace)
    } else if let Some(one) = active.first() {
        let workspace = Some(one.workspace_id.clone());
        (one.company_id, role(one.role), workspace)
    } else {
        (home, Role::Nobody, None)
    };
    let owes_factor = state
        .read(company_id)
        .await?
        .owes_second_factor(home, &user.user_id)
        .await?;
    Ok(Actor {
        company_id,
        role: if owes_factor { Role::Nobody } else { role },
        workspace_id: workspace_id.filter(|_| !owes_factor),
        owes_factor,
        who: Who::User {
            user: Box::new(user),
            session,
        },
    })
}

/// Where the company account works at home: the workspace that was chosen, whoever is a member of it, or
/// all of them. `None` for others, and where the company has no workspace: whoever came by an
/// invitation has such a one, and makes a workspace in it when they want to.
async fn at_home(
    state: &AppState,
    user: &User,
    at: Option<(CompanyId, String)>,
) -> Result<Option<Option<String>>, ApiError> {
    if !user.is_company_account() {
        return Ok(None);
    }
    let mut read = state.read(user.company_id).await?;
    if let Some((_, id)) = at.filter(|(company, _)| *company == user.company_id)
        && let Some(workspace) = read.workspace(&id).await?
    {
        return Ok(Some(Some(workspace.workspace_id)));
    }
    Ok(read.first_workspace().await?.map(|_| None))
}

fn role(member: MemberRole) -> Role {
    match member {
        MemberRole::Owner => Role::Owner,
        MemberRole::Admin => Role::Admin,
        MemberRole::Manager => Role::Manager,
        MemberRole::Employee => Role::Employee,
    }
}

impl FromRequestParts<AppState> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Self::find(parts, state).await?.ok_or_else(|| {
            ApiError::unauthenticated(
                "Send `Authorization: Bearer` with an API token of this server (gh_…), or log in.",
            )
        })
    }
}

impl OptionalFromRequestParts<AppState> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Option<Self>, ApiError> {
        Self::find(parts, state).await
    }
}
