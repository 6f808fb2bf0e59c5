//! Mail through a mail server that is not ours (aiosmtpd), read back by a reader that is not ours: plain on
//! this machine, with STARTTLS and a log-in, and over TLS. The license that comes out of it is loaded by
//! the real agent.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a mail that has other parts than it must have fails the test"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glasshour_tests::process::{Plan, Process};
use glasshour_tests::python::{Environment, run};
use glasshour_tests::server::Owner;
use glasshour_tests::{Agent, Server, wait_until};
use serde_json::{Value, json};

const MAIL: Environment = Environment {
    name: "python-mail",
    requirements: include_str!("../python/requirements-mail.txt"),
    imports: "aiosmtpd, cryptography",
};

const PATIENCE: Duration = Duration::from_mins(1);
const PASSWORD: &str = "p\u{e4}ss: word@";

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python/mail.py")
}

/// A mail server, and the Glasshour server that sends by it.
struct Post {
    // Ended in this order.
    server: Server,
    #[expect(dead_code, reason = "runs until it is dropped")]
    mail_server: Process,
    inbox: PathBuf,
    folder: tempfile::TempDir,
}

impl Post {
    /// `url`: what `--smtp` is, with the port for `PORT`.
    fn start(security: &str, password: Option<&str>, url: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("glasshour-").tempdir()?;
        let inbox = folder.path().join("inbox");
        let logs = folder.path().join("logs");
        std::fs::create_dir_all(&inbox)?;
        std::fs::create_dir_all(&logs)?;
        let mut plan = Plan::new("mail-server", MAIL.python()?, &logs)
            .with([script().into_os_string(), "serve".into()])
            .with([inbox.as_os_str()])
            .with([security]);
        plan = plan.with(password);
        let mut mail_server = plan.start()?;
        let port = mail_server.line(PATIENCE, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        })?;
        let owner = Owner {
            email: "owner@acme.example".into(),
            password: "correct horse 1".into(),
        };
        let data = folder.path().join("server");
        let mut server = Server::make(folder.path(), &data, "Acme & S\u{f6}hne", owner)?;
        let words = ["--smtp", &url.replace("PORT", &port), "--mail-from"];
        server.arguments = words.map(OsString::from).to_vec();
        server
            .arguments
            .push("\"Acme, time\" <time@acme.example>".into());
        if security != "plain" {
            let authority = inbox.join("ca.pem").into_os_string();
            server.arguments.extend(["--smtp-ca".into(), authority]);
        }
        if let Some(password) = password {
            let file = folder.path().join("smtp-password");
            std::fs::write(&file, format!("{password}\n"))?;
            let file = file.into_os_string();
            server
                .arguments
                .extend(["--smtp-password-file".into(), file]);
        }
        server.start_again()?;
        Ok(Self {
            server,
            mail_server,
            inbox,
            folder,
        })
    }

    /// Waits for the mail of that number, from 1: as Python reads it, and what its server knew of it.
    fn mail(&self, number: u32) -> Result<(Value, Value)> {
        let file = self.inbox.join(format!("{number:03}.eml"));
        let what = format!("mail {number}; the server says {}", self.states()?);
        wait_until(PATIENCE, &what, || Ok(file.is_file().then_some(())))?;
        let read = run(Command::new(MAIL.python()?)
            .arg(script())
            .arg("read")
            .arg(&file))?;
        let facts = std::fs::read(file.with_extension("json"))?;
        Ok((
            serde_json::from_str(&read)?,
            serde_json::from_slice(&facts)?,
        ))
    }

    fn states(&self) -> Result<Value> {
        self.server.api().get_json("/api/v1/mail")
    }

    /// Waits until the server has noted that nothing waits any more.
    fn wait_until_sent(&self) -> Result<Value> {
        wait_until(PATIENCE, "all mail to be noted as sent", || {
            let all = self.states()?;
            let items = all["items"].as_array().context("a list")?;
            let done = items.iter().all(|one| one["state"] == "sent");
            Ok(done.then(|| all.clone()))
        })
    }

    fn send_license(&self, name: &str, mode: &str) -> Result<String> {
        let api = self.server.api();
        let body = json!({"name": name, "work_mode": mode, "active": true,
            "email": "jo@acme.example"});
        let made = api.post("/api/v1/employees", &body)?;
        let id = made["employee_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/employees/{id}/license/send");
        let sent = api.post(&path, &json!({}))?;
        ensure!(sent["result"] == "queued", "{sent}");
        Ok(id)
    }
}

fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    mail["headers"][name].as_str().unwrap_or_default()
}

