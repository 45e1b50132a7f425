//! Fleets of random shape: components with stores of every format that can be edited, some of them shared.

use crate::servers::{Party, Wish, ca, make};
use keystore::{
    Certificate, Edit, Entropy, Format, Limits, Password, Place, PrivateKey, StashVersion, Store, WriteEnv,
};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::OnceLock;

/// A fleet directory with `capgrow.toml`, `new/` and `hosts/`.
pub struct Made {
    pub dir: tempfile::TempDir,
}

/// The fleet of that seed.
pub fn made(seed: u64) -> Made {
    // In memory where that can be: thousands of syncs, and no power fails here.
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let mut dice = Dice(seed ^ 0xa9ee);
    let count = 2 + dice.below(4);
    let mut fleet = Fleet {
        place: dir.path(),
        text: "version = 1\n".to_owned(),
        dice,
    };
    for index in 0..count {
        writeln!(
            fleet.text,
            "[hosts.h{index}]\nroot = \"hosts/h{index}\"\nreach = \"local\""
        )
        .unwrap();
    }
    let mut shared_with: Option<usize> = None;
    for index in 0..count as usize {
        let shares = index > 0 && shared_with.is_none() && fleet.dice.below(4) == 0;
        if shares {
            shared_with = Some(index - 1);
        }
        fleet.component(index, shares.then(|| index - 1), count as usize);
    }
    let retire = if fleet.dice.below(4) == 0 {
        "retire = false\n"
    } else {
        ""
    };
    let leave = ["\"*\"", "{ issuer = \"CN=Old CA\" }"][fleet.dice.below(2) as usize];
    let alias = ["", ", alias = \"fresh\""][fleet.dice.below(2) as usize];
    writeln!(
        fleet.text,
        "[[rotate]]\nname = \"move\"\nleave = {leave}\n{retire}to = {{ chain = \"new/chain.pem\", key = \"new/tls.key\"{alias} }}"
    )
    .unwrap();
    let material = material();
    std::fs::create_dir(dir.path().join("new")).unwrap();
    let (new, middle) = &material.new[fleet.dice.below(2) as usize];
    let mut chain = new.certificate.to_pem().unwrap();
    if let Some(middle) = middle {
        chain.extend(middle.certificate.to_pem().unwrap());
    }
    chain.extend(material.new_ca.certificate.to_pem().unwrap());
    std::fs::write(dir.path().join("new/chain.pem"), chain).unwrap();
    let key = new.key.private_key_to_pem_pkcs8().unwrap();
    std::fs::write(dir.path().join("new/tls.key"), key).unwrap();
    std::fs::write(dir.path().join("capgrow.toml"), &fleet.text).unwrap();
    Made { dir }
}

struct Fleet<'a> {
    place: &'a Path,
    text: String,
    dice: Dice,
}

/// What reads the stores, and the formats that it reads.
const RUNTIMES: [(&str, &[Format]); 3] = [
    ("java17", &[Format::Jks, Format::Pkcs12]),
    ("openssl", &[Format::Pem]),
    ("gskit8", &[Format::CmsKdb]),
];

