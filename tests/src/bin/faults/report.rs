//! What came of the cases: a table for people, JSON for scripts.

use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Tally, Totals};

/// How a case ended.
pub(crate) enum End {
    /// It was done to its end.
    Done(Tally),
    /// It could not be done here, and why.
    Skipped(String),
    /// It broke off, and why; what was counted until then.
    Failed(Tally, String),
}

/// A case with its end.
pub(crate) struct Line {
    pub(crate) case: &'static Case,
    pub(crate) end: End,
    pub(crate) took: Duration,
}

impl Line {
    /// Whether it shows nothing that is wrong. A skipped one shows nothing.
    pub(crate) fn is_well(&self) -> bool {
        match &self.end {
            End::Done(tally) => {
                tally.lost == 0
                    && tally.duplicated == 0
                    && tally.broken.is_empty()
                    && tally.tries > 0
            }
            End::Skipped(_) => true,
            End::Failed(..) => false,
        }
    }

    /// What is wrong, a line each.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut reasons = self.tally().map_or_else(Vec::new, |t| t.broken.clone());
        if let End::Failed(_, why) = &self.end {
            reasons.push(why.clone());
        }
        reasons
    }

    fn tally(&self) -> Option<&Tally> {
        match &self.end {
            End::Done(tally) | End::Failed(tally, _) => Some(tally),
            End::Skipped(_) => None,
        }
    }

    fn verdict(&self) -> &'static str {
        match &self.end {
            End::Skipped(_) => "SKIPPED",
            End::Failed(..) => "FAILED",
            End::Done(_) if self.is_well() => "ok",
            End::Done(_) => "BROKEN",
        }
    }
}

/// Prints the table, what each case has to tell, and the totals.
pub(crate) fn print(lines: &[Line], seed: u64) {
    println!(
        "{:>3} {:<34} {:>7} {:>8} {:>6} {:>6} {:>14}  result",
        "", "case", "tries", "records", "lost", "twice", "recovered in"
    );
    for line in lines {
        let (number, name) = (line.case.number, line.case.name);
        let Some(tally) = line.tally() else {
            println!(
                "{number:>3} {name:<34} {:>7} {:>8} {:>6} {:>6} {:>14}  SKIPPED",
                "-", "-", "-", "-", "-"
            );
            continue;
        };
        println!(
            "{number:>3} {name:<34} {:>7} {:>8} {:>6} {:>6} {:>14}  {}",
            tally.tries,
            tally.records,
            tally.lost,
            tally.duplicated,
            recovered(tally),
            line.verdict()
        );
    }
    println!();
    for line in lines {
        let name = line.case.name;
        match &line.end {
            End::Skipped(why) => println!("!! {name} was SKIPPED: {why}"),
            End::Failed(_, why) => println!("!! {name} broke off: {why}"),
            End::Done(_) => {}
        }
        if let Some(tally) = line.tally() {
            for broken in &tally.broken {
                println!("!! {name}: {broken}");
            }
            for note in &tally.notes {
                println!("   {name}: {note}");
            }
        }
    }
    let totals = totals(lines);
    println!(
        "\nTogether: {} agent kills, {} server kills, {} power cuts under the agent, {} under the server, \
         {} replies cut. Seed {seed}.",
        totals.agent_kills,
        totals.server_kills,
        totals.agent_power_cuts,
        totals.server_power_cuts,
        totals.replies_cut
    );
}

/// The same for scripts.
pub(crate) fn json(lines: &[Line], seed: u64) -> Value {
    let cases: Vec<Value> = lines
        .iter()
        .map(|line| {
            let none = Tally::default();
            let tally = line.tally().unwrap_or(&none);
            let (skipped, failed) = match &line.end {
                End::Done(_) => (None, None),
                End::Skipped(why) => (Some(why), None),
                End::Failed(_, why) => (None, Some(why)),
            };
            json!({
                "number": line.case.number,
                "name": line.case.name,
                "tries": tally.tries,
                "records": tally.records,
                "lost": tally.lost,
                "duplicated": tally.duplicated,
                "recovered_in_ms": longest(tally).map(as_ms),
                "skipped": skipped.is_some(),
                "skipped_because": skipped,
                "failed_because": failed,
                "broken": tally.broken,
                "notes": tally.notes,
                "result": line.verdict(),
                "took_ms": as_ms(line.took),
            })
        })
        .collect();
    let totals = totals(lines);
    json!({
        "seed": seed,
        "cases": cases,
        "totals": {
            "agent_kills": totals.agent_kills,
            "server_kills": totals.server_kills,
            "agent_power_cuts": totals.agent_power_cuts,
            "server_power_cuts": totals.server_power_cuts,
            "replies_cut": totals.replies_cut,
            "lost": lines.iter().filter_map(Line::tally).map(|t| t.lost).sum::<u64>(),
            "duplicated": lines.iter().filter_map(Line::tally).map(|t| t.duplicated).sum::<u64>(),
        },
    })
}

fn totals(lines: &[Line]) -> Totals {
    let mut sum = Totals::default();
    for tally in lines.iter().filter_map(Line::tally) {
        sum.agent_kills += tally.totals.agent_kills;
        sum.server_kills += tally.totals.server_kills;
        sum.agent_power_cuts += tally.totals.agent_power_cuts;
        sum.server_power_cuts += tally.totals.server_power_cuts;
        sum.replies_cut += tally.totals.replies_cut;
    }
    sum
}

fn longest(tally: &Tally) -> Option<Duration> {
    tally.recovered.iter().max().copied()
}

fn as_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The middle one and the longest.
fn recovered(tally: &Tally) -> String {
    let mut times = tally.recovered.clone();
    times.sort();
    match (times.get(times.len() / 2), times.last()) {
        (Some(middle), Some(longest)) if times.len() > 1 => {
            format!(
                "{:.1} / {:.1} s",
                middle.as_secs_f64(),
                longest.as_secs_f64()
            )
        }
        (Some(only), _) => format!("{:.1} s", only.as_secs_f64()),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static CASE: Case = Case {
        number: 99,
        name: "made-up",
        says: "nothing",
        needs: &[],
        tries: (1, 1),
        run: |_| Ok(()),
    };

    fn line(end: End) -> Line {
        Line {
            case: &CASE,
            end,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_case_is_well_only_where_something_was_tried_and_nothing_is_wrong() {
        let tried = Tally {
            tries: 1,
            ..Tally::default()
        };
        assert!(line(End::Done(tried.clone())).is_well());
        assert!(!line(End::Done(Tally::default())).is_well());
        for wrong in [
            Tally {
                lost: 1,
                ..tried.clone()
            },
            Tally {
                duplicated: 1,
                ..tried.clone()
            },
            Tally {
                broken: vec!["it spins".into()],
                ..tried.clone()
            },
        ] {
            assert!(!line(End::Done(wrong)).is_well());
        }
        assert!(!line(End::Failed(tried, "why".into())).is_well());
    }

    #[test]
    fn a_skipped_case_says_so_to_scripts() {
        let said = json(&[line(End::Skipped("it needs root".into()))], 7);
        assert_eq!(said["cases"][0]["skipped"], true);
        assert_eq!(said["cases"][0]["skipped_because"], "it needs root");
        assert_eq!(said["cases"][0]["tries"], 0);
        assert_eq!(said["seed"], 7);
    }
}
