//! That every field of a profile has a story that shows it obeyed: the table in the README against the
//! schema that licenses are published with. A field that is added without a story fails here.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::{Worker, tell};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The members that the schema gives a type, if it is one with members.
fn members<'a>(schema: &'a Value, name: &str) -> Option<&'a serde_json::Map<String, Value>> {
    let at = format!("/$defs/{name}/properties");
    schema.pointer(&at)?.as_object()
}

/// The fields of a type, those of its parts by their path: `screenshots.per_hour`.
fn fields(schema: &Value, name: &str, path: &str, found: &mut BTreeSet<String>) -> Result<()> {
    let members_of = members(schema, name);
    for (member, is) in members_of.with_context(|| format!("{name} has no members"))? {
        let path = format!("{path}{member}");
        let reference = is.get("$ref").or_else(|| is.pointer("/anyOf/0/$ref"));
        let part = reference
            .and_then(Value::as_str)
            .and_then(|name| name.strip_prefix("#/$defs/"))
            .filter(|name| members(schema, name).is_some());
        match part {
            Some(part) => fields(schema, part, &format!("{path}."), found)?,
            None => _ = found.insert(path),
        }
    }
    Ok(())
}

/// The rows of the README's table: field, story's file, story.
fn rows(readme: &str) -> Result<Vec<[&str; 3]>> {
    let table = readme
        .split_once("| field of a profile |")
        .context("the README has the table")?
        .1;
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let [field, file, story] = cells[..] else {
            anyhow::bail!("a row has a field, a file and a story: {row}");
        };
        Ok([field, file, story])
    })
    .collect()
}

#[test]
fn every_field_of_a_profile_has_a_story() -> Result<()> {
    let schema = read(&crate_folder().join("../license-format/schema/license-v1.json"))?;
    let mut wanted = BTreeSet::new();
    fields(&serde_json::from_str(&schema)?, "Profile", "", &mut wanted)?;
    ensure!(wanted.contains("screenshots.per_hour"), "{wanted:?}");

    let readme = read(&crate_folder().join("README.md"))?;
    let mut told = BTreeSet::new();
    for [field, file, story] in rows(&readme)? {
        let text = read(&crate_folder().join("tests").join(format!("{file}.rs")))?;
        let is_there = text.contains(&format!("#[test]\nfn {story}()"));
        assert!(is_there, "{field}: {file}.rs has no test {story}");
        told.insert(field.to_owned());
    }
    let missing: Vec<_> = wanted.difference(&told).collect();
    assert!(
        missing.is_empty(),
        "tests/README.md names no story for {missing:?}: tell one that shows the capture obeys it"
    );
    let unknown: Vec<_> = told.difference(&wanted).collect();
    assert!(unknown.is_empty(), "no fields of a profile: {unknown:?}");
    Ok(())
}

#[test]
fn the_employee_is_told_the_profile_s_name_and_whether_captures_can_be_deleted() -> Result<()> {
    tell(|story| {
        for may in [false, true] {
            let name = if may { "may" } else { "may-not" };
            let settings = json!({"activity": {}, "employee_may_delete": may});
            let mut worker = Worker::hire(story, name, "worklog", &settings)?;
            worker.agent.wait_for_state("stopped", SOON)?;
            let list = worker.agent.call(["license", "list", "--json"])?.ok()?;
            let list: Value = serde_json::from_str(&list.out)?;
            assert_eq!(list[0]["profile"], json!(format!("For {name}")));
            let notice = worker.agent.call(["license", "show"])?.ok()?.out;
            let words: Vec<&str> = notice.split_whitespace().collect();
            let notice = words.join(" ");
            let told = notice.contains("You may delete what was captured of you. The time");
            let denied = notice.contains("You cannot delete what was captured of you by yourself.");
            assert_eq!((told, denied), (may, !may), "{notice}");
            worker.agent.end()?;
        }
        Ok(())
    })
}
