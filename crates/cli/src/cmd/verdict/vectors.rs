//! `capgrow verdict --vectors`: one JSON line per path-validation vector.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use trust::Profile;
use trust::Purpose;
use trust::vectors::Vector;

use crate::Answer;
use crate::print;
use crate::print::failure;

/// Answers every line of the file, in its order. Verdicts that stand in the file are not looked at.
///
/// Fails after the last line when a line is no vector; each such line is named.
pub fn run(file: &Path, runtimes: &[&'static Profile]) -> anyhow::Result<Answer> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    let signatures = trust::Computed::new();
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel::<(usize, Result<Value, String>)>();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut bad = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let send = send.clone();
            let (next, lines, signatures) = (&next, &lines, &signatures);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, line)) = lines.get(index) else { break };
                    if send.send((index, answer(line, runtimes, signatures))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        let mut waiting = std::collections::BTreeMap::new();
        let mut due = 0;
        for (index, answered) in receive {
            waiting.insert(index, answered);
            while let Some(answered) = waiting.remove(&due) {
                match answered {
                    Ok(value) => print::json_line(&value),
                    Err(why) => bad.push(format!("{} line {}: {why}", file.display(), lines[due].0 + 1)),
                }
                due += 1;
            }
        }
    });
    let Some(last) = bad.pop() else {
        return Ok(Answer::Yes);
    };
    bad.iter()
        .for_each(|what| print::line(&format!("capgrow: error: {what}")));
    Err(failure(
        last,
        "each line is one JSON object with id, chain, anchors, peer, purpose and time",
    ))
}

fn answer(line: &str, runtimes: &[&'static Profile], signatures: &trust::Computed) -> Result<Value, String> {
    let written: Written = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let vector = written.vector()?;
    let verdicts: serde_json::Map<String, Value> = runtimes
        .iter()
        .map(|profile| {
            let answer = trust::vectors::answer(profile, &vector, signatures);
            let mut value = json!({ "ok": answer.ok, "error": answer.error });
            if answer.undecided {
                value["undecided"] = json!(true);
            }
            (profile.name.to_owned(), value)
        })
        .collect();
    Ok(json!({ "id": written.id, "verdicts": verdicts }))
}

/// A line, as far as it is looked at.
#[derive(Deserialize)]
struct Written {
    id: String,
    chain: Vec<String>,
    anchors: Vec<String>,
    peer: Option<Peer>,
    purpose: String,
    time: String,
}

#[derive(Deserialize)]
struct Peer {
    value: String,
}

impl Written {
    fn vector(&self) -> Result<Vector, String> {
        let purpose = match self.purpose.as_str() {
            "client" => Purpose::Client,
            "server" => Purpose::Server,
            other => return Err(format!("purpose `{other}` is neither server nor client")),
        };
        let time: jiff::Timestamp = self
            .time
            .parse()
            .map_err(|_| format!("`{}` is not a time", self.time))?;
        Ok(Vector {
            chain: decode(&self.chain, "chain")?,
            anchors: decode(&self.anchors, "anchors")?,
            peer: self.peer.as_ref().map(|peer| peer.value.clone()),
            purpose,
            at_unix: time.as_second(),
        })
    }
}

fn decode(list: &[String], what: &str) -> Result<Vec<Vec<u8>>, String> {
    list.iter()
        .map(|text| STANDARD.decode(text).map_err(|_| format!("{what}: not base64")))
        .collect()
}
