//! The administrator's pins: the signing keys that this computer trusts, from `trusted_keys` in
//! `policy.json`.
//!
//! Where there are any, nothing else counts: not a key that was pinned when a license was loaded, not
//! `--trust-new-key`, not a company that is not listed.

use std::collections::BTreeMap;

use glasshour_license_format::{License, SignedLicense};
use glasshour_protocol::CompanyId;
use serde::Deserialize;

use crate::config::SYSTEM_DIR;

/// Which keys may sign licenses on this computer. By default, each company's first one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Entry>")]
pub struct TrustedKeys {
    by_company: BTreeMap<CompanyId, Vec<String>>,
}

/// One pin, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    company_id: CompanyId,
    key: String,
}

/// A pin that fits no key.
#[derive(Debug, thiserror::Error)]
#[error(
    "trusted_keys: {key:?} is not the fingerprint of a key, which has 43 letters, digits, - and _; \
     `glasshour-server doctor` shows it to the employer, `glasshour license show FILE` to you"
)]
pub struct NotAFingerprint {
    key: String,
}

impl TryFrom<Vec<Entry>> for TrustedKeys {
    type Error = NotAFingerprint;

    fn try_from(entries: Vec<Entry>) -> Result<Self, NotAFingerprint> {
        let mut by_company: BTreeMap<CompanyId, Vec<String>> = BTreeMap::new();
        for Entry { company_id, key } in entries {
            let known = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
            if key.len() != 43 || !key.bytes().all(known) {
                return Err(NotAFingerprint { key });
            }
            by_company.entry(company_id).or_default().push(key);
        }
        Ok(Self { by_company })
    }
}

/// Signed by a key that the administrator does not trust.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the administrator of this computer trusts {} ({SYSTEM_DIR}/policy.json, \"trusted_keys\"); \
     this license of {company} (company {company_id}) is signed with {key}{}. Ask the administrator, \
     who can compare that fingerprint with the one that your employer sees (`glasshour-server \
     doctor`) and list it",
    if *.listed { "other keys of this company" } else { "no key of this company" },
    if *.announced {
        ". A listed key has announced that one: the employer has changed its key, which lists nothing \
         by itself"
    } else {
        ""
    },
)]
pub struct NotListed {
    company: String,
    company_id: CompanyId,
    key: String,
    listed: bool,
    /// By one of those that are listed.
    announced: bool,
}

impl TrustedKeys {
    /// Whether there are any.
    pub fn in_force(&self) -> bool {
        !self.by_company.is_empty()
    }

    /// How many companies have some.
    pub fn companies(&self) -> usize {
        self.by_company.len()
    }

    /// Whether that very key is listed for the company.
    pub fn lists(&self, company: CompanyId, key: &str) -> bool {
        let listed = self.by_company.get(&company);
        listed.is_some_and(|keys| keys.iter().any(|known| known == key))
    }

    /// Whether a license may count on this computer.
    pub fn check(&self, signed: &SignedLicense) -> Result<(), NotListed> {
        let issuer = &signed.claims().issuer;
        let listed = self.by_company.get(&issuer.company_id);
        let key = signed.thumbprint();
        if !self.in_force() || listed.is_some_and(|keys| keys.iter().any(|known| known == key)) {
            return Ok(());
        }
        Err(NotListed {
            company: issuer.company.clone(),
            company_id: issuer.company_id,
            key: key.to_owned(),
            listed: listed.is_some(),
            announced: listed.is_some_and(|keys| {
                let way = |known: &String| signed.key_history().way_from(known).is_some();
                keys.iter().any(way)
            }),
        })
    }

    /// Why loaded licenses do not count, in sentences.
    pub fn problems(&self, loaded: &[License]) -> Vec<String> {
        let refused = loaded.iter().filter_map(|l| self.check(l.signed()).err());
        refused
            .map(|why| format!("A license of {} is out of use: {why}.", why.company))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn parse(text: &Value) -> Result<TrustedKeys, String> {
        serde_json::from_value(text.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pin_that_fits_no_key_is_refused_with_what_to_do() {
        let entry = |key: &str| json!([{"company_id": Uuid::from_u128(1), "key": key}]);
        assert!(!parse(&json!([])).unwrap().in_force());
        assert!(parse(&entry(&"aB0-_".repeat(9)[..43])).unwrap().in_force());
        for bad in ["", "abc", &"a".repeat(44), &format!("{}é", "a".repeat(41))] {
            let error = parse(&entry(bad)).unwrap_err();
            assert!(error.contains("glasshour-server doctor"), "{error}");
        }
        let odd = json!([{"company_id": Uuid::from_u128(1), "key": "a".repeat(43), "until": 1}]);
        assert!(parse(&odd).unwrap_err().contains("unknown field `until`"));
    }
}
