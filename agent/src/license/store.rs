//! The licenses on disk, with their trust.
//!
//! Files are read and verified anew each time: what counts is what the file says and who signed it,
//! not what was remembered about it.

mod checks;
mod on_disk;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use glasshour_license_format::{Claims, License, SignedLicense, UntrustedKey};
use glasshour_protocol::payload::NoticeKind;
use glasshour_protocol::{CompanyId, LicenseId};
use glasshour_uploader::send::LicenseBook;
use glasshour_words::{Message, Outside, Words};
use jiff::Timestamp;

use self::on_disk::{OnDisk, Told};
use super::adopted::{self, Present};
use super::agreement::Agreement;
use super::load::LoadError;
use super::notices::Notices;
use super::pins::{Pins, Standing};
use super::trusted_keys::TrustedKeys;
use crate::home::Home;
use crate::platform::files;

const SUFFIX: &str = ".license.gz";

/// The store's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// One of its own files is not what was written: nothing is trusted on a guess.
    #[error("{} is damaged; restore it or remove it to trust anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Everything that is loaded, as it was at one reading.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Changes of employers' keys that were followed, of licenses that count.
    pub key_changes: Vec<KeyChange>,
    /// The license that counts for each company: its highest serial.
    pub current: Vec<License>,
    /// Every license that was ever loaded, for records that were captured under it: also those that a
    /// former key of their company has signed, or that were removed.
    pub all: Vec<License>,
    /// Why licenses that are loaded are out of use, where the administrator's pins are the reason.
    pub problems: Vec<String>,
    /// Those of `all` that are by keys which nobody announced to be of one line with the key that
    /// counts: loaded by mistake, or before a key was lost.
    pub strangers: Vec<LicenseId>,
    /// Whether a file could not be read: what somebody agreed to may be in it.
    pub damaged: bool,
    /// What became of the licenses' notices.
    pub notices: BTreeMap<LicenseId, NoticeKind>,
}

impl Loaded {
    /// How a license of `current` stands.
    pub fn agreement<'a>(&'a self, newest: &'a License) -> Agreement<'a> {
        let counts = |license: &&License| {
            let (claims, newest) = (license.claims(), newest.claims());
            claims.issuer.company_id == newest.issuer.company_id
                && claims.employee.employee_id == newest.employee.employee_id
                && claims.serial <= newest.serial
                && claims.license_id != newest.license_id
                && !self.strangers.contains(&claims.license_id)
        };
        let mut before: Vec<_> = self.all.iter().filter(counts).collect();
        before.sort_by_key(|license| license.claims().serial);
        let event = |id| self.notices.get(&id).copied();
        Agreement::of(before, newest, !self.damaged, event)
    }
}

/// All licenses of one home.
#[derive(Clone, Debug)]
pub struct LicenseStore {
    home: Home,
    trusted_keys: TrustedKeys,
    /// What was logged of files that are left out: each is told once, not at every look.
    told: Told,
}

impl LicenseStore {
    /// The licenses of that home.
    pub fn new(home: Home) -> Self {
        Self {
            home,
            trusted_keys: TrustedKeys::default(),
            told: Told::default(),
        }
    }

    /// Lets only those keys count that the administrator trusts, where they name any.
    #[must_use]
    pub fn with_trusted_keys(self, trusted_keys: TrustedKeys) -> Self {
        Self {
            trusted_keys,
            ..self
        }
    }

    /// Reads everything that is loaded, once. Files that cannot be read or are not trusted are logged
    /// and left out.
    pub fn read(&self) -> Result<Loaded, StoreError> {
        Ok(self.loaded(&OnDisk::read(&self.home, &self.told)?))
    }

