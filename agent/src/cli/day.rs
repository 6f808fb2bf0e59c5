//! `glasshour day`: the own day at the employer's server, opened in the browser by a link that works once.

use std::path::Path;

use glasshour_words::{Message, Outside};

use super::control::{not_answered, refused};
use super::out::Reader;
use super::{block_on, out};
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, RefusedBy, Request, call};
use crate::platform;

pub(super) fn day(
    employer: Option<String>,
    print: bool,
    home: &Home,
    reader: Reader,
) -> anyhow::Result<Exit> {
    let (socket, request) = (home.socket(), Request::DayLink { employer });
    match block_on(call(&socket, &request))? {
        Ok(Answer::Link { url }) if reader.json => {
            out::json(&serde_json::json!({ "url": url }))?;
            Ok(Exit::Ok)
        }
        Ok(Answer::Link { url }) if print => {
            out::line(url);
            Ok(Exit::Ok)
        }
        Ok(Answer::Link { url }) => {
            if let Err(error) = platform::open_file(Path::new(&url)) {
                let reason = format!("No browser could be started: {error}.");
                let reason = Outside(&reason);
                let text = reader.words.say(Message::DayNotOpen { reason });
                return refused(RefusedBy::State, &text, false);
            }
            out::line("Your day opens in the browser; it stays open for an hour.");
            Ok(Exit::Ok)
        }
        Ok(Answer::Refused { reason, message }) => refused(reason, &message, reader.json),
        Ok(Answer::Done { .. } | Answer::Held(_)) => {
            anyhow::bail!("the agent answered another question")
        }
        Err(error) => not_answered(&error, reader.json),
    }
}
