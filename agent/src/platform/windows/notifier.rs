//! Messages beside the icon in the notification area; a longer one in a box of its own.
//!
//! Windows is asked first whether it shows messages at present: what nobody sees was not shown.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use windows::Win32::UI::Shell::{
    QUNS_BUSY, QUNS_NOT_PRESENT, QUNS_PRESENTATION_MODE, QUNS_RUNNING_D3D_FULL_SCREEN,
    SHQueryUserNotificationState,
};
use windows::Win32::UI::WindowsAndMessaging::{
    MB_ICONINFORMATION, MB_OK, MB_SETFOREGROUND, MB_TOPMOST, MessageBoxW,
};
use windows::core::HSTRING;

use super::area::{Area, MAX_BODY, MAX_TITLE};
use crate::platform::{Message, Notifier, Unavailable};

/// A box that could not be opened says so within this time.
const MOMENT: Duration = Duration::from_millis(300);

/// Shows messages in this session.
pub(super) struct AreaNotifier {
    area: Arc<Area>,
}

impl AreaNotifier {
    pub(super) fn new(area: Arc<Area>) -> Self {
        Self { area }
    }
}

impl Notifier for AreaNotifier {
    fn notify(&mut self, message: &Message) -> Result<(), Unavailable> {
        if fits(message) {
            shows_messages()?;
            self.area.tell(message)
        } else {
            show_box(message)
        }
    }
}

fn fits(message: &Message) -> bool {
    let units = |text: &str| text.encode_utf16().count();
    units(&message.title) <= MAX_TITLE && units(&message.body) <= MAX_BODY
}

fn shows_messages() -> Result<(), Unavailable> {
    // SAFETY: it takes nothing. Where Windows does not know, the message itself will tell.
    let state = unsafe { SHQueryUserNotificationState() };
    let is_in_the_way = state.is_ok_and(|state| {
        [
            QUNS_NOT_PRESENT,
            QUNS_BUSY,
            QUNS_RUNNING_D3D_FULL_SCREEN,
            QUNS_PRESENTATION_MODE,
        ]
        .contains(&state)
    });
    if is_in_the_way {
        return Err(Unavailable::Gone(
            "Windows shows no messages at present (a program fills the screen, or the screen is \
             locked); it does once that is over"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The box stays until it is closed; nobody waits for that.
fn show_box(message: &Message) -> Result<(), Unavailable> {
    let (title, body) = (
        HSTRING::from(message.title.as_str()),
        HSTRING::from(message.body.as_str()),
    );
    let (ended, has_ended) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("message".to_owned())
        .spawn(move || {
            let style = MB_OK | MB_ICONINFORMATION | MB_SETFOREGROUND | MB_TOPMOST;
            // SAFETY: both texts end with a zero and outlive the call.
            let answer = unsafe { MessageBoxW(None, &body, &title, style) };
            // Nobody listens any more once it was open for a moment.
            let _ = ended.send(answer.0 != 0);
        })
        .map_err(|cause| no_box(&cause))?;
    match has_ended.recv_timeout(MOMENT) {
        Ok(true) | Err(RecvTimeoutError::Timeout) => Ok(()),
        Ok(false) | Err(RecvTimeoutError::Disconnected) => Err(no_box(&"it did not open")),
    }
}

fn no_box(cause: &dyn std::fmt::Display) -> Unavailable {
    Unavailable::Gone(format!(
        "Windows shows no message in this session ({cause}); it is tried again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_beside_the_icon_is_told_from_what_has() {
        let message = |title: usize, body: &str| Message {
            title: "t".repeat(title),
            body: body.to_owned(),
            important: false,
        };
        assert!(fits(&message(MAX_TITLE, &"b".repeat(MAX_BODY))));
        assert!(!fits(&message(MAX_TITLE + 1, "b")));
        assert!(!fits(&message(1, &"b".repeat(MAX_BODY + 1))));
        // One character outside of the first plane takes two units.
        assert!(!fits(&message(1, &"\u{1f550}".repeat(MAX_BODY / 2 + 1))));
    }
}
