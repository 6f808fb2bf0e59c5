//! One connection to an X server that never waits for ever.
//!
//! Each source has a connection of its own, so that they do not wait for each other. A server that
//! does not answer within [`PATIENCE`], or is gone, is [`Unavailable::Gone`]: the source is then of
//! no more use, and opening it anew connects anew. Xwayland is refused, because it shows only a part
//! of the desktop.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::Shutdown;
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::Screen;
use x11rb::reexports::x11rb_protocol::parse_display::{
    ConnectAddress, ParsedDisplay, parse_display,
};
use x11rb::reexports::x11rb_protocol::xauth::get_auth;
use x11rb::rust_connection::{DefaultStream, PollMode, RustConnection, Stream};
use x11rb::utils::RawFdContainer;

use crate::platform::Unavailable;

/// How long an X server may take for one answer, or for taking a request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Display 0 is TCP port 6000.
const LARGEST_DISPLAY: u16 = u16::MAX - 6000;

/// The X protocol over [`Patient`].
pub(super) type Wire = RustConnection<Patient>;

/// One connection, and the screen of the display that it is about.
pub(super) struct Connection {
    wire: Wire,
    screen: Screen,
    local: bool,
}

impl Connection {
    /// Connects to a display such as `:0`.
    pub(super) fn open(display: &str) -> Result<Self, Unavailable> {
        Self::open_within(display, PATIENCE)
    }

    fn open_within(display: &str, patience: Duration) -> Result<Self, Unavailable> {
        // x11rb 0.14 adds the number to a TCP port without looking whether there is such a port.
        let parsed = parse_display(Some(display))
            .ok()
            .filter(|p| p.display <= LARGEST_DISPLAY);
        let parsed = parsed.ok_or_else(|| {
            Unavailable::Gone(format!(
                "DISPLAY is \"{display}\", which names no display; it looks like \":0\""
            ))
        })?;
        let (wire, local) = connect(&parsed, patience).map_err(|cause| {
            Unavailable::Gone(format!(
                "the display {display} cannot be reached ({cause}); log in to a graphical session, \
                 or check DISPLAY and XAUTHORITY"
            ))
        })?;
        let screen = wire
            .setup()
            .roots
            .get(usize::from(parsed.screen))
            .cloned()
            .ok_or_else(|| {
                Unavailable::Gone(format!("the display {display} has no such screen"))
            })?;
        let connection = Self {
            wire,
            screen,
            local,
        };
        connection.refuse_xwayland()?;
        Ok(connection)
    }

    /// For requests.
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The screen: its root window, depth and visuals. Its size is that of the time of connecting.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The root window.
    pub(super) fn root(&self) -> u32 {
        self.screen.root
    }

    /// Whether the server shares memory and file descriptors with us.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// The next event that has already come in; does not wait.
    pub(super) fn next_event(&self) -> Result<Option<Event>, Unavailable> {
        self.wire.poll_for_event().map_err(gone)
    }

    /// Waits until something comes in, the connection ends, or the time is over. `None`: for ever.
    ///
    /// Events that are already queued do not count: ask [`next_event`](Self::next_event) first.
    pub(super) fn wait(&self, at_most: Option<Duration>) -> Result<(), Unavailable> {
        match wait_for(self.wire.stream(), PollFlags::IN, at_most) {
            Ok(_) => Ok(()),
            Err(cause) => Err(gone(cause)),
        }
    }

    /// As [`wait`](Self::wait), and also until the other descriptor can be read.
    pub(super) fn wait_also_for(
        &self,
        other: impl AsFd,
        at_most: Option<Duration>,
    ) -> Result<(), Unavailable> {
        let mut either = [
            PollFd::new(self.wire.stream(), PollFlags::IN),
            PollFd::new(&other, PollFlags::IN),
        ];
        wait_for_any(&mut either, at_most).map_err(gone)?;
        Ok(())
    }

    /// Sends what has been asked for so far.
    pub(super) fn flush(&self) -> Result<(), Unavailable> {
        self.wire.flush().map_err(gone)
    }

    /// Ends the connection; another thread that waits on it returns with an error.
    pub(super) fn hang_up(&self) {
        // Fails only where the server has hung up already.
        let _ = rustix::net::shutdown(self.wire.stream(), Shutdown::Both);
    }

    /// Whether the server has the extension.
    pub(super) fn has(&self, extension: &'static str) -> Result<bool, Unavailable> {
        Ok(self
            .wire
            .extension_information(extension)
            .map_err(gone)?
            .is_some())
    }

    fn refuse_xwayland(&self) -> Result<(), Unavailable> {
        // Since 23.1 it says so; before that its monitors are named after it.
        if self.has("XWAYLAND")? || self.first_output()?.starts_with(b"XWAYLAND") {
            return Err(wayland());
        }
        Ok(())
    }

    /// The name of the first plug for a monitor; empty where the server knows of none.
    fn first_output(&self) -> Result<Vec<u8>, Unavailable> {
        if !self.has(randr::X11_EXTENSION_NAME)? {
            return Ok(Vec::new());
        }
        let resources = self.wire.randr_get_screen_resources_current(self.root());
        let resources = reply_unless_vanished(resources.map_err(gone)?)?;
        let Some(&first) = resources.as_ref().and_then(|r| r.outputs.first()) else {
            return Ok(Vec::new());
        };
        let output = self.wire.randr_get_output_info(first, 0).map_err(gone)?;
        Ok(reply_unless_vanished(output)?
            .map(|output| output.name)
            .unwrap_or_default())
    }
}

