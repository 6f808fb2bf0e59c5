//! Passwords that are guessed first: a common word with its usual trimmings, a walk over the keyboard, one
//! character again and again, a count, or the person's own name.
//!
//! The list is ours and short, and what is compared is what is left of a password when digits for letters,
//! capitals, and numbers and signs around it are taken off: so `P4ssw0rd2026!` is `password`. Ten
//! characters or more are asked for anyway, which leaves of the long public lists little but these.

/// What people begin with, written small.
const WORDS: &[&str] = &[
    "abcdefgh",
    "access",
    "administrator",
    "admin",
    "amanda",
    "andrea",
    "angel",
    "ashley",
    "asshole",
    "baseball",
    "basketball",
    "batman",
    "beautiful",
    "bienvenue",
    "bonjour",
    "butterfly",
    "changeit",
    "changeme",
    "charlie",
    "chelsea",
    "chocolat",
    "chocolate",
    "company",
    "computer",
    "cookie",
    "default",
    "doudou",
    "dragon",
    "eminem",
    "employee",
    "everyone",
    "family",
    "flower",
    "football",
    "freedom",
    "friends",
    "glasshour",
    "guest",
    "hallo",
    "harley",
    "hello",
    "hockey",
    "hottie",
    "hunter",
    "iloveyou",
    "internet",
    "jasmine",
    "jennifer",
    "jessica",
    "jetaime",
    "jordan",
    "joshua",
    "justin",
    "killer",
    "letmein",
    "liverpool",
    "login",
    "london",
    "loulou",
    "lovely",
    "loveme",
    "lover",
    "loveyou",
    "maggie",
    "manager",
    "marseille",
    "master",
    "matrix",
    "michael",
    "michelle",
    "monday",
    "monkey",
    "mother",
    "motdepasse",
    "mustang",
    "mypassword",
    "nicole",
    "nothing",
    "office",
    "orange",
    "pass",
    "passe",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "pepper",
    "pokemon",
    "princess",
    "private",
    "purple",
    "qwerty",
    "qwertz",
    "azerty",
    "ranger",
    "robert",
    "rockyou",
    "samsung",
    "secret",
    "secure",
    "security",
    "server",
    "shadow",
    "soccer",
    "soleil",
    "starwars",
    "summer",
    "sunshine",
    "superman",
    "superuser",
    "system",
    "temporary",
    "test",
    "testing",
    "thomas",
    "tigger",
    "timetracker",
    "trustno",
    "user",
    "username",
    "welcome",
    "whatever",
    "willkommen",
    "winter",
    "spring",
    "autumn",
    "worklog",
    "zaq",
    "xsw",
];

/// Rows of keyboards and counts; a password that walks along one, either way, is guessed early.
const WALKS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789012345678901234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Why a password would be guessed; `None` where nothing speaks against it. `own`: what the person is
/// called, whole or in parts.
pub(crate) fn why_common(password: &str, own: &[&str]) -> Option<&'static str> {
    let small = password.to_lowercase();
    let core = core(&small);
    let distinct = small.chars().collect::<std::collections::BTreeSet<_>>();
    if distinct.len() < 4 {
        return Some("it has hardly any different characters");
    }
    if is_walk(&small) || is_walk(&core) {
        return Some("it walks along the keyboard or counts");
    }
    if is_of_words(&core) {
        return Some("it is one of the first that are guessed");
    }
    let parts = own
        .iter()
        .flat_map(|text| text.split(['@', '.', ' ', '-', '_', '+']))
        .map(str::to_lowercase)
        .filter(|part| part.chars().count() >= 3);
    let mut rest = core;
    for part in parts {
        rest = rest.replace(&plain(&part), "");
    }
    if rest.chars().count() < 4 {
        return Some("it is made of your own name or address");
    }
    None
}

/// Letters for the digits and signs that stand for them.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' | '|' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// What is left without numbers and signs around it and between, and with letters for digits inside.
fn core(small: &str) -> String {
    let trimmed = small.trim_matches(|c: char| !c.is_alphabetic());
    let trimmed = if trimmed.is_empty() { small } else { trimmed };
    plain(trimmed)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// Whether it is common words one behind the other, and nothing else.
fn is_of_words(core: &str) -> bool {
    let mut reached = vec![false; core.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for at in 0..core.len() {
        if reached.get(at) != Some(&true) || !core.is_char_boundary(at) {
            continue;
        }
        let (_, rest) = core.split_at(at);
        for word in WORDS.iter().filter(|word| rest.starts_with(**word)) {
            if let Some(end) = reached.get_mut(at + word.len()) {
                *end = true;
            }
        }
    }
    !core.is_empty() && reached.last() == Some(&true)
}

/// Whether it is pieces of walks of four characters or more, one behind the other.
fn is_walk(small: &str) -> bool {
    const SHORTEST: usize = 4;
    let chars: Vec<char> = small.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let rest = chars.get(at..).unwrap_or_default();
        let longest = (SHORTEST..=rest.len()).rev().find(|length| {
            let piece: String = rest.iter().take(*length).collect();
            let back: String = piece.chars().rev().collect();
            WALKS
                .iter()
                .any(|walk| walk.contains(&piece) || walk.contains(&back))
        });
        match longest {
            Some(length) => at += length,
            // An end of up to two characters is no help.
            None => return at > 0 && chars.len() - at <= 2,
        }
    }
    !chars.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_refused_with_the_reason() {
        for common in [
            "password123",
            "P4ssw0rd2026!",
            "Passw0rd!!!!",
            "welcome2024",
            "iloveyou!!",
            "letmein12345",
            "qwertyuiop",
            "1234567890",
            "0987654321",
            "1qaz2wsx3edc",
            "abcdefghij",
            "aaaaaaaaaaaaa",
            "abababababab",
            "adminadmin",
            "Summer-Winter-2026",
            "motdepasse1",
            "azertyuiop",
            "glasshour2026",
        ] {
            assert!(why_common(common, &[]).is_some(), "{common}");
        }
        let own = ["jo.doefield@acme.example", "Jo", "Doefield"];
        assert!(why_common("doefield2026", &own).is_some());
        assert!(why_common("acme-doefield", &own).is_some());
    }

    #[test]
    fn what_is_not_is_taken() {
        for good in [
            "a long password",
            "correct horse",
            "correct horse battery staple",
            "tr0ub4dor&3x",
            "another password",
            "Xk9-mmp2-vv7q",
            "überraschung im regen",
            "password manager made this: hQ2k",
        ] {
            assert_eq!(why_common(good, &["jo@acme.example"]), None, "{good}");
        }
    }
}
