//! Fuzzes the license reader with whole files, and with what stands inside the gzip.
//!
//! Seeds: `cargo +nightly fuzz run read fuzz/corpus/read fixtures/v1 fixtures/v1/damaged`.

#![no_main]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use glasshour_license_format::read;
use libfuzzer_sys::fuzz_target;

/// What the golden license says: the only claims whose signature a fuzzer has at hand.
const GOLDEN: &[u8] = include_bytes!("../../fixtures/v1/golden.license.gz");

fn nothing_else(file: &[u8]) {
    if let Ok(license) = read(file) {
        let golden = read(GOLDEN).expect("it is golden");
        if license.thumbprint() == golden.thumbprint() {
            assert_eq!(license.claims(), golden.claims());
        }
    }
}

fuzz_target!(|data: &[u8]| {
    nothing_else(data);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(data).expect("writing to memory");
    nothing_else(&gzip.finish().expect("writing to memory"));
});
