//! The runbook as a Windows command file: `runbook.cmd HOST PHASE [rollback]`. No PowerShell: `certutil` for digests, and
//! the script language behind `cscript` for edits of texts, in the tail of the same file.

use std::fmt::Write;

use super::book::Act;
use super::book::Book;
use super::book::Edited;
use super::book::KeyAct;
use super::book::Seen;
use super::book::Stage;
use super::sh::names_of;
use super::splice::Splice;

/// The whole file, with the line ends of Windows.
pub fn write(book: &Book) -> String {
    let mut out = String::from(
        "@if (@Tail) == (@Batch) @then\n@echo off\nsetlocal EnableExtensions EnableDelayedExpansion\n",
    );
    out.push_str(HEAD);
    for note in &book.notes {
        let _ = writeln!(out, "rem note: {}", escaped(note));
    }
    let short = &book.digest[..12];
    let _ = writeln!(
        out,
        "if not defined BACKUP set \"BACKUP=%USERPROFILE%\\capgrow-runbook-{short}\""
    );
    out.push_str(MIDDLE);
    for stage in &book.steps {
        let what = escaped(&format!("{}: {}", stage.component, stage.events));
        let _ = writeln!(
            out,
            "echo   phase {}  {}  step {}: {what}",
            stage.wave, stage.host, stage.id
        );
    }
    out.push_str("exit /b 2\n\n:papers\n");
    for paper in &book.certificates {
        let _ = writeln!(
            out,
            ">\"%W%\\{}.pem\" echo -----BEGIN CERTIFICATE-----",
            paper.name
        );
        for line in paper.body.as_bytes().chunks(64) {
            let _ = writeln!(
                out,
                ">>\"%W%\\{}.pem\" echo {}",
                paper.name,
                String::from_utf8_lossy(line)
            );
        }
        let _ = writeln!(
            out,
            ">>\"%W%\\{}.pem\" echo -----END CERTIFICATE-----",
            paper.name
        );
    }
    out.push_str("exit /b 0\n\n");
    for stage in &book.steps {
        forth(book, stage, &mut out);
        back(stage, &mut out);
    }
    places(book, &mut out);
    out.push_str(include_str!("functions.cmd"));
    out.replace('\n', "\r\n")
}

fn forth(book: &Book, stage: &Stage, out: &mut String) {
    let _ = writeln!(out, ":step_{}\nset \"STEP={}\"", stage.id, stage.id);
    let _ = writeln!(out, "if exist \"%BACKUP%\\{}.done\" exit /b 0", stage.id);
    for variable in book
        .variables
        .iter()
        .filter(|variable| names_of(stage).contains(&variable.name.as_str()))
    {
        let _ = writeln!(
            out,
            "call :need {} \"{}\" || exit /b 2",
            variable.name,
            escaped(&variable.what)
        );
    }
    let _ = writeln!(
        out,
        "if exist \"%BACKUP%\\{0}.begun\" goto failed\nif not exist \"%BACKUP%\\{0}\" md \"%BACKUP%\\{0}\"\ntype nul >\"%BACKUP%\\{0}.begun\"\necho step {0}: {1}",
        stage.id,
        escaped(&format!("{}: {}", stage.component, stage.events))
    );
    let mut saved: Vec<&str> = Vec::new();
    for file in stage.files.iter().filter(|file| is_file(file)) {
        if !saved.contains(&file.path.as_str()) {
            saved.push(&file.path);
            let before = file.before.as_deref().unwrap_or("absent");
            let (path, flat) = (windows(&file.path), flat(&file.path));
            let _ = writeln!(
                out,
                "call :unchanged \"{path}\" {before} \"{flat}\" || exit /b 3\ncall :save \"{path}\" \"{flat}\" || goto failed"
            );
        }
    }
    for file in &stage.files {
        edited(file, out);
    }
    for argv in &stage.commands {
        command(&stage.dir, argv, out);
    }
    for look in &stage.looks {
        seen(book, stage, look, out);
    }
    for text in &stage.by_hand {
        let _ = writeln!(out, "echo   by hand: done when {}", escaped(text));
    }
    let _ = writeln!(out, "ren \"%BACKUP%\\{0}.begun\" {0}.done\nexit /b 0\n", stage.id);
}

