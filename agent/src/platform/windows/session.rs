//! What Windows tells of the session: sleep, lock, the user at the screen, log-out, shutdown.
//!
//! Sleep and shutdown wait in the message that announces them until what was tracked is on disk;
//! Windows itself waits no longer than two seconds for a sleep and five for a shutdown. Nothing is
//! polled.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use windows::Win32::Foundation::{HWND, LPARAM, LRESULT};
use windows::Win32::System::RemoteDesktop::{
    NOTIFY_FOR_THIS_SESSION, WTS_CURRENT_SESSION, WTS_SESSIONSTATE_LOCK, WTSActive, WTSFreeMemory,
    WTSINFOEXW, WTSQuerySessionInformationW, WTSRegisterSessionNotification, WTSSessionInfoEx,
    WTSUnRegisterSessionNotification,
};
use windows::Win32::System::Shutdown::{ShutdownBlockReasonCreate, ShutdownBlockReasonDestroy};
use windows::Win32::UI::WindowsAndMessaging::{
    ENDSESSION_LOGOFF, PBT_APMRESUMEAUTOMATIC, PBT_APMSUSPEND, WM_ENDSESSION, WM_POWERBROADCAST,
    WM_QUERYENDSESSION, WM_WTSSESSION_CHANGE, WTS_CONSOLE_CONNECT, WTS_CONSOLE_DISCONNECT,
    WTS_REMOTE_CONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK, WTS_SESSION_UNLOCK,
};
use windows::core::{PWSTR, w};

use super::messages::{Message, MessageWindow, Receiver, Style};
use crate::platform::{Hold, SystemEvent, SystemEvents, Told, Unavailable};
use crate::session::Absence;

/// How long a sleep may wait for us; Windows goes on by itself after two seconds.
const BEFORE_SLEEP: Duration = Duration::from_millis(1_800);
/// The same for the end of the session, after five.
const BEFORE_THE_END: Duration = Duration::from_millis(4_500);

/// Listens until it is dropped.
pub(super) struct SessionEvents {
    /// It ends with us. The tests play the system with it.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "it is there for as long as we listen")
    )]
    window: MessageWindow,
    hears_locks: bool,
}

impl SessionEvents {
    pub(super) fn open(told: Told) -> Result<Self, Unavailable> {
        let (answer, answered) = mpsc::sync_channel(1);
        let window = MessageWindow::open("system-events", Style::UNSHOWN, move |window| {
            // SAFETY: the window is this thread's.
            let hears = unsafe { WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION) };
            if let Err(cause) = &hears {
                tracing::info!(%cause, "Windows does not tell of locks and other users");
            }
            let listener = Listener {
                told,
                window,
                registered: hears.is_ok(),
            };
            listener.tell_how_it_is();
            // It is waited for below.
            let _ = answer.send(listener.registered);
            Ok(listener)
        })?;
        let hears_locks = answered.recv().unwrap_or(false);
        Ok(Self {
            window,
            hears_locks,
        })
    }
}

impl SystemEvents for SessionEvents {
    fn describe(&self) -> String {
        if self.hears_locks {
            "Windows tells of sleep, lock, other users, log-out and shutdown".to_owned()
        } else {
            "Windows tells of sleep, log-out and shutdown, but not of locks and other users here: \
             a locked screen counts as idle time"
                .to_owned()
        }
    }
}

struct Listener {
    told: Told,
    window: HWND,
    registered: bool,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.registered {
            // The window may have gone, and with it what was registered.
            // SAFETY: it names a window by its handle.
            let _ = unsafe { WTSUnRegisterSessionNotification(self.window) };
        }
    }
}

impl Receiver for Listener {
    fn receive(&self, message: Message) -> Option<LRESULT> {
        let kind = u32::try_from(message.first.0).unwrap_or(u32::MAX);
        match message.id {
            WM_POWERBROADCAST => match kind {
                PBT_APMSUSPEND => self.wait_for(Absence::Asleep, BEFORE_SLEEP),
                // It comes after every sleep, whoever ended it.
                PBT_APMRESUMEAUTOMATIC => (self.told)(SystemEvent::Returns(Absence::Asleep)),
                _ => return None,
            },
            WM_WTSSESSION_CHANGE => self.session_changed(kind),
            WM_QUERYENDSESSION => {
                if !is_log_off(message.second) {
                    self.delay_the_end();
                }
                // We are never in the way of it.
                return Some(LRESULT(1));
            }
            WM_ENDSESSION if message.first.0 == 0 => {
                (self.told)(SystemEvent::Returns(Absence::ShuttingDown));
            }
            WM_ENDSESSION if is_log_off(message.second) => {
                (self.told)(SystemEvent::LoggedOut);
                // The agent ends by itself now; when this returns, Windows ends it.
                std::thread::sleep(BEFORE_THE_END);
            }
            _ => return None,
        }
        Some(LRESULT(0))
    }
}

impl Listener {
    /// What holds already when we come.
    fn tell_how_it_is(&self) {
        let Some((is_locked, is_active)) = session_state() else {
            return;
        };
        if is_locked {
            self.tell(Absence::Locked, true);
        }
        if !is_active {
            self.tell(Absence::OtherUser, true);
        }
    }

    fn session_changed(&self, kind: u32) {
        match kind {
            WTS_SESSION_LOCK => self.tell(Absence::Locked, true),
            WTS_SESSION_UNLOCK => self.tell(Absence::Locked, false),
            WTS_CONSOLE_DISCONNECT | WTS_REMOTE_DISCONNECT => self.tell(Absence::OtherUser, true),
            WTS_CONSOLE_CONNECT | WTS_REMOTE_CONNECT => self.tell(Absence::OtherUser, false),
            _ => {}
        }
    }

