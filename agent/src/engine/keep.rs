//! Making records and keeping them: session events, minutes, notices, and what a crash left open.

use std::collections::VecDeque;

use glasshour_protocol::payload::{Cause, NoticeEvent, SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, Kind, LicenseId, RecordMeta, SessionId};
use glasshour_uploader::Draft;
use glasshour_uploader::spool::{CapturedAt, SpoolError};

use super::tracking::Tracking;
use super::{Engine, minutes};
use crate::clock::Moment;
use crate::journal::{Entry, LeftOpen};

/// Records of one employer that wait in memory while its spool cannot be written; images are not among them.
const MOST_UNPUSHED: usize = 2000;

impl Engine {
    pub(super) async fn push_event(
        &mut self,
        tracking: &mut Tracking,
        now: Moment,
        event: &SessionEvent,
    ) {
        let license_id = tracking.license_id();
        let entry = Entry {
            license_id,
            event: event.clone(),
        };
        if let Err(error) = self.journal.append(&entry) {
            tracing::error!(%error, "the session log cannot be written");
        }
        let meta = RecordMeta {
            session_id: Some(event.session_id),
            project_id: tracking.project_at(event),
            ..RecordMeta::default()
        };
        let draft = self.json_draft(license_id, Kind::Session, now, event, meta, 0);
        self.push(tracking.company(), draft).await;
        if event.event == SessionEventKind::Stopped {
            self.alive.remove(&event.session_id);
        }
        self.note_alive(tracking, now);
    }

    pub(super) async fn push_minute(&mut self, tracking: &Tracking, minute: minutes::Minute) {
        let meta = minute.meta();
        let hold = self.hold_until(tracking.license(), minute.now);
        self.session_reaches(meta.session_id, minute.now);
        let draft = self.json_draft(
            tracking.license_id(),
            Kind::Activity,
            minute.now,
            &minute.activity,
            meta,
            hold,
        );
        self.push(tracking.company(), draft).await;
    }

    /// Rule 19: what a crash left open ends at its last sign of life. What belongs to an employer whose
    /// records cannot be kept now waits until they can.
    pub(super) async fn recover_crashed_sessions(&mut self, now: Moment) {
        for left in std::mem::take(&mut self.left_open) {
            match self.accounts.company_of(left.started.license_id) {
                Some(company) => self.recover(company, left, now).await,
                None => self.left_open.push(left),
            }
        }
    }

    async fn recover(&mut self, company: CompanyId, left: LeftOpen, now: Moment) {
        let LeftOpen { started, alive_ms } = left;
        let event = SessionEvent {
            event: SessionEventKind::Stopped,
            cause: Cause::CrashRecovered,
            at_ms: alive_ms,
            project_id: None,
            note: None,
            idle: None,
            ..started.event
        };
        let meta = RecordMeta {
            session_id: Some(event.session_id),
            ..RecordMeta::default()
        };
        let draft = self.json_draft(started.license_id, Kind::Session, now, &event, meta, 0);
        self.push(company, draft).await;
        self.today.add(started.license_id, &event, now);
        if let Err(error) = self.journal.append(&Entry {
            license_id: started.license_id,
            event,
        }) {
            tracing::error!(%error, "the session log cannot be written");
        }
    }

    /// Makes the signed records of notices that were shown or acknowledged.
    pub(super) async fn record_notices(&mut self, now: Moment) {
        for notice in self.notices.unrecorded() {
            let license_id = notice.license_id;
            let Some(account) = self.accounts.of_license(license_id) else {
                continue;
            };
            let payload = NoticeEvent {
                license_id,
                license_sha256: account.payload_sha256(license_id).unwrap_or_default(),
                event: notice.event,
                shown_by: notice.shown_by,
                language: notice.language,
            };
            let company = account.company();
            let meta = RecordMeta::default();
            let draft = self.json_draft(license_id, Kind::Notice, now, &payload, meta, 0);
            // Not queued in memory where it fails: it is made again at the next turn.
            if self.unpushed.contains_key(&company) || !self.try_push(company, &draft).await {
                continue;
            }
            if let Err(error) = self.notices.set_recorded(license_id, notice.event) {
                tracing::error!(%error, "the notices file cannot be written");
            }
        }
    }

