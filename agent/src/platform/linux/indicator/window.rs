//! The indicator's window: where it is, and that it stays in sight.
//!
//! Bypasses the window manager (override-redirect). It looks after itself whenever the server says
//! that something on the screen has changed, at most once in [`PACE`], so that two programs that both
//! want to be on top do not fight at full speed. `VisibilityNotify` alone would not do: under a
//! compositor no window ever counts as obscured.

use std::sync::Arc;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{ConnectionExt as _, NotifyMask};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask,
    StackMode, Visibility, WindowClass,
};

use super::drawing::{Drawn, Face, Pen};
use super::place::{BORDER, Corner, contains, max_width, place};
use crate::platform::linux::connection::{Connection, gone, refused};
use crate::platform::linux::introduce::{self, Atoms};
use crate::platform::linux::properties::WindowId;
use crate::platform::linux::screens::{has_monitors, main_monitor};
use crate::platform::linux::windows::top_levels;
use crate::platform::{Rect, Unavailable};

/// Shortest time between two looks at what lies above the window.
const PACE: Duration = Duration::from_millis(300);
/// After so many looks in turn that found it hidden, another program keeps it so: a lock screen, say.
const LOST_LOOKS: u32 = 3;
/// Time between two looks from then on: it does not flicker over what insists on being on top.
const PACE_WHEN_LOST: Duration = Duration::from_secs(3);
/// How long it stays away from under the pointer.
const STEP_ASIDE: Duration = Duration::from_secs(10);
/// What may have changed; each takes in the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    None,
    /// What lies above the window, or its own place.
    Windows,
    /// Monitors may have come or gone.
    Monitors,
}

/// The window and what is known of it.
pub(super) struct IndicatorWindow {
    connection: Arc<Connection>,
    atoms: Atoms,
    has_monitors: bool,
    pen: Pen,
    id: WindowId,
    face: Face,
    /// Width and height without the border.
    size: (u16, u16),
    monitor: Rect,
    corner: Corner,
    /// When to come back from [`Corner::Away`].
    home_at: Option<Duration>,
    /// What may have changed since the last look.
    doubt: Doubt,
    next_look: Duration,
    /// How many looks in turn have found it hidden.
    lost_looks: u32,
    /// On the screen, at its place, and no window above hides all of it.
    uncovered: bool,
    /// X says that nothing of it can be seen.
    fully_obscured: bool,
}

impl IndicatorWindow {
    /// Makes the window and shows the face.
    pub(super) fn open(connection: Arc<Connection>, face: Face) -> Result<Self, Unavailable> {
        let atoms = Atoms::of(&connection)?;
        let pen = Pen::new(&connection)?;
        let id = create(&connection, &pen)?;
        let has_monitors = has_monitors(&connection)?;
        watch(&connection, has_monitors)?;
        let monitor = main_monitor(&connection, has_monitors)?;
        let mut window = Self {
            connection,
            atoms,
            has_monitors,
            pen,
            id,
            face,
            size: (1, 1),
            monitor,
            corner: Corner::Home,
            home_at: None,
            doubt: Doubt::None,
            next_look: Duration::ZERO,
            lost_looks: 0,
            uncovered: false,
            fully_obscured: false,
        };
        introduce::introduce(
            &window.connection,
            &window.atoms,
            id,
            window.atoms._NET_WM_WINDOW_TYPE_NOTIFICATION,
        )?;
        window.draw()?;
        window.straighten()?;
        window.look()?;
        Ok(window)
    }

    /// Shows another face.
    pub(super) fn show(&mut self, face: Face) -> Result<(), Unavailable> {
        if self.face == face {
            return Ok(());
        }
        self.face = face;
        if self.is_off() {
            self.corner = Corner::Home;
            self.home_at = None;
        }
        self.draw()?;
        self.straighten()?;
        self.look()
    }

    /// Takes note of what the server says.
    pub(super) fn react(&mut self, event: &Event, now: Duration) -> Result<(), Unavailable> {
        match event {
            Event::VisibilityNotify(visibility) => {
                self.fully_obscured = visibility.state == Visibility::FULLY_OBSCURED;
                if visibility.state != Visibility::UNOBSCURED {
                    self.doubt = self.doubt.max(Doubt::Windows);
                }
            }
            Event::EnterNotify(_) | Event::ButtonPress(_) => return self.step_aside(now),
            Event::DestroyNotify(destroyed) if destroyed.window == self.id => {
                return Err(gone("another program has closed the indicator"));
            }
            Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => {
                self.doubt = Doubt::Monitors;
            }
            Event::ConfigureNotify(configured) if configured.window == self.connection.root() => {
                self.doubt = Doubt::Monitors;
            }
            Event::ConfigureNotify(_)
            | Event::MapNotify(_)
            | Event::UnmapNotify(_)
            | Event::DestroyNotify(_)
            | Event::ReparentNotify(_)
            | Event::GravityNotify(_)
            | Event::CirculateNotify(_) => self.doubt = self.doubt.max(Doubt::Windows),
            Event::Error(error) => tracing::debug!(?error, "the indicator met an X error"),
            _ => {}
        }
        Ok(())
    }

    /// Does what is due.
    pub(super) fn settle(&mut self, now: Duration) -> Result<(), Unavailable> {
        if self.home_at.is_some_and(|home_at| home_at <= now) {
            self.home_at = None;
            self.corner = Corner::Home;
            self.straighten()?;
        }
        if self.doubt == Doubt::None || now < self.next_look {
            return Ok(());
        }
        if std::mem::replace(&mut self.doubt, Doubt::None) == Doubt::Monitors {
            self.monitor = main_monitor(&self.connection, self.has_monitors)?;
            self.draw()?;
        }
        let is_straight = self.look_for_trouble()?;
        if self.can_be_seen() {
            self.lost_looks = 0;
        } else {
            self.lost_looks = self.lost_looks.saturating_add(1);
            self.doubt = Doubt::Windows;
        }
        self.next_look = now
            + if self.lost_looks < LOST_LOOKS {
                PACE
            } else {
                PACE_WHEN_LOST
            };
        if !is_straight {
            self.straighten()?;
            self.look()?;
        }
        Ok(())
    }

