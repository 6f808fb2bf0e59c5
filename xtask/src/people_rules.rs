//! `./dev people-rules`: which tests hold which of the numbered rules about people.
//!
//! A test that covers a rule bears its number (`p54_…`, or several: `p08_p10_…`). The rules stand in
//! `docs/people-rules.md`, one row of the table each; this writes their tests beside them and fails where a
//! rule has none. `tidy` fails where the file is not what it would write.
//!
//! A rule whose test is still to come may say so in its place (`none yet: …`). That word is dropped as soon
//! as there is a test, and does not come back by itself.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::{progress, root};

/// Where the rules stand, and the tests are written.
const FILE: &str = "docs/people-rules.md";
/// There are so many rules, numbered from 1.
const RULES: u32 = 60;
/// How a rule says that its test is still to come.
const NONE_YET: &str = "none yet: ";

/// A test and the file it stands in.
type Test = (String, String);

/// Tests by the rules whose numbers they bear.
type Tests = BTreeMap<u32, Vec<Test>>;

/// Brings the file up to date, and fails where a rule has no test.
pub(crate) fn run() -> Result<()> {
    let path = root::root().join(FILE);
    let before = std::fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let (after, none_yet) = written(&before)?;
    if after != before {
        std::fs::write(&path, &after).with_context(|| format!("cannot write {FILE}"))?;
    }
    for (number, why) in none_yet {
        println!("rule {number} has no test yet: {why}");
    }
    Ok(())
}

/// Fails where a rule has no test, or the file is not up to date.
pub(crate) fn check() -> Result<()> {
    let path = root::root().join(FILE);
    let before = std::fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    if written(&before)?.0 != before {
        bail!("{FILE} does not list the tests as they are: run `./dev people-rules` and commit it");
    }
    Ok(())
}

/// The file as it should be, and the rules whose test is still to come.
fn written(before: &str) -> Result<(String, Vec<(u32, String)>)> {
    let found = update(before, &tests()?);
    let numbers = &found.rules;
    if *numbers != (1..=RULES).collect::<Vec<_>>() {
        bail!(
            "{FILE} must have the rules 1 to {RULES}, each once and in order; it has {numbers:?}"
        );
    }
    if !found.bare.is_empty() {
        bail!("no test bears the number of these rules: {:?}", found.bare);
    }
    Ok((found.text, found.none_yet))
}

/// The numbered tests of every Rust file that git knows or would add.
fn tests() -> Result<Tests> {
    let mut git = std::process::Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others"])
        .args(["--exclude-standard", "*.rs"])
        .current_dir(root::root());
    let names = progress::capture(&mut git).context("git lists the files")?;
    let mut all = Tests::new();
    for name in names.split_terminator('\0') {
        // Deleted but not yet committed: nothing to read.
        let Ok(text) = std::fs::read_to_string(root::root().join(name)) else {
            continue;
        };
        for test in numbered(&text) {
            for number in numbers(&test) {
                let place = (test.clone(), name.to_owned());
                all.entry(number).or_default().push(place);
            }
        }
    }
    for tests in all.values_mut() {
        tests.sort();
        tests.dedup();
    }
    Ok(all)
}

/// Names of the tests in a Rust file that bear a rule's number. What only looks like one (no `#[test]`), or
/// does not run (`#[ignore]`), is none.
fn numbered(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_test = |at: usize| {
        let attributes: Vec<&&str> = lines
            .iter()
            .take(at)
            .rev()
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .collect();
        let has = |words: &[&str]| {
            let begins = |line: &&str| words.iter().any(|word| line.starts_with(word));
            attributes.iter().any(|line| begins(line))
        };
        has(&["#[test]", "#[tokio::test"]) && !has(&["#[ignore"])
    };
    let named = |(at, line): (usize, &&str)| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
        (!numbers(name).is_empty() && is_test(at)).then(|| name.to_owned())
    };
    lines.iter().enumerate().filter_map(named).collect()
}