    /// Keeps a record, and says whether it is durable now. What cannot be kept is tried again, behind
    /// what already waits so that records stay in order; but for pictures, which are not worth the memory.
    pub(super) async fn push(&mut self, company: CompanyId, draft: Draft) -> bool {
        self.retry_unpushed(company).await;
        let waiting = self.unpushed.get(&company).map_or(0, VecDeque::len);
        if waiting == 0 && self.try_push(company, &draft).await {
            return true;
        }
        let picture = matches!(draft.kind, Kind::Screenshot | Kind::Camera);
        if !picture && waiting < MOST_UNPUSHED {
            self.unpushed.entry(company).or_default().push_back(draft);
        } else {
            tracing::error!(kind = %draft.kind, "a record could not be kept and is lost");
        }
        false
    }

    /// Tries again to keep what could not be kept, each employer's for itself.
    pub(super) async fn retry_all_unpushed(&mut self) {
        let waiting: Vec<CompanyId> = self.unpushed.keys().copied().collect();
        for company in waiting {
            self.retry_unpushed(company).await;
        }
    }

    async fn retry_unpushed(&mut self, company: CompanyId) {
        let Some(mut drafts) = self.unpushed.remove(&company) else {
            return;
        };
        while let Some(draft) = drafts.front() {
            if !self.try_push(company, draft).await {
                self.unpushed.insert(company, drafts);
                return;
            }
            drafts.pop_front();
        }
    }

    async fn try_push(&mut self, company: CompanyId, draft: &Draft) -> bool {
        let Some(account) = self.accounts.get(company) else {
            return false;
        };
        match account.spool.push(draft.clone()).await {
            Ok(_) => {
                self.spool_trouble.remove(&company);
                self.count_captured(company, draft);
                true
            }
            // By a stated policy, and counted. Whoever took the picture knows that it is not there.
            Err(SpoolError::Full) => {
                self.spool_trouble.remove(&company);
                false
            }
            Err(error) => {
                tracing::error!(%error, kind = %draft.kind, "a record could not be kept");
                self.spool_trouble.insert(company, spool_sentence(&error));
                false
            }
        }
    }

    pub(super) fn json_draft(
        &self,
        license_id: LicenseId,
        kind: Kind,
        at: Moment,
        payload: &impl serde::Serialize,
        meta: RecordMeta,
        hold_until_ms: i64,
    ) -> Draft {
        Draft {
            license_id,
            kind,
            captured: self.captured(at),
            content_type: glasshour_protocol::payload::JSON.into(),
            payload: serde_json::to_vec(payload).expect("plain data with string keys"),
            meta,
            hold_until_ms,
        }
    }

    pub(super) fn captured(&self, at: Moment) -> CapturedAt {
        CapturedAt {
            wall_ms: at.wall_ms,
            mono_ms: at.mono_ms,
            boot_id: self.clock.boot_id().to_owned(),
            utc_offset_min: at.utc_offset_min,
        }
    }

    /// A capture of that moment is about to be kept: a session that is cut ends no earlier (rule 19).
    pub(super) fn session_reaches(&mut self, session: Option<SessionId>, captured: Moment) {
        let Some(session) = session else { return };
        let known = self.alive.get(&session).copied().unwrap_or(i64::MIN);
        if known < captured.wall_ms {
            self.alive.insert(session, captured.wall_ms);
            self.write_alive();
        }
    }

    fn write_alive(&self) {
        if let Err(error) = self.journal.alive(&self.alive) {
            tracing::error!(%error, "the sign of life cannot be written");
        }
    }

    pub(super) fn note_alive(&mut self, tracking: &mut Tracking, now: Moment) {
        tracking.last_alive_mono_ms = now.mono_ms;
        self.keep_captured();
        if let Some(running) = tracking.machine.running() {
            self.alive.insert(running.session_id, now.wall_ms);
            self.write_alive();
        }
    }
}

fn spool_sentence(error: &SpoolError) -> String {
    match error {
        SpoolError::DiskFull => {
            "The disk is full: captures cannot be kept. Free some space.".into()
        }
        other => format!("Captures cannot be kept: {other}."),
    }
}
