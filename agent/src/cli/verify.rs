//! `glasshour verify`: whether an export of records is whole and unaltered.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use glasshour_protocol::export::{Break, Verified, Verifier};
use glasshour_protocol::limits::MAX_PAYLOAD_BYTES;
use serde_json::json;

use super::out;
use crate::exit::Exit;

/// The largest payload in base64, with room for the header.
const MAX_LINE: u64 = MAX_PAYLOAD_BYTES as u64 * 2;

/// Checks the export, and says how far it is whole.
pub(super) fn verify(file: &Path, json: bool) -> anyhow::Result<Exit> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let (verdict, line) =
        read(BufReader::new(opened)).with_context(|| format!("cannot read {}", file.display()))?;
    match verdict {
        Ok(verified) => {
            if json {
                out::json(&json!({ "whole": true, "verified": verified }))?;
            } else {
                plain(&verified).iter().for_each(out::line);
            }
            Ok(Exit::Ok)
        }
        Err(fault) => {
            if json {
                let broken = json!({ "line": line, "message": fault.to_string() });
                out::json(&json!({ "whole": false, "break": broken }))?;
            } else {
                out::complain(format!("{}, line {line}: {fault}.", file.display()));
            }
            Ok(Exit::Failure)
        }
    }
}

/// The verdict, and the line (from 1) that it was come to at.
fn read(mut file: BufReader<File>) -> std::io::Result<(Result<Verified, Break>, u64)> {
    let mut verifier = Verifier::default();
    let mut at = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if file.by_ref().take(MAX_LINE).read_line(&mut line)? == 0 {
            return Ok((verifier.finish(), at));
        }
        at += 1;
        if let Err(fault) = verifier.line(line.trim_end()) {
            return Ok((Err(fault), at));
        }
    }
}

fn plain(verified: &Verified) -> Vec<String> {
    let mut lines = vec![format!(
        "Whole and unaltered: {} records of {}, in {} chain(s).",
        verified.records,
        verified.about.company,
        verified.chains.len()
    )];
    if verified.without_payload > 0 {
        lines.push(format!(
            "{} of them are without their content, which is not kept any more.",
            verified.without_payload
        ));
    }
    for (reason, count) in &verified.withdrawn {
        let why = match reason.as_str() {
            "employee" => "the employee deleted them before they were sent",
            "superseded" => "a newer license does not permit them",
            _ => "it could not be read any more on the employee's computer",
        };
        lines.push(format!(
            "{count} of them are whole without their content, as the device signed: {why}."
        ));
    }
    for (device, key) in &verified.keys {
        lines.push(format!("Signed by the device {device}, key {key}."));
        for chain in verified.chains.iter().filter(|c| c.device_id == *device) {
            lines.push(format!(
                "  records {} to {} under the license {}",
                chain.first_seq, chain.last_seq, chain.license_id
            ));
        }
    }
    lines
}
