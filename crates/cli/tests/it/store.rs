//! `capgrow store …` on every format that is written, as text: a line is a command and what it changes.

mod readers;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use keystore::Format;
use keystore::Limits;
use keystore::Password;

use crate::bad_input::certificates::Made;
use crate::bad_input::certificates::Wanted;
use crate::bad_input::certificates::make;
use crate::bad_input::certificates::renewed;
use crate::bad_input::certificates::root;
use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::run;
use crate::made;

/// `FORMATS | COMMAND | EXIT | CHANGES`: S is a store with the key `own` and the trusted `root`; T one with `root` of
/// another certificate and `third`. `*` = all formats, `named` = all with names, `some` = two. Changes are `+kind name`, `-kind name`.
const CASES: &str = "
*      | add-trust S --cert extra.pem PW                                   | 0 | +trusted-cert extra ca
*      | add-trust S --cert extra.pem --cert extra.der PW                  | 0 | +trusted-cert extra ca
*      | add-trust S S ./S --cert bundle.pem PW                            | 0 | +trusted-cert extra ca, +trusted-cert other ca
*      | add-trust S --cert root.pem PW                                    | 0 |
named  | add-trust S --cert extra.pem --alias fresh PW                     | 0 | +trusted-cert fresh
named  | add-trust S --cert extra.pem --alias root PW                      | 2 |
named  | add-trust S --cert bundle.pem --alias two PW                      | 2 |
*      | add-trust S --cert extra.pem --dry-run PW                         | 0 |
*      | add-trust S --cert nothing PW                                     | 2 |
*      | add-trust S --cert leaf.key PW                                    | 2 |
named  | add-trust S --cert extra.pem --password-file wrong                | 2 |
named  | add-trust S --cert extra.pem --password-env UNSET                 | 2 |
named  | add-trust S --cert extra.pem                                      | 2 |
*      | add-trust S absent --cert extra.pem PW                            | 2 |
*      | add-trust S empty --cert extra.pem PW                             | 2 |
*      | add-trust S dir --cert extra.pem PW                               | 2 |
named  | remove S --alias root PW                                          | 0 | -trusted-cert root
named  | remove S --alias own --alias root PW                              | 0 | -private-key own, -trusted-cert root
*      | remove S --entry 1 --entry 2 PW                                   | 0 | -private-key own, -trusted-cert root
*      | remove S --sha256 LEAF PW                                         | 0 | -private-key own
*      | remove S --sha256 zz PW                                           | 2 |
*      | remove S --entry 0 PW                                             | 2 |
*      | remove S --entry 99 PW                                            | 2 |
*      | remove S --alias nobody PW                                        | 2 |
*      | remove S PW                                                       | 2 |
named  | rename S --alias own --to new-name PW                             | 0 | -private-key own, +private-key new-name
named  | rename S --sha256 LEAF --to --odd PW                              | 0 | -private-key own, +private-key --odd
named  | rename S --alias own --to root PW                                 | 2 |
named  | rename S --alias own --to own PW                                  | 0 |
named  | rename S --alias own --alias root --to x PW                       | 2 |
pem    | rename S --entry 1 --to x                                         | 2 |
*      | import S --from leaf.key --from leaf.pem --as web PW              | 0 | +private-key web
*      | import S --from leaf.pem --from leaf.key --from root.pem PW       | 0 | +private-key leaf
named  | import S --from leaf.key --from extra.pem --as web PW             | 2 |
named  | import S --from leaf.key --from leaf.pem --as own PW              | 2 |
named  | import S --from leaf.key --from leaf.pem --as own --replace PW    | 0 | ~own
*      | import S --from answer.pem PW                                     | 0 | ~own
*      | import S --from extra.pem PW                                      | 2 |
named  | import S --from T --alias third --as fourth PW FROM               | 0 | +trusted-cert fourth
named  | import S --from T --alias root PW FROM                            | 2 |
*      | merge S T PW FROM --rename                                        | 0 | +trusted-cert root-2, +trusted-cert third
named  | merge S T PW FROM                                                 | 1 |
*      | merge S S PW                                                      | 0 |
*      | merge S absent PW                                                 | 2 |
*      | convert S --to jks --out new.store PW NEW                         | 0 | =new.store
*      | convert S --to jceks --out new.store PW NEW                       | 0 | =new.store
*      | convert S --to bks --out new.store PW NEW                         | 0 | =new.store
some   | convert S --to uber --out new.store PW NEW                        | 0 | =new.store
some   | convert S --to bcfks --out new.store PW NEW                       | 0 | =new.store
*      | convert S --to pkcs12 --out new.store PW NEW                      | 0 | =new.store
*      | convert S --to kdb --out new.store PW NEW                         | 0 | =new.store
*      | convert S --to pem --out new.store PW NEW KEY                     | 0 | =new.store
*      | convert S --to p12 --out S PW NEW                                 | 0 | =S
*      | convert S --to der --out new.store PW NEW                         | 2 |
named  | convert S --to pem --out new.store PW                             | 2 |
named  | convert S --to jks --for fips --out new.store PW NEW              | 2 |
named  | password S PW NEW                                                 | 0 | =S
pem    | password S NEW                                                    | 0 | =S
named  | password S --password-file wrong NEW                              | 2 |
named  | password S PW                                                     | 2 |
*      | export S --out out.pem PW                                         | 0 |
*      | convert pipe --to p12 --out new.store                             | 2 |
*      | export S --out pipe PW                                            | 2 |
*      | export S --out nowhere/out.pem PW                                 | 2 |
named  | rename S --alias own --to ../../x PW                              | 0 | -private-key own, +private-key ../../x
named  | convert S --to p12 --out S.orig PW NEW                            | 0 | =S.orig
*      | export S --key --out out.pem PW                                   | 2 |
*      | export S --key PW NEW                                             | 2 |
*      | export S --sha256 LEAF --to der --out out.der PW                  | 2 |
";

