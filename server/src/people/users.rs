//! Users of a company: internal ones are made, changed and deleted here; external ones are only shown
//! (rules 26 to 45).

use axum::http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;

use super::{company, links, members, rules};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, EXTERNAL_USER, NO_SEAT, OWNS_WORKSPACE, USER_ACTIVE};
use crate::store::{
    CompanyRole, MemberRole, MemberStatus, StoreError, User, UserStatus, VALIDATION_OK, Write,
};

/// What a row says where no seat is free (rule 35).
const NO_SEAT_IS_FREE: &str = "No seat is free. Add seats under Plan, or deactivate a user.";

/// The user form: all but `status` is required for a new one; for a change, what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserForm {
    /// The User ID: unique across the server; fixed once the account exists.
    pub user_id: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address: unique across the server.
    pub email: Option<String>,
    /// `active` or `inactive`; a new user without it has no account yet.
    pub status: Option<String>,
    /// Follows from where the account was made: cannot be set.
    #[schema(read_only)]
    pub external: Option<bool>,
    /// Written by the server: cannot be set.
    #[schema(read_only)]
    pub validation_result: Option<String>,
}

impl UserForm {
    /// Refuses what nobody sets by hand (rule 40).
    fn refuse_fixed(&self) -> Result<(), ApiError> {
        let fixed =
            |field: &str, why: &str| Err(ApiError::invalid(field, format!("`{field}` {why}")));
        if self.external.is_some() {
            return fixed(
                "external",
                "cannot be set: internal users are made here, external ones are invited from a workspace.",
            );
        }
        if self.validation_result.is_some() {
            return fixed("validation_result", "is written by the server.");
        }
        Ok(())
    }
}

/// Makes an internal user; with status `active` their account too, where a seat is free. Where none is,
/// the record stands and its `validation_result` says what to do.
pub async fn create_user(
    state: &AppState,
    actor: &Actor,
    form: UserForm,
) -> Result<User, ApiError> {
    actor.may(Verb::Create, Object::User)?;
    form.refuse_fixed()?;
    let login = rules::login(&rules::required("user_id", form.user_id)?)?;
    let first_name = rules::name(
        "first_name",
        &rules::required("first_name", form.first_name)?,
    )?;
    let last_name = rules::name("last_name", &rules::required("last_name", form.last_name)?)?;
    let email = rules::address("email", &rules::required("email", form.email)?)?;
    let wanted = match form.status.as_deref() {
        None | Some("not_yet_active") => false,
        Some("active") => true,
        Some(_) => return Err(unknown_status()),
    };
    let now_ms = state.clock.now_ms();
    let mut user = User {
        company_id: actor.company_id,
        user_id: Uuid::now_v7().to_string(),
        login,
        email,
        first_name,
        last_name,
        password_hash: None,
        role: CompanyRole::None,
        status: UserStatus::NotYetActive,
        validation_result: VALIDATION_OK.into(),
        created_at: now_ms,
        updated_at: now_ms,
    };
    let mut write = state.write(actor.company_id).await?;
    write.insert_user(&user).await.map_err(taken)?;
    // Where no seat is free the row says so.
    if wanted {
        activate(state, &mut write, &mut user, now_ms).await?;
        write.update_user(&user).await?;
    }
    write.commit().await?;
    Ok(user)
}

/// Changes an internal user: 403 `external_user` for one of another company (rule 41); 409 `no_seat`
/// where an activation finds no seat, which the row's `validation_result` then says too.
pub async fn update_user(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: UserForm,
) -> Result<User, ApiError> {
    actor.may(Verb::Change, Object::User)?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let old = internal(&mut write, actor, id).await?;
    form.refuse_fixed()?;
    let mut user = old.clone();
    if let Some(login) = form.user_id {
        let login = rules::login(&login)?;
        if login != old.login && old.status != UserStatus::NotYetActive {
            let message = "`user_id` cannot be changed once the account exists.";
            return Err(ApiError::invalid("user_id", message));
        }
        user.login = login;
    }
    if let Some(name) = form.first_name {
        user.first_name = rules::name("first_name", &name)?;
    }
    if let Some(name) = form.last_name {
        user.last_name = rules::name("last_name", &name)?;
    }
    if let Some(email) = form.email {
        user.email = rules::address("email", &email)?;
    }
    let status = match form.status.as_deref() {
        None => old.status,
        Some(text) => text.parse().map_err(|_| unknown_status())?,
    };
    if status == UserStatus::NotYetActive && old.status != UserStatus::NotYetActive {
        return Err(unknown_status());
    }
    if status == UserStatus::Inactive && old.role == CompanyRole::Owner {
        let message = "The company's owner cannot be deactivated.";
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            glasshour_protocol::code::FORBIDDEN,
            message,
        ));
    }
    user.updated_at = now_ms;
    write.update_user(&user).await.map_err(taken)?;
    if (user.name(), &user.email) != (old.name(), &old.email) {
        // Rule 39: it is the user's own profile that changes, wherever they are a member.
        write
            .rename_memberships(user.company_id, id, &user.name(), &user.email)
            .await
            .map_err(taken)?;
    }
    if user.email != old.email && user.is_active() {
        if user.password_hash.is_none() {
            // The link that was on its way to the old address is worth nothing from now on.
            links::send_welcome(state, &mut write, &user, now_ms).await?;
        }
        attach(&mut write, &user).await?;
    }
    let mut activated = Ok(());
    if status != old.status {
        match status {
            UserStatus::Active => {
                if !activate(state, &mut write, &mut user, now_ms).await? {
                    activated = Err(ApiError::not_now(NO_SEAT, NO_SEAT_IS_FREE));
                }
            }
            UserStatus::Inactive => deactivate(&mut write, &mut user, now_ms).await?,
            UserStatus::NotYetActive => {}
        }
        write.update_user(&user).await?;
        if activated.is_ok() && status == UserStatus::Active {
            members::resume_all(state, &mut write, &user, now_ms).await?;
        }
    }
    // Committed even where the activation was refused: the row says so.
    write.commit().await?;
    activated.map(|()| user)
}

