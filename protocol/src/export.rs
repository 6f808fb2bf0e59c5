//! An export of records, and its check without any server: `glasshour verify`.
//!
//! # Layout
//! JSON Lines (UTF-8, one object a line), so that it can be written and read as a stream:
//!
//! ```text
//! {"export": {"version": 1, "company": …, "made_at_ms": …, "from_ms": …, "to_ms": …}}
//! {"device": {"device_id": …, "key": {"kty": "OKP", "crv": "Ed25519", "x": …}}}
//! {"record": base64url(header), "signature": …, "payload": base64(payload) or null}
//! {"record": …, "signature": …, "payload": null, "withdrawn": …}
//! {"end": {"records": 1, "seal": …}}
//! ```
//!
//! A device stands before its records. Records stand chain by chain (device and license), each in
//! the order of `seq`. One whose payload was withdrawn bears what the device signed for that
//! ([`crate::withdrawal`]): it is whole without a payload. The server signs for all lines before the
//! end ([`seal`]).
//!
//! # What the check proves
//! From the devices' signatures alone: that each header was signed by that key and each payload is the
//! one that was signed; that between the first and the last record of a chain none was changed, removed,
//! inserted or put elsewhere. Not: that nothing stood before the first or behind the last one, why a
//! payload is not there, and whose records they are. Nothing that the first line says counts for that.
//!
//! By the seal, the server vouches for the rest: the company, the person, the time asked for, and that
//! the file holds all that it had of them. Whoever took something out would have to sign anew. What the
//! check cannot prove by itself is whose the keys are: their fingerprints are told, to be compared.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, LicenseId, RecordId};
use crate::jws::{self, Jwk};
use crate::record::{HeaderError, SignedHeader};
use crate::withdrawal::{self, WithdrawalError};

pub mod seal;

pub use seal::{LinesHash, Seal, SealError, Waiting};

/// Version of the layout.
pub const VERSION: u32 = 1;

/// One line of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// The first.
    Export {
        /// What the file is.
        export: About,
    },
    /// A device, before its records.
    Device {
        /// The device.
        device: Device,
    },
    /// A record.
    Record(Record),
    /// The last.
    End {
        /// What there was.
        end: End,
    },
}

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Version of the layout: 1.
    pub version: u32,
    /// The employer.
    pub company: String,
    /// When it was made, UTC milliseconds.
    pub made_at_ms: i64,
    /// Captured at or after, UTC milliseconds; absent: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// Captured before, UTC milliseconds; absent: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_ms: Option<i64>,
}

/// A device and the key that it signs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The device.
    pub device_id: DeviceId,
    /// Its public key.
    pub key: Jwk,
}

/// A record as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Base64url of the header's exact bytes.
    pub record: String,
    /// Base64url of the signature over them.
    pub signature: String,
    /// Base64 of the payload; `null` where it is not kept any more, or never was.
    pub payload: Option<String>,
    /// The signed withdrawal, where the device sent the record without its payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<String>,
}

/// The end of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How many records there are in it.
    pub records: u64,
    /// What the server signs for ([`seal`]); absent in exports of servers before that was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<String>,
}

impl Record {
    /// Puts a record into a line.
    pub fn new(header: &SignedHeader, payload: Option<&[u8]>) -> Self {
        Self {
            record: header.to_wire(),
            signature: header.signature.clone(),
            payload: payload.map(|bytes| STANDARD.encode(bytes)),
            withdrawn: None,
        }
    }

    /// Puts a record into a line that was withdrawn.
    pub fn withdrawn(header: &SignedHeader, withdrawal: &str) -> Self {
        Self {
            withdrawn: Some(withdrawal.to_owned()),
            ..Self::new(header, None)
        }
    }
}

