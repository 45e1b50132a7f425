//! Is this certificate for that name: one matcher per family of runtimes.

mod gnutls;
mod go;
mod java;
mod openssl;
mod others;
mod webpki;

use std::net::IpAddr;

use crate::cert::Cert;
use crate::dn;
use crate::extension::General;

pub(crate) use gnutls::gnutls;
pub(crate) use go::go;
pub(crate) use java::java;
pub(crate) use openssl::openssl;
pub(crate) use others::{curl, node};
pub(crate) use webpki::webpki;

/// What the client dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer<'a> {
    Dns(&'a str),
    Ip { text: &'a str, address: IpAddr },
}

impl<'a> Peer<'a> {
    /// An address in any spelling that the standard library reads, else a DNS name.
    pub(crate) fn new(text: &'a str) -> Self {
        match text.parse() {
            Ok(address) => Self::Ip { text, address },
            Err(_) => Self::Dns(text),
        }
    }
}

/// dNSName values that are UTF-8, in file order.
pub(crate) fn dns_names<'a>(cert: &Cert<'a>) -> Vec<&'a str> {
    let names = cert.extensions.names.iter().flatten();
    names
        .filter_map(|name| match name {
            General::Dns(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        })
        .collect()
}

/// Whether the SAN extension has a name of that kind.
pub(crate) fn has_dns(cert: &Cert<'_>) -> bool {
    cert.extensions
        .names
        .iter()
        .flatten()
        .any(|name| matches!(name, General::Dns(_)))
}

/// iPAddress values.
pub(crate) fn addresses(cert: &Cert<'_>) -> Vec<IpAddr> {
    let names = cert.extensions.names.iter().flatten();
    names
        .filter_map(|name| match name {
            General::Ip(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

pub(crate) fn common_names(cert: &Cert<'_>) -> Vec<String> {
    dn::common_names(cert.subject)
}
