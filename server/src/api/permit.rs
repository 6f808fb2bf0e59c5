//! Gate 3 of "the license is a contract": whether a record may be stored (rules 8 and 12).
//!
//! A pure function over what the database says now. It is asked before the payload is read, to
//! answer early, and again inside the transaction that stores, to be right.
//!
//! A license's dates bound what is captured: pictures and minutes of activity. Sessions, health and
//! notices tell when the agent ran and why it stopped, and come after the end as well.

use axum::http::StatusCode;
use glasshour_license_format::{Claims, Profile};
use glasshour_protocol::payload::ActivityMinute;
use glasshour_protocol::{EmployeeId, Kind, RecordHeader, code};
use jiff::{SignedDuration, Timestamp};

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

/// A minute of activity is dated by its end: the one that was under way when the license ran out
/// comes at most this much later.
const MINUTE_UNDER_WAY: SignedDuration = SignedDuration::from_secs(60);

/// What permits a record, as far as its header tells.
#[derive(Clone, Debug)]
pub(super) struct Permit {
    /// The license that the record names.
    claims: Claims,
    /// What may be in the record: that license's profile, or the one of the license that took its place.
    profile: Profile,
}

/// Returns what permits the record, or the error that refuses it.
pub(super) fn check(facts: &Facts<'_>, header: &RecordHeader) -> Result<Permit, ApiError> {
    if !facts.employee.active {
        return Err(inactive(facts.employee));
    }
    let license = facts
        .license
        .filter(|license| license.employee_id == facts.employee.employee_id)
        .ok_or_else(license_unknown)?;
    let claims = &license.claims;
    check_dates(claims, header)?;
    let permit = |profile: &Profile| Permit {
        claims: claims.clone(),
        profile: profile.clone(),
    };
    if !claims.profile.permits_kind(header.kind) {
        return Err(not_licensed(&format!("{} records", header.kind)));
    }
    if license
        .superseded_at
        .is_none_or(|at| header.captured_at_ms <= at)
    {
        return Ok(permit(&claims.profile));
    }
    // Captured after a newer license took the place of this one, by an agent that had not heard of
    // it yet: kept as far as the newer one permits it too.
    facts
        .current
        .map(|current| &current.claims.profile)
        .filter(|profile| profile.permits_kind(header.kind))
        .map(permit)
        .ok_or_else(|| {
            refused(
                code::LICENSE_SUPERSEDED,
                "A newer license took the place of this one and does not permit this record.",
            )
        })
}

fn check_dates(claims: &Claims, header: &RecordHeader) -> Result<(), ApiError> {
    let captured = time("captured_at_ms", header.captured_at_ms)?;
    let valid = match header.kind {
        Kind::Session | Kind::Health | Kind::Notice => true,
        Kind::Screenshot | Kind::Camera => claims.is_current(captured),
        // Whether it began in time is known with its payload: `check_activity`.
        Kind::Activity => claims.expires_at.is_none_or(|end| {
            end.checked_add(MINUTE_UNDER_WAY)
                .is_ok_and(|end| captured <= end)
        }),
    };
    if valid { Ok(()) } else { Err(not_valid()) }
}

/// Within the activity channel the profile says which parts there may be; the minute begins within
/// the license's dates.
pub(super) fn check_activity(permit: &Permit, minute: &ActivityMinute) -> Result<(), ApiError> {
    if !permit
        .claims
        .is_current(time("payload.from_ms", minute.from_ms)?)
    {
        return Err(not_valid());
    }
    let licensed = permit.profile.activity.clone().unwrap_or_default();
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

fn time(field: &str, ms: i64) -> Result<Timestamp, ApiError> {
    Timestamp::from_millisecond(ms)
        .map_err(|error| super::ingest::invalid(field, "is not a time").with_source(error))
}

/// 403 `license_expired`: about this record, whatever the license says by now.
fn not_valid() -> ApiError {
    refused(
        code::LICENSE_EXPIRED,
        "The license was not valid when this was captured.",
    )
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
