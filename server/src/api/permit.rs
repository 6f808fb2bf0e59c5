//! Gate 3 of "the license is a contract": whether a record may be stored (rules 8 and 12).
//!
//! A pure function over what the database says now. It is asked before the payload is read, to
//! answer early, before a picture is written, and again inside the transaction that stores, to be
//! right. What a license permits in detail is the rule that the uploader holds records against too:
//! `license-format/src/excess.rs`, and `dates.rs` beside it.
//!
//! Whether an employee may delete a capture is said by the license that it was captured under, whatever
//! came after: that is what they were told. A record without its payload that a newer license does not
//! permit is taken all the same: it holds nothing but its place in the chain.

use axum::http::StatusCode;
use glasshour_license_format::{Claims, Excess, Others, Payload, Profile, ShotMoment};
use glasshour_protocol::session::Span;
use glasshour_protocol::withdrawal::Reason;
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
    /// The employee's current license when the record was captured.
    pub(super) then: Option<&'a License>,
}

/// What permits a record.
#[derive(Clone, Debug)]
pub(super) struct Permit {
    /// The license that the record names.
    claims: Claims,
    /// The profile of the license that had taken its place when the record was captured, and since
    /// when (UTC milliseconds).
    newer: Option<(Profile, i64)>,
}

impl Permit {
    /// The time that a withdrawal of the record takes off, where the employee deleted it.
    pub(super) fn span_off(
        &self,
        header: &RecordHeader,
        withdrawn: Option<Reason>,
    ) -> Option<Span> {
        let by_employee = withdrawn == Some(Reason::Employee);
        let profile = by_employee.then_some(&self.claims.profile)?;
        profile.stands_for(header.kind, header.captured_at_ms)
    }
}

/// Returns what permits the record, as far as its header tells, or the error that refuses it.
pub(super) fn check(
    facts: &Facts<'_>,
    header: &RecordHeader,
    withdrawn: Option<Reason>,
) -> Result<Permit, ApiError> {
    if !facts.employee.active {
        return Err(inactive(facts.employee));
    }
    let license = facts
        .license
        .filter(|license| license.employee_id == facts.employee.employee_id)
        .ok_or_else(license_unknown)?;
    time("captured_at_ms", header.captured_at_ms)?;
    let dated = license.claims.permits_date(header, Payload::Unread);
    dated.map_err(exceeds)?;
    // Captured after a newer license took the place of this one, by an agent that had not heard of
    // it yet: kept as far as the newer one permits it too.
    let superseded = license
        .superseded_at
        .filter(|at| header.captured_at_ms > *at);
    if withdrawn == Some(Reason::Superseded) && superseded.is_none() {
        return Err(super::ingest::invalid(
            "glasshour-withdrawn",
            "says that the license was superseded, and it was not",
        ));
    }
    let newer = match (superseded.filter(|_| withdrawn.is_none()), facts.then) {
        (None, _) => None,
        (Some(at), Some(then)) => Some((then.claims.profile.clone(), at.max(then.issued_at))),
        (Some(_), None) => return Err(superseded_by("")),
    };
    let permit = Permit {
        claims: license.claims.clone(),
        newer,
    };
    match withdrawn {
        Some(reason) => permit.each(|profile, _| profile.permits_withdrawn(header, reason))?,
        None => permit.holds(header, Payload::Unread)?,
    }
    Ok(permit)
}

impl Permit {
    /// Holds a record against the license, detail by detail.
    pub(super) fn holds(
        &self,
        header: &RecordHeader,
        payload: Payload<'_>,
    ) -> Result<(), ApiError> {
        if let Payload::Minute(minute) = payload {
            time("payload.from_ms", minute.from_ms)?;
        }
        let dated = self.claims.permits_date(header, payload);
        dated.map_err(exceeds)?;
        self.each(|profile, _| profile.permits(header, payload))
    }

    /// Holds a picture against those that were taken before and after it.
    pub(super) fn holds_among(
        &self,
        header: &RecordHeader,
        others: &Others,
    ) -> Result<(), ApiError> {
        self.each(|profile, since| {
            // The newer license says nothing of what was captured before it.
            let later = |moment: &&ShotMoment| since.is_none_or(|since| moment.wall_ms > since);
            let others = Others {
                moments: others.moments.iter().filter(later).cloned().collect(),
                places: others.places.clone(),
            };
            profile.permits_among(header, &others)
        })
    }

    fn each(
        &self,
        judge: impl Fn(&Profile, Option<i64>) -> Result<(), Excess>,
    ) -> Result<(), ApiError> {
        judge(&self.claims.profile, None).map_err(exceeds)?;
        let Some((newer, since)) = &self.newer else {
            return Ok(());
        };
        judge(newer, Some(*since)).map_err(|excess| superseded_by(&excess.to_string()))
    }
}

/// Whether a refusal is for what the license says: these are counted.
pub(super) fn is_counted(error: &ApiError) -> bool {
    const OTHERS: [&str; 2] = [code::LICENSE_SUPERSEDED, code::LICENSE_UNKNOWN];
    Excess::is_code(error.code) || OTHERS.contains(&error.code)
}

fn time(field: &str, ms: i64) -> Result<Timestamp, ApiError> {
    Timestamp::from_millisecond(ms)
        .map_err(|error| super::ingest::invalid(field, "is not a time").with_source(error))
}

/// 403 for what exceeds the license that the record names, whatever the license says by now.
fn exceeds(excess: Excess) -> ApiError {
    refused(excess.code(), excess.to_string())
}

/// 403 `employee_inactive` (rule 8).
pub(super) fn inactive(employee: &Employee) -> ApiError {
    let message = format!(
        "{} is not active. Nothing is taken until your employer makes the employee active again.",
        employee.name
    );
    refused(code::EMPLOYEE_INACTIVE, message)
}

/// 403 `trial_ended` (rule 16): nothing is deleted, and agents keep what they have.
pub(super) fn trial_ended() -> ApiError {
    let message = "The trial of this company is over. Nothing is taken until it has a plan; what was \
                   captured waits on this computer.";
    refused(code::TRIAL_ENDED, message)
}

/// 403 `device_waits`: nothing is given up, and agents keep what they have.
pub(super) fn device_waits() -> ApiError {
    let message = "This computer is new to your employer, who has to approve it first. What is captured \
                   waits on this computer until then.";
    refused(code::DEVICE_WAITS, message)
}

/// 403 `license_unknown`.
pub(super) fn license_unknown() -> ApiError {
    refused(
        code::LICENSE_UNKNOWN,
        "This server did not issue that license for this employee.",
    )
}

/// 403 `license_superseded`, with what the newer license says.
fn superseded_by(excess: &str) -> ApiError {
    let message = "A newer license took the place of this one and does not permit this record.";
    refused(
        code::LICENSE_SUPERSEDED,
        format!("{message} {excess}").trim_end(),
    )
}

fn refused(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}

/// Whether a device still belongs to the employee that its license names.
pub(super) fn same_employee(device: EmployeeId, license: &License) -> bool {
    license.employee_id == device
}
