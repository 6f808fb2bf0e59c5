//! The settings of a permit can be read and not changed.

use glasshour_license_format::{Permit, Screenshots};

fn through_the_accessor(permit: &mut Permit<Screenshots>) {
    permit.settings().per_hour = 3600;
}

fn main() {}
