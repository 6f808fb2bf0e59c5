//! Records in the order of their chains, with what was signed: what an export is made of.

use glasshour_protocol::{DeviceId, EmployeeId, LicenseId, RecordId};
use sqlx::FromRow;

use super::column::{Text, to_bigint};
use super::{Read, StoreError, on};

/// A record with its exact header, its signature, and its payload where that is kept in the row.
#[derive(Clone, Debug, FromRow)]
pub struct ChainRecord {
    /// Its id.
    #[sqlx(try_from = "Text<RecordId>")]
    pub record_id: RecordId,
    /// Who signed it.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// What permitted it.
    #[sqlx(try_from = "Text<LicenseId>")]
    pub license_id: LicenseId,
    /// Its place in the chain of its device and license, from 1.
    #[sqlx(try_from = "i64")]
    pub seq: u64,
    /// When it was captured, UTC milliseconds.
    pub captured_at: i64,
    /// Bytes of the payload.
    #[sqlx(try_from = "i64")]
    pub payload_len: u64,
    /// SHA-256 (hex) of the payload.
    pub payload_sha256: String,
    /// The payload, where it is no picture.
    pub payload: Option<Vec<u8>>,
    /// The signed header, byte for byte.
    pub header: Vec<u8>,
    /// The signature over it, base64url.
    pub signature: String,
    /// Whether its payload was withdrawn.
    pub withdrawn: bool,
    /// What the device signed for that.
    pub withdrawal: Option<String>,
}

/// A place among all chains: what comes behind it comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPlace {
    device_id: DeviceId,
    license_id: LicenseId,
    seq: u64,
    record_id: RecordId,
}

impl ChainPlace {
    /// The place of a record.
    pub fn of(record: &ChainRecord) -> Self {
        Self {
            device_id: record.device_id,
            license_id: record.license_id,
            seq: record.seq,
            record_id: record.record_id,
        }
    }
}

/// Which records, chain by chain.
#[derive(Clone, Debug)]
pub struct ChainFilter {
    /// Of this employee.
    pub employee_id: EmployeeId,
    /// Captured at or after, UTC milliseconds.
    pub from_ms: i64,
    /// Captured before, UTC milliseconds.
    pub to_ms: i64,
    /// Behind this place.
    pub after: Option<ChainPlace>,
    /// At most so many.
    pub limit: u32,
}

impl Read {
    /// Records by device, license and `seq`.
    pub async fn chain_records(
        &mut self,
        filter: &ChainFilter,
    ) -> Result<Vec<ChainRecord>, StoreError> {
        const SQL: &str = "SELECT record_id, device_id, license_id, seq, captured_at, payload_len, \
            payload_sha256, payload, header, signature, withdrawn IS NOT NULL AS withdrawn, \
            withdrawal \
            FROM records WHERE company_id = $1 AND employee_id = $2 \
            AND captured_at >= $3 AND captured_at < $4 \
            AND (device_id, license_id, seq, record_id) > ($5, $6, $7, $8) \
            ORDER BY device_id, license_id, seq, record_id LIMIT $9";
        let (device, license, seq, record) = match &filter.after {
            None => (String::new(), String::new(), 0, String::new()),
            Some(place) => (
                place.device_id.to_string(),
                place.license_id.to_string(),
                to_bigint(place.seq),
                place.record_id.to_string(),
            ),
        };
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(filter.employee_id.to_string())
            .bind(filter.from_ms).bind(filter.to_ms)
            .bind(device).bind(license).bind(seq).bind(record)
            .bind(i64::from(filter.limit)).fetch_all(c).await)?)
    }
}
