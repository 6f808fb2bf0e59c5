//! What the employer sees: an employee's records as the server has them, and questions about them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{ActivityMinute, InputCounts, SessionEvent};
use glasshour_protocol::record::FrameMeta;

use crate::api::{Api, Employee, Record};
use crate::picture::Picture;
use crate::wait::wait_until;

/// The records of one employee at one moment.
#[derive(Debug)]
pub struct Seen {
    api: Api,
    /// Every record.
    pub records: Vec<Record>,
}

/// One screenshot of one monitor.
#[derive(Debug)]
pub struct Shot {
    /// When it was taken, UTC milliseconds.
    pub at_ms: i64,
    /// Bytes of the stored picture.
    pub payload_len: u64,
    /// What it shows.
    pub frame: FrameMeta,
    /// The picture; `None` where it equals the one before.
    pub picture: Option<Picture>,
}

impl Seen {
    /// Asks the server.
    ///
    /// # Errors
    /// It does not answer.
    pub fn now(api: &Api, employee: &Employee) -> Result<Self> {
        Ok(Self {
            api: api.clone(),
            records: api.records(employee)?,
        })
    }

    /// Asks until the answer is as wanted.
    ///
    /// # Errors
    /// It is not so in time; the text holds what was there instead.
    pub fn when(
        api: &Api,
        employee: &Employee,
        (deadline, what): (Duration, &str),
        mut wanted: impl FnMut(&Self) -> Result<bool>,
    ) -> Result<Self> {
        let mut last = String::new();
        let seen = wait_until(deadline, what, || {
            let seen = Self::now(api, employee)?;
            last = format!("{:?}", seen.by_kind());
            Ok(wanted(&seen)?.then_some(seen))
        });
        seen.with_context(|| format!("the server has {last}"))
    }

    /// How many there are of each kind.
    pub fn by_kind(&self) -> BTreeMap<&'static str, usize> {
        let none = Kind::ALL.into_iter().map(|kind| (kind.as_str(), 0));
        let mut counts: BTreeMap<_, _> = none.collect();
        for record in &self.records {
            *counts.entry(record.kind.as_str()).or_default() += 1;
        }
        counts
    }

    /// How many there are of one kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.of(kind).count()
    }

    /// The records of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        self.records
            .iter()
            .filter(move |record| record.kind == kind)
    }

    /// How many screenshots have a picture of their own.
    pub fn pictures(&self) -> usize {
        self.records
            .iter()
            .filter(|record| record.has_picture())
            .count()
    }

    /// Fetches and looks at every picture; gives how many there were.
    ///
    /// # Errors
    /// One does not decode, is not of the screen's size, or shows nothing.
    pub fn check_pictures(&self, screen: (u32, u32)) -> Result<usize> {
        self.check_each(|_| screen)
    }

    /// The same for any monitors: each picture must be as large as the monitor it names.
    ///
    /// # Errors
    /// One does not decode, is not of its monitor's size, or shows nothing.
    pub fn check_pictures_against_their_frames(&self) -> Result<usize> {
        self.check_each(|frame| (frame.screen_width, frame.screen_height))
    }

    fn check_each(&self, size: impl Fn(&FrameMeta) -> (u32, u32)) -> Result<usize> {
        let mut checked = 0;
        for record in self.records.iter().filter(|record| record.has_picture()) {
            let frame = record
                .meta
                .frame
                .as_ref()
                .context("a screenshot tells of its frame")?;
            let bytes = self.api.payload(record)?;
            Picture::decode(&bytes)
                .and_then(|picture| picture.check(size(frame)))
                .with_context(|| format!("screenshot {}", record.record_id))?;
            checked += 1;
        }
        Ok(checked)
    }

    /// Every screenshot with its frame and, where it has one of its own, its picture, in the order of
    /// their chain.
    ///
    /// # Errors
    /// One has no frame, or a picture that does not decode.
    pub fn shots(&self) -> Result<Vec<Shot>> {
        let mut records: Vec<&Record> = self.of(Kind::Screenshot).collect();
        records.sort_by_key(|record| record.seq);
        records
            .into_iter()
            .map(|record| {
                let frame = record.meta.frame.clone();
                let picture = if record.has_picture() {
                    Some(Picture::decode(&self.api.payload(record)?)?)
                } else {
                    None
                };
                Ok(Shot {
                    at_ms: record.captured_at.as_millisecond(),
                    payload_len: record.payload_len,
                    frame: frame.context("a screenshot tells of its frame")?,
                    picture,
                })
            })
            .collect()
    }

    /// When screenshots were taken, UTC milliseconds, in order; those of several monitors count once.
    pub fn moments(&self) -> Vec<i64> {
        let taken = self.of(Kind::Screenshot);
        let at: BTreeSet<i64> = taken.map(|r| r.captured_at.as_millisecond()).collect();
        at.into_iter().collect()
    }

    /// The payloads of one kind as they are stored, as text.
    ///
    /// # Errors
    /// One cannot be had, or is not text.
    pub fn texts(&self, kind: Kind) -> Result<Vec<String>> {
        self.of(kind)
            .map(|record| Ok(String::from_utf8(self.api.payload(record)?)?))
            .collect()
    }

    /// Input of all activity records together.
    ///
    /// # Errors
    /// A payload cannot be had or read.
    pub fn input(&self) -> Result<InputCounts> {
        let mut sum = InputCounts {
            exact: true,
            ..InputCounts::default()
        };
        for minute in self.activity()? {
            if let Some(input) = minute.input {
                sum.add(input);
            }
        }
        Ok(sum)
    }

    /// The activity records.
    ///
    /// # Errors
    /// A payload cannot be had or read.
    pub fn activity(&self) -> Result<Vec<ActivityMinute>> {
        self.of(Kind::Activity)
            .map(|record| Ok(serde_json::from_slice(&self.api.payload(record)?)?))
            .collect()
    }

    /// The session events, in the order of their chain.
    ///
    /// # Errors
    /// A payload cannot be had or read.
    pub fn session_events(&self) -> Result<Vec<SessionEvent>> {
        let mut records: Vec<&Record> = self.of(Kind::Session).collect();
        records.sort_by(|a, b| (&a.license_id, a.seq).cmp(&(&b.license_id, b.seq)));
        records
            .into_iter()
            .map(|record| Ok(serde_json::from_slice(&self.api.payload(record)?)?))
            .collect()
    }
}