/// Why an export cannot be trusted from a line on.
#[derive(Debug, thiserror::Error)]
pub enum Break {
    /// The line is not one of an export.
    #[error(
        "this line is not one of a Glasshour export: a JSON object with an `export`, a `device`, a \
         `record` or an `end`"
    )]
    Line(#[source] serde_json::Error),
    /// The first line is missing, or stands elsewhere too.
    #[error("an export begins with a line that says what it is, and has one such line")]
    Beginning,
    /// From the future.
    #[error("this export is of version {0}, and this program knows {VERSION}: update Glasshour")]
    Version(u32),
    /// A device stands there twice, or its key is none.
    #[error("the device {0} is described twice, or its key is none")]
    Device(DeviceId),
    /// A record of a device that was not described.
    #[error("the record {record} is of the device {device}, whose key is not in the export")]
    UnknownDevice {
        /// The record.
        record: RecordId,
        /// Its device.
        device: DeviceId,
    },
    /// The header was changed, or another key signed it.
    #[error("this record's header was changed, or was not signed by that device: {0}")]
    Header(#[from] HeaderError),
    /// The payload was changed.
    #[error("the payload of the record {0} is not the one that was signed")]
    Payload(RecordId),
    /// It says that it was withdrawn, and that is not what the device signed for.
    #[error("the record {record} bears a withdrawal that does not hold: {source}")]
    Withdrawal {
        /// The record.
        record: RecordId,
        /// Why not.
        source: WithdrawalError,
    },
    /// It says that it was withdrawn, and has a payload.
    #[error("the record {0} was withdrawn, and yet there is a payload")]
    WithdrawnPayload(RecordId),
    /// Records are missing between two.
    #[error("{missing} record(s) before the record {record} are not there")]
    Missing {
        /// The line of the first behind the gap, from 1.
        line: u64,
        /// The first behind the gap.
        record: RecordId,
        /// How many.
        missing: u64,
    },
    /// A record stands where another one should.
    #[error("the record {0} is not at its place: a record was moved, or is there twice")]
    Order(RecordId),
    /// The record before it is another one than it names.
    #[error("the record before {0} is not the one it was chained to: it was exchanged")]
    Chain(RecordId),
    /// Something stands behind the end, or the end is missing, or counts other than there are.
    #[error("the end of the export is not right: it was cut short, or something was added")]
    End,
    /// The seal is none.
    #[error("the server's signature over the export does not hold: {0}")]
    Seal(#[from] SealError),
    /// The server signed for another file.
    #[error(
        "this is not the export that the server signed: a line was changed, added or taken away"
    )]
    Sealed,
}

/// What can be said of an export in which nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The server vouches that this is all it had, and every content is there or was withdrawn.
    Whole,
    /// The same, but that records may still wait on the computer for the person's review.
    Waiting,
    /// Contents are not there, and no device signed for that.
    ContentsMissing,
    /// Each chain is unaltered as far as it goes; nobody vouches that it went no further.
    Unsealed,
    /// There is no record to say anything of.
    Empty,
}

impl Break {
    /// The line that it speaks of (from 1), where that is another one than the last that was read.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Missing { line, .. } => Some(*line),
            _ => None,
        }
    }
}

/// A chain that is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// Who signed.
    pub device_id: DeviceId,
    /// The license that permitted it.
    pub license_id: LicenseId,
    /// `seq` of its first record in the export.
    pub first_seq: u64,
    /// `seq` of its last record in the export.
    pub last_seq: u64,
    /// When the first of them was captured, by the device's clock, UTC milliseconds.
    pub first_at_ms: i64,
    /// When the last of them was captured.
    pub last_at_ms: i64,
    /// Whether it starts where the chain does: with `seq` 1.
    pub from_its_beginning: bool,
}

/// What the server signed for, and by which key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sealed {
    /// RFC 7638 thumbprint of that key.
    pub key: String,
    /// What it says.
    pub says: Seal,
}

/// What was found to be whole and unaltered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// What it comes to.
    pub verdict: Verdict,
    /// What the file says of itself, which nobody signed.
    pub unsigned: About,
    /// What the server signed for.
    pub sealed: Option<Sealed>,
    /// How many records.
    pub records: u64,
    /// How many are not there, for which the server signed that they may wait on the computer.
    pub waiting: u64,
    /// How many of the records are without their payload, and no device signed for that.
    pub without_payload: u64,
    /// How many the device sent without their payload, by the reason that it signed for.
    pub withdrawn: BTreeMap<String, u64>,
    /// RFC 7638 thumbprints of the keys that signed, by device.
    pub keys: BTreeMap<DeviceId, String>,
    /// The chains, in the order of the export.
    pub chains: Vec<Chain>,
}

