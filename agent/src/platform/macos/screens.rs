//! Pictures of the monitors, by `screenshots` (xcap), in points: a monitor of a finer kind is averaged down
//! to them, so that masks lie where the windows are.
//!
//! macOS asks the person once whether this program may record the screen; until then there is no picture,
//! rather than one of the desktop without its windows.

use glasshour_license_format::{Permit, Screenshots};
use objc2_core_graphics::{CGPreflightScreenCaptureAccess, CGRequestScreenCaptureAccess};
use screenshots::{Monitor as Source, XCapError};

use crate::platform::{Frame, Monitor, Rect, Screens, Unavailable, Window};

/// The screens of this session.
pub(super) struct MacScreens;

impl MacScreens {
    pub(super) fn open(_permit: &Permit<Screenshots>) -> Result<Self, Unavailable> {
        if !CGPreflightScreenCaptureAccess() {
            // Asks the person, the first time; what they answer counts from the next start on.
            CGRequestScreenCaptureAccess();
            return Err(Unavailable::Denied(
                "macOS does not let Glasshour record the screen; allow it in System Settings, Privacy & \
                 Security, Screen Recording, and start Glasshour again"
                    .to_owned(),
            ));
        }
        Ok(Self)
    }
}

impl Screens for MacScreens {
    fn monitors(&mut self) -> Result<Vec<Monitor>, Unavailable> {
        let found: Result<Vec<_>, _> = sources()?.iter().map(describe).collect();
        found
    }

    fn grab(&mut self, monitor: &Monitor) -> Result<Frame, Unavailable> {
        for source in sources()? {
            if describe(&source)? == *monitor {
                let image = source.capture_image().map_err(|cause| gone(&cause))?;
                let (width, height) = (image.width(), image.height());
                return to_points(monitor, width, height, &image.into_raw())
                    .ok_or_else(|| no_longer_there(monitor));
            }
        }
        Err(no_longer_there(monitor))
    }

    fn windows(&mut self) -> Result<Vec<Window>, Unavailable> {
        super::windows::visible(super::foreground::front_process())
    }
}

/// Averages squares of pixels to one; `None`: it does not go into the monitor's size.
fn to_points(monitor: &Monitor, width: u32, height: u32, pixels: &[u8]) -> Option<Frame> {
    let area = monitor.area;
    let scale = width.checked_div(area.width)?;
    if scale == 0 || (area.width * scale, area.height * scale) != (width, height) {
        return None;
    }
    let side = scale as usize;
    let row = width as usize * 4;
    let mut rgba = Vec::with_capacity(area.width as usize * area.height as usize * 4);
    for band in pixels.chunks_exact(row * side) {
        for left in (0..row).step_by(side * 4) {
            for channel in 0..3 {
                let mut sum = 0;
                for line in band.chunks_exact(row) {
                    let square = line.get(left..left + side * 4)?;
                    sum += square
                        .chunks_exact(4)
                        .filter_map(|pixel| pixel.get(channel))
                        .map(|value| u32::from(*value))
                        .sum::<u32>();
                }
                rgba.push(u8::try_from(sum / (scale * scale)).unwrap_or(u8::MAX));
            }
            rgba.push(u8::MAX);
        }
    }
    Some(Frame {
        width: area.width,
        height: area.height,
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
            // Names are of a model, and there may be two of it.
            name: format!("display-{}", source.id()?),
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

fn gone(cause: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Gone(format!(
        "macOS gives no picture of the screen at present ({cause}); it does again once you are back at \
         this session's screen"
    ))
}

fn no_longer_there(monitor: &Monitor) -> Unavailable {
    Unavailable::Gone(format!(
        "the monitor {} was unplugged or changed its size; the next picture shows what is there then",
        monitor.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(width: u32, height: u32) -> Monitor {
        Monitor {
            name: "display-1".into(),
            area: Rect {
                x: 0,
                y: 0,
                width,
                height,
            },
            primary: true,
        }
    }

    #[test]
    fn a_finer_monitor_is_averaged_down_to_points() {
        let [black, white] = [[0, 0, 0, 9], [200, 100, 40, 9]];
        let pixels = [black, white, white, white, black, white, white, white].concat();
        let frame = to_points(&monitor(2, 1), 4, 2, &pixels).unwrap();
        assert_eq!(frame.rgba, [100, 50, 20, 255, 200, 100, 40, 255]);
        let same = to_points(&monitor(4, 2), 4, 2, &pixels).unwrap();
        assert_eq!(same.rgba.get(..4), Some(&[0, 0, 0, 255][..]));
        assert_eq!(to_points(&monitor(3, 1), 4, 2, &pixels), None);
        assert_eq!(to_points(&monitor(0, 0), 4, 2, &pixels), None);
    }
}
