//! The icon in the notification area, and the messages that come from it.
//!
//! Tray and messages share one icon on one thread: Windows shows a message beside an icon. While there
//! is no tray the icon is there for as long as a message is shown. The thread never waits but for the
//! system, and takes orders while the menu is open.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{self, Receiver as Orders, Sender, SyncSender};
use std::time::Duration;

use windows::Win32::Foundation::{HWND, LRESULT};
use windows::Win32::UI::Shell::{
    NIF_ICON, NIF_INFO, NIF_MESSAGE, NIF_SHOWTIP, NIF_TIP, NIIF_INFO, NIIF_NOSOUND, NIM_ADD,
    NIM_DELETE, NIM_MODIFY, NIM_SETVERSION, NIN_BALLOONHIDE, NIN_BALLOONTIMEOUT,
    NIN_BALLOONUSERCLICK, NIN_SELECT, NOTIFY_ICON_MESSAGE, NOTIFYICON_VERSION_4, NOTIFYICONDATAW,
    Shell_NotifyIconW,
};
use windows::Win32::UI::WindowsAndMessaging::{
    FindWindowW, RegisterWindowMessageW, WM_CONTEXTMENU, WM_LBUTTONUP, WM_RBUTTONUP,
};
use windows::core::{PCWSTR, w};

use super::icon::Icon;
use super::menu;
use super::messages::{Message as Told, MessageWindow, Receiver, Style, WM_OWN};
use crate::platform::text::clean;
use crate::platform::{Message, Unavailable};
use crate::tray::{Action, View};

/// Orders wait in the channel.
const WM_ORDER: u32 = WM_OWN;
/// The icon tells something.
const WM_ICON: u32 = WM_OWN + 1;
/// The icon was picked by the keyboard (`NIN_KEYSELECT`).
const KEY_SELECT: u32 = NIN_SELECT + 1;
/// How long the shell may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest texts that a message beside an icon has room for, in UTF-16 units.
pub(super) const MAX_TITLE: usize = 63;
pub(super) const MAX_BODY: usize = 255;

/// Called with what is picked in the menu.
pub(super) type Picked = Box<dyn Fn(Action) + Send + Sync>;

/// The icon's thread.
pub(super) struct Area {
    orders: Sender<Order>,
    window: MessageWindow,
}

enum Order {
    /// Puts the icon there.
    Open(View, Picked, SyncSender<Result<(), Unavailable>>),
    Show(View),
    IsShown(SyncSender<Result<bool, Unavailable>>),
    Close,
    Tell(Message, SyncSender<Result<(), Unavailable>>),
}

impl Area {
    pub(super) fn start() -> Result<Self, Unavailable> {
        let (orders, waiting) = mpsc::channel();
        let window = MessageWindow::open("notification-area", Style::UNSHOWN, move |window| {
            Ok(Corner {
                window,
                orders: waiting,
                // SAFETY: the text never goes.
                shell_began: unsafe { RegisterWindowMessageW(w!("TaskbarCreated")) },
                tray: RefCell::new(None),
                icon: RefCell::new(None),
                is_there: Cell::new(false),
                is_modern: Cell::new(false),
            })
        })?;
        Ok(Self { orders, window })
    }

    pub(super) fn open(&self, view: &View, picked: Picked) -> Result<(), Unavailable> {
        self.ask(|answer| Order::Open(view.clone(), picked, answer))?
    }

    pub(super) fn show(&self, view: &View) -> Result<(), Unavailable> {
        self.order(Order::Show(view.clone()))
    }

    pub(super) fn is_shown(&self) -> Result<bool, Unavailable> {
        self.ask(Order::IsShown)?
    }

    pub(super) fn close(&self) {
        // Where the thread has ended the icon has gone with it.
        let _ = self.order(Order::Close);
    }

    pub(super) fn tell(&self, message: &Message) -> Result<(), Unavailable> {
        self.ask(|answer| Order::Tell(message.clone(), answer))?
    }

    fn ask<T>(&self, order: impl FnOnce(SyncSender<T>) -> Order) -> Result<T, Unavailable> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.order(order(answer))?;
        answered.recv_timeout(PATIENCE).map_err(|_| no_area())
    }

    fn order(&self, order: Order) -> Result<(), Unavailable> {
        self.orders.send(order).map_err(|_| no_area())?;
        self.window.post(WM_ORDER)
    }
}

/// The thread's side. Orders may come in while it waits for the menu.
struct Corner {
    window: HWND,
    orders: Orders<Order>,
    /// The shell says so when it has begun anew: then the icon has gone.
    shell_began: u32,
    tray: RefCell<Option<(View, std::rc::Rc<Picked>)>>,
    /// Kept while it is shown.
    icon: RefCell<Option<Icon>>,
    is_there: Cell<bool>,
    /// The shell speaks the newer of its languages.
    is_modern: Cell<bool>,
}

impl Receiver for Corner {
    fn receive(&self, message: Told) -> Option<LRESULT> {
        match message.id {
            WM_ORDER => self.carry_out(),
            WM_ICON => {
                let event = u32::try_from(message.second.0 & 0xffff).unwrap_or_default();
                self.hear(event);
            }
            id if id == self.shell_began && self.is_there.replace(false) => self.draw_again(),
            _ => return None,
        }
        Some(LRESULT(0))
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        self.take_away();
    }
}

