//! `capgrow verdict --presents STORE`: which identity a client sends to a server that asks for one.

use std::path::Path;

use keystore::Certificate;
use keystore::Entry;
use keystore::Store;
use serde_json::Value;
use serde_json::json;
use trust::Profile;
use trust::Sent;
use trust::cipher::KeyNeed;

use super::store;
use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::passwords;
use crate::print;

/// Asks every runtime; yes where each sends an identity.
pub fn run(
    args: &Args,
    these: &args::Verdict,
    file: &Path,
    runtimes: &[&'static Profile],
) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let own = store(file, &given)?;
    let servers: Vec<Store> = these
        .trust
        .iter()
        .map(|path| store(path, &given))
        .collect::<Result<_, _>>()?;
    let authorities: Vec<Certificate> = servers
        .iter()
        .flat_map(Store::entries)
        .flat_map(Entry::certificates)
        .cloned()
        .collect();
    let keys: Vec<KeyNeed> = these.takes.iter().map(|kind| need(kind)).collect();
    let request = trust::Request {
        authorities: &authorities,
        keys: &keys,
    };
    let mut rows = Vec::new();
    let mut document = serde_json::Map::new();
    let mut all = true;
    for runtime in runtimes {
        let (row, value, is_sent) = match trust::sends(&own, these.alias.as_deref(), runtime, &request) {
            Ok(sent) => said(&own, &sent),
            Err(error) => (
                ("fails".to_owned(), error.to_string()),
                json!({ "error": error.to_string() }),
                false,
            ),
        };
        all &= is_sent;
        let mut value = value;
        value["source"] = json!(runtime.answers.source);
        document.insert(runtime.name.to_owned(), value);
        rows.push(vec![runtime.name.to_owned(), row.0, row.1]);
    }
    if args.json || args.json_lines {
        print::json(&json!({ "version": 1, "sent": all, "identities": document }));
    } else {
        print::table(&rows).iter().for_each(|line| print::answer(line));
    }
    Ok(if all { Answer::Yes } else { Answer::No })
}

fn said(own: &Store, sent: &Sent) -> ((String, String), Value, bool) {
    match sent {
        Sent::Nothing { why } => (
            ("nothing".to_owned(), (*why).to_owned()),
            json!({ "entry": null, "why": why }),
            false,
        ),
        Sent::Identity { presented, why } => {
            let named = |entry: &usize| name(&own.entries()[*entry]);
            let others: Vec<String> = presented.others.iter().map(named).collect();
            let entry = named(&presented.entry);
            let value = json!({ "entry": entry, "why": why, "others": others });
            let more = if others.is_empty() {
                String::new()
            } else {
                format!("; others: {}", others.join(", "))
            };
            (
                ("sends".to_owned(), format!("{entry} ({why}{more})")),
                value,
                true,
            )
        }
    }
}

/// Alias and subject.
fn name(entry: &Entry) -> String {
    let subject = entry
        .certificates()
        .first()
        .map_or_else(String::new, |leaf| leaf.subject().to_string());
    match entry.alias() {
        Some(alias) => format!("{alias} [{subject}]"),
        None => subject,
    }
}

fn need(kind: &str) -> KeyNeed {
    match kind {
        "rsa" => KeyNeed::Rsa,
        "dsa" => KeyNeed::Dsa,
        _ => KeyNeed::Ec,
    }
}
