//! Requests for new certificates: what to ask a CA for, where its answer lies, and whether it is the one asked for.
//!
//! `to = { csr = "out/" }` names a directory. A component's request lies there as `ID.csr`, its answer as `ID.pem` (or
//! another of [`ANSWERS`]), and its private key below `.capgrow/keys`, named by the public key that the request holds.
//! Components that present from one store share a request, and so do all of Workload Automation.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keystore::Body;
use keystore::Certificate;
use keystore::KeyMatch;
use keystore::Limits;
use keystore::LinkName;
use keystore::PrivateKey;
use keystore::Request;
use keystore::der;
use keystore::oid;
use product::Component;
use product::workload_automation;
use sha2::Digest;
use sha2::Sha256;

use crate::file::FleetDoc;
use crate::file::NewDoc;
use crate::file::RotateDoc;
use crate::file::StandardsDoc;
use crate::rotation;
use crate::rotation::Material;
use crate::rotation::Refusal;
use crate::rotation::ToolFiles;
use crate::snapshot::Snapshot;
use crate::snapshot::hex;

/// The endings that an answer may have behind the name of its request, in the order in which they are read.
pub const ANSWERS: [&str; 6] = ["pem", "cer", "crt", "p7b", "p7c", "der"];

/// Where one request, its answer and its key lie; paths start at the fleet directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestPlace {
    /// Without the ending: `out/billing`.
    stem: String,
}

impl RequestPlace {
    fn new(dir: &str, name: &str) -> Self {
        let dir = match dir.trim_end_matches('/') {
            "" if dir.starts_with('/') => "/",
            "" => ".",
            other => other,
        };
        let slash = if dir.ends_with('/') { "" } else { "/" };
        Self {
            stem: format!("{dir}{slash}{name}"),
        }
    }

    /// The request that a material's name stands for; nothing where it names files.
    pub fn of_material(material: &str) -> Option<Self> {
        let stem = material.strip_prefix(MATERIAL)?;
        Some(Self {
            stem: stem.to_owned(),
        })
    }

    /// The name of the material in snapshots and plans.
    pub fn material(&self) -> String {
        format!("{MATERIAL}{}", self.stem)
    }

    /// The directory that the fleet file names.
    pub fn dir(&self) -> &str {
        self.stem
            .rsplit_once('/')
            .map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir })
    }

    /// The request.
    pub fn request(&self) -> String {
        format!("{}.csr", self.stem)
    }

    /// Where the answer is looked for.
    pub fn answers(&self) -> Vec<String> {
        ANSWERS
            .iter()
            .map(|ending| format!("{}.{ending}", self.stem))
            .collect()
    }

    /// Where issuers may lie that all answers of the directory have in common.
    fn shared_chain(&self) -> Vec<String> {
        Self::new(self.dir(), "chain").answers()
    }

    /// The private key of the request with this public key: never beside what goes to the CA.
    pub fn key(&self, spki: &[u8]) -> String {
        let name = self.stem.rsplit('/').next().unwrap_or_default();
        format!("{KEYS}/{name}-{}.key", hex(&Sha256::digest(spki)[..8]))
    }
}

/// A request that the rotations need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRequest {
    /// Where it lies, or will.
    pub place: RequestPlace,
    /// For whom, in order of id.
    pub components: Vec<String>,
    /// The encoded subject.
    pub subject: Vec<u8>,
    /// Every name by which a peer may call one of them.
    pub names: Vec<LinkName>,
    /// Which key to make.
    pub key: NewKey,
}

/// The kind of a new key and its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKey {
    /// On the curve of that many bits: 256, 384 or 521.
    Ec(u32),
    /// A modulus of that many bits: 2048, 3072, 4096 or 8192.
    Rsa(u32),
}

