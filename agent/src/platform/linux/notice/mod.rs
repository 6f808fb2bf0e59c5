//! A notice in a window of the agent's own: whole, page by page, until the person closes it.
//!
//! A message of the desktop is the wrong place for it: it is cut after a few lines and goes by itself. The
//! window takes no key: what is pressed elsewhere cannot close it, and the agent reads none. It counts as seen
//! once X says that some of it is in sight.

mod layout;
mod window;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use glasshour_words::Words;

use self::window::{Page, Turn};
use super::connection::Connection;
use crate::platform::{Message, NoticeWindow, Unavailable};

/// The window on one X display; it leaves when this is dropped.
pub(super) struct X11Notice {
    connection: Arc<Connection>,
    thread: Option<JoinHandle<()>>,
}

impl X11Notice {
    /// Opens it. `seen` is called once, when it is in sight.
    pub(super) fn open(
        display: &str,
        message: &Message,
        words: Words,
        seen: Box<dyn FnOnce() + Send>,
    ) -> Result<Self, Unavailable> {
        let connection = Arc::new(Connection::open(display)?);
        let page = Page::open(Arc::clone(&connection), message, words)?;
        let thread = thread::Builder::new()
            .name("notice".to_owned())
            .spawn({
                let connection = Arc::clone(&connection);
                move || {
                    if let Err(why) = run(page, seen) {
                        tracing::debug!(%why, "a notice's window has ended");
                    }
                    // The server takes the window away with the connection.
                    connection.hang_up();
                }
            })
            .map_err(|cause| {
                Unavailable::Gone(format!("no thread for a window could be had ({cause})"))
            })?;
        Ok(Self {
            connection,
            thread: Some(thread),
        })
    }
}

impl NoticeWindow for X11Notice {
    fn is_open(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for X11Notice {
    fn drop(&mut self) {
        self.connection.hang_up();
        if let Some(thread) = self.thread.take() {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

/// Until the person closes it, or the display is gone.
fn run(mut page: Page, seen: Box<dyn FnOnce() + Send>) -> Result<(), Unavailable> {
    let mut seen = Some(seen);
    loop {
        match page.turn()? {
            Turn::Seen => {
                if let Some(seen) = seen.take() {
                    seen();
                }
            }
            Turn::Closed => return Ok(()),
        }
    }
}
