//! The camera, once the person has let this program use it.

use std::sync::Once;

use crate::platform::webcam::Webcam;
use crate::platform::{Camera, Frame, NoPicture};

/// The camera of this Mac. macOS asks the person when it is first looked for.
pub(super) struct AskedWebcam;

impl Camera for AskedWebcam {
    fn look(&mut self) -> Result<(), NoPicture> {
        ask()?;
        Webcam.look()
    }

    fn picture(&mut self) -> Result<Frame, NoPicture> {
        ask()?;
        Webcam.picture()
    }
}

/// Has macOS ask; until there is an answer, and where it is no, there is no picture.
fn ask() -> Result<(), NoPicture> {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| nokhwa::nokhwa_initialize(|_| {}));
    if nokhwa::nokhwa_check() {
        Ok(())
    } else {
        Err(NoPicture::Denied)
    }
}
