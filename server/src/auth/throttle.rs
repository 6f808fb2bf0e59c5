//! Slows password guessing: ten failures for one account from one address within fifteen minutes,
//! and that pair has to wait.
//!
//! Kept in memory and bounded; another address is not locked out by somebody else's guesses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const WINDOW_MS: i64 = 15 * 60_000;
const MAX_FAILURES: usize = 10;
const MAX_PAIRS: usize = 10_000;

/// Failed log-ins of late, by account and address.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: Mutex<HashMap<(String, IpAddr), Vec<i64>>>,
}

impl Throttle {
    /// Counts an attempt before it is checked, so that attempts made at once count too; false where
    /// this account has to wait.
    pub fn begin(&self, account: &str, from: IpAddr, now_ms: i64) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |times: &mut Vec<i64>| {
            times.retain(|at| now_ms.saturating_sub(*at) < WINDOW_MS);
            !times.is_empty()
        };
        if failures.len() >= MAX_PAIRS {
            failures.retain(|_, times| recent(times));
        }
        let key = (account.to_owned(), from);
        if failures.len() >= MAX_PAIRS && !failures.contains_key(&key) {
            return false;
        }
        let times = failures.entry(key).or_default();
        recent(times);
        if times.len() >= MAX_FAILURES {
            return false;
        }
        times.push(now_ms);
        true
    }

    /// Forgets the failures of an account that has logged in.
    pub fn succeed(&self, account: &str, from: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&(account.to_owned(), from));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    #[test]
    fn the_eleventh_failure_within_fifteen_minutes_has_to_wait() {
        let throttle = Throttle::default();
        for _ in 0..MAX_FAILURES {
            assert!(throttle.begin("jo", HERE, 0));
        }
        assert!(!throttle.begin("jo", HERE, WINDOW_MS - 1));
        assert!(
            throttle.begin("jo", THERE, 0),
            "another address is not locked out"
        );
        assert!(throttle.begin("ann", HERE, 0), "nor is another account");
        assert!(throttle.begin("jo", HERE, WINDOW_MS));
    }

    #[test]
    fn logging_in_forgets_the_failures() {
        let throttle = Throttle::default();
        for _ in 0..30 {
            assert!(throttle.begin("jo", HERE, 0));
            throttle.succeed("jo", HERE);
        }
    }
}
