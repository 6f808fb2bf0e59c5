//! One moment's pictures: grab, mask, blur, scale, compare, encode — in that order.
//!
//! Runs on a thread of its own (grabbing and encoding block). It cannot be built without a permit.

use std::collections::HashMap;
use std::sync::Arc;

use glasshour_license_format::{Blur, Monitors, Permit, Screenshots};
use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::record::FrameMeta;

use super::blur::{blur, scale_down};
use super::encode::{EncodeError, encode};
use super::mask::mask;
use crate::platform::{Monitor, Platform, Rect, Screens, Unavailable, Window};

/// The screenshot channel.
pub struct Screenshotter {
    permit: Permit<Screenshots>,
    platform: Arc<dyn Platform>,
    screens: Option<Box<dyn Screens>>,
    /// Hash of the last stored picture of each monitor.
    last: HashMap<String, String>,
}

/// One monitor's picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shot {
    /// What it shows and what was done to it.
    pub meta: FrameMeta,
    /// The encoded picture; `None` where it equals the last one (license: `skip_unchanged`).
    pub webp: Option<Vec<u8>>,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShotError {
    /// The desktop gives none.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// It cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Screenshotter {
    /// The channel of one license.
    pub fn new(permit: Permit<Screenshots>, platform: Arc<dyn Platform>) -> Self {
        Self {
            permit,
            platform,
            screens: None,
            last: HashMap::new(),
        }
    }

    /// Takes a picture of every licensed monitor. After an error the next call opens the screens
    /// anew, so a display server that comes back is found.
    pub fn shoot(&mut self) -> Result<Vec<Shot>, ShotError> {
        let mut screens = match self.screens.take() {
            Some(screens) => screens,
            None => self.platform.screens(&self.permit)?,
        };
        let shots = self.shoot_with(screens.as_mut());
        match &shots {
            Ok(_) => self.screens = Some(screens),
            // Pictures that were made before the error are gone: none may be leant on.
            Err(_) => self.forget(),
        }
        shots
    }

    /// The next picture of each monitor is stored even if it equals the last: a new session or a new
    /// license does not lean on pictures of an earlier one.
    pub fn forget(&mut self) {
        self.last.clear();
    }

    fn shoot_with(&mut self, screens: &mut dyn Screens) -> Result<Vec<Shot>, ShotError> {
        let settings = self.permit.settings().clone();
        let mut monitors = screens.monitors()?;
        if settings.monitors == Monitors::Active {
            let windows = screens.windows()?;
            monitors = active_monitor(monitors, &windows).into_iter().collect();
        }
        let mut shots = Vec::with_capacity(monitors.len());
        for monitor in &monitors {
            shots.push(self.shoot_monitor(screens, monitor)?);
        }
        self.last
            .retain(|name, _| monitors.iter().any(|monitor| monitor.name == *name));
        Ok(shots)
    }

    fn shoot_monitor(
        &mut self,
        screens: &mut dyn Screens,
        monitor: &Monitor,
    ) -> Result<Shot, ShotError> {
        let settings = self.permit.settings();
        let exclude = self.permit.exclude();
        // Windows move: what is excluded before or after the grab is masked in it.
        let mut windows = Ok(Vec::new());
        if !exclude.is_empty() {
            windows = screens.windows();
        }
        let mut frame = screens.grab(monitor)?;
        if !exclude.is_empty()
            && let Ok(before) = &mut windows
        {
            match screens.windows() {
                Ok(after) => {
                    let moved: Vec<_> = after
                        .into_iter()
                        .filter(|window| !before.contains(window))
                        .collect();
                    before.extend(moved);
                }
                Err(error) => windows = Err(error),
            }
        }

        let (masked_windows, applied) = match &windows {
            Ok(windows) => (
                mask(&mut frame, monitor.area, windows, exclude),
                settings.blur,
            ),
            Err(_) => (0, Blur::Strong),
        };
        blur(&mut frame, applied);
        let frame = scale_down(frame, settings.max_width_px);

        let hash = sha256_hex(&frame.rgba);
        let unchanged =
            settings.skip_unchanged && self.last.get(&monitor.name).is_some_and(|h| *h == hash);
        let webp = if unchanged {
            None
        } else {
            Some(encode(&frame)?)
        };
        self.last.insert(monitor.name.clone(), hash);
        Ok(Shot {
            meta: FrameMeta {
                monitor: monitor.name.clone(),
                x: monitor.area.x,
                y: monitor.area.y,
                screen_width: monitor.area.width,
                screen_height: monitor.area.height,
                width: frame.width,
                height: frame.height,
                blur: applied.as_str().to_owned(),
                masked_windows,
                windows_unknown: windows.is_err(),
                unchanged,
            },
            webp,
        })
    }
}

/// The monitor with the larger part of the active window; the primary one where no window is active.
fn active_monitor(monitors: Vec<Monitor>, windows: &[Window]) -> Option<Monitor> {
    let active = windows
        .iter()
        .find(|window| window.active)
        .map(|window| window.area);
    let share = |monitor: &Monitor| active.map_or(0, |area| overlap(monitor.area, area));
    monitors
        .into_iter()
        .max_by_key(|monitor| (share(monitor), monitor.primary))
}

fn overlap(a: Rect, b: Rect) -> i64 {
    let side = |from_a: i32, size_a: u32, from_b: i32, size_b: u32| {
        let (from_a, from_b) = (i64::from(from_a), i64::from(from_b));
        let end = (from_a + i64::from(size_a)).min(from_b + i64::from(size_b));
        (end - from_a.max(from_b)).max(0)
    };
    side(a.x, a.width, b.x, b.width) * side(a.y, a.height, b.y, b.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monitor(name: &str, x: i32, primary: bool) -> Monitor {
        Monitor {
            name: name.into(),
            area: Rect {
                x,
                y: 0,
                width: 100,
                height: 100,
            },
            primary,
        }
    }

    fn active(area: Rect) -> Window {
        Window {
            id: 1,
            application: "a".into(),
            title: "t".into(),
            area,
            active: true,
        }
    }

    #[test]
    fn the_active_monitor_has_most_of_the_active_window() {
        let both = || vec![monitor("L", 0, true), monitor("R", 100, false)];
        let name = |windows: &[Window]| active_monitor(both(), windows).unwrap().name;
        assert_eq!(
            name(&[active(Rect {
                x: 60,
                y: 0,
                width: 100,
                height: 50
            })]),
            "R"
        );
        assert_eq!(
            name(&[active(Rect {
                x: 20,
                y: 0,
                width: 100,
                height: 50
            })]),
            "L"
        );
        assert_eq!(name(&[]), "L", "the primary one where nothing is active");
        assert_eq!(active_monitor(vec![], &[]), None);
    }
}
