//! Which window has the focus, and waiting until that changes.
//!
//! Waits for the window manager's word (EWMH) on the root window, and for a new title of the active
//! window; nothing is polled. Without such a window manager the focus can be read but not waited
//! for. A program that changes its title all the time is told of at most ten times a second.

use std::time::Duration;

use glasshour_license_format::{Activity, Permit};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, PropertyNotifyEvent,
};

use super::clock::monotonic;
use super::connection::{Connection, gone};
use super::properties::{self, Atoms, WindowId};
use super::windows::Windows;
use crate::platform::{Foreground, Unavailable, Window, permits_foreground};

/// Shortest time between two changes that are told.
const SETTLE: Duration = Duration::from_millis(100);
/// How long is waited where no window manager tells of changes.
const UNTOLD: Duration = Duration::from_secs(1);

/// The foreground of one X display.
pub(super) struct X11Foreground {
    connection: Connection,
    atoms: Atoms,
    /// The active window whose title is watched.
    watched: Option<WindowId>,
    /// When the next change may be told, by the monotonic clock.
    quiet_until: Duration,
    /// Whether a window manager tells of changes.
    is_told: bool,
}

impl X11Foreground {
    pub(super) fn open(display: &str, permit: &Permit<Activity>) -> Result<Self, Unavailable> {
        permits_foreground(permit)?;
        let connection = Connection::open(display)?;
        let atoms = properties::atoms(&connection)?;
        listen(&connection, connection.root(), EventMask::PROPERTY_CHANGE)?;
        Ok(Self {
            connection,
            atoms,
            watched: None,
            quiet_until: Duration::ZERO,
            is_told: false,
        })
    }

    /// Watches the title of this window instead of the last one's.
    fn watch(&mut self, id: Option<WindowId>) -> Result<(), Unavailable> {
        if self.watched == id {
            return Ok(());
        }
        if let Some(last) = self.watched.take() {
            listen(&self.connection, last, EventMask::NO_EVENT)?;
        }
        if let Some(id) = id {
            listen(&self.connection, id, EventMask::PROPERTY_CHANGE)?;
        }
        self.watched = id;
        Ok(())
    }

    /// Reads what has come in; tells whether any of it is about the foreground.
    fn drain(&self) -> Result<bool, Unavailable> {
        let mut changed = false;
        while let Some(event) = self.connection.next_event()? {
            changed |= matches!(event, Event::PropertyNotify(event) if self.is_about_us(event));
        }
        Ok(changed)
    }

    fn is_about_us(&self, event: PropertyNotifyEvent) -> bool {
        if event.window == self.connection.root() {
            event.atom == self.atoms._NET_ACTIVE_WINDOW
        } else {
            event.atom == self.atoms._NET_WM_NAME || event.atom == u32::from(AtomEnum::WM_NAME)
        }
    }
}

impl Foreground for X11Foreground {
    fn active(&mut self) -> Result<Option<Window>, Unavailable> {
        let windows = Windows::new(&self.connection, &self.atoms);
        self.is_told = windows.is_managed()?;
        let id = windows.active()?;
        // First listen, then read: a title that changes in between is told by the next `wait`.
        self.watch(id)?;
        match id {
            Some(id) => Windows::new(&self.connection, &self.atoms).window(id),
            None => Ok(None),
        }
    }

    fn wait(&mut self, at_most: Duration) -> Result<bool, Unavailable> {
        let at_most = if self.is_told {
            at_most
        } else {
            at_most.min(UNTOLD)
        };
        let end = monotonic() + at_most;
        loop {
            let changed = self.drain()?;
            let now = monotonic();
            if changed {
                std::thread::sleep(self.quiet_until.min(end).saturating_sub(now));
                self.drain()?;
            } else if now < end {
                self.connection.wait(Some(end.saturating_sub(now)))?;
                continue;
            }
            self.quiet_until = monotonic() + SETTLE;
            return Ok(changed || !self.is_told);
        }
    }
}

/// Says which events of a window we want. The window may have gone: then there will be none.
fn listen(connection: &Connection, id: WindowId, events: EventMask) -> Result<(), Unavailable> {
    let wanted = ChangeWindowAttributesAux::new().event_mask(events);
    let wire = connection.wire();
    wire.change_window_attributes(id, &wanted)
        .map_err(gone)?
        .ignore_error();
    wire.flush().map_err(gone)
}
