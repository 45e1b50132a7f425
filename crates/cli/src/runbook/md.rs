//! The runbook as Markdown, for people who type each command: what is saved, done, looked at, and how it goes back.

use std::fmt::Write;

use super::book::Act;
use super::book::Book;
use super::book::Edited;
use super::book::KeyAct;
use super::book::Seen;
use super::book::Stage;
use super::splice::Splice;

/// The whole document.
pub fn write(book: &Book) -> String {
    let mut out = format!("# Runbook\n\nplan {}\n\n", book.digest);
    out.push_str(
        "All hosts do phase 1, then all do phase 2, and so on. Work on a copy of each file and put it in place when every\n\
         edit of it succeeded. A step that does not end as it should is taken back before anything else is done.\n",
    );
    if !book.variables.is_empty() {
        out.push_str("\n## What to bring\n\n");
        for variable in &book.variables {
            let _ = writeln!(out, "- `{}`: {}", variable.name, variable.what);
        }
    }
    if !book.notes.is_empty() {
        out.push_str("\n## What to know\n\n");
        for note in &book.notes {
            let _ = writeln!(out, "- {note}");
        }
    }
    for stage in &book.steps {
        step(stage, &mut out);
    }
    out.push_str("\n## The certificates\n\nEach under its name, such as `c1.pem`.\n");
    for paper in &book.certificates {
        let _ = writeln!(
            out,
            "\n{}: {}, SHA-256 {}\n\n```\n-----BEGIN CERTIFICATE-----",
            paper.name, paper.subject, paper.sha256
        );
        for line in paper.body.as_bytes().chunks(64) {
            let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
        }
        out.push_str("-----END CERTIFICATE-----\n```\n");
    }
    out
}

fn step(stage: &Stage, out: &mut String) {
    let _ = writeln!(
        out,
        "\n## phase {}: {}: {}\n\nOn {}.\n",
        stage.wave, stage.component, stage.events, stage.host
    );
    let mut paths: Vec<(&str, Option<&str>)> = Vec::new();
    for file in stage.files.iter().filter(|file| !is_run(file)) {
        if !paths.iter().any(|(path, _)| *path == file.path) {
            paths.push((&file.path, file.before.as_deref()));
        }
    }
    out.push_str("Before:\n\n");
    for (path, before) in &paths {
        let _ = match before {
            Some(digest) => writeln!(
                out,
                "- `cp -p {path} BACKUP/{}{path}` (as the plan saw it: SHA-256 {digest}, unless an earlier step changed it)",
                stage.id
            ),
            None => writeln!(out, "- `{path}` is not there yet"),
        };
        if let Some(stem) = path.strip_suffix(".kdb") {
            let _ = writeln!(
                out,
                "- the same for `{stem}.sth`, `{stem}.rdb` and `{stem}.crl`, where they are there"
            );
        }
    }
    out.push_str("\nDo:\n\n");
    for file in &stage.files {
        let _ = writeln!(out, "- {} `{}`: {}", file.event, file.path, file.why);
        for act in &file.acts {
            for line in words(&file.path, act) {
                let _ = writeln!(out, "  - {line}");
            }
        }
    }
    for argv in &stage.commands {
        let _ = writeln!(out, "- run `{}` in `{}`", argv.join(" "), stage.dir);
    }
    out.push_str("\nLook:\n\n");
    if !stage.by_hand.is_empty() {
        let _ = writeln!(out, "- by hand: done when {}", stage.by_hand.join(" and "));
    }
    for look in &stage.looks {
        let _ = writeln!(out, "- {}", seen(look, stage.takes));
    }
    out.push_str("\nBack:\n\n");
    for (path, before) in paths.iter().rev() {
        let _ = match before {
            Some(_) => writeln!(out, "- `cp -p BACKUP/{}{path} {path}`", stage.id),
            None => writeln!(out, "- `rm -f {path}`"),
        };
    }
    for argv in &stage.commands {
        let _ = writeln!(out, "- run `{}` in `{}`", argv.join(" "), stage.dir);
    }
    for act in stage.files.iter().rev().flat_map(|file| &file.undo) {
        for line in words("", act) {
            let _ = writeln!(out, "- {line}");
        }
    }
}

