//! Captures that wait on this computer, while the agent runs: what is asked is answered by
//! [`Desk`], from the spools that the agent has open.

use glasshour_license_format::License;
use glasshour_protocol::Kind;
use glasshour_words::Message;
use jiff::tz::TimeZone;

use super::{Engine, message};
use crate::clock::Moment;
use crate::held::words::Telling;
use crate::held::{Desk, HeldAnswer, HeldRequest, Source};
use crate::ipc::Answer;

/// Captures that the tray's message lists; the newest.
const MOST_LISTED: usize = 5;

impl Engine {
    pub(super) async fn held(&mut self, request: HeldRequest) -> Answer {
        let deletes = matches!(request, HeldRequest::Delete { .. });
        let answer = self.desk().answer(request).await;
        if let Answer::Held(HeldAnswer::Consequence(done)) = &answer
            && deletes
            && done.captures.iter().any(|one| one.kind == Kind::Screenshot)
        {
            // A picture that is gone cannot stand in for the next one that equals it.
            for tracking in self.trackings.values_mut() {
                tracking.picture_was_lost();
            }
        }
        if deletes && matches!(answer, Answer::Held(_)) {
            self.captures_were_deleted().await;
        }
        answer
    }

    /// What waits, as a message: for whoever asks in the tray.
    pub(super) async fn show_held(&mut self) {
        let now_ms = self.clock.now().wall_ms;
        let Answer::Held(HeldAnswer::List { captures }) = self.held(HeldRequest::List).await else {
            return;
        };
        let words = self.config.words;
        let telling = Telling::new(words, now_ms, TimeZone::system());
        let mut lines: Vec<String> = captures
            .iter()
            .rev()
            .take(MOST_LISTED)
            .map(|one| telling.short_line(one))
            .collect();
        if captures.len() > MOST_LISTED {
            let more = captures.len() - MOST_LISTED;
            let count = u32::try_from(more).unwrap_or(u32::MAX);
            lines.push(words.say(Message::HeldMore { count }));
        }
        lines.push(words.say(if captures.is_empty() {
            Message::HeldNothing {}
        } else {
            Message::HeldHow {}
        }));
        let title = words.say(Message::HeldTitle {});
        self.desktop.notify(message(title, lines.join("\n")));
    }

    pub(super) fn desk(&self) -> Desk {
        let source = |account: &super::accounts::Account| Source {
            spool: account.spool.clone(),
            projects: self.projects(account.company()),
        };
        let now = self.clock.now();
        Desk {
            sources: self.accounts.iter().map(source).collect(),
            licenses: self.accounts.book(),
            journal: self.journal.clone(),
            now_ms: now.wall_ms,
            holds_ms: self.holds.readings().at(now),
        }
    }

    /// Until when a capture waits on this computer (license: `review_hold_s`), by the clock of the holds.
    pub(super) fn hold_until(&self, license: &License, captured: Moment) -> i64 {
        match i64::from(license.profile().review_hold_s) {
            0 => 0,
            seconds => {
                let begins = self.holds.readings().at(captured);
                begins.saturating_add(seconds * 1000)
            }
        }
    }
}
