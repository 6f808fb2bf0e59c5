//! Licenses are readable by others: a Python JOSE library reads ours, and we read its.
//!
//! `tests/python/license.py` is a second reader and issuer, written from `license-format/FORMAT.md` on
//! top of joserfc, zlib and jsonschema. Whatever one of the two accepts and the other refuses is a
//! fault in a reader or in the description. Python's packages are pinned, and installed once into an
//! environment in the user's cache folder; later runs need no network. Without Python this fails.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a license that has other parts than it must have fails the test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use glasshour_license_format::read;
use glasshour_protocol::jws;
use glasshour_tests::python::{Environment, run};
use glasshour_tests::server::Owner;
use glasshour_tests::{Server, profiles, programs};
use serde_json::{Value, json};

const JOSE: Environment = Environment {
    name: "python-jose",
    requirements: include_str!("../python/requirements.txt"),
    imports: "joserfc, jsonschema",
};

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn license_py(command: &str) -> Result<Command> {
    let mut python = Command::new(JOSE.python()?);
    python
        .arg(in_repository("tests/python/license.py"))
        .arg(command);
    Ok(python)
}

/// What Python says of each file: `claims` and `kid`, or `error` and `by`.
fn python_reads(files: &[PathBuf]) -> Result<Vec<Value>> {
    let out = run(license_py("read")?
        .arg(in_repository("license-format/schema/license-v1.json"))
        .args(files))?;
    let answers: Vec<Value> = out
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(
        answers.len() == files.len(),
        "an answer for each file: {out}"
    );
    Ok(answers)
}

/// The two readers see one license in a file.
fn both_read(file: &Path) -> Result<()> {
    let ours = read(&std::fs::read(file)?)?;
    let theirs = python_reads(&[file.to_owned()])?.remove(0);
    ensure!(theirs.get("error").is_none(), "Python refuses: {theirs}");
    assert_eq!(theirs["kid"], ours.thumbprint());
    let claims = serde_json::from_value(theirs["claims"].clone())?;
    assert_eq!(ours.claims(), &claims);
    let steps = ours.key_history().announcements().iter();
    let former: Vec<_> = steps.map(|step| step.former.as_str()).collect();
    assert_eq!(theirs["former"], json!(former));
    Ok(())
}

/// Alters one member of the JWS inside of a file and packs it anew.
fn altered(file: &[u8], change: impl FnOnce(&mut Value)) -> Result<Vec<u8>> {
    use std::io::Write as _;
    let mut json = Vec::new();
    let mut inflate = flate2::write::GzDecoder::new(&mut json);
    inflate.write_all(file)?;
    inflate.finish()?;
    let mut envelope = serde_json::from_slice(&json)?;
    change(&mut envelope);
    let mut pack = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    pack.write_all(envelope.to_string().as_bytes())?;
    Ok(pack.finish()?)
}

/// What an attacker would change in any license, whoever signed it.
fn both_refuse_alterations(file: &Path) -> Result<()> {
    let good = std::fs::read(file)?;
    let part = |envelope: &Value, name: &str| -> Vec<u8> {
        jws::from_base64url(envelope[name].as_str().unwrap()).unwrap()
    };
    let swap = |name: &'static str, from: &'static str, to: &'static str| {
        move |envelope: &mut Value| {
            let text = String::from_utf8(part(envelope, name)).unwrap();
            assert!(text.contains(from), "{text}");
            envelope[name] = json!(jws::base64url(text.replacen(from, to, 1).as_bytes()));
        }
    };
    let flip = |envelope: &mut Value| {
        let mut signature = part(envelope, "signature");
        signature[40] ^= 1;
        envelope["signature"] = json!(jws::base64url(&signature));
    };
    let forgeries = [
        altered(&good, swap("payload", "Jo", "Al"))?,
        altered(&good, swap("protected", "EdDSA", "none"))?,
        altered(&good, swap("protected", "EdDSA", "HS256"))?,
        altered(&good, flip)?,
        altered(&good, |envelope| envelope["header"] = json!({}))?,
        [good.clone(), good.clone()].concat(),
        good[..good.len() - 3].to_vec(),
    ];
    let folder = tempfile::tempdir()?;
    let mut files = Vec::new();
    for (index, forgery) in forgeries.iter().enumerate() {
        assert!(read(forgery).is_err(), "we accept forgery {index}");
        files.push(folder.path().join(format!("{index}.license.gz")));
        std::fs::write(&files[index], forgery)?;
    }
    for (index, answer) in python_reads(&files)?.iter().enumerate() {
        assert!(
            answer["error"].is_string(),
            "Python accepts forgery {index}: {answer}"
        );
    }
    Ok(())
}

