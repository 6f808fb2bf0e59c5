//! An X server's pixels, whatever their depth, order and masks, to RGBA.
//!
//! Pure: bytes in, bytes out.

use x11rb::protocol::xproto::{ImageOrder, Screen, Setup, VisualClass};

use crate::platform::Unavailable;

/// How the pixels of the root window lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelFormat {
    bits_per_pixel: u8,
    row_padding_bits: u8,
    least_significant_first: bool,
    red: Channel,
    green: Channel,
    blue: Channel,
}

/// One colour's place in a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Channel {
    mask: u32,
    shift: u32,
    max: u32,
}

impl PixelFormat {
    /// Reads it from what the server says when connecting.
    pub(super) fn of(setup: &Setup, screen: &Screen) -> Result<Self, Unavailable> {
        let visual = screen
            .allowed_depths
            .iter()
            .flat_map(|depth| &depth.visuals)
            .find(|visual| visual.visual_id == screen.root_visual);
        let format = setup
            .pixmap_formats
            .iter()
            .find(|f| f.depth == screen.root_depth);
        let (Some(visual), Some(format)) = (visual, format) else {
            return Err(unsupported(screen.root_depth));
        };
        let direct = matches!(
            visual.class,
            VisualClass::TRUE_COLOR | VisualClass::DIRECT_COLOR
        );
        if !direct || !matches!(format.bits_per_pixel, 16 | 24 | 32) {
            return Err(unsupported(screen.root_depth));
        }
        Ok(Self {
            bits_per_pixel: format.bits_per_pixel,
            row_padding_bits: format.scanline_pad,
            least_significant_first: setup.image_byte_order == ImageOrder::LSB_FIRST,
            red: Channel::new(visual.red_mask),
            green: Channel::new(visual.green_mask),
            blue: Channel::new(visual.blue_mask),
        })
    }

    /// Bytes of one row of so many pixels, padding included.
    pub(super) fn row_bytes(&self, width: u16) -> usize {
        let bits = usize::from(width) * usize::from(self.bits_per_pixel);
        let padding = usize::from(self.row_padding_bits).max(8);
        bits.next_multiple_of(padding) / 8
    }

    /// Converts one row; what `raw` holds beyond `rgba`'s pixels is padding.
    pub(super) fn convert_row(&self, raw: &[u8], rgba: &mut [u8]) {
        let (pixels, _) = rgba.as_chunks_mut::<4>();
        if self.is_common() {
            let (raw, _) = raw.as_chunks::<4>();
            for (to, &[b, g, r, _]) in pixels.iter_mut().zip(raw) {
                *to = [r, g, b, u8::MAX];
            }
            return;
        }
        let raw = raw.chunks_exact(usize::from(self.bits_per_pixel) / 8);
        for (to, bytes) in pixels.iter_mut().zip(raw) {
            let join = |value: u32, &byte: &u8| (value << 8) | u32::from(byte);
            let pixel = if self.least_significant_first {
                bytes.iter().rev().fold(0, join)
            } else {
                bytes.iter().fold(0, join)
            };
            *to = [
                self.red.of(pixel),
                self.green.of(pixel),
                self.blue.of(pixel),
                u8::MAX,
            ];
        }
    }

    /// The number of a colour (R, G, B), as the server's drawing requests take it.
    pub(super) fn pixel(&self, [red, green, blue]: [u8; 3]) -> u32 {
        self.red.put(red) | self.green.put(green) | self.blue.put(blue)
    }

    /// Adds one row of colours to an image, padding included.
    pub(super) fn push_row(&self, colours: &[[u8; 3]], image: &mut Vec<u8>) {
        let start = image.len();
        let bytes_per_pixel = usize::from(self.bits_per_pixel) / 8;
        for &colour in colours {
            let mut bytes = self.pixel(colour).to_le_bytes();
            let bytes = bytes.get_mut(..bytes_per_pixel).unwrap_or_default();
            if !self.least_significant_first {
                bytes.reverse();
            }
            image.extend_from_slice(bytes);
        }
        let width = u16::try_from(colours.len()).unwrap_or(u16::MAX);
        image.resize(start + self.row_bytes(width), 0);
    }

    /// What nearly every desktop has: blue, green, red, nothing.
    fn is_common(&self) -> bool {
        self.bits_per_pixel == 32
            && self.least_significant_first
            && (self.red.mask, self.green.mask, self.blue.mask) == (0x00ff_0000, 0xff00, 0xff)
    }
}

impl Channel {
    fn new(mask: u32) -> Self {
        let shift = if mask == 0 { 0 } else { mask.trailing_zeros() };
        Self {
            mask,
            shift,
            max: mask >> shift,
        }
    }

