//! `PUT /api/v1/records/{record_id}`: takes one record, once, and acknowledges it when it is durable.
//!
//! The order of checks is part of the contract: token, device, header and signature, employee,
//! license, permit, payload, picture. Then the picture is on disk before the row is, and the row
//! and its roll-ups are one transaction, which records that come at the same time share
//! (`commit.rs`). The same record again changes nothing and gets 200.
//!
//! A record may come without its payload where the device signed for that (`glasshour-withdrawn`): it
//! keeps its place in the chain, and gate 3 asks whether its license lets the employee delete it.

mod body;
mod commit;
mod payload;
mod store;

pub use body::Pace;
pub use commit::Committer;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use ed25519_dalek::VerifyingKey;
use glasshour_license_format::Payload;
use glasshour_protocol::limits::MAX_PAYLOAD_BYTES;
use glasshour_protocol::record::{HEADER_RECORD, HEADER_SIGNATURE, HeaderError};
use glasshour_protocol::withdrawal::{self, HEADER_WITHDRAWN, Reason, Withdrawal, WithdrawalError};
use glasshour_protocol::{CompanyId, Kind, Receipt, RecordHeader, RecordId, SignedHeader, code};

use super::extract::PathId;
use payload::Content;

use super::openapi::{ErrorBodySchema, ReceiptSchema};
use super::permit::{self, Facts};
use crate::AppState;
use crate::auth::{DeviceToken, authenticate_device};
use crate::error::ApiError;
use crate::people;
use crate::store::{Device, Read};

/// The last millisecond of the year 9999, to which RFC 3339 reaches.
const MAX_TIME_MS: i64 = 253_402_300_799_999;

/// Stores one record.
#[utoipa::path(put, path = "/api/v1/records/{record_id}", tag = "records",
    params(("record_id" = uuid::Uuid, Path),
        ("glasshour-record" = String, Header, description = "the record header's bytes, base64url"),
        ("glasshour-signature" = String, Header, description = "Ed25519 over those bytes, base64url"),
        ("glasshour-withdrawn" = Option<String>, Header,
            description = "where the body is empty because the payload was withdrawn: why, as signed by the device")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "stored, durably", body = ReceiptSchema),
        (status = 200, description = "had been stored before", body = ReceiptSchema),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 409, description = "another record has that id", body = ErrorBodySchema),
        (status = 408, description = "it came too slowly", body = ErrorBodySchema),
        (status = 413, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema),
        (status = 429, description = "come back after `Retry-After`", body = ErrorBodySchema),
        (status = 503, body = ErrorBodySchema), (status = 507, body = ErrorBodySchema)),
    security(("device_token" = [])))]
pub(super) async fn put_record(
    State(state): State<AppState>,
    PathId(record_id): PathId<RecordId>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let mut body = body::Incoming::new(body, state.pace);
    let (company, device, key) = match authenticate(&state, &headers).await {
        Ok(known) => known,
        Err(error) => {
            body.discard().await;
            return Err(error);
        }
    };
    if let Err(error) = state.rates.device(device.device_id, state.clock.now_ms()) {
        body.discard().await;
        return Err(error);
    }
    let put = Put {
        state: &state,
        company,
        device: &device,
    };
    let answer = put.take(record_id, &headers, &key, &mut body).await;
    if answer.is_err() {
        body.discard().await;
    }
    if let Err(error) = &answer
        && permit::is_counted(error)
    {
        put.count(error.code).await;
    }
    let receipt = answer?;
    let status = if receipt.new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(receipt)))
}

async fn authenticate(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<(CompanyId, Device, VerifyingKey), ApiError> {
    let token = DeviceToken::from_headers(headers)?;
    let mut read = state.read(token.company_id).await?;
    let (device, key) = authenticate_device(state, &mut read, &token).await?;
    Ok((token.company_id, device, key))
}

/// One request of a device that is known.
struct Put<'a> {
    state: &'a AppState,
    company: CompanyId,
    device: &'a Device,
}

