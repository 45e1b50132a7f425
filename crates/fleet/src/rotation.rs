//! What a `[[rotate]]` means for the fleet that was seen: who moves, to which chain, which certificates are left.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keystore::Body;
use keystore::Certificate;
use keystore::KeyMatch;
use keystore::Limits;
use keystore::Password;
use keystore::PrivateKey;

use crate::declare;
use crate::file::FleetDoc;
use crate::file::LeaveDoc;
use crate::file::NewDoc;
use crate::file::RotateDoc;
use crate::file::SecretDoc;
use crate::file::StandardsDoc;
use crate::requests;
use crate::requests::RequestPlace;
use crate::snapshot::Fingerprint;
use crate::snapshot::NewFacts;
use crate::snapshot::RotationFacts;
use crate::snapshot::Snapshot;
use crate::snapshot::hex;

/// The tool's own machine, as far as a rotation asks: new material beside the fleet file.
pub trait ToolFiles {
    /// A file; relative paths start at the fleet directory.
    ///
    /// # Errors
    /// A sentence that names the file.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Whether something of that name is there, of whatever kind.
    fn is_there(&self, path: &str) -> bool;

    /// A password of the tool's own machine.
    ///
    /// # Errors
    /// A sentence that names the source.
    fn password(&self, secret: &SecretDoc) -> Result<Password, String>;
}

/// New key and chain, read and matched.
pub struct Material {
    /// Fits the first certificate.
    pub key: PrivateKey,
    /// Leaf first.
    pub chain: Vec<Certificate>,
    /// The file that holds the leaf.
    pub from: String,
}

/// Why a rotation cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{target}: {what}")]
pub struct Refusal {
    /// The file, component or `[[rotate]]`.
    pub target: String,
    /// What was seen.
    pub what: String,
    /// What to do.
    pub fix: String,
    /// The input cannot be used at all, as against: it is not allowed.
    pub unusable: bool,
}

/// Reads the new material of that name, as a snapshot gives it, and matches key and certificate. Nothing where the fleet
/// file no longer names it.
///
/// # Errors
/// [`Refusal`], with the file at fault.
pub fn material_named(doc: &FleetDoc, name: &str, tool: &dyn ToolFiles) -> Option<Result<Material, Refusal>> {
    match RequestPlace::of_material(name) {
        Some(place) if requests::is_named(doc, &place) => Some(requests::answered(&place, tool)),
        Some(_) => None,
        None => material_doc(doc, name).map(|new| material(&new, tool)),
    }
}

/// Reads the new material that `new` names and matches key and certificate.
fn material(new: &NewDoc, tool: &dyn ToolFiles) -> Result<Material, Refusal> {
    let password = match new
        .password
        .as_ref()
        .map(|secret| tool.password(secret))
        .transpose()
    {
        Ok(password) => password,
        Err(what) => {
            return Err(unusable(
                "new.password",
                what,
                "name another source for the password",
            ));
        }
    };
    let (target, key, chain) = match (&new.pfx, &new.chain, &new.key) {
        (Some(pfx), None, None) => {
            let (key, chain) = key_and_chain(pfx, tool, password.as_ref())?;
            (pfx.clone(), key, chain)
        }
        (None, Some(chain), Some(key)) => {
            let (certificates, _) = (certificates(chain, tool)?, ());
            let (found, _) = key_and_chain(key, tool, password.as_ref())?;
            (key.clone(), found, certificates)
        }
        _ => {
            let what = "needs `chain` and `key`, or `pfx`".to_owned();
            return Err(unusable(
                "to",
                what,
                "name the new chain and its key, for example to = { chain = \"new/chain.pem\", key = \"new/tls.key\" }",
            ));
        }
    };
    let leaf_first = ordered(chain);
    let leaf = leaf_first
        .iter()
        .position(|certificate| key.matches(certificate) == KeyMatch::Matches);
    match leaf {
        Some(0) => Ok(Material {
            key,
            chain: leaf_first,
            from: chain_file(new).to_owned(),
        }),
        _ => {
            let what = "the private key does not fit the leaf of the new chain".to_owned();
            Err(unusable(
                &target,
                what,
                "give the key that belongs to the first certificate of the chain",
            ))
        }
    }
}

fn unusable(target: &str, what: String, fix: &str) -> Refusal {
    Refusal {
        target: target.to_owned(),
        what,
        fix: fix.to_owned(),
        unusable: true,
    }
}

