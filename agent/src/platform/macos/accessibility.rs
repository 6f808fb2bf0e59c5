//! The title of the window in front, by the accessibility interface.
//!
//! macOS gives it only where the person has allowed this program to use that interface, and asks once. It
//! could do much more; this file reads one text.

use std::ffi::c_void;
use std::ptr::NonNull;

use objc2_core_foundation::{CFBoolean, CFDictionary, CFRetained, CFString, CFType};

const FOCUSED_WINDOW: &str = "AXFocusedWindow";
const TITLE: &str = "AXTitle";
/// `kAXTrustedCheckOptionPrompt`
const PROMPT: &str = "AXTrustedCheckOptionPrompt";
/// Longest time that another program may take to answer, seconds.
const PATIENCE_S: f32 = 0.5;

#[link(name = "ApplicationServices", kind = "framework")]
unsafe extern "C" {
    fn AXIsProcessTrustedWithOptions(options: *const c_void) -> bool;
    fn AXUIElementCreateApplication(process: i32) -> *mut CFType;
    fn AXUIElementSetMessagingTimeout(element: *const CFType, seconds: f32) -> i32;
    fn AXUIElementCopyAttributeValue(
        element: *const CFType,
        attribute: *const CFString,
        value: *mut *mut CFType,
    ) -> i32;
}

/// Whether titles may be read; the person is asked, the first time.
pub(super) fn is_allowed() -> bool {
    let prompt = CFString::from_static_str(PROMPT);
    let options = CFDictionary::from_slices(&[&*prompt], &[CFBoolean::new(true)]);
    let options: *const CFDictionary<CFString, CFBoolean> = &raw const *options;
    // SAFETY: a dictionary with the one member that the function knows, which outlives the call.
    unsafe { AXIsProcessTrustedWithOptions(options.cast()) }
}

/// The title of the focused window of a process, if it tells.
pub(super) fn title(process: i32) -> Option<String> {
    // SAFETY: takes a number; what it makes is ours.
    let application = owned(unsafe { AXUIElementCreateApplication(process) })?;
    // SAFETY: the element is the one just made. Where it fails the system's own patience counts.
    unsafe { AXUIElementSetMessagingTimeout(&raw const *application, PATIENCE_S) };
    let window = attribute(&application, FOCUSED_WINDOW)?;
    let title = attribute(&window, TITLE)?.downcast::<CFString>().ok()?;
    Some(title.to_string())
}

fn attribute(element: &CFType, name: &'static str) -> Option<CFRetained<CFType>> {
    let name = CFString::from_static_str(name);
    let mut value = std::ptr::null_mut();
    // SAFETY: element and name outlive the call, and the place for the value is ours.
    let status =
        unsafe { AXUIElementCopyAttributeValue(element, &raw const *name, &raw mut value) };
    if status == 0 { owned(value) } else { None }
}

/// Takes over what a function that creates or copies has given.
fn owned(value: *mut CFType) -> Option<CFRetained<CFType>> {
    // SAFETY: by the naming rule of Core Foundation such a value is the caller's to release.
    NonNull::new(value).map(|value| unsafe { CFRetained::from_raw(value) })
}
