//! Which windows are on the screen, whose they are and what they are called.
//!
//! By the window manager's lists (EWMH) where there is one, else by what lies directly on the root
//! window. Menus and other popups that bypass the window manager are listed too, under the name of
//! the window they belong to: a mask over an application must cover its menus. Left out: unmapped,
//! minimized, and on another desktop.

use std::collections::HashMap;

use glasshour_protocol::limits::{MAX_APPLICATION_CHARS, MAX_TITLE_CHARS};
use x11rb::atom_manager;
use x11rb::cookie::Cookie;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, GetGeometryReply, GetPropertyReply, GetWindowAttributesReply,
    MapState, WindowClass,
};

use super::connection::{Connection, Wire, gone, refused, reply, reply_unless_vanished};
use crate::platform::text::clean;
use crate::platform::{Rect, Unavailable, Window};

/// How many windows deep a client may sit in its decoration.
const MAX_DEPTH: usize = 8;
/// Most windows searched for the client in a decoration that no list names.
const MAX_SEARCHED: usize = 64;
/// Longest list read from a property, in 32-bit units: windows, states, types.
const MAX_LIST: u32 = 4096;
/// The window is on all desktops.
const ALL_DESKTOPS: u32 = u32::MAX;

/// X identifies windows by number.
pub(super) type WindowId = u32;

