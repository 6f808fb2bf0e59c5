//! Who is asking: passwords and cookie sessions for people, tokens for scripts, signed tokens for
//! devices.
//!
//! Nothing that opens a door is stored: of passwords the Argon2id hash, of cookies and API tokens
//! the SHA-256, of devices the public key. An unknown address gets the same answer, in the same
//! time, as a wrong password.

mod actor;
mod address;
mod authorize;
mod common_passwords;
mod device;
mod extract;
mod factor;
mod oidc;
mod origin;
mod own_day;
mod password;
mod rates;
mod scope;
mod throttle;
mod token;
mod totp;
mod web;

pub(crate) use actor::of_user;
pub use actor::{Actor, Who};
pub(crate) use address::behind_proxies;
pub(crate) use authorize::forbidden;
pub use authorize::{Object, Role, Verb, allows};
pub(crate) use device::revoked;
pub use device::{DeviceToken, authenticate_device};
pub(crate) use extract::bearer;
pub use extract::{CurrentUser, Peer};
pub use factor::{NewFactor, log_in_by_code};
pub(crate) use factor::{begin_factor, confirm_factor};
pub(crate) use oidc::CALLBACK as SIGN_ON_CALLBACK;
pub use oidc::{Oidc, OidcConfig, OidcError, Returned, begin_sign_on, finish_sign_on};
pub use origin::require_same_origin;
pub(crate) use own_day::{OwnDays, day_link, exchange};
pub use password::Passwords;
pub use rates::Rates;
pub(crate) use rates::limit_address;
pub use throttle::Throttle;
pub use token::{Secret, hash_token};
pub use web::{LogIn, LoggedIn, log_in, log_out};
pub(crate) use web::{check_password, open_session};
