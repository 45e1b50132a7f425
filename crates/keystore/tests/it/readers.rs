//! What we write, read back by every other reader there is, entry by entry: keys, secret keys, chains.
//!
//! `docs/formats/interop.md` is the table of the pairs; `UPDATE_EXPECT=1` writes it anew where all tools are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keystore::{Edit, Format, Limits, Password, Place, SecretKey, Store, WriteProfile};
use sha2::Digest;

use crate::made;
use crate::random;
use crate::truth::{hex, plain_pkcs8};

#[test]
fn every_reader_finds_in_our_stores_what_we_put_into_them() {
    let folder = tempfile::tempdir().unwrap();
    let written = written(folder.path());
    std::fs::write(folder.path().join("Readers.java"), include_str!("Readers.java")).unwrap();
    let mut table: BTreeMap<(&str, &str), Answer> = BTreeMap::new();
    let mut absent = Vec::new();
    let answers: Vec<Option<Vec<Answer>>> = std::thread::scope(|scope| {
        let asked: Vec<_> = READERS
            .iter()
            .map(|(_, ask)| scope.spawn(|| ask(&written, folder.path())))
            .collect();
        asked
            .into_iter()
            .map(|reader| reader.join().expect("no reader panics"))
            .collect()
    });
    for ((reader, _), answers) in READERS.iter().zip(answers) {
        match answers {
            Some(answers) => {
                for (one, answer) in written.iter().zip(answers) {
                    table.insert((one.name, reader), answer);
                }
            }
            None => {
                println!("SKIPPED: {reader} is not there");
                absent.push(*reader);
            }
        }
    }
    let failed: Vec<String> = table
        .iter()
        .filter_map(|(pair, answer)| match answer {
            Answer::Wrong(why) => Some(format!("{pair:?}: {why}")),
            _ => None,
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    compare_with_document(&written, &table, &absent);
}

/// The table is compared where every reader is there; its versions are those of that machine.
fn compare_with_document(written: &[Written], table: &BTreeMap<(&str, &str), Answer>, absent: &[&str]) {
    if !absent.is_empty() {
        println!("SKIPPED: the table in docs/formats/interop.md, as {absent:?} did not run");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/interop.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the document has its mark");
    let (_, after) = rest.split_once(END).expect("the document has its mark");
    let fresh = format!("{before}{BEGIN}{}{END}{after}", rendered(written, table));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    // Newer readers may read more than the table says; none may read less, and no row or column may be missing.
    let (old, new) = (cells(&text), cells(&fresh));
    assert_eq!(
        old.keys().collect::<Vec<_>>(),
        new.keys().collect::<Vec<_>>(),
        "docs/formats/interop.md is old: run with UPDATE_EXPECT=1"
    );
    for (pair, old) in &old {
        let new = &new[pair];
        assert!(
            old != "yes" || new == "yes",
            "{pair:?}: {new}, the document says {old}"
        );
        if old != new {
            println!("{pair:?}: {new} here, {old} in the document");
        }
    }
}

/// The cells of the table by row and column.
fn cells(text: &str) -> BTreeMap<(String, String), String> {
    let table = text.split(BEGIN).nth(1).and_then(|rest| rest.split(END).next());
    let rows: Vec<Vec<&str>> = table
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (head, rows) = rows.split_first().expect("the table has a head");
    let mut cells = BTreeMap::new();
    for row in rows {
        for (column, cell) in head.iter().zip(row).skip(1) {
            cells.insert((row[0].to_owned(), (*column).to_owned()), (*cell).to_owned());
        }
    }
    cells
}

fn rendered(written: &[Written], table: &BTreeMap<(&str, &str), Answer>) -> String {
    let names: Vec<&str> = READERS.iter().map(|(name, _)| *name).collect();
    let mut text = format!(
        "\n| written here | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for one in written {
        let cells: Vec<&str> = names
            .iter()
            .map(|reader| match table.get(&(one.name, *reader)) {
                Some(Answer::Read) => "yes",
                Some(Answer::Refused(why)) => why,
                _ => "–",
            })
            .collect();
        text.push_str(&format!("| {} | {} |\n", one.name, cells.join(" | ")));
    }
    text
}

/// What a reader made of a store.
enum Answer {
    /// Not a format of this reader.
    NotAsked,
    /// Every entry, as it was put in.
    Read,
    /// It refuses what the format allows, and why; part of the table.
    Refused(&'static str),
    Wrong(String),
}

/// A store in a file, and what was put into it.
struct Written {
    name: &'static str,
    path: PathBuf,
    format: Format,
    profile: WriteProfile,
    store: Store,
}

impl Written {
    /// SHA-256 of all certificates, of private keys as PKCS#8, and of secret keys.
    fn content(&self) -> Content {
        content(&self.store, Some(&password()))
    }

    fn has_secrets(&self) -> bool {
        self.store
            .entries()
            .iter()
            .any(|entry| entry.kind_name() == "secret-key")
    }

    fn judge(&self, found: &Content) -> Answer {
        let ours = self.content();
        if *found == ours {
            return Answer::Read;
        }
        Answer::Wrong(format!("\n  ours   {ours:?}\n  theirs {found:?}"))
    }
}

#[derive(Debug, PartialEq, Default)]
struct Content {
    certificates: BTreeSet<String>,
    keys: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

fn content(store: &Store, password: Option<&Password>) -> Content {
    let mut content = Content::default();
    for entry in store.entries() {
        content
            .certificates
            .extend(entry.certificates().iter().map(|one| hex(&one.sha256())));
        if let Ok(key) = entry.unlock(password) {
            content.keys.insert(digest(&plain_pkcs8(key.pkcs8_der())));
        }
        if let Ok(secret) = entry.unlock_secret(password) {
            content.secrets.insert(digest(secret.raw()));
        }
    }
    content
}

fn written(folder: &Path) -> Vec<Written> {
    let mut all = Vec::new();
    for (name, format, profile, with_secrets) in STORES {
        let mut store = Store::empty(*format).unwrap();
        let mut random = random::env(all.len() as u64 + 77);
        store.use_profile(*profile, &mut random.env()).unwrap();
        let set = Edit::SetPassword {
            old: None,
            new: password(),
        };
        if *format != Format::Pem {
            store.edit(&set, &mut random.env()).unwrap();
        }
        for edit in edits(*format, *with_secrets) {
            store
                .edit(&edit, &mut random.env())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let path = folder.join(format!("{}.{}", all.len(), format.name()));
        let bytes = store.write(Some(&password()), &mut random.env()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        all.push(Written {
            name,
            path,
            format: *format,
            profile: *profile,
            store,
        });
    }
    all
}

/// A key with its chain, its root as a trusted certificate, and a secret key where asked.
fn edits(format: Format, with_secrets: bool) -> Vec<Edit> {
    let named = |name: &str| (format != Format::Pem).then(|| name.to_owned());
    let (key, leaf) = made::identity("client");
    let place = Place::Last;
    let mut edits = vec![
        Edit::PutKey {
            alias: named("client"),
            key,
            chain: vec![leaf, made::certificate("inter")],
            key_password: (format == Format::Pem).then(password),
            place,
        },
        Edit::Trust {
            alias: named("root"),
            certificate: made::certificate("root"),
            place,
        },
    ];
    // GSKit presents a chain that it has the signers of.
    if format == Format::CmsKdb {
        edits.push(Edit::Trust {
            alias: named("inter"),
            certificate: made::certificate("inter"),
            place,
        });
    }
    for (number, algorithm, len) in [(0, "AES", 32), (1, "DESede", 24)] {
        if with_secrets {
            edits.push(Edit::PutSecret {
                alias: named(&format!("secret {number}")),
                key: SecretKey::new(algorithm, vec![7 + number; len]),
                key_password: None,
                place,
            });
        }
    }
    edits
}

/// `java.security.KeyStore` as keytool opens it, with Sun's own providers.
fn java(written: &[Written], folder: &Path) -> Option<Vec<Answer>> {
    ask_java(written, folder, |one| match one.format {
        Format::Jceks => Some(("SunJCE", "JCEKS")),
        Format::Jks => Some(("SUN", "JKS")),
        Format::Pkcs12 => Some(("SunJSSE", "PKCS12")),
        _ => None,
    })
}

fn bouncycastle(written: &[Written], folder: &Path) -> Option<Vec<Answer>> {
    jar()?;
    ask_java(written, folder, |one| match one.format {
        Format::Bcfks => Some(("BC", "BCFKS")),
        Format::Bks => Some(("BC", "BKS")),
        // Its PKCS#12 knows no secret keys.
        Format::Pkcs12 if !one.has_secrets() => Some(("BC", "PKCS12")),
        Format::Uber => Some(("BC", "BouncyCastle")),
        _ => None,
    })
}

fn ask_java(
    written: &[Written],
    folder: &Path,
    way: fn(&Written) -> Option<(&'static str, &'static str)>,
) -> Option<Vec<Answer>> {
    let program = folder.join("Readers.java");
    let mut command = Command::new("java");
    if let Some(jar) = jar() {
        command.arg("-cp").arg(jar);
    }
    command.arg(&program);
    for one in written {
        if let Some((provider, kind)) = way(one) {
            command.args([provider, kind]).arg(&one.path).arg(PASSWORD);
        }
    }
    let said = output(&mut command)?;
    let mut found: BTreeMap<String, Result<Content, String>> = BTreeMap::new();
    let mut last = String::new();
    for line in said.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["store", path] => {
                last = (*path).to_owned();
                found.insert(last.clone(), Ok(Content::default()));
            }
            ["error", why] => drop(found.insert(last.clone(), Err((*why).to_owned()))),
            ["entry", _, chain, rest @ ..] => {
                let Some(Ok(content)) = found.get_mut(&last) else {
                    continue;
                };
                let chain: Vec<&str> = chain.split(',').filter(|one| !one.is_empty()).collect();
                content
                    .certificates
                    .extend(chain.iter().map(|one| (*one).to_owned()));
                match rest {
                    [_, key] if chain.is_empty() => drop(content.secrets.insert((*key).to_owned())),
                    [_, key] => drop(content.keys.insert((*key).to_owned())),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let judge = |one: &Written| match (way(one), found.remove(&one.path.display().to_string())) {
        (None, _) => Answer::NotAsked,
        (Some(_), Some(Ok(content))) => one.judge(&content),
        (Some(_), Some(Err(why)))
            if one.profile == WriteProfile::Fips && why.contains("1.2.840.113549.1.5.14") =>
        {
            Answer::Refused("no PBMAC1")
        }
        (Some(_), Some(Err(why))) if one.profile == WriteProfile::Fips && why.contains("PBMAC1") => {
            Answer::Refused("no PBMAC1")
        }
        (Some(_), found) => Answer::Wrong(format!("{:?}", found.and_then(Result::err))),
    };
    let mut judge = judge;
    Some(written.iter().map(&mut judge).collect())
}

/// What `keytool -list -v` shows: the number of entries and every fingerprint.
fn keytool(written: &[Written], _: &Path) -> Option<Vec<Answer>> {
    output(Command::new("keytool").arg("-help"))?;
    let judge = |one: &Written| {
        if !matches!(one.format, Format::Jceks | Format::Jks | Format::Pkcs12) {
            return Answer::NotAsked;
        }
        let mut command = Command::new("keytool");
        command
            .args(["-list", "-v", "-storepass", PASSWORD, "-keystore"])
            .arg(&one.path);
        let Some(said) = output(&mut command) else {
            return match one.profile {
                WriteProfile::Fips => Answer::Refused("no PBMAC1"),
                _ => Answer::Wrong("keytool fails".to_owned()),
            };
        };
        let count = one.store.entries().len();
        let prints = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("SHA256: "));
        let prints: BTreeSet<String> = prints
            .map(|print| print.replace(':', "").to_lowercase())
            .collect();
        if !said.contains(&format!("contains {count} entr")) || prints != one.content().certificates {
            return Answer::Wrong(format!("{said:.500}"));
        }
        Answer::Read
    };
    Some(written.iter().map(judge).collect())
}

fn openssl(written: &[Written], _: &Path) -> Option<Vec<Answer>> {
    output(Command::new("openssl").arg("version"))?;
    let judge = |one: &Written| {
        let mut command = Command::new("openssl");
        match one.format {
            Format::Pkcs12 if !one.has_secrets() => {
                command.args(["pkcs12", "-noenc", "-passin", &format!("pass:{PASSWORD}"), "-in"]);
                command.arg(&one.path);
                if one.profile == WriteProfile::Java8 {
                    command.arg("-legacy");
                }
            }
            Format::Pem => {
                command.args([
                    "storeutl",
                    "-text",
                    "-noout",
                    "-passin",
                    &format!("pass:{PASSWORD}"),
                ]);
                command.arg(&one.path);
                return match output(&mut command) {
                    Some(said) if said.contains("Total found: 4") => Answer::Read,
                    said => Answer::Wrong(format!("{said:.500?}")),
                };
            }
            _ => return Answer::NotAsked,
        }
        match output(&mut command) {
            Some(said) => one.judge(&pem_content(&said)),
            None if one.profile == WriteProfile::Fips => Answer::Refused("PBMAC1 from 3.4 on"),
            None => Answer::Wrong("openssl fails".to_owned()),
        }
    };
    Some(written.iter().map(judge).collect())
}

fn gnutls(written: &[Written], _: &Path) -> Option<Vec<Answer>> {
    output(Command::new("certtool").arg("--version"))?;
    let judge = |one: &Written| {
        if one.format != Format::Pkcs12 || one.has_secrets() {
            return Answer::NotAsked;
        }
        let mut command = Command::new("certtool");
        command
            .args(["--p12-info", "--inder", "--password", PASSWORD, "--infile"])
            .arg(&one.path);
        match output(&mut command) {
            Some(said) => one.judge(&pem_content(&said)),
            None if one.profile == WriteProfile::Fips => Answer::Refused("PBMAC1 from 3.8.8 on"),
            None => Answer::Wrong("certtool fails".to_owned()),
        }
    };
    Some(written.iter().map(judge).collect())
}

/// Imports into a fresh database and takes everything out again.
fn nss(written: &[Written], folder: &Path) -> Option<Vec<Answer>> {
    let fresh = |name: &str| {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).unwrap();
        let database = format!("sql:{}", path.display());
        output(Command::new("certutil").args(["-N", "--empty-password", "-d", &database])).map(|_| database)
    };
    fresh("nss")?;
    let judge = |one: &Written| {
        if one.format != Format::Pkcs12 || one.has_secrets() {
            return Answer::NotAsked;
        }
        let stem = one.path.file_stem().unwrap().to_string_lossy();
        let Some(database) = fresh(&format!("nss-{stem}")) else {
            return Answer::Wrong("certutil fails".to_owned());
        };
        let mut import = Command::new("pk12util");
        import
            .args(["-d", &database, "-W", PASSWORD, "-i"])
            .arg(&one.path);
        if output(&mut import).is_none() {
            return match one.profile {
                WriteProfile::Fips => Answer::Refused("no PBMAC1"),
                _ => Answer::Wrong("pk12util fails".to_owned()),
            };
        }
        let back = folder.join(format!("nss-{stem}.p12"));
        let mut export = Command::new("pk12util");
        export
            .args(["-d", &database, "-W", PASSWORD, "-K", "", "-n", "client", "-o"])
            .arg(&back);
        if output(&mut export).is_none() {
            return Answer::Wrong("pk12util takes nothing out".to_owned());
        }
        let store = keystore::read(
            &std::fs::read(&back).unwrap(),
            Some(&password()),
            &Limits::default(),
        )
        .unwrap();
        one.judge(&content(&store, Some(&password())))
    };
    Some(written.iter().map(judge).collect())
}

fn python(written: &[Written], _: &Path) -> Option<Vec<Answer>> {
    output(Command::new("python3").args(["-c", "import cryptography"]))?;
    let judge = |one: &Written| {
        if one.format != Format::Pkcs12 || one.has_secrets() {
            return Answer::NotAsked;
        }
        let mut command = Command::new("python3");
        command.args(["-c", PYTHON, PASSWORD]).arg(&one.path);
        match output(&mut command) {
            Some(said) => one.judge(&pem_content(&said)),
            None if one.profile == WriteProfile::Fips => Answer::Refused("no PBMAC1"),
            None => Answer::Wrong("cryptography fails".to_owned()),
        }
    };
    Some(written.iter().map(judge).collect())
}

/// GSKit opens the database under its stash and presents the key; it has no way to list.
fn gskit(written: &[Written], _: &Path) -> Option<Vec<Answer>> {
    let oracle = crate::gskit::oracle()?;
    let judge = |one: &Written| {
        let asked = match one.format {
            Format::CmsKdb => true,
            Format::Pkcs12 => !one.has_secrets(),
            _ => false,
        };
        if !asked {
            return Answer::NotAsked;
        }
        let answer = oracle.ask_with(&one.path, PASSWORD);
        let subject = answer["client_subject"].as_str().unwrap_or_default();
        match answer["verdict"].as_str() {
            Some("handshake ok") if subject.contains("CN = client one") => Answer::Read,
            Some("bad password") if one.profile == WriteProfile::Fips => Answer::Refused("no PBMAC1"),
            _ => Answer::Wrong(answer.to_string()),
        }
    };
    Some(written.iter().map(judge).collect())
}

/// What our own reader finds in the PEM blocks of another tool's output.
fn pem_content(said: &str) -> Content {
    let mut blocks = String::new();
    let mut is_inside = false;
    for line in said.lines().map(str::trim) {
        is_inside |= line.starts_with("-----BEGIN ");
        if is_inside {
            blocks.push_str(line);
            blocks.push('\n');
        }
        is_inside &= !line.starts_with("-----END ");
    }
    let store = keystore::read(blocks.as_bytes(), Some(&password()), &Limits::default());
    let mut found = store
        .map(|store| content(&store, Some(&password())))
        .unwrap_or_default();
    // The same key may come twice, sealed and open.
    found.keys.retain(|key| !key.is_empty());
    found
}

/// Standard output of a command that succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        println!(
            "{command:?}: {} {said:.300}",
            String::from_utf8_lossy(&output.stderr)
        );
        return None;
    }
    Some(said)
}

fn jar() -> Option<PathBuf> {
    let path = PathBuf::from("/usr/share/java/bcprov.jar");
    path.exists().then_some(path)
}

fn digest(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

fn password() -> Password {
    Password::new(PASSWORD)
}

type Ask = fn(&[Written], &Path) -> Option<Vec<Answer>>;

const READERS: &[(&str, Ask)] = &[
    ("keytool 17", keytool),
    ("Java 17 KeyStore", java),
    ("BouncyCastle 1.72", bouncycastle),
    ("OpenSSL 3", openssl),
    ("GnuTLS certtool", gnutls),
    ("NSS pk12util", nss),
    ("Python cryptography", python),
    ("GSKit 8", gskit),
];

#[rustfmt::skip]
const STORES: &[(&str, Format, WriteProfile, bool)] = &[
    ("JKS", Format::Jks, WriteProfile::Java17, false),
    ("JCEKS with secret keys", Format::Jceks, WriteProfile::Java17, true),
    ("PKCS#12 `java8`", Format::Pkcs12, WriteProfile::Java8, false),
    ("PKCS#12 `java17`", Format::Pkcs12, WriteProfile::Java17, false),
    ("PKCS#12 `java17` with secret keys", Format::Pkcs12, WriteProfile::Java17, true),
    ("PKCS#12 `openssl3`", Format::Pkcs12, WriteProfile::Openssl3, false),
    ("PKCS#12 `gskit8`", Format::Pkcs12, WriteProfile::Gskit8, false),
    ("PKCS#12 `fips`", Format::Pkcs12, WriteProfile::Fips, false),
    ("BKS with secret keys", Format::Bks, WriteProfile::AsRead, true),
    ("UBER with secret keys", Format::Uber, WriteProfile::AsRead, true),
    ("BCFKS with secret keys", Format::Bcfks, WriteProfile::Fips, true),
    ("PEM `openssl3`", Format::Pem, WriteProfile::Openssl3, false),
    ("PEM `gskit8`", Format::Pem, WriteProfile::Gskit8, false),
    ("CMS key database", Format::CmsKdb, WriteProfile::Gskit8, false),
];

const PASSWORD: &str = "password";

const PYTHON: &str = "
import sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.serialization import pkcs12
found = pkcs12.load_pkcs12(open(sys.argv[2], 'rb').read(), sys.argv[1].encode())
print(found.key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode())
for one in [found.cert] + found.additional_certs:
    print(one.certificate.public_bytes(s.Encoding.PEM).decode())
";

const BEGIN: &str = "<!-- made by the tests, from here -->";
const END: &str = "<!-- to here -->";
