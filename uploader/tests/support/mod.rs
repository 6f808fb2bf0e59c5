//! What the tests of spool and sender share: an identity, a draft, a license.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use glasshour_license_format::Claims;
use glasshour_protocol::payload::JSON;
use glasshour_protocol::{CompanyId, DeviceId, Kind, LicenseId, RecordMeta};
use glasshour_uploader::send::{LicenseBook, Wall};
use glasshour_uploader::spool::{CapturedAt, DeviceIdentity, Draft};
use uuid::Uuid;

pub(crate) const COMPANY: CompanyId = CompanyId(Uuid::from_u128(1));
pub(crate) const DEVICE: DeviceId = DeviceId(Uuid::from_u128(2));
pub(crate) const LICENSE: LicenseId = LicenseId(Uuid::from_u128(3));
/// Monday 23 November 2026, 09:00 UTC.
pub(crate) const NOW_MS: i64 = 1_795_424_400_000;

pub(crate) fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

pub(crate) fn identity() -> DeviceIdentity {
    DeviceIdentity {
        device_id: DEVICE,
        key: Arc::new(key()),
    }
}

pub(crate) fn draft(license_id: LicenseId, kind: Kind, at_ms: i64, payload: &[u8]) -> Draft {
    Draft {
        license_id,
        kind,
        captured: CapturedAt {
            wall_ms: at_ms,
            mono_ms: at_ms.unsigned_abs(),
            boot_id: "boot".into(),
            utc_offset_min: 60,
        },
        content_type: JSON.into(),
        payload: payload.to_vec(),
        meta: RecordMeta::default(),
        hold_until_ms: 0,
    }
}

/// The payload of a minute within [`claims`].
pub(crate) fn minute() -> Vec<u8> {
    let minute = serde_json::json!({"from_ms": NOW_MS, "to_ms": NOW_MS + 60_000});
    minute.to_string().into_bytes()
}

/// A license with activity and without screenshots.
pub(crate) fn claims() -> Claims {
    serde_json::from_value(serde_json::json!({
        "version": 1,
        "license_id": LICENSE,
        "serial": 1,
        "issued_at": "2026-11-21T09:00:00Z",
        "issuer": {"company": "Acme", "company_id": COMPANY, "server_url": "http://127.0.0.1"},
        "employee": {"employee_id": Uuid::from_u128(4), "name": "Jo Doe"},
        "work_mode": "worklog",
        "profile": {"name": "Activity", "activity": {"input_counts": true}},
    }))
    .expect("claims")
}

/// A book whose licenses all say the same: that one's, and any that is loaded later.
pub(crate) struct Licenses(pub(crate) Mutex<Vec<LicenseId>>);

impl Default for Licenses {
    fn default() -> Self {
        Self(Mutex::new(vec![LICENSE]))
    }
}

impl LicenseBook for Licenses {
    fn claims(&self, id: LicenseId) -> Option<Arc<Claims>> {
        let loaded = self.0.lock().expect("no test panics with it");
        loaded.contains(&id).then(|| Arc::new(claims()))
    }
}

/// A wall clock that stands still, at whatever it is set to.
pub(crate) struct StoppedAt(pub(crate) i64);

impl Wall for StoppedAt {
    fn now_ms(&self) -> i64 {
        self.0
    }
}
