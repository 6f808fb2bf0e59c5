//! The licenses on disk, with their trust.
//!
//! Files are read and verified anew each time: what counts is what the file says and who signed it,
//! not what was remembered about it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use glasshour_license_format::{Claims, License, SignedLicense, WorkMode};
use glasshour_protocol::{CompanyId, LicenseId};
use glasshour_uploader::send::LicenseBook;
use jiff::Timestamp;

use super::load::{LoadError, check_server_url, read_file};
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
    /// The pins cannot be read: nothing is trusted on a guess.
    #[error("{} is damaged; restore it or remove it to trust anew", path.display())]
    Pins {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// All licenses of one home.
#[derive(Clone, Debug)]
pub struct LicenseStore {
    home: Home,
}

impl LicenseStore {
    /// The licenses of that home.
    pub fn new(home: Home) -> Self {
        Self { home }
    }

    /// The license that counts for each company: its highest serial. Files that cannot be read or are
    /// not trusted are logged and left out.
    pub fn current(&self) -> Result<Vec<License>, StoreError> {
        let pins = self.pins()?;
        let mut current: BTreeMap<CompanyId, License> = BTreeMap::new();
        for signed in read_folder(&self.home.licenses())? {
            let company = signed.claims().issuer.company_id;
            let Some(license) = trust(signed, &pins) else {
                continue;
            };
            let serial = license.claims().serial;
            if current
                .get(&company)
                .is_none_or(|other| other.claims().serial < serial)
            {
                current.insert(company, license);
            }
        }
        Ok(current.into_values().collect())
    }

    /// Every license that was ever loaded, for records that were captured under it.
    pub fn all(&self) -> Result<Vec<License>, StoreError> {
        let pins = self.pins()?;
        let mut all = read_folder(&self.home.licenses())?;
        all.extend(read_folder(&self.home.removed_licenses())?);
        Ok(all
            .into_iter()
            .filter_map(|signed| trust(signed, &pins))
            .collect())
    }

    /// The pinned key of a company.
    pub fn pin(&self, company: CompanyId) -> Result<Option<String>, StoreError> {
        Ok(self.pins()?.remove(&company))
    }

    /// Says whether a license may be loaded, and changes nothing.
    pub fn check(
        &self,
        signed: &SignedLicense,
        options: &LoadOptions<'_>,
    ) -> Result<(), LoadError> {
        let claims = signed.claims();
        if let Some(pinned) = self.pin(claims.issuer.company_id)?
            && !options.trust_new_key
        {
            signed.clone().trust(&pinned)?;
        }
        check_server_url(&claims.issuer.server_url, options.allow_plain_http)?;
        if let Some(end) = claims.expires_at.filter(|end| *end <= options.now) {
            return Err(LoadError::Expired(end.to_string()));
        }
        for loaded in self.current()? {
            let loaded = loaded.claims();
            if loaded.issuer.company_id != claims.issuer.company_id {
                let both = [loaded.work_mode, claims.work_mode];
                if both == [WorkMode::Monitoring; 2] {
                    return Err(LoadError::SecondMonitoring(loaded.issuer.company.clone()));
                }
            } else if loaded.employee.employee_id != claims.employee.employee_id {
                return Err(LoadError::OtherEmployee {
                    offered: claims.employee.name.clone(),
                    loaded: loaded.employee.name.clone(),
                    company: claims.issuer.company.clone(),
                });
            } else if claims.serial < loaded.serial {
                return Err(LoadError::OlderSerial {
                    offered: claims.serial,
                    loaded: loaded.serial,
                });
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
        let path = self
            .home
            .licenses()
            .join(format!("{}{SUFFIX}", claims.license_id));
        self.set_pin(claims.issuer.company_id, signed.thumbprint())?;
        files::write_private(&path, bytes).map_err(|source| StoreError::Io { path, source })?;
        let thumbprint = signed.thumbprint().to_owned();
        Ok(signed.trust(&thumbprint)?)
    }

    /// Whether that very license is loaded.
    pub fn has(&self, id: LicenseId) -> bool {
        self.home.licenses().join(format!("{id}{SUFFIX}")).exists()
    }

    /// Takes all licenses of a company out of use. They stay on disk, apart, so that what was captured
    /// under them can still be delivered. Returns how many there were.
    pub fn remove(&self, company: CompanyId) -> Result<usize, StoreError> {
        let mut removed = 0;
        for signed in read_folder(&self.home.licenses())? {
            if signed.claims().issuer.company_id == company {
                let name = format!("{}{SUFFIX}", signed.claims().license_id);
                let from = self.home.licenses().join(&name);
                std::fs::rename(&from, self.home.removed_licenses().join(&name))
                    .map_err(|source| StoreError::Io { path: from, source })?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn pins(&self) -> Result<BTreeMap<CompanyId, String>, StoreError> {
        let path = self.home.trust();
        match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| StoreError::Pins { path, source })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(source) => Err(StoreError::Io { path, source }),
        }
    }

    fn set_pin(&self, company: CompanyId, thumbprint: &str) -> Result<(), StoreError> {
        let mut pins = self.pins()?;
        if pins.insert(company, thumbprint.to_owned()).as_deref() == Some(thumbprint) {
            return Ok(());
        }
        let path = self.home.trust();
        let bytes = serde_json::to_vec_pretty(&pins).expect("plain data with string keys");
        files::write_private(&path, &bytes).map_err(|source| StoreError::Io { path, source })
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

fn trust(signed: SignedLicense, pins: &BTreeMap<CompanyId, String>) -> Option<License> {
    let company = signed.claims().issuer.company_id;
    let pinned = pins.get(&company)?;
    match signed.trust(pinned) {
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
