//! What the agent tells its user unasked, and how it takes up the administrator's licenses.

use glasshour_license_format::{License, WorkMode, read};
use glasshour_protocol::payload::{Cause, NoticeKind, SessionEvent, SessionEventKind};

use super::tracking::{Tracking, notice_message};
use super::{Engine, message};
use crate::clock::Moment;
use crate::license::{LoadOptions, read_file};
use crate::session::State;

const SUFFIX: &str = ".license.gz";

impl Engine {
    /// Loads what the administrator has put into the license folder. In monitoring mode that needs no
    /// hand (rule 13); a worklog license is loaded by its employee alone, who is told of it. Returns
    /// what needs somebody, in sentences.
    pub(super) fn adopt_system_licenses(&mut self, now: Moment) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.config.license_dir) else {
            return Vec::new();
        };
        let mut names: Vec<_> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned))
            .filter(|name| !name.starts_with('.'))
            .collect();
        let user = self.platform.identity().os_user;
        if names.contains(&user) {
            names = vec![user];
        } else {
            names.retain(|name| !self.is_somebody_elses(name));
        }
        names.sort();
        names
            .iter()
            .filter_map(|name| self.adopt(name, now).err())
            .collect()
    }

    /// A license that bears a user's name is for that user alone. Names are asked for once: it takes a
    /// process each.
    fn is_somebody_elses(&mut self, name: &str) -> bool {
        let known = self.user_names.get(name).copied();
        known.unwrap_or_else(|| {
            let is_user = self.platform.is_user(name);
            self.user_names.insert(name.to_owned(), is_user);
            is_user
        })
    }

    fn adopt(&self, name: &str, now: Moment) -> Result<(), String> {
        let path = self.config.license_dir.join(format!("{name}{SUFFIX}"));
        let bytes = read_file(&path).map_err(|error| error.to_string())?;
        let signed = read(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        if self.store.has(signed.claims().license_id) {
            return Ok(());
        }
        if signed.claims().work_mode == WorkMode::Worklog {
            return Err(format!(
                "A license of {} waits for you. Load it with `glasshour license load {}`.",
                signed.claims().issuer.company,
                path.display()
            ));
        }
        let options = LoadOptions {
            trust_new_key: false,
            allow_plain_http: &self.config.allow_plain_http,
            now: jiff::Timestamp::from_millisecond(now.wall_ms).unwrap_or_default(),
        };
        let loaded = self.store.load(&bytes, signed, &options);
        loaded
            .map(|_| ())
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// In monitoring mode the notice is shown when a license is first put to work, and again until the
    /// desktop has taken it; in worklog mode it was acknowledged when the license was loaded.
    pub(super) fn show_notice_once(&self, license: &License) {
        let id = license.claims().license_id;
        if !self.notices.was_shown(id) {
            self.desktop.show_notice(id, notice_message(license));
        }
    }

    /// Remembers the notices that the desktop has shown.
    pub(super) fn take_shown_notices(&mut self) {
        for license in self.desktop.shown_notices() {
            if let Err(error) = self.notices.set(license, NoticeKind::Shown, "notification") {
                tracing::error!(%error, "the notices file cannot be written");
            }
        }
    }

    /// Tells the employee when tracking begins or ends for another reason than their own command.
    pub(super) fn announce(&self, tracking: &Tracking, event: &SessionEvent) {
        let company = &tracking.license().claims().issuer.company;
        let text = match (event.event, event.cause) {
            (SessionEventKind::Started, Cause::Login) => {
                format!("{company} has licensed monitoring: what is captured is in the tray menu.")
            }
            (SessionEventKind::Started, Cause::License) => "Tracking goes on.".into(),
            (SessionEventKind::Started, Cause::Sleep | Cause::Schedule) => {
                format!("Monitoring by {company} goes on.")
            }
            // A license that takes the place of another begins at once and needs no word.
            (SessionEventKind::Stopped, Cause::License) => match tracking.machine.state() {
                State::Blocked { block, .. } => {
                    format!(
                        "Tracking has stopped, and nothing is captured. {}",
                        block.message
                    )
                }
                _ => return,
            },
            (SessionEventKind::Stopped, Cause::Sleep) => {
                "Tracking stopped when the computer went to sleep.".into()
            }
            (SessionEventKind::Stopped, Cause::Schedule) => {
                "The licensed hours are over: nothing is captured.".into()
            }
            _ => return,
        };
        self.desktop.notify(message("Glasshour", text));
    }
}
