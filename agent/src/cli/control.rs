//! Commands that the running agent obeys: start, stop, switch, note, status.

use glasshour_words::Message;
use serde_json::json;

use super::out::Reader;
use super::{block_on, out};
use crate::config;
use crate::engine::plain_status;
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, CallError, RefusedBy, Request, call};
use crate::sentence::with_causes;

/// Sends a command and prints how things are then.
pub(super) fn ask(home: &Home, request: &Request, reader: Reader) -> anyhow::Result<Exit> {
    let Reader { json, words } = reader;
    match block_on(call(&home.socket(), request))? {
        Ok(Answer::Done { status }) if json => {
            out::json(&status)?;
            Ok(Exit::Ok)
        }
        Ok(Answer::Done { status }) => {
            if matches!(request, Request::Note { .. }) {
                out::line("Noted.");
            }
            let stops = matches!(request, Request::Stop);
            let goes_on = stops.then(|| status.monitoring_goes_on(words)).flatten();
            out::line(match goes_on {
                Some(sentence) => sentence,
                None => plain_status(&status, words).swap_remove(0),
            });
            if stops {
                let time = words.short_duration(status.worklogs_today_ms());
                out::line(words.say(Message::StatusToday { time }));
            }
            // Who starts tracking learns at once who sees it, who else does, and what does not work.
            if matches!(request, Request::Start { .. } | Request::Switch { .. }) {
                status.time_alone(words).iter().for_each(out::line);
                let told = [status.goes_to(words), status.monitored_beside(words)];
                told.iter().flatten().for_each(out::line);
            }
            if matches!(request, Request::Start { .. }) {
                for problem in &status.problems {
                    out::complain(problem);
                }
            }
            Ok(Exit::Ok)
        }
        Ok(Answer::Refused { reason, message }) => refused(reason, &message, json),
        Ok(Answer::Held(_) | Answer::Link { .. }) => {
            anyhow::bail!("the agent answered another question")
        }
        Err(error) => not_answered(&error, json),
    }
}

/// Says why not; the exit code says it to a script.
pub(super) fn refused(reason: RefusedBy, message: &str, json: bool) -> anyhow::Result<Exit> {
    if json {
        out::json(&json!({ "refused": reason, "message": message }))?;
    } else {
        out::complain(message);
    }
    Ok(match reason {
        RefusedBy::NoLicense => Exit::NoLicense,
        RefusedBy::License => Exit::Refused,
        RefusedBy::State => Exit::Failure,
    })
}

/// `glasshour status`.
pub(super) fn status(home: &Home, reader: Reader) -> anyhow::Result<Exit> {
    let Reader { json, words } = reader;
    match block_on(call(&home.socket(), &Request::Status))? {
        Ok(Answer::Done { status }) if json => out::json(&status).map(|()| Exit::Ok),
        Ok(Answer::Done { status }) => {
            plain_status(&status, words).iter().for_each(out::line);
            Ok(Exit::Ok)
        }
        Ok(Answer::Refused { message, .. }) => {
            out::complain(message);
            Ok(Exit::Failure)
        }
        Ok(Answer::Held(_) | Answer::Link { .. }) => {
            anyhow::bail!("the agent answered another question")
        }
        Err(error) => not_answered(&error, json),
    }
}

/// Tells a running agent that licenses changed. One that does not run will see for itself.
pub(super) fn tell_to_reload(home: &Home) -> anyhow::Result<bool> {
    match block_on(call(&home.socket(), &Request::Reload))? {
        Ok(_) => Ok(true),
        Err(CallError::NotRunning) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn not_answered(error: &CallError, json: bool) -> anyhow::Result<Exit> {
    let message = match (error, config::policy()) {
        // It would stop again at once: starting it is not what helps.
        (CallError::NotRunning, Err(policy)) => format!(
            "the Glasshour agent does not run, because {}. Ask the administrator of this computer to \
             mend it; then start the agent with `glasshour run`, or log in again",
            with_causes(&policy)
        ),
        _ => with_causes(error),
    };
    if json {
        out::json(&json!({ "running": false, "message": message }))?;
    } else {
        out::complain(message);
    }
    Ok(match error {
        CallError::NotRunning => Exit::NotRunning,
        CallError::Broken(_) => Exit::Failure,
    })
}
