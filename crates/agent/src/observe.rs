//! When a step is done: a handshake with a process that loaded its files after the write.
//!
//! Source: planner.md, What counts as observed. *Switch*: a fresh full handshake shows the new leaf. *Grow*: the tool
//! dials the component with the new identity and is let in. *Retire*: the old identity is refused and the new one
//! accepted. A component that only dials out is seen through its peers with the files as it reads them.

use std::time::Duration;
use std::time::Instant;

use exec::run::HandsError;
use keystore::Certificate;
use plan::Direction;
use plan::Event;
use plan::Step;
use product::ClientCertificate;
use product::Component;
use product::Healthy;
use product::Listen;
use product::Means;
use serde_json::Value;
use serde_json::json;

use crate::hands::OsHands;
use crate::hands::fail;
use crate::handshake::Shake;
use crate::handshake::shake;
use crate::identity::Identity;
use crate::links;

/// Looks until everything is seen or the component's time has passed.
pub(crate) fn observe(
    hands: &mut OsHands<'_>,
    component: &Component,
    step: &Step,
) -> Result<Value, HandsError> {
    let live = [&component.effective.identity, &component.effective.trust]
        .into_iter()
        .filter_map(|means| match means {
            Means::Live(within) => Some(*within),
            _ => None,
        });
    let patience = component.effective.takes.max(live.max().unwrap_or_default()) + Duration::from_secs(2);
    let deadline = Instant::now() + patience;
    let mut settled = !reloads(component, step);
    loop {
        match look(hands, component, step) {
            Ok(evidence) if settled => {
                hands.failed += down(&evidence);
                return Ok(evidence);
            }
            Ok(_) => {
                settled = true;
                std::thread::sleep(OLD_WORKERS_FOR);
            }
            Err(seen) if Instant::now() >= deadline => {
                let what = format!("{}: {seen} (waited {} s)", component.id, patience.as_secs());
                return Err(fail(
                    what,
                    "look at the component's log, then `capgrow apply --resume`, or `capgrow undo`",
                ));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(150)),
        }
    }
}

/// How many links of this evidence were down under their waiver.
fn down(evidence: &Value) -> u64 {
    let links = evidence["links"].as_array();
    let down = |links: &Vec<Value>| links.iter().filter(|link| !link["down"].is_null()).count();
    links.map_or(0, down) as u64
}

