//! Requests by hand: the same record many times at once, another under its id, out of order and with gaps.

use std::sync::Barrier;

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::jws::{from_base64url, sha256_hex};
use glasshour_protocol::payload::{ActivityMinute, JSON};
use glasshour_protocol::{Kind, LicenseId};
use glasshour_tests::Api;
use glasshour_tests::api::Record;
use glasshour_tests::device::{Device, Put};
use glasshour_tests::wait::wall_ms;

use crate::case::{Case, Run};
use crate::stage::{Seat, Stage};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 19,
        name: "same-record-100-times",
        says: "the same record 100 times at once: one row, each answer 2xx",
        needs: &[],
        tries: (2, 20),
        run: many_times,
    },
    Case {
        number: 20,
        name: "same-id-other-body",
        says: "another record, or another body, under an id that is taken: 409 and 422, nothing changes",
        needs: &[],
        tries: (3, 50),
        run: other_body,
    },
    Case {
        number: 21,
        name: "out-of-order-and-gaps",
        says: "records in any order: all are stored, a gap is graded as one and heals when it is filled",
        needs: &[],
        tries: (3, 50),
        run: out_of_order,
    },
];

const AT_ONCE: usize = 100;

/// A device that the server knows, without a sender.
struct Hand {
    device: Device,
    license: LicenseId,
    api: Api,
}

impl Hand {
    fn of(stage: &Stage, seat: &Seat) -> Result<Self> {
        // Enrols.
        seat.drain(&stage.proxy.url())?;
        let license = glasshour_license_format::read(stage.license())?;
        Ok(Self {
            device: seat.device(stage.company)?,
            license: license.claims().license_id,
            api: Api::new(&stage.proxy.url(), &stage.server.init.api_token),
        })
    }

    fn record(&self, seq: u64, prev: Option<String>, nth: i64) -> Result<Put> {
        let payload = minute(nth)?;
        let mut header = self
            .device
            .header(self.license, seq, Kind::Activity, (JSON, &payload));
        header.prev = prev;
        Ok(self.device.sign_header(&header, &payload))
    }

    /// Records 1 to `count`, each chained to the one before.
    fn chain(&self, count: u64) -> Result<Vec<Put>> {
        let mut chain: Vec<Put> = Vec::new();
        for seq in 1..=count {
            let prev = chain.last().map(hash_of).transpose()?;
            chain.push(self.record(seq, prev, i64::try_from(seq)?)?);
        }
        Ok(chain)
    }

    fn put(&self, put: &Put) -> Result<(u16, String)> {
        let (status, error) = self.api.put_record(put)?;
        Ok((status, error.map(|error| error.code).unwrap_or_default()))
    }
}

fn hash_of(put: &Put) -> Result<String> {
    Ok(sha256_hex(&from_base64url(&put.record)?))
}

fn minute(nth: i64) -> Result<Vec<u8>> {
    let to_ms = wall_ms() - nth * 60_000;
    let minute = ActivityMinute {
        from_ms: to_ms - 60_000,
        to_ms,
        input: None,
        idle_ms: None,
        applications: Vec::new(),
    };
    serde_json::to_vec(&minute).context("a minute")
}

/// The records of one device.
fn stored(stage: &Stage, hand: &Hand) -> Result<Vec<Record>> {
    let device = hand.device.id().to_string();
    let mut records = stage.api().records(&stage.employee)?;
    records.retain(|record| record.device_id == device);
    records.sort_by_key(|record| record.seq);
    Ok(records)
}

