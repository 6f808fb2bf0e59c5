//! Stored records, for scripts: the list, and the payloads as they were signed.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::withdrawal::Reason;
use glasshour_protocol::{
    CompanyId, DeviceId, EmployeeId, Kind, LicenseId, RecordHeader, RecordId, RecordMeta,
    SessionId, code,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::objects::ObjectKey;
use crate::people::gaps::Gaps;
use crate::people::{self, AcceptanceForm, reach};
use crate::report::{Grade, Waits};
use crate::store::{Acceptance, Place, Record, RecordFilter, ViewKind};

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RecordQuery {
    /// Of this employee only.
    employee_id: Option<String>,
    /// `screenshot`, `camera`, `activity`, `session`, `health` or `notice`.
    kind: Option<String>,
    /// RFC 3339: captured at or after.
    from: Option<String>,
    /// RFC 3339: captured before.
    to: Option<String>,
    /// 1 to 1000; 100 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
    /// Of this workspace's employees only.
    workspace_id: Option<String>,
    /// Why, where nobody in particular is named: whoever is looked at is shown it. A person must say it;
    /// for a script its token's name stands in.
    reason: Option<String>,
}

/// A record, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub(super) struct RecordView {
    #[schema(value_type = uuid::Uuid)]
    record_id: RecordId,
    #[schema(value_type = uuid::Uuid)]
    device_id: DeviceId,
    #[schema(value_type = uuid::Uuid)]
    license_id: LicenseId,
    #[schema(value_type = uuid::Uuid)]
    employee_id: EmployeeId,
    /// From 1 without gaps, per device and license.
    seq: u64,
    #[schema(value_type = String)]
    kind: Kind,
    /// RFC 3339 with the device's offset.
    captured_at: String,
    #[schema(value_type = Option<uuid::Uuid>)]
    session_id: Option<SessionId>,
    content_type: String,
    payload_len: u64,
    /// Hexadecimal.
    payload_sha256: String,
    /// What belongs to the record beside the payload, such as a screenshot's frame.
    #[schema(value_type = Object)]
    meta: RecordMeta,
    /// `verified`, `late`, `gap-before` or `clock-suspect`; `waiting`: what is missing before it may still
    /// wait on the computer for the review that the license gives.
    grade: &'static str,
    /// Where that is so, and not over: until when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_until: Option<String>,
    /// That somebody has accepted it although its chain does not verify: the time up to it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<AcceptanceView>,
    /// RFC 3339.
    received_at: String,
    /// Why there is no payload: `employee` (deleted before it was sent), `superseded` (a newer license
    /// does not permit it) or `damaged` (it could not be read any more on the employee's computer).
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<&'static str>,
}

/// Who accepted a record in doubt, when and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Acceptance)]
pub(super) struct AcceptanceView {
    /// RFC 3339.
    at: String,
    by: String,
    reason: String,
}

impl From<Acceptance> for AcceptanceView {
    fn from(acceptance: Acceptance) -> Self {
        Self {
            at: wire::time(acceptance.at_ms),
            by: acceptance.by_name,
            reason: acceptance.reason,
        }
    }
}

impl RecordView {
    fn new(record: Record, waits: Option<Waits>, accepted: Option<Acceptance>) -> Self {
        // Stored headers were parsed before they were stored.
        let meta = serde_json::from_slice::<RecordHeader>(&record.header)
            .map(|header| header.meta)
            .unwrap_or_default();
        Self {
            record_id: record.record_id,
            device_id: record.device_id,
            license_id: record.license_id,
            employee_id: record.employee_id,
            seq: record.seq,
            kind: record.kind,
            captured_at: wire::time_at(record.captured_at, record.utc_offset_min),
            session_id: record.session_id,
            content_type: record.content_type,
            payload_len: record.payload_len,
            payload_sha256: record.payload_sha256,
            meta,
            grade: waits.map_or(record.grade.as_str(), |_| "waiting"),
            waits_until: match waits {
                Some(Waits::Until(ms)) => Some(wire::time(ms)),
                Some(Waits::Silent(_)) | None => None,
            },
            accepted: accepted.map(Into::into),
            received_at: wire::time(record.received_at),
            withdrawn: record.withdrawn.map(Reason::as_str),
        }
    }
}