/// Records that are not there, unless the server signed for that.
#[derive(Debug)]
struct Gap {
    chain: (DeviceId, LicenseId),
    first_seq: u64,
    last_seq: u64,
    behind: RecordId,
    line: u64,
}

impl Gap {
    fn count(&self) -> u64 {
        self.last_seq - self.first_seq + 1
    }

    fn is_of(&self, waiting: &Waiting) -> bool {
        self.chain == (waiting.device_id, waiting.license_id)
            && waiting.first_seq <= self.first_seq
            && self.last_seq <= waiting.last_seq
    }
}

impl From<&Gap> for Break {
    fn from(gap: &Gap) -> Self {
        Self::Missing {
            line: gap.line,
            record: gap.behind,
            missing: gap.count(),
        }
    }
}

/// The first gap of which nobody said that its records may wait.
fn unexplained<'a>(gaps: &'a [Gap], waiting: &[Waiting]) -> Option<&'a Gap> {
    gaps.iter()
        .find(|gap| !waiting.iter().any(|waiting| gap.is_of(waiting)))
}

/// Most gaps that are remembered until the end says what they are.
const MAX_GAPS: usize = 100_000;

/// Checks an export line by line; holds no more than one record.
#[derive(Debug, Default)]
pub struct Verifier {
    at: u64,
    unsigned: Option<About>,
    keys: BTreeMap<DeviceId, VerifyingKey>,
    chains: Vec<Chain>,
    begun: BTreeSet<(DeviceId, LicenseId)>,
    last_hash: String,
    lines: LinesHash,
    gaps: Vec<Gap>,
    sealed: Option<Sealed>,
    records: u64,
    without_payload: u64,
    withdrawn: BTreeMap<String, u64>,
    ended: bool,
}

impl Verifier {
    /// Takes the next line. After an error nothing more is worth reading.
    pub fn line(&mut self, text: &str) -> Result<(), Break> {
        if self.ended {
            return Err(Break::End);
        }
        self.at += 1;
        let line: Line = serde_json::from_str(text).map_err(Break::Line)?;
        if !matches!(line, Line::End { .. }) {
            self.lines.line(text);
        }
        match line {
            Line::Export { export } => {
                if self.unsigned.is_some() {
                    return Err(Break::Beginning);
                }
                if export.version != VERSION {
                    return Err(Break::Version(export.version));
                }
                self.unsigned = Some(export);
                Ok(())
            }
            _ if self.unsigned.is_none() => Err(Break::Beginning),
            Line::Device { device } => self.device(&device),
            Line::Record(record) => self.record(&record),
            Line::End { end } => self.end(&end),
        }
    }

    /// Every line was taken.
    pub fn finish(self) -> Result<Verified, Break> {
        let unsigned = self.unsigned.filter(|_| self.ended).ok_or(Break::End)?;
        let waiting = self.sealed.as_ref().map_or(&[][..], |s| &s.says.waiting);
        if let Some(gap) = unexplained(&self.gaps, waiting) {
            return Err(gap.into());
        }
        let verdict = if self.records == 0 {
            Verdict::Empty
        } else if self.without_payload > 0 {
            Verdict::ContentsMissing
        } else if self.sealed.is_none() {
            Verdict::Unsealed
        } else if self.gaps.is_empty() {
            Verdict::Whole
        } else {
            Verdict::Waiting
        };
        Ok(Verified {
            verdict,
            unsigned,
            sealed: self.sealed,
            records: self.records,
            waiting: self.gaps.iter().map(Gap::count).sum(),
            without_payload: self.without_payload,
            withdrawn: self.withdrawn,
            keys: self
                .keys
                .into_iter()
                .map(|(device, key)| (device, jws::thumbprint(&key)))
                .collect(),
            chains: self.chains,
        })
    }

