//! The message catalogues (Fluent), by file: what `glasshour-words` parses.

/// English.
pub const ENGLISH: [(&str, &str); 7] = [
    ("notice.ftl", include_str!("../words/en/notice.ftl")),
    ("formats.ftl", include_str!("../words/en/formats.ftl")),
    ("changes.ftl", include_str!("../words/en/changes.ftl")),
    ("agent.ftl", include_str!("../words/en/agent.ftl")),
    ("held.ftl", include_str!("../words/en/held.ftl")),
    ("console.ftl", include_str!("../words/en/console.ftl")),
    ("mail.ftl", include_str!("../words/en/mail.ftl")),
];

/// French.
pub const FRENCH: [(&str, &str); 7] = [
    ("notice.ftl", include_str!("../words/fr/notice.ftl")),
    ("formats.ftl", include_str!("../words/fr/formats.ftl")),
    ("changes.ftl", include_str!("../words/fr/changes.ftl")),
    ("agent.ftl", include_str!("../words/fr/agent.ftl")),
    ("held.ftl", include_str!("../words/fr/held.ftl")),
    ("console.ftl", include_str!("../words/fr/console.ftl")),
    ("mail.ftl", include_str!("../words/fr/mail.ftl")),
];
