//! The license in plain words: what the employee is told will be captured, how often, when, where it
//! goes, and what never is.
//!
//! One pure function for everybody who shows it: the agent before it tracks, the console while an
//! employee or a profile is edited. It promises exactly what the profile permits: a channel that is
//! absent appears under "never", and nowhere else. Text that comes from outside is stripped of
//! control characters, so it can be printed on a terminal. English for now.

mod words;

use std::fmt::Write as _;

use jiff::Timestamp;

use self::words::{duration, hours, list, moment, plain, times_an_hour};
use crate::claims::{Blur, Claims, Monitors, Profile, WorkMode};

/// What a notice is made from: a license, or a profile and a mode that will become one.
#[derive(Clone, Debug)]
pub struct NoticeInput<'a> {
    /// The employer's name.
    pub company: &'a str,
    /// The employee's name; empty where it is not known yet.
    pub employee: &'a str,
    /// Who starts and stops.
    pub work_mode: WorkMode,
    /// What is captured.
    pub profile: &'a Profile,
    /// Where captures go.
    pub server_url: &'a str,
    /// Whom to ask about personal data.
    pub privacy_contact: Option<&'a str>,
    /// What the employer adds, in their own words.
    pub extra: Option<&'a str>,
    /// The license holds from this moment on.
    pub not_before: Option<Timestamp>,
    /// The license ends at this moment.
    pub expires_at: Option<Timestamp>,
}

/// A license in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One sentence: who captures whose work.
    pub title: String,
    /// In the order in which they are read; none is empty.
    pub sections: Vec<Section>,
}

/// One question and its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The question.
    pub topic: Topic,
    /// Whole sentences.
    pub lines: Vec<String>,
}

/// The questions that a notice answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What the license's channels capture, and how often.
    Captured,
    /// What belongs to tracking itself, whatever the profile.
    Always,
    /// Who starts and stops, on which days, until when.
    When,
    /// What is left out or made unreadable.
    LeftOut,
    /// Where it goes, and what the employee can do about it.
    Where,
    /// What is never captured.
    Never,
    /// What the employer adds.
    Employer,
    /// Whom to ask.
    Ask,
}

impl Topic {
    /// The heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Captured => "What is captured",
            Self::Always => "What tracking itself records",
            Self::When => "When",
            Self::LeftOut => "What is left out",
            Self::Where => "Where it goes",
            Self::Never => "Never captured",
            Self::Employer => "From your employer",
            Self::Ask => "Whom to ask",
        }
    }
}

/// Puts a license into plain words.
pub fn notice(claims: &Claims) -> Notice {
    let mut notice = NoticeInput {
        company: &claims.issuer.company,
        employee: &claims.employee.name,
        work_mode: claims.work_mode,
        profile: &claims.profile,
        server_url: &claims.issuer.server_url,
        privacy_contact: claims.issuer.privacy_contact.as_deref(),
        extra: claims.notice.as_deref(),
        not_before: claims.not_before,
        expires_at: claims.expires_at,
    }
    .notice();
    let unknown: Vec<&str> = claims
        .unknown
        .keys()
        .chain(claims.profile.unknown.keys())
        .map(String::as_str)
        .collect();
    if !unknown.is_empty()
        && let Some(never) = notice.sections.iter_mut().find(|s| s.topic == Topic::Never)
    {
        never.lines.push(format!(
            "Anything under {}: the license names it, this version does not know it and does not \
             obey it.",
            list(&unknown, "and")
        ));
    }
    notice
}

