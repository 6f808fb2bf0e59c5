//! How one signing key of an employer follows another: announcements, each signed by the key that goes.
//!
//! An announcement is a JWS in compact serialization (RFC 7515, section 7.1): "the next key of this
//! company is that one". A license carries those that lead to its own key, oldest first, so that whoever
//! trusts one of the former keys can follow without asking anybody. Reading is total and bounded:
//! [`MAX_ANNOUNCEMENTS`] of [`MAX_ANNOUNCEMENT_BYTES`] each.
//!
//! What stands here says that the chain holds, not that its beginning is trusted: that is for who has
//! pinned a key.

use std::collections::HashSet;

use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::{self, Jwk, JwsError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::object::{self, Object};
use crate::signature::{self, Fault, Parts, Version};
use crate::strict_json;

/// `typ` of an announcement's protected header.
pub const KEY_TYP: &str = "glasshour-key+json";

/// Most announcements in one license. A server carries the newest ones.
pub const MAX_ANNOUNCEMENTS: usize = 16;

/// Most bytes of one announcement; one that our server writes has about 700.
pub const MAX_ANNOUNCEMENT_BYTES: usize = 1024;

/// One change of an employer's signing key, in the words of the key that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Whose key it is.
    pub company_id: CompanyId,
    /// RFC 7638 thumbprint of the key that went, and signed this.
    pub former: String,
    /// RFC 7638 thumbprint of the key that came.
    pub key: String,
    /// When it was signed, by the server's clock.
    pub issued_at: Timestamp,
}

/// What an announcement says. A member that is not known is refused, as in a header: it could bound
/// what is announced.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    version: u64,
    company_id: CompanyId,
    #[serde(deserialize_with = "object::only")]
    jwk: Jwk,
    issued_at: Timestamp,
}

/// Each way in which an announcement can be wrong.
#[derive(Debug, thiserror::Error)]
pub enum AnnouncementError {
    /// Longer than any.
    #[error("it is longer than {MAX_ANNOUNCEMENT_BYTES} bytes")]
    TooLong,
    /// Not three parts with dots between them.
    #[error("it is not a signature in compact form: three parts with dots between them")]
    NotAJws,
    /// A part is not base64url.
    #[error("its {part} is damaged: {source}")]
    Encoding {
        /// `payload`, `protected` or `signature`.
        part: &'static str,
        /// What is wrong.
        source: JwsError,
    },
    /// The protected header cannot be read.
    #[error("its header cannot be read: {0}")]
    Header(#[source] serde_json::Error),
    /// `alg` is something else: `none`, `HS256`, …
    #[error("it asks to be verified by {0:?}; only EdDSA is accepted")]
    WrongAlgorithm(String),
    /// `typ` is something else, such as a license.
    #[error("it is signed, but it is no announcement of a key (its type is {0:?})")]
    WrongType(String),
    /// The key that signed is no Ed25519 public key.
    #[error("the key that signed it cannot be used: {0}")]
    Key(#[source] JwsError),
    /// `kid` is not the thumbprint of `jwk`.
    #[error("it names one former key and carries another")]
    KeyIdMismatch,
    /// Altered, or signed by somebody else.
    #[error("it was not signed by the former key that it names, or was altered since")]
    BadSignature,
    /// Properly signed, and not readable.
    #[error("it is signed but cannot be read: {0}")]
    Payload(#[source] serde_json::Error),
    /// From a future version of Glasshour.
    #[error("it is of version {0}, which this program does not know: update Glasshour")]
    UnknownVersion(u64),
    /// What it announces is no Ed25519 public key.
    #[error("the key that it announces cannot be used: {0}")]
    NewKey(#[source] JwsError),
}

impl From<Fault> for AnnouncementError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Encoding { part, source } => Self::Encoding { part, source },
            Fault::Header(error) => Self::Header(error),
            Fault::WrongAlgorithm(found) => Self::WrongAlgorithm(found),
            Fault::WrongType(found) => Self::WrongType(found),
            Fault::Key(error) => Self::Key(error),
            Fault::KeyIdMismatch => Self::KeyIdMismatch,
            Fault::BadSignature => Self::BadSignature,
        }
    }
}

/// Why announcements do not lead to a license's key. They are counted from 1, the oldest.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// More than a license may carry.
    #[error("it has more than {MAX_ANNOUNCEMENTS} announcements")]
    TooMany,
    /// One cannot be believed.
    #[error("announcement {number}: {source}")]
    Announcement {
        /// Which.
        number: usize,
        /// Why not.
        source: AnnouncementError,
    },
    /// One is about another company's key.
    #[error("announcement {number} is of another company")]
    OtherCompany {
        /// Which.
        number: usize,
    },
    /// One does not go on where the one before ended.
    #[error("announcement {number} is signed by another key than the one before it announces")]
    Broken {
        /// Which.
        number: usize,
    },
    /// One leads back to a key that went.
    #[error("announcement {number} leads back to a key that was given up before")]
    Loop {
        /// Which.
        number: usize,
    },
    /// They end at another key than the one that signed the license.
    #[error("its last announcement is of another key than the one that signed the license")]
    OtherKey,
}

