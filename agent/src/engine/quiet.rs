//! How long nobody has been at the computer, as far as a session is concerned: no input, and no call.
//!
//! Who speaks in a call uses no keyboard: while the microphone or the camera is in use, that is not idle time.

use std::sync::Arc;

use crate::clock::Moment;
use crate::platform::{Idle, Platform, Unavailable};

/// From so much time without input on it is looked whether there is a call.
const LOOK_FOR_CALL_MS: u64 = 60_000;

/// One session's view of it.
#[derive(Default)]
pub(super) struct Quiet {
    source: Option<Box<dyn Idle>>,
    last_ms: Option<u64>,
    trouble: Option<String>,
    /// Since when (monotonic) a display that was there does not answer.
    gone_since: Option<u64>,
    /// When (monotonic) a call was last seen.
    call_seen_ms: Option<u64>,
}

impl Quiet {
    /// How long there has been neither input nor a call; `None` where the system cannot tell.
    pub(super) fn look(
        &mut self,
        platform: &Arc<dyn Platform>,
        now: Moment,
        idle_after_ms: u64,
    ) -> Option<u64> {
        let asked = match self.source.take() {
            Some(source) => Ok(source),
            None => platform.idle(),
        }
        .and_then(|mut source| {
            let time = source.idle()?;
            self.source = Some(source);
            Ok(time)
        });
        self.last_ms = match asked {
            Ok(time) => {
                self.trouble = None;
                self.gone_since = None;
                let without_input = super::millis(time);
                if without_input >= LOOK_FOR_CALL_MS.min(idle_after_ms)
                    && platform.call_in_progress()
                {
                    self.call_seen_ms = Some(now.mono_ms);
                }
                Some(since_call(without_input, self.call_seen_ms, now.mono_ms))
            }
            Err(error) => {
                if matches!(error, Unavailable::Gone(_)) && self.last_ms.is_some() {
                    self.gone_since = Some(now.mono_ms);
                }
                self.trouble = Some(error.to_string());
                None
            }
        };
        self.last_ms
    }

    /// What was found last.
    pub(super) fn last_ms(&self) -> Option<u64> {
        self.last_ms
    }

    /// Why it cannot be told.
    pub(super) fn trouble(&self) -> Option<&String> {
        self.trouble.as_ref()
    }

    /// Why it cannot be told, where the display does not answer.
    pub(super) fn display_trouble(&self) -> Option<&String> {
        self.trouble.as_ref().filter(|_| self.gone_since.is_some())
    }

    /// Since when (monotonic) the display that the session runs on does not answer.
    pub(super) fn gone_since(&self) -> Option<u64> {
        self.gone_since
    }
}

/// Whichever is nearer: the last input, or the last moment of a call.
fn since_call(without_input_ms: u64, call_seen_ms: Option<u64>, now_ms: u64) -> u64 {
    let since = call_seen_ms.map_or(u64::MAX, |seen| now_ms.saturating_sub(seen));
    without_input_ms.min(since)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::platform::fake::FakeDesktop;

    #[test]
    fn who_is_in_a_call_is_not_idle_and_idle_time_begins_when_it_ends() {
        let desktop = FakeDesktop::new();
        let platform: Arc<dyn Platform> = Arc::new(desktop.clone());
        let clock = platform.clock();
        let mut quiet = Quiet::default();
        let minute = |minutes: u64| Duration::from_secs(60 * minutes);
        let mut after = |minutes: u64| {
            desktop.time().advance(minute(minutes));
            quiet.look(&platform, clock.now(), 300_000).unwrap() / 60_000
        };
        assert_eq!(after(4), 4);
        desktop.set_call(true);
        assert_eq!(after(6), 0, "ten minutes without input, in a call");
        assert_eq!(after(30), 0);
        desktop.set_call(false);
        assert_eq!(after(3), 3, "since the call, not since the last key");
        assert_eq!(after(4), 7);
        desktop.add_keys(1);
        assert_eq!(after(1), 1);
    }
}
