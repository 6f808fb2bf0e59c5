//! What hangs on an employee is as far within reach as the employee: their captures, devices, sessions.

use glasshour_protocol::{EmployeeId, RecordId};

use super::members::is_self;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{Employee, MemberStatus, Read, Record};

/// An employee, for somebody who may do that with that of them: 404 for another workspace's.
pub(crate) async fn employee(
    read: &mut Read,
    actor: &Actor,
    verb: Verb,
    object: Object,
    id: EmployeeId,
) -> Result<Employee, ApiError> {
    if (verb, object) == (Verb::Read, Object::Capture)
        && is_own(read, actor, id).await?
        && let Some(employee) = read.employee(id).await?
    {
        return Ok(employee);
    }
    actor.may(verb, object)?;
    let employee = read.employee(id).await?;
    let employee = employee.ok_or_else(|| ApiError::not_found("employee"))?;
    actor.may_in(verb, object, &employee.workspace_id, "employee")?;
    Ok(employee)
}

/// A record, for somebody who may look at what its employee's devices captured.
pub(crate) async fn record(
    read: &mut Read,
    actor: &Actor,
    id: RecordId,
) -> Result<Record, ApiError> {
    let found = read.record(id).await?;
    if let Some(record) = &found
        && is_own(read, actor, record.employee_id).await?
    {
        return Ok(record.clone());
    }
    actor.may(Verb::Read, Object::Capture)?;
    let missing = || ApiError::not_found("record");
    let record = found.ok_or_else(missing)?;
    let employee = read
        .employee(record.employee_id)
        .await?
        .ok_or_else(missing)?;
    actor.may_in(
        Verb::Read,
        Object::Capture,
        &employee.workspace_id,
        "record",
    )?;
    Ok(record)
}

/// Whether the asker is that employee: an active member who tracks as them. Then what was captured is
/// theirs to see, whatever their role.
pub(crate) async fn is_own(
    read: &mut Read,
    actor: &Actor,
    id: EmployeeId,
) -> Result<bool, ApiError> {
    if actor.user().is_err() {
        return Ok(false);
    }
    let member = read.member_of_employee(id).await?;
    Ok(member
        .is_some_and(|member| member.status == MemberStatus::Active && is_self(actor, &member)))
}