    fn loaded(&self, on_disk: &OnDisk) -> Loaded {
        let OnDisk { pins, in_use, .. } = on_disk;
        let strangers = on_disk
            .known()
            .filter(|signed| !pins.is_of_present_line(signed))
            .map(|signed| signed.claims().license_id)
            .collect();
        let pinned: Vec<License> = in_use
            .iter()
            .filter_map(|signed| self.trusted(signed, pins.trust(signed.clone())))
            .collect();
        let counts = |license: &&License| self.trusted_keys.check(license.signed()).is_ok();
        let current = newest(pinned.iter().filter(counts));
        let mut refused = newest(pinned.iter());
        refused.retain(|company, _| !current.contains_key(company));
        let refused: Vec<_> = refused.into_values().collect();
        let key_changes = current.values().filter_map(|license| {
            let issuer = &license.claims().issuer;
            let followed = pins.followed(issuer.company_id)?;
            Some(KeyChange {
                company: issuer.company.clone(),
                from: followed.from.clone(),
                to: license.signed().thumbprint().to_owned(),
                at: followed.at,
            })
        });
        Loaded {
            key_changes: key_changes.collect(),
            problems: self.trusted_keys.problems(&refused),
            strangers,
            damaged: on_disk.damaged,
            notices: Notices::open(self.home.clone()).events(),
            all: on_disk
                .known()
                .filter_map(|signed| self.trusted(signed, pins.trust_former(signed.clone())))
                .collect(),
            current: current.into_values().collect(),
        }
    }

    fn trusted(
        &self,
        signed: &SignedLicense,
        answer: Option<Result<License, UntrustedKey>>,
    ) -> Option<License> {
        answer?
            .inspect_err(|error| {
                let company = signed.claims().issuer.company_id;
                self.told
                    .once(format!("a license of {company} is left out: {error}"));
            })
            .ok()
    }

    /// The licenses that count: [`Loaded::current`].
    pub fn current(&self) -> Result<Vec<License>, StoreError> {
        Ok(self.read()?.current)
    }

    /// The pinned key of a company.
    pub fn pin(&self, company: CompanyId) -> Result<Option<String>, StoreError> {
        Ok(Pins::read(&self.home)?.key(company).map(str::to_owned))
    }

    /// Says whether a license may be loaded, and changes nothing.
    pub fn check(
        &self,
        signed: &SignedLicense,
        options: &LoadOptions<'_>,
    ) -> Result<(), LoadError> {
        self.check_beside(&OnDisk::read(&self.home, &self.told)?, signed, options)
    }

    /// The change of the employer's key that loading this license would follow.
    pub fn key_change(
        &self,
        signed: &SignedLicense,
        now: Timestamp,
    ) -> Result<Option<KeyChange>, StoreError> {
        let issuer = &signed.claims().issuer;
        let pins = Pins::read(&self.home)?;
        let announced = pins.standing(signed) == Standing::Announced;
        let from = pins.key(issuer.company_id).filter(|_| announced);
        Ok(from.map(|from| KeyChange {
            company: issuer.company.clone(),
            from: from.to_owned(),
            to: signed.thumbprint().to_owned(),
            at: now,
        }))
    }

    /// The key that loading this license would put in the place of another although nobody announced
    /// it, where that is so: the one that goes.
    pub fn key_replaced(&self, signed: &SignedLicense) -> Result<Option<String>, StoreError> {
        let pins = Pins::read(&self.home)?;
        let unannounced = matches!(pins.standing(signed), Standing::Former | Standing::Foreign);
        let pinned = pins.key(signed.claims().issuer.company_id);
        Ok(pinned.filter(|_| unannounced).map(str::to_owned))
    }