impl Corner {
    fn carry_out(&self) {
        while let Ok(order) = self.orders.try_recv() {
            // Whoever does not wait any more needs no answer.
            match order {
                Order::Open(view, picked, answer) => {
                    *self.tray.borrow_mut() = Some((view, std::rc::Rc::new(picked)));
                    let drawn = self.draw();
                    if drawn.is_err() {
                        *self.tray.borrow_mut() = None;
                    }
                    let _ = answer.send(drawn);
                }
                Order::Show(view) => {
                    if let Some((shown, _)) = &mut *self.tray.borrow_mut() {
                        *shown = view;
                    }
                    self.draw_again();
                }
                Order::IsShown(answer) => {
                    let _ = answer.send(self.check().map(|()| has_place()));
                }
                Order::Close => {
                    *self.tray.borrow_mut() = None;
                    self.take_away();
                }
                Order::Tell(message, answer) => {
                    let _ = answer.send(self.tell(&message));
                }
            }
        }
    }

    fn hear(&self, event: u32) {
        let asks = if self.is_modern.get() {
            matches!(event, WM_CONTEXTMENU | NIN_SELECT | KEY_SELECT)
        } else {
            matches!(event, WM_RBUTTONUP | WM_LBUTTONUP)
        };
        if asks {
            let tray = self.tray.borrow().clone();
            if let Some((view, picked)) = tray {
                match menu::ask(self.window, &view.menu) {
                    Ok(Some(action)) => picked(action),
                    Ok(None) => {}
                    Err(cause) => tracing::warn!(%cause, "the tray's menu could not be opened"),
                }
            }
        }
        let is_over = matches!(
            event,
            NIN_BALLOONHIDE | NIN_BALLOONTIMEOUT | NIN_BALLOONUSERCLICK
        );
        if is_over && self.tray.borrow().is_none() {
            self.take_away();
        }
    }

    /// Whether the icon is still there; if not, it is put there again.
    fn check(&self) -> Result<(), Unavailable> {
        if self.is_there.get() && notify(NIM_MODIFY, &self.data()) {
            return Ok(());
        }
        self.draw()
    }

    fn draw_again(&self) {
        if let Err(cause) = self.draw() {
            tracing::warn!(%cause, "the tray could not be drawn");
        }
    }

    /// Puts the icon there, or changes it, as the tray says; without a tray, the one of rest.
    fn draw(&self) -> Result<(), Unavailable> {
        let (state, tooltip) = match &*self.tray.borrow() {
            Some((view, _)) => (view.icon, view.tooltip.clone()),
            None => (crate::tray::Icon::Off, "Glasshour".to_owned()),
        };
        let icon = Icon::of(state).map_err(|_| no_area())?;
        let mut data = self.data();
        data.uFlags = NIF_MESSAGE | NIF_ICON | NIF_TIP | NIF_SHOWTIP;
        data.uCallbackMessage = WM_ICON;
        data.hIcon = icon.handle();
        write(&mut data.szTip, &clean(&tooltip, 120));
        let known = self.is_there.get() && notify(NIM_MODIFY, &data);
        if !known {
            if !notify(NIM_ADD, &data) {
                self.is_there.set(false);
                return Err(no_area());
            }
            self.is_there.set(true);
            let mut version = self.data();
            version.Anonymous.uVersion = NOTIFYICON_VERSION_4;
            self.is_modern.set(notify(NIM_SETVERSION, &version));
        }
        *self.icon.borrow_mut() = Some(icon);
        Ok(())
    }

    fn tell(&self, message: &Message) -> Result<(), Unavailable> {
        self.draw()?;
        let mut data = self.data();
        data.uFlags = NIF_INFO;
        data.dwInfoFlags = if message.important {
            NIIF_INFO
        } else {
            NIIF_INFO | NIIF_NOSOUND
        };
        write(&mut data.szInfoTitle, &message.title);
        write(&mut data.szInfo, &message.body);
        if notify(NIM_MODIFY, &data) {
            Ok(())
        } else {
            Err(no_area())
        }
    }

    fn take_away(&self) {
        if self.is_there.replace(false) {
            notify(NIM_DELETE, &self.data());
        }
        *self.icon.borrow_mut() = None;
    }

    fn data(&self) -> NOTIFYICONDATAW {
        NOTIFYICONDATAW {
            cbSize: u32::try_from(size_of::<NOTIFYICONDATAW>()).unwrap_or_default(),
            hWnd: self.window,
            uID: 1,
            ..NOTIFYICONDATAW::default()
        }
    }
}

fn notify(what: NOTIFY_ICON_MESSAGE, data: &NOTIFYICONDATAW) -> bool {
    // SAFETY: the data says how large it is, and is copied.
    unsafe { Shell_NotifyIconW(what, data) }.as_bool()
}

/// Whether there is a taskbar for the icon to be on.
fn has_place() -> bool {
    // SAFETY: the text never goes.
    unsafe { FindWindowW(w!("Shell_TrayWnd"), PCWSTR::null()) }.is_ok()
}

/// Writes what fits; the rest of the place is zero, as it must end with one.
fn write(place: &mut [u16], text: &str) {
    let room = place.len().saturating_sub(1);
    for (place, unit) in place.iter_mut().take(room).zip(text.encode_utf16()) {
        *place = unit;
    }
}

fn no_area() -> Unavailable {
    Unavailable::Gone(
        "the notification area of the taskbar cannot be reached; it is there once Windows Explorer \
         runs in this session"
            .to_owned(),
    )
}