fn key_and_chain(
    path: &str,
    tool: &dyn ToolFiles,
    password: Option<&Password>,
) -> Result<(PrivateKey, Vec<Certificate>), Refusal> {
    let bytes = tool
        .read(path)
        .map_err(|what| unusable(path, what, "correct the path in [[rotate]]"))?;
    let store = keystore::read(&bytes, password, &Limits::default())
        .map_err(|error| unusable(path, chain_of(&error), "check the file and its password"))?;
    let entry = store
        .entries()
        .iter()
        .find(|entry| matches!(entry.body(), Body::PrivateKey { .. }));
    let Some(entry) = entry else {
        return Err(unusable(
            path,
            "holds no private key".to_owned(),
            "name the file with the new private key",
        ));
    };
    let key = entry
        .unlock(password)
        .map_err(|error| unusable(path, chain_of(&error), "check `password` beside the new key"))?;
    Ok((key, entry.certificates().to_vec()))
}

/// An error with everything below it, in one line.
pub fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text.push_str(": ");
        text.push_str(&source.to_string());
        below = source.source();
    }
    text
}

/// All certificates of a file, in its order.
pub(crate) fn certificates(path: &str, tool: &dyn ToolFiles) -> Result<Vec<Certificate>, Refusal> {
    let bytes = tool
        .read(path)
        .map_err(|what| unusable(path, what, "correct the path in [[rotate]]"))?;
    let store = keystore::read(&bytes, None, &Limits::default())
        .map_err(|error| unusable(path, chain_of(&error), "give PEM or DER certificates"))?;
    let found: Vec<Certificate> = store
        .entries()
        .iter()
        .flat_map(|entry| entry.certificates().iter().cloned())
        .collect();
    if found.is_empty() {
        return Err(unusable(
            path,
            "holds no certificate".to_owned(),
            "give PEM or DER certificates",
        ));
    }
    Ok(found)
}

/// Leaf first, each issuer behind what it issued; certificates outside that line at the end, as they came.
pub fn ordered(mut rest: Vec<Certificate>) -> Vec<Certificate> {
    let is_issuer_of_none = |candidate: &Certificate, all: &[Certificate]| {
        !all.iter()
            .any(|other| other != candidate && other.names_as_issuer(candidate))
    };
    let start = rest
        .iter()
        .position(|certificate| is_issuer_of_none(certificate, &rest))
        .unwrap_or(0);
    if rest.is_empty() {
        return rest;
    }
    let mut line = vec![rest.remove(start)];
    while let Some(last) = line.last() {
        if last.is_self_issued() {
            break;
        }
        let Some(next) = rest.iter().position(|candidate| last.names_as_issuer(candidate)) else {
            break;
        };
        line.push(rest.remove(next));
    }
    line.extend(rest);
    line
}