    /// When [`settle`](Self::settle) has to be called even if nothing happens.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let look = (self.doubt > Doubt::None).then_some(self.next_look);
        [self.home_at, look].into_iter().flatten().min()
    }

    /// Whether the person can see it, as far as X tells; also where there is nothing to show.
    ///
    /// A glimpse now and then does not count, where another program keeps covering it.
    pub(super) fn is_in_sight(&self) -> bool {
        self.can_be_seen() && self.lost_looks < LOST_LOOKS
    }

    /// Whether it is hidden, but may be seen again in a moment.
    pub(super) fn is_coming_up(&self) -> bool {
        !self.can_be_seen() && self.lost_looks < LOST_LOOKS && self.doubt > Doubt::None
    }

    fn can_be_seen(&self) -> bool {
        self.is_off() || (self.uncovered && !self.fully_obscured)
    }

    fn is_off(&self) -> bool {
        self.face.is_off
    }

    /// Makes way for the pointer, to the other corner.
    fn step_aside(&mut self, now: Duration) -> Result<(), Unavailable> {
        self.corner = match self.corner {
            Corner::Home => Corner::Away,
            Corner::Away => Corner::Home,
        };
        self.home_at = (self.corner == Corner::Away).then_some(now + STEP_ASIDE);
        self.straighten()
    }

    /// Draws the face as the window's background, which the server repaints by itself.
    fn draw(&mut self) -> Result<(), Unavailable> {
        let wire = self.connection.wire();
        let Drawn {
            pixmap,
            width,
            height,
        } = self
            .pen
            .draw(&self.connection, &self.face, max_width(self.monitor))?;
        self.size = (width, height);
        let background = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
        wire.change_window_attributes(self.id, &background)
            .map_err(gone)?;
        wire.free_pixmap(pixmap).map_err(gone)?;
        wire.clear_area(false, self.id, 0, 0, 0, 0).map_err(gone)?;
        introduce::name(&self.connection, &self.atoms, self.id, &self.face.text)
    }

    /// Puts the window on top at its place, or takes it off the screen.
    fn straighten(&mut self) -> Result<(), Unavailable> {
        let wire = self.connection.wire();
        if self.is_off() {
            // Waits for the server: when this is reported, nothing is on the screen any more.
            return wire
                .unmap_window(self.id)
                .map_err(gone)?
                .check()
                .map_err(refused);
        }
        let Rect { x, y, .. } = self.area();
        let (width, height) = self.size;
        let place = ConfigureWindowAux::new()
            .x(x)
            .y(y)
            .width(u32::from(width))
            .height(u32::from(height))
            .border_width(u32::from(BORDER))
            .stack_mode(StackMode::ABOVE);
        wire.configure_window(self.id, &place).map_err(gone)?;
        wire.map_window(self.id).map_err(gone)?;
        Ok(())
    }

    /// Looks at the screen: whether the window can be seen.
    fn look(&mut self) -> Result<(), Unavailable> {
        self.look_for_trouble().map(drop)
    }

    /// As [`look`](Self::look); `true`: the window is at its place, and nothing lies over it.
    fn look_for_trouble(&mut self) -> Result<bool, Unavailable> {
        if self.is_off() {
            return Ok(true);
        }
        let area = self.area();
        let mut rest = top_levels(&self.connection)?
            .into_iter()
            .skip_while(|window| window.id != self.id);
        let is_at_its_place = rest.next().is_some_and(|window| window.area == area);
        let above: Vec<Rect> = rest
            .map(|window| window.area)
            .filter(|&other| other.overlaps(area))
            .collect();
        self.uncovered = is_at_its_place && !above.iter().any(|&other| contains(other, area));
        Ok(is_at_its_place && above.is_empty())
    }

    /// Where it belongs, border included.
    fn area(&self) -> Rect {
        place(self.monitor, self.size, self.corner)
    }
}

fn create(connection: &Connection, pen: &Pen) -> Result<WindowId, Unavailable> {
    let wire = connection.wire();
    let id = wire.generate_id().map_err(refused)?;
    let attributes = CreateWindowAux::new()
        .override_redirect(1)
        .border_pixel(pen.border_pixel())
        .event_mask(
            EventMask::VISIBILITY_CHANGE | EventMask::ENTER_WINDOW | EventMask::BUTTON_PRESS,
        );
    wire.create_window(
        connection.screen().root_depth,
        id,
        connection.root(),
        0,
        0,
        1,
        1,
        BORDER,
        WindowClass::INPUT_OUTPUT,
        connection.screen().root_visual,
        &attributes,
    )
    .map_err(gone)?
    .check()
    .map_err(refused)?;
    Ok(id)
}

/// Asks to be told of what happens to windows and monitors.
fn watch(connection: &Connection, has_monitors: bool) -> Result<(), Unavailable> {
    let wire = connection.wire();
    let events = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::STRUCTURE_NOTIFY;
    wire.change_window_attributes(
        connection.root(),
        &ChangeWindowAttributesAux::new().event_mask(events),
    )
    .map_err(gone)?;
    if has_monitors {
        let changes =
            NotifyMask::SCREEN_CHANGE | NotifyMask::CRTC_CHANGE | NotifyMask::OUTPUT_CHANGE;
        wire.randr_select_input(connection.root(), changes)
            .map_err(gone)?;
    }
    Ok(())
}
