//! A license that is only whole hands out nothing.

use glasshour_license_format::SignedLicense;

fn hasty(signed: &SignedLicense) {
    let _ = signed.permits();
}

fn main() {}
