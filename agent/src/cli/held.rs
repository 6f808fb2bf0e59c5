//! `glasshour held`: what waits on this computer before it is sent; to look at it, and to delete it.
//!
//! The running agent answers. Where none runs, the spools are opened here, alone: everything works but
//! the names of projects, which only the server knows.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;
use glasshour_protocol::RecordId;
use glasshour_protocol::payload::JSON;
use glasshour_uploader::Spool;
use glasshour_uploader::spool::DEFAULT_QUOTA_BYTES;
use glasshour_words::{Message, Outside, Words};
use jiff::tz::TimeZone;

use super::out::Reader;
use super::{block_on, control, out};
use crate::exit::Exit;
use crate::held::clock::HoldClock;
use crate::held::words::Telling;
use crate::held::{Consequence, Desk, HeldAnswer, HeldCapture, HeldContent, HeldRequest, Source};
use crate::home::Home;
use crate::ipc::{Answer, CallError, Request, call};
use crate::journal::Journal;
use crate::license::{Book, LicenseStore};
use crate::platform::{self, files};
use crate::seal_key;

#[derive(Debug, Subcommand)]
pub(super) enum HeldCommand {
    /// Write a held picture to a file that only you can read, or print what a minute of activity says
    Show {
        /// The capture's id, or its last characters
        id: String,
        /// Write it to this file instead
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Open it with the desktop's viewer
        #[arg(long)]
        open: bool,
    },
    /// Delete held captures, where your license permits it; says first what that means
    Delete {
        /// The captures' ids, or their last characters
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// Everything that waits now and may be deleted
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Do not ask (for scripts); the consequence is said all the same
        #[arg(long)]
        yes: bool,
    },
}

/// An answer, or what `glasshour` ends with instead.
type Asked = Result<HeldAnswer, Exit>;

pub(super) fn held(
    command: Option<HeldCommand>,
    home: &Home,
    reader: Reader,
) -> anyhow::Result<Exit> {
    block_on(async {
        let own = None;
        let Reader { json, words } = reader;
        let mut asker = Asker {
            home,
            json,
            words,
            own,
        };
        match command {
            None => asker.list().await,
            Some(HeldCommand::Show { id, to, open }) => asker.show(&id, to, open).await,
            Some(HeldCommand::Delete { ids, all, yes }) => {
                let which = (!all).then_some(ids);
                asker.delete(which, yes).await
            }
        }
    })?
}

struct Asker<'a> {
    home: &'a Home,
    json: bool,
    words: Words,
    /// The spools, opened here because no agent runs; kept until the end.
    own: Option<Desk>,
}

