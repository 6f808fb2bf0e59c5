//! What windows say of themselves, in properties that any program may set to anything.
//!
//! Lengths are capped when asking, texts are cleaned before they go anywhere.

use glasshour_protocol::limits::{MAX_APPLICATION_CHARS, MAX_TITLE_CHARS};
use x11rb::atom_manager;
use x11rb::cookie::Cookie;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, GetPropertyReply};

use super::connection::{Connection, Wire, gone, refused, reply_unless_vanished};
use crate::platform::Unavailable;
use crate::platform::text::clean;

/// Longest list read from a property, in 32-bit units: windows, states, types.
const MAX_LIST: u32 = 4096;

/// X identifies windows by number.
pub(super) type WindowId = u32;

atom_manager! {
    /// The names that are read.
    pub(super) Atoms: AtomCookies {
        WM_CLIENT_LEADER,
        WM_STATE,
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST,
        _NET_CLIENT_LIST_STACKING,
        _NET_CURRENT_DESKTOP,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_DESKTOP,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_STATE_HIDDEN,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DESKTOP,
    }
}

/// Asks the server for its numbers, once for each connection.
pub(super) fn atoms(connection: &Connection) -> Result<Atoms, Unavailable> {
    Atoms::new(connection.wire())
        .map_err(gone)?
        .reply()
        .map_err(refused)
}

/// Reads properties over a connection, with the server's numbers for their names.
#[derive(Clone, Copy)]
pub(super) struct Properties<'c> {
    connection: &'c Connection,
    atoms: &'c Atoms,
}

/// What a window says of itself.
pub(super) struct Description {
    /// Empty where it does not say.
    application: String,
    /// Empty where it does not say.
    title: String,
    /// The window that it is a dialog or a popup of.
    owner: Option<WindowId>,
    /// The program's first window.
    leader: Option<WindowId>,
    /// It is the desktop itself: wallpaper and icons.
    pub(super) is_desktop: bool,
    /// It is minimized.
    pub(super) is_hidden: bool,
    /// The number of the virtual desktop that it is on.
    pub(super) desktop: Option<u32>,
}

impl<'c> Properties<'c> {
    pub(super) fn new(connection: &'c Connection, atoms: &'c Atoms) -> Self {
        Self { connection, atoms }
    }

    /// Asks a window for everything at once; `None`: it has gone.
    pub(super) fn describe(self, id: WindowId) -> Result<Option<Description>, Unavailable> {
        let atoms = self.atoms;
        // In units of four bytes, which is what one character takes at most.
        let longest_name = u32::try_from(MAX_TITLE_CHARS).unwrap_or(u32::MAX);
        let class = self.property(id, AtomEnum::WM_CLASS, longest_name)?;
        let utf8_name = self.property(id, atoms._NET_WM_NAME, longest_name)?;
        let name = self.property(id, AtomEnum::WM_NAME, longest_name)?;
        let owner = self.property(id, AtomEnum::WM_TRANSIENT_FOR, 1)?;
        let leader = self.property(id, atoms.WM_CLIENT_LEADER, 1)?;
        let kinds = self.property(id, atoms._NET_WM_WINDOW_TYPE, MAX_LIST)?;
        let states = self.property(id, atoms._NET_WM_STATE, MAX_LIST)?;
        let desktop = self.property(id, atoms._NET_WM_DESKTOP, 1)?;

        let class = reply_unless_vanished(class)?;
        let utf8_name = reply_unless_vanished(utf8_name)?;
        let name = reply_unless_vanished(name)?;
        let owner = reply_unless_vanished(owner)?;
        let leader = reply_unless_vanished(leader)?;
        let kinds = reply_unless_vanished(kinds)?;
        let states = reply_unless_vanished(states)?;
        let desktop = reply_unless_vanished(desktop)?;
        let (Some(class), Some(utf8_name), Some(name), Some(kinds), Some(states)) =
            (class, utf8_name, name, kinds, states)
        else {
            return Ok(None);
        };

        let mut title = clean(&text(&utf8_name), MAX_TITLE_CHARS);
        if title.is_empty() {
            title = clean(&text(&name), MAX_TITLE_CHARS);
        }
        Ok(Some(Description {
            application: clean(&class_name(&class.value), MAX_APPLICATION_CHARS),
            title,
            owner: first(owner.as_ref())
                .filter(|&owner| owner != id && owner != self.connection.root()),
            leader: first(leader.as_ref()).filter(|&leader| leader != id),
            is_desktop: contains(&kinds, atoms._NET_WM_WINDOW_TYPE_DESKTOP),
            is_hidden: contains(&states, atoms._NET_WM_STATE_HIDDEN),
            desktop: first(desktop.as_ref()),
        }))
    }

