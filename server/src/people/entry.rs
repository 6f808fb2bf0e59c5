//! Coming in: one-time links, signing up, accepting an invitation (rules 36, 37, 50).

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode};
use glasshour_protocol::CompanyId;
use glasshour_protocol::code;
use serde::Deserialize;
use serde_json::json;

use super::founding::{Founder, Founding};
use super::links::{self, Letter};
use super::{company, members, rules};
use crate::auth::{self, Actor, LoggedIn};
use crate::error::{ApiError, SIGN_UP_CLOSED};
use crate::store::{
    Link, LinkPurpose, MailTemplate, Member, MemberStatus, StoreError, User, Write,
};
use crate::{AppState, SignUp};

/// What somebody enters who comes in for the first time.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryForm {
    /// For a new account.
    pub first_name: Option<String>,
    /// For a new account.
    pub last_name: Option<String>,
    /// For a new account, or one that has none yet.
    pub password: Option<String>,
}

impl std::fmt::Debug for EntryForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EntryForm(…)")
    }
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whom it was sent to.
    pub email: String,
    /// Whether that address has an account that must log in.
    pub has_account: bool,
    /// The name, where it is known.
    pub name: Option<String>,
    /// The company that sent it.
    pub company: Option<String>,
    /// The workspace that it leads to.
    pub workspace: Option<String>,
}

/// What using a link came to.
#[derive(Debug)]
pub enum Entered {
    /// A new account: logged in.
    LoggedIn(Box<LoggedIn>),
    /// An account that stood already takes part now.
    Joined(Box<Member>),
    /// The password is set; now log in with it.
    PasswordSet,
}

/// Looks at a link without using it.
pub async fn look(state: &AppState, token: &str) -> Result<Door, ApiError> {
    let link = links::find(state, token).await?;
    let mut read = state.read(link.company_id).await?;
    let company_name = company(&mut read).await?.name;
    match link.purpose {
        LinkPurpose::Welcome | LinkPurpose::Reset => {
            let user = read
                .user(&link.subject_id)
                .await?
                .ok_or_else(links::unknown)?;
            Ok(Door {
                purpose: link.purpose,
                email: user.email.clone(),
                has_account: false,
                name: Some(user.name()),
                company: Some(company_name),
                workspace: None,
            })
        }
        LinkPurpose::SignUp => Ok(Door {
            purpose: link.purpose,
            has_account: state.db.find_home(&link.subject_id).await?.is_some(),
            email: link.subject_id,
            name: None,
            company: None,
            workspace: None,
        }),
        LinkPurpose::Invitation => {
            let member = pending(&mut read, &link.subject_id).await?;
            let workspace = read.workspace(&member.workspace_id).await?;
            let workspace = workspace.ok_or_else(links::unknown)?;
            Ok(Door {
                purpose: link.purpose,
                has_account: state.db.find_home(&member.email).await?.is_some(),
                email: member.email,
                name: None,
                company: Some(company_name),
                workspace: Some(workspace.name),
            })
        }
    }
}

/// Uses a link: somebody new gets an account and is logged in; somebody with an account must have
/// logged in with it (401 otherwise), and joins.
pub async fn enter(
    state: &AppState,
    actor: Option<&Actor>,
    token: &str,
    form: EntryForm,
    headers: &HeaderMap,
) -> Result<Entered, ApiError> {
    let link = links::find(state, token).await?;
    let user = match link.purpose {
        LinkPurpose::Welcome => choose_password(state, &link, form).await?,
        LinkPurpose::Reset => {
            super::security::use_reset(state, &link, form.password).await?;
            return Ok(Entered::PasswordSet);
        }
        LinkPurpose::SignUp => {
            let email = link.subject_id.clone();
            if state.db.find_home(&email).await?.is_some() {
                return Err(links::unknown());
            }
            make_account(state, &link, &email, form).await?
        }
        LinkPurpose::Invitation => {
            let member = {
                let mut read = state.read(link.company_id).await?;
                pending(&mut read, &link.subject_id).await?
            };
            if state.db.find_home(&member.email).await?.is_some() {
                let joined = join_as(state, actor, link.company_id, &member).await?;
                return Ok(Entered::Joined(Box::new(joined)));
            }
            make_account(state, &link, &member.email, form).await?
        }
    };
    let logged_in = auth::open_session(state, user, headers).await?;
    Ok(Entered::LoggedIn(Box::new(logged_in)))
}

/// A new internal user chooses a password (rule 36).
async fn choose_password(state: &AppState, link: &Link, form: EntryForm) -> Result<User, ApiError> {
    let password = rules::required("password", form.password)?;
    let mut write = state.write(link.company_id).await?;
    let user = write.user(&link.subject_id).await?;
    let user = user.filter(User::is_active).ok_or_else(links::unknown)?;
    let own = [user.email.as_str(), &user.name()];
    let hash = state.passwords.hash_for(&password, &own).await?;
    if !write.use_link(&link.token_hash).await? {
        return Err(links::unknown());
    }
    write.set_password(&user.user_id, &hash).await?;
    write.drop_mail(&link.subject_id).await?;
    write.commit().await?;
    Ok(user)
}