#[test]
fn p06_p15_the_license_in_a_mail_is_read_back_and_loaded_by_the_agent() -> Result<()> {
    let post = Post::start("plain", None, "smtp://127.0.0.1:PORT")?;
    let id = post.send_license("Jo D\u{f6}e", "worklog")?;
    let (mail, facts) = post.mail(1)?;
    assert_eq!(facts["to"], json!(["jo@acme.example"]));
    assert_eq!(facts["from"], "time@acme.example");
    assert_eq!(facts["encrypted"], false);
    assert_eq!(mail["defects"], json!([]));
    assert_eq!(
        header(&mail, "subject"),
        "Your license from Acme & S\u{f6}hne"
    );
    assert_eq!(header(&mail, "from"), "\"Acme, time\" <time@acme.example>");
    assert_eq!(header(&mail, "auto-submitted"), "auto-generated");
    let listed = post.wait_until_sent()?;
    let listed_id = listed["items"][0]["mail_id"].as_str().unwrap();
    assert_eq!(
        header(&mail, "message-id"),
        format!("<{listed_id}@acme.example>")
    );
    let text = mail["text"].as_str().unwrap();
    for told in [
        "Hello Jo D\u{f6}e,",
        "glasshour license load jo-d-e.license.gz",
        "Never",
    ] {
        assert!(text.contains(told), "{told:?} in {text}");
    }
    let html = mail["html"].as_str().unwrap();
    assert!(
        html.contains("Acme &#38; S\u{f6}hne") || html.contains("Acme &amp; S\u{f6}hne"),
        "{html}"
    );

    let enclosed = mail["attachments"].as_array().unwrap();
    assert_eq!(enclosed.len(), 1, "{mail}");
    assert_eq!(enclosed[0]["name"], "jo-d-e.license.gz");
    assert_eq!(enclosed[0]["type"], "application/gzip");
    let bytes = STANDARD.decode(enclosed[0]["base64"].as_str().unwrap())?;
    let employee = serde_json::from_value(json!({"employee_id": id, "active": true}))?;
    assert_eq!(bytes, post.server.api().license_gz(&employee)?);

    let file = post.folder.path().join("from-the-mail.license.gz");
    std::fs::write(&file, &bytes)?;
    let agent = Agent::on_display(post.folder.path(), &[])?;
    agent.load(&file)?;
    let shown = agent.call(["license", "list"])?.ok()?;
    assert!(shown.out.contains("Acme & S\u{f6}hne"), "{}", shown.text());
    Ok(())
}

#[test]
fn starttls_with_a_log_in_carries_invitations_and_their_links_lead_in() -> Result<()> {
    let url = "smtp://glasshour@localhost:PORT?tls=required";
    let post = Post::start("starttls", Some(PASSWORD), url)?;
    let api = post.server.api();
    let body = json!({"emails": "sam@elsewhere.example", "role": "manager"});
    let made = api.post("/api/v1/invitations", &body)?;
    ensure!(made["results"][0].get("link").is_none(), "{made}");
    let (mail, facts) = post.mail(1)?;
    assert_eq!(facts["encrypted"], true);
    assert_eq!(facts["authenticated"], true);
    assert_eq!(mail["defects"], json!([]));
    let text = mail["text"].as_str().unwrap();
    let at = text.find(post.server.url()).context("no link")?;
    let link = text[at..].split_whitespace().next().unwrap();
    let token = link.rsplit('/').next().unwrap();
    let door = api.get_json(&format!("/api/v1/links/{token}"))?;
    assert_eq!(door["email"], "sam@elsewhere.example", "{door}");
    assert!(
        mail["html"].as_str().unwrap().contains(link),
        "the button leads there too"
    );
    post.wait_until_sent()?;
    Ok(())
}

#[test]
fn tls_from_the_first_byte_and_a_server_that_starts_again_sends_nothing_twice() -> Result<()> {
    let url = "smtps://glasshour@127.0.0.1:PORT";
    let mut post = Post::start("tls", Some(PASSWORD), url)?;
    post.send_license("Jo Doe", "monitoring")?;
    let (mail, facts) = post.mail(1)?;
    assert_eq!(facts["encrypted"], true);
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("You need not load it"), "{text}");
    post.wait_until_sent()?;
    post.server.end()?;
    post.server.start_again()?;
    // What comes after the start would come after a second copy of the first.
    post.send_license("Sam Roe", "worklog")?;
    let (mail, _) = post.mail(2)?;
    assert!(
        mail["text"].as_str().unwrap().contains("Hello Sam Roe,"),
        "{mail}"
    );
    assert_eq!(
        post.wait_until_sent()?["items"].as_array().unwrap().len(),
        2
    );
    assert!(!post.inbox.join("003.eml").exists());
    Ok(())
}

#[test]
fn a_certificate_that_nobody_vouches_for_gets_no_mail() -> Result<()> {
    let mut post = Post::start("starttls", None, "smtp://localhost:PORT?tls=required")?;
    post.server.end()?;
    let at = post
        .server
        .arguments
        .iter()
        .position(|one| one == "--smtp-ca");
    post.server.arguments.truncate(at.unwrap());
    post.server.start_again()?;
    post.send_license("Jo Doe", "worklog")?;
    let listed = wait_until(PATIENCE, "the first try", || {
        let listed = post.states()?;
        Ok(
            (listed["items"][0]["tries"] == 1 && listed["items"][0]["error"].is_string())
                .then_some(listed),
        )
    })?;
    let error = listed["items"][0]["error"].as_str().unwrap();
    assert!(
        error.contains("STARTTLS") && error.contains("certificate"),
        "{error}"
    );
    assert_eq!(listed["items"][0]["state"], "queued");
    assert!(!post.inbox.join("001.eml").exists());
    Ok(())
}
