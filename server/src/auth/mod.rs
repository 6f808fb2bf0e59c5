//! Who is asking: passwords and cookie sessions for people, tokens for scripts, signed tokens for
//! devices.
//!
//! Nothing that opens a door is stored: of passwords the Argon2id hash, of cookies and API tokens
//! the SHA-256, of devices the public key. An unknown address gets the same answer, in the same
//! time, as a wrong password.

mod actor;
mod address;
mod authorize;
mod device;
mod extract;
mod origin;
mod own_day;
mod password;
mod rates;
mod throttle;
mod token;
mod web;

pub(crate) use actor::of_user;
pub use actor::{Actor, Who};
pub(crate) use address::behind_proxies;
pub(crate) use authorize::forbidden;
pub use authorize::{Object, Role, Verb, allows};
pub(crate) use device::revoked;
pub use device::{DeviceToken, authenticate_device};
pub use extract::{CurrentUser, Peer};
pub use origin::require_same_origin;
pub(crate) use own_day::{OwnDays, day_link, exchange};
pub use password::Passwords;
pub use rates::Rates;
pub(crate) use rates::limit_address;
pub use throttle::Throttle;
pub use token::{Secret, hash_token};
pub(crate) use web::open_session;
pub use web::{LoggedIn, log_in, log_out};
