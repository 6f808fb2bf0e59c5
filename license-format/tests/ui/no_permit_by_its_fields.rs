//! The fields of a permit cannot be reached.

use glasshour_license_format::{Permit, Screenshots};

fn through_the_field(permit: &mut Permit<Screenshots>) {
    permit.settings.per_hour = 3600;
}

fn main() {}
