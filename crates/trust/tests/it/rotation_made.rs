//! Certificates of rotations: two authorities that sign each other, second generations, defaults, and who trusts what.

use keystore::Certificate;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A chain and a store; `id` is `family:chain/store`.
pub struct Row {
    pub id: String,
    pub chain: Vec<Certificate>,
    pub anchors: Vec<Certificate>,
}

/// All of them, family by family.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    between_authorities(&mut rows);
    from_an_expired_root(&mut rows);
    with_one_name(&mut rows);
    with_one_key(&mut rows);
    among_defaults(&mut rows);
    from_a_default(&mut rows);
    rows
}

/// From one root to another, each with an issuing CA.
fn between_authorities(rows: &mut Vec<Row>) {
    let (old, new, stranger) = (ca("Old Root CA"), ca("New Root CA"), ca("Stranger CA"));
    let (old_int, new_int) = (ca("Old Issuing CA"), ca("New Issuing CA"));
    let oi = old_int.by(&old);
    let ni = new_int.by(&new);
    let (ol, nl) = (leaf().by(&old_int), leaf().by(&new_int));
    let (or, nr) = (old.alone(), new.alone());
    let xroot = new.clone().later().by(&old);
    let xint = new_int.clone().later().by(&old);
    let oldx = old.clone().later().by(&new);
    let late = new.clone().expired().by(&old);
    let chains: [(&str, Vec<&Certificate>); 16] = [
        ("old", vec![&ol, &oi]),
        ("new", vec![&nl, &ni]),
        ("new+root", vec![&nl, &ni, &nr]),
        ("xroot", vec![&nl, &ni, &xroot]),
        ("xroot-first", vec![&nl, &xroot, &ni]),
        ("xroot-before-leaf", vec![&xroot, &nl, &ni]),
        ("xroot+root", vec![&nl, &ni, &nr, &xroot]),
        ("xroot+root-rev", vec![&nl, &ni, &xroot, &nr]),
        ("xroot-expired", vec![&nl, &ni, &late]),
        ("xint-after", vec![&nl, &ni, &xint]),
        ("xint-before", vec![&nl, &xint, &ni]),
        ("xint-only", vec![&nl, &xint]),
        ("vault-order", vec![&nl, &xint, &or, &ni, &nr]),
        ("oldx", vec![&ol, &oi, &oldx]),
        ("mutual-cross", vec![&nl, &ni, &xroot, &oldx]),
        ("int-missing", vec![&nl]),
    ];
    let unknown = stranger.alone();
    for (form, chain) in chains {
        for (store, anchors) in [
            ("old", vec![&or]),
            ("new", vec![&nr]),
            ("both", vec![&or, &nr]),
            ("both-rev", vec![&nr, &or]),
            ("neither", vec![&unknown]),
        ] {
            add(rows, &format!("ca:{form}/{store}"), &chain, &anchors);
        }
    }
}

/// The old root has run out: what crosses from it to the new one is worth what its anchor is.
fn from_an_expired_root(rows: &mut Vec<Row>) {
    let (old, new) = (ca("Expired Root").expired(), ca("New Root CA"));
    let (old_int, new_int) = (ca("Issuing under expired"), ca("New Issuing CA"));
    let (ol, oi) = (leaf().by(&old_int), old_int.by(&old));
    let (nl, ni) = (leaf().by(&new_int), new_int.by(&new));
    let (or, nr, xroot) = (old.alone(), new.alone(), new.clone().later().by(&old));
    add(rows, "time:root-expired", &[&ol, &oi], &[&or]);
    add(rows, "time:root-expired-presented", &[&ol, &oi, &or], &[&or]);
    for (form, chain) in [
        ("new", vec![&nl, &ni]),
        ("xroot", vec![&nl, &ni, &xroot]),
        ("xroot+root", vec![&nl, &ni, &nr, &xroot]),
    ] {
        for (store, anchors) in [
            ("old", vec![&or]),
            ("both", vec![&or, &nr]),
            ("both-rev", vec![&nr, &or]),
        ] {
            add(rows, &format!("expired-root:{form}/{store}"), &chain, &anchors);
        }
    }
}

