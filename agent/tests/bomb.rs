//! A license file made to do harm: 1 GiB of zeros in a megabyte of gzip.
//!
//! What bounds the damage is the cap on bytes, and that is what is asserted: the reader's memory stays
//! below 4 MiB, whatever the file inflates to. The time it took is printed, for whoever is curious.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be written or read fails the test"
)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use glasshour_agent::license::read_file;
use glasshour_license_format::{MAX_FILE_BYTES, ReadError, read};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// Writes the bomb a megabyte at a time.
fn bomb(path: &std::path::Path) -> u64 {
    let file = std::fs::File::create(path).unwrap();
    let mut gzip = GzEncoder::new(file, Compression::default());
    let zeros = vec![0; MIB];
    for _ in 0..1024 {
        gzip.write_all(&zeros).unwrap();
    }
    gzip.finish().unwrap().metadata().unwrap().len()
}

/// Reads a file as the agent does, and says how much memory that took beyond what was in use.
#[expect(
    clippy::disallowed_methods,
    reason = "the time is printed, nothing depends on it"
)]
fn load(path: &std::path::Path) -> (ReadError, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let start = std::time::Instant::now();
    let error = read(&read_file(path).unwrap()).unwrap_err();
    let took = start.elapsed();
    let extra = MEMORY.peak_usage().saturating_sub(before);
    println!("{error}: {took:?}, {extra} bytes of memory");
    (error, extra)
}

#[test]
fn a_bomb_of_a_gibibyte_is_refused_within_four_mebibytes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("bomb.license.gz");
    let size = bomb(&whole);
    assert!(size > MAX_FILE_BYTES as u64, "{size} bytes");

    let (error, extra) = load(&whole);
    assert!(matches!(error, ReadError::FileTooLarge), "{error}");
    assert!(extra < 4 * MIB, "{extra} bytes");

    // As much of it as passes for a license by its length: that still inflates to 64 MiB.
    let first = folder.path().join("first.license.gz");
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&first, &bytes[..MAX_FILE_BYTES]).unwrap();
    drop(bytes);
    let (error, extra) = load(&first);
    assert!(matches!(error, ReadError::InflatedTooLarge), "{error}");
    assert!(extra < 4 * MIB, "{extra} bytes");
    assert!(extra > 64 * 1024, "the allocator counts: {extra} bytes");
}
