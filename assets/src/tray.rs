//! The tray icons: one geometry, drawn twice, as RGBA pixels and as SVG.
//!
//! The four states differ by shape, so that they can be told apart in one colour and at 16 pixels:
//! an empty ring, a ring with the hourglass in it, two bars, a ring with a dot on the upper right.
//! The pixels come from signed distances (anti-aliased over one pixel), so any size is as sharp as
//! the next and no image decoder is needed. The files in `assets/tray/` are held to the same
//! geometry by a test.

use std::fmt::Write as _;

/// What the tray icon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrayIcon {
    /// Ring empty: nothing is captured.
    Off,
    /// Ring with sand running: tracking.
    Tracking,
    /// Two bars: paused, idle or outside the licensed hours.
    Paused,
    /// Ring with a dot on the upper right: something needs the person.
    Problem,
}

impl TrayIcon {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Off, Self::Tracking, Self::Paused, Self::Problem];

    /// The name of the state's SVG file, without its ending.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Tracking => "tracking",
            Self::Paused => "paused",
            Self::Problem => "problem",
        }
    }

    /// The shapes, in the order in which they are painted.
    fn shapes(self) -> &'static [Painted] {
        match self {
            Self::Off => &[Painted {
                shape: RING,
                color: GREY,
            }],
            Self::Tracking => &[
                Painted {
                    shape: RING,
                    color: TEAL,
                },
                Painted {
                    shape: HOURGLASS,
                    color: TEAL,
                },
            ],
            Self::Paused => &[
                Painted {
                    shape: Shape::Bar { x: 8.0 },
                    color: AMBER,
                },
                Painted {
                    shape: Shape::Bar { x: 16.0 },
                    color: AMBER,
                },
            ],
            Self::Problem => &[
                Painted {
                    shape: Shape::Ring { notched: true },
                    color: GREY,
                },
                Painted {
                    shape: Shape::Dot,
                    color: RED,
                },
            ],
        }
    }
}

/// Colours of the middle, each at least 3:1 against a white panel and against a near-black one.
type Color = [u8; 3];
const GREY: Color = [0x7c, 0x87, 0x8f];
const TEAL: Color = [0x0f, 0x94, 0x88];
const AMBER: Color = [0xb4, 0x7a, 0x1e];
const RED: Color = [0xdf, 0x47, 0x3c];

/// Everything is drawn in a square of this many units, y downwards.
const SIDE: f32 = 24.0;
const CENTRE: f32 = 12.0;
const RING_RADIUS: f32 = 9.75;
const RING_WIDTH: f32 = 2.3;
const BAR_WIDTH: f32 = 5.0;
const BAR_HEIGHT: f32 = 18.0;
const BAR_CORNER: f32 = 1.5;
const DOT: (f32, f32) = (18.75, 5.25);
const DOT_RADIUS: f32 = 4.25;
/// Radius of the bite that keeps the ring clear of the dot.
const NOTCH_RADIUS: f32 = 6.25;
/// The hourglass, lying: left bulb, neck, right bulb.
const HOURGLASS_POINTS: [(f32, f32); 6] = [
    (7.0, 8.4),
    (12.0, 11.6),
    (17.0, 8.4),
    (17.0, 15.6),
    (12.0, 12.4),
    (7.0, 15.6),
];
/// How far the hourglass swells beyond its points, which rounds its corners.
const HOURGLASS_SWELL: f32 = 0.7;

#[derive(Clone, Copy)]
struct Painted {
    shape: Shape,
    color: Color,
}

#[derive(Clone, Copy)]
enum Shape {
    Ring { notched: bool },
    Hourglass,
    Bar { x: f32 },
    Dot,
}

const RING: Shape = Shape::Ring { notched: false };
const HOURGLASS: Shape = Shape::Hourglass;

impl Shape {
    /// Signed distance from a point to the shape's edge, in units; negative inside.
    fn distance(self, x: f32, y: f32) -> f32 {
        match self {
            Self::Ring { notched } => {
                let ring = ((x - CENTRE).hypot(y - CENTRE) - RING_RADIUS).abs() - RING_WIDTH / 2.0;
                let notch = NOTCH_RADIUS - (x - DOT.0).hypot(y - DOT.1);
                if notched { ring.max(notch) } else { ring }
            }
            Self::Hourglass => distance_to_polygon(&HOURGLASS_POINTS, x, y) - HOURGLASS_SWELL,
            Self::Bar { x: middle } => {
                let dx = (x - middle).abs() - (BAR_WIDTH / 2.0 - BAR_CORNER);
                let dy = (y - CENTRE).abs() - (BAR_HEIGHT / 2.0 - BAR_CORNER);
                dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - BAR_CORNER
            }
            Self::Dot => (x - DOT.0).hypot(y - DOT.1) - DOT_RADIUS,
        }
    }

    /// The shape as an SVG element.
    fn svg(self, color: Color) -> String {
        let color: String = std::iter::once("#".to_owned())
            .chain(color.map(|c| format!("{c:02x}")))
            .collect();
        match self {
            Self::Ring { notched } => {
                let mask = if notched {
                    " mask=\"url(#clear-of-dot)\""
                } else {
                    ""
                };
                format!(
                    "<circle cx=\"{CENTRE}\" cy=\"{CENTRE}\" r=\"{RING_RADIUS}\" fill=\"none\" \
                     stroke=\"{color}\" stroke-width=\"{RING_WIDTH}\"{mask}/>"
                )
            }
            Self::Hourglass => {
                let mut points = String::new();
                for (x, y) in HOURGLASS_POINTS {
                    let space = if points.is_empty() { "" } else { " " };
                    let _ = write!(points, "{space}{x},{y}");
                }
                format!(
                    "<polygon points=\"{points}\" fill=\"{color}\" stroke=\"{color}\" \
                     stroke-width=\"{}\" stroke-linejoin=\"round\"/>",
                    HOURGLASS_SWELL * 2.0
                )
            }
            Self::Bar { x } => format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{BAR_WIDTH}\" height=\"{BAR_HEIGHT}\" \
                 rx=\"{BAR_CORNER}\" fill=\"{color}\"/>",
                x - BAR_WIDTH / 2.0,
                CENTRE - BAR_HEIGHT / 2.0
            ),
            Self::Dot => {
                let (x, y) = DOT;
                format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{DOT_RADIUS}\" fill=\"{color}\"/>")
            }
        }
    }
}

