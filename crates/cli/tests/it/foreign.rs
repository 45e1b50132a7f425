//! Three programs that are not ours, each with an identity of its own, moved live from an old authority to a new one.

mod counter;
pub mod material;
mod programs;

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::run;
use counter::Clients;
use counter::Count;
use counter::Duty;
use counter::Post;
use counter::Speech;
use material::Party;
use programs::Fleet;
use programs::Programs;

#[test]
fn nginx_postgresql_and_a_java_program_move_without_a_failed_handshake_and_back() {
    let _alone = crate::live::alone();
    let programs = match Programs::find() {
        Ok(programs) => programs,
        Err(missing) => {
            println!("SKIPPED: no {missing}");
            return;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL runs as its own user and has to reach its files.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (old, new) = (Party::authority("Old Works CA"), Party::authority("New Works CA"));
    let fleet = Fleet::start(programs, dir.path(), &old);
    let place = dir.path().join("fleet");
    declare(&fleet, &place, &new);
    let clients = Clients {
        old: old.leaf("an old caller"),
        new: new.leaf("a new caller"),
    };
    let posts = posts(&fleet);
    let before = files(&fleet);
    let end = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        for post in &posts {
            scope.spawn(|| counter::watch(post, &clients, &end));
        }
        let outcome = std::panic::catch_unwind(|| there_and_back(&place, &posts, &clients, &fleet, &before));
        end.store(true, Ordering::SeqCst);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    judge(&posts, &fleet);
}

/// `init` to `verify`, then `undo`.
fn there_and_back(
    place: &Path,
    posts: &[Post],
    clients: &Clients,
    fleet: &Fleet,
    before: &BTreeMap<String, (u32, u32, u32, Vec<u8>)>,
) {
    let refused = run(capgrow(place).arg("init"));
    assert_eq!(
        refused.code, 2,
        "init never overwrites: {}{}",
        refused.stdout, refused.stderr
    );
    good(place, &["scan"]);
    let plan = good(place, &["plan", "--json"]).json();
    let digest = plan["digest"].as_str().unwrap().to_owned();
    good(place, &["check", &digest]);
    good(place, &["apply", &digest]);
    assert_eq!(&files(fleet), before, "a dry run changes nothing");
    assert_eq!(states(place, "S0"), ["S0"; 3]);
    let approve = ["apply", &digest, "--approve", "--json-lines"];
    followed(place, &approve, &plan, posts, false);
    good(place, &["verify"]);
    assert_eq!(states(place, "S2"), ["S2"; 3]);
    for post in posts {
        let let_in = [0, 1].map(|turn| counter::is_let_in(post, clients, turn));
        assert_eq!(let_in, [false, true], "{}: only the new client gets in", post.id);
    }
    let after = files(fleet);
    for (path, (mode, owner, group, _)) in before {
        let now = &after[path];
        assert_eq!(
            (mode, owner, group),
            (&now.0, &now.1, &now.2),
            "{path}: mode and owner"
        );
    }
    let changed = before
        .iter()
        .filter(|(path, was)| after[*path].3 != was.3)
        .count();
    assert_eq!(changed, 8, "two key pairs, a key store and three trust stores");
    let undo = good(place, &["undo", "--json"]).json();
    followed(place, &["undo", "--approve", "--json-lines"], &undo, posts, true);
    assert_eq!(&files(fleet), before, "undo restores bytes, modes and owners");
    good(place, &["verify", "--state", "S0"]);
}

fn good(place: &Path, arguments: &[&str]) -> Ran {
    let ran = run(capgrow(place).args(arguments));
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran
}

fn states(place: &Path, expected: &str) -> Vec<String> {
    let ran = good(place, &["status", "--json", "--state", expected]);
    let components = ran.json()["components"].as_array().unwrap().clone();
    let text = |component: &Value| component["state"].as_str().unwrap().to_owned();
    components.iter().map(text).collect()
}

/// Runs a plan and keeps the programs' duties as its events tell.
fn followed(place: &Path, arguments: &[&str], plan: &Value, posts: &[Post], undo: bool) {
    let steps: BTreeMap<&str, &Value> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["id"].as_str().unwrap(), step))
        .collect();
    let errors = place.join("stderr");
    let mut child = capgrow(place)
        .args(arguments)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let mut done = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(event) = serde_json::from_str::<Value>(&line.unwrap()) else {
            continue;
        };
        let Some(step) = event["step"].as_str().and_then(|id| steps.get(id)) else {
            continue;
        };
        let post = posts.iter().find(|post| step["component"] == post.id).unwrap();
        let has = |word: &str| step["events"].as_array().unwrap().iter().any(|had| had == word);
        let mut duty = post.duty.lock().unwrap();
        match event["event"].as_str() {
            Some("begin") => {
                duty.may_be_away = post.id == "ledger";
                duty.old &= undo || !has("retire");
                duty.new &= !undo || !has("grow");
            }
            Some("done") => {
                done += 1;
                duty.may_be_away = false;
                duty.old |= undo && has("retire");
                duty.new |= !undo && has("grow");
            }
            _ => {}
        }
    }
    let status = child.wait().unwrap();
    let said = fs::read_to_string(&errors).unwrap();
    assert!(status.success(), "{arguments:?}: {status}: {said}");
    assert_eq!(done, steps.len(), "every step was told of: {said}");
}

