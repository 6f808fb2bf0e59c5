//! Records as received: the signed header byte for byte, the columns read from it, and either a
//! JSON payload or the name (SHA-256) of a picture in the object store.

use glasshour_protocol::record::FrameMeta;
use glasshour_protocol::withdrawal::{Reason, Withdrawal};
use glasshour_protocol::{
    DeviceId, EmployeeId, Kind, LicenseId, ProjectId, RecordHeader, RecordId, SessionId,
    SignedHeader,
};
use sqlx::FromRow;

use super::column::{Nullable, Text, to_bigint};
use super::{Read, StoreError, Write, on};
use crate::report::Grade;

/// A stored record, without its payload and header bytes.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Record {
    /// Its id.
    #[sqlx(try_from = "Text<RecordId>")]
    pub record_id: RecordId,
    /// Who signed it.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// What permitted it.
    #[sqlx(try_from = "Text<LicenseId>")]
    pub license_id: LicenseId,
    /// About whom it is.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// Its place in the chain of its device and license, from 1.
    #[sqlx(try_from = "i64")]
    pub seq: u64,
    /// SHA-256 (hex) of the header before it.
    pub prev: Option<String>,
    /// What it is about.
    #[sqlx(try_from = "Text<Kind>")]
    pub kind: Kind,
    /// The device's wall clock, UTC milliseconds.
    pub captured_at: i64,
    /// The device's offset from UTC, minutes, east positive.
    pub utc_offset_min: i64,
    /// The device's monotonic clock within `boot_id`, milliseconds.
    pub mono_ms: i64,
    /// The boot that `mono_ms` counts in.
    pub boot_id: String,
    /// The session it was captured in.
    #[sqlx(try_from = "Nullable<SessionId>")]
    pub session_id: Option<SessionId>,
    /// Media type of the payload.
    pub content_type: String,
    /// Bytes of the payload.
    #[sqlx(try_from = "i64")]
    pub payload_len: u64,
    /// SHA-256 (hex) of the payload.
    pub payload_sha256: String,
    /// The signed header, byte for byte.
    pub header: Vec<u8>,
    /// SHA-256 (hex) of those bytes.
    pub header_sha256: String,
    /// How far it can be trusted.
    #[sqlx(try_from = "Text<Grade>")]
    pub grade: Grade,
    /// When it was stored, UTC milliseconds.
    pub received_at: i64,
    /// Why there is no payload, where it was withdrawn.
    #[sqlx(try_from = "Nullable<Reason>")]
    pub withdrawn: Option<Reason>,
}

/// A record to be stored.
#[derive(Debug)]
pub struct NewRecord<'a> {
    /// The header as signed.
    pub signed: &'a SignedHeader,
    /// The same, read.
    pub header: &'a RecordHeader,
    /// About whom it is.
    pub employee_id: EmployeeId,
    /// The payload where it is kept in the row; pictures are not.
    pub inline_payload: Option<&'a [u8]>,
    /// Why it has no payload, read and as signed, where it was withdrawn.
    pub withdrawal: Option<&'a (Withdrawal, String)>,
    /// How far it can be trusted.
    pub grade: Grade,
    /// UTC milliseconds.
    pub received_at: i64,
}

/// A place in the list of records: those behind it come next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `captured_at` of the last one seen.
    pub captured_at: i64,
    /// Its id.
    pub record_id: RecordId,
}

/// Which records, oldest capture first.
#[derive(Clone, Debug)]
pub struct RecordFilter {
    /// Of this workspace's employees only.
    pub workspace_id: Option<String>,
    /// Of this employee only.
    pub employee_id: Option<EmployeeId>,
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// Captured at or after, UTC milliseconds.
    pub from_ms: i64,
    /// Captured before, UTC milliseconds.
    pub to_ms: i64,
    /// Behind this place.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: u32,
}

/// A screenshot or a picture of the camera, with the record whose picture shows it: itself, or the
/// one it equals.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Screenshot {
    /// The record.
    #[sqlx(try_from = "Text<RecordId>")]
    pub record_id: RecordId,
    /// The device.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// The session it was captured in.
    #[sqlx(try_from = "Nullable<SessionId>")]
    pub session_id: Option<SessionId>,
    /// The project at that moment.
    #[sqlx(try_from = "Nullable<ProjectId>")]
    pub project_id: Option<ProjectId>,
    /// UTC milliseconds.
    pub captured_at: i64,
    /// The device's offset from UTC, minutes, east positive.
    pub utc_offset_min: i64,
    /// The monitor's name.
    pub monitor: Option<String>,
    /// The signed header: [`RecordHeader`] as JSON, with the frame's size in `meta.frame`.
    pub header: Vec<u8>,
    /// How far it can be trusted.
    #[sqlx(try_from = "Text<Grade>")]
    pub grade: Grade,
    /// The record whose payload is the picture. `None` for an unchanged frame whose original has
    /// not arrived yet.
    #[sqlx(try_from = "Nullable<RecordId>")]
    pub image_record_id: Option<RecordId>,
    /// Why there is no picture, where it, or the one it equals, was withdrawn.
    #[sqlx(try_from = "Nullable<Reason>")]
    pub withdrawn: Option<Reason>,
}

