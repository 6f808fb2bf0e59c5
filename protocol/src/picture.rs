//! What the first bytes of a picture say of it: that it is one, and how large. Nothing is decoded.
//!
//! Gates hold a picture's own width against the license, and a server stores only what begins as its
//! content type says; both from the same few bytes.

/// How many bytes at the beginning of a picture are looked at before it is given up. Metadata of a
/// JPEG may come before its size; Glasshour's own pictures tell theirs within 30 bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Content types of pictures.
pub const TYPES: [&str; 3] = ["image/webp", "image/png", "image/jpeg"];

/// A picture's size in pixels; neither is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// What the bytes so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// A picture of that size.
    Picture(Size),
    /// As far as it goes, a picture; its size comes later.
    More,
    /// Not a picture of that type.
    Other,
}

/// Reads the beginning of a picture. More bytes never turn [`Head::Picture`] or [`Head::Other`] into
/// anything else.
pub fn head(content_type: &str, bytes: &[u8]) -> Head {
    let found = match content_type {
        "image/webp" => webp(bytes),
        "image/png" => png(bytes),
        "image/jpeg" => jpeg(bytes),
        _ => return Head::Other,
    };
    match found {
        Ok(size) if size.width == 0 || size.height == 0 => Head::Other,
        Ok(size) => Head::Picture(size),
        Err(Stop::Short) if bytes.len() < MAX_HEAD_BYTES => Head::More,
        Err(_) => Head::Other,
    }
}

/// The size of a picture of which all bytes are there.
pub fn size(content_type: &str, bytes: &[u8]) -> Option<Size> {
    match head(content_type, bytes) {
        Head::Picture(size) => Some(size),
        Head::More | Head::Other => None,
    }
}

enum Stop {
    /// The bytes end too early.
    Short,
    /// They are something else.
    Other,
}

fn at<const N: usize>(bytes: &[u8], from: usize) -> Result<[u8; N], Stop> {
    bytes
        .get(from..from + N)
        .and_then(|part| part.try_into().ok())
        .ok_or(Stop::Short)
}

/// Fails early where what is there already differs.
fn expect(bytes: &[u8], from: usize, wanted: &[u8]) -> Result<(), Stop> {
    let there = bytes.get(from..).unwrap_or_default();
    let length = there.len().min(wanted.len());
    if there.get(..length) != wanted.get(..length) {
        return Err(Stop::Other);
    }
    if length < wanted.len() {
        return Err(Stop::Short);
    }
    Ok(())
}

/// RFC 9649, sections 2.4 to 2.7: RIFF, four bytes of size, WEBP, then the first chunk.
fn webp(bytes: &[u8]) -> Result<Size, Stop> {
    expect(bytes, 0, b"RIFF")?;
    expect(bytes, 8, b"WEBP")?;
    let chunk: [u8; 4] = at(bytes, 12)?;
    let [a, b, c, d] = match &chunk {
        // RFC 6386, section 9.1: three bytes of frame tag, a start code, 14 bits of each side.
        b"VP8 " => {
            expect(bytes, 23, b"\x9d\x01\x2a")?;
            at(bytes, 26)?
        }
        b"VP8L" => {
            expect(bytes, 20, b"\x2f")?;
            at(bytes, 21)?
        }
        b"VP8X" => {
            let [w0, w1, w2]: [u8; 3] = at(bytes, 24)?;
            let [h0, h1, h2]: [u8; 3] = at(bytes, 27)?;
            return Ok(Size {
                width: u32::from_le_bytes([w0, w1, w2, 0]) + 1,
                height: u32::from_le_bytes([h0, h1, h2, 0]) + 1,
            });
        }
        _ => return Err(Stop::Other),
    };
    if &chunk == b"VP8 " {
        return Ok(Size {
            width: u32::from(u16::from_le_bytes([a, b]) & 0x3fff),
            height: u32::from(u16::from_le_bytes([c, d]) & 0x3fff),
        });
    }
    // 14 bits of the width less one, then 14 of the height less one.
    let bits = u32::from_le_bytes([a, b, c, d]);
    Ok(Size {
        width: (bits & 0x3fff) + 1,
        height: (bits >> 14 & 0x3fff) + 1,
    })
}

