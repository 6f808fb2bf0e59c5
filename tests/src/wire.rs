//! HTTP/1.1 as it was recorded, and what is wrapped in it: for searching, so that nothing can hide in an
//! encoding.

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The shortest text that is taken for an encoding of something.
const SHORTEST: usize = 24;
/// How deep wrappings are opened: a license is a member of JSON in base64 in gzip with base64url in it.
const DEEPEST: usize = 5;
/// The most that is unpacked of anything, bytes: far more than a license has.
const LARGEST: u64 = 16 * 1024 * 1024;

/// One request or answer.
#[derive(Debug)]
pub struct Message {
    /// First line and headers.
    pub head: String,
    /// The body, without chunks.
    pub body: Vec<u8>,
}

impl Message {
    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        !self.head.starts_with("HTTP/")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Cuts one side of a connection into messages. A last one that is not whole is given as far as it came.
///
/// # Errors
/// It is not HTTP/1.1.
pub fn messages(mut bytes: &[u8]) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            break; // the raw bytes are searched in any case
        };
        let (head, rest) = bytes.split_at(end + 4);
        let head = String::from_utf8(head.to_vec()).context("a head that is not text")?;
        if !head.lines().next().unwrap_or_default().contains("HTTP/1.1") {
            bail!("not HTTP/1.1: {head:?}");
        }
        let mut message = Message {
            head,
            body: Vec::new(),
        };
        let chunked = message
            .header("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = if chunked {
            dechunk(rest, &mut message.body)?
        } else {
            let told = message
                .header("content-length")
                .map(str::parse)
                .transpose()?;
            let length = rest.len().min(told.unwrap_or(0));
            message.body = rest.get(..length).unwrap_or_default().to_vec();
            length
        };
        bytes = rest.get(length..).unwrap_or_default();
        messages.push(message);
    }
    Ok(messages)
}

/// Takes the chunks apart; gives how many bytes they took.
fn dechunk(bytes: &[u8], body: &mut Vec<u8>) -> Result<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = find(rest, b"\r\n") else {
            return Ok(bytes.len());
        };
        let size = std::str::from_utf8(rest.get(..end).unwrap_or_default())?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).context("the size of a chunk")?;
        let chunk = rest.get(end + 2..).unwrap_or_default();
        body.extend_from_slice(chunk.get(..size).unwrap_or(chunk));
        at += end + 2 + size + 2;
        if size == 0 || at >= bytes.len() {
            return Ok(at.min(bytes.len()));
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

/// The body, and everything that is wrapped in head and body.
pub fn unwrapped(message: &Message) -> Vec<Vec<u8>> {
    let mut found = vec![message.body.clone()];
    open(message.head.as_bytes(), 0, &mut found);
    open(&message.body, 0, &mut found);
    found
}

fn open(bytes: &[u8], depth: usize, found: &mut Vec<Vec<u8>>) {
    if depth == DEEPEST {
        return;
    }
    let mut inner = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        inner.extend(inflated(bytes));
    } else if std::str::from_utf8(bytes).is_ok() {
        let of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
        let words = bytes.split(|byte| !of_base64(byte));
        for word in words.filter(|word| word.len() >= SHORTEST) {
            inner.extend(STANDARD.decode(word).ok());
            inner.extend(URL_SAFE_NO_PAD.decode(word).ok());
        }
    }
    for bytes in inner {
        open(&bytes, depth + 1, found);
        found.push(bytes);
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "what is looked into was made by the story itself, and the size is capped"
)]
fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    flate2::bufread::GzDecoder::new(bytes)
        .take(LARGEST)
        .read_to_end(&mut text)
        .ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    #[test]
    fn chunks_are_taken_apart_and_the_next_message_is_found() {
        let wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsec\r\n3\r\nret\r\n0\r\n\r\n\
            HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nhi";
        let messages = messages(wire).unwrap();
        let bodies: Vec<_> = messages.iter().map(|m| m.body.as_slice()).collect();
        assert_eq!(bodies, [b"secret".as_slice(), b"hi"]);
        assert!(super::messages(b"PRI * HTTP/2.0\r\n\r\n").is_err());
    }

    #[test]
    fn what_a_license_wraps_is_found() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"employee":{"name":"Jo of Acme"}}"#);
        let mut file = GzEncoder::new(Vec::new(), Compression::default());
        write!(file, r#"{{"payload":"{payload}"}}"#).unwrap();
        let license = STANDARD.encode(file.finish().unwrap());
        let body = format!(r#"{{"license_gz":"{license}"}}"#);
        let token = URL_SAFE_NO_PAD.encode(r#"{"iss":"the-device-of-acme"}"#);
        let wire = format!(
            "POST /x HTTP/1.1\r\nauthorization: Bearer e30.{token}.c2ln\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let messages = messages(wire.as_bytes()).unwrap();
        let found = unwrapped(messages.first().unwrap());
        for needle in ["Jo of Acme", "the-device-of-acme"] {
            assert!(!wire.contains(needle));
            let in_it = |piece: &Vec<u8>| find(piece, needle.as_bytes()).is_some();
            assert!(found.iter().any(in_it), "{needle}");
        }
    }
}