/// What every source answers in a Wayland session.
pub(super) fn wayland() -> Unavailable {
    Unavailable::Unsupported(
        "screenshots and activity on Wayland are not supported by this version; log in to an X11 \
         session (often called \"Xorg\" on the login screen)"
            .to_owned(),
    )
}

/// The server is gone or does not answer.
pub(super) fn gone(cause: impl fmt::Display) -> Unavailable {
    Unavailable::Gone(format!(
        "the X server does not answer ({cause}); Glasshour tries again when it is back"
    ))
}

/// Sends a request and waits for its reply, where no error of the server is expected.
pub(super) fn reply<R>(
    cookie: Result<x11rb::cookie::Cookie<'_, Wire, R>, ConnectionError>,
) -> Result<R, Unavailable>
where
    R: x11rb::x11_utils::TryParse,
{
    cookie.map_err(gone)?.reply().map_err(refused)
}

/// Waits for a reply about something that may have vanished meanwhile, or that the server may not
/// know: then `None`.
pub(super) fn reply_unless_vanished<R>(
    cookie: x11rb::cookie::Cookie<'_, Wire, R>,
) -> Result<Option<R>, Unavailable>
where
    R: x11rb::x11_utils::TryParse,
{
    match cookie.reply() {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(ReplyError::ConnectionError(cause)) => Err(gone(cause)),
    }
}

/// An unexpected error of the server, or none of it any more.
pub(super) fn refused(error: impl Into<ReplyOrIdError>) -> Unavailable {
    match error.into() {
        ReplyOrIdError::ConnectionError(cause) => gone(cause),
        ReplyOrIdError::IdsExhausted => gone("no identifiers left"),
        ReplyOrIdError::X11Error(error) => Unavailable::Gone(format!(
            "the X server refused {} ({:?}); Glasshour tries again",
            error.request_name.unwrap_or("a request"),
            error.error_kind
        )),
    }
}

fn connect(display: &ParsedDisplay, patience: Duration) -> Result<(Wire, bool), String> {
    let mut failure = "no address".to_owned();
    for address in addresses(display) {
        let local = matches!(address, ConnectAddress::Socket(_));
        match DefaultStream::connect(&address) {
            Ok((stream, (family, host))) => {
                // Without a readable authority file the server may still let us in.
                let (name, data) = get_auth(family, &host, display.display)
                    .ok()
                    .flatten()
                    .unwrap_or_default();
                return Wire::connect_to_stream_with_auth_info(
                    Patient { stream, patience },
                    display.screen.into(),
                    name,
                    data,
                )
                .map(|wire| (wire, local))
                .map_err(|cause| cause.to_string());
            }
            Err(cause) => failure = cause.to_string(),
        }
    }
    Err(failure)
}

/// Where to try. A display may also be the path of a socket, which x11rb 0.14 parses and then takes
/// for display 0.
fn addresses(display: &ParsedDisplay) -> Vec<ConnectAddress<'_>> {
    if display.host.starts_with('/') {
        vec![ConnectAddress::Socket(display.host.clone())]
    } else {
        display.connect_instruction().collect()
    }
}

/// The stream to the server, with an end to its patience.
pub(super) struct Patient {
    stream: DefaultStream,
    patience: Duration,
}

impl AsFd for Patient {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        AsFd::as_fd(&self.stream)
    }
}

impl Stream for Patient {
    fn poll(&self, mode: PollMode) -> io::Result<()> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, mode.readable());
        flags.set(PollFlags::OUT, mode.writable());
        if wait_for(self, flags, Some(self.patience))? {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
        }
    }

    fn read(&self, buffer: &mut [u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.read(buffer, fds)
    }

    fn write(&self, buffer: &[u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.write(buffer, fds)
    }

    fn write_vectored(
        &self,
        buffers: &[io::IoSlice<'_>],
        fds: &mut Vec<RawFdContainer>,
    ) -> io::Result<usize> {
        self.stream.write_vectored(buffers, fds)
    }
}

/// False: the time is over.
fn wait_for(stream: &Patient, flags: PollFlags, at_most: Option<Duration>) -> io::Result<bool> {
    wait_for_any(&mut [PollFd::new(stream, flags)], at_most)
}

/// False: the time is over. A signal may make it wait anew.
fn wait_for_any(waited: &mut [PollFd<'_>], at_most: Option<Duration>) -> io::Result<bool> {
    let at_most = at_most
        .map(Timespec::try_from)
        .transpose()
        .map_err(io::Error::other)?;
    loop {
        match poll(waited, at_most.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_server_that_never_answers_is_gone_in_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("display");
        let _silent = UnixListener::bind(&socket).expect("a socket");
        let display = format!("unix:{}", socket.display());
        match Connection::open_within(&display, Duration::from_millis(50)) {
            Err(Unavailable::Gone(why)) => assert!(why.contains("no answer in time"), "{why}"),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("nothing answers there"),
        }
    }

    #[test]
    fn a_display_that_is_none_is_said_in_words() {
        for (display, says) in [
            ("nonsense", "names no display"),
            (":65000", "names no display"),
            (":59321", "cannot be reached"),
            ("unix:/nonexistent/socket", "names no display"),
        ] {
            match Connection::open(display) {
                Err(Unavailable::Gone(why)) => assert!(why.contains(says), "{why}"),
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("there is no display {display}"),
            }
        }
    }
}
