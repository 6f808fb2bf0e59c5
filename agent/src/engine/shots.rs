//! The thread that takes pictures: grabbing and encoding block for a tenth of a second or more.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use glasshour_license_format::{Permit, Screenshots};
use glasshour_protocol::{CompanyId, ProjectId, SessionId};
use tokio::sync::mpsc;

use crate::capture::screenshot::{Screenshotter, Shot, ShotError};
use crate::clock::Moment;
use crate::platform::Platform;

/// A moment at which pictures are to be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShotOrder {
    pub(super) session_id: SessionId,
    pub(super) project_id: Option<ProjectId>,
    /// The first of its session: pictures of an earlier one do not stand in for it.
    pub(super) first: bool,
    /// The moment that the schedule counts.
    pub(super) due: Moment,
}

/// A picture that was taken this much later than its moment is of another one, and the schedule has
/// not counted that. The gates allow a minute.
const MOST_LATE_MS: u64 = 10_000;

/// What came of it.
#[derive(Debug)]
pub(super) struct ShotDone {
    /// Whose license they were taken under.
    pub(super) company: CompanyId,
    pub(super) session_id: SessionId,
    pub(super) project_id: Option<ProjectId>,
    /// When it was to be taken.
    pub(super) due: Moment,
    /// Right before the screens were asked.
    pub(super) captured: Moment,
    /// Right after they answered.
    pub(super) finished: Moment,
    pub(super) result: Result<Vec<Shot>, ShotError>,
}

impl ShotDone {
    /// Whether the machine slept between question and answer: the picture is of another time.
    pub(super) fn slept(&self) -> bool {
        let span =
            |clock: fn(&Moment) -> u64| clock(&self.finished).saturating_sub(clock(&self.captured));
        span(|moment| moment.boot_ms).saturating_sub(span(|moment| moment.mono_ms)) > 1_000
    }

    /// Whether it came much later than its moment, as after a sleep right before.
    pub(super) fn is_late(&self) -> bool {
        self.captured.boot_ms.saturating_sub(self.due.boot_ms) > MOST_LATE_MS
    }
}

/// Handle to the thread; dropping it ends the thread after the picture under way.
pub(super) struct ShotThread {
    orders: SyncSender<ShotOrder>,
}

impl ShotThread {
    /// Starts the thread. It cannot be had without a permit.
    pub(super) fn start(
        company: CompanyId,
        permit: Permit<Screenshots>,
        platform: Arc<dyn Platform>,
        done: mpsc::Sender<ShotDone>,
    ) -> std::io::Result<Self> {
        // One waiting order at the most: a machine too slow for its schedule takes fewer shots.
        let (orders, inbox) = sync_channel(1);
        std::thread::Builder::new()
            .name("screenshots".into())
            .spawn(move || work(company, permit, platform, &inbox, &done))?;
        Ok(Self { orders })
    }

    /// Orders a shot; false where the last one is still being made.
    pub(super) fn order(&self, order: ShotOrder) -> bool {
        self.orders.try_send(order).is_ok()
    }
}

fn work(
    company: CompanyId,
    permit: Permit<Screenshots>,
    platform: Arc<dyn Platform>,
    inbox: &Receiver<ShotOrder>,
    done: &mpsc::Sender<ShotDone>,
) {
    let clock = platform.clock();
    let mut channel = Screenshotter::new(permit, platform);
    while let Ok(order) = inbox.recv() {
        if order.first {
            channel.forget();
        }
        let captured = clock.now();
        let result = channel.shoot();
        let finished = clock.now();
        let ShotOrder {
            session_id,
            project_id,
            due,
            ..
        } = order;
        let answer = ShotDone {
            company,
            session_id,
            project_id,
            due,
            captured,
            finished,
            result,
        };
        if done.blocking_send(answer).is_err() {
            return;
        }
    }
}