impl NoticeInput<'_> {
    /// Puts the input into plain words.
    pub fn notice(&self) -> Notice {
        let sections = [
            (Topic::Captured, self.captured()),
            (Topic::When, self.when()),
            (Topic::Never, self.never()),
            (Topic::LeftOut, self.left_out()),
            (Topic::Always, self.always()),
            (Topic::Where, self.goes_where()),
            (
                Topic::Employer,
                self.extra
                    .map(plain)
                    .filter(|t| !t.is_empty())
                    .into_iter()
                    .collect(),
            ),
            (Topic::Ask, self.ask()),
        ];
        let company = plain(self.company);
        let employee = plain(self.employee);
        Notice {
            title: if employee.is_empty() {
                format!("What {company} captures")
            } else {
                format!("What {company} captures of the work of {employee}")
            },
            sections: sections
                .into_iter()
                .filter(|(_, lines)| !lines.is_empty())
                .map(|(topic, lines)| Section { topic, lines })
                .collect(),
        }
    }

    fn captured(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(shots) = &self.profile.screenshots {
            let what = match shots.monitors {
                Monitors::All => "A picture of each monitor",
                Monitors::Active => "A picture of the monitor you are working on",
            };
            let moment = if shots.random_moment {
                "at random moments"
            } else {
                "at even intervals"
            };
            let mut line = format!(
                "{what}, at most {}, {moment}.",
                times_an_hour(shots.per_hour)
            );
            line.push_str(match shots.blur {
                Blur::None => "",
                Blur::Light => " Each is blurred before it is stored: text cannot be read.",
                Blur::Strong => {
                    " Each is strongly blurred before it is stored: only large shapes remain."
                }
            });
            if let Some(width) = shots.max_width_px {
                let _ = write!(line, " Pictures wider than {width} pixels are scaled down.");
            }
            if shots.skip_unchanged {
                line.push_str(" A screen that has not changed is noted, not stored again.");
            }
            lines.push(line);
        }
        if let Some(camera) = &self.profile.camera {
            lines.push(format!(
                "A picture from the camera, at most {}.",
                times_an_hour(camera.per_hour)
            ));
        }
        let activity = self.activity();
        if activity.input_counts {
            lines.push(
                "How often keys, mouse buttons, the wheel and the pointer were used, minute by \
                 minute. Numbers only: which keys, and where you pointed, is not recorded."
                    .into(),
            );
        }
        match (activity.applications, activity.window_titles) {
            (true, true) => lines.push(
                "The names of the applications you use, the titles of their windows, and for how \
                 long. A title can tell the document, the page or the message you have open."
                    .into(),
            ),
            (true, false) => {
                lines.push("The names of the applications you use, and for how long.".into());
            }
            (false, true) => lines.push(
                "The titles of the windows you use, and for how long. A title can tell the \
                 document, the page or the message you have open."
                    .into(),
            ),
            (false, false) => {}
        }
        if lines.is_empty() {
            lines.push("Nothing but the time you work.".into());
        }
        lines
    }

    fn always(&self) -> Vec<String> {
        vec![
            format!(
                "When your work sessions begin and end, why they end, their project, the notes you \
                 write, and when you are idle: after {} without input.",
                duration(self.profile.idle_after_s)
            ),
            "The state of the agent: its version, the computer's name, your login name there, the \
             operating system, and whether each capture works."
                .into(),
        ]
    }

    fn when(&self) -> Vec<String> {
        let mut lines = vec![match self.work_mode {
            WorkMode::Worklog => {
                "Only between your Start and your Stop. Nobody but you starts tracking.".to_owned()
            }
            WorkMode::Monitoring => {
                "Whenever the computer is on and you are logged in. You cannot \
                 stop it; an indicator shows while anything is captured."
                    .to_owned()
            }
        }];
        if let Some(schedule) = &self.profile.schedule {
            lines.push(hours(schedule));
        }
        match (self.not_before, self.expires_at) {
            (None, None) => {}
            (Some(from), None) => lines.push(format!("From {} on.", moment(from))),
            (None, Some(to)) => lines.push(format!("Until {}.", moment(to))),
            (Some(from), Some(to)) => {
                lines.push(format!("From {} until {}.", moment(from), moment(to)));
            }
        }
        lines
    }

    fn left_out(&self) -> Vec<String> {
        let exclude = &self.profile.exclude;
        let activity = self.activity();
        let mut lines = Vec::new();
        let done = match (
            self.profile.screenshots.is_some(),
            activity.applications || activity.window_titles,
        ) {
            (true, true) => "are painted over in pictures and left out of the list of applications",
            (true, false) => "are painted over in pictures",
            (false, true) => "are left out of the list of applications",
            (false, false) => return lines,
        };
        if !exclude.applications.is_empty() {
            lines.push(format!(
                "Windows of {} {done}.",
                list(&exclude.applications, "and")
            ));
        }
        if !exclude.title_contains.is_empty() {
            let parts: Vec<_> = exclude
                .title_contains
                .iter()
                .map(|part| format!("“{}”", plain(part)))
                .collect();
            lines.push(format!(
                "Windows with {} in their title {done}.",
                list(&parts, "or")
            ));
        }
        lines
    }

    fn goes_where(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "To the server of {} at {}, and to nobody else.",
            plain(self.company),
            plain(self.server_url)
        )];
        lines.push(if self.profile.review_hold_s == 0 {
            "It is sent as soon as the server can be reached. Until then it waits on your computer."
                .into()
        } else {
            format!(
                "It stays on your computer for {} before it is sent.",
                duration(self.profile.review_hold_s)
            )
        });
        lines.push(if self.profile.employee_may_delete {
            "You may delete what was captured of you.".into()
        } else {
            "You cannot delete what was captured of you by yourself.".into()
        });
        lines
    }

    fn never(&self) -> Vec<String> {
        let activity = self.activity();
        let readable = self
            .profile
            .screenshots
            .as_ref()
            .is_some_and(|s| s.blur == Blur::None);
        let mut lines = vec![
            "What you type: no key is ever recorded.".to_owned(),
            if readable {
                "Passwords as you type them. What stands readable on the screen is in its picture."
                    .to_owned()
            } else {
                "Passwords.".to_owned()
            },
            "The clipboard.".to_owned(),
            "Sound: the microphone is never used.".to_owned(),
        ];
        let absent = [
            (
                self.profile.screenshots.is_none(),
                "Your screen: no pictures are taken.",
            ),
            (
                self.profile.camera.is_none(),
                "The camera: it is never opened.",
            ),
            (!activity.input_counts, "How much you type or click."),
            (
                !activity.applications && !activity.window_titles,
                "Which applications you use.",
            ),
            (!activity.window_titles, "The titles of your windows."),
        ];
        lines.extend(
            absent
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, line)| line.to_owned()),
        );
        lines
    }

    fn ask(&self) -> Vec<String> {
        let company = plain(self.company);
        vec![match self
            .privacy_contact
            .map(plain)
            .filter(|contact| !contact.is_empty())
        {
            Some(contact) => format!("Ask {company} about your data: {contact}."),
            None => format!("Ask {company}, your employer, about your data."),
        }]
    }

    fn activity(&self) -> crate::claims::ActivitySettings {
        self.profile.activity.clone().unwrap_or_default()
    }
}

