//! The way to the servers: which proxy, named by whom, and does it answer; which authorities beside the
//! system's.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use glasshour_uploader::send::{Line, WayOut, count_authorities, proxy_to};

use super::Finding;
use crate::config::Policy;
use crate::sentence::with_causes;

/// How long a proxy may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is found for the servers of the loaded licenses.
pub(super) fn way_out(policy: &Policy, servers: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let line = match policy.line() {
        Ok(line) => {
            findings.push(authorities(policy, &line));
            line
        }
        Err(error) => {
            findings.push(Finding::bad("authorities", with_causes(&error)));
            Line {
                proxy: policy.proxy.clone(),
                ..Line::default()
            }
        }
    };
    for server in servers {
        findings.push(proxy(server, &line));
    }
    findings
}

fn authorities(policy: &Policy, line: &Line) -> Finding {
    let (Some(file), Some(pem)) = (&policy.ca_file, &line.authorities) else {
        return Finding::neutral(
            "authorities",
            "servers are believed as the system trusts them",
        );
    };
    let file = file.display();
    match count_authorities(pem) {
        Some(count) => Finding::good(
            "authorities",
            format!("the system's, and {count} more in {file} (policy.json, \"ca_file\")"),
        ),
        None => Finding::bad(
            "authorities",
            format!(
                "{file} (policy.json, \"ca_file\") is not PEM, or has no certificate in it: nothing is sent before the \
                 administrator corrects it"
            ),
        ),
    }
}

fn proxy(server: &str, line: &Line) -> Finding {
    let Some(way) = proxy_to(server, line) else {
        let why = if server.starts_with("http:") {
            " and never by a proxy, as it is without encryption"
        } else {
            ": neither policy.json nor the environment or the system names a proxy for it"
        };
        return Finding::neutral("proxy", format!("{server} is reached directly{why}"));
    };
    let named = if way.by_policy {
        "policy.json names it"
    } else {
        "the environment or the system names it here; the running agent goes by what it was started with"
    };
    let what = format!("{server} is reached by {}:{} ({named})", way.host, way.port);
    match answers(&way) {
        Ok(()) => Finding::good("proxy", format!("{what}, which answers")),
        Err(error) => Finding::bad(
            "proxy",
            format!(
                "{what}, which does not answer: {error}. Captures are kept and wait. Ask the administrator whether \
                 the proxy runs and is named rightly"
            ),
        ),
    }
}

fn answers(way: &WayOut) -> std::io::Result<()> {
    let host = way.host.trim_matches(['[', ']']);
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in (host, way.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn told(policy: &Policy, server: &str) -> Vec<(Option<bool>, String)> {
        way_out(policy, &[server.to_owned()])
            .into_iter()
            .map(|finding| (finding.ok, finding.message))
            .collect()
    }

    #[test]
    fn the_policys_proxy_is_named_and_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let policy = Policy {
            proxy: Some(format!("http://jo:secret@{address}")),
            ..Policy::default()
        };
        let server = "https://time.acme.example";
        let found = told(&policy, server);
        assert_eq!(found[0].0, None, "{found:?}");
        assert_eq!(found[1].0, Some(true), "{found:?}");
        assert!(found[1].1.contains(&address) && found[1].1.contains("policy.json"));
        assert!(!found[1].1.contains("secret"));
        drop(listener);
        let found = told(&policy, server);
        assert_eq!(found[1].0, Some(false), "{found:?}");
        let plain = told(&policy, "http://127.0.0.1:8080");
        assert_eq!(plain[1].0, None, "{plain:?}");
    }

    #[test]
    fn authorities_that_cannot_be_used_are_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let policy = Policy {
            ca_file: Some(file.clone()),
            ..Policy::default()
        };
        let found = |policy: &Policy| way_out(policy, &[]).remove(0);
        assert_eq!(found(&policy).ok, Some(false), "it is not there");
        std::fs::write(&file, "no certificate").unwrap();
        assert_eq!(found(&policy).ok, Some(false));
        let pem = include_str!("../../../../tests/fixtures/tls/authority.pem");
        std::fs::write(&file, pem).unwrap();
        let good = found(&policy);
        assert_eq!(good.ok, Some(true));
        assert!(good.message.contains("1 more in"), "{}", good.message);
        assert_eq!(found(&Policy::default()).ok, None);
    }
}