impl Put<'_> {
    async fn take(
        &self,
        record_id: RecordId,
        headers: &HeaderMap,
        key: &VerifyingKey,
        body: &mut body::Incoming,
    ) -> Result<Receipt, ApiError> {
        let (signed, header, withdrawal) = self.check_before_body(record_id, headers, key).await?;
        let room = &self.state.room;
        let (bytes, content, share) = match withdrawal {
            None => {
                let is_picture = payload::is_picture(&header)?;
                let (bytes, share) = body.payload(&header, is_picture, room).await?;
                let content = payload::read(&header, &bytes)?;
                (bytes, content, share)
            }
            Some(withdrawal) => {
                body.nothing().await?;
                let content = Content::Withdrawn(Box::new(withdrawal));
                (Bytes::new(), content, room.begin().await?)
            }
        };

        let mut read = self.state.read(self.company).await?;
        let asked = (record_id, content.withdrawal().is_some());
        if let Some(receipt) = store::already(&mut read, &signed, asked).await? {
            return Ok(receipt);
        }
        // What is refused leaves no picture behind.
        let now_ms = self.state.clock.now_ms();
        check_permit(
            &mut read,
            self.device,
            &header,
            content.as_licensed(),
            now_ms,
        )
        .await?;
        drop(read);
        payload::agrees(&header, &content)?;
        let record = store::Incoming {
            company: self.company,
            device: self.device.clone(),
            signed,
            header,
            bytes,
            content,
            _room: share,
        };
        self.state.committer.store(self.state, record).await
    }

    /// Everything that can be refused without the payload.
    async fn check_before_body(
        &self,
        record_id: RecordId,
        headers: &HeaderMap,
        key: &VerifyingKey,
    ) -> Result<(SignedHeader, RecordHeader, Option<(Withdrawal, String)>), ApiError> {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .ok_or_else(|| invalid(name, "is missing"))
        };
        let signed = SignedHeader::from_wire(text(HEADER_RECORD)?, text(HEADER_SIGNATURE)?)
            .map_err(|error| bad_header(&error))?;
        let header = signed.verify(key).map_err(|error| bad_header(&error))?;
        if header.device_id != self.device.device_id {
            return Err(bad_signature("The record was made by another device."));
        }
        if header.record_id != record_id {
            return Err(invalid("record_id", "is not the one in the address"));
        }
        check_ranges(&header)?;
        let withdrawal = headers
            .get(HEADER_WITHDRAWN)
            .map(|value| read_withdrawal(value, &header, &signed, key))
            .transpose()?;
        let reason = withdrawal.as_ref().map(|(read, _)| read.reason);
        let mut read = self.state.read(self.company).await?;
        let asked = (Payload::Unread, reason);
        let now_ms = self.state.clock.now_ms();
        check_permit(&mut read, self.device, &header, asked, now_ms).await?;
        Ok((signed, header, withdrawal))
    }

    /// Counts a refusal. That it could not be counted changes nothing about it.
    async fn count(&self, code: &str) {
        let Device {
            employee_id,
            device_id,
            ..
        } = *self.device;
        let now_ms = self.state.clock.now_ms();
        let counted = async {
            let mut write = self.state.write(self.company).await?;
            write
                .count_refusal(employee_id, device_id, code, now_ms)
                .await?;
            write.commit().await
        };
        if let Err(error) = counted.await {
            tracing::warn!(%error, code, "a refusal could not be counted");
        }
    }
}

fn read_withdrawal(
    value: &HeaderValue,
    header: &RecordHeader,
    signed: &SignedHeader,
    key: &VerifyingKey,
) -> Result<(Withdrawal, String), ApiError> {
    let text = value
        .to_str()
        .map_err(|_| invalid(HEADER_WITHDRAWN, "is not text"))?;
    match withdrawal::verify(text, header.record_id, signed, key) {
        Ok(read) => Ok((read, text.to_owned())),
        Err(error @ (WithdrawalError::Signature(_) | WithdrawalError::OtherRecord)) => {
            Err(bad_signature(&format!("{error}.")))
        }
        Err(error) => Err(ApiError::invalid(HEADER_WITHDRAWN, format!("{error}."))),
    }
}

/// Asks gate 3 with what the database says now, as far as the payload was read.
async fn check_permit(
    read: &mut Read,
    device: &Device,
    header: &RecordHeader,
    (payload, withdrawn): (Payload<'_>, Option<Reason>),
    now_ms: i64,
) -> Result<permit::Permit, ApiError> {
    let employee = read
        .employee(device.employee_id)
        .await?
        .ok_or_else(|| ApiError::internal("a device without its employee"))?;
    if device.approved_at.is_none() {
        return Err(permit::device_waits());
    }
    if people::plan(read).await?.trial_is_over(now_ms) {
        return Err(permit::trial_ended());
    }
    let license = read.license(header.license_id).await?;
    let then = read
        .license_at(device.employee_id, header.captured_at_ms)
        .await?;
    let facts = Facts {
        employee: &employee,
        license: license.as_ref(),
        then: then.as_ref(),
    };
    let permit = permit::check(&facts, header, withdrawn)?;
    if matches!(payload, Payload::Unread) {
        return Ok(permit);
    }
    permit.holds(header, payload)?;
    if matches!(header.kind, Kind::Screenshot | Kind::Camera) {
        permit.holds_among(header, &read.shots_around(header).await?)?;
    }
    Ok(permit)
}

fn check_ranges(header: &RecordHeader) -> Result<(), ApiError> {
    if header.seq == 0 {
        return Err(invalid("seq", "counts from 1"));
    }
    if !(0..=MAX_TIME_MS).contains(&header.captured_at_ms) {
        return Err(invalid("captured_at_ms", "is not a time"));
    }
    // RFC 3339 offsets are below 24 hours.
    if !(-1439..=1439).contains(&header.utc_offset_min) {
        return Err(invalid("utc_offset_min", "is not an offset from UTC"));
    }
    if header.payload_len > MAX_PAYLOAD_BYTES as u64 {
        return Err(too_large());
    }
    Ok(())
}

/// 422 `invalid` for a field of the header.
pub(super) fn invalid(field: &str, reason: &str) -> ApiError {
    ApiError::invalid(field, format!("`{field}` {reason}."))
}

fn bad_header(error: &HeaderError) -> ApiError {
    match error {
        HeaderError::Signature(_) => bad_signature(&format!("{error}.")),
        HeaderError::TooLong | HeaderError::Json(_) | HeaderError::Version(_) => {
            ApiError::invalid(HEADER_RECORD, format!("{error}."))
        }
    }
}

fn bad_signature(message: &str) -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        code::BAD_SIGNATURE,
        message,
    )
}

fn payload_mismatch() -> ApiError {
    ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        code::PAYLOAD_MISMATCH,
        "The payload is not the one that the record header describes.",
    )
}

fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        code::TOO_LARGE,
        format!("A payload may have {MAX_PAYLOAD_BYTES} bytes at most."),
    )
}
