//! What a license must satisfy beyond its types, checked alike by who signs and by who reads.

use std::net::Ipv6Addr;

use crate::claims::{Claims, Profile, RetentionDays};

/// A value in a license that no license may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Invalid {
    /// Path of the member, such as `profile.screenshots.per_hour`.
    pub field: &'static str,
    /// What is wrong with it, for a person.
    pub reason: &'static str,
}

/// 2^53 - 1: the largest whole number that every JSON reader keeps exactly (RFC 7493, section 2.2).
const MAX_SERIAL: u64 = (1 << 53) - 1;

const fn invalid(field: &'static str, reason: &'static str) -> Result<(), Invalid> {
    Err(Invalid { field, reason })
}

/// Characters that make a text look like what it is not: control characters (terminal escapes), line
/// and paragraph separators, marks that turn the direction of text (UAX #9, section 2), and characters
/// that take no room. The joiners U+200C and U+200D stay: names in several scripts need them.
pub fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn one_line(field: &'static str, text: &str) -> Result<(), Invalid> {
    if text.chars().any(misleads) {
        return invalid(
            field,
            "must have no line breaks, control characters, or characters that are not seen",
        );
    }
    Ok(())
}

/// Whether a text, after its scheme, names a server and nothing that could make it look like another: a
/// host (RFC 3986, section 3.2.2: letters, digits, dots and hyphens, or an IP address), at most a port
/// from 1 to 65535 and a path of printable ASCII. Names in other scripts are written in Punycode.
fn is_host_and_path(rest: &str) -> bool {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let odd = |c: char| !c.is_ascii_graphic() || matches!(c, '?' | '#' | '@' | '\\');
    if path.chars().any(odd) {
        return false;
    }
    let (host, after) = match authority.strip_prefix('[') {
        Some(address) => match address.split_once(']') {
            Some((address, after)) if address.parse::<Ipv6Addr>().is_ok() => (address, after),
            _ => return false,
        },
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let port = match after.strip_prefix(':') {
        Some(port) => {
            port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0)
        }
        None => after.is_empty(),
    };
    !host.is_empty() && host.chars().all(of_host) && port
}

impl Profile {
    /// Checks ranges and the schedule.
    pub fn validate(&self) -> Result<(), Invalid> {
        const RATE: &str = "must be from 1 to 3600";
        if self.name.trim().is_empty() {
            return invalid("profile.name", "must not be empty");
        }
        one_line("profile.name", &self.name)?;
        if let Some(screenshots) = &self.screenshots {
            if !(1..=3600).contains(&screenshots.per_hour) {
                return invalid("profile.screenshots.per_hour", RATE);
            }
            if screenshots
                .max_width_px
                .is_some_and(|width| !(64..=16_384).contains(&width))
            {
                return invalid(
                    "profile.screenshots.max_width_px",
                    "must be from 64 to 16384",
                );
            }
        }
        if self
            .camera
            .as_ref()
            .is_some_and(|camera| !(1..=3600).contains(&camera.per_hour))
        {
            return invalid("profile.camera.per_hour", RATE);
        }
        if self
            .activity
            .as_ref()
            .is_some_and(|activity| activity.window_titles && !activity.applications)
        {
            return invalid(
                "profile.activity.window_titles",
                "needs `applications`: a title is kept with its application",
            );
        }
        if !(10..=86_400).contains(&self.idle_after_s) {
            return invalid("profile.idle_after_s", "must be from 10 to 86400");
        }
        if self.review_hold_s > 30 * 86_400 {
            return invalid("profile.review_hold_s", "must be at most 30 days");
        }
        if let Some(schedule) = &self.schedule {
            if schedule.days.is_empty() {
                return invalid("profile.schedule.days", "must name at least one day");
            }
            if schedule.from >= schedule.to {
                return invalid("profile.schedule.to", "must be later than `from`");
            }
            if jiff::tz::TimeZone::get(&schedule.time_zone).is_err() {
                return invalid(
                    "profile.schedule.time_zone",
                    "must be an IANA time zone name",
                );
            }
        }
        if self
            .exclude
            .applications
            .iter()
            .chain(&self.exclude.title_contains)
            .any(String::is_empty)
        {
            return invalid("profile.exclude", "must not contain an empty text");
        }
        Ok(())
    }
}

