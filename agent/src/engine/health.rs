//! What the agent leans on beside its channels: display, tray, messages, system, spool, server, clock, license;
//! each with whether it is well, and what to do where it is not. The same for `status`, `doctor` and the server.

use glasshour_license_format::WorkMode;
use glasshour_protocol::CompanyId;
use glasshour_protocol::payload::PartHealth;
use glasshour_uploader::send::SendStatus;

use super::Engine;
use super::tracking::Tracking;
use crate::clock::Moment;
use crate::status::SpoolStatus;

/// A clock that is off by more than this is wrong, and not merely imprecise.
const CLOCK_MS: i64 = 30_000;

fn part(part: &str, ok: Option<bool>, message: impl Into<String>) -> PartHealth {
    PartHealth {
        part: part.to_owned(),
        ok,
        message: message.into(),
        remedy: None,
    }
}

fn remedied(one: PartHealth, remedy: impl Into<String>) -> PartHealth {
    PartHealth {
        remedy: Some(remedy.into()),
        ..one
    }
}

impl Engine {
    /// Of the computer, whoever the employer is.
    pub(super) fn desktop_health(&self) -> Vec<PartHealth> {
        let mut trouble = self
            .trackings
            .values()
            .filter_map(Tracking::display_trouble);
        let display = match trouble.next() {
            None => part("display", Some(true), self.platform.describe()),
            Some(why) => remedied(
                part("display", Some(false), self.platform.describe()),
                why.clone(),
            ),
        };
        let tray = match self.desktop.tray() {
            None => part("tray", None, "not tried yet"),
            Some(Ok(())) => part("tray", Some(true), "the icon is shown"),
            Some(Err(why)) => {
                let seen = self.desktop.is_in_sight();
                let told = if seen {
                    "no icon; an indicator or a message stands in"
                } else {
                    "nothing of the agent can be seen, so nothing is captured"
                };
                // Where something stands in, nothing is wrong: many desktops have no tray.
                remedied(
                    part("tray", if seen { None } else { Some(false) }, told),
                    why,
                )
            }
        };
        let messages = match self.desktop.messages() {
            None => part("messages", None, "none was shown yet"),
            Some(Ok(())) => part("messages", Some(true), "shown by the desktop"),
            Some(Err(why)) => remedied(
                part("messages", Some(false), "the last one could not be shown"),
                why,
            ),
        };
        let system = match self.system.how() {
            Ok(by) => part("system", Some(true), by),
            Err(why) => part("system", None, why),
        };
        vec![display, tray, messages, system]
    }

    /// Of one employer's spool, server, clock and license.
    pub(super) fn employer_health(
        &self,
        company: CompanyId,
        (spool, sent): (SpoolStatus, &SendStatus),
        now: Moment,
    ) -> Vec<PartHealth> {
        vec![
            self.spool_health(company, spool),
            server_health(sent),
            self.clock_health(company),
            self.license_health(company, sent, now),
        ]
    }

    fn spool_health(&self, company: CompanyId, spool: SpoolStatus) -> PartHealth {
        // No counts: they would make news of every record.
        match self.spool_trouble.get(&company) {
            Some(why) => remedied(
                part("spool", Some(false), why.clone()),
                "Free some space on this computer's disk, or ask your administrator to.",
            ),
            None if spool.quarantined > 0 => remedied(
                part(
                    "spool",
                    Some(false),
                    "the server refuses some records for good",
                ),
                "See `glasshour doctor`, and tell your administrator.",
            ),
            None => part(
                "spool",
                Some(true),
                "captures are kept until they are delivered",
            ),
        }
    }

    fn clock_health(&self, company: CompanyId) -> PartHealth {
        let account = self.accounts.get(company);
        let Some(off) = account.and_then(|account| account.asker.clock_offset_ms()) else {
            return part("clock", None, "not compared yet");
        };
        if off.abs() <= CLOCK_MS {
            return part("clock", Some(true), "agrees with the server's");
        }
        // To the minute: to the second it would be news all the time.
        let minutes = off.unsigned_abs().div_ceil(60_000);
        let way = if off > 0 { "behind" } else { "ahead of" };
        remedied(
            part(
                "clock",
                Some(false),
                format!("this computer's clock is {minutes} m {way} the server's"),
            ),
            "Set the clock right, or switch on setting it by the network.",
        )
    }

    fn license_health(&self, company: CompanyId, sent: &SendStatus, now: Moment) -> PartHealth {
        if let Some((_, why)) = self.out_of_order.get(&company) {
            return remedied(part("license", Some(false), "not at work"), why.clone());
        }
        let Some(tracking) = self.trackings.get(&company) else {
            return part(
                "license",
                None,
                "out of use; what was captured is still delivered",
            );
        };
        let claims = tracking.license().claims();
        if !claims.is_current(self.latest(company, now)) {
            return remedied(
                part("license", Some(false), "not valid at this time"),
                "Ask your employer for a license that is.",
            );
        }
        if let Some(blocked) = &sent.blocked {
            return remedied(
                part("license", Some(false), "the server registers nothing"),
                blocked.message.clone(),
            );
        }
        if self.waiting.contains_key(&company) {
            return remedied(
                part(
                    "license",
                    Some(true),
                    format!("serial {}; a newer one waits", claims.serial),
                ),
                if claims.work_mode == WorkMode::Monitoring {
                    "Read it with `glasshour license show`. It holds once its notice was shown."
                } else {
                    "Read it with `glasshour license show`, agree with `glasshour license agree`."
                },
            );
        }
        part("license", Some(true), format!("serial {}", claims.serial))
    }
}

fn server_health(sent: &SendStatus) -> PartHealth {
    match (&sent.trouble, sent.last_ok_ms) {
        (Some(why), _) => remedied(
            part("server", Some(false), why.clone()),
            "Nothing is lost: it is tried again by itself. If it stays so, ask your administrator.",
        ),
        (None, Some(_)) => part("server", Some(true), "reached"),
        (None, None) => part("server", None, "not tried yet"),
    }
}
