//! `GET /api/v1/export`: everything of one employee, as it was signed, for anyone to check with
//! `glasshour verify`, and the server's own signature that this is all of it. A stream: no more than one
//! page of records is held.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use ed25519_dalek::SigningKey;
use glasshour_protocol::export::{self, About, End, Line, LinesHash, Seal, Waiting, seal};
use glasshour_protocol::jws::Jwk;
use glasshour_protocol::{CompanyId, DeviceId, EmployeeId, LicenseId, SignedHeader};
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
use crate::people::gaps::Gaps;
use crate::people::{self, Look, reach};
use crate::report::Waits;
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
    #[param(required = true)]
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
            description = "an export line, then each device before its records, then an end line with \
                the server's signature (a compact JWS) over all of it; without an end line it was cut \
                short"),
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
    let employee =
        reach::employee(&mut read, &actor, Verb::Read, Object::Export, employee_id).await?;
    let company = people::company(&mut read).await?;
    let seal = Seal {
        version: 1,
        company_id: company.company_id,
        company: company.name,
        employee_id,
        employee: employee.name,
        made_at_ms: state.clock.now_ms(),
        from_ms,
        to_ms,
        records: 0,
        lines_sha256: String::new(),
        waiting: Vec::new(),
    };
    let reason = people::reason(&actor, query.reason.as_deref())?;
    drop(read);
    let look = Look {
        employee_id,
        from_ms: from_ms.unwrap_or(0),
        to_ms: to_ms.unwrap_or(seal.made_at_ms),
        times: 1,
    };
    people::note_looks(&state, &actor, ViewKind::Export, &[look], Some(&reason)).await?;
    let (out, waiting) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut lines = Lines {
            out,
            hash: LinesHash::default(),
        };
        if let Err(error) = write(&state, seal, &company.signing_key, &mut lines).await {
            // The reader sees that there is no end line.
            error.log();
            let _ = lines
                .out
                .send(Err(std::io::Error::other("cut short")))
                .await;
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

/// Lines on their way to who asked, and the hash that the server will sign for.
struct Lines {
    out: mpsc::Sender<std::io::Result<Bytes>>,
    hash: LinesHash,
}

impl Lines {
    async fn send(&mut self, line: &Line) -> Result<(), ApiError> {
        let mut bytes = serde_json::to_vec(line).map_err(ApiError::internal)?;
        self.hash.line(&bytes);
        bytes.push(b'\n');
        // Nobody reads on: there is nothing more to do, and nothing is wrong here.
        self.out
            .send(Ok(bytes.into()))
            .await
            .map_err(|_| ApiError::busy())
    }
}

async fn write(
    state: &AppState,
    mut seal: Seal,
    key: &SigningKey,
    lines: &mut Lines,
) -> Result<(), ApiError> {
    let company = seal.company_id;
    let about = About {
        version: export::VERSION,
        company: seal.company.clone(),
        made_at_ms: seal.made_at_ms,
        from_ms: seal.from_ms,
        to_ms: seal.to_ms,
    };
    lines.send(&Line::Export { export: about }).await?;
    let mut devices = BTreeSet::new();
    let mut after: Option<ChainPlace> = None;
    let mut before: Option<Chained> = None;
    let mut gaps = Gaps::new(seal.made_at_ms);
    loop {
        let filter = ChainFilter {
            employee_id: seal.employee_id,
            from_ms: seal.from_ms.unwrap_or(i64::MIN),
            to_ms: seal.to_ms.unwrap_or(i64::MAX),
            after: after.clone(),
            limit: PAGE,
        };
        let page = state.read(company).await?.chain_records(&filter).await?;
        let Some(last) = page.last() else { break };
        after = Some(ChainPlace::of(last));
        for record in &page {
            if devices.insert(record.device_id) {
                lines
                    .send(&device_line(state, company, record).await?)
                    .await?;
            }
            let from_the_start = seal.from_ms.is_none();
            if let Some(first_seq) = missing_from(record, before, from_the_start) {
                let waiting = waiting(state, company, &mut gaps, (record, first_seq)).await?;
                seal.waiting.extend(waiting);
            }
            before = Some(Chained::of(record));
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
            lines.send(&Line::Record(line)).await?;
            seal.records += 1;
        }
    }
    seal.lines_sha256 = lines.hash.clone().finish();
    let end = End {
        records: seal.records,
        seal: Some(seal::sign(&seal, key)),
    };
    lines.send(&Line::End { end }).await
}

/// Where in its chain the last line was.
#[derive(Clone, Copy)]
struct Chained {
    chain: (DeviceId, LicenseId),
    seq: u64,
}

impl Chained {
    fn of(record: &ChainRecord) -> Self {
        Self {
            chain: (record.device_id, record.license_id),
            seq: record.seq,
        }
    }
}

/// The first `seq` that is missing before a record, where one is.
fn missing_from(
    record: &ChainRecord,
    before: Option<Chained>,
    from_the_start: bool,
) -> Option<u64> {
    let here = Chained::of(record);
    let first = match before.filter(|before| before.chain == here.chain) {
        Some(before) => before.seq.saturating_add(1),
        // An export of some days may begin in the middle of a chain.
        None if from_the_start => 1,
        None => here.seq,
    };
    (first < here.seq).then_some(first)
}

/// What is missing from `first_seq` up to a record, where it may still wait on the computer.
async fn waiting(
    state: &AppState,
    company: CompanyId,
    gaps: &mut Gaps,
    (record, first_seq): (&ChainRecord, u64),
) -> Result<Option<Waiting>, ApiError> {
    let chain = (record.device_id, record.license_id);
    let mut read = state.read(company).await?;
    let waits = gaps.waits(&mut read, chain, record.captured_at).await?;
    Ok(waits.map(|waits| Waiting {
        device_id: record.device_id,
        license_id: record.license_id,
        first_seq,
        last_seq: record.seq.saturating_sub(1),
        until_ms: match waits {
            Waits::Until(ms) => Some(ms),
            Waits::Silent(_) => None,
        },
    }))
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
