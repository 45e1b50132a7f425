//! `capgrow verdict`: who would accept this chain, by which path, and what the others would print.

mod lists;
mod negotiate;
mod presents;
mod vectors;

use std::path::Path;

use anyhow::Context;
use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Limits;
use keystore::Store;
use serde_json::Value;
use serde_json::json;
use trust::Profile;
use trust::Purpose;
use trust::Question;
use trust::Verdict;
use trust::profile::Evidence;

use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::now;
use crate::passwords;
use crate::passwords::Given;
use crate::print;
use crate::print::failure;

/// Asks every runtime and prints its answer; yes where all accept for certain.
pub fn run(args: &Args, these: &args::Verdict) -> anyhow::Result<Answer> {
    if let [client, server] = these.negotiate.as_slice() {
        return negotiate::run(args, client, server);
    }
    let runtimes = runtimes(these)?;
    if let Some(file) = &these.vectors {
        return vectors::run(file, &runtimes);
    }
    if let Some(file) = &these.presents {
        return presents::run(args, these, file, &runtimes);
    }
    let chain_file = these.chain.as_deref().context("--chain FILE is missing")?;
    let given = passwords::given(&these.passwords)?;
    let chain = chain(chain_file, &given)?;
    let stores: Vec<Store> = these
        .trust
        .iter()
        .map(|path| store(path, &given))
        .collect::<Result<_, _>>()?;
    let at_unix = these.at.as_deref().map_or(Ok(now()), moment)?;
    let purpose = if these.purpose == "client" {
        Purpose::Client
    } else {
        Purpose::Server
    };
    let list_bytes = lists::read(&these.crl)?;
    let lists = lists::parse(&list_bytes)?;
    let signatures = trust::Computed::new();
    let mut answers = Vec::new();
    for runtime in &runtimes {
        let anchors: Vec<Certificate> = stores
            .iter()
            .flat_map(|store| trust::anchors(store, runtime))
            .collect();
        let question = Question {
            chain: &chain,
            anchors: &anchors,
            intermediates_known: &[],
            purpose,
            name: these.name.as_deref(),
            at_unix,
        };
        let verdict = trust::verdict_with_lists(runtime, &question, &lists, &signatures);
        answers.push((*runtime, verdict));
    }
    let all = answers.iter().all(|(_, verdict)| verdict.accepts());
    if args.json || args.json_lines {
        print::json(&document(&answers, all, at_unix));
    } else {
        show(&answers, args.verbose > 0);
    }
    Ok(if all { Answer::Yes } else { Answer::No })
}

/// The runtimes named, in their order; without names all that there are, for vectors all that were measured.
fn runtimes(these: &args::Verdict) -> anyhow::Result<Vec<&'static Profile>> {
    if these.runtimes.is_empty() {
        let vectors = these.vectors.is_some();
        return Ok(if vectors {
            trust::vectors::measured().collect()
        } else {
            trust::runtimes().collect()
        });
    }
    named(&these.runtimes, trust::runtimes())
}

/// The runtimes of these names, in their order; without names, those of `usual`.
pub fn named(
    names: &[String],
    usual: impl Iterator<Item = &'static Profile>,
) -> anyhow::Result<Vec<&'static Profile>> {
    if names.is_empty() {
        return Ok(usual.collect());
    }
    let unknown = |name: &str| {
        let known: Vec<&str> = trust::runtimes().map(|runtime| runtime.name).collect();
        failure(
            format!("there is no runtime `{name}`"),
            format!("known: {}", known.join(", ")),
        )
    };
    let names = names.iter().map(|name| name.trim());
    names
        .map(|name| trust::runtime(name).ok_or_else(|| unknown(name)))
        .collect()
}

/// The chain as a peer would send it: that of the only private key, else every certificate in file order.
fn chain(path: &Path, given: &Given) -> anyhow::Result<Vec<Certificate>> {
    let store = store(path, given)?;
    let is_key = |entry: &&Entry| matches!(entry.body(), Body::PrivateKey { .. });
    let keys: Vec<&Entry> = store
        .entries()
        .iter()
        .filter(is_key)
        .filter(|key| !key.certificates().is_empty())
        .collect();
    let chain = match keys.as_slice() {
        [] => store
            .entries()
            .iter()
            .flat_map(Entry::certificates)
            .cloned()
            .collect(),
        [key] => key.certificates().to_vec(),
        _ => {
            return Err(failure(
                format!(
                    "{} holds {} private keys: which chain is meant is not clear",
                    path.display(),
                    keys.len()
                ),
                "give a file with one chain",
            ));
        }
    };
    if Vec::is_empty(&chain) {
        return Err(failure(
            format!("{} holds no certificate", path.display()),
            "give the chain as sent, leaf first",
        ));
    }
    Ok(chain)
}