    /// Loads a license: checks it, pins its key on first use or follows to it, keeps the file.
    pub fn load(
        &self,
        bytes: &[u8],
        signed: SignedLicense,
        options: &LoadOptions<'_>,
    ) -> Result<License, LoadError> {
        let _lock = self.lock()?;
        let on_disk = OnDisk::read(&self.home, &self.told)?;
        self.check_beside(&on_disk, &signed, options)?;
        let claims = signed.claims();
        let path = self.home.licenses().join(file_name(claims.license_id));
        self.free_number(&on_disk, &signed)?;
        // The pin first: where the file is not written any more, the same license is loaded anew, and
        // nothing by a key that went comes in meanwhile.
        let company = claims.issuer.company_id;
        let mut pins = on_disk.pins;
        let way = pins
            .key(company)
            .and_then(|pinned| signed.key_history().way_from(pinned));
        match (pins.standing(&signed), way) {
            (Standing::Announced, Some(way)) => {
                pins.follow(&self.home, company, way, options.now)?;
            }
            _ => {
                let joins = self.trusted_keys.in_force();
                pins.set(&self.home, company, signed.thumbprint(), joins)?;
            }
        }
        files::write_private(&path, bytes).map_err(|source| StoreError::Io { path, source })?;
        // One that was removed and is loaded again is in use, and in one place. Where it cannot be
        // taken from the other, it is there twice, which does no harm.
        let removed = self.home.removed_licenses();
        let _ = std::fs::remove_file(removed.join(file_name(claims.license_id)));
        let thumbprint = signed.thumbprint().to_owned();
        Ok(signed.trust(&thumbprint)?)
    }

    /// Only one program at a time changes what is loaded and trusted.
    fn lock(&self) -> Result<File, StoreError> {
        let path = self.home.trust().with_extension("lock");
        files::lock(&path).map_err(|source| StoreError::Io { path, source })
    }

    /// Whether that very license is loaded.
    pub fn has(&self, id: LicenseId) -> bool {
        self.home.licenses().join(file_name(id)).exists()
    }

    /// Whether that very license is the one that counts for its company, to the byte.
    pub fn is_in_use(&self, signed: &SignedLicense) -> Result<bool, StoreError> {
        Ok(self.current()?.iter().any(|license| {
            let loaded = license.signed();
            (loaded.thumbprint(), loaded.payload_sha256())
                == (signed.thumbprint(), signed.payload_sha256())
        }))
    }

