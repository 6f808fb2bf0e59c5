//! A license is read from its signed file and from nothing else.

use glasshour_license_format::{License, SignedLicense};

fn main() {
    let _: Result<SignedLicense, _> = serde_json::from_str("{}");
    let _: Result<License, _> = serde_json::from_str("{}");
}
