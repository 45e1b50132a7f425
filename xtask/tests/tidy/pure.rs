//! Pure crates take bytes, time and randomness as arguments and touch nothing (invariants 1 and 12).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::licences;
use crate::settle;
use crate::source::Source;
use crate::source::words;
use crate::tree;

#[test]
fn pure_crates_open_no_file_socket_clock_or_environment() {
    settle(shipped(&tree::PURE).iter().flat_map(world).collect());
}

#[test]
fn pure_crates_keep_order_in_what_they_hold() {
    settle(
        shipped(&tree::PURE)
            .iter()
            .flat_map(|source| named(source, &UNORDERED))
            .collect(),
    );
}

#[test]
fn clippy_refuses_the_same_in_every_pure_crate() {
    let first = tree::read("crates/keystore/clippy.toml");
    for word in [
        "std::fs::write",
        "std::env::var",
        "std::time::SystemTime::now",
        "std::collections::HashMap",
    ] {
        assert!(
            first.contains(word),
            "crates/keystore/clippy.toml does not refuse {word}"
        );
    }
    for name in tree::PURE {
        assert_eq!(
            first,
            tree::read(&format!("crates/{name}/clippy.toml")),
            "crates/{name}/clippy.toml"
        );
    }
}

#[test]
fn pure_crates_do_not_reach_the_world_through_others() {
    let lists = tree::lists(&tree::read("xtask/third-party.txt"));
    let never = &lists
        .iter()
        .find(|(name, _)| name == "never")
        .expect("the list has its last line")
        .1;
    settle(reached(licences::metadata(), &tree::PURE, never));
}

#[test]
fn serde_stays_where_formats_are_read_and_written() {
    let mut complaints = Vec::new();
    for source in shipped(&tree::PURE) {
        if !words(&source.shipped(), "serde").is_empty() && !FORMATS.contains(&source.path.as_str()) {
            complaints.push(format!(
                "{}: names serde, and is not on the list of format files",
                source.path
            ));
        }
    }
    settle(complaints);
}

#[test]
fn the_world_is_seen_where_it_is_named() {
    let text = "use std::fs;\nfn a() { SystemTime::now(); println!(); }\n// std::net\n#[cfg(test)]\nmod t { use std::env; }\n";
    let source = Source::new("crates/plan/src/x.rs", text);
    assert_eq!(world(&source).len(), 3, "{:?}", world(&source));
    let text = "use std::collections::HashMap;";
    assert_eq!(
        named(&Source::new("crates/plan/src/x.rs", text), &UNORDERED).len(),
        1
    );
    let metadata = serde_json::json!({
        "packages": [{"id": "p", "name": "plan"}, {"id": "m", "name": "middle"}, {"id": "t", "name": "tokio"}],
        "resolve": {"nodes": [
            {"id": "p", "deps": [{"pkg": "m", "dep_kinds": [{"kind": null}]}]},
            {"id": "m", "deps": [{"pkg": "t", "dep_kinds": [{"kind": null}]}]},
            {"id": "t", "deps": []}
        ]}
    });
    assert_eq!(
        reached(metadata, &["plan"], &["tokio".to_owned()]),
        ["plan: reaches tokio"]
    );
}

fn shipped(crates: &[&str]) -> Vec<Source> {
    let found: Vec<Source> = tree::rust()
        .into_iter()
        .filter(|source| {
            crates
                .iter()
                .any(|name| source.path.starts_with(&format!("crates/{name}/src/")))
        })
        .filter(|source| !source.is_test())
        .collect();
    assert!(found.len() >= crates.len(), "only {} files", found.len());
    found
}

fn world(source: &Source) -> Vec<String> {
    named(source, &WORLD)
}

fn named(source: &Source, banned: &[&str]) -> Vec<String> {
    let code = source.shipped();
    let mut complaints = Vec::new();
    for word in banned {
        for at in words(&code, word) {
            complaints.push(format!(
                "{}:{}: {word} in a pure crate",
                source.path,
                source.line(at)
            ));
        }
    }
    complaints
}

/// Which of `never` each of `crates` reaches by ordinary dependencies of any depth.
fn reached(metadata: Value, crates: &[&str], never: &[String]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let edges: BTreeMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let normal = list(&node["deps"])
                .into_iter()
                .filter(|dep| list(&dep["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()))
                .map(|dep| text(&dep["pkg"]))
                .collect();
            (text(&node["id"]), normal)
        })
        .collect();
    let mut complaints = Vec::new();
    for name in crates {
        let start = names
            .iter()
            .find(|(_, found)| found == name)
            .unwrap_or_else(|| panic!("no crate {name}"))
            .0;
        let mut seen = BTreeSet::from([start.clone()]);
        let mut open = vec![start.clone()];
        while let Some(id) = open.pop() {
            for next in edges.get(&id).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        let reached: BTreeSet<&String> = seen
            .iter()
            .map(|id| &names[id])
            .filter(|name| never.contains(name))
            .collect();
        complaints.extend(reached.into_iter().map(|bad| format!("{name}: reaches {bad}")));
    }
    complaints
}

const UNORDERED: [&str; 4] = ["HashMap", "HashSet", "RandomState", "DefaultHasher"];

const WORLD: [&str; 18] = [
    "Instant",
    "OpenOptions",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "ToSocketAddrs",
    "UdpSocket",
    "UnixListener",
    "UnixStream",
    "eprintln",
    "println",
    "std::env",
    "std::fs",
    "std::process",
    "stdin",
    "thread::sleep",
    "thread::spawn",
    "thread_rng",
];

/// The files of pure crates that hold the serialised twins of domain types.
const FORMATS: [&str; 11] = [
    "crates/exec/src/log.rs",
    "crates/fleet/src/date.rs",
    "crates/fleet/src/declare.rs",
    "crates/fleet/src/file.rs",
    "crates/fleet/src/format.rs",
    "crates/fleet/src/format/run.rs",
    "crates/fleet/src/snapshot.rs",
    "crates/plan/src/canon.rs",
    "crates/plan/src/document.rs",
    "crates/product/src/file.rs",
    "crates/product/src/product_file.rs",
];
