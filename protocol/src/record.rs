//! Record headers: what is signed and chained about every capture.
//!
//! A header's exact JSON bytes are signed by the device key and kept with the signature, by the
//! agent and by the server, so that anyone with an export can check them offline. `prev` is the
//! SHA-256 of the previous header's bytes of the same device and license, `seq` counts from 1
//! without gaps: order and wholeness can be proved without trusting either side.
//!
//! On the wire: `PUT /api/v1/records/{record_id}`, body = payload, [`HEADER_RECORD`] = base64url of
//! the header bytes, [`HEADER_SIGNATURE`] = base64url of the 64-byte Ed25519 signature over them.

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, LicenseId, ProjectId, RecordId, SessionId};
use crate::jws::{self, JwsError};
use crate::limits::MAX_HEADER_BYTES;

/// HTTP header with the base64url record header.
pub const HEADER_RECORD: &str = "glasshour-record";
/// HTTP header with the base64url signature over the record header's bytes.
pub const HEADER_SIGNATURE: &str = "glasshour-signature";

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One picture of one monitor.
    Screenshot,
    /// One picture of a camera.
    Camera,
    /// One minute of input counts and applications ([`crate::payload::ActivityMinute`]).
    Activity,
    /// One event of a session ([`crate::payload::SessionEvent`]).
    Session,
    /// The agent's own state per channel ([`crate::payload::HealthReport`]).
    Health,
    /// A notice was shown or acknowledged ([`crate::payload::NoticeEvent`]).
    Notice,
}

impl Kind {
    /// Every kind, in the order of DESIGN.
    pub const ALL: [Self; 6] = [
        Self::Screenshot,
        Self::Camera,
        Self::Activity,
        Self::Session,
        Self::Health,
        Self::Notice,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Screenshot => "screenshot",
            Self::Camera => "camera",
            Self::Activity => "activity",
            Self::Session => "session",
            Self::Health => "health",
            Self::Notice => "notice",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownKind)
    }
}

/// The text names no record kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record kind (screenshot, camera, activity, session, health, notice)")]
pub struct UnknownKind;

/// Everything about one record but its payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordHeader {
    /// Version of this structure; 1.
    pub version: u32,
    /// Chosen by the device; the key of idempotence.
    pub record_id: RecordId,
    /// Who signed.
    pub device_id: DeviceId,
    /// What permitted it.
    pub license_id: LicenseId,
    /// From 1, without gaps, per device and license.
    pub seq: u64,
    /// SHA-256 (hex) of the previous header's bytes; absent for `seq` 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    /// What it is about.
    pub kind: Kind,
    /// Wall clock of the device at the capture, UTC milliseconds since 1970.
    pub captured_at_ms: i64,
    /// Monotonic clock (stands still in sleep) of this boot, milliseconds.
    pub mono_ms: u64,
    /// The boot that `mono_ms` counts in.
    pub boot_id: String,
    /// The device's offset from UTC at the capture, minutes, east positive.
    pub utc_offset_min: i32,
    /// SHA-256 (hex) of the payload.
    pub payload_sha256: String,
    /// Bytes of the payload.
    pub payload_len: u64,
    /// Media type of the payload, such as `image/webp` or `application/json`.
    pub content_type: String,
    /// What belongs to the record beside the payload.
    #[serde(default)]
    pub meta: RecordMeta,
}

/// The part of a header that depends on the kind. Unknown members are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordMeta {
    /// The session it was captured in; absent only for `health` and `notice` records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The project of that session at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// For `screenshot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<FrameMeta>,
    /// For pictures: milliseconds of this boot, time asleep included, at the capture. The licensed
    /// rate is held against it: it cannot be set as the wall clock can, and goes on in sleep as
    /// `mono_ms` does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_ms: Option<u64>,
    /// Members of later versions.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// What a screenshot shows and what was done to it before it was encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameMeta {
    /// Name of the monitor, such as `HDMI-1`.
    pub monitor: String,
    /// Monitor's place in the desktop, pixels.
    pub x: i32,
    /// Monitor's place in the desktop, pixels.
    pub y: i32,
    /// Monitor's width, pixels.
    pub screen_width: u32,
    /// Monitor's height, pixels.
    pub screen_height: u32,
    /// Width of the stored image, pixels.
    pub width: u32,
    /// Height of the stored image, pixels.
    pub height: u32,
    /// How the whole image was blurred: `none`, `light` or `strong`.
    pub blur: String,
    /// How many excluded windows were painted over.
    #[serde(default)]
    pub masked_windows: u32,
    /// True where windows could not be told apart although the license excludes some: the whole
    /// picture was blurred strongly instead.
    #[serde(default)]
    pub windows_unknown: bool,
    /// True where the picture equals the last one of this monitor and so has no payload
    /// (license: `skip_unchanged`).
    #[serde(default)]
    pub unchanged: bool,
}