    fn tell(&self, absence: Absence, begins: bool) {
        (self.told)(if begins {
            SystemEvent::Leaves(absence, Hold::default())
        } else {
            SystemEvent::Returns(absence)
        });
    }

    fn delay_the_end(&self) {
        let reason = w!("Glasshour keeps what was tracked");
        // SAFETY: the window is this thread's. Without a reason Windows waits all the same.
        let _ = unsafe { ShutdownBlockReasonCreate(self.window, reason) };
        self.wait_for(Absence::ShuttingDown, BEFORE_THE_END);
        // SAFETY: as above.
        let _ = unsafe { ShutdownBlockReasonDestroy(self.window) };
    }

    /// Tells of it, and returns when everything is on disk, or when the time is over.
    fn wait_for(&self, absence: Absence, at_most: Duration) {
        let (held, let_go) = mpsc::sync_channel::<()>(0);
        (self.told)(SystemEvent::Leaves(absence, Hold::of(held)));
        if let_go.recv_timeout(at_most) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the computer goes before everything is on disk");
        }
    }
}

fn is_log_off(second: LPARAM) -> bool {
    second.0 as u64 & u64::from(ENDSESSION_LOGOFF) != 0
}

/// Whether this session is locked, and whether it is at a screen.
fn session_state() -> Option<(bool, bool)> {
    let mut buffer = PWSTR::null();
    let mut bytes = 0;
    // SAFETY: the places for the answer are ours.
    unsafe {
        WTSQuerySessionInformationW(
            None,
            WTS_CURRENT_SESSION,
            WTSSessionInfoEx,
            &raw mut buffer,
            &raw mut bytes,
        )
    }
    .ok()?;
    let is_whole = usize::try_from(bytes).is_ok_and(|bytes| bytes >= size_of::<WTSINFOEXW>());
    let state = (is_whole && !buffer.is_null()).then(|| {
        // SAFETY: the system says that it has written that much.
        let info = unsafe { buffer.0.cast::<WTSINFOEXW>().read_unaligned() };
        // SAFETY: level 1 is the only one there is.
        let session = unsafe { info.Data.WTSInfoExLevel1 };
        let is_locked = i64::from(session.SessionFlags) == i64::from(WTS_SESSIONSTATE_LOCK);
        (is_locked, session.SessionState == WTSActive)
    });
    // SAFETY: the system gave it to be freed so, and it is used no more.
    unsafe { WTSFreeMemory(buffer.0.cast()) };
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver as Told_, channel};

    fn open() -> (SessionEvents, Told_<SystemEvent>) {
        let (told, heard) = channel();
        let told = std::sync::Mutex::new(told);
        let events = SessionEvents::open(Box::new(move |event| {
            told.lock().unwrap().send(event).unwrap();
        }));
        (events.unwrap(), heard)
    }

    fn said(event: &SystemEvent) -> (Absence, bool) {
        match event {
            SystemEvent::Leaves(absence, _) => (*absence, true),
            SystemEvent::Returns(absence) => (*absence, false),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn locks_and_other_users_are_told_as_they_come_and_go() {
        let (events, heard) = open();
        for (kind, wanted) in [
            (WTS_SESSION_LOCK, (Absence::Locked, true)),
            (WTS_SESSION_UNLOCK, (Absence::Locked, false)),
            (WTS_CONSOLE_DISCONNECT, (Absence::OtherUser, true)),
            (WTS_CONSOLE_CONNECT, (Absence::OtherUser, false)),
            (WTS_REMOTE_DISCONNECT, (Absence::OtherUser, true)),
            (WTS_REMOTE_CONNECT, (Absence::OtherUser, false)),
        ] {
            events.window.play(WM_WTSSESSION_CHANGE, kind as usize, 0);
            assert_eq!(said(&heard.recv().unwrap()), wanted);
        }
    }

    #[test]
    fn a_sleep_waits_until_everything_is_on_disk() {
        let (events, heard) = open();
        let on_disk = std::thread::spawn(move || {
            let event = heard.recv().unwrap();
            assert_eq!(said(&event), (Absence::Asleep, true));
            let nothing_more = heard.try_recv().is_err();
            drop(event);
            (nothing_more, heard)
        });
        // It returns once the event was let go, or after its time is over: told by the next one.
        events
            .window
            .play(WM_POWERBROADCAST, PBT_APMSUSPEND as usize, 0);
        events
            .window
            .play(WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC as usize, 0);
        let (waited, heard) = on_disk.join().unwrap();
        assert!(waited);
        assert_eq!(said(&heard.recv().unwrap()), (Absence::Asleep, false));
    }

    #[test]
    fn a_shutdown_is_never_stood_in_the_way_of_and_may_be_called_off() {
        let (events, heard) = open();
        let let_go = std::thread::spawn(move || (said(&heard.recv().unwrap()), heard));
        assert_eq!(events.window.play(WM_QUERYENDSESSION, 0, 0), 1);
        let (first, heard) = let_go.join().unwrap();
        assert_eq!(first, (Absence::ShuttingDown, true));
        events.window.play(WM_ENDSESSION, 0, 0);
        assert_eq!(said(&heard.recv().unwrap()), (Absence::ShuttingDown, false));
        let log_off = ENDSESSION_LOGOFF as isize;
        assert_eq!(events.window.play(WM_QUERYENDSESSION, 0, log_off), 1);
        assert!(
            heard.try_recv().is_err(),
            "a log-off is told when it is sure"
        );
    }
}