/// The requests of all components that move to an identity still to be signed, in order of their place.
///
/// # Errors
/// Every [`Refusal`]: words in `to` or `new` that do not go together, standards that no key meets.
pub fn wanted(doc: &FleetDoc, snapshot: &Snapshot, now: i64) -> Result<Vec<WantedRequest>, Vec<Refusal>> {
    let mut found: BTreeMap<RequestPlace, (BTreeSet<String>, Option<String>)> = BTreeMap::new();
    let mut refusals = Vec::new();
    for rotate in &doc.rotate {
        let moving = match rotation::moving(doc, rotate, snapshot, now) {
            Ok(moving) => moving,
            // Why not is said by whoever resolves the rotation.
            Err(_) => continue,
        };
        let candidates = rotation::candidates(doc, rotate, snapshot);
        for (component, new, material) in &candidates {
            let Some(place) = RequestPlace::of_material(material) else {
                continue;
            };
            if let Err(refusal) = alone(new, component) {
                refusals.extend((!refusals.contains(&refusal)).then_some(refusal));
                continue;
            }
            if moving.contains(component) {
                let (members, alias) = found.entry(place).or_default();
                members.extend(members_of(material, &candidates, snapshot));
                *alias = alias.take().or_else(|| new.alias.clone());
            }
        }
    }
    let key = match new_key(doc.policy.standards.as_ref()) {
        Ok(key) => key,
        Err(_) if found.is_empty() => return Ok(Vec::new()),
        Err(refusal) => return Err(vec![refusal]),
    };
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let requests = found.into_iter().map(|(place, (members, alias))| {
        let components: Vec<String> = members.into_iter().collect();
        let names = names(doc, snapshot, &components);
        WantedRequest {
            subject: subject(snapshot, &components, alias.as_deref(), &names, &place),
            place,
            components,
            names,
            key,
        }
    });
    Ok(requests.collect())
}

/// The name of the request that a component takes part in.
pub(crate) fn material_of(
    dir: &str,
    rotate: Option<&RotateDoc>,
    covered: &BTreeSet<&str>,
    snapshot: &Snapshot,
    id: &str,
) -> String {
    let name = match rotate {
        Some(rotate) if is_workload_automation(snapshot, id) => {
            let name = file_name(&rotate.name);
            if snapshot.components.contains_key(&name) {
                format!("{name}-fleet")
            } else {
                name
            }
        }
        Some(_) => first_of_shared(covered, snapshot, id),
        None => id.to_owned(),
    };
    RequestPlace::new(dir, &file_name(&name)).material()
}

/// Whether the fleet file still asks for requests in that directory.
pub(crate) fn is_named(doc: &FleetDoc, place: &RequestPlace) -> bool {
    let own = doc
        .components
        .values()
        .filter_map(|component| component.new.as_ref());
    let all = doc.rotate.iter().filter_map(|rotate| rotate.to.as_ref());
    own.chain(all)
        .filter_map(|new| new.csr.as_deref())
        .any(|dir| RequestPlace::new(dir, "request").dir() == place.dir())
}

