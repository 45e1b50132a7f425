//! `plan --runbook`: the shell form carried out by keytool, openssl and a GSKit, and what the other forms say.
//!
//! A hub that openssl serves, and three that dial it from a JKS, a PKCS#12 with a PEM bundle, and a CMS database. `apply`
//! moves them, `undo` takes them back; then the runbook moves the same files, and takes them back.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use keystore::Certificate;
use keystore::Edit;
use keystore::Format;
use keystore::Limits;
use keystore::Password;
use keystore::PrivateKey;

use crate::corpus::capgrow;
use crate::corpus::run;
use crate::foreign::material::Party;
use crate::made;

/// The fleet, and the server of its hub.
struct Fleet {
    dir: tempfile::TempDir,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = Command::new("/bin/sh")
            .arg(self.host("srv/hub/restart"))
            .arg("stop")
            .status();
    }
}

impl Fleet {
    fn new(port: u16) -> Fleet {
        let fleet = Fleet {
            dir: tempfile::tempdir().unwrap(),
        };
        let (old, new) = (Party::authority("Old Works CA"), Party::authority("New Works CA"));
        let hub = old.leaf("hub");
        let put = |path: &str, bytes: &[u8]| fleet.put(&format!("host/srv/{path}"), bytes);
        put("hub/tls.key", &hub.key_pem());
        put("hub/tls.crt", &hub.chain_pem());
        let anchor = old.certificate.to_pem().unwrap();
        put("hub/ca.pem", &[b"# who may call\n".as_slice(), &anchor].concat());
        put("hub/restart", restart(fleet.dir.path(), port).as_bytes());
        put(
            "hub/hub.properties",
            b"tls.secret = hidden-word\ntls.allow = jks;p12;kdb\n",
        );
        let trust = |name: &str| made::trust(Some(name), &certificate(&old));
        let key = |alias: &str, party: &Party| {
            let (key, chain) = identity(party);
            made::key(Some(alias), &key, &chain, None)
        };
        put(
            "jks/id.jks",
            &made::store(Format::Jks, Some("jks-word"), &[key("me", &old.leaf("jks"))]),
        );
        put(
            "jks/ca.jks",
            &made::store(Format::Jks, Some("jks-word"), &[trust("works")]),
        );
        put(
            "p12/id.p12",
            &made::store(Format::Pkcs12, Some("p12-word"), &[key("me", &old.leaf("p12"))]),
        );
        put("p12/ca.pem", &anchor);
        let all: Vec<Edit> = vec![trust("works"), key("me", &old.leaf("kdb"))];
        put(
            "kdb/key.kdb",
            &made::store(Format::CmsKdb, Some("kdb-word"), &all),
        );
        put("kdb/key.sth", &made::stash("kdb-word"));
        for name in ["hub", "jks", "p12", "kdb"] {
            let leaf = new.leaf(name);
            let pem = [leaf.chain_pem()].concat();
            fleet.put(&format!("new/{name}.pem"), &pem);
            fleet.put(&format!("new/{name}.key"), &leaf.key_pem());
        }
        fleet.put("pw", b"jks-word\n");
        fleet.put("pw12", b"p12-word\n");
        fleet.put("capgrow.toml", TOML.replace("PORT", &port.to_string()).as_bytes());
        for name in ["capgrow.toml", "pw", "pw12"] {
            let path = fleet.dir.path().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let command = fleet.host("srv/hub/restart");
        std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Command::new("/bin/sh").arg(command).status().unwrap().success());
        fleet
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn host(&self, path: &str) -> PathBuf {
        self.dir.path().join("host").join(path)
    }

    #[track_caller]
    fn good(&self, words: &str) -> String {
        let ran = run(capgrow(self.dir.path()).args(words.split_whitespace()));
        assert_eq!(ran.code, 0, "{words}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Every file of the host, but what the server leaves.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = BTreeMap::new();
        for folder in ["hub", "jks", "p12", "kdb"] {
            for entry in std::fs::read_dir(self.host("srv").join(folder)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if name != "pid" && name != "log" {
                    all.insert(format!("{folder}/{name}"), std::fs::read(&path).unwrap());
                }
            }
        }
        all
    }

    /// What the stores and settings hold: kinds, names and certificates, in an order of their own.
    fn entries(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        for (name, bytes) in self.bytes() {
            let password = match name.split('/').next() {
                Some("jks") => Some(Password::new("jks-word")),
                Some("p12") if name.ends_with(".p12") => Some(Password::new("p12-word")),
                Some("kdb") => Some(Password::new("kdb-word")),
                _ => None,
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut rows: Vec<String> = if name.ends_with(".properties") {
                vec![text]
            } else if let Ok(store) = keystore::read(&bytes, password.as_ref(), &Limits::default()) {
                store
                    .entries()
                    .iter()
                    .map(|entry| row(entry, password.as_ref()))
                    .collect()
            } else {
                continue;
            };
            rows.sort();
            all.insert(name, rows);
        }
        all
    }

    /// The script with these words, in an environment of its own.
    fn script(&self, words: &[&str], path: &str) -> std::process::Output {
        let mut command = Command::new("/bin/sh");
        command
            .arg(self.dir.path().join("runbook.sh"))
            .args(words)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir.path().join("home"))
            .env("ROOT", self.dir.path().join("host"))
            .env("JRE", "/nowhere")
            .envs(self.variables())
            .stdin(std::process::Stdio::null());
        command.output().unwrap()
    }

    /// The secrets, by what the script says that its variables are.
    fn variables(&self) -> Vec<(String, String)> {
        let script = std::fs::read_to_string(self.dir.path().join("runbook.sh")).unwrap();
        let mut found = Vec::new();
        for line in script.lines().filter_map(|line| line.strip_prefix("  need ")) {
            let name = line.split(' ').next().unwrap().to_owned();
            let value = if line.contains("pw12") {
                "p12-word".to_owned()
            } else if line.contains(" pw of") {
                "jks-word".to_owned()
            } else {
                let of = ["hub", "jks", "p12", "kdb"];
                let party = of
                    .into_iter()
                    .find(|of| line.contains(&format!("private key of {of}")))
                    .unwrap_or_else(|| panic!("{line}"));
                self.dir
                    .path()
                    .join(format!("new/{party}.key"))
                    .display()
                    .to_string()
            };
            found.push((name, value));
        }
        found
    }
}

#[test]
fn the_shell_form_does_with_the_original_programs_what_apply_does_and_takes_it_back() {
    let Some(path) = programs() else { return };
    let fleet = Fleet::new(24_113);
    fleet.good("scan");
    let before = fleet.bytes();
    let plan: serde_json::Value = serde_json::from_str(&fleet.good("plan --json")).unwrap();
    let phases = plan["phases"].as_u64().unwrap();
    assert!(phases >= 3, "{plan}");
    let script = fleet.good("plan --runbook sh");
    for secret in [
        "jks-word",
        "p12-word",
        "kdb-word",
        "hidden-word",
        "PRIVATE KEY-----\n",
    ] {
        assert!(!script.contains(secret), "{secret}");
    }
    fleet.put("runbook.sh", script.as_bytes());
    let digest = plan["digest"].as_str().unwrap();
    fleet.good(&format!("apply {digest} --approve"));
    let wanted = fleet.entries();
    fleet.good("undo --approve");
    assert_eq!(fleet.bytes(), before);
    missing_secrets_are_said_before_anything_is_touched(&fleet, &path, &before);
    for phase in 1..=phases {
        let done = fleet.script(&["here", &phase.to_string()], &path);
        assert!(done.status.success(), "{phase}: {}", told(&done));
        let again = fleet.script(&["here", &phase.to_string()], &path);
        assert!(told(&again).contains("done before"), "{}", told(&again));
    }
    assert_eq!(fleet.entries(), wanted);
    let early = fleet.script(&["here", "1", "rollback"], &path);
    assert_eq!(
        early.status.code(),
        Some(3),
        "a later phase is not back yet: {}",
        told(&early)
    );
    for phase in (1..=phases).rev() {
        let back = fleet.script(&["here", &phase.to_string(), "rollback"], &path);
        assert!(back.status.success(), "{phase}: {}", told(&back));
    }
    assert_eq!(fleet.bytes(), before);
    // A file that somebody changed is not touched.
    fleet.put("host/srv/jks/ca.jks", b"another");
    let first = (1..=phases).map(|phase| fleet.script(&["here", &phase.to_string()], &path));
    let stopped = first.into_iter().find(|done| !done.status.success()).unwrap();
    assert!(
        told(&stopped).contains("/srv/jks/ca.jks is not what the plan saw"),
        "{}",
        told(&stopped)
    );
}

fn missing_secrets_are_said_before_anything_is_touched(
    fleet: &Fleet,
    path: &str,
    before: &BTreeMap<String, Vec<u8>>,
) {
    let output = Command::new("/bin/sh")
        .arg(fleet.dir.path().join("runbook.sh"))
        .args(["here", "1"])
        .env_clear()
        .env("PATH", path)
        .env("HOME", fleet.dir.path().join("home"))
        .env("ROOT", fleet.dir.path().join("host"))
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(
        told(&output).contains("export KEY_1 (the file with the new private key"),
        "{}",
        told(&output)
    );
    assert_eq!(&fleet.bytes(), before);
}

#[test]
fn the_other_forms_have_every_command_and_no_secret() {
    let fleet = match programs() {
        Some(_) => Fleet::new(24_114),
        None => return,
    };
    fleet.good("scan");
    let sheet = fleet.good("plan --runbook md");
    for text in [
        "keytool -importcert -noprompt -alias new-works-ca",
        "gsk8capicmd_64 -cert -add -label \"new-works-ca\"",
        "gsk8capicmd_64 -cert -import",
        "openssl pkcs12 -export",
        "`cp -p BACKUP/",
        "openssl s_client -connect 127.0.0.1:24114",
        "\nBack:\n",
    ] {
        assert!(sheet.contains(text), "{text} in {sheet}");
    }
    let batch = fleet.good("plan --runbook cmd");
    is_a_command_file(&batch);
    for text in [&sheet, &batch] {
        for secret in ["jks-word", "p12-word", "kdb-word", "hidden-word"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}

#[test]
fn a_workload_automation_domain_has_scripts_that_parse() {
    let domain = crate::domain::Domain::made(14, |_| {});
    let (script, _) = domain.said(&["plan", "--runbook", "sh"], 0);
    let file = domain.dir.join("runbook.sh");
    std::fs::write(&file, &script).unwrap();
    let parsed = Command::new("/bin/sh").arg("-n").arg(&file).output().unwrap();
    assert!(parsed.status.success(), "{}", told(&parsed));
    for text in [
        "gsk_key - ",
        "JavaExt/jre/jre/bin",
        "within 1",
        "run '/opt/IBM/TWA' '/opt/IBM/TWA/TWS/StartUpLwa'",
        "must show FTA1 linked before the next step",
    ] {
        assert!(script.contains(text), "{text} in {script}");
    }
    assert!(!script.contains("  fail 'what"), "what every file holds is known");
    is_a_command_file(&domain.said(&["plan", "--runbook", "cmd"], 0).0);
}

/// What a command file must keep to, as far as it can be told without its interpreter: line ends, labels that are called
/// and there, quotes that close, nothing of another shell.
#[track_caller]
fn is_a_command_file(batch: &str) {
    assert!(batch.lines().count() > 100);
    assert_eq!(batch.matches('\n').count(), batch.matches("\r\n").count());
    assert!(!batch.to_lowercase().contains("powershell"));
    let (commands, script) = batch.split_once("@end\r\n").unwrap();
    let labels: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix(':'))
        .map(str::trim)
        .collect();
    let mut unique = labels.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), labels.len(), "each label once");
    for line in commands.lines() {
        assert!(line.len() < 8192, "{line}");
        if !line.starts_with("rem ") && !line.starts_with("echo ") && !line.starts_with(">>") {
            assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        }
        for word in ["call :", "goto "] {
            for rest in line.split(word).skip(1) {
                let label: String = rest
                    .chars()
                    .take_while(|c| !c.is_whitespace() && *c != ')')
                    .collect();
                let computed = label.contains('%');
                assert!(computed || labels.contains(&label.as_str()), "{label}: {line}");
            }
        }
    }
    assert_eq!(script.matches('{').count(), script.matches('}').count());
    assert_eq!(script.matches('(').count(), script.matches(')').count());
    if let Ok(node) = Command::new("node").arg("--version").output()
        && node.status.success()
    {
        let file = tempfile::Builder::new().suffix(".js").tempfile().unwrap();
        std::fs::write(file.path(), script).unwrap();
        let parsed = Command::new("node")
            .arg("--check")
            .arg(file.path())
            .output()
            .unwrap();
        assert!(parsed.status.success(), "{}", told(&parsed));
    } else {
        println!("SKIPPED: no node, the script in the tail of the command file is not parsed");
    }
}

/// A PATH with all programs; `None` where one is not there.
fn programs() -> Option<String> {
    for (name, word) in [("keytool", "-help"), ("openssl", "version")] {
        if Command::new(name).arg(word).output().is_err() {
            println!("SKIPPED: no {name}, so no runbook is carried out");
            return None;
        }
    }
    // The stand-in speaks for GSKit where that is not installed.
    static LINK: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let dir = LINK.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_capgrow"), dir.path().join("gsk8capicmd_64")).unwrap();
        dir
    });
    let own = std::env::var("PATH").unwrap_or_default();
    Some(format!("{own}:{}", dir.path().display()))
}

