//! What a payload must be, by the kind of its record. Nothing here decodes a picture: the server
//! checks that it begins as what it says it is, and never serves it as anything else.

use axum::body::Bytes;
use glasshour_license_format::Payload;
use glasshour_protocol::limits::{
    MAX_APPLICATION_CHARS, MAX_APPLICATIONS_PER_MINUTE, MAX_NOTE_CHARS, MAX_TITLE_CHARS,
};
use glasshour_protocol::payload::{ActivityMinute, HealthReport, JSON, NoticeEvent, SessionEvent};
use glasshour_protocol::picture::{self, Size};
use glasshour_protocol::withdrawal::{Reason, Withdrawal};
use glasshour_protocol::{Kind, RecordHeader};
use serde::de::DeserializeOwned;

use super::{MAX_TIME_MS, invalid};
use crate::error::ApiError;

/// Content type of a screenshot that equals the one before and so has no payload.
const NOTHING: &str = "application/octet-stream";
/// Largest JSON payload: a minute with the longest titles stays below it.
const MAX_JSON_BYTES: u64 = 512 * 1024;

/// A payload, read.
#[derive(Debug)]
pub(super) enum Content {
    /// An image of that size, to be kept in the object store.
    Picture(Size),
    /// A screenshot that equals the one before of its monitor.
    Unchanged,
    /// A minute of activity.
    Activity(ActivityMinute),
    /// An event of a session.
    Session(SessionEvent),
    /// The agent's state.
    Health(HealthReport),
    /// The notice was shown.
    Notice,
    /// Nothing, and the device signed for that; as read and as signed.
    Withdrawn(Box<(Withdrawal, String)>),
}

impl Content {
    /// Whether the bytes go to the object store.
    pub(super) fn is_picture(&self) -> bool {
        matches!(self, Self::Picture(_))
    }

    /// What the license is held against.
    pub(super) fn as_licensed(&self) -> (Payload<'_>, Option<Reason>) {
        let payload = match self {
            Self::Activity(minute) => Payload::Minute(minute),
            Self::Picture(size) => Payload::Picture(*size),
            Self::Unchanged | Self::Session(_) | Self::Health(_) | Self::Notice => Payload::Other,
            Self::Withdrawn(_) => Payload::Unread,
        };
        (payload, self.withdrawal().map(|(read, _)| read.reason))
    }

    /// The signed withdrawal, where that is what came.
    pub(super) fn withdrawal(&self) -> Option<&(Withdrawal, String)> {
        match self {
            Self::Withdrawn(withdrawal) => Some(withdrawal),
            _ => None,
        }
    }
}

/// Whether the payload must be a picture. Refuses what the header alone shows to be wrong, before any
/// of the payload is read.
pub(super) fn is_picture(header: &RecordHeader) -> Result<bool, ApiError> {
    let frame = match header.kind {
        Kind::Screenshot => Some(
            header
                .meta
                .frame
                .as_ref()
                .ok_or_else(|| invalid("meta.frame", "is missing"))?,
        ),
        Kind::Camera => None,
        Kind::Activity | Kind::Session | Kind::Health | Kind::Notice => {
            return check_json(header).map(|()| false);
        }
    };
    if frame.is_some_and(|frame| frame.unchanged) {
        return check_unchanged(header).map(|()| false);
    }
    if picture::TYPES.contains(&header.content_type.as_str()) {
        Ok(true)
    } else {
        Err(invalid(
            "content_type",
            "must be image/webp, image/png or image/jpeg",
        ))
    }
}

/// Reads a payload whose length and hash are right, and whose header [`is_picture`] has let pass.
pub(super) fn read(header: &RecordHeader, bytes: &Bytes) -> Result<Content, ApiError> {
    match header.kind {
        Kind::Screenshot if bytes.is_empty() => Ok(Content::Unchanged),
        Kind::Screenshot | Kind::Camera => picture::size(&header.content_type, bytes)
            .map(Content::Picture)
            .ok_or_else(|| invalid("payload", "is not an image of its content type")),
        Kind::Activity => json(bytes).and_then(activity),
        Kind::Session => json(bytes).and_then(|event| session(header, event)),
        Kind::Health => json(bytes).map(Content::Health),
        Kind::Notice => json::<NoticeEvent>(bytes).map(|_| Content::Notice),
    }
}

/// Refuses a picture that is not as large as its header says.
pub(super) fn agrees(header: &RecordHeader, content: &Content) -> Result<(), ApiError> {
    let (Content::Picture(size), Some(frame)) = (content, &header.meta.frame) else {
        return Ok(());
    };
    if (size.width, size.height) == (frame.width, frame.height) {
        Ok(())
    } else {
        Err(invalid(
            "meta.frame",
            "says another size than the picture has",
        ))
    }
}

fn check_unchanged(header: &RecordHeader) -> Result<(), ApiError> {
    if header.payload_len != 0 {
        return Err(invalid("payload_len", "must be 0 for an unchanged frame"));
    }
    if header.content_type != NOTHING {
        return Err(invalid(
            "content_type",
            "must be application/octet-stream for an unchanged frame",
        ));
    }
    Ok(())
}

fn check_json(header: &RecordHeader) -> Result<(), ApiError> {
    if header.content_type != JSON {
        return Err(invalid(
            "content_type",
            "must be application/json for this kind",
        ));
    }
    if header.payload_len > MAX_JSON_BYTES {
        return Err(invalid("payload", "is larger than any of this kind"));
    }
    Ok(())
}

fn json<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(bytes)
        .map_err(|error| invalid("payload", "is not what its kind says").with_source(error))
}

fn activity(minute: ActivityMinute) -> Result<Content, ApiError> {
    let length = minute.to_ms.saturating_sub(minute.from_ms);
    if !(0..=MAX_TIME_MS).contains(&minute.from_ms) || !(1..=60_000).contains(&length) {
        return Err(invalid(
            "payload.to_ms",
            "must be within a minute after `from_ms`",
        ));
    }
    let long = |text: &str, max: usize| text.chars().count() > max;
    let too_much = minute.applications.len() > MAX_APPLICATIONS_PER_MINUTE
        || minute.applications.iter().any(|part| {
            long(&part.name, MAX_APPLICATION_CHARS)
                || part
                    .title
                    .as_deref()
                    .is_some_and(|title| long(title, MAX_TITLE_CHARS))
        });
    if too_much {
        return Err(invalid(
            "payload.applications",
            "is longer than a minute may have",
        ));
    }
    Ok(Content::Activity(minute))
}

fn session(header: &RecordHeader, event: SessionEvent) -> Result<Content, ApiError> {
    if header
        .meta
        .session_id
        .is_some_and(|id| id != event.session_id)
    {
        return Err(invalid(
            "payload.session_id",
            "is not the one in the record header",
        ));
    }
    if !(0..=MAX_TIME_MS).contains(&event.at_ms) {
        return Err(invalid("payload.at_ms", "is not a time"));
    }
    if event.idle.is_some_and(|said| {
        said.from_ms > said.to_ms
            || !(0..=MAX_TIME_MS).contains(&said.from_ms)
            || !(0..=MAX_TIME_MS).contains(&said.to_ms)
    }) {
        return Err(invalid("payload.idle", "is not a stretch of time"));
    }
    if event
        .note
        .as_deref()
        .is_some_and(|note| note.chars().count() > MAX_NOTE_CHARS)
    {
        return Err(invalid("payload.note", "is too long"));
    }
    Ok(Content::Session(event))
}
