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
}

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

        let mut counts: HashMap<&[u8], usize> = HashMap::new();
        for pixel in pixels.chunks_exact(channels) {
            *counts.entry(pixel).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a share of at most 2^30 pixels")]
        let flatness = most as f64 / (pixels.len() / channels).max(1) as f64;
        Ok(Self {
            width,
            height,
            flatness,
            colours: counts.len(),
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
