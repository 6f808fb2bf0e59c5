//! Which address a request comes from, also behind a proxy.
//!
//! `X-Forwarded-For` is believed from the proxies that the operator names and from nobody else: each
//! proxy adds the address it was asked by at the end, so the last one that is not a named proxy's is
//! the client's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Notes the client's address where a named proxy has asked in its name.
pub(crate) async fn behind_proxies(
    State(trusted): State<Arc<[IpAddr]>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer.copied() {
        let address = client(peer.ip(), request.headers(), &trusted);
        let peer = SocketAddr::new(address, peer.port());
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    next.run(request).await
}

fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let named: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut asked_by = peer.to_canonical();
    for name in named.into_iter().rev() {
        if !trusted.contains(&asked_by) {
            break;
        }
        let Ok(address) = name.trim().parse::<IpAddr>() else {
            break;
        };
        asked_by = address.to_canonical();
    }
    asked_by
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_named_proxy_is_believed_and_only_about_who_asked_it() {
        assert_eq!(found("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(found("::ffff:10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(found("198.51.100.1", &["192.0.2.7"]), "198.51.100.1");
        // What the client itself put there stands before what the proxy added.
        assert_eq!(found("10.0.0.1", &["127.0.0.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(
            found("10.0.0.1", &["127.0.0.1", "192.0.2.7, 10.0.0.2"]),
            "192.0.2.7"
        );
        assert_eq!(found("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1");
    }
}
