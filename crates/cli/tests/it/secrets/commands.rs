//! Every command on a fleet whose passwords and keys are known, and every place where one could come out.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;

use keystore::Format;

use crate::bad_input::certificates::Made;
use crate::bad_input::certificates::Wanted;
use crate::bad_input::certificates::make;
use crate::bad_input::certificates::root;
use crate::corpus::capgrow;
use crate::corpus::run;
use crate::made;

#[test]
fn no_command_lets_a_password_or_a_key_out() {
    let fleet = Fleet::new();
    for words in [
        "scan",
        "inspect hosts new",
        "inspect hosts new --password-file pass/trust",
        "plan",
        "plan --explain jks",
        "plan --runbook md",
        "plan --runbook sh",
        "plan --runbook cmd",
        "check DIGEST",
        "plan diff DIGEST DIGEST",
        "apply DIGEST",
        "status",
        "apply DIGEST --approve",
        "apply --resume",
        "status",
        "verify",
        "report",
        "report --html",
        "undo",
        "undo --approve",
        "prune --older-than 0s",
        "prune --older-than 0s --approve",
        "verdict --chain new/chain.pem --trust hosts/h/srv/trust.jks --password-file pass/trust",
        "init",
        "man",
        "completions bash",
    ] {
        fleet.every_form(words);
    }
    fleet.every_form("scan");
    for (name, content) in [
        ("pass/trust", "canary-of-another-mine"),
        ("pass/new", "canary-of-another-mine"),
        ("hosts/h/srv/kdb.sth", "canary-of-another-mine, too short"),
    ] {
        let right = std::fs::read(fleet.path(name)).unwrap();
        write(&fleet.path(name), content.as_bytes());
        for words in [
            "scan",
            "plan",
            "status",
            "verify",
            "apply DIGEST",
            "apply DIGEST --approve",
        ] {
            fleet.every_form(words);
        }
        write(&fleet.path(name), &right);
    }
    let dumped = std::fs::read(fleet.path("hosts/h/srv/dump")).unwrap();
    assert!(
        String::from_utf8_lossy(&dumped).contains("--approve"),
        "the command lines of the run were looked at"
    );
    assert!(
        fleet.runs_done(),
        "the fleet was moved and moved back, so that every kind of record was written"
    );
}

/// One host with a component for each way to a password; restarting one shows what anybody on the host could see.
struct Fleet {
    dir: tempfile::TempDir,
    /// What must not come out, in every form in which it could.
    secrets: Vec<(String, Vec<u8>)>,
    /// Files that hold secrets by their nature.
    originals: BTreeSet<Vec<u8>>,
    /// Files of `.capgrow` never change, but journals grow.
    looked_at: RefCell<BTreeSet<(PathBuf, usize)>>,
}

