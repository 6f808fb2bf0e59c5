//! The Glasshour license: what an employer may capture, as a signed, gzipped file that anyone can
//! read.
//!
//! A license is one gzip member holding one JWS in flattened JSON serialization (RFC 7515, section
//! 7.2.2), `alg` = `EdDSA` (RFC 8037). Reading is total: any input gives a license or a typed
//! [`ReadError`], within [`MAX_INFLATED_BYTES`] and bounded time. The signature is verified over the
//! exact payload bytes before they are parsed.
//!
//! Two steps, two types. [`SignedLicense`] is whole and unaltered, but anybody could have signed it:
//! it can be shown, no more. [`License`] is one whose signer is trusted, and only it hands out
//! [`Permit`]s, without which no capture channel can be built: `tests/ui` tries the ways around.

#![forbid(unsafe_code)]

pub mod changes;
mod claims;
mod dates;
mod deletion;
mod excess;
mod hours;
mod object;
mod permit;
mod rate;
mod read;
#[cfg(feature = "sign")]
mod sign;
mod signature;
mod strict_json;
pub mod succession;
mod time_of_day;
mod validate;

pub use claims::{
    ActivitySettings, Blur, CameraSettings, Claims, Day, Employee, Exclude, Issuer, Monitors,
    Profile, RetentionDays, Schedule, ScreenshotSettings, WorkMode,
};
pub use excess::{Excess, Others, Payload};
pub use hours::{HoursError, LicensedHours};
pub use permit::{Activity, Camera, Channel, License, Permit, Permits, Screenshots, UntrustedKey};
pub use rate::{RATE_WINDOW_MS, ShotMoment, ShotPlace, exceeds_rate};
pub use read::{MAX_FILE_BYTES, MAX_INFLATED_BYTES, ReadError, SignedLicense, read};
#[cfg(feature = "sign")]
pub use sign::{SignError, sign};
pub use time_of_day::{NotATimeOfDay, TimeOfDay};
pub use validate::{Invalid, misleads};

/// `typ` of the protected header.
pub const TYP: &str = "glasshour-license+json";

#[cfg(test)]
mod tests;
