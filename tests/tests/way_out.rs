//! The way to a server that stands behind TLS with an authority of the administrator's own, and behind a proxy: the
//! real sender and the real server, and a proxy that does what one does (CONNECT).

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::device::Device;
use glasshour_tests::process::Plan;
use glasshour_tests::server::Owner;
use glasshour_tests::{Server, profiles, programs, wait_until};

const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tls/authority.pem");

fn fixture(name: &str) -> OsString {
    Path::new(AUTHORITY).with_file_name(name).into_os_string()
}

/// A proxy that passes connections on, wherever they are to go, and remembers where that was.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || connect(client, &noted));
            }
        });
        Ok(Self { port, asked })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

/// RFC 9110, section 9.3.6.
fn connect(mut client: TcpStream, noted: &Mutex<Vec<String>>) -> Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
    }
    noted
        .lock()
        .expect("nobody panics with it")
        .push(first.trim().to_owned());
    let target = first.split(' ').nth(1).context("where to")?;
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut back, mut to) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut back, &mut to));
    std::io::copy(&mut reader, &mut server)?;
    Ok(())
}

/// A server that talks TLS, and a device of an employee.
struct Scene {
    folder: tempfile::TempDir,
    url: String,
    _server: Server,
}

impl Scene {
    fn set() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let owner = Owner {
            email: "owner@acme.example".into(),
            password: "correct horse 1".into(),
        };
        let mut server = Server::start(folder.path(), "Acme", owner)?;
        let api = server.api();
        let profile = api.create_profile("Everything", &profiles::eager())?;
        let employee = api.create_employee("Jo Doe", "worklog", &profile)?;
        let home = folder.path().join("home");
        std::fs::create_dir(&home)?;
        std::fs::write(home.join("license.gz"), api.license_gz(&employee)?)?;
        Device::make(
            &home.join("device.json"),
            server.init.company_id.parse().context("the company's id")?,
        )?;
        server.end()?;
        server.environment = vec![
            ("GLASSHOUR_TLS_CERT".into(), fixture("server.pem")),
            ("GLASSHOUR_TLS_KEY".into(), fixture("server.key")),
        ];
        server.start_again()?;
        let url = server.url().replace("127.0.0.1", "localhost");
        ensure!(url.starts_with("https://localhost:"), "{url}");
        Ok(Self {
            folder,
            url,
            _server: server,
        })
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Pushes three records and sends for so many seconds; exit code 2: not all of them.
    fn send(
        &self,
        seconds: u32,
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<ExitStatus> {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), OsString::from(value)))
            .collect();
        let mut process = Plan::new(
            "pusher",
            programs::ours("glasshour-pusher")?,
            self.folder.path(),
        )
        .with(["--home".as_ref(), self.home().as_os_str()])
        .with(["--ledger".as_ref(), self.home().join("ledger").as_os_str()])
        .with(["--count", "3", "--server", &self.url])
        .with(["--drain-s", &seconds.to_string()])
        .with(words.iter().copied())
        .within(&environment)
        .start()?;
        wait_until(Duration::from_mins(1), "it has sent", || process.status())
    }
}

#[test]
fn a_server_is_reached_with_an_authority_that_the_administrator_names_and_not_without() -> Result<()>
{
    let scene = Scene::set()?;
    assert_eq!(scene.send(2, &[], &[])?.code(), Some(2));
    let sent = scene.send(30, &["--authorities", AUTHORITY], &[])?;
    assert!(sent.success(), "{sent}");
    Ok(())
}

#[test]
fn a_proxy_of_the_environment_is_used_and_one_of_the_administrator_before_it() -> Result<()> {
    let scene = Scene::set()?;
    let (proxy, other) = (Proxy::start()?, Proxy::start()?);
    let address = |proxy: &Proxy| format!("http://127.0.0.1:{}", proxy.port);
    let trusted = ["--authorities", AUTHORITY];
    let by_environment = [("HTTPS_PROXY", &*address(&proxy))];

    let sent = scene.send(30, &trusted, &by_environment)?;
    assert!(sent.success(), "{sent}");
    let target = scene.url.trim_start_matches("https://");
    let wanted = format!("CONNECT {target} HTTP/1.1");
    let asked = proxy.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| *line == wanted),
        "{asked:?}"
    );

    let words = [trusted[0], trusted[1], "--proxy", &address(&other)];
    let sent = scene.send(30, &words, &by_environment)?;
    assert!(sent.success(), "{sent}");
    assert!(!other.asked().is_empty());
    assert_eq!(proxy.asked(), asked);

    // What the environment keeps from the proxy goes straight.
    let straight = [by_environment[0], ("NO_PROXY", "localhost")];
    let sent = scene.send(30, &trusted, &straight)?;
    assert!(sent.success(), "{sent}");
    assert_eq!(proxy.asked(), asked);
    Ok(())
}