    /// Remembers that a loaded license came from that file in the administrator's folder.
    pub fn note_adopted(&self, id: LicenseId, file: &str) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let mut adopted = adopted::read(&self.home)?;
        if adopted.insert(id, file.to_owned()).as_deref() == Some(file) {
            return Ok(());
        }
        adopted::write(&self.home, &adopted)
    }

    /// The file in the administrator's folder that a license came from.
    pub fn adopted_from(&self, id: LicenseId) -> Result<Option<String>, StoreError> {
        Ok(adopted::read(&self.home)?.remove(&id))
    }

    /// Takes the adopted licenses out of use whose file the administrator has taken away, or has
    /// replaced by one of another company; and with each the older ones of its company, which must not
    /// come back in its place. `present` is everything that lies there for this user. Returns the
    /// companies concerned.
    pub fn retire_missing(&self, present: &[Present]) -> Result<Vec<CompanyId>, StoreError> {
        let _lock = self.lock()?;
        let mut adopted = adopted::read(&self.home)?;
        if adopted.is_empty() {
            return Ok(Vec::new());
        }
        let loaded = self.in_use()?;
        let before = adopted.len();
        let mut retired: BTreeMap<CompanyId, u64> = BTreeMap::new();
        adopted.retain(|id, file| {
            let claims = loaded.iter().map(SignedLicense::claims);
            let Some(claims) = claims.into_iter().find(|claims| claims.license_id == *id) else {
                return false; // removed already
            };
            let company = claims.issuer.company_id;
            let stays = present.iter().any(|there| {
                there.file == *file && there.company.is_none_or(|holds| holds == company)
            });
            if !stays {
                let up_to = retired.entry(company).or_default();
                *up_to = claims.serial.max(*up_to);
            }
            stays
        });
        for (company, up_to) in &retired {
            self.take_out(|claims| {
                claims.issuer.company_id == *company && claims.serial <= *up_to
            })?;
        }
        // Last: what a crash leaves is done again.
        if adopted.len() != before {
            adopted::write(&self.home, &adopted)?;
        }
        Ok(retired.into_keys().collect())
    }

    /// Takes all licenses of a company out of use. They stay on disk, apart, so that what was captured
    /// under them can still be delivered. Returns how many there were.
    pub fn remove(&self, company: CompanyId) -> Result<usize, StoreError> {
        let _lock = self.lock()?;
        self.take_out(|claims| claims.issuer.company_id == company)
    }

    fn in_use(&self) -> Result<Vec<SignedLicense>, StoreError> {
        Ok(OnDisk::read(&self.home, &self.told)?.in_use)
    }

    fn take_out(&self, which: impl Fn(&Claims) -> bool) -> Result<usize, StoreError> {
        let mut removed = 0;
        for signed in self.in_use()? {
            if which(signed.claims()) {
                let name = file_name(signed.claims().license_id);
                let from = self.home.licenses().join(&name);
                std::fs::rename(&from, self.home.removed_licenses().join(&name))
                    .map_err(|source| StoreError::Io { path: from, source })?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// An employer has changed its signing key, and the key before has signed that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChange {
    /// The employer.
    pub company: String,
    /// Fingerprint of the key that was trusted before.
    pub from: String,
    /// Fingerprint of the key that is trusted now.
    pub to: String,
    /// When this computer followed.
    pub at: Timestamp,
}

impl KeyChange {
    /// The change in a sentence.
    pub fn said(&self, words: Words) -> String {
        words.say(Message::LicenseKeyChanged {
            company: Outside(&self.company),
            former: Outside(&self.from),
            key: Outside(&self.to),
        })
    }
}

/// How a license is to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions<'a> {
    /// Accept another signing key than the pinned one, and pin it.
    pub trust_new_key: bool,
    /// Hosts that the administrator's policy lets be reached without TLS.
    pub allow_plain_http: &'a [String],
    /// Load one that has run out as well: so that it takes the place of one that would go on.
    pub even_expired: bool,
    /// The time, for `expires_at`.
    pub now: Timestamp,
}

impl LoadOptions<'static> {
    /// No exception of any kind.
    pub const fn strict(now: Timestamp) -> Self {
        Self {
            trust_new_key: false,
            allow_plain_http: &[],
            even_expired: false,
            now,
        }
    }
}

fn file_name(id: LicenseId) -> String {
    format!("{id}{SUFFIX}")
}

/// The highest serial of each company.
fn newest<'a>(licenses: impl Iterator<Item = &'a License>) -> BTreeMap<CompanyId, License> {
    let mut newest: BTreeMap<CompanyId, &License> = BTreeMap::new();
    for license in licenses {
        let claims = license.claims();
        let known = newest.get(&claims.issuer.company_id);
        if known.is_none_or(|known| known.claims().serial < claims.serial) {
            newest.insert(claims.issuer.company_id, license);
        }
    }
    let owned = |(company, license): (CompanyId, &License)| (company, license.clone());
    newest.into_iter().map(owned).collect()
}

/// The licenses by id, shared with the senders.
#[derive(Debug, Default)]
pub struct Book {
    claims: RwLock<HashMap<LicenseId, Arc<Claims>>>,
}

impl Book {
    /// Replaces the content.
    pub fn set<'a>(&self, licenses: impl IntoIterator<Item = &'a License>) {
        let claims = licenses
            .into_iter()
            .map(|license| {
                (
                    license.claims().license_id,
                    Arc::new(license.claims().clone()),
                )
            })
            .collect();
        *self
            .claims
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = claims;
    }
}

impl LicenseBook for Book {
    fn claims(&self, id: LicenseId) -> Option<Arc<Claims>> {
        self.claims
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get(&id)
            .cloned()
    }
}

#[cfg(test)]
mod tests;
