//! How long there has been no input in this session, by the system's own clock.

use std::time::Duration;

use windows::Win32::System::SystemInformation::GetTickCount;
use windows::Win32::UI::Input::KeyboardAndMouse::{GetLastInputInfo, LASTINPUTINFO};

use crate::platform::{Idle, Unavailable};

/// Idle time of this session.
pub(super) struct WindowsIdle;

impl Idle for WindowsIdle {
    fn idle(&mut self) -> Result<Duration, Unavailable> {
        let mut last = LASTINPUTINFO {
            cbSize: u32::try_from(size_of::<LASTINPUTINFO>()).unwrap_or_default(),
            ..LASTINPUTINFO::default()
        };
        // SAFETY: the place is ours and says how large it is.
        if !unsafe { GetLastInputInfo(&raw mut last) }.as_bool() {
            return Err(Unavailable::Gone(
                "Windows does not tell when there was input last; it does again once you are back \
                 at this session's screen"
                    .to_owned(),
            ));
        }
        // SAFETY: it takes nothing and cannot fail.
        let now = unsafe { GetTickCount() };
        // Both counters begin anew every 49 days; input may have come since the first was read.
        let since = now.wrapping_sub(last.dwTime);
        let since = if since > u32::MAX / 2 { 0 } else { since };
        Ok(Duration::from_millis(since.into()))
    }
}
