//! schemathesis asks a real server everything that its OpenAPI document describes, and much that it does not:
//! no answer may be a fault (5xx), none may have a status, a type or a form that the document does not name.
//!
//! The packages come from Python's registry the first time. Where it cannot be reached the test says so, loudly,
//! and is skipped; whatever schemathesis finds fails it. The seed is fixed, so that two runs ask the same: some
//! 3,000 requests, in less than 100 seconds. `./dev test --thorough` asks for much more, one thing after another too.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use glasshour_tests::Server;
use glasshour_tests::python::Environment;
use glasshour_tests::server::Owner;

const SCHEMATHESIS: Environment = Environment {
    name: "python-schemathesis",
    requirements: include_str!("../python/requirements-schemathesis.txt"),
    imports: "schemathesis",
};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,unsupported_method";

/// What is asked of each operation: all that its document suggests, and some requests at random.
const BOUNDED: [&str; 4] = ["--phases", "coverage,fuzzing", "--max-examples", "1"];

/// The same with many more, and each answer's ids asked for again elsewhere.
const THOROUGH: [&str; 4] = [
    "--phases",
    "coverage,fuzzing,stateful",
    "--max-examples",
    "100",
];

#[test]
fn the_served_document_holds_whatever_is_asked() -> Result<()> {
    let python = match SCHEMATHESIS.python() {
        Ok(python) => python,
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("!! SKIPPED: schemathesis cannot be had: {error:#}");
            eprintln!("!! What the OpenAPI document promises was NOT held against the server.");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let folder = tempfile::Builder::new().prefix("glasshour-").tempdir()?;
    let owner = Owner {
        email: "owner@acme.example".into(),
        password: "correct horse 1".into(),
    };
    let mut server = Server::start(folder.path(), "Acme", owner)?;
    let output = Command::new(python.with_file_name("schemathesis"))
        .arg("run")
        .arg(format!("{}/api/openapi.json", server.url()))
        .args([
            "--header",
            &format!("Authorization: Bearer {}", server.init.api_token),
        ])
        .args(["--checks", CHECKS, "--seed", "1"])
        .args(["--suppress-health-check", "all"])
        .args(match std::env::var_os("GLASSHOUR_THOROUGH") {
            None => BOUNDED,
            Some(_) => THOROUGH,
        })
        .args([
            "--continue-on-failure",
            "--no-color",
            "--warnings",
            "off",
            "--no-shrink",
        ])
        .current_dir(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .context("cannot run schemathesis")?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    // A run that tested nothing would pass as well.
    let document = server.api().get_json("/api/openapi.json")?;
    let paths = document.get("paths").and_then(|paths| paths.as_object());
    let operations: usize = paths
        .context("paths")?
        .values()
        .filter_map(|item| item.as_object())
        .map(serde_json::Map::len)
        .sum();
    let tested = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Tested: ")?.parse().ok());
    // It leaves out what it cannot make a request of; that is one operation at most.
    let enough = tested.is_some_and(|tested: usize| tested + 1 >= operations);
    ensure!(enough, "of {operations}: {said}");
    ensure!(server.is_running()?, "the server has ended");
    println!(
        "{}",
        said.lines().rev().take(4).collect::<Vec<_>>().join(" | ")
    );
    Ok(())
}
