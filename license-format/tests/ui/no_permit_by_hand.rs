//! A permit has private fields.

use glasshour_license_format::{Permit, ScreenshotSettings, Screenshots};

fn main() {
    let _: Permit<Screenshots> = Permit {
        settings: ScreenshotSettings::default(),
    };
}
