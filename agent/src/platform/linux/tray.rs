//! The icon in the tray, by `StatusNotifierItem` over D-Bus.
//!
//! The icon lives on a thread of its own, which takes orders: show a view, report a pick, end. The
//! desktop's panel may come later than the icon, or never: [`Tray::is_shown`] asks. There is one tray
//! in a process, because menu events come to one handler for the whole of it.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tray_icon::menu::{MenuEvent, MenuId};
use tray_icon::{TrayIcon, TrayIconBuilder};

use crate::platform::text::clean;
use crate::platform::tray_menu::{Actions, MAX_LABEL_CHARS, menu, picture};
use crate::platform::{Tray, Unavailable};
use crate::tray::{Action, View};

/// How long the session bus may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the icon may take to leave.
const FAREWELL: Duration = Duration::from_secs(2);
/// Orders that wait for the thread; more means that the bus hangs.
const MAX_WAITING: usize = 32;
/// The icon's identity and title for the desktop.
const ID: &str = "glasshour";
const TITLE: &str = "Glasshour";

/// Where menu events go: the tray that was opened last.
static ROUTE: Mutex<Option<SyncSender<Order>>> = Mutex::new(None);

/// The icon; it leaves the tray when this is dropped.
pub(super) struct StatusNotifier {
    orders: SyncSender<Order>,
    /// Ends when the thread does; nothing is ever sent.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    bus: zbus::blocking::Connection,
}

/// What the thread is told.
enum Order {
    Show(View),
    Picked(MenuId),
    End,
}

impl StatusNotifier {
    pub(super) fn open(
        view: &View,
        picked: Box<dyn Fn(Action) + Send + Sync>,
    ) -> Result<Self, Unavailable> {
        let (orders, waiting) = mpsc::sync_channel(MAX_WAITING);
        let (started, has_started) = mpsc::sync_channel(1);
        let (running, ended) = mpsc::sync_channel(0);
        let view = view.clone();
        let thread = thread::Builder::new()
            .name("tray".to_owned())
            .spawn(move || {
                match Drawn::new(view) {
                    Ok(drawn) => {
                        if started.send(Ok(())).is_ok() {
                            drawn.run(&waiting, &*picked);
                        }
                    }
                    Err(cause) => {
                        // Nobody listens any more where the answer comes too late.
                        let _ = started.send(Err(cause.to_string()));
                    }
                }
                drop(running);
            })
            .map_err(|cause| no_bus(&cause.to_string()))?;
        match has_started.recv_timeout(PATIENCE) {
            Ok(outcome) => outcome.map_err(|cause| no_bus(&cause))?,
            Err(RecvTimeoutError::Timeout) => return Err(no_bus("no answer in ten seconds")),
            Err(RecvTimeoutError::Disconnected) => return Err(no_bus("the attempt broke off")),
        }
        let bus = connect().map_err(|cause| no_bus(&cause.to_string()))?;
        let tray = Self {
            orders,
            ended,
            thread: Some(thread),
            bus,
        };
        tray.take_menu_events();
        Ok(tray)
    }

    /// Menu events come on a thread that draws the menu: it must not wait for us.
    fn take_menu_events(&self) {
        *ROUTE.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.orders.clone());
        MenuEvent::set_event_handler(Some(|event: MenuEvent| {
            let route = ROUTE.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Err(TrySendError::Full(_))) = route
                .as_ref()
                .map(|orders| orders.try_send(Order::Picked(event.id)))
            {
                tracing::warn!("the tray is busy; what was picked in its menu is dropped");
            }
        }));
    }
}

impl Tray for StatusNotifier {
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        self.orders
            .try_send(Order::Show(view.clone()))
            .map_err(|error| match error {
                TrySendError::Full(_) => no_bus("the session bus does not keep up"),
                TrySendError::Disconnected(_) => no_bus("the tray has ended"),
            })
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        const WATCHER: &str = "org.kde.StatusNotifierWatcher";
        let answer = self.bus.call_method(
            Some(WATCHER),
            "/StatusNotifierWatcher",
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(WATCHER, "IsStatusNotifierHostRegistered"),
        );
        match answer {
            Ok(message) => {
                let value: zbus::zvariant::OwnedValue = message
                    .body()
                    .deserialize()
                    .map_err(|cause| no_bus(&cause.to_string()))?;
                Ok(bool::try_from(value).unwrap_or(false))
            }
            // Nobody bears the name: a desktop without a tray, or a panel that has not started.
            Err(zbus::Error::MethodError(..)) => Ok(false),
            Err(cause) => Err(no_bus(&cause.to_string())),
        }
    }
}

impl Drop for StatusNotifier {
    fn drop(&mut self) {
        let told = self.orders.try_send(Order::End).is_ok();
        // A bus that hangs must not keep the program from ending; the icon goes with its connection.
        if told
            && self.ended.recv_timeout(FAREWELL) == Err(RecvTimeoutError::Disconnected)
            && let Some(thread) = self.thread.take()
        {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

/// The icon as it is on the bus. Not `Send`: it stays on its thread.
struct Drawn {
    tray: TrayIcon,
    view: View,
    actions: Actions,
}

impl Drawn {
    fn new(view: View) -> Result<Self, Box<dyn std::error::Error>> {
        let mut actions = Actions::default();
        let tray = TrayIconBuilder::new()
            .with_id(ID)
            .with_title(TITLE)
            .with_tooltip(clean(&view.tooltip, MAX_LABEL_CHARS))
            .with_icon(picture(view.icon)?)
            .with_menu(Box::new(menu(&view.menu, &mut actions)?))
            .build()?;
        Ok(Self {
            tray,
            view,
            actions,
        })
    }

    /// Carries out orders until the last of them.
    fn run(mut self, orders: &Receiver<Order>, picked: &(dyn Fn(Action) + Send + Sync)) {
        for order in orders {
            let outcome = match order {
                Order::Show(view) => self.show(view),
                Order::Picked(id) => {
                    // A click checks or unchecks a row by itself; what holds is the view.
                    let redrawn = self.draw_menu();
                    if let Some(action) = self.actions.named(&id) {
                        picked(action);
                    }
                    redrawn
                }
                Order::End => return,
            };
            if let Err(cause) = outcome {
                tracing::warn!(%cause, "the tray could not be drawn");
            }
        }
    }

    /// Draws what differs.
    fn show(&mut self, view: View) -> Result<(), Box<dyn std::error::Error>> {
        let last = std::mem::replace(&mut self.view, view);
        if last.icon != self.view.icon {
            self.tray.set_icon(Some(picture(self.view.icon)?))?;
        }
        if last.tooltip != self.view.tooltip {
            self.tray
                .set_tooltip(Some(clean(&self.view.tooltip, MAX_LABEL_CHARS)))?;
        }
        if last.menu != self.view.menu {
            self.draw_menu()?;
        }
        Ok(())
    }

    fn draw_menu(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let menu = menu(&self.view.menu, &mut self.actions)?;
        self.tray.set_menu(Some(Box::new(menu)));
        Ok(())
    }
}

fn connect() -> zbus::Result<zbus::blocking::Connection> {
    zbus::blocking::connection::Builder::session()?
        .method_timeout(PATIENCE)
        .build()
}

fn no_bus(cause: &str) -> Unavailable {
    Unavailable::Gone(format!(
        "the tray cannot be reached over the session bus ({cause}); log in to a desktop session, or \
         check DBUS_SESSION_BUS_ADDRESS"
    ))
}
