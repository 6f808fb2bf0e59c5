//! A session's time from its events (rule 19).
//!
//! ```text
//! events    started A      idle      resumed   switched B      stopped
//! stretches [---- A ------][A, idle ][--- A --][----- B ------]
//! ```
//!
//! Events may arrive in any order and may be missing: the roll-up is a function of the set. Where
//! the stop is missing the session ends at its last record. Nothing behind the first stop counts,
//! and idle time is never tracked time, unless the employee says that it was work ([`IdleAnswer`]): then it
//! is tracked by their word, and marked so. Nor is time whose captures the employee deleted
//! ([`RollUp::without`]): the agent tells the consequence and the server draws it by this one function.

use serde::{Deserialize, Serialize};

use crate::ids::ProjectId;
use crate::payload::{Cause, IdleAnswer, IdleSays, SessionEvent, SessionEventKind};

/// How many answers about idle time a session may have; of more, the newest hold.
const MOST_ANSWERS: usize = 500;

/// A piece of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds.
    pub to_ms: i64,
}

/// A piece of a session on one project, idle or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds.
    pub to_ms: i64,
    /// What it was tracked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// True where no input came, and the employee has not said that it was work.
    pub idle: bool,
    /// True where no input came and the employee said that it was work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// True where the employee deleted what was captured: it is not tracked time any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

impl Stretch {
    /// Whether it counts as tracked time.
    pub fn is_tracked(&self) -> bool {
        !self.idle && !self.withdrawn
    }

    /// How much of it lies within `[from_ms, to_ms)`, milliseconds.
    pub fn within(&self, from_ms: i64, to_ms: i64) -> i64 {
        let (from, to) = (self.from_ms.max(from_ms), self.to_ms.min(to_ms));
        to.saturating_sub(from).max(0)
    }

    /// The same with what the employee says of a part of it, where it is idle.
    fn said(self, part: Span, answer: &IdleAnswer) -> Vec<Self> {
        let from = part.from_ms.clamp(self.from_ms, self.to_ms);
        let to = part.to_ms.clamp(from, self.to_ms);
        if !self.idle || from == to || answer.says == IdleSays::NotWork {
            return vec![self];
        }
        let kept = Self {
            idle: false,
            kept: true,
            project_id: answer.project_id.or(self.project_id),
            ..self.cut(from, to, false)
        };
        let parts = [
            self.cut(self.from_ms, from, false),
            kept,
            self.cut(to, self.to_ms, false),
        ];
        parts
            .into_iter()
            .filter(|part| part.from_ms < part.to_ms)
            .collect()
    }

    fn cut(self, from_ms: i64, to_ms: i64, withdrawn: bool) -> Self {
        Self {
            from_ms,
            to_ms,
            withdrawn,
            ..self
        }
    }
}

/// A session as reports see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollUp {
    /// UTC milliseconds.
    pub started_at: i64,
    /// The stop, where it is known, UTC milliseconds; never before the start.
    pub ended_at: Option<i64>,
    /// Start to end less idle and withdrawn, milliseconds; never negative.
    pub tracked_ms: i64,
    /// Idle, milliseconds.
    pub idle_ms: i64,
    /// Not idle, and withdrawn by the employee, milliseconds.
    pub withdrawn_ms: i64,
    /// Why it was stopped.
    pub cause: Option<Cause>,
    /// The project at the end.
    pub project_id: Option<ProjectId>,
    /// The last note.
    pub note: Option<String>,
    /// In order, without gaps or overlaps, from start to end.
    pub stretches: Vec<Stretch>,
}

