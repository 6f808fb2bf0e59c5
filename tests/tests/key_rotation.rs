//! The employer changes its signing key while people work: agents follow without a hand, and nobody else can
//! make them follow.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::SigningKey;
use glasshour_license_format::succession::announce;
use glasshour_license_format::{Claims, read, sign};
use glasshour_tests::wait::{wait_until, when};
use glasshour_tests::{Agent, Seen, profiles, programs, tell};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);
/// The server is asked for news every half minute.
const NEWS: Duration = Duration::from_mins(1);

/// Runs `rotate-key` beside the server; gives what it answered.
fn rotate(data: &Path) -> Result<Value> {
    let output = Command::new(programs::ours("glasshour-server")?)
        .args(["rotate-key", "--yes", "--json", "--data"])
        .arg(data)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "rotate-key: {said}");
    serde_json::from_slice(&output.stdout).context("rotate-key --json")
}

fn key(rotated: &Value, member: &str) -> String {
    let found = rotated.get(member).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn serial(agent: &Agent) -> Result<u64> {
    let status = agent.wait_for_state("tracking", SOON)?;
    let serial = status.0.pointer("/license/serial");
    Ok(serial.and_then(Value::as_u64).unwrap_or(0))
}

/// What `license load` says of a license that it must not load.
fn refusal(agent: &Agent, folder: &Path, file: &[u8]) -> Result<String> {
    let path = folder.join("offered.license.gz");
    std::fs::write(&path, file)?;
    let answer = agent.call([
        "license".as_ref(),
        "load".as_ref(),
        path.as_os_str(),
        "--yes".as_ref(),
    ])?;
    ensure!(answer.code != 0, "it was loaded: {}", answer.out);
    Ok(answer.err)
}

/// The secret of the key in use, as somebody who has copied the server's disk would have it.
fn stolen_key(data: &Path, copy: &Path) -> Result<SigningKey> {
    for ending in ["", "-wal"] {
        let name = format!("glasshour.sqlite{ending}");
        if data.join(&name).exists() {
            std::fs::copy(data.join(&name), copy.join(&name))?;
        }
    }
    let database = rusqlite::Connection::open(copy.join("glasshour.sqlite"))?;
    let secret: Vec<u8> = database.query_row(
        "SELECT secret FROM signing_keys WHERE retired_at IS NULL",
        [],
        |row| row.get(0),
    )?;
    let seed: [u8; 32] = secret.try_into().ok().context("a key has 32 bytes")?;
    Ok(SigningKey::from_bytes(&seed))
}

#[test]
fn p17_agents_follow_a_new_signing_key_without_a_hand_and_nobody_elses() -> Result<()> {
    tell(|story| {
        let api = story.api();
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?.ok()?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        let enough = (SOON, "two screenshots at the server");
        Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 2))?;
        let session = story.agent.status()?.0["session_id"].clone();

        let thief = tempfile::tempdir()?;
        let stolen = stolen_key(story.server.data(), thief.path())?;
        let rotated = rotate(story.server.data())?;
        wait_until(NEWS, "the license by the new key to be in force", || {
            Ok(when(serial(&story.agent)? == 2))
        })?;
        let (former, new) = (key(&rotated, "former_key"), key(&rotated, "key"));
        let list = story.agent.call(["license", "list"])?.ok()?.out;
        assert!(list.contains(&new) && !list.contains(&former), "{list}");
        let told = "has changed its signing key";
        for command in [&["status"][..], &["license", "show"][..]] {
            let said = story.agent.call(command)?.ok()?.out;
            assert!(said.contains(told), "{said}");
            assert!(said.contains(&format!("{former} → {new}")), "{said}");
        }
        let before = Seen::now(&api, &employee)?.pictures();
        let more = (SOON, "pictures under the license by the new key");
        Seen::when(&api, &employee, more, |seen| {
            Ok(seen.pictures() > before + 1)
        })?;

        // Somebody else's key, with a history that nobody signed, or that they signed themselves.
        let current = read(&api.license_gz(&employee)?)?.claims().clone();
        let company = current.issuer.company_id;
        let theirs = SigningKey::from_bytes(&[66; 32]);
        let forge = |history: Vec<String>, signer: &SigningKey| -> Result<Vec<u8>> {
            let mut claims: Claims = current.clone();
            claims.serial = 1_000;
            claims.issuer.key_history = history;
            Ok(sign(&claims, signer)?)
        };
        let folder = story.folder().to_owned();
        let made_up = SigningKey::from_bytes(&[67; 32]);
        let step = announce(
            company,
            &made_up,
            &theirs.verifying_key(),
            current.issued_at,
        );
        for forged in [forge(Vec::new(), &theirs)?, forge(vec![step], &theirs)?] {
            let said = refusal(&story.agent, &folder, &forged)?;
            assert!(
                said.contains("is the one trusted for this company"),
                "{said}"
            );
        }
        // The key that went: a higher serial, and an announcement of a key of the thief's own.
        let said = refusal(&story.agent, &folder, &forge(Vec::new(), &stolen)?)?;
        assert!(said.contains("has given up for"), "{said}");
        let step = announce(company, &stolen, &theirs.verifying_key(), current.issued_at);
        let said = refusal(&story.agent, &folder, &forge(vec![step], &theirs)?)?;
        assert!(
            said.contains("is the one trusted for this company"),
            "{said}"
        );

        let status = story.agent.status()?;
        assert_eq!(status.0["license"]["serial"], 2, "nothing of it is loaded");
        story.agent.call(["stop"])?.ok()?;
        story.agent.wait_for_empty_spool(SOON)?;
        assert_eq!(story.agent.status()?.quarantined(), 0, "nothing was lost");
        assert!(session.is_string(), "a session ran");
        story.balance(&employee)?.check()
    })
}

#[test]
fn an_agent_that_missed_two_changes_follows_a_file_handed_over_by_hand() -> Result<()> {
    tell(|story| {
        let api = story.api();
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?.ok()?;
        let first = rotate(story.server.data())?;
        let second = rotate(story.server.data())?;
        assert_eq!(first["key"], second["former_key"]);
        let newer = story.folder().join("newer.license.gz");
        std::fs::write(&newer, api.license_gz(&employee)?)?;
        // No network: the server is away when the file is loaded.
        story.server.kill_hard()?;
        let said = story.agent.load(&newer)?.ok()?.out;
        let (former, new) = (key(&first, "former_key"), key(&second, "key"));
        assert!(said.contains(&format!("{former} → {new}")), "{said}");
        story.server.start_again()?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        let enough = (SOON, "a screenshot at the server");
        Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 1))?;
        let said = refusal(&story.agent, story.folder(), &std::fs::read(&file)?)?;
        assert!(said.contains("has given up for"), "{said}");
        Ok(())
    })
}
