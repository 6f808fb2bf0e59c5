//! `glasshour verify`: what an export of records proves, and what it cannot.
//!
//! Nothing is believed that nobody signed: devices sign for records, and the server for that there were no
//! more. Where its key is one that this computer has pinned, that is said; else its fingerprint is told.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use glasshour_protocol::export::{Break, Chain, Sealed, Verdict, Verified, Verifier};
use glasshour_protocol::limits::MAX_PAYLOAD_BYTES;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::out;
use crate::exit::Exit;
use crate::home::Home;
use crate::license::known_keys;

/// The largest payload in base64, with room for the header.
const MAX_LINE: u64 = MAX_PAYLOAD_BYTES as u64 * 2;

/// Whose the key is that the server signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// The one that was given.
    Given,
    /// One that this computer has pinned for that company.
    Known,
    /// Nothing is known of that company here.
    Unknown,
    /// Another one than was given, or than this computer knows the company by.
    Foreign,
}

/// Checks the export, and says how far it proves anything.
pub(super) fn verify(
    home: &Home,
    file: &Path,
    key: Option<&str>,
    json: bool,
) -> anyhow::Result<Exit> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let (verdict, line) =
        read(BufReader::new(opened)).with_context(|| format!("cannot read {}", file.display()))?;
    let verified = match verdict {
        Ok(verified) => verified,
        Err(fault) => {
            let line = fault.line().unwrap_or(line);
            return broken(file, line, &fault.to_string(), json);
        }
    };
    let standing = match &verified.sealed {
        None if key.is_some() => {
            return broken(file, line, "no server has signed this export", json);
        }
        None => Standing::Unknown,
        Some(sealed) => standing(home, sealed, key)?,
    };
    if standing == Standing::Foreign {
        let told = verified.sealed.as_ref().map_or("", |sealed| &sealed.key);
        let fault = format!(
            "the server's signature is by the key {told}, which is not the one that you gave or \
             that this computer knows the company by"
        );
        return broken(file, line, &fault, json);
    }
    // A seal proves something to whoever knows whose key it is by.
    let unvouched = verified.sealed.is_some() && standing == Standing::Unknown;
    if json {
        let verdict = if unvouched {
            json!("unvouched")
        } else {
            json!(verified.verdict)
        };
        let whole = verified.verdict == Verdict::Whole && !unvouched;
        out::json(&json!({
            "verdict": verdict, "whole": whole, "server_key": standing, "verified": verified,
        }))?;
    } else {
        plain(&verified, standing).iter().for_each(out::line);
    }
    Ok(match verified.verdict {
        _ if unvouched => Exit::Unproven,
        Verdict::Whole | Verdict::Waiting => Exit::Ok,
        Verdict::ContentsMissing | Verdict::Unsealed | Verdict::Empty => Exit::Unproven,
    })
}

fn broken(file: &Path, line: u64, fault: &str, json: bool) -> anyhow::Result<Exit> {
    if json {
        let told = json!({ "line": line, "message": fault });
        out::json(&json!({ "verdict": "broken", "whole": false, "break": told }))?;
    } else {
        // Nothing was read before the first line.
        let at = match line {
            0 => String::new(),
            line => format!(", line {line}"),
        };
        out::complain(format!("{}{at}: {fault}.", file.display()));
    }
    Ok(Exit::Failure)
}