fn told(output: &std::process::Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// An entry: its kind, its name without regard to case, its certificates, and the key behind it.
fn row(entry: &keystore::Entry, password: Option<&Password>) -> String {
    let chain: Vec<String> = entry
        .certificates()
        .iter()
        .map(|one| fleet::snapshot::hex(&one.sha256()[..6]))
        .collect();
    let alias = entry.alias().unwrap_or_default().to_lowercase();
    let key = matches!(entry.body(), keystore::Body::PrivateKey { .. });
    let opens = key && entry.unlock(password).is_ok();
    format!("{alias} key={key} opens={opens} {}", chain.join(","))
}

fn certificate(party: &Party) -> Certificate {
    Certificate::parse(&party.certificate.to_der().unwrap()).unwrap()
}

fn identity(party: &Party) -> (PrivateKey, Vec<Certificate>) {
    let pem = [party.key_pem(), party.chain_pem()].concat();
    let store = keystore::read(&pem, None, &Limits::default()).unwrap();
    let entry = store
        .entries()
        .iter()
        .find(|entry| matches!(entry.body(), keystore::Body::PrivateKey { .. }))
        .unwrap();
    (entry.unlock(None).unwrap(), entry.certificates().to_vec())
}

/// Ends the server of the hub and starts it again with what lies there.
fn restart(dir: &Path, port: u16) -> String {
    let hub = dir.join("host/srv/hub");
    format!(
        "#!/bin/sh\ncd '{}' || exit 1\n[ ! -e pid ] || kill $(cat pid) 2>/dev/null\nrm -f pid\n[ \"$1\" != stop ] || exit 0\n\
         i=0; while openssl s_client -connect 127.0.0.1:{port} </dev/null 2>&1 | grep -q ^CONNECTED; do i=$((i+1)); [ $i -lt 50 ] || exit 1; sleep 0.1; done\n\
         openssl s_server -accept 127.0.0.1:{port} -cert tls.crt -cert_chain tls.crt -key tls.key -CAfile ca.pem -Verify 3 -verify_return_error -www \
         >log 2>&1 </dev/null &\necho $! >pid\n",
        hub.display()
    )
}

const TOML: &str = r#"version = 1
[hosts.here]
root = "host"
[components.hub]
host = "here"
product = "generic"
runtime = "openssl"
dir = "/srv/hub"
stores = [
    { id = "id", key-file = "/srv/hub/tls.key", cert-file = "/srv/hub/tls.crt", holds = ["identity"] },
    { id = "ca", file = "/srv/hub/ca.pem", holds = ["trust"] } ]
listens = [{ name = "api", address = "127.0.0.1:PORT", client-certificate = "required" }]
effective = { restart = ["/srv/hub/restart"], healthy = "tcp:PORT", process = { pid-file = "/srv/hub/pid" }, takes = "10s" }
settings = [{ file = "/srv/hub/hub.properties", syntax = "properties", key = "tls.allow", selects = "allowed-names", separator = ";" }]
new = { chain = "new/hub.pem", key = "new/hub.key" }
[components.jks]
host = "here"
product = "generic"
runtime = "java17"
dir = "/srv/jks"
stores = [
    { id = "id", file = "/srv/jks/id.jks", holds = ["identity"], password = { file = "pw" } },
    { id = "ca", file = "/srv/jks/ca.jks", holds = ["trust"], password = { file = "pw" } } ]
dials = [{ to = "hub", endpoint = "api", identity = "id" }]
effective = { restart = ["true"] }
new = { chain = "new/jks.pem", key = "new/jks.key" }
[components.p12]
host = "here"
product = "generic"
runtime = "openssl"
dir = "/srv/p12"
stores = [
    { id = "id", file = "/srv/p12/id.p12", holds = ["identity"], password = { file = "pw12" } },
    { id = "ca", file = "/srv/p12/ca.pem", holds = ["trust"] } ]
dials = [{ to = "hub", endpoint = "api", identity = "id" }]
effective = { restart = ["true"] }
new = { chain = "new/p12.pem", key = "new/p12.key" }
[components.kdb]
host = "here"
product = "generic"
runtime = "gskit8"
dir = "/srv/kdb"
stores = [
    { id = "all", file = "/srv/kdb/key.kdb", holds = ["identity", "trust"], alias = "me", password = { stash = "/srv/kdb/key.sth" } } ]
dials = [{ to = "hub", endpoint = "api", identity = "all" }]
effective = { restart = ["true"] }
new = { chain = "new/kdb.pem", key = "new/kdb.key" }
[[rotate]]
name = "new-works"
leave = "*"
"#;
