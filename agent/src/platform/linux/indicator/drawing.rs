//! The indicator's picture: the mark for the state and a line of text, in ink on paper.
//!
//! Drawn once into a pixmap that becomes the window's background, so that the server itself repaints
//! what was hidden. The text is in a font that the server brings along; without any, the mark stands
//! alone.

use glasshour_assets::TrayIcon as Picture;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    Char2b, ConnectionExt as _, CreateGCAux, Gcontext, ImageFormat, Pixmap,
};

use crate::platform::Unavailable;
use crate::platform::linux::connection::{Connection, gone, refused, reply};
use crate::platform::linux::ink::{
    Colour, INK, LINE_STRONG, Letters, PAPER_RAISED, SMALL, encode, open_font,
};
use crate::platform::linux::pixels::PixelFormat;
use crate::platform::text::clean;
use crate::tray::{Icon, View};

/// Sizes in pixels, without the border.
const HEIGHT: u16 = 24;
const ICON: u16 = 16;
const ICON_LEFT: u16 = 6;
const TEXT_LEFT: u16 = ICON_LEFT + ICON + 6;
const TEXT_RIGHT: u16 = 8;

/// Longest text, in characters; a request takes 255 at most.
const MAX_CHARS: usize = 100;
/// Stands where text was cut.
const ELLIPSIS: &str = "...";
/// What the indicator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Face {
    pub(super) icon: Icon,
    pub(super) text: String,
    /// Nothing runs: the window is not on the screen.
    pub(super) is_off: bool,
}

impl Face {
    pub(super) fn of(view: &View) -> Self {
        Self {
            icon: view.icon,
            text: clean(&view.label, MAX_CHARS),
            is_off: view.icon == Icon::Off && !view.running,
        }
    }
}

/// A drawn face, and its size in pixels.
pub(super) struct Drawn {
    pub(super) pixmap: Pixmap,
    pub(super) width: u16,
    pub(super) height: u16,
}

/// What is needed to draw on one connection.
pub(super) struct Pen {
    format: PixelFormat,
    context: Gcontext,
    font: Option<Letters>,
}

impl Pen {
    pub(super) fn new(connection: &Connection) -> Result<Self, Unavailable> {
        let wire = connection.wire();
        let format = PixelFormat::of(wire.setup(), connection.screen())?;
        let font = open_font(connection, SMALL)?;
        if font.is_none() {
            tracing::info!("the X server has no font; the indicator shows the mark alone");
        }
        let context = wire.generate_id().map_err(refused)?;
        let colours = CreateGCAux::new()
            .foreground(format.pixel(INK))
            .background(format.pixel(PAPER_RAISED))
            .graphics_exposures(0)
            .font(font.map(|(font, _)| font));
        wire.create_gc(context, connection.root(), &colours)
            .map_err(gone)?;
        Ok(Self {
            format,
            context,
            font,
        })
    }

    /// The number of the border's colour.
    pub(super) fn border_pixel(&self) -> u32 {
        self.format.pixel(LINE_STRONG)
    }

    /// Draws a face no wider than that. The caller frees the pixmap.
    pub(super) fn draw(
        &self,
        connection: &Connection,
        face: &Face,
        max_width: u16,
    ) -> Result<Drawn, Unavailable> {
        let room = max_width.saturating_sub(TEXT_LEFT + TEXT_RIGHT);
        let line = self.fit(connection, &face.text, room)?;
        let width = line.as_ref().map_or(ICON_LEFT * 2 + ICON, |line| {
            TEXT_LEFT + line.width + TEXT_RIGHT
        });
        let wire = connection.wire();
        let depth = connection.screen().root_depth;
        let pixmap = wire.generate_id().map_err(refused)?;
        wire.create_pixmap(depth, pixmap, connection.root(), width, HEIGHT)
            .map_err(gone)?;
        let image = self.ground(face.icon, width);
        wire.put_image(
            ImageFormat::Z_PIXMAP,
            pixmap,
            self.context,
            width,
            HEIGHT,
            0,
            0,
            0,
            depth,
            &image,
        )
        .map_err(gone)?;
        if let Some(line) = line {
            let left = i16::try_from(TEXT_LEFT).unwrap_or_default();
            wire.image_text16(pixmap, self.context, left, line.baseline, &line.text)
                .map_err(gone)?;
        }
        Ok(Drawn {
            pixmap,
            width,
            height: HEIGHT,
        })
    }

