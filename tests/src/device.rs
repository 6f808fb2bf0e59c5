//! A record made by hand and signed with a real device's key: what a tampered agent could send.

use std::path::Path;

use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use glasshour_protocol::device::sign_token;
use glasshour_protocol::jws::{base64url, from_base64url, sha256_hex};
use glasshour_protocol::withdrawal::{self, Reason};
use glasshour_protocol::{
    CompanyId, DeviceId, Kind, LicenseId, RecordHeader, RecordId, RecordMeta, SignedHeader,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::wait::wall_ms;

/// A device's identity, as the agent keeps it in its home.
#[derive(Debug)]
pub struct Device {
    id: DeviceId,
    company: CompanyId,
    key: SigningKey,
}

/// All that goes into one `PUT /api/v1/records/{id}`.
#[derive(Clone, Debug)]
pub struct Put {
    /// The record's id.
    pub record_id: RecordId,
    /// The device's token.
    pub token: String,
    /// The record header as it travels.
    pub record: String,
    /// The signature over it.
    pub signature: String,
    /// Media type of the payload.
    pub content_type: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// The signed withdrawal, where it goes without its payload.
    pub withdrawn: Option<String>,
}

#[derive(Deserialize)]
struct KeyFile {
    device_id: DeviceId,
    secret_key: String,
}

impl Device {
    /// Reads the device that the agent made for a company: `devices/<company_id>.json`.
    ///
    /// # Errors
    /// There is none yet, or it cannot be read.
    pub fn of_agent(home: &Path, company: &str) -> Result<Self> {
        let path = home.join("devices").join(format!("{company}.json"));
        Self::read(&path, company.parse().context("the company's id")?)
    }

    /// Reads a device from a file as the agent keeps it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path, company: CompanyId) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let file: KeyFile = serde_json::from_str(&text).context("the device's key file")?;
        let secret: [u8; 32] = from_base64url(&file.secret_key)?
            .try_into()
            .ok()
            .context("a key has 32 bytes")?;
        Ok(Self {
            id: file.device_id,
            company,
            key: SigningKey::from_bytes(&secret),
        })
    }

    /// Makes a new device and keeps it in a file, as the agent does.
    ///
    /// # Errors
    /// The system gives no random numbers, or the file cannot be written.
    pub fn make(path: &Path, company: CompanyId) -> Result<Self> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let id = DeviceId(Uuid::new_v4());
        let file = json!({"device_id": id, "secret_key": base64url(&secret)});
        std::fs::write(path, file.to_string())
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            id,
            company,
            key: SigningKey::from_bytes(&secret),
        })
    }

    /// Its key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The device's id.
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// The public half of its key, as it is enrolled (base64url).
    pub fn public_key(&self) -> String {
        base64url(self.key.verifying_key().as_bytes())
    }

    /// Makes a record under a license and signs it.
    pub fn sign(
        &self,
        license: LicenseId,
        seq: u64,
        kind: Kind,
        (content_type, payload): (&str, &[u8]),
    ) -> Put {
        let header = self.header(license, seq, kind, (content_type, payload));
        self.sign_header(&header, payload)
    }

    /// The header of a record, to be changed before it is signed. Its `prev` fits no record.
    pub fn header(
        &self,
        license: LicenseId,
        seq: u64,
        kind: Kind,
        (content_type, payload): (&str, &[u8]),
    ) -> RecordHeader {
        RecordHeader {
            version: 1,
            record_id: RecordId(Uuid::now_v7()),
            device_id: self.id,
            license_id: license,
            seq,
            prev: (seq > 1).then(|| sha256_hex(b"the header before")),
            kind,
            captured_at_ms: wall_ms(),
            mono_ms: 1,
            boot_id: "made-by-hand".to_owned(),
            utc_offset_min: 0,
            payload_sha256: sha256_hex(payload),
            payload_len: payload.len() as u64,
            content_type: content_type.to_owned(),
            meta: RecordMeta::default(),
        }
    }

    /// Signs a header, with whatever payload.
    pub fn sign_header(&self, header: &RecordHeader, payload: &[u8]) -> Put {
        let signed = SignedHeader::sign(header, &self.key);
        Put {
            record_id: header.record_id,
            token: sign_token(&self.key, self.id, self.company, wall_ms() / 1000),
            record: signed.to_wire(),
            signature: signed.signature,
            content_type: header.content_type.clone(),
            payload: payload.to_vec(),
            withdrawn: None,
        }
    }

    /// Makes a record that goes without its payload, because the employee deleted it.
    ///
    /// # Errors
    /// The record was not made by [`sign`](Self::sign).
    pub fn withdraw(&self, put: Put) -> Result<Put> {
        let header = SignedHeader::from_wire(&put.record, &put.signature)?;
        let why = (Reason::Employee, wall_ms());
        let withdrawn = withdrawal::sign(put.record_id, &header, why, &self.key);
        Ok(Put {
            payload: Vec::new(),
            withdrawn: Some(withdrawn),
            ..put
        })
    }
}
