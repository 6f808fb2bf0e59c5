//! Irreversible blur, and scaling down. Both average blocks of pixels: what is averaged away is gone.

use glasshour_license_format::Blur;

use crate::platform::Frame;

/// Block edge of the light blur: wider than the letters of body text.
const LIGHT_PX: u32 = 12;
/// Block edge of the strong blur: wider than headings.
const STRONG_PX: u32 = 48;

/// Replaces every block of the picture by its mean colour.
pub fn blur(frame: &mut Frame, blur: Blur) {
    let edge = match blur {
        Blur::None => return,
        Blur::Light => LIGHT_PX,
        Blur::Strong => STRONG_PX,
    };
    let small = Frame {
        width: frame.width.div_ceil(edge),
        height: frame.height.div_ceil(edge),
        rgba: means(frame, |n| (n * edge, (n + 1) * edge), edge),
    };
    let (edge, small_row) = (edge as usize, small.width as usize * 4);
    let row_bytes = frame.width as usize * 4;
    for (y, row) in frame.rgba.chunks_exact_mut(row_bytes.max(1)).enumerate() {
        let Some(blocks) = small.rgba.chunks_exact(small_row).nth(y / edge) else {
            return;
        };
        for (run, block) in row.chunks_mut(edge * 4).zip(blocks.chunks_exact(4)) {
            for pixel in run.chunks_exact_mut(4) {
                pixel.copy_from_slice(block);
            }
        }
    }
}

fn means(frame: &Frame, span: impl Fn(u32) -> (u32, u32), edge: u32) -> Vec<u8> {
    let (columns, rows) = (frame.width.div_ceil(edge), frame.height.div_ceil(edge));
    let mut out = Vec::with_capacity((columns * rows * 4) as usize);
    for row in 0..rows {
        for column in 0..columns {
            out.extend_from_slice(&mean(frame, span(column), span(row)));
        }
    }
    out
}

/// Scales a picture down to at most that width, keeping its shape; each new pixel is the mean of
/// those that it covers. Narrower pictures stay as they are.
pub fn scale_down(frame: Frame, max_width: Option<u32>) -> Frame {
    let Some(width) = max_width.filter(|max| *max < frame.width && *max > 0) else {
        return frame;
    };
    let scaled = |n: u64, of: u32, to: u32| u32::try_from(n * u64::from(of) / u64::from(to));
    let height = scaled(u64::from(frame.height), width, frame.width)
        .unwrap_or(1)
        .max(1);
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    let span = |n: u32, of: u32, to: u32| {
        let from = scaled(u64::from(n), of, to).unwrap_or(0);
        let end = scaled(u64::from(n) + 1, of, to).unwrap_or(0);
        (from, end.max(from + 1))
    };
    for y in 0..height {
        for x in 0..width {
            let columns = span(x, frame.width, width);
            rgba.extend_from_slice(&mean(&frame, columns, span(y, frame.height, height)));
        }
    }
    Frame {
        width,
        height,
        rgba,
    }
}

/// Mean colour of a rectangle, clipped to the frame; opaque.
fn mean(frame: &Frame, (left, right): (u32, u32), (top, bottom): (u32, u32)) -> [u8; 4] {
    let row_bytes = frame.width as usize * 4;
    let (left, right) = (left as usize * 4, right.min(frame.width) as usize * 4);
    let (mut sum, mut pixels) = ([0_u64; 3], 0_u64);
    let rows = frame.rgba.chunks_exact(row_bytes.max(1));
    for row in rows
        .skip(top as usize)
        .take(bottom.saturating_sub(top) as usize)
    {
        let (run, _) = row.get(left..right).unwrap_or_default().as_chunks::<4>();
        for [r, g, b, _] in run {
            for (sum, channel) in sum.iter_mut().zip([r, g, b]) {
                *sum += u64::from(*channel);
            }
            pixels += 1;
        }
    }
    let [r, g, b] = sum.map(|sum| {
        u8::try_from(sum.checked_div(pixels).unwrap_or(0)).expect("a mean of bytes is a byte")
    });
    [r, g, b, 255]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One-pixel black and white stripes: the finest detail there is.
    fn stripes(width: u32, height: u32) -> Frame {
        let rgba = (0..height)
            .flat_map(|_| {
                (0..width).flat_map(|x| {
                    [if x % 2 == 0 { 0 } else { 254 }; 3]
                        .into_iter()
                        .chain([255])
                })
            })
            .collect();
        Frame {
            width,
            height,
            rgba,
        }
    }

    #[test]
    fn two_pictures_that_differ_in_detail_only_are_the_same_after_the_blur() {
        let mut one = stripes(96, 48);
        let mut two = stripes(96, 48);
        two.rgba.rotate_left(4);
        assert_ne!(one, two);
        blur(&mut one, Blur::Light);
        blur(&mut two, Blur::Light);
        assert_eq!(one, two);
        assert!(
            one.rgba
                .chunks_exact(4)
                .all(|pixel| pixel == [127, 127, 127, 255])
        );
    }

    #[test]
    fn blur_reaches_the_edges_of_a_picture_that_blocks_do_not_divide() {
        let mut frame = stripes(50, 50);
        blur(&mut frame, Blur::Strong);
        assert_eq!(
            (frame.width, frame.height, frame.rgba.len()),
            (50, 50, 50 * 50 * 4)
        );
        let last = frame.rgba.chunks_exact(4).next_back().unwrap();
        assert!(last[0] > 0 && last[0] < 254, "{last:?}");
    }

    #[test]
    fn scaling_keeps_the_shape_and_never_enlarges() {
        let half = scale_down(stripes(100, 60), Some(50));
        assert_eq!(
            (half.width, half.height, half.rgba.len()),
            (50, 30, 50 * 30 * 4)
        );
        assert!(
            half.rgba
                .chunks_exact(4)
                .all(|pixel| pixel == [127, 127, 127, 255])
        );
        assert_eq!(scale_down(stripes(10, 10), Some(64)), stripes(10, 10));
        assert_eq!(scale_down(stripes(10, 10), None), stripes(10, 10));
        let sliver = scale_down(stripes(1000, 2), Some(64));
        assert_eq!((sliver.width, sliver.height), (64, 1));
    }
}