/// Reads a request, its key and its answer, and puts the answer's certificates in order.
///
/// The key fits the leaf. Names, dates and purposes are not judged here.
///
/// # Errors
/// [`Refusal`] with the file at fault; `unusable` only where the request or the key itself cannot be used.
pub fn answered(place: &RequestPlace, tool: &dyn ToolFiles) -> Result<Material, Refusal> {
    let (der, key) = asked(place, tool)?;
    let request = Request::parse(&der).expect("asked() parsed the same bytes");
    let mut pool: Vec<(String, Certificate)> = Vec::new();
    for file in place.answers() {
        let found = certificates(&file, tool)?;
        pool.extend(found.into_iter().map(|certificate| (file.clone(), certificate)));
    }
    let Some((first, _)) = pool.first() else {
        return Err(waiting(place, &request));
    };
    let leaf = pool
        .iter()
        .filter(|(_, certificate)| key.matches_spki(certificate.spki()) == KeyMatch::Matches)
        .max_by_key(|(_, certificate)| certificate.validity().not_after)
        .cloned();
    let Some((from, leaf)) = leaf else {
        let other = rotation::ordered(pool.iter().map(|(_, certificate)| certificate.clone()).collect());
        let other = other
            .first()
            .map(|leaf| leaf.subject().to_string())
            .unwrap_or_default();
        return Err(Refusal {
            target: first.clone(),
            what: format!(
                "is for another key: {other} does not have the public key of {}",
                place.request()
            ),
            fix: format!(
                "have {} signed as it is ({})",
                place.request(),
                request.public_key().kind()
            ),
            unusable: false,
        });
    };
    let mut issuers: Vec<Certificate> = pool.into_iter().map(|(_, certificate)| certificate).collect();
    for file in place.shared_chain() {
        issuers.extend(certificates(&file, tool)?);
    }
    let chain = chain(leaf, issuers);
    Ok(Material { key, chain, from })
}

/// The certificates of a file of the CA, where it is there.
fn certificates(file: &str, tool: &dyn ToolFiles) -> Result<Vec<Certificate>, Refusal> {
    if !tool.is_there(file) {
        return Ok(Vec::new());
    }
    rotation::certificates(file, tool).map_err(|refusal| Refusal {
        fix: "put the CA's answer there: the certificate and its chain, as PEM, DER or PKCS#7".to_owned(),
        unusable: false,
        ..refusal
    })
}

/// As [`answered`], and the answer has every name of the request and of the inventory.
///
/// # Errors
/// Also where names are missing: in the answer, or already in a request that still waits for one.
pub(crate) fn answered_in_full(
    place: &RequestPlace,
    inventory: &[LinkName],
    tool: &dyn ToolFiles,
) -> Result<Material, Refusal> {
    let (der, _) = asked(place, tool)?;
    let requested = Request::parse(&der)
        .and_then(|request| request.link_names())
        .unwrap_or_default();
    let refusal = |target: String, what: String, fix: String| Refusal {
        target,
        what,
        fix,
        unusable: false,
    };
    let not_asked = missing(&requested, inventory);
    if !not_asked.is_empty() && !is_answered(place, tool) {
        let what = format!("does not ask for {}", not_asked.join(", "));
        return Err(refusal(place.request(), what, away(place)));
    }
    let material = answered(place, tool)?;
    let leaf = &material.chain[0];
    let names = leaf.subject_alt_names().ok().flatten().unwrap_or_default();
    let has: Vec<LinkName> = names.iter().filter_map(LinkName::of).collect();
    let mut lacks = missing(&has, &requested);
    let mut fix = format!(
        "ask the CA for a certificate with all names of {}",
        place.request()
    );
    let more: Vec<String> = missing(&has, inventory)
        .into_iter()
        .filter(|name| !lacks.contains(name))
        .collect();
    if !more.is_empty() {
        fix = away(place);
    }
    lacks.extend(more);
    if lacks.is_empty() {
        return Ok(material);
    }
    let what = format!("{} lacks the names {}", leaf.subject(), lacks.join(", "));
    Err(refusal(material.from.clone(), what, fix))
}

/// Whether anything lies where the answer belongs.
fn is_answered(place: &RequestPlace, tool: &dyn ToolFiles) -> bool {
    place.answers().iter().any(|file| tool.is_there(file))
}

/// The answer is not there: what was asked for, and where the answer belongs.
fn waiting(place: &RequestPlace, request: &Request<'_>) -> Refusal {
    let names = request.link_names().unwrap_or_default();
    let names: Vec<String> = names.iter().map(LinkName::to_string).collect();
    Refusal {
        target: place.request(),
        what: format!(
            "waits for the answer of the CA: {} for {} ({}); its private key is {}",
            request.subject,
            names.join(", "),
            request.public_key().kind(),
            place.key(request.spki)
        ),
        fix: format!(
            "have {} signed, put the certificate with its chain at {}.pem (or .{}; issuers of all at {}/chain.pem), \
             and plan again",
            place.request(),
            place.stem,
            ANSWERS[1..].join(", ."),
            place.dir()
        ),
        unusable: false,
    }
}

