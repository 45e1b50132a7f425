//! How long the verdicts of all trust edges of a large fleet take: 100,000 components, 500,000 mutual links.
//!
//! The same fleet is lowered without links and with them; the difference is finding both ends of each link, asking each
//! distinct question, and remembering the answers.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark measures time and fails by panicking"
)]

use std::time::{Duration, Instant};

use fleet::Snapshot;
use fleet::snapshot::{Fingerprint, LinkFacts, NewFacts, RotationFacts, UseFacts};
use keystore::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::json;

fn main() {
    let mut snapshot = fleet_of(100_000);
    let links = std::mem::take(&mut snapshot.links);
    let (bare, _) = best_of_five(&snapshot);
    snapshot.links = links;
    let (whole, edges) = best_of_five(&snapshot);
    println!(
        "{} components, {edges} trust edges: {:.2} s, without links {:.2} s, the verdicts {:.2} s",
        snapshot.components.len(),
        whole.as_secs_f64(),
        bare.as_secs_f64(),
        whole.saturating_sub(bare).as_secs_f64(),
    );
}

fn best_of_five(snapshot: &Snapshot) -> (Duration, usize) {
    let mut found = Vec::new();
    for _ in 0..5 {
        let begin = clock();
        let lowered = plan::lower(snapshot, &[]).unwrap();
        let took = clock().saturating_sub(begin);
        assert!(lowered.broken.is_empty(), "{:?}", lowered.broken.first());
        found.push((took, lowered.model.edges.len()));
    }
    found.into_iter().min().unwrap()
}

/// The time that this thread has had of a processor, where Linux says it; else the time of day.
fn clock() -> Duration {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|text| text.split(' ').next()?.parse().ok());
    spent.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// Every component dials five hubs, by name; 64 identities are shared out, each hub has its own.
fn fleet_of(components: usize) -> Snapshot {
    let mut snapshot = Snapshot {
        version: 1,
        taken_at: 1_795_262_400,
        ..Snapshot::default()
    };
    let (old, new) = (Authority::named("Old CA"), Authority::named("New CA"));
    let [old_root, new_root] = [&old, &new].map(|authority| snapshot.keep(&authority.alone()));
    let mut rotation = RotationFacts {
        name: "all".to_owned(),
        leave: vec![old_root.clone()],
        anchors: vec![new_root],
        new: std::collections::BTreeMap::new(),
        retire: true,
        strategy: "cap-and-grow".to_owned(),
    };
    let names: Vec<String> = (0..HUBS)
        .map(|hub| format!("hub{hub}.test"))
        .chain((0..IDENTITIES).map(|agent| format!("agent{agent}.test")))
        .collect();
    let pairs: Vec<[Fingerprint; 2]> = names
        .iter()
        .map(|name| [&old, &new].map(|authority| snapshot.keep(&authority.leaf(name))))
        .collect();
    rotation.leave.extend(pairs.iter().map(|pair| pair[0].clone()));
    for at in 0..components {
        let id = format!("c{at:06}");
        let pair = &pairs[if at < HUBS { at } else { HUBS + at % IDENTITIES }];
        let dials: Vec<_> = (0..DIALS).map(|nth| (at * 7 + nth * 13 + 1) % HUBS).collect();
        snapshot
            .components
            .insert(id.clone(), component(at, &dials, &names));
        for (store, presented, anchors) in [
            ("id", vec![pair[0].clone()], Vec::new()),
            ("ca", Vec::new(), vec![old_root.clone()]),
        ] {
            snapshot.uses.push(UseFacts {
                component: id.clone(),
                id: store.to_owned(),
                host: id.clone(),
                path: format!("/{store}.pem"),
                keys: presented.len(),
                presented,
                alias: None,
                anchors,
                anchors_with_key: Vec::new(),
            });
        }
        for (dial, hub) in dials.iter().enumerate() {
            snapshot.links.push(LinkFacts {
                from: id.clone(),
                to: format!("c{hub:06}"),
                endpoint: "api".to_owned(),
                dial,
                mutual: true,
            });
        }
        let new = NewFacts {
            chain: vec![pair[1].clone()],
            alias: None,
            material: "rotate:all".to_owned(),
        };
        rotation.new.insert(id, new);
    }
    snapshot.rotations.push(rotation);
    snapshot
}

/// As the fleet file would say it.
fn component(at: usize, dials: &[usize], names: &[String]) -> serde_json::Value {
    let dials: Vec<_> = dials
        .iter()
        .map(|hub| json!({ "to": format!("c{hub:06}"), "endpoint": "api", "identity": "id", "expects": names[*hub] }))
        .collect();
    let listens = match at < HUBS {
        true => json!([{ "name": "api", "address": "127.0.0.1:8443", "client-certificate": "required" }]),
        false => json!([]),
    };
    json!({
        "host": format!("c{at:06}"), "product": "generic", "runtime": RUNTIMES[at % RUNTIMES.len()],
        "effective": { "restart": ["true"] },
        "stores": [
            { "id": "id", "file": "/id.pem", "holds": ["identity"] },
            { "id": "ca", "file": "/ca.pem", "holds": ["trust"] }
        ],
        "listens": listens, "dials": dials,
    })
}

struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, name);
        Self {
            params,
            key: KeyPair::generate().unwrap(),
        }
    }

    fn alone(&self) -> Certificate {
        Certificate::parse(self.params.self_signed(&self.key).unwrap().der()).unwrap()
    }

    fn leaf(&self, name: &str) -> Certificate {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let made = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        Certificate::parse(made.der()).unwrap()
    }
}

const HUBS: usize = 100;
const IDENTITIES: usize = 64;
const DIALS: usize = 5;
const RUNTIMES: [&str; 8] = [
    "openssl", "java8", "java17", "gskit8", "go", "gnutls", "rustls", "node",
];
