//! Which windows are on the screen, whose they are and what they are called.
//!
//! By the window manager's lists (EWMH) where there is one, else by what lies directly on the root
//! window. Menus and other popups that bypass the window manager are listed too, under the name of
//! the window they belong to, or where they do not tell that, of the program that made them: a mask
//! over an application must cover its menus. Left out: unmapped, minimized, and on another desktop.

use std::collections::HashMap;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, GetGeometryReply, GetWindowAttributesReply, MapState, WindowClass,
};

use super::connection::{Connection, gone, reply, reply_unless_vanished};
use super::properties::{Atoms, Properties, WindowId};
use crate::platform::{Rect, Unavailable, Window};

/// How many windows deep a client may sit in its decoration.
const MAX_DEPTH: usize = 8;
/// Most windows searched for the client in a decoration that no list names.
const MAX_SEARCHED: usize = 64;
/// The window is on all desktops.
const ALL_DESKTOPS: u32 = u32::MAX;

/// Reads windows over a connection.
#[derive(Clone, Copy)]
pub(super) struct Windows<'c> {
    connection: &'c Connection,
    atoms: &'c Atoms,
    properties: Properties<'c>,
}

/// A window that lies directly on the root and can be seen.
pub(super) struct TopLevel {
    pub(super) id: WindowId,
    /// Its place, border included.
    pub(super) area: Rect,
}

impl<'c> Windows<'c> {
    pub(super) fn new(connection: &'c Connection, atoms: &'c Atoms) -> Self {
        Self {
            connection,
            atoms,
            properties: Properties::new(connection, atoms),
        }
    }

    /// Every window that can be seen, lowest first.
    pub(super) fn visible(self) -> Result<Vec<Window>, Unavailable> {
        let active = self.active()?;
        let current_desktop = self
            .properties
            .number(self.connection.root(), self.atoms._NET_CURRENT_DESKTOP)?;
        let mut clients = self.clients_by_top_level()?;
        let mut visible = Vec::new();
        let mut makers = Vec::new();
        for top in top_levels(self.connection)? {
            let listed = clients.remove(&top.id).unwrap_or_default();
            let ids = if listed.is_empty() {
                vec![self.client_within(top.id)?]
            } else {
                listed
            };
            for id in ids {
                let Some(description) = self.properties.describe(id)? else {
                    continue;
                };
                let elsewhere = matches!(
                    (description.desktop, current_desktop),
                    (Some(its), Some(current)) if its != current && its != ALL_DESKTOPS
                );
                if description.is_hidden || elsewhere {
                    continue;
                }
                let (application, title) = self.properties.names(description)?;
                makers.push(self.maker(id));
                visible.push(Window {
                    id: u64::from(id),
                    application,
                    title,
                    area: top.area,
                    active: active == Some(id),
                });
            }
        }
        name_after_makers(&mut visible, &makers);
        Ok(visible)
    }

    /// The connection that made a window: the server gives each a range of identifiers (X protocol,
    /// "Connection Setup").
    fn maker(self, id: WindowId) -> u32 {
        id & !self.connection.wire().setup().resource_id_mask
    }

    /// The window with the focus; `None`: nothing, or something that is no window of a program.
    pub(super) fn active(self) -> Result<Option<WindowId>, Unavailable> {
        let root = self.connection.root();
        if self.is_managed()? {
            let active = self
                .properties
                .number(root, self.atoms._NET_ACTIVE_WINDOW)?;
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
    pub(super) fn is_managed(self) -> Result<bool, Unavailable> {
        let name = self.atoms._NET_SUPPORTING_WM_CHECK;
        match self.properties.number(self.connection.root(), name)? {
            Some(manager) => Ok(self.properties.number(manager, name)? == Some(manager)),
            None => Ok(false),
        }
    }

    /// One window in full; `None`: it has gone, or is the desktop itself.
    pub(super) fn window(self, id: WindowId) -> Result<Option<Window>, Unavailable> {
        let description = self.properties.describe(id)?;
        let Some(description) = description.filter(|description| !description.is_desktop) else {
            return Ok(None);
        };
        let Some(top) = top_level_of(self.connection, id)? else {
            return Ok(None);
        };
        let geometry = self.connection.wire().get_geometry(top).map_err(gone)?;
        let Some(geometry) = reply_unless_vanished(geometry)? else {
            return Ok(None);
        };
        let (application, title) = self.properties.names(description)?;
        Ok(Some(Window {
            id: u64::from(id),
            application,
            title,
            area: area_of(&geometry),
            active: true,
        }))
    }

    /// The window manager's list of clients, by the top-level window that each sits in.
    fn clients_by_top_level(self) -> Result<HashMap<WindowId, Vec<WindowId>>, Unavailable> {
        let root = self.connection.root();
        let mut clients = self
            .properties
            .numbers(root, self.atoms._NET_CLIENT_LIST_STACKING)?;
        if clients.is_empty() {
            clients = self.properties.numbers(root, self.atoms._NET_CLIENT_LIST)?;
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
            if self.properties.has(id, self.atoms.WM_STATE)? {
                return Ok(id);
            }
            let children = self.connection.wire().query_tree(id).map_err(gone)?;
            if let Some(tree) = reply_unless_vanished(children)? {
                let room = MAX_SEARCHED.saturating_sub(searched.len());
                searched.extend(tree.children.iter().take(room));
            }
        }
        Ok(top)
    }
}

/// Gives windows that bear no application's name that of another window of the same maker.
fn name_after_makers(windows: &mut [Window], makers: &[u32]) {
    let named: HashMap<u32, String> = makers
        .iter()
        .zip(windows.iter())
        .filter(|(_, window)| !window.application.is_empty())
        .map(|(&maker, window)| (maker, window.application.clone()))
        .collect();
    for (maker, window) in makers.iter().zip(windows) {
        if window.application.is_empty()
            && let Some(name) = named.get(maker)
        {
            window.application.clone_from(name);
        }
    }
}

/// What lies directly on the root window and can be seen, lowest first.
pub(super) fn top_levels(connection: &Connection) -> Result<Vec<TopLevel>, Unavailable> {
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
