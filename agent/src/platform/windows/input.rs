//! Counts of input by raw input: exact, and counts only.
//!
//! Of a key Windows hands over more than we want to know. This file looks at one bit of it: whether the
//! key went down or up. Which key it was is never read (tenet 3); a test holds this file to it. A press
//! is counted when the key is let go, because a key that repeats goes down many times and up once. Of
//! the mouse it reads which buttons went down, the wheel, and whether there was motion.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use glasshour_license_format::{Activity, Permit};
use glasshour_protocol::payload::InputCounts;
use windows::Win32::Foundation::{HWND, LPARAM, LRESULT};
use windows::Win32::UI::Input::{
    GetRawInputData, HRAWINPUT, RAWINPUT, RAWINPUTDEVICE, RAWINPUTHEADER, RAWMOUSE, RID_INPUT,
    RIDEV_INPUTSINK, RIM_TYPEKEYBOARD, RIM_TYPEMOUSE, RegisterRawInputDevices,
};
use windows::Win32::UI::WindowsAndMessaging::{
    RI_KEY_BREAK, RI_MOUSE_BUTTON_1_DOWN, RI_MOUSE_BUTTON_2_DOWN, RI_MOUSE_BUTTON_3_DOWN,
    RI_MOUSE_BUTTON_4_DOWN, RI_MOUSE_BUTTON_5_DOWN, RI_MOUSE_HWHEEL, RI_MOUSE_WHEEL, WM_INPUT,
};

use super::messages::{Message, MessageWindow, Receiver, Style};
use crate::platform::{Input, Unavailable, permits_input};

/// Generic desktop devices (USB HID usage tables): the page, and two of its devices.
const DESKTOP_PAGE: u16 = 1;
const MOUSE: u16 = 2;
const KEYBOARD: u16 = 6;

/// Buttons that go down.
const DOWN: [u32; 5] = [
    RI_MOUSE_BUTTON_1_DOWN,
    RI_MOUSE_BUTTON_2_DOWN,
    RI_MOUSE_BUTTON_3_DOWN,
    RI_MOUSE_BUTTON_4_DOWN,
    RI_MOUSE_BUTTON_5_DOWN,
];

/// Counts the input of this session until it is dropped.
pub(super) struct RawInput {
    counter: Arc<Counter>,
    _source: Arc<Source>,
}

#[derive(Default)]
struct Counter {
    keys: AtomicU32,
    clicks: AtomicU32,
    scrolls: AtomicU32,
    motions: AtomicU32,
}

/// Who counts; whoever has gone counts no more.
type Counters = Mutex<Vec<Weak<Counter>>>;

/// The window that input is told to.
struct Source {
    counters: Arc<Counters>,
    _window: MessageWindow,
}

/// A process has one such window: to ask for another takes the input away from the first. There while
/// anybody counts.
static SOURCE: Mutex<Weak<Source>> = Mutex::new(Weak::new());

impl RawInput {
    pub(super) fn open(permit: &Permit<Activity>) -> Result<Self, Unavailable> {
        permits_input(permit)?;
        let source = Source::shared()?;
        let counter = Arc::new(Counter::default());
        let mut counters = lock(&source.counters);
        counters.retain(|counter| counter.strong_count() > 0);
        counters.push(Arc::downgrade(&counter));
        drop(counters);
        Ok(Self {
            counter,
            _source: source,
        })
    }
}

impl Input for RawInput {
    fn take(&mut self) -> Result<InputCounts, Unavailable> {
        let take = |counter: &AtomicU32| counter.swap(0, Ordering::Relaxed);
        Ok(InputCounts {
            keys: take(&self.counter.keys),
            clicks: take(&self.counter.clicks),
            scrolls: take(&self.counter.scrolls),
            motions: take(&self.counter.motions),
            exact: true,
        })
    }
}

impl Source {
    fn shared() -> Result<Arc<Self>, Unavailable> {
        let mut known = SOURCE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = known.upgrade() {
            return Ok(source);
        }
        let counters = Arc::new(Counters::default());
        let window = MessageWindow::open("input-counter", Style::UNSHOWN, {
            let counters = Arc::clone(&counters);
            move |window| {
                register(window)?;
                Ok(Listener { counters })
            }
        })?;
        let source = Arc::new(Self {
            counters,
            _window: window,
        });
        *known = Arc::downgrade(&source);
        Ok(source)
    }
}

fn lock(counters: &Counters) -> MutexGuard<'_, Vec<Weak<Counter>>> {
    counters.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks for the input of the session, whichever window it goes to.
fn register(window: HWND) -> Result<(), Unavailable> {
    let devices = [MOUSE, KEYBOARD].map(|usage| RAWINPUTDEVICE {
        usUsagePage: DESKTOP_PAGE,
        usUsage: usage,
        dwFlags: RIDEV_INPUTSINK,
        hwndTarget: window,
    });
    let size = u32::try_from(size_of::<RAWINPUTDEVICE>()).unwrap_or_default();
    // SAFETY: the list is ours and its items are as large as is said.
    unsafe { RegisterRawInputDevices(&devices, size) }.map_err(|cause| {
        Unavailable::Unsupported(format!(
            "this Windows session does not let input be counted ({cause})"
        ))
    })
}

struct Listener {
    counters: Arc<Counters>,
}

impl Receiver for Listener {
    fn receive(&self, message: Message) -> Option<LRESULT> {
        if message.id == WM_INPUT
            && let Some(seen) = Seen::of(message.second)
        {
            for counter in lock(&self.counters).iter().filter_map(Weak::upgrade) {
                counter.add(seen);
            }
        }
        // The system tidies up after it.
        None
    }
}