/// PNG specification, sections 5.2 and 11.2.1: the signature, then IHDR with both sides.
fn png(bytes: &[u8]) -> Result<Size, Stop> {
    expect(bytes, 0, b"\x89PNG\r\n\x1a\n")?;
    expect(bytes, 8, b"\0\0\0\x0dIHDR")?;
    Ok(Size {
        width: u32::from_be_bytes(at(bytes, 16)?),
        height: u32::from_be_bytes(at(bytes, 20)?),
    })
}

/// ITU-T T.81, annex B: segments up to the first start of frame.
fn jpeg(bytes: &[u8]) -> Result<Size, Stop> {
    expect(bytes, 0, b"\xff\xd8\xff")?;
    let mut from = 2;
    loop {
        let [mark, kind] = at(bytes, from)?;
        if mark != 0xff {
            return Err(Stop::Other);
        }
        match kind {
            // Fill bytes; markers that stand alone.
            0xff => from += 1,
            0x01 | 0xd0..=0xd7 => from += 2,
            // Start of frame, but for the Huffman, arithmetic and extension tables between them.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Ok(Size {
                    height: u32::from(u16::from_be_bytes(at(bytes, from + 5)?)),
                    width: u32::from(u16::from_be_bytes(at(bytes, from + 7)?)),
                });
            }
            // Pixels, or the end, before any frame.
            0x00 | 0xd8..=0xda => return Err(Stop::Other),
            _ => {
                let length = usize::from(u16::from_be_bytes(at(bytes, from + 2)?));
                if length < 2 {
                    return Err(Stop::Other);
                }
                from += 2 + length;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 300,
        height: 200,
    };

    fn pictures() -> Vec<(&'static str, Vec<u8>)> {
        let riff = |chunk: &[u8]| [b"RIFF\0\0\0\0WEBP", chunk].concat();
        let lossless = (0x12b_u32 | 0xc7 << 14).to_le_bytes();
        vec![
            (
                "image/webp",
                riff(b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x2c\x01\xc8\x00"),
            ),
            (
                "image/webp",
                riff(&[b"VP8L\0\0\0\0\x2f", &lossless[..]].concat()),
            ),
            (
                "image/webp",
                riff(b"VP8X\x0a\0\0\0\0\0\0\0\x2b\x01\0\xc7\0\0"),
            ),
            (
                "image/png",
                b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x2c\0\0\0\xc8".to_vec(),
            ),
            (
                "image/jpeg",
                b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x03c\xff\xff\xc2\0\x11\x08\0\xc8\x01\x2c"
                    .to_vec(),
            ),
        ]
    }

    #[test]
    fn every_type_tells_its_size_and_only_when_all_of_it_is_there() {
        for (content_type, bytes) in pictures() {
            assert_eq!(
                head(content_type, &bytes),
                Head::Picture(SIZE),
                "{content_type}"
            );
            for short in 0..bytes.len() {
                let begun = bytes.get(..short).unwrap();
                assert_eq!(
                    head(content_type, begun),
                    Head::More,
                    "{content_type} {short}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_of_its_type_is_known_at_once() {
        for (content_type, bytes) in pictures() {
            for other in TYPES.iter().filter(|other| **other != content_type) {
                assert_eq!(head(other, &bytes), Head::Other);
            }
            assert_eq!(head("text/html", &bytes), Head::Other);
        }
        assert_eq!(head("image/png", b"<script>"), Head::Other);
        let empty = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\xc8";
        assert_eq!(head("image/png", empty), Head::Other);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_change_its_mind(
            kind in 0_usize..5, tail: Vec<u8>, cut in 0_usize..40,
        ) {
            let (content_type, mut bytes) = pictures().remove(kind);
            bytes.truncate(cut);
            bytes.extend(tail);
            let whole = head(content_type, &bytes);
            for short in 0..bytes.len() {
                let begun = head(content_type, bytes.get(..short).unwrap());
                proptest::prop_assert!(begun == Head::More || begun == whole);
            }
        }
    }
}
