//! A license's dates bound what is captured: one rule for both gates (rule 12).
//!
//! Pictures and minutes of activity are held to them. Sessions, health and notices tell when the agent
//! ran and why it stopped, and come after the end as well.

use glasshour_protocol::payload::ActivityMinute;
use glasshour_protocol::{Kind, RecordHeader};
use jiff::{SignedDuration, Timestamp};

use crate::claims::Claims;
use crate::excess::{Excess, Payload};

/// A minute of activity is dated by its end: the one that was under way when the license ran out
/// comes at most this much later.
const MINUTE_UNDER_WAY: SignedDuration = SignedDuration::from_secs(60);

impl Claims {
    /// Holds a record against the license's dates, as far as its payload was read: whether a minute of
    /// activity began in time is known with its payload.
    pub fn permits_date(&self, header: &RecordHeader, payload: Payload<'_>) -> Result<(), Excess> {
        let captured = time(header.captured_at_ms)?;
        let valid = match (header.kind, payload) {
            (Kind::Session | Kind::Health | Kind::Notice, _) => true,
            (Kind::Screenshot | Kind::Camera, _) => self.is_current(captured),
            (Kind::Activity, Payload::Minute(minute)) => {
                self.is_current(time(minute.from_ms)?) && self.is_before_end(captured)
            }
            (Kind::Activity, _) => self.is_before_end(captured),
        };
        if valid { Ok(()) } else { Err(Excess::Dates) }
    }

    /// Holds a record against the license, its dates and its profile, as far as it can be judged alone.
    pub fn permits_payload(&self, header: &RecordHeader, payload: &[u8]) -> Result<(), Excess> {
        self.permits_date(header, Payload::Unread)?;
        if header.kind == Kind::Activity {
            let minute: ActivityMinute =
                serde_json::from_slice(payload).map_err(|_| Excess::Unreadable)?;
            self.permits_date(header, Payload::Minute(&minute))?;
        }
        self.profile.permits_payload(header, payload)
    }

    fn is_before_end(&self, minute_ended: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| {
            let last = end.checked_add(MINUTE_UNDER_WAY);
            last.is_ok_and(|last| minute_ended <= last)
        })
    }
}

fn time(ms: i64) -> Result<Timestamp, Excess> {
    Timestamp::from_millisecond(ms).map_err(|_| Excess::Unreadable)
}
