//! Payloads at rest: XChaCha20-Poly1305 under a key that is kept elsewhere, so that a copy of the file, a
//! backup or a stolen disk shows no picture.
//!
//! The record's id and its header's hash are authenticated with it: a payload cannot be moved to
//! another record. Headers stay readable: when, which kind, which monitor, how many bytes.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use glasshour_protocol::{RecordId, SignedHeader};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// How a row's payload is protected: the value of its `seal` column.
pub(super) const NONE: &str = "none";
/// Nonce, then the sealed payload.
pub(super) const SEALED: &str = "xchacha20poly1305";

/// What is sealed to find out whether a key is the one of the file.
const CHECK: &[u8] = b"glasshour spool";

/// The key that a spool's payloads are sealed with.
#[derive(Clone)]
pub struct SealKey(Arc<XChaCha20Poly1305>);

impl std::fmt::Debug for SealKey {
    /// Never prints the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

/// The system gives no random numbers, or the cipher refused: nothing was sealed.
#[derive(Debug, thiserror::Error)]
#[error("a record could not be sealed")]
pub struct SealError;

impl SealKey {
    /// A key from its bytes, which must be random.
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(Arc::new(XChaCha20Poly1305::new(bytes.into())))
    }

    pub(super) fn seal(
        &self,
        id: RecordId,
        header: &SignedHeader,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.seal_bound(&bound_to(id, header), payload)
    }

    /// `None` where it is not what was sealed, or with another key.
    pub(super) fn open(
        &self,
        id: RecordId,
        header: &SignedHeader,
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        self.open_bound(&bound_to(id, header), sealed)
    }

    /// What tells this key again.
    pub(super) fn mark(&self) -> Result<Vec<u8>, SealError> {
        self.seal_bound(CHECK, CHECK)
    }

    pub(super) fn made(&self, mark: &[u8]) -> bool {
        self.open_bound(CHECK, mark).is_some()
    }

    fn seal_bound(&self, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError)?;
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), Payload { msg, aad })
            .map_err(|_| SealError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open_bound(&self, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.0
            .decrypt(&XNonce::from(*nonce), Payload { msg, aad })
            .ok()
    }
}

fn bound_to(id: RecordId, header: &SignedHeader) -> Vec<u8> {
    [id.0.as_bytes().as_slice(), header.hash().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn header(text: &str) -> SignedHeader {
        SignedHeader {
            bytes: text.as_bytes().to_vec(),
            signature: String::new(),
        }
    }

    #[test]
    fn what_is_sealed_opens_for_its_own_record_and_key_alone() {
        let key = SealKey::new(&[1; 32]);
        let (id, other) = (RecordId(Uuid::from_u128(1)), RecordId(Uuid::from_u128(2)));
        let sealed = key.seal(id, &header("a"), b"a picture").unwrap();
        assert_ne!(sealed, key.seal(id, &header("a"), b"a picture").unwrap());
        assert!(!sealed.windows(9).any(|part| part == b"a picture"));
        let opened =
            |key: &SealKey, id, text: &str, sealed: &[u8]| key.open(id, &header(text), sealed);
        assert_eq!(
            opened(&key, id, "a", &sealed).as_deref(),
            Some(&b"a picture"[..])
        );
        assert_eq!(opened(&key, other, "a", &sealed), None);
        assert_eq!(opened(&key, id, "b", &sealed), None);
        assert_eq!(opened(&SealKey::new(&[2; 32]), id, "a", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&key, id, "a", &changed), None);
            assert_eq!(opened(&key, id, "a", &sealed[..at]), None);
        }
        assert!(key.made(&key.mark().unwrap()));
        assert!(!SealKey::new(&[2; 32]).made(&key.mark().unwrap()));
    }
}
