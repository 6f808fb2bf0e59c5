//! Settings from the command line, the environment and the administrator's policy: read here, once,
//! and nowhere else.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use glasshour_words::{Language, Words};
use serde::Deserialize;
use serde_json::Value;

use glasshour_uploader::send::Line;
use glasshour_uploader::spool::DEFAULT_QUOTA_BYTES;

use crate::home::{Home, HomeError};
use crate::license::TrustedKeys;

/// Where the administrator's files are unless told otherwise.
pub const SYSTEM_DIR: &str = crate::platform::SYSTEM_DIR;

/// What the administrator decides for every user of a machine (`policy.json`).
///
/// A JSON object, and in it nothing that is not known here: what an administrator wrote and nobody reads
/// would be taken for a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Hosts that may be reached without TLS, in so many words: names or IP addresses.
    #[serde(default)]
    pub allow_plain_http: Vec<String>,
    /// The keys that may sign licenses here; none: each company's first one.
    #[serde(default)]
    pub trusted_keys: TrustedKeys,
    /// How large the spool of one employer may grow, MiB, before pictures make way; none: 2048.
    #[serde(default)]
    pub spool_quota_mib: Option<u32>,
    /// How much may be sent to one employer, KiB a second; none: as fast as it goes.
    #[serde(default)]
    pub upload_kib_per_s: Option<NonZeroU32>,
    /// Certificates (PEM) of authorities that are trusted beside the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The proxy that servers are reached by; none: what environment and system say.
    #[serde(default)]
    pub proxy: Option<String>,
}

impl Policy {
    /// How large the spool of one employer may grow, bytes.
    pub fn spool_quota_bytes(&self) -> u64 {
        self.spool_quota_mib
            .map_or(DEFAULT_QUOTA_BYTES, |mib| u64::from(mib) << 20)
    }

