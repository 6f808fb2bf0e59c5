//! What licenses say: a file's, those that are loaded, the list.

use super::{no_license, store};
use crate::cli::out::{self, Reader};
use crate::exit::Exit;
use crate::home::Home;
use crate::license::{LatestTime, Notices};
use crate::platform;

use glasshour_license_format::{Claims, SignedLicense};
use glasshour_words::notice::notice;
use glasshour_words::{Message, Outside, Words, changes};
use serde::Serialize;
use serde_json::json;

/// A file, which may be anybody's: what stands against it is said beside what it says.
pub(super) fn show_file(
    home: &Home,
    signed: &SignedLicense,
    reader: Reader,
) -> anyhow::Result<Exit> {
    let Reader { json, words } = reader;
    let claims = signed.claims();
    let company = Outside(&claims.issuer.company);
    let mut warnings = Vec::new();
    if let Some(trusted) = store(home)?.key_replaced(signed)? {
        let former = Outside(&trusted);
        warnings.push(words.say(Message::LicenseOtherKey { company, former }));
    }
    let now = platform::detect().clock().now().wall_ms;
    let latest = LatestTime::open(home.clone()).now_for_validity(claims.issuer.company_id, now);
    if let Some(end) = claims.expires_at.filter(|end| *end <= latest) {
        let when = words.moment(end);
        warnings.push(words.say(Message::LicenseRanOut { when }));
    }
    if json {
        out::json(&Described {
            warnings,
            ..Described::new(signed, claims, words)
        })?;
    } else {
        warnings.into_iter().for_each(out::line);
        notice_lines(signed, words).into_iter().for_each(out::line);
    }
    Ok(Exit::Ok)
}

pub(super) fn show_loaded(home: &Home, reader: Reader) -> anyhow::Result<Exit> {
    let Reader { json, words } = reader;
    let loaded = store(home)?.read()?;
    let notices = Notices::open(home.clone());
    for newest in &loaded.current {
        let standing = loaded.agreement(newest, |id| notices.event(id));
        let (holds, signed) = (standing.claims(), newest.signed());
        if json {
            out::json(&Described {
                waits: standing.waits().then(|| signed.claims()),
                ..Described::new(signed, &holds, words)
            })?;
        } else if standing.waits() {
            let company = Outside(&signed.claims().issuer.company);
            out::line(words.say(Message::LicenseHoldsNow { company }));
            notice(&holds, words).to_text().lines().for_each(out::line);
            let different = changes::lines(words, &holds, signed.claims());
            different.into_iter().for_each(out::line);
            out::line(words.say(Message::LicenseThenAgree {}));
        } else {
            notice_lines(signed, words).into_iter().for_each(out::line);
        }
    }
    if loaded.current.is_empty() {
        return no_license(reader);
    }
    Ok(Exit::Ok)
}

/// A license for a script.
#[derive(Serialize)]
struct Described<'a> {
    /// What it says; of a loaded one, what holds of it.
    claims: &'a Claims,
    fingerprint: &'a str,
    former_keys: Vec<&'a str>,
    notice: String,
    language: &'static str,
    /// What stands against a file, in sentences.
    warnings: Vec<String>,
    /// What a loaded one says, where a part of it waits to be agreed to.
    waits: Option<&'a Claims>,
}

impl<'a> Described<'a> {
    fn new(signed: &'a SignedLicense, claims: &'a Claims, words: Words) -> Self {
        Self {
            claims,
            fingerprint: signed.thumbprint(),
            former_keys: former_keys(signed),
            notice: notice(claims, words).to_text(),
            language: words.language().code(),
            warnings: Vec::new(),
            waits: None,
        }
    }
}

/// The keys that led to the one that signed, oldest first.
fn former_keys(signed: &SignedLicense) -> Vec<&str> {
    let steps = signed.key_history().announcements().iter();
    steps.map(|step| step.former.as_str()).collect()
}

pub(super) fn notice_lines(signed: &SignedLicense, words: Words) -> Vec<String> {
    let notice = notice(signed.claims(), words).to_text();
    let mut lines: Vec<_> = notice.lines().map(str::to_owned).collect();
    let key = Outside(signed.thumbprint());
    lines.push(words.say(Message::LicenseKey { key }));
    if let Some(last) = signed.key_history().announcements().last() {
        lines.push(words.say(Message::LicenseKeyHistory {
            company: Outside(&signed.claims().issuer.company),
            date: Outside(&last.issued_at.strftime("%Y-%m-%d").to_string()),
            former: Outside(&former_keys(signed).join(" → ")),
            key,
        }));
    }
    lines
}

pub(super) fn list(home: &Home, reader: Reader) -> anyhow::Result<Exit> {
    let read = store(home)?.read()?;
    let notices = Notices::open(home.clone());
    let waits = |newest| read.agreement(newest, |id| notices.event(id)).waits();
    let loaded = &read.current;
    if reader.json {
        let items: Vec<_> = loaded
            .iter()
            .map(|license| {
                json!({
                    "license_id": license.claims().license_id,
                    "serial": license.claims().serial,
                    "company": license.claims().issuer.company,
                    "company_id": license.claims().issuer.company_id,
                    "employee": license.claims().employee.name,
                    "work_mode": license.claims().work_mode,
                    "profile": license.claims().profile.name,
                    "issued_at": license.claims().issued_at,
                    "fingerprint": license.signed().thumbprint(),
                    "waits": waits(license),
                })
            })
            .collect();
        out::json(&items)?;
        return Ok(Exit::Ok);
    }
    for license in loaded {
        let claims = license.claims();
        out::line(format!(
            "{} — {}, {} mode, profile {}, serial {}",
            claims.issuer.company,
            claims.employee.name,
            claims.work_mode.as_str(),
            claims.profile.name,
            claims.serial,
        ));
        out::line(format!("  company {}", claims.issuer.company_id));
        out::line(format!("  key     {}", license.signed().thumbprint()));
        if waits(license) {
            let mark = reader.words.say(Message::LicenseWaitsMark {});
            out::line(format!("  {mark}"));
        }
    }
    if loaded.is_empty() {
        return no_license(reader);
    }
    Ok(Exit::Ok)
}
