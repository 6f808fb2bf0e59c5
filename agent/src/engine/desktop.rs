//! The thread that talks to the desktop: tray and messages. They may block for as long as a desktop
//! takes; the loop must not.
//!
//! It also holds the promise that nothing runs unseen: where the icon cannot be shown while something
//! is captured, a message says so.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::platform::{Message, Notifier, Platform, Tray, Unavailable};
use crate::tray::{Action, Icon, View};

/// Messages and views that may wait; when full, the newest view still gets through with the next one.
const QUEUE: usize = 64;
/// How often a tray that could not be had is tried again.
const RETRY: Duration = Duration::from_secs(20);

enum Order {
    Show(View),
    Notify(Message),
}

/// Handle to the thread.
pub(super) struct Desktop {
    orders: SyncSender<Order>,
    trouble: Arc<Mutex<Option<String>>>,
}

impl Desktop {
    /// Starts the thread. With `tray` false there is no icon, and messages stand in for it.
    pub(super) fn start(
        platform: Arc<dyn Platform>,
        tray: bool,
        actions: mpsc::Sender<Action>,
    ) -> Self {
        let (orders, inbox) = sync_channel(QUEUE);
        let trouble = Arc::new(Mutex::new(None));
        let worker = Worker {
            platform,
            wants_tray: tray,
            actions,
            trouble: trouble.clone(),
            tray: None,
            notifier: None,
            view: None,
            told: false,
        };
        let spawned = std::thread::Builder::new()
            .name("desktop".into())
            .spawn(move || worker.run(&inbox));
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for the desktop could be had");
        }
        Self { orders, trouble }
    }

    /// Draws a state.
    pub(super) fn show(&self, view: View) {
        if self.orders.try_send(Order::Show(view)).is_err() {
            tracing::warn!("the desktop is slow: a state was not drawn");
        }
    }

    /// Shows a message.
    pub(super) fn notify(&self, message: Message) {
        if self.orders.try_send(Order::Notify(message)).is_err() {
            tracing::warn!("the desktop is slow: a message was not shown");
        }
    }

    /// Why the person may see neither icon nor messages, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

struct Worker {
    platform: Arc<dyn Platform>,
    wants_tray: bool,
    actions: mpsc::Sender<Action>,
    trouble: Arc<Mutex<Option<String>>>,
    tray: Option<Box<dyn Tray>>,
    notifier: Option<Box<dyn Notifier>>,
    view: Option<View>,
    /// Whether a message has said that capturing goes on without an icon.
    told: bool,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Order>) {
        loop {
            let order = match inbox.recv_timeout(RETRY) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            match order {
                Some(Order::Notify(message)) => self.notify(&message),
                Some(Order::Show(view)) => {
                    let began = view.icon == Icon::Tracking
                        && self.view.as_ref().is_none_or(|old| old.icon == Icon::Off);
                    self.view = Some(view);
                    if began {
                        self.told = false;
                    }
                    self.draw();
                }
                // A tray that appears later (the panel starts after us) is found here.
                None => self.draw(),
            }
        }
    }

    fn draw(&mut self) {
        let Some(view) = self.view.clone() else {
            return;
        };
        let shown = self.draw_tray(&view);
        let mut trouble = None;
        if let Err(reason) = shown
            && view.icon != Icon::Off
            && !self.told
        {
            let message = Message {
                title: "Glasshour is running".into(),
                body: format!("{}. It has no icon in the tray: {reason}", view.tooltip),
                important: true,
            };
            match self.try_notify(&message) {
                Ok(()) => self.told = true,
                Err(error) => {
                    trouble = Some(format!(
                        "Neither a tray icon nor messages can be shown here ({error})."
                    ));
                }
            }
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn draw_tray(&mut self, view: &View) -> Result<(), Unavailable> {
        if !self.wants_tray {
            return Err(Unavailable::Unsupported(
                "it was started with --no-tray".into(),
            ));
        }
        let mut tray = match self.tray.take() {
            Some(tray) => tray,
            None => {
                let actions = self.actions.clone();
                let picked = move |action| {
                    if actions.try_send(action).is_err() {
                        tracing::warn!("a pick in the tray was lost");
                    }
                };
                self.platform.tray(view, Box::new(picked))?
            }
        };
        tray.show(view)?;
        let shown = tray.is_shown()?;
        self.tray = Some(tray);
        if shown {
            return Ok(());
        }
        Err(Unavailable::Gone(
            "this desktop has no place for tray icons at the moment".into(),
        ))
    }

    fn notify(&mut self, message: &Message) {
        if let Err(error) = self.try_notify(message) {
            tracing::warn!(%error, title = %message.title, "a message could not be shown");
        }
    }

    fn try_notify(&mut self, message: &Message) -> Result<(), Unavailable> {
        let mut notifier = match self.notifier.take() {
            Some(notifier) => notifier,
            None => self.platform.notifier()?,
        };
        notifier.notify(message)?;
        self.notifier = Some(notifier);
        Ok(())
    }
}
