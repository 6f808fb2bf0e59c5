//! Pictures of the monitors, and the windows on them.
//!
//! Shared memory where the server is on this machine (1920x1080 in a few milliseconds), else strips
//! over the wire. Monitors are asked for anew each time, because they come and go. Without `RandR` the
//! whole root window is one monitor.

use glasshour_license_format::{Permit, Screenshots};
use x11rb::connection::Connection as _;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use super::connection::{Connection, gone, reply, reply_unless_vanished};
use super::pixels::PixelFormat;
use super::properties::{self, Atoms};
use super::shared_memory::SharedMemory;
use super::windows::Windows;
use crate::platform::text::clean;
use crate::platform::{Frame, Monitor, Rect, Screens, Unavailable, Window};

/// How much is read at once: stays in the processor's cache, and bounds a reply over the wire.
const STRIP_BYTES: usize = 256 * 1024;
/// All colour planes.
const ALL_PLANES: u32 = u32::MAX;
/// Longest name of a monitor that is kept, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The screens of one X display.
pub(super) struct X11Screens {
    connection: Connection,
    format: PixelFormat,
    has_monitors: bool,
    atoms: Atoms,
    source: Source,
}

/// Where pixels come from.
enum Source {
    /// Over the wire.
    Wire,
    /// Through shared memory, made at the first picture.
    Shared(Option<SharedMemory>),
}

/// A rectangle that lies within the root window.
#[derive(Clone, Copy)]
struct Area {
    x: i16,
    y: i16,
    width: u16,
    height: u16,
}

impl X11Screens {
    pub(super) fn open(display: &str, _permit: &Permit<Screenshots>) -> Result<Self, Unavailable> {
        let connection = Connection::open(display)?;
        let format = PixelFormat::of(connection.wire().setup(), connection.screen())?;
        let source = if SharedMemory::is_supported(&connection)? {
            Source::Shared(None)
        } else {
            Source::Wire
        };
        let has_monitors = has_monitors(&connection)?;
        let atoms = properties::atoms(&connection)?;
        Ok(Self {
            connection,
            format,
            has_monitors,
            atoms,
            source,
        })
    }

    /// The monitor's place, if it still lies on the screen.
    fn locate(&self, monitor: &Monitor) -> Result<Area, Unavailable> {
        let root = reply(self.connection.wire().get_geometry(self.connection.root()))?;
        let Rect {
            x,
            y,
            width,
            height,
        } = monitor.area;
        let inside = width > 0
            && height > 0
            && i64::from(x) + i64::from(width) <= i64::from(root.width)
            && i64::from(y) + i64::from(height) <= i64::from(root.height);
        let area = || {
            Some(Area {
                x: u16::try_from(x).ok()?.try_into().ok()?,
                y: u16::try_from(y).ok()?.try_into().ok()?,
                width: width.try_into().ok()?,
                height: height.try_into().ok()?,
            })
        };
        area()
            .filter(|_| inside)
            .ok_or_else(|| no_longer_there(monitor))
    }

    /// Sees to shared memory that is large enough, or does without.
    fn prepare(&mut self, bytes: usize) -> Result<(), Unavailable> {
        let Source::Shared(memory) = &mut self.source else {
            return Ok(());
        };
        if memory
            .as_ref()
            .is_some_and(|memory| memory.bytes() >= bytes)
        {
            return Ok(());
        }
        if let Some(too_small) = memory.take() {
            too_small.detach(&self.connection)?;
        }
        self.source = match SharedMemory::new(&self.connection, bytes) {
            Ok(memory) => Source::Shared(Some(memory)),
            Err(cause) => {
                tracing::info!(%cause, "pictures go over the wire, which is slower");
                Source::Wire
            }
        };
        Ok(())
    }

    /// Reads the area through shared memory; `None`: it has changed meanwhile.
    fn grab_shared(
        &self,
        memory: &SharedMemory,
        area: Area,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let request = self.connection.wire().shm_get_image(
            self.connection.root(),
            area.x,
            area.y,
            area.width,
            area.height,
            ALL_PLANES,
            ImageFormat::Z_PIXMAP.into(),
            memory.segment(),
            0,
        );
        if reply_unless_vanished(request.map_err(gone)?)?.is_none() {
            return Ok(None);
        }
        let mut offset = 0;
        let rgba = self.convert(area, |_, _, strip| {
            memory.read(strip, offset)?;
            offset += strip.len() as u64;
            Ok(true)
        });
        memory.clear();
        rgba
    }

    /// Reads the area over the wire; `None`: it has changed meanwhile.
    fn grab_wire(&self, area: Area) -> Result<Option<Vec<u8>>, Unavailable> {
        self.convert(area, |row, rows, strip| {
            let request = self.connection.wire().get_image(
                ImageFormat::Z_PIXMAP,
                self.connection.root(),
                area.x,
                area.y.saturating_add_unsigned(row),
                area.width,
                rows,
                ALL_PLANES,
            );
            let Some(image) = reply_unless_vanished(request.map_err(gone)?)? else {
                return Ok(false);
            };
            *strip = image.data;
            Ok(true)
        })
    }

