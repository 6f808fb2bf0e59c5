//! Codes of an authenticator app (RFC 6238): HMAC-SHA-1, six digits, thirty seconds, which is what every
//! app takes. A code holds one step before and behind its time, as clocks differ; and no code twice.

use ring::hmac;

/// Seconds in a step.
const STEP_S: i64 = 30;
/// Steps around now that are taken.
const WINDOW: i64 = 1;
/// Bytes of a secret: as many as the hash has (RFC 4226, section 4).
pub(crate) const SECRET_BYTES: usize = 20;
const DIGITS: u32 = 6;

/// The step of a code that fits now and is behind `last_step`; `None` where none does.
pub(crate) fn accepted(secret: &[u8], code: &str, now_ms: i64, last_step: i64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let now = now_ms.div_euclid(1000 * STEP_S);
    (now - WINDOW..=now + WINDOW)
        .filter(|step| *step > last_step)
        .find(|step| {
            let wanted = self::code(secret, *step, DIGITS);
            bool::from(subtle::ConstantTimeEq::ct_eq(
                wanted.as_bytes(),
                code.as_bytes(),
            ))
        })
}

/// The code of a step (RFC 4226, section 5.3).
fn code(secret: &[u8], step: i64, digits: u32) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
    let four = bytes.iter().skip(at).take(4);
    let number = four.fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)) & 0x7fff_ffff;
    let width = usize::try_from(digits).unwrap_or(6);
    format!("{:0width$}", number % 10_u32.pow(digits))
}

/// Base32 without padding (RFC 4648, section 6): how apps take a secret that is typed.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            let digit = usize::try_from((held >> bits) & 31).unwrap_or(0);
            text.extend(ALPHABET.get(digit).map(|c| char::from(*c)));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        let digit = usize::try_from((held << (5 - bits)) & 31).unwrap_or(0);
        text.extend(ALPHABET.get(digit).map(|c| char::from(*c)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the rows of SHA-1.
    const VECTORS: [(i64, &str); 6] = [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ];
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, wanted) in VECTORS {
            assert_eq!(code(SECRET, seconds / STEP_S, 8), wanted);
        }
    }

    #[test]
    fn a_code_holds_a_step_before_and_behind_and_is_taken_once() {
        let now_ms = 1_111_111_111_000;
        let step = 1_111_111_111 / STEP_S;
        let of = |step| code(SECRET, step, DIGITS);
        for offset in [-1, 0, 1] {
            let taken = accepted(SECRET, &of(step + offset), now_ms, 0);
            assert_eq!(taken, Some(step + offset));
        }
        for offset in [-2, 2] {
            assert_eq!(accepted(SECRET, &of(step + offset), now_ms, 0), None);
        }
        assert_eq!(accepted(SECRET, &of(step), now_ms, step), None, "twice");
        let spaced = format!("{} {}", &of(step)[..3], &of(step)[3..]);
        assert_eq!(accepted(SECRET, &spaced, now_ms, 0), Some(step));
        for bad in ["", "000000", "12345", "abcdef"] {
            assert_eq!(accepted(SECRET, bad, now_ms, 0), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_written_as_rfc_4648_has_it() {
        for (plain, wanted) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), wanted);
        }
    }
}
