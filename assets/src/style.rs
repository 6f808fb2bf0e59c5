//! Tests that hold the style sheets to their word: values stand in the tokens alone, every name that
//! is used is defined, and text can be read on its ground in both themes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{CONSOLE_CSS, TOKENS_CSS};

type Tokens = BTreeMap<String, String>;

/// The declarations of a block, from its opening brace on.
fn block(css: &str, from: &str) -> Tokens {
    let start = css
        .find(from)
        .unwrap_or_else(|| panic!("no {from} in the tokens"));
    let body = css[start..].split(":root {").nth(1).unwrap();
    let body = body.split('}').next().unwrap();
    without_comments(body)
        .split(';')
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

fn without_comments(css: &str) -> String {
    let mut text = String::new();
    for (index, part) in css.split("/*").enumerate() {
        text.push_str(if index == 0 {
            part
        } else {
            part.split_once("*/").unwrap().1
        });
    }
    text
}

/// Light, and dark as it overrides light.
fn themes() -> [(&'static str, Tokens); 2] {
    let light = block(TOKENS_CSS, ":root {");
    let mut dark = light.clone();
    dark.extend(block(TOKENS_CSS, "@media (prefers-color-scheme: dark)"));
    [("light", light), ("dark", dark)]
}

/// Relative luminance (WCAG 2.2) of `#rrggbb`.
fn luminance(color: &str) -> f64 {
    let hex = color
        .strip_prefix('#')
        .unwrap_or_else(|| panic!("{color} is not #rrggbb"));
    assert_eq!(hex.len(), 6, "{color}");
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_can_be_read_on_every_ground_in_both_themes() {
    let grounds = ["--paper", "--paper-raised", "--paper-sunk"];
    let texts = [
        "--ink",
        "--ink-soft",
        "--accent",
        "--accent-hover",
        "--working",
        "--paused",
        "--idle",
        "--gap",
        "--problem",
    ];
    let mut pairs: Vec<(&str, &str)> = texts
        .iter()
        .flat_map(|text| grounds.iter().map(move |ground| (*text, *ground)))
        .collect();
    pairs.extend([
        ("--accent-ink", "--accent"),
        ("--accent-ink", "--accent-hover"),
        ("--ink", "--accent-soft"),
        ("--ink", "--problem-soft"),
        ("--problem", "--problem-soft"),
    ]);
    for (theme, tokens) in themes() {
        for (text, ground) in &pairs {
            let found = contrast(&tokens[*text], &tokens[*ground]);
            assert!(found >= 4.5, "{theme}: {text} on {ground} has {found:.2}");
        }
    }
}

#[test]
fn fields_bars_and_marks_stand_out_from_their_ground() {
    // WCAG 2.2, 1.4.11: what is needed to understand a control or a chart has 3:1.
    for (theme, tokens) in themes() {
        for mark in ["--line-strong", "--chart-bar", "--chart-mark"] {
            let found = contrast(&tokens[mark], &tokens["--paper"]);
            assert!(found >= 3.0, "{theme}: {mark} on --paper has {found:.2}");
        }
    }
}

#[test]
fn values_stand_in_the_tokens_alone() {
    let css = without_comments(CONSOLE_CSS);
    for line in css
        .lines()
        .filter(|line| !line.trim_start().starts_with("@media"))
    {
        // `url(#pattern)` names a drawing, not a colour.
        let plain = line.replace("url(#gap)", "");
        let colour = plain.contains('#') || plain.contains("rgb(") || plain.contains("hsl(");
        assert!(!colour, "a colour outside the tokens: {line}");
        assert!(
            !plain.contains("px"),
            "a size in pixels outside the tokens: {line}"
        );
        for declaration in plain.split([';', '{', '}']).map(str::trim) {
            if let Some(size) = declaration.strip_prefix("font-size:") {
                assert!(
                    size.trim().starts_with("var(--text-"),
                    "a size of type: {line}"
                );
            }
            if let Some(weight) = declaration.strip_prefix("font-weight:") {
                assert!(
                    weight.trim().starts_with("var(--"),
                    "a weight of type: {line}"
                );
            }
        }
    }
}

#[test]
fn every_name_that_is_used_is_defined_and_every_defined_one_is_used() {
    let [(_, light), (_, dark)] = themes();
    let used: BTreeSet<String> = CONSOLE_CSS
        .split("var(")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap().trim().to_owned())
        .collect();
    for name in &used {
        assert!(light.contains_key(name), "{name} is not defined");
    }
    for name in dark.keys().filter(|name| name.starts_with("--")) {
        assert!(used.contains(name), "{name} is defined and not used");
    }
    assert_eq!(
        light.len(),
        dark.len(),
        "dark defines a name that light does not"
    );
}
