//! How many requests a device, and an address, may send: a steady rate with room for a rush, and past
//! that 429 with the time to come back.
//!
//! Kept in memory and bounded. The computer's own addresses have no limit: what comes from there is a
//! proxy that was not named, and stands for everybody.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::DeviceId;

use super::Peer;
use crate::AppState;
use crate::error::ApiError;

/// Senders that are kept in mind.
const MOST: usize = 50_000;
/// So many seconds' worth may come at once.
const RUSH_S: f64 = 10.0;

/// The limits of a server.
#[derive(Debug)]
pub struct Rates {
    devices: Buckets<DeviceId>,
    addresses: Buckets<IpAddr>,
}

impl Default for Rates {
    /// As `serve` has them: more than any honest sender needs. A backlog goes out four at a time, and
    /// an office of agents may share an address.
    fn default() -> Self {
        Self::per_second(300, 1000)
    }
}

impl Rates {
    /// Requests a second of one device, and of one address; 0: no limit.
    pub fn per_second(device: u32, address: u32) -> Self {
        Self {
            devices: Buckets::new(device),
            addresses: Buckets::new(address),
        }
    }

    /// Counts a request of a device, or says that it is one too many.
    pub(crate) fn device(&self, id: DeviceId, now_ms: i64) -> Result<(), ApiError> {
        self.devices.take(id, now_ms).map_err(ApiError::too_many)
    }

    fn address(&self, address: IpAddr, now_ms: i64) -> Result<(), ApiError> {
        let address = address.to_canonical();
        if address.is_loopback() || address.is_unspecified() {
            return Ok(());
        }
        let taken = self.addresses.take(network(address), now_ms);
        taken.map_err(ApiError::too_many)
    }
}

/// Refuses what is too much from one address.
pub(crate) async fn limit_address(
    State(state): State<AppState>,
    Peer(address): Peer,
    request: Request,
    next: Next,
) -> Response {
    match state.rates.address(address, state.clock.now_ms()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Somebody with one address of IPv6 has the network's 2^64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let host = u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & !host))
        }
    }
}

/// One bucket for each sender, refilled at a steady rate.
#[derive(Debug)]
struct Buckets<K> {
    per_s: f64,
    used: Mutex<HashMap<K, Used>>,
}

/// How much is out of a bucket, and since when.
#[derive(Clone, Copy, Debug)]
struct Used {
    used: f64,
    at_ms: i64,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(per_s: u32) -> Self {
        Self {
            per_s: f64::from(per_s),
            used: Mutex::default(),
        }
    }

    /// Takes one, or says after how many seconds there is one.
    fn take(&self, key: K, now_ms: i64) -> Result<(), u64> {
        if self.per_s <= 0.0 {
            return Ok(());
        }
        let left = |bucket: &Used| {
            let passed_ms = now_ms.saturating_sub(bucket.at_ms).clamp(0, 3_600_000);
            let passed_s = f64::from(i32::try_from(passed_ms).unwrap_or(i32::MAX)) / 1000.0;
            (bucket.used - passed_s * self.per_s).max(0.0)
        };
        let mut buckets = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| left(bucket) > 0.0);
            if buckets.len() >= MOST {
                // Nobody is shut out because of others.
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Used {
            used: 0.0,
            at_ms: now_ms,
        });
        let used = left(bucket);
        let most = self.per_s * RUSH_S;
        if used + 1.0 > most {
            // To have a second's worth, so that a sender does not come back for one at a time.
            let wait = ((used + self.per_s - most) / self.per_s).ceil().max(1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "seconds"
            )]
            return Err(wait as u64);
        }
        *bucket = Used {
            used: used + 1.0,
            at_ms: now_ms,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_passes_and_what_is_beyond_it_has_to_wait() {
        let buckets = Buckets::new(2);
        let take = |now_ms| buckets.take("jo", now_ms);
        assert!((0..20).all(|_| take(0).is_ok()));
        assert_eq!(take(0), Err(1));
        assert_eq!(buckets.take("ann", 0), Ok(()), "others are not concerned");
        assert_eq!(take(1000), Ok(()));
        assert_eq!(take(1000), Ok(()));
        assert_eq!(take(1000), Err(1));
        assert!(take(-5_000_000).is_err(), "a clock set back gives nothing");
        assert!((0..20).all(|_| take(60_000).is_ok()));
    }

    #[test]
    fn no_rate_is_no_limit_and_the_computer_itself_has_none() {
        let rates = Rates::per_second(0, 1);
        let device = DeviceId(uuid::Uuid::nil());
        assert!((0..1000).all(|_| rates.device(device, 0).is_ok()));
        let ok = |address: &str| rates.address(address.parse().unwrap(), 0).is_ok();
        assert!((0..1000).all(|_| ok("127.0.0.1") && ok("::1")));
        assert!((0..10).all(|_| ok("192.0.2.1")));
        assert!(!ok("192.0.2.1") && !ok("::ffff:192.0.2.1"));
        assert!((0..10).all(|host| ok(&format!("2001:db8::{host}"))));
        assert!(!ok("2001:db8::ffff"), "one network is one sender");
    }
}