/// Fills `snapshot.rotations` from the fleet file. All reasons why not are collected.
///
/// # Errors
/// Every [`Refusal`]; the snapshot then says what is left, and is not to be planned on.
pub fn resolve(
    doc: &FleetDoc,
    snapshot: &mut Snapshot,
    tool: &dyn ToolFiles,
    now: i64,
) -> Result<(), Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut rotations = Vec::new();
    for rotate in &doc.rotate {
        match one(doc, rotate, snapshot, tool, now) {
            Ok((facts, against)) if against.is_empty() => {
                refusals.extend(crate::unmatched::refusal(rotate, &facts, snapshot));
                rotations.push(facts);
            }
            // What is left is known all the same: whoever asks for the state of today needs no more.
            Ok((facts, against)) => {
                refusals.extend(against);
                rotations.push(facts);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    if doc.rotate.is_empty() {
        let what = "there is no [[rotate]] in it".to_owned();
        refusals.push(unusable(
            "capgrow.toml",
            what,
            "say what to leave and where to go: `capgrow init` shows an example",
        ));
    }
    snapshot.taken_at = snapshot.taken_at.max(issued(snapshot, &rotations, now));
    snapshot.rotations = rotations;
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// When the last of the new certificates became valid. A CA may answer after the scan: its chain is then judged from
/// its first second on, and not at a time at which it did not exist.
fn issued(snapshot: &Snapshot, rotations: &[RotationFacts], now: i64) -> i64 {
    rotations
        .iter()
        .flat_map(|facts| {
            facts
                .new
                .values()
                .flat_map(|new| &new.chain)
                .chain(&facts.anchors)
        })
        .filter_map(|name| snapshot.certificate(name))
        .map(|certificate| certificate.validity().not_before)
        .filter(|since| *since <= now)
        .max()
        .unwrap_or(i64::MIN)
}

fn one(
    doc: &FleetDoc,
    rotate: &RotateDoc,
    snapshot: &mut Snapshot,
    tool: &dyn ToolFiles,
    now: i64,
) -> Result<(RotationFacts, Vec<Refusal>), Refusal> {
    let mut refusals = Vec::new();
    let candidates = candidates(doc, rotate, snapshot);
    let all = snapshot.all_certificates();
    let leaving = leaving(rotate, &candidates, snapshot, &all, now)?;
    let mut facts = empty(rotate, &leaving);
    let mut anchors: Vec<Certificate> = Vec::new();
    let mut read: BTreeMap<String, (Vec<Certificate>, String)> = BTreeMap::new();
    let mut judged: BTreeSet<&String> = BTreeSet::new();
    for (component, new, material_name) in &candidates {
        if !presents(snapshot, component, |_| true) {
            continue;
        }
        let moves = presents(snapshot, component, |leaf| leaving.contains(leaf));
        let place = RequestPlace::of_material(material_name);
        if !read.contains_key(material_name) {
            let found = match &place {
                Some(place) => {
                    let members = requests::members_of(material_name, &candidates, snapshot);
                    requests::answered_in_full(place, &requests::names(doc, snapshot, &members), tool)
                }
                None => material(new, tool),
            };
            match found {
                Ok(material) => {
                    read.insert(material_name.clone(), (material.chain, material.from));
                }
                // Nobody asks for a certificate that nobody needs.
                Err(_) if place.is_some() && !moves => continue,
                Err(refusal) => {
                    add(&mut refusals, vec![refusal]);
                    continue;
                }
            }
        }
        let (chain, from) = &read[material_name];
        // What has moved already is part of the rotation too: its state is compared with the new chain.
        let moved = chain
            .first()
            .is_some_and(|leaf| presents(snapshot, component, |seen| *seen == hex(&leaf.sha256())));
        if (moves || moved || place.is_none()) && judged.insert(material_name) {
            add(
                &mut refusals,
                against(doc, rotate, (from, chain), place.as_ref(), now),
            );
        }
        if !moves && !moved {
            continue;
        }
        match roots(rotate, from, chain, tool) {
            Ok(roots) => add(&mut anchors, roots),
            Err(refusal) => add(&mut refusals, vec![refusal]),
        }
        let kept = chain.iter().map(|certificate| snapshot.keep(certificate));
        let new_facts = NewFacts {
            chain: kept.collect(),
            alias: new.alias.clone(),
            material: material_name.clone(),
        };
        facts.new.insert(component.clone(), new_facts);
    }
    facts.anchors = anchors.iter().map(|anchor| snapshot.keep(anchor)).collect();
    let new: Vec<&Fingerprint> = facts.new.values().flat_map(|new| &new.chain).collect();
    facts
        .leave
        .retain(|name| !facts.anchors.contains(name) && !new.contains(&name));
    Ok((facts, refusals))
}

/// What is left, and nothing yet of where to go.
fn empty(rotate: &RotateDoc, leaving: &BTreeSet<Fingerprint>) -> RotationFacts {
    let strategy = rotate.strategy.as_deref().unwrap_or("cap-and-grow");
    RotationFacts {
        name: rotate.name.clone(),
        retire: rotate.retire.unwrap_or(true),
        strategy: strategy.to_owned(),
        leave: leaving.iter().cloned().collect(),
        ..RotationFacts::default()
    }
}

/// Every reason against a new chain of that file.
fn against(
    doc: &FleetDoc,
    rotate: &RotateDoc,
    (from, chain): (&str, &[Certificate]),
    place: Option<&RequestPlace>,
    now: i64,
) -> Vec<Refusal> {
    let mut refusals = crate::material::judge(from, chain, doc.policy.standards.as_ref(), now);
    let (Ok(Some(horizon)), Some(leaf)) = (horizon(rotate, now), chain.first()) else {
        return refusals;
    };
    if (now..=horizon).contains(&leaf.validity().not_after) {
        refusals.push(Refusal {
            target: from.to_owned(),
            what: format!(
                "{} expires within the time in which certificates are left",
                leaf.subject()
            ),
            fix: match place {
                Some(place) => format!(
                    "have {} signed again and put the new answer there",
                    place.request()
                ),
                None => "name a new chain that lasts longer".to_owned(),
            },
            unusable: false,
        });
    }
    refusals
}

/// Until when a certificate must be valid not to be left, where the rotation says so.
fn horizon(rotate: &RotateDoc, now: i64) -> Result<Option<i64>, Refusal> {
    let Some(LeaveDoc::Some(some)) = &rotate.leave else {
        return Ok(None);
    };
    match some.expiring_within.as_deref().map(declare::duration) {
        None => Ok(None),
        Some(Some(within)) => Ok(Some(now + within.as_secs() as i64)),
        Some(None) => Err(unusable(
            &rotate.name,
            "expiring-within is not a time such as \"45d\"".to_owned(),
            "write days as \"45d\"",
        )),
    }
}

/// Adds what is not among them.
fn add<T: PartialEq>(to: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !to.contains(&one) {
            to.push(one);
        }
    }
}

/// Whether a leaf that the component presents is like that.
pub(crate) fn presents(snapshot: &Snapshot, component: &str, wanted: impl Fn(&Fingerprint) -> bool) -> bool {
    snapshot
        .uses
        .iter()
        .any(|facts| facts.component == component && facts.presented.first().is_some_and(&wanted))
}

/// Where the new chain lies.
fn chain_file(new: &NewDoc) -> &str {
    new.pfx.as_deref().or(new.chain.as_deref()).unwrap_or_default()
}

/// The components that present what this rotation leaves.
///
/// # Errors
/// [`Refusal`] where `leave` cannot be understood.
pub(crate) fn moving(
    doc: &FleetDoc,
    rotate: &RotateDoc,
    snapshot: &Snapshot,
    now: i64,
) -> Result<BTreeSet<String>, Refusal> {
    let candidates = candidates(doc, rotate, snapshot);
    let all = snapshot.all_certificates();
    let leaving = leaving(rotate, &candidates, snapshot, &all, now)?;
    let moving = candidates
        .into_iter()
        .map(|(id, ..)| id)
        .filter(|id| presents(snapshot, id, |leaf| leaving.contains(leaf)));
    Ok(moving.collect())
}

/// Components that have a new identity in this rotation, with the words for it and the name of the key.
pub(crate) fn candidates(
    doc: &FleetDoc,
    rotate: &RotateDoc,
    snapshot: &Snapshot,
) -> Vec<(String, NewDoc, String)> {
    let own = |id: &str| doc.components.get(id).and_then(|component| component.new.clone());
    let covered: BTreeSet<&str> = snapshot
        .components
        .keys()
        .map(String::as_str)
        .filter(|id| own(id).is_none())
        .collect();
    let mut found = Vec::new();
    for id in snapshot.components.keys() {
        match (own(id), &rotate.to) {
            (Some(new), to) => {
                let alias = new
                    .alias
                    .clone()
                    .or_else(|| to.as_ref().and_then(|to| to.alias.clone()));
                let material = match &new.csr {
                    Some(dir) => requests::material_of(dir, None, &covered, snapshot, id),
                    None => format!("component:{id}"),
                };
                found.push((id.clone(), NewDoc { alias, ..new }, material));
            }
            (None, Some(to)) => {
                let material = match &to.csr {
                    Some(dir) => requests::material_of(dir, Some(rotate), &covered, snapshot, id),
                    None => format!("rotate:{}", rotate.name),
                };
                found.push((id.clone(), to.clone(), material));
            }
            (None, None) => {}
        }
    }
    found
}

/// The words for the material of that name.
fn material_doc(doc: &FleetDoc, name: &str) -> Option<NewDoc> {
    match name.split_once(':') {
        Some(("component", id)) => doc.components.get(id)?.new.clone(),
        Some(("rotate", name)) => doc.rotate.iter().find(|rotate| rotate.name == name)?.to.clone(),
        _ => None,
    }
}

/// The anchors to grow: as given, else the root of the chain.
fn roots(
    rotate: &RotateDoc,
    from: &str,
    chain: &[Certificate],
    tool: &dyn ToolFiles,
) -> Result<Vec<Certificate>, Refusal> {
    if let Some(trust) = &rotate.trust {
        let mut all = Vec::new();
        for path in trust.all() {
            all.extend(certificates(path, tool)?);
        }
        return Ok(all);
    }
    match chain.iter().find(|certificate| certificate.is_self_issued()) {
        Some(root) => Ok(vec![root.clone()]),
        None => {
            let last = chain
                .last()
                .map(|last| last.issuer().to_string())
                .unwrap_or_default();
            let what =
                format!("the chain is incomplete: it ends before its root, the issuer {last} is missing");
            Err(Refusal {
                target: from.to_owned(),
                what,
                fix: "add the missing certificates to the chain, or name the anchors as trust = \"root.pem\""
                    .to_owned(),
                unusable: false,
            })
        }
    }
}

/// The certificates of the old generation: identities presented now, and anchors.
fn leaving(
    rotate: &RotateDoc,
    candidates: &[(String, NewDoc, String)],
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
    now: i64,
) -> Result<BTreeSet<Fingerprint>, Refusal> {
    let anchors: BTreeSet<&Fingerprint> = snapshot.uses.iter().flat_map(|facts| &facts.anchors).collect();
    let everything = || {
        snapshot
            .uses
            .iter()
            .flat_map(|facts| facts.presented.first())
            .chain(anchors.iter().copied())
    };
    let some = match &rotate.leave {
        None | Some(LeaveDoc::All(_)) => return Ok(leaving_all(candidates, snapshot, all)),
        Some(LeaveDoc::Some(some)) => some,
    };
    let wanted: Vec<[u8; 32]> = some
        .sha256
        .iter()
        .flat_map(|names| names.all())
        .filter_map(|text| crate::snapshot::fingerprint(&text.replace(':', "").to_ascii_lowercase()))
        .collect();
    let defaults = match some.default_of.as_deref() {
        None => Vec::new(),
        Some(product) => product::default_subjects(product).ok_or_else(|| {
            unusable(
                &rotate.name,
                format!("default-of = \"{product}\" is not a product with default certificates"),
                "known: workload-automation",
            )
        })?,
    };
    let horizon = horizon(rotate, now)?;
    let same = |text: &Option<String>, name: &keystore::Name<'_>| {
        text.as_deref().is_some_and(|text| is_name(text, name))
    };
    let found: BTreeSet<Fingerprint> = everything()
        .filter(|name| {
            let Some(certificate) = all.get(*name) else {
                return false;
            };
            let subject = certificate.subject();
            let is_anchor = anchors.contains(name);
            wanted.contains(&certificate.sha256())
                || same(&some.subject, &subject)
                || same(&some.issuer, &certificate.issuer())
                || is_anchor && same(&some.issuer, &subject)
                || certificate.is_self_issued() && defaults.iter().any(|default| is_name(default, &subject))
                || horizon.is_some_and(|horizon| certificate.validity().not_after <= horizon)
        })
        .cloned()
        .collect();
    Ok(found)
}

/// Whether a DN in text names this subject; blanks beside commas do not count.
fn is_name(text: &str, name: &keystore::Name<'_>) -> bool {
    keystore::name::encode(text)
        .ok()
        .and_then(|der| {
            keystore::Name::parse(&der, 0)
                .ok()
                .map(|wanted| wanted.is_same(name))
        })
        .unwrap_or(false)
}

/// `leave = "*"`: what the components with a new identity present now, and the anchors that only those need.
fn leaving_all(
    candidates: &[(String, NewDoc, String)],
    snapshot: &Snapshot,
    all: &BTreeMap<Fingerprint, Certificate>,
) -> BTreeSet<Fingerprint> {
    let movers: BTreeSet<&str> = candidates.iter().map(|(id, ..)| id.as_str()).collect();
    let mut leaving = BTreeSet::new();
    let mut needed_by_others = BTreeSet::new();
    let mut needed_by_movers = BTreeSet::new();
    let anchors: BTreeSet<&Fingerprint> = snapshot.uses.iter().flat_map(|facts| &facts.anchors).collect();
    for facts in &snapshot.uses {
        let chain: Vec<&Certificate> = facts.presented.iter().filter_map(|name| all.get(name)).collect();
        if chain.is_empty() {
            continue;
        }
        let moves = movers.contains(facts.component.as_str());
        let needs = anchors.iter().filter(|name| {
            all.get(**name).is_some_and(|anchor| {
                chain
                    .iter()
                    .any(|link| *link == anchor || link.names_as_issuer(anchor))
            })
        });
        for anchor in needs {
            if moves {
                needed_by_movers.insert((*anchor).clone())
            } else {
                needed_by_others.insert((*anchor).clone())
            };
        }
        if moves {
            leaving.extend(facts.presented.first().cloned());
        }
    }
    leaving.extend(needed_by_movers.difference(&needed_by_others).cloned());
    leaving
}

/// The standard a policy sets, for the one who judges new material.
pub(crate) fn standards_text(standards: &StandardsDoc) -> String {
    let mut parts = Vec::new();
    parts.extend(
        standards
            .min_rsa
            .map(|bits| format!("RSA of at least {bits} bits")),
    );
    parts.extend(standards.min_ec.map(|bits| format!("EC of at least {bits} bits")));
    parts.extend(standards.max_days.map(|days| format!("at most {days} days")));
    if !standards.issuers.is_empty() {
        parts.push(format!("issued by {}", standards.issuers.join(" or ")));
    }
    parts.join(", ")
}

/// A certificate's short name: the first 8 bytes of its SHA-256.
pub fn short(certificate: &Certificate) -> String {
    hex(&certificate.sha256()[..8])
}