fn words(path: &str, act: &Act) -> Vec<String> {
    match act {
        Act::ByHand(what) => vec![what.clone()],
        Act::CopyOf(from) => vec![format!("`cp {from} {path}`")],
        Act::Certificates(chain) => vec![format!("`cat {} > {path}`", papers(chain))],
        Act::Der(name) => vec![format!("`openssl x509 -in {name}.pem -outform DER -out {path}`")],
        Act::Gsk(secret, edit) => gsk(path, secret.as_deref(), edit),
        Act::Java(kind, secret, edit) => java(path, (kind, secret), edit),
        Act::Key(key, own, chain) => {
            let mut lines = vec![format!("`{} -out {path}`", pkcs8(key, own.as_deref()))];
            if !chain.is_empty() {
                lines.push(format!("`cat {} >> {path}`", papers(chain)));
            }
            lines
        }
        Act::PasswordFile(secret) => vec![format!(
            "`printf %s \"${secret}\" | openssl base64 -A > {path}`, and a line end"
        )],
        Act::Pem(edit) => pem(path, edit),
        Act::Random(length) => vec![format!("`openssl rand -out {path} {length}`")],
        Act::Remove => vec![format!("`rm {path}`")],
        Act::Run(dir, argv, None) => vec![format!("run `{}` in `{dir}`", argv.join(" "))],
        Act::Run(dir, argv, Some(text)) => {
            vec![format!(
                "run `{}` in `{dir}`, where the file is\n\n```\n{text}```\n",
                argv.join(" ")
            )]
        }
        Act::Splices(all, digest) => {
            let mut lines: Vec<String> = all.iter().map(splice).collect();
            lines.push(format!("afterwards its SHA-256 is {digest}"));
            lines
        }
        Act::Text(text) => vec![format!("its content is\n\n```\n{text}```\n")],
    }
}

fn splice(splice: &Splice) -> String {
    match splice {
        Splice::After(line, text) => format!("after line {line}, add `{}`", text.join("` and `")),
        Splice::Within(line, column, 0, text) => {
            format!("line {line}, after {column} characters: insert `{text}`")
        }
        Splice::Within(line, column, count, text) => {
            format!("line {line}, after {column} characters: replace the next {count} by `{text}`")
        }
        Splice::Without(line, count) => format!("from line {line}, remove {count} lines"),
    }
}

fn java(path: &str, (kind, secret): (&str, &str), edit: &KeyAct) -> Vec<String> {
    let store = format!("-storetype {kind} -keystore {path} -storepass:env {secret}");
    match edit {
        KeyAct::Delete(alias) => vec![format!("`keytool -delete -alias {alias} {store}`")],
        KeyAct::Key(alias, key, chain, own) => vec![
            format!("`{}`", pfx(key, alias, chain)),
            format!(
                "`keytool -importkeystore -noprompt -srckeystore key.p12 -srcstoretype PKCS12 -srcstorepass:env ONCE -srcalias {alias} \
                 -destkeystore {path} -deststoretype {kind} -deststorepass:env {secret} -destalias {alias} -destkeypass:env {}`",
                own.as_deref().unwrap_or(secret)
            ),
            "remove key.p12".to_owned(),
        ],
        KeyAct::Trust(alias, name, _) => {
            vec![format!(
                "`keytool -importcert -noprompt -alias {alias} -file {name}.pem {store}`"
            )]
        }
        _ => Vec::new(),
    }
}

