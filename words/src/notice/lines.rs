//! The answers, topic by topic: which sentences a license's settings make. The sentences themselves
//! stand in `assets/words/<language>/notice.ftl`.

use glasshour_license_format::{ActivitySettings, Blur, Monitors, ScreenshotSettings, WorkMode};

use super::NoticeInput;
use crate::catalogue::Words;
use crate::message::{Key, Message, Outside};
use crate::plain::plain;

impl NoticeInput<'_> {
    pub(super) fn captured(&self, words: Words) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(shots) = &self.profile.screenshots {
            lines.push(screens(shots, words));
        }
        if let Some(camera) = &self.profile.camera {
            let rate = words.rate(camera.per_hour);
            lines.push(words.say(Message::CapturedCamera { rate }));
        }
        let activity = self.activity();
        if activity.input_counts {
            lines.push(words.say(Message::CapturedInput {}));
        }
        match (activity.applications, activity.window_titles) {
            (true, true) => lines.push(words.say(Message::CapturedApplicationsAndTitles {})),
            (true, false) => lines.push(words.say(Message::CapturedApplications {})),
            (false, true) => lines.push(words.say(Message::CapturedTitles {})),
            (false, false) => {}
        }
        if lines.is_empty() {
            lines.push(words.say(Message::CapturedNothing {}));
        }
        lines
    }

    pub(super) fn when(&self, words: Words) -> Vec<String> {
        let mut lines = vec![words.say(match self.work_mode {
            WorkMode::Worklog => Message::WhenWorklog {},
            WorkMode::Monitoring => Message::WhenMonitoring {},
        })];
        if let Some(schedule) = &self.profile.schedule {
            lines.push(words.hours(schedule));
        }
        let dates = (
            self.not_before.map(|from| words.moment(from)),
            self.expires_at.map(|to| words.moment(to)),
        );
        match dates {
            (None, None) => {}
            (Some(from), None) => lines.push(words.say(Message::WhenFrom { from })),
            (None, Some(to)) => lines.push(words.say(Message::WhenUntil { to })),
            (Some(from), Some(to)) => lines.push(words.say(Message::WhenBetween { from, to })),
        }
        lines
    }

    pub(super) fn never(&self, words: Words) -> Vec<String> {
        let activity = self.activity();
        let shots = self.profile.screenshots.as_ref();
        let passwords = if shots.is_some_and(|shots| shots.blur == Blur::None) {
            Message::NeverPasswordsTyped {}
        } else {
            Message::NeverPasswords {}
        };
        let applications = activity.applications || activity.window_titles;
        [
            (true, Message::NeverTyped {}),
            (true, passwords),
            (true, Message::NeverClipboard {}),
            (true, Message::NeverSound {}),
            (shots.is_none(), Message::NeverScreen {}),
            (self.profile.camera.is_none(), Message::NeverCamera {}),
            (!activity.input_counts, Message::NeverInput {}),
            (!applications, Message::NeverApplications {}),
            (!activity.window_titles, Message::NeverTitles {}),
        ]
        .into_iter()
        .filter_map(|(is, line)| is.then(|| words.say(line)))
        .collect()
    }

    pub(super) fn left_out(&self, words: Words) -> Vec<String> {
        let exclude = &self.profile.exclude;
        let activity = self.activity();
        let from = Key(
            match (
                self.profile.screenshots.is_some(),
                activity.applications || activity.window_titles,
            ) {
                (true, true) => "both",
                (true, false) => "pictures",
                (false, true) => "list",
                (false, false) => return Vec::new(),
            },
        );
        let mut lines = Vec::new();
        if !exclude.applications.is_empty() {
            let names = words.names(&exclude.applications);
            lines.push(words.say(Message::LeftOutApplications { names, from }));
        }
        if !exclude.title_contains.is_empty() {
            let parts = words.any_of_quoted(&exclude.title_contains);
            lines.push(words.say(Message::LeftOutTitles { parts, from }));
        }
        lines
    }

    pub(super) fn always(&self, words: Words) -> Vec<String> {
        let idle = words.duration(self.profile.idle_after_s);
        vec![
            words.say(Message::AlwaysSessions { idle }),
            words.say(Message::AlwaysAgent {}),
        ]
    }

    pub(super) fn goes_where(&self, words: Words) -> Vec<String> {
        vec![
            words.say(Message::WhereServer {
                company: Outside(self.company),
                url: Outside(self.server_url),
            }),
            words.say(match self.profile.review_hold_s {
                0 => Message::WhereAtOnce {},
                seconds => Message::WhereHeld {
                    time: words.duration(seconds),
                },
            }),
            words.say(if self.profile.employee_may_delete {
                Message::WhereMayDelete {}
            } else {
                Message::WhereMayNotDelete {}
            }),
        ]
    }

    /// What the license does not say is not made up: then it is the employer who is asked.
    pub(super) fn kept(&self, words: Words) -> Vec<String> {
        let days = self.retention.cloned().unwrap_or_default();
        let time = |count| words.part(Message::Days { count });
        let kinds = [
            (
                self.profile.screenshots.is_some(),
                days.screenshot
                    .map(|d| Message::KeptScreenshots { time: time(d) }),
            ),
            (
                self.profile.camera.is_some(),
                days.camera.map(|d| Message::KeptCamera { time: time(d) }),
            ),
            (
                self.activity() != ActivitySettings::default(),
                days.activity
                    .map(|d| Message::KeptActivity { time: time(d) }),
            ),
            (
                true,
                days.session
                    .map(|d| Message::KeptSessions { time: time(d) }),
            ),
        ];
        let captured = kinds.into_iter().filter(|(is, _)| *is);
        let (said, unsaid): (Vec<_>, Vec<_>) = captured.partition(|(_, said)| said.is_some());
        let mut lines: Vec<_> = said
            .into_iter()
            .filter_map(|(_, line)| Some(words.say(line?)))
            .collect();
        let who = Outside(self.contact().unwrap_or(self.company));
        if lines.is_empty() {
            lines.push(words.say(Message::KeptOpen { who }));
        } else if !unsaid.is_empty() {
            lines.push(words.say(Message::KeptRest { who }));
        }
        lines
    }

    pub(super) fn employer(&self) -> Vec<String> {
        let extra = self.extra.map(plain).filter(|text| !text.is_empty());
        extra.into_iter().collect()
    }

    pub(super) fn ask(&self, words: Words) -> Vec<String> {
        let company = Outside(self.company);
        vec![words.say(match self.contact() {
            Some(contact) => Message::AskContact {
                company,
                contact: Outside(contact),
            },
            None => Message::AskCompany { company },
        })]
    }

    fn contact(&self) -> Option<&str> {
        self.privacy_contact
            .filter(|contact| !plain(contact).is_empty())
    }

    fn activity(&self) -> ActivitySettings {
        self.profile.activity.clone().unwrap_or_default()
    }
}

fn screens(shots: &ScreenshotSettings, words: Words) -> String {
    let mut sentences = vec![words.say(Message::CapturedScreens {
        monitors: Key(match shots.monitors {
            Monitors::All => "all",
            Monitors::Active => "active",
        }),
        rate: words.rate(shots.per_hour),
        moments: Key(if shots.random_moment {
            "random"
        } else {
            "even"
        }),
    })];
    match shots.blur {
        Blur::None => {}
        Blur::Light => sentences.push(words.say(Message::CapturedBlurLight {})),
        Blur::Strong => sentences.push(words.say(Message::CapturedBlurStrong {})),
    }
    if let Some(pixels) = shots.max_width_px {
        sentences.push(words.say(Message::CapturedWidth { pixels }));
    }
    if shots.skip_unchanged {
        sentences.push(words.say(Message::CapturedUnchanged {}));
    }
    sentences.join(" ")
}
