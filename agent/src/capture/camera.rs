//! One picture of the camera, scaled down to what a face needs and encoded.
//!
//! Runs on a thread of its own (a camera takes a second to settle). It cannot be built without a permit.

use glasshour_license_format::{Camera as CameraChannel, Permit};

use super::blur::scale_down;
use super::encode::{EncodeError, encode};
use crate::platform::{Camera, NoPicture, Platform};

/// Widest picture that is kept, pixels.
const MAX_WIDTH: u32 = 640;

/// The camera under one license.
pub struct CameraShooter {
    camera: Box<dyn Camera>,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// The camera gives none.
    #[error(transparent)]
    NoPicture(#[from] NoPicture),
    /// It cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl CameraShooter {
    /// The channel of one license. The camera is not touched.
    pub fn new(permit: &Permit<CameraChannel>, platform: &dyn Platform) -> Self {
        Self {
            camera: platform.camera(permit),
        }
    }

    /// Whether there is a camera to take a picture with.
    pub fn look(&mut self) -> Result<(), CameraError> {
        Ok(self.camera.look()?)
    }

    /// Takes one picture: WebP.
    pub fn shoot(&mut self) -> Result<Vec<u8>, CameraError> {
        let frame = scale_down(self.camera.picture()?, Some(MAX_WIDTH));
        Ok(encode(&frame)?)
    }
}