impl Notice {
    /// The notice as plain text: the title, then each heading with its lines below it.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for section in &self.sections {
            let _ = write!(text, "\n{}\n", section.topic.heading());
            for line in &section.lines {
                let _ = writeln!(text, "  - {line}");
            }
        }
        text
    }

    /// The lines of one topic; none where the notice does not have it.
    pub fn lines(&self, topic: Topic) -> &[String] {
        self.sections
            .iter()
            .find(|s| s.topic == topic)
            .map_or(&[], |s| s.lines.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{ActivitySettings, CameraSettings, Day, ScreenshotSettings};

    fn profile(json: serde_json::Value) -> Profile {
        let mut json = json;
        json["name"] = "Standard".into();
        serde_json::from_value(json).unwrap()
    }

    fn of(profile: &Profile, work_mode: WorkMode) -> Notice {
        NoticeInput {
            company: "Acme",
            employee: "Jo Doe",
            work_mode,
            profile,
            server_url: "https://time.acme.example",
            privacy_contact: None,
            extra: None,
            not_before: None,
            expires_at: None,
        }
        .notice()
    }

    fn full() -> Profile {
        profile(serde_json::json!({
            "screenshots": {"per_hour": 6, "random_moment": true, "monitors": "all", "blur": "none",
                "max_width_px": 1920, "skip_unchanged": true},
            "camera": {"per_hour": 1},
            "activity": {"input_counts": true, "applications": true, "window_titles": true},
            "idle_after_s": 300,
            "schedule": {"time_zone": "Europe/Paris", "days": ["mon","tue","wed","thu","fri"],
                "from": "08:00", "to": "19:00"},
            "exclude": {"applications": ["KeePassXC"], "title_contains": ["Private Browsing"]},
            "review_hold_s": 0,
            "employee_may_delete": true
        }))
    }

    #[test]
    fn p07_every_setting_changes_the_text() {
        let base = full();
        let text = |p: &Profile| of(p, WorkMode::Worklog).to_text();
        let mut shots = ScreenshotSettings {
            max_width_px: Some(1920),
            ..Default::default()
        };
        let with = |shots: &ScreenshotSettings| Profile {
            screenshots: Some(shots.clone()),
            ..base.clone()
        };
        assert_eq!(text(&with(&shots)), text(&base));
        let mut changed = Vec::new();
        for change in [
            (|s| s.per_hour = 7) as fn(&mut ScreenshotSettings),
            |s| s.random_moment = false,
            |s| s.monitors = Monitors::Active,
            |s| s.blur = Blur::Light,
            |s| s.blur = Blur::Strong,
            |s| s.max_width_px = None,
            |s| s.skip_unchanged = false,
        ] {
            let kept = shots.clone();
            change(&mut shots);
            changed.push(with(&shots));
            shots = kept;
        }
        for change in [
            (|p| p.screenshots = None) as fn(&mut Profile),
            |p| p.camera = None,
            |p| p.camera = Some(CameraSettings { per_hour: 2 }),
            |p| p.activity = None,
            |p| p.activity.as_mut().unwrap().input_counts = false,
            |p| p.activity.as_mut().unwrap().applications = false,
            |p| p.activity.as_mut().unwrap().window_titles = false,
            |p| p.idle_after_s = 90,
            |p| p.schedule = None,
            |p| p.schedule.as_mut().unwrap().days = vec![Day::Mon],
            |p| p.schedule.as_mut().unwrap().from = "09:00".parse().unwrap(),
            |p| p.schedule.as_mut().unwrap().to = "24:00".parse().unwrap(),
            |p| p.schedule.as_mut().unwrap().time_zone = "Asia/Tokyo".into(),
            |p| p.exclude.applications.clear(),
            |p| p.exclude.title_contains.clear(),
            |p| p.review_hold_s = 3600,
            |p| p.employee_may_delete = false,
        ] {
            let mut other = base.clone();
            change(&mut other);
            changed.push(other);
        }
        let mut texts: Vec<String> = changed.iter().map(text).collect();
        texts.push(text(&base));
        texts.push(of(&base, WorkMode::Monitoring).to_text());
        let count = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count, "two different licenses read the same");
    }

    #[test]
    fn p12_an_absent_channel_is_never_promised_as_captured() {
        let bare = profile(serde_json::json!({}));
        let notice = of(&bare, WorkMode::Worklog);
        assert_eq!(
            notice.lines(Topic::Captured),
            ["Nothing but the time you work."]
        );
        let never = notice.lines(Topic::Never).join("\n");
        for word in [
            "pictures",
            "camera",
            "type or click",
            "applications",
            "titles",
        ] {
            assert!(never.contains(word), "{word} in:\n{never}");
        }
        let mut counts = bare.clone();
        counts.activity = Some(ActivitySettings {
            input_counts: true,
            ..Default::default()
        });
        let captured = of(&counts, WorkMode::Worklog)
            .lines(Topic::Captured)
            .join("\n");
        for word in ["picture", "camera", "applications", "titles"] {
            assert!(!captured.contains(word), "{word} in:\n{captured}");
        }
        let everything = of(&full(), WorkMode::Worklog);
        let never = everything.lines(Topic::Never).join("\n");
        assert!(
            !never.contains("camera") && !never.contains("titles"),
            "{never}"
        );
    }

    #[test]
    fn what_is_never_captured_is_said_in_every_notice() {
        for profile in [full(), profile(serde_json::json!({}))] {
            let never = of(&profile, WorkMode::Monitoring)
                .lines(Topic::Never)
                .join("\n");
            for word in ["no key is ever", "Passwords", "clipboard", "microphone"] {
                assert!(never.contains(word), "{word}");
            }
        }
    }

    #[test]
    fn hostile_text_cannot_steer_a_terminal() {
        let profile = full();
        let mut input = NoticeInput {
            company: "Ac\u{1b}[2Jme\nInc",
            employee: "Jo\u{202e}",
            work_mode: WorkMode::Worklog,
            profile: &profile,
            server_url: "https://x.example/\u{7}",
            privacy_contact: Some("\u{9b}31m dpo@acme.example"),
            extra: Some("first\r\nsecond"),
            not_before: None,
            expires_at: Some(Timestamp::UNIX_EPOCH),
        };
        let text = input.notice().to_text();
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n'),
            "{text:?}"
        );
        assert!(
            !text.contains('\u{202e}') && text.contains("Ac[2Jme Inc"),
            "{text:?}"
        );
        assert!(text.contains("Until 1970-01-01 00:00 UTC.") && text.contains("first  second"));
        input.extra = Some(" \n ");
        assert!(input.notice().lines(Topic::Employer).is_empty());
    }
}
