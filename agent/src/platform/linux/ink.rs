//! Ink, paper and letters: what the agent's own X windows are drawn with.
//!
//! Text is in fonts that the server brings along. Where it has none that covers a character, a plainer one
//! stands for it.

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{Char2b, ConnectionExt as _, Font};

use super::connection::{Connection, gone, refused};
use crate::platform::Unavailable;

/// R, G, B; named after the light theme's tokens.
pub(super) type Colour = [u8; 3];
pub(super) const PAPER_RAISED: Colour = [0xff, 0xff, 0xff];
pub(super) const INK: Colour = [0x14, 0x20, 0x1e];
pub(super) const LINE_STRONG: Colour = [0x7f, 0x8d, 0x89];

/// A font's name in the X Logical Font Description, and the last character that it can be asked for.
pub(super) type FontName = (&'static str, u16);

/// Fonts for a line beside other programs' windows, best first. The last is built into X servers.
pub(super) const SMALL: &[FontName] = &[
    (
        "-misc-fixed-medium-r-semicondensed--13-*-*-*-*-*-iso10646-1",
        u16::MAX,
    ),
    BUILT_IN,
];

/// Fonts for a page to be read, best first.
pub(super) const PAGE: &[FontName] = &[
    (
        "-misc-fixed-medium-r-normal--18-*-*-*-*-*-iso10646-1",
        u16::MAX,
    ),
    (
        "-misc-fixed-medium-r-normal--15-*-*-*-*-*-iso10646-1",
        u16::MAX,
    ),
    BUILT_IN,
];

const BUILT_IN: FontName = ("fixed", 0xff);

/// Stands for what a font cannot draw.
const REPLACEMENT: u16 = b'?' as u16;

/// A font on one connection, and the last character that it can be asked for.
pub(super) type Letters = (Font, u16);

/// The first of those fonts that the server has.
pub(super) fn open_font(
    connection: &Connection,
    names: &[FontName],
) -> Result<Option<Letters>, Unavailable> {
    let wire = connection.wire();
    for (name, last) in names {
        let font = wire.generate_id().map_err(refused)?;
        let opened = wire.open_font(font, name.as_bytes()).map_err(gone)?;
        match opened.check() {
            Ok(()) => return Ok(Some((font, *last))),
            Err(ReplyError::X11Error(_)) => {}
            Err(ReplyError::ConnectionError(cause)) => return Err(gone(cause)),
        }
    }
    Ok(None)
}

/// Text as a core font takes it: two bytes for each character, the high one first.
pub(super) fn encode(text: &str, last: u16) -> Vec<Char2b> {
    text.chars()
        .map(|c| {
            let code = |c: char| u16::try_from(u32::from(c)).ok();
            let [byte1, byte2] = [c, plainer(c)]
                .into_iter()
                .filter_map(code)
                .find(|&code| code <= last)
                .unwrap_or(REPLACEMENT)
                .to_be_bytes();
            Char2b { byte1, byte2 }
        })
        .collect()
}

/// The character that stands for one of typography in Latin-1; else itself.
fn plainer(c: char) -> char {
    match c {
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        '…' => '.',
        '→' => '>',
        '\u{202f}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_beyond_the_font_are_replaced() {
        let codes = |text, last| -> Vec<u16> {
            let code = |c: Char2b| u16::from_be_bytes([c.byte1, c.byte2]);
            encode(text, last).into_iter().map(code).collect()
        };
        assert_eq!(codes("é日🦀", 0xff), [0xe9, 0x3f, 0x3f]);
        assert_eq!(codes("é日🦀", u16::MAX), [0xe9, 0x65e5, 0x3f]);
        assert_eq!(codes("l’é", 0xff), [0x6c, 0x27, 0xe9]);
    }
}
