//! Says to X whose a window of ours is, to whoever asks: nothing of the agent is hidden.

use x11rb::atom_manager;
use x11rb::properties::WmHints;
use x11rb::protocol::xproto::{Atom, AtomEnum, PropMode};
use x11rb::wrapper::ConnectionExt as _;

use super::connection::{Connection, gone, refused};
use super::properties::WindowId;
use crate::platform::Unavailable;

/// Instance and class, as in `WM_CLASS`.
const CLASS: &[u8] = b"glasshour\0Glasshour\0";

atom_manager! {
    /// What windows are described with.
    pub(super) Atoms: AtomCookies {
        WM_DELETE_WINDOW,
        WM_PROTOCOLS,
        _NET_WM_NAME,
        _NET_WM_PID,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_DIALOG,
        _NET_WM_WINDOW_TYPE_NOTIFICATION,
        UTF8_STRING,
    }
}

impl Atoms {
    /// Asks the server for their numbers.
    pub(super) fn of(connection: &Connection) -> Result<Self, Unavailable> {
        Self::new(connection.wire())
            .map_err(gone)?
            .reply()
            .map_err(refused)
    }
}

/// Names the program, the process and the machine, and the window's kind. None of our windows takes the
/// keyboard.
pub(super) fn introduce(
    connection: &Connection,
    atoms: &Atoms,
    id: WindowId,
    kind: Atom,
) -> Result<(), Unavailable> {
    let wire = connection.wire();
    let text = AtomEnum::STRING;
    wire.change_property8(PropMode::REPLACE, id, AtomEnum::WM_CLASS, text, CLASS)
        .map_err(gone)?;
    wire.change_property32(
        PropMode::REPLACE,
        id,
        atoms._NET_WM_WINDOW_TYPE,
        AtomEnum::ATOM,
        &[kind],
    )
    .map_err(gone)?;
    wire.change_property32(
        PropMode::REPLACE,
        id,
        atoms._NET_WM_PID,
        AtomEnum::CARDINAL,
        &[std::process::id()],
    )
    .map_err(gone)?;
    // EWMH asks for it beside the process.
    let host = rustix::system::uname();
    let host = host.nodename().to_bytes();
    let machine = AtomEnum::WM_CLIENT_MACHINE;
    wire.change_property8(PropMode::REPLACE, id, machine, text, host)
        .map_err(gone)?;
    let hints = WmHints {
        input: Some(false),
        ..WmHints::new()
    };
    hints.set(wire, id).map_err(gone)?;
    Ok(())
}

/// Sets the window's title.
pub(super) fn name(
    connection: &Connection,
    atoms: &Atoms,
    id: WindowId,
    title: &str,
) -> Result<(), Unavailable> {
    connection
        .wire()
        .change_property8(
            PropMode::REPLACE,
            id,
            atoms._NET_WM_NAME,
            atoms.UTF8_STRING,
            title.as_bytes(),
        )
        .map_err(gone)?;
    Ok(())
}
