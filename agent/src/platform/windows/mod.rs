//! The Windows desktop, by the system's own interfaces.
//!
//! | source       | by                                       | without it                         |
//! |--------------|------------------------------------------|------------------------------------|
//! | screens      | `screenshots` (xcap), GDI                | gone: no screen of this session    |
//! | windows      | `EnumWindows`, without cloaked ones      | an error: the caller does not trust|
//! | input        | raw input, a sleeping thread             | unsupported                        |
//! | foreground   | window events                            | gone                               |
//! | idle         | `GetLastInputInfo`                       | gone                               |
//! | tray         | an icon in the notification area         | gone, or [`Tray::is_shown`] says so|
//! | indicator    | a window of our own above the others     | gone                               |
//! | messages     | beside that icon, or in a box            | gone                               |
//! | camera       | nokhwa on Media Foundation               | a reason in words                  |
//! | sleep, locks | messages to a window that is never shown | sleep: clocks are compared         |
//!
//! Everything is in pixels of the monitors, whatever their scale. Making a [`WindowsDesktop`] opens
//! nothing. `unsafe` stands here for each call into the system, one call a block.
//!
//! [`Tray::is_shown`]: super::Tray::is_shown

mod area;
mod clock;
mod foreground;
mod icon;
mod identity;
mod idle;
mod indicator;
mod input;
mod menu;
mod messages;
mod notifier;
pub(crate) mod owner;
mod screens;
mod session;
mod tray;
mod windows;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use ::windows::Win32::Globalization::GetUserDefaultLocaleName;
use ::windows::Win32::UI::HiDpi::{
    DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2, SetProcessDpiAwarenessContext,
};
use ::windows::Win32::UI::Shell::ShellExecuteW;
use ::windows::Win32::UI::WindowsAndMessaging::SW_SHOWNORMAL;
use ::windows::core::{HSTRING, PCWSTR, w};
use glasshour_license_format::{Activity, Permit, Screenshots};

use self::area::Area;
use super::webcam::Webcam;
use super::{
    Camera, Foreground, Identity, Idle, Input, Notifier, Platform, Screens, SystemEvents, Told,
    Tray, Unavailable,
};
use crate::clock::Clock;
use crate::tray::{Action, View};

/// The desktop of the session that the agent runs in.
#[derive(Default)]
pub struct WindowsDesktop {
    /// Tray and messages share it while either is there.
    area: Mutex<Weak<Area>>,
}

impl WindowsDesktop {
    /// The desktop of this process. From now on the process sees true pixels.
    pub fn detect() -> Self {
        // SAFETY: takes a number. Before Windows 10 1703 it fails, and places are scaled.
        let aware =
            unsafe { SetProcessDpiAwarenessContext(DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2) };
        if let Err(cause) = aware {
            tracing::debug!(%cause, "the scale of monitors is not known");
        }
        Self::default()
    }

    fn area(&self) -> Result<Arc<Area>, Unavailable> {
        let mut known = self.area.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(area) = known.upgrade() {
            return Ok(area);
        }
        let area = Arc::new(Area::start()?);
        *known = Arc::downgrade(&area);
        Ok(area)
    }
}

impl Platform for WindowsDesktop {
    fn describe(&self) -> String {
        "windows desktop".to_owned()
    }

    fn identity(&self) -> Identity {
        identity::identity()
    }

    fn is_user(&self, name: &str) -> bool {
        identity::is_user(name)
    }

    fn clock(&self) -> Box<dyn Clock> {
        Box::new(clock::WindowsClock::new())
    }

    fn screens(&self, permit: &Permit<Screenshots>) -> Result<Box<dyn Screens>, Unavailable> {
        Ok(Box::new(screens::WindowsScreens::open(permit)))
    }

    fn input(&self, permit: &Permit<Activity>) -> Result<Box<dyn Input>, Unavailable> {
        Ok(Box::new(input::RawInput::open(permit)?))
    }

    fn foreground(&self, permit: &Permit<Activity>) -> Result<Box<dyn Foreground>, Unavailable> {
        Ok(Box::new(foreground::WindowsForeground::open(permit)?))
    }

    fn camera(&self, _permit: &Permit<glasshour_license_format::Camera>) -> Box<dyn Camera> {
        Box::new(Webcam)
    }

    fn idle(&self) -> Result<Box<dyn Idle>, Unavailable> {
        Ok(Box::new(idle::WindowsIdle))
    }

    fn notifier(&self) -> Result<Box<dyn Notifier>, Unavailable> {
        Ok(Box::new(notifier::AreaNotifier::new(self.area()?)))
    }