    /// The channel's value in the pixel, scaled to 0..=255.
    fn of(self, pixel: u32) -> u8 {
        if self.max == 0 {
            return 0;
        }
        let value = u64::from((pixel & self.mask) >> self.shift);
        let max = u64::from(self.max);
        u8::try_from((value * 255 + max / 2) / max).unwrap_or(u8::MAX)
    }

    /// The channel's part of a pixel, for a value of 0..=255.
    fn put(self, value: u8) -> u32 {
        let scaled = (u64::from(value) * u64::from(self.max) + 127) / 255;
        u32::try_from(scaled).unwrap_or(self.max) << self.shift
    }
}

fn unsupported(depth: u8) -> Unavailable {
    Unavailable::Unsupported(format!(
        "the screen has a colour depth of {depth} bits with a palette, which this version cannot \
         read or draw; set the display to 24 bits"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bits: u8, lsb: bool, masks: [u32; 3]) -> PixelFormat {
        PixelFormat {
            bits_per_pixel: bits,
            row_padding_bits: 32,
            least_significant_first: lsb,
            red: Channel::new(masks[0]),
            green: Channel::new(masks[1]),
            blue: Channel::new(masks[2]),
        }
    }

    fn convert(format: &PixelFormat, raw: &[u8]) -> [u8; 4] {
        let mut rgba = [9; 4];
        format.convert_row(raw, &mut rgba);
        rgba
    }

    #[test]
    fn the_common_format_becomes_rgba_with_full_alpha() {
        let format = format(32, true, [0x00ff_0000, 0xff00, 0xff]);
        assert!(format.is_common());
        assert_eq!(convert(&format, &[3, 2, 1, 0]), [1, 2, 3, 255]);
    }

    #[test]
    fn the_other_byte_order_and_swapped_masks_are_understood() {
        assert_eq!(
            convert(
                &format(32, false, [0x00ff_0000, 0xff00, 0xff]),
                &[0, 1, 2, 3]
            ),
            [1, 2, 3, 255]
        );
        assert_eq!(
            convert(
                &format(32, true, [0xff, 0xff00, 0x00ff_0000]),
                &[1, 2, 3, 0]
            ),
            [1, 2, 3, 255]
        );
        assert_eq!(
            convert(&format(24, true, [0x00ff_0000, 0xff00, 0xff]), &[3, 2, 1]),
            [1, 2, 3, 255]
        );
    }

    #[test]
    fn shallow_and_deep_colours_are_scaled_to_eight_bits() {
        let five_six_five = format(16, true, [0xf800, 0x07e0, 0x001f]);
        assert_eq!(convert(&five_six_five, &[0xff, 0xff]), [255, 255, 255, 255]);
        assert_eq!(convert(&five_six_five, &[0x00, 0xf8]), [255, 0, 0, 255]);
        let ten_bits = format(32, true, [0x3ff0_0000, 0x000f_fc00, 0x3ff]);
        assert_eq!(
            convert(&ten_bits, &0x2000_0000_u32.to_le_bytes()),
            [128, 0, 0, 255]
        );
        assert_eq!(
            convert(&ten_bits, &0x3fff_ffff_u32.to_le_bytes()),
            [255, 255, 255, 255]
        );
    }

    #[test]
    fn colours_come_back_as_they_were_put() {
        for (bits, lsb, masks) in [
            (32, true, [0x00ff_0000, 0xff00, 0xff]),
            (32, false, [0xff, 0xff00, 0x00ff_0000]),
            (24, true, [0x00ff_0000, 0xff00, 0xff]),
            (16, false, [0xf800, 0x07e0, 0x001f]),
            (32, true, [0x3ff0_0000, 0x000f_fc00, 0x3ff]),
        ] {
            let format = format(bits, lsb, masks);
            let colours = [[0, 255, 0], [255, 0, 255], [255, 255, 255]];
            let mut image = Vec::new();
            format.push_row(&colours, &mut image);
            assert_eq!(image.len(), format.row_bytes(3), "{bits} bits");
            let mut rgba = [9; 12];
            format.convert_row(&image, &mut rgba);
            let back = rgba
                .as_chunks::<4>()
                .0
                .iter()
                .map(|&[r, g, b, _]| [r, g, b]);
            assert!(back.eq(colours), "{bits} bits: {rgba:?}");
        }
    }

    #[test]
    fn rows_are_padded_as_the_server_says() {
        assert_eq!(format(16, true, [0; 3]).row_bytes(3), 8);
        assert_eq!(format(24, true, [0; 3]).row_bytes(3), 12);
        assert_eq!(format(32, true, [0; 3]).row_bytes(1920), 7680);
    }
}