    fn end(&mut self, end: &End) -> Result<(), Break> {
        // Where records are missing, that and the place say more than that something is wrong.
        let gap = |waiting: &[Waiting]| unexplained(&self.gaps, waiting).map(Break::from);
        if end.records != self.records {
            return Err(gap(&[]).unwrap_or(Break::End));
        }
        if let Some(text) = &end.seal {
            let (says, key) = seal::read(text)?;
            let hash = std::mem::take(&mut self.lines).finish();
            if says.lines_sha256 != hash || says.records != self.records {
                return Err(gap(&says.waiting).unwrap_or(Break::Sealed));
            }
            self.sealed = Some(Sealed { key, says });
        }
        self.ended = true;
        Ok(())
    }

    /// Remembers that records are not there, for the end to say whether the server knew.
    fn missing(&mut self, gap: Gap) -> Result<(), Break> {
        if self.gaps.len() >= MAX_GAPS {
            return Err((&gap).into());
        }
        self.gaps.push(gap);
        Ok(())
    }

    fn device(&mut self, device: &Device) -> Result<(), Break> {
        let id = device.device_id;
        let key = device.key.to_key().map_err(|_| Break::Device(id))?;
        match self.keys.insert(id, key) {
            None => Ok(()),
            Some(_) => Err(Break::Device(id)),
        }
    }

    fn record(&mut self, line: &Record) -> Result<(), Break> {
        let signed = SignedHeader::from_wire(&line.record, &line.signature)?;
        // Not trusted yet: it says whose key to verify with.
        let claimed = signed.parse()?;
        let key = self
            .keys
            .get(&claimed.device_id)
            .ok_or(Break::UnknownDevice {
                record: claimed.record_id,
                device: claimed.device_id,
            })?;
        let header = signed.verify(key)?;
        let id = header.record_id;
        match (&line.payload, &line.withdrawn) {
            (Some(_), Some(_)) => return Err(Break::WithdrawnPayload(id)),
            (None, Some(text)) => {
                let withdrawal = withdrawal::verify(text, id, &signed, key)
                    .map_err(|source| Break::Withdrawal { record: id, source })?;
                *self
                    .withdrawn
                    .entry(withdrawal.reason.to_string())
                    .or_default() += 1;
            }
            (Some(payload), None) => {
                let bytes = STANDARD.decode(payload).map_err(|_| Break::Payload(id))?;
                let same = bytes.len() as u64 == header.payload_len
                    && jws::sha256_hex(&bytes) == header.payload_sha256;
                if !same {
                    return Err(Break::Payload(id));
                }
            }
            (None, None) => self.without_payload += 1,
        }

        let chain = (header.device_id, header.license_id);
        let gap = |first_seq| Gap {
            chain,
            first_seq,
            last_seq: header.seq - 1,
            behind: id,
            line: self.at,
        };
        let running = self
            .chains
            .last_mut()
            .filter(|last| (last.device_id, last.license_id) == chain);
        if let Some(running) = running {
            let expected = running.last_seq.saturating_add(1);
            let missing = match header.seq.checked_sub(expected) {
                None => return Err(Break::Order(id)),
                Some(0) if header.prev.as_deref() != Some(self.last_hash.as_str()) => {
                    return Err(Break::Chain(id));
                }
                Some(0) => None,
                Some(_) => Some(gap(expected)),
            };
            running.last_seq = header.seq;
            running.last_at_ms = header.captured_at_ms;
            if let Some(missing) = missing {
                self.missing(missing)?;
            }
        } else {
            if !self.begun.insert(chain) {
                return Err(Break::Order(id));
            }
            // A file that says it is from the beginning is held to that.
            let said_whole = self.unsigned.as_ref().is_some_and(|a| a.from_ms.is_none());
            if said_whole && header.seq > 1 {
                let missing = gap(1);
                self.missing(missing)?;
            }
            self.chains.push(Chain {
                device_id: header.device_id,
                license_id: header.license_id,
                first_seq: header.seq,
                last_seq: header.seq,
                first_at_ms: header.captured_at_ms,
                last_at_ms: header.captured_at_ms,
                from_its_beginning: header.seq == 1,
            });
        }
        self.last_hash = signed.hash();
        self.records += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
