//! What hangs on an employee is as far within reach as the employee: their captures, devices, sessions.

use glasshour_protocol::{EmployeeId, RecordId};

use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{Employee, Read, Record};

/// An employee, for somebody who may do that with that of them: 404 for another workspace's.
pub(crate) async fn employee(
    read: &mut Read,
    actor: &Actor,
    verb: Verb,
    object: Object,
    id: EmployeeId,
) -> Result<Employee, ApiError> {
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
    actor.may(Verb::Read, Object::Capture)?;
    let missing = || ApiError::not_found("record");
    let record = read.record(id).await?.ok_or_else(missing)?;
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
