//! Pictures of the monitors, by `screenshots` (xcap), in the pixels that the monitors have.
//!
//! A picture whose size is not its monitor's is refused: masks would lie beside what they cover.

use glasshour_license_format::{Permit, Screenshots};
use screenshots::{Monitor as Source, XCapError};

use crate::platform::text::clean;
use crate::platform::{Frame, Monitor, Rect, Screens, Unavailable, Window};

/// Longest name of a monitor that is kept, in characters.
const MAX_NAME_CHARS: usize = 64;

/// The screens of this session.
pub(super) struct WindowsScreens;

impl WindowsScreens {
    pub(super) fn open(_permit: &Permit<Screenshots>) -> Self {
        Self
    }
}

impl Screens for WindowsScreens {
    fn monitors(&mut self) -> Result<Vec<Monitor>, Unavailable> {
        sources()?.iter().map(describe).collect()
    }

    fn grab(&mut self, monitor: &Monitor) -> Result<Frame, Unavailable> {
        for source in sources()? {
            // Plugged in anew it has the name of before, perhaps in another place.
            if describe(&source)? == *monitor {
                let image = source.capture_image().map_err(|cause| gone(&cause))?;
                return frame(monitor, image.width(), image.height(), image.into_raw());
            }
        }
        Err(no_longer_there(monitor))
    }

    fn windows(&mut self) -> Result<Vec<Window>, Unavailable> {
        super::windows::visible()
    }
}

fn frame(
    monitor: &Monitor,
    width: u32,
    height: u32,
    mut rgba: Vec<u8>,
) -> Result<Frame, Unavailable> {
    if (width, height) != (monitor.area.width, monitor.area.height) {
        return Err(no_longer_there(monitor));
    }
    // A screen has no alpha, and GDI leaves anything in its place.
    for pixel in rgba.as_chunks_mut::<4>().0 {
        pixel[3] = u8::MAX;
    }
    Ok(Frame {
        width,
        height,
        rgba,
    })
}

fn sources() -> Result<Vec<Source>, Unavailable> {
    let sources = Source::all().map_err(|cause| gone(&cause))?;
    if sources.is_empty() {
        return Err(gone(&"no monitor"));
    }
    Ok(sources)
}

fn describe(source: &Source) -> Result<Monitor, Unavailable> {
    let read = || -> Result<Monitor, XCapError> {
        Ok(Monitor {
            // `\\.\DISPLAY1`
            name: clean(source.name()?.trim_start_matches(r"\\.\"), MAX_NAME_CHARS),
            area: Rect {
                x: source.x()?,
                y: source.y()?,
                width: source.width()?,
                height: source.height()?,
            },
            primary: source.is_primary()?,
        })
    };
    read().map_err(|cause| gone(&cause))
}

/// On the lock screen, and while another user is at the computer, there is nothing of ours to see.
fn gone(cause: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Gone(format!(
        "Windows gives no picture of the screen at present ({cause}); it does again once you are \
         back at this session's screen"
    ))
}

fn no_longer_there(monitor: &Monitor) -> Unavailable {
    Unavailable::Gone(format!(
        "the monitor {} was unplugged or changed its size; the next picture shows what is there then",
        monitor.name
    ))
}
