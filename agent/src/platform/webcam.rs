//! The camera, by nokhwa: `V4L2`, Media Foundation or `AVFoundation`.
//!
//! Pictures come uncompressed, so that no decoder is needed: every webcam offers that, at 640x480 at
//! least. The first few are thrown away, for the exposure to settle.

use nokhwa::utils::{
    CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use nokhwa::{NokhwaError, native_api_backend, query};

use super::{Camera, Frame, NoPicture};

/// What we can read.
const FORMATS: [FrameFormat; 5] = [
    FrameFormat::YUYV,
    FrameFormat::NV12,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
    FrameFormat::GRAY,
];
/// Pictures until the exposure has settled.
const SETTLE: u32 = 8;
/// A face at a desk, and small.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;

/// The first camera of this machine that works.
pub(super) struct Webcam;

impl Camera for Webcam {
    fn look(&mut self) -> Result<(), NoPicture> {
        indices().map(drop)
    }

    fn picture(&mut self) -> Result<Frame, NoPicture> {
        let mut first = None;
        // A webcam has nodes besides its pictures; they open as cameras that cannot do anything.
        for index in indices()? {
            match take(index) {
                Ok(frame) => return Ok(frame),
                Err(why) => {
                    first.get_or_insert(why);
                }
            }
        }
        Err(first.unwrap_or(NoPicture::NoCamera))
    }
}

fn indices() -> Result<Vec<CameraIndex>, NoPicture> {
    let backend = native_api_backend().ok_or(NoPicture::NoCamera)?;
    let mut found: Vec<_> = query(backend)
        .map_err(|cause| told(&cause))?
        .iter()
        .map(|info| info.index().clone())
        .collect();
    if found.is_empty() {
        return Err(NoPicture::NoCamera);
    }
    found.sort();
    Ok(found)
}

fn take(index: CameraIndex) -> Result<Frame, NoPicture> {
    let wanted = CameraFormat::new(Resolution::new(WIDTH, HEIGHT), FrameFormat::YUYV, 30);
    let request = RequestedFormat::with_formats(RequestedFormatType::Closest(wanted), &FORMATS);
    let mut camera = nokhwa::Camera::new(index, request).map_err(|cause| told(&cause))?;
    camera.open_stream().map_err(|cause| told(&cause))?;
    let mut taken = camera.frame();
    for _ in 1..SETTLE {
        taken = taken.and_then(|_| camera.frame());
    }
    // It closes with `camera` in any case.
    let _ = camera.stop_stream();
    let buffer = taken.map_err(|cause| told(&cause))?;
    let size = buffer.resolution();
    to_rgba(
        buffer.source_frame_format(),
        size.width(),
        size.height(),
        buffer.buffer(),
    )
    .ok_or_else(|| {
        NoPicture::Unsupported(format!(
            "the camera gives pictures that Glasshour cannot read ({})",
            buffer.source_frame_format()
        ))
    })
}

/// The system's own words, told apart by the number of the error where there is one.
fn told(cause: &NokhwaError) -> NoPicture {
    let text = cause.to_string();
    let is = |number: u32| text.contains(&format!("(os error {number})"));
    // EPERM, EACCES; E_ACCESSDENIED.
    if is(1) || is(13) || text.contains("0x80070005") {
        return NoPicture::Denied;
    }
    // EBUSY; MF_E_HW_MFT_FAILED_START_STREAMING, MF_E_VIDEO_RECORDING_DEVICE_PREEMPTED.
    if is(16) || text.contains("0xC00D3704") || text.contains("0xC00D3EA3") {
        return NoPicture::Busy;
    }
    // ENODEV, ENXIO, ENOENT; MF_E_VIDEO_RECORDING_DEVICE_INVALIDATED.
    if is(19) || is(6) || is(2) || text.contains("0xC00D3EA2") {
        return NoPicture::Unplugged;
    }
    if matches!(
        cause,
        NokhwaError::UnsupportedOperationError(_) | NokhwaError::NotImplementedError(_)
    ) {
        return NoPicture::Unsupported(format!("cameras cannot be used here: {text}"));
    }
    NoPicture::Failed(text)
}

/// `None`: a format that is not ours, or fewer bytes than the size needs.
fn to_rgba(format: FrameFormat, width: u32, height: u32, bytes: &[u8]) -> Option<Frame> {
    let pixels = usize::try_from(u64::from(width) * u64::from(height)).ok()?;
    let mut rgba = Vec::with_capacity(pixels * 4);
    match format {
        FrameFormat::YUYV => {
            for pair in bytes.get(..pixels * 2)?.as_chunks::<4>().0 {
                let [first, u, second, v] = *pair;
                rgba.extend(colour(first, u, v));
                rgba.extend(colour(second, u, v));
            }
        }
        FrameFormat::NV12 => {
            let row = usize::try_from(width).ok()?;
            let (luma, chroma) = bytes.split_at_checked(pixels)?;
            for (index, y) in luma.iter().enumerate() {
                let (x, line) = (index % row, index / row);
                let at = line / 2 * row + x / 2 * 2;
                let [u, v] = *chroma.get(at..at + 2)?.as_array()?;
                rgba.extend(colour(*y, u, v));
            }
        }
        FrameFormat::GRAY => {
            for y in bytes.get(..pixels)? {
                rgba.extend([*y, *y, *y, u8::MAX]);
            }
        }
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => {
            for pixel in bytes.get(..pixels * 3)?.as_chunks::<3>().0 {
                let [mut red, green, mut blue] = *pixel;
                if format == FrameFormat::RAWBGR {
                    std::mem::swap(&mut red, &mut blue);
                }
                rgba.extend([red, green, blue, u8::MAX]);
            }
        }
        FrameFormat::MJPEG => return None,
    }
    (rgba.len() == pixels * 4).then_some(Frame {
        width,
        height,
        rgba,
    })
}

/// ITU-R BT.601, video range, as webcams have it; sixteen bits of fraction.
fn colour(y: u8, u: u8, v: u8) -> [u8; 4] {
    let luma = 76_309 * (i32::from(y) - 16).max(0);
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    let byte = |value: i32| {
        u8::try_from((value + 32_768) >> 16).unwrap_or(if value < 0 { 0 } else { u8::MAX })
    };
    [
        byte(luma + 104_597 * v),
        byte(luma - 25_675 * u - 53_279 * v),
        byte(luma + 132_201 * u),
        u8::MAX,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use nokhwa::utils::ApiBackend;

    const RED: [u8; 4] = [255, 0, 0, 255];

    fn is_near(pixel: &[u8], wanted: [u8; 4]) -> bool {
        pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 2)
    }

    #[test]
    fn every_format_gives_the_colours_that_went_in() {
        // Red is (81, 90, 240) by BT.601.
        let yuyv = [81, 90, 81, 240].repeat(2);
        let nv12 = [81, 81, 81, 81, 90, 240];
        let cases = [
            (FrameFormat::YUYV, yuyv, RED),
            (FrameFormat::NV12, nv12.to_vec(), RED),
            (FrameFormat::RAWRGB, [255, 0, 0].repeat(4), RED),
            (FrameFormat::RAWBGR, [0, 0, 255].repeat(4), RED),
            (FrameFormat::GRAY, vec![255; 4], [255; 4]),
        ];
        for (format, bytes, wanted) in cases {
            let frame = to_rgba(format, 2, 2, &bytes).unwrap();
            assert_eq!(frame.rgba.len(), 16);
            for pixel in frame.rgba.chunks(4) {
                assert!(is_near(pixel, wanted), "{format}: {pixel:?}");
            }
            let cut = bytes.get(..bytes.len() - 1).unwrap();
            assert_eq!(to_rgba(format, 2, 2, cut), None, "{format} cut short");
        }
        assert_eq!(to_rgba(FrameFormat::MJPEG, 2, 2, &[0; 99]), None);
        assert_eq!(colour(235, 128, 128), [255; 4]);
        assert_eq!(colour(0, 128, 128), [0, 0, 0, 255]);
    }

    #[test]
    fn what_stands_in_the_way_is_told_apart() {
        let open = |why: &str| told(&NokhwaError::OpenDeviceError("0".into(), why.into()));
        assert_eq!(
            open("V4L2 Error: Permission denied (os error 13)"),
            NoPicture::Denied
        );
        assert_eq!(
            open("V4L2 Error: No such device (os error 19)"),
            NoPicture::Unplugged
        );
        let stream = NokhwaError::OpenStreamError("Device or resource busy (os error 16)".into());
        assert_eq!(told(&stream), NoPicture::Busy);
        let none = NokhwaError::UnsupportedOperationError(ApiBackend::Auto);
        assert!(matches!(told(&none), NoPicture::Unsupported(_)));
        let other = NokhwaError::ReadFrameError("a cable".into());
        assert!(told(&other).to_string().contains("a cable"));
    }
}
