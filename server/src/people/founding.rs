//! How a company begins: with an owner, a key that signs its licenses and a profile; mostly with a
//! workspace too.

use glasshour_protocol::{CompanyId, ProjectId};
use uuid::Uuid;

use super::{DEFAULT_COLOR, new_key, standard_profile};
use crate::error::ApiError;
use crate::store::{
    Company, CompanyRole, Member, MemberRole, MemberStatus, Profile, Project, ProjectKind,
    StoreError, User, UserStatus, VALIDATION_OK, Write,
};

/// Everything that a new company begins with.
pub(crate) struct Founding {
    pub(crate) company: Company,
    pub(crate) owner: User,
    /// Its first workspace; whoever signs up by an invitation has none of their own yet.
    pub(crate) workspace_id: Option<String>,
    now_ms: i64,
}

/// Who founds it.
pub(crate) struct Founder {
    /// Lower case.
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password_hash: String,
}

impl Founding {
    /// A company of that name, with its own key.
    pub(crate) fn of(name: &str, founder: Founder, now_ms: i64) -> Result<Self, ApiError> {
        let signing_key = new_key()
            .map_err(|error| ApiError::internal(format!("the system's random numbers: {error}")))?;
        let company_id = CompanyId(Uuid::now_v7());
        Ok(Self {
            company: Company {
                company_id,
                name: name.to_owned(),
                privacy_contact: None,
                signing_key,
            },
            owner: User {
                company_id,
                user_id: Uuid::now_v7().to_string(),
                login: founder.email.clone(),
                email: founder.email,
                first_name: founder.first_name,
                last_name: founder.last_name,
                password_hash: Some(founder.password_hash),
                role: CompanyRole::Owner,
                status: UserStatus::Active,
                validation_result: VALIDATION_OK.into(),
                created_at: now_ms,
                updated_at: now_ms,
            },
            workspace_id: None,
            now_ms,
        })
    }

    /// The same, with a workspace of the company's name.
    pub(crate) fn with_workspace(self) -> Self {
        Self {
            workspace_id: Some(Uuid::now_v7().to_string()),
            ..self
        }
    }

    /// Stores all of it in a transaction that is bound to the new company.
    pub(crate) async fn store(&self, write: &mut Write) -> Result<(), StoreError> {
        write.insert_company(&self.company, self.now_ms).await?;
        write.insert_user(&self.owner).await?;
        write.insert_profile(&default_profile(self.now_ms)).await?;
        if let Some(id) = &self.workspace_id {
            make_workspace(write, id, &self.company.name, &self.owner, self.now_ms).await?;
        }
        Ok(())
    }
}

/// Makes a workspace with its owner and something to track on.
pub(super) async fn make_workspace(
    write: &mut Write,
    id: &str,
    name: &str,
    owner: &User,
    now_ms: i64,
) -> Result<(), StoreError> {
    write.insert_workspace(id, name, now_ms).await?;
    write.insert_project(&default_project(id, now_ms)).await?;
    write
        .insert_member(&Member {
            member_id: Uuid::now_v7().to_string(),
            workspace_id: id.to_owned(),
            home_id: Some(owner.company_id),
            user_id: Some(owner.user_id.clone()),
            email: owner.email.clone(),
            name: owner.name(),
            role: MemberRole::Owner,
            status: MemberStatus::Active,
            first_day: "mon".into(),
            working_days: "mon,tue,wed,thu,fri".into(),
            capacity_min: 8 * 60,
            rate_cents: None,
            employee_id: None,
            tracking_stopped: false,
            sent_at: None,
            expires_at: None,
            accepted_at: Some(now_ms),
            created_at: now_ms,
            updated_at: now_ms,
        })
        .await
}

/// Rule 5: there is always a project to track on.
fn default_project(workspace_id: &str, now_ms: i64) -> Project {
    Project {
        project_id: ProjectId(Uuid::now_v7()),
        workspace_id: workspace_id.to_owned(),
        name: "General".into(),
        color: DEFAULT_COLOR.into(),
        kind: ProjectKind::Project,
        is_default: true,
        archived: false,
        created_at: now_ms,
    }
}

/// Rule 7: a default profile exists.
fn default_profile(now_ms: i64) -> Profile {
    let name = "Standard";
    Profile {
        profile_id: Uuid::now_v7().to_string(),
        name: name.into(),
        settings: standard_profile(name),
        is_default: true,
        created_at: now_ms,
        updated_at: now_ms,
    }
}