/// A directory with the files that the cases name.
struct Place {
    dir: tempfile::TempDir,
    format: Format,
    leaf: String,
}

const ALL: [Format; 8] = [
    Format::Bcfks,
    Format::Bks,
    Format::CmsKdb,
    Format::Jceks,
    Format::Jks,
    Format::Pem,
    Format::Pkcs12,
    Format::Uber,
];

#[test]
fn without_a_home_nothing_is_put_where_somebody_else_could_look() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path();
    std::fs::write(dir.join("S"), root("Somebody").pem()).unwrap();
    let user = std::fs::metadata(dir).unwrap().uid();
    let open = dir.join(format!("capgrow-edits-{user}"));
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = capgrow(dir);
    command.env_remove("HOME").env("TMPDIR", dir);
    let ran = run(command.args(["store", "remove", "S", "--entry", "1", "--no-backup"]));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("open to others"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
}

#[test]
fn every_command_changes_what_it_says_and_nothing_else_in_every_format() {
    let material = Material::new();
    let material = &material;
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let of = |format| scope.spawn(move || wrong_in(format, material));
        let running: Vec<_> = ALL.into_iter().map(of).collect();
        running.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What goes wrong in one format. A refusal is looked at in one format, one after the other.
fn wrong_in(format: Format, material: &Material) -> Vec<String> {
    let mut wrong = Vec::new();
    let template = Place::new(format, material);
    for (number, case) in CASES.lines().filter(|line| !line.is_empty()).enumerate() {
        let [formats, command, code, changes] = case.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("not a case: {case}")
        };
        let is_pem = format == Format::Pem;
        let is_common = matches!(format, Format::CmsKdb | Format::Jks);
        let is_meant = formats == "*"
            || formats == "named" && !is_pem
            || formats == "some" && is_common
            || formats == "pem" && is_pem;
        let turn = ALL[number % ALL.len()];
        let turn = if formats == "named" && turn == Format::Pem {
            Format::Jks
        } else {
            turn
        };
        // Its derivations take as long as all others together.
        let is_slow = format == Format::Bcfks && number % 3 != 0;
        if is_meant && !is_slow && (code == "0" || is_pem && formats == "pem" || turn == format) {
            let place = template.copy();
            if let Err(why) = place.check(command, code, changes) {
                wrong.push(format!("{}: {case}\n    {why}", format.name()));
            }
        }
    }
    wrong
}

#[test]
fn a_store_held_by_another_writer_is_left_alone_and_the_holder_is_named() {
    let place = Place::new(Format::Jks, &Material::new());
    let held = std::fs::File::open(place.path("S")).unwrap();
    held.lock().unwrap();
    let ran = place.run("add-trust S --cert extra.pem PW");
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("locked by another writer"), "{}", ran.stderr);
    drop(held);
    assert_eq!(place.run("add-trust S --cert extra.pem PW").code, 0);
}

