//! The windows on the screen, what they are called and which program each belongs to.

use std::path::Path;

use windows::Win32::Foundation::{CloseHandle, HWND, LPARAM, RECT};
use windows::Win32::Graphics::Dwm::{
    DWMWA_CLOAKED, DWMWA_EXTENDED_FRAME_BOUNDS, DwmGetWindowAttribute,
};
use windows::Win32::System::Threading::{
    OpenProcess, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};
use windows::Win32::UI::WindowsAndMessaging::{
    EnumChildWindows, EnumWindows, GetForegroundWindow, GetWindowRect, GetWindowTextW,
    GetWindowThreadProcessId, IsIconic, IsWindowVisible,
};
use windows::core::{BOOL, PWSTR};

use super::text_of;
use crate::platform::text::clean;
use crate::platform::{Rect, Unavailable, Window};

/// Longest title kept, in characters.
const MAX_TITLE_CHARS: usize = 512;
/// Longest name of an application kept, in characters.
const MAX_NAME_CHARS: usize = 128;
/// Longest path of a program.
const MAX_PATH_CHARS: usize = 1024;
/// The frame around applications from the store; the application itself is a window within.
const STORE_FRAME: &str = "ApplicationFrameHost";

/// Every window that can be seen, lowest first.
pub(super) fn visible() -> Result<Vec<Window>, Unavailable> {
    let mut found: Vec<HWND> = Vec::new();
    let place = LPARAM((&raw mut found) as isize);
    // SAFETY: `collect` takes the place as what it is, during this call alone.
    unsafe { EnumWindows(Some(collect), place) }.map_err(|cause| {
        Unavailable::Gone(format!("Windows does not list the windows ({cause})"))
    })?;
    let active = active();
    found.reverse();
    Ok(found
        .into_iter()
        .filter(|window| is_seen(*window))
        .filter_map(|window| describe(window, Some(window) == active))
        .collect())
}

/// The window in the foreground.
pub(super) fn active() -> Option<HWND> {
    // SAFETY: it takes nothing.
    let window = unsafe { GetForegroundWindow() };
    (!window.is_invalid()).then_some(window)
}

/// What is known of a window; `None`: it has gone, or has no extent.
pub(super) fn describe(window: HWND, active: bool) -> Option<Window> {
    let area = area(window)?;
    let mut title = [0; MAX_TITLE_CHARS];
    // SAFETY: the place says how large it is. Of windows of other programs no message is waited for.
    unsafe { GetWindowTextW(window, &mut title) };
    Some(Window {
        id: window.0 as u64,
        application: application(window),
        title: clean(&text_of(&title), MAX_TITLE_CHARS),
        area,
        active,
    })
}

extern "system" fn collect(window: HWND, place: LPARAM) -> BOOL {
    // SAFETY: the callers of this file pass a vector that outlives the enumeration.
    let found = unsafe { &mut *(place.0 as *mut Vec<HWND>) };
    found.push(window);
    true.into()
}

/// Windows of other desktops and suspended ones of the store are "cloaked": visible, and not seen.
fn is_seen(window: HWND) -> bool {
    // SAFETY: asks about a window; one that has gone is not visible.
    let visible = unsafe { IsWindowVisible(window) }.as_bool();
    // SAFETY: as above.
    let minimised = unsafe { IsIconic(window) }.as_bool();
    let mut cloaked = 0_u32;
    // SAFETY: the place is ours and four bytes large. Without a compositor nothing is cloaked.
    let _ = unsafe { DwmGetWindowAttribute(window, DWMWA_CLOAKED, (&raw mut cloaked).cast(), 4) };
    visible && !minimised && cloaked == 0
}

/// The frame as it is seen; the rectangle that the system names first has an unseen border.
fn area(window: HWND) -> Option<Rect> {
    let mut rect = RECT::default();
    let bytes = u32::try_from(size_of::<RECT>()).ok()?;
    let place = (&raw mut rect).cast();
    // SAFETY: the place is a RECT of ours.
    let framed =
        unsafe { DwmGetWindowAttribute(window, DWMWA_EXTENDED_FRAME_BOUNDS, place, bytes) };
    if framed.is_err() || rect.right <= rect.left {
        // SAFETY: as above.
        unsafe { GetWindowRect(window, &raw mut rect) }.ok()?;
    }
    let width = u32::try_from(rect.right.checked_sub(rect.left)?).ok()?;
    let height = u32::try_from(rect.bottom.checked_sub(rect.top)?).ok()?;
    (width > 0 && height > 0).then_some(Rect {
        x: rect.left,
        y: rect.top,
        width,
        height,
    })
}

/// The name of the window's program, without `.exe`.
fn application(window: HWND) -> String {
    let process = process_of(window);
    let name = program(process).unwrap_or_default();
    if name != STORE_FRAME {
        return name;
    }
    let mut within: Vec<HWND> = Vec::new();
    let place = LPARAM((&raw mut within) as isize);
    // SAFETY: `collect` takes the place as what it is, during this call alone.
    let _ = unsafe { EnumChildWindows(Some(window), Some(collect), place) };
    within
        .into_iter()
        .map(process_of)
        .find(|inner| *inner != process)
        .and_then(program)
        .unwrap_or(name)
}

fn process_of(window: HWND) -> u32 {
    let mut process = 0;
    // SAFETY: the place is ours; of a window that has gone nothing is written.
    unsafe { GetWindowThreadProcessId(window, Some(&raw mut process)) };
    process
}

fn program(process: u32) -> Option<String> {
    // SAFETY: asks for a handle by number; it is closed below.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, false, process) }.ok()?;
    let mut path = [0; MAX_PATH_CHARS];
    let mut chars = u32::try_from(path.len()).unwrap_or_default();
    let place = PWSTR(path.as_mut_ptr());
    // SAFETY: the place is as large as is said, and the handle is open.
    let named =
        unsafe { QueryFullProcessImageNameW(handle, PROCESS_NAME_WIN32, place, &raw mut chars) };
    // SAFETY: it was opened above and is used no more.
    let _ = unsafe { CloseHandle(handle) };
    named.ok()?;
    let path = text_of(&path);
    let name = Path::new(&path).file_stem()?.to_string_lossy();
    Some(clean(&name, MAX_NAME_CHARS))
}