fn back(stage: &Stage, out: &mut String) {
    let _ = writeln!(out, ":back_{0}\nset \"STEP={0}\"", stage.id);
    let _ = writeln!(
        out,
        "if not exist \"%BACKUP%\\{0}.done\" if not exist \"%BACKUP%\\{0}.begun\" exit /b 0",
        stage.id
    );
    let mut restored: Vec<&str> = Vec::new();
    for file in stage.files.iter().rev().filter(|file| is_file(file)) {
        if !restored.contains(&file.path.as_str()) {
            restored.push(&file.path);
            let _ = writeln!(
                out,
                "call :restore \"{}\" \"{}\" || goto failed",
                windows(&file.path),
                flat(&file.path)
            );
        }
    }
    for argv in &stage.commands {
        command(&stage.dir, argv, out);
    }
    for act in stage.files.iter().rev().flat_map(|file| &file.undo) {
        for line in words(act) {
            let _ = writeln!(out, "{line} || goto failed");
        }
    }
    let _ = writeln!(
        out,
        "del /q \"%BACKUP%\\{0}.done\" \"%BACKUP%\\{0}.begun\" 2>nul\nrd /s /q \"%BACKUP%\\{0}\"\nexit /b 0\n",
        stage.id
    );
}

fn edited(file: &Edited, out: &mut String) {
    let _ = writeln!(
        out,
        "rem {}: {}: {}",
        file.event,
        escaped(&windows(&file.path)),
        escaped(&file.why)
    );
    let path = windows(&file.path);
    if matches!(file.acts.as_slice(), [Act::Remove]) {
        let _ = writeln!(
            out,
            "del /q \"%ROOT%{path}\" || goto failed\ncall :record \"{path}\" \"{}\"",
            flat(&file.path)
        );
        return;
    }
    let dir = path.rsplit_once('\\').map_or("", |(dir, _)| dir);
    if is_file(file) && !file.acts.is_empty() {
        let _ = writeln!(out, "call :copy \"{path}\" \"{dir}\" || goto failed");
    }
    let mut after = None;
    for act in &file.acts {
        for line in words(act) {
            let _ = writeln!(out, "{line} || goto failed");
        }
        if let Act::Splices(_, digest) = act {
            after = Some(digest);
        }
    }
    if is_file(file) && !file.acts.is_empty() {
        let _ = writeln!(
            out,
            "call :place \"{path}\" \"{dir}\" \"{}\" || goto failed",
            flat(&file.path)
        );
    }
    if let Some(digest) = after {
        let _ = writeln!(out, "call :leaves \"{path}\" {digest} || goto failed");
    }
}

fn words(act: &Act) -> Vec<String> {
    match act {
        Act::ByHand(what) => vec![
            format!("echo runbook: {} 1>&2", escaped(what)),
            "goto failed".to_owned(),
        ],
        Act::CopyOf(from) => vec![format!("copy /b /y \"%ROOT%{}\" \"%NEW%\" >nul", windows(from))],
        Act::Certificates(chain) => vec![joined(chain, "%NEW%")],
        Act::Der(name) => vec![format!(
            "openssl x509 -in \"%W%\\{name}.pem\" -outform DER -out \"%NEW%\""
        )],
        Act::Gsk(secret, edit) => gsk(secret.as_deref(), edit),
        Act::Java(kind, secret, edit) => java(kind, secret, edit),
        Act::Key(key, own, chain) => {
            let mut lines = vec![format!("{} -out \"%W%\\key.pem\"", pkcs8(key, own.as_deref()))];
            let papers: String = chain.iter().map(|name| format!("+\"%W%\\{name}.pem\"")).collect();
            lines.push(format!("copy /b /y \"%W%\\key.pem\"{papers} \"%NEW%\" >nul"));
            lines.push("del /q \"%W%\\key.pem\"".to_owned());
            lines
        }
        Act::PasswordFile(secret) => vec![
            format!("<nul set /p \"=!{secret}!\" >\"%W%\\plain\""),
            "openssl base64 -in \"%W%\\plain\" -out \"%NEW%\"".to_owned(),
            "del /q \"%W%\\plain\"".to_owned(),
        ],
        Act::Pem(edit) => pem(edit),
        Act::Random(length) => vec![format!("openssl rand -out \"%NEW%\" {length}")],
        Act::Remove => Vec::new(),
        Act::Run(dir, argv, text) => {
            let mut lines = Vec::new();
            if let Some(text) = text {
                lines.push("type nul >\"%W%\\file\"".to_owned());
                let line = |line: &str| format!(">>\"%W%\\file\" echo({}", escaped(line));
                lines.extend(text.lines().map(line));
            }
            lines.push(told(dir, argv));
            lines
        }
        Act::Splices(all, _) => all.iter().map(splice).collect(),
        Act::Text(text) => {
            let mut lines = vec!["type nul >\"%NEW%\"".to_owned()];
            lines.extend(
                text.lines()
                    .map(|line| format!(">>\"%NEW%\" echo({}", escaped(line))),
            );
            lines
        }
    }
}

