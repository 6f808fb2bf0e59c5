//! The one error that handlers answer with: what the client may know, and what only the log may.
//!
//! The public part is `{"code", "message", "field"}`; the cause behind it is written to the log and
//! never leaves the process.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glasshour_protocol::{ErrorBody, code};

use crate::objects::ObjectError;
use crate::store::StoreError;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, for the client and for the log.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable code.
    pub code: &'static str,
    /// What is wrong and what to do, for a person.
    pub message: String,
    /// The request field at fault.
    pub field: Option<String>,
    /// When to come back, seconds; by default ten where that makes sense.
    pub retry_after_s: Option<u64>,
    /// What to do about it is known only to us: for the log.
    #[source]
    pub source: Option<Source>,
}

/// No license was ever issued: the employee has not been active yet.
pub(crate) const NO_LICENSE: &str = "no_license";
/// An `Idempotency-Key` was used for another request.
pub(crate) const IDEMPOTENCY_KEY_REUSED: &str = "idempotency_key_reused";
/// The first request under an `Idempotency-Key` has no answer yet, or never will have.
pub(crate) const REQUEST_RUNS: &str = "request_runs";
/// The employee has no e-mail address to send anything to (rule 15).
pub(crate) const NO_EMAIL: &str = "no_email";
/// This server sends no mail.
pub(crate) const MAIL_OFF: &str = "mail_off";
/// No seat is free for one more active user (rule 32).
pub(crate) const NO_SEAT: &str = "no_seat";
/// Seats of this company are set by whoever runs the server (rule 33).
pub(crate) const OPERATOR_ONLY: &str = "operator_only";
/// Only an inactive user is deleted (rule 42).
pub(crate) const USER_ACTIVE: &str = "user_active";
/// The user's own company looks after them (rules 41 and 44).
pub(crate) const EXTERNAL_USER: &str = "external_user";
/// Only a deactivated member is deleted (rule 57).
pub(crate) const MEMBER_ACTIVE: &str = "member_active";
/// Whoever owns a workspace gives it to somebody else first.
pub(crate) const OWNS_WORKSPACE: &str = "owns_workspace";
/// The same again with `confirm`: it cannot be taken back (rule 51).
pub(crate) const CONFIRM_FIRST: &str = "confirm_first";
/// More addresses than the plan lets go in one invitation (rule 48).
pub(crate) const TOO_MANY_INVITATIONS: &str = "too_many_invitations";
/// A one-time link that was used, replaced or never made.
pub(crate) const LINK_UNKNOWN: &str = "link_unknown";
/// A one-time link that is too old.
pub(crate) const LINK_EXPIRED: &str = "link_expired";
/// An API token lacks the scope for it.
pub(crate) const OUT_OF_SCOPE: &str = "out_of_scope";
/// The company asks for a second factor, and the person has none yet.
pub(crate) const SECOND_FACTOR_REQUIRED: &str = "second_factor_required";
/// Nobody makes an account by themself on this server.
pub(crate) const SIGN_UP_CLOSED: &str = "sign_up_closed";

impl ApiError {
    /// An error without a field or a cause.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            field: None,
            retry_after_s: None,
            source: None,
        }
    }

    /// 422: a field of the request has a value that it cannot have.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code::INVALID, message);
        Self {
            field: Some(field.into()),
            ..error
        }
    }

    /// 404 for a kind of thing, such as "employee".
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            code::NOT_FOUND,
            format!("There is no such {what}."),
        )
    }

    /// 401 without a word on which part was wrong.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, message)
    }

    /// 409: something has that id, name or address already.
    pub fn conflict(field: Option<&str>, message: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::CONFLICT, code::CONFLICT, message);
        Self {
            field: field.map(str::to_owned),
            ..error
        }
    }

    /// 409 with a code of its own: what was asked for has to wait for something else.
    pub fn not_now(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 500 with a cause for the log.
    pub fn internal(source: impl Into<Source>) -> Self {
        let message = "The server has a fault. It was written to its log.";
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, message);
        error.with_source(source)
    }

    /// 507: no room for more.
    pub fn storage_full(source: impl Into<Source>) -> Self {
        let message =
            "The server's disk is full. Nothing was stored; try again when there is room.";
        Self::new(
            StatusCode::INSUFFICIENT_STORAGE,
            code::STORAGE_FULL,
            message,
        )
        .with_source(source)
    }

    /// 503: too many at once.
    pub fn busy() -> Self {
        let message = "The server is busy. Try again in a few seconds.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::BUSY, message)
    }

    /// Adds a cause for the log.
    #[must_use]
    pub fn with_source(self, source: impl Into<Source>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The same answer for another request; the cause is logged once, by whoever has it.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            status: self.status,
            code: self.code,
            message: self.message.clone(),
            field: self.field.clone(),
            retry_after_s: self.retry_after_s,
            source: None,
        }
    }

    /// Says when to come back, seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after_s: Some(seconds),
            ..self
        }
    }

    /// 429: more than a sender may ask.
    pub fn too_many(retry_after_s: u64) -> Self {
        let message = "These are too many requests at once. Come back a little later.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, code::BUSY, message).retry_after(retry_after_s)
    }

    /// What is sent.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            code: self.code.to_owned(),
            message: self.message.clone(),
            field: self.field.clone(),
        }
    }

    /// Writes the cause to the log, where there is one.
    pub fn log(&self) {
        if let Some(source) = &self.source {
            let mut cause = source.to_string();
            let mut next = source.source();
            while let Some(inner) = next {
                cause = format!("{cause}: {inner}");
                next = inner.source();
            }
            tracing::error!(
                status = self.status.as_u16(),
                code = self.code,
                cause,
                "request failed"
            );
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { .. } => Self::conflict(None, "That is in use already."),
            StoreError::DiskFull(_) => Self::storage_full(error),
            StoreError::Busy(_) => Self::busy().with_source(error),
            StoreError::Migration(_) | StoreError::Corrupt { .. } | StoreError::Database(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Full(_) => Self::storage_full(error),
            ObjectError::Damaged { .. } => Self::new(
                StatusCode::GONE,
                code::DAMAGED,
                "This picture is not as it was stored and is not shown. Restore it from a backup.",
            )
            .with_source(error),
            ObjectError::Key | ObjectError::Io { .. } => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let mut response = (self.status, axum::Json(self.body())).into_response();
        let retry = matches!(
            self.status,
            StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::INSUFFICIENT_STORAGE
                | StatusCode::TOO_MANY_REQUESTS
        );
        let headers = response.headers_mut();
        if retry {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(self.retry_after_s.unwrap_or(10)),
            );
        }
        if self.code == code::DEVICE_WAITS {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        }
        if self.code == code::TRIAL_ENDED {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("3600"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
