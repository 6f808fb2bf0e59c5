//! How alike two pictures look: structural similarity (Wang et al., 2004) of their brightness, over
//! windows of 8 by 8 pixels, four apart. 1 is the same picture.

/// Red, green and blue, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) rgb: Vec<u8>,
}

const WINDOW: usize = 8;
const STEP: usize = 4;
/// The paper's constants for values up to 255.
const C1: f64 = 6.5025;
const C2: f64 = 58.5225;

/// Compares two pictures of one size; `None` where they are not.
pub(crate) fn ssim(a: &Pixels, b: &Pixels) -> Option<f64> {
    let same = (a.width, a.height, a.rgb.len()) == (b.width, b.height, b.rgb.len());
    if !same || a.width < WINDOW || a.height < WINDOW {
        return None;
    }
    let (left, right) = (brightness(a), brightness(b));
    let (mut sum, mut windows) = (0.0, 0.0);
    for y in (0..=a.height - WINDOW).step_by(STEP) {
        for x in (0..=a.width - WINDOW).step_by(STEP) {
            sum += window(&left, &right, y * a.width + x, a.width);
            windows += 1.0;
        }
    }
    Some(sum / windows)
}

/// BT.601 luma.
fn brightness(pixels: &Pixels) -> Vec<f64> {
    let (rgb, _) = pixels.rgb.as_chunks::<3>();
    rgb.iter()
        .map(|[r, g, b]| 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b))
        .collect()
}

fn window(a: &[f64], b: &[f64], from: usize, width: usize) -> f64 {
    let (mut sum_a, mut sum_b, mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for row in 0..WINDOW {
        let at = from + row * width;
        let rows = a.iter().skip(at).zip(b.iter().skip(at)).take(WINDOW);
        for (x, y) in rows {
            sum_a += x;
            sum_b += y;
            aa += x * x;
            bb += y * y;
            ab += x * y;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "64")]
    let count = (WINDOW * WINDOW) as f64;
    let (mean_a, mean_b) = (sum_a / count, sum_b / count);
    let var_a = aa / count - mean_a * mean_a;
    let var_b = bb / count - mean_b * mean_b;
    let both = ab / count - mean_a * mean_b;
    ((2.0 * mean_a * mean_b + C1) * (2.0 * both + C2))
        / ((mean_a * mean_a + mean_b * mean_b + C1) * (var_a + var_b + C2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(noise: u8) -> Pixels {
        let rgb = (0..64 * 48_usize).flat_map(|n| {
            let grey = if (n / 3) % 2 == 0 { 40 } else { 200 };
            let wrong = u8::try_from(n * 7919 % 251).unwrap_or(0) % noise.max(1);
            [grey + wrong; 3]
        });
        Pixels {
            width: 64,
            height: 48,
            rgb: rgb.collect(),
        }
    }

    #[test]
    fn a_picture_is_like_itself_and_the_less_like_another_the_more_that_differs() {
        let likeness = |noise| ssim(&picture(0), &picture(noise)).unwrap();
        assert!((likeness(0) - 1.0).abs() < 1e-9);
        assert!(
            likeness(8) < 1.0 && likeness(48) < likeness(8),
            "{}",
            likeness(48)
        );
        let mut smaller = picture(0);
        smaller.height = 47;
        assert_eq!(ssim(&picture(0), &smaller), None);
    }
}
