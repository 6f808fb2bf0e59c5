//! One batch: leased, held against its licenses (gate 2), sent at the same time, settled.

use std::collections::HashSet;
use std::time::Duration;

use glasshour_protocol::{RecordId, code};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::gate::{self, Sent};
use super::{Next, Sender, Verdict, pace};
use crate::spool::{Leased, Settlement, Spool};

/// Records that were leased for a round; those not settled when it ends, or is dropped, go back.
struct Lent {
    spool: Spool,
    ids: HashSet<RecordId>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.spool.release(self.ids.drain());
    }
}

/// What gate 2 says of a record.
enum Gate {
    Open,
    /// Its license is not in the book; it may be there later.
    Unknown,
    /// Never to be sent.
    Shut(Settlement),
}

impl Sender {
    /// Sends one batch.
    pub(super) async fn round(&mut self) -> Next {
        if self.status.borrow().blocked.is_some() {
            return Next::Blocked;
        }
        if self.sent.is_none() {
            match self.spool.shots().await {
                Ok(shots) => self.sent = Some(Sent::new(shots)),
                Err(error) => return self.spool_failed(&error),
            }
        }
        let now = Instant::now();
        let free = self.rate.next(now);
        if free > now {
            self.hold_ends_at = Some(free);
            return Next::Idle;
        }
        let book = &self.config.licenses;
        self.unknown
            .retain(|license| book.claims(*license).is_none());
        let now_ms = self.config.wall.holds_ms();
        let lease = self
            .spool
            .lease_except(self.width.now(), now_ms, self.unknown.clone());
        let leased = match lease.await {
            Ok(leased) if leased.is_empty() => {
                let ends = self.spool.next_hold_end(now_ms).await.ok().flatten();
                self.hold_ends_at = ends.map(|at_ms| {
                    let wait = at_ms.saturating_sub(now_ms).unsigned_abs();
                    Instant::now() + Duration::from_millis(wait)
                });
                return Next::Idle;
            }
            Ok(leased) => leased,
            Err(error) => return self.spool_failed(&error),
        };
        let mut lent = Lent {
            spool: self.spool.clone(),
            ids: leased.iter().map(|record| record.record_id).collect(),
        };
        let mut under_way = JoinSet::new();
        let mut next = Next::Again;
        let mut pushed_back = false;
        for record in leased {
            if self.rate.next(now) > now + pace::WORTH_WAITING {
                // It goes back with the others that are not settled.
                continue;
            }
            match self.gate(&record) {
                Gate::Open => {
                    let client = self.client.clone();
                    let turn = self.rate.turn(now, record.payload.len());
                    under_way.spawn(async move {
                        tokio::time::sleep_until(turn).await;
                        let bare = record.withdrawn.is_some();
                        (record.record_id, bare, client.put(&record).await)
                    });
                }
                Gate::Unknown => {
                    let license = record.license_id;
                    if !self.unknown.contains(&license) {
                        tracing::warn!(%license, "records wait: their license is not loaded here");
                        self.unknown.push(license);
                        let trouble = self.license_trouble();
                        self.status.send_modify(|status| status.trouble = trouble);
                    }
                }
                Gate::Shut(settlement) => {
                    next = next.max(self.settle(&mut lent, record.record_id, settlement).await);
                }
            }
        }
        let batch = under_way.len();
        while let Some(done) = under_way.join_next().await {
            let Ok((id, bare, answer)) = done else {
                continue;
            };
            let settlement = match answer {
                Ok(()) => {
                    self.stored(&next);
                    Settlement::Delivered
                }
                Err(Verdict::Reject { code, .. }) if code == code::LICENSE_SUPERSEDED && !bare => {
                    // There is a newer license: the sooner it is fetched, the less is refused.
                    self.heartbeat_at = Instant::now();
                    Settlement::Superseded { at_ms: now_ms }
                }
                Err(Verdict::Reject { code, message }) => Settlement::Quarantined { code, message },
                Err(verdict) => {
                    pushed_back |= matches!(verdict, Verdict::Retry { .. });
                    next = next.max(self.sorted(verdict));
                    Settlement::Later
                }
            };
            if settlement != Settlement::Delivered
                && let Some(sent) = &mut self.sent
            {
                sent.take_back(id);
            }
            next = next.max(self.settle(&mut lent, id, settlement).await);
        }
        self.width.learn(batch, pushed_back);
        next
    }

    async fn settle(&self, lent: &mut Lent, id: RecordId, settlement: Settlement) -> Next {
        match self.spool.settle(id, settlement).await {
            Ok(()) => {
                lent.ids.remove(&id);
                Next::Again
            }
            Err(error) => self.spool_failed(&error),
        }
    }

    /// The server has a record. A block stands: the answer may be from before it. So does what went
    /// wrong with another record of the batch.
    fn stored(&self, next: &Next) {
        let now = self.config.wall.now_ms();
        let trouble = self.license_trouble();
        self.status.send_modify(|status| {
            status.last_ok_ms = Some(now);
            if *next == Next::Again {
                status.trouble = trouble;
            }
        });
    }

    /// Gate 2: whether the record's license permits it to be sent.
    fn gate(&mut self, record: &Leased) -> Gate {
        let Some(claims) = self.config.licenses.claims(record.license_id) else {
            return Gate::Unknown;
        };
        let sent = self.sent.get_or_insert_default();
        match sent.let_through(record, &claims) {
            Ok(()) => Gate::Open,
            Err(excess) => {
                tracing::warn!(code = excess.code(), "a record exceeds its license");
                Gate::Shut(gate::set_aside(excess))
            }
        }
    }

    /// What `status` says while records wait for their license.
    pub(super) fn license_trouble(&self) -> Option<String> {
        (!self.unknown.is_empty()).then(|| {
            "Some records are kept and not sent: the license they were captured under is not loaded \
             here. Load it again to send them."
                .into()
        })
    }
}
