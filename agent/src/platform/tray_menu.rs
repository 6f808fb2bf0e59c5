//! The tray's menu and icon, for systems that `tray-icon` draws them on: Linux and macOS.

use glasshour_assets::TrayIcon as Picture;
use tray_icon::menu::{
    CheckMenuItem, IsMenuItem, Menu, MenuId, MenuItem, PredefinedMenuItem, Submenu,
};

use super::text::clean;
use crate::tray::{Action, Icon, Item};

/// Longest text in the menu and in the tooltip, in characters.
pub(super) const MAX_LABEL_CHARS: usize = 120;
/// Side of the icon, pixels; panels scale it.
const ICON_PIXELS: u32 = 48;
/// How the names of actions in menu events begin.
const ACTION: &str = "action-";

/// Every action that has been in the menu; its place here is its name in menu events. A click on a
/// row that has just been replaced still means what the person read.
#[derive(Default)]
pub(super) struct Actions(Vec<Action>);

impl Actions {
    fn id_of(&mut self, action: &Action) -> MenuId {
        let place = self
            .0
            .iter()
            .position(|known| known == action)
            .unwrap_or_else(|| {
                self.0.push(action.clone());
                self.0.len() - 1
            });
        MenuId::new(format!("{ACTION}{place}"))
    }

    pub(super) fn named(&self, id: &MenuId) -> Option<Action> {
        self.0
            .get(id.0.strip_prefix(ACTION)?.parse::<usize>().ok()?)
            .cloned()
    }
}

/// The menu as it is drawn.
pub(super) fn menu(items: &[Item], actions: &mut Actions) -> tray_icon::menu::Result<Menu> {
    let menu = Menu::new();
    for item in items {
        menu.append(&*row(item, actions)?)?;
    }
    Ok(menu)
}

fn row(item: &Item, actions: &mut Actions) -> tray_icon::menu::Result<Box<dyn IsMenuItem>> {
    Ok(match item {
        Item::Label(text) => Box::new(MenuItem::new(label(text), false, None)),
        Item::Command {
            action,
            label: text,
            enabled,
        } => Box::new(MenuItem::with_id(
            actions.id_of(action),
            label(text),
            *enabled,
            None,
        )),
        Item::Choice {
            action,
            label: text,
            checked,
        } => Box::new(CheckMenuItem::with_id(
            actions.id_of(action),
            label(text),
            true,
            *checked,
            None,
        )),
        Item::Submenu { label: text, items } => {
            let submenu = Submenu::new(label(text), true);
            for item in items {
                submenu.append(&*row(item, actions)?)?;
            }
            Box::new(submenu)
        }
        Item::Separator => Box::new(PredefinedMenuItem::separator()),
    })
}

/// Text for a menu, where `&` marks the key that picks a row.
fn label(text: &str) -> String {
    clean(text, MAX_LABEL_CHARS).replace('&', "&&")
}

/// The mark for a state.
pub(super) fn picture(icon: Icon) -> Result<tray_icon::Icon, tray_icon::BadIcon> {
    let picture = match icon {
        Icon::Off => Picture::Off,
        Icon::Tracking => Picture::Tracking,
        Icon::Paused => Picture::Paused,
        Icon::Problem => Picture::Problem,
    };
    let rgba = glasshour_assets::tray(picture, ICON_PIXELS);
    tray_icon::Icon::from_rgba(rgba, ICON_PIXELS, ICON_PIXELS)
}
