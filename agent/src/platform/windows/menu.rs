//! The tray's menu, opened at the pointer; gives what was picked.

use windows::Win32::Foundation::{HWND, POINT};
use windows::Win32::Foundation::{LPARAM, WPARAM};
use windows::Win32::UI::WindowsAndMessaging::{
    AppendMenuW, CreatePopupMenu, DestroyMenu, GetCursorPos, HMENU, MENU_ITEM_FLAGS, MF_CHECKED,
    MF_GRAYED, MF_POPUP, MF_SEPARATOR, MF_STRING, PostMessageW, SetForegroundWindow, TPM_NONOTIFY,
    TPM_RETURNCMD, TPM_RIGHTBUTTON, TrackPopupMenu, WM_NULL,
};
use windows::core::{HSTRING, PCWSTR, Result};

use crate::platform::text::clean;
use crate::tray::{Action, Item};

/// Longest text of a row, in characters.
const MAX_LABEL_CHARS: usize = 120;

/// Shows the menu and waits until something was picked, or it was closed.
pub(super) fn ask(window: HWND, items: &[Item]) -> Result<Option<Action>> {
    let mut menu = Menu::new()?;
    menu.fill(items)?;
    let mut at = POINT::default();
    // SAFETY: the place is ours.
    unsafe { GetCursorPos(&raw mut at) }?;
    // Without that the menu does not close when something else is clicked.
    // SAFETY: the window is this thread's.
    let _ = unsafe { SetForegroundWindow(window) };
    let flags = TPM_RETURNCMD | TPM_NONOTIFY | TPM_RIGHTBUTTON;
    // SAFETY: menu and window are this thread's.
    let picked = unsafe { TrackPopupMenu(menu.handle, flags, at.x, at.y, None, window, None) };
    // And without that the next one closes at once.
    // SAFETY: as above.
    let _ = unsafe { PostMessageW(Some(window), WM_NULL, WPARAM(0), LPARAM(0)) };
    Ok(usize::try_from(picked.0)
        .ok()
        .and_then(|number| menu.actions.get(number.checked_sub(1)?).cloned()))
}

struct Menu {
    handle: HMENU,
    /// The number of a row is its action's place here, from 1.
    actions: Vec<Action>,
}

impl Menu {
    fn new() -> Result<Self> {
        // SAFETY: it takes nothing.
        let handle = unsafe { CreatePopupMenu() }?;
        Ok(Self {
            handle,
            actions: Vec::new(),
        })
    }

    fn fill(&mut self, items: &[Item]) -> Result<()> {
        for item in items {
            match item {
                Item::Label(text) => self.row(MF_GRAYED, 0, text)?,
                Item::Command {
                    action,
                    label,
                    enabled,
                } => {
                    let state = if *enabled { MF_STRING } else { MF_GRAYED };
                    let number = self.number(action);
                    self.row(state, number, label)?;
                }
                Item::Choice {
                    action,
                    label,
                    checked,
                } => {
                    let state = if *checked { MF_CHECKED } else { MF_STRING };
                    let number = self.number(action);
                    self.row(state, number, label)?;
                }
                Item::Submenu { label, items } => {
                    let mut within = Self::new()?;
                    within.actions = std::mem::take(&mut self.actions);
                    let filled = within.fill(items);
                    self.actions = std::mem::take(&mut within.actions);
                    filled?;
                    self.row(MF_POPUP, within.handle.0 as usize, label)?;
                    // It goes with the menu that it now belongs to.
                    std::mem::forget(within);
                }
                Item::Separator => {
                    // SAFETY: the menu is ours; a line has no text.
                    unsafe { AppendMenuW(self.handle, MF_SEPARATOR, 0, PCWSTR::null()) }?;
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, action: &Action) -> usize {
        self.actions.push(action.clone());
        self.actions.len()
    }

    fn row(&self, flags: MENU_ITEM_FLAGS, number: usize, text: &str) -> Result<()> {
        // `&` marks the key that picks a row.
        let text = HSTRING::from(clean(text, MAX_LABEL_CHARS).replace('&', "&&"));
        // SAFETY: the menu is ours, and the text is copied.
        unsafe { AppendMenuW(self.handle, MF_STRING | flags, number, &text) }
    }
}

impl Drop for Menu {
    fn drop(&mut self) {
        // SAFETY: it was made by us. What belongs to it goes with it.
        let _ = unsafe { DestroyMenu(self.handle) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tray::Pick;
    use windows::Win32::UI::WindowsAndMessaging::{GetMenuItemCount, GetMenuItemID, GetSubMenu};

    #[test]
    fn rows_are_numbered_by_their_actions_also_within_a_submenu() {
        let start = Action::Start(Pick::default());
        let items = [
            Item::Label("Acme & Sons".into()),
            Item::Command {
                action: Action::Stop,
                label: "Stop".into(),
                enabled: true,
            },
            Item::Submenu {
                label: "Start on".into(),
                items: vec![Item::Choice {
                    action: start.clone(),
                    label: "Apollo".into(),
                    checked: true,
                }],
            },
            Item::Separator,
            Item::Command {
                action: Action::Quit,
                label: "Quit".into(),
                enabled: true,
            },
        ];
        let mut menu = Menu::new().unwrap();
        menu.fill(&items).unwrap();
        assert_eq!(menu.actions, [Action::Stop, start, Action::Quit]);
        // SAFETY: the menu is ours.
        assert_eq!(unsafe { GetMenuItemCount(Some(menu.handle)) }, 5);
        // SAFETY: as above.
        assert_eq!(unsafe { GetMenuItemID(menu.handle, 1) }, 1);
        // SAFETY: as above.
        assert_eq!(unsafe { GetMenuItemID(GetSubMenu(menu.handle, 2), 0) }, 2);
        // SAFETY: as above.
        assert_eq!(unsafe { GetMenuItemID(menu.handle, 4) }, 3);
    }
}
