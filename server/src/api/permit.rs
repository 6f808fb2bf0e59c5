//! Gate 3 of "the license is a contract": whether a record may be stored (rules 8 and 12).
//!
//! A pure function over what the database says now. It is asked before the payload is read, to
//! answer early, and again inside the transaction that stores, to be right.

use axum::http::StatusCode;
use glasshour_license_format::Profile;
use glasshour_protocol::payload::ActivityMinute;
use glasshour_protocol::{EmployeeId, RecordHeader, code};
use jiff::Timestamp;

use crate::error::ApiError;
use crate::store::{Employee, License};

/// What a decision rests on.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// The device's employee.
    pub(super) employee: &'a Employee,
    /// The license that the record names, if this server issued it.
    pub(super) license: Option<&'a License>,
    /// The employee's current license.
    pub(super) current: Option<&'a License>,
}

/// Returns the profile that permits the record, or the error that refuses it.
pub(super) fn check<'a>(facts: &Facts<'a>, header: &RecordHeader) -> Result<&'a Profile, ApiError> {
    if !facts.employee.active {
        return Err(inactive(facts.employee));
    }
    let license = facts
        .license
        .filter(|license| license.employee_id == facts.employee.employee_id)
        .ok_or_else(license_unknown)?;
    let captured = Timestamp::from_millisecond(header.captured_at_ms).map_err(|error| {
        super::ingest::invalid("captured_at_ms", "is not a time").with_source(error)
    })?;
    if !license.claims.is_current(captured) {
        return Err(refused(
            code::LICENSE_EXPIRED,
            "The license was not valid when this was captured.",
        ));
    }
    let profile = &license.claims.profile;
    if !profile.permits_kind(header.kind) {
        return Err(not_licensed(&format!("{} records", header.kind)));
    }
    if license
        .superseded_at
        .is_none_or(|at| header.captured_at_ms <= at)
    {
        return Ok(profile);
    }
    // Captured after a newer license took the place of this one, by an agent that had not heard of
    // it yet: kept as far as the newer one permits it too.
    facts
        .current
        .map(|current| &current.claims.profile)
        .filter(|profile| profile.permits_kind(header.kind))
        .ok_or_else(|| {
            refused(
                code::LICENSE_SUPERSEDED,
                "A newer license took the place of this one and does not permit this record.",
            )
        })
}

/// Within the activity channel the profile says which parts there may be.
pub(super) fn check_activity(profile: &Profile, minute: &ActivityMinute) -> Result<(), ApiError> {
    let licensed = profile.activity.clone().unwrap_or_default();
    if minute.input.is_some() && !licensed.input_counts {
        return Err(not_licensed("input counts"));
    }
    if !minute.applications.is_empty() && !licensed.applications {
        return Err(not_licensed("application names"));
    }
    if minute.applications.iter().any(|part| part.title.is_some()) && !licensed.window_titles {
        return Err(not_licensed("window titles"));
    }
    Ok(())
}

/// 403 `employee_inactive` (rule 8).
pub(super) fn inactive(employee: &Employee) -> ApiError {
    let message = format!(
        "{} is not active. Nothing is taken until your employer makes the employee active again.",
        employee.name
    );
    refused(code::EMPLOYEE_INACTIVE, message)
}

/// 403 `license_unknown`.
pub(super) fn license_unknown() -> ApiError {
    refused(
        code::LICENSE_UNKNOWN,
        "This server did not issue that license for this employee.",
    )
}

fn not_licensed(what: &str) -> ApiError {
    refused(
        code::CHANNEL_NOT_LICENSED,
        format!("The license does not permit {what}."),
    )
}

fn refused(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}

/// Whether a device still belongs to the employee that its license names.
pub(super) fn same_employee(device: EmployeeId, license: &License) -> bool {
    license.employee_id == device
}
