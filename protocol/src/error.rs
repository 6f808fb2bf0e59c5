//! The body of every error that the server answers, and the stable codes the agent acts upon.

use serde::{Deserialize, Serialize};

/// `{"code": …, "message": …, "field": …}`: the code is for programs, the message for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One of the constants in [`code`], or one the reader does not know yet.
    pub code: String,
    /// What is wrong and what to do, in a sentence.
    pub message: String,
    /// The request field that is at fault, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Stable error codes. They are part of the contract: never renamed, only added to.
pub mod code {
    /// 403: the record's kind is not permitted by its license (rule 12).
    pub const CHANNEL_NOT_LICENSED: &str = "channel_not_licensed";
    /// 403: it was captured outside of the licensed hours.
    pub const OUTSIDE_SCHEDULE: &str = "outside_schedule";
    /// 403: input was counted, and the license does not permit that.
    pub const INPUT_COUNTS_NOT_LICENSED: &str = "input_counts_not_licensed";
    /// 403: applications are named, and the license does not permit that.
    pub const APPLICATIONS_NOT_LICENSED: &str = "applications_not_licensed";
    /// 403: a window's title is in it, and the license does not permit that.
    pub const TITLES_NOT_LICENSED: &str = "titles_not_licensed";
    /// 403: an application or a title is in it that the license excludes.
    pub const EXCLUDED: &str = "excluded";
    /// 403: the picture is less blurred than the license says.
    pub const BLUR_TOO_WEAK: &str = "blur_too_weak";
    /// 403: the picture is wider than the license says.
    pub const PICTURE_TOO_WIDE: &str = "picture_too_wide";
    /// 403: more than the active monitor was pictured at one moment.
    pub const MONITORS_NOT_LICENSED: &str = "monitors_not_licensed";
    /// 403: more pictures within an hour than the license says.
    pub const RATE_EXCEEDED: &str = "rate_exceeded";
    /// The record cannot be read, and so cannot be held against its license; it was not sent.
    pub const UNREADABLE: &str = "unreadable";
    /// 403: the record's license does not let the employee delete it.
    pub const DELETION_NOT_LICENSED: &str = "deletion_not_licensed";
    /// 403: the employee is not Active (rule 8). The agent stops capturing, keeps what it has, and
    /// asks again.
    pub const EMPLOYEE_INACTIVE: &str = "employee_inactive";
    /// The company's trial is over: nothing is taken until it has a plan, and nothing is given up
    /// (rule 16).
    pub const TRIAL_ENDED: &str = "trial_ended";
    /// 403: the company approves each new device, and has not approved this one yet. Nothing is given up.
    pub const DEVICE_WAITS: &str = "device_waits";
    /// 403: the license was replaced by one with a higher serial and does not cover this record.
    pub const LICENSE_SUPERSEDED: &str = "license_superseded";
    /// 403: no such license was issued by this server.
    pub const LICENSE_UNKNOWN: &str = "license_unknown";
    /// 403: the license has run out, or is not valid yet.
    pub const LICENSE_EXPIRED: &str = "license_expired";
    /// 401: no credentials, or ones that this server does not know.
    pub const UNAUTHENTICATED: &str = "unauthenticated";
    /// 401: the device token is too old or from the future; sign a new one by the server's `Date`.
    pub const TOKEN_EXPIRED: &str = "token_expired";
    /// 403: the device was revoked.
    pub const DEVICE_REVOKED: &str = "device_revoked";
    /// 401: the device is not enrolled here (yet, or any more).
    pub const DEVICE_UNKNOWN: &str = "device_unknown";
    /// 409: this id is taken by something else.
    pub const CONFLICT: &str = "conflict";
    /// 422: the signature does not fit the header or the device.
    pub const BAD_SIGNATURE: &str = "bad_signature";
    /// 422: the payload's hash or length is not what the header says.
    pub const PAYLOAD_MISMATCH: &str = "payload_mismatch";
    /// 400 or 422: the request cannot be read; `field` says where.
    pub const INVALID: &str = "invalid";
    /// 413: larger than [`crate::limits`] allow.
    pub const TOO_LARGE: &str = "too_large";
    /// 404: nothing by that id that you may see.
    pub const NOT_FOUND: &str = "not_found";
    /// 410: the picture on the server's disk is not as it was stored; it is never shown.
    pub const DAMAGED: &str = "damaged";
    /// 410: the record has no payload: the employee deleted it, or it was never sent.
    pub const WITHDRAWN: &str = "withdrawn";
    /// 403: you may not do this.
    pub const FORBIDDEN: &str = "forbidden";
    /// 429 or 503: come back after `Retry-After`.
    pub const BUSY: &str = "busy";
    /// 507: the server's disk is full.
    pub const STORAGE_FULL: &str = "storage_full";
    /// 500: a fault of the server.
    pub const INTERNAL: &str = "internal";
}