/// Signed distance to a closed polygon: the nearest edge, negative where a ray to the right crosses
/// an odd number of edges.
fn distance_to_polygon(points: &[(f32, f32)], x: f32, y: f32) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let edges = points.iter().zip(points.iter().cycle().skip(1));
    for (&(ax, ay), &(bx, by)) in edges {
        let (ex, ey) = (bx - ax, by - ay);
        let along = (((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
        nearest = nearest.min((x - ax - ex * along).hypot(y - ay - ey * along));
        if (ay > y) != (by > y) && x < ax + ex * (y - ay) / ey {
            inside = !inside;
        }
    }
    if inside { -nearest } else { nearest }
}

/// The icon as `size` x `size` pixels: R, G, B, A (not premultiplied), rows from the top.
///
/// `size` 0 gives no pixels. Good from 16 up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an icon's size is far below 2^24, and coverage lies in 0..=1"
)]
pub fn tray(state: TrayIcon, size: u32) -> Vec<u8> {
    let unit = SIDE / size as f32;
    let mut pixels = Vec::with_capacity(size as usize * size as usize * 4);
    for row in 0..size {
        for column in 0..size {
            let (x, y) = ((column as f32 + 0.5) * unit, (row as f32 + 0.5) * unit);
            let mut color = [0; 3];
            let mut coverage = 0.0_f32;
            for painted in state.shapes() {
                let here = (0.5 - painted.shape.distance(x, y) / unit).clamp(0.0, 1.0);
                // The shapes of a state do not overlap: the one that covers more gives the colour.
                if here > coverage {
                    (coverage, color) = (here, painted.color);
                }
            }
            pixels.extend_from_slice(&color);
            pixels.push((coverage * 255.0).round() as u8);
        }
    }
    pixels
}

/// The icon as an SVG document, from the same geometry as [`tray`].
pub fn tray_svg(state: TrayIcon) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIDE} {SIDE}\" width=\"{SIDE}\" \
         height=\"{SIDE}\">\n"
    );
    if state == TrayIcon::Problem {
        let (x, y) = DOT;
        let _ = writeln!(
            svg,
            "  <mask id=\"clear-of-dot\"><rect width=\"{SIDE}\" height=\"{SIDE}\" fill=\"#fff\"/>\
             <circle cx=\"{x}\" cy=\"{y}\" r=\"{NOTCH_RADIUS}\"/></mask>"
        );
    }
    for painted in state.shapes() {
        let _ = writeln!(svg, "  {}", painted.shape.svg(painted.color));
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(state: TrayIcon, size: u32) -> Vec<u8> {
        tray(state, size)
            .chunks_exact(4)
            .map(|pixel| pixel[3])
            .collect()
    }

    #[test]
    fn states_differ_by_shape_in_one_colour_at_every_tray_size() {
        for size in [16_u32, 22, 32] {
            for (index, one) in TrayIcon::ALL.into_iter().enumerate() {
                for other in TrayIcon::ALL.into_iter().skip(index + 1) {
                    let differing = coverage(one, size)
                        .iter()
                        .zip(coverage(other, size))
                        .filter(|(a, b)| a.abs_diff(*b) > 128)
                        .count();
                    let per_mille = differing * 1000 / (size * size) as usize;
                    assert!(
                        per_mille >= 60,
                        "{one:?}, {other:?}, {size} px: {per_mille}/1000"
                    );
                }
            }
        }
    }

    #[test]
    fn off_is_hollow_and_tracking_is_not() {
        let middle = |state| coverage(state, 22)[11 * 22 + 8];
        assert_eq!(middle(TrayIcon::Off), 0);
        assert_eq!(middle(TrayIcon::Tracking), 255);
    }

    #[test]
    fn the_problem_dot_is_on_the_upper_right_and_apart_from_the_ring() {
        let alpha = coverage(TrayIcon::Problem, 24);
        assert_eq!(alpha[5 * 24 + 18], 255, "the dot");
        assert_eq!(alpha[18 * 24 + 5], 255, "the ring opposite to it");
        assert_eq!(alpha[9 * 24 + 15], 0, "clear space between");
    }

    #[test]
    fn icons_fill_their_square_and_are_smooth_at_the_edges() {
        for state in TrayIcon::ALL {
            let pixels = tray(state, 16);
            assert_eq!(pixels.len(), 16 * 16 * 4);
            let alpha = coverage(state, 16);
            assert!(alpha.contains(&255) && alpha.contains(&0));
            assert!(
                alpha.iter().any(|a| (1..255).contains(a)),
                "{state:?} is anti-aliased"
            );
        }
        assert!(tray(TrayIcon::Off, 0).is_empty());
    }

    #[test]
    fn the_svg_files_are_the_same_shapes() {
        for (state, file) in TrayIcon::ALL.into_iter().zip([
            crate::TRAY_OFF_SVG,
            crate::TRAY_TRACKING_SVG,
            crate::TRAY_PAUSED_SVG,
            crate::TRAY_PROBLEM_SVG,
        ]) {
            assert_eq!(file, tray_svg(state), "assets/tray/{}.svg", state.name());
        }
    }
}
