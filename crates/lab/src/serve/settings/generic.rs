//! A program of no known product: one properties file, one identity file, one trust file.

use std::net::SocketAddrV4;
use std::path::Path;

use crate::LabError;
use crate::place::{ComponentTruth, Place, read, read_text};
use crate::record::link_name;
use crate::serve::settings::{Dial, Listen, Reread, Setup};
use crate::serve::tls::{Material, Sends, identity_of_pem};

/// Reads `/srv/<id>/<id>.properties` below the host's root, and the files it names.
pub(super) fn read_setup(place: &Place, me: &ComponentTruth) -> Result<Setup, LabError> {
    let root = place.host(&me.host);
    let below = |p: &str| root.join(p.trim_start_matches('/'));
    let path = below(&format!("/srv/{0}/{0}.properties", me.id));
    let text = read_text(&path)?;
    let wrong = |what: String| LabError::Content {
        path: path.clone(),
        what,
    };
    let mut listen = None;
    let (mut identity, mut trust) = (None, None);
    let mut dials = Vec::new();
    let mut reread = Reread::AtStart;
    for line in text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| wrong(format!("no '=' in {line:?}")))?;
        let (key, value) = (key.trim(), value.trim());
        let address = || {
            value
                .parse::<SocketAddrV4>()
                .map_err(|_| wrong(format!("{value:?} is no address")))
        };
        match key {
            "listen" => listen = Some(address()?),
            "identity" => identity = Some(below(value)),
            "trust" => trust = Some(below(value)),
            "reread" if value == "start" => reread = Reread::AtStart,
            "reread" if value == "hangup" => reread = Reread::OnHangup,
            "reread" if value == "poll" => reread = Reread::Polled,
            _ => match key.strip_prefix("dial.") {
                Some(peer) => {
                    let link = link_name(&me.id, peer, "peer", None);
                    dials.push(Dial {
                        link,
                        to: address()?,
                        path: "/",
                        material: 0,
                    });
                }
                None => return Err(wrong(format!("unknown key {key:?}"))),
            },
        }
    }
    let address = listen.ok_or_else(|| wrong("no key \"listen\"".to_owned()))?;
    let identity = identity.ok_or_else(|| wrong("no key \"identity\"".to_owned()))?;
    let trust = trust.ok_or_else(|| wrong("no key \"trust\"".to_owned()))?;
    Ok(Setup {
        listens: vec![Listen {
            address,
            material: 0,
            admits: None,
        }],
        dials,
        materials: vec![material(&identity, &trust)?],
        watched: vec![identity, trust],
        reread,
        notes: Vec::new(),
    })
}

fn material(identity: &Path, trust: &Path) -> Result<Material, LabError> {
    let (key, chain) = identity_of_pem(identity, &read(identity)?, None)?;
    let anchors = crate::serve::tls::certificates_of_pem(trust, &read(trust)?)?;
    Ok(Material {
        key,
        chain,
        anchors,
        sends: Sends::Completed,
    })
}
