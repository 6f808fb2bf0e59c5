//! The way that a sender takes to a server, for whoever has to mend it: the same rules that the sender's connections
//! follow, asked beforehand.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Certificate;

use super::Line;

/// A proxy on the way to a server. What it is logged in to with is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayOut {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the administrator's policy names it; else the environment or the system does.
    pub by_policy: bool,
}

/// The proxy that a server is reached by; `None`: directly, as always where it is reached without TLS.
pub fn proxy_to(server_url: &str, line: &Line) -> Option<WayOut> {
    let server: Uri = server_url.parse().ok()?;
    if server.scheme_str() != Some("https") {
        return None;
    }
    let (proxy, by_policy) = match &line.proxy {
        Some(named) => (Matcher::builder().https(named.as_str()).build(), true),
        None => (Matcher::from_system(), false),
    };
    let found = proxy.intercept(&server)?;
    let proxy = found.uri();
    let port = proxy.port_u16().unwrap_or(match proxy.scheme_str() {
        Some("https") => 443,
        Some(socks) if socks.starts_with("socks") => 1080,
        _ => 80,
    });
    Some(WayOut {
        host: proxy.host()?.to_owned(),
        port,
        by_policy,
    })
}

/// How many authorities a file (PEM) holds; `None`: it is no such file, and no sender can be made with it.
pub fn count_authorities(pem: &[u8]) -> Option<usize> {
    let found = Certificate::from_pem_bundle(pem).ok()?.len();
    (found > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_policy(server_url: &str, proxy: &str) -> Option<(String, u16)> {
        let line = Line {
            proxy: Some(proxy.to_owned()),
            ..Line::default()
        };
        let way = proxy_to(server_url, &line)?;
        assert!(way.by_policy);
        Some((way.host, way.port))
    }

    #[test]
    fn the_policys_proxy_is_told_without_its_password_and_never_for_plain_http() {
        let server = "https://time.acme.example/base";
        let proxy = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(
            by_policy(server, "http://jo:secret@proxy.acme.example:3128"),
            proxy("proxy.acme.example", 3128)
        );
        assert_eq!(by_policy(server, "10.0.0.1:8080"), proxy("10.0.0.1", 8080));
        assert_eq!(by_policy(server, "http://proxy"), proxy("proxy", 80));
        assert_eq!(
            by_policy("http://127.0.0.1:8080", "http://proxy:3128"),
            None
        );
    }

    #[test]
    fn authorities_are_counted_and_what_is_none_is_said() {
        let pem = include_bytes!("../../../tests/fixtures/tls/authority.pem");
        assert_eq!(count_authorities(pem), Some(1));
        assert_eq!(count_authorities(&[&pem[..], &pem[..]].concat()), Some(2));
        assert_eq!(count_authorities(b"no certificate"), None);
        assert_eq!(count_authorities(b""), None);
    }
}
