//! What licenses say: a file's, those that are loaded, the list.

use super::{name_lines, no_license, store};
use crate::cli::out::{self, Reader};
use crate::exit::Exit;
use crate::home::Home;
use crate::license::{LatestTime, invalid};
use crate::platform;

use glasshour_license_format::{Claims, License, SignedLicense, WorkMode};
use glasshour_words::notice::notice;
use glasshour_words::{Key, Message, Outside, Words, changes};
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
    warnings.extend(name_lines(&claims.issuer, &store(home)?.current()?, words));
    let now = platform::detect().clock().now().wall_ms;
    let latest = LatestTime::open(home.clone()).now_for_validity(claims.issuer.company_id, now);
    if let Some(end) = claims.expires_at.filter(|end| *end <= latest) {
        let when = words.moment(end);
        warnings.push(words.say(Message::LicenseFileRanOut { when }));
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
    let validity = Validity::new(home);
    for newest in &loaded.current {
        let standing = loaded.agreement(newest);
        let (holds, signed) = (standing.claims(), newest.signed());
        let mut warnings = name_lines(&holds.issuer, &loaded.current, words);
        warnings.extend(validity.why_not(&standing.in_force, words));
        if json {
            out::json(&Described {
                waits: standing.waits().then(|| signed.claims()),
                warnings,
                ..Described::new(signed, &holds, words)
            })?;
            continue;
        }
        warnings.into_iter().for_each(out::line);
        if standing.waits() {
            let company = Outside(&signed.claims().issuer.company);
            let mode = mode(newest.work_mode());
            out::line(words.say(Message::LicenseHoldsNow { company, mode }));
            notice(&holds, words).to_text().lines().for_each(out::line);
            let different = changes::lines(words, &holds, signed.claims());
            different.into_iter().for_each(out::line);
            out::line(words.say(Message::LicenseThenAgree { mode }));
        } else {
            notice_lines(signed, words).into_iter().for_each(out::line);
        }
    }
    if loaded.current.is_empty() {
        return no_license(reader);
    }
    Ok(Exit::Ok)
}

/// Which of two truths holds of what waits: it is agreed to, or its notice is shown.
fn mode(mode: WorkMode) -> Key<'static> {
    Key(mode.as_str())
}

/// Whether licenses hold by their dates, now.
struct Validity {
    latest: LatestTime,
    wall_ms: i64,
}

impl Validity {
    fn new(home: &Home) -> Self {
        Self {
            latest: LatestTime::open(home.clone()),
            wall_ms: platform::detect().clock().now().wall_ms,
        }
    }

    fn why_not(&self, license: &License, words: Words) -> Option<String> {
        let company = license.claims().issuer.company_id;
        let latest = self.latest.now_for_validity(company, self.wall_ms);
        invalid(license, latest, self.wall_ms, words)
    }
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
    let Reader { json, words } = reader;
    let read = store(home)?.read()?;
    let validity = Validity::new(home);
    let loaded = &read.current;
    let mut items = Vec::with_capacity(loaded.len());
    for newest in loaded {
        let standing = read.agreement(newest);
        // What holds, not what waits.
        let claims = standing.claims();
        let invalid = validity.why_not(&standing.in_force, words);
        let waiting = standing.waits().then(|| newest.claims().serial);
        let fingerprint = standing.in_force.signed().thumbprint();
        if json {
            items.push(json!({
                "license_id": claims.license_id,
                "serial": claims.serial,
                "company": claims.issuer.company,
                "company_id": claims.issuer.company_id,
                "employee": claims.employee.name,
                "work_mode": claims.work_mode,
                "profile": claims.profile.name,
                "issued_at": claims.issued_at,
                "fingerprint": fingerprint,
                "invalid": invalid,
                "waits": standing.waits(),
                "waiting_serial": waiting,
            }));
            continue;
        }
        out::line(words.say(Message::LicenseLine {
            company: Outside(&claims.issuer.company),
            employee: Outside(&claims.employee.name),
            mode: mode(claims.work_mode),
            profile: Outside(&claims.profile.name),
            serial: Outside(&claims.serial.to_string()),
        }));
        let id = claims.issuer.company_id.to_string();
        let mut details = vec![
            words.say(Message::LicenseLineCompany { id: Outside(&id) }),
            words.say(Message::LicenseLineKey {
                key: Outside(fingerprint),
            }),
        ];
        details.extend(invalid);
        details.extend(waiting.map(|serial| {
            words.say(Message::LicenseWaitsMark {
                mode: mode(newest.work_mode()),
                serial: Outside(&serial.to_string()),
            })
        }));
        for detail in details {
            out::line(format!("  {detail}"));
        }
    }
    if json {
        out::json(&items)?;
    } else if loaded.is_empty() {
        return no_license(reader);
    }
    Ok(Exit::Ok)
}
