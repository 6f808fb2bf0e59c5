//! What a newer license changes, said to the person it is about.

use glasshour_license_format::changes::{Effect, changes};
use glasshour_license_format::{Claims, Monitors};
use jiff::Timestamp;

use crate::catalogue::Words;
use crate::message::{Key, Message, Said};

/// What `new` changes, as lines: more, less, and the rest, each under its heading. None where nothing
/// that counts differs. `old` is what holds.
pub fn lines(words: Words, old: &Claims, new: &Claims) -> Vec<String> {
    let changes = changes(old, new);
    let mut lines = Vec::new();
    for (effect, heading) in [
        (Effect::Wider, Message::ChangesWider {}),
        (Effect::Narrower, Message::ChangesNarrower {}),
        (Effect::Neutral, Message::ChangesNeutral {}),
    ] {
        let mut of_it = changes
            .iter()
            .filter(|change| change.effect == effect)
            .peekable();
        if of_it.peek().is_some() {
            lines.push(words.say(heading));
        }
        lines.extend(of_it.map(|change| {
            let name = words.part(field(&change.field.replace('.', "-")));
            let [was, is] = [old, new].map(|claims| value(words, change.field, claims));
            let line = match (was, is) {
                (Some(was), Some(is)) => words.say(Message::ChangeFromTo { name, was, is }),
                _ => name.as_str().to_owned(),
            };
            format!("  - {line}")
        }));
    }
    if !lines.is_empty() {
        lines.insert(0, words.say(Message::ChangesTitle {}));
    }
    lines
}

/// What a member is called; `path` with hyphens, as a dot cannot stand in the name of a variant.
fn field(path: &str) -> Message<'_> {
    Message::Change { field: Key(path) }
}