/// Two roots with one name and different keys; the leaf says by key identifier whose it is, or does not.
fn with_one_name(rows: &mut Vec<Row>) {
    let (old, new, stranger) = (ca("Fleet Root"), ca("Fleet Root"), ca("Stranger CA"));
    let (or, nr, unknown) = (old.alone(), new.alone(), stranger.alone());
    for (aki, keyed) in [("keyid", true), ("none", false)] {
        let bare = |made: Maker| if keyed { made } else { made.without_aki() };
        for (which, root) in [("newleaf", &new), ("oldleaf", &old)] {
            let end = bare(leaf()).by(root);
            for (store, anchors) in [
                ("old", vec![&or]),
                ("new", vec![&nr]),
                ("old,new", vec![&or, &nr]),
                ("new,old", vec![&nr, &or]),
                ("neither", vec![&unknown]),
            ] {
                add(rows, &format!("samedn:{which}/{aki}/{store}"), &[&end], &anchors);
            }
        }
    }
    let (new_with_old, old_with_new) = (new.clone().later().by(&old), old.clone().later().by(&new));
    let (nl, ol) = (leaf().by(&new), leaf().by(&old));
    let nl_bare = leaf().without_aki().by(&new);
    for (form, chain) in [
        ("newWithOld", [&nl, &new_with_old]),
        ("oldWithNew", [&ol, &old_with_new]),
        ("newWithOld-noaki", [&nl_bare, &new_with_old]),
    ] {
        for (store, anchors) in [("old", vec![&or]), ("new", vec![&nr]), ("both", vec![&or, &nr])] {
            add(rows, &format!("rollover:{form}/{store}"), &chain, &anchors);
        }
    }
}

/// A root renewed with its key and name.
fn with_one_key(rows: &mut Vec<Row>) {
    let root = ca("Fleet Root");
    let (expired, renewed, end) = (root.clone().expired().alone(), root.alone(), leaf().by(&root));
    add(rows, "samekey:expired", &[&end], &[&expired]);
    add(rows, "samekey:renewed", &[&end], &[&renewed]);
    add(rows, "samekey:expired,renewed", &[&end], &[&expired, &renewed]);
    add(rows, "samekey:renewed,expired", &[&end], &[&renewed, &expired]);
    add(rows, "samekey:expired-presented", &[&end, &expired], &[&renewed]);
    add(rows, "samekey:renewed-presented", &[&end, &renewed], &[&expired]);
    let older = root.clone().older().alone();
    add(rows, "renew:root-new-presented/old", &[&end, &renewed], &[&older]);
    add(rows, "renew:root-old-presented/new", &[&end, &older], &[&renewed]);
}

/// Self-signed end entities that peers pin.
fn among_defaults(rows: &mut Vec<Row>) {
    let (own, other) = (default("agent1.fleet.test"), default("agent1.fleet.test"));
    let (presented, second) = (own.alone(), other.alone());
    let past = own.clone().expired().alone();
    let unknown = ca("Stranger CA").alone();
    let name = |what: &str| format!("ssdef:ca-false:{what}");
    add(rows, &name("pinned"), &[&presented], &[&presented]);
    add(rows, &name("untrusted"), &[&presented], &[&unknown]);
    add(rows, &name("same-dn-other-key"), &[&presented], &[&second]);
    add(
        rows,
        &name("both-generations"),
        &[&presented],
        &[&second, &presented],
    );
    add(
        rows,
        &name("both-generations-rev"),
        &[&presented],
        &[&presented, &second],
    );
    add(rows, &name("renewed-same-key"), &[&presented], &[&past]);
    add(rows, "ssdef:expired:pinned", &[&past], &[&past]);
    let old = other.expired().alone();
    add(
        rows,
        "renew:default-new/expired,new",
        &[&presented],
        &[&old, &presented],
    );
    add(
        rows,
        "renew:default-new/new,expired",
        &[&presented],
        &[&presented, &old],
    );
    let authority = ca("agent1.fleet.test").with_name().alone();
    add(rows, "ssdef:ca-true:pinned", &[&authority], &[&authority]);
}

