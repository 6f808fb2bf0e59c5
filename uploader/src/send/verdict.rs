//! What an answer of the server means for the sender: pure, from status, headers and body.

use std::time::Duration;

use glasshour_license_format::Excess;
use glasshour_protocol::{ErrorBody, code};

/// Why a request did not succeed, by what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again, not before `after` if the server said so.
    Retry {
        /// From `Retry-After`.
        after: Option<Duration>,
        /// For `status`, in a sentence.
        why: String,
    },
    /// This record will never be taken: set it aside.
    Reject {
        /// Stable code.
        code: String,
        /// In a sentence.
        message: String,
    },
    /// Nothing will be taken until somebody changes something: keep everything, stop capturing.
    Stop {
        /// Stable code.
        code: String,
        /// In a sentence.
        message: String,
    },
    /// The server does not know this device (any more): enrol first.
    Enroll,
}

/// Sorts an unsuccessful answer.
///
/// Only a code that Glasshour's own server gives can set a record aside. A bare 404 or 403 of a proxy
/// or of a captive portal is a reason to come back later, never to give up a record.
pub(super) fn sort(status: u16, retry_after: Option<&str>, body: &[u8], now_s: i64) -> Verdict {
    let after = retry_after.and_then(|value| parse_retry_after(value, now_s));
    let Ok(ErrorBody { code, message, .. }) = serde_json::from_slice::<ErrorBody>(body) else {
        return Verdict::Retry {
            after,
            why: format!("The server answered with status {status} and no explanation."),
        };
    };
    match code.as_str() {
        code::EMPLOYEE_INACTIVE | code::DEVICE_REVOKED => Verdict::Stop { code, message },
        code::DEVICE_UNKNOWN => Verdict::Enroll,
        // By when it was captured, which never changes: the records behind it may be fine.
        code::LICENSE_EXPIRED
        | code::LICENSE_SUPERSEDED
        | code::LICENSE_UNKNOWN
        | code::CONFLICT
        | code::BAD_SIGNATURE
        | code::PAYLOAD_MISMATCH
        | code::INVALID
        | code::TOO_LARGE => Verdict::Reject { code, message },
        excess if Excess::is_code(excess) => Verdict::Reject { code, message },
        _ => Verdict::Retry {
            after,
            why: message,
        },
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date.
fn parse_retry_after(value: &str, now_s: i64) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(Duration::from_secs(
        at.saturating_sub(u64::try_from(now_s).unwrap_or(0)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(code: &str) -> Vec<u8> {
        format!(r#"{{"code":"{code}","message":"m"}}"#).into_bytes()
    }

    #[test]
    fn answers_of_something_that_is_not_our_server_never_give_up_a_record() {
        for status in [200, 301, 400, 401, 403, 404, 409, 413, 422, 500, 502] {
            let verdict = sort(status, None, b"<html>Hotel Wi-Fi</html>", 0);
            assert!(
                matches!(verdict, Verdict::Retry { after: None, .. }),
                "{status}"
            );
        }
    }

    #[test]
    fn p08_an_inactive_employee_stops_the_sender_and_keeps_the_record() {
        let verdict = sort(403, None, &body(code::EMPLOYEE_INACTIVE), 0);
        assert!(matches!(verdict, Verdict::Stop { code, .. } if code == "employee_inactive"));
    }

    #[test]
    fn a_device_that_waits_to_be_approved_keeps_every_record_and_says_why() {
        let verdict = sort(403, Some("60"), &body(code::DEVICE_WAITS), 0);
        let after = Some(Duration::from_mins(1));
        let why = "m".into();
        assert_eq!(verdict, Verdict::Retry { after, why });
    }

    #[test]
    fn p16_a_trial_that_is_over_keeps_every_record_and_says_why_it_waits() {
        let verdict = sort(403, Some("3600"), &body(code::TRIAL_ENDED), 0);
        let hour = Duration::from_hours(1);
        assert!(
            matches!(&verdict, Verdict::Retry { after: Some(after), why } if *after == hour && why == "m"),
            "{verdict:?}"
        );
    }

    #[test]
    fn a_record_is_set_aside_for_codes_that_cannot_change() {
        for reject in [
            code::CHANNEL_NOT_LICENSED,
            code::RATE_EXCEEDED,
            code::LICENSE_EXPIRED,
            code::CONFLICT,
            code::BAD_SIGNATURE,
        ] {
            let verdict = sort(403, None, &body(reject), 0);
            assert!(matches!(verdict, Verdict::Reject { code, .. } if code == reject));
        }
        assert_eq!(
            sort(401, None, &body(code::DEVICE_UNKNOWN), 0),
            Verdict::Enroll
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let after = |value| match sort(503, Some(value), &body(code::BUSY), 784_111_777) {
            Verdict::Retry { after, .. } => after.map(|d| d.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(after("Sat, 06 Nov 1993 08:50:37 GMT"), Some(0));
        assert_eq!(after("soon"), None);
    }
}
