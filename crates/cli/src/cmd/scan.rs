//! `capgrow scan`: look, write the snapshot, say what changed and what is missing.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use anyhow::Context;
use fleet::Look;
use fleet::Snapshot;
use serde_json::Value;
use serde_json::json;

use crate::Answer;
use crate::args::Args;
use crate::args::Scan;
use crate::cmd::now;
use crate::fleet_dir::FleetDir;
use crate::print;
use crate::print::Failure;

/// Scans and prints.
pub fn run(args: &Args, these: &Scan) -> anyhow::Result<Answer> {
    let dir = FleetDir::open(args)?;
    let before = dir.latest_snapshot()?.map(|(_, snapshot)| snapshot);
    let snapshot = take(&dir, &these.paths)?;
    let digest = dir.save_snapshot(&snapshot, true)?;
    if args.json {
        print::json(&document(&snapshot, &digest));
        return Ok(Answer::Yes);
    }
    show(&snapshot, before.as_ref(), &digest);
    Ok(Answer::Yes)
}

/// Looks at the fleet.
pub fn take(dir: &FleetDir, extra: &[String]) -> anyhow::Result<Snapshot> {
    let hosts = dir.hosts();
    let extra: BTreeMap<String, Vec<String>> = dir
        .doc
        .hosts
        .keys()
        .map(|host| (host.clone(), extra.to_vec()))
        .collect();
    let mut definitions = BTreeMap::new();
    for (id, component) in &dir.doc.components {
        if let Some(path) = &component.definitions {
            let file = dir.path.join(path);
            let text = std::fs::read(&file)
                .with_context(|| format!("components.{id}.definitions: cannot read {}", file.display()))?;
            let host = component.host.clone().unwrap_or_default();
            definitions.insert(host, String::from_utf8_lossy(&text).into_owned());
        }
    }
    let look = Look {
        doc: &dir.doc,
        hosts: &hosts,
        secrets: &dir.vault,
        extra: &extra,
        definitions: &definitions,
        now: now(),
    };
    fleet::scan(&look).map_err(|errors| {
        let mut all = errors.iter().map(ToString::to_string);
        let first = all.next().unwrap_or_default();
        Failure {
            what: format!("capgrow.toml: {first}"),
            hints: all.collect(),
            source: None,
        }
        .into()
    })
}

/// The document of `scan --json`.
pub fn document(snapshot: &Snapshot, digest: &str) -> Value {
    let mut holders: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for used in &snapshot.uses {
        holders
            .entry((&used.host, &used.path))
            .or_default()
            .push(&used.component);
    }
    let stores: Vec<Value> = snapshot
        .stores
        .iter()
        .map(|store| {
            let readers = holders
                .get(&(store.host.as_str(), store.path.as_str()))
                .cloned()
                .unwrap_or_default();
            json!({
                "host": store.host, "path": store.path, "format": store.format, "sha256": store.sha256,
                "holds": holds(snapshot, store), "component": readers.first(), "components": readers,
                "entries": store.entries.len(), "problem": store.problem,
            })
        })
        .collect();
    let components: Vec<Value> = snapshot
        .components
        .iter()
        .map(|(id, value)| json!({ "id": id, "host": value["host"], "product": value["product"], "role": value["role"], "runtime": value["runtime"] }))
        .collect();
    json!({
        "version": 1,
        "snapshot": digest,
        "taken_at": print::utc_time(snapshot.taken_at),
        "partial": snapshot.partial,
        "hosts": snapshot.hosts,
        "components": components,
        "stores": stores,
        "links": snapshot.links,
        "questions": snapshot.questions,
        "findings": snapshot.findings,
    })
}

fn holds(snapshot: &Snapshot, store: &fleet::snapshot::StoreFacts) -> Vec<&'static str> {
    let mut holds = BTreeSet::new();
    for used in snapshot
        .uses
        .iter()
        .filter(|used| used.host == store.host && used.path == store.path)
    {
        let component = snapshot.component(&used.component).ok();
        for word in component.iter().filter_map(|component| component.store(&used.id)) {
            if word.holds_identity() {
                holds.insert("identity");
            }
            if word.holds_trust() {
                holds.insert("trust");
            }
        }
    }
    holds.into_iter().collect()
}

/// `JKS 11, CMS 5, …` over the stores that components read.
pub fn formats(snapshot: &Snapshot) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let read: BTreeSet<(&str, &str)> = snapshot
        .uses
        .iter()
        .map(|used| (used.host.as_str(), used.path.as_str()))
        .collect();
    for store in snapshot
        .stores
        .iter()
        .filter(|store| read.contains(&(store.host.as_str(), store.path.as_str())))
    {
        *counts.entry(&store.format).or_default() += 1;
    }
    counts
        .iter()
        .map(|(format, count)| format!("{} {count}", format.to_ascii_uppercase()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many trust edges the links make.
pub fn edges(snapshot: &Snapshot) -> usize {
    snapshot
        .links
        .iter()
        .map(|link| if link.mutual { 2 } else { 1 })
        .sum()
}

fn show(snapshot: &Snapshot, before: Option<&Snapshot>, digest: &str) {
    let read: BTreeSet<(&str, &str)> = snapshot
        .uses
        .iter()
        .map(|used| (used.host.as_str(), used.path.as_str()))
        .collect();
    print::answer(&format!(
        "{} components, {} stores ({}), {} links, {} trust edges",
        snapshot.components.len(),
        read.len(),
        formats(snapshot),
        snapshot.links.len(),
        edges(snapshot)
    ));
    let mut rows = Vec::new();
    for used in &snapshot.uses {
        let presented = used
            .presented
            .first()
            .and_then(|leaf| snapshot.certificate(leaf))
            .map(|leaf| leaf.subject().to_string())
            .unwrap_or_default();
        rows.push(vec![
            used.component.clone(),
            format!("{}:{}", used.host, used.path),
            presented,
            format!("{} anchors", used.anchors.len()),
        ]);
    }
    for row in print::table(&rows) {
        print::answer(&format!("  {row}"));
    }
    let others = snapshot.stores.len().saturating_sub(read.len());
    if others > 0 {
        print::answer(&format!(
            "{others} more stores that no component names (--json lists them)"
        ));
    }
    for finding in &snapshot.findings {
        print::answer(&format!(
            "{}: {}: {}",
            finding.severity, finding.target, finding.text
        ));
        if let Some(fix) = &finding.fix {
            print::answer(&format!("  fix: {fix}"));
        }
    }
    for question in &snapshot.questions {
        print::answer(&format!("question: {}: {}", question.about, question.text));
        if let Some(proposal) = &question.proposal {
            print::answer(&format!("  in capgrow.toml: {proposal}"));
        }
    }
    changed(snapshot, before);
    print::answer(&format!("snapshot {}; next: capgrow plan", &digest[..12]));
}

fn changed(snapshot: &Snapshot, before: Option<&Snapshot>) {
    let Some(before) = before else { return };
    let table = |snapshot: &Snapshot| -> BTreeMap<String, String> {
        snapshot
            .stores
            .iter()
            .map(|store| (format!("{}:{}", store.host, store.path), store.sha256.clone()))
            .collect()
    };
    let (old, new) = (table(before), table(snapshot));
    for (name, sha256) in &new {
        match old.get(name) {
            None => print::answer(&format!("new since the last scan: {name}")),
            Some(known) if known != sha256 => print::answer(&format!("changed since the last scan: {name}")),
            _ => {}
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        print::answer(&format!("gone since the last scan: {name}"));
    }
}
