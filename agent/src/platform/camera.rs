//! What the agent asks of a camera: one picture, and otherwise a reason that a person can act on.

use super::Frame;

/// The camera of this machine. It is not in use while this exists: each picture opens and closes it,
/// so that its light is on for that moment alone.
pub trait Camera: Send {
    /// Whether there is one. Opens none.
    fn look(&mut self) -> Result<(), NoPicture>;

    /// Opens the camera, takes one picture, closes it.
    fn picture(&mut self) -> Result<Frame, NoPicture>;
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// There is none.
    #[error("no camera was found; plug one in, or take the camera out of the profile")]
    NoCamera,
    /// Another program has it: a call, as a rule.
    #[error("the camera is in use by another program; no picture was made")]
    Busy,
    /// The system does not let us.
    #[error(
        "the system does not let Glasshour use the camera; allow it in the privacy settings, or, on \
         Linux, let this user read /dev/video*"
    )]
    Denied,
    /// It was there, and went.
    #[error("the camera was unplugged while its picture was taken")]
    Unplugged,
    /// It cannot give what is needed, or this system is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// Something else; the text is the system's.
    #[error("the camera gives no picture: {0}")]
    Failed(String),
}