impl Announcement {
    /// Reads and verifies one announcement.
    pub fn read(text: &str) -> Result<Self, AnnouncementError> {
        if text.len() > MAX_ANNOUNCEMENT_BYTES {
            return Err(AnnouncementError::TooLong);
        }
        let mut parts = text.split('.');
        let (Some(protected), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(AnnouncementError::NotAJws);
        };
        let parts = Parts {
            protected,
            payload,
            signature,
        };
        let verified = signature::verify(parts, KEY_TYP)?;
        let payload = &verified.payload;
        strict_json::check(payload).map_err(AnnouncementError::Payload)?;
        let Object(Version { version }) =
            serde_json::from_slice(payload).map_err(AnnouncementError::Payload)?;
        if version != 1 {
            return Err(AnnouncementError::UnknownVersion(version));
        }
        let payload: Payload =
            serde_json::from_slice(payload).map_err(AnnouncementError::Payload)?;
        let key = payload.jwk.to_key().map_err(AnnouncementError::NewKey)?;
        Ok(Self {
            company_id: payload.company_id,
            former: verified.thumbprint,
            key: jws::thumbprint(&key),
            issued_at: payload.issued_at,
        })
    }
}

/// The keys that a license's signer took the place of, each announced by the one before: unbroken, of
/// one company, and without a way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyHistory(Vec<Announcement>);

impl KeyHistory {
    /// Verifies that the announcements lead to that key. None at all is a history too.
    pub fn read(
        announcements: &[String],
        company: CompanyId,
        signer: &str,
    ) -> Result<Self, HistoryError> {
        if announcements.len() > MAX_ANNOUNCEMENTS {
            return Err(HistoryError::TooMany);
        }
        let mut history: Vec<Announcement> = Vec::with_capacity(announcements.len());
        let mut known: HashSet<String> = HashSet::new();
        for (number, text) in (1..).zip(announcements) {
            let announcement = Announcement::read(text)
                .map_err(|source| HistoryError::Announcement { number, source })?;
            if announcement.company_id != company {
                return Err(HistoryError::OtherCompany { number });
            }
            if history
                .last()
                .is_some_and(|before| before.key != announcement.former)
            {
                return Err(HistoryError::Broken { number });
            }
            known.insert(announcement.former.clone());
            if known.contains(&announcement.key) {
                return Err(HistoryError::Loop { number });
            }
            history.push(announcement);
        }
        if history.last().is_some_and(|last| last.key != signer) {
            return Err(HistoryError::OtherKey);
        }
        Ok(Self(history))
    }

    /// All of them, oldest first.
    pub fn announcements(&self) -> &[Announcement] {
        &self.0
    }

    /// The announcements that lead from that key to the license's own; `None` where none does.
    pub fn way_from(&self, key: &str) -> Option<&[Announcement]> {
        let first = self.0.iter().position(|step| step.former == key)?;
        self.0.get(first..)
    }
}

/// Signs, with the key that goes, that another one comes.
#[cfg(feature = "sign")]
pub fn announce(
    company_id: CompanyId,
    former: &ed25519_dalek::SigningKey,
    key: &ed25519_dalek::VerifyingKey,
    issued_at: Timestamp,
) -> String {
    let payload = Payload {
        version: 1,
        company_id,
        jwk: Jwk::from_key(key),
        issued_at,
    };
    let header = signature::Protected::of(&former.verifying_key(), KEY_TYP);
    compact(&to_json(&header), &to_json(&payload), former)
}

/// Signs any payload under any header; tests make wrong announcements with it.
#[cfg(feature = "sign")]
pub(crate) fn compact(header: &[u8], payload: &[u8], key: &ed25519_dalek::SigningKey) -> String {
    let header = jws::base64url(header);
    let payload = jws::base64url(payload);
    let signature = jws::sign(key, &jws::signing_input(&header, &payload));
    format!("{header}.{payload}.{signature}")
}

#[cfg(feature = "sign")]
fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with string keys")
}