impl Asker<'_> {
    async fn list(&mut self) -> anyhow::Result<Exit> {
        let captures = match self.captures().await? {
            Ok(captures) => captures,
            Err(exit) => return Ok(exit),
        };
        if self.json {
            out::json(&captures)?;
            return Ok(Exit::Ok);
        }
        if captures.is_empty() {
            out::line(self.words.say(Message::HeldNothing {}));
            return Ok(Exit::Ok);
        }
        let telling = self.telling();
        let companies: BTreeSet<_> = captures.iter().map(|one| &one.company).collect();
        for capture in &captures {
            let mut line = telling.line(capture);
            if companies.len() > 1 {
                let _ = write!(line, " ({})", capture.company);
            }
            out::line(line);
        }
        let may_delete = captures.iter().any(|one| one.may_delete);
        out::line(self.words.say(if may_delete {
            Message::HeldLookAndDelete {}
        } else {
            Message::HeldLook {}
        }));
        Ok(Exit::Ok)
    }

    async fn show(&mut self, id: &str, to: Option<PathBuf>, open: bool) -> anyhow::Result<Exit> {
        let captures = match self.captures().await? {
            Ok(captures) => captures,
            Err(exit) => return Ok(exit),
        };
        let capture = self.find(&captures, id)?;
        if capture.unchanged {
            bail!(self.words.say(Message::HeldNoPicture {}));
        }
        let record_id = capture.record_id;
        let content = match self.ask(HeldRequest::Show { record_id }).await? {
            Ok(HeldAnswer::Content(content)) => content,
            Ok(_) => bail!("the agent answered another question"),
            Err(exit) => return Ok(exit),
        };
        let HeldContent {
            content_type,
            payload,
        } = content;
        let bytes = STANDARD.decode(payload).context("what came is no base64")?;
        if content_type == JSON && to.is_none() {
            let value: serde_json::Value = serde_json::from_slice(&bytes)?;
            out::json(&value)?;
            return Ok(Exit::Ok);
        }
        let path = match to {
            Some(path) => path,
            None => private_place(record_id, &content_type)?,
        };
        files::write_private(&path, &bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if self.json {
            out::json(&serde_json::json!({ "file": path, "content_type": content_type }))?;
        } else {
            out::line(path.display().to_string());
            out::error_line(self.words.say(Message::HeldPrivate {}));
        }
        if open {
            platform::open_file(&path)
                .with_context(|| format!("cannot open a viewer for {}", path.display()))?;
        }
        Ok(Exit::Ok)
    }

    async fn delete(&mut self, which: Option<Vec<String>>, yes: bool) -> anyhow::Result<Exit> {
        let captures = match self.captures().await? {
            Ok(captures) => captures,
            Err(exit) => return Ok(exit),
        };
        let record_ids: Vec<RecordId> = match which {
            None => {
                // Those that a license does not let be deleted stay; asked for by name, it says so.
                let here = captures.iter().filter(|one| one.may_delete);
                here.map(|one| one.record_id).collect()
            }
            Some(ids) => ids
                .iter()
                .map(|id| self.find(&captures, id).map(|one| one.record_id))
                .collect::<anyhow::Result<_>>()?,
        };
        if record_ids.is_empty() {
            out::line(self.words.say(Message::HeldNothingToDelete {}));
            return Ok(Exit::Ok);
        }
        let asked = HeldRequest::Consequence {
            record_ids: record_ids.clone(),
        };
        let told = match self.consequence(asked).await? {
            Ok(told) => told,
            Err(exit) => return Ok(exit),
        };
        // In JSON mode beside the answer, which is for a script.
        let show = if self.json {
            out::error_line
        } else {
            out::line
        };
        show(self.telling().consequence(&told));
        let (ask, nobody) = (Message::HeldAskDelete {}, Message::HeldNobody {});
        if !yes && !out::confirmed(self.words, ask, nobody)? {
            out::error_line(self.words.say(Message::HeldKept {}));
            return Ok(Exit::Failure);
        }
        let done = match self.consequence(HeldRequest::Delete { record_ids }).await? {
            Ok(done) => done,
            Err(exit) => return Ok(exit),
        };
        if self.json {
            out::json(&done)?;
        } else {
            out::line(self.words.say(Message::HeldGone {}));
        }
        Ok(Exit::Ok)
    }

    async fn captures(&mut self) -> anyhow::Result<Result<Vec<HeldCapture>, Exit>> {
        Ok(match self.ask(HeldRequest::List).await? {
            Ok(HeldAnswer::List { captures }) => Ok(captures),
            Ok(_) => bail!("the agent answered another question"),
            Err(exit) => Err(exit),
        })
    }

    async fn consequence(
        &mut self,
        request: HeldRequest,
    ) -> anyhow::Result<Result<Consequence, Exit>> {
        Ok(match self.ask(request).await? {
            Ok(HeldAnswer::Consequence(told)) => Ok(told),
            Ok(_) => bail!("the agent answered another question"),
            Err(exit) => Err(exit),
        })
    }

    fn telling(&self) -> Telling {
        Telling::new(self.words, now(self.home).0, TimeZone::system())
    }

    /// The one capture whose id is, or ends in, what was typed.
    fn find<'a>(&self, captures: &'a [HeldCapture], id: &str) -> anyhow::Result<&'a HeldCapture> {
        let wanted = id.trim().to_lowercase();
        let fits = |one: &&HeldCapture| one.record_id.to_string().ends_with(&wanted);
        let mut found = captures.iter().filter(fits);
        let id = Outside(id);
        match (found.next(), found.next()) {
            (Some(one), None) if wanted.len() >= 4 => Ok(one),
            (Some(_), _) => bail!(self.words.say(Message::HeldSeveral { id })),
            (None, _) => bail!(self.words.say(Message::HeldNone { id })),
        }
    }

    fn own(&mut self) -> anyhow::Result<&Desk> {
        let mut desk = match self.own.take() {
            Some(desk) => desk,
            None => desk(self.home)?,
        };
        (desk.now_ms, desk.holds_ms) = now(self.home);
        Ok(self.own.insert(desk))
    }

    /// Asks the running agent, or answers from the spools where none runs.
    async fn ask(&mut self, request: HeldRequest) -> anyhow::Result<Asked> {
        let answer = match call(&self.home.socket(), &Request::Held(request.clone())).await {
            Err(CallError::NotRunning) => self.own()?.answer(request).await,
            answered => answered?,
        };
        Ok(match answer {
            Answer::Held(answer) => Ok(answer),
            Answer::Refused { reason, message } => {
                Err(control::refused(reason, &message, self.json)?)
            }
            Answer::Done { .. } | Answer::Link { .. } => {
                bail!("the agent answered another question")
            }
        })
    }
}

/// The spools of every employer, opened here. Fails where an agent has just started with them.
pub(super) fn desk(home: &Home) -> anyhow::Result<Desk> {
    let licenses = LicenseStore::new(home.clone()).read()?.all;
    let mut companies: Vec<_> = licenses
        .iter()
        .map(|license| license.claims().issuer.company_id)
        .collect();
    companies.sort_unstable();
    companies.dedup();
    let mut sources = Vec::new();
    for company in companies {
        let path = home.spool(company);
        if path.exists() {
            let config = seal_key::spool_config(home, company, DEFAULT_QUOTA_BYTES)?;
            sources.push(Source {
                spool: Spool::open(&path, config)?,
                projects: Vec::new(),
            });
        }
    }
    let book = Book::default();
    book.set(&licenses);
    let (now_ms, holds_ms) = now(home);
    Ok(Desk {
        sources,
        licenses: Arc::new(book),
        journal: Journal::new(home.clone()),
        now_ms,
        holds_ms,
    })
}

/// By the wall clock, and by the one that holds are counted by.
fn now(home: &Home) -> (i64, i64) {
    let clock = platform::detect().clock();
    let now = clock.now();
    let holds = HoldClock::open(home.clone(), now, clock.boot_id());
    (now.wall_ms, holds.readings().at(now))
}

/// A place in the temporary folder that nobody else can guess or has made before.
fn private_place(id: RecordId, content_type: &str) -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("glasshour-{}", uuid::Uuid::new_v4()));
    files::create_private_dir(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let extension = match content_type {
        "image/webp" => "webp",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        _ => "bin",
    };
    Ok(folder.join(Path::new(&id.to_string()).with_extension(extension)))
}
