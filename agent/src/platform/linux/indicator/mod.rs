//! The agent's own indicator: a small window that stays in sight, for desktops without a tray.
//!
//! Nothing may be captured unseen (tenet 3), so this asks for nothing but an X server: no panel, no
//! session bus, no window manager. It lives on a thread of its own that sleeps until the server, the
//! agent or a deadline of its own wakes it; whoever hands it another view does not wait for the
//! server. It takes no focus and no menu: the command line does what the tray's menu does.

mod drawing;
mod place;
mod window;

use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use self::drawing::Face;
use self::window::IndicatorWindow;
use super::clock::monotonic;
use super::connection::Connection;
use crate::platform::{Tray, Unavailable};
use crate::tray::View;

/// How long [`Tray::is_shown`] waits for a view that has just been handed over, or for a window that
/// has just been covered to come up again.
const MOMENT: Duration = Duration::from_secs(1);

/// The indicator on one X display; it leaves when this is dropped.
pub(super) struct X11Indicator {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and its owner share.
struct Shared {
    connection: Arc<Connection>,
    /// Wakes the thread.
    wake: OwnedFd,
    orders: Mutex<Orders>,
    carried_out: Condvar,
    /// Why the thread has ended.
    ended: OnceLock<Unavailable>,
}

struct Orders {
    /// What to show next: only the latest counts.
    next: Option<Face>,
    /// The thread is about to show what it has taken.
    in_hand: bool,
    /// Whether the person can see it, as far as X tells.
    in_sight: bool,
    /// It is hidden, and is about to come up again.
    coming_up: bool,
}

impl X11Indicator {
    pub(super) fn open(display: &str, view: &View) -> Result<Self, Unavailable> {
        let connection = Arc::new(Connection::open(display)?);
        let window = IndicatorWindow::open(Arc::clone(&connection), Face::of(view))?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|cause| no_thread(&cause))?;
        let shared = Arc::new(Shared {
            connection,
            wake,
            orders: Mutex::new(Orders {
                next: None,
                in_hand: true,
                in_sight: false,
                coming_up: false,
            }),
            carried_out: Condvar::new(),
            ended: OnceLock::new(),
        });
        let thread = thread::Builder::new()
            .name("indicator".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.run(window)
            })
            .map_err(|cause| no_thread(&cause))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }
}

impl Tray for X11Indicator {
    /// Does not wait for the X server: the latest view counts, and the thread draws it.
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        self.shared.alive()?;
        self.shared.lock().next = Some(Face::of(view));
        self.shared.wake();
        Ok(())
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        let orders = self.shared.lock();
        let (orders, _) = self
            .shared
            .carried_out
            .wait_timeout_while(orders, MOMENT, |orders| orders.are_open())
            .unwrap_or_else(PoisonError::into_inner);
        self.shared.alive()?;
        Ok(orders.in_sight && orders.next.is_none())
    }
}

impl Drop for X11Indicator {
    fn drop(&mut self) {
        // The server takes the window away with the connection.
        self.shared.connection.hang_up();
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

impl Orders {
    fn are_open(&self) -> bool {
        self.next.is_some() || self.in_hand || self.coming_up
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> Result<(), Unavailable> {
        self.ended.get().cloned().map_or(Ok(()), Err)
    }

    fn wake(&self) {
        // Fails only where so many wake-ups are pending that one more changes nothing.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Keeps the window right until the connection ends.
    fn run(&self, mut window: IndicatorWindow) {
        let why = loop {
            if let Err(why) = self.turn(&mut window) {
                break why;
            }
        };
        let _ = self.ended.set(why);
        let mut orders = self.lock();
        orders.next = None;
        orders.in_hand = false;
        orders.coming_up = false;
        drop(orders);
        self.carried_out.notify_all();
    }

    /// Does what there is to do, then sleeps.
    fn turn(&self, window: &mut IndicatorWindow) -> Result<(), Unavailable> {
        if let Some(face) = self.take() {
            window.show(face)?;
        }
        loop {
            while let Some(event) = self.connection.next_event()? {
                window.react(&event, monotonic())?;
            }
            window.settle(monotonic())?;
            // Whoever waits for an answer may find events in front of it.
            let Some(event) = self.connection.next_event()? else {
                break;
            };
            window.react(&event, monotonic())?;
        }
        self.connection.flush()?;
        self.report(window);
        let at_most = window
            .deadline()
            .map(|deadline| deadline.saturating_sub(monotonic()));
        self.connection.wait_also_for(&self.wake, at_most)?;
        // Not there to be read where something else has ended the wait.
        let _ = rustix::io::read(&self.wake, &mut [0_u8; 8]);
        Ok(())
    }

    fn take(&self) -> Option<Face> {
        let mut orders = self.lock();
        let face = orders.next.take();
        orders.in_hand |= face.is_some();
        face
    }

    fn report(&self, window: &IndicatorWindow) {
        let mut orders = self.lock();
        orders.in_sight = window.is_in_sight();
        orders.coming_up = window.is_coming_up();
        orders.in_hand = false;
        drop(orders);
        self.carried_out.notify_all();
    }
}

fn no_thread(cause: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Gone(format!(
        "the indicator cannot be shown: no thread could be started ({cause})"
    ))
}
