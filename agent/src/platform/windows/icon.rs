//! The mark for a state, as Windows wants icons.

use glasshour_assets::TrayIcon as Picture;
use windows::Win32::UI::WindowsAndMessaging::{CreateIcon, DestroyIcon, HICON};

use crate::tray::Icon as State;

/// Side of the icon, pixels; Windows scales it.
const PIXELS: u32 = 32;

/// An icon, destroyed when it is dropped. It stays on its thread.
pub(super) struct Icon(HICON);

impl Icon {
    pub(super) fn of(state: State) -> windows::core::Result<Self> {
        let picture = match state {
            State::Off => Picture::Off,
            State::Tracking => Picture::Tracking,
            State::Paused => Picture::Paused,
            State::Problem => Picture::Problem,
        };
        let mut colours = glasshour_assets::tray(picture, PIXELS);
        for pixel in colours.as_chunks_mut::<4>().0 {
            pixel.swap(0, 2);
        }
        // One bit a pixel, where no alpha is known: all of it is drawn.
        let mask = vec![0_u8; (PIXELS * PIXELS / 8) as usize];
        let side = i32::try_from(PIXELS).unwrap_or_default();
        // SAFETY: both pictures are as large as is said, and are copied.
        let icon = unsafe { CreateIcon(None, side, side, 1, 32, mask.as_ptr(), colours.as_ptr()) }?;
        Ok(Self(icon))
    }

    pub(super) fn handle(&self) -> HICON {
        self.0
    }
}

impl Drop for Icon {
    fn drop(&mut self) {
        // SAFETY: it was made by us, and what shows it has a copy.
        let _ = unsafe { DestroyIcon(self.0) };
    }
}
