//! What somebody does now, from the sessions of today; and the same for a whole team in a sentence.

use std::collections::HashMap;
use std::fmt::Write as _;

use glasshour_protocol::payload::{SessionEvent, SessionEventKind};
use glasshour_protocol::{DeviceId, ProjectId, SessionId};

use crate::console::layout::State;
use crate::console::words;
use crate::store::Session;

/// The state now, with its words: `Apollo · 1 h 12 m`, `paused: the screen is locked`.
///
/// `events` holds the last event of each open session: idleness that has only begun is not in the
/// roll-up yet.
pub(super) fn of(
    sessions: &[Session],
    events: &HashMap<(DeviceId, SessionId), SessionEvent>,
    now_ms: i64,
    project: impl Fn(Option<ProjectId>) -> String,
) -> (State, String) {
    let running = sessions
        .iter()
        .filter(|session| session.end_as_of(now_ms).is_none())
        .max_by_key(|session| session.started_at);
    if let Some(session) = running {
        let name = project(session.project_id);
        let last = events.get(&(session.device_id, session.session_id));
        if let Some(idle) = last.filter(|last| last.event == SessionEventKind::Idle) {
            let since = words::duration(now_ms - idle.at_ms);
            return (State::Idle, join(&name, &format!("idle for {since}")));
        }
        let since = words::duration(now_ms - on_project_since(session));
        return (State::Working, join(&name, &since));
    }
    let last = sessions.iter().max_by_key(|session| session.last_record_at);
    let paused = last.and_then(|session| match session.cause.as_deref() {
        Some("sleep") => Some("paused: asleep"),
        Some("lock") => Some("paused: screen locked"),
        Some("user-switch") => Some("paused: other user"),
        Some("schedule") => Some("outside licensed hours"),
        _ => None,
    });
    match paused {
        Some(text) => (State::Paused, text.to_owned()),
        None => (State::Off, "not tracking".to_owned()),
    }
}

/// Since when the session is on the project that it is on.
fn on_project_since(session: &Session) -> i64 {
    let current = session.stretches.iter().rev();
    let run = current.take_while(|stretch| stretch.project_id == session.project_id);
    run.last().map_or(session.started_at, |first| first.from_ms)
}

fn join(project: &str, text: &str) -> String {
    if project.is_empty() {
        text.to_owned()
    } else {
        format!("{project} · {text}")
    }
}

/// `2 people are working, 1 is idle, 3 are not tracking.`
pub(super) fn answer(states: &[State]) -> String {
    if states.is_empty() {
        return "Nobody is tracked yet.".to_owned();
    }
    let parts: Vec<(usize, &str)> = [
        (State::Working, "working"),
        (State::Idle, "idle"),
        (State::Paused, "paused"),
        (State::Off, "not tracking"),
    ]
    .into_iter()
    .map(|(state, word)| (states.iter().filter(|one| **one == state).count(), word))
    .filter(|(count, _)| *count > 0)
    .collect();
    let mut text = String::new();
    for (index, (count, word)) in parts.into_iter().enumerate() {
        let be = if count == 1 { "is" } else { "are" };
        let people = match (index, count) {
            (0, 1) => " person",
            (0, _) => " people",
            _ => "",
        };
        if index > 0 {
            text.push_str(", ");
        }
        let _ = write!(text, "{count}{people} {be} {word}");
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Stretch;
    use glasshour_protocol::EmployeeId;
    use glasshour_protocol::payload::Cause;
    use uuid::Uuid;

    const HOUR: i64 = 3_600_000;

    fn stretch(from_ms: i64, to_ms: i64, project_id: Option<ProjectId>) -> Stretch {
        Stretch {
            from_ms,
            to_ms,
            project_id,
            idle: false,
            kept: false,
            withdrawn: false,
        }
    }

    fn session(started_at: i64, ended_at: Option<i64>, last_record_at: i64) -> Session {
        Session {
            session_id: SessionId(Uuid::nil()),
            device_id: DeviceId(Uuid::nil()),
            employee_id: EmployeeId(Uuid::nil()),
            project_id: None,
            started_at,
            ended_at,
            first_record_at: started_at,
            last_record_at,
            tracked_ms: 0,
            idle_ms: 0,
            withdrawn_ms: 0,
            cause: None,
            note: None,
            stretches: vec![stretch(started_at, last_record_at, None)],
        }
    }

    fn state(sessions: &[Session], now_ms: i64) -> (State, String) {
        state_after(sessions, &HashMap::new(), now_ms)
    }

    fn state_after(
        sessions: &[Session],
        events: &HashMap<(DeviceId, SessionId), SessionEvent>,
        now_ms: i64,
    ) -> (State, String) {
        let (state, text) = of(sessions, events, now_ms, |_| "Apollo".to_owned());
        (state, text.replace('\u{a0}', " "))
    }

    #[test]
    fn a_running_session_is_named_with_its_length() {
        let mut running = session(0, None, HOUR);
        let now_ms = HOUR + 60_000;
        assert_eq!(
            state(std::slice::from_ref(&running), now_ms),
            (State::Working, "Apollo · 1 h 01 m".into())
        );
        running.project_id = Some(ProjectId(Uuid::from_u128(7)));
        running
            .stretches
            .push(stretch(HOUR, HOUR, running.project_id));
        assert_eq!(
            state(&[running], now_ms),
            (State::Working, "Apollo · 1 m".into())
        );
    }

    #[test]
    fn idleness_shows_from_its_event_on() {
        let running = session(0, None, HOUR);
        let idle = SessionEvent {
            session_id: running.session_id,
            event: SessionEventKind::Idle,
            cause: Cause::Input,
            at_ms: HOUR,
            project_id: None,
            note: None,
            idle: None,
        };
        let events = HashMap::from([((running.device_id, running.session_id), idle)]);
        assert_eq!(
            state_after(&[running], &events, HOUR + 120_000),
            (State::Idle, "Apollo · idle for 2 m".into())
        );
    }

    #[test]
    fn p19_a_session_whose_agent_vanished_does_not_run() {
        let silent = session(0, None, HOUR);
        assert_eq!(state(&[silent], 3 * HOUR).0, State::Off);
    }

    #[test]
    fn p20_a_locked_screen_is_a_pause_and_a_stop_by_hand_is_not() {
        let mut ended = session(0, Some(HOUR), HOUR);
        ended.cause = Some("lock".into());
        assert_eq!(
            state(std::slice::from_ref(&ended), 2 * HOUR).0,
            State::Paused
        );
        ended.cause = Some("user".into());
        assert_eq!(
            state(&[ended], 2 * HOUR),
            (State::Off, "not tracking".into())
        );
        assert_eq!(state(&[], 0).0, State::Off);
    }

    #[test]
    fn the_answer_counts_people_in_words() {
        use State::{Off, Paused, Working};
        assert_eq!(answer(&[]), "Nobody is tracked yet.");
        assert_eq!(answer(&[Working]), "1 person is working.");
        assert_eq!(
            answer(&[Working, Off, Working, Paused]),
            "2 people are working, 1 is paused, 1 is not tracking."
        );
    }
}
