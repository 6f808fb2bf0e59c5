//! Encoding a picture as WebP.
//!
//! Screens with few colours (text, code) are stored lossless: smaller than lossy there, and exact.
//! Others are stored at quality 75, where text is still crisp.

use std::collections::HashSet;

use crate::platform::Frame;

/// Media type of what [`encode`] makes.
pub const WEBP: &str = "image/webp";

/// Widest and highest picture that WebP can hold.
const MAX_EDGE: u32 = 16_383;
/// Fast methods: an agent shares the machine with somebody's work.
const LOSSY_METHOD: i32 = 2;
const LOSSLESS_METHOD: i32 = 2;
const QUALITY: f32 = 75.0;
/// A screen with at most this many colours among the sampled pixels is flat.
const FLAT_COLOURS: usize = 256;
/// Pixels looked at to tell.
const SAMPLES: usize = 16_384;

/// Why a picture could not be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Nothing to encode, or more than WebP can hold.
    #[error("a picture of {0}x{1} pixels cannot be encoded")]
    Size(u32, u32),
    /// The encoder gave up.
    #[error("the picture could not be encoded: {0}")]
    Encoder(String),
}

/// Encodes a picture.
pub fn encode(frame: &Frame) -> Result<Vec<u8>, EncodeError> {
    let (width, height) = (frame.width, frame.height);
    let fits = (1..=MAX_EDGE).contains(&width) && (1..=MAX_EDGE).contains(&height);
    if !fits || frame.rgba.len() != width as usize * height as usize * 4 {
        return Err(EncodeError::Size(width, height));
    }
    let failed = |error| EncodeError::Encoder(format!("{error:?}"));
    let mut config =
        webp::WebPConfig::new().map_err(|()| EncodeError::Encoder("no configuration".into()))?;
    config.quality = QUALITY;
    config.method = LOSSY_METHOD;
    if is_flat(frame) {
        config.lossless = 1;
        config.method = LOSSLESS_METHOD;
    }
    let encoder = webp::Encoder::from_rgba(&frame.rgba, width, height);
    Ok(encoder.encode_advanced(&config).map_err(failed)?.to_vec())
}

fn is_flat(frame: &Frame) -> bool {
    let (pixels, _) = frame.rgba.as_chunks::<4>();
    // A prime-ish stride, so that columns of text are not sampled in step.
    let stride = (pixels.len() / SAMPLES).max(1) | 1;
    let mut colours = HashSet::with_capacity(FLAT_COLOURS + 1);
    for pixel in pixels.iter().step_by(stride) {
        colours.insert(*pixel);
        if colours.len() > FLAT_COLOURS {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(webp: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(webp)).unwrap();
        let (width, height) = decoder.dimensions();
        let mut pixels = vec![0; decoder.output_buffer_size().unwrap()];
        decoder.read_image(&mut pixels).unwrap();
        (width, height, pixels)
    }

    #[test]
    fn a_flat_screen_comes_back_exactly() {
        let rgba: Vec<u8> = (0..64 * 32)
            .flat_map(|n: u32| [(n % 3) as u8 * 100, 20, 30, 255])
            .collect();
        let frame = Frame {
            width: 64,
            height: 32,
            rgba,
        };
        let (width, height, pixels) = decode(&encode(&frame).unwrap());
        assert_eq!((width, height), (64, 32));
        let rgb = |data: &[u8], step| -> Vec<[u8; 3]> {
            data.chunks_exact(step)
                .map(|p| [p[0], p[1], p[2]])
                .collect()
        };
        let step = pixels.len() / (64 * 32);
        assert_eq!(rgb(&pixels, step), rgb(&frame.rgba, 4));
    }

    #[test]
    fn a_busy_screen_is_stored_smaller_than_its_pixels() {
        let mut rng = fastrand::Rng::with_seed(1);
        let rgba: Vec<u8> = (0..128 * 128)
            .flat_map(|n: u32| {
                [
                    (n % 128) as u8 * 2,
                    (n / 128 % 128) as u8 * 2,
                    rng.u8(0..40),
                    255,
                ]
            })
            .collect();
        let frame = Frame {
            width: 128,
            height: 128,
            rgba,
        };
        assert!(!is_flat(&frame));
        let webp = encode(&frame).unwrap();
        assert!(webp.len() < frame.rgba.len() / 8, "{} bytes", webp.len());
        assert_eq!(decode(&webp).0, 128);
    }

    #[test]
    fn a_picture_that_cannot_be_is_an_error() {
        let empty = Frame {
            width: 0,
            height: 0,
            rgba: vec![],
        };
        assert_eq!(encode(&empty), Err(EncodeError::Size(0, 0)));
        let short = Frame {
            width: 10,
            height: 10,
            rgba: vec![0; 4],
        };
        assert_eq!(encode(&short), Err(EncodeError::Size(10, 10)));
    }
}