fn missing(has: &[LinkName], wanted: &[LinkName]) -> Vec<String> {
    wanted
        .iter()
        .filter(|name| !has.iter().any(|has| has.covers(name)))
        .map(LinkName::to_string)
        .collect()
}

/// All names by which these components are or may be called: what they listen on, what peers expect, their hosts, and
/// the names of the certificates that they present today, which clients outside the fleet may go by.
pub(crate) fn names(doc: &FleetDoc, snapshot: &Snapshot, components: &[String]) -> Vec<LinkName> {
    let mut texts: Vec<String> = Vec::new();
    let all: Vec<Component> = snapshot
        .components
        .keys()
        .filter_map(|id| snapshot.component(id).ok())
        .collect();
    for component in all.iter().filter(|component| components.contains(&component.id)) {
        for listen in &component.listens {
            texts.extend(listen.server_name.clone());
            texts.extend(listen.address.rsplit_once(':').map(|(host, _)| host.to_owned()));
        }
        let dials = all.iter().flat_map(|peer| &peer.dials);
        texts.extend(
            dials
                .filter(|dial| dial.to == component.id)
                .filter_map(|dial| dial.expects.clone()),
        );
        texts.push(component.host.clone());
        let reach = doc
            .hosts
            .get(&component.host)
            .and_then(|host| host.reach.as_deref());
        texts.extend(reach.and_then(ssh_host));
    }
    let mut found: Vec<LinkName> = Vec::new();
    let mut add = |name: Option<LinkName>| {
        if let Some(name) = name.filter(|name| !found.contains(name)) {
            found.push(name);
        }
    };
    texts.iter().for_each(|text| add(LinkName::read(text)));
    for leaf in leaves(snapshot, components) {
        if let Ok(Some(names)) = leaf.subject_alt_names() {
            names.iter().for_each(|name| add(LinkName::of(name)));
        }
    }
    found
}

/// The components behind one material that present something.
pub(crate) fn members_of(
    material: &str,
    candidates: &[(String, NewDoc, String)],
    snapshot: &Snapshot,
) -> Vec<String> {
    candidates
        .iter()
        .filter(|(id, _, name)| name == material && rotation::presents(snapshot, id, |_| true))
        .map(|(id, ..)| id.clone())
        .collect()
}

/// The host of `ssh://user@host:22`.
fn ssh_host(reach: &str) -> Option<String> {
    let rest = reach.strip_prefix("ssh://")?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    Some(host.trim_end_matches('/').to_owned())
}

/// The leaves that these components present today.
fn leaves(snapshot: &Snapshot, components: &[String]) -> Vec<Certificate> {
    snapshot
        .uses
        .iter()
        .filter(|facts| components.contains(&facts.component))
        .filter_map(|facts| snapshot.certificate(facts.presented.first()?))
        .collect()
}

