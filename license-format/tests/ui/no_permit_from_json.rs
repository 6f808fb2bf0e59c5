//! A permit cannot be deserialized.

use glasshour_license_format::{Permit, Screenshots};

fn main() {
    let _: Result<Permit<Screenshots>, _> = serde_json::from_str("{}");
}
