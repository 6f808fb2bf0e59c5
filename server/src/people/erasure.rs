//! The rights of a person (GDPR, articles 15, 17, 20): erased, at once and for good, leaving a receipt.
//!
//! Erased is one person: employee, place in workspaces, account of this company, whichever was named, and
//! with them every record, picture, license and device. What cannot be known from here stays and is told:
//! backups, the agent's own computer, and what the person's name was written into by hand.

use axum::http::StatusCode;
use glasshour_protocol::{CompanyId, EmployeeId, Kind, code};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::rules;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, CONFIRM_FIRST, OWNS_WORKSPACE};
use crate::objects::ObjectKey;
use crate::store::{
    CompanyRole, Expired, MemberRole, MemberStatus, Note, PersonKeys, PurgeReceipt, Read, Write,
};

/// Records and pictures that go in one transaction: others write in between.
const AT_ONCE: u32 = 500;

/// Every kind of record.
pub(super) const KINDS: [Kind; 6] = [
    Kind::Screenshot,
    Kind::Camera,
    Kind::Activity,
    Kind::Session,
    Kind::Health,
    Kind::Notice,
];

/// What erasing asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ErasureForm {
    /// It cannot be taken back.
    pub confirm: Option<bool>,
    /// On what ground; kept in the receipt, so name nobody in it.
    pub reason: Option<String>,
}

/// Erases the person whom an employee is.
pub async fn erase_employee(
    state: &AppState,
    actor: &Actor,
    id: EmployeeId,
    form: ErasureForm,
) -> Result<PurgeReceipt, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    super::reach::employee(&mut read, actor, Verb::Delete, Object::Person, id).await?;
    let person = person_of_employee(&mut read, actor.company_id, id).await?;
    drop(read);
    erase(state, actor, person, form).await
}

/// Erases the person whom a user of the company is.
pub async fn erase_user(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: ErasureForm,
) -> Result<PurgeReceipt, ApiError> {
    actor.may(Verb::Delete, Object::User)?;
    actor.may(Verb::Delete, Object::Person)?;
    let mut read = state.read(actor.company_id).await?;
    let user = read.user(id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    let person = person_of_user(&mut read, actor.company_id, &user.user_id).await?;
    drop(read);
    erase(state, actor, person, form).await
}

async fn person_of_employee(
    read: &mut Read,
    company: CompanyId,
    id: EmployeeId,
) -> Result<PersonKeys, ApiError> {
    let member = read.member_of_employee(id).await?;
    let own = member
        .as_ref()
        .filter(|member| member.home_id == Some(company))
        .and_then(|member| member.user_id.clone());
    let mut person = match own {
        Some(user) => person_of_user(read, company, &user).await?,
        None => PersonKeys::default(),
    };
    add_member(&mut person, member);
    add_employee(read, &mut person, id).await?;
    Ok(person)
}

async fn person_of_user(
    read: &mut Read,
    company: CompanyId,
    user_id: &str,
) -> Result<PersonKeys, ApiError> {
    let mut person = PersonKeys::default();
    if let Some(user) = read.user(user_id).await? {
        add(&mut person.names, &user.name());
        add(&mut person.emails, &user.email);
        person.user = Some(user.user_id);
    }
    for member in read.members_of(company, user_id).await? {
        let employee = member.employee_id;
        add_member(&mut person, Some(member));
        if let Some(id) = employee {
            add_employee(read, &mut person, id).await?;
        }
    }
    Ok(person)
}

fn add_member(person: &mut PersonKeys, member: Option<crate::store::Member>) {
    if let Some(member) = member {
        add(&mut person.members, &member.member_id);
        add(&mut person.emails, &member.email);
        add(&mut person.names, &member.name);
    }
}

async fn add_employee(
    read: &mut Read,
    person: &mut PersonKeys,
    id: EmployeeId,
) -> Result<(), ApiError> {
    if let Some(employee) = read.employee(id).await? {
        add(&mut person.employees, &id.to_string());
        add(&mut person.names, &employee.name);
        if let Some(email) = employee.email {
            add(&mut person.emails, &email.to_lowercase());
        }
    }
    Ok(())
}

fn add(list: &mut Vec<String>, one: &str) {
    if !list.iter().any(|known| known == one) {
        list.push(one.to_owned());
    }
}

async fn erase(
    state: &AppState,
    actor: &Actor,
    person: PersonKeys,
    form: ErasureForm,
) -> Result<PurgeReceipt, ApiError> {
    // What waits outside of the database names them too.
    state.looks.settle(state).await?;
    let mut read = state.read(actor.company_id).await?;
    refuse_owners(&mut read, &person).await?;
    drop(read);
    if actor
        .user()
        .is_ok_and(|user| person.user.as_ref() == Some(&user.user_id))
    {
        // The log would name them again, as whoever did it.
        let message = "Nobody erases themself. Ask another admin of the company.";
        return Err(ApiError::conflict(None, message));
    }
    if form.confirm != Some(true) {
        return Err(ApiError::not_now(
            CONFIRM_FIRST,
            "Everything of this person is deleted for good: records, pictures, licenses, devices, places in \
             workspaces and the account. Export it first if it is to be kept. Send the same again with `confirm`.",
        ));
    }
    let reason = match form.reason.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(text) => Some(rules::name("reason", text)?),
    };
    let now_ms = state.clock.now_ms();
    // From here on nothing more is taken from the person's agents.
    let mut write = state.write(actor.company_id).await?;
    for id in &person.employees {
        switch_off(&mut write, id, now_ms).await?;
    }
    write.commit().await?;

    let mut records = 0;
    for id in &person.employees {
        for kind in KINDS {
            records += expire_all(state, actor.company_id, &everything(id, kind)?).await?;
        }
    }
    let receipt_id = Uuid::now_v7().to_string();
    let mut receipt = PurgeReceipt {
        receipt_id: receipt_id.clone(),
        at_ms: now_ms,
        kind: "erasure".into(),
        counts: Value::Null,
        reason,
    };
    let mut write = state.write(actor.company_id).await?;
    let pictures = write.queued_purges(u32::MAX).await?.len();
    write.insert_receipt(&receipt).await?;
    let counts = write.erase(&person, &receipt_id).await?;
    let mut told: serde_json::Map<String, Value> = counts
        .into_iter()
        .map(|(table, count)| (table.to_owned(), json!(count)))
        .collect();
    told.insert("records".into(), json!(records));
    told.insert("pictures".into(), json!(pictures));
    receipt.counts = Value::Object(told);
    write.set_receipt_counts(&receipt).await?;
    let note = Note {
        action: "erase",
        object: "person",
        object_id: &receipt_id,
        about_id: Some(&receipt_id),
        after: receipt.counts.clone(),
    };
    write.note(&note).await?;
    write.commit().await?;
    purge_pictures(state, actor.company_id).await?;
    state.db.scrub().await?;
    Ok(receipt)
}

