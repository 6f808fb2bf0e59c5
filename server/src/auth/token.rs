//! Random secrets, and the hash under which they are known.

use glasshour_protocol::jws::{base64url, sha256_hex};

use crate::error::ApiError;

/// What API tokens begin with, so that a leaked one can be recognised.
pub(crate) const API_TOKEN_PREFIX: &str = "gh_";

/// A secret of 256 random bits, base64url, shown once. Not printed by `Debug`.
pub struct Secret(String);

impl Secret {
    /// A fresh cookie token.
    pub fn cookie() -> Result<Self, ApiError> {
        random().map(Self)
    }

    /// A fresh API token: `gh_` and 43 characters.
    pub fn api_token() -> Result<Self, ApiError> {
        random().map(|secret| Self(format!("{API_TOKEN_PREFIX}{secret}")))
    }

    /// The secret itself, to be shown or sent once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> String {
        hash_token(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The hash under which a token is stored: SHA-256, hex. The token has 256 bits of entropy, so
/// there is nothing to stretch; and looking a hash up tells an attacker nothing by its timing.
pub fn hash_token(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

fn random() -> Result<String, ApiError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| ApiError::internal(format!("the system's random numbers: {error}")))?;
    Ok(base64url(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_tokens_have_their_documented_shape_and_never_repeat() {
        let (one, two) = (Secret::api_token().unwrap(), Secret::api_token().unwrap());
        assert_eq!(one.expose().len(), 3 + 43);
        assert!(one.expose().starts_with("gh_"));
        assert_ne!(one.expose(), two.expose());
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }
}
