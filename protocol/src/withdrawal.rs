//! Withdrawals: why a record is delivered without its payload, signed by the device.
//!
//! A record that is in the chain stays there: header and signature are delivered as ever, and the
//! payload is not. Who reads an export can tell a payload that was withdrawn from one that somebody
//! took away later, because the device signed for it.
//!
//! On the wire: `PUT /api/v1/records/{record_id}` with an empty body and, beside the two headers of
//! every record, [`HEADER_WITHDRAWN`] = base64url of the [`Withdrawal`]'s JSON, a dot, base64url of the
//! Ed25519 signature over that JSON.

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::ids::RecordId;
use crate::jws::{self, JwsError};
use crate::record::{Kind, SignedHeader};

/// HTTP header with the signed withdrawal.
pub const HEADER_WITHDRAWN: &str = "glasshour-withdrawn";
/// Longest value of that header.
const MAX_CHARS: usize = 1024;

/// Why there is no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The employee deleted the capture before it was sent; the license permits that.
    Employee,
    /// A newer license had taken the place of the record's own and does not permit it.
    Superseded,
    /// The payload could not be read any more on the employee's computer.
    Damaged,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Employee, Self::Superseded, Self::Damaged];

    /// The name on the wire and in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Superseded => "superseded",
            Self::Damaged => "damaged",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or(UnknownReason)
    }
}

/// The text names no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reason of a withdrawal (employee, superseded, damaged)")]
pub struct UnknownReason;

/// Whether an employee may delete records of a kind at all, where the license lets them delete: what
/// was captured of them. When tracking ran, how the agent is and which notices were shown stay.
pub fn is_deletable(kind: Kind) -> bool {
    match kind {
        Kind::Screenshot | Kind::Camera | Kind::Activity => true,
        Kind::Session | Kind::Health | Kind::Notice => false,
    }
}

/// What the device signs for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Version of this structure; 1.
    pub version: u32,
    /// The record.
    pub record_id: RecordId,
    /// SHA-256 (hex) of its header's bytes.
    pub record_sha256: String,
    /// Why.
    pub reason: Reason,
    /// When, by the device's wall clock, UTC milliseconds.
    pub at_ms: i64,
}

/// Why a withdrawal was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawalError {
    /// Too long, or not two parts.
    #[error("the withdrawal is not base64url, a dot and base64url")]
    Form,
    /// Not base64url, or the signature does not fit.
    #[error("the withdrawal's signature: {0}")]
    Signature(#[from] JwsError),
    /// Signed, but not a withdrawal that this version can read.
    #[error("the withdrawal cannot be read: {0}")]
    Json(#[source] serde_json::Error),
    /// From the future.
    #[error("withdrawal version {0} is not known here")]
    Version(u32),
    /// Signed, but for another record.
    #[error("the withdrawal is of another record")]
    OtherRecord,
}

/// Signs for the withdrawal of a record; gives the value of [`HEADER_WITHDRAWN`].
pub fn sign(
    record_id: RecordId,
    header: &SignedHeader,
    (reason, at_ms): (Reason, i64),
    key: &SigningKey,
) -> String {
    let withdrawal = Withdrawal {
        version: 1,
        record_id,
        record_sha256: header.hash(),
        reason,
        at_ms,
    };
    let bytes = serde_json::to_vec(&withdrawal).expect("plain data with string keys");
    format!("{}.{}", jws::base64url(&bytes), jws::sign(key, &bytes))
}

/// Parses without verifying: for the agent's own spool.
pub fn parse(text: &str) -> Result<Withdrawal, WithdrawalError> {
    let (bytes, _) = split(text)?;
    read(&jws::from_base64url(bytes)?)
}

fn split(text: &str) -> Result<(&str, &str), WithdrawalError> {
    Some(text)
        .filter(|text| text.len() <= MAX_CHARS)
        .and_then(|text| text.split_once('.'))
        .ok_or(WithdrawalError::Form)
}

fn read(bytes: &[u8]) -> Result<Withdrawal, WithdrawalError> {
    let withdrawal: Withdrawal = serde_json::from_slice(bytes).map_err(WithdrawalError::Json)?;
    if withdrawal.version != 1 {
        return Err(WithdrawalError::Version(withdrawal.version));
    }
    Ok(withdrawal)
}

/// Verifies a withdrawal's signature over its exact bytes, parses it, and holds it against the record.
pub fn verify(
    text: &str,
    record_id: RecordId,
    header: &SignedHeader,
    key: &VerifyingKey,
) -> Result<Withdrawal, WithdrawalError> {
    let (bytes, signature) = split(text)?;
    let bytes = jws::from_base64url(bytes)?;
    jws::verify(key, &bytes, signature)?;
    let withdrawal = read(&bytes)?;
    if withdrawal.record_id != record_id || withdrawal.record_sha256 != header.hash() {
        return Err(WithdrawalError::OtherRecord);
    }
    Ok(withdrawal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ID: RecordId = RecordId(Uuid::from_u128(1));

    fn header(text: &str) -> SignedHeader {
        SignedHeader {
            bytes: text.as_bytes().to_vec(),
            signature: String::new(),
        }
    }

    #[test]
    fn a_withdrawal_is_of_one_record_and_signed_by_one_device() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let public = key.verifying_key();
        let text = sign(ID, &header("a"), (Reason::Employee, 5), &key);
        let read = verify(&text, ID, &header("a"), &public).unwrap();
        assert_eq!((read.reason, read.at_ms), (Reason::Employee, 5));

        let other_id = RecordId(Uuid::from_u128(2));
        for (id, of) in [(other_id, "a"), (ID, "b")] {
            let refused = verify(&text, id, &header(of), &public);
            assert!(matches!(refused, Err(WithdrawalError::OtherRecord)));
        }
        let other_key = SigningKey::from_bytes(&[2; 32]).verifying_key();
        let refused = verify(&text, ID, &header("a"), &other_key);
        assert!(matches!(refused, Err(WithdrawalError::Signature(_))));
        for bad in ["", "a", ".", &"a".repeat(MAX_CHARS + 1)] {
            assert!(verify(bad, ID, &header("a"), &public).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_reason_reads_back_from_its_name() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