fn splice(splice: &Splice) -> String {
    let tail = match splice {
        Splice::After(line, text) => format!("after \"%NEW%\" {line} {}", hex(&text.join("\n"))),
        Splice::Within(line, column, count, text) => {
            let text = if text.is_empty() {
                "\"\"".to_owned()
            } else {
                hex(text)
            };
            format!("within \"%NEW%\" {line} {column} {count} {text}")
        }
        Splice::Without(line, count) => format!("without \"%NEW%\" {line} {count}"),
    };
    format!("{TAIL} {tail}")
}

fn java(kind: &str, secret: &str, edit: &KeyAct) -> Vec<String> {
    let store = format!("-storetype {kind} -keystore \"%NEW%\" -storepass:env {secret}");
    match edit {
        KeyAct::Delete(alias) => vec![format!(
            "\"%KEYTOOL%\" -delete -alias \"{}\" {store}",
            escaped(alias)
        )],
        KeyAct::Key(alias, key, chain, own) => {
            let mut lines = pfx(key, alias, chain);
            let (alias, own) = (escaped(alias), own.as_deref().unwrap_or(secret));
            lines.push(format!(
                "\"%KEYTOOL%\" -importkeystore -noprompt -srckeystore \"%W%\\key.p12\" -srcstoretype PKCS12 -srcstorepass:env ONCE -srcalias \"{alias}\" -srckeypass:env ONCE -destkeystore \"%NEW%\" -deststoretype {kind} -deststorepass:env {secret} -destalias \"{alias}\" -destkeypass:env {own}"
            ));
            lines.push("del /q \"%W%\\key.p12\"".to_owned());
            lines
        }
        KeyAct::Trust(alias, name, _) => vec![format!(
            "\"%KEYTOOL%\" -importcert -noprompt -alias \"{}\" -file \"%W%\\{name}.pem\" {store}",
            escaped(alias)
        )],
        _ => Vec::new(),
    }
}

fn gsk(secret: Option<&str>, edit: &KeyAct) -> Vec<String> {
    let opened = secret.map_or("-stashed".to_owned(), |secret| format!("-pw \"!{secret}!\""));
    let database = format!("-db \"%NEW%\" {opened}");
    match edit {
        KeyAct::Default(label) => vec![format!(
            "\"%GSK%\" -cert -setdefault -label \"{}\" {database}",
            escaped(label)
        )],
        KeyAct::Delete(label) => vec![format!(
            "\"%GSK%\" -cert -delete -label \"{}\" {database}",
            escaped(label)
        )],
        KeyAct::Key(label, key, chain, _) => {
            let mut lines = pfx(key, label, chain);
            let opened = opened
                .replace("-stashed", "-target_stashed")
                .replace("-pw", "-target_pw");
            lines.push(format!(
                "\"%GSK%\" -cert -import -db \"%W%\\key.p12\" -type pkcs12 -pw \"!ONCE!\" -label \"{}\" -target \"%NEW%\" -target_type cms {opened}",
                escaped(label)
            ));
            lines.push("del /q \"%W%\\key.p12\"".to_owned());
            lines
        }
        KeyAct::Trust(label, name, _) => vec![format!(
            "\"%GSK%\" -cert -add -label \"{}\" -file \"%W%\\{name}.pem\" -format ascii {database}",
            escaped(label)
        )],
        _ => Vec::new(),
    }
}

