//! The same commands by the original and by us, on generated stores; only where a keytool 17 is installed.

use std::path::Path;
use std::process::Command;

/// What both sides printed, made comparable: keys and certificates are new on each side.
struct Run {
    code: i32,
    out: String,
    err: String,
}

#[test]
fn generated_commands_end_the_same_and_each_reads_the_others_stores() {
    let Some(original) = original() else { return };
    let seed = seed();
    println!("KEYTOOL_SEED={seed}");
    let mut dice = Dice(seed);
    let links = crate::links();
    let ours = links.path().join("keytool");
    let (left, right) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut wrong = Vec::new();
    // Each story starts the original some twenty times; more of them are for a person to ask for.
    for _ in 0..number("KEYTOOL_STORIES").unwrap_or(1) {
        for line in story(&mut dice) {
            let words: Vec<&str> = line.split(' ').collect();
            let theirs = run(&original, left.path(), &words);
            let mine = run(&ours, right.path(), &words);
            // The original must be able to read what we wrote.
            let both = if words[0] == "-list" {
                run(&original, right.path(), &words)
            } else {
                Run { ..copy(&mine) }
            };
            for (name, found) in [("ours", &mine), ("ours, read by the original", &both)] {
                if (theirs.code, &theirs.out, &theirs.err) != (found.code, &found.out, &found.err) {
                    let shown = |run: &Run| format!("exit {}\n{}{}", run.code, run.out, run.err);
                    wrong.push(format!(
                        "{line}\n--- original\n{}--- {name}\n{}",
                        shown(&theirs),
                        shown(found)
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "KEYTOOL_SEED={seed}\n{}", wrong.join("\n"));
}

/// One store from its first key to its conversion, with chosen names, types, passwords and keys.
fn story(dice: &mut Dice) -> Vec<String> {
    let number = dice.below(1000);
    let alias = format!("{}{number}", dice.of(&["Web", "db", "MQ-chan", "a.b", "x_y"]));
    let kind = dice.of(&["JKS", "PKCS12", "JCEKS", "pkcs12"]);
    let store = format!("s{number}.{}", kind.to_lowercase());
    let password = format!(
        "{}{}",
        dice.of(&["changeit", "Pass!", "se-cret_"]),
        dice.below(100_000) + 10
    );
    let key = dice.of(&[
        "-keyalg RSA -keysize 2048",
        "-keyalg EC -groupname secp384r1",
        "-keyalg Ed25519",
        "-keyalg EC",
        "-keyalg RSA -keysize 1024 -sigalg SHA1withRSA",
    ]);
    let extension = dice.of(&[
        "-ext san=dns:a.test,ip:10.0.0.1",
        "-ext bc:c=ca:true",
        "-ext eku=cA,sA -ext ku=dS",
        "-nowarn",
    ]);
    let at = format!("-keystore {store} -storepass {password}");
    let wrong = dice.of(&["nope", "ALSO-nope"]);
    vec![
        format!(
            "-genkeypair {at} -storetype {kind} -keypass {password} -alias {alias} {key} {extension} -dname CN={alias},O=Acme"
        ),
        format!("-genkeypair {at} -alias {alias} {key} -dname CN=again"),
        format!("-list {at} -alias {alias}"),
        format!("-exportcert {at} -alias {alias} -rfc -file {alias}.pem"),
        format!("-printcert -file {alias}.pem"),
        format!("-importcert {at} -alias trust{number} -file {alias}.pem -noprompt"),
        format!("-certreq {at} -alias {wrong}"),
        format!("-changealias {at} -alias {alias} -destalias moved{number}"),
        format!(
            "-importkeystore -srckeystore {store} -srcstorepass {password} -destkeystore c{number}.p12 -deststorepass other{number}x -srcalias moved{number}"
        ),
        format!("-storepasswd {at} -new changed{number}"),
        format!("-list {at}"),
        format!("-list -keystore c{number}.p12 -storepass other{number}x"),
        format!("-list -keystore {store} -storepass changed{number}"),
    ]
}

fn run(program: &Path, directory: &Path, words: &[&str]) -> Run {
    let output = Command::new(program)
        .args(words)
        .current_dir(directory)
        .env_clear()
        .envs([
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
            ("PATH", "/usr/bin:/bin"),
            ("HOME", "/nonexistent"),
        ])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: normal(&output.stdout),
        err: normal(&output.stderr),
    }
}

fn copy(run: &Run) -> Run {
    Run {
        code: run.code,
        out: run.out.clone(),
        err: run.err.clone(),
    }
}

fn normal(text: &[u8]) -> String {
    let mut out = String::new();
    for line in String::from_utf8_lossy(text).lines() {
        let fingerprint = line
            .rsplit_once(": ")
            .filter(|(_, tail)| tail.matches(':').count() >= 15);
        let line = match fingerprint {
            Some((head, _)) => format!("{head}: <FP>"),
            None if line.starts_with("Serial number: ") => "Serial number: <SERIAL>".to_owned(),
            None if line.starts_with("Valid from: ") => "Valid from: <DATE>".to_owned(),
            None if line.len() > 6 && line.is_char_boundary(6) && line[..6].ends_with("0: ") => {
                "<HEX>".to_owned()
            }
            None => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The installed keytool, when it is of version 17.
fn original() -> Option<std::path::PathBuf> {
    let java = crate::program("java")?;
    let version = Command::new(java).arg("-version").output().ok()?;
    if !String::from_utf8_lossy(&version.stderr).contains("version \"17.") {
        println!("SKIPPED: the Java here is not version 17");
        return None;
    }
    crate::program("keytool")
}

fn seed() -> u64 {
    number("KEYTOOL_SEED").unwrap_or_else(|| u64::from(std::process::id()))
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}
