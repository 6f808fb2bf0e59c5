//! Taking up a newer license that the sender has fetched.
//!
//! It is read, verified and trusted as any other file: the server is believed to have sent something,
//! nothing more. How much of it holds at once is `license::agreement`'s to say.

use std::sync::Arc;

use glasshour_license_format::{SignedLicense, WorkMode, read};
use glasshour_protocol::CompanyId;

use super::tracking::Tracking;
use super::{Engine, message};
use crate::clock::Moment;
use crate::license::{LoadError, LoadOptions};
use crate::sentence::with_causes;

impl Engine {
    /// Loads the newer license of that company, if one was fetched since. Returns whether licenses
    /// changed.
    pub(super) fn take_newer_license(&mut self, company: CompanyId, now: Moment) -> bool {
        let status = self.accounts.send_status(company);
        let Some(file) = status.and_then(|status| status.newer_license) else {
            return false;
        };
        // Each file once: one that cannot be used does not become usable.
        if self.last_newer_license.get(&company) == Some(&file) {
            return false;
        }
        self.last_newer_license.insert(company, file.clone());
        self.refresh_problem.remove(&company);
        match self.load_newer(company, &file, now) {
            Ok(changed) => changed,
            Err(problem) => {
                self.refresh_problem.insert(company, problem);
                false
            }
        }
    }

    fn load_newer(
        &self,
        company: CompanyId,
        file: &Arc<[u8]>,
        now: Moment,
    ) -> Result<bool, String> {
        let failed = |error: &dyn std::error::Error| {
            let why = with_causes(error);
            format!("The newer license that the server sent cannot be used: {why}.")
        };
        let signed = read(file).map_err(|error| failed(&error))?;
        let claims = signed.claims().clone();
        if claims.issuer.company_id != company {
            return Err("The server sent a license of another company; it is not used.".into());
        }
        if self.store.has(claims.license_id) {
            return Ok(false);
        }
        let options = LoadOptions {
            trust_new_key: false,
            allow_plain_http: &self.config.allow_plain_http,
            now: self.latest(company, now),
        };
        let before = self.trackings.get(&company).map(Tracking::license_id);
        self.load_and_tell(file, signed, &options)
            .map_err(|error: LoadError| failed(&error))?;
        // It goes when the administrator takes the file away that the first one came from.
        let from = before.map(|id| self.store.adopted_from(id)).transpose();
        if let Some(from) = from.map_err(|error| failed(&error))?.flatten() {
            self.store
                .note_adopted(claims.license_id, &from)
                .map_err(|error| failed(&error))?;
        }
        if claims.work_mode == WorkMode::Worklog {
            let text = format!(
                "{} has issued a newer license for you. `glasshour license show` says what it \
                 permits; what is more than you have agreed to waits until you agree.",
                claims.issuer.company
            );
            self.desktop.notify(message("Glasshour", text));
        }
        Ok(true)
    }

    /// Loads a license that nobody holds in their hands, and tells where that follows an employer to
    /// another key.
    pub(super) fn load_and_tell(
        &self,
        bytes: &[u8],
        signed: SignedLicense,
        options: &LoadOptions<'_>,
    ) -> Result<(), LoadError> {
        let change = self.store.key_change(&signed, options.now)?;
        self.store.load(bytes, signed, options)?;
        if let Some(change) = change {
            let text = change.said(self.config.words);
            self.desktop.notify(message("Glasshour", text));
        }
        Ok(())
    }
}
