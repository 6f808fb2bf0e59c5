//! The licenses on disk, with their trust.
//!
//! Files are read and verified anew each time: what counts is what the file says and who signed it,
//! not what was remembered about it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use glasshour_license_format::{Claims, License, SignedLicense, UntrustedKey, WorkMode};
use glasshour_protocol::{CompanyId, LicenseId};
use glasshour_uploader::send::LicenseBook;
use jiff::Timestamp;

use super::adopted::{self, Present};
use super::load::{LoadError, check_server_url, read_file};
use super::pins::Pins;
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
    /// The license that counts for each company: its highest serial.
    pub current: Vec<License>,
    /// Every license that was ever loaded, for records that were captured under it: also those that a
    /// former key of their company has signed, or that were removed.
    pub all: Vec<License>,
    /// Why licenses that are loaded are out of use, where the administrator's pins are the reason.
    pub problems: Vec<String>,
}

/// All licenses of one home.
#[derive(Clone, Debug)]
pub struct LicenseStore {
    home: Home,
    trusted_keys: TrustedKeys,
}

impl LicenseStore {
    /// The licenses of that home.
    pub fn new(home: Home) -> Self {
        Self {
            home,
            trusted_keys: TrustedKeys::default(),
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
        let pins = Pins::read(&self.home)?;
        let in_use = read_folder(&self.home.licenses())?;
        let removed = read_folder(&self.home.removed_licenses())?;
        let pinned: Vec<License> = in_use
            .iter()
            .filter_map(|signed| {
                let company = signed.claims().issuer.company_id;
                trusted(company, pins.trust(signed.clone()))
            })
            .collect();
        let counts = |license: &&License| self.trusted_keys.check(license.signed()).is_ok();
        let current = newest(pinned.iter().filter(counts));
        let mut refused = newest(pinned.iter());
        refused.retain(|company, _| !current.contains_key(company));
        let refused: Vec<_> = refused.into_values().collect();
        Ok(Loaded {
            problems: self.trusted_keys.problems(&refused),
            current: current.into_values().collect(),
            all: in_use
                .into_iter()
                .chain(removed)
                .filter_map(|signed| {
                    let company = signed.claims().issuer.company_id;
                    trusted(company, pins.trust_former(signed))
                })
                .collect(),
        })
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
        let claims = signed.claims();
        self.trusted_keys.check(signed)?;
        // A key that the administrator lists needs nobody else's word.
        if let Some(pinned) = self.pin(claims.issuer.company_id)?
            && !options.trust_new_key
            && !self.trusted_keys.in_force()
        {
            signed.clone().trust(&pinned)?;
        }
        check_server_url(&claims.issuer.server_url, options.allow_plain_http)?;
        if let Some(end) = claims.expires_at.filter(|end| *end <= options.now) {
            return Err(LoadError::Expired(end.to_string()));
        }
        // Also what was removed counts: taking a license out of use makes no way back to an older one,
        // and the device stays that of the employee it was enrolled for.
        let same_company =
            |loaded: &License| loaded.claims().issuer.company_id == claims.issuer.company_id;
        let known = self.read()?;
        for loaded in known.all.iter().filter(|loaded| same_company(loaded)) {
            let loaded = loaded.claims();
            if loaded.employee.employee_id != claims.employee.employee_id {
                return Err(LoadError::OtherEmployee {
                    offered: claims.employee.name.clone(),
                    loaded: loaded.employee.name.clone(),
                    company: claims.issuer.company.clone(),
                });
            }
            if claims.serial < loaded.serial {
                return Err(LoadError::OlderSerial {
                    offered: claims.serial,
                    loaded: loaded.serial,
                });
            }
        }
        for other in known.current.iter().filter(|other| !same_company(other)) {
            let both = [other.claims().work_mode, claims.work_mode];
            if both == [WorkMode::Monitoring; 2] {
                let company = other.claims().issuer.company.clone();
                return Err(LoadError::SecondMonitoring(company));
            }
        }
        Ok(())
    }

    /// Loads a license: checks it, pins its key on first use, keeps the file.
    pub fn load(
        &self,
        bytes: &[u8],
        signed: SignedLicense,
        options: &LoadOptions<'_>,
    ) -> Result<License, LoadError> {
        self.check(&signed, options)?;
        let claims = signed.claims();
        let path = self.home.licenses().join(file_name(claims.license_id));
        Pins::read(&self.home)?.set(&self.home, claims.issuer.company_id, signed.thumbprint())?;
        files::write_private(&path, bytes).map_err(|source| StoreError::Io { path, source })?;
        // One that was removed and is loaded again is in use, and in one place. Where it cannot be
        // taken from the other, it is there twice, which does no harm.
        let removed = self.home.removed_licenses();
        let _ = std::fs::remove_file(removed.join(file_name(claims.license_id)));
        let thumbprint = signed.thumbprint().to_owned();
        Ok(signed.trust(&thumbprint)?)
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
        let mut adopted = adopted::read(&self.home)?;
        if adopted.is_empty() {
            return Ok(Vec::new());
        }
        let loaded = read_folder(&self.home.licenses())?;
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
        self.take_out(|claims| claims.issuer.company_id == company)
    }

    fn take_out(&self, which: impl Fn(&Claims) -> bool) -> Result<usize, StoreError> {
        let mut removed = 0;
        for signed in read_folder(&self.home.licenses())? {
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

/// How a license is to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions<'a> {
    /// Accept another signing key than the pinned one, and pin it.
    pub trust_new_key: bool,
    /// Hosts that the administrator's policy lets be reached without TLS.
    pub allow_plain_http: &'a [String],
    /// The time, for `expires_at`.
    pub now: Timestamp,
}

fn file_name(id: LicenseId) -> String {
    format!("{id}{SUFFIX}")
}

fn read_folder(folder: &Path) -> Result<Vec<SignedLicense>, StoreError> {
    let io = |source| StoreError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut licenses = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if !path.to_string_lossy().ends_with(SUFFIX) {
            continue;
        }
        match read_file(&path)
            .map_err(|e| e.to_string())
            .and_then(|bytes| glasshour_license_format::read(&bytes).map_err(|e| e.to_string()))
        {
            Ok(signed) => licenses.push(signed),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a license is left out");
            }
        }
    }
    Ok(licenses)
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

fn trusted(company: CompanyId, answer: Option<Result<License, UntrustedKey>>) -> Option<License> {
    match answer? {
        Ok(license) => Some(license),
        Err(error) => {
            tracing::warn!(%company, %error, "a license is left out");
            None
        }
    }
}

/// The licenses by id, shared with the senders.
#[derive(Debug, Default)]
pub struct Book {
    claims: RwLock<HashMap<LicenseId, Arc<Claims>>>,
}

impl Book {
    /// Replaces the content.
    pub fn set(&self, licenses: &[License]) {
        let claims = licenses
            .iter()
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
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use glasshour_license_format::{read, sign};
    use serde_json::{Value, json};
    use uuid::Uuid;

    const OPTIONS: LoadOptions<'_> = LoadOptions {
        trust_new_key: false,
        allow_plain_http: &[],
        now: Timestamp::UNIX_EPOCH,
    };

    struct Shelf {
        _dir: tempfile::TempDir,
        store: LicenseStore,
    }

    impl Shelf {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = LicenseStore::new(Home::open(dir.path()).unwrap());
            Self { _dir: dir, store }
        }

        /// Loads a license of Acme that is signed by that key.
        fn load(
            &self,
            key: u8,
            serial: u64,
            changes: Value,
            options: &LoadOptions<'_>,
        ) -> Result<License, LoadError> {
            let bytes = license(key, serial, changes);
            self.store.load(&bytes, read(&bytes).unwrap(), options)
        }

        fn current_serials(&self) -> Vec<u64> {
            serials(&self.store.read().unwrap().current)
        }
    }

    fn serials(licenses: &[License]) -> Vec<u64> {
        let mut serials: Vec<_> = licenses.iter().map(|l| l.claims().serial).collect();
        serials.sort_unstable();
        serials
    }

    /// A license whose id is its serial. Members of `changes` take the place of the usual ones.
    fn license(key: u8, serial: u64, changes: Value) -> Vec<u8> {
        let mut claims = json!({
            "version": 1,
            "license_id": Uuid::from_u128(serial.into()),
            "serial": serial,
            "issued_at": "2026-11-21T09:00:00Z",
            "issuer": {
                "company": "Acme",
                "company_id": Uuid::from_u128(1),
                "server_url": "https://time.acme.example",
            },
            "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
            "work_mode": "worklog",
            "profile": {"name": "Standard"},
        });
        if let (Some(claims), Value::Object(changes)) = (claims.as_object_mut(), changes) {
            claims.extend(changes);
        }
        let claims = serde_json::from_value(claims).unwrap();
        sign(&claims, &SigningKey::from_bytes(&[key; 32])).unwrap()
    }

    #[test]
    fn what_a_former_key_has_licensed_is_still_delivered_and_no_longer_captured() {
        let shelf = Shelf::new();
        shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
        assert!(matches!(
            shelf.load(2, 2, json!({}), &OPTIONS),
            Err(LoadError::UntrustedKey(_))
        ));
        let anew = LoadOptions {
            trust_new_key: true,
            ..OPTIONS
        };
        for (key, serial) in [(2, 2), (3, 3), (2, 4)] {
            shelf.load(key, serial, json!({}), &anew).unwrap();
        }
        // The third key is a former one now, and the second is no longer.
        assert_eq!(shelf.current_serials(), [4]);
        assert_eq!(serials(&shelf.store.read().unwrap().all), [1, 2, 3, 4]);
        assert!(matches!(
            shelf.load(3, 5, json!({}), &OPTIONS),
            Err(LoadError::UntrustedKey(_))
        ));
    }

    #[test]
    fn where_the_administrator_pins_keys_nothing_else_counts() {
        let shelf = Shelf::new();
        let first = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
        let listed = |company: u128, key: &str| -> TrustedKeys {
            let company = Uuid::from_u128(company);
            serde_json::from_value(json!([{"company_id": company, "key": key}])).unwrap()
        };
        let pinned = |keys: TrustedKeys| shelf.store.clone().with_trusted_keys(keys);
        let file = license(2, 2, json!({}));
        let second = read(&file).unwrap();
        let anew = LoadOptions {
            trust_new_key: true,
            ..OPTIONS
        };

        // The loaded key is listed: it counts, and --trust-new-key brings in no other.
        let store = pinned(listed(1, first.signed().thumbprint()));
        assert_eq!(serials(&store.read().unwrap().current), [1]);
        assert_eq!(store.read().unwrap().problems, [""; 0]);
        let refused = store.load(&file, second.clone(), &anew).unwrap_err();
        assert!(matches!(refused, LoadError::NotListed(_)), "{refused}");
        let text = refused.to_string();
        assert!(text.contains("other keys of this company") && text.contains("Ask the admin"));

        // Another is listed, or another company: out of use, not deleted, and it is said why.
        for keys in [
            listed(1, second.thumbprint()),
            listed(7, second.thumbprint()),
        ] {
            let store = pinned(keys);
            assert_eq!(serials(&store.read().unwrap().current), [0; 0]);
            assert_eq!(serials(&store.read().unwrap().all), [1]);
            let problems = store.read().unwrap().problems;
            assert!(
                problems
                    .concat()
                    .contains("A license of Acme is out of use")
            );
        }
        assert_eq!(shelf.current_serials(), [1]);

        // The listed key is taken without a word from the person.
        let store = pinned(listed(1, second.thumbprint()));
        store.load(&file, second, &OPTIONS).unwrap();
        assert_eq!(serials(&store.read().unwrap().current), [2]);
    }

    #[test]
    fn pins_of_an_earlier_version_are_read() {
        let shelf = Shelf::new();
        let license = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
        let text = std::fs::read_to_string(shelf.store.home.trust()).unwrap();
        let old = json!({ Uuid::from_u128(1).to_string(): license.signed().thumbprint() });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), old);
        assert_eq!(shelf.current_serials(), [1]);
    }

    #[test]
    fn a_license_that_was_removed_makes_no_way_back_to_an_older_one() {
        let shelf = Shelf::new();
        let newer = shelf.load(1, 2, json!({}), &OPTIONS).unwrap();
        assert!(shelf.store.is_in_use(newer.signed()).unwrap());
        let company = newer.claims().issuer.company_id;
        assert_eq!(shelf.store.remove(company).unwrap(), 1);
        assert!(!shelf.store.is_in_use(newer.signed()).unwrap());
        assert!(matches!(
            shelf.load(1, 1, json!({}), &OPTIONS),
            Err(LoadError::OlderSerial {
                offered: 1,
                loaded: 2
            })
        ));
        shelf.load(1, 2, json!({}), &OPTIONS).unwrap();
        assert_eq!(shelf.current_serials(), [2]);
        assert_eq!(serials(&shelf.store.read().unwrap().all), [2]);
    }

    #[test]
    fn one_persons_device_is_never_used_for_another_person_of_the_same_company() {
        let shelf = Shelf::new();
        let license = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
        let someone_else = json!({"employee": {
            "employee_id": Uuid::from_u128(4),
            "name": "Kim Roe",
        }});
        let refused = |answer: Result<License, LoadError>| {
            matches!(answer, Err(LoadError::OtherEmployee { .. }))
        };
        assert!(refused(shelf.load(1, 2, someone_else.clone(), &OPTIONS)));
        shelf
            .store
            .remove(license.claims().issuer.company_id)
            .unwrap();
        assert!(refused(shelf.load(1, 2, someone_else, &OPTIONS)));
    }

    #[test]
    fn p13_a_license_goes_out_of_use_when_the_administrator_takes_its_file_away() {
        let shelf = Shelf::new();
        let id = |serial: u64| LicenseId(Uuid::from_u128(serial.into()));
        let monitoring = json!({"work_mode": "monitoring"});
        for serial in [1, 2] {
            shelf.load(1, serial, monitoring.clone(), &OPTIONS).unwrap();
        }
        shelf.store.note_adopted(id(2), "jo.license.gz").unwrap();
        let company = CompanyId(Uuid::from_u128(1));
        let present = |company| Present {
            file: "jo.license.gz".into(),
            company,
        };
        // There, or there and not readable: nothing changes.
        for there in [Some(company), None] {
            let retired = shelf.store.retire_missing(&[present(there)]).unwrap();
            assert_eq!(retired, []);
        }
        assert_eq!(shelf.current_serials(), [2]);
        assert_eq!(shelf.store.retire_missing(&[]).unwrap(), [company]);
        // The older one does not come back in its place, and both can still deliver.
        assert_eq!(shelf.current_serials(), Vec::<u64>::new());
        assert_eq!(serials(&shelf.store.read().unwrap().all), [1, 2]);
        assert_eq!(shelf.store.retire_missing(&[]).unwrap(), []);
        // Put back, it is used again; replaced by another company's, it is not.
        shelf.load(1, 2, monitoring, &OPTIONS).unwrap();
        shelf.store.note_adopted(id(2), "jo.license.gz").unwrap();
        let other = CompanyId(Uuid::from_u128(9));
        let retired = shelf.store.retire_missing(&[present(Some(other))]);
        assert_eq!(retired.unwrap(), [company]);
    }
}
