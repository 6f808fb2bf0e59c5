//! The license files and the pins, as they were at one reading.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use glasshour_license_format::SignedLicense;

use super::{SUFFIX, StoreError};
use crate::home::Home;
use crate::license::load::read_file;
use crate::license::pins::Pins;

/// What lies there, before anybody is trusted.
#[derive(Debug)]
pub(super) struct OnDisk {
    pub(super) pins: Pins,
    pub(super) in_use: Vec<SignedLicense>,
    /// Taken out of use, and kept for what was captured under them.
    pub(super) removed: Vec<SignedLicense>,
    /// Whether a file could not be read.
    pub(super) damaged: bool,
}

impl OnDisk {
    pub(super) fn read(home: &Home, told: &Told) -> Result<Self, StoreError> {
        let pins = Pins::read(home)?;
        let (in_use, damaged) = read_folder(&home.licenses(), told)?;
        let (removed, others_damaged) = read_folder(&home.removed_licenses(), told)?;
        Ok(Self {
            pins,
            in_use,
            removed,
            damaged: damaged || others_damaged,
        })
    }

    /// Every license, in use or not.
    pub(super) fn known(&self) -> impl Iterator<Item = &SignedLicense> {
        self.in_use.iter().chain(&self.removed)
    }
}

/// What was logged already. Licenses are looked at twice a minute; what is wrong with a file is news once.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<HashSet<String>>>);

impl Told {
    pub(super) fn once(&self, text: String) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&text) {
            tracing::warn!("{text}");
            told.insert(text);
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// The licenses of a folder, and whether one could not be read.
fn read_folder(folder: &Path, told: &Told) -> Result<(Vec<SignedLicense>, bool), StoreError> {
    let io = |source| StoreError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut licenses = Vec::new();
    let mut damaged = false;
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
                told.once(format!("{} is left out: {error}", path.display()));
                damaged = true;
            }
        }
    }
    Ok((licenses, damaged))
}
