//! What is asked of a license before it is loaded beside those that are there.

use glasshour_license_format::{License, SignedLicense, WorkMode};
use glasshour_uploader::spool::has_chain;

use super::{LicenseStore, LoadOptions, OnDisk, StoreError, file_name};
use crate::license::load::{LoadError, check_server_url};
use crate::license::notices::Notices;
use crate::license::pins::{Pins, Standing};

impl LicenseStore {
    /// Whether a license may be loaded beside what is there.
    pub(super) fn check_beside(
        &self,
        on_disk: &OnDisk,
        signed: &SignedLicense,
        options: &LoadOptions<'_>,
    ) -> Result<(), LoadError> {
        let claims = signed.claims();
        self.trusted_keys.check(signed)?;
        if !options.trust_new_key {
            self.check_key(&on_disk.pins, signed)?;
        }
        check_server_url(&claims.issuer.server_url, options.allow_plain_http)?;
        let ended = claims.expires_at.filter(|end| *end <= options.now);
        if let Some(end) = ended.filter(|_| !options.even_expired) {
            return Err(LoadError::Expired(end));
        }
        // Also what was removed counts: taking a license out of use makes no way back to an older one,
        // and the device stays that of the employee it was enrolled for.
        let same_company =
            |loaded: &License| loaded.claims().issuer.company_id == claims.issuer.company_id;
        let known = self.loaded(on_disk);
        self.check_number(on_disk, signed)?;
        // Each line of keys counts by itself: one that nobody announced says nothing of the other's.
        let pins = &on_disk.pins;
        let joins = self.trusted_keys.in_force();
        let same_line = |loaded: &&License| {
            same_company(loaded) && pins.is_of_line(loaded.signed().thumbprint(), signed, joins)
        };
        for license in known.all.iter().filter(same_line) {
            let loaded = license.claims();
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
            if claims.serial == loaded.serial && claims.license_id != loaded.license_id {
                return Err(LoadError::SerialTaken(claims.serial));
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

    /// Whether the license's number is its own: licenses are kept, acknowledged and sent by it, so none
    /// may come in the place of another.
    fn check_number(&self, on_disk: &OnDisk, signed: &SignedLicense) -> Result<(), LoadError> {
        let taken = on_disk.in_use.iter().find(|one| is_another(one, signed));
        let kept = on_disk.removed.iter().find(|one| is_another(one, signed));
        let kept = kept.filter(|one| !self.gives_its_number_back(&on_disk.pins, one, signed));
        match taken.or(kept) {
            Some(other) => Err(LoadError::NumberTaken(
                other.claims().issuer.company.clone(),
            )),
            None => Ok(()),
        }
    }

    /// Whether a license that was taken out of use may be forgotten for another of its number: it is of
    /// another company, or of keys that have nothing to do with those that count, and nothing was ever
    /// recorded under it. Where that cannot be told, it keeps its number.
    fn gives_its_number_back(
        &self,
        pins: &Pins,
        removed: &SignedLicense,
        signed: &SignedLicense,
    ) -> bool {
        let company = removed.claims().issuer.company_id;
        let stranger =
            company != signed.claims().issuer.company_id || !pins.is_of_present_line(removed);
        let spool = self.home.spool(company);
        stranger && matches!(has_chain(&spool, removed.claims().license_id), Ok(false))
    }

    /// Sets what was taken out of use apart for good where that license takes its number over. What was
    /// agreed to of the one is not agreed to of the other.
    pub(super) fn free_number(
        &self,
        on_disk: &OnDisk,
        signed: &SignedLicense,
    ) -> Result<(), StoreError> {
        let Some(other) = on_disk.removed.iter().find(|one| is_another(one, signed)) else {
            return Ok(());
        };
        let id = other.claims().license_id;
        let path = self.home.notices();
        let forgotten = Notices::open(self.home.clone()).forget(id);
        forgotten.map_err(|source| StoreError::Io { path, source })?;
        let path = self.home.removed_licenses().join(file_name(id));
        let apart = path.with_extension(format!("{}.apart", other.thumbprint()));
        std::fs::rename(&path, apart).map_err(|source| StoreError::Io { path, source })
    }

    /// Whether the key that signed is the pinned one, or was announced by it.
    fn check_key(&self, pins: &Pins, signed: &SignedLicense) -> Result<(), LoadError> {
        let issuer = &signed.claims().issuer;
        let Some(pinned) = pins.key(issuer.company_id) else {
            return Ok(());
        };
        // A key that the administrator lists needs nobody else's word.
        let listed = self.trusted_keys.in_force();
        match pins.standing(signed) {
            // Unless the one that followed it is listed too: then the newer one counts.
            Standing::Former if !listed || self.trusted_keys.lists(issuer.company_id, pinned) => {
                let company = issuer.company.clone();
                let found = signed.thumbprint().to_owned();
                let expected = pinned.to_owned();
                Err(if pins.replaced_by_hand(issuer.company_id, &found) {
                    LoadError::ReplacedByHand {
                        company,
                        found,
                        expected,
                    }
                } else {
                    LoadError::FormerKey {
                        company,
                        found,
                        expected,
                    }
                })
            }
            Standing::Foreign if !listed => Ok(signed.clone().trust(pinned).map(drop)?),
            _ => Ok(()),
        }
    }
}

/// Whether it bears the number and is not the very same, to the byte.
fn is_another(one: &SignedLicense, signed: &SignedLicense) -> bool {
    let content = |license: &SignedLicense| {
        let key = license.thumbprint().to_owned();
        (key, license.payload_sha256().to_owned())
    };
    one.claims().license_id == signed.claims().license_id && content(one) != content(signed)
}