fn many_times(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    while run.tally.tries < run.wanted {
        let seat = stage.seat()?;
        let hand = Hand::of(&stage, &seat)?;
        let put = hand.record(1, None, 1)?;
        let start = Barrier::new(AT_ONCE);
        let answers: Vec<Result<(u16, String)>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        hand.put(&put)
                    })
                })
                .collect();
            let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined
                .map(|answer| answer.unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked"))))
                .collect()
        });
        let mut new = 0;
        let mut others = Vec::new();
        for answer in answers {
            match answer {
                Ok((201, _)) => new += 1,
                Ok((200, _)) => {}
                other => others.push(format!("{other:?}")),
            }
        }
        run.promise(new == 1, || format!("{new} answers were 201, not one"));
        run.promise(others.is_empty(), || {
            format!(
                "{} answers were not 2xx: {:?}",
                others.len(),
                others.first()
            )
        });
        let rows = stored(&stage, &hand)?.len() as u64;
        run.tally.records += 1;
        run.tally.lost += u64::from(rows == 0);
        run.tally.duplicated += rows.saturating_sub(1);
        run.tried();
    }
    Ok(())
}

fn other_body(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    let hand = Hand::of(&stage, &seat)?;
    for seq in 1..=run.wanted {
        let nth = i64::try_from(seq)?;
        let put = hand.record(seq, None, nth)?;
        ensure!(hand.put(&put)?.0 == 201, "the first was not stored");

        let payload = minute(nth + 1_000_000)?;
        let mut header = hand.device.header(
            hand.license,
            seq + 1_000_000,
            Kind::Activity,
            (JSON, &payload),
        );
        header.record_id = put.record_id;
        let other = hand.device.sign_header(&header, &payload);
        let answer = hand.put(&other)?;
        run.promise(answer == (409, "conflict".into()), || {
            format!("another record under the same id was answered with {answer:?}")
        });

        let mut altered = put.clone();
        altered.payload = payload;
        let answer = hand.put(&altered)?;
        run.promise(answer == (422, "payload_mismatch".into()), || {
            format!("another body under the same header was answered with {answer:?}")
        });
        let again = hand.put(&put)?.0;
        run.promise(again == 200, || {
            format!("the first record again was answered with {again}")
        });

        let now = stored(&stage, &hand)?;
        let kept = now.iter().find(|record| record.seq == seq);
        let same = match kept {
            Some(record) => hand.api.payload(record)? == put.payload,
            None => false,
        };
        run.tally.records += 1;
        run.tally.lost += u64::from(!same);
        run.tally.duplicated += (now.len() as u64).saturating_sub(seq);
        run.tried();
    }
    Ok(())
}

fn out_of_order(run: &mut Run<'_>) -> Result<()> {
    const LENGTH: u64 = 8;
    let mut stage = Stage::set(run.folder)?;
    while run.tally.tries < run.wanted {
        let seat = stage.seat()?;
        let hand = Hand::of(&stage, &seat)?;
        let mut chain = hand.chain(LENGTH)?;
        run.random.shuffle(&mut chain);
        let last = chain.pop().context("a chain of eight")?;
        for put in &chain {
            let (status, code) = hand.put(put)?;
            ensure!(status == 201, "a record out of order: {status} {code}");
        }
        let with_gap = stored(&stage, &hand)?;
        let behind = with_gap.iter().filter(|r| r.grade == "gap-before").count();
        let missing = with_gap
            .iter()
            .zip(1..)
            .find(|(record, seq)| record.seq != *seq)
            .map_or(LENGTH, |(_, seq)| seq);
        let expected = usize::from(missing < LENGTH);
        run.promise(behind == expected, || {
            format!("with {missing} missing, {behind} records were graded as behind a gap")
        });
        ensure!(hand.put(&last)?.0 == 201, "the missing one was refused");
        let whole = stored(&stage, &hand)?;
        let behind = whole.iter().filter(|r| r.grade == "gap-before").count();
        run.promise(behind == 0, || {
            format!("the gap was filled, and {behind} records are still behind one")
        });
        run.tally.records += LENGTH;
        run.tally.lost += LENGTH.saturating_sub(whole.len() as u64);
        run.tally.duplicated += (whole.len() as u64).saturating_sub(LENGTH);
        run.tried();
    }
    Ok(())
}
