//! The license in plain words: what the employee is told will be captured, how often, when, where it
//! goes, how long it is kept, and what never is.
//!
//! One pure function for everybody who shows it: the agent before it tracks, the console while an
//! employee or a profile is edited. It promises exactly what the profile permits: a channel that is
//! absent appears under "never", and nowhere else.

mod lines;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use glasshour_license_format::{Claims, Profile, RetentionDays, WorkMode};
use jiff::Timestamp;

use crate::catalogue::Words;
use crate::language::Language;
use crate::message::{Message, Outside};
use crate::plain::plain;

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
    /// How long they are kept there, where the license says so.
    pub retention: Option<&'a RetentionDays>,
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
    /// The language it is in.
    pub language: Language,
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
    /// The question in words.
    pub heading: String,
    /// Whole sentences.
    pub lines: Vec<String>,
}

/// The questions that a notice answers, in the order in which they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What the license's channels capture, and how often.
    Captured,
    /// Who starts and stops, on which days, until when.
    When,
    /// What is never captured.
    Never,
    /// What is left out or made unreadable.
    LeftOut,
    /// What belongs to tracking itself, whatever the profile.
    Always,
    /// Where it goes, and what the employee can do about it.
    Where,
    /// How long it is kept.
    Kept,
    /// What the employer adds.
    Employer,
    /// Whom to ask.
    Ask,
}

impl Topic {
    /// The heading.
    fn heading(self) -> Message<'static> {
        match self {
            Self::Captured => Message::TopicCaptured {},
            Self::When => Message::TopicWhen {},
            Self::Never => Message::TopicNever {},
            Self::LeftOut => Message::TopicLeftOut {},
            Self::Always => Message::TopicAlways {},
            Self::Where => Message::TopicWhere {},
            Self::Kept => Message::TopicKept {},
            Self::Employer => Message::TopicEmployer {},
            Self::Ask => Message::TopicAsk {},
        }
    }
}

/// Puts a license into plain words.
pub fn notice(claims: &Claims, words: Words) -> Notice {
    let mut notice = NoticeInput {
        company: &claims.issuer.company,
        employee: &claims.employee.name,
        work_mode: claims.work_mode,
        profile: &claims.profile,
        server_url: &claims.issuer.server_url,
        retention: claims.issuer.retention_days.as_ref(),
        privacy_contact: claims.issuer.privacy_contact.as_deref(),
        extra: claims.notice.as_deref(),
        not_before: claims.not_before,
        expires_at: claims.expires_at,
    }
    .notice(words);
    let members = claims.unknown.keys().chain(claims.profile.unknown.keys());
    let unknown: Vec<&String> = members.collect();
    if !unknown.is_empty()
        && let Some(never) = notice.sections.iter_mut().find(|s| s.topic == Topic::Never)
    {
        let members = words.names(&unknown);
        never
            .lines
            .push(words.say(Message::NeverUnknown { members }));
    }
    notice
}

impl NoticeInput<'_> {
    /// Puts the input into plain words.
    pub fn notice(&self, words: Words) -> Notice {
        let sections = [
            (Topic::Captured, self.captured(words)),
            (Topic::When, self.when(words)),
            (Topic::Never, self.never(words)),
            (Topic::LeftOut, self.left_out(words)),
            (Topic::Always, self.always(words)),
            (Topic::Where, self.goes_where(words)),
            (Topic::Kept, self.kept(words)),
            (Topic::Employer, self.employer()),
            (Topic::Ask, self.ask(words)),
        ];
        let company = Outside(self.company);
        Notice {
            language: words.language(),
            title: words.say(if plain(self.employee).is_empty() {
                Message::NoticeTitle { company }
            } else {
                Message::NoticeTitleOf {
                    company,
                    employee: Outside(self.employee),
                }
            }),
            sections: sections
                .into_iter()
                .filter(|(_, lines)| !lines.is_empty())
                .map(|(topic, lines)| Section {
                    topic,
                    heading: words.say(topic.heading()),
                    lines,
                })
                .collect(),
        }
    }
}

impl Section {
    /// Whether it says what is never captured.
    pub fn is_never(&self) -> bool {
        self.topic == Topic::Never
    }
}

impl Notice {
    /// The notice as plain text: the title, then each heading with its lines below it.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.title);
        for section in &self.sections {
            let _ = write!(text, "\n{}\n", section.heading);
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
