//! `capgrow verdict --negotiate CLIENT SERVER`: what two ends agree on, or what each of them prints.

use serde_json::Value;
use serde_json::json;
use trust::cipher;
use trust::cipher::Agreed;
use trust::cipher::Refused;
use trust::cipher::Side;
use trust::profile::Evidence;

use crate::Answer;
use crate::args::Args;
use crate::print;
use crate::print::failure;

/// Prints the answer; yes where the two agree.
pub fn run(args: &Args, client: &str, server: &str) -> anyhow::Result<Answer> {
    let read = |text: &str| {
        cipher::read_side(text).map_err(|error| {
            failure(
                format!("`{text}`: {error}"),
                "write an end as RUNTIME,SETTING=VALUE: capgrow verdict --negotiate java17 openssl3,key=rsa2048",
            )
        })
    };
    let sides = [read(client)?, read(server)?];
    let met = cipher::meet(&sides[0], &sides[1]).map_err(|error| {
        failure(
            error.to_string(),
            "both ends of a channel are written as mq,spec=…",
        )
    })?;
    if args.json || args.json_lines {
        print::json(&document(&sides, &met));
    } else {
        show(&sides, &met);
    }
    Ok(if met.is_ok() { Answer::Yes } else { Answer::No })
}

fn document(sides: &[Side; 2], met: &Result<Agreed, Refused>) -> Value {
    let ends: Vec<Value> = sides
        .iter()
        .map(|side| json!({ "runtime": named(side), "known": known(side) }))
        .collect();
    let answer = match met {
        Ok(agreed) => json!({
            "protocol": agreed.protocol.name(),
            "suite": agreed.suite.name,
            "openssl": agreed.suite.openssl,
            "cipher-spec": agreed.spec.map(|spec| spec.name),
            "group": agreed.group.map(cipher::Group::name),
            "signature": agreed.scheme.map(|scheme| scheme.name),
            "derived": agreed.derived,
        }),
        Err(refused) => json!({
            "reason": refused.reason.words(),
            "client-prints": refused.client,
            "server-prints": refused.server,
            "derived": refused.derived,
        }),
    };
    json!({ "version": 1, "agreed": met.is_ok(), "client": ends[0], "server": ends[1], "answer": answer })
}

fn show(sides: &[Side; 2], met: &Result<Agreed, Refused>) {
    let derived = match met {
        Ok(agreed) => {
            let mut words = vec![agreed.protocol.name().to_owned(), agreed.suite.name.to_owned()];
            words.extend(agreed.spec.map(|spec| format!("(CipherSpec {})", spec.name)));
            words.extend(agreed.group.map(|group| format!("group {}", group.name())));
            words.extend(agreed.scheme.map(|scheme| format!("signed with {}", scheme.name)));
            print::answer(&words.join(" "));
            &agreed.derived
        }
        Err(refused) => {
            print::answer(refused.reason.words());
            print::answer(&format!("the client prints: {}", refused.client));
            print::answer(&format!("the server prints: {}", refused.server));
            &refused.derived
        }
    };
    for what in derived {
        print::answer(&format!("derived, not cited: {what}"));
    }
    for side in sides {
        print::answer(&format!("{}: {}", named(side), known(side)));
    }
}

fn named(side: &Side) -> &'static str {
    match side {
        Side::Channel(_) => "mq",
        Side::Tls(end) => end.runtime,
    }
}

/// How well the end is known, for a person to judge the answer by.
fn known(side: &Side) -> String {
    match side {
        Side::Channel(_) => "documented, not measured: IBM MQ 9.2, Enabling CipherSpecs".to_owned(),
        Side::Tls(end) => match end.evidence {
            Evidence::Documented => format!("documented, not measured: {}", end.source),
            Evidence::Measured(on) => format!("measured on {on}: {}", end.source),
        },
    }
}
