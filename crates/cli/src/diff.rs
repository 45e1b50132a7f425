//! Every file and setting of a step as a diff, for the dry run. No secrets.

use fleet::Snapshot;
use fleet::format::EditDoc;
use fleet::format::ProcedureDoc;
use fleet::format::SetEditDoc;
use fleet::format::ShownDoc;
use fleet::format::StoreEditDoc;
use fleet::format::WriteDoc;
use plan::Step;
use product::HostFiles;

use crate::fleet_dir::FleetDir;

/// Lines for one step: file, reason, then `-` and `+`.
pub fn lines(dir: &FleetDir, snapshot: &Snapshot, step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    for value in &step.writes {
        let Ok(write) = serde_json::from_value::<WriteDoc>(value.clone()) else {
            continue;
        };
        lines.push(format!(
            "{}:{}  ({}: {})",
            write.host, write.path, write.event, write.why
        ));
        match &write.edit {
            EditDoc::Remove => lines.push("- the file".to_owned()),
            EditDoc::Run(procedure) => commands(procedure, &mut lines),
            EditDoc::Settings { syntax, sets } => settings(dir, &write, syntax, sets, &mut lines),
            EditDoc::Store { edits, .. } => lines.extend(edits.iter().map(|edit| entry(snapshot, edit))),
            EditDoc::Write { content, .. } => lines.push(format!("+ {}", content_words(snapshot, content))),
        }
    }
    lines
}

/// Every command in full; of the file that one reads, the lines that differ from what is there.
fn commands(procedure: &ProcedureDoc, lines: &mut Vec<String>) {
    for (word, list) in [("run", &procedure.lines), ("undo", &procedure.undo)] {
        for line in list {
            lines.push(format!("{word} {}", line.argv.join(" ")));
            let Some(new) = &line.file else { continue };
            let old = match line.state.as_ref().map(|state| &state.before) {
                Some(ShownDoc::Definitions { text } | ShownDoc::Security { text }) => text.as_str(),
                _ => "",
            };
            let only = |text: &str, other: &str, sign: &str| -> Vec<String> {
                let missing = |line: &&str| !other.lines().any(|known| known == *line);
                text.lines()
                    .filter(missing)
                    .map(|line| format!("{sign} {line}"))
                    .collect()
            };
            if word == "run" {
                lines.extend(only(old, new, "-"));
                lines.extend(only(new, old, "+"));
            }
        }
    }
}

fn settings(
    dir: &FleetDir,
    write: &WriteDoc,
    syntax: &str,
    sets: &[fleet::format::SetDoc],
    lines: &mut Vec<String>,
) {
    let bytes = dir
        .vault
        .trees()
        .get(&write.host)
        .and_then(|tree| tree.read(&write.path).ok())
        .unwrap_or_default();
    for set in sets {
        let now = fleet::declare::syntax(syntax)
            .and_then(|syntax| product::edit::value(syntax, &bytes, &set.key).ok().flatten());
        if let Some(now) = &now {
            lines.push(format!("- {} = {now}", set.key));
        }
        let new = match &set.edit {
            SetEditDoc::CommentOut => "(a comment from now on)".to_owned(),
            SetEditDoc::Set { value, .. } => value.clone(),
            SetEditDoc::AddItem { item, separator } => {
                now.map_or(item.clone(), |now| format!("{now}{separator}{item}"))
            }
            SetEditDoc::RemoveItem { item, .. } => format!("(without {item})"),
        };
        lines.push(format!("+ {} = {new}", set.key));
    }
}

fn entry(snapshot: &Snapshot, edit: &StoreEditDoc) -> String {
    let alias = |alias: &Option<String>| {
        alias
            .as_ref()
            .map(|alias| format!(" as `{alias}`"))
            .unwrap_or_default()
    };
    match edit {
        StoreEditDoc::AddIdentity {
            alias: name, chain, ..
        } => format!("+ private key{} {}", alias(name), first(snapshot, chain)),
        StoreEditDoc::RemoveIdentity { sha256 } => format!("- private key {}", certificate(snapshot, sha256)),
        StoreEditDoc::ReplaceIdentity {
            old,
            alias: name,
            chain,
            ..
        } => {
            format!(
                "~ private key {} -> {}{}",
                certificate(snapshot, old),
                first(snapshot, chain),
                alias(name)
            )
        }
        StoreEditDoc::SetDefault { sha256 } => format!("~ default {}", certificate(snapshot, sha256)),
        StoreEditDoc::Trust {
            alias: name,
            certificate: sha256,
            ..
        } => format!("+ trusted {}{}", certificate(snapshot, sha256), alias(name)),
        StoreEditDoc::Untrust { sha256 } => format!("- trusted {}", certificate(snapshot, sha256)),
    }
}

fn first(snapshot: &Snapshot, chain: &[String]) -> String {
    chain
        .first()
        .map(|leaf| certificate(snapshot, leaf))
        .unwrap_or_default()
}

fn certificate(snapshot: &Snapshot, sha256: &str) -> String {
    let subject = snapshot
        .certificate(sha256)
        .map(|certificate| certificate.subject().to_string())
        .unwrap_or_default();
    format!("{subject} ({})", sha256.get(..16).unwrap_or(sha256))
}

fn content_words(snapshot: &Snapshot, content: &fleet::format::ContentDoc) -> String {
    use fleet::format::ContentDoc;
    match content {
        ContentDoc::Certificates { chain } => {
            let names: Vec<String> = chain.iter().map(|sha256| certificate(snapshot, sha256)).collect();
            format!("certificates: {}", names.join(", "))
        }
        ContentDoc::CopyOf { path } => format!("a copy of {path}"),
        ContentDoc::Der { certificate: sha256 } => certificate(snapshot, sha256),
        ContentDoc::KeyAndChain { chain, .. } => format!("private key and chain {}", first(snapshot, chain)),
        ContentDoc::PasswordFile { .. } => "a password file".to_owned(),
        ContentDoc::PrivateKey { .. } => "a private key".to_owned(),
        ContentDoc::Random { length } => format!("{length} random bytes"),
        ContentDoc::Text { text } => format!("text of {} bytes", text.len()),
    }
}