impl Counter {
    fn add(&self, seen: Seen) {
        self.keys.fetch_add(seen.keys, Ordering::Relaxed);
        self.clicks.fetch_add(seen.clicks, Ordering::Relaxed);
        self.scrolls.fetch_add(seen.scrolls, Ordering::Relaxed);
        self.motions.fetch_add(seen.motions, Ordering::Relaxed);
    }
}

/// What one message adds.
#[derive(Clone, Copy, Default)]
struct Seen {
    keys: u32,
    clicks: u32,
    scrolls: u32,
    motions: u32,
}

impl Seen {
    fn of(handle: LPARAM) -> Option<Self> {
        let mut input = RAWINPUT::default();
        let mut size = u32::try_from(size_of::<RAWINPUT>()).ok()?;
        let header = u32::try_from(size_of::<RAWINPUTHEADER>()).ok()?;
        // SAFETY: the place is as large as is said; mice and keyboards fit into it.
        let filled = unsafe {
            GetRawInputData(
                HRAWINPUT(handle.0 as *mut _),
                RID_INPUT,
                Some((&raw mut input).cast()),
                &raw mut size,
                header,
            )
        };
        if filled == u32::MAX {
            return None;
        }
        if input.header.dwType == RIM_TYPEKEYBOARD.0 {
            // SAFETY: the header says that it is a keyboard's.
            let flags = unsafe { input.data.keyboard.Flags };
            return Some(Self {
                keys: u32::from(u32::from(flags) & RI_KEY_BREAK != 0),
                ..Self::default()
            });
        }
        // SAFETY: the header says that it is a mouse's.
        (input.header.dwType == RIM_TYPEMOUSE.0)
            .then(|| Self::of_mouse(unsafe { &input.data.mouse }))
    }

    fn of_mouse(mouse: &RAWMOUSE) -> Self {
        // SAFETY: both shapes of this union are plain numbers over the same bytes.
        let flags = u32::from(unsafe { mouse.Anonymous.Anonymous.usButtonFlags });
        let pressed = DOWN.iter().filter(|down| flags & **down != 0).count();
        Self {
            keys: 0,
            clicks: u32::try_from(pressed).unwrap_or(0),
            scrolls: u32::from(flags & RI_MOUSE_WHEEL != 0)
                + u32::from(flags & RI_MOUSE_HWHEEL != 0),
            motions: u32::from(mouse.lLastX != 0 || mouse.lLastY != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which key it was stands in members that no code names.
    #[test]
    fn which_key_it_was_is_never_read() {
        let code = include_str!("input.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap();
        for member in [["VK", "ey"], ["Make", "Code"], ["Extra", "Information"]] {
            assert!(!code.contains(&member.concat()), "{member:?}");
        }
        assert_eq!(code.matches("data.keyboard").count(), 1);
    }

    #[test]
    fn buttons_wheel_and_motion_are_told_apart() {
        let mut mouse = RAWMOUSE {
            lLastX: 3,
            ..RAWMOUSE::default()
        };
        let flags = RI_MOUSE_BUTTON_1_DOWN | RI_MOUSE_BUTTON_3_DOWN | RI_MOUSE_WHEEL;
        mouse.Anonymous.Anonymous.usButtonFlags = u16::try_from(flags).unwrap();
        let seen = Seen::of_mouse(&mouse);
        assert_eq!(
            (seen.keys, seen.clicks, seen.scrolls, seen.motions),
            (0, 2, 1, 1)
        );
        let still = Seen::of_mouse(&RAWMOUSE::default());
        assert_eq!((still.clicks, still.scrolls, still.motions), (0, 0, 0));
    }

    #[test]
    fn presses_are_counted_and_repeats_are_not_for_everybody_who_counts() {
        use windows::Win32::UI::Input::KeyboardAndMouse::{
            INPUT, INPUT_0, INPUT_KEYBOARD, INPUT_MOUSE, KEYBDINPUT, KEYEVENTF_KEYUP,
            MOUSEEVENTF_LEFTDOWN, MOUSEEVENTF_LEFTUP, MOUSEINPUT, SendInput, VIRTUAL_KEY,
        };
        let key = |flags| INPUT {
            r#type: INPUT_KEYBOARD,
            Anonymous: INPUT_0 {
                ki: KEYBDINPUT {
                    wVk: VIRTUAL_KEY(0x41),
                    dwFlags: flags,
                    ..KEYBDINPUT::default()
                },
            },
        };
        let mouse = |flags| INPUT {
            r#type: INPUT_MOUSE,
            Anonymous: INPUT_0 {
                mi: MOUSEINPUT {
                    dwFlags: flags,
                    ..MOUSEINPUT::default()
                },
            },
        };
        let source = Source::shared().unwrap();
        let (one, other) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        lock(&source.counters).extend([Arc::downgrade(&one), Arc::downgrade(&other)]);
        let mut inputs = Vec::new();
        for _ in 0..50 {
            // It goes down, repeats twice, and comes up.
            inputs.extend([key(Default::default()); 3]);
            inputs.push(key(KEYEVENTF_KEYUP));
        }
        for _ in 0..5 {
            inputs.extend([mouse(MOUSEEVENTF_LEFTDOWN), mouse(MOUSEEVENTF_LEFTUP)]);
        }
        let size = i32::try_from(size_of::<INPUT>()).unwrap();
        // SAFETY: the list is ours and its items are as large as is said.
        let sent = unsafe { SendInput(&inputs, size) };
        assert_eq!(sent as usize, inputs.len());
        let mut turns = 0;
        while other.clicks.load(Ordering::Relaxed) < 5 && turns < 500 {
            turns += 1;
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        for counter in [one, other] {
            assert_eq!(counter.keys.load(Ordering::Relaxed), 50);
            assert_eq!(counter.clicks.load(Ordering::Relaxed), 5);
        }
    }
}