    /// Application and title; what the window does not say, the window it belongs to may.
    pub(super) fn names(self, description: Description) -> Result<(String, String), Unavailable> {
        let Description {
            mut application,
            mut title,
            owner,
            leader,
            ..
        } = description;
        for relative in [owner, leader].into_iter().flatten() {
            if !application.is_empty() && !title.is_empty() {
                break;
            }
            let Some(relative) = self.describe(relative)? else {
                continue;
            };
            if application.is_empty() {
                application = relative.application;
            }
            if title.is_empty() {
                title = relative.title;
            }
        }
        Ok((application, title))
    }

    /// Whether the property is set, to whatever.
    pub(super) fn has(self, id: WindowId, name: u32) -> Result<bool, Unavailable> {
        let property = reply_unless_vanished(self.property(id, name, 1)?)?;
        Ok(property.is_some_and(|property| property.type_ != 0))
    }

    /// A list of numbers: empty where it is not set.
    pub(super) fn numbers(self, id: WindowId, name: u32) -> Result<Vec<u32>, Unavailable> {
        let property = reply_unless_vanished(self.property(id, name, MAX_LIST)?)?;
        Ok(property
            .and_then(|p| p.value32().map(Iterator::collect))
            .unwrap_or_default())
    }

    /// One number.
    pub(super) fn number(self, id: WindowId, name: u32) -> Result<Option<u32>, Unavailable> {
        Ok(first(
            reply_unless_vanished(self.property(id, name, 1)?)?.as_ref(),
        ))
    }

    fn property(
        self,
        id: WindowId,
        name: impl Into<u32>,
        max_units: u32,
    ) -> Result<Cookie<'c, Wire, GetPropertyReply>, Unavailable> {
        self.connection
            .wire()
            .get_property(false, id, name.into(), AtomEnum::ANY, 0, max_units)
            .map_err(gone)
    }
}

/// The second of the two strings in `WM_CLASS` (ICCCM 4.1.2.5): the application's; else the first.
fn class_name(value: &[u8]) -> String {
    let mut parts = value.split(|&byte| byte == 0);
    let instance = parts.next().unwrap_or_default();
    let class = parts
        .next()
        .filter(|class| !class.is_empty())
        .unwrap_or(instance);
    String::from_utf8_lossy(class).into_owned()
}

/// Text in one of the two encodings that windows use.
fn text(property: &GetPropertyReply) -> String {
    if property.type_ == u32::from(AtomEnum::STRING) {
        return property.value.iter().copied().map(char::from).collect();
    }
    // Also COMPOUND_TEXT, of which we can read the ASCII in it. Where the property was cut, its
    // last character may have been cut in two.
    let text = String::from_utf8_lossy(&property.value);
    if property.bytes_after > 0 {
        text.trim_end_matches(char::REPLACEMENT_CHARACTER)
            .to_owned()
    } else {
        text.into_owned()
    }
}

fn first(property: Option<&GetPropertyReply>) -> Option<u32> {
    property?.value32()?.next()
}

fn contains(property: &GetPropertyReply, atom: u32) -> bool {
    property
        .value32()
        .is_some_and(|mut atoms| atoms.any(|found| found == atom))
}

#[cfg(test)]
mod tests {
    use super::class_name;

    #[test]
    fn the_application_is_the_class_or_else_the_instance() {
        assert_eq!(class_name(b"xterm\0XTerm\0"), "XTerm");
        assert_eq!(class_name(b"lonely\0"), "lonely");
        assert_eq!(class_name(b"lonely"), "lonely");
        assert_eq!(class_name(b""), "");
    }
}
