//! What the agent tells its user unasked, and how it takes up the administrator's licenses.

use std::io::ErrorKind;

use glasshour_license_format::{License, SignedLicense, WorkMode, read};
use glasshour_protocol::payload::{Cause, NoticeKind, SessionEvent, SessionEventKind};
use glasshour_words::{Message, Outside};

use super::tracking::{Tracking, notice_message};
use super::{Engine, message};
use crate::clock::Moment;
use crate::license::system_folder::SUFFIX;
use crate::license::{LoadError, LoadOptions, Present, Showing, read_file};
use crate::sentence::with_causes;
use crate::session::State;

impl Engine {
    /// Loads what the administrator has put into the license folder, and takes out of use what they have
    /// taken away. In monitoring mode that needs no hand (rule 13); a worklog license is loaded by its
    /// employee alone, who is told of it. Returns what needs somebody, in sentences.
    pub(super) fn adopt_system_licenses(&mut self, now: Moment) -> Vec<String> {
        let folder = &self.config.license_dir;
        let mut names: Vec<_> = match std::fs::read_dir(folder) {
            Ok(entries) => entries
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter_map(|name| name.strip_suffix(SUFFIX).map(str::to_owned))
                .filter(|name| !name.starts_with('.'))
                .collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            // Nothing is concluded from what cannot be seen: what is in use stays in use.
            Err(error) => {
                return vec![format!(
                    "The administrator's licenses in {} cannot be read: {error}.",
                    folder.display()
                )];
            }
        };
        let user = self.platform.identity().os_user;
        if names.contains(&user) {
            names = vec![user];
        } else {
            names.retain(|name| !self.is_somebody_elses(name));
        }
        names.sort();
        let files: Vec<_> = names.iter().map(|name| self.system_file(name)).collect();
        let present: Vec<_> = files
            .iter()
            .map(|(file, read)| Present {
                file: file.clone(),
                company: read
                    .as_ref()
                    .ok()
                    .map(|(_, signed)| signed.claims().issuer.company_id),
            })
            .collect();
        let mut problems = Vec::new();
        if let Err(error) = self.store.retire_missing(&present) {
            problems.push(with_causes(&error));
        }
        for (file, read) in files {
            let adopted = read.and_then(|(bytes, signed)| self.adopt(&file, &bytes, signed, now));
            problems.extend(adopted.err());
        }
        problems
    }