    /// The way to the servers. Touches the disk where it names a file.
    pub fn line(&self) -> Result<Line, ConfigError> {
        let authorities = self.ca_file.as_ref().map(|path| {
            std::fs::read(path).map_err(|source| ConfigError::Authorities {
                path: path.clone(),
                source,
            })
        });
        let most = NonZeroU32::new(u32::MAX / 1024).expect("is more than none");
        let kib = self.upload_kib_per_s.map(|kib| kib.min(most));
        Ok(Line {
            bytes_per_s: kib.and_then(|kib| NonZeroU32::new(kib.get() * 1024)),
            authorities: authorities.transpose()?.map(Into::into),
            proxy: self.proxy.clone(),
        })
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No home folder for this user.
    #[error("this user has no home folder; say where Glasshour may keep its files with --home DIR")]
    NoHome,
    /// The folder cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// What the policy names as further certificate authorities cannot be read: without it a server may
    /// not be reached.
    #[error("the file of certificate authorities {} (policy.json, \"ca_file\") cannot be read", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The policy is there but cannot be read: running without it could break it.
    #[error("the administrator's {} cannot be read: {reason}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// An environment variable, if it is set and not empty.
pub fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that the ban points to"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The reader's language: `--lang`, else `GLASSHOUR_LANG`, else the locale of the session.
pub fn words(given: Option<Language>) -> Words {
    let locale = crate::platform::locale;
    Words::new(given.unwrap_or_else(|| language(environment, locale)))
}

/// The first locale that is named counts (POSIX, XBD 8.2), where it is spoken; a `GLASSHOUR_LANG` that
/// is not is passed over, so that no setting keeps the agent from running.
fn language(
    environment: impl Fn(&str) -> Option<String>,
    of_system: impl Fn() -> Option<String>,
) -> Language {
    let own = environment("GLASSHOUR_LANG").and_then(|name| Language::of_locale(&name));
    let locale = || {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(&environment)
            .or_else(of_system)
    };
    own.or_else(|| Language::of_locale(&locale()?))
        .unwrap_or_default()
}

/// The agent's own folder: `--home`, else the system's place for a user's application data.
pub fn home(given: Option<&Path>) -> Result<Home, ConfigError> {
    let root = match given {
        Some(path) => path.to_owned(),
        None => ProjectDirs::from("", "", "glasshour")
            .ok_or(ConfigError::NoHome)?
            .data_local_dir()
            .to_owned(),
    };
    Ok(Home::open(&root)?)
}

/// The administrator's folder.
pub fn system_dir() -> PathBuf {
    environment("GLASSHOUR_SYSTEM_CONFIG").map_or_else(|| SYSTEM_DIR.into(), PathBuf::from)
}

/// Whether this process may write where the machine's administrator writes. Asked of the system's own
/// folder, whatever the environment says, by writing there: access lists and read-only file systems
/// count as well.
pub fn may_administer() -> bool {
    let mut folder = Path::new(SYSTEM_DIR);
    while !folder.exists() {
        let Some(parent) = folder.parent() else {
            return false;
        };
        folder = parent;
    }
    may_write(folder)
}

fn may_write(folder: &Path) -> bool {
    let probe = folder.join(format!(".glasshour-probe-{}", std::process::id()));
    let written = std::fs::File::create_new(&probe).is_ok();
    if written {
        // It is empty; that it cannot be removed again changes nothing about the answer.
        let _ = std::fs::remove_file(&probe);
    }
    written
}

/// Where the administrator puts licenses.
pub fn license_dir() -> PathBuf {
    system_dir().join("license.d")
}

/// The administrator's policy; none there means the defaults.
pub fn policy() -> Result<Policy, ConfigError> {
    let path = system_dir().join("policy.json");
    let failed = |reason: String| ConfigError::Policy {
        path: path.clone(),
        reason,
    };
    match std::fs::read(&path) {
        Ok(bytes) => read_policy(&bytes).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Policy::default()),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn read_policy(bytes: &[u8]) -> Result<Policy, String> {
    // Derived readers take a list of the members for an object.
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let members = value.as_object().ok_or(
        r#"it must be a JSON object, such as {"allow_plain_http": ["time.acme.example"]}"#,
    )?;
    let keys = members.get("trusted_keys").and_then(Value::as_array);
    if keys.into_iter().flatten().any(|entry| !entry.is_object()) {
        return Err(
            r#"trusted_keys: each must be a JSON object, {"company_id": "…", "key": "…"}"#.into(),
        );
    }
    let policy: Policy = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match policy.allow_plain_http.iter().find(|host| !is_host(host)) {
        None => Ok(policy),
        Some(odd) => Err(format!(
            "allow_plain_http: {odd:?} is neither a host name nor an IP address; write that alone, \
             such as \"time.acme.example\" or \"192.168.1.5\", without http://, port, path or *"
        )),
    }
}

/// A host name (RFC 1123, section 2.1) or an IP address, and nothing around it.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.parse::<std::net::IpAddr>().is_ok() || (text.len() <= 253 && text.split('.').all(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_an_object_with_known_members_and_hosts_that_are_hosts() {
        for good in [
            "{}",
            r#"{"allow_plain_http": ["time.acme.example", "localhost", "192.168.1.5", "::1"]}"#,
            r#"{"trusted_keys": []}"#,
        ] {
            assert!(read_policy(good.as_bytes()).is_ok(), "{good}");
        }
        for (bad, says) in [
            (r#"[["evil.example"],[]]"#, "must be a JSON object"),
            ("[]", "must be a JSON object"),
            ("null", "must be a JSON object"),
            ("", "EOF"),
            (r#"{"allow_plain_htp": []}"#, "unknown field"),
            (
                r#"{"allow_plain_http": [], "allow_plain_http": []}"#,
                "duplicate field",
            ),
            (
                r#"{"trusted_keys": [["0193", "k"]]}"#,
                "each must be a JSON object",
            ),
            (r#"{"allow_plain_http": ["*"]}"#, "such as"),
            (r#"{"allow_plain_http": ["*.acme.example"]}"#, "such as"),
            (
                r#"{"allow_plain_http": ["http://time.acme.example"]}"#,
                "such as",
            ),
            (
                r#"{"allow_plain_http": ["time.acme.example:8080"]}"#,
                "such as",
            ),
            (
                r#"{"allow_plain_http": ["time.acme.example/x"]}"#,
                "such as",
            ),
            (r#"{"allow_plain_http": ["[::1]"]}"#, "such as"),
            (r#"{"allow_plain_http": [""]}"#, "such as"),
        ] {
            let refused = read_policy(bad.as_bytes()).unwrap_err();
            assert!(refused.contains(says), "{bad}: {refused}");
        }
    }

    #[test]
    fn the_language_is_what_the_session_says_unless_it_is_told_otherwise() {
        use Language::{English, French};
        for (set, spoken) in [
            (&[][..], English),
            (&[("LANG", "fr_FR.UTF-8")], French),
            (&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C.UTF-8")], English),
            (&[("LANG", "en_GB.UTF-8"), ("LC_MESSAGES", "fr_CA")], French),
            (&[("LC_MESSAGES", "fr"), ("LC_ALL", "de_DE")], English),
            (&[("LANG", "en_US"), ("GLASSHOUR_LANG", "fr")], French),
            (&[("LANG", "fr_FR"), ("GLASSHOUR_LANG", "en")], English),
            (&[("LANG", "fr_FR"), ("GLASSHOUR_LANG", "de")], French),
        ] {
            let environment = |name: &str| {
                let value = set.iter().find(|(known, _)| *known == name);
                value.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(language(environment, || None), spoken, "{set:?}");
        }
        let french = || Some("fr-FR".to_owned());
        assert_eq!(language(|_| None, french), French);
        let english = |name: &str| (name == "LANG").then(|| "en_US".to_owned());
        assert_eq!(language(english, french), English);
    }

    #[test]
    fn whether_a_folder_may_be_written_is_found_out_without_a_trace() {
        let dir = tempfile::tempdir().unwrap();
        assert!(may_write(dir.path()));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(!may_write(&dir.path().join("not there")));
    }
}
