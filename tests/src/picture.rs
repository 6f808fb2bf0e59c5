//! Looks at a stored screenshot: does it decode, how large is it, is anything on it.

use std::collections::HashMap;
use std::io::Cursor;

use anyhow::{Context as _, Result, bail, ensure};

/// A decoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Part of all pixels that have the most common colour, 0 to 1.
    pub flatness: f64,
    /// How many different colours it has.
    pub colours: usize,
    /// Red, green and blue, row by row.
    pixels: Vec<[u8; 3]>,
}

/// Furthest that a stored colour lies from the one on the screen, of 255, in each of its three parts:
/// the codec changes them a little, most at edges.
const NEAR: u8 = 64;

impl Picture {
    /// Decodes WebP bytes whole.
    ///
    /// # Errors
    /// They are not a WebP picture, or a damaged one.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut decoder =
            image_webp::WebPDecoder::new(Cursor::new(bytes)).context("not a WebP picture")?;
        let (width, height) = decoder.dimensions();
        let size = decoder
            .output_buffer_size()
            .context("the picture is too large")?;
        let mut pixels = vec![0; size];
        decoder
            .read_image(&mut pixels)
            .context("the picture is damaged")?;
        let channels = if decoder.has_alpha() { 4 } else { 3 };

        let pixels: Vec<[u8; 3]> = pixels
            .chunks_exact(channels)
            .filter_map(|pixel| pixel.first_chunk().copied())
            .collect();
        let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
        for pixel in &pixels {
            *counts.entry(*pixel).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a share of at most 2^30 pixels")]
        let flatness = most as f64 / pixels.len().max(1) as f64;
        Ok(Self {
            width,
            height,
            flatness,
            colours: counts.len(),
            pixels,
        })
    }

    /// How many pixels have that colour or one near it.
    pub fn count_near(&self, colour: [u8; 3]) -> usize {
        let near = |pixel: &&[u8; 3]| {
            let mut parts = pixel.iter().zip(colour);
            parts.all(|(is, wanted)| is.abs_diff(wanted) <= NEAR)
        };
        self.pixels.iter().filter(near).count()
    }

    /// How much neighbours in a row differ in their green, on average, of 255: what makes text readable.
    pub fn contrast(&self) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for step in self.steps() {
            sum += f64::from(step);
            pairs += 1.0;
        }
        sum / f64::max(pairs, 1.0)
    }

    /// How many neighbours in a row differ by a quarter of all there is or more: the edges of letters.
    pub fn edges(&self) -> usize {
        self.steps().filter(|step| *step >= 64).count()
    }

    fn steps(&self) -> impl Iterator<Item = u8> {
        let rows = self.pixels.chunks_exact(self.width.max(1) as usize);
        rows.flat_map(|row| {
            let pairs = row.iter().zip(row.iter().skip(1));
            pairs.map(|(left, right)| left[1].abs_diff(right[1]))
        })
    }

    /// Checks that it shows a whole screen of that size with something on it.
    ///
    /// # Errors
    /// It does not; the text says in what way.
    pub fn check(&self, screen: (u32, u32)) -> Result<()> {
        if (self.width, self.height) != screen {
            bail!(
                "the picture is {}x{}, the screen {}x{}",
                self.width,
                self.height,
                screen.0,
                screen.1
            );
        }
        ensure!(
            self.colours > 8 && self.flatness < 0.995,
            "the picture is as good as one flat colour ({} colours, {:.1}% the same)",
            self.colours,
            self.flatness * 100.0
        );
        Ok(())
    }
}
