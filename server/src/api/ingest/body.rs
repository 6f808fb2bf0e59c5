//! Reads a payload as it arrives: hashed on the way, looked at as soon as its first bytes tell what it
//! is, and never more of it than its signed header says.
//!
//! A sender that is slower than its [`Pace`] is cut off, so that it holds no room that others
//! need; the records of a slow line are small enough to get through. What a refusal leaves of a body is
//! read and thrown away at the same pace: an answer that comes while the client still sends is lost with
//! the connection.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use glasshour_protocol::jws::hex;
use glasshour_protocol::limits::MAX_PAYLOAD_BYTES;
use glasshour_protocol::picture::{self, Head, MAX_HEAD_BYTES};
use glasshour_protocol::{RecordHeader, code};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{invalid, payload_mismatch, too_large};
use crate::error::ApiError;
use crate::room::{AWAITED_BYTES, FIRST_BYTES, Room, Share};

/// How fast a body has to come.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long it may take before that counts.
    pub grace: Duration,
    /// From then on, the slowest that is waited for, on average since it began.
    pub least_bytes_per_s: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            least_bytes_per_s: 4 * 1024,
        }
    }
}

impl Pace {
    /// How long the next piece may take when so much has arrived since `begun`; `None`: it took too
    /// long already.
    fn left(self, seen: usize, begun: Instant) -> Option<Duration> {
        let earned = Duration::from_secs(seen as u64) / self.least_bytes_per_s.max(1);
        (self.grace + earned).checked_sub(begun.elapsed())
    }
}

/// A request's body.
pub(super) struct Incoming {
    stream: BodyDataStream,
    pace: Pace,
    begun: Instant,
    /// What has arrived, kept or not.
    seen: usize,
}

impl Incoming {
    pub(super) fn new(body: Body, pace: Pace) -> Self {
        Self {
            stream: body.into_data_stream(),
            pace,
            begun: Instant::now(),
            seen: 0,
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(left) = self.pace.left(self.seen, self.begun) else {
            return Err(too_slow());
        };
        match tokio::time::timeout(left, self.stream.next()).await {
            Err(_) => Err(too_slow()),
            Ok(None) => Ok(None),
            Ok(Some(Ok(chunk))) => {
                self.seen += chunk.len();
                Ok(Some(chunk))
            }
            Ok(Some(Err(error))) => Err(cut_off().with_source(error)),
        }
    }

    /// Reads the payload that the header describes: its length and its hash are right, and where it
    /// must be a picture, it begins as one. With it the room that it has taken: none before something is
    /// here, then that of its first bytes, then all of it.
    pub(super) async fn payload(
        &mut self,
        header: &RecordHeader,
        is_picture: bool,
        room: &Room,
    ) -> Result<(Bytes, Share), ApiError> {
        let length = usize::try_from(header.payload_len).map_err(|_| too_large())?;
        let mut known = !is_picture;
        let mut hash = Sha256::new();
        let mut share = None;
        let mut granted = length.min(AWAITED_BYTES);
        let mut bytes = Vec::with_capacity(granted);
        while let Some(chunk) = self.next().await? {
            let here = bytes.len() + chunk.len();
            if here > length {
                return Err(payload_mismatch());
            }
            if here > granted {
                let share = match &mut share {
                    Some(share) => share,
                    none => none.insert(room.begin().await?),
                };
                granted = length.min(FIRST_BYTES);
                if here > granted {
                    share.grow((length - granted) as u64).await?;
                    granted = length;
                }
                // All of it at once: doubling would hold up to twice of it.
                bytes.reserve_exact(granted - bytes.len());
            }
            hash.update(&chunk);
            bytes.extend_from_slice(&chunk);
            if !known {
                let begun = bytes.get(..MAX_HEAD_BYTES).unwrap_or(&bytes);
                match picture::head(&header.content_type, begun) {
                    Head::Picture(_) => known = true,
                    Head::More => {}
                    Head::Other => return Err(not_a_picture()),
                }
            }
        }
        if bytes.len() != length || hex(&hash.finalize()) != header.payload_sha256 {
            return Err(payload_mismatch());
        }
        if !known {
            return Err(not_a_picture());
        }
        let share = match share {
            Some(share) => share,
            None => room.begin().await?,
        };
        Ok((Bytes::from(bytes), share))
    }

    /// Makes sure that nothing comes.
    pub(super) async fn nothing(&mut self) -> Result<(), ApiError> {
        while let Some(chunk) = self.next().await? {
            if !chunk.is_empty() {
                return Err(invalid("payload", "must be empty where it was withdrawn"));
            }
        }
        Ok(())
    }

    /// Throws away what is still to come, up to the cap. A sender that is too slow is not waited for.
    pub(super) async fn discard(&mut self) {
        while self.seen <= MAX_PAYLOAD_BYTES {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// 408: the client is told to come again, if it still listens.
fn too_slow() -> ApiError {
    ApiError::new(
        StatusCode::REQUEST_TIMEOUT,
        code::BUSY,
        "The record came too slowly. It is taken when it comes faster.",
    )
}

fn cut_off() -> ApiError {
    let message = "The connection broke before all of the record was there. Send it again.";
    ApiError::new(StatusCode::BAD_REQUEST, code::BUSY, message)
}

fn not_a_picture() -> ApiError {
    invalid("payload", "is not an image of its content type")
}