impl Fleet<'_> {
    /// With `like`, it lies on that one's host and reads its stores.
    fn component(&mut self, index: usize, like: Option<usize>, count: usize) {
        let own = like.unwrap_or(index);
        let stores = match like {
            Some(_) => self.stores_of(own),
            None => self.write_stores(index),
        };
        let asks = ["required", "required", "none"][self.dice.below(3) as usize];
        let mut dials = String::new();
        for other in 0..count {
            if other != index && self.dice.below(3) != 0 {
                write!(
                    dials,
                    "{{ to = \"c{other}\", endpoint = \"api\", identity = \"id\" }}, "
                )
                .unwrap();
            }
        }
        writeln!(
            self.text,
            "[components.c{index}]\nhost = \"h{own}\"\nproduct = \"generic\"\ndir = \"/srv\"\n{stores}\n\
             effective = {{ restart = [\"/bin/true\"] }}\n\
             listens = [{{ name = \"api\", address = \"127.0.0.1:{}\", identity = \"id\", client-certificate = \"{asks}\" }}]\n\
             dials = [{dials}]",
            20_000 + index
        )
        .unwrap();
    }

    /// The lines of a component that were written already.
    fn stores_of(&self, index: usize) -> String {
        let part = self
            .text
            .split(&format!("[components.c{index}]\n"))
            .nth(1)
            .unwrap();
        part.lines()
            .filter(|line| line.starts_with("runtime") || line.starts_with("stores"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn write_stores(&mut self, index: usize) -> String {
        let dir = self.place.join(format!("hosts/h{index}/srv"));
        std::fs::create_dir_all(&dir).unwrap();
        let (runtime, formats) = RUNTIMES[self.dice.below(3) as usize];
        let material = material();
        let leaf = &material.old[self.dice.below(material.old.len() as u64) as usize];
        let mut format = || formats[self.dice.below(formats.len() as u64) as usize];
        let (for_id, for_trust) = (format(), format());
        let identity = put_key(leaf, &[]);
        let mut anchors = vec![
            trust("old", &material.old_ca),
            trust("stranger", &material.stranger),
        ];
        if self.dice.below(2) == 0 {
            anchors.reverse();
        }
        let shape = self.dice.below(3);
        let mut stores = Vec::new();
        if shape == 0 {
            let mut all = vec![identity];
            all.extend(anchors);
            let password = save(&dir, "both", for_id, &all);
            stores.push(format!(
                "{{ id = \"id\", file = \"/srv/both\", holds = [\"identity\", \"trust\"]{password} }}"
            ));
        } else {
            if shape == 1 && for_id == Format::Pem {
                let key = leaf.key.private_key_to_pem_pkcs8().unwrap();
                std::fs::write(dir.join("id.key"), key).unwrap();
                std::fs::write(dir.join("id.crt"), leaf.certificate.to_pem().unwrap()).unwrap();
                stores.push(
                    "{ id = \"id\", key-file = \"/srv/id.key\", cert-file = \"/srv/id.crt\", holds = [\"identity\"] }".to_owned(),
                );
            } else {
                let password = save(&dir, "id", for_id, &[identity]);
                stores.push(format!(
                    "{{ id = \"id\", file = \"/srv/id\", holds = [\"identity\"]{password} }}"
                ));
            }
            let password = save(&dir, "ca", for_trust, &anchors);
            stores.push(format!(
                "{{ id = \"ca\", file = \"/srv/ca\", holds = [\"trust\"]{password} }}"
            ));
        }
        format!("runtime = \"{runtime}\"\nstores = [{}]", stores.join(", "))
    }
}

/// Writes a store; the words of the fleet file that open it.
fn save(dir: &Path, name: &str, format: Format, edits: &[Edit]) -> String {
    let mut random = Dice(7);
    let mut env = WriteEnv {
        now_ms: now() * 1000,
        entropy: &mut random,
    };
    let mut store = Store::empty(format).unwrap();
    if format != Format::Pem {
        let password = Edit::SetPassword {
            old: None,
            new: Password::new(PASSWORD),
        };
        store.edit(&password, &mut env).unwrap();
    }
    for edit in edits {
        let mut edit = edit.clone();
        if let (Format::Pem, Edit::PutKey { alias, .. } | Edit::Trust { alias, .. }) = (format, &mut edit) {
            *alias = None;
        }
        store.edit(&edit, &mut env).unwrap();
    }
    let bytes = store.write(None, &mut env).unwrap();
    std::fs::write(dir.join(name), bytes).unwrap();
    match format {
        Format::Pem => String::new(),
        Format::CmsKdb => {
            let stash = keystore::write_stash(&Password::new(PASSWORD), StashVersion::V2, &mut env).unwrap();
            std::fs::write(dir.join(format!("{name}.sth")), stash).unwrap();
            format!(", password = {{ stash = \"/srv/{name}.sth\" }}")
        }
        _ => format!(", password = {{ literal = \"{PASSWORD}\" }}"),
    }
}

fn put_key(party: &Party, issuers: &[&Party]) -> Edit {
    let mut chain = vec![Certificate::parse(&party.der()).unwrap()];
    chain.extend(
        issuers
            .iter()
            .map(|issuer| Certificate::parse(&issuer.der()).unwrap()),
    );
    Edit::PutKey {
        alias: Some("own".to_owned()),
        key: key_of(party),
        chain,
        key_password: None,
        place: Place::Last,
    }
}

fn key_of(party: &Party) -> PrivateKey {
    let pem = party.key.private_key_to_pem_pkcs8().unwrap();
    let store = keystore::read(&pem, None, &Limits::default()).unwrap();
    store.entries()[0].unlock(None).unwrap()
}

fn trust(alias: &str, party: &Party) -> Edit {
    Edit::Trust {
        alias: Some(alias.to_owned()),
        certificate: Certificate::parse(&party.der()).unwrap(),
        place: Place::Last,
    }
}

/// A leaf of the new CA that ended yesterday.
pub fn expired_leaf() -> Certificate {
    let leaf = make(&Wish {
        name: "new",
        bits: 2048,
        issuer: Some(&material().new_ca),
        is_ca: false,
        valid: (-10 * 86_400, -86_400),
    });
    Certificate::parse(&leaf.der()).unwrap()
}

/// Certificates that all fleets share: making keys takes time.
struct Material {
    old_ca: Party,
    old: Vec<Party>,
    stranger: Party,
    new_ca: Party,
    /// Issued by the new CA itself, and with one between.
    new: Vec<(Party, Option<Party>)>,
}

fn material() -> &'static Material {
    static MADE: OnceLock<Material> = OnceLock::new();
    MADE.get_or_init(|| {
        let (old_ca, new_ca) = (ca("Old CA"), ca("New CA"));
        let issued = |name: &str, issuer: &Party| {
            make(&Wish {
                name,
                bits: 2048,
                issuer: Some(issuer),
                is_ca: false,
                valid: crate::servers::YEAR,
            })
        };
        let middle = make(&Wish {
            name: "Middle CA",
            bits: 2048,
            issuer: Some(&new_ca),
            is_ca: true,
            valid: crate::servers::YEAR,
        });
        Material {
            old: vec![issued("one", &old_ca), issued("two", &old_ca)],
            new: vec![
                (issued("new", &new_ca), None),
                (issued("new", &middle), Some(middle)),
            ],
            stranger: ca("Stranger"),
            old_ca,
            new_ca,
        }
    })
}

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

impl Entropy for Dice {
    fn fill(&mut self, into: &mut [u8]) {
        for byte in into {
            *byte = self.below(256) as u8;
        }
    }
}

/// The present: the certificates are made on the spot.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    since.as_secs() as i64
}

const PASSWORD: &str = "changeit";
