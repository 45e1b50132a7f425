//! What a host's open connections show and nobody declared: a question, never a link.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;

use product::Component;
use product::HostFiles;

use crate::scan::Look;
use crate::scan::question;
use crate::snapshot::Snapshot;

/// Asks about every endpoint to which a host holds a connection although none of its components is declared to dial it.
///
/// Source: the tables of TCP connections that Linux shows as files. A connection within one host is passed over: who
/// watches or asks an endpoint there is no component. That none is open at this moment proves nothing.
///
/// Cost: one look at each endpoint for each host.
pub(crate) fn undeclared(look: &Look<'_>, components: &[Component], snapshot: &mut Snapshot) {
    for files in look.hosts {
        let seen = called(*files);
        if seen.is_empty() {
            continue;
        }
        for server in components.iter().filter(|server| server.host != files.host()) {
            for listen in &server.listens {
                let called = listen
                    .address
                    .parse::<SocketAddr>()
                    .is_ok_and(|at| seen.contains(&at));
                if called {
                    ask(files.host(), components, (&server.id, &listen.name), snapshot);
                }
            }
        }
    }
}

fn ask(host: &str, components: &[Component], (server, endpoint): (&str, &str), snapshot: &mut Snapshot) {
    let there: Vec<&Component> = components.iter().filter(|one| one.host == host).collect();
    let declared = there
        .iter()
        .flat_map(|one| &one.dials)
        .any(|dial| dial.to == server && dial.endpoint == endpoint);
    if declared {
        return;
    }
    let (about, caller) = match there[..] {
        [only] => (only.id.as_str(), only.id.as_str()),
        _ => (server, "…"),
    };
    let text = format!(
        "who on host `{host}` calls {server}.{endpoint}? a connection to it is open, and no component there is declared to \
         dial it: until one is, no plan keeps that link up"
    );
    let proposal = format!(
        "[[components.{caller}.dials]]
to = \"{server}\"
endpoint = \"{endpoint}\""
    );
    question(snapshot, about, text, Some(proposal));
}

/// The far ends of a host's open connections, without those that never leave it.
fn called(files: &dyn HostFiles) -> BTreeSet<SocketAddr> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|path| files.read(path).ok());
    let mut seen = BTreeSet::new();
    for table in tables {
        let text = String::from_utf8_lossy(&table);
        seen.extend(
            text.lines()
                .filter_map(far_end)
                .filter(|at| !at.ip().is_loopback()),
        );
    }
    seen
}

/// The far end of an established connection, from a line such as
/// `0: 0A00000A:C350 0900000A:0009 01 …`: addresses are words in the order of the machine, ports are numbers.
fn far_end(line: &str) -> Option<SocketAddr> {
    let mut words = line.split_whitespace().skip(2);
    let (far, state) = (words.next()?, words.next()?);
    let (address, port) = far.split_once(':').filter(|_| state == ESTABLISHED)?;
    let bytes: Vec<u8> = (0..address.len() / 8)
        .filter_map(|word| u32::from_str_radix(address.get(word * 8..word * 8 + 8)?, 16).ok())
        .flat_map(u32::to_le_bytes)
        .collect();
    let ip = match bytes.len() {
        4 => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

const ESTABLISHED: &str = "01";

#[cfg(test)]
mod tests;