#[test]
fn owner_mode_and_link_stay_and_a_backup_holds_the_old_bytes_unless_it_is_not_wanted() {
    let place = Place::new(Format::Pkcs12, &Material::new());
    let (store, link) = (place.path("S"), place.path("link"));
    std::os::unix::fs::symlink("S", &link).unwrap();
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o640)).unwrap();
    let old = std::fs::read(&store).unwrap();
    let ran = place.run("add-trust link --cert extra.pem PW --json");
    let backup = PathBuf::from(ran.json()["files"][0]["backup"].as_str().unwrap());
    assert_eq!(std::fs::read(&backup).unwrap(), old);
    assert_eq!(std::fs::metadata(&backup).unwrap().mode() & 0o777, 0o600);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&store).unwrap().mode() & 0o777, 0o640);
    assert_ne!(std::fs::read(&store).unwrap(), old);
    let before = place.files();
    let ran = place.run("remove S --alias root PW --no-backup --json");
    assert!(ran.json()["files"][0]["backup"].is_null(), "{}", ran.stdout);
    let after = place.files();
    assert_eq!(before, after, "no file came, no file went");
}

#[test]
fn in_a_fleet_directory_backups_lie_with_those_of_runs_and_prune_takes_them() {
    let place = Place::new(Format::Jks, &Material::new());
    std::fs::write(place.path("capgrow.toml"), "version = 1\n").unwrap();
    std::fs::set_permissions(place.path("capgrow.toml"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let ran = place.run("add-trust S --cert extra.pem PW --json");
    let backup = PathBuf::from(ran.json()["files"][0]["backup"].as_str().unwrap());
    assert!(
        backup.starts_with(place.path(".capgrow/edits")),
        "{}",
        backup.display()
    );
    let prune = |words: &str| {
        run(capgrow(place.dir.path())
            .arg("prune")
            .args(words.split_whitespace()))
    };
    assert!(
        prune("--older-than 1h --approve")
            .stdout
            .contains("nothing is older")
    );
    assert!(backup.is_file());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let ran = prune("--older-than 0s --approve");
    assert!(!backup.exists(), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_file_that_gets_its_first_key_is_for_its_owner_only() {
    let place = Place::new(Format::Jks, &Material::new());
    place.run("add-trust trust.jks --create jks --cert extra.pem PW");
    std::fs::set_permissions(place.path("trust.jks"), std::fs::Permissions::from_mode(0o644)).unwrap();
    place.run("add-trust trust.jks --cert root.pem PW");
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().mode() & 0o777;
    assert_eq!(mode("trust.jks"), 0o644);
    place.run("import trust.jks --from leaf.key --from leaf.pem PW");
    assert_eq!(mode("trust.jks"), 0o600);
    place.run("export S --key --clear-key --out out.pem PW");
    assert_eq!(mode("out.pem"), 0o600);
    place.run("convert S --to kdb --stash --out new.kdb PW");
    for name in ["new.kdb", "new.rdb", "new.crl", "new.sth"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}

#[test]
fn a_stash_gets_the_new_password_and_opens_the_store_again() {
    let place = Place::new(Format::CmsKdb, &Material::new());
    std::fs::rename(place.path("S"), place.path("key.kdb")).unwrap();
    std::fs::write(place.path("key.sth"), made::stash("changeit")).unwrap();
    let ran = place.run("password key.kdb NEW");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("key.sth has the new password"),
        "{}",
        ran.stdout
    );
    assert_eq!(place.run("add-trust key.kdb --cert extra.pem").code, 0);
    std::fs::write(place.path("key.sth"), made::stash("another")).unwrap();
    let ran = place.run("password key.kdb --password-file new --new-password-file pw");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("another password"), "{}", ran.stderr);
}

#[test]
fn collisions_are_told_all_at_once_with_those_that_differ_in_case_only() {
    let material = Material::new();
    let place = Place::new(Format::Bks, &material);
    let edits = [
        made::trust(Some("ROOT"), &material.other),
        made::trust(Some("own"), &material.extra),
    ];
    std::fs::write(
        place.path("T"),
        made::store(Format::Bks, Some("of the other"), &edits),
    )
    .unwrap();
    let ran = place.run("merge S T PW FROM --json");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let found = ran.json();
    let list: Vec<(&str, &str)> = found["collisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["alias"].as_str().unwrap(), one["with"].as_str().unwrap()))
        .collect();
    assert_eq!(list, [("ROOT", "root"), ("own", "own")]);
}

#[test]
fn a_directory_of_hashed_names_gets_a_file_for_each_new_certificate() {
    let place = Place::new(Format::Pem, &Material::new());
    std::fs::create_dir(place.path("ca")).unwrap();
    let ran = place.run("add-trust ca --cert extra.pem --json");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.json()["files"][0]["after"], 1);
    let names: Vec<_> = std::fs::read_dir(place.path("ca")).unwrap().flatten().collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].file_name().to_string_lossy().ends_with(".0"));
    let again = place.run("add-trust ca --cert extra.pem --json");
    assert_eq!(again.json()["changed"], false);
}

/// Certificates and keys, made once.
struct Material {
    root: keystore::Certificate,
    extra: keystore::Certificate,
    other: keystore::Certificate,
    own: Made,
    leaf: Made,
    answer: Made,
}

impl Material {
    fn new() -> Material {
        let top = root("Test root");
        let wanted = |common_name, days| Wanted {
            common_name,
            valid: (-1, days),
            ..Wanted::default()
        };
        let own = make(&wanted("Own", 300), Some(&top));
        Material {
            root: certificate(&top),
            extra: certificate(&root("Extra CA")),
            other: certificate(&root("Other CA")),
            leaf: make(&wanted("Leaf", 300), Some(&top)),
            answer: renewed(&wanted("Own", 301), &own, &top),
            own,
        }
    }
}

fn certificate(made: &Made) -> keystore::Certificate {
    keystore::Certificate::parse(&made.certificate.to_der().unwrap()).unwrap()
}

impl Place {
    fn new(format: Format, material: &Material) -> Place {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        let pem = |certificates: &[&keystore::Certificate]| {
            let edits: Vec<keystore::Edit> = certificates.iter().map(|one| made::trust(None, one)).collect();
            made::store(Format::Pem, None, &edits)
        };
        let key = keystore::read(&material.own.key_pem(), None, &Limits::default()).unwrap();
        let key = key.entries()[0].unlock(None).unwrap();
        let chain = [certificate(&material.own), material.root.clone()];
        let has_names = format != Format::Pem;
        let name = |name: &'static str| has_names.then_some(name);
        let edits = [
            made::key(name("own"), &key, &chain, None),
            made::trust(name("root"), &material.root),
        ];
        let store = made::store(format, has_names.then_some("changeit"), &edits);
        write("S", &store);
        write("S.orig", &store);
        let edits = [
            made::trust(Some("root"), &material.other),
            made::trust(Some("third"), &material.extra),
        ];
        write("T", &made::store(Format::Bks, Some("of the other"), &edits));
        write("extra.pem", &pem(&[&material.extra]));
        write("extra.der", material.extra.der());
        write("bundle.pem", &pem(&[&material.extra, &material.other]));
        write("root.pem", &pem(&[&material.root]));
        write("leaf.key", &material.leaf.key_pem());
        write("leaf.pem", &material.leaf.pem());
        write("answer.pem", &material.answer.pem());
        std::process::Command::new("mkfifo")
            .arg(dir.path().join("pipe"))
            .status()
            .unwrap();
        write("empty", b"");
        write("pw", b"changeit\n");
        write("wrong", b"another\n");
        write("other", b"of the other");
        write("new", b"quite new");
        std::fs::create_dir(dir.path().join("dir")).unwrap();
        write("dir/some.pem", &pem(&[&material.extra]));
        let leaf = fleet::snapshot::hex(&certificate(&material.own).sha256());
        Place { dir, format, leaf }
    }

    /// The same files in another directory.
    fn copy(&self) -> Place {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("dir")).unwrap();
        for path in self.files().iter().chain([&self.path("dir/some.pem")]) {
            if path.ends_with("pipe") {
                let made = std::process::Command::new("mkfifo")
                    .arg(dir.path().join("pipe"))
                    .status();
                assert!(made.unwrap().success());
            }
            if path.is_file() {
                let to = dir.path().join(path.strip_prefix(self.dir.path()).unwrap());
                std::fs::copy(path, to).unwrap();
            }
        }
        Place {
            dir,
            format: self.format,
            leaf: self.leaf.clone(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, words: &str) -> Ran {
        let words = words
            .replace("LEAF", &self.leaf[..20])
            .replace("PW", "--password-file pw")
            .replace("FROM", "--from-password-file other")
            .replace("NEW", "--new-password-file new")
            .replace("KEY", "--clear-key");
        run(capgrow(self.dir.path())
            .arg("store")
            .args(words.split_whitespace()))
    }

    /// Every file, but for the backups.
    fn files(&self) -> BTreeSet<PathBuf> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn check(&self, command: &str, code: &str, changes: &str) -> Result<(), String> {
        let before = self.listed("S", "changeit");
        let bytes = std::fs::read(self.path("S")).unwrap();
        let files = self.files();
        let ran = self.run(command);
        if ran.code.to_string() != code {
            return Err(format!("exit code {}: {}{}", ran.code, ran.stdout, ran.stderr));
        }
        if ran.stderr.contains("panicked") || ran.code == 2 && ran.stderr.is_empty() {
            return Err(format!("says: {}", ran.stderr));
        }
        if let Some(name) = changes.strip_prefix('=') {
            let old = if name == "S" { "S.orig" } else { "S" };
            let ran = self.run(&format!("diff {old} {name} PW --from-password-file new"));
            return if ran.code == 0 {
                Ok(())
            } else {
                Err(format!("{}{}", ran.stdout, ran.stderr))
            };
        }
        let unchanged = std::fs::read(self.path("S")).unwrap() == bytes;
        if changes.is_empty() {
            let came: Vec<_> = self.files().difference(&files).cloned().collect();
            let came = came
                .iter()
                .filter(|path| !path.ends_with("out.pem") && !path.ends_with(".local"));
            return if unchanged && came.count() == 0 {
                Ok(())
            } else {
                Err("files changed".to_owned())
            };
        }
        self.compare(&before, &self.listed("S", "changeit"), changes)
    }

    fn compare(&self, before: &[Listed], after: &[Listed], changes: &str) -> Result<(), String> {
        let gone: Vec<&Listed> = before.iter().filter(|one| !after.contains(one)).collect();
        let came: Vec<&Listed> = after.iter().filter(|one| !before.contains(one)).collect();
        let words = |sign: &str, one: &Listed| format!("{sign}{} {}", one.0, one.1);
        let mut found: Vec<String> = gone
            .iter()
            .map(|one| words("-", one))
            .chain(came.iter().map(|one| words("+", one)))
            .collect();
        let mut wanted: Vec<String> = match changes.strip_prefix('~') {
            Some(name) => ["-", "+"].map(|sign| format!("{sign}private-key {name}")).into(),
            None => changes.split(", ").map(str::to_owned).collect(),
        };
        if self.format == Format::Pem {
            let kind = |text: &String| text.split(' ').next().unwrap_or_default().to_owned();
            (found, wanted) = (
                found.iter().map(kind).collect(),
                wanted.iter().map(kind).collect(),
            );
        }
        found.sort();
        wanted.sort();
        if found == wanted {
            Ok(())
        } else {
            Err(format!("changed {found:?}"))
        }
    }

    /// Kind, name in lower case and fingerprints of each entry, as another reader of the library sees them.
    fn listed(&self, name: &str, password: &str) -> Vec<Listed> {
        let bytes = std::fs::read(self.path(name)).unwrap();
        if bytes.is_empty() {
            return Vec::new();
        }
        let store = keystore::read(&bytes, Some(&Password::new(password)), &Limits::default()).unwrap();
        let of = |entry: &keystore::Entry| {
            // A database of GSKit finds the issuers of a key among its other entries.
            let chain = if self.format == Format::CmsKdb {
                1
            } else {
                usize::MAX
            };
            let prints = entry
                .certificates()
                .iter()
                .take(chain)
                .map(|one| one.sha256())
                .collect();
            (
                entry.kind_name(),
                entry.alias().unwrap_or_default().to_lowercase(),
                prints,
            )
        };
        store.entries().iter().map(of).collect()
    }
}

type Listed = (&'static str, String, Vec<[u8; 32]>);
