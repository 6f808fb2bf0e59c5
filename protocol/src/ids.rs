//! Identifiers as newtypes over UUIDs, so that one cannot be passed for another.
//!
//! All of them travel as lower-case hyphenated text (RFC 9562, section 4).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(/// One company: it owns the license-signing key and everything below it.
    CompanyId);
id!(/// One tracked person in one company.
    EmployeeId);
id!(/// One operating-system user on one machine, for one company.
    DeviceId);
id!(/// One issued license; a new serial is a new license with a new id.
    LicenseId);
id!(/// A project or department that time is tracked on.
    ProjectId);
id!(/// One record; a UUIDv7, so ids of one device sort by time.
    RecordId);
id!(/// One continuous stretch of tracking (`PEOPLE_RULES` 19).
    SessionId);