impl Fleet {
    fn new() -> Fleet {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["hosts/h/srv/bin", "new", "pass"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        let (old_root, new_root) = (root("Old root"), root("New root"));
        let old: Vec<Made> = ["jks", "p12", "kdb", "pem"]
            .iter()
            .map(|name| {
                let wanted = Wanted {
                    common_name: name,
                    ..Wanted::default()
                };
                make(&wanted, Some(&old_root))
            })
            .collect();
        let new = make(&Wanted::default(), Some(&new_root));
        let srv = |name: &str| at("hosts/h/srv").join(name);
        for (made, (format, name)) in old.iter().zip([
            (Format::Jks, "id.jks"),
            (Format::Pkcs12, "id.p12"),
            (Format::CmsKdb, "id.kdb"),
        ]) {
            let (key, chain) = taken(made);
            let edits = [made::key(Some("own"), &key, &chain, None)];
            write(
                &srv(name),
                &made::store(format, Some(&canary(&name[3..])), &edits),
            );
        }
        write(&srv("kdb.sth"), &made::stash(&canary("kdb")));
        let mut pem = old[3].key_pem();
        pem.extend(old[3].pem());
        write(&srv("id.pem"), &pem);
        let (_, old_anchor) = taken(&old_root);
        let trust = made::trust(Some("old"), &old_anchor[0]);
        write(
            &srv("trust.jks"),
            &made::store(Format::Jks, Some(&canary("trust")), &[trust]),
        );
        let trust = made::trust(Some("old"), &old_anchor[0]);
        write(
            &srv("literal.jks"),
            &made::store(Format::Jks, Some(&canary("literal")), &[trust]),
        );
        write(&at("pass/trust"), format!("{}\n", canary("trust")).as_bytes());
        write(&at("pass/new"), format!("{}\n", canary("new")).as_bytes());
        let settings = format!(
            "store.password = {}\nalias = own\nother.password = {}\n",
            canary("p12"),
            canary("beside")
        );
        write(&srv("p12.properties"), settings.as_bytes());
        let mut chain = new.pem();
        chain.extend(new_root.pem());
        write(&at("new/chain.pem"), &chain);
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        let sealed = new
            .key
            .private_key_to_pem_pkcs8_passphrase(cipher, canary("new").as_bytes());
        write(&at("new/tls.key"), &sealed.unwrap());
        let dump = "#!/bin/sh\nfor p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done >>dump 2>/dev/null\nenv >>dump\n";
        write(&srv("bin/restart"), dump.as_bytes());
        std::fs::set_permissions(srv("bin/restart"), std::fs::Permissions::from_mode(0o700)).unwrap();
        write(&at("capgrow.toml"), fleet_file().as_bytes());
        let mut secrets = Vec::new();
        for made in old.iter().chain([&new]) {
            secrets.extend(forms_of_key(made));
        }
        for name in ["jks", "p12", "kdb", "trust", "literal", "new", "beside"] {
            secrets.extend(forms_of_password(&canary(name)));
        }
        secrets.extend(forms_of_password("canary-of-another-mine"));
        let originals = files(dir.path())
            .into_iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect();
        Fleet {
            dir,
            secrets,
            originals,
            looked_at: RefCell::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a command as a person would, with everything turned up, and as a script would.
    fn every_form(&self, words: &str) {
        for form in ["-vv", "--json"] {
            let mut command = capgrow(self.dir.path());
            command
                .env("RUST_BACKTRACE", "full")
                .env("RUST_LOG", "trace")
                .env("CANARY_JKS", canary("jks"))
                .env("PATH", "/usr/bin:/bin");
            for word in words.split_whitespace() {
                let digest = self.digest();
                command.arg(if word == "DIGEST" { digest.as_str() } else { word });
            }
            if words == "init" {
                command.arg("-C").arg(self.path("pass"));
            }
            let ran = run(command.args(form.split_whitespace()));
            let about = format!(
                "capgrow {words} {form}\n{}{}exit code {}",
                ran.stdout, ran.stderr, ran.code
            );
            assert!(!ran.stderr.contains("panicked"), "{about}");
            self.nothing_in(ran.stdout.as_bytes(), &about);
            self.nothing_in(ran.stderr.as_bytes(), &about);
        }
        self.nothing_kept(&format!("capgrow {words}"));
    }

    /// Looks through `.capgrow` and what the restarts saw; only whole copies of the fleet's own files may hold secrets.
    fn nothing_kept(&self, about: &str) {
        let mut places = Vec::new();
        if self.path(".capgrow").is_dir() {
            places.extend(files(&self.path(".capgrow")));
        }
        places.extend([self.path("hosts/h/srv/dump")]);
        for path in places {
            let Ok(bytes) = std::fs::read(&path) else { continue };
            if !self.looked_at.borrow_mut().insert((path.clone(), bytes.len())) {
                continue;
            }
            let in_backups = path.parent().is_some_and(|dir| dir.ends_with("backups"));
            if in_backups && (self.originals.contains(&bytes) || is_of_the_fleet(&bytes)) {
                continue;
            }
            self.nothing_in(&bytes, &format!("{} after {about}", path.display()));
        }
    }

    fn nothing_in(&self, bytes: &[u8], about: &str) {
        // One letter a byte: the search for text is the fast one.
        let letters = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        let text = letters(bytes);
        for (what, secret) in &self.secrets {
            assert!(!text.contains(&letters(secret)), "{what} came out: {about}");
        }
    }

    fn digest(&self) -> String {
        let plans = std::fs::read_dir(self.path(".capgrow/plans"));
        let mut names: Vec<(std::time::SystemTime, String)> = plans
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let at = entry.metadata().unwrap().modified().unwrap();
                (at, name.trim_end_matches(".json").to_owned())
            })
            .collect();
        names.sort();
        names.pop().map_or_else(|| "0000".to_owned(), |(_, name)| name)
    }

    fn runs_done(&self) -> bool {
        let mut journals = files(&self.path(".capgrow/runs"))
            .into_iter()
            .filter(|path| path.ends_with("journal"));
        journals.any(|path| {
            let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            text.contains("\"reverses\"") && text.contains("\"finished\"")
        })
    }
}

/// A backup of a file that the run itself wrote: undoing keeps those, stores and settings alike.
fn is_of_the_fleet(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"store.password = ") {
        return true;
    }
    matches!(
        keystore::sniff(bytes),
        Some(Format::Jks | Format::Pkcs12 | Format::CmsKdb | Format::Pem)
    )
}

