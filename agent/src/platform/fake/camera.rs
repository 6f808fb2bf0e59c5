//! A camera whose pictures are a file: binary PPM, read anew each time.
//!
//! A second camera besides the real one, so that everything above it is tested with true pictures. Only a
//! test can make it: a fake desktop is the only way to it, and no setting leads to a fake desktop.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use super::desktop::{Shared, Source};
use crate::platform::{Camera, Frame, NoPicture};

pub(super) struct FileCamera(pub(super) Arc<Shared>);

impl FileCamera {
    fn path(&self) -> Result<PathBuf, NoPicture> {
        let state = self.0.lock();
        state
            .working(Source::Camera)
            .map_err(|error| NoPicture::Failed(error.to_string()))?;
        state.camera.clone().ok_or(NoPicture::NoCamera)
    }
}

impl Camera for FileCamera {
    fn look(&mut self) -> Result<(), NoPicture> {
        self.path().map(drop)
    }

    /// A file that is gone is a camera that was unplugged; one that is locked, a camera in use.
    fn picture(&mut self) -> Result<Frame, NoPicture> {
        let path = self.path()?;
        let mut file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => NoPicture::Unplugged,
            ErrorKind::PermissionDenied => NoPicture::Denied,
            _ => NoPicture::Failed(error.to_string()),
        })?;
        file.try_lock().map_err(|_| NoPicture::Busy)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|error| NoPicture::Failed(error.to_string()))?;
        self.0.lock().camera_pictures += 1;
        read_ppm(&bytes).ok_or_else(|| NoPicture::Unsupported("this is no binary PPM".to_owned()))
    }
}

/// `P6`, width, height, 255, then three bytes a pixel.
fn read_ppm(bytes: &[u8]) -> Option<Frame> {
    let mut fields = bytes.splitn(5, u8::is_ascii_whitespace);
    if fields.next()? != b"P6" {
        return None;
    }
    let mut number = || {
        std::str::from_utf8(fields.next()?)
            .ok()?
            .parse::<u32>()
            .ok()
    };
    let (width, height, most) = (number()?, number()?, number()?);
    let pixels = fields.next()?;
    let whole = u64::from(width) * u64::from(height) * 3 == pixels.len() as u64;
    (most == 255 && whole).then(|| Frame {
        width,
        height,
        rgba: pixels
            .as_chunks::<3>()
            .0
            .iter()
            .flat_map(|&[red, green, blue]| [red, green, blue, u8::MAX])
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::read_ppm;

    #[test]
    fn a_ppm_is_read_and_anything_else_is_not() {
        let frame = read_ppm(b"P6\n2 1\n255\n\x01\x02\x03\n\n\n").unwrap();
        assert_eq!((frame.width, frame.height), (2, 1));
        assert_eq!(frame.rgba, [1, 2, 3, 255, 10, 10, 10, 255]);
        for bad in [&b"P5\n1 1\n255\n\x01"[..], b"P6\n1 1\n255\n\x01", b""] {
            assert_eq!(read_ppm(bad), None);
        }
    }
}