/// Whoever is let in by name stays let in: the subject of today, where all have the same and it is not a product's
/// default. Else the alias, the first host name, or the name of the request as common name.
fn subject(
    snapshot: &Snapshot,
    components: &[String],
    alias: Option<&str>,
    names: &[LinkName],
    place: &RequestPlace,
) -> Vec<u8> {
    let today = leaves(snapshot, components);
    let defaults: Vec<Vec<u8>> = product::default_subjects(workload_automation::PRODUCT)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|text| keystore::name::encode(text).ok())
        .collect();
    if let Some(first) = today.first() {
        let name = first.subject();
        let is_default = defaults
            .iter()
            .filter_map(|der| keystore::Name::parse(der, 0).ok())
            .any(|default| default.is_same(&name));
        let shared = today.iter().all(|leaf| leaf.subject().is_same(&name));
        if shared && !is_default && name.common_name().is_some() {
            return name.der().to_vec();
        }
    }
    let host_name = names.iter().find(|name| matches!(name, LinkName::Dns(_)));
    let last = place.stem.rsplit('/').next().unwrap_or_default().to_owned();
    let common_name = alias
        .map(str::to_owned)
        .into_iter()
        .chain(host_name.map(LinkName::to_string))
        .find(|text| (1..=MAX_COMMON_NAME).contains(&text.chars().count()))
        .unwrap_or_else(|| last.chars().take(MAX_COMMON_NAME).collect());
    let attribute = der::write_sequence(&[
        &der::write_oid(oid::COMMON_NAME),
        &der::write(der::tag::UTF8_STRING, &[common_name.as_bytes()]),
    ]);
    der::write_sequence(&[&der::write(der::tag::SET, &[&attribute])])
}

/// The smallest usual key that the policy takes: RSA unless it speaks of EC alone.
fn new_key(standards: Option<&StandardsDoc>) -> Result<NewKey, Refusal> {
    let (rsa, ec) = standards.map_or((None, None), |standards| (standards.min_rsa, standards.min_ec));
    let fitting = |sizes: &[u32], least: u32| sizes.iter().copied().find(|bits| *bits >= least);
    let found = match (rsa, ec) {
        (None, Some(least)) => fitting(&[256, 384, 521], least).map(NewKey::Ec),
        (least, _) => fitting(&[2048, 3072, 4096, 8192], least.unwrap_or(0)).map(NewKey::Rsa),
    };
    found.ok_or_else(|| Refusal {
        target: "[policy] standards".to_owned(),
        what: "asks for keys longer than any that is made here".to_owned(),
        fix: "RSA keys are made up to 8192 bits, EC keys up to 521".to_owned(),
        unusable: true,
    })
}

/// `csr` stands alone: key and chain come from the request and its answer.
fn alone(new: &NewDoc, component: &str) -> Result<(), Refusal> {
    let beside = [
        ("chain", new.chain.is_some()),
        ("key", new.key.is_some()),
        ("pfx", new.pfx.is_some()),
        ("password", new.password.is_some()),
    ];
    let beside: Vec<&str> = beside
        .iter()
        .filter(|(_, is_set)| *is_set)
        .map(|(word, _)| *word)
        .collect();
    let dir = new.csr.as_deref().unwrap_or_default();
    let (what, fix) = match (beside.is_empty(), dir.is_empty()) {
        (true, false) => return Ok(()),
        (true, true) => (
            "`csr` is empty".to_owned(),
            "name the directory for the requests, for example csr = \"out/\"",
        ),
        (false, _) => (
            format!("`csr` does not go together with `{}`", beside.join("`, `")),
            "take one of them out: with `csr` the key is made here and the chain is the answer of the CA",
        ),
    };
    Err(Refusal {
        target: format!("new identity of {component}"),
        what,
        fix: fix.to_owned(),
        unusable: true,
    })
}