/// The rules whose numbers a name begins with: `p08_p10_deactivating…` bears 8 and 10.
fn numbers(name: &str) -> Vec<u32> {
    name.split('_')
        .map_while(|word| {
            let digits = word.strip_prefix('p').filter(|rest| rest.len() == 2)?;
            digits.parse().ok()
        })
        .collect()
}

/// What became of the file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Updated {
    text: String,
    /// The rules, in the file's order.
    rules: Vec<u32>,
    /// Rules without a test that say why.
    none_yet: Vec<(u32, String)>,
    /// Rules without a test, and without a word on it.
    bare: Vec<u32>,
}

/// Writes the tests beside each rule, one to a row, in the place of those that stood there.
fn update(before: &str, tests: &Tests) -> Updated {
    let mut after = Updated::default();
    for line in before.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, rule, said, _] = cells.as_slice() else {
            push(&mut after.text, line);
            continue;
        };
        if number.is_empty() {
            continue;
        }
        let Ok(number) = number.parse::<u32>() else {
            push(&mut after.text, line);
            continue;
        };
        after.rules.push(number);
        let cells = match tests.get(&number) {
            Some(tests) => tests.iter().map(cell).collect(),
            None => match said.strip_prefix(NONE_YET) {
                Some(why) => {
                    after.none_yet.push((number, why.to_owned()));
                    vec![(*said).to_owned()]
                }
                None => {
                    after.bare.push(number);
                    vec![String::new()]
                }
            },
        };
        for (at, cell) in cells.iter().enumerate() {
            let row = match at {
                0 => format!("| {number} | {rule} | {cell} |"),
                _ => format!("| | | {cell} |"),
            };
            push(&mut after.text, &row);
        }
    }
    after
}

fn cell((test, file): &Test) -> String {
    format!("[`{test}`](../{file})")
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_as_a_test_and_bears_a_number_counts() {
        let code = "#[test]\nfn p02_there_are_two() {}\n\
            \x20   #[tokio::test(flavor = \"current_thread\")]\n    async fn p08_p10_both() {\n\
            fn p03_a_helper() {}\n#[test]\n#[ignore = \"later\"]\nfn p04_not_run() {}\n\
            #[test]\nfn pick_one() {}\n#[test]\nfn plan_2() {}\n";
        let found = numbered(code);
        assert_eq!(found, ["p02_there_are_two", "p08_p10_both"]);
        assert_eq!(numbers("p08_p10_both"), [8, 10]);
        assert_eq!(numbers("p8_short"), [0_u32; 0]);
    }

    #[test]
    fn tests_are_written_beside_their_rule_and_written_again_they_stay() {
        let two = ("p02_two".to_owned(), "server/a.rs".to_owned());
        let more = ("p02_and_more".to_owned(), "agent/b.rs".to_owned());
        let tests = Tests::from([(2, vec![more, two])]);
        let file = "# Rules\n\n| no. | rule | tests |\n|---|---|---|\n\
            | 2 | Two modes. | what stood here |\n| | | and here |\n| 3 | Three. | none yet: the mail |\n";
        let written = update(file, &tests);
        let expected = "# Rules\n\n| no. | rule | tests |\n|---|---|---|\n\
            | 2 | Two modes. | [`p02_and_more`](../agent/b.rs) |\n| | | [`p02_two`](../server/a.rs) |\n\
            | 3 | Three. | none yet: the mail |\n";
        assert_eq!(written.text, expected);
        assert_eq!(written.none_yet, [(3, "the mail".to_owned())]);
        assert_eq!(written.rules, [2, 3]);
        assert_eq!(update(&written.text, &tests).text, written.text);
    }

    #[test]
    fn a_rule_without_a_test_is_told_unless_it_says_why() {
        let file = "| 2 | Two modes. | [`p02_gone`](../a.rs) |\n| 3 | Three. | none yet: mail |\n";
        let without = update(file, &Tests::new());
        assert_eq!((without.bare, without.none_yet.len()), (vec![2], 1));
        let three = ("p03_three".to_owned(), "a.rs".to_owned());
        let with = update(file, &Tests::from([(3, vec![three])]));
        assert!(with.none_yet.is_empty() && !with.text.contains(NONE_YET));
    }
}