fn pem(edit: &KeyAct) -> Vec<String> {
    let front = |parts: &str| {
        vec![
            format!("copy /b /y {parts}+\"%NEW%\" \"%W%\\front\" >nul"),
            "copy /b /y \"%W%\\front\" \"%NEW%\" >nul".to_owned(),
            "del /q \"%W%\\front\"".to_owned(),
        ]
    };
    match edit {
        KeyAct::Drop(body) => vec![format!("{TAIL} drop \"%NEW%\" {body}")],
        KeyAct::DropKeys => vec![format!("{TAIL} drop-keys \"%NEW%\"")],
        KeyAct::KeyFirst(key, chain, own) => {
            let mut lines = vec![format!("{} -out \"%W%\\key.pem\"", pkcs8(key, own.as_deref()))];
            let papers: String = chain.iter().map(|name| format!("+\"%W%\\{name}.pem\"")).collect();
            lines.extend(front(&format!("\"%W%\\key.pem\"{papers}")));
            lines.push("del /q \"%W%\\key.pem\"".to_owned());
            lines
        }
        KeyAct::Trust(_, name, true) => front(&format!("\"%W%\\{name}.pem\"")),
        KeyAct::Trust(_, name, false) => vec![format!("type \"%W%\\{name}.pem\" >>\"%NEW%\"")],
        _ => Vec::new(),
    }
}

fn pfx(key: &str, alias: &str, chain: &[String]) -> Vec<String> {
    let (leaf, rest) = chain
        .split_first()
        .map_or(("", &[][..]), |(leaf, rest)| (leaf.as_str(), rest));
    // A chain of one is its own rest: what is there twice is written once.
    let rest = if rest.is_empty() {
        vec![leaf.to_owned()]
    } else {
        rest.to_vec()
    };
    vec![
        joined(&rest, "%W%\\rest.pem"),
        format!("call :pfx {key} \"{}\" {leaf} rest.pem", escaped(alias)),
    ]
}

fn pkcs8(key: &str, own: Option<&str>) -> String {
    let locked = own.map_or("-nocrypt".to_owned(), |own| {
        format!("-v2 aes-256-cbc -passout env:{own}")
    });
    format!("openssl pkcs8 -topk8 -in \"!{key}!\" {locked}")
}

fn joined(chain: &[String], to: &str) -> String {
    let parts: Vec<String> = chain.iter().map(|name| format!("\"%W%\\{name}.pem\"")).collect();
    format!("copy /b /y {} \"{to}\" >nul", parts.join("+"))
}

fn command(dir: &str, argv: &[String], out: &mut String) {
    let _ = writeln!(out, "{} || goto failed", told(dir, argv));
}

/// A command in its directory. Programs of the product have other endings there.
fn told(dir: &str, argv: &[String]) -> String {
    let words: Vec<String> = argv
        .iter()
        .enumerate()
        .map(|(at, word)| match (at, word.as_str()) {
            (_, word) if word == product::FILE => "\"%W%\\file\"".to_owned(),
            (0, word) if word.starts_with('/') => format!("\"%ROOT%{}\"", program(&windows(word))),
            (_, word) => format!("\"{}\"", escaped(word)),
        })
        .collect();
    format!(
        "pushd \"%ROOT%{}\" && call {} && popd",
        windows(dir),
        words.join(" ")
    )
}

fn program(path: &str) -> String {
    let (stem, end) = path.rsplit_once('.').unwrap_or((path, ""));
    match end {
        "sh" => format!("{stem}.bat"),
        _ if path.ends_with("StartUp") || path.ends_with("StartUpLwa") || path.ends_with("ShutDownLwa") => {
            format!("{path}.cmd")
        }
        _ => path.to_owned(),
    }
}

