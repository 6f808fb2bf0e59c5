//! JSON without surprises: refuses an object that has the same member twice.
//!
//! RFC 8259 leaves it open which of two members counts, so two readers could read two different
//! licenses from one signed text. RFC 7515 (section 4) demands uniqueness for headers; we do so for
//! everything.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// Walks the whole text; errors on malformed JSON, on trailing text, on nesting deeper than
/// `serde_json` allows (128), and on a duplicate member.
pub(crate) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    NoDuplicates.deserialize(&mut deserializer)?;
    deserializer.end()
}

struct NoDuplicates;

impl<'de> DeserializeSeed<'de> for NoDuplicates {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoDuplicates {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(NoDuplicates)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format_args!(
                    "the member {name:?} stands twice"
                )));
            }
            seen.insert(name);
            members.next_value_seed(NoDuplicates)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        assert!(check(br#"{"a":1,"b":[{"c":1,"d":{"a":2}}]}"#).is_ok());
        let error = check(br#"{"a":1,"b":[{"c":1,"c":2}]}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains(r#"the member "c" stands twice"#), "{error}");
        assert!(
            check(br#"{"a":1,"\u0061":2}"#).is_err(),
            "escapes do not hide a duplicate"
        );
    }

    #[test]
    fn trailing_text_and_deep_nesting_are_refused() {
        assert!(check(b"{} {}").is_err());
        assert!(check(&vec![b'['; 100_000]).is_err());
    }
}
