//! Reading a license file, and each reason for not loading it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use glasshour_license_format::{MAX_FILE_BYTES, ReadError, UntrustedKey};
use glasshour_words::Words;
use jiff::Timestamp;

/// Why a license was not loaded. Written for the person who holds the file.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read from disk.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A pipe, a device or a folder: reading it could wait for ever.
    #[error("{} is not a file: name the file that ends in .license.gz", .0.display())]
    NotAFile(PathBuf),
    /// It is not a good license.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// It lies in the administrator's folder, under another user's name.
    #[error(
        "{} is for the user {user} of this computer alone, whose name it bears; what you do is never \
         recorded as theirs. Ask your administrator for a license of your own",
        path.display()
    )]
    AnotherUsers {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        user: String,
    },
    /// Signed by another key than the pinned one.
    #[error(
        "{0}. If your employer has told you that its key changed, and this fingerprint is the one \
         you were given, load it again with --trust-new-key"
    )]
    UntrustedKey(#[from] UntrustedKey),
    /// Signed by a key that another has followed.
    #[error(
        "this license of {company} is signed with the key {found}, which {company} has given up for \
         {expected}; ask your employer for the newest license. If your employer has told you that it \
         went back to that key, load it again with --trust-new-key"
    )]
    FormerKey {
        /// The employer.
        company: String,
        /// Thumbprint of the license's key.
        found: String,
        /// Thumbprint of the key that followed it.
        expected: String,
    },
    /// Signed by a key in whose place the person has taken another.
    #[error(
        "this license of {company} is signed with the key {found}, in whose place the key {expected} \
         was taken here with --trust-new-key; if that was a mistake, or if {company} tells you that \
         {found} is its key, load it again with --trust-new-key"
    )]
    ReplacedByHand {
        /// The employer.
        company: String,
        /// Thumbprint of the license's key.
        found: String,
        /// Thumbprint of the key that was taken in its place.
        expected: String,
    },
    /// Another license has its number.
    #[error(
        "this license bears the number of another license, which {0} issued and which was loaded here \
         before; a number is given once, so this one is not what it seems: ask who gave it to you"
    )]
    NumberTaken(String),
    /// Signed by a key that the administrator does not trust.
    #[error(transparent)]
    NotListed(#[from] super::NotListed),
    /// An older license than the loaded one.
    #[error(
        "this license has serial {offered}, but serial {loaded} of the same employer was loaded \
         here before; an older license never follows a newer one: ask your employer for the \
         newest"
    )]
    OlderSerial {
        /// Of the file.
        offered: u64,
        /// The highest that was ever loaded.
        loaded: u64,
    },
    /// Another license than the loaded one has its serial.
    #[error(
        "another license of the same employer with serial {0} was loaded here before, and each has a \
         serial of its own; ask your employer for the newest license"
    )]
    SerialTaken(u64),
    /// For somebody else.
    #[error(
        "this license is for {offered}, but this user of the computer is enrolled at {company} as \
         {loaded}, and what one person does is never reported as another's; ask your \
         administrator for an operating-system user of your own, and load it there"
    )]
    OtherEmployee {
        /// Name in the file.
        offered: String,
        /// Name in the license that was loaded first.
        loaded: String,
        /// The employer.
        company: String,
    },
    /// A second monitoring license.
    #[error(
        "a monitoring license of {0} is loaded already; only one employer can monitor at a time"
    )]
    SecondMonitoring(String),
    /// It has run out.
    #[error("this license ran out on {}; ask your employer for a new one", Words::ENGLISH.moment(*.0).as_str())]
    Expired(Timestamp),
    /// Records would travel in the clear.
    #[error(
        "this license sends captures to {0} without encryption (http), which Glasshour does only \
         on this same computer; ask your employer for a license with an https address, or ask your \
         administrator to list the host under \"allow_plain_http\" in policy.json"
    )]
    PlainHttp(String),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] super::StoreError),
}

impl LoadError {
    /// Whether it says something of this computer, not of the license.
    pub fn is_of_this_computer(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Io { .. })
    }
}

/// Reads at most as many bytes as a license can have, whatever the file is.
pub fn read_file(path: &Path) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    // Asked before it is opened: opening a pipe waits until somebody writes to it.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(LoadError::NotAFile(path.to_owned()));
    }
    let file = std::fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    // One more than allowed, so that the reader can tell that it is too long.
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    Ok(bytes)
}

/// Refuses plain http to anything but this computer and the hosts that the administrator's policy
/// names.
pub fn check_server_url(url: &str, allowed: &[String]) -> Result<(), LoadError> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Ok(());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A user part could make "localhost@evil.example" look like loopback.
    let refused = || Err(LoadError::PlainHttp(url.to_owned()));
    if authority.contains('@') {
        return refused();
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    if loopback
        || allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
    {
        return Ok(());
    }
    refused()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_computer_only() {
        for good in [
            "https://time.acme.example",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://[::1]:8080/x",
            "http://127.8.9.1",
        ] {
            assert!(check_server_url(good, &[]).is_ok(), "{good}");
        }
        for bad in [
            "http://time.acme.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://192.168.0.1",
            "http://[2001:db8::1]",
        ] {
            assert!(
                matches!(check_server_url(bad, &[]), Err(LoadError::PlainHttp(_))),
                "{bad}"
            );
        }
        let policy = ["time.acme.example".to_owned()];
        assert!(check_server_url("http://time.acme.example:80", &policy).is_ok());
        assert!(check_server_url("http://other.example", &policy).is_err());
    }

    #[test]
    fn what_is_no_regular_file_is_refused_before_it_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let refused = read_file(dir.path()).unwrap_err();
        assert!(matches!(refused, LoadError::NotAFile(_)), "{refused:?}");
        assert!(refused.to_string().contains("name the file"), "{refused}");
    }

    #[test]
    fn a_file_that_is_too_long_is_read_no_further_than_needed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big.gz");
        std::fs::write(&path, vec![0; MAX_FILE_BYTES * 4]).unwrap();
        assert_eq!(read_file(&path).unwrap().len(), MAX_FILE_BYTES + 1);
    }
}