    /// Paper with the mark on it.
    fn ground(&self, icon: Icon, width: u16) -> Vec<u8> {
        let mark = glasshour_assets::tray(picture(icon), ICON.into());
        let mut rows_of_mark = mark.chunks_exact(usize::from(ICON) * 4);
        let top = (HEIGHT - ICON) / 2;
        let mut image = Vec::new();
        for row in 0..HEIGHT {
            let mut colours = vec![PAPER_RAISED; usize::from(width)];
            if (top..top + ICON).contains(&row)
                && let Some(of_mark) = rows_of_mark.next()
            {
                let places = colours.iter_mut().skip(ICON_LEFT.into());
                for (to, &rgba) in places.zip(of_mark.as_chunks::<4>().0) {
                    *to = on_paper(rgba);
                }
            }
            self.format.push_row(&colours, &mut image);
        }
        image
    }

    /// The text as far as there is room; `None`: no font, or no room for a word.
    fn fit(
        &self,
        connection: &Connection,
        text: &str,
        room: u16,
    ) -> Result<Option<Line>, Unavailable> {
        let Some((font, last)) = self.font else {
            return Ok(None);
        };
        let extents = |text: &str| {
            let text = encode(text, last);
            reply(connection.wire().query_text_extents(font, &text))
        };
        let text = cut(text, |text| {
            Ok(extents(text)?.overall_width <= i32::from(room))
        })?;
        let extents = extents(&text)?;
        let width = u16::try_from(extents.overall_width).unwrap_or_default();
        let height = i16::try_from(HEIGHT).unwrap_or(i16::MAX);
        Ok((width > 0).then(|| Line {
            text: encode(&text, last),
            width,
            baseline: (height + extents.font_ascent - extents.font_descent) / 2,
        }))
    }
}

/// A line of text, ready to be drawn.
struct Line {
    text: Vec<Char2b>,
    width: u16,
    baseline: i16,
}

/// Shortens a text until it fits, and marks where it was cut; empty where not even that fits.
fn cut(
    text: &str,
    mut fits: impl FnMut(&str) -> Result<bool, Unavailable>,
) -> Result<String, Unavailable> {
    if fits(text)? {
        return Ok(text.to_owned());
    }
    let mut kept = text;
    while let Some((end, _)) = kept.char_indices().next_back() {
        kept = kept.get(..end).unwrap_or_default().trim_end();
        let shortened = format!("{kept}{ELLIPSIS}");
        if !kept.is_empty() && fits(&shortened)? {
            return Ok(shortened);
        }
    }
    Ok(String::new())
}

fn on_paper([red, green, blue, alpha]: [u8; 4]) -> Colour {
    let [paper_red, paper_green, paper_blue] = PAPER_RAISED;
    let over = |ink: u8, paper: u8| {
        let (ink, paper, alpha) = (u32::from(ink), u32::from(paper), u32::from(alpha));
        u8::try_from((ink * alpha + paper * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
    };
    [
        over(red, paper_red),
        over(green, paper_green),
        over(blue, paper_blue),
    ]
}

fn picture(icon: Icon) -> Picture {
    match icon {
        Icon::Off => Picture::Off,
        Icon::Tracking => Picture::Tracking,
        Icon::Paused => Picture::Paused,
        Icon::Problem => Picture::Problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_most(chars: usize, text: &str) -> String {
        cut(text, |text| Ok(text.chars().count() <= chars)).expect("it cannot fail")
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_words_or_within() {
        assert_eq!(at_most(19, "Tracking Apollo für"), "Tracking Apollo für");
        assert_eq!(at_most(18, "Tracking Apollo für"), "Tracking Apollo...");
        assert_eq!(at_most(12, "Tracking Apollo"), "Tracking...");
        assert_eq!(at_most(3, "Tracking"), "");
        assert_eq!(at_most(0, ""), "");
    }
}
