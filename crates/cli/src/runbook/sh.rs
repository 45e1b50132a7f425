//! The runbook as a POSIX shell script: `sh runbook.sh HOST PHASE [rollback]`.

use std::fmt::Write;

use super::book::Act;
use super::book::Book;
use super::book::Edited;
use super::book::KeyAct;
use super::book::Seen;
use super::book::Stage;
use super::splice::Splice;

/// The whole script.
pub fn write(book: &Book) -> String {
    let mut out = String::from("#!/bin/sh\n");
    out.push_str(HEAD);
    let _ = writeln!(out, "DIGEST={}", &book.digest[..12]);
    for note in &book.notes {
        let _ = writeln!(out, "# note: {}", note.replace('\n', " "));
    }
    out.push('\n');
    out.push_str(include_str!("functions.sh"));
    out.push_str("\n# ---- the certificates of this plan\npapers_of_the_plan() {\n");
    for paper in &book.certificates {
        let _ = writeln!(
            out,
            "  paper {} {} # {}",
            paper.name,
            paper.body,
            comment(&paper.subject)
        );
    }
    out.push_str("  :\n}\n\n# ---- the steps\n");
    for stage in &book.steps {
        forth(book, stage, &mut out);
        back(book, stage, &mut out);
    }
    choose(book, &mut out);
    out
}

fn forth(book: &Book, stage: &Stage, out: &mut String) {
    let _ = writeln!(out, "step_{}() {{", stage.id);
    let what = format!("{}: {}", stage.component, stage.events);
    needs(book, stage, out);
    let _ = writeln!(out, "  begin {} {} || return 0", stage.id, quoted(&what));
    let mut saved: Vec<&str> = Vec::new();
    for file in stage.files.iter().filter(|file| is_file(file)) {
        if !saved.contains(&file.path.as_str()) {
            saved.push(&file.path);
            let path = quoted(&file.path);
            let _ = writeln!(
                out,
                "  unchanged {path} {}",
                file.before.as_deref().unwrap_or("absent")
            );
            let _ = writeln!(out, "  save {path}");
        }
    }
    for file in &stage.files {
        edited(book, file, out);
    }
    effective(stage, out);
    for look in &stage.looks {
        seen(book, stage, look, out);
    }
    if !stage.by_hand.is_empty() {
        let text = format!("  by hand: done when {}", stage.by_hand.join(" and "));
        let _ = writeln!(out, "  say {}", quoted(&text));
    }
    out.push_str("  end\n}\n");
}

fn back(book: &Book, stage: &Stage, out: &mut String) {
    let later: Vec<&str> = (book.steps.iter().skip_while(|other| other.id != stage.id).skip(1))
        .filter(|other| other.host == stage.host)
        .map(|other| other.id.as_str())
        .collect();
    let what = quoted(&format!("{}: {}", stage.component, stage.events));
    let _ = writeln!(out, "back_{}() {{", stage.id);
    let _ = writeln!(
        out,
        "  begin_back {} {what} {} || return 0",
        stage.id,
        later.join(" ")
    );
    let mut restored: Vec<&str> = Vec::new();
    for file in stage.files.iter().rev().filter(|file| is_file(file)) {
        if !restored.contains(&file.path.as_str()) {
            restored.push(&file.path);
            let _ = writeln!(out, "  restore {}", quoted(&file.path));
        }
    }
    effective(stage, out);
    for act in stage.files.iter().rev().flat_map(|file| &file.undo) {
        if let Act::Run(dir, argv, text) = act {
            command(dir, argv, text.as_deref(), out);
        }
    }
    out.push_str("  end_back\n}\n\n");
}

/// The secrets of a step, before anything is touched.
fn needs(book: &Book, stage: &Stage, out: &mut String) {
    for variable in &book.variables {
        if names_of(stage).contains(&variable.name.as_str()) {
            let file = variable.base64_file.as_deref().unwrap_or("");
            let _ = writeln!(
                out,
                "  need {} {} {}",
                variable.name,
                quoted(file),
                quoted(&variable.what)
            );
        }
    }
}