fn standing(home: &Home, sealed: &Sealed, given: Option<&str>) -> anyhow::Result<Standing> {
    if let Some(given) = given {
        let same = given == sealed.key;
        return Ok(if same {
            Standing::Given
        } else {
            Standing::Foreign
        });
    }
    let known = known_keys(home, sealed.says.company_id)?;
    Ok(if known.is_empty() {
        Standing::Unknown
    } else if known.contains(&sealed.key) {
        Standing::Known
    } else {
        Standing::Foreign
    })
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

fn plain(verified: &Verified, standing: Standing) -> Vec<String> {
    let mut lines = vec![headline(verified, standing)];
    match &verified.sealed {
        Some(sealed) => lines.extend(vouched(sealed, standing)),
        None => lines.extend([
            "No server has signed for that: what stood before the first or behind the last record of \
             a chain cannot be told from this file."
                .to_owned(),
            format!(
                "The file says that it is of {}; nothing in it proves that.",
                verified.unsigned.company
            ),
        ]),
    }
    if verified.waiting > 0 {
        lines.push(waiting(verified));
    }
    if verified.without_payload > 0 {
        let why = if verified.sealed.is_some() {
            "the server did not have it any more when it made this export"
        } else {
            "who took it away, and why, cannot be told from this file"
        };
        lines.push(format!(
            "{} of {} records are without their content: {why}.",
            verified.without_payload, verified.records
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
        lines.push(format!("Signed by the device {device}, key {key}:"));
        let of_device = |chain: &&Chain| chain.device_id == *device;
        lines.extend(verified.chains.iter().filter(of_device).map(range));
    }
    lines
}

fn headline(verified: &Verified, standing: Standing) -> String {
    let records = verified.records;
    match verified.verdict {
        Verdict::Whole | Verdict::Waiting if standing == Standing::Unknown => format!(
            "Unaltered as far as it goes: {records} records. Whose key says that they are all is not \
             known here: give the company's with --key."
        ),
        Verdict::Whole => {
            format!("Whole and unaltered: {records} records, all that the server had.")
        }
        Verdict::Waiting => format!(
            "Unaltered: {records} records, all that the server had; more may wait for review."
        ),
        Verdict::ContentsMissing => {
            format!("Contents are missing; what is there of {records} records is unaltered.")
        }
        Verdict::Unsealed => {
            format!(
                "Unaltered as far as it goes: {records} records. Whether it is all is not proven."
            )
        }
        Verdict::Empty => "There are no records in this export: nothing is proven.".to_owned(),
    }
}

fn vouched(sealed: &Sealed, standing: Standing) -> [String; 2] {
    let says = &sealed.says;
    let from = says.from_ms.map_or("the beginning".to_owned(), moment);
    let to = says.to_ms.map_or("then".to_owned(), moment);
    let whose = match standing {
        Standing::Given => "the one that you gave",
        Standing::Known => "which this computer knows the company by",
        Standing::Unknown | Standing::Foreign => {
            "which the company must confirm: `glasshour-server doctor` and each license of it show it"
        }
    };
    let who = match standing {
        Standing::Given | Standing::Known => "The server of",
        Standing::Unknown | Standing::Foreign => "Somebody by the name of",
    };
    [
        format!(
            "{who} {} signed, at {}, that these are its {} records of {} captured from {from} \
             to {to}.",
            says.company,
            moment(says.made_at_ms),
            says.records,
            says.employee
        ),
        format!("It signed with the key {}, {whose}.", sealed.key),
    ]
}

fn waiting(verified: &Verified) -> String {
    let waiting = verified
        .sealed
        .iter()
        .flat_map(|sealed| &sealed.says.waiting);
    let until = waiting.filter_map(|gap| gap.until_ms).max();
    let until = until.map_or_else(
        || "; the computer had not been heard of since they were due".to_owned(),
        |ms| format!(", until {}", moment(ms)),
    );
    format!(
        "{} records had not come and may still wait on the computer for review, as the license \
         gives{until}.",
        verified.waiting
    )
}

/// `  records 1 to 4 of the license …, captured … to …; the chain begins with them`
fn range(chain: &Chain) -> String {
    let before = if chain.from_its_beginning {
        "the chain begins with them".to_owned()
    } else {
        format!(
            "{} records before them are not in this file",
            chain.first_seq - 1
        )
    };
    format!(
        "  records {} to {} of the license {}, captured {} to {}; {before}",
        chain.first_seq,
        chain.last_seq,
        chain.license_id,
        moment(chain.first_at_ms),
        moment(chain.last_at_ms)
    )
}

fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| "a moment that no calendar knows".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
