//! Columns that hold something richer than their SQL type: ids and names as `TEXT`, JSON as `TEXT`.
//!
//! Row structs name these in `#[sqlx(try_from = …)]`, so that everything above the store sees ids
//! and enums, and a row that holds anything else is an error, not a guess.

use std::str::FromStr;

use glasshour_license_format::{Profile, WorkMode};
use glasshour_protocol::{
    CompanyId, DeviceId, EmployeeId, Kind, LicenseId, ProjectId, RecordId, SessionId,
};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

use crate::report::{Grade, Stretch};

/// A value kept as its text.
#[derive(Debug)]
pub(super) struct Text<T>(pub(super) T);

/// A value kept as its text, or NULL.
#[derive(Debug)]
pub(super) struct Nullable<T>(pub(super) Option<T>);

/// A value kept as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

/// A value kept as JSON, or NULL.
#[derive(Debug)]
pub(super) struct NullableJson<T>(pub(super) Option<T>);

/// Any JSON, or NULL: `Option<Value>` is a column type of its own in serde's eyes.
pub(super) type NullableValue = NullableJson<serde_json::Value>;

macro_rules! text_type {
    ($($wrapper:ident),*) => {$(
        impl<DB: Database, T> Type<DB> for $wrapper<T>
        where
            String: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <String as Type<DB>>::type_info()
            }

            fn compatible(found: &DB::TypeInfo) -> bool {
                <String as Type<DB>>::compatible(found)
            }
        }
    )*};
}
text_type!(Text, Nullable, Json, NullableJson);

impl<'q, DB: Database, T: std::fmt::Display> Encode<'q, DB> for Text<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(
        &self,
        buffer: &mut <DB as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        self.0.to_string().encode(buffer)
    }
}

impl<'r, DB: Database, T: FromStr> Decode<'r, DB> for Text<T>
where
    &'r str: Decode<'r, DB>,
    BoxDynError: From<T::Err>,
{
    fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<&str as Decode<DB>>::decode(value)?.parse()?))
    }
}

impl<'r, DB: Database, T: FromStr> Decode<'r, DB> for Nullable<T>
where
    Option<&'r str>: Decode<'r, DB>,
    BoxDynError: From<T::Err>,
{
    fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(
            <Option<&str> as Decode<DB>>::decode(value)?
                .map(str::parse)
                .transpose()?,
        ))
    }
}

impl<'r, DB: Database, T: serde::de::DeserializeOwned> Decode<'r, DB> for Json<T>
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_str(<&str as Decode<DB>>::decode(
            value,
        )?)?))
    }
}

impl<'r, DB: Database, T: serde::de::DeserializeOwned> Decode<'r, DB> for NullableJson<T>
where
    Option<&'r str>: Decode<'r, DB>,
{
    fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <Option<&str> as Decode<DB>>::decode(value)?;
        Ok(Self(text.map(serde_json::from_str).transpose()?))
    }
}

macro_rules! unwrap_into {
    ($($wrapper:ident => $($plain:ty),+;)*) => {$($(
        impl From<$wrapper<$plain>> for $plain {
            fn from(column: $wrapper<$plain>) -> Self {
                column.0
            }
        }
    )+)*};
}
unwrap_into! {
    Text => CompanyId, DeviceId, EmployeeId, LicenseId, ProjectId, RecordId, Kind, Grade,
        super::ProjectKind, SessionId;
    Json => Profile, serde_json::Value, Vec<glasshour_protocol::payload::ApplicationTime>, Vec<Stretch>,
        glasshour_license_format::Claims;
}

macro_rules! unwrap_option_into {
    ($($wrapper:ident => $($plain:ty),+;)*) => {$($(
        impl From<$wrapper<$plain>> for Option<$plain> {
            fn from(column: $wrapper<$plain>) -> Self {
                column.0
            }
        }
    )+)*};
}
unwrap_option_into! {
    Nullable => ProjectId, SessionId, RecordId, CompanyId, EmployeeId,
        glasshour_protocol::withdrawal::Reason;
    NullableJson => glasshour_protocol::payload::HealthReport, serde_json::Value;
}

/// An enum that is kept as a word, on the wire and in the database.
macro_rules! word_enum {
    ($(#[$about:meta])* $name:ident, $unknown:literal { $($(#[$doc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::store::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::store::UnknownWord($unknown)),
                }
            }
        }

        impl From<crate::store::column::Text<$name>> for $name {
            fn from(column: crate::store::column::Text<$name>) -> Self {
                column.0
            }
        }
    };
}
pub(super) use word_enum;

/// A word that is none of those known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct UnknownWord(pub &'static str);

/// [`WorkMode`] has no `FromStr` of its own: licenses read it by serde.
#[derive(Debug)]
pub(super) struct Mode(pub(super) WorkMode);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "worklog" => Ok(Self(WorkMode::Worklog)),
            "monitoring" => Ok(Self(WorkMode::Monitoring)),
            _ => Err(UnknownMode),
        }
    }
}

impl From<Text<Mode>> for WorkMode {
    fn from(column: Text<Mode>) -> Self {
        column.0.0
    }
}

/// The database holds a work mode that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("not a work mode")]
pub(super) struct UnknownMode;

/// JSON for a `TEXT` column.
pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data with string keys")
}

/// Counts and sequence numbers travel unsigned and are kept as `BIGINT`.
pub(super) fn to_bigint(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
