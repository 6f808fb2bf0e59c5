//! A permit has no constructor, no default, and cannot be converted from its settings.

use glasshour_license_format::{Permit, ScreenshotSettings, Screenshots};

fn main() {
    let _ = Permit::<Screenshots>::from_settings(ScreenshotSettings::default());
    let _ = Permit::<Screenshots>::default();
    let _: Permit<Screenshots> = ScreenshotSettings::default().into();
}
