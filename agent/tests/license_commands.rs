//! The license commands as a person or a script meets them: the real binary, no agent running.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use serde_json::Value;

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