    fn system_file(&self, name: &str) -> (String, Result<(Vec<u8>, SignedLicense), String>) {
        let file = format!("{name}{SUFFIX}");
        let path = self.config.license_dir.join(&file);
        let read = read_file(&path)
            .and_then(|bytes| match read(&bytes) {
                Ok(signed) => Ok((bytes, signed)),
                Err(source) => Err(LoadError::Read { path, source }),
            })
            .map_err(|error| with_causes(&error));
        (file, read)
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

    fn adopt(
        &self,
        file: &str,
        bytes: &[u8],
        signed: SignedLicense,
        now: Moment,
    ) -> Result<(), String> {
        let path = self.config.license_dir.join(file);
        let (id, mode) = (signed.claims().license_id, signed.claims().work_mode);
        if mode == WorkMode::Worklog {
            if self.store.has(id) {
                return Ok(());
            }
            return Err(self.config.words.say(Message::LicenseWaits {
                company: Outside(&signed.claims().issuer.company),
                file: Outside(&path.display().to_string()),
            }));
        }
        let failed =
            |error: &dyn std::error::Error| format!("{}: {}", path.display(), with_causes(error));
        if !self.store.has(id) {
            let options = LoadOptions {
                trust_new_key: false,
                allow_plain_http: &self.config.allow_plain_http,
                even_expired: false,
                now: self.latest(signed.claims().issuer.company_id, now),
            };
            let loaded = self.load_and_tell(bytes, signed, &options);
            loaded.map_err(|error| failed(&error))?;
        }
        let noted = self.store.note_adopted(id, file);
        noted.map_err(|error| failed(&error))
    }

    /// In monitoring mode the notice is shown when a license is first put to work, and again until the
    /// desktop has taken it; in worklog mode it was acknowledged when the license was loaded.
    pub(super) fn show_notice_once(&self, license: &License) {
        let id = license.claims().license_id;
        if !self.notices.was_shown(id) {
            let message = notice_message(license, self.config.words);
            self.desktop.show_notice(id, message);
        }
    }

    /// Remembers the notices that the desktop has shown.
    pub(super) fn take_shown_notices(&mut self) {
        for (license, by) in self.desktop.shown_notices() {
            let showing = Showing {
                by,
                language: self.config.words.language(),
            };
            if let Err(error) = self.notices.set(license, NoticeKind::Shown, showing) {
                tracing::error!(%error, "the notices file cannot be written");
            }
        }
    }

    /// Tells the employee when tracking begins and when it ends.
    pub(super) fn announce(&self, tracking: &Tracking, event: &SessionEvent, now: Moment) {
        if event.event == SessionEventKind::Started {
            self.tell_who_else_watches(tracking);
        }
        let name = &tracking.license().claims().issuer.company;
        let company = Outside(name);
        let said = match (event.event, event.cause) {
            (SessionEventKind::Started, Cause::User) => {
                let projects = self.projects(tracking.company());
                let known = projects
                    .iter()
                    .find(|p| Some(p.project_id) == event.project_id);
                match known {
                    Some(project) => {
                        let project = Outside(&project.name);
                        self.tell_of(name, Message::ToldTrackingProject { project });
                    }
                    None => self.tell_of(name, Message::ToldTracking {}),
                }
                return;
            }
            (SessionEventKind::Stopped, Cause::User) => {
                if matches!(tracking.machine.state(), State::OnPause { .. }) {
                    Message::ToldPaused {}
                } else {
                    let counts = |id| self.accounts.company_of(id) == Some(tracking.company());
                    let done = self.done_today(counts, now).sums();
                    let time = self
                        .config
                        .words
                        .short_duration(done.tracked_ms.unsigned_abs());
                    Message::ToldStoppedByYou { time }
                }
            }
            (SessionEventKind::Started, Cause::Login) => Message::ToldMonitoring { company },
            (
                SessionEventKind::Started,
                Cause::License | Cause::Lock | Cause::UserSwitch | Cause::Shutdown,
            ) => Message::ToldGoesOn {},
            (SessionEventKind::Started, Cause::Sleep | Cause::Schedule) => {
                Message::ToldMonitoringGoesOn { company }
            }
            // A license that takes the place of another begins at once and needs no word.
            (SessionEventKind::Stopped, Cause::License) => match tracking.machine.state() {
                State::Blocked { block, .. } => Message::ToldStopped {
                    reason: Outside(&block.message),
                },
                _ => return,
            },
            (SessionEventKind::Stopped, Cause::Sleep) => Message::ToldAsleep {},
            (SessionEventKind::Stopped, Cause::Schedule) => Message::ToldHoursOver {},
            _ => return,
        };
        self.tell_of(name, said);
    }

    /// Tells something of the tracking at hand, which is not among the others.
    fn tell_of(&self, company: &str, said: Message<'_>) {
        let title = if self.trackings.is_empty() {
            "Glasshour".to_owned()
        } else {
            // More than the one at hand: the person must know which this is about.
            format!("Glasshour: {company}")
        };
        let text = self.config.words.say(said);
        self.desktop.notify(message(title, text));
    }

    /// Tells somebody who works for one employer that another one monitors meanwhile, when either of
    /// the two begins. The tracking at hand is not among the others.
    fn tell_who_else_watches(&self, begun: &Tracking) {
        let runs = |other: &&Tracking| {
            other.is_monitoring() != begun.is_monitoring() && other.machine.running().is_some()
        };
        let Some(other) = self.trackings.values().find(runs) else {
            return;
        };
        let (monitor, work) = if begun.is_monitoring() {
            (begun, other)
        } else {
            (other, begun)
        };
        let company = |tracking: &Tracking| tracking.license().claims().issuer.company.clone();
        let text = self.config.words.say(Message::ToldMonitoredBeside {
            monitors: Outside(&company(monitor)),
            works_for: Outside(&company(work)),
        });
        self.desktop.notify(message("Glasshour", text));
    }
}
