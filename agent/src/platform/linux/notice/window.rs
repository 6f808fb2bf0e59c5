//! The notice's window: a dialog with the text, a line that tells the page, and buttons to click.

use std::sync::Arc;

use glasshour_words::{Message as Say, Words};
use x11rb::connection::Connection as _;
use x11rb::properties::WmSizeHints;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeGCAux, ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, EventMask, Gcontext, PropMode, Rectangle, Visibility, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::layout::pages;
use crate::platform::linux::connection::{Connection, gone, refused, reply};
use crate::platform::linux::ink::{self, Colour, INK, LINE_STRONG, Letters, PAPER_RAISED};
use crate::platform::linux::introduce::{self, Atoms};
use crate::platform::linux::pixels::PixelFormat;
use crate::platform::linux::properties::WindowId;
use crate::platform::linux::screens::{has_monitors, main_monitor};
use crate::platform::{Message, Rect, Unavailable};

/// The longest line, in characters: one that the eye finds its way back from.
const COLUMNS: usize = 84;
/// Pixels around the text, and within a button around its label.
const MARGIN: u16 = 24;
const PADDING: u16 = 8;
/// Of a monitor's height, how much the window takes at most, in percent.
const MOST_OF_HEIGHT: u32 = 80;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Some of it is in sight.
    Seen,
    /// The person has closed it.
    Closed,
}

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Press {
    Back,
    Next,
    Close,
}

struct Button {
    press: Press,
    area: Rectangle,
}

/// The window, and the page that it shows.
pub(super) struct Page {
    connection: Arc<Connection>,
    atoms: Atoms,
    id: WindowId,
    format: PixelFormat,
    context: Gcontext,
    last: u16,
    /// Width of a letter; height of a line; from its top to its baseline. Pixels.
    letter: u16,
    line: u16,
    ascent: u16,
    size: (u16, u16),
    words: Words,
    pages: Vec<Vec<String>>,
    at: usize,
    buttons: Vec<Button>,
}

impl Page {
    /// Opens the window with the first page.
    pub(super) fn open(
        connection: Arc<Connection>,
        message: &Message,
        words: Words,
    ) -> Result<Self, Unavailable> {
        let Some((font, last)) = ink::open_font(&connection, ink::PAGE)? else {
            return Err(Unavailable::Unsupported(
                "the X server has no font to show a notice in".into(),
            ));
        };
        let measure = |text: &str| {
            reply(
                connection
                    .wire()
                    .query_text_extents(font, &ink::encode(text, last)),
            )
        };
        let extents = measure("M")?;
        let letter = u16::try_from(extents.overall_width).unwrap_or(1).max(1);
        let ascent = u16::try_from(extents.font_ascent).unwrap_or(1);
        let line = ascent + u16::try_from(extents.font_descent).unwrap_or(0) + 3;
        let monitor = main_monitor(&connection, has_monitors(&connection)?)?;
        let room = |pixels: u32, each: u16| {
            usize::try_from(pixels.saturating_sub(u32::from(MARGIN) * 2) / u32::from(each))
                .unwrap_or(1)
                .max(1)
        };
        let columns = room(monitor.width, letter).min(COLUMNS);
        // Two lines for the buttons, and one between.
        let rows = room(monitor.height * MOST_OF_HEIGHT / 100, line).saturating_sub(3);
        let pages = pages(&message.body, columns, rows.max(1));
        let longest = pages.iter().map(Vec::len).max().unwrap_or(1);
        let pixels = |count: usize, each: u16| {
            u16::try_from(count)
                .unwrap_or(u16::MAX)
                .saturating_mul(each)
                .saturating_add(MARGIN * 2)
        };
        let size = (pixels(columns, letter), pixels(longest + 3, line));
        let atoms = Atoms::of(&connection)?;
        let format = PixelFormat::of(connection.wire().setup(), connection.screen())?;
        let id = create(&connection, &format, centred(monitor, size), size)?;
        let context = pen(&connection, &format, (font, last))?;
        let mut page = Self {
            connection,
            atoms,
            id,
            format,
            context,
            last,
            letter,
            line,
            ascent,
            size,
            words,
            pages,
            at: 0,
            buttons: Vec::new(),
        };
        page.introduce(&message.title, centred(monitor, size))?;
        page.draw()?;
        let wire = page.connection.wire();
        wire.map_window(id).map_err(gone)?;
        page.connection.flush()?;
        Ok(page)
    }

