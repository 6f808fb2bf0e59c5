//! Inviting people into a workspace (rules 46 to 50). An invitation is a member who has not accepted
//! yet: it has the member's id.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::links::{self, Letter};
use super::{company, members, rules};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, TOO_MANY_INVITATIONS};
use crate::store::{
    LinkPurpose, MailTemplate, Member, MemberRole, MemberStatus, Notice, Workspace, Write,
};

/// Most addresses in one invitation where the plan names no cap: what a form can hold.
const MAX_AT_ONCE: usize = 5000;

/// The invitation form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteForm {
    /// Where to; absent: the chosen workspace, or the company's first.
    pub workspace_id: Option<String>,
    /// One or more e-mail addresses, separated by commas.
    pub emails: Option<String>,
    /// `employee` where absent.
    pub role: Option<String>,
    /// False: they are added and told nothing (rule 49).
    pub send: Option<bool>,
}

/// What became of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// As it was typed.
    pub email: String,
    /// `invited`, `added` (told nothing), `already_invited`, `already_member`, `inactive` or `invalid`.
    pub result: &'static str,
    /// For a person.
    pub message: String,
    /// The member, where there is one.
    pub member_id: Option<String>,
    /// The link to copy, where this server sends no mail.
    pub link: Option<String>,
}

/// Invites everybody named; each address has its own result, and one bad address does not stop the
/// others (rule 47).
pub async fn invite(
    state: &AppState,
    actor: &Actor,
    form: InviteForm,
) -> Result<Vec<Invited>, ApiError> {
    actor.may(Verb::Create, Object::Invitation)?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let workspace = actor
        .workspace(&mut write, form.workspace_id.as_deref())
        .await?;
    let workspace = write.workspace(&workspace).await?;
    let workspace = workspace.ok_or_else(|| ApiError::not_found("workspace"))?;
    let role = role(actor, form.role.as_deref())?;
    let typed = form.emails.unwrap_or_default();
    let typed: Vec<&str> = typed
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect();
    if typed.is_empty() {
        return Err(rules::missing("emails"));
    }
    let cap = company::plan(&mut write).await?.invitations_at_once;
    let cap = cap.map_or(MAX_AT_ONCE, |cap| usize::try_from(cap).unwrap_or(0));
    if typed.len() > cap {
        let error = ApiError::invalid(
            "emails",
            format!("{cap} addresses go in one invitation. Invite the others in a second one."),
        );
        return Err(ApiError {
            code: TOO_MANY_INVITATIONS,
            ..error
        });
    }
    let send = form.send.unwrap_or(true);
    let mut all = Vec::new();
    for email in typed {
        let mut one = Invited {
            email: email.to_owned(),
            result: "invalid",
            message: String::new(),
            member_id: None,
            link: None,
        };
        match rules::address("emails", email) {
            Err(_) => {
                "This is not an e-mail address. Correct it and invite it again."
                    .clone_into(&mut one.message);
            }
            Ok(address) => {
                let inviting = Inviting {
                    state,
                    actor,
                    workspace: &workspace,
                    role,
                    send,
                    now_ms,
                };
                inviting.invite(&mut write, &address, &mut one).await?;
            }
        }
        all.push(one);
    }
    write.commit().await?;
    Ok(all)
}

fn role(actor: &Actor, text: Option<&str>) -> Result<MemberRole, ApiError> {
    let unknown = || ApiError::invalid("role", "`role` must be `admin`, `manager` or `employee`.");
    let role = match text.filter(|text| !text.is_empty()) {
        None => MemberRole::Employee,
        Some(text) => text.parse().map_err(|_| unknown())?,
    };
    match role {
        MemberRole::Owner => return Err(unknown()),
        MemberRole::Admin => actor.may(Verb::Create, Object::AdminRole)?,
        MemberRole::Manager | MemberRole::Employee => {}
    }
    Ok(role)
}

struct Inviting<'a> {
    state: &'a AppState,
    actor: &'a Actor,
    workspace: &'a Workspace,
    role: MemberRole,
    send: bool,
    now_ms: i64,
}