fn fleet_file() -> String {
    let component = |name: &str, runtime: &str, stores: &str| {
        format!(
            "[components.{name}]\nhost = \"h\"\nproduct = \"generic\"\nruntime = \"{runtime}\"\ndir = \"/srv\"\n\
             effective = {{ restart = [\"bin/restart\"], takes = \"2s\" }}\nstores = [{stores}]\n"
        )
    };
    let identity = |file: &str, password: &str| {
        format!("{{ id = \"id\", file = \"/srv/{file}\", holds = [\"identity\"]{password} }}, ")
    };
    let mut text = "version = 1\n[hosts.h]\nroot = \"hosts/h\"\n".to_owned();
    text += &component(
        "jks",
        "java17",
        &(identity("id.jks", ", password = { env = \"CANARY_JKS\" }")
            + "{ id = \"ca\", file = \"/srv/trust.jks\", holds = [\"trust\"], password = { file = \"pass/trust\" } }, "
            + "{ id = \"ca2\", file = \"/srv/literal.jks\", holds = [\"trust\"], password = { literal = \"canary-literal-of-the-mine\" } }"),
    );
    let setting = ", password = { setting = { file = \"/srv/p12.properties\", syntax = \"properties\", key = \"store.password\" } }";
    text += &component("p12", "java17", &identity("id.p12", setting));
    text += "[[components.p12.settings]]\nfile = \"/srv/p12.properties\"\nsyntax = \"properties\"\nkey = \"alias\"\nselects = \"alias of id\"\n";
    text += &component(
        "kdb",
        "gskit8",
        &identity("id.kdb", ", password = { stash = \"/srv/kdb.sth\" }"),
    );
    text += &component("pem", "openssl", &identity("id.pem", ""));
    text + "[[rotate]]\nname = \"move\"\nleave = \"*\"\nto = { chain = \"new/chain.pem\", key = \"new/tls.key\", \
            alias = \"fresh\", password = { file = \"pass/new\" } }\n"
}

fn canary(name: &str) -> String {
    format!("canary-{name}-of-the-mine")
}

fn taken(made: &Made) -> (keystore::PrivateKey, Vec<keystore::Certificate>) {
    let store = keystore::read(&made.key_pem(), None, &keystore::Limits::default()).unwrap();
    let key = store.entries()[0].unlock(None).unwrap();
    let certificate = keystore::Certificate::parse(&made.certificate.to_der().unwrap()).unwrap();
    (key, vec![certificate])
}

/// The secret number of an EC key, raw, in hexadecimal, and in base64 wherever it may begin in a group of three.
fn forms_of_key(made: &Made) -> Vec<(String, Vec<u8>)> {
    use base64::Engine;
    let number = made.key.ec_key().unwrap().private_key().to_vec();
    let mut forms = vec![
        ("a key".to_owned(), number.clone()),
        (
            "a key in hexadecimal".to_owned(),
            fleet::snapshot::hex(&number).into_bytes(),
        ),
    ];
    for skip in 0..3 {
        let whole = (number.len() - skip) / 3 * 3;
        let text = base64::engine::general_purpose::STANDARD.encode(&number[skip..skip + whole]);
        forms.push((
            "a key in base64".to_owned(),
            text.into_bytes()[..36.min(whole / 3 * 4)].to_vec(),
        ));
    }
    forms
}

/// A password as it is, in base64 (also as Workload Automation writes it), in hexadecimal and with Liberty's xor.
fn forms_of_password(password: &str) -> Vec<(String, Vec<u8>)> {
    use base64::Engine;
    let base64 = |bytes: &[u8]| {
        base64::engine::general_purpose::STANDARD
            .encode(bytes)
            .into_bytes()
    };
    let xored: Vec<u8> = password.bytes().map(|byte| byte ^ b'_').collect();
    let forms = [
        password.as_bytes().to_vec(),
        base64(password.as_bytes()),
        base64(&xored),
        fleet::snapshot::hex(password.as_bytes()).into_bytes(),
    ];
    forms
        .into_iter()
        .map(|form| (format!("the password {password}"), form))
        .collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
