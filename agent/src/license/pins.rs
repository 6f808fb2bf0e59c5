//! The signing keys that are trusted, by company: `trust.json`.
//!
//! One key counts for what is captured from now on. Those that were pinned before it are remembered,
//! because what was captured under their licenses is still to be delivered. A key takes the place of the
//! one before where that one has announced it, or where the person says so in so many words.

use std::collections::BTreeMap;

use glasshour_license_format::succession::Announcement;
use glasshour_license_format::{License, SignedLicense, UntrustedKey};
use glasshour_protocol::CompanyId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::home::Home;
use crate::platform::files;

/// Every company's keys, as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Pins {
    by_company: BTreeMap<CompanyId, Pin>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Pin {
    /// The only key that there ever was, by its RFC 7638 thumbprint.
    Only(String),
    /// A key that came after others.
    After {
        key: String,
        former: Vec<String>,
        /// Where the key before has announced it; absent where the person took it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        followed: Option<Followed>,
        /// Which keys belong together: announced ones are of the line of the key before, one that
        /// the person took begins another. A key that is not here is of line 0.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lines: BTreeMap<String, u32>,
    },
}

/// A change of an employer's key that was announced by the key that went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Followed {
    /// The key that was pinned before, which may have been followed by several since.
    pub(super) from: String,
    /// When this computer took the new one.
    pub(super) at: Timestamp,
}

/// What the pins say of a license's signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing of the company is pinned.
    First,
    /// The key that counts.
    Pinned,
    /// Announced, by one or several steps, by the key that counts.
    Announced,
    /// A key that counted once, and was followed by another.
    Former,
    /// Any other.
    Foreign,
}

impl Pin {
    fn key(&self) -> &str {
        match self {
            Self::Only(key) | Self::After { key, .. } => key,
        }
    }

    fn former(&self) -> &[String] {
        match self {
            Self::Only(_) => &[],
            Self::After { former, .. } => former,
        }
    }

    /// The line of a key that is, or was, pinned.
    fn line(&self, key: &str) -> Option<u32> {
        let known = self.key() == key || self.former().iter().any(|former| former == key);
        known.then(|| self.lines().get(key).copied().unwrap_or(0))
    }

    fn lines(&self) -> BTreeMap<String, u32> {
        match self {
            Self::Only(_) => BTreeMap::new(),
            Self::After { lines, .. } => lines.clone(),
        }
    }

    /// `joins`: the key is of the line of the one before, unless it has a line already.
    fn succeeded_by(&self, key: &str, joins: bool) -> Self {
        let mut lines = self.lines();
        let line = match self.line(key) {
            Some(own) => own,
            None if joins => self.line(self.key()).unwrap_or(0),
            None => lines.values().max().unwrap_or(&0) + 1,
        };
        lines.insert(key.to_owned(), line);
        let former = self.former().iter().map(String::as_str);
        Self::After {
            key: key.to_owned(),
            former: former
                .chain([self.key()])
                .filter(|known| *known != key)
                .map(str::to_owned)
                .collect(),
            followed: None,
            lines,
        }
    }
}

/// The keys that this computer knows a company by: the one that counts, and those before it.
pub fn known_keys(home: &Home, company: CompanyId) -> Result<Vec<String>, StoreError> {
    let pins = Pins::read(home)?;
    let pin = pins.by_company.get(&company);
    let keys = |pin: &Pin| [&[pin.key().to_owned()][..], pin.former()].concat();
    Ok(pin.map(keys).unwrap_or_default())
}

