//! A letter as it travels (RFC 5322): text and HTML side by side, the license beside both.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::letter::Letter;

/// A file that goes with a letter.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: &'a [u8],
}

/// Who a letter is from and to, and what tells it from every other.
#[derive(Debug)]
pub(super) struct Cover<'a> {
    pub(super) from: &'a Mailbox,
    pub(super) to: &'a Address,
    /// The same at every try, so that a mail server can tell a second copy.
    pub(super) mail_id: &'a str,
    /// UTC milliseconds.
    pub(super) created_at_ms: i64,
}

/// The bytes that are sent.
pub(super) fn bytes(
    cover: &Cover<'_>,
    letter: &Letter,
    file: Option<&File<'_>>,
) -> anyhow::Result<Vec<u8>> {
    let date = std::time::UNIX_EPOCH
        + std::time::Duration::from_millis(u64::try_from(cover.created_at_ms).unwrap_or(0));
    let id = format!("<{}@{}>", cover.mail_id, cover.from.email.domain());
    let header = |name, value: &str| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
    };
    let message = Message::builder()
        .from(cover.from.clone())
        .to(Mailbox::new(None, cover.to.clone()))
        .subject(&letter.subject)
        .date(date)
        .message_id(Some(id))
        // No answer from a robot (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", letter.language));
    let words = MultiPart::alternative()
        .singlepart(SinglePart::plain(letter.to_text()))
        .singlepart(SinglePart::html(letter.to_html()?));
    let whole = match file {
        None => words,
        Some(file) => {
            let kind = ContentType::parse("application/gzip")?;
            let enclosed = Attachment::new(file.name.to_owned()).body(file.bytes.to_vec(), kind);
            MultiPart::mixed().multipart(words).singlepart(enclosed)
        }
    };
    Ok(message.multipart(whole)?.formatted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_the_same_at_every_try_but_for_what_parts_it() {
        let cover = Cover {
            from: &"Acme <time@acme.example>".parse().unwrap(),
            to: &"jo@acme.example".parse().unwrap(),
            mail_id: "0193",
            created_at_ms: 1_795_000_000_000,
        };
        let letter = Letter {
            language: "en",
            subject: "Your license from Söhne\r\nBcc: x@y.example".into(),
            opening: vec!["Hello.".into()],
            button: None,
            steps: vec![],
            closing: vec![],
            notice: vec![],
            footer: "Sent.".into(),
        };
        let file = File {
            name: "jo.license.gz",
            bytes: &[0x1f, 0x8b, 0, 1, 2],
        };
        let text = bytes(&cover, &letter, Some(&file)).unwrap();
        let text = String::from_utf8(text).expect("all of it is ASCII");
        assert!(text.is_ascii());
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(
            head.contains("Message-ID: <0193@acme.example>\r\n"),
            "{head}"
        );
        assert!(
            head.contains("Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n"),
            "{head}"
        );
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        // A subject cannot bring a header of its own.
        assert!(!head.to_lowercase().contains("\nbcc"), "{head}");
        assert!(text.contains("filename=\"jo.license.gz\""), "{text}");
        assert!(text.contains("H4sAAQI="), "{text}");
        assert!(text.lines().all(|line| line.len() <= 998));
    }
}