/// Every variable that a step names.
pub fn names_of(stage: &Stage) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for act in stage.files.iter().flat_map(|file| &file.acts) {
        match act {
            Act::Java(_, secret, _) | Act::PasswordFile(secret) => names.push(secret),
            Act::Gsk(secret, _) => names.extend(secret.as_deref()),
            Act::Key(key, own, _) => names.extend([Some(key.as_str()), own.as_deref()].into_iter().flatten()),
            _ => {}
        }
        if let Act::Java(_, _, edit) | Act::Gsk(_, edit) | Act::Pem(edit) = act
            && let KeyAct::Key(_, key, _, own) | KeyAct::KeyFirst(key, _, own) = edit
        {
            names.extend([Some(key.as_str()), own.as_deref()].into_iter().flatten());
        }
    }
    for look in &stage.looks {
        if let Seen::LetsIn(_, key, _) = look {
            names.push(key);
        }
    }
    names
}

fn edited(book: &Book, file: &Edited, out: &mut String) {
    let _ = writeln!(
        out,
        "  # {}: {}: {}",
        file.event,
        comment(&file.path),
        comment(&file.why)
    );
    if !is_file(file) {
        for act in &file.acts {
            if let Act::Run(dir, argv, text) = act {
                command(dir, argv, text.as_deref(), out);
            }
        }
        return;
    }
    let path = quoted(&file.path);
    if matches!(file.acts.as_slice(), [Act::Remove]) {
        let _ = writeln!(out, "  drop {path}");
        return;
    }
    if file.acts.is_empty() {
        out.push_str("  # nothing is left to do here\n");
        return;
    }
    let _ = writeln!(out, "  copy {path}");
    let mut after = None;
    for act in &file.acts {
        for line in words(act) {
            let _ = writeln!(out, "  {line}");
        }
        if let Act::Splices(_, digest) = act {
            after = Some(digest);
        }
    }
    checks(book, file, out);
    let _ = writeln!(out, "  place {path}");
    if let Some(digest) = after {
        let _ = writeln!(out, "  leaves {path} {digest}");
    }
}

/// What a store must hold after its edits, while it is still a copy.
fn checks(book: &Book, file: &Edited, out: &mut String) {
    for act in &file.acts {
        let Act::Java(kind, secret, key) = act else {
            continue;
        };
        let name = match key {
            KeyAct::Trust(_, name, _) => name,
            KeyAct::Key(_, _, chain, _) => match chain.first() {
                Some(leaf) => leaf,
                None => continue,
            },
            _ => continue,
        };
        if let Some(paper) = book.paper(name) {
            let _ = writeln!(out, "  java_shows {kind} {secret} {} yes", paper.sha256);
        }
    }
}

/// One act as lines of the script.
fn words(act: &Act) -> Vec<String> {
    match act {
        Act::ByHand(what) => vec![format!("fail {}", quoted(what))],
        Act::CopyOf(from) => vec![format!("cat \"$ROOT\"{} > \"$NEW\"", quoted(from))],
        Act::Certificates(chain) => vec![format!("papers {} > \"$NEW\"", chain.join(" "))],
        Act::Der(name) => vec![format!(
            "openssl x509 -in \"$WORK/{name}.pem\" -outform DER > \"$NEW\""
        )],
        Act::Gsk(secret, key) => vec![gsk(secret.as_deref().unwrap_or("-"), key)],
        Act::Java(kind, secret, key) => vec![java(kind, secret, key)],
        Act::Key(key, own, chain) => {
            let own = own.as_deref().unwrap_or("-");
            let mut lines = vec![format!("pem_key {key} {own} > \"$NEW\"")];
            if !chain.is_empty() {
                lines.push(format!("papers {} >> \"$NEW\"", chain.join(" ")));
            }
            lines
        }
        Act::PasswordFile(secret) => {
            vec![format!(
                "{{ printf '%s' \"${secret}\" | openssl base64 -A; echo; }} > \"$NEW\""
            )]
        }
        Act::Pem(key) => vec![pem(key)],
        Act::Random(length) => vec![format!("openssl rand -out \"$NEW\" {length}")],
        Act::Remove | Act::Run(..) => Vec::new(),
        Act::Splices(all, _) => all.iter().map(splice).collect(),
        Act::Text(text) => vec![format!("printf '%s' {} > \"$NEW\"", quoted(text))],
    }
}

