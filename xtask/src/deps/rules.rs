//! The directions themselves: a table, and the words for who breaks it.

use super::graph::Graph;

/// Who may name which of our own crates as a dependency.
///
/// license-format uses protocol (ADR 0001: ids, kinds and signatures are defined once).
const ALLOWED: [(&str, &[&str]); 9] = [
    ("glasshour-protocol", &[]),
    ("glasshour-license-format", &["glasshour-protocol"]),
    // What is said of a license, in several languages (ADR 0009): a reader of licenses links none of it.
    (
        "glasshour-words",
        &["glasshour-license-format", "glasshour-assets"],
    ),
    (
        "glasshour-uploader",
        &["glasshour-protocol", "glasshour-license-format"],
    ),
    (
        "glasshour-agent",
        &[
            "glasshour-uploader",
            "glasshour-protocol",
            "glasshour-license-format",
            "glasshour-words",
            "glasshour-assets",
        ],
    ),
    (
        "glasshour-server",
        &[
            "glasshour-protocol",
            "glasshour-license-format",
            "glasshour-words",
            "glasshour-assets",
        ],
    ),
    ("glasshour-assets", &[]),
    // The stories drive the real binaries from outside and link only what both sides share; the pusher of
    // `./dev faults` is a real program over the agent's spool and sender.
    (
        "glasshour-tests",
        &[
            "glasshour-protocol",
            "glasshour-license-format",
            "glasshour-uploader",
        ],
    ),
    ("xtask", &[]),
];

/// Crates of pure values: no I/O, no async, no database may be linked into them.
const PURE: [&str; 3] = [
    "glasshour-protocol",
    "glasshour-license-format",
    "glasshour-words",
];

/// What makes a crate impure.
const IMPURE: [&str; 8] = [
    "reqwest",
    "hyper",
    "tokio",
    "rusqlite",
    "sqlx",
    "sqlx-core",
    "ureq",
    "axum",
];

/// Every violation, in words that say what to do.
pub(crate) fn check(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for member in graph.members() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == member) else {
            violations.push(format!(
                "{member} has no place in the house yet: add it to ARCHITECTURE.md and to the \
                 table in xtask/src/deps/rules.rs"
            ));
            continue;
        };
        for used in graph.own_dependencies(member) {
            if !allowed.contains(&used) {
                let may = if allowed.is_empty() {
                    "nothing of ours".into()
                } else {
                    allowed.join(", ")
                };
                violations.push(format!(
                    "{member} -> {used} is the wrong way: {member} may use {may}. \
                     What both need belongs into a crate that both may use"
                ));
            }
        }
    }
    for pure in PURE {
        for (name, path) in graph.reachable(pure) {
            if IMPURE.contains(&name) {
                violations.push(format!("{pure} does no I/O, but it links {name}: {path}"));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::graph;
    use super::*;

    const SERVER: &str = "glasshour-server";
    const UPLOADER: &str = "glasshour-uploader";
    const PROTOCOL: &str = "glasshour-protocol";
    const LICENSE: &str = "glasshour-license-format";

    #[test]
    fn the_house_as_drawn_is_accepted() {
        let graph = graph(
            &[PROTOCOL, LICENSE, UPLOADER, SERVER],
            &[
                (LICENSE, PROTOCOL, None),
                (UPLOADER, LICENSE, None),
                (UPLOADER, "reqwest", None),
                (SERVER, LICENSE, None),
                (SERVER, UPLOADER, Some("dev")),
            ],
        );
        assert_eq!(check(&graph), Vec::<String>::new());
    }

    #[test]
    fn a_server_that_uses_the_uploader_is_found() {
        let graph = graph(&[SERVER, UPLOADER], &[(SERVER, UPLOADER, None)]);
        let found = check(&graph);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("glasshour-server -> glasshour-uploader is the wrong way"));
    }

    #[test]
    fn io_that_reaches_a_pure_crate_through_others_is_found_with_its_path() {
        let graph = graph(
            &[PROTOCOL],
            &[(PROTOCOL, "handy", None), ("handy", "tokio", Some("build"))],
        );
        assert_eq!(
            check(&graph),
            ["glasshour-protocol does no I/O, but it links tokio: \
              glasshour-protocol -> handy -> tokio"]
        );
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_found() {
        let found = check(&graph(&["common"], &[]));
        assert!(
            found[0].contains("common has no place in the house yet"),
            "{found:?}"
        );
    }
}