#[test]
fn python_reads_the_golden_license_as_we_do() -> Result<()> {
    let golden = in_repository("license-format/fixtures/v1/golden.license.gz");
    both_read(&golden)?;
    both_refuse_alterations(&golden)
}

#[test]
fn python_follows_a_changed_key_as_we_do() -> Result<()> {
    let rotated = in_repository("license-format/fixtures/v1/rotated.license.gz");
    both_read(&rotated)?;
    both_refuse_alterations(&rotated)
}

#[test]
fn python_reads_a_license_that_our_server_has_just_issued() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let owner = Owner {
        email: "owner@acme.example".into(),
        password: "correct horse 1".into(),
    };
    let server = Server::start(folder.path(), "Acme", owner)?;
    let api = server.api();
    let profile = api.create_profile("For Jo Doe", &profiles::eager())?;
    let employee = api.create_employee("Jo Doe", "worklog", &profile)?;
    let file = folder.path().join("jo.license.gz");
    std::fs::write(&file, api.license_gz(&employee)?)?;
    both_read(&file)?;
    both_refuse_alterations(&file)
}

#[test]
fn a_license_signed_by_python_is_read_by_us_and_by_the_agent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("python.license.gz");
    run(license_py("sign")?
        .arg(in_repository("license-format/fixtures/v1/claims.json"))
        .arg("07".repeat(32))
        .arg(&file))?;
    both_read(&file)?;
    both_refuse_alterations(&file)?;

    let golden = read(&std::fs::read(in_repository(
        "license-format/fixtures/v1/golden.license.gz",
    ))?)?;
    assert_eq!(read(&std::fs::read(&file)?)?.claims(), golden.claims());
    let shown = run(Command::new(programs::ours("glasshour")?)
        .args(["license", "show"])
        .arg(&file)
        .env("GLASSHOUR_HOME", folder.path().join("home")))?;
    assert!(shown.contains("Jo Doe"), "{shown}");
    Ok(())
}

#[test]
fn python_refuses_every_frozen_damage_and_the_schema_says_what_our_ranges_say() -> Result<()> {
    /// Rules over two members, or over the world: a schema cannot say them, `FORMAT.md` does.
    const BEYOND_A_SCHEMA: [&str; 3] = [
        "ends-before-it-begins",
        "hours-that-end-before-they-begin",
        "time-zone-unknown",
    ];
    let folder = in_repository("license-format/fixtures/v1/damaged");
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json"))?)?;
    let files: Vec<_> = expected
        .keys()
        .map(|name| folder.join(format!("{name}.license.gz")))
        .collect();
    let mut by_schema = 0;
    for ((name, expected), answer) in expected.iter().zip(python_reads(&files)?) {
        assert!(answer["error"].is_string(), "{name}: {answer}");
        if ["Invalid", "UnknownVersion"].contains(&expected["error"].as_str().unwrap_or_default()) {
            let by = if BEYOND_A_SCHEMA.contains(&name.as_str()) {
                "rules"
            } else {
                by_schema += 1;
                "schema"
            };
            assert_eq!(answer["by"], by, "{name}: {answer}");
        }
        // Its length and its letters are the schema's, the rest of a history is section 9.
        if expected["error"] == "KeyHistory" {
            let by = answer["by"].as_str().unwrap_or_default();
            assert!(["history", "schema"].contains(&by), "{name}: {answer}");
        }
    }
    assert!(by_schema >= 15, "only {by_schema} ranges were tried");
    Ok(())
}
