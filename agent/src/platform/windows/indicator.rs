//! The agent's own indicator: a small window above all others, for sessions without a taskbar.
//!
//! Nothing may be captured unseen (tenet 3), so this asks for nothing but a screen. It takes no focus and
//! no menu: the command line does what the tray's menu does.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windows::Win32::Foundation::COLORREF;
use windows::Win32::Foundation::{HWND, LRESULT, POINT, RECT};
use windows::Win32::Graphics::Gdi::{
    BeginPaint, COLOR_WINDOW, COLOR_WINDOWTEXT, CreateFontIndirectW, DT_CALCRECT, DT_LEFT,
    DT_NOPREFIX, DT_SINGLELINE, DT_VCENTER, DeleteObject, DrawTextW, EndPaint, FillRect, GetDC,
    GetSysColor, GetSysColorBrush, HDC, HFONT, InvalidateRect, PAINTSTRUCT, ReleaseDC,
    SelectObject, SetBkMode, SetTextColor, TRANSPARENT, UpdateWindow,
};
use windows::Win32::UI::WindowsAndMessaging::{
    DI_NORMAL, DrawIconEx, GetClientRect, HWND_TOPMOST, IsWindowVisible, NONCLIENTMETRICSW,
    SPI_GETNONCLIENTMETRICS, SPI_GETWORKAREA, SW_HIDE, SWP_NOACTIVATE, SWP_SHOWWINDOW,
    SetWindowPos, ShowWindow, SystemParametersInfoW, WM_PAINT, WS_BORDER, WS_EX_NOACTIVATE,
    WS_EX_TOOLWINDOW, WS_EX_TOPMOST, WS_POPUP, WindowFromPoint,
};

use super::icon::Icon;
use super::messages::{Message, MessageWindow, Receiver, Style, WM_OWN};
use crate::platform::text::clean;
use crate::platform::{Tray, Unavailable};
use crate::tray::{Icon as State, View};

/// Takes up the latest face; answers whether it can be seen.
const WM_FACE: u32 = WM_OWN;
/// Longest text, in characters.
const MAX_CHARS: usize = 100;
/// Around icon and text, and the side of the icon, in pixels at 96 to the inch.
const GAP: i32 = 6;
const ICON: i32 = 16;

/// The indicator; it leaves when this is dropped.
pub(super) struct Indicator {
    face: Arc<Mutex<Face>>,
    window: MessageWindow,
}

/// What the indicator says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Face {
    icon: State,
    text: String,
    /// Nothing runs: the window is not on the screen.
    is_off: bool,
}

impl Face {
    fn of(view: &View) -> Self {
        Self {
            icon: view.icon,
            text: clean(&view.label, MAX_CHARS),
            is_off: view.icon == State::Off && !view.running,
        }
    }
}

impl Indicator {
    pub(super) fn open(view: &View) -> Result<Self, Unavailable> {
        let face = Arc::new(Mutex::new(Face::of(view)));
        let style = Style {
            extended: WS_EX_TOPMOST | WS_EX_TOOLWINDOW | WS_EX_NOACTIVATE,
            style: WS_POPUP | WS_BORDER,
        };
        let window = MessageWindow::open("indicator", style, {
            let face = Arc::clone(&face);
            move |_| {
                Ok(Panel {
                    face,
                    drawn: RefCell::new(None),
                    font: Font::of_the_system(),
                })
            }
        })?;
        window.post(WM_FACE)?;
        Ok(Self { face, window })
    }
}

impl Tray for Indicator {
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        *lock(&self.face) = Face::of(view);
        self.window.post(WM_FACE)
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        Ok(self.window.ask(WM_FACE) != 0)
    }
}

fn lock(face: &Mutex<Face>) -> MutexGuard<'_, Face> {
    face.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The window's thread.
struct Panel {
    face: Arc<Mutex<Face>>,
    drawn: RefCell<Option<Face>>,
    font: Font,
}

impl Receiver for Panel {
    fn receive(&self, message: Message) -> Option<LRESULT> {
        match message.id {
            WM_FACE => Some(LRESULT(self.settle(message.window).into())),
            WM_PAINT => {
                self.paint(message.window);
                Some(LRESULT(0))
            }
            _ => None,
        }
    }
}

impl Panel {
    /// Brings the window to what the face says, above whatever has come over it. Tells whether it can be
    /// seen; at rest, whether it could.
    fn settle(&self, window: HWND) -> bool {
        let face = lock(&self.face).clone();
        if face.is_off {
            // SAFETY: the window is this thread's.
            let _ = unsafe { ShowWindow(window, SW_HIDE) };
            *self.drawn.borrow_mut() = None;
            return true;
        }
        let Some(area) = self.place(window, &face) else {
            return false;
        };
        let (width, height) = (area.right - area.left, area.bottom - area.top);
        let flags = SWP_NOACTIVATE | SWP_SHOWWINDOW;
        let above = Some(HWND_TOPMOST);
        // SAFETY: the window is this thread's.
        let moved =
            unsafe { SetWindowPos(window, above, area.left, area.top, width, height, flags) };
        if moved.is_err() {
            return false;
        }
        if self.drawn.borrow().as_ref() != Some(&face) {
            *self.drawn.borrow_mut() = Some(face);
            // SAFETY: as above; the whole of it is drawn anew.
            let _ = unsafe { InvalidateRect(Some(window), None, true) };
        }
        // SAFETY: as above.
        let _ = unsafe { UpdateWindow(window) };
        let middle = POINT {
            x: area.left + width / 2,
            y: area.top + height / 2,
        };
        // SAFETY: it asks about a window.
        let visible = unsafe { IsWindowVisible(window) }.as_bool();
        // SAFETY: it asks about a place.
        visible && unsafe { WindowFromPoint(middle) } == window
    }