atom_manager! {
    /// The names that are read.
    pub(super) Atoms: AtomCookies {
        UTF8_STRING,
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

/// Reads windows over a connection, with the server's numbers for the names above.
#[derive(Clone, Copy)]
pub(super) struct Windows<'c> {
    connection: &'c Connection,
    atoms: &'c Atoms,
}

/// What a window says of itself.
struct Description {
    application: String,
    title: String,
    owner: Option<WindowId>,
    leader: Option<WindowId>,
    is_desktop: bool,
    is_hidden: bool,
    desktop: Option<u32>,
}

/// A window that lies directly on the root and can be seen.
struct TopLevel {
    id: WindowId,
    area: Rect,
}

/// Asks the server for its numbers, once for each connection.
pub(super) fn atoms(connection: &Connection) -> Result<Atoms, Unavailable> {
    Atoms::new(connection.wire())
        .map_err(gone)?
        .reply()
        .map_err(refused)
}

impl<'c> Windows<'c> {
    pub(super) fn new(connection: &'c Connection, atoms: &'c Atoms) -> Self {
        Self { connection, atoms }
    }

    /// Every window that can be seen, lowest first.
    pub(super) fn visible(self) -> Result<Vec<Window>, Unavailable> {
        let active = self.active()?;
        let current_desktop =
            self.number(self.connection.root(), self.atoms._NET_CURRENT_DESKTOP)?;
        let mut clients = self.clients_by_top_level()?;
        let mut visible = Vec::new();
        for top in top_levels(self.connection)? {
            let listed = clients.remove(&top.id).unwrap_or_default();
            let ids = if listed.is_empty() {
                vec![self.client_within(top.id)?]
            } else {
                listed
            };
            for id in ids {
                let Some(description) = self.describe(id)? else {
                    continue;
                };
                let elsewhere = matches!(
                    (description.desktop, current_desktop),
                    (Some(its), Some(current)) if its != current && its != ALL_DESKTOPS
                );
                if description.is_hidden || elsewhere {
                    continue;
                }
                let (application, title) = self.names(description)?;
                visible.push(Window {
                    application,
                    title,
                    area: top.area,
                    active: active == Some(id),
                });
            }
        }
        Ok(visible)
    }

    /// The window with the focus; `None`: nothing, or something that is no window of a program.
    pub(super) fn active(self) -> Result<Option<WindowId>, Unavailable> {
        let root = self.connection.root();
        if self.is_managed()? {
            let active = self.number(root, self.atoms._NET_ACTIVE_WINDOW)?;
            return Ok(active.filter(|&id| id != 0));
        }
        // No window manager that tells: the keyboard focus, which may lie deep within a window.
        let focus = reply(self.connection.wire().get_input_focus())?.focus;
        if focus <= 1 || focus == root {
            return Ok(None);
        }
        match top_level_of(self.connection, focus)? {
            Some(top) => Ok(Some(self.client_within(top)?)),
            None => Ok(None),
        }
    }

    /// Whether a window manager lives and tells (EWMH: `_NET_SUPPORTING_WM_CHECK` is answered by
    /// the window that it names, which dies with the window manager).
    fn is_managed(self) -> Result<bool, Unavailable> {
        let name = self.atoms._NET_SUPPORTING_WM_CHECK;
        match self.number(self.connection.root(), name)? {
            Some(manager) => Ok(self.number(manager, name)? == Some(manager)),
            None => Ok(false),
        }
    }

    /// One window in full; `None`: it has gone, or is the desktop itself.
    pub(super) fn window(self, id: WindowId) -> Result<Option<Window>, Unavailable> {
        let Some(description) = self.describe(id)? else {
            return Ok(None);
        };
        let Some(top) = top_level_of(self.connection, id)? else {
            return Ok(None);
        };
        let geometry = self.connection.wire().get_geometry(top).map_err(gone)?;
        let Some(geometry) = reply_unless_vanished(geometry)? else {
            return Ok(None);
        };
        if description.is_desktop {
            return Ok(None);
        }
        let (application, title) = self.names(description)?;
        Ok(Some(Window {
            application,
            title,
            area: area_of(&geometry),
            active: true,
        }))
    }

    /// The window manager's list of clients, by the top-level window that each sits in.
    fn clients_by_top_level(self) -> Result<HashMap<WindowId, Vec<WindowId>>, Unavailable> {
        let root = self.connection.root();
        let mut clients = self.numbers(root, self.atoms._NET_CLIENT_LIST_STACKING)?;
        if clients.is_empty() {
            clients = self.numbers(root, self.atoms._NET_CLIENT_LIST)?;
        }
        let mut by_top_level: HashMap<_, Vec<_>> = HashMap::new();
        for client in clients {
            let attributes = self
                .connection
                .wire()
                .get_window_attributes(client)
                .map_err(gone)?;
            let is_mapped = reply_unless_vanished(attributes)?
                .is_some_and(|attributes| attributes.map_state == MapState::VIEWABLE);
            if is_mapped && let Some(top) = top_level_of(self.connection, client)? {
                by_top_level.entry(top).or_default().push(client);
            }
        }
        Ok(by_top_level)
    }

    /// The window of a program within a top-level window that no list names: the first that a window
    /// manager has marked (ICCCM 4.1.3.1), or else the top-level window itself.
    fn client_within(self, top: WindowId) -> Result<WindowId, Unavailable> {
        let mut searched = vec![top];
        let mut next = 0;
        while let Some(&id) = searched.get(next) {
            next += 1;
            let marked = self.property(id, self.atoms.WM_STATE, 1)?;
            let children = self.connection.wire().query_tree(id).map_err(gone)?;
            if reply_unless_vanished(marked)?.is_some_and(|property| property.type_ != 0) {
                return Ok(id);
            }
            if let Some(tree) = reply_unless_vanished(children)? {
                let room = MAX_SEARCHED.saturating_sub(searched.len());
                searched.extend(tree.children.iter().take(room));
            }
        }
        Ok(top)
    }

    /// Asks a window for everything at once; `None`: it has gone.
    fn describe(self, id: WindowId) -> Result<Option<Description>, Unavailable> {
        let atoms = self.atoms;
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

        let title = Some(text(&utf8_name)).filter(|title| !title.is_empty());
        let title = title.unwrap_or_else(|| text(&name));
        Ok(Some(Description {
            application: clean(&class_name(&class.value), MAX_APPLICATION_CHARS),
            title: clean(&title, MAX_TITLE_CHARS),
            owner: first(owner.as_ref())
                .filter(|&owner| owner != id && owner != self.connection.root()),
            leader: first(leader.as_ref()).filter(|&leader| leader != id),
            is_desktop: contains(&kinds, atoms._NET_WM_WINDOW_TYPE_DESKTOP),
            is_hidden: contains(&states, atoms._NET_WM_STATE_HIDDEN),
            desktop: first(desktop.as_ref()),
        }))
    }

    /// Application and title; what the window does not say, the window it belongs to may.
    fn names(self, description: Description) -> Result<(String, String), Unavailable> {
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

    fn numbers(self, id: WindowId, name: u32) -> Result<Vec<u32>, Unavailable> {
        let property = reply_unless_vanished(self.property(id, name, MAX_LIST)?)?;
        Ok(property
            .and_then(|p| p.value32().map(Iterator::collect))
            .unwrap_or_default())
    }

    fn number(self, id: WindowId, name: u32) -> Result<Option<u32>, Unavailable> {
        Ok(first(
            reply_unless_vanished(self.property(id, name, 1)?)?.as_ref(),
        ))
    }
}

/// What lies directly on the root window and can be seen, lowest first.
fn top_levels(connection: &Connection) -> Result<Vec<TopLevel>, Unavailable> {
    let wire = connection.wire();
    let screen = area_of(&reply(wire.get_geometry(connection.root()))?);
    let children = reply(wire.query_tree(connection.root()))?.children;
    let mut asked = Vec::with_capacity(children.len());
    for id in children {
        let attributes = wire.get_window_attributes(id).map_err(gone)?;
        asked.push((id, attributes, wire.get_geometry(id).map_err(gone)?));
    }
    let mut visible = Vec::new();
    for (id, attributes, geometry) in asked {
        let attributes = reply_unless_vanished(attributes)?;
        let geometry = reply_unless_vanished(geometry)?;
        if let (Some(attributes), Some(geometry)) = (attributes, geometry)
            && can_be_seen(&attributes)
        {
            let area = area_of(&geometry);
            if area.overlaps(screen) {
                visible.push(TopLevel { id, area });
            }
        }
    }
    Ok(visible)
}

/// The ancestor that lies directly on the root window; `None`: the window has gone.
fn top_level_of(connection: &Connection, id: WindowId) -> Result<Option<WindowId>, Unavailable> {
    let mut id = id;
    for _ in 0..MAX_DEPTH {
        let tree = connection.wire().query_tree(id).map_err(gone)?;
        match reply_unless_vanished(tree)? {
            Some(tree) if tree.parent == connection.root() => return Ok(Some(id)),
            Some(tree) if tree.parent != 0 => id = tree.parent,
            Some(_) | None => return Ok(None),
        }
    }
    Ok(None)
}

fn can_be_seen(attributes: &GetWindowAttributesReply) -> bool {
    attributes.map_state == MapState::VIEWABLE && attributes.class != WindowClass::INPUT_ONLY
}

/// A top-level window's place, border included.
fn area_of(geometry: &GetGeometryReply) -> Rect {
    let borders = 2 * u32::from(geometry.border_width);
    Rect {
        x: geometry.x.into(),
        y: geometry.y.into(),
        width: u32::from(geometry.width) + borders,
        height: u32::from(geometry.height) + borders,
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
