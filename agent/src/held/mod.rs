//! Captures that wait on this computer before they are sent (license: `review_hold_s`): the employee
//! lists them, looks at them and, where the license permits it, deletes them first.
//!
//! The consequence is told before anything is deleted, by the same functions that the server counts by:
//! [`Profile::stands_for`](glasshour_license_format::Profile::stands_for) and
//! [`RollUp::without`](glasshour_protocol::session::RollUp::without). The running agent answers over its
//! socket; where none runs, the command line opens the spools itself ([`Desk`] serves both).

pub mod clock;
mod consequence;
pub mod words;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glasshour_license_format::Claims;
use glasshour_protocol::device::Project;
use glasshour_protocol::{Kind, ProjectId, RecordId};
use glasshour_uploader::Spool;
use glasshour_uploader::send::LicenseBook as _;
use glasshour_uploader::spool::held::{Held, WithdrawError};
use serde::{Deserialize, Serialize};

use crate::ipc::{Answer, RefusedBy};
use crate::journal::Journal;
use crate::license::Book;

/// A capture that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCapture {
    /// Its id.
    pub record_id: RecordId,
    /// What it is.
    pub kind: Kind,
    /// When it was captured, UTC milliseconds.
    pub captured_at_ms: i64,
    /// Until when it waits, UTC milliseconds.
    pub until_ms: i64,
    /// Bytes of it.
    pub bytes: u64,
    /// For a screenshot: the monitor.
    pub monitor: Option<String>,
    /// True for a screenshot of a screen that had not changed: it has no picture of its own.
    pub unchanged: bool,
    /// What it was captured for.
    pub project: Option<String>,
    /// The employer.
    pub company: String,
    /// Whether the license lets you delete it.
    pub may_delete: bool,
}

/// A stretch of tracked time that a deletion takes off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOff {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds.
    pub to_ms: i64,
    /// What it was tracked on, where that has a name here.
    pub project: Option<String>,
}

/// What a deletion does to the tracked time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// What is deleted, oldest first.
    pub captures: Vec<HeldCapture>,
    /// What is taken off, in order.
    pub time_off: Vec<TimeOff>,
    /// All of it together, milliseconds.
    pub total_ms: i64,
}

/// What a held capture shows or says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldContent {
    /// Media type.
    pub content_type: String,
    /// Base64.
    pub payload: String,
}

/// What can be asked about held captures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "held", rename_all = "snake_case")]
pub enum HeldRequest {
    /// What waits?
    List,
    /// What does that one show?
    Show {
        /// Which.
        record_id: RecordId,
    },
    /// What would it mean to delete these?
    Consequence {
        /// Which.
        record_ids: Vec<RecordId>,
    },
    /// Delete these, all of them or none.
    Delete {
        /// Which.
        record_ids: Vec<RecordId>,
    },
}

/// What is answered about held captures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "held", rename_all = "snake_case")]
pub enum HeldAnswer {
    /// What waits, oldest first.
    List {
        /// Those that you have deleted are gone from it.
        captures: Vec<HeldCapture>,
    },
    /// What one shows.
    Content(HeldContent),
    /// What a deletion means, or has meant.
    Consequence(Consequence),
}

/// One employer's spool, with what there is to know for it.
pub struct Source {
    /// Where its records wait.
    pub spool: Spool,
    /// The projects, where the server has told them.
    pub projects: Vec<Project>,
}

/// Everything that questions about held captures are answered from.
pub struct Desk {
    /// Each employer's.
    pub sources: Vec<Source>,
    /// What the licenses say, all that were ever loaded.
    pub licenses: Arc<Book>,
    /// The own log of sessions.
    pub journal: Journal,
    /// Now, UTC milliseconds.
    pub now_ms: i64,
    /// Now, by the clock that holds are counted by ([`clock`]).
    pub holds_ms: i64,
}

/// A held record with where it lies.
struct Found<'a> {
    source: &'a Source,
    held: Held,
    claims: Arc<Claims>,
}

type Refused = (RefusedBy, String);

impl Desk {
    /// Answers a question, or does what is asked.
    pub async fn answer(&self, request: HeldRequest) -> Answer {
        let answered = match request {
            HeldRequest::List => self.list().await,
            HeldRequest::Show { record_id } => self.show(record_id).await,
            HeldRequest::Consequence { record_ids } => self
                .chosen(&record_ids)
                .await
                .map(|(chosen, _)| HeldAnswer::Consequence(chosen)),
            HeldRequest::Delete { record_ids } => self.delete(&record_ids).await,
        };
        match answered {
            Ok(answer) => Answer::Held(answer),
            Err((reason, message)) => Answer::Refused { reason, message },
        }
    }

