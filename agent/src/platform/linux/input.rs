//! Counts of input by XInput2 raw events: exact, and counts only.
//!
//! A thread of its own sleeps on its own connection and adds to counters. Of a key press it looks at
//! one thing: whether it is a repetition. Which key it was is never read (tenet 3); a test holds this
//! file to it. Of a button it reads whether it is a button or the wheel.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};

use glasshour_license_format::{Activity, Permit};
use glasshour_protocol::payload::InputCounts;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{
    self, ConnectionExt as _, Device, EventMask, KeyEventFlags, XIEventMask,
};

use super::connection::{Connection, gone, refused, reply};
use crate::platform::{Input, Unavailable, permits_input};

/// Raw events reach us also while another program holds a grab since 2.1; touches came with 2.2.
const VERSION: (u16, u16) = (2, 2);
/// The wheel: up, down, left, right, as buttons.
const WHEEL: std::ops::RangeInclusive<u32> = 4..=7;
/// Of a pointer's axes the first two are its place; the wheel's come after them.
const PLACE_AXES: u32 = 0b11;

/// Counts the input of one X display until it is dropped.
pub(super) struct X11Input {
    counter: Arc<Counter>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and its owner share.
struct Counter {
    connection: Connection,
    keys: AtomicU32,
    clicks: AtomicU32,
    scrolls: AtomicU32,
    motions: AtomicU32,
    /// Why counting has ended.
    ended: OnceLock<Unavailable>,
}

impl X11Input {
    pub(super) fn open(display: &str, permit: &Permit<Activity>) -> Result<Self, Unavailable> {
        permits_input(permit)?;
        let connection = Connection::open(display)?;
        select(&connection)?;
        let counter = Arc::new(Counter {
            connection,
            keys: AtomicU32::new(0),
            clicks: AtomicU32::new(0),
            scrolls: AtomicU32::new(0),
            motions: AtomicU32::new(0),
            ended: OnceLock::new(),
        });
        let thread = thread::Builder::new()
            .name("input-counter".to_owned())
            .spawn({
                let counter = Arc::clone(&counter);
                move || counter.run()
            })
            .map_err(|cause| {
                Unavailable::Gone(format!(
                    "input cannot be counted: no thread could be started ({cause})"
                ))
            })?;
        Ok(Self {
            counter,
            thread: Some(thread),
        })
    }
}

impl Input for X11Input {
    fn take(&mut self) -> Result<InputCounts, Unavailable> {
        // Asked before counting is read, so that what came just before the end is not lost.
        let ended = self.counter.ended.get();
        let counts = self.counter.take();
        match ended {
            Some(why) if counts.actions() == 0 && counts.motions == 0 => Err(why.clone()),
            _ => Ok(counts),
        }
    }
}

impl Drop for X11Input {
    fn drop(&mut self) {
        self.counter.connection.hang_up();
        if let Some(thread) = self.thread.take() {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

impl Counter {
    /// Counts until the connection ends.
    fn run(&self) {
        loop {
            let outcome = self.drain().and_then(|()| self.connection.wait(None));
            if let Err(why) = outcome {
                let _ = self.ended.set(why);
                return;
            }
        }
    }

    fn drain(&self) -> Result<(), Unavailable> {
        while let Some(event) = self.connection.next_event()? {
            if let Some(counter) = self.counter_for(&event) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn counter_for(&self, event: &Event) -> Option<&AtomicU32> {
        match event {
            Event::XinputRawKeyPress(key) => {
                (!key.flags.contains(KeyEventFlags::KEY_REPEAT)).then_some(&self.keys)
            }
            Event::XinputRawButtonPress(button) if WHEEL.contains(&button.detail) => {
                Some(&self.scrolls)
            }
            Event::XinputRawButtonPress(_) | Event::XinputRawTouchBegin(_) => Some(&self.clicks),
            // A wheel that scrolls smoothly moves its own axes, and presses its buttons besides.
            Event::XinputRawMotion(motion) => motion
                .valuator_mask
                .first()
                .is_some_and(|axes| axes & PLACE_AXES != 0)
                .then_some(&self.motions),
            _ => None,
        }
    }

    fn take(&self) -> InputCounts {
        InputCounts {
            keys: self.keys.swap(0, Ordering::Relaxed),
            clicks: self.clicks.swap(0, Ordering::Relaxed),
            scrolls: self.scrolls.swap(0, Ordering::Relaxed),
            motions: self.motions.swap(0, Ordering::Relaxed),
            exact: true,
        }
    }
}

/// Asks for raw events of the master devices: each physical event comes once.
fn select(connection: &Connection) -> Result<(), Unavailable> {
    if !connection.has(xinput::X11_EXTENSION_NAME)? {
        return Err(too_old());
    }
    let wire = connection.wire();
    let version = reply(wire.xinput_xi_query_version(VERSION.0, VERSION.1))?;
    if (version.major_version, version.minor_version) < VERSION {
        return Err(too_old());
    }
    let events = XIEventMask::RAW_KEY_PRESS
        | XIEventMask::RAW_BUTTON_PRESS
        | XIEventMask::RAW_MOTION
        | XIEventMask::RAW_TOUCH_BEGIN;
    let mask = EventMask {
        deviceid: Device::ALL_MASTER.into(),
        mask: vec![events],
    };
    wire.xinput_xi_select_events(connection.root(), &[mask])
        .map_err(gone)?
        .check()
        .map_err(refused)
}

fn too_old() -> Unavailable {
    Unavailable::Unsupported(
        "this X server cannot count input (it lacks XInput 2.2); a newer one can".to_owned(),
    )
}
