//! People log in by their organisation's own provider: a real one (`oidc-provider` for Node.js), in a real
//! Chromium.
//!
//! Both packages are pinned in `tests/sign-on/package.json` and installed once into the user's cache folder;
//! later runs need no network. Without Node.js or Chromium this fails: `./dev` puts them in place.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use glasshour_protocol::jws;
use glasshour_tests::process::{Plan, Process};
use glasshour_tests::server::Owner;
use glasshour_tests::wait::wait_until;
use glasshour_tests::{Server, programs};
use serde_json::Value;

const PACKAGE: &str = include_str!("../sign-on/package.json");

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn run(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{command:?} ({}):\n{said}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The folder with the scripts and their packages; made the first time.
fn scripts() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    }
    .join("glasshour");
    std::fs::create_dir_all(&cache)?;
    // Tests run side by side: one makes the folder, the others wait for it.
    let lock = std::fs::File::create(cache.join("sign-on.lock"))?;
    lock.lock()?;
    let hash = jws::sha256_hex(PACKAGE.as_bytes());
    let folder = cache.join(format!("sign-on-{}", hash.get(..16).unwrap_or(&hash)));
    std::fs::create_dir_all(&folder)?;
    for name in ["package.json", "provider.mjs", "story.mjs"] {
        std::fs::copy(in_repository("sign-on").join(name), folder.join(name))?;
    }
    if !folder.join("complete").is_file() {
        run(Command::new(programs::systems("npm")?)
            .args([
                "install",
                "--no-audit",
                "--no-fund",
                "--no-package-lock",
                "--silent",
            ])
            .current_dir(&folder))
        .context("the first run installs the provider and needs a network")?;
        std::fs::write(folder.join("complete"), b"")?;
    }
    Ok(folder)
}

struct Stage {
    scripts: PathBuf,
    server: Server,
    issuer: String,
    // Ended with the stage.
    _provider: Process,
    _folder: tempfile::TempDir,
}

const OWNER: &str = "me@acme.example";

fn stage(owner: &str) -> Result<Stage> {
    let scripts = scripts()?;
    let folder = tempfile::tempdir()?;
    let owner = Owner {
        email: owner.into(),
        password: "a long password".into(),
    };
    let mut server = Server::make(folder.path(), &folder.path().join("server"), "Acme", owner)?;
    let plan = Plan::new("provider", programs::systems("node")?, folder.path())
        .with([scripts.join("provider.mjs")]);
    let out = plan.out_file();
    let provider = plan.start()?;
    let issuer = wait_until(Duration::from_mins(1), "the provider listens", || {
        let said = std::fs::read_to_string(&out).unwrap_or_default();
        Ok(said
            .lines()
            .next()
            .filter(|_| said.ends_with('\n'))
            .map(str::to_owned))
    })?;
    let secret = folder.path().join("client.secret");
    std::fs::write(&secret, "a secret of + two words\n")?;
    let set = |name: &str, value: &std::ffi::OsStr| (name.to_owned(), value.to_owned());
    server.environment = vec![
        set("GLASSHOUR_OIDC_ISSUER", issuer.as_ref()),
        set("GLASSHOUR_OIDC_CLIENT_ID", "glasshour".as_ref()),
        set("GLASSHOUR_OIDC_CLIENT_SECRET_FILE", secret.as_os_str()),
    ];
    server.start_again()?;
    Ok(Stage {
        scripts,
        server,
        issuer,
        _provider: provider,
        _folder: folder,
    })
}

impl Stage {
    /// Logs in through the provider with an address, and says what the browser shows.
    fn log_in(&self, address: &str, wanted: &str) -> Result<Value> {
        let said = run(Command::new(programs::systems("node")?)
            .arg(self.scripts.join("story.mjs"))
            .args([self.server.url(), address, wanted])
            .env("CHROMIUM", programs::systems("chromium")?))?;
        serde_json::from_str(&said).with_context(|| format!("the story said {said:?}"))
    }
}

#[test]
fn a_user_logs_in_by_the_provider_of_their_organisation() -> Result<()> {
    let stage = stage(OWNER)?;
    let said = stage.log_in(OWNER, "/employees")?;
    ensure!(said["provider"] == stage.issuer.as_str(), "{said}");
    ensure!(
        said["path"] == "/employees",
        "where they wanted to go: {said}"
    );
    ensure!(said["heading"] == "Employees", "{said}");
    ensure!(
        said["session"]["httpOnly"] == true && said["session"]["sameSite"] == "Lax",
        "{said}"
    );
    ensure!(said["problems"] == serde_json::json!([]), "{said}");
    // And again, by what was settled the first time.
    let again = stage.log_in(OWNER, "/")?;
    ensure!(again["path"] == "/team", "{again}");
    Ok(())
}

#[test]
fn nobody_whom_the_server_does_not_know_or_whose_address_is_not_verified_gets_in() -> Result<()> {
    // The second one is the very owner here.
    let stage = stage("unverified@acme.example")?;
    for stranger in ["stranger@elsewhere.example", "unverified@acme.example"] {
        let said = stage.log_in(stranger, "/")?;
        ensure!(said["session"].is_null(), "{said}");
        let alert = said["alert"].as_str().unwrap_or_default();
        ensure!(alert.contains("this server does not"), "{said}");
    }
    Ok(())
}