/// Rolls a session up.
///
/// `events` in any order; `first_record_at` and `last_record_at` are the captures of its first and
/// last record of any kind, for when the start or the stop has not arrived.
pub fn roll_up(
    events: &[(u64, SessionEvent)],
    first_record_at: i64,
    last_record_at: i64,
) -> RollUp {
    let mut events: Vec<&(u64, SessionEvent)> = events.iter().collect();
    // By effect; at one moment in the order of the device's own chain.
    events.sort_by_key(|(seq, event)| (event.at_ms, *seq));
    let of = |kind: SessionEventKind| {
        events
            .iter()
            .map(|(_, event)| event)
            .filter(move |event| event.event == kind)
    };

    let earliest_event = events.first().map_or(i64::MAX, |(_, event)| event.at_ms);
    let started_at = of(SessionEventKind::Started)
        .map(|event| event.at_ms)
        .next()
        .unwrap_or_else(|| first_record_at.min(earliest_event));
    let stop = of(SessionEventKind::Stopped).next();
    let ended_at = stop.map(|event| event.at_ms.max(started_at));
    let latest_event = events.last().map_or(i64::MIN, |(_, event)| event.at_ms);
    let end = ended_at.unwrap_or_else(|| last_record_at.max(latest_event).max(started_at));

    let mut cut = Cutter {
        at: started_at,
        end,
        project_id: None,
        idle: false,
        stretches: vec![],
    };
    let mut note = None;
    for (_, event) in &events {
        match event.event {
            SessionEventKind::Started | SessionEventKind::Switched => {
                cut.advance(event.at_ms);
                if event.at_ms <= end {
                    cut.project_id = event.project_id.or(cut.project_id);
                }
            }
            SessionEventKind::Idle => {
                cut.advance(event.at_ms);
                cut.idle = true;
            }
            SessionEventKind::Resumed => {
                cut.advance(event.at_ms);
                cut.idle = false;
            }
            SessionEventKind::Noted | SessionEventKind::Stopped => {}
        }
        note = event.note.clone().or(note);
    }
    cut.advance(end);
    let stretches = answered(cut.stretches, &events);

    let total = |idle: bool| {
        stretches
            .iter()
            .filter(|part| part.idle == idle)
            .map(|part| part.to_ms - part.from_ms)
            .sum()
    };
    RollUp {
        started_at,
        ended_at,
        tracked_ms: total(false),
        idle_ms: total(true),
        withdrawn_ms: 0,
        cause: stop.map(|event| event.cause),
        project_id: cut.project_id,
        note,
        stretches,
    }
}

/// What the employee said of idle stretches, the newest last.
fn answered(mut stretches: Vec<Stretch>, events: &[&(u64, SessionEvent)]) -> Vec<Stretch> {
    let newest = events.iter().rev().filter_map(|(_, event)| event.idle);
    // From the newest on: what it has spoken of, an older one does not reach any more.
    let mut spoken: Vec<Span> = Vec::new();
    for answer in newest.take(MOST_ANSWERS) {
        let whole = Span {
            from_ms: answer.from_ms,
            to_ms: answer.to_ms,
        };
        for part in without(whole, &spoken) {
            stretches = stretches
                .iter()
                .flat_map(|stretch| stretch.said(part, &answer))
                .collect();
        }
        spoken = union(&[spoken, vec![whole]].concat());
    }
    stretches
}

/// What is left of a span where others are taken out of it; `others` in order, without overlaps.
fn without(span: Span, others: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    let mut at = span.from_ms;
    for other in others {
        if at < other.from_ms.min(span.to_ms) {
            left.push(Span {
                from_ms: at,
                to_ms: other.from_ms.min(span.to_ms),
            });
        }
        at = at.max(other.to_ms);
    }
    if at < span.to_ms {
        left.push(Span {
            from_ms: at,
            to_ms: span.to_ms,
        });
    }
    left
}

impl RollUp {
    /// Takes off what the employee withdrew: of each span what was tracked, once where spans overlap.
    #[must_use]
    pub fn without(mut self, spans: &[Span]) -> Self {
        let spans = union(spans);
        self.stretches = self
            .stretches
            .iter()
            .flat_map(|stretch| withdraw(*stretch, &spans))
            .collect();
        let total = |of: fn(&Stretch) -> bool| -> i64 {
            let parts = self.stretches.iter().filter(|part| of(part));
            parts.map(|part| part.to_ms - part.from_ms).sum()
        };
        self.tracked_ms = total(Stretch::is_tracked);
        self.withdrawn_ms = total(|part| part.withdrawn);
        self
    }
}

/// The same time in order, without overlaps; what is no time is left out.
fn union(spans: &[Span]) -> Vec<Span> {
    let mut sorted: Vec<Span> = spans
        .iter()
        .filter(|span| span.from_ms < span.to_ms)
        .copied()
        .collect();
    sorted.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        match merged.last_mut() {
            Some(last) if span.from_ms <= last.to_ms => last.to_ms = last.to_ms.max(span.to_ms),
            _ => merged.push(span),
        }
    }
    merged
}

