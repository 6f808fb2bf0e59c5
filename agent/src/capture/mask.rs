//! Painting over what a license excludes, before anything else sees the picture.

use std::collections::BTreeSet;

use glasshour_license_format::Exclude;

use crate::platform::{Frame, Rect, Window};

/// The colour of a mask: a flat grey, opaque.
const MASK: [u8; 4] = [96, 96, 96, 255];

/// Paints over every excluded window that is on this monitor, unfocused and partly covered ones too,
/// and returns how many there were. A window may be listed more than once, as it was at different moments:
/// each of its places is painted, and it counts once.
///
/// The whole rectangle is painted, also where another window lies above it: rather too much than a
/// shadow or a translucent terminal that shows what is below.
pub fn mask(frame: &mut Frame, monitor: Rect, windows: &[Window], exclude: &Exclude) -> u32 {
    let mut masked = BTreeSet::new();
    for window in windows {
        if exclude.covers(&window.application, &window.title) && fill(frame, monitor, window.area) {
            masked.insert(window.id);
        }
    }
    u32::try_from(masked.len()).expect("fewer windows than a display can hold")
}

/// Fills the part of `area` that lies on the monitor; false where none does.
fn fill(frame: &mut Frame, monitor: Rect, area: Rect) -> bool {
    let (width, height) = (i64::from(frame.width), i64::from(frame.height));
    let left = (i64::from(area.x) - i64::from(monitor.x)).clamp(0, width);
    let top = (i64::from(area.y) - i64::from(monitor.y)).clamp(0, height);
    let right = (i64::from(area.x) - i64::from(monitor.x) + i64::from(area.width)).clamp(0, width);
    let bottom =
        (i64::from(area.y) - i64::from(monitor.y) + i64::from(area.height)).clamp(0, height);
    if left >= right || top >= bottom {
        return false;
    }
    let at = |n: i64| usize::try_from(n).expect("clamped to the frame");
    let rows = frame.rgba.chunks_exact_mut(at(width) * 4);
    for row in rows.skip(at(top)).take(at(bottom - top)) {
        let (pixels, _) = row.as_chunks_mut::<4>();
        for pixel in pixels.iter_mut().skip(at(left)).take(at(right - left)) {
            *pixel = MASK;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 4] = [255, 0, 255, 255];

    fn window(id: u64, application: &str, title: &str, area: Rect) -> Window {
        Window {
            id,
            application: application.into(),
            title: title.into(),
            area,
            active: false,
        }
    }

    fn secret_everywhere(width: u32, height: u32) -> Frame {
        Frame {
            width,
            height,
            rgba: SECRET.repeat((width * height) as usize),
        }
    }

    fn count(frame: &Frame, colour: [u8; 4]) -> usize {
        frame
            .rgba
            .chunks_exact(4)
            .filter(|pixel| *pixel == colour)
            .count()
    }

    #[test]
    fn an_excluded_unfocused_window_on_the_second_monitor_is_painted_over() {
        let monitor = Rect {
            x: 100,
            y: 0,
            width: 50,
            height: 40,
        };
        let mut frame = secret_everywhere(50, 40);
        let windows = [
            window(
                1,
                "KeePassXC",
                "db",
                Rect {
                    x: 90,
                    y: -5,
                    width: 30,
                    height: 15,
                },
            ),
            window(
                2,
                "XTerm",
                "shell",
                Rect {
                    x: 100,
                    y: 0,
                    width: 50,
                    height: 40,
                },
            ),
        ];
        let exclude = Exclude {
            applications: vec!["keepassxc".into()],
            title_contains: vec![],
        };
        assert_eq!(mask(&mut frame, monitor, &windows, &exclude), 1);
        assert_eq!(count(&frame, MASK), 20 * 10);
        assert_eq!(count(&frame, SECRET), 50 * 40 - 200);
    }

    #[test]
    fn a_window_that_moved_meanwhile_is_painted_over_twice_and_counts_once() {
        let monitor = Rect {
            x: 0,
            y: 0,
            width: 10,
            height: 10,
        };
        let at = |x| Rect {
            x,
            y: 0,
            width: 2,
            height: 10,
        };
        let mut frame = secret_everywhere(10, 10);
        let windows = [
            window(1, "K", "a", at(0)),
            window(1, "K", "b", at(4)),
            window(2, "K", "a", at(8)),
        ];
        let exclude = Exclude {
            applications: vec!["K".into()],
            title_contains: vec![],
        };
        assert_eq!(mask(&mut frame, monitor, &windows, &exclude), 2);
        assert_eq!(count(&frame, MASK), 3 * 2 * 10);
    }

    #[test]
    fn a_window_elsewhere_is_not_counted() {
        let monitor = Rect {
            x: 0,
            y: 0,
            width: 10,
            height: 10,
        };
        let mut frame = secret_everywhere(10, 10);
        let windows = [window(
            1,
            "K",
            "",
            Rect {
                x: 10,
                y: 0,
                width: 5,
                height: 5,
            },
        )];
        let exclude = Exclude {
            applications: vec!["K".into()],
            title_contains: vec![],
        };
        assert_eq!(mask(&mut frame, monitor, &windows, &exclude), 0);
        assert_eq!(count(&frame, MASK), 0);
    }

    #[test]
    fn absurd_rectangles_do_no_harm() {
        let monitor = Rect {
            x: i32::MIN,
            y: 0,
            width: 10,
            height: 10,
        };
        let mut frame = secret_everywhere(10, 10);
        let huge = Rect {
            x: i32::MIN,
            y: i32::MIN,
            width: u32::MAX,
            height: u32::MAX,
        };
        let exclude = Exclude {
            applications: vec![],
            title_contains: vec!["t".into()],
        };
        assert_eq!(
            mask(&mut frame, monitor, &[window(1, "a", "T", huge)], &exclude),
            1
        );
        assert_eq!(count(&frame, SECRET), 0);
    }
}
