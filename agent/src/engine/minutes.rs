//! A finished minute of activity with what its record's header needs.

use glasshour_protocol::payload::ActivityMinute;
use glasshour_protocol::{ProjectId, RecordMeta, SessionId};

use crate::clock::Moment;

/// One minute, captured in one session.
pub(super) struct Minute {
    /// When it ended.
    pub(super) now: Moment,
    /// What was counted.
    pub(super) activity: ActivityMinute,
    /// The session.
    pub(super) session_id: SessionId,
    /// The project at its end.
    pub(super) project_id: Option<ProjectId>,
}

impl Minute {
    pub(super) fn meta(&self) -> RecordMeta {
        RecordMeta {
            session_id: Some(self.session_id),
            project_id: self.project_id,
            ..RecordMeta::default()
        }
    }
}