/// The DER of a request that lies there, and its key.
fn asked(place: &RequestPlace, tool: &dyn ToolFiles) -> Result<(Vec<u8>, PrivateKey), Refusal> {
    let refusal = |target: String, what: String, fix: String| Refusal {
        target,
        what,
        fix,
        unusable: true,
    };
    let file = place.request();
    if !tool.is_there(&file) {
        let what = "is not written yet".to_owned();
        let fix = "capgrow plan writes it when the fleet is understood".to_owned();
        return Err(Refusal {
            unusable: false,
            ..refusal(file, what, fix)
        });
    }
    let bytes = tool
        .read(&file)
        .map_err(|what| refusal(file.clone(), what, away(place)))?;
    let der = request_der(&bytes).ok_or_else(|| {
        refusal(
            file.clone(),
            "is not a certificate request".to_owned(),
            away(place),
        )
    })?;
    let request = Request::parse(&der).expect("request_der() parsed the same bytes");
    let key_file = place.key(request.spki);
    let bytes = tool.read(&key_file).map_err(|what| {
        let what = format!("its private key {key_file} cannot be read: {what}");
        refusal(
            file.clone(),
            what,
            format!("put the key back, or {}", away(place)),
        )
    })?;
    let key = keystore::read(&bytes, None, &Limits::default())
        .ok()
        .and_then(|store| store.entries().iter().find_map(|entry| entry.unlock(None).ok()))
        .filter(|key| key.matches_spki(request.spki) == KeyMatch::Matches)
        .ok_or_else(|| {
            let what = format!("does not hold the private key of {file}");
            refusal(key_file, what, format!("put the key back, or {}", away(place)))
        })?;
    Ok((der, key))
}

/// The one request of a file.
fn request_der(bytes: &[u8]) -> Option<Vec<u8>> {
    let store = keystore::read(bytes, None, &Limits::default()).ok()?;
    store.entries().iter().find_map(|entry| match entry.body() {
        Body::Request { der, .. } if Request::parse(der).is_ok() => Some(der.clone()),
        _ => None,
    })
}

/// From the leaf upwards, each issuer behind what it issued; what is not on the way is left out.
fn chain(leaf: Certificate, mut pool: Vec<Certificate>) -> Vec<Certificate> {
    let mut line = vec![leaf];
    while let Some(last) = line.last().filter(|last| !last.is_self_issued()) {
        pool.retain(|other| !line.contains(other));
        let next = pool
            .iter()
            .filter(|candidate| last.names_as_issuer(candidate))
            .max_by_key(|candidate| {
                let signs = crate::material::is_signed_by(last, candidate);
                (signs, candidate.validity().not_after)
            })
            .cloned();
        match next {
            Some(next) => line.push(next),
            None => break,
        }
    }
    line
}

/// The lowest id of the components that present from the same files, whoever of them they share with.
fn first_of_shared(covered: &BTreeSet<&str>, snapshot: &Snapshot, id: &str) -> String {
    let files = |members: &BTreeSet<&str>| -> BTreeSet<(&str, &str)> {
        snapshot
            .uses
            .iter()
            .filter(|facts| !facts.presented.is_empty() && members.contains(facts.component.as_str()))
            .map(|facts| (facts.host.as_str(), facts.path.as_str()))
            .collect()
    };
    let mut members = BTreeSet::from([id]);
    loop {
        let read = files(&members);
        let before = members.len();
        members.extend(
            snapshot
                .uses
                .iter()
                .filter(|facts| read.contains(&(facts.host.as_str(), facts.path.as_str())))
                .filter(|facts| covered.contains(facts.component.as_str()))
                .filter(|facts| !is_workload_automation(snapshot, &facts.component))
                .map(|facts| facts.component.as_str()),
        );
        if members.len() == before {
            break;
        }
    }
    members.first().map_or(id, |first| first).to_owned()
}

fn is_workload_automation(snapshot: &Snapshot, id: &str) -> bool {
    snapshot
        .components
        .get(id)
        .is_some_and(|value| value["product"] == workload_automation::PRODUCT)
}

/// A name that is safe as a file name everywhere.
fn file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
            _ => '-',
        })
        .collect();
    match safe.strip_prefix('.') {
        Some(rest) => format!("-{rest}"),
        None => safe,
    }
}

fn away(place: &RequestPlace) -> String {
    format!(
        "move {} away and plan again: a new key and request are made",
        place.request()
    )
}

const KEYS: &str = ".capgrow/keys";
const MATERIAL: &str = "csr:";

/// Source: RFC 5280 A.1, ub-common-name.
const MAX_COMMON_NAME: usize = 64;

#[cfg(test)]
mod tests;
