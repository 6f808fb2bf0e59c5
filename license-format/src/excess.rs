//! What of a record exceeds its license: the one rule that the uploader (gate 2) and the server
//! (gate 3) both hold records against, detail by detail (rule 12).
//!
//! Pure, over a record's header and what its payload says. A gate that cannot read a record does not
//! let it through. What a record cannot show is not judged here: which windows were painted over, or
//! that a blurred picture looks blurred.

use glasshour_protocol::payload::ActivityMinute;
use glasshour_protocol::picture::{self, Size};
use glasshour_protocol::record::FrameMeta;
use glasshour_protocol::{Kind, RecordHeader, code};

use crate::claims::{ActivitySettings, Blur, Monitors, Profile, ScreenshotSettings};
use crate::hours::LicensedHours;
use crate::rate::{ShotMoment, ShotPlace, exceeds_rate};

/// What a payload says, as far as it was read.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// Nothing yet: the header alone is judged.
    Unread,
    /// A minute of activity.
    Minute(&'a ActivityMinute),
    /// A picture, by its own first bytes.
    Picture(Size),
    /// Nothing that a license bounds.
    Other,
}

/// Other pictures of the same device, license and kind. The record itself is not among them.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// When they were taken; those of the same boot are enough.
    pub moments: Vec<ShotMoment>,
    /// What was pictured at the record's very moment; `None` for a camera.
    pub places: Vec<Option<ShotPlace>>,
}

/// How a record exceeds its license. The text is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Excess {
    /// Its channel is not licensed at all.
    #[error("The license does not permit {0} records.")]
    Channel(Kind),
    /// Captured at another time.
    #[error("It was captured outside of the licensed hours.")]
    Schedule,
    /// Captured before the license began or after it ended.
    #[error("The license was not valid when this was captured.")]
    Dates,
    /// Input was counted.
    #[error("The license does not permit input counts.")]
    InputCounts,
    /// Applications are named.
    #[error("The license does not permit application names.")]
    Applications,
    /// A title is in it.
    #[error("The license does not permit window titles.")]
    Titles,
    /// Something excluded is in it.
    #[error("The license excludes an application or a title that is in it.")]
    Excluded,
    /// Less blurred than licensed.
    #[error("The license says that pictures are blurred more than this one.")]
    Blur,
    /// Wider than licensed.
    #[error(
        "The license permits pictures of at most {licensed} pixels' width; this one has {found}."
    )]
    Width {
        /// Pixels.
        licensed: u32,
        /// Pixels.
        found: u32,
    },
    /// A second monitor at one moment.
    #[error("The license permits the active monitor only, and there is another of that moment.")]
    Monitors,
    /// One too many.
    #[error("The license permits {per_hour} an hour, and this is one more.")]
    Rate {
        /// Moments.
        per_hour: u32,
    },
    /// The employee deleted it, and may not.
    #[error("The license does not let the employee delete this record.")]
    Deletion,
    /// It cannot be read, and so not be judged.
    #[error("It cannot be read, so that nobody can say whether the license permits it.")]
    Unreadable,
}

impl Excess {
    /// One of each, for tables and tests.
    pub const EACH: [Self; 13] = [
        Self::Channel(Kind::Camera),
        Self::Schedule,
        Self::Dates,
        Self::InputCounts,
        Self::Applications,
        Self::Titles,
        Self::Excluded,
        Self::Blur,
        Self::Width {
            licensed: 0,
            found: 0,
        },
        Self::Monitors,
        Self::Rate { per_hour: 0 },
        Self::Deletion,
        Self::Unreadable,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Channel(_) => code::CHANNEL_NOT_LICENSED,
            Self::Schedule => code::OUTSIDE_SCHEDULE,
            Self::Dates => code::LICENSE_EXPIRED,
            Self::InputCounts => code::INPUT_COUNTS_NOT_LICENSED,
            Self::Applications => code::APPLICATIONS_NOT_LICENSED,
            Self::Titles => code::TITLES_NOT_LICENSED,
            Self::Excluded => code::EXCLUDED,
            Self::Blur => code::BLUR_TOO_WEAK,
            Self::Width { .. } => code::PICTURE_TOO_WIDE,
            Self::Monitors => code::MONITORS_NOT_LICENSED,
            Self::Rate { .. } => code::RATE_EXCEEDED,
            Self::Deletion => code::DELETION_NOT_LICENSED,
            Self::Unreadable => code::UNREADABLE,
        }
    }

    /// Whether a code is one of these: what it is said of never becomes permitted.
    pub fn is_code(text: &str) -> bool {
        Self::EACH.iter().any(|excess| excess.code() == text)
    }
}