impl RecordHeader {
    /// The bytes that are signed and hashed. They are made once and kept: readers use the bytes as
    /// received and never re-encode.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a header is plain data with string keys")
    }
}

/// A header as it travels: the exact bytes and the signature over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeader {
    /// The header's JSON, byte for byte as signed.
    pub bytes: Vec<u8>,
    /// Base64url of the Ed25519 signature.
    pub signature: String,
}

/// Why a signed header was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// Longer than [`MAX_HEADER_BYTES`].
    #[error("the record header is longer than {MAX_HEADER_BYTES} bytes")]
    TooLong,
    /// Not base64url, or the signature does not fit.
    #[error("the record header's signature: {0}")]
    Signature(#[from] JwsError),
    /// Signed, but not a header this version can read.
    #[error("the record header cannot be read: {0}")]
    Json(#[source] serde_json::Error),
    /// Signed, readable, and of a version from the future.
    #[error("record header version {0} is not known here")]
    Version(u32),
}

impl SignedHeader {
    /// Signs a header.
    pub fn sign(header: &RecordHeader, key: &SigningKey) -> Self {
        let bytes = header.to_bytes();
        let signature = jws::sign(key, &bytes);
        Self { bytes, signature }
    }

    /// Reads the two HTTP header values; nothing is verified yet.
    pub fn from_wire(record: &str, signature: &str) -> Result<Self, HeaderError> {
        if record.len() > MAX_HEADER_BYTES.div_ceil(3) * 4 {
            return Err(HeaderError::TooLong);
        }
        Ok(Self {
            bytes: jws::from_base64url(record)?,
            signature: signature.to_owned(),
        })
    }

    /// The value of [`HEADER_RECORD`].
    pub fn to_wire(&self) -> String {
        jws::base64url(&self.bytes)
    }

    /// SHA-256 (hex) of the bytes: the next header's `prev`.
    pub fn hash(&self) -> String {
        jws::sha256_hex(&self.bytes)
    }

    /// Verifies the signature over the exact bytes, and only then parses them.
    pub fn verify(&self, key: &VerifyingKey) -> Result<RecordHeader, HeaderError> {
        jws::verify(key, &self.bytes, &self.signature)?;
        self.parse()
    }

    /// Parses without verifying: for the agent's own spool, and to look up which key to verify with.
    pub fn parse(&self) -> Result<RecordHeader, HeaderError> {
        let header: RecordHeader =
            serde_json::from_slice(&self.bytes).map_err(HeaderError::Json)?;
        if header.version != 1 {
            return Err(HeaderError::Version(header.version));
        }
        Ok(header)
    }
}

/// What the server answers to a stored record: 201 the first time, 200 when it already had it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The record.
    pub record_id: RecordId,
    /// When the server first had it durably, UTC milliseconds.
    pub stored_at_ms: i64,
    /// False where it had been stored before.
    pub new: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    pub(crate) fn header() -> RecordHeader {
        RecordHeader {
            version: 1,
            record_id: RecordId(Uuid::from_u128(1)),
            device_id: DeviceId(Uuid::from_u128(2)),
            license_id: LicenseId(Uuid::from_u128(3)),
            seq: 1,
            prev: None,
            kind: Kind::Activity,
            captured_at_ms: 1_795_000_000_000,
            mono_ms: 5,
            boot_id: "boot".into(),
            utc_offset_min: 60,
            payload_sha256: jws::sha256_hex(b"{}"),
            payload_len: 2,
            content_type: "application/json".into(),
            meta: RecordMeta::default(),
        }
    }

    #[test]
    fn a_signed_header_survives_the_wire() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let signed = SignedHeader::sign(&header(), &key);
        let read = SignedHeader::from_wire(&signed.to_wire(), &signed.signature).unwrap();
        assert_eq!(read.verify(&key.verifying_key()).unwrap(), header());
        assert_eq!(read.hash(), signed.hash());
    }

    #[test]
    fn a_changed_header_or_another_key_is_refused() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let mut signed = SignedHeader::sign(&header(), &key);
        let other = SigningKey::from_bytes(&[2; 32]).verifying_key();
        assert!(matches!(
            signed.verify(&other),
            Err(HeaderError::Signature(_))
        ));
        let at = signed.bytes.len() / 2;
        signed.bytes[at] ^= 1;
        assert!(matches!(
            signed.verify(&key.verifying_key()),
            Err(HeaderError::Signature(_))
        ));
    }

    #[test]
    fn an_overlong_header_is_refused_before_it_is_decoded() {
        let record = "A".repeat(MAX_HEADER_BYTES * 2);
        assert!(matches!(
            SignedHeader::from_wire(&record, ""),
            Err(HeaderError::TooLong)
        ));
    }

    #[test]
    fn every_kind_reads_back_from_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("keys".parse::<Kind>(), Err(UnknownKind));
    }
}
