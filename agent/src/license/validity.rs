//! Why a license does not hold at present, by its dates: said alike by the tray, `status`, `doctor` and
//! `license`.

use glasshour_license_format::License;
use glasshour_words::{Message, Words};
use jiff::Timestamp;

/// Why it does not, in a sentence; `None`: it does. `latest`: the time that the dates are held against,
/// which may be later than what the clock shows.
pub fn invalid(license: &License, latest: Timestamp, wall_ms: i64, words: Words) -> Option<String> {
    if license.is_current(latest) {
        return None;
    }
    let clock = Timestamp::from_millisecond(wall_ms).unwrap_or_default();
    let when = |at| words.moment(at);
    Some(words.say(match license.expires_at() {
        Some(end) if end <= latest && clock < end => {
            Message::LicenseRanOutClock { when: when(end) }
        }
        Some(end) if end <= latest => Message::LicenseRanOut { when: when(end) },
        _ => Message::LicenseNotYet {
            when: when(license.not_before().unwrap_or(latest)),
        },
    }))
}
