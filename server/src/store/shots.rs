//! Pictures as moments: what the licensed rate and the licensed monitors are held against.

use glasshour_license_format::{Others, RATE_WINDOW_MS, ShotMoment, ShotPlace};
use glasshour_protocol::RecordHeader;

use super::column::to_bigint;
use super::{Read, StoreError, on};

/// More than any license permits within the window on both sides of a moment.
const MOST_MOMENTS: i64 = 8_000;
/// More monitors than any desktop has.
const MOST_PLACES: i64 = 64;

impl Read {
    /// The other pictures of the same device, license, kind and boot around a record, without it.
    pub async fn shots_around(&mut self, header: &RecordHeader) -> Result<Others, StoreError> {
        const MOMENTS: &str = "SELECT DISTINCT captured_at, mono_ms, boot_ms FROM records \
            WHERE company_id = $1 AND device_id = $2 AND license_id = $3 AND kind = $4 \
            AND boot_id = $5 AND mono_ms > $6 AND mono_ms < $7 AND record_id <> $8 \
            ORDER BY mono_ms, captured_at, boot_ms LIMIT $9";
        const SAME_MOMENT: &str = "SELECT header FROM records \
            WHERE company_id = $1 AND device_id = $2 AND license_id = $3 AND kind = $4 \
            AND boot_id = $5 AND mono_ms = $6 AND captured_at = $7 AND record_id <> $8 \
            ORDER BY record_id LIMIT $9";
        let (from, to) = (
            to_bigint(header.mono_ms.saturating_sub(RATE_WINDOW_MS)),
            to_bigint(header.mono_ms.saturating_add(RATE_WINDOW_MS)),
        );
        let device = header.device_id.to_string();
        let license = header.license_id.to_string();
        let id = header.record_id.to_string();
        let rows: Vec<(i64, i64, Option<i64>)> = on!(self, c => sqlx::query_as(MOMENTS)
            .bind(&self.company).bind(&device).bind(&license).bind(header.kind.as_str())
            .bind(&header.boot_id).bind(from).bind(to).bind(&id).bind(MOST_MOMENTS)
            .fetch_all(c).await)?;
        let moment = |(wall_ms, mono_ms, boot_ms): (i64, i64, Option<i64>)| ShotMoment {
            wall_ms,
            mono_ms: mono_ms.unsigned_abs(),
            boot_ms: boot_ms.map(i64::unsigned_abs),
            boot_id: header.boot_id.clone(),
        };
        let moments: Vec<_> = rows.into_iter().map(moment).collect();
        let at = ShotMoment::of(header);
        if !moments.contains(&at) {
            let places = Vec::new();
            return Ok(Others { moments, places });
        }
        let headers: Vec<(Vec<u8>,)> = on!(self, c => sqlx::query_as(SAME_MOMENT)
            .bind(&self.company).bind(&device).bind(&license).bind(header.kind.as_str())
            .bind(&header.boot_id).bind(to_bigint(header.mono_ms)).bind(header.captured_at_ms)
            .bind(&id).bind(MOST_PLACES).fetch_all(c).await)?;
        let read = |(bytes,): (Vec<u8>,)| serde_json::from_slice::<RecordHeader>(&bytes).ok();
        let places = headers
            .into_iter()
            .filter_map(read)
            .filter(|other| ShotMoment::of(other) == at)
            .map(|other| other.meta.frame.as_ref().map(ShotPlace::of))
            .collect();
        Ok(Others { moments, places })
    }
}
