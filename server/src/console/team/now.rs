//! What somebody does now, from the sessions of today; and the same for a whole team in a sentence.

use glasshour_protocol::ProjectId;

use crate::console::layout::State;
use crate::console::words;
use crate::store::Session;

/// The state now, with its words: `Apollo · 1 h 12 m`, `paused: the screen is locked`.
pub(super) fn of(
    sessions: &[Session],
    now_ms: i64,
    project: impl Fn(Option<ProjectId>) -> String,
) -> (State, String) {
    let running = sessions
        .iter()
        .filter(|session| session.end_as_of(now_ms).is_none())
        .max_by_key(|session| session.started_at);
    if let Some(session) = running {
        let name = project(session.project_id);
        let last = session.stretches.last();
        if let Some(idle) = last.filter(|stretch| stretch.idle) {
            let since = words::duration(now_ms - idle.from_ms);
            return (State::Idle, join(&name, &format!("idle for {since}")));
        }
        let since = words::duration(now_ms - session.started_at);
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
        text.push_str(&format!("{count}{people} {be} {word}"));
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Stretch;
    use glasshour_protocol::{DeviceId, EmployeeId, SessionId};
    use uuid::Uuid;

    const HOUR: i64 = 3_600_000;

    fn session(started_at: i64, ended_at: Option<i64>, last_record_at: i64, idle: bool) -> Session {
        let stretch = |from_ms, to_ms, idle| Stretch {
            from_ms,
            to_ms,
            project_id: None,
            idle,
        };
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
            cause: None,
            note: None,
            stretches: vec![
                stretch(started_at, last_record_at, false),
                stretch(last_record_at, last_record_at, idle),
            ],
        }
    }

    fn state(sessions: &[Session], now_ms: i64) -> (State, String) {
        let (state, text) = of(sessions, now_ms, |_| "Apollo".to_owned());
        (state, text.replace('\u{a0}', " "))
    }

    #[test]
    fn a_running_session_is_named_with_its_length() {
        let running = session(0, None, HOUR, false);
        assert_eq!(
            state(&[running], HOUR + 60_000),
            (State::Working, "Apollo · 1 h 01 m".into())
        );
        let idle = session(0, None, HOUR, true);
        assert_eq!(
            state(&[idle], HOUR + 120_000),
            (State::Idle, "Apollo · idle for 2 m".into())
        );
    }

    #[test]
    fn p19_a_session_whose_agent_vanished_does_not_run() {
        let silent = session(0, None, HOUR, false);
        assert_eq!(state(&[silent], 3 * HOUR).0, State::Off);
    }

    #[test]
    fn p20_a_locked_screen_is_a_pause_and_a_stop_by_hand_is_not() {
        let mut ended = session(0, Some(HOUR), HOUR, false);
        ended.cause = Some("lock".into());
        assert_eq!(state(&[ended.clone()], 2 * HOUR).0, State::Paused);
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
