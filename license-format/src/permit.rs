//! Trust, and what a trusted license hands out.
//!
//! Gate 1 of "the license is a contract": a capture channel takes a [`Permit`] in its constructor,
//! a permit comes only from [`License::permits`], and a [`License`] only from
//! [`SignedLicense::trust`].

use std::marker::PhantomData;
use std::sync::Arc;

use jiff::Timestamp;

use crate::changes::narrowed;
use crate::claims::{
    ActivitySettings, CameraSettings, Claims, Exclude, Profile, Schedule, ScreenshotSettings,
    WorkMode, is_within,
};
use crate::read::SignedLicense;

/// A license whose signer is trusted.
///
/// What holds of it may be less than what it says: one that the employee has agreed to is
/// [`narrowed_by`](Self::narrowed_by) every newer one until they agree to that.
#[derive(Clone, Debug)]
pub struct License {
    signed: Arc<SignedLicense>,
    profile: Profile,
    /// All of them at once.
    schedules: Vec<Schedule>,
    work_mode: WorkMode,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// The license is signed by another key than the one expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the license is signed by the key {found}, but {expected} is the one trusted for this company"
)]
pub struct UntrustedKey {
    /// Thumbprint that is trusted.
    pub expected: String,
    /// Thumbprint that signed.
    pub found: String,
}

impl SignedLicense {
    /// Trusts the license if it is signed by the key with that RFC 7638 thumbprint.
    ///
    /// On first use of an issuer the caller passes the license's own
    /// [`thumbprint`](SignedLicense::thumbprint), having shown it, and keeps it for next time.
    pub fn trust(self, expected: &str) -> Result<License, UntrustedKey> {
        if self.thumbprint() != expected {
            return Err(UntrustedKey {
                expected: expected.to_owned(),
                found: self.thumbprint().to_owned(),
            });
        }
        Ok(License {
            profile: self.claims().profile.clone(),
            schedules: self.claims().profile.schedule.iter().cloned().collect(),
            work_mode: self.claims().work_mode,
            not_before: self.claims().not_before,
            expires_at: self.claims().expires_at,
            signed: Arc::new(self),
        })
    }
}

/// A capture channel, as a type.
pub trait Channel: sealed::Sealed {
    /// What a license says about the channel.
    type Settings: Clone + std::fmt::Debug + PartialEq;
    /// Its name in health reports.
    const NAME: &'static str;
}

/// The screenshot channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Screenshots;
/// The camera channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera;
/// The activity channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity;

impl Channel for Screenshots {
    type Settings = ScreenshotSettings;
    const NAME: &'static str = "screenshots";
}
impl Channel for Camera {
    type Settings = CameraSettings;
    const NAME: &'static str = "camera";
}
impl Channel for Activity {
    type Settings = ActivitySettings;
    const NAME: &'static str = "activity";
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Screenshots {}
    impl Sealed for super::Camera {}
    impl Sealed for super::Activity {}
}

/// The right to capture on one channel, with the settings that bound it.
///
/// Nothing but a trusted license makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit<C: Channel> {
    settings: C::Settings,
    exclude: Exclude,
    schedule: Option<Schedule>,
    channel: PhantomData<C>,
}

impl<C: Channel> Permit<C> {
    /// The channel's settings.
    pub fn settings(&self) -> &C::Settings {
        &self.settings
    }

    /// Windows to leave out.
    pub fn exclude(&self) -> &Exclude {
        &self.exclude
    }

    /// When the permit holds; `None`: at any time.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }
}

/// The permits of one license.
#[derive(Clone, Copy, Debug)]
pub struct Permits<'a> {
    profile: &'a Profile,
}

impl Permits<'_> {
    fn of<C: Channel>(self, settings: Option<&C::Settings>) -> Option<Permit<C>> {
        Some(Permit {
            settings: settings?.clone(),
            exclude: self.profile.exclude.clone(),
            schedule: self.profile.schedule.clone(),
            channel: PhantomData,
        })
    }

    /// The right to take screenshots, if there is one.
    pub fn screenshots(self) -> Option<Permit<Screenshots>> {
        self.of(self.profile.screenshots.as_ref())
    }

    /// The right to use the camera, if there is one.
    pub fn camera(self) -> Option<Permit<Camera>> {
        self.of(self.profile.camera.as_ref())
    }

    /// The right to count input and name applications, if there is one.
    pub fn activity(self) -> Option<Permit<Activity>> {
        self.of(self.profile.activity.as_ref())
    }
}

impl License {
    /// What the license permits at present.
    pub fn permits(&self) -> Permits<'_> {
        Permits {
            profile: &self.profile,
        }
    }

    /// What the license says; what holds of it is [`profile`](Self::profile).
    pub fn claims(&self) -> &Claims {
        self.signed.claims()
    }

    /// The profile that holds.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The work mode that holds.
    pub fn work_mode(&self) -> WorkMode {
        self.work_mode
    }

    /// The hours that hold: within every one of these. None: any hour.
    pub fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// From when on it holds; `None`: from ever.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// When it ends to hold; `None`: never.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether it holds at that moment.
    pub fn is_current(&self, now: Timestamp) -> bool {
        is_within(self.not_before, self.expires_at, now)
    }

    /// The license as read, with its signer.
    pub fn signed(&self) -> &SignedLicense {
        &self.signed
    }

    /// The part of this license that a newer one permits as well: what that one narrows holds at once,
    /// what it widens does not. It stays this license, which the employee has agreed to.
    #[must_use]
    pub fn narrowed_by(&self, newer: &Self) -> Self {
        let mut schedules = self.schedules.clone();
        let more = newer
            .schedules
            .iter()
            .filter(|one| !self.schedules.contains(one));
        schedules.extend(more.cloned());
        Self {
            signed: self.signed.clone(),
            profile: narrowed(&self.profile, &newer.profile),
            schedules,
            // Nobody is monitored who agreed to keep a worklog.
            work_mode: match self.work_mode {
                WorkMode::Worklog => WorkMode::Worklog,
                WorkMode::Monitoring => newer.work_mode,
            },
            not_before: self.not_before.max(newer.not_before),
            expires_at: match (self.expires_at, newer.expires_at) {
                (Some(own), Some(newer)) => Some(own.min(newer)),
                (own, newer) => own.or(newer),
            },
        }
    }

    /// This license without a channel: what holds of one that nobody is known to have agreed to.
    #[must_use]
    pub fn without_channels(&self) -> Self {
        let mut bare = self.clone();
        bare.profile.screenshots = None;
        bare.profile.camera = None;
        bare.profile.activity = None;
        bare
    }

    /// What holds, as a license would say it: to be read, and to compare a newer one with.
    pub fn in_force(&self) -> Claims {
        let mut claims = self.claims().clone();
        claims.profile = self.profile.clone();
        claims.work_mode = self.work_mode;
        claims.not_before = self.not_before;
        claims.expires_at = self.expires_at;
        claims
    }
}
