//! A window that is never shown, on a thread of its own: how Windows tells things.
//!
//! The window bears the product's name. Whoever owns it takes messages through [`Receiver::receive`],
//! which may be called again while it is running (a menu that is open has messages of its own), so it
//! takes `&self`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use windows::Win32::Foundation::{HINSTANCE, HWND, LPARAM, LRESULT, WPARAM};
use windows::Win32::System::LibraryLoader::GetModuleHandleW;
use windows::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, GetMessageW, MSG,
    PostMessageW, PostQuitMessage, RegisterClassW, SMTO_ABORTIFHUNG, SendMessageTimeoutW,
    TranslateMessage, WINDOW_EX_STYLE, WINDOW_STYLE, WM_APP, WM_CLOSE, WM_DESTROY, WNDCLASSW,
    WS_EX_TOOLWINDOW, WS_POPUP,
};
use windows::core::w;

use crate::platform::Unavailable;

/// The first message that owners may use for themselves.
pub(super) const WM_OWN: u32 = WM_APP + 1;
/// Ends the window and its thread.
const WM_END: u32 = WM_APP;
/// How long the system may take to make a window.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a window of ours may take to answer, milliseconds.
const MOMENT_MS: u32 = 1_000;

/// One message.
#[derive(Clone, Copy)]
pub(super) struct Message {
    pub(super) window: HWND,
    pub(super) id: u32,
    pub(super) first: WPARAM,
    pub(super) second: LPARAM,
}

/// Takes the messages of one window, on its thread.
pub(super) trait Receiver {
    /// `None`: the system does with it what it does with messages that nobody takes.
    fn receive(&self, message: Message) -> Option<LRESULT>;
}

/// The window and its thread; both end when this is dropped.
pub(super) struct MessageWindow {
    /// A window's handle is a number that any thread may post to.
    window: isize,
    thread: Option<JoinHandle<()>>,
}

/// How the window looks, for those that are shown after all.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) extended: WINDOW_EX_STYLE,
    pub(super) style: WINDOW_STYLE,
}

impl Style {
    /// Never shown, and in no list of windows to switch to.
    pub(super) const UNSHOWN: Self = Self {
        extended: WS_EX_TOOLWINDOW,
        style: WS_POPUP,
    };
}

thread_local! {
    /// Who takes the messages of this thread's window.
    static RECEIVER: RefCell<Option<Rc<dyn Receiver>>> = const { RefCell::new(None) };
}

impl MessageWindow {
    /// Makes the window; `prepare` runs on its thread and says who takes the messages.
    pub(super) fn open<R: Receiver + 'static>(
        name: &str,
        style: Style,
        prepare: impl FnOnce(HWND) -> Result<R, Unavailable> + Send + 'static,
    ) -> Result<Self, Unavailable> {
        let (told, made) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let ready = create(style).and_then(|window| {
                    let receiver = prepare(window)?;
                    RECEIVER.set(Some(Rc::new(receiver)));
                    Ok(window)
                });
                let is_ready = ready.is_ok();
                // Nobody listens any more where the answer comes too late.
                let heard = told.send(ready.map(|window| window.0 as isize)).is_ok();
                if is_ready && heard {
                    pump();
                }
                RECEIVER.set(None);
            })
            .map_err(|cause| refused(&cause))?;
        let window = match made.recv_timeout(PATIENCE) {
            Ok(window) => window?,
            Err(RecvTimeoutError::Timeout) => return Err(refused(&"no answer in ten seconds")),
            Err(RecvTimeoutError::Disconnected) => return Err(refused(&"the attempt broke off")),
        };
        Ok(Self {
            window,
            thread: Some(thread),
        })
    }

    /// Tells the window something, without waiting; `id` from [`WM_OWN`] on.
    pub(super) fn post(&self, id: u32) -> Result<(), Unavailable> {
        self.send(id).map_err(|cause| refused(&cause))
    }

    /// Has the window do something now; gives what it answers, or 0 where it does not.
    pub(super) fn ask(&self, id: u32) -> usize {
        let mut answer = 0;
        // SAFETY: nothing of ours is passed but the place for the answer, which outlives the call.
        unsafe {
            SendMessageTimeoutW(
                self.handle(),
                id,
                WPARAM(0),
                LPARAM(0),
                SMTO_ABORTIFHUNG,
                MOMENT_MS,
                Some(&raw mut answer),
            )
        };
        answer
    }

    /// Sends a message as the system would, and waits for what is answered.
    #[cfg(test)]
    pub(super) fn play(&self, id: u32, first: usize, second: isize) -> isize {
        use windows::Win32::UI::WindowsAndMessaging::SendMessageW;
        // SAFETY: what is sent in these tests are numbers.
        unsafe { SendMessageW(self.handle(), id, Some(WPARAM(first)), Some(LPARAM(second))) }.0
    }

    fn handle(&self) -> HWND {
        HWND(self.window as *mut _)
    }

    fn send(&self, id: u32) -> windows::core::Result<()> {
        // SAFETY: posting takes no memory of ours, and to a window that has gone it only fails.
        unsafe { PostMessageW(Some(self.handle()), id, WPARAM(0), LPARAM(0)) }
    }
}

