//! The windows on the screen, by the window server's own list.
//!
//! Titles of other programs' windows are in it only where macOS lets this program record the screen; the
//! names of programs always are. Everything is in points.

use objc2_core_foundation::{
    CFArray, CFDictionary, CFNumber, CFRetained, CFString, CFType, CGRect,
};
use objc2_core_graphics::{
    CGRectMakeWithDictionaryRepresentation, CGWindowListCopyWindowInfo, CGWindowListOption,
    kCGWindowBounds, kCGWindowLayer, kCGWindowName, kCGWindowNumber, kCGWindowOwnerName,
    kCGWindowOwnerPID,
};

use crate::platform::text::clean;
use crate::platform::{Rect, Unavailable, Window};

/// Longest title kept, in characters.
const MAX_TITLE_CHARS: usize = 512;
/// Longest name of an application kept, in characters.
const MAX_NAME_CHARS: usize = 128;

/// What the list says of one window.
type Entry = CFDictionary<CFString, CFType>;

/// Every window that can be seen, lowest first. `front`: the process of the application in front.
pub(super) fn visible(front: Option<i32>) -> Result<Vec<Window>, Unavailable> {
    let options =
        CGWindowListOption::OptionOnScreenOnly | CGWindowListOption::ExcludeDesktopElements;
    let list = CGWindowListCopyWindowInfo(options, 0).ok_or_else(|| {
        Unavailable::Gone("macOS does not list the windows of this session".to_owned())
    })?;
    // SAFETY: its documentation says that it holds dictionaries with texts for keys.
    let list = unsafe { CFRetained::cast_unchecked::<CFArray<Entry>>(list) };
    let mut front = front;
    let mut windows: Vec<Window> = list
        .iter()
        .filter_map(|entry| {
            // SAFETY: the name of a member is a constant of the system.
            let is_ordinary = number(&entry, unsafe { kCGWindowLayer }) == Some(0);
            // SAFETY: as above.
            let owner = number(&entry, unsafe { kCGWindowOwnerPID });
            // The highest ordinary window of the application in front has the focus.
            let active = is_ordinary && front.is_some() && owner == front;
            let window = describe(&entry, active)?;
            if active {
                front = None;
            }
            Some(window)
        })
        .collect();
    windows.reverse();
    Ok(windows)
}

fn describe(entry: &Entry, active: bool) -> Option<Window> {
    // SAFETY: the names of members are constants of the system.
    let (application, title) = unsafe { (kCGWindowOwnerName, kCGWindowName) };
    // SAFETY: as above.
    let id = number(entry, unsafe { kCGWindowNumber })?;
    Some(Window {
        id: u64::try_from(id).ok()?,
        application: clean(
            &text(entry, application).unwrap_or_default(),
            MAX_NAME_CHARS,
        ),
        title: clean(&text(entry, title).unwrap_or_default(), MAX_TITLE_CHARS),
        area: area(entry)?,
        active,
    })
}

fn area(entry: &Entry) -> Option<Rect> {
    // SAFETY: the name of a member is a constant of the system.
    let bounds = entry.get(unsafe { kCGWindowBounds })?;
    let bounds = bounds.downcast::<CFDictionary>().ok()?;
    let mut rect = CGRect::default();
    // SAFETY: the dictionary is the one that the system makes of a rectangle, and the place is ours.
    let is_read = unsafe { CGRectMakeWithDictionaryRepresentation(Some(&bounds), &raw mut rect) };
    is_read.then(|| super::rect(rect)).flatten()
}

fn text(entry: &Entry, name: &CFString) -> Option<String> {
    let value = entry.get(name)?.downcast::<CFString>().ok()?;
    Some(value.to_string())
}

fn number(entry: &Entry, name: &CFString) -> Option<i32> {
    entry.get(name)?.downcast::<CFNumber>().ok()?.as_i32()
}
