//! Gate 1 at the capture channels: none can be built without the permit of a trusted license.
//!
//! Each file in `tests/ui` tries a way around a permit and says in its second line with which errors
//! the compiler must refuse it; one is the right way and must compile. They are compiled against the
//! library that this test is linked with. (trybuild would check the 300 crates below the agent anew:
//! minutes, for four small files.) How a permit is come by is proved in license-format.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use glasshour_agent::capture::screenshot::Screenshotter;

/// The agent's library: of those beside this test, the one that cargo built last.
fn library(folder: &Path) -> PathBuf {
    let built = |path: &PathBuf| path.metadata().unwrap().modified().unwrap();
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libglasshour_agent-") && name.ends_with(".rlib")
        })
        .max_by_key(built)
        .expect("this test is linked with it")
}

/// The errors by their codes, in order, and as the compiler said them; none where the file compiles.
fn errors(file: &Path) -> (Vec<String>, String) {
    let test = std::env::current_exe().unwrap();
    let libraries = test.parent().unwrap();
    let out = tempfile::tempdir().unwrap();
    let output = Command::new(Path::new(env!("CARGO")).with_file_name("rustc"))
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata"])
        .args(["--error-format=short", "--cap-lints=allow", "--out-dir"])
        .arg(out.path())
        .arg(format!("-Ldependency={}", libraries.display()))
        .arg("--extern")
        .arg(format!("glasshour_agent={}", library(libraries).display()))
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let codes: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once(": error"))
        .map(|(_, rest)| match rest.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap().to_owned(),
            None => "no code".to_owned(),
        })
        .collect();
    assert_eq!(codes.is_empty(), output.status.success(), "{text}");
    (codes, text)
}

#[test]
fn no_capture_channel_can_be_built_without_its_permit() {
    // Named, so that cargo links the library.
    let _ = Screenshotter::new;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let (mut refused, mut accepted) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let source = std::fs::read_to_string(&file).unwrap();
        let expected: Vec<&str> = source
            .lines()
            .find_map(|line| line.strip_prefix("//! refused: "))
            .map_or_else(Vec::new, |codes| codes.split(", ").collect());
        let (codes, text) = errors(&file);
        assert_eq!(codes, expected, "{}:\n{text}", file.display());
        refused += usize::from(!codes.is_empty());
        accepted += usize::from(codes.is_empty());
    }
    assert_eq!((refused, accepted), (3, 1));
}