    /// Waits for something to happen that the caller must know.
    pub(super) fn turn(&mut self) -> Result<Turn, Unavailable> {
        loop {
            while let Some(event) = self.connection.next_event()? {
                if let Some(turn) = self.react(&event)? {
                    return Ok(turn);
                }
            }
            self.connection.flush()?;
            self.connection.wait(None)?;
        }
    }

    fn react(&mut self, event: &Event) -> Result<Option<Turn>, Unavailable> {
        match event {
            Event::VisibilityNotify(of) if of.state != Visibility::FULLY_OBSCURED => {
                return Ok(Some(Turn::Seen));
            }
            Event::ClientMessage(message)
                if message.data.as_data32().first() == Some(&self.atoms.WM_DELETE_WINDOW) =>
            {
                return Ok(Some(Turn::Closed));
            }
            Event::DestroyNotify(gone) if gone.window == self.id => return Ok(Some(Turn::Closed)),
            Event::ButtonPress(button) if button.detail == 1 => {
                let at = (button.event_x, button.event_y);
                match self.buttons.iter().find(|one| holds(one.area, at)) {
                    Some(one) if one.press == Press::Close => return Ok(Some(Turn::Closed)),
                    Some(one) if one.press == Press::Back => self.at -= 1,
                    Some(_) => self.at += 1,
                    None => return Ok(None),
                }
                self.draw()?;
            }
            Event::Error(error) => tracing::debug!(?error, "a notice's window met an X error"),
            _ => {}
        }
        Ok(None)
    }

    fn introduce(&self, title: &str, (x, y): (i16, i16)) -> Result<(), Unavailable> {
        let (wire, atoms, id) = (self.connection.wire(), &self.atoms, self.id);
        introduce::introduce(
            &self.connection,
            atoms,
            id,
            atoms._NET_WM_WINDOW_TYPE_DIALOG,
        )?;
        introduce::name(&self.connection, atoms, id, title)?;
        wire.change_property32(
            PropMode::REPLACE,
            id,
            atoms.WM_PROTOCOLS,
            AtomEnum::ATOM,
            &[atoms.WM_DELETE_WINDOW],
        )
        .map_err(gone)?;
        let size = (i32::from(self.size.0), i32::from(self.size.1));
        let hints = WmSizeHints {
            position: Some((
                x11rb::properties::WmSizeHintsSpecification::ProgramSpecified,
                x.into(),
                y.into(),
            )),
            min_size: Some(size),
            max_size: Some(size),
            ..WmSizeHints::new()
        };
        hints.set_normal_hints(wire, id).map_err(gone)?;
        Ok(())
    }

    /// Draws the page as the window's background, which the server repaints by itself.
    fn draw(&mut self) -> Result<(), Unavailable> {
        let connection = Arc::clone(&self.connection);
        let wire = connection.wire();
        let depth = connection.screen().root_depth;
        let (width, height) = self.size;
        let pixmap = wire.generate_id().map_err(refused)?;
        wire.create_pixmap(depth, pixmap, connection.root(), width, height)
            .map_err(gone)?;
        self.ink(PAPER_RAISED)?;
        let whole = Rectangle {
            x: 0,
            y: 0,
            width,
            height,
        };
        wire.poly_fill_rectangle(pixmap, self.context, &[whole])
            .map_err(gone)?;
        self.ink(INK)?;
        let lines = self.pages.get(self.at).cloned().unwrap_or_default();
        for (number, text) in (0_u16..).zip(&lines) {
            let top = MARGIN + number * self.line;
            self.write(pixmap, (MARGIN, top), text)?;
        }
        let foot = height - MARGIN - self.line * 2;
        if self.pages.len() > 1 {
            let page = self.words.say(Say::NoticePage {
                page: u32::try_from(self.at + 1).unwrap_or(u32::MAX),
                pages: u32::try_from(self.pages.len()).unwrap_or(u32::MAX),
            });
            self.write(pixmap, (MARGIN, foot + PADDING), &page)?;
        }
        self.buttons = self.place_buttons(foot);
        for button in &self.buttons {
            let label = self.label(button.press);
            self.ink(LINE_STRONG)?;
            wire.poly_rectangle(pixmap, self.context, &[button.area])
                .map_err(gone)?;
            self.ink(INK)?;
            let left = u16::try_from(button.area.x).unwrap_or(0) + PADDING * 2;
            self.write(pixmap, (left, foot + PADDING), &label)?;
        }
        let background = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
        wire.change_window_attributes(self.id, &background)
            .map_err(gone)?;
        wire.free_pixmap(pixmap).map_err(gone)?;
        wire.clear_area(false, self.id, 0, 0, 0, 0).map_err(gone)?;
        Ok(())
    }

