//! What an employee may delete, and what that costs: what stretch of time a capture stands for.
//!
//! Pure and from the license and the record's header alone, so that what the agent tells beforehand is
//! what the server takes off afterwards. It is held against the session's own stretches by
//! [`glasshour_protocol::session::RollUp::without`].

use glasshour_protocol::session::Span;
use glasshour_protocol::withdrawal::{Reason, is_deletable};
use glasshour_protocol::{Kind, RecordHeader};

use crate::claims::Profile;
use crate::excess::{Excess, Payload};

const HOUR_MS: i64 = 3_600_000;
/// A record of activity is made at the end of a minute.
const MINUTE_MS: i64 = 60_000;

impl Profile {
    /// Whether the employee may delete a record of that kind.
    pub fn permits_deletion(&self, kind: Kind) -> bool {
        self.employee_may_delete && is_deletable(kind)
    }

    /// Holds a record that goes without its payload against the profile: its header, and whether the
    /// employee may delete it where that is why.
    pub fn permits_withdrawn(&self, header: &RecordHeader, reason: Reason) -> Result<(), Excess> {
        self.permits(header, Payload::Unread)?;
        if reason == Reason::Employee && !self.permits_deletion(header.kind) {
            return Err(Excess::Deletion);
        }
        Ok(())
    }

    /// The time that a capture stands for: a picture for the time before it that the licensed rate
    /// leaves to each, a record of activity for its minute. `None`: for no time.
    pub fn stands_for(&self, kind: Kind, captured_at_ms: i64) -> Option<Span> {
        let each = |per_hour: u32| HOUR_MS / i64::from(per_hour.max(1));
        let length_ms = match kind {
            Kind::Screenshot => each(self.screenshots.as_ref()?.per_hour),
            Kind::Camera => each(self.camera.as_ref()?.per_hour),
            Kind::Activity => MINUTE_MS,
            Kind::Session | Kind::Health | Kind::Notice => return None,
        };
        Some(Span {
            from_ms: captured_at_ms.saturating_sub(length_ms),
            to_ms: captured_at_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        serde_json::from_value(serde_json::json!({
            "name": "All", "screenshots": {"per_hour": 6}, "activity": {}, "employee_may_delete": true,
        }))
        .unwrap()
    }

    #[test]
    fn six_an_hour_stand_for_ten_minutes_each_and_activity_for_its_minute() {
        let length = |kind| {
            let span = profile().stands_for(kind, 1_000_000);
            span.map(|span| {
                assert_eq!(span.to_ms, 1_000_000);
                span.to_ms - span.from_ms
            })
        };
        assert_eq!(length(Kind::Screenshot), Some(600_000));
        assert_eq!(length(Kind::Activity), Some(60_000));
        assert_eq!(length(Kind::Camera), None, "it is not licensed");
        for kind in [Kind::Session, Kind::Health, Kind::Notice] {
            assert_eq!(length(kind), None);
        }
    }

    #[test]
    fn captures_may_be_deleted_where_licensed_and_sessions_never() {
        let mut profile = profile();
        let deletable = |profile: &Profile| Kind::ALL.map(|kind| profile.permits_deletion(kind));
        assert_eq!(deletable(&profile), [true, true, true, false, false, false]);
        profile.employee_may_delete = false;
        assert_eq!(deletable(&profile), [false; 6]);
    }
}
