//! Which window is in the foreground, and waiting until that changes.
//!
//! Windows tells of a new foreground window and of new titles; nothing is polled. A program that changes
//! its title all the time is told of at most ten times a second. Where a new foreground window was not
//! told of (wine 8 does not), it is found when a wait ends, and from then on waits are short.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::windows::Win32::Foundation::{HWND, LRESULT};
use ::windows::Win32::UI::Accessibility::{HWINEVENTHOOK, SetWinEventHook, UnhookWinEvent};
use ::windows::Win32::UI::WindowsAndMessaging::{
    CHILDID_SELF, EVENT_OBJECT_NAMECHANGE, EVENT_SYSTEM_FOREGROUND, OBJID_WINDOW,
    WINEVENT_OUTOFCONTEXT,
};
use glasshour_license_format::{Activity, Permit};

use super::messages::{Message, MessageWindow, Receiver, Style};
use super::windows;
use crate::platform::{Foreground, Unavailable, Window, permits_foreground};

/// Shortest time between two changes that are told.
const SETTLE: Duration = Duration::from_millis(100);
/// How long is waited where changes are not told.
const UNTOLD: Duration = Duration::from_secs(1);

/// The foreground of this session.
pub(super) struct WindowsForeground {
    news: Arc<News>,
    /// The window that was asked for last.
    last: Option<isize>,
    /// Whether changes are told.
    is_told: bool,
    _window: MessageWindow,
}

/// What the hook and whoever waits share.
#[derive(Default)]
struct News {
    changed: Mutex<bool>,
    told: Condvar,
}

thread_local! {
    /// The hook is a bare function, called on the thread that set it: whom it tells stands here.
    static NEWS: RefCell<Option<Arc<News>>> = const { RefCell::new(None) };
}

impl WindowsForeground {
    pub(super) fn open(permit: &Permit<Activity>) -> Result<Self, Unavailable> {
        permits_foreground(permit)?;
        let news = Arc::new(News::default());
        let window = MessageWindow::open("foreground", Style::UNSHOWN, {
            let news = Arc::clone(&news);
            move |_| {
                NEWS.set(Some(news));
                Hooks::set()
            }
        })?;
        Ok(Self {
            news,
            last: None,
            is_told: true,
            _window: window,
        })
    }
}

impl Foreground for WindowsForeground {
    fn active(&mut self) -> Result<Option<Window>, Unavailable> {
        let active = windows::active();
        self.last = active.map(number);
        Ok(active.and_then(|window| windows::describe(window, true)))
    }

    fn wait(&mut self, at_most: Duration) -> Result<bool, Unavailable> {
        let at_most = if self.is_told {
            at_most
        } else {
            at_most.min(UNTOLD)
        };
        let changed = self.news.lock();
        let (changed, _) = self
            .news
            .told
            .wait_timeout_while(changed, at_most, |changed| !*changed)
            .unwrap_or_else(PoisonError::into_inner);
        let is_new = *changed;
        drop(changed);
        if is_new {
            std::thread::sleep(SETTLE.min(at_most));
            *self.news.lock() = false;
        } else if windows::active().map(number) != self.last {
            self.is_told = false;
        }
        // Titles are not told either, then.
        Ok(is_new || !self.is_told)
    }
}

fn number(window: HWND) -> isize {
    window.0 as isize
}

impl News {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hooks belong to the thread that set them, and end with it.
struct Hooks([HWINEVENTHOOK; 2]);

impl Hooks {
    fn set() -> Result<Self, Unavailable> {
        let hooks = [EVENT_SYSTEM_FOREGROUND, EVENT_OBJECT_NAMECHANGE].map(|event| {
            // SAFETY: the function has the right shape, and is called on this thread alone.
            unsafe { SetWinEventHook(event, event, None, Some(hear), 0, 0, WINEVENT_OUTOFCONTEXT) }
        });
        let set = Self(hooks);
        if set.0.iter().any(HWINEVENTHOOK::is_invalid) {
            return Err(Unavailable::Gone(
                "Windows does not tell which application is in the foreground; it is tried again"
                    .to_owned(),
            ));
        }
        Ok(set)
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        for hook in self.0.iter().filter(|hook| !hook.is_invalid()) {
            // SAFETY: it was set by this thread and is used no more.
            let _ = unsafe { UnhookWinEvent(*hook) };
        }
    }
}

impl Receiver for Hooks {
    fn receive(&self, _: Message) -> Option<LRESULT> {
        None
    }
}

extern "system" fn hear(
    _: HWINEVENTHOOK,
    event: u32,
    window: HWND,
    object: i32,
    child: i32,
    _: u32,
    _: u32,
) {
    // Names change of buttons, too.
    let is_window = object == OBJID_WINDOW.0 && i64::from(child) == i64::from(CHILDID_SELF);
    let is_ours =
        event == EVENT_SYSTEM_FOREGROUND || (is_window && windows::active() == Some(window));
    if !is_ours {
        return;
    }
    NEWS.with_borrow(|news| {
        if let Some(news) = news {
            *news.lock() = true;
            news.told.notify_all();
        }
    });
}