impl Read {
    /// A record by id.
    pub async fn record(&mut self, id: RecordId) -> Result<Option<Record>, StoreError> {
        const SQL: &str = "SELECT record_id, device_id, license_id, employee_id, seq, prev, kind, \
            captured_at, utc_offset_min, mono_ms, boot_id, session_id, content_type, payload_len, \
            payload_sha256, header, header_sha256, grade, received_at, withdrawn \
            FROM records WHERE company_id = $1 AND record_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?)
    }

    /// The payload of a record that is kept in its row.
    pub async fn inline_payload(&mut self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT payload FROM records WHERE company_id = $1 AND record_id = $2";
        let row: Option<(Option<Vec<u8>>,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?;
        Ok(row.and_then(|(payload,)| payload))
    }

    /// The record at a place of a chain; the first received where a forked chain has several.
    pub async fn record_at(
        &mut self,
        device: DeviceId,
        license: LicenseId,
        seq: u64,
    ) -> Result<Option<Record>, StoreError> {
        const SQL: &str = "SELECT record_id, device_id, license_id, employee_id, seq, prev, kind, \
            captured_at, utc_offset_min, mono_ms, boot_id, session_id, content_type, payload_len, \
            payload_sha256, header, header_sha256, grade, received_at, withdrawn \
            FROM records WHERE company_id = $1 AND device_id = $2 AND license_id = $3 AND seq = $4 \
            ORDER BY received_at, record_id LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(device.to_string()).bind(license.to_string())
            .bind(to_bigint(seq)).fetch_optional(c).await)?)
    }

    /// Records by time of capture.
    pub async fn records(&mut self, filter: &RecordFilter) -> Result<Vec<Record>, StoreError> {
        const ALL: &str = "SELECT record_id, device_id, license_id, employee_id, seq, prev, kind, \
            captured_at, utc_offset_min, mono_ms, boot_id, session_id, content_type, payload_len, \
            payload_sha256, header, header_sha256, grade, received_at, withdrawn \
            FROM records WHERE company_id = $1 AND captured_at >= $2 AND captured_at < $3 \
            AND (captured_at > $4 OR (captured_at = $4 AND record_id > $5)) \
            AND ($6 = '' OR kind = $6) AND ($8 = '' OR employee_id IN (SELECT e.employee_id \
              FROM employees e WHERE e.company_id = $1 AND e.workspace_id = $8)) \
            ORDER BY captured_at, record_id LIMIT $7";
        const OF_EMPLOYEE: &str = "SELECT record_id, device_id, license_id, employee_id, seq, prev, \
            kind, captured_at, utc_offset_min, mono_ms, boot_id, session_id, content_type, \
            payload_len, payload_sha256, header, header_sha256, grade, received_at, withdrawn \
            FROM records WHERE company_id = $1 AND captured_at >= $2 AND captured_at < $3 \
            AND (captured_at > $4 OR (captured_at = $4 AND record_id > $5)) \
            AND ($6 = '' OR kind = $6) AND ($8 = '' OR employee_id IN (SELECT e.employee_id \
              FROM employees e WHERE e.company_id = $1 AND e.workspace_id = $8)) \
            AND employee_id = $9 ORDER BY captured_at, record_id LIMIT $7";
        let (after_ms, after_id) = filter
            .after
            .as_ref()
            .map_or((i64::MIN, String::new()), |at| {
                (at.captured_at, at.record_id.to_string())
            });
        let kind = filter.kind.map_or("", Kind::as_str);
        let workspace = filter.workspace_id.as_deref().unwrap_or_default();
        let rows = match filter.employee_id {
            None => on!(self, c => sqlx::query_as(ALL)
                .bind(&self.company).bind(filter.from_ms).bind(filter.to_ms)
                .bind(after_ms).bind(&after_id).bind(kind).bind(i64::from(filter.limit))
                .bind(workspace)
                .fetch_all(c).await)?,
            Some(employee) => on!(self, c => sqlx::query_as(OF_EMPLOYEE)
                .bind(&self.company).bind(filter.from_ms).bind(filter.to_ms)
                .bind(after_ms).bind(&after_id).bind(kind).bind(i64::from(filter.limit))
                .bind(workspace).bind(employee.to_string())
                .fetch_all(c).await)?,
        };
        Ok(rows)
    }

    /// An employee's pictures of one kind of `[from_ms, to_ms)` by time, each with the record that holds its
    /// picture: for an unchanged frame the one before it of the same monitor of that device. Where that
    /// one was withdrawn there is none: an older picture is not what the screen showed.
    pub async fn pictures(
        &mut self,
        kind: Kind,
        employee: EmployeeId,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<Screenshot>, StoreError> {
        const SQL: &str = "SELECT r.record_id, r.device_id, r.session_id, r.project_id, \
            r.captured_at, r.utc_offset_min, r.monitor, r.header, r.grade, \
            CASE WHEN i.withdrawn IS NULL AND r.withdrawn IS NULL THEN i.record_id END \
            AS image_record_id, COALESCE(r.withdrawn, i.withdrawn) AS withdrawn \
            FROM records r LEFT JOIN records i ON i.company_id = r.company_id AND i.record_id = \
              CASE WHEN r.payload_len > 0 THEN r.record_id ELSE \
              (SELECT p.record_id FROM records p WHERE p.company_id = r.company_id \
                AND p.device_id = r.device_id AND p.monitor = r.monitor \
                AND p.employee_id = r.employee_id AND p.captured_at <= r.captured_at \
                AND p.payload_len > 0 ORDER BY p.captured_at DESC, p.record_id DESC LIMIT 1) END \
            WHERE r.company_id = $1 AND r.employee_id = $2 \
            AND r.kind = $6 AND r.captured_at >= $3 AND r.captured_at < $4 \
            ORDER BY r.captured_at, r.record_id LIMIT $5";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).bind(from_ms).bind(to_ms)
            .bind(i64::from(limit)).bind(kind.as_str()).fetch_all(c).await)?)
    }
}

