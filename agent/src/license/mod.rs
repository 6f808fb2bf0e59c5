//! The licenses loaded on this device: which are trusted, which one counts, and the record of their
//! notices.

mod adopted;
mod agreement;
mod latest_time;
mod load;
mod lookalike;
mod notices;
mod pins;
mod store;
pub mod system_folder;
mod trusted_keys;
mod validity;

pub use adopted::Present;
pub use agreement::Agreement;
pub use latest_time::LatestTime;
pub use load::{LoadError, check_server_url, read_file};
pub use lookalike::{looks_like, mixes_alphabets};
pub use notices::{Notices, Showing, Unrecorded};
pub use pins::known_keys;
pub use store::{Book, KeyChange, LicenseStore, LoadOptions, Loaded, StoreError};
pub use trusted_keys::{NotAFingerprint, NotListed, TrustedKeys};
pub use validity::invalid;