fn seen(book: &Book, stage: &Stage, look: &Seen, out: &mut String) {
    let takes = stage.takes;
    let _ = match look {
        Seen::Command(argv) => writeln!(
            out,
            "call :look {takes} \"{}\" || goto failed",
            told(&stage.dir, argv).replace('"', "\"\"")
        ),
        Seen::LetsIn(address, ..) => writeln!(
            out,
            "echo   look: {address} lets a client with the new certificate in"
        ),
        Seen::Linked(host, argv, _, name) => {
            writeln!(
                out,
                "echo   look on {host}: {} must show {name} linked before the next step",
                escaped(&argv.join(" "))
            )
        }
        Seen::Peers(peers) if peers.is_empty() => {
            writeln!(out, "echo   look: its own log says whether it is well")
        }
        Seen::Peers(peers) => writeln!(
            out,
            "echo   look: its connections to {} are up again",
            peers.join(", ")
        ),
        Seen::Port(address) => writeln!(
            out,
            "call :look {takes} \"openssl s_client -connect {address}\" || goto failed"
        ),
        Seen::Presents(address, name) => {
            let sha256 = book.paper(name).map_or("", |paper| &paper.sha256);
            writeln!(
                out,
                "call :look {takes} \"call :shows {address} {sha256}\" || goto failed"
            )
        }
    };
}

fn places(book: &Book, out: &mut String) {
    let mut places: Vec<(&str, u32)> = book
        .steps
        .iter()
        .map(|stage| (stage.host.as_str(), stage.wave))
        .collect();
    places.sort_unstable();
    places.dedup();
    for (host, wave) in places {
        let of = |stage: &&Stage| stage.host == host && stage.wave == wave;
        let _ = writeln!(out, ":at_{host}_{wave}");
        for stage in book.steps.iter().filter(of) {
            let _ = writeln!(out, "call :step_{} || exit /b 3", stage.id);
        }
        let _ = writeln!(out, "exit /b 0\n:at_{host}_{wave}_rollback");
        for stage in book.steps.iter().rev().filter(of) {
            let _ = writeln!(out, "call :back_{} || exit /b 3", stage.id);
        }
        out.push_str("exit /b 0\n\n");
    }
}

fn windows(path: &str) -> String {
    escaped(&path.replace('/', "\\"))
}

/// A file name for what lies at that path.
fn flat(path: &str) -> String {
    path.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// A text in which nothing is taken for a word of the command language.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '%' => out.push_str("%%"),
            '"' => out.push('\''),
            '^' | '&' | '|' | '<' | '>' | '!' => {
                out.push('^');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn hex(text: &str) -> String {
    fleet::snapshot::hex(text.as_bytes())
}

fn is_file(file: &Edited) -> bool {
    !file.acts.iter().any(|act| matches!(act, Act::Run(..)))
}

/// This file again, as the script behind its commands.
const TAIL: &str = "cscript //nologo //E:JScript \"%~f0\"";

const HEAD: &str = "rem Made from a checked plan, for hosts where capgrow is not installed. Run it as the owner of the stores:\n\
rem   runbook.cmd                        what is in it\n\
rem   runbook.cmd HOST PHASE             the steps of one host in one phase\n\
rem   runbook.cmd HOST PHASE rollback    back to the bytes before that phase\n\
rem A phase is over when every host has done its part; the next must not begin before.\n\
rem 0 = done, 2 = something is missing, nothing was changed, 3 = a step did not end as it should.\n";

const MIDDLE: &str = "if not defined KEYTOOL set \"KEYTOOL=keytool\"\nif not defined GSK set \"GSK=gsk8capicmd_64\"\n\
set \"HOST=%~1\"\nset \"PHASE=%~2\"\nset \"WAY=%~3\"\nif \"%HOST%\"==\"\" goto usage\nif \"%PHASE%\"==\"\" goto usage\n\
if not exist \"%BACKUP%\\now\" md \"%BACKUP%\\now\"\nset \"W=%TEMP%\\capgrow-%RANDOM%%RANDOM%\"\nmd \"%W%\" || exit /b 2\n\
call :papers\nif \"%WAY%\"==\"rollback\" (call :at_%HOST%_%PHASE%_rollback) else (call :at_%HOST%_%PHASE%)\nset \"CODE=%ERRORLEVEL%\"\n\
rd /s /q \"%W%\"\nexit /b %CODE%\n\n:usage\n";
