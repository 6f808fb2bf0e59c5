//! The question about idle time: asked once, when the person is back; answered from the message, the tray or
//! the command line; never answered by itself.

use std::collections::BTreeSet;

use glasshour_license_format::WorkMode;
use glasshour_protocol::payload::{IdleSays, SessionEvent, SessionEventKind as Kind};
use glasshour_protocol::{CompanyId, ProjectId, SessionId};
use glasshour_uploader::send::LicenseBook as _;
use glasshour_words::{Message as Say, Outside, Said};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::choice::{self, Choice};
use super::{Engine, message};
use crate::clock::Moment;
use crate::ipc::{Answer, IdleReply, RefusedBy, Work};
use crate::session::idle::{Unanswered, unanswered};
use crate::status::IdleQuestion;
use crate::tray::{Action, IdlePick};

/// What is older than this is not asked about any more: it stays idle.
const OPEN_MS: i64 = 86_400_000;
/// Projects that the message offers beside the one that was tracked; the tray offers more.
const MOST_OFFERED: usize = 2;

/// What is not answered yet.
pub(super) struct Questions {
    /// When this agent began: what came to its end before is not asked about, only listed.
    since_ms: i64,
    open: Vec<(CompanyId, Unanswered)>,
    asked: BTreeSet<(SessionId, i64)>,
}

impl Questions {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            since_ms: now.wall_ms,
            open: Vec::new(),
            asked: BTreeSet::new(),
        }
    }
}

impl Engine {
    /// Takes note that a session has changed: there may be something to ask, or not any more.
    pub(super) fn idle_time_may_have_ended(&mut self, now: Moment, event: &SessionEvent) {
        let ends = matches!(event.event, Kind::Resumed | Kind::Stopped);
        if ends || event.idle.is_some() {
            self.look_for_idle_time(now);
        }
        // Somebody is back.
        if matches!(event.event, Kind::Resumed | Kind::Started) {
            self.ask_about_idle_time(now);
        }
    }

    /// Reads from the log what is open.
    pub(super) fn look_for_idle_time(&mut self, now: Moment) {
        let log = self.journal.read().unwrap_or_default();
        let book = self.accounts.book();
        let is_open = |one: Unanswered| {
            // In monitoring mode nobody is asked: idle time is idle time.
            let claims = book.claims(one.license_id)?;
            let worklog = claims.work_mode == WorkMode::Worklog;
            let recent = one.to_ms > now.wall_ms.saturating_sub(OPEN_MS);
            (worklog && recent).then_some((claims.issuer.company_id, one))
        };
        self.questions.open = unanswered(&log).into_iter().filter_map(is_open).collect();
    }

    fn ask_about_idle_time(&mut self, now: Moment) {
        let Some((company, stretch)) = self.questions.open.last().cloned() else {
            return;
        };
        let asked = (stretch.session_id, stretch.from_ms);
        if stretch.to_ms < self.questions.since_ms || !self.questions.asked.insert(asked) {
            return;
        }
        let words = self.config.words;
        let projects = self.projects_by_use(company);
        let name = |id: Option<ProjectId>| {
            let known = projects.iter().find(|p| Some(p.project_id) == id);
            known.map_or_else(|| words.say(Say::TrayNoProject {}), |p| p.name.clone())
        };
        let (from, to) = (
            self.clock_time(stretch.from_ms, now),
            self.clock_time(stretch.to_ms, now),
        );
        let time = words.short_duration(stretch.length_ms().unsigned_abs());
        let project = name(stretch.project_id);
        let question = message(
            words.say(Say::IdleTitle {}),
            words.say(Say::IdleAsked {
                from,
                to,
                time,
                project: Outside(&project),
            }),
        );
        let action = |reply| {
            Action::AnswerIdle(IdlePick {
                session: stretch.session_id,
                from_ms: stretch.from_ms,
                reply,
            })
        };
        let mut choices = vec![
            (action(IdleReply::Keep), words.say(Say::IdleKeep {})),
            (action(IdleReply::Discard), words.say(Say::IdleDiscard {})),
        ];
        let others = projects
            .iter()
            .filter(|project| Some(project.project_id) != stretch.project_id);
        choices.extend(others.take(MOST_OFFERED).map(|project| {
            let label = words.say(Say::IdleAssign {
                project: Outside(&project.name),
            });
            let reply = IdleReply::Assign {
                project: project.project_id.to_string(),
            };
            (action(reply), label)
        }));
        self.desktop.ask(question, choices);
    }

    /// A moment as the person's clock shows it, with the date where it was another day.
    pub(super) fn clock_time(&self, at_ms: i64, now: Moment) -> Said {
        let offset = Offset::from_seconds(now.utc_offset_min.saturating_mul(60));
        let zone = TimeZone::fixed(offset.unwrap_or(Offset::UTC));
        let there = |ms| {
            let at = Timestamp::from_millisecond(ms).unwrap_or_default();
            at.to_zoned(zone.clone())
        };
        let words = self.config.words;
        words.time_of_day(&there(at_ms), &there(now.wall_ms))
    }

    /// What is open, for whoever looks; the oldest first.
    pub(super) fn idle_questions(&self, now: Moment) -> Vec<IdleQuestion> {
        let open = self.questions.open.iter();
        open.map(|(company, stretch)| IdleQuestion {
            company_id: *company,
            session_id: stretch.session_id,
            from_ms: stretch.from_ms,
            to_ms: stretch.to_ms,
            from: self.clock_time(stretch.from_ms, now).as_str().to_owned(),
            to: self.clock_time(stretch.to_ms, now).as_str().to_owned(),
            project: self
                .projects(*company)
                .into_iter()
                .find(|project| Some(project.project_id) == stretch.project_id),
        })
        .collect()
    }

    /// The person says what a stretch was.
    pub(super) async fn answer_idle(
        &mut self,
        session: SessionId,
        from_ms: i64,
        reply: IdleReply,
    ) -> Result<(), Answer> {
        let is_it = |(_, one): &&(CompanyId, Unanswered)| {
            one.session_id == session && one.from_ms == from_ms
        };
        let Some((company, stretch)) = self.questions.open.iter().find(is_it).cloned() else {
            return Err(Answer::Refused {
                reason: RefusedBy::State,
                message:
                    "there is no such idle time to say anything of: it was answered already, or is \
                          older than a day. `glasshour idle` lists what is open"
                        .into(),
            });
        };
        let (says, project) = match reply {
            IdleReply::Keep => (IdleSays::Work, None),
            IdleReply::Discard => (IdleSays::NotWork, None),
            IdleReply::Assign { project } => {
                let work = Work {
                    employer: Some(company.to_string()),
                    project: Some(project),
                };
                let Choice { project, .. } =
                    choice::choose(&self.employers(), &work, self.config.words).map_err(|no| {
                        Answer::Refused {
                            reason: no.reason,
                            message: no.message,
                        }
                    })?;
                (IdleSays::Work, project)
            }
        };
        let Some(mut tracking) = self.trackings.remove(&company) else {
            return Err(Answer::Refused {
                reason: RefusedBy::License,
                message: "the license that this time was tracked under is not at work".into(),
            });
        };
        let now = self.clock.now();
        let event = stretch.said(now.wall_ms, says, project);
        self.apply(&mut tracking, now, vec![event]).await;
        self.trackings.insert(company, tracking);
        Ok(())
    }
}
