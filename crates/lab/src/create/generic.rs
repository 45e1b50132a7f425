//! A hub and one agent: two programs of no known product, each the client and the server of the other.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::LabError;
use crate::create::block::Block;
use crate::create::write_command;
use crate::material::{Made, Request, UseFor, key_pem, make, pem_of};
use crate::place::{ComponentTruth, Part, Place, Topology, write, write_mode};

pub(super) fn create(place: &Place, exe: &Path) -> Result<Topology, LabError> {
    let block = Block::find(place.dir(), NAMES.len(), &[PORT])?;
    let old = authority("Old Lab CA")?;
    for (number, name) in NAMES.iter().enumerate() {
        let own = leaf(name, &old, &[block.address(number)])?;
        let (peer_number, peer) = if number == 0 { (1, NAMES[1]) } else { (0, NAMES[0]) };
        let host = place.host(name);
        let mut identity = key_pem(&own.key)?;
        identity.extend(pem_of(&[&own.certificate])?);
        write_mode(&host.join(format!("srv/{name}/id.pem")), &identity, 0o600)?;
        write(
            &host.join(format!("srv/{name}/trust.pem")),
            &pem_of(&[&old.certificate])?,
        )?;
        // The hub reads its files at the start alone, the agent also when it gets SIGHUP.
        let reread = if number == 0 { "start" } else { "hangup" };
        let settings = format!(
            "listen = {}:{PORT}\nidentity = /srv/{name}/id.pem\ntrust = /srv/{name}/trust.pem\n\
             dial.{peer} = {}:{PORT}\nreread = {reread}\n",
            block.address(number),
            block.address(peer_number),
        );
        write(
            &host.join(format!("srv/{name}/{name}.properties")),
            settings.as_bytes(),
        )?;
        for command in ["restart", "reload", "stop", "start"] {
            write_command(
                place,
                name,
                &format!("/srv/{name}/bin/{command}"),
                &format!("{command} {name}"),
                exe,
            )?;
        }
    }
    let new = authority("New Lab CA")?;
    let addresses: Vec<Ipv4Addr> = (0..NAMES.len()).map(|n| block.address(n)).collect();
    let target = leaf("lab", &new, &addresses)?;
    let new_dir = place.dir().join("new");
    write(
        &new_dir.join("chain.pem"),
        &pem_of(&[&target.certificate, &new.certificate])?,
    )?;
    write_mode(&new_dir.join("tls.key"), &key_pem(&target.key)?, 0o600)?;
    write_mode(
        &place.dir().join("capgrow.toml"),
        fleet_file(block).as_bytes(),
        0o644,
    )?;
    let component = |(number, name): (usize, &&str)| ComponentTruth {
        id: (*name).to_owned(),
        host: (*name).to_owned(),
        role: (*name).to_owned(),
        part: Part::Generic,
        address: block.address(number),
    };
    Ok(Topology {
        exe: exe.to_owned(),
        components: NAMES.iter().enumerate().map(component).collect(),
        every_ms: 250,
    })
}

fn authority(name: &str) -> Result<Made, LabError> {
    make(
        &Request {
            subject: &[("CN", name)],
            bits: 2048,
            days: 3650,
            use_for: UseFor::Ca,
        },
        None,
    )
}

fn leaf(name: &str, issuer: &Made, addresses: &[Ipv4Addr]) -> Result<Made, LabError> {
    let names: Vec<String> = NAMES.iter().map(|n| format!("{n}.example")).collect();
    let use_for = UseFor::Leaf {
        names: &names,
        addresses,
    };
    make(
        &Request {
            subject: &[("CN", name), ("O", "Lab")],
            bits: 2048,
            days: 365,
            use_for,
        },
        Some(issuer),
    )
}

fn fleet_file(block: Block) -> String {
    let mut text = "version = 1\n".to_owned();
    for (number, name) in NAMES.iter().enumerate() {
        let peer = NAMES[1 - number];
        let address = block.address(number);
        text.push_str(&format!(
            r#"
[hosts.{name}]
root = "hosts/{name}"

[components.{name}]
host    = "{name}"
product = "generic"
runtime = "openssl"
dir     = "/srv/{name}"

[[components.{name}.stores]]
id    = "id"
file  = "/srv/{name}/id.pem"
holds = ["identity"]

[[components.{name}.stores]]
id    = "ca"
file  = "/srv/{name}/trust.pem"
holds = ["trust"]

[components.{name}.effective]
restart = ["/srv/{name}/bin/restart"]
process = {{ address = "{address}:{PORT}" }}
healthy = "tcp:{PORT}"
takes   = "20s"

[[components.{name}.listens]]
name     = "peer"
address  = "{address}:{PORT}"
identity = "id"
trust    = "ca"
client-certificate = "required"

[[components.{name}.dials]]
to       = "{peer}"
endpoint = "peer"
identity = "id"
trust    = "ca"
"#
        ));
    }
    text.push_str(
        r#"
[[rotate]]
name  = "leave-the-old-ca"
leave = { issuer = "CN=Old Lab CA" }
to    = { chain = "new/chain.pem", key = "new/tls.key" }
"#,
    );
    text
}

const NAMES: [&str; 2] = ["hub", "agent"];
const PORT: u16 = 7443;
