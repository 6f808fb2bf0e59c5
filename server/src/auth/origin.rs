//! Defence against requests that another site makes a browser send (CSRF).
//!
//! Every request that changes something must come from our own pages: by `Sec-Fetch-Site`, or where
//! that is missing by `Origin` against `Host`. A request with neither does not come from a browser
//! that could be tricked; agents and scripts pass, and carry a token of their own.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::code;

use crate::error::ApiError;

/// Middleware: answers 403 `forbidden` to a state-changing request from another origin.
pub async fn require_same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let host = request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned());
    if safe || is_same_origin(request.headers(), host.as_deref()) {
        return next.run(request).await;
    }
    ApiError::new(
        StatusCode::FORBIDDEN,
        code::FORBIDDEN,
        "The request came from another site. Open this page from the Glasshour console itself.",
    )
    .into_response()
}

/// `authority`: of the request line (HTTP/2), where there is no `Host`.
fn is_same_origin(headers: &HeaderMap, authority: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        return true;
    };
    let host = text(header::HOST.as_str()).or(authority);
    // Only the host is compared: behind a proxy that ends TLS the scheme is not ours to know.
    let claimed = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && claimed == host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    axum::http::HeaderValue::from_static(value),
                )
            })
            .collect();
        is_same_origin(&headers, None)
    }

    #[test]
    fn only_our_own_pages_and_programs_may_change_anything() {
        let host = ("host", "time.acme.example");
        assert!(check(&[host]));
        assert!(check(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(check(&[host, ("origin", "https://time.acme.example")]));
        assert!(!check(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!check(&[host, ("sec-fetch-site", "same-site")]));
        assert!(!check(&[host, ("origin", "https://evil.example")]));
        assert!(!check(&[host, ("origin", "null")]));
        assert!(!check(&[("origin", "https://time.acme.example")]));
    }
}
