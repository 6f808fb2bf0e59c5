//! Counts of input by the system's own counters: exact, and nothing but counts.
//!
//! macOS counts events by their kind and hands out the numbers; no event reaches us, so no key code
//! either (tenet 3), and no permission is needed. A press is counted when the key is let go, because a
//! key that repeats goes down many times and up once; keys such as Shift, which are no keys by
//! themselves to macOS, are not counted.

use glasshour_license_format::{Activity, Permit};
use glasshour_protocol::payload::InputCounts;
use objc2_core_graphics::{CGEventSource, CGEventSourceStateID, CGEventType};

use crate::platform::{Input, Unavailable, permits_input};

const KEYS: [CGEventType; 1] = [CGEventType::KeyUp];
const CLICKS: [CGEventType; 3] = [
    CGEventType::LeftMouseDown,
    CGEventType::RightMouseDown,
    CGEventType::OtherMouseDown,
];
const SCROLLS: [CGEventType; 1] = [CGEventType::ScrollWheel];
const MOTIONS: [CGEventType; 4] = [
    CGEventType::MouseMoved,
    CGEventType::LeftMouseDragged,
    CGEventType::RightMouseDragged,
    CGEventType::OtherMouseDragged,
];

/// Counts the input of this session.
pub(super) struct MacInput {
    keys: Counter<1>,
    clicks: Counter<3>,
    scrolls: Counter<1>,
    motions: Counter<4>,
}

impl MacInput {
    pub(super) fn open(permit: &Permit<Activity>) -> Result<Self, Unavailable> {
        permits_input(permit)?;
        Ok(Self {
            keys: Counter::new(KEYS),
            clicks: Counter::new(CLICKS),
            scrolls: Counter::new(SCROLLS),
            motions: Counter::new(MOTIONS),
        })
    }
}

impl Input for MacInput {
    fn take(&mut self) -> Result<InputCounts, Unavailable> {
        Ok(InputCounts {
            keys: self.keys.take(),
            clicks: self.clicks.take(),
            scrolls: self.scrolls.take(),
            motions: self.motions.take(),
            exact: true,
        })
    }
}

/// Some kinds of events, and how many there had been when they were last asked for.
struct Counter<const N: usize> {
    kinds: [CGEventType; N],
    last: [u32; N],
}

impl<const N: usize> Counter<N> {
    fn new(kinds: [CGEventType; N]) -> Self {
        Self {
            kinds,
            last: kinds.map(so_far),
        }
    }

    fn take(&mut self) -> u32 {
        let now = self.kinds.map(so_far);
        let before = std::mem::replace(&mut self.last, now);
        // Each begins anew after four thousand million.
        now.iter().zip(before).fold(0, |sum: u32, (now, before)| {
            sum.saturating_add(now.wrapping_sub(before))
        })
    }
}

fn so_far(kind: CGEventType) -> u32 {
    CGEventSource::counter_for_event_type(CGEventSourceStateID::CombinedSessionState, kind)
}
