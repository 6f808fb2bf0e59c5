//! Every catalogue held against the list of messages: the same ids in every language, each with the
//! arguments it is given, each said somewhere, in the typography of its language.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};
use fluent_syntax::parser::parse;
use glasshour_assets::words::{ENGLISH, FRENCH};
use glasshour_words::Message;

type Files = [(&'static str, &'static str)];

const LANGUAGES: [(&str, &Files); 2] = [("en", &ENGLISH), ("fr", &FRENCH)];

/// What a message is made of, in one language.
#[derive(Debug, Default)]
struct Parts {
    arguments: BTreeSet<String>,
    /// Names of variants; plural categories and numbers left out.
    variants: BTreeSet<String>,
    /// What is neither argument, variant nor text.
    odd: Vec<String>,
    /// The text of every variant, with an `x` for what is put in.
    text: String,
}

fn messages(files: &Files) -> BTreeMap<String, Parts> {
    let mut found = BTreeMap::new();
    for (file, source) in files {
        let resource = parse(*source).unwrap_or_else(|(_, errors)| panic!("{file}: {errors:?}"));
        for entry in resource.body {
            match entry {
                Entry::Message(message) => {
                    let mut parts = Parts::default();
                    pattern(&message.value.expect("a message has a text"), &mut parts);
                    if !message.attributes.is_empty() {
                        parts.odd.push("attributes".into());
                    }
                    let id = message.id.name.to_owned();
                    assert!(found.insert(id.clone(), parts).is_none(), "{id} twice");
                }
                Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
                other => panic!("{file}: {other:?}"),
            }
        }
    }
    found
}

fn pattern(of: &Pattern<&str>, found: &mut Parts) {
    for element in &of.elements {
        match element {
            PatternElement::TextElement { value } => found.text.push_str(value),
            PatternElement::Placeable { expression } => placed(expression, found),
        }
    }
}

fn placed(expression: &Expression<&str>, found: &mut Parts) {
    let inline = match expression {
        Expression::Inline(inline) => inline,
        Expression::Select { selector, variants } => {
            for variant in variants {
                if let VariantKey::Identifier { name } = variant.key
                    && !["one", "other"].contains(&name)
                {
                    found.variants.insert(name.to_owned());
                }
                found.text.push('[');
                pattern(&variant.value, found);
                found.text.push(']');
            }
            selector
        }
    };
    match inline {
        InlineExpression::VariableReference { id } => {
            found.arguments.insert(id.name.to_owned());
        }
        other => found.odd.push(format!("{other:?}")),
    }
    found.text.push('x');
}

#[test]
fn every_catalogue_has_every_message_with_its_arguments_and_variants_and_no_other() {
    let english = messages(&ENGLISH);
    let known: BTreeMap<&str, BTreeSet<String>> = Message::ALL
        .iter()
        .map(|(_, id, arguments)| (*id, arguments.iter().map(|&a| a.to_owned()).collect()))
        .collect();
    assert_eq!(known.len(), Message::ALL.len(), "an id is listed twice");
    for (language, files) in LANGUAGES {
        let found = messages(files);
        let ids: BTreeSet<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(ids, known.keys().copied().collect(), "{language}");
        for (id, parts) in &found {
            assert_eq!(parts.arguments, known[id.as_str()], "{language}: {id}");
            assert_eq!(parts.variants, english[id].variants, "{language}: {id}");
            assert_eq!(parts.odd, [""; 0], "{language}: {id}");
        }
    }
}

#[test]
fn no_text_holds_what_a_reader_cannot_see() {
    for (language, files) in LANGUAGES {
        for (file, source) in files {
            let odd = source
                .chars()
                .find(|&c| c != '\n' && glasshour_license_format::misleads(c));
            assert_eq!(odd, None, "{language}/{file}");
            assert!(source.ends_with('\n'), "{language}/{file}");
        }
    }
}

#[test]
fn typography_is_that_of_the_language() {
    for (language, files) in LANGUAGES {
        for (id, parts) in messages(files) {
            let text = &parts.text;
            assert!(!text.contains(['\'', '"']), "{language}: {id}: {text:?}");
            assert!(!text.contains("  "), "{language}: {id}: {text:?}");
            assert_eq!(text.trim(), text, "{language}: {id}");
        }
    }
    for (id, parts) in messages(&FRENCH) {
        let text: Vec<char> = parts.text.chars().collect();
        for (at, mark) in text.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| text[at]);
            if matches!(mark, ':' | ';' | '!' | '?' | '»') {
                assert_eq!(before, Some('\u{a0}'), "fr: {id}: {:?}", parts.text);
            }
            if *mark == '«' {
                let after = text.get(at + 1);
                assert_eq!(after, Some(&'\u{a0}'), "fr: {id}: {:?}", parts.text);
            }
        }
    }
    for (id, parts) in messages(&ENGLISH) {
        let foreign = ['\u{a0}', '«', '»'];
        assert!(!parts.text.contains(foreign), "en: {id}: {:?}", parts.text);
    }
}

#[test]
fn every_message_is_said_somewhere() {
    let mut code = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in ["words/src", "agent/src", "server/src"] {
        collect(&root.join(folder), &mut code);
    }
    let unused: Vec<_> = Message::ALL
        .iter()
        // `Say` is its name where another thing is called a message already.
        .filter(|(name, ..)| {
            !["Message", "Say"].iter().any(|kind| code.contains(&format!("{kind}::{name} {{")))
        })
        .map(|(_, id, _)| id)
        .collect();
    assert!(unused.is_empty(), "said nowhere: {unused:?}");
}

/// Code alone: what only a test says is said to nobody.
fn collect(folder: &Path, code: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ends = |ending| path.extension().is_some_and(|known| known == ending);
        if path.is_dir() {
            collect(&path, code);
        } else if (ends("rs") || ends("html")) && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut parts = text.split("#[cfg(test)]\nmod tests {");
            code.push_str(parts.next().unwrap());
        }
    }
}