impl Drop for MessageWindow {
    fn drop(&mut self) {
        if self.send(WM_END).is_ok()
            && let Some(thread) = self.thread.take()
        {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

fn create(style: Style) -> Result<HWND, Unavailable> {
    let class_name = w!("Glasshour");
    // SAFETY: asks for this program itself, which stays loaded.
    let module = unsafe { GetModuleHandleW(None) }.map_err(|cause| refused(&cause))?;
    let instance = HINSTANCE(module.0);
    let class = WNDCLASSW {
        lpfnWndProc: Some(take),
        hInstance: instance,
        lpszClassName: class_name,
        ..WNDCLASSW::default()
    };
    // It fails where an earlier window has registered the class: then it is there.
    // SAFETY: the class names a procedure of the right shape and a text that never goes.
    unsafe { RegisterClassW(&raw const class) };
    // SAFETY: the class is registered; nothing is passed on to the window.
    let window = unsafe {
        CreateWindowExW(
            style.extended,
            class_name,
            w!("Glasshour"),
            style.style,
            0,
            0,
            0,
            0,
            None,
            None,
            Some(instance),
            None,
        )
    };
    window.map_err(|cause| refused(&cause))
}

/// Hands messages on until the window is gone.
fn pump() {
    let mut message = MSG::default();
    loop {
        // SAFETY: the place is ours, and this thread made the window.
        let more = unsafe { GetMessageW(&raw mut message, None, 0, 0) };
        if more.0 <= 0 {
            return;
        }
        // SAFETY: the message is the one just taken.
        let _ = unsafe { TranslateMessage(&raw const message) };
        // SAFETY: as above.
        unsafe { DispatchMessageW(&raw const message) };
    }
}

extern "system" fn take(window: HWND, id: u32, first: WPARAM, second: LPARAM) -> LRESULT {
    match id {
        WM_END => {
            // SAFETY: the window is this thread's. That it has gone already changes nothing.
            let _ = unsafe { DestroyWindow(window) };
            return LRESULT(0);
        }
        // Another program's wish: only the agent itself closes its windows.
        WM_CLOSE => return LRESULT(0),
        WM_DESTROY => {
            // SAFETY: it ends this thread's own loop.
            unsafe { PostQuitMessage(0) };
            return LRESULT(0);
        }
        _ => {}
    }
    let receiver = RECEIVER.with_borrow(Clone::clone);
    let message = Message {
        window,
        id,
        first,
        second,
    };
    receiver
        .and_then(|receiver| receiver.receive(message))
        // SAFETY: the arguments are those that the system has called us with.
        .unwrap_or_else(|| unsafe { DefWindowProcW(window, id, first, second) })
}

fn refused(cause: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Gone(format!(
        "Windows gives no window to be told things by ({cause}); it is tried again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    struct Heard(Sender<u32>);

    impl Receiver for Heard {
        fn receive(&self, message: Message) -> Option<LRESULT> {
            (message.id >= WM_OWN).then(|| {
                self.0.send(message.id).unwrap();
                LRESULT(7)
            })
        }
    }

    impl Drop for Heard {
        fn drop(&mut self) {
            self.0.send(0).unwrap();
        }
    }

    #[test]
    fn a_window_hears_answers_and_ends_with_its_owner() {
        let (told, heard) = channel();
        let window = MessageWindow::open("test", Style::UNSHOWN, move |_| Ok(Heard(told))).unwrap();
        window.post(WM_OWN).unwrap();
        assert_eq!(heard.recv(), Ok(WM_OWN));
        assert_eq!(window.ask(WM_OWN + 1), 7);
        assert_eq!(heard.recv(), Ok(WM_OWN + 1));
        // Another program asks it to close: only its owner does that.
        window.play(WM_CLOSE, 0, 0);
        assert_eq!(window.ask(WM_OWN + 2), 7);
        assert_eq!(heard.recv(), Ok(WM_OWN + 2));
        drop(window);
        assert_eq!(heard.recv(), Ok(0), "who heard has gone");
        assert!(heard.recv().is_err());
    }

    #[test]
    fn a_window_that_is_not_prepared_is_none() {
        let window = MessageWindow::open("test", Style::UNSHOWN, |_| {
            Err::<Heard, _>(Unavailable::Gone("no".to_owned()))
        });
        assert!(matches!(window, Err(Unavailable::Gone(why)) if why == "no"));
    }
}
