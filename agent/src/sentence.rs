//! How an error becomes a sentence: with its causes.
//!
//! An error's own text says what failed and its `source` why; a person needs both ("permission
//! denied"). Some errors name their cause in their own text already: it is not said twice.

use std::error::Error;

/// The error and, after colons, what it comes from.
pub fn with_causes(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !sentence.contains(&text) {
            sentence.push_str(": ");
            sentence.push_str(&text);
        }
        next = cause.source();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::license::{LoadError, StoreError};
    use std::io;

    #[test]
    fn a_sentence_says_why_and_says_it_once() {
        let denied = LoadError::Store(StoreError::Io {
            path: "/x".into(),
            source: io::Error::new(io::ErrorKind::PermissionDenied, "permission denied"),
        });
        assert_eq!(with_causes(&denied), "cannot use /x: permission denied");
        let damaged = LoadError::Read {
            path: "/x.license.gz".into(),
            source: glasshour_license_format::read(b"").unwrap_err(),
        };
        let sentence = with_causes(&damaged);
        assert_eq!(sentence.matches("empty").count(), 1, "{sentence}");
    }
}