fn gsk(path: &str, secret: Option<&str>, edit: &KeyAct) -> Vec<String> {
    let opened = secret.map_or("-stashed".to_owned(), |secret| format!("-pw \"${secret}\""));
    let database = format!("-db {path} {opened}");
    match edit {
        KeyAct::Default(label) => vec![format!(
            "`gsk8capicmd_64 -cert -setdefault -label \"{label}\" {database}`"
        )],
        KeyAct::Delete(label) => vec![format!(
            "`gsk8capicmd_64 -cert -delete -label \"{label}\" {database}`"
        )],
        KeyAct::Key(label, key, chain, _) => vec![
            format!("`{}`", pfx(key, label, chain)),
            format!(
                "`gsk8capicmd_64 -cert -import -db key.p12 -type pkcs12 -pw \"$ONCE\" -label \"{label}\" -target {path} \
                 -target_type cms {}`",
                opened
                    .replace("-stashed", "-target_stashed")
                    .replace("-pw", "-target_pw")
            ),
            "remove key.p12".to_owned(),
        ],
        KeyAct::Trust(label, name, _) => {
            vec![format!(
                "`gsk8capicmd_64 -cert -add -label \"{label}\" -file {name}.pem -format ascii {database}`"
            )]
        }
        _ => Vec::new(),
    }
}

fn pem(path: &str, edit: &KeyAct) -> Vec<String> {
    match edit {
        KeyAct::Drop(body) => {
            let start: String = body.chars().take(64).collect();
            vec![format!(
                "remove from `{path}` the certificate whose text begins `{start}`"
            )]
        }
        KeyAct::DropKeys => vec![format!("remove the private key from `{path}`")],
        KeyAct::KeyFirst(key, chain, own) => vec![format!(
            "put in front of `{path}`: what `{}` prints, then {}",
            pkcs8(key, own.as_deref()),
            papers(chain)
        )],
        KeyAct::Trust(_, name, true) => vec![format!("put {name}.pem in front of `{path}`")],
        KeyAct::Trust(_, name, false) => vec![format!("`cat {name}.pem >> {path}`")],
        _ => Vec::new(),
    }
}

fn pfx(key: &str, alias: &str, chain: &[String]) -> String {
    let (leaf, rest) = chain
        .split_first()
        .map_or(("", &[][..]), |(leaf, rest)| (leaf.as_str(), rest));
    let rest = match rest {
        [] => String::new(),
        rest => format!(" -certfile <(cat {})", papers(rest)),
    };
    format!(
        "ONCE=$(openssl rand -hex 16); export ONCE; openssl pkcs12 -export -inkey \"${key}\" -in {leaf}.pem{rest} -name {alias} \
         -out key.p12 -passout env:ONCE -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"
    )
}

fn pkcs8(key: &str, own: Option<&str>) -> String {
    let locked = own.map_or("-nocrypt".to_owned(), |own| {
        format!("-v2 aes-256-cbc -passout env:{own}")
    });
    format!("openssl pkcs8 -topk8 -in \"${key}\" {locked}")
}

fn papers(chain: &[String]) -> String {
    chain
        .iter()
        .map(|name| format!("{name}.pem"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn seen(look: &Seen, takes: u64) -> String {
    match look {
        Seen::Command(argv) => format!("`{}` ends with 0 within {takes} s", argv.join(" ")),
        Seen::LetsIn(address, key, chain) => format!(
            "`(sleep 1) | openssl s_client -connect {address} -cert <(cat {}) -key \"${key}\"` shows no alert: the new identity is let in",
            papers(chain)
        ),
        Seen::Linked(host, argv, dir, name) => {
            format!("on {host}, `{}` in `{dir}` shows {name} linked", argv.join(" "))
        }
        Seen::Peers(peers) if peers.is_empty() => {
            "nothing of it can be dialled: its own log says whether it is well".to_owned()
        }
        Seen::Peers(peers) => format!("its connections to {} are up again", peers.join(", ")),
        Seen::Port(address) => format!("{address} answers within {takes} s"),
        Seen::Presents(address, name) => format!(
            "`openssl s_client -connect {address} </dev/null | openssl x509 -noout -fingerprint -sha256` shows {name}: the new certificate"
        ),
    }
}

fn is_run(file: &Edited) -> bool {
    file.acts.iter().any(|act| matches!(act, Act::Run(..)))
}