/// Looks at every link of the fleet: what a step could not show while its peers were old must be seen now. Only a link
/// that the plan says stays down may be down.
pub(crate) fn observe_end(hands: &mut OsHands<'_>) -> Result<Value, HandsError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut seen = Vec::new();
        let mut refused = Vec::new();
        for result in links::verify_links(hands.vault, hands.snapshot, &hands.components) {
            hands.handshakes += 1;
            let text = result.link.text();
            let error = result.error.unwrap_or_default();
            if result.ok {
                seen.push(json!({ "link": text, "presented": result.presented.map(|leaf| fleet::snapshot::hex(&leaf)) }));
            } else if hands.waived.stays_down(&text) {
                seen.push(json!({ "link": text, "down": error, "waived": true }));
            } else {
                refused.push(format!("{text}: {error}"));
            }
        }
        if refused.is_empty() {
            let evidence = json!({ "links": seen });
            hands.failed += down(&evidence);
            return Ok(evidence);
        }
        if Instant::now() >= deadline {
            return Err(fail(
                format!("every step is done, and links are down: {}", refused.join("; ")),
                "look at the logs of both ends, then `capgrow apply --resume`, or `capgrow undo`",
            ));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// After a reload, workers with the old files go on accepting beside the new ones for a moment (nginx: 0.1 s), so one
/// look can meet either: it must hold for longer than that. Source: nginx 1.22, `ngx_reconfigure` in
/// `ngx_process_cycle.c`.
const OLD_WORKERS_FOR: Duration = Duration::from_millis(300);

fn reloads(component: &Component, step: &Step) -> bool {
    let means = step.events.iter().map(|event| match event {
        Event::Switch => &component.effective.identity,
        Event::Grow | Event::Retire => &component.effective.trust,
    });
    means.into_iter().any(|means| matches!(means, Means::Reload(_)))
}

fn look(hands: &mut OsHands<'_>, component: &Component, step: &Step) -> Result<Value, String> {
    let mut evidence = serde_json::Map::new();
    let excused = hands.snapshot.links.iter().any(|link| {
        (link.from == component.id || link.to == component.id)
            && hands.waived.may_be_down(&step.id, &link.text())
    });
    match healthy(hands, component, &mut evidence) {
        // The product's own word on its links: one of them is down under its waiver.
        Err(said) if excused && matches!(component.effective.healthy, Some(Healthy::Linked { .. })) => {
            evidence.insert("linked".to_owned(), json!({ "not_yet": said }));
        }
        seen => seen?,
    }
    let undo = hands.direction() == Direction::Undo;
    for event in &step.events {
        let seen = match (event, undo) {
            (Event::Grow, false) => grown(hands, component),
            (Event::Switch, false) => switched(hands, component, true),
            (Event::Retire, false) => retired(hands, component),
            (Event::Switch, true) => switched(hands, component, false),
            (Event::Retire, true) => let_back_in(hands, component),
            // Files restored byte for byte: the peers' handshakes below are the evidence.
            (Event::Grow, true) => Ok(Value::Null),
        }?;
        evidence.insert(event.word().to_owned(), seen);
    }
    evidence.insert("links".to_owned(), own_links(hands, component, step)?);
    Ok(Value::Object(evidence))
}

fn healthy(
    hands: &OsHands<'_>,
    component: &Component,
    evidence: &mut serde_json::Map<String, Value>,
) -> Result<(), String> {
    let root = hands
        .vault
        .trees()
        .get(&component.host)
        .and_then(crate::tree::Tree::root);
    match &component.effective.healthy {
        None => Ok(()),
        Some(Healthy::Tcp(port)) => {
            let host = component
                .listens
                .first()
                .and_then(|listen| listen.address.rsplit_once(':'))
                .map_or("127.0.0.1", |(host, _)| host);
            let address = if port.contains(':') {
                port.clone()
            } else {
                format!("{host}:{port}")
            };
            crate::handshake::reaches(&address)?;
            evidence.insert("healthy".to_owned(), json!(format!("tcp {address}")));
            Ok(())
        }
        Some(Healthy::Command(command)) => {
            let done = crate::command::run(root, component.dir.as_deref(), command, Duration::from_secs(30))
                .map_err(|error| error.to_string())?;
            if done.code != Some(0) {
                return Err(format!(
                    "`{}` says it is not healthy: {}",
                    command.argv.join(" "),
                    done.last_line()
                ));
            }
            evidence.insert("healthy".to_owned(), json!(command.argv.join(" ")));
            Ok(())
        }
        Some(Healthy::Linked {
            command,
            host,
            dir,
            name,
        }) => {
            let root = hands.vault.trees().get(host).and_then(crate::tree::Tree::root);
            let done = crate::command::run(root, Some(dir), command, Duration::from_secs(30))
                .map_err(|error| error.to_string())?;
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            let flags = product::linked(&said, name).map_err(|error| error.to_string())?;
            evidence.insert("linked".to_owned(), json!(flags));
            Ok(())
        }
    }
}

fn asks(listen: &Listen) -> bool {
    listen.client_certificate != ClientCertificate::None
}

/// The new identities of the fleet, each once.
fn new_identities(hands: &OsHands<'_>) -> Vec<Identity> {
    let mut found: Vec<Identity> = Vec::new();
    for rotation in &hands.snapshot.rotations {
        for new in rotation.new.values() {
            let chain: Vec<Certificate> = new
                .chain
                .iter()
                .filter_map(|name| hands.snapshot.certificate(name))
                .collect();
            let known = found.iter().any(|known| known.chain.first() == chain.first());
            if let (false, Some(key)) = (known, hands.keys.get(&new.material)) {
                found.push(Identity {
                    chain,
                    key: key.clone(),
                });
            }
        }
    }
    found
}

/// Dials with each new identity and is let in.
fn grown(hands: &mut OsHands<'_>, component: &Component) -> Result<Value, String> {
    let mut seen = Vec::new();
    for listen in component.listens.iter().filter(|listen| asks(listen)) {
        for identity in new_identities(hands) {
            let shake = dial(hands, listen, &identity, links::own_address(component));
            match shake.accepted {
                Some(true) => seen.push(
                    json!({ "listen": listen.name, "accepted": subject(&identity), "by": shake.evidence }),
                ),
                Some(false) => {
                    return Err(format!(
                        "{} refuses the new identity {}: {}",
                        listen.name,
                        subject(&identity),
                        shake.why
                    ));
                }
                None => {
                    return Err(format!(
                        "{} does not say whether it accepts {}: {}",
                        listen.name,
                        subject(&identity),
                        shake.why
                    ));
                }
            }
        }
    }
    if seen.is_empty() {
        return Ok(json!(
            "weaker: it accepts no client certificates; seen through its own calls"
        ));
    }
    Ok(Value::Array(seen))
}

/// A fresh full handshake shows the leaf that it must present.
fn switched(hands: &mut OsHands<'_>, component: &Component, new: bool) -> Result<Value, String> {
    let mut seen = Vec::new();
    for listen in &component.listens {
        let Some(store) = fleet::store_of(
            component,
            listen.identity.as_deref(),
            product::StoreFile::holds_identity,
        ) else {
            continue;
        };
        let Some(used) = hands.snapshot.use_of(&component.id, &store.id) else {
            continue;
        };
        let old = used.presented.first().cloned();
        let moved = hands
            .snapshot
            .rotations
            .iter()
            .find(|rotation| old.as_ref().is_some_and(|leaf| rotation.leave.contains(leaf)));
        let expected = match moved.and_then(|rotation| rotation.new.get(&component.id)) {
            Some(facts) if new => facts.chain.first().cloned(),
            _ => old,
        };
        let identity = crate::identity::identity(hands.vault, component, store).ok();
        let shake = shake(&links::call(
            listen,
            identity.as_ref().filter(|_| asks(listen)),
            None,
            links::own_address(component),
        ));
        hands.handshakes += 1;
        let presented = shake
            .chain
            .first()
            .map(|leaf| fleet::snapshot::hex(&leaf.sha256()));
        match (&presented, &expected) {
            (Some(found), Some(wanted)) if found == wanted => {
                seen.push(json!({ "listen": listen.name, "presented": found }))
            }
            (Some(found), _) => return Err(format!("{} still presents {}", listen.name, &found[..16])),
            (None, _) => return Err(format!("{} shows no certificate: {}", listen.name, shake.why)),
        }
    }
    if seen.is_empty() {
        return Ok(json!("weaker: it listens nowhere; seen through its own calls"));
    }
    Ok(Value::Array(seen))
}

/// The old identities are refused and the new ones accepted.
fn retired(hands: &mut OsHands<'_>, component: &Component) -> Result<Value, String> {
    let mut seen = Vec::new();
    let old = hands.old.clone();
    for listen in component.listens.iter().filter(|listen| asks(listen)) {
        for identity in &old {
            let shake = dial(hands, listen, identity, links::own_address(component));
            match shake.accepted {
                Some(false) => {
                    seen.push(json!({ "listen": listen.name, "refused": subject(identity), "by": shake.why }))
                }
                Some(true) => {
                    return Err(format!(
                        "{} still accepts the old identity {}",
                        listen.name,
                        subject(identity)
                    ));
                }
                None => {
                    return Err(format!(
                        "{} does not say whether it refuses {}: {}",
                        listen.name,
                        subject(identity),
                        shake.why
                    ));
                }
            }
        }
        for identity in new_identities(hands) {
            let shake = dial(hands, listen, &identity, links::own_address(component));
            if shake.accepted != Some(true) {
                return Err(format!(
                    "{} refuses the new identity {}: {}",
                    listen.name,
                    subject(&identity),
                    shake.why
                ));
            }
            seen.push(json!({ "listen": listen.name, "accepted": subject(&identity), "by": shake.evidence }));
        }
    }
    if seen.is_empty() {
        return Ok(json!(
            "weaker: it accepts no client certificates; seen through its own calls"
        ));
    }
    Ok(Value::Array(seen))
}

/// The old identities of those that dial the component are accepted again.
fn let_back_in(hands: &mut OsHands<'_>, component: &Component) -> Result<Value, String> {
    let mut callers: Vec<(Listen, Identity)> = Vec::new();
    for link in hands.snapshot.links.iter().filter(|link| link.to == component.id) {
        let Some(listen) = component.listen(&link.endpoint).filter(|listen| asks(listen)) else {
            continue;
        };
        let store = hands
            .components
            .iter()
            .find(|client| client.id == link.from)
            .and_then(|client| client.dials.get(link.dial)?.identity.clone());
        let leaf = store
            .and_then(|store| hands.snapshot.use_of(&link.from, &store))
            .and_then(|used| used.presented.first());
        let shown = |identity: &&Identity| {
            let first = identity.chain.first();
            first.map(|first| fleet::snapshot::hex(&first.sha256())).as_ref() == leaf
        };
        if let Some(identity) = leaf.and_then(|_| hands.old.iter().find(shown)) {
            callers.push((listen.clone(), identity.clone()));
        }
    }
    let mut seen = Vec::new();
    for (listen, identity) in &callers {
        let shake = dial(hands, listen, identity, links::own_address(component));
        if shake.accepted != Some(true) {
            let why = format!(
                "{} still refuses the old identity {}: {}",
                listen.name,
                subject(identity),
                shake.why
            );
            return Err(why);
        }
        seen.push(json!({ "listen": listen.name, "accepted": subject(identity), "by": shake.evidence }));
    }
    Ok(Value::Array(seen))
}

/// Every link of the component, in both directions, with the files as they are read now. One that is down under its
/// waiver is evidence too: it is written down and not waited for.
fn own_links(hands: &mut OsHands<'_>, component: &Component, step: &Step) -> Result<Value, String> {
    let mut seen = Vec::new();
    let concerned: Vec<_> = hands
        .snapshot
        .links
        .iter()
        .filter(|link| link.from == component.id || link.to == component.id)
        .cloned()
        .collect();
    for link in &concerned {
        let result = links::verify_link(hands.vault, &hands.components, link);
        hands.handshakes += 1;
        if !result.ok && hands.waived.may_be_down(&step.id, &link.text()) {
            seen.push(
                json!({ "link": link.text(), "down": result.error.unwrap_or_default(), "waived": true }),
            );
            continue;
        }
        if !result.ok {
            return Err(format!("{}: {}", link.text(), result.error.unwrap_or_default()));
        }
        seen.push(json!({ "link": link.text(), "presented": result.presented.map(|leaf| fleet::snapshot::hex(&leaf)) }));
    }
    Ok(Value::Array(seen))
}

fn dial(hands: &mut OsHands<'_>, listen: &Listen, identity: &Identity, source: Option<&str>) -> Shake {
    hands.handshakes += 1;
    shake(&links::call(listen, Some(identity), None, source))
}

fn subject(identity: &Identity) -> String {
    identity
        .chain
        .first()
        .map(|leaf| format!("{} {}", leaf.subject(), fleet::rotation::short(leaf)))
        .unwrap_or_default()
}
