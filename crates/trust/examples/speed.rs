//! How long a verdict takes, beside rustls-webpki with the same provider and OpenSSL's `X509_verify_cert`, in one run.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark measures time and fails by panicking"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use keystore::Certificate;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContext};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use trust::{Claim, Computed, Purpose, Question, Signatures, runtime, verdict};

fn main() {
    println!(
        "| chain of three | ours, decoded before | ours, from bytes | rustls-webpki | OpenSSL | ours, signatures cached |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for (name, algorithm) in [("RSA-2048", &PKCS_RSA_SHA256), ("P-256", &PKCS_ECDSA_P256_SHA256)] {
        let made = Made::new(algorithm);
        let fresh = || Fresh;
        let decoded = time(|| made.ours(&made.chain, &made.anchors, &fresh()));
        let whole = time(|| {
            let read = |ders: &[Vec<u8>]| -> Vec<Certificate> {
                ders.iter()
                    .map(|der| Certificate::from_der(der).unwrap())
                    .collect()
            };
            made.ours(&read(&made.chain_der), &read(&made.anchor_der), &fresh())
        });
        let webpki = time(|| made.webpki());
        let store = made.openssl_store();
        let openssl = time(|| made.openssl(&store));
        let cache = Computed::new();
        let cached = time(|| made.ours(&made.chain, &made.anchors, &cache));
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            micros(decoded),
            micros(whole),
            micros(webpki),
            micros(openssl),
            micros(cached)
        );
    }
}

/// Computes every signature anew.
struct Fresh;

impl Signatures for Fresh {
    fn holds(&self, claim: &Claim<'_>) -> bool {
        trust::compute(claim)
    }
}

struct Made {
    chain: Vec<Certificate>,
    anchors: Vec<Certificate>,
    chain_der: Vec<Vec<u8>>,
    anchor_der: Vec<Vec<u8>>,
}

impl Made {
    fn new(algorithm: &'static SignatureAlgorithm) -> Self {
        let keys = [0; 3].map(|_| KeyPair::generate_for(algorithm).unwrap());
        let (root, int, leaf) = (params("root", true), params("int", true), params("leaf", false));
        let root_cert = root.self_signed(&keys[0]).unwrap();
        let int_cert = int
            .signed_by(&keys[1], &Issuer::from_params(&root, &keys[0]))
            .unwrap();
        let leaf_cert = leaf
            .signed_by(&keys[2], &Issuer::from_params(&int, &keys[1]))
            .unwrap();
        let chain_der = vec![leaf_cert.der().to_vec(), int_cert.der().to_vec()];
        let anchor_der = vec![root_cert.der().to_vec()];
        let read = |ders: &[Vec<u8>]| {
            ders.iter()
                .map(|der| Certificate::from_der(der).unwrap())
                .collect()
        };
        Self {
            chain: read(&chain_der),
            anchors: read(&anchor_der),
            chain_der,
            anchor_der,
        }
    }

    fn ours(&self, chain: &[Certificate], anchors: &[Certificate], signatures: &dyn Signatures) {
        let question = Question {
            chain,
            anchors,
            intermediates_known: &[],
            purpose: Purpose::Server,
            name: Some("leaf.test"),
            at_unix: NOW,
        };
        let found = verdict(runtime("rustls").unwrap(), &question, signatures);
        assert!(found.accepts(), "{}", found.prints());
        black_box(found);
    }

    fn webpki(&self) {
        let leaf = CertificateDer::from(self.chain_der[0].as_slice());
        let end = webpki::EndEntityCert::try_from(&leaf).unwrap();
        let root = CertificateDer::from(self.anchor_der[0].as_slice());
        let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
        let sent = [CertificateDer::from(self.chain_der[1].as_slice())];
        let path = end
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                &sent,
                UnixTime::since_unix_epoch(Duration::from_secs(NOW.cast_unsigned())),
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .unwrap();
        black_box(path);
        let name = ServerName::try_from("leaf.test").unwrap();
        end.verify_is_valid_for_subject_name(&name).unwrap();
    }

    fn openssl_store(&self) -> X509Store {
        let mut builder = X509StoreBuilder::new().unwrap();
        builder
            .add_cert(X509::from_der(&self.anchor_der[0]).unwrap())
            .unwrap();
        builder.set_flags(X509VerifyFlags::NO_CHECK_TIME).unwrap();
        builder.build()
    }

    /// From bytes, as a handshake has them; the store is built once.
    fn openssl(&self, store: &X509Store) {
        let leaf = X509::from_der(&self.chain_der[0]).unwrap();
        let mut sent = Stack::new().unwrap();
        sent.push(X509::from_der(&self.chain_der[1]).unwrap()).unwrap();
        let mut context = X509StoreContext::new().unwrap();
        let is_good = context
            .init(store, &leaf, &sent, |context| context.verify_cert())
            .unwrap();
        assert!(is_good);
    }
}

fn params(name: &str, is_ca: bool) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["leaf.test".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    if is_ca {
        params.subject_alt_names.clear();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    } else {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    }
    params
}

/// The median of many rounds.
fn time(run: impl Fn()) -> Duration {
    let begin = Instant::now();
    let mut rounds = Vec::new();
    while begin.elapsed() < Duration::from_secs(2) {
        let start = Instant::now();
        (0..ROUND).for_each(|_| run());
        rounds.push(start.elapsed() / ROUND);
    }
    rounds.sort();
    rounds[rounds.len() / 2]
}

fn micros(time: Duration) -> String {
    format!("{:.1} µs", time.as_secs_f64() * 1e6)
}

const ROUND: u32 = 50;
const NOW: i64 = 1_795_262_400;
