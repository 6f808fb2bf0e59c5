//! The transaction that stores a record: row, grade, roll-ups, all or nothing.

use axum::body::Bytes;
use glasshour_protocol::{CompanyId, Receipt, RecordHeader, RecordId, SignedHeader};

use super::check_permit;
use super::payload::Content;
use crate::error::ApiError;
use crate::people::tracking;
use crate::report::{self, Link};
use crate::room::Share;
use crate::store::{Device, NewRecord, Read, Record, Write};

/// A record that passed every check but those of the transaction.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) company: CompanyId,
    pub(super) device: Device,
    pub(super) signed: SignedHeader,
    pub(super) header: RecordHeader,
    pub(super) bytes: Bytes,
    pub(super) content: Content,
    /// Its share of the memory for what is under way, until it is settled.
    pub(super) _room: Share,
}

/// The receipt of a record that is stored already; 409 where its id names another record, or where it
/// is stored with the payload that this request withdraws: nobody is told that it is gone.
pub(super) async fn already(
    read: &mut Read,
    signed: &SignedHeader,
    (record_id, withdrawn): (RecordId, bool),
) -> Result<Option<Receipt>, ApiError> {
    let Some(stored) = read.record(record_id).await? else {
        return Ok(None);
    };
    if stored.header != signed.bytes {
        return Err(ApiError::conflict(
            Some("record_id"),
            "Another record has that id.",
        ));
    }
    if withdrawn && stored.withdrawn.is_none() {
        return Err(ApiError::conflict(
            None,
            "The record was sent with its content before it was withdrawn. Ask your employer to \
             delete it.",
        ));
    }
    Ok(Some(Receipt {
        record_id,
        stored_at_ms: stored.received_at,
        new: false,
    }))
}

/// Stores a record whose picture, if it has one, is on disk already. It is durable when the transaction
/// is.
pub(super) async fn store(
    write: &mut Write,
    record: &Incoming,
    now_ms: i64,
) -> Result<Receipt, ApiError> {
    let Incoming {
        device,
        signed,
        header,
        bytes,
        content,
        ..
    } = record;

    // First of all: chains and sessions are computed from rows of this device.
    write.touch_device(device.device_id, now_ms).await?;
    // Asked again: a revocation or deactivation may have come since, and it takes effect at once.
    let revoked = write
        .device(device.device_id)
        .await?
        .is_none_or(|now| now.revoked_at.is_some());
    if revoked {
        return Err(crate::auth::revoked());
    }
    let withdrawal = content.withdrawal();
    let asked = content.as_licensed();
    let permit = check_permit(write, device, header, asked, now_ms).await?;

    let before = match header.seq.checked_sub(1) {
        None | Some(0) => None,
        Some(seq) => {
            write
                .record_at(header.device_id, header.license_id, seq)
                .await?
        }
    };
    let grade = report::grade(header, before.as_ref().map(link).as_ref(), now_ms);
    let inline = !content.is_picture() && withdrawal.is_none();
    let new = NewRecord {
        signed,
        header,
        employee_id: device.employee_id,
        inline_payload: inline.then_some(bytes.as_ref()),
        withdrawal,
        grade,
        received_at: now_ms,
    };
    if !write.insert_record(&new).await? {
        // Another request with the same record was faster.
        let asked = (header.record_id, withdrawal.is_some());
        let receipt = already(write, signed, asked).await?;
        return receipt.ok_or_else(|| ApiError::internal("a record is there and is not"));
    }
    heal_gap_behind(write, signed, header).await?;

    match content {
        Content::Activity(minute) => {
            write
                .insert_activity(header, device.employee_id, minute)
                .await?;
        }
        Content::Session(event) => {
            write
                .insert_session_event(device.device_id, header.record_id, header.seq, event)
                .await?;
        }
        Content::Health(health) => {
            write
                .set_device_health(device.device_id, health, header.captured_at_ms)
                .await?;
        }
        Content::Withdrawn(_) => {
            let span = permit.span_off(header, asked.1);
            if let (Some(session), Some(span)) = (header.meta.session_id, span) {
                write
                    .insert_withdrawn_span(device.device_id, session, header.record_id, span)
                    .await?;
            }
        }
        Content::Picture(_) | Content::Unchanged | Content::Notice => {}
    }
    let session = match content {
        Content::Session(event) => Some(event.session_id),
        _ => header.meta.session_id,
    };
    if let Some(session) = session {
        let (device, employee) = (device.device_id, device.employee_id);
        tracking::roll_up(write, device, employee, session, header.captured_at_ms).await?;
    }
    Ok(Receipt {
        record_id: header.record_id,
        stored_at_ms: now_ms,
        new: true,
    })
}

/// Grades the record behind this one anew where it had been waiting for it.
async fn heal_gap_behind(
    write: &mut Write,
    signed: &SignedHeader,
    header: &RecordHeader,
) -> Result<(), ApiError> {
    let next = header.seq.saturating_add(1);
    let behind = write
        .record_at(header.device_id, header.license_id, next)
        .await?;
    let Some(behind) = behind.filter(|record| record.grade == report::Grade::GapBefore) else {
        return Ok(());
    };
    let Ok(behind_header) = serde_json::from_slice(&behind.header) else {
        return Ok(());
    };
    let link = Link {
        hash: signed.hash(),
        captured_at_ms: header.captured_at_ms,
        mono_ms: i64::try_from(header.mono_ms).unwrap_or(i64::MAX),
        boot_id: header.boot_id.clone(),
    };
    let grade = report::grade(&behind_header, Some(&link), behind.received_at);
    if grade != behind.grade {
        write.set_grade(behind.record_id, grade).await?;
    }
    Ok(())
}

fn link(record: &Record) -> Link {
    Link {
        hash: record.header_sha256.clone(),
        captured_at_ms: record.captured_at,
        mono_ms: record.mono_ms,
        boot_id: record.boot_id.clone(),
    }
}