    /// From the right: close, next, back. Each keeps its place while another is not there, so that who clicks
    /// on does not click something else.
    fn place_buttons(&self, top: u16) -> Vec<Button> {
        let is_last = self.at + 1 >= self.pages.len();
        let there = [
            (Press::Close, true),
            (Press::Next, !is_last),
            (Press::Back, self.at > 0),
        ];
        let mut right = self.size.0 - MARGIN;
        let mut buttons = Vec::new();
        for (press, is_there) in there {
            let letters = u16::try_from(self.label(press).chars().count()).unwrap_or(u16::MAX);
            let width = letters
                .saturating_mul(self.letter)
                .saturating_add(PADDING * 4);
            let left = right.saturating_sub(width);
            let area = Rectangle {
                x: i16::try_from(left).unwrap_or(0),
                y: i16::try_from(top).unwrap_or(0),
                width,
                height: self.line + PADDING * 2,
            };
            if is_there {
                buttons.push(Button { press, area });
            }
            right = left.saturating_sub(PADDING * 2);
        }
        buttons
    }

    fn label(&self, press: Press) -> String {
        self.words.say(match press {
            Press::Back => Say::NoticeBack {},
            Press::Next => Say::NoticeNext {},
            Press::Close => Say::NoticeClose {},
        })
    }

    fn ink(&self, colour: Colour) -> Result<(), Unavailable> {
        let colour = ChangeGCAux::new().foreground(self.format.pixel(colour));
        let wire = self.connection.wire();
        wire.change_gc(self.context, &colour).map_err(gone)?;
        Ok(())
    }

    /// Writes a line with its upper left corner there.
    fn write(&self, pixmap: u32, (left, top): (u16, u16), text: &str) -> Result<(), Unavailable> {
        let place = |pixels: u16| i16::try_from(pixels).unwrap_or(i16::MAX);
        let text = ink::encode(text, self.last);
        let (x, y) = (place(left), place(top + self.ascent));
        let wire = self.connection.wire();
        wire.image_text16(pixmap, self.context, x, y, &text)
            .map_err(gone)?;
        Ok(())
    }
}

fn create(
    connection: &Connection,
    format: &PixelFormat,
    (x, y): (i16, i16),
    (width, height): (u16, u16),
) -> Result<WindowId, Unavailable> {
    let wire = connection.wire();
    let id = wire.generate_id().map_err(refused)?;
    let attributes = CreateWindowAux::new()
        .background_pixel(format.pixel(PAPER_RAISED))
        .event_mask(
            EventMask::VISIBILITY_CHANGE | EventMask::BUTTON_PRESS | EventMask::STRUCTURE_NOTIFY,
        );
    wire.create_window(
        connection.screen().root_depth,
        id,
        connection.root(),
        x,
        y,
        width,
        height,
        0,
        WindowClass::INPUT_OUTPUT,
        connection.screen().root_visual,
        &attributes,
    )
    .map_err(gone)?
    .check()
    .map_err(refused)?;
    Ok(id)
}

fn pen(
    connection: &Connection,
    format: &PixelFormat,
    (font, _): Letters,
) -> Result<Gcontext, Unavailable> {
    let wire = connection.wire();
    let context = wire.generate_id().map_err(refused)?;
    let colours = CreateGCAux::new()
        .foreground(format.pixel(INK))
        .background(format.pixel(PAPER_RAISED))
        .graphics_exposures(0)
        .font(font);
    wire.create_gc(context, connection.root(), &colours)
        .map_err(gone)?;
    Ok(context)
}

/// Where a window of that size is in the middle of the monitor.
fn centred(monitor: Rect, (width, height): (u16, u16)) -> (i16, i16) {
    let middle = |from: i32, room: u32, size: u16| {
        let spare = i64::from(room) - i64::from(size);
        i16::try_from(i64::from(from) + spare.max(0) / 2).unwrap_or(0)
    };
    (
        middle(monitor.x, monitor.width, width),
        middle(monitor.y, monitor.height, height),
    )
}

fn holds(area: Rectangle, (x, y): (i16, i16)) -> bool {
    let within = |from: i16, size: u16, at: i16| {
        (i32::from(from)..i32::from(from) + i32::from(size)).contains(&i32::from(at))
    };
    within(area.x, area.width, x) && within(area.y, area.height, y)
}
