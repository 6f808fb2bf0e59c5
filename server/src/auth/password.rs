//! Passwords: Argon2id with the parameters that OWASP recommends, off the runtime's threads, a few
//! at a time so that a flood of log-ins cannot take all memory.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::common_passwords::why_common;
use crate::error::ApiError;
use crate::room::Room;

/// Shortest password accepted, in characters (NIST SP 800-63B, section 3.1.1.2, for a password that
/// is the only factor, asks for 15; the operator may set more by policy).
const MIN_PASSWORD_CHARS: usize = 10;

/// Longest password accepted, in bytes.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Memory (KiB), passes and lanes of one hash.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many are computed at once.
const AT_ONCE: usize = 4;

/// Computes and checks password hashes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Each takes its memory from here, together with whatever else is under way.
    room: Room,
    /// What is verified against where there is no such user, to take the same time.
    nobody: Arc<OnceLock<String>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            room: Room::default(),
            nobody: Arc::default(),
        }
    }
}

impl Passwords {
    /// With the memory of a server.
    pub fn within(room: Room) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// Hashes a new password of nobody in particular: see [`Passwords::hash_for`].
    pub async fn hash(&self, password: &str) -> Result<String, ApiError> {
        self.hash_for(password, &[]).await
    }

    /// Hashes a new password into a PHC string; refuses one that is too short or too long, or among the
    /// first that are guessed. `own`: address and name of whose it is.
    pub async fn hash_for(&self, password: &str, own: &[&str]) -> Result<String, ApiError> {
        if password.chars().count() < MIN_PASSWORD_CHARS || password.len() > MAX_PASSWORD_BYTES {
            return Err(ApiError::invalid(
                "password",
                format!(
                    "The password must have {MIN_PASSWORD_CHARS} characters or more (at most {MAX_PASSWORD_BYTES} bytes)."
                ),
            ));
        }
        if let Some(why) = why_common(password, own) {
            return Err(ApiError::invalid(
                "password",
                format!(
                    "This password is guessed early: {why}. Choose another, such as four words that do not belong together."
                ),
            ));
        }
        let password = password.to_owned();
        self.run(move || hash(&password)).await?
    }

    /// Whether a password fits the hash. With `None` for the hash the answer is no, after the same time.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, ApiError> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        let (password, known) = (password.to_owned(), hash.map(str::to_owned));
        let nobody = Arc::clone(&self.nobody);
        self.run(move || {
            let exists = known.is_some();
            let phc = match known {
                Some(phc) => phc,
                None => dummy(&nobody)?,
            };
            let parsed = PasswordHash::new(&phc)
                .map_err(|error| ApiError::internal(format!("a stored password hash: {error}")))?;
            // The parameters are those of the stored hash.
            Ok(Argon2::default()
                .verify_password(password.as_bytes(), &parsed)
                .is_ok()
                && exists)
        })
        .await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(ApiError::internal)?;
        let share = self.room.take(u64::from(MEMORY_KIB) * 1024).await?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, share));
            result
        })
        .await
        .map_err(ApiError::internal)
    }
}

fn dummy(nobody: &OnceLock<String>) -> Result<String, ApiError> {
    if let Some(phc) = nobody.get() {
        return Ok(phc.clone());
    }
    let phc = hash("nobody has this password")?;
    Ok(nobody.get_or_init(|| phc).clone())
}

fn hash(password: &str) -> Result<String, ApiError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| ApiError::internal(format!("Argon2 parameters: {error}")))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|phc| phc.to_string())
        .map_err(|error| ApiError::internal(format!("hashing a password: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only_and_nobody_has_one() {
        let passwords = Passwords::default();
        let phc = passwords.hash("correct horse").await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(passwords.verify("correct horse", Some(&phc)).await.unwrap());
        assert!(!passwords.verify("correct horsf", Some(&phc)).await.unwrap());
        assert!(
            !passwords
                .verify("nobody has this password", None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_short_password_is_refused() {
        let error = Passwords::default().hash("123456789").await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some("password"));
    }
}