fn posts(fleet: &Fleet) -> Vec<Post> {
    let speech = [
        ("web", Speech::Http),
        ("db", Speech::Postgres),
        ("ledger", Speech::Plain),
    ];
    let posts = speech.iter().zip(fleet.ports).map(|((id, speech), port)| Post {
        id,
        address: format!("{}:{port}", fleet.host),
        speech: *speech,
        duty: Mutex::new(Duty {
            old: true,
            ..Duty::default()
        }),
        count: Mutex::new(Count::default()),
    });
    posts.collect()
}

/// No call failed that had to succeed, and there were calls enough to tell.
fn judge(posts: &[Post], fleet: &Fleet) {
    for post in posts {
        let count = post.count.lock().unwrap().clone();
        println!(
            "{}: {:?} good, {} excused, {} failed",
            post.id,
            count.good,
            count.excused,
            count.failed.len()
        );
        assert!(count.failed.is_empty(), "{:#?}", count.failed);
        assert!(
            count.good.iter().all(|good| *good > 10),
            "{}: too few calls",
            post.id
        );
        assert!(
            count.excused == 0 || post.id == "ledger",
            "{} was never to be away",
            post.id
        );
    }
    let calls = fs::read_to_string(fleet.dir.join("ledger/calls.log")).unwrap();
    let failed: Vec<&str> = calls.lines().filter(|line| line.starts_with("failed")).collect();
    let good = calls.lines().count() - failed.len();
    println!(
        "the Java program's own calls: {good} good, {} failed",
        failed.len()
    );
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(good > 20, "the Java program made {good} calls only");
}

/// Mode, owner, group and bytes of every store.
fn files(fleet: &Fleet) -> BTreeMap<String, (u32, u32, u32, Vec<u8>)> {
    let paths = [
        "web/tls.crt",
        "web/tls.key",
        "web/ca.crt",
        "db/server.crt",
        "db/server.key",
        "db/ca.crt",
        "ledger/ledger.p12",
        "ledger/trust.jks",
    ];
    let read = |path: &str| {
        let file = fleet.dir.join(path);
        let facts = fs::metadata(&file).unwrap();
        let bytes = fs::read(&file).unwrap();
        (path.to_owned(), (facts.mode(), facts.uid(), facts.gid(), bytes))
    };
    paths.into_iter().map(read).collect()
}