/// From a default to a leaf of an authority: stores of one anchor, and of what was added to it.
fn from_a_default(rows: &mut Vec<Row>) {
    let (root, int) = (ca("New Root CA"), ca("New Issuing CA"));
    let (r, i, l) = (root.alone(), int.by(&root), leaf().by(&int));
    let (d, stranger) = (default("Default").alone(), ca("Stranger CA").alone());
    for (form, chain) in [
        ("old", vec![&d]),
        ("new", vec![&l, &i]),
        ("new+root", vec![&l, &i, &r]),
        ("new-leaf-only", vec![&l]),
    ] {
        for (store, anchors) in [
            ("default", vec![&d]),
            ("default+root", vec![&d, &r]),
            ("default+int", vec![&d, &i]),
            ("default+leaf", vec![&d, &l]),
            ("root", vec![&r]),
            ("int", vec![&i]),
            ("leaf", vec![&l]),
            ("root+int", vec![&r, &i]),
            ("leaf+otherroot", vec![&l, &stranger]),
            ("neither", vec![&stranger]),
        ] {
            add(rows, &format!("mig:{form}/{store}"), &chain, &anchors);
        }
    }
}

fn add(rows: &mut Vec<Row>, id: &str, chain: &[&Certificate], anchors: &[&Certificate]) {
    let own = |list: &[&Certificate]| list.iter().map(|one| (*one).clone()).collect();
    rows.push(Row {
        id: id.to_owned(),
        chain: own(chain),
        anchors: own(anchors),
    });
}

/// A name and a key; each call of [`Maker::by`] is a certificate of theirs.
struct Maker {
    params: CertificateParams,
    key: KeyPair,
}

impl Clone for Maker {
    fn clone(&self) -> Self {
        Self {
            params: self.params.clone(),
            key: KeyPair::try_from(self.key.serialize_der()).unwrap(),
        }
    }
}

impl Maker {
    fn named(name: &str, names: Vec<String>) -> Self {
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
        Self {
            params,
            key: KeyPair::generate().unwrap(),
        }
    }

    fn by(&self, issuer: &Self) -> Certificate {
        let issuer = Issuer::from_params(&issuer.params, &issuer.key);
        let made = self.params.signed_by(&self.key, &issuer).unwrap();
        Certificate::parse(made.der()).unwrap()
    }

    fn alone(&self) -> Certificate {
        let bare = self.clone().without_aki();
        let made = bare.params.self_signed(&bare.key).unwrap();
        Certificate::parse(made.der()).unwrap()
    }

    fn without_aki(mut self) -> Self {
        self.params.use_authority_key_identifier_extension = false;
        self
    }

    fn expired(mut self) -> Self {
        self.params.not_before = date_time_ymd(2010, 1, 1);
        self.params.not_after = date_time_ymd(2025, 1, 1);
        self
    }

    /// A cross certificate: made when the authorities were in use for years. Some runtimes prefer the later one.
    fn later(mut self) -> Self {
        self.params.not_before = date_time_ymd(2025, 1, 1);
        self.params.not_after = date_time_ymd(2034, 1, 1);
        self
    }

    fn older(mut self) -> Self {
        self.params.not_before = date_time_ymd(2015, 1, 1);
        self.params.not_after = date_time_ymd(2028, 1, 1);
        self
    }

    fn with_name(mut self) -> Self {
        self.params.subject_alt_names =
            vec![rcgen::SanType::DnsName("agent1.fleet.test".try_into().unwrap())];
        self.params.key_usages.clear();
        self
    }
}

fn ca(name: &str) -> Maker {
    let mut made = Maker::named(name, Vec::new());
    made.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    made.params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    made
}

/// A leaf for both ends.
fn leaf() -> Maker {
    let mut made = Maker::named("agent1.fleet.test", vec!["agent1.fleet.test".to_owned()]);
    made.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    made.params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    made
}

/// A self-signed end entity that says it is no CA.
fn default(name: &str) -> Maker {
    let mut made = Maker::named(name, vec!["agent1.fleet.test".to_owned()]);
    made.params.is_ca = IsCa::ExplicitNoCa;
    made
}