/// Makes an account for an address that its link has proved, and joins every workspace that has invited
/// the address (rule 50): no second, separate account comes of it. Where nobody has, the account begins
/// with a workspace of its own.
async fn make_account(
    state: &AppState,
    link: &Link,
    email: &str,
    form: EntryForm,
) -> Result<User, ApiError> {
    let first_name = rules::name(
        "first_name",
        &rules::required("first_name", form.first_name)?,
    )?;
    let last_name = rules::name("last_name", &rules::required("last_name", form.last_name)?)?;
    let password = rules::required("password", form.password)?;
    let own = [email, first_name.as_str(), last_name.as_str()];
    let password_hash = state.passwords.hash_for(&password, &own).await?;
    let now_ms = state.clock.now_ms();
    let inviting = state.db.find_invitations(email).await?;
    let founder = Founder {
        email: email.to_owned(),
        first_name,
        last_name,
        password_hash,
    };
    let name = format!("{} {}", founder.first_name, founder.last_name);
    let mut founding = Founding::of(&name, founder, now_ms)?;
    if inviting.is_empty() {
        founding = founding.with_workspace();
    }
    let user = founding.owner.clone();
    let mut write = state.write(link.company_id).await?;
    if !write.use_link(&link.token_hash).await? {
        return Err(links::unknown());
    }
    write.drop_mail(&link.subject_id).await?;
    write.rebind(user.company_id)?;
    founding
        .store(&mut write)
        .await
        .map_err(|error| match error {
            StoreError::Taken { .. } => links::unknown(),
            other => other.into(),
        })?;
    for company in inviting {
        write.rebind(company)?;
        for mut member in write.invitations_to(email).await? {
            accept_as(&mut write, &mut member, &user, now_ms).await?;
        }
    }
    write.commit().await?;
    Ok(user)
}

/// Somebody who has an account accepts, logged in with it.
async fn join_as(
    state: &AppState,
    actor: Option<&Actor>,
    company: CompanyId,
    member: &Member,
) -> Result<Member, ApiError> {
    let logged_in = actor.and_then(|actor| actor.user().ok());
    let user = logged_in.ok_or_else(|| {
        let message = format!("Log in as {}, and follow the link again.", member.email);
        ApiError::unauthenticated(message)
    })?;
    if user.email != member.email {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            code::FORBIDDEN,
            format!(
                "This invitation is for {}. Log out, and log in with that address.",
                member.email
            ),
        ));
    }
    let mut write = state.write(company).await?;
    let mut member = pending(&mut write, &member.member_id).await?;
    accept_as(&mut write, &mut member, user, state.clock.now_ms()).await?;
    write.commit().await?;
    Ok(member)
}

/// Accepts or declines an invitation from the console's bell, logged in (rule 50).
pub async fn answer_invitation(
    state: &AppState,
    actor: &Actor,
    member_id: &str,
    accept: bool,
) -> Result<Member, ApiError> {
    let user = members::person(actor)?;
    let waiting = state
        .db
        .find_memberships(user.company_id, &user.user_id)
        .await?;
    let waiting = waiting
        .into_iter()
        .find(|one| one.member_id == member_id && one.status == MemberStatus::Pending)
        .ok_or_else(|| ApiError::not_found("invitation"))?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(waiting.company_id).await?;
    let mut member = pending(&mut write, member_id).await?;
    if accept {
        accept_as(&mut write, &mut member, user, now_ms).await?;
    } else {
        members::remove(&mut write, &mut member, now_ms).await?;
    }
    write.commit().await?;
    Ok(member)
}

async fn accept_as(
    write: &mut Write,
    member: &mut Member,
    user: &User,
    now_ms: i64,
) -> Result<(), ApiError> {
    member.home_id = Some(user.company_id);
    member.user_id = Some(user.user_id.clone());
    member.name = user.name();
    member.status = MemberStatus::Active;
    member.accepted_at = Some(now_ms);
    member.updated_at = now_ms;
    members::forget_invitation(write, &member.member_id).await?;
    write.update_member(member).await?;
    Ok(())
}

async fn pending(read: &mut crate::store::Read, id: &str) -> Result<Member, ApiError> {
    let member = read.member(id).await?;
    let member = member.filter(|one| one.status == MemberStatus::Pending);
    member.ok_or_else(links::unknown)
}

/// Somebody wants an account: a link goes to the address, if it may have one. The answer is the same
/// whether it may, and whether it has one already.
pub async fn sign_up(state: &AppState, email: &str, from: IpAddr) -> Result<(), ApiError> {
    if state.sign_up == SignUp::Closed {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            SIGN_UP_CLOSED,
            "Accounts are made by your company here. Ask it for one.",
        ));
    }
    let email = rules::address("email", email)?;
    let now_ms = state.clock.now_ms();
    if !state.throttle.begin("sign-up", from, now_ms) {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::BUSY,
            "Too many attempts to sign up. Wait fifteen minutes and try again.",
        ));
    }
    let known = state.db.find_home(&email).await?;
    let inviting = state.db.find_invitations(&email).await?;
    let holder = match (known, inviting.first(), state.sign_up) {
        (Some(home), _, _) => home,
        (None, Some(company), _) => *company,
        (None, None, SignUp::Open) => match state.db.companies(1).await?.first() {
            Some(first) => *first,
            None => return Ok(()),
        },
        (None, None, _) => return Ok(()),
    };
    let mut write = state.write(holder).await?;
    let letter = |template| Letter {
        to: &email,
        template,
        subject_id: &email,
        params: json!({}),
    };
    if known.is_some() {
        let known = letter(MailTemplate::SignUpKnown);
        links::queue(state, &mut write, &known, None, now_ms).await?;
    } else {
        links::send(
            state,
            &mut write,
            LinkPurpose::SignUp,
            &letter(MailTemplate::SignUp),
            now_ms,
        )
        .await?;
    }
    write.commit().await?;
    Ok(())
}