/// What a license says of it, in short. `None`: it takes sentences of its own, which the notice has.
fn value(words: Words, path: &str, claims: &Claims) -> Option<Said> {
    let profile = &claims.profile;
    let yes_no = |is: bool| {
        words.part(if is {
            Message::ValueYes {}
        } else {
            Message::ValueNo {}
        })
    };
    let of = path.replace('.', "-");
    let none = || words.part(Message::ValueNone { of: Key(&of) });
    let text = |text: &str| words.names(&[text]);
    let moment = |at: Option<Timestamp>| at.map_or_else(none, |at| words.moment(at));
    let shots = profile.screenshots.as_ref();
    let activity = profile.activity.clone().unwrap_or_default();
    Some(match path {
        "work_mode" => words.part(Message::ValueMode {
            mode: Key(claims.work_mode.as_str()),
        }),
        "issuer.server_url" => text(&claims.issuer.server_url),
        "issuer.company" => text(&claims.issuer.company),
        "issuer.privacy_contact" => match &claims.issuer.privacy_contact {
            Some(contact) => text(contact),
            None => none(),
        },
        "employee.name" => text(&claims.employee.name),
        "not_before" => moment(claims.not_before),
        "expires_at" => moment(claims.expires_at),
        "profile.name" => text(&profile.name),
        "profile.screenshots" => yes_no(shots.is_some()),
        "profile.screenshots.per_hour" => words.rate(shots?.per_hour),
        "profile.screenshots.monitors" => words.part(Message::ValueMonitors {
            monitors: Key(match shots?.monitors {
                Monitors::All => "all",
                Monitors::Active => "active",
            }),
        }),
        "profile.screenshots.blur" => words.part(Message::ValueBlur {
            blur: Key(shots?.blur.as_str()),
        }),
        "profile.screenshots.max_width_px" => match shots?.max_width_px {
            Some(pixels) => words.part(Message::ValuePixels { pixels }),
            None => words.part(Message::ValueFullSize {}),
        },
        // Said of the opposite: whether it is stored also then.
        "profile.screenshots.skip_unchanged" => yes_no(!shots?.skip_unchanged),
        "profile.camera" => yes_no(profile.camera.is_some()),
        "profile.camera.per_hour" => words.rate(profile.camera.as_ref()?.per_hour),
        "profile.activity" => yes_no(profile.activity.is_some()),
        "profile.activity.input_counts" => yes_no(activity.input_counts),
        "profile.activity.applications" => yes_no(activity.applications),
        "profile.activity.window_titles" => yes_no(activity.window_titles),
        "profile.idle_after_s" => words.duration(profile.idle_after_s),
        "profile.schedule" => match &profile.schedule {
            Some(schedule) => words.hours_in_short(schedule),
            None => words.part(Message::ValueAnyTime {}),
        },
        "profile.exclude" => {
            let exclude = &profile.exclude;
            let applications = exclude.applications.iter().map(String::as_str);
            let all = applications.chain(exclude.title_contains.iter().map(String::as_str));
            match all.collect::<Vec<_>>().as_slice() {
                [] => none(),
                some => words.names(some),
            }
        }
        "profile.review_hold_s" => match profile.review_hold_s {
            0 => none(),
            seconds => words.duration(seconds),
        },
        "profile.employee_may_delete" => yes_no(profile.employee_may_delete),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use glasshour_license_format::changes::FIELDS;
    use serde_json::{Value, json};

    use super::*;
    use crate::language::Language;

    #[test]
    fn every_field_that_is_compared_has_words_of_its_own_in_every_language() {
        for words in Language::ALL.map(Words::new) {
            let name = |path: &str| words.say(field(&path.replace('.', "-")));
            let said: BTreeSet<_> = FIELDS.iter().map(|path| name(path)).collect();
            assert_eq!(said.len(), FIELDS.len(), "{said:?}");
            assert!(!said.contains(&name("no such field")), "{said:?}");
        }
    }

    #[test]
    fn more_comes_first_then_less_then_the_rest() {
        let text = include_str!("../../license-format/fixtures/v1/claims.json");
        let old: Value = serde_json::from_str(text).unwrap();
        let mut new = old.clone();
        new["profile"]["name"] = json!("Other");
        new["profile"]["screenshots"]["blur"] = json!("light");
        new["profile"]["screenshots"]["per_hour"] = json!(60);
        new["profile"]["idle_after_s"] = json!(60);
        new["profile"]["review_hold_s"] = json!(60);
        new["profile"]["exclude"] = json!({"applications": ["Signal"]});
        let claims = |value: &Value| serde_json::from_value::<Claims>(value.clone()).unwrap();
        let (old, new) = (claims(&old), claims(&new));
        assert_eq!(
            lines(Words::ENGLISH, &old, &new),
            [
                "What is different from what holds now",
                "Takes more from you, or protects you less:",
                "  - pictures of your screen: how often: 6 times an hour → once a minute",
                "  - after how long without input your time is set apart as idle: 5 minutes → 1 minute",
                "  - the windows that are left out: KeePassXC and Private Browsing → Signal",
                "Takes less from you, or protects you more:",
                "  - pictures of your screen: how blurred: not at all → lightly",
                "  - how long pictures and minutes of activity stay on your computer first: none → 1 minute",
                "Otherwise different:",
                "  - the profile’s name: Standard → Other",
            ]
        );
        assert!(lines(Words::ENGLISH, &old, &old).is_empty());

        // What is none is none of something, in its gender.
        let mut without = old.clone();
        without.profile.exclude = glasshour_license_format::Exclude::default();
        without.issuer.privacy_contact = None;
        without.expires_at = Some("2027-01-01T00:00:00Z".parse().unwrap());
        let french = lines(Words::new(Language::French), &old, &without).join("\n");
        for said in [
            "les fenêtres laissées de côté\u{a0}: KeePassXC et Private Browsing → aucune",
            "à qui vous adresser au sujet de vos données\u{a0}: dpo@acme.example → personne",
            "jusqu’à quand la licence est valable\u{a0}: sans limite → 1er janvier 2027",
        ] {
            assert!(french.contains(said), "{said}: {french}");
        }
    }
}
