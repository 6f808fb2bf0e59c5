//! The JSON Schema of the claims: made from the types, checked in, and compared.
//!
//! `schema/license-v1.json` describes the payload for writers and readers in other languages.
//! Nothing but this test needs it, so the types derive it under `cfg(test)` alone and no program
//! carries it. That it says the same as `validate.rs` is shown in `tests/tests/python_jose.rs`.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::Claims;

/// An identifier: a UUID.
pub(crate) struct Id;

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A UUID, lower case with hyphens (RFC 9562, section 4).",
            "type": "string",
            "format": "uuid",
        })
    }
}

/// A moment.
pub(crate) struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment, RFC 3339 with offset; written in UTC with `Z`.",
            "type": "string",
            "format": "date-time",
        })
    }
}

/// A time of day.
pub(crate) struct Hour;

impl JsonSchema for Hour {
    fn schema_name() -> Cow<'static, str> {
        "TimeOfDay".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`HH:MM`, from `00:00` to `24:00`.",
            "type": "string",
            "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
        })
    }
}

/// The one rule of `validate.rs` over two members that a schema can say.
pub(crate) fn titles_need_applications(schema: &mut Schema) {
    let is = |name: &str| json!({ "properties": { name: { "const": true } }, "required": [name] });
    schema.insert("if".into(), is("window_titles"));
    schema.insert("then".into(), is("applications"));
}

#[test]
fn the_schema_that_is_checked_in_is_that_of_the_types() {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<Claims>();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/license-v1.json");
    if std::env::var_os("GLASSHOUR_WRITE_SCHEMA").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == text,
        "the claims changed. After a look at what that means for other readers: \
         GLASSHOUR_WRITE_SCHEMA=1 cargo test -p glasshour-license-format schema"
    );
}