/// Cuts one stretch where withdrawn spans begin and end. Idle time is not tracked anyway and stays whole.
fn withdraw(stretch: Stretch, spans: &[Span]) -> Vec<Stretch> {
    if stretch.idle {
        return vec![stretch];
    }
    let mut parts = Vec::new();
    let mut at = stretch.from_ms;
    for span in spans {
        let from = span.from_ms.clamp(at, stretch.to_ms);
        let to = span.to_ms.clamp(from, stretch.to_ms);
        if from == to {
            continue;
        }
        if at < from {
            parts.push(stretch.cut(at, from, false));
        }
        parts.push(stretch.cut(from, to, true));
        at = to;
    }
    if at < stretch.to_ms {
        parts.push(stretch.cut(at, stretch.to_ms, false));
    }
    parts
}

/// Cuts the time from start to end into stretches.
struct Cutter {
    at: i64,
    end: i64,
    project_id: Option<ProjectId>,
    idle: bool,
    stretches: Vec<Stretch>,
}

impl Cutter {
    /// Closes the current stretch at `to`, which is clamped to the session.
    fn advance(&mut self, to: i64) {
        let to = to.clamp(self.at, self.end);
        if to == self.at {
            return;
        }
        let next = Stretch {
            from_ms: self.at,
            to_ms: to,
            project_id: self.project_id,
            idle: self.idle,
            kept: false,
            withdrawn: false,
        };
        match self.stretches.last_mut() {
            Some(last) if last.project_id == next.project_id && last.idle == next.idle => {
                last.to_ms = to;
            }
            _ => self.stretches.push(next),
        }
        self.at = to;
    }
}