impl Profile {
    /// Holds a record against the profile, as far as it can be judged alone.
    pub fn permits(&self, header: &RecordHeader, payload: Payload<'_>) -> Result<(), Excess> {
        if !self.permits_kind(header.kind) {
            return Err(Excess::Channel(header.kind));
        }
        match header.kind {
            Kind::Screenshot => {
                self.permits_at(header.captured_at_ms)?;
                let frame = header.meta.frame.as_ref().ok_or(Excess::Unreadable)?;
                let settings = self.screenshots.as_ref();
                settings.map_or(Ok(()), |settings| screenshot(settings, frame, payload))
            }
            Kind::Camera => self.permits_at(header.captured_at_ms),
            Kind::Activity => match payload {
                Payload::Minute(minute) => self.permits_minute(minute),
                Payload::Unread => Ok(()),
                Payload::Picture(_) | Payload::Other => Err(Excess::Unreadable),
            },
            Kind::Session | Kind::Health | Kind::Notice => Ok(()),
        }
    }

    /// The same from the payload's bytes.
    pub fn permits_payload(&self, header: &RecordHeader, payload: &[u8]) -> Result<(), Excess> {
        match header.kind {
            Kind::Activity => {
                let minute = serde_json::from_slice(payload);
                let minute: ActivityMinute = minute.map_err(|_| Excess::Unreadable)?;
                self.permits(header, Payload::Minute(&minute))
            }
            Kind::Screenshot | Kind::Camera => {
                // A picture that equals the last one has no bytes; one that cannot be read could be
                // as large as it likes.
                let size = picture::size(&header.content_type, payload);
                self.permits(header, size.map_or(Payload::Other, Payload::Picture))?;
                if size.is_none() && !payload.is_empty() {
                    return Err(Excess::Unreadable);
                }
                Ok(())
            }
            Kind::Session | Kind::Health | Kind::Notice => self.permits(header, Payload::Other),
        }
    }

    /// Holds a picture against the others of its device, license and kind: which monitors, and how
    /// often.
    pub fn permits_among(&self, header: &RecordHeader, others: &Others) -> Result<(), Excess> {
        let (per_hour, monitors) = match (header.kind, &self.screenshots, &self.camera) {
            (Kind::Screenshot, Some(settings), _) => (settings.per_hour, settings.monitors),
            (Kind::Camera, _, Some(settings)) => (settings.per_hour, Monitors::All),
            (Kind::Screenshot | Kind::Camera, ..) => return Err(Excess::Channel(header.kind)),
            _ => return Ok(()),
        };
        let place = header.meta.frame.as_ref().map(ShotPlace::of);
        if others.places.contains(&place) {
            // One moment has one picture of each monitor: a second one is of another moment.
            return Err(Excess::Rate { per_hour });
        }
        if monitors == Monitors::Active && !others.places.is_empty() {
            return Err(Excess::Monitors);
        }
        if exceeds_rate(per_hour, &ShotMoment::of(header), &others.moments) {
            return Err(Excess::Rate { per_hour });
        }
        Ok(())
    }

    fn permits_at(&self, wall_ms: i64) -> Result<(), Excess> {
        let within = self.schedule.as_ref().is_none_or(|schedule| {
            LicensedHours::new(schedule).is_ok_and(|hours| hours.contains(wall_ms))
        });
        if within {
            Ok(())
        } else {
            Err(Excess::Schedule)
        }
    }

    fn permits_minute(&self, minute: &ActivityMinute) -> Result<(), Excess> {
        // The one under way when the licensed hours end runs out.
        self.permits_at(minute.from_ms)?;
        let ActivitySettings {
            input_counts,
            applications,
            window_titles,
        } = self.activity.clone().unwrap_or_default();
        if minute.input.is_some() && !input_counts {
            return Err(Excess::InputCounts);
        }
        if !minute.applications.is_empty() && !applications {
            return Err(Excess::Applications);
        }
        if minute.applications.iter().any(|part| part.title.is_some()) && !window_titles {
            return Err(Excess::Titles);
        }
        let excluded = minute.applications.iter().any(|part| {
            let title = part.title.as_deref().unwrap_or_default();
            self.exclude.covers(&part.name, title)
        });
        if excluded {
            Err(Excess::Excluded)
        } else {
            Ok(())
        }
    }
}

fn screenshot(
    settings: &ScreenshotSettings,
    frame: &FrameMeta,
    payload: Payload<'_>,
) -> Result<(), Excess> {
    // Where windows could not be told apart, nothing less hides those that are excluded.
    let licensed = if frame.windows_unknown {
        Blur::Strong
    } else {
        settings.blur
    };
    let blurred = Blur::ALL
        .into_iter()
        .find(|blur| blur.as_str() == frame.blur);
    if blurred.is_none_or(|blur| blur < licensed) {
        return Err(Excess::Blur);
    }
    let own = match payload {
        Payload::Picture(size) => size.width,
        Payload::Unread | Payload::Minute(_) | Payload::Other => 0,
    };
    let found = frame.width.max(own);
    match settings.max_width_px {
        Some(licensed) if found > licensed => Err(Excess::Width { licensed, found }),
        _ => Ok(()),
    }
}
