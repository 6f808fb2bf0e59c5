//! Gate 1 of "the license is a contract", proved by what does not compile: a permit comes out of a
//! trusted license and from nowhere else, and trust comes from `SignedLicense::trust` alone.
//!
//! Each file in `tests/ui` tries one way around; the `.stderr` beside it is why the compiler refuses.
//! After an intended change: `TRYBUILD=overwrite cargo test -p glasshour-license-format --test permits`.

#[test]
fn there_is_no_way_to_a_permit_but_a_trusted_license() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