    fn tray(
        &self,
        view: &View,
        picked: Box<dyn Fn(Action) + Send + Sync>,
    ) -> Result<Box<dyn Tray>, Unavailable> {
        Ok(Box::new(tray::TrayIcon::open(self.area()?, view, picked)?))
    }

    fn indicator(&self, view: &View) -> Result<Box<dyn Tray>, Unavailable> {
        Ok(Box::new(indicator::Indicator::open(view)?))
    }

    fn system_events(&self, told: Told) -> Result<Box<dyn SystemEvents>, Unavailable> {
        Ok(Box::new(session::SessionEvents::open(told)?))
    }
}

/// Opens a file with the desktop's own viewer for its kind, and does not wait for it.
pub fn open_file(path: &std::path::Path) -> std::io::Result<()> {
    let path = HSTRING::from(path);
    let none = PCWSTR::null();
    // SAFETY: the texts end with a zero and outlive the call.
    let answer = unsafe { ShellExecuteW(None, w!("open"), &path, none, none, SW_SHOWNORMAL) };
    // A number that stands in the place of a handle.
    if answer.0 as usize > 32 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// The language and country of the user, such as `fr-FR`.
pub(super) fn locale() -> Option<String> {
    let mut name = [0; 85];
    // SAFETY: the place says how large it is.
    let length = unsafe { GetUserDefaultLocaleName(&mut name) };
    (length > 1).then(|| text_of(&name))
}

/// A text of the system's, up to the zero that ends it.
fn text_of(units: &[u16]) -> String {
    let text = units.split(|unit| *unit == 0).next().unwrap_or_default();
    String::from_utf16_lossy(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Message;
    use crate::tray::{Icon, Item};

    fn view(icon: Icon) -> View {
        View {
            icon,
            tooltip: "Glasshour: tracking Apollo for 1 h 12 m".to_owned(),
            label: "Glasshour: tracking Apollo".to_owned(),
            menu: vec![Item::Label("Apollo".to_owned())],
            running: icon != Icon::Off,
        }
    }

    #[test]
    fn the_icon_is_shown_in_each_state_and_a_message_beside_it() {
        let desktop = WindowsDesktop::detect();
        let mut tray = desktop.tray(&view(Icon::Off), Box::new(|_| {})).unwrap();
        for icon in [Icon::Tracking, Icon::Paused, Icon::Problem] {
            tray.show(&view(icon)).unwrap();
            assert_eq!(tray.is_shown(), Ok(true), "{icon:?}");
        }
        let message = Message {
            title: "Tracking has started".to_owned(),
            body: "Apollo".to_owned(),
            important: false,
        };
        let mut notifier = desktop.notifier().unwrap();
        notifier.notify(&message).unwrap();
        drop(tray);
        notifier.notify(&message).unwrap();
    }

    #[test]
    fn the_indicator_is_above_everything_while_something_runs() {
        let mut indicator = WindowsDesktop::detect()
            .indicator(&view(Icon::Tracking))
            .unwrap();
        assert_eq!(indicator.is_shown(), Ok(true));
        let is_listed = |windows: Vec<crate::platform::Window>| {
            windows.iter().any(|window| {
                window.title == "Glasshour" && window.area.width > 40 && window.area.height > 16
            })
        };
        assert!(is_listed(windows::visible().unwrap()));
        indicator.show(&view(Icon::Off)).unwrap();
        assert_eq!(indicator.is_shown(), Ok(true), "it could be");
        assert!(!is_listed(windows::visible().unwrap()));
    }

    #[test]
    fn each_monitor_gives_a_picture_of_its_size() {
        let mut screens = screens::WindowsScreens;
        let monitors = screens.monitors().unwrap();
        assert_eq!(monitors.iter().filter(|monitor| monitor.primary).count(), 1);
        for monitor in monitors {
            let frame = screens.grab(&monitor).unwrap();
            assert_eq!(
                (frame.width, frame.height),
                (monitor.area.width, monitor.area.height)
            );
            let pixels = frame.rgba.as_chunks::<4>().0;
            assert_eq!(pixels.len(), (frame.width * frame.height) as usize);
            assert!(pixels.iter().all(|pixel| pixel[3] == u8::MAX));
        }
    }

    #[test]
    fn idle_time_and_the_language_are_known() {
        assert!(WindowsDesktop::detect().idle().unwrap().idle().is_ok());
        let locale = locale().unwrap();
        assert!(locale.len() >= 2, "{locale}");
    }

    #[test]
    fn a_camera_that_is_not_there_is_told_in_words() {
        let why = Webcam.look().unwrap_err();
        assert!(why.to_string().contains("camera"), "{why}");
    }
}
