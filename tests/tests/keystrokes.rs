//! What is typed is counted and never read: a password, typed while everything is licensed, is found nowhere:
//! not in the spool (as it lies there, and opened), not in any file of the agent, not at the server.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use glasshour_tests::{Desktop, Seen, profiles, tell};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::ConnectionExt as _;

const SOON: Duration = Duration::from_secs(40);
/// Letters and digits that need no Shift, which would be one press more.
const PASSWORD: &str = "q7xvz4kw9jh2pm";

#[test]
fn a_password_that_is_typed_is_counted_and_found_nowhere() -> Result<()> {
    tell(|story| {
        let (employee, license) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&license)?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        story.agent.wait_for_state("tracking", SOON)?;
        let input = story.desktop.input();
        let mut keys = input.type_text(PASSWORD)?;
        // As fast as they come.
        keys += input.type_text(&"abcde".repeat(100))?;
        story.agent.call(["stop"])?.ok()?;
        let api = story.api();
        let all = (SOON, "every key at the server");
        let seen = Seen::when(&api, &employee, all, |seen| Ok(seen.input()?.keys >= keys))?;
        assert_eq!(
            seen.input()?.keys,
            keys,
            "{} keys and 500 fast ones",
            PASSWORD.len()
        );

        // Once more with nobody to send to: what is recorded lies in the spool.
        story.agent.wait_for_empty_spool(SOON)?;
        story.server.end()?;
        story.agent.call(["start"])?.ok()?;
        input.type_text(PASSWORD)?;
        story.agent.call(["stop"])?.ok()?;
        story.agent.end()?;

        let needles = needles(&story.desktop)?;
        let draft = std::fs::read_to_string(Desktop::draft(story.folder())).unwrap_or_default();
        assert!(
            draft.contains(PASSWORD),
            "it was typed, and a window took it: {draft:?}"
        );
        let mut files = 0;
        // As it lies in the spool, sealed or not.
        search(story.agent.home(), &needles, &mut files)?;
        // And opened: all of it, at the server.
        story.server.start_again()?;
        story.agent.run()?;
        story.agent.wait_for_empty_spool(SOON)?;
        story.agent.end()?;
        story.server.end()?;
        for place in [
            story.agent.home(),
            story.server.data(),
            &story.folder().join("logs"),
        ] {
            search(place, &needles, &mut files)?;
        }
        assert!(files > 5, "{files} files were looked into");
        Ok(())
    })
}

/// The password in every dress that it could be kept in.
fn needles(desktop: &Desktop) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    let wide: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let codes = key_codes(desktop)?;
    let list = |between: &str| {
        let numbers: Vec<String> = codes.iter().map(u8::to_string).collect();
        numbers.join(between).into_bytes()
    };
    Ok(BTreeMap::from([
        ("as text", PASSWORD.as_bytes().to_vec()),
        ("as wide text", wide),
        ("backwards", PASSWORD.bytes().rev().collect()),
        ("in base64", STANDARD_NO_PAD.encode(PASSWORD).into_bytes()),
        ("as key codes", codes.clone()),
        ("as a list of key codes", list(",")),
        ("as a list of key codes, spaced", list(", ")),
    ]))
}

/// What the keyboard sends for it.
fn key_codes(desktop: &Desktop) -> Result<Vec<u8>> {
    let display = desktop
        .environment()
        .iter()
        .find(|(name, _)| name == "DISPLAY");
    let display = display.and_then(|(_, value)| value.to_str());
    let (x, _) = x11rb::connect(display)?;
    let (first, last) = (x.setup().min_keycode, x.setup().max_keycode);
    let map = x.get_keyboard_mapping(first, last - first + 1)?.reply()?;
    let per_key = usize::from(map.keysyms_per_keycode);
    let code = |letter: char| {
        let keys = map.keysyms.chunks(per_key);
        let place = keys
            .enumerate()
            .find(|(_, symbols)| symbols.first() == Some(&u32::from(letter)));
        let (place, _) = place.with_context(|| format!("no key types {letter:?}"))?;
        anyhow::Ok(first + u8::try_from(place)?)
    };
    PASSWORD.chars().map(code).collect()
}

fn search(folder: &Path, needles: &BTreeMap<&str, Vec<u8>>, files: &mut usize) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            search(&path, needles, files)?;
        } else if path.is_file() {
            *files += 1;
            look(&std::fs::read(&path)?, needles).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn look(bytes: &[u8], needles: &BTreeMap<&str, Vec<u8>>) -> Result<()> {
    for (dress, needle) in needles {
        if memchr::memmem::find(bytes, needle).is_some() {
            bail!("the password is in it, {dress}");
        }
    }
    Ok(())
}

#[test]
fn the_search_finds_the_password_in_each_dress() -> Result<()> {
    tell(|story| {
        for (dress, needle) in needles(&story.desktop)? {
            let around = [b"{\"x\":\"".as_slice(), &needle, b"\"}"].concat();
            assert!(look(&around, &needles(&story.desktop)?).is_err(), "{dress}");
        }
        Ok(())
    })
}
