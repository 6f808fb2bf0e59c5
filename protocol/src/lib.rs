//! Wire types shared by the Glasshour agent and server.
//!
//! What passes between an agent and a server is described here and nowhere else: record headers
//! and their payloads, receipts, error bodies, enrolment, device tokens and limits. Everything is a
//! pure function over values: no I/O, no async, no clock.
//!
//! Stability: a struct that is stored or sent only ever gains optional fields. `fixtures/v1` holds
//! one example of each and the tests read them all; those files are added to, never edited.

#![forbid(unsafe_code)]

pub mod device;
pub mod error;
pub mod export;
pub mod ids;
pub mod jws;
pub mod limits;
pub mod payload;
pub mod picture;
pub mod record;
pub mod session;
pub mod withdrawal;

pub use error::{ErrorBody, code};
pub use ids::{CompanyId, DeviceId, EmployeeId, LicenseId, ProjectId, RecordId, SessionId};
pub use record::{Kind, Receipt, RecordHeader, RecordMeta, SignedHeader};
