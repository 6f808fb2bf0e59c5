//! How much was captured today, for the person: counted here, because what has been delivered is not kept.

use glasshour_protocol::{CompanyId, Kind};
use glasshour_uploader::Draft;

use super::{Engine, UNCHANGED};
use crate::clock::Moment;
use crate::journal::Captured;

impl Engine {
    /// Counts a record that is durable now.
    pub(super) fn count_captured(&mut self, company: CompanyId, draft: &Draft) {
        let at = Moment {
            wall_ms: draft.captured.wall_ms,
            mono_ms: draft.captured.mono_ms,
            boot_ms: 0,
            utc_offset_min: draft.captured.utc_offset_min,
        };
        let day = Captured::day_of(at.wall_ms, at.utc_offset_min);
        if day > self.captured.day {
            self.captured = Captured {
                day,
                ..Captured::default()
            };
        }
        let of = self.captured.by_company.entry(company).or_default();
        match draft.kind {
            Kind::Screenshot if draft.content_type == UNCHANGED => of.unchanged += 1,
            Kind::Screenshot => of.screenshots += 1,
            Kind::Camera => of.camera += 1,
            Kind::Activity => of.minutes += 1,
            Kind::Session | Kind::Health | Kind::Notice => return,
        }
        self.captured_is_new = true;
    }

    /// Writes the counts where they have changed.
    pub(super) fn keep_captured(&mut self) {
        if std::mem::take(&mut self.captured_is_new)
            && let Err(error) = self.journal.set_captured(&self.captured)
        {
            tracing::warn!(%error, "the counts of today cannot be written");
        }
    }
}