impl Pins {
    /// Reads the file; none there means that nothing is pinned yet.
    pub(super) fn read(home: &Home) -> Result<Self, StoreError> {
        let path = home.trust();
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|source| StoreError::Damaged { path, source }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(StoreError::Io { path, source }),
        }
    }

    /// The key that counts for a company.
    pub(super) fn key(&self, company: CompanyId) -> Option<&str> {
        self.by_company.get(&company).map(Pin::key)
    }

    /// What the pins say of the key that signed a license.
    pub(super) fn standing(&self, signed: &SignedLicense) -> Standing {
        let Some(pin) = self.by_company.get(&signed.claims().issuer.company_id) else {
            return Standing::First;
        };
        let key = signed.thumbprint();
        if pin.key() == key {
            Standing::Pinned
        } else if pin.former().iter().any(|former| former == key) {
            // Before anything that a history says: a key that went does not come back by itself.
            Standing::Former
        } else if signed.key_history().way_from(pin.key()).is_some() {
            Standing::Announced
        } else {
            Standing::Foreign
        }
    }

    /// How the company's key came to be the one that counts, where the one before announced it.
    pub(super) fn followed(&self, company: CompanyId) -> Option<&Followed> {
        match self.by_company.get(&company)? {
            Pin::Only(_) => None,
            Pin::After { followed, .. } => followed.as_ref(),
        }
    }

    /// Whether the person took the key that counts in the place of that one, which nobody announced.
    pub(super) fn replaced_by_hand(&self, company: CompanyId, key: &str) -> bool {
        match self.by_company.get(&company) {
            Some(Pin::After {
                former, followed, ..
            }) => followed.is_none() && former.last().is_some_and(|last| last == key),
            _ => false,
        }
    }

    /// Whether a key, or one that leads to the license's key, is of the line of keys that license is
    /// loaded into: each line counts by itself, its serials and what was agreed to.
    pub(super) fn is_of_line(&self, key: &str, signed: &SignedLicense, joins: bool) -> bool {
        let Some(pin) = self.by_company.get(&signed.claims().issuer.company_id) else {
            return true;
        };
        let line = match self.standing(signed) {
            Standing::First => return true,
            Standing::Pinned | Standing::Former => pin.line(signed.thumbprint()),
            Standing::Announced => pin.line(pin.key()),
            Standing::Foreign if joins => pin.line(pin.key()),
            Standing::Foreign => None,
        };
        line.is_some() && line == pin.line(key)
    }

    /// Whether a license is by a key of the line of the one that counts.
    pub(super) fn is_of_present_line(&self, signed: &SignedLicense) -> bool {
        let pin = self.by_company.get(&signed.claims().issuer.company_id);
        pin.is_some_and(|pin| pin.line(signed.thumbprint()) == pin.line(pin.key()))
    }

    /// Takes each announced step from the key that counts.
    pub(super) fn follow(
        &mut self,
        home: &Home,
        company: CompanyId,
        way: &[Announcement],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(pin) = self.by_company.get(&company) else {
            return Ok(());
        };
        let from = pin.key().to_owned();
        let mut pin = pin.clone();
        for step in way {
            pin = pin.succeeded_by(&step.key, true);
        }
        if let Pin::After { followed, .. } = &mut pin {
            *followed = Some(Followed { from, at });
        }
        self.by_company.insert(company, pin);
        self.write(home)
    }

    /// Makes that key the one that counts, and writes the file if that is news. `joins`: it is of the
    /// line of the key before, as the administrator says who lists both.
    pub(super) fn set(
        &mut self,
        home: &Home,
        company: CompanyId,
        thumbprint: &str,
        joins: bool,
    ) -> Result<(), StoreError> {
        let pin = match self.by_company.get(&company) {
            Some(pin) if pin.key() == thumbprint => return Ok(()),
            Some(pin) => pin.succeeded_by(thumbprint, joins),
            None => Pin::Only(thumbprint.to_owned()),
        };
        self.by_company.insert(company, pin);
        self.write(home)
    }

    fn write(&self, home: &Home) -> Result<(), StoreError> {
        let path = home.trust();
        let bytes = serde_json::to_vec_pretty(self).expect("plain data with string keys");
        files::write_private(&path, &bytes).map_err(|source| StoreError::Io { path, source })
    }

    /// Trusts what is signed by the company's present key. `None`: nothing of it is pinned.
    pub(super) fn trust(&self, signed: SignedLicense) -> Option<Result<License, UntrustedKey>> {
        let key = self.key(signed.claims().issuer.company_id)?;
        Some(signed.trust(key))
    }

    /// Trusts what is signed by any key that the company was ever known by.
    pub(super) fn trust_former(
        &self,
        signed: SignedLicense,
    ) -> Option<Result<License, UntrustedKey>> {
        let pin = self.by_company.get(&signed.claims().issuer.company_id)?;
        let former = pin.former().iter().find(|key| *key == signed.thumbprint());
        let key = former.map_or(pin.key(), String::as_str);
        Some(signed.trust(key))
    }
}
