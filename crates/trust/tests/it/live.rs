//! The runtimes that are installed, asked live about chains made from a fresh seed: OpenSSL and GnuTLS by their programs.
//! What is not installed is skipped with a word. The seed is printed; `LIVE_SEED` and `LIVE_CHAINS` set it and their number.
#![allow(
    clippy::disallowed_methods,
    reason = "a test runs programs and reads the clock for its seed"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keystore::Certificate;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
};
use trust::{Computed, Purpose, Question, runtime, verdict};

#[test]
fn installed_runtimes_say_what_our_profiles_say_about_fresh_chains() {
    let now = i64::try_from(since_epoch().as_secs()).unwrap();
    let seed = number("LIVE_SEED").unwrap_or_else(|| since_epoch().subsec_nanos().into());
    let count = number("LIVE_CHAINS").unwrap_or(40);
    println!("LIVE_SEED={seed}");
    let dir = std::env::temp_dir().join(format!("capgrow-live-{}-{seed}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let asked: Vec<&Asked> = ASKED.iter().filter(|asked| is_there(asked.program)).collect();
    let mut random = Random(seed);
    let (mut wrong, mut accepted, mut compared) = (Vec::new(), 0, 0);
    for _ in 0..count {
        let made = Made::new(&mut random, now);
        made.write(&dir);
        for asked in &asked {
            // certtool refuses some end entities that are their own anchor; the library, which the profile describes,
            // takes them (verdict mig:new-leaf-only/leaf).
            if asked.runtime == "gnutls" && made.is_leaf_anchor {
                continue;
            }
            let real = (asked.ask)(&dir, &made);
            let ours = made.ours(asked.runtime, now);
            compared += 1;
            accepted += u32::from(real.0);
            if real.0 != ours.0 {
                wrong.push(format!(
                    "{}: {}: says {real:?}, ours {ours:?}",
                    asked.runtime, made.what
                ));
            }
        }
    }
    let _ = std::fs::remove_dir_all(&dir);
    println!(
        "{compared} verdicts, {accepted} accepted, {} disagree",
        wrong.len()
    );
    assert!(wrong.is_empty(), "LIVE_SEED={seed}\n{}", wrong.join("\n"));
    if !asked.is_empty() && count >= 40 {
        assert!(
            accepted > 0 && accepted < compared,
            "chains of one kind only: {accepted} of {compared}"
        );
    }
}

struct Asked {
    program: &'static str,
    runtime: &'static str,
    ask: fn(&Path, &Made) -> (bool, String),
}

const ASKED: &[Asked] = &[
    Asked {
        program: "openssl",
        runtime: "openssl-seclevel1",
        ask: |dir, made| openssl(dir, made, &[]),
    },
    Asked {
        program: "openssl",
        runtime: "openssl-partial",
        ask: |dir, made| openssl(dir, made, &["-partial_chain"]),
    },
    Asked {
        program: "certtool",
        runtime: "gnutls",
        ask: gnutls,
    },
];

fn is_there(program: &str) -> bool {
    let found = Command::new(program)
        .arg(if program == "openssl" {
            "version"
        } else {
            "--version"
        })
        .output();
    if found.is_err() {
        println!("SKIPPED: no {program}");
    }
    found.is_ok()
}

fn openssl(dir: &Path, made: &Made, more: &[&str]) -> (bool, String) {
    let mut command = Command::new("openssl");
    let purpose = if made.purpose == Purpose::Server {
        "sslserver"
    } else {
        "sslclient"
    };
    command.current_dir(dir).args([
        "verify",
        "-no-CApath",
        "-no-CAstore",
        "-purpose",
        purpose,
        "-auth_level",
        "1",
    ]);
    command
        .args(["-CAfile", "anchors.pem", "-untrusted", "sent.pem"])
        .args(more);
    if let Some(name) = made.name {
        command.args(["-verify_hostname", name]);
    }
    let ran = command.arg("leaf.pem").output().unwrap();
    (
        ran.status.success(),
        String::from_utf8_lossy(&ran.stderr).trim().to_owned(),
    )
}

fn gnutls(dir: &Path, made: &Made) -> (bool, String) {
    let mut command = Command::new("certtool");
    command.current_dir(dir).args([
        "--verify",
        "--load-ca-certificate",
        "anchors.pem",
        "--infile",
        "chain.pem",
    ]);
    let purpose = if made.purpose == Purpose::Server {
        "1.3.6.1.5.5.7.3.1"
    } else {
        "1.3.6.1.5.5.7.3.2"
    };
    command.args(["--verify-profile", "low", "--verify-purpose", purpose]);
    if let Some(name) = made.name {
        command.args(["--verify-hostname", name]);
    }
    let ran = command.output().unwrap();
    (
        ran.status.success(),
        String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
    )
}

/// A chain with at most a few things wrong with it.
pub struct Made {
    pub what: String,
    pub chain: Vec<Certificate>,
    pub anchors: Vec<Certificate>,
    pub purpose: Purpose,
    pub name: Option<&'static str>,
    /// The leaf's, PKCS#8: for runtimes that judge in a handshake. None for Ed25519, which is written in a form (RFC 5958
    /// version 2) that OpenSSL 3.0 does not read.
    pub key: Option<Vec<u8>>,
    is_leaf_anchor: bool,
}

impl Made {
    pub fn new(random: &mut Random, now: i64) -> Self {
        let purpose = if random.one_in(4) {
            Purpose::Client
        } else {
            Purpose::Server
        };
        let mut what = format!("{purpose:?}");
        let mut oddity = |name: &str, chance: u64| {
            let is_odd = random.one_in(chance);
            if is_odd {
                what.push_str(", ");
                what.push_str(name);
            }
            is_odd
        };
        let expired_leaf = oddity("expired leaf", 9);
        let expired_root = oddity("expired root", 9);
        let future_int = oddity("intermediate of the future", 12);
        let wrong_usage = oddity("other purpose", 8);
        let constrained = oddity("name constraint", 6);
        let excluded = constrained && oddity("violated", 2);
        let short = oddity("pathlen 0 on the root", 9);
        let is_int_missing = oddity("intermediate missing", 9);
        let is_int_anchor = oddity("intermediate is the anchor", 6);
        let is_leaf_anchor = oddity("leaf is an anchor", 9);
        let has_stranger = oddity("a stranger sent too", 5);
        let is_other_name = oddity("other name", 8);
        let is_cross = oddity("root cross-signed by an old one", 6);
        let no_cert_sign = oddity("intermediate without keyCertSign", 10);
        let [old, root, int, leaf, odd] = [0; 5].map(|_| random.key());
        let mut root_params = params("New Root", now, true);
        if expired_root {
            root_params.not_after = at(now - 86_400);
        }
        if short {
            root_params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        }
        let mut int_params = params("Intermediate", now, true);
        if future_int {
            int_params.not_before = at(now + 5 * 86_400);
        }
        if no_cert_sign {
            int_params.key_usages = vec![KeyUsagePurpose::CrlSign];
        }
        if constrained {
            let base = if excluded { "other.test" } else { "peer.test" };
            int_params.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![GeneralSubtree::DnsName(base.to_owned())],
                excluded_subtrees: Vec::new(),
            });
        }
        let mut leaf_params = params("Leaf", now, false);
        if expired_leaf {
            leaf_params.not_after = at(now - 86_400);
        }
        let is_server = (purpose == Purpose::Server) != wrong_usage;
        leaf_params.extended_key_usages = vec![if is_server {
            ExtendedKeyUsagePurpose::ServerAuth
        } else {
            ExtendedKeyUsagePurpose::ClientAuth
        }];
        let old_params = params("Old Root", now, true);
        let read = |cert: &rcgen::Certificate| Certificate::parse(cert.der()).unwrap();
        let root_cert = read(&root_params.self_signed(&root).unwrap());
        let old_cert = read(&old_params.self_signed(&old).unwrap());
        let crossed = read(
            &root_params
                .signed_by(&root, &Issuer::from_params(&old_params, &old))
                .unwrap(),
        );
        let int_cert = read(
            &int_params
                .signed_by(&int, &Issuer::from_params(&root_params, &root))
                .unwrap(),
        );
        let leaf_cert = read(
            &leaf_params
                .signed_by(&leaf, &Issuer::from_params(&int_params, &int))
                .unwrap(),
        );
        let stranger = read(&params("Stranger", now, true).self_signed(&odd).unwrap());
        let mut chain = vec![leaf_cert.clone()];
        if !is_int_missing {
            chain.push(int_cert.clone());
        }
        if is_cross {
            chain.push(crossed);
        }
        if has_stranger {
            chain.insert(1, stranger);
        }
        let mut anchors = vec![if is_cross { old_cert } else { root_cert }];
        if is_int_anchor {
            anchors = vec![int_cert];
        }
        if is_leaf_anchor {
            anchors.push(leaf_cert);
        }
        let name = match purpose {
            Purpose::Client => None,
            Purpose::Server if is_other_name => Some("elsewhere.test"),
            Purpose::Server => Some("peer.test"),
        };
        Self {
            what,
            chain,
            anchors,
            purpose,
            name,
            key: (leaf.algorithm() != &PKCS_ED25519).then(|| leaf.serialize_der()),
            is_leaf_anchor,
        }
    }

    fn write(&self, dir: &Path) {
        let pem = |certs: &[Certificate]| certs.iter().map(armoured).collect::<String>();
        for (file, certs) in [
            ("leaf.pem", &self.chain[..1]),
            ("sent.pem", &self.chain[..]),
            ("chain.pem", &self.chain[..]),
            ("anchors.pem", &self.anchors[..]),
        ] {
            std::fs::write(dir.join(file), pem(certs)).unwrap();
        }
    }

    pub fn ours(&self, name: &str, now: i64) -> (bool, String) {
        let question = Question {
            chain: &self.chain,
            anchors: &self.anchors,
            intermediates_known: &[],
            purpose: self.purpose,
            name: self.name,
            at_unix: now,
        };
        let found = verdict(runtime(name).unwrap(), &question, &Computed::new());
        (found.accepts(), found.prints())
    }
}

fn armoured(cert: &Certificate) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(cert.der());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

fn params(name: &str, now: i64, is_ca: bool) -> CertificateParams {
    let names = if is_ca {
        Vec::new()
    } else {
        vec!["peer.test".to_owned()]
    };
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = at(now - 30 * 86_400);
    params.not_after = at(now + 30 * 86_400);
    params.use_authority_key_identifier_extension = true;
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    }
    params
}

/// That moment, as the maker of certificates wants it.
fn at(unix: i64) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(unix).unwrap()
}

/// SplitMix64. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_in(&mut self, chance: u64) -> bool {
        self.next().is_multiple_of(chance)
    }

    fn key(&mut self) -> KeyPair {
        let algorithms = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
        let index = usize::try_from(self.next() % 3).unwrap();
        KeyPair::generate_for(algorithms[index]).unwrap()
    }
}

pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
