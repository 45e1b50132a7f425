//! What a verdict carries besides yes and no.

use keystore::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use trust::{Computed, Purpose, Question, Reject, Verdict, runtime, runtimes, verdict};

#[test]
fn an_accepted_chain_comes_with_its_path_to_the_anchor() {
    let Made { leaf, root, .. } = made();
    for profile in runtimes() {
        let signatures = Computed::new();
        let found = verdict(
            profile,
            &question(std::slice::from_ref(&leaf), std::slice::from_ref(&root)),
            &signatures,
        );
        let Verdict::Accept(accepted) = &found else {
            panic!("{}: {}", profile.name, found.prints());
        };
        assert_eq!(accepted.path, [leaf.clone(), root.clone()], "{}", profile.name);
        assert!(!found.trace().steps.is_empty(), "{}", profile.name);
    }
}

#[test]
fn a_stranger_as_anchor_is_no_path_for_every_runtime() {
    let Made { leaf, .. } = made();
    let stranger = made().root;
    for profile in runtimes() {
        let signatures = Computed::new();
        let found = verdict(
            profile,
            &question(std::slice::from_ref(&leaf), std::slice::from_ref(&stranger)),
            &signatures,
        );
        assert!(!found.accepts(), "{}", profile.name);
        assert!(!found.prints().is_empty(), "{}", profile.name);
    }
}

#[test]
fn a_wrong_date_is_told_rather_than_unknown_issuer() {
    let Made { leaf, root, .. } = made();
    for name in [
        "openssl",
        "java-pkix",
        "go",
        "rustls",
        "gnutls",
        "nss-pkix",
        "gskit8",
    ] {
        let signatures = Computed::new();
        let (chain, anchors) = ([leaf.clone()], [root.clone()]);
        let late = Question {
            at_unix: 32_503_680_000,
            ..question(&chain, &anchors)
        };
        let found = verdict(runtime(name).unwrap(), &late, &signatures);
        assert_eq!(
            found.reason(),
            Some(Reject::Expired),
            "{name}: {}",
            found.prints()
        );
    }
}

#[test]
fn the_words_are_those_of_the_runtime() {
    let Made { leaf, .. } = made();
    let stranger = made_named("other").root;
    let signatures = Computed::new();
    let ask = |name: &str| {
        let (chain, anchors) = ([leaf.clone()], [stranger.clone()]);
        verdict(runtime(name).unwrap(), &question(&chain, &anchors), &signatures).prints()
    };
    assert_eq!(
        ask("openssl"),
        "20: unable to get local issuer certificate (depth 0)"
    );
    assert!(ask("java17").starts_with("ValidatorException: PKIX path building failed"));
    assert_eq!(ask("rustls"), "InvalidCertificate(UnknownIssuer)");
    assert!(ask("gskit8").contains("414"));
}

#[test]
fn what_no_document_says_about_gskit_is_undecided_and_never_accepted() {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    let pinned = Certificate::parse(params.self_signed(&key).unwrap().der()).unwrap();
    let signatures = Computed::new();
    let (chain, anchors) = ([pinned.clone()], [pinned]);
    let found = verdict(
        runtime("gskit8").unwrap(),
        &question(&chain, &anchors),
        &signatures,
    );
    assert!(
        matches!(&found, Verdict::Undecided(undecided) if undecided.leans_to_accept),
        "{}",
        found.prints()
    );
    assert!(!found.accepts());
}

#[test]
fn a_recorded_signature_answers_as_the_computed_one_and_an_unrecorded_one_fails() {
    let Made { leaf, root, .. } = made();
    let (chain, anchors) = ([leaf], [root]);
    let question = question(&chain, &anchors);
    let profile = runtime("go").unwrap();
    let computed = Computed::new();
    let first = verdict(profile, &question, &computed);
    assert_eq!(verdict(profile, &question, &computed.record()), first);
    assert_eq!(computed.len(), 1);
    let nothing = trust::Recorded::default();
    assert_eq!(
        verdict(profile, &question, &nothing).reason(),
        Some(Reject::BadSignature)
    );
}

#[test]
fn altered_certificates_never_panic_and_are_never_accepted_with_a_changed_signed_part() {
    let Made { leaf, root, .. } = made();
    let signatures = Computed::new();
    for at in 0..leaf.der().len() {
        let mut der = leaf.der().to_vec();
        der[at] ^= 0x01;
        let Ok(altered) = Certificate::parse(&der) else {
            continue;
        };
        let is_signed_part = altered.tbs() != leaf.tbs();
        for profile in runtimes() {
            let (chain, anchors) = ([altered.clone()], [root.clone()]);
            let found = verdict(profile, &question(&chain, &anchors), &signatures);
            assert!(!(is_signed_part && found.accepts()), "{} at {at}", profile.name);
        }
    }
}

struct Made {
    leaf: Certificate,
    root: Certificate,
}

fn made() -> Made {
    made_named("root")
}

/// A root and a leaf under it, fit for both ends.
fn made_named(name: &str) -> Made {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.key_usages = vec![
        rcgen::KeyUsagePurpose::KeyCertSign,
        rcgen::KeyUsagePurpose::CrlSign,
    ];
    root.distinguished_name.push(DnType::CommonName, name);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    leaf.use_authority_key_identifier_extension = true;
    leaf.not_before = rcgen::date_time_ymd(2025, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(2035, 1, 1);
    let leaf = leaf
        .signed_by(&leaf_key, &Issuer::from_params(&root, &root_key))
        .unwrap();
    Made {
        leaf: Certificate::parse(leaf.der()).unwrap(),
        root: Certificate::parse(root_certificate.der()).unwrap(),
    }
}

fn question<'a>(chain: &'a [Certificate], anchors: &'a [Certificate]) -> Question<'a> {
    Question {
        chain,
        anchors,
        intermediates_known: &[],
        purpose: Purpose::Server,
        name: Some("a.test"),
        at_unix: 1_800_000_000,
    }
}