/// The fleet directory: `capgrow.toml` and the new identities.
fn declare(fleet: &Fleet, place: &Path, new: &Party) {
    fs::create_dir_all(place.join("new")).unwrap();
    for name in ["web", "db", "ledger"] {
        let party = new.leaf(&format!("{name}.example"));
        fs::write(place.join(format!("new/{name}.pem")), party.chain_pem()).unwrap();
        let key = place.join(format!("new/{name}.key"));
        fs::write(&key, party.key_pem()).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let argv = |words: Vec<String>| {
        let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut nginx = vec![fleet.programs.nginx.display().to_string()];
    nginx.extend(fleet.nginx());
    nginx.extend(["-s".to_owned(), "reload".to_owned()]);
    let mut postgres = fleet.postgres("reload");
    if postgres[0] == "setpriv" {
        postgres[0] = "/usr/bin/setpriv".to_owned();
    }
    let text = FLEET
        .replace("DIR", &fleet.dir.display().to_string())
        .replace("HOST", &fleet.host)
        .replace("WEB_RELOAD", &argv(nginx))
        .replace("DB_RELOAD", &argv(postgres))
        .replace("WEB_PORT", &fleet.ports[0].to_string())
        .replace("DB_PORT", &fleet.ports[1].to_string())
        .replace("LEDGER_PORT", &fleet.ports[2].to_string());
    let file = place.join("capgrow.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
}

const FLEET: &str = r#"version = 1

[hosts.here]
look-in = ["DIR"]

[components.web]
host = "here"
product = "generic"
runtime = "openssl"
stores = [
    { id = "id", cert-file = "DIR/web/tls.crt", key-file = "DIR/web/tls.key", holds = ["identity"] },
    { id = "ca", file = "DIR/web/ca.crt", holds = ["trust"] },
]
listens = [{ name = "https", address = "HOST:WEB_PORT", identity = "id", trust = "ca", client-certificate = "required", server-name = "web.example" }]
dials = [{ to = "ledger", endpoint = "books", identity = "id", trust = "ca", expects = "ledger.example" }]
new = { chain = "new/web.pem", key = "new/web.key" }

[components.web.effective]
reload = WEB_RELOAD
process = { pid-file = "DIR/web/nginx.pid" }
healthy = "tcp:WEB_PORT"
takes = "20s"

[components.db]
host = "here"
product = "generic"
runtime = "openssl"
stores = [
    { id = "id", cert-file = "DIR/db/server.crt", key-file = "DIR/db/server.key", holds = ["identity"] },
    { id = "ca", file = "DIR/db/ca.crt", holds = ["trust"] },
]
listens = [{ name = "sql", address = "HOST:DB_PORT", client-certificate = "required", starttls = "postgres" }]
new = { chain = "new/db.pem", key = "new/db.key" }

[components.db.effective]
reload = DB_RELOAD
process = { address = "HOST:DB_PORT" }
healthy = "tcp:DB_PORT"
takes = "20s"

[components.ledger]
host = "here"
product = "generic"
runtime = "java17"
stores = [
    { id = "id", file = "DIR/ledger/ledger.p12", holds = ["identity"], password = { literal = "identity" } },
    { id = "ca", file = "DIR/ledger/trust.jks", holds = ["trust"], password = { literal = "believed" } },
]
listens = [{ name = "books", address = "HOST:LEDGER_PORT", client-certificate = "required" }]
dials = [
    { to = "web", endpoint = "https", identity = "id", trust = "ca", expects = "web.example" },
    { to = "db", endpoint = "sql", identity = "id", trust = "ca" },
]
new = { chain = "new/ledger.pem", key = "new/ledger.key" }

[components.ledger.effective]
restart = ["DIR/ledger/restart.sh"]
process = { pid-file = "DIR/ledger/pid" }
healthy = "tcp:LEDGER_PORT"
takes = "30s"

[[rotate]]
name = "leave-the-old-authority"
leave = "*"
"#;