/// Lists records by time of capture.
#[utoipa::path(get, path = "/api/v1/records", tag = "records", params(RecordQuery),
    responses((status = 200, body = Page<RecordView>), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<RecordQuery>,
) -> Result<Json<Page<RecordView>>, ApiError> {
    let employee_id = wire::parse("employee_id", query.employee_id.as_deref())?;
    let (workspace_id, reason) = match employee_id {
        Some(employee) => {
            let mut read = state.read(actor.company_id).await?;
            let reached =
                reach::employee(&mut read, &actor, Verb::Read, Object::Capture, employee).await;
            match reached {
                Ok(_) => (query.workspace_id, None),
                // Somebody out of reach has no records here.
                Err(error) if error.status == StatusCode::NOT_FOUND => {
                    (actor.scope(query.workspace_id.as_deref())?, None)
                }
                Err(error) => return Err(error),
            }
        }
        None => {
            actor.may(Verb::Read, Object::Capture)?;
            let scope = actor.scope(query.workspace_id.as_deref())?;
            (
                scope,
                Some(people::reason(&actor, query.reason.as_deref())?),
            )
        }
    };
    let limit = wire::limit(query.limit)?;
    let after = match wire::place(query.cursor.as_deref())? {
        None => None,
        Some((at, id)) => Some(Place {
            captured_at: wire::part(&at)?,
            record_id: wire::part(&id)?,
        }),
    };
    let filter = RecordFilter {
        workspace_id,
        employee_id,
        kind: wire::parse("kind", query.kind.as_deref())?,
        from_ms: wire::parse_time("from", query.from.as_deref())?.unwrap_or(i64::MIN),
        to_ms: wire::parse_time("to", query.to.as_deref())?.unwrap_or(i64::MAX),
        after,
        limit: limit + 1,
    };
    let mut read = state.read(actor.company_id).await?;
    let mut gaps = Gaps::new(state.clock.now_ms());
    let mut rows = Vec::new();
    for record in read.records(&filter).await? {
        let waits = gaps.before(&mut read, &record).await?;
        let accepted = match record.grade {
            Grade::GapBefore | Grade::ClockSuspect => read.acceptance(record.record_id).await?,
            Grade::Verified | Grade::Late => None,
        };
        rows.push((record, waits, accepted));
    }
    drop(read);
    let shown = rows.iter().take(usize::try_from(limit).unwrap_or(0));
    let looks = people::looks(shown.map(|(row, _, _)| (row.employee_id, row.captured_at)));
    people::note_looks(&state, &actor, ViewKind::Records, &looks, reason.as_deref()).await?;
    let cursor = |(last, _, _): &(Record, _, _)| format!("{} {}", last.captured_at, last.record_id);
    Ok(Json(Page::cut(
        rows,
        limit,
        cursor,
        |(record, waits, accepted)| RecordView::new(record, waits, accepted),
    )))
}

/// Accepts a record whose chain does not verify (`gap-before`, `clock-suspect`): the time up to it counts from
/// now on, and the employee reads who accepted it and why. Nobody accepts their own.
#[utoipa::path(post, path = "/api/v1/records/{record_id}/accept", tag = "records",
    params(("record_id" = uuid::Uuid, Path)), request_body = AcceptanceForm,
    responses((status = 200, body = RecordView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "it is not in doubt, may still be explained, or was accepted before",
            body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn accept(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
    JsonBody(form): JsonBody<AcceptanceForm>,
) -> Result<Json<RecordView>, ApiError> {
    let (record, acceptance) = people::accept_record(&state, &actor, id, form).await?;
    Ok(Json(RecordView::new(record, None, Some(acceptance))))
}

/// A record's payload, byte for byte.
#[utoipa::path(get, path = "/api/v1/records/{record_id}/payload", tag = "records",
    params(("record_id" = uuid::Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>,
            description = "with the record's own content type"),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 410, description = "it cannot be had any more; the code says why",
            body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn payload(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
) -> Result<Response, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let record = reach::record(&mut read, &actor, id).await?;
    drop(read);
    let looks = people::looks([(record.employee_id, record.captured_at)]);
    people::note_looks(&state, &actor, ViewKind::Pictures, &looks, None).await?;
    payload_response(&state, actor.company_id, id).await
}

fn withdrawn(reason: Reason) -> ApiError {
    let message = match reason {
        Reason::Employee => {
            "The employee deleted this capture before it was sent, as the license permits."
        }
        Reason::Superseded => {
            "A newer license does not permit what this record held; it was never sent."
        }
        Reason::Damaged => "What this record held could not be read any more and was never sent.",
    };
    ApiError::new(StatusCode::GONE, code::WITHDRAWN, message)
}

/// Answers with a record's payload: no caching, no sniffing. The caller has checked who is asking.
pub(crate) async fn payload_response(
    state: &AppState,
    company: CompanyId,
    id: RecordId,
) -> Result<Response, ApiError> {
    let mut read = state.read(company).await?;
    let record = read
        .record(id)
        .await?
        .ok_or_else(|| ApiError::not_found("record"))?;
    if let Some(reason) = record.withdrawn {
        return Err(withdrawn(reason));
    }
    let bytes =
        if let Some(inline) = read.inline_payload(id).await? {
            inline
        } else {
            drop(read);
            let key = ObjectKey::new(company, &record.payload_sha256)?;
            state.objects.read(key).await?.ok_or_else(|| {
                ApiError::internal(format!("the object of record {id} is missing"))
            })?
        };
    let content_type = HeaderValue::from_str(&record.content_type).map_err(ApiError::internal)?;
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    Ok((headers, bytes).into_response())
}