/// A store with the password that was given, or lies in a stash beside it, or without one.
pub fn store(path: &Path, given: &Given) -> anyhow::Result<Store> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let limits = Limits::default();
    let stashed = crate::cmd::inspect::stashed_password(path);
    // The password may be for another of the files: one that needs none is read without.
    let mut refused = None;
    for password in [given.store.as_ref(), stashed.as_ref(), None] {
        match keystore::read(&bytes, password, &limits) {
            Ok(store) if !is_locked(&store) => return Ok(store),
            Ok(_) => {}
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let hint = "--password-file FILE, --password-env VAR or --password-fd N";
    let why = refused.map_or_else(
        || "the store needs its password".to_owned(),
        |error| error.to_string(),
    );
    Err(failure(format!("{}: {why}", path.display()), hint))
}

fn is_locked(store: &Store) -> bool {
    store
        .notes()
        .iter()
        .any(|note| matches!(note, keystore::Note::LockedPart { .. }))
}

fn moment(text: &str) -> anyhow::Result<i64> {
    text.parse::<jiff::Timestamp>()
        .map(|time| time.as_second())
        .map_err(|_| {
            failure(
                format!("--at {text} is not a moment"),
                "write it as 2026-11-21T12:00:00Z",
            )
        })
}

fn document(answers: &[(&Profile, Verdict)], all: bool, at_unix: i64) -> Value {
    let verdicts: serde_json::Map<String, Value> = answers
        .iter()
        .map(|(runtime, verdict)| (runtime.name.to_owned(), value(runtime, verdict)))
        .collect();
    json!({ "version": 1, "accepted": all, "at": print::utc_time(at_unix), "verdicts": verdicts })
}

fn value(runtime: &Profile, verdict: &Verdict) -> Value {
    let steps: Vec<Value> = verdict
        .trace()
        .steps
        .iter()
        .map(|step| json!({ "subject": step.subject, "finding": step.finding }))
        .collect();
    json!({
        "ok": verdict.accepts(),
        "error": verdict.prints(),
        "undecided": matches!(verdict, Verdict::Undecided(_)),
        "measured": measured(runtime),
        "reason": verdict.reason().map(trust::Reject::words),
        "path": path(verdict),
        "trace": steps,
    })
}

/// The version that was measured; `None` = from documents only.
fn measured(runtime: &Profile) -> Option<&'static str> {
    match runtime.evidence {
        Evidence::Documented => None,
        Evidence::Measured(on) => Some(on),
    }
}

fn path(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Accept(accepted) => accepted
            .path
            .iter()
            .map(|one| one.subject().to_string())
            .collect(),
        Verdict::Undecided(undecided) => undecided
            .path
            .iter()
            .map(|one| one.subject().to_string())
            .collect(),
        Verdict::Reject(_) => Vec::new(),
    }
}

fn show(answers: &[(&Profile, Verdict)], with_trace: bool) {
    let row = |(runtime, verdict): &(&Profile, Verdict)| {
        let (word, text) = match verdict {
            Verdict::Accept(_) => ("accepts", path(verdict).join(" <- ")),
            Verdict::Reject(rejected) => {
                let about = rejected
                    .subject
                    .as_ref()
                    .map_or_else(String::new, |subject| format!(" ({subject})"));
                (
                    "rejects",
                    format!("{}{about}; it prints: {}", rejected.reason, rejected.prints),
                )
            }
            Verdict::Undecided(undecided) => ("unknown", undecided.because.join("; ")),
        };
        vec![runtime.name.to_owned(), word.to_owned(), text]
    };
    let rows: Vec<Vec<String>> = answers.iter().map(row).collect();
    for (line, (_, verdict)) in print::table(&rows).iter().zip(answers) {
        print::answer(line);
        for step in verdict.trace().steps.iter().filter(|_| with_trace) {
            print::answer(&format!("    {}: {}", step.subject, step.finding));
        }
    }
    let accepting = answers.iter().filter(|(_, verdict)| verdict.accepts()).count();
    let documented: Vec<&str> = answers
        .iter()
        .filter(|(runtime, _)| measured(runtime).is_none())
        .map(|(runtime, _)| runtime.name)
        .collect();
    if !documented.is_empty() {
        print::answer(&format!(
            "from documents, not measured: {}",
            documented.join(", ")
        ));
    }
    print::answer(&format!("{accepting} of {} accept", answers.len()));
}
