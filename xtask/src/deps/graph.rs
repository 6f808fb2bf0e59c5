//! The dependency graph as `cargo metadata` tells it, less the dev-dependencies.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Packages by id, what each is called, and what each is built from.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, BTreeSet<String>>,
    members: BTreeSet<String>,
}

impl Graph {
    /// Reads the answer of `cargo metadata --format-version 1`.
    pub(crate) fn from_metadata(metadata: &Value) -> Result<Self> {
        let mut graph = Self::default();
        for package in list(metadata, "packages")? {
            graph.names.insert(
                text(package, "id")?.to_owned(),
                text(package, "name")?.to_owned(),
            );
        }
        for id in list(metadata, "workspace_members")? {
            graph
                .members
                .insert(id.as_str().context("a member id is not text")?.to_owned());
        }
        let resolve = metadata.get("resolve").context("no member `resolve`")?;
        for node in list(resolve, "nodes")? {
            let uses = graph.edges.entry(text(node, "id")?.to_owned()).or_default();
            for dependency in list(node, "deps")? {
                // `kind` is null for a normal dependency, else "build" or "dev".
                let counts = list(dependency, "dep_kinds")?
                    .iter()
                    .any(|kind| kind.get("kind").and_then(Value::as_str) != Some("dev"));
                if counts {
                    uses.insert(text(dependency, "pkg")?.to_owned());
                }
            }
        }
        Ok(graph)
    }

    /// The workspace's own crates, by name.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        self.members
            .iter()
            .filter_map(|id| self.names.get(id))
            .map(String::as_str)
    }

    /// The workspace's own crates that a crate names as dependencies.
    pub(crate) fn own_dependencies(&self, name: &str) -> BTreeSet<&str> {
        self.members
            .iter()
            .filter(|id| self.names.get(*id).is_some_and(|known| known == name))
            .filter_map(|id| self.edges.get(id))
            .flatten()
            .filter(|id| self.members.contains(*id))
            .filter_map(|id| self.names.get(id))
            .map(String::as_str)
            .collect()
    }

    /// Everything that gets linked into a crate, each with the path that leads to it.
    pub(crate) fn reachable(&self, name: &str) -> BTreeMap<&str, String> {
        let mut found = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut open: Vec<(&String, String)> = self
            .members
            .iter()
            .filter(|id| self.names.get(*id).is_some_and(|known| known == name))
            .map(|id| (id, name.to_owned()))
            .collect();
        while let Some((id, path)) = open.pop() {
            for next in self.edges.get(id).into_iter().flatten() {
                let Some(next_name) = self.names.get(next) else {
                    continue;
                };
                if seen.insert(next) {
                    let path = format!("{path} -> {next_name}");
                    found.insert(next_name.as_str(), path.clone());
                    open.push((next, path));
                }
            }
        }
        found
    }
}

fn list<'a>(value: &'a Value, member: &str) -> Result<&'a Vec<Value>> {
    value
        .get(member)
        .and_then(Value::as_array)
        .with_context(|| format!("no list `{member}`"))
}

fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str> {
    value
        .get(member)
        .and_then(Value::as_str)
        .with_context(|| format!("no text `{member}`"))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// Makes a graph of members and outside crates from `(from, to, kind)` edges.
    pub(crate) fn graph(members: &[&str], edges: &[(&str, &str, Option<&str>)]) -> Graph {
        let mut names: BTreeSet<&str> = members.iter().copied().collect();
        names.extend(edges.iter().flat_map(|(from, to, _)| [*from, *to]));
        let nodes: Vec<Value> = names
            .iter()
            .map(|name| {
                let deps: Vec<Value> = edges
                    .iter()
                    .filter(|(from, ..)| from == name)
                    .map(|(_, to, kind)| json!({"pkg": to, "dep_kinds": [{"kind": kind}]}))
                    .collect();
                json!({"id": name, "deps": deps})
            })
            .collect();
        let packages: Vec<Value> = names
            .iter()
            .map(|name| json!({"id": name, "name": name}))
            .collect();
        Graph::from_metadata(&json!({
            "packages": packages, "workspace_members": members, "resolve": {"nodes": nodes},
        }))
        .unwrap()
    }

    #[test]
    fn a_dependency_is_found_through_any_number_of_steps() {
        let graph = graph(
            &["a"],
            &[
                ("a", "b", None),
                ("b", "c", Some("build")),
                ("c", "a", None),
            ],
        );
        assert_eq!(graph.reachable("a").get("c").unwrap(), "a -> b -> c");
    }

    #[test]
    fn a_dev_dependency_does_not_count() {
        let graph = graph(&["a", "b"], &[("a", "b", Some("dev"))]);
        assert!(graph.own_dependencies("a").is_empty());
        assert!(graph.reachable("a").is_empty());
    }

    #[test]
    fn metadata_of_another_shape_is_an_error_and_not_an_empty_graph() {
        assert!(Graph::from_metadata(&json!({"packages": []})).is_err());
    }
}