impl Write {
    /// Stores a record; false where its id is there already, and then nothing changed.
    pub async fn insert_record(&mut self, new: &NewRecord<'_>) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO records (company_id, record_id, device_id, license_id, \
            employee_id, seq, prev, kind, captured_at, utc_offset_min, mono_ms, boot_id, \
            session_id, project_id, monitor, content_type, payload_len, payload_sha256, payload, \
            header, header_sha256, signature, grade, received_at, withdrawn, withdrawn_at, \
            withdrawal, boot_ms) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
            $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28) \
            ON CONFLICT (company_id, record_id) DO NOTHING";
        let header = new.header;
        let meta = &header.meta;
        let withdrawal = new.withdrawal;
        let inserted = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(header.record_id.to_string())
            .bind(header.device_id.to_string()).bind(header.license_id.to_string())
            .bind(new.employee_id.to_string()).bind(to_bigint(header.seq)).bind(&header.prev)
            .bind(header.kind.as_str()).bind(header.captured_at_ms)
            .bind(i64::from(header.utc_offset_min)).bind(to_bigint(header.mono_ms))
            .bind(&header.boot_id).bind(meta.session_id.map(|id| id.to_string()))
            .bind(meta.project_id.map(|id| id.to_string()))
            .bind(meta.frame.as_ref().map(|frame| frame.monitor.clone()))
            .bind(&header.content_type).bind(to_bigint(header.payload_len))
            .bind(&header.payload_sha256).bind(new.inline_payload)
            .bind(&new.signed.bytes).bind(new.signed.hash()).bind(&new.signed.signature)
            .bind(new.grade.as_str()).bind(new.received_at)
            .bind(withdrawal.map(|(read, _)| read.reason.as_str()))
            .bind(withdrawal.map(|(read, _)| read.at_ms))
            .bind(withdrawal.map(|(_, signed)| signed.as_str()))
            .bind(meta.boot_ms.map(to_bigint))
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(inserted == 1)
    }

    /// Grades a record anew, when the one before it in the chain arrives late.
    pub async fn set_grade(&mut self, id: RecordId, grade: Grade) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE records SET grade = $3 WHERE company_id = $1 AND record_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id.to_string()).bind(grade.as_str())
            .execute(c).await.map(drop))?;
        Ok(())
    }
}

impl Screenshot {
    /// What the picture shows: monitor, place, size, blur. `None` only for a header that this
    /// version cannot read any more.
    pub fn frame(&self) -> Option<FrameMeta> {
        serde_json::from_slice::<RecordHeader>(&self.header)
            .ok()?
            .meta
            .frame
    }
}
