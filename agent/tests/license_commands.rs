//! The license commands as a person or a script meets them: the real binary, no agent running.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use ed25519_dalek::SigningKey;
use glasshour_agent::home::Home;
use glasshour_agent::license::{LicenseStore, LoadOptions};
use serde_json::{Value, json};
use uuid::Uuid;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../license-format/fixtures/v1/golden.license.gz"
);

struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn system(&self) -> PathBuf {
        self.dir.path().join("etc")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_in("C.UTF-8", arguments)
    }

    /// In a session of that locale, whatever that of the tests is.
    fn run_in(&self, locale: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_glasshour"))
            .env_remove("GLASSHOUR_LANG")
            .env_remove("LC_MESSAGES")
            .env("LC_ALL", locale)
            .arg("--home")
            .arg(self.home())
            .args(arguments)
            .env("GLASSHOUR_SYSTEM_CONFIG", self.system())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

/// What a license says of itself; its company, mode, serial and more are changed by the test.
fn claims(company: u128, mode: &str, serial: u64, per_hour: u32) -> Value {
    json!({
        "version": 1,
        "license_id": Uuid::from_u128(company * 100 + u128::from(serial)),
        "serial": serial,
        "issued_at": "2025-11-21T09:00:00Z",
        "issuer": {
            "company": "Acme",
            "company_id": Uuid::from_u128(company),
            "server_url": "https://time.acme.example",
        },
        "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
        "work_mode": mode,
        "profile": {"name": "Standard", "screenshots": {"per_hour": per_hour}},
    })
}

impl Desk {
    /// A file with that license, signed by its company.
    fn file(&self, claims: &Value) -> String {
        let claims: glasshour_license_format::Claims =
            serde_json::from_value(claims.clone()).unwrap();
        let key = claims.issuer.company_id.0.as_bytes().map(|byte| byte | 1);
        let key = SigningKey::from_bytes(&[key, key].concat().try_into().unwrap());
        let bytes = glasshour_license_format::sign(&claims, &key).unwrap();
        let path = self
            .dir
            .path()
            .join(format!("{}.license.gz", claims.license_id));
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn load(&self, claims: &Value) {
        let answer = self.run(&["license", "load", "--yes", &self.file(claims)]);
        assert!(answer.status.success(), "{}", text(&answer.stderr));
    }

    fn said(&self, arguments: &[&str]) -> String {
        text(&self.run(arguments).stdout).to_owned()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn in_json_mode_the_notice_is_shown_beside_the_answer_and_yes_is_recorded_as_such() {
    let desk = Desk::new();
    let answer = desk.run(&["license", "load", GOLDEN, "--yes", "--json"]);
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    assert!(serde_json::from_slice::<Value>(&answer.stdout).is_ok());
    assert!(text(&answer.stderr).contains("What is captured"));
    let notices = json_file(&desk.home().join("notices.json"));
    let entry = notices.as_object().unwrap().values().next().unwrap();
    assert_eq!(entry.get("event").unwrap(), "acknowledged");
    assert_eq!(entry.get("shown_by").unwrap(), "--yes");
}

#[test]
fn the_notice_is_in_the_readers_language_and_the_acknowledgement_says_in_which() {
    let desk = Desk::new();
    let english = desk.run(&["license", "show", GOLDEN]);
    assert!(text(&english.stdout).starts_with("What Acme captures of the work of Jo Doe\n"));
    let session = desk.run_in("fr_FR.UTF-8", &["license", "show", GOLDEN]);
    let asked_for = desk.run(&["--lang", "fr", "license", "show", GOLDEN]);
    assert_eq!(session.stdout, asked_for.stdout);
    let french = text(&session.stdout);
    assert!(french.starts_with("Ce qui est enregistré par Acme concernant Jo Doe\n"));
    assert!(
        french.contains("  - Ce que vous tapez\u{a0}: aucune touche"),
        "{french}"
    );
    assert!(
        french.ends_with(".\n") && french.contains("\nSignée avec la clé "),
        "{french}"
    );
    let script = desk.run_in("fr", &["license", "show", GOLDEN, "--json"]);
    let script: Value = serde_json::from_slice(&script.stdout).unwrap();
    assert_eq!(script["language"], "fr");

    let unknown = desk.run(&["--lang", "de", "license", "show", GOLDEN]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown.stderr));
    assert!(text(&unknown.stderr).contains("en (English), fr (Français)"));

    let nobody = desk.run_in("fr_FR.UTF-8", &["license", "load", GOLDEN]);
    assert!(text(&nobody.stderr).contains("ajoutez --yes si vous l’avez lu"));
    let loaded = desk.run_in("fr_FR.UTF-8", &["license", "load", GOLDEN, "--yes"]);
    assert!(text(&loaded.stdout).contains("La licence est chargée."));
    let notices = json_file(&desk.home().join("notices.json"));
    let entry = notices.as_object().unwrap().values().next().unwrap();
    assert_eq!(entry["language"], "fr");
}

#[test]
fn loading_the_very_same_license_again_says_so_and_asks_nothing() {
    let desk = Desk::new();
    assert!(
        desk.run(&["license", "load", GOLDEN, "--yes"])
            .status
            .success()
    );
    // Without --yes there is nobody to ask, and nothing to ask for.
    let again = desk.run(&["license", "load", GOLDEN]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("loaded already; nothing has changed"));
}

#[test]
fn a_file_that_nobody_trusts_writes_nothing_to_the_terminal_but_text() {
    /// `{"payl\u001b[2J\nok\u009b\u202e": 1}`, gzipped.
    const HOSTILE: &str =
        "H4sIAAAAAAACA6tWKkiszIkpNTAwTIo28orJy88GcSyTYkqNDIxSlawUDGsBV8/k+SQAAAA=";
    let desk = Desk::new();
    let path = desk.dir.path().join("hostile.license.gz");
    let bytes = base64::engine::general_purpose::STANDARD.decode(HOSTILE);
    std::fs::write(&path, bytes.unwrap()).unwrap();
    for command in [&["license", "load"][..], &["license", "show"]] {
        let answer = desk.run(&[command, &[path.to_str().unwrap()]].concat());
        let printed = text(&answer.stderr);
        assert!(!answer.status.success() && printed.contains("payl"));
        let lines: Vec<_> = printed.lines().collect();
        assert_eq!(lines.len(), 1, "{printed:?}");
        assert!(
            !printed
                .chars()
                .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
            "{printed:?}"
        );
    }
}

#[test]
fn an_error_says_why() {
    let desk = Desk::new();
    let answer = desk.run(&["license", "load", "/nowhere/jo.license.gz"]);
    assert!(text(&answer.stderr).contains("cannot read /nowhere/jo.license.gz: No such file"));
}

#[test]
fn a_license_that_bears_another_users_name_in_the_system_folder_is_not_loaded() {
    let desk = Desk::new();
    let folder = desk.system().join("license.d");
    std::fs::create_dir_all(&folder).unwrap();
    // There is one on every machine, and no test runs as it.
    let anothers = folder.join("daemon.license.gz");
    std::fs::copy(GOLDEN, &anothers).unwrap();
    let file = anothers.to_string_lossy();
    let refused = desk.run(&["license", "load", &file, "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(
        said.contains("is for the user daemon of this computer alone"),
        "{said}"
    );
    let doctor = desk.run(&["doctor"]);
    let said = text(&doctor.stdout);
    assert!(
        said.contains("1 more for other users of this computer"),
        "{said}"
    );
    assert!(!said.contains("Jo Doe"), "{said}");
}

#[test]
fn a_pipe_is_refused_at_once() {
    let desk = Desk::new();
    let pipe = desk.dir.path().join("pipe.license.gz");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let refused = desk.run(&["license", "show", &pipe.to_string_lossy()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("is not a file"));
}

#[test]
fn what_is_wrong_with_the_policy_is_said_where_the_agent_does_not_run() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.system()).unwrap();
    let policy = desk.system().join("policy.json");
    for (text_of, says) in [
        ("[]", "must be a JSON object"),
        (
            r#"{"allow_plain_http": ["http://acme.example"]}"#,
            "without http://",
        ),
    ] {
        std::fs::write(&policy, text_of).unwrap();
        for command in ["status", "stop"] {
            let answer = desk.run(&[command]);
            assert_eq!(answer.status.code(), Some(3), "{command}");
            let said = text(&answer.stderr);
            assert!(said.contains("policy.json cannot be read"), "{said}");
            assert!(said.contains(says), "{said}");
        }
        let run = desk.run(&["run"]);
        assert_eq!(run.status.code(), Some(1));
        assert!(text(&run.stderr).contains(says));
    }
}

#[test]
fn in_monitoring_mode_a_wider_license_waits_for_its_notice_and_everything_says_so_alike() {
    let desk = Desk::new();
    for (serial, per_hour) in [(1, 6), (2, 60)] {
        desk.load(&claims(1, "monitoring", serial, per_hour));
    }
    let list = desk.said(&["license", "list"]);
    assert!(
        list.contains("monitoring mode, profile Standard, serial 1\n"),
        "{list}"
    );
    assert!(
        list.contains("a newer one, serial 2, holds once its notice has been shown to you"),
        "{list}"
    );
    let show = desk.said(&["license", "show"]);
    assert!(
        show.contains("holds once its notice has been shown to you"),
        "{show}"
    );
    assert!(
        show.contains("In monitoring mode you are not asked"),
        "{show}"
    );
    for said in [&list, &show] {
        assert!(!said.contains("waits for you to agree"), "{said}");
    }
    let french = desk.run_in("fr_FR.UTF-8", &["license", "list"]);
    let french = text(&french.stdout);
    assert!(
        french.contains("mode surveillance, profil Standard"),
        "{french}"
    );

    // Where nobody reads it, it is not shown; nobody is asked, and nobody can refuse.
    let nobody = desk.run(&["license", "agree"]);
    assert!(!nobody.status.success());
    assert!(text(&nobody.stderr).contains("was shown to nobody"));
    assert!(desk.said(&["license", "list"]).contains("serial 1\n"));
    let shown = desk.said(&["license", "agree", "--yes"]);
    assert!(
        shown.contains("In monitoring mode that is enough"),
        "{shown}"
    );
    let notices = json_file(&desk.home().join("notices.json"));
    assert_eq!(notices[Uuid::from_u128(102).to_string()]["event"], "shown");
    let list = desk.said(&["license", "list"]);
    assert!(
        list.contains("serial 2\n") && !list.contains("a newer one"),
        "{list}"
    );
}

#[test]
fn in_worklog_mode_a_wider_license_waits_for_an_agreement_and_the_list_shows_what_holds() {
    let desk = Desk::new();
    desk.load(&claims(1, "worklog", 1, 6));
    let home = Home::open(&desk.home()).unwrap();
    let newer = desk.file(&claims(1, "worklog", 2, 60));
    let bytes = std::fs::read(newer).unwrap();
    let signed = glasshour_license_format::read(&bytes).unwrap();
    let options = LoadOptions::strict(jiff::Timestamp::UNIX_EPOCH);
    // As the agent takes one that the server gave.
    LicenseStore::new(home)
        .load(&bytes, signed, &options)
        .unwrap();
    let list = desk.said(&["license", "list"]);
    assert!(
        list.contains("worklog mode, profile Standard, serial 1\n"),
        "{list}"
    );
    assert!(
        list.contains("a newer one, serial 2, waits for you to agree"),
        "{list}"
    );
    let script = desk.said(&["license", "list", "--json"]);
    let script: Value = serde_json::from_str(&script).unwrap();
    assert_eq!(
        (&script[0]["serial"], &script[0]["waiting_serial"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn a_license_that_has_run_out_is_said_to_have_wherever_it_is_told_of() {
    let desk = Desk::new();
    let mut claims = claims(1, "worklog", 1, 6);
    claims["expires_at"] = json!("2026-01-01T00:00:00Z");
    let file = desk.file(&claims);
    let bytes = std::fs::read(&file).unwrap();
    let signed = glasshour_license_format::read(&bytes).unwrap();
    let options = LoadOptions::strict(jiff::Timestamp::UNIX_EPOCH);
    let home = Home::open(&desk.home()).unwrap();
    LicenseStore::new(home)
        .load(&bytes, signed, &options)
        .unwrap();
    for command in [&["license", "list"][..], &["license", "show"], &["doctor"]] {
        let said = desk.said(command);
        assert!(
            said.contains("ran out on 1 January 2026"),
            "{command:?}: {said}"
        );
    }
    let doctor = desk.said(&["doctor"]);
    assert!(
        doctor.contains("PROBLEM  license      Acme for Jo Doe"),
        "{doctor}"
    );

    claims["serial"] = json!(2);
    claims["license_id"] = json!(Uuid::from_u128(9));
    let refused = desk.run_in("fr_FR.UTF-8", &["license", "load", &desk.file(&claims)]);
    let said = text(&refused.stderr);
    assert!(
        said.contains("Cette licence a expiré le 1er janvier 2026"),
        "{said}"
    );
    assert!(
        !refused.status.success() && !said.contains("2026-01-01"),
        "{said}"
    );
}

#[test]
fn a_name_that_looks_like_another_is_told_of() {
    let desk = Desk::new();
    desk.load(&claims(1, "worklog", 1, 6));
    let mut false_friend = claims(2, "worklog", 1, 6);
    // The first two letters are Cyrillic.
    false_friend["issuer"]["company"] = json!("Асme");
    let file = desk.file(&false_friend);
    let show = desk.said(&["license", "show", &file]);
    assert!(
        show.contains("mixes letters of several alphabets"),
        "{show}"
    );
    assert!(show.contains("looks like Acme"), "{show}");
    let load = desk.run(&["license", "load", &file]);
    let said = text(&load.stdout);
    assert!(said.contains("looks like Acme"), "{said}");
    let own = desk.said(&["license", "show"]);
    assert!(!own.contains("Careful"), "{own}");
}