    /// The lower right corner of what is free of the main monitor.
    fn place(&self, window: HWND, face: &Face) -> Option<RECT> {
        let mut free = RECT::default();
        // SAFETY: the place is a RECT, as this question wants.
        unsafe {
            SystemParametersInfoW(
                SPI_GETWORKAREA,
                0,
                Some((&raw mut free).cast()),
                Default::default(),
            )
        }
        .ok()?;
        // SAFETY: the window is this thread's; what is got is given back.
        let context = unsafe { GetDC(Some(window)) };
        let mut text = RECT::default();
        self.text(context, &face.text, &mut text, true);
        // SAFETY: as above.
        unsafe { ReleaseDC(Some(window), context) };
        let width = (text.right + ICON + 3 * GAP).min(free.right - free.left);
        let height = text.bottom.max(ICON) + 2 * GAP;
        (width > 0 && height > 0).then_some(RECT {
            left: free.right - width,
            top: free.bottom - height,
            right: free.right,
            bottom: free.bottom,
        })
    }

    fn paint(&self, window: HWND) {
        let mut painting = PAINTSTRUCT::default();
        // SAFETY: called for WM_PAINT, on the window's thread; ended below.
        let context = unsafe { BeginPaint(window, &raw mut painting) };
        let face = lock(&self.face).clone();
        // SAFETY: takes a number; the brush is the system's.
        let paper = unsafe { GetSysColorBrush(COLOR_WINDOW) };
        // SAFETY: the context is ours until `EndPaint`.
        unsafe { FillRect(context, &raw const painting.rcPaint, paper) };
        let height = inner_height(window);
        if let Ok(icon) = Icon::of(face.icon) {
            let top = (height - ICON) / 2;
            // SAFETY: as above, and the icon outlives the call.
            let _ = unsafe {
                DrawIconEx(
                    context,
                    GAP,
                    top,
                    icon.handle(),
                    ICON,
                    ICON,
                    0,
                    None,
                    DI_NORMAL,
                )
            };
        }
        let mut area = RECT {
            left: ICON + 2 * GAP,
            top: 0,
            right: i32::MAX / 2,
            bottom: height,
        };
        self.text(context, &face.text, &mut area, false);
        // SAFETY: as begun above.
        let _ = unsafe { EndPaint(window, &raw const painting) };
    }

    /// Draws the text, or only tells its size.
    fn text(&self, context: HDC, text: &str, area: &mut RECT, measure: bool) {
        let mut units: Vec<u16> = text.encode_utf16().collect();
        let mut format = DT_SINGLELINE | DT_NOPREFIX | DT_LEFT | DT_VCENTER;
        if measure {
            format |= DT_CALCRECT;
        }
        // SAFETY: the font is ours, and the context is the caller's.
        let last = unsafe { SelectObject(context, self.font.0.into()) };
        // SAFETY: takes a number.
        let ink = COLORREF(unsafe { GetSysColor(COLOR_WINDOWTEXT) });
        // SAFETY: the context is the caller's.
        unsafe { SetTextColor(context, ink) };
        // SAFETY: as above.
        unsafe { SetBkMode(context, TRANSPARENT) };
        // SAFETY: as above; text and area are ours.
        unsafe { DrawTextW(context, &mut units, area, format) };
        // SAFETY: puts back what was there.
        unsafe { SelectObject(context, last) };
    }
}

fn inner_height(window: HWND) -> i32 {
    let mut inside = RECT::default();
    // SAFETY: the place is ours.
    let _ = unsafe { GetClientRect(window, &raw mut inside) };
    inside.bottom
}

/// The font that the system has messages in; where it does not say, its default one.
struct Font(HFONT);

impl Font {
    fn of_the_system() -> Self {
        let size = u32::try_from(size_of::<NONCLIENTMETRICSW>()).unwrap_or_default();
        let mut metrics = NONCLIENTMETRICSW {
            cbSize: size,
            ..NONCLIENTMETRICSW::default()
        };
        let place = Some((&raw mut metrics).cast());
        // SAFETY: the place is as large as is said. A font of zeros is the default one.
        let _ = unsafe {
            SystemParametersInfoW(SPI_GETNONCLIENTMETRICS, size, place, Default::default())
        };
        // SAFETY: the description is ours.
        Self(unsafe { CreateFontIndirectW(&raw const metrics.lfMessageFont) })
    }
}

impl Drop for Font {
    fn drop(&mut self) {
        // SAFETY: it was made by us and is in no context.
        let _ = unsafe { DeleteObject(self.0.into()) };
    }
}
