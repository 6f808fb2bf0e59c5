//! `./dev windows`: builds the agent for Windows, and hands over to `glasshour-windows`, which runs its
//! tests and a worklog under wine.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::toolchain::{Toolchain, script, target_dir};
use crate::progress::Steps;
use crate::{root, run};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// Crates whose every test is for any system. Those of `license-format` that call the compiler are not
/// among them: there is none under wine.
const ANYWHERE: [&str; 4] = [
    "glasshour-protocol",
    "glasshour-license-format",
    "glasshour-words",
    "glasshour-uploader",
];
/// Tests that are for Linux, by how they begin, and tests that call the compiler.
const NOT_HERE: [&str; 2] = ["platform_", "permits"];
/// What begins like one that is for Linux, and is for any system.
const HERE_AFTER_ALL: &str = "platform_fake";

/// A library of nokhwa's that nobody uses would have all of `windows` in its list of exports, where there is
/// no room for that; mingw lists everything in it unless it is told not to.
const LINKER: &str = "#!/bin/sh
exec x86_64-w64-mingw32-gcc \"$@\" -Wl,--exclude-all-symbols
";

/// What to do.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only build the programs
    #[arg(long)]
    build: bool,
    /// Only tests whose name contains this word; without the worklog
    #[arg(long, value_name = "WORD", conflicts_with = "build")]
    test: Option<String>,
    /// Only the worklog, without the tests
    #[arg(long, conflicts_with_all = ["build", "test"])]
    worklog: bool,
}

/// Builds, then becomes `glasshour-windows`.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::new(if args.build || args.worklog { 2 } else { 3 });
    let toolchain = Toolchain::ready(TARGET, &mut steps)?.with(
        "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER",
        script("link-for-windows", LINKER)?,
    );
    steps.loud(
        "build the agent for Windows",
        &mut toolchain.cargo("build", &["-p", "glasshour-agent", "--bins"]),
    )?;
    let agent = toolchain.programs().join("glasshour.exe");
    if args.build {
        println!("{}", agent.display());
        return Ok(());
    }
    let mut words = vec!["--agent".into(), agent.into_os_string()];
    words.extend(["--prefix".into(), target_dir().join("wine").into()]);
    if args.worklog {
        words.push("--worklog".into());
    } else {
        let tests = steps.work("build the tests for Windows", || tests(&toolchain))?;
        if tests.is_empty() {
            bail!("no test was built");
        }
        let each = tests.into_iter().map(PathBuf::into_os_string);
        words.extend(each.flat_map(|test| ["--test".into(), test]));
    }
    if let Some(word) = &args.test {
        words.extend(["--only".into(), word.into()]);
    }
    run::become_program(run::Profile::Debug, "glasshour-windows", words)
}

/// Builds the tests; gives the programs that hold them.
fn tests(toolchain: &Toolchain) -> Result<Vec<PathBuf>> {
    let mut packages: Vec<&str> = ANYWHERE.iter().flat_map(|name| ["-p", name]).collect();
    packages.extend(["--lib", "--tests"]);
    let mut agent = vec!["-p".to_owned(), "glasshour-agent".into(), "--lib".into()];
    for name in agent_tests()? {
        agent.extend(["--test".into(), name]);
    }
    let agent: Vec<&str> = agent.iter().map(String::as_str).collect();
    let mut found = built(toolchain, &packages)?;
    found.extend(built(toolchain, &agent)?);
    found.retain(|path| !is_not_here(&name_of(path)));
    Ok(found)
}

/// The agent's integration tests that are for any system.
fn agent_tests() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root::root().join("agent/tests"))? {
        let path = entry?.path();
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        let name = name_of(&path);
        if is_rust && !is_not_here(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn is_not_here(name: &str) -> bool {
    NOT_HERE.iter().any(|begin| name.starts_with(begin)) && !name.starts_with(HERE_AFTER_ALL)
}

fn name_of(path: &std::path::Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn built(toolchain: &Toolchain, arguments: &[&str]) -> Result<Vec<PathBuf>> {
    let words = ["--no-run", "--message-format=json-render-diagnostics"];
    let mut command = toolchain.cargo("test", &[&words[..], arguments].concat());
    let output = loudly(&mut command)?;
    Ok(executables(&output))
}

/// The compiler's words go to the terminal, cargo's messages to us.
fn loudly(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo test --no-run ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The test programs that cargo's messages name.
fn executables(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message.pointer("/profile/test") == Some(&Value::Bool(true)))
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .collect()
}

#[cfg(test)]
mod tests_of_it {
    use super::*;

    #[test]
    fn tests_for_this_system_alone_are_left_out() {
        assert!(is_not_here("platform_screens"));
        assert!(is_not_here("permits-0123456789abcdef"));
        assert!(!is_not_here("platform_fake-0123456789abcdef"));
        assert!(!is_not_here("engine"));
        let names = agent_tests().unwrap();
        assert!(
            names.contains(&"engine".to_owned()) && names.len() > 5,
            "{names:?}"
        );
    }

    #[test]
    fn programs_that_hold_tests_are_found_among_cargos_messages() {
        let messages = "{\"profile\":{\"test\":true},\"executable\":\"/a/one.exe\"}\n\
                        {\"profile\":{\"test\":false},\"executable\":\"/a/two.exe\"}\n\
                        {\"profile\":{\"test\":true},\"executable\":null}\nno message\n";
        assert_eq!(executables(messages), [PathBuf::from("/a/one.exe")]);
    }
}
