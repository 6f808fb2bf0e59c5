//! The agent's own tests, as they were built for Windows: each program of them under wine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use glasshour_tests::Desktop;

use crate::wine::Wine;

/// Runs all of them, and fails when one of them has; gives how many tests have passed.
pub(crate) fn run(wine: &Wine, programs: &[PathBuf], only: Option<&str>) -> Result<u32> {
    let folder = tempfile::Builder::new().prefix("glasshour-").tempdir()?;
    let desktop = Desktop::start(folder.path(), (1024, 768))?;
    let mut passed = 0;
    let mut failed = Vec::new();
    for program in programs {
        let name = program.file_stem().unwrap_or_default().to_string_lossy();
        let name = name.rsplit_once('-').map_or(&*name, |(name, _)| name);
        let output = start(wine, &desktop, folder.path(), program, only)?;
        match counted(&output) {
            Some((good, 0)) => {
                if good > 0 {
                    println!("  {name}: {good} passed");
                }
                passed += good;
            }
            outcome => {
                passed += outcome.map_or(0, |(good, _)| good);
                println!("  {name}: FAILED\n{output}");
                failed.push(name.to_owned());
            }
        }
    }
    if !failed.is_empty() {
        bail!(
            "{passed} tests passed, and some failed in: {}",
            failed.join(", ")
        );
    }
    Ok(passed)
}

fn start(
    wine: &Wine,
    desktop: &Desktop,
    folder: &Path,
    program: &Path,
    only: Option<&str>,
) -> Result<String> {
    let words = wine.command(program);
    let (first, rest) = words.split_first().context("no program is named")?;
    let output = Command::new(first)
        .args(rest)
        .args(only)
        .arg("--test-threads=2")
        .envs(wine.environment(Some(desktop)))
        .env("TMP", windows_path(folder))
        .env("TEMP", windows_path(folder))
        // What a snapshot is compared with is read only.
        .env("INSTA_UPDATE", "no")
        .env("INSTA_WORKSPACE_ROOT", windows_path(&workspace()?))
        .current_dir(workspace()?)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    Ok(format!("{out}{err}"))
}

/// This system's files are the drive Z.
pub(crate) fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.to_string_lossy().replace('/', "\\"))
}

fn workspace() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_owned)
        .context("the tests lie in a workspace")
}

/// Passed and failed, as the test harness says in its last line: `test result: ok. 3 passed; 0 failed; …`.
fn counted(output: &str) -> Option<(u32, u32)> {
    let line = output
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("test result: "))?;
    let number = |word: &str| {
        let before = line.split(word).next()?.trim_end();
        before.rsplit(' ').next()?.parse().ok()
    };
    let counts = (number("passed;")?, number("failed;")?);
    (line.starts_with("ok.") == (counts.1 == 0)).then_some(counts)
}

#[cfg(test)]
mod tests_of_it {
    use super::*;

    #[test]
    fn the_last_line_of_a_test_program_is_understood() {
        let ok = "running 3 tests\n\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n";
        assert_eq!(counted(ok), Some((3, 0)));
        let bad = "test result: FAILED. 10 passed; 2 failed; 0 ignored\r\n";
        assert_eq!(counted(bad), Some((10, 2)));
        assert_eq!(counted("thread panicked\n"), None);
        assert_eq!(counted("test result: ok. 1 passed; 1 failed;"), None);
    }
}
