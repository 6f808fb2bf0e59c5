//! "Open my day": the server is asked for a link with the device's key, beside the loop, since a network may
//! take its time.

use std::path::Path;
use std::time::Duration;

use glasshour_protocol::CompanyId;
use glasshour_uploader::send::Asker;
use glasshour_words::{Message as Say, Outside, Words};
use tokio::sync::oneshot;

use super::tracking::Tracking;
use super::{Engine, choice, message, no_license};
use crate::ipc::{Answer, RefusedBy};
use crate::platform;

/// How long a person waits for a page to open.
const PATIENCE: Duration = Duration::from_secs(8);

impl Engine {
    /// For the command line, which opens the link itself.
    pub(super) fn answer_day_link(
        &mut self,
        employer: Option<&str>,
        reply: oneshot::Sender<Answer>,
    ) {
        let asker = match self.asker_of(employer) {
            Ok(asker) => asker,
            Err(refusal) => {
                // A client that has gone away needs no answer.
                let _ = reply.send(refusal);
                return;
            }
        };
        let words = self.config.words;
        self.ask_beside(async move {
            let answer = match link(&asker, words).await {
                Ok(url) => Answer::Link { url },
                Err(message) => Answer::Refused {
                    reason: RefusedBy::State,
                    message,
                },
            };
            let _ = reply.send(answer);
        });
    }

    /// For the tray.
    pub(super) fn open_day(&mut self, company: CompanyId) {
        let Some(account) = self.accounts.get(company) else {
            return;
        };
        let (asker, words) = (account.asker.clone(), self.config.words);
        let tell = self.desktop.messenger();
        self.ask_beside(async move {
            let opened = link(&asker, words).await.and_then(|url| {
                platform::open_file(Path::new(&url)).map_err(|error| {
                    let reason = format!("No browser could be started: {error}.");
                    words.say(Say::DayNotOpen {
                        reason: Outside(&reason),
                    })
                })
            });
            if let Err(why) = opened {
                tell(message("Glasshour", why));
            }
        });
    }

    fn ask_beside(&mut self, asking: impl Future<Output = ()> + Send + 'static) {
        // Those that have ended are let go.
        while self.asking.try_join_next().is_some() {}
        self.asking.spawn(asking);
    }

    fn asker_of(&self, employer: Option<&str>) -> Result<Asker, Answer> {
        let company = match employer {
            Some(name) => {
                let employers = self.employers();
                let found = choice::find_employer(&employers, name, self.config.words);
                let employer = found.map_err(|no| Answer::Refused {
                    reason: no.reason,
                    message: no.message,
                })?;
                Some(employer.company)
            }
            None => self
                .worklog()
                .or_else(|| self.monitored_by().map(Tracking::company))
                .or_else(|| self.foremost()),
        };
        let account = company.and_then(|company| self.accounts.get(company));
        let account = account.ok_or_else(|| Answer::Refused {
            reason: RefusedBy::NoLicense,
            message: no_license(self.config.words, &self.license_problems),
        })?;
        Ok(account.asker.clone())
    }
}

async fn link(asker: &Asker, words: Words) -> Result<String, String> {
    let asked = tokio::time::timeout(PATIENCE, asker.day_link()).await;
    let answer = asked.unwrap_or_else(|_| Err("The server did not answer in time.".into()));
    answer.map_err(|why| {
        words.say(Say::DayNotOpen {
            reason: Outside(&why),
        })
    })
}