/// The name of a cause on the wire and in the database.
pub fn cause_name(cause: Cause) -> String {
    serde_json::to_value(cause)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Tracked milliseconds of some stretches within `[from_ms, to_ms)`: neither idle nor withdrawn.
pub fn tracked_within(stretches: &[Stretch], from_ms: i64, to_ms: i64) -> i64 {
    let tracked = stretches.iter().filter(|part| part.is_tracked());
    tracked.map(|part| part.within(from_ms, to_ms)).sum()
}

/// Idle milliseconds of some stretches within `[from_ms, to_ms)`.
pub fn idle_within(stretches: &[Stretch], from_ms: i64, to_ms: i64) -> i64 {
    let idle = stretches.iter().filter(|part| part.idle);
    idle.map(|part| part.within(from_ms, to_ms)).sum()
}

/// Milliseconds of some stretches within `[from_ms, to_ms)` that the employee withdrew.
pub fn withdrawn_within(stretches: &[Stretch], from_ms: i64, to_ms: i64) -> i64 {
    let withdrawn = stretches.iter().filter(|part| part.withdrawn);
    withdrawn.map(|part| part.within(from_ms, to_ms)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::ids::SessionId;

    const A: ProjectId = ProjectId(Uuid::from_u128(0xa));
    const B: ProjectId = ProjectId(Uuid::from_u128(0xb));

    fn event(seq: u64, kind: SessionEventKind, at_ms: i64) -> (u64, SessionEvent) {
        let project_id = match kind {
            Started => Some(A),
            Switched => Some(B),
            _ => None,
        };
        let cause = Cause::User;
        let session_id = SessionId(Uuid::from_u128(1));
        (
            seq,
            SessionEvent {
                session_id,
                event: kind,
                cause,
                at_ms,
                project_id,
                note: None,
                idle: None,
            },
        )
    }

    use SessionEventKind::{Idle, Noted, Resumed, Started, Stopped, Switched};

    #[test]
    fn idle_time_is_cut_out_and_projects_follow_each_other() {
        let events = [
            event(1, Started, 0),
            event(2, Idle, 100),
            event(3, Resumed, 150),
            event(4, Switched, 200),
            event(5, Stopped, 300),
        ];
        let rolled = roll_up(&events, 0, 300);
        assert_eq!((rolled.tracked_ms, rolled.idle_ms), (250, 50));
        assert_eq!(rolled.ended_at, Some(300));
        assert_eq!(rolled.project_id, Some(B));
        let stretch = |from_ms, to_ms, project_id, idle| Stretch {
            from_ms,
            to_ms,
            project_id: Some(project_id),
            idle,
            kept: false,
            withdrawn: false,
        };
        assert_eq!(
            rolled.stretches,
            [
                stretch(0, 100, A, false),
                stretch(100, 150, A, true),
                stretch(150, 200, A, false),
                stretch(200, 300, B, false),
            ]
        );
    }

    /// What the employee said, with the place in the chain.
    fn answer(seq: u64, from_ms: i64, to_ms: i64, says: IdleSays) -> (u64, SessionEvent) {
        let (seq, mut said) = event(seq, Noted, 1_000 + seq.cast_signed());
        said.idle = Some(IdleAnswer {
            from_ms,
            to_ms,
            says,
            project_id: (says == IdleSays::Work && seq.is_multiple_of(2)).then_some(B),
        });
        (seq, said)
    }

    #[test]
    fn what_the_employee_says_of_idle_time_holds_and_the_last_word_counts() {
        use IdleSays::{NotWork, Work};
        let day = [
            event(1, Started, 0),
            event(2, Idle, 100),
            event(3, Resumed, 200),
            event(4, Stopped, 300),
        ];
        let after = |answers: &[(u64, SessionEvent)]| {
            let rolled = roll_up(&[&day[..], answers].concat(), 0, 300);
            assert_eq!(rolled.tracked_ms + rolled.idle_ms, 300);
            let kept = rolled.stretches.iter().filter(|part| part.kept);
            let kept: Vec<_> = kept
                .map(|part| (part.from_ms, part.to_ms, part.project_id))
                .collect();
            (rolled.idle_ms, kept)
        };
        assert_eq!(after(&[]), (100, vec![]), "no answer: kept apart");
        assert_eq!(
            after(&[answer(5, 100, 200, Work)]),
            (0, vec![(100, 200, Some(A))])
        );
        assert_eq!(
            after(&[answer(6, 100, 200, Work)]),
            (0, vec![(100, 200, Some(B))]),
            "for another project"
        );
        assert_eq!(after(&[answer(5, 100, 200, NotWork)]), (100, vec![]));
        assert_eq!(
            after(&[answer(5, 100, 200, Work), answer(6, 100, 200, NotWork)]),
            (100, vec![])
        );
        assert_eq!(
            after(&[answer(5, 100, 200, NotWork), answer(6, 150, 900, Work)]),
            (50, vec![(150, 200, Some(B))]),
            "only what was idle"
        );
        assert_eq!(
            after(&[answer(5, 0, 300, Work), answer(6, 120, 140, Work)]),
            (
                0,
                vec![
                    (100, 120, Some(A)),
                    (120, 140, Some(B)),
                    (140, 200, Some(A))
                ]
            )
        );
    }

    #[test]
    fn p19_a_session_whose_agent_vanished_ends_at_its_last_record() {
        let rolled = roll_up(&[event(1, Started, 1000)], 1000, 61_000);
        assert_eq!(rolled.ended_at, None);
        assert_eq!(rolled.tracked_ms, 60_000);
    }

    #[test]
    fn p19_a_stop_dated_back_to_falling_asleep_ends_it_there() {
        let events = [event(1, Started, 0), event(2, Stopped, 500)];
        let rolled = roll_up(&events, 0, 9_000_000);
        assert_eq!((rolled.ended_at, rolled.tracked_ms), (Some(500), 500));
    }

    #[test]
    fn a_session_known_only_by_a_capture_begins_there() {
        let rolled = roll_up(&[], 700, 900);
        assert_eq!(
            (rolled.started_at, rolled.tracked_ms, rolled.ended_at),
            (700, 200, None)
        );
    }

    #[test]
    fn a_stop_before_the_start_tracks_nothing() {
        let rolled = roll_up(&[event(1, Started, 500), event(2, Stopped, 100)], 500, 500);
        assert_eq!(
            (rolled.ended_at, rolled.tracked_ms, rolled.idle_ms),
            (Some(500), 0, 0)
        );
    }

    #[test]
    fn tracked_time_is_clipped_to_the_day_asked_for() {
        let parts = [
            Stretch {
                from_ms: 0,
                to_ms: 100,
                project_id: None,
                idle: false,
                kept: false,
                withdrawn: false,
            },
            Stretch {
                from_ms: 100,
                to_ms: 200,
                project_id: None,
                idle: true,
                kept: false,
                withdrawn: false,
            },
            Stretch {
                from_ms: 200,
                to_ms: 300,
                project_id: None,
                idle: false,
                kept: false,
                withdrawn: false,
            },
        ];
        assert_eq!(tracked_within(&parts, 50, 250), 100);
        assert_eq!(tracked_within(&parts, 300, 400), 0);
    }

    #[test]
    fn what_was_deleted_is_taken_off_once_and_idle_time_is_not_taken_off_again() {
        let events = [
            event(1, Started, 0),
            event(2, Idle, 100),
            event(3, Resumed, 150),
            event(4, Switched, 200),
            event(5, Stopped, 300),
        ];
        let span = |from_ms, to_ms| Span { from_ms, to_ms };
        let spans = [
            span(180, 220),
            span(90, 160),
            span(150, 190),
            span(290, 900),
        ];
        let rolled = roll_up(&events, 0, 300).without(&spans);
        assert_eq!((rolled.tracked_ms, rolled.idle_ms), (160, 50));
        assert_eq!(rolled.withdrawn_ms, 10 + 50 + 20 + 10);
        let withdrawn: Vec<_> = rolled
            .stretches
            .iter()
            .filter(|part| part.withdrawn)
            .map(|part| (part.from_ms, part.to_ms, part.project_id))
            .collect();
        let expected = [(90, 100), (150, 200), (200, 220), (290, 300)];
        let projects = [A, A, B, B];
        for ((part, times), project) in withdrawn.iter().zip(expected).zip(projects) {
            assert_eq!(*part, (times.0, times.1, Some(project)));
        }
        assert_eq!(withdrawn.len(), expected.len());
        assert_eq!(withdrawn_within(&rolled.stretches, 0, 95), 5);
        assert_eq!(idle_within(&rolled.stretches, 0, 120), 20);
        assert_eq!(tracked_within(&rolled.stretches, 200, 300), 70);
    }

    fn any_event() -> impl Strategy<Value = (u64, SessionEvent)> {
        let kind = prop_oneof![
            Just(Started),
            Just(Switched),
            Just(Noted),
            Just(Idle),
            Just(Resumed),
            Just(Stopped)
        ];
        let said = prop_oneof![Just(IdleSays::Work), Just(IdleSays::NotWork)];
        prop_oneof![
            5 => (0_u64..50, kind, 0_i64..1000).prop_map(|(seq, kind, at)| event(seq, kind, at)),
            1 => (0_u64..50, 0_i64..1000, -10_i64..300, said)
                .prop_map(|(seq, from, length, says)| answer(seq, from, from + length, says)),
        ]
    }

    proptest! {
        #[test]
        fn tracked_and_idle_fill_the_session_exactly(
            events in prop::collection::vec(any_event(), 0..12),
            first in 0_i64..1000,
            more in 0_i64..1000,
            withdrawn in prop::collection::vec((-50_i64..1000, -10_i64..200), 0..8),
        ) {
            let last = first + more;
            let whole = roll_up(&events, first, last);
            let spans: Vec<Span> = withdrawn
                .into_iter()
                .map(|(from_ms, length)| Span { from_ms, to_ms: from_ms + length })
                .collect();
            let rolled = whole.clone().without(&spans);
            prop_assert!(rolled.tracked_ms >= 0 && rolled.idle_ms >= 0 && rolled.withdrawn_ms >= 0);
            prop_assert_eq!(rolled.idle_ms, whole.idle_ms);
            prop_assert_eq!(rolled.tracked_ms + rolled.withdrawn_ms, whole.tracked_ms);
            // Millisecond by millisecond, the slow way.
            let deleted = (rolled.started_at..last.max(2000)).filter(|ms| {
                let covers = |from: i64, to: i64| (from..to).contains(ms);
                let tracked = |part: &&Stretch| !part.idle && covers(part.from_ms, part.to_ms);
                whole.stretches.iter().any(|part| tracked(&part))
                    && spans.iter().any(|span| covers(span.from_ms, span.to_ms))
            });
            prop_assert_eq!(rolled.withdrawn_ms, i64::try_from(deleted.count()).unwrap());
            let end = rolled.stretches.last().map_or(rolled.started_at, |part| part.to_ms);
            prop_assert_eq!(
                rolled.tracked_ms + rolled.idle_ms + rolled.withdrawn_ms,
                end - rolled.started_at
            );
            if let Some(stop) = rolled.ended_at {
                prop_assert_eq!(end, stop);
            }
            for pair in rolled.stretches.windows(2) {
                prop_assert_eq!(pair[0].to_ms, pair[1].from_ms);
            }
        }

        #[test]
        fn the_order_of_arrival_does_not_matter(
            events in prop::collection::vec(any_event(), 0..10)
                .prop_map(|events| {
                    // A device numbers its records: no two share a `seq`.
                    events.into_iter().zip(1..).map(|((_, event), seq)| (seq, event)).collect::<Vec<_>>()
                }),
            turn in 0_usize..10,
        ) {
            let mut turned = events.clone();
            let len = turned.len().max(1);
            turned.rotate_left(turn % len);
            turned.reverse();
            prop_assert_eq!(roll_up(&events, 0, 500), roll_up(&turned, 0, 500));
        }
    }
}
