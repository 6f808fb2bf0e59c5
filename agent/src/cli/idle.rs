//! `glasshour idle`: time without input that nobody has spoken of yet, and what the person says of it.

use clap::Subcommand;
use glasshour_words::{Message, Outside};

use super::control::{not_answered, refused};
use super::out::Reader;
use super::{block_on, out};
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, IdleReply, RefusedBy, Request, call};
use crate::status::{IdleQuestion, Status};

#[derive(Debug, Subcommand)]
pub(super) enum IdleCommand {
    /// It was work: it counts for what was tracked
    Keep {
        /// All that is open, not the last stretch alone
        #[arg(long)]
        all: bool,
    },
    /// It was not work: it stays idle time
    Discard {
        /// All that is open, not the last stretch alone
        #[arg(long)]
        all: bool,
    },
    /// It was work on another project
    Assign {
        /// Project or department, by name
        project: String,
        /// All that is open, not the last stretch alone
        #[arg(long)]
        all: bool,
    },
}

pub(super) fn idle(
    command: Option<IdleCommand>,
    home: &Home,
    reader: Reader,
) -> anyhow::Result<Exit> {
    block_on(async {
        let ask = async |request: Request| call(&home.socket(), &request).await;
        let open = match ask(Request::Status).await {
            Ok(Answer::Done { status }) => open(*status),
            Ok(Answer::Refused { reason, message }) => {
                return refused(reason, &message, reader.json);
            }
            Ok(Answer::Held(_) | Answer::Link { .. }) => {
                anyhow::bail!("the agent answered another question")
            }
            Err(error) => return not_answered(&error, reader.json),
        };
        let (reply, all) = match command {
            None => {
                list(&open, reader)?;
                return Ok(Exit::Ok);
            }
            Some(IdleCommand::Keep { all }) => (IdleReply::Keep, all),
            Some(IdleCommand::Discard { all }) => (IdleReply::Discard, all),
            Some(IdleCommand::Assign { project, all }) => (IdleReply::Assign { project }, all),
        };
        let few = if all { 0 } else { open.len().saturating_sub(1) };
        let chosen = open.get(few..).unwrap_or_default();
        if chosen.is_empty() {
            let nothing = "there is no idle time to say anything of";
            return refused(RefusedBy::State, nothing, reader.json);
        }
        let mut last = None;
        for question in chosen {
            let request = Request::AnswerIdle {
                session_id: question.session_id,
                from_ms: question.from_ms,
                reply: reply.clone(),
            };
            match ask(request).await {
                Ok(Answer::Done { status }) => last = Some(status),
                Ok(Answer::Refused { reason, message }) => {
                    return refused(reason, &message, reader.json);
                }
                Ok(Answer::Held(_) | Answer::Link { .. }) => {
                    anyhow::bail!("the agent answered another question")
                }
                Err(error) => return not_answered(&error, reader.json),
            }
            if !reader.json {
                out::line(said(question, &reply, reader));
            }
        }
        if let Some(status) = last {
            if reader.json {
                out::json(&status)?;
            } else {
                let time = reader.words.short_duration(status.today_ms);
                out::line(reader.words.say(Message::StatusToday { time }));
            }
        }
        Ok(Exit::Ok)
    })?
}

fn open(status: Status) -> Vec<IdleQuestion> {
    status.idle_questions
}

fn list(open: &[IdleQuestion], reader: Reader) -> anyhow::Result<()> {
    if reader.json {
        return out::json(&open);
    }
    if open.is_empty() {
        out::line("There is no idle time to say anything of.");
        return Ok(());
    }
    for question in open {
        out::line(span(question, reader));
    }
    out::line(
        "It stays apart as idle time unless you say what it was: `glasshour idle keep`, `discard` or \
         `assign PROJECT` speak of the last one, with --all of each.",
    );
    Ok(())
}

/// `10:02 – 10:31  29 m  Apollo`
fn span(question: &IdleQuestion, reader: Reader) -> String {
    let project = question.project.as_ref().map_or_else(
        || reader.words.say(Message::TrayNoProject {}),
        |project| project.name.clone(),
    );
    let time = length(question, reader);
    format!("{} – {}  {time}  {project}", question.from, question.to)
}

fn said(question: &IdleQuestion, reply: &IdleReply, reader: Reader) -> String {
    let what = match reply {
        IdleReply::Keep => reader.words.say(Message::IdleKeep {}),
        IdleReply::Discard => reader.words.say(Message::IdleDiscard {}),
        IdleReply::Assign { project } => reader.words.say(Message::IdleAssign {
            project: Outside(project),
        }),
    };
    format!(
        "{} – {} ({}): {what}.",
        question.from,
        question.to,
        length(question, reader)
    )
}

fn length(question: &IdleQuestion, reader: Reader) -> String {
    let ms = question.to_ms.saturating_sub(question.from_ms);
    let time = reader.words.short_duration(ms.unsigned_abs());
    time.as_str().to_owned()
}