fn splice(splice: &Splice) -> String {
    match splice {
        Splice::After(line, text) => format!("after {line} {}", quoted(&text.join("\n"))),
        Splice::Within(line, column, count, text) => {
            format!("within {line} {column} {count} {}", quoted(text))
        }
        Splice::Without(line, count) => format!("without {line} {count}"),
    }
}

fn java(kind: &str, secret: &str, key: &KeyAct) -> String {
    match key {
        KeyAct::Delete(alias) => format!("java_delete {kind} {secret} {}", quoted(alias)),
        KeyAct::Key(alias, key, chain, own) => format!(
            "java_key {kind} {secret} {} {} {key} {}",
            quoted(alias),
            quoted(own.as_deref().unwrap_or("")),
            chain.join(" ")
        ),
        KeyAct::Trust(alias, name, _) => format!("java_trust {kind} {secret} {} {name}", quoted(alias)),
        KeyAct::Default(_) | KeyAct::Drop(_) | KeyAct::DropKeys | KeyAct::KeyFirst(..) => ":".to_owned(),
    }
}

fn gsk(secret: &str, key: &KeyAct) -> String {
    match key {
        KeyAct::Default(label) => format!("gsk_default {secret} {}", quoted(label)),
        KeyAct::Delete(label) => format!("gsk_delete {secret} {}", quoted(label)),
        KeyAct::Key(label, key, chain, _) => {
            format!("gsk_key {secret} {} {key} {}", quoted(label), chain.join(" "))
        }
        KeyAct::Trust(label, name, _) => format!("gsk_trust {secret} {} {name}", quoted(label)),
        KeyAct::Drop(_) | KeyAct::DropKeys | KeyAct::KeyFirst(..) => ":".to_owned(),
    }
}

fn pem(key: &KeyAct) -> String {
    match key {
        KeyAct::Drop(body) => format!("pem_drop {body}"),
        KeyAct::DropKeys => "pem_drop_keys".to_owned(),
        KeyAct::KeyFirst(key, chain, own) => {
            format!(
                "pem_key_first {key} {} {}",
                own.as_deref().unwrap_or("-"),
                chain.join(" ")
            )
        }
        KeyAct::Trust(_, name, true) => format!("pem_first {name}"),
        KeyAct::Trust(_, name, false) => format!("pem_trust {name}"),
        KeyAct::Default(_) | KeyAct::Delete(_) | KeyAct::Key(..) => ":".to_owned(),
    }
}

fn effective(stage: &Stage, out: &mut String) {
    for argv in &stage.commands {
        command(&stage.dir, argv, None, out);
    }
}

fn command(dir: &str, argv: &[String], text: Option<&str>, out: &mut String) {
    if let Some(text) = text {
        let _ = writeln!(out, "  printf '%s' {} > \"$WORK/file\"", quoted(text));
    }
    let argv: Vec<String> = argv
        .iter()
        .map(|word| match word == product::FILE {
            true => "\"$WORK/file\"".to_owned(),
            false => quoted(word),
        })
        .collect();
    let _ = writeln!(out, "  run {} {}", quoted(dir), argv.join(" "));
}