impl Claims {
    /// Checks everything that the types alone do not.
    pub fn validate(&self) -> Result<(), Invalid> {
        if !(1..=MAX_SERIAL).contains(&self.serial) {
            return invalid("serial", "must be from 1 to 9007199254740991");
        }
        if self.employee.name.trim().is_empty() {
            return invalid("employee.name", "must not be empty");
        }
        if self.issuer.company.trim().is_empty() {
            return invalid("issuer.company", "must not be empty");
        }
        one_line("employee.name", &self.employee.name)?;
        one_line("issuer.company", &self.issuer.company)?;
        one_line("issuer.server_url", &self.issuer.server_url)?;
        if let Some(contact) = &self.issuer.privacy_contact {
            one_line("issuer.privacy_contact", contact)?;
        }
        let kept = self.issuer.retention_days.as_ref();
        let mut days = kept.into_iter().flat_map(RetentionDays::by_kind).flatten();
        if days.any(|days| !(1..=36_500).contains(&days)) {
            return invalid("issuer.retention_days", "must be from 1 to 36500");
        }
        if let Some(notice) = &self.notice
            && notice
                .chars()
                .any(|c| misleads(c) && !matches!(c, '\n' | '\r' | '\t'))
        {
            return invalid(
                "notice",
                "must have no control characters, or characters that are not seen",
            );
        }
        let url = &self.issuer.server_url;
        let Some(rest) = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
        else {
            return invalid("issuer.server_url", "must begin with https:// or http://");
        };
        if !is_host_and_path(rest) {
            return invalid(
                "issuer.server_url",
                "must have a host after https:// or http://, then at most a port and a path: no user, \
                 no question mark, no #",
            );
        }
        if let (Some(from), Some(to)) = (self.not_before, self.expires_at)
            && from >= to
        {
            return invalid("expires_at", "must be later than `not_before`");
        }
        self.profile.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn claims(pointer: &str, text: &str) -> Claims {
        let mut claims = json!({
            "version": 1,
            "license_id": "01936c2e-7a10-7bbb-8c1d-0123456789ab",
            "serial": 1,
            "issued_at": "2026-11-21T09:00:00Z",
            "issuer": {
                "company": "Acme",
                "company_id": "01936c2e-7a10-7bbb-8c1d-0123456789ac",
                "server_url": "https://time.acme.example",
                "privacy_contact": "dpo@acme.example",
            },
            "employee": {
                "employee_id": "01936c2e-7a10-7bbb-8c1d-0123456789ad",
                "name": "Jo Doe",
            },
            "work_mode": "worklog",
            "notice": "",
            "profile": {"name": "Standard"},
        });
        let place = claims.pointer_mut(pointer).unwrap();
        *place = Value::String(format!("{}{text}", place.as_str().unwrap()));
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn a_server_is_named_so_that_it_cannot_be_taken_for_another() {
        let is_good = |url: &str| {
            let mut claims = claims("/notice", "");
            claims.issuer.server_url = url.into();
            claims.validate().is_ok()
        };
        for good in [
            "https://time.acme.example",
            "http://127.0.0.1:8080",
            "https://[::1]:8443/glasshour/",
            "https://xn--mnchen-3ya.example/a%20b",
        ] {
            assert!(is_good(good), "{good}");
        }
        for bad in [
            "https://",
            "https:///path",
            "https://acme.example@evil.example",
            "https://user:pw@127.0.0.1",
            "https://acme.example:0",
            "https://acme.example:99999",
            "https://acme.example:",
            "https://acme.example:+80",
            "https://acme.example/?x",
            "https://acme.example#y",
            "https://acme.example\\@evil.example",
            "https://acme.example/ x",
            "https://аcme.example",
            "https://[::1",
            "https://[evil]",
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }

    #[test]
    fn a_text_that_could_mislead_on_a_terminal_is_refused_with_its_field() {
        let fields = [
            "employee.name",
            "issuer.company",
            "issuer.server_url",
            "issuer.privacy_contact",
            "profile.name",
            "notice",
        ];
        for field in fields {
            let pointer = format!("/{}", field.replace('.', "/"));
            for bad in ["\u{1b}[2J", "\u{9b}31m", "\u{202e}", "\u{61c}", "\u{200b}"] {
                let refused = claims(&pointer, bad).validate().unwrap_err();
                assert_eq!(refused.field, field, "{bad:?}");
            }
            if field == "issuer.server_url" {
                continue;
            }
            let names = claims(
                &pointer,
                " \u{1f469}\u{200d}\u{1f4bb} \u{645}\u{200c}\u{6cc}",
            );
            assert_eq!(names.validate(), Ok(()), "{field}");
            assert_eq!(
                claims(&pointer, "a\r\nb").validate().is_ok(),
                field == "notice"
            );
        }
    }
}
