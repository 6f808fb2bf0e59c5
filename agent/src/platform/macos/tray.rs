//! The icon in the menu bar. It lives on the main thread, which takes orders: show a view, report a pick,
//! end. There is one in a process, because menu events come to one handler for the whole of it.

use std::cell::RefCell;
use std::sync::Arc;

use tray_icon::menu::MenuEvent;
use tray_icon::{TrayIcon, TrayIconBuilder};

use super::main_thread;
use crate::platform::text::clean;
use crate::platform::tray_menu::{Actions, MAX_LABEL_CHARS, menu, picture};
use crate::platform::{Tray, Unavailable};
use crate::tray::{Action, View};

thread_local! {
    /// The icon, on the main thread.
    static DRAWN: RefCell<Option<Drawn>> = const { RefCell::new(None) };
}

/// The icon; it leaves the menu bar when this is dropped.
pub(super) struct MenuBarIcon(());

type Picked = Box<dyn Fn(Action) + Send + Sync>;

impl MenuBarIcon {
    pub(super) fn open(view: &View, picked: Picked) -> Result<Self, Unavailable> {
        let view = view.clone();
        main_thread::ask(move |_| {
            let drawn = Drawn::new(view, picked.into()).map_err(|cause| no_icon(&*cause))?;
            DRAWN.set(Some(drawn));
            // Events come on the main thread, and never while it draws.
            MenuEvent::set_event_handler(Some(|event: MenuEvent| {
                main_thread::tell(move |_| with(|drawn| drawn.pick(&event)));
            }));
            Ok(Self(()))
        })?
    }
}

impl Tray for MenuBarIcon {
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        let view = view.clone();
        main_thread::tell(move |_| with(|drawn| drawn.show(view)));
        Ok(())
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        main_thread::ask(|_| {
            DRAWN.with_borrow(|drawn| {
                drawn
                    .as_ref()
                    .is_some_and(|drawn| drawn.tray.rect().is_some())
            })
        })
    }
}

impl Drop for MenuBarIcon {
    fn drop(&mut self) {
        main_thread::tell(|_| DRAWN.set(None));
    }
}

fn with(work: impl FnOnce(&mut Drawn) -> Result<(), Box<dyn std::error::Error>>) {
    DRAWN.with_borrow_mut(|drawn| {
        if let Some(Err(cause)) = drawn.as_mut().map(work) {
            tracing::warn!(%cause, "the icon in the menu bar could not be drawn");
        }
    });
}

/// The icon as it is in the menu bar.
struct Drawn {
    tray: TrayIcon,
    view: View,
    actions: Actions,
    picked: Arc<Picked>,
}

impl Drawn {
    fn new(view: View, picked: Arc<Picked>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut actions = Actions::default();
        let tray = TrayIconBuilder::new()
            .with_tooltip(clean(&view.tooltip, MAX_LABEL_CHARS))
            .with_icon(picture(view.icon)?)
            .with_menu(Box::new(menu(&view.menu, &mut actions)?))
            .build()?;
        Ok(Self {
            tray,
            view,
            actions,
            picked,
        })
    }

    fn show(&mut self, view: View) -> Result<(), Box<dyn std::error::Error>> {
        let last = std::mem::replace(&mut self.view, view);
        if last.icon != self.view.icon {
            self.tray.set_icon(Some(picture(self.view.icon)?))?;
        }
        if last.tooltip != self.view.tooltip {
            let tooltip = clean(&self.view.tooltip, MAX_LABEL_CHARS);
            self.tray.set_tooltip(Some(tooltip))?;
        }
        if last.menu != self.view.menu {
            self.draw_menu()?;
        }
        Ok(())
    }

    /// A click checks or unchecks a row by itself; what holds is the view.
    fn pick(&mut self, event: &MenuEvent) -> Result<(), Box<dyn std::error::Error>> {
        if let Some(action) = self.actions.named(&event.id) {
            (self.picked)(action);
        }
        self.draw_menu()
    }

    fn draw_menu(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let menu = menu(&self.view.menu, &mut self.actions)?;
        self.tray.set_menu(Some(Box::new(menu)));
        Ok(())
    }
}

fn no_icon(cause: &dyn std::error::Error) -> Unavailable {
    Unavailable::Gone(format!(
        "no icon could be put into the menu bar ({cause}); log in at the screen of this Mac"
    ))
}
