//! `GET /api/v1/export`: everything of one employee, as it was signed, for anyone to check with
//! `glasshour verify`. A stream: no more than one record is held.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::export::{self, About, End, Line};
use glasshour_protocol::jws::Jwk;
use glasshour_protocol::{CompanyId, EmployeeId, SignedHeader};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;

use super::extract::QueryOf;
use super::openapi::ErrorBodySchema;
use super::wire;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::objects::{ObjectError, ObjectKey};
use crate::people::{self, Look, reach};
use crate::store::{ChainFilter, ChainPlace, ChainRecord, ViewKind};

/// Rows that are read at a time.
const PAGE: u32 = 200;
/// Lines that may wait for the client; a slow one holds the reading up.
const WAITING: usize = 4;

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// Of this employee.
    employee_id: Option<String>,
    /// RFC 3339: captured at or after; absent: from the beginning.
    from: Option<String>,
    /// RFC 3339: captured before; absent: to the end.
    to: Option<String>,
    /// Why: the employee is shown it. A person must say it; for a script its token's name stands in.
    reason: Option<String>,
}

/// Exports an employee's records as they were signed: JSON Lines, chain by chain.
#[utoipa::path(get, path = "/api/v1/export", tag = "records", params(ExportQuery),
    responses((status = 200, content_type = "application/jsonl", body = String,
            description = "an export line, then each device before its records, then an end line; \
                without an end line it was cut short"),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn export(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ExportQuery>,
) -> Result<Response, ApiError> {
    actor.may(Verb::Read, Object::Export)?;
    let employee_id: EmployeeId = wire::parse("employee_id", query.employee_id.as_deref())?
        .ok_or_else(|| ApiError::invalid("employee_id", "Say whose records: `employee_id`."))?;
    let from_ms = wire::parse_time("from", query.from.as_deref())?;
    let to_ms = wire::parse_time("to", query.to.as_deref())?;
    let mut read = state.read(actor.company_id).await?;
    reach::employee(&mut read, &actor, Verb::Read, Object::Export, employee_id).await?;
    let about = About {
        version: export::VERSION,
        company: people::company(&mut read).await?.name,
        made_at_ms: state.clock.now_ms(),
        from_ms,
        to_ms,
    };
    let reason = people::reason(&actor, query.reason.as_deref())?;
    drop(read);
    let look = Look {
        employee_id,
        from_ms: from_ms.unwrap_or(0),
        to_ms: to_ms.unwrap_or(about.made_at_ms),
        times: 1,
    };
    people::note_looks(&state, &actor, ViewKind::Export, &[look], Some(&reason)).await?;
    let (lines, waiting) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        if let Err(error) = write(&state, actor.company_id, employee_id, about, &lines).await {
            // The reader sees that there is no end line.
            error.log();
            let _ = lines.send(Err(std::io::Error::other("cut short"))).await;
        }
    });
    let stream = futures_util::stream::unfold(waiting, async |mut waiting| {
        waiting.recv().await.map(|line| (line, waiting))
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/jsonl"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"glasshour-export.jsonl\""),
        ),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

type Lines = mpsc::Sender<std::io::Result<Bytes>>;

async fn write(
    state: &AppState,
    company: CompanyId,
    employee_id: EmployeeId,
    about: About,
    lines: &Lines,
) -> Result<(), ApiError> {
    let (from_ms, to_ms) = (about.from_ms, about.to_ms);
    send(lines, &Line::Export { export: about }).await?;
    let mut devices = BTreeSet::new();
    let mut after: Option<ChainPlace> = None;
    let mut records = 0;
    loop {
        let filter = ChainFilter {
            employee_id,
            from_ms: from_ms.unwrap_or(i64::MIN),
            to_ms: to_ms.unwrap_or(i64::MAX),
            after: after.clone(),
            limit: PAGE,
        };
        let page = state.read(company).await?.chain_records(&filter).await?;
        let Some(last) = page.last() else { break };
        after = Some(ChainPlace::of(last));
        for record in &page {
            if devices.insert(record.device_id) {
                send(lines, &device_line(state, company, record).await?).await?;
            }
            let header = SignedHeader {
                bytes: record.header.clone(),
                signature: record.signature.clone(),
            };
            let line = match &record.withdrawal {
                Some(withdrawal) => export::Record::withdrawn(&header, withdrawal),
                None => {
                    let payload = payload(state, company, record).await?;
                    export::Record::new(&header, payload.as_deref())
                }
            };
            send(lines, &Line::Record(line)).await?;
            records += 1;
        }
    }
    send(
        lines,
        &Line::End {
            end: End { records },
        },
    )
    .await
}

async fn device_line(
    state: &AppState,
    company: CompanyId,
    record: &ChainRecord,
) -> Result<Line, ApiError> {
    let device = state.read(company).await?.device(record.device_id).await?;
    let device = device.ok_or_else(|| ApiError::internal("a record without its device"))?;
    Ok(Line::Device {
        device: export::Device {
            device_id: device.device_id,
            key: Jwk {
                kty: "OKP".into(),
                crv: "Ed25519".into(),
                x: device.public_key,
            },
        },
    })
}

/// The payload; `None` where it cannot be had any more: deleted, or altered by the disk.
async fn payload(
    state: &AppState,
    company: CompanyId,
    record: &ChainRecord,
) -> Result<Option<Vec<u8>>, ApiError> {
    if record.withdrawn {
        return Ok(None);
    }
    if record.payload.is_some() || record.payload_len == 0 {
        return Ok(Some(record.payload.clone().unwrap_or_default()));
    }
    let key = ObjectKey::new(company, &record.payload_sha256)?;
    match state.objects.read(key).await {
        Err(error @ ObjectError::Damaged { .. }) => {
            tracing::error!(%error, "a picture is left out of an export");
            Ok(None)
        }
        other => Ok(other?),
    }
}

async fn send(lines: &Lines, line: &Line) -> Result<(), ApiError> {
    let mut bytes = serde_json::to_vec(line).map_err(ApiError::internal)?;
    bytes.push(b'\n');
    // Nobody reads on: there is nothing more to do, and nothing is wrong here.
    lines
        .send(Ok(bytes.into()))
        .await
        .map_err(|_| ApiError::busy())
}