    /// Converts the area strip by strip. `read` is given the first row, how many rows, and a buffer
    /// of their size to fill; it tells whether they are still there.
    fn convert(
        &self,
        area: Area,
        mut read: impl FnMut(u16, u16, &mut Vec<u8>) -> Result<bool, Unavailable>,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let row_bytes = self.format.row_bytes(area.width);
        let rgba_row_bytes = usize::from(area.width) * 4;
        let rows_at_once = u16::try_from(STRIP_BYTES / row_bytes)
            .unwrap_or(u16::MAX)
            .max(1);
        let mut rgba = vec![0; rgba_row_bytes * usize::from(area.height)];
        let mut rows = rgba.chunks_exact_mut(rgba_row_bytes);
        let mut strip = Vec::new();
        for row in (0..area.height).step_by(rows_at_once.into()) {
            let count = rows_at_once.min(area.height - row);
            strip.resize(usize::from(count) * row_bytes, 0);
            if !read(row, count, &mut strip)? {
                return Ok(None);
            }
            if strip.len() < usize::from(count) * row_bytes {
                return Err(gone("a picture is shorter than agreed"));
            }
            for (raw, rgba) in strip
                .chunks_exact(row_bytes)
                .zip(rows.by_ref().take(count.into()))
            {
                self.format.convert_row(raw, rgba);
            }
        }
        Ok(Some(rgba))
    }
}

impl Screens for X11Screens {
    fn monitors(&mut self) -> Result<Vec<Monitor>, Unavailable> {
        monitors(&self.connection, self.has_monitors)
    }

    fn grab(&mut self, monitor: &Monitor) -> Result<Frame, Unavailable> {
        let area = self.locate(monitor)?;
        self.prepare(self.format.row_bytes(area.width) * usize::from(area.height))?;
        let rgba = match &self.source {
            Source::Shared(Some(memory)) => self.grab_shared(memory, area),
            Source::Shared(None) | Source::Wire => self.grab_wire(area),
        };
        Ok(Frame {
            width: area.width.into(),
            height: area.height.into(),
            rgba: rgba?.ok_or_else(|| no_longer_there(monitor))?,
        })
    }

    fn windows(&mut self) -> Result<Vec<Window>, Unavailable> {
        Windows::new(&self.connection, &self.atoms).visible()
    }
}

/// The monitors as they are now. `has_monitors`: what [`has_monitors`] has told.
pub(super) fn monitors(
    connection: &Connection,
    has_monitors: bool,
) -> Result<Vec<Monitor>, Unavailable> {
    let wire = connection.wire();
    if !has_monitors {
        let root = reply(wire.get_geometry(connection.root()))?;
        return Ok(vec![Monitor {
            name: "screen".to_owned(),
            area: Rect {
                x: 0,
                y: 0,
                width: root.width.into(),
                height: root.height.into(),
            },
            primary: true,
        }]);
    }
    let found = reply(wire.randr_get_monitors(connection.root(), true))?.monitors;
    let names = found
        .iter()
        .map(|monitor| wire.get_atom_name(monitor.name).map_err(gone))
        .collect::<Result<Vec<_>, _>>()?;
    let mut monitors = Vec::with_capacity(found.len());
    for (monitor, name) in found.iter().zip(names) {
        let name = reply_unless_vanished(name)?
            .map(|reply| reply.name)
            .unwrap_or_default();
        monitors.push(Monitor {
            name: clean(&String::from_utf8_lossy(&name), MAX_NAME_CHARS),
            area: Rect {
                x: monitor.x.into(),
                y: monitor.y.into(),
                width: monitor.width.into(),
                height: monitor.height.into(),
            },
            primary: monitor.primary,
        });
    }
    monitors.retain(|monitor| monitor.area.width > 0 && monitor.area.height > 0);
    Ok(monitors)
}

/// The main monitor; without any, the whole screen.
pub(super) fn main_monitor(
    connection: &Connection,
    has_monitors: bool,
) -> Result<Rect, Unavailable> {
    let mut found = monitors(connection, has_monitors)?;
    found.sort_by_key(|monitor| !monitor.primary);
    if let Some(monitor) = found.first() {
        return Ok(monitor.area);
    }
    let root = reply(connection.wire().get_geometry(connection.root()))?;
    Ok(Rect {
        x: 0,
        y: 0,
        width: root.width.into(),
        height: root.height.into(),
    })
}

/// Whether the server knows `RandR` monitors (1.5, from 2015).
pub(super) fn has_monitors(connection: &Connection) -> Result<bool, Unavailable> {
    if !connection.has(randr::X11_EXTENSION_NAME)? {
        return Ok(false);
    }
    let version = reply(connection.wire().randr_query_version(1, 5))?;
    Ok((version.major_version, version.minor_version) >= (1, 5))
}

fn no_longer_there(monitor: &Monitor) -> Unavailable {
    Unavailable::Gone(format!(
        "the monitor {} was unplugged or changed its size; the next picture shows what is there then",
        monitor.name
    ))
}