impl Inviting<'_> {
    async fn invite(
        &self,
        write: &mut Write,
        email: &str,
        one: &mut Invited,
    ) -> Result<(), ApiError> {
        let workspace_id = &self.workspace.workspace_id;
        let known = write.member_by_email(workspace_id, email).await?;
        let standing = known.as_ref().map(|member| member.status);
        let (result, message) = match standing {
            Some(MemberStatus::Pending) => (
                "already_invited",
                "This address is invited already. Send it again from the row's menu.",
            ),
            Some(MemberStatus::Active) => (
                "already_member",
                "This address is a member of the workspace.",
            ),
            Some(MemberStatus::Inactive) => (
                "inactive",
                "This member was deactivated. Reactivate them under Show inactive.",
            ),
            None | Some(MemberStatus::Deleted) if self.send => {
                ("invited", "The invitation is on its way.")
            }
            None | Some(MemberStatus::Deleted) => ("added", "Added, and told nothing."),
        };
        one.result = result;
        message.clone_into(&mut one.message);
        one.member_id = known.as_ref().map(|member| member.member_id.clone());
        if !matches!(standing, None | Some(MemberStatus::Deleted)) {
            return Ok(());
        }
        let account = write.user_by_email(email).await?;
        let fresh = Member {
            member_id: Uuid::now_v7().to_string(),
            workspace_id: workspace_id.clone(),
            home_id: account.as_ref().map(|user| user.company_id),
            user_id: account.as_ref().map(|user| user.user_id.clone()),
            email: email.to_owned(),
            name: members::named(account.as_ref(), email),
            role: self.role,
            status: MemberStatus::Pending,
            first_day: "mon".into(),
            working_days: "mon,tue,wed,thu,fri".into(),
            capacity_min: 8 * 60,
            rate_cents: None,
            employee_id: None,
            tracking_stopped: false,
            sent_at: None,
            expires_at: None,
            accepted_at: None,
            created_at: self.now_ms,
            updated_at: self.now_ms,
        };
        let mut member = match known {
            None => fresh,
            // Somebody who was here before: what they tracked is theirs again, their leave is not
            // (rule 59).
            Some(before) => Member {
                member_id: before.member_id,
                employee_id: before.employee_id,
                created_at: before.created_at,
                ..fresh
            },
        };
        if one.member_id.is_none() {
            write.insert_member(&member).await?;
        }
        if self.send {
            send(
                self.state,
                write,
                self.actor,
                self.workspace,
                &mut member,
                self.now_ms,
            )
            .await?;
        }
        write.update_member(&member).await?;
        one.link = links::link_to_copy(self.state, write, &member.member_id).await?;
        one.member_id = Some(member.member_id);
        Ok(())
    }
}

/// Sends an invitation, or sends it again: the link before is worth nothing from then on (rule 49).
pub async fn send_invitation(
    state: &AppState,
    actor: &Actor,
    id: &str,
) -> Result<Member, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let mut member = find(&mut write, actor, Verb::Change, id).await?;
    let workspace = write.workspace(&member.workspace_id).await?;
    let workspace = workspace.ok_or_else(|| ApiError::not_found("invitation"))?;
    send(state, &mut write, actor, &workspace, &mut member, now_ms).await?;
    member.updated_at = now_ms;
    write.update_member(&member).await?;
    write.commit().await?;
    Ok(member)
}

/// Takes an invitation back.
pub async fn withdraw_invitation(
    state: &AppState,
    actor: &Actor,
    id: &str,
) -> Result<(), ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let mut member = find(&mut write, actor, Verb::Delete, id).await?;
    members::remove(&mut write, &mut member, now_ms).await?;
    write.commit().await?;
    Ok(())
}

/// An invitation that waits.
pub(crate) async fn find(
    read: &mut crate::store::Read,
    actor: &Actor,
    verb: Verb,
    id: &str,
) -> Result<Member, ApiError> {
    actor.may(verb, Object::Invitation)?;
    let member = read.member(id).await?;
    let member = member.filter(|one| one.status == MemberStatus::Pending);
    let member = member.ok_or_else(|| ApiError::not_found("invitation"))?;
    actor.may_in(verb, Object::Invitation, &member.workspace_id, "invitation")?;
    Ok(member)
}

async fn send(
    state: &AppState,
    write: &mut Write,
    actor: &Actor,
    workspace: &Workspace,
    member: &mut Member,
    now_ms: i64,
) -> Result<(), ApiError> {
    let company = company(write).await?;
    let params = json!({
        "name": member.name,
        "workspace": workspace.name,
        "company": company.name,
        "by": actor.name(),
        "role": member.role.as_str(),
        "member_id": member.member_id,
    });
    let letter = Letter {
        to: &member.email,
        template: if member.user_id.is_some() {
            MailTemplate::InvitationAccount
        } else {
            MailTemplate::Invitation
        },
        subject_id: &member.member_id,
        params: params.clone(),
    };
    let expires_at = links::send(state, write, LinkPurpose::Invitation, &letter, now_ms).await?;
    let first_time = member.sent_at.is_none();
    member.sent_at = Some(now_ms);
    member.expires_at = Some(expires_at);
    // Whoever has an account finds it in the console too (rule 50).
    if let (Some(home), Some(user_id), true) = (member.home_id, &member.user_id, first_time) {
        let here = write.rebind(home)?;
        write
            .insert_notice(
                user_id,
                &Notice {
                    notice_id: Uuid::now_v7().to_string(),
                    kind: "invitation".into(),
                    params,
                    created_at: now_ms,
                    read_at: None,
                },
            )
            .await?;
        write.rebind(here)?;
    }
    Ok(())
}
