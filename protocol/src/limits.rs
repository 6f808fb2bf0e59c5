//! Limits that both sides hold, in bytes and seconds unless the name says otherwise.

/// Largest payload of one record that a server accepts: 16 MiB.
///
/// A lossless 8K screenshot of noise stays below it; a server answers 413 above it.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;

/// Largest record header, encoded as JSON, before base64url: 8 KiB, so that it fits the header
/// limits of common HTTP proxies.
pub const MAX_HEADER_BYTES: usize = 8 * 1024;

/// Longest life of a device token, from `iat` to `exp`: five minutes.
pub const MAX_DEVICE_TOKEN_SECONDS: i64 = 300;

/// How far a device's clock may run ahead of the server's before its token is refused.
pub const CLOCK_LEEWAY_SECONDS: i64 = 60;

/// Longest window title kept, in characters; longer ones are cut.
pub const MAX_TITLE_CHARS: usize = 512;

/// Longest application name kept, in characters; longer ones are cut.
pub const MAX_APPLICATION_CHARS: usize = 128;

/// Most applications listed in one activity minute.
pub const MAX_APPLICATIONS_PER_MINUTE: usize = 64;

/// Longest note on a session, in characters.
pub const MAX_NOTE_CHARS: usize = 2000;
