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
        // One that was taken out of use does not come back by itself.
        if !self.trackings.contains_key(&company) && !self.out_of_order.contains_key(&company) {
            return false;
        }
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
                let why = with_causes(problem.as_ref());
                let text = format!("The newer license that the server sent cannot be used: {why}.");
                self.refresh_problem.insert(company, text);
                if problem
                    .downcast_ref()
                    .is_some_and(LoadError::is_of_this_computer)
                {
                    // A full disk says nothing of the file: it is taken up at the next look.
                    self.last_newer_license.remove(&company);
                }
                false
            }
        }
    }

    fn load_newer(
        &self,
        company: CompanyId,
        file: &Arc<[u8]>,
        now: Moment,
    ) -> anyhow::Result<bool> {
        let signed = read(file)?;
        let claims = signed.claims().clone();
        anyhow::ensure!(
            claims.issuer.company_id == company,
            "it is of another company"
        );
        if self.store.has(claims.license_id) {
            return Ok(false);
        }
        let options = LoadOptions {
            trust_new_key: false,
            allow_plain_http: &self.config.allow_plain_http,
            // What has run out ends what the one before it would still permit.
            even_expired: true,
            now: self.latest(company, now),
        };
        let before = self.trackings.get(&company).map(Tracking::license_id);
        self.load_and_tell(file, signed, &options)?;
        // It goes when the administrator takes the file away that the first one came from.
        let from = before.map(|id| self.store.adopted_from(id)).transpose()?;
        if let Some(from) = from.flatten() {
            self.store.note_adopted(claims.license_id, &from)?;
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
