//! Neither claims nor a signature convert into trust.

use glasshour_license_format::{Claims, License, SignedLicense};

fn trusted(signed: SignedLicense) -> License {
    signed.into()
}

fn signed(claims: Claims) -> SignedLicense {
    claims.into()
}

fn main() {}