/// Whoever owns something hands it over first.
async fn refuse_owners(read: &mut Read, person: &PersonKeys) -> Result<(), ApiError> {
    for id in &person.members {
        let member = read.member(id).await?;
        if member
            .is_some_and(|one| one.role == MemberRole::Owner && one.status != MemberStatus::Deleted)
        {
            let message = "This person owns a workspace. Transfer the ownership first.";
            return Err(ApiError::not_now(OWNS_WORKSPACE, message));
        }
    }
    if let Some(id) = &person.user
        && let Some(user) = read.user(id).await?
        && user.role == CompanyRole::Owner
    {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            code::FORBIDDEN,
            "The company's owner cannot be erased: the company would be nobody's.",
        ));
    }
    Ok(())
}

async fn switch_off(write: &mut Write, id: &str, now_ms: i64) -> Result<(), ApiError> {
    let id: EmployeeId = id.parse().map_err(ApiError::internal)?;
    if let Some(mut employee) = write.employee(id).await? {
        employee.active = false;
        employee.updated_at = now_ms;
        write.update_employee(&employee).await?;
    }
    Ok(())
}

fn everything(employee: &str, kind: Kind) -> Result<Expired, ApiError> {
    Ok(Expired {
        employee_id: employee.parse().map_err(ApiError::internal)?,
        license_id: None,
        kind,
        before_ms: i64::MAX,
        limit: AT_ONCE,
    })
}

/// Deletes records a piece at a time; returns how many there were.
pub(super) async fn expire_all(
    state: &AppState,
    company: CompanyId,
    expired: &Expired,
) -> Result<u64, ApiError> {
    let mut gone = 0;
    loop {
        let mut write = state.write(company).await?;
        let now = write.expire(expired).await?;
        write.commit().await?;
        gone += now;
        if now < u64::from(expired.limit) {
            return Ok(gone);
        }
    }
}

/// Deletes the pictures that no record names any more; returns how many there were.
///
/// Each is asked for while no record is being stored, from its picture to its row. Of several instances on
/// one database each keeps out only its own.
pub(super) async fn purge_pictures(state: &AppState, company: CompanyId) -> Result<u64, ApiError> {
    let mut gone = 0;
    loop {
        let _alone = state.committer.keep_out().await;
        let mut write = state.write(company).await?;
        let queued = write.queued_purges(AT_ONCE).await?;
        if queued.is_empty() {
            return Ok(gone);
        }
        write.hold_records().await?;
        for sha256 in queued {
            if !write.names_picture(&sha256).await? {
                let key = ObjectKey::new(company, &sha256)?;
                state.objects.delete(key).await?;
                gone += 1;
            }
            write.purged(&sha256).await?;
        }
        write.commit().await?;
    }
}