    async fn list(&self) -> Result<HeldAnswer, Refused> {
        let found = self.found().await?;
        let captures = found.iter().map(Found::capture).collect();
        Ok(HeldAnswer::List { captures })
    }

    async fn show(&self, id: RecordId) -> Result<HeldAnswer, Refused> {
        for source in &self.sources {
            let content = source.spool.held_content(id, self.holds_ms).await;
            if let Some(content) = content.map_err(spool_failed)? {
                let payload = STANDARD.encode(content.payload);
                return Ok(HeldAnswer::Content(HeldContent {
                    content_type: content.content_type,
                    payload,
                }));
            }
        }
        Err(not_held(id))
    }

    async fn delete(&self, ids: &[RecordId]) -> Result<HeldAnswer, Refused> {
        let (consequence, spools) = self.chosen(ids).await?;
        for (spool, ids) in spools {
            spool
                .withdraw(ids, self.holds_ms, self.now_ms)
                .await
                .map_err(|error| match error {
                    WithdrawError::NotHeld(id) => not_held(id),
                    WithdrawError::NotDeletable(_) => (RefusedBy::License, error.to_string()),
                    WithdrawError::Spool(error) => spool_failed(error),
                })?;
        }
        Ok(HeldAnswer::Consequence(consequence))
    }

    /// What deleting them means, and which spool has which; refused where one of them may not be deleted.
    async fn chosen(
        &self,
        ids: &[RecordId],
    ) -> Result<(Consequence, Vec<(&Spool, Vec<RecordId>)>), Refused> {
        let found = self.found().await?;
        let mut chosen = Vec::new();
        for id in ids {
            let one = found
                .iter()
                .find(|one| one.held.header.record_id == *id)
                .ok_or_else(|| not_held(*id))?;
            if !one.may_delete() {
                return Err(not_licensed(&one.claims.issuer.company));
            }
            chosen.push(one);
        }
        let mut spools = Vec::new();
        for source in &self.sources {
            let of_this = |one: &&&Found<'_>| std::ptr::eq(one.source, source);
            let ids: Vec<_> = chosen
                .iter()
                .filter(of_this)
                .map(|one| one.held.header.record_id)
                .collect();
            if !ids.is_empty() {
                spools.push((&source.spool, ids));
            }
        }
        let consequence = self.consequence(&chosen).await.map_err(spool_failed)?;
        Ok((consequence, spools))
    }

    /// Everything that is held, oldest first.
    async fn found(&self) -> Result<Vec<Found<'_>>, Refused> {
        let mut all = Vec::new();
        for source in &self.sources {
            let waiting = source.spool.held(self.holds_ms).await;
            for mut held in waiting.map_err(spool_failed)? {
                // As a person's clock will show it.
                let left_ms = held.until_ms.saturating_sub(self.holds_ms);
                held.until_ms = self.now_ms.saturating_add(left_ms);
                // What its license says is not known where that was never loaded here.
                if let Some(claims) = self.licenses.claims(held.header.license_id) {
                    all.push(Found {
                        source,
                        held,
                        claims,
                    });
                }
            }
        }
        all.sort_by_key(|one| one.held.header.captured_at_ms);
        Ok(all)
    }
}

impl Found<'_> {
    fn may_delete(&self) -> bool {
        self.claims.profile.permits_deletion(self.held.header.kind)
    }

    fn project(&self, id: Option<ProjectId>) -> Option<String> {
        let id = id?;
        let known = self.source.projects.iter();
        known
            .filter(|project| project.project_id == id)
            .map(|project| project.name.clone())
            .next()
    }

    fn capture(&self) -> HeldCapture {
        let header = &self.held.header;
        let frame = header.meta.frame.as_ref();
        HeldCapture {
            record_id: header.record_id,
            kind: header.kind,
            captured_at_ms: header.captured_at_ms,
            until_ms: self.held.until_ms,
            bytes: header.payload_len,
            monitor: frame.map(|frame| frame.monitor.clone()),
            unchanged: frame.is_some_and(|frame| frame.unchanged),
            project: self.project(header.meta.project_id),
            company: self.claims.issuer.company.clone(),
            may_delete: self.may_delete(),
        }
    }
}

fn not_held(id: RecordId) -> Refused {
    let message = format!(
        "The capture {id} does not wait here: it was sent, is on its way, or was deleted. \
         `glasshour held` lists what waits."
    );
    (RefusedBy::State, message)
}

fn not_licensed(company: &str) -> Refused {
    let message = format!(
        "Your license by {company} does not let you delete captures. Ask your employer, who decides \
         that in the monitoring profile. Nothing was deleted."
    );
    (RefusedBy::License, message)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` takes")]
fn spool_failed(error: glasshour_uploader::spool::SpoolError) -> Refused {
    (RefusedBy::State, crate::sentence::with_causes(&error))
}
