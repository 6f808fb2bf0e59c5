//! How long there has been no input in this session, by the system's own counters.

use std::time::Duration;

use objc2_core_graphics::{CGEventSource, CGEventSourceStateID, CGEventType};

use crate::platform::{Idle, Unavailable};

/// `kCGAnyInputEventType`
const ANY_INPUT: CGEventType = CGEventType(u32::MAX);

/// Idle time of this session.
pub(super) struct MacIdle;

impl Idle for MacIdle {
    fn idle(&mut self) -> Result<Duration, Unavailable> {
        let session = CGEventSourceStateID::CombinedSessionState;
        let seconds = CGEventSource::seconds_since_last_event_type(session, ANY_INPUT);
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}