/// Deletes an internal user who is inactive (rules 42 and 43). What they tracked is kept.
pub async fn delete_user(state: &AppState, actor: &Actor, id: &str) -> Result<(), ApiError> {
    actor.may(Verb::Delete, Object::User)?;
    let companies = state.db.find_companies_of(actor.company_id, id).await?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let user = internal(&mut write, actor, id).await?;
    if user.status != UserStatus::Inactive {
        let message = format!(
            "{} is not inactive. Deactivate the user first.",
            user.name()
        );
        return Err(ApiError::not_now(USER_ACTIVE, message));
    }
    for company in companies {
        let home = write.rebind(company)?;
        for mut member in write.members_of(user.company_id, id).await? {
            if member.status == MemberStatus::Deleted {
                continue;
            }
            if member.role == MemberRole::Owner {
                let message = format!(
                    "{} owns a workspace. Give it to another member first.",
                    user.name()
                );
                return Err(ApiError::not_now(OWNS_WORKSPACE, message));
            }
            members::stop_tracking(&mut write, &mut member, now_ms).await?;
            members::remove(&mut write, &mut member, now_ms).await?;
        }
        write.rebind(home)?;
    }
    links::drop_welcome(&mut write, id).await?;
    write.delete_user(id).await?;
    write.commit().await?;
    Ok(())
}

/// Sends the link by which a new user chooses a password once more; the one before is worth nothing
/// from then on.
pub async fn send_welcome(state: &AppState, actor: &Actor, id: &str) -> Result<User, ApiError> {
    actor.may(Verb::Change, Object::User)?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let user = internal(&mut write, actor, id).await?;
    if !user.is_active() || user.password_hash.is_some() {
        let message = "A link is for active users who have not logged in yet.";
        return Err(ApiError::conflict(None, message));
    }
    links::send_welcome(state, &mut write, &user, now_ms).await?;
    write.commit().await?;
    Ok(user)
}

/// One of the company's own users: 404 where nobody is listed by that id, 403 for an external one.
async fn internal(write: &mut Write, actor: &Actor, id: &str) -> Result<User, ApiError> {
    let user = write.listed_user(id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    if user.company_id == actor.company_id {
        return Ok(user);
    }
    Err(ApiError::new(
        StatusCode::FORBIDDEN,
        EXTERNAL_USER,
        format!(
            "{} has an account of their own. Their rights are managed in the workspaces; remove the \
             last one, and they leave this list.",
            user.name()
        ),
    ))
}

/// Gives a user an account and a seat, and sends the link (rules 31, 32 and 36); false where no seat is
/// free, which the row says then.
async fn activate(
    state: &AppState,
    write: &mut Write,
    user: &mut User,
    now_ms: i64,
) -> Result<bool, ApiError> {
    write.lock_seats().await?;
    let seats = company::plan(write).await?.seats;
    let used = write.seats_used().await?;
    if seats.is_some_and(|seats| used >= u64::try_from(seats).unwrap_or(0)) {
        user.validation_result = NO_SEAT_IS_FREE.into();
        return Ok(false);
    }
    user.status = UserStatus::Active;
    user.validation_result = VALIDATION_OK.into();
    if user.password_hash.is_none() {
        links::send_welcome(state, write, user, now_ms).await?;
    }
    attach(write, user).await?;
    Ok(true)
}

/// Whoever invited the address before finds the account now.
async fn attach(write: &mut Write, user: &User) -> Result<(), ApiError> {
    write
        .attach_invitations(user.company_id, &user.user_id, &user.name(), &user.email)
        .await?;
    Ok(())
}

/// Blocks the account, frees the seat (rule 43), and stops what is tracked in the company's workspaces.
async fn deactivate(write: &mut Write, user: &mut User, now_ms: i64) -> Result<(), ApiError> {
    user.status = UserStatus::Inactive;
    user.validation_result = VALIDATION_OK.into();
    write.delete_web_sessions_of(&user.user_id).await?;
    links::drop_welcome(write, &user.user_id).await?;
    for mut member in write.members_of(user.company_id, &user.user_id).await? {
        members::stop_tracking(write, &mut member, now_ms).await?;
        write.update_member(&member).await?;
    }
    Ok(())
}

fn unknown_status() -> ApiError {
    ApiError::invalid("status", "`status` must be `active` or `inactive`.")
}

fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Taken { constraint } if constraint.contains("login") => ApiError::conflict(
            Some("user_id"),
            "That User ID is in use on this server. Choose another one.",
        ),
        StoreError::Taken { .. } => ApiError::conflict(
            Some("email"),
            "That e-mail address has an account on this server. Invite it from a workspace instead.",
        ),
        other => other.into(),
    }
}