fn seen(book: &Book, stage: &Stage, look: &Seen, out: &mut String) {
    let (takes, component) = (stage.takes, comment(&stage.component));
    let _ = match look {
        Seen::Command(argv) => {
            let argv: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
            writeln!(
                out,
                "  within_time {takes} run {} {} || fail '{component} is not well again: take this step back'",
                quoted(&stage.dir),
                argv.join(" ")
            )
        }
        Seen::LetsIn(address, key, chain) => writeln!(
            out,
            "  within_time {takes} lets_in {address} {key} {} || fail '{component} does not let the new identity in at {address}: take this step back'",
            chain.join(" ")
        ),
        Seen::Linked(host, argv, _, name) => writeln!(
            out,
            "  say {}",
            quoted(&format!(
                "  look on {host}: `{}` must show {name} linked before the next step",
                argv.join(" ")
            ))
        ),
        Seen::Peers(peers) if peers.is_empty() => writeln!(
            out,
            "  say '  nothing of it can be dialled: its own log says whether it is well'"
        ),
        Seen::Peers(peers) => writeln!(
            out,
            "  say {}",
            quoted(&format!(
                "  look: its connections to {} are up again",
                peers.join(", ")
            ))
        ),
        Seen::Port(address) => writeln!(
            out,
            "  within_time {takes} answers {address} || fail '{component} does not answer at {address}: take this step back'"
        ),
        Seen::Presents(address, name) => {
            let sha256 = book.paper(name).map_or("", |paper| &paper.sha256);
            writeln!(
                out,
                "  within_time {takes} shows {address} {sha256} || fail '{component} does not present the new certificate at {address}: take this step back'"
            )
        }
    };
}

/// Which steps run: those of one host in one phase, in the order of the plan.
fn choose(book: &Book, out: &mut String) {
    out.push_str("# ---- what was asked for\nusage() {\n");
    for stage in &book.steps {
        let line = format!(
            "  phase {}  {}  step {}: {}: {}",
            stage.wave, stage.host, stage.id, stage.component, stage.events
        );
        let _ = writeln!(out, "  say {}", quoted(&line));
    }
    out.push_str(
        "  say 'All hosts do phase 1, then all do phase 2, and so on: sh runbook.sh HOST PHASE'\n  \
         say 'Back, the last phase first: sh runbook.sh HOST PHASE rollback'\n}\n\
         HOST=${1:-}; PHASE=${2:-}; WAY=${3:-}\n\
         case $WAY in ''|rollback) ;; *) usage >&2; exit 2 ;; esac\n\
         if [ -z \"$HOST\" ] || [ -z \"$PHASE\" ]; then usage; exit 2; fi\n\
         mkdir -p \"$BACKUP\"\nWORK=$(mktemp -d)\ntrap 'rm -rf \"$WORK\"' EXIT\npapers_of_the_plan\n\
         case \"$HOST $PHASE $WAY\" in\n",
    );
    let mut places: Vec<(&str, u32)> = book
        .steps
        .iter()
        .map(|stage| (stage.host.as_str(), stage.wave))
        .collect();
    places.sort_unstable();
    places.dedup();
    for (host, wave) in places {
        let of = |stage: &&Stage| stage.host == host && stage.wave == wave;
        let there: Vec<String> = book
            .steps
            .iter()
            .filter(of)
            .map(|stage| format!("step_{}", stage.id))
            .collect();
        let back: Vec<String> = book
            .steps
            .iter()
            .rev()
            .filter(of)
            .map(|stage| format!("back_{}", stage.id))
            .collect();
        let _ = writeln!(
            out,
            "  {}) {} ;;",
            quoted(&format!("{host} {wave} ")),
            there.join("; ")
        );
        let _ = writeln!(
            out,
            "  {}) {} ;;",
            quoted(&format!("{host} {wave} rollback")),
            back.join("; ")
        );
    }
    out.push_str("  *) usage >&2; exit 2 ;;\nesac\n");
}

fn is_file(file: &Edited) -> bool {
    !file.acts.iter().any(|act| matches!(act, Act::Run(..)))
}

/// One word of the shell, whatever is in it.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text that stays in its comment, or between single quotes.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || c == '\'' { ' ' } else { c })
        .collect()
}

const HEAD: &str = "# Made from a checked plan, for hosts where capgrow is not installed. Run it as the owner of the stores:\n\
#   sh runbook.sh                        what is in it\n\
#   sh runbook.sh HOST PHASE             the steps of one host in one phase\n\
#   sh runbook.sh HOST PHASE rollback    back to the bytes before that phase\n\
# A phase is over when every host has done its part; the next must not begin before.\n\
# 0 = done, 2 = something is missing, nothing was changed, 3 = a step did not end as it should.\n";
