//! The console's static files under `/assets/`: addressed by name and hash, so that they can be kept
//! for ever and still change with the program.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// One file.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
    /// The first 9 bytes of its SHA-256, base64url.
    pub(crate) hash: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |name, content_type, text: &'static str| Asset {
        name,
        content_type,
        bytes: text.as_bytes(),
        hash: URL_SAFE_NO_PAD.encode(
            Sha256::digest(text)
                .iter()
                .take(9)
                .copied()
                .collect::<Vec<_>>(),
        ),
    };
    vec![
        asset(
            "tokens.css",
            "text/css; charset=utf-8",
            glasshour_assets::TOKENS_CSS,
        ),
        asset(
            "console.css",
            "text/css; charset=utf-8",
            glasshour_assets::CONSOLE_CSS,
        ),
        asset(
            "console.js",
            "text/javascript; charset=utf-8",
            glasshour_assets::CONSOLE_JS,
        ),
        asset(
            "favicon.svg",
            "image/svg+xml",
            glasshour_assets::FAVICON_SVG,
        ),
    ]
});

/// A file by name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Its address, which changes when the file does.
pub(crate) fn address(name: &str) -> String {
    let hash = find(name).map_or("", |asset| asset.hash.as_str());
    format!("/assets/{name}?v={hash}")
}

/// Answers with a file. Asked for by its hash it may be kept for a year; otherwise it is asked for
/// again each time, and 304 says that it is the same.
pub(super) async fn serve(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let by_hash = query.is_some_and(|query| query == format!("v={}", asset.hash));
    let caching = if by_hash {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let etag = format!("\"{}\"", asset.hash);
    let same = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(&etag));
    let told = [
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::ETAG, etag),
    ];
    if same {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    (
        told,
        [(header::CONTENT_TYPE, asset.content_type)],
        asset.bytes,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_file_and_its_hash() {
        let address = address("tokens.css");
        assert!(address.starts_with("/assets/tokens.css?v="), "{address}");
        assert_eq!(address.len(), "/assets/tokens.css?v=".len() + 12);
        assert!(find("../Cargo.toml").is_none());
    }
}
