//! Name constraints of GnuTLS: those of all issuers merged, applied to the end entity only.
//!
//! Source: GnuTLS 3.7.9-2+deb12u7 lib/x509/name_constraints.c, with the corrections of CVE-2026-3833 and CVE-2026-42011;
//! verdicts of families `nc` and `limbo:rfc5280::nc`.

use std::cmp::Ordering;

use super::ip_in;
use crate::cert::Cert;
use crate::check;
use crate::dn;
use crate::extension::{self as ext, General, KnownExtension, Subtrees};
use crate::{Purpose, extension::Extensions};

/// Constraints of the issuers met so far.
#[derive(Default)]
pub(crate) struct Merged<'a> {
    permitted: Vec<General<'a>>,
    excluded: Vec<General<'a>>,
    /// Kinds of which no name is left to be permitted.
    closed: Vec<Kind>,
}

impl<'a> Merged<'a> {
    /// Adds an issuer's; `false` when they cannot be read.
    pub(crate) fn add(&mut self, issuer: &Cert<'a>) -> bool {
        if issuer
            .extensions
            .broken
            .contains(&KnownExtension::NameConstraints)
        {
            return false;
        }
        let Some(set) = &issuer.extensions.subtrees else {
            return true;
        };
        let mut bases = set.permitted.iter().chain(&set.excluded);
        if !bases.all(is_readable) {
            return false;
        }
        self.merge(set);
        true
    }

    fn merge(&mut self, set: &Subtrees<'a>) {
        let mut permitted = Vec::new();
        for kind in [
            Kind::Dns,
            Kind::Email,
            Kind::Ip,
            Kind::Directory,
            Kind::Uri,
            Kind::Other,
        ] {
            let old: Vec<General<'a>> = of_kind(&self.permitted, kind);
            let new: Vec<General<'a>> = of_kind(&set.permitted, kind);
            let can_meet = matches!(kind, Kind::Dns | Kind::Email | Kind::Ip);
            if !can_meet || old.is_empty() || new.is_empty() {
                permitted.extend(old.into_iter().chain(new));
                continue;
            }
            let both: Vec<General<'a>> = old.iter().flat_map(|old| meet(*old, &new)).collect();
            if both.is_empty() {
                self.closed.push(kind);
            }
            permitted.extend(both);
        }
        self.permitted = permitted;
        self.excluded.extend(set.excluded.iter().copied());
    }

    /// Names of the SAN; without a dNSName the one common name of a server, without an e-mail address that of the subject.
    /// Excluded directory names refuse everything, excluded URIs every URI (verdict nc:dn-permit-violated).
    pub(crate) fn allow(&self, cert: &Cert<'_>) -> bool {
        let names: Vec<General<'_>> = cert.extensions.names.iter().flatten().copied().collect();
        let commons = dn::common_names(cert.subject);
        let mails = dn::email_addresses(cert.subject);
        let is_server = check::extended_usage(cert, Purpose::Server, &[ext::ANY_USAGE]).is_ok();
        let hosts = texts(&names, Kind::Dns, is_server.then_some(commons.as_slice()));
        let addresses = texts(&names, Kind::Email, Some(&mails));
        let has_uri = names.iter().any(|name| Kind::of(name) == Kind::Uri);
        let excludes = |kind| self.excluded.iter().any(|base| Kind::of(base) == kind);
        self.allow_texts(Kind::Dns, hosts)
            && self.allow_texts(Kind::Email, addresses)
            && !excludes(Kind::Directory)
            && !(has_uri && excludes(Kind::Uri))
            && self.allow_addresses(&cert.extensions)
    }

    fn speaks_of(&self, kind: Kind) -> bool {
        let mut bases = self.permitted.iter().chain(&self.excluded);
        self.closed.contains(&kind) || bases.any(|base| Kind::of(base) == kind)
    }

    /// `texts`: `None` = more than one where only one may be.
    fn allow_texts(&self, kind: Kind, texts: Option<Vec<Vec<u8>>>) -> bool {
        if !self.speaks_of(kind) {
            return true;
        }
        let Some(texts) = texts else { return false };
        texts.iter().all(|text| self.allow_text(kind, text))
    }

    fn allow_text(&self, kind: Kind, text: &[u8]) -> bool {
        let bases = |list: &[General<'a>]| -> Vec<&'a [u8]> {
            of_kind(list, kind).into_iter().filter_map(bytes).collect()
        };
        let lies = |base: &&[u8]| matches!(relation(kind, text, base), Relation::Equal | Relation::Below);
        let is_out = |base: &&[u8]| base.is_empty() || lies(base);
        if self.closed.contains(&kind) || bases(&self.excluded).iter().any(is_out) {
            return false;
        }
        let mut permitted = bases(&self.permitted);
        permitted.retain(|base| !base.is_empty());
        permitted.is_empty() || permitted.iter().any(lies)
    }

    fn allow_addresses(&self, extensions: &Extensions<'_>) -> bool {
        let addresses = extensions.names.iter().flatten().filter_map(|name| match name {
            General::Ip(address) => Some(*address),
            _ => None,
        });
        let lies = |address: &[u8], base: &General<'_>| match base {
            General::Ip(base) if base.len() == address.len() * 2 => ip_in(address, base),
            _ => None,
        };
        addresses.into_iter().all(|address| {
            let is_in = |base: &General<'_>| lies(address, base) == Some(true);
            let permitted: Vec<bool> = self
                .permitted
                .iter()
                .filter_map(|base| lies(address, base))
                .collect();
            !self.closed.contains(&Kind::Ip)
                && !self.excluded.iter().any(is_in)
                && (permitted.is_empty() || permitted.contains(&true))
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    Dns,
    Email,
    Ip,
    Other,
    Uri,
}

impl Kind {
    fn of(name: &General<'_>) -> Self {
        match name {
            General::Directory(_) => Self::Directory,
            General::Dns(_) => Self::Dns,
            General::Email(_) => Self::Email,
            General::Ip(_) => Self::Ip,
            General::Other(_) => Self::Other,
            General::Uri(_) => Self::Uri,
        }
    }
}

fn of_kind<'a>(list: &[General<'a>], kind: Kind) -> Vec<General<'a>> {
    list.iter()
        .copied()
        .filter(|name| Kind::of(name) == kind)
        .collect()
}

fn bytes<'a>(name: General<'a>) -> Option<&'a [u8]> {
    match name {
        General::Dns(text) | General::Email(text) => Some(text),
        _ => None,
    }
}

/// Names of that kind in the SAN, else the one of the subject; `None` when the subject has several.
fn texts(names: &[General<'_>], kind: Kind, subject: Option<&[String]>) -> Option<Vec<Vec<u8>>> {
    let of_kind: Vec<Vec<u8>> = of_kind(names, kind)
        .into_iter()
        .filter_map(bytes)
        .map(<[u8]>::to_vec)
        .collect();
    match subject {
        _ if !of_kind.is_empty() => Some(of_kind),
        Some([_, _, ..]) => None,
        Some([only]) => Some(vec![only.clone().into_bytes()]),
        Some([]) | None => Some(Vec::new()),
    }
}

/// `validate_name_constraints_node`: address masks without holes, names without empty labels, no unknown kinds.
fn is_readable(base: &General<'_>) -> bool {
    match base {
        General::Ip(address) => {
            let mask = address.get(address.len() / 2..).unwrap_or_default();
            let ones: u32 = mask
                .iter()
                .map(|octet| octet.leading_ones())
                .take_while(|&ones| ones > 0)
                .sum();
            let set: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
            matches!(address.len(), 8 | 32) && ones == set
        }
        General::Dns(text) | General::Email(text) => {
            *text != b"." && !text.windows(2).any(|pair| pair == b"..")
        }
        General::Other(_) => false,
        General::Directory(_) | General::Uri(_) => true,
    }
}

/// What lies both in `old` and in one of `new`.
fn meet<'a>(old: General<'a>, new: &[General<'a>]) -> Vec<General<'a>> {
    let one = |new: &General<'a>| match (old, *new) {
        (General::Ip(inner), General::Ip(outer)) if inner.len() == outer.len() => {
            let half = inner.len() / 2;
            let within = |small: &[u8], wide: &[u8]| {
                let is_narrower = small.get(half..) >= wide.get(half..);
                is_narrower && small.get(..half).and_then(|address| ip_in(address, wide)) == Some(true)
            };
            match (within(inner, outer), within(outer, inner)) {
                (true, _) => Some(old),
                (_, true) => Some(*new),
                _ => None,
            }
        }
        (old_base, new_base) => {
            let (first, second) = (bytes(old_base)?, bytes(new_base)?);
            match relation(Kind::of(&old_base), first, second) {
                Relation::Equal | Relation::Below => Some(old),
                Relation::Above => Some(*new),
                Relation::Apart => None,
            }
        }
    };
    new.iter().filter_map(one).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Above,
    Apart,
    Below,
    Equal,
}

fn relation(kind: Kind, first: &[u8], second: &[u8]) -> Relation {
    match kind {
        Kind::Email => mail_relation(first, second),
        _ => host_relation(first, second),
    }
}

/// `compare_dns_names`: label by label from the right; a leading dot counts as something below.
fn host_relation(first: &[u8], second: &[u8]) -> Relation {
    let ((one, one_dotted), (two, two_dotted)) = (labels(first), labels(second));
    let shared = one.len().min(two.len());
    if one[..shared] != two[..shared] {
        return Relation::Apart;
    }
    match one.len().cmp(&two.len()) {
        Ordering::Less => Relation::Above,
        Ordering::Greater => Relation::Below,
        Ordering::Equal => match (one_dotted, two_dotted) {
            (true, false) => Relation::Below,
            (false, true) => Relation::Above,
            _ => Relation::Equal,
        },
    }
}

/// The labels from the right, and whether a dot stands in front: `.gr` is no name, and includes `example.gr`.
fn labels(name: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let dots = name.iter().rev().take_while(|&&octet| octet == b'.').count();
    let name = &name[..name.len() - dots];
    let (name, is_dotted) = match name.split_first() {
        Some((b'.', rest)) => (rest, true),
        _ => (name, false),
    };
    let labels = name.rsplit(|&octet| octet == b'.');
    (labels.map(<[u8]>::to_ascii_lowercase).collect(), is_dotted)
}

/// `compare_emails`: a host alone is that host, with a leading dot any below.
fn mail_relation(first: &[u8], second: &[u8]) -> Relation {
    let split = |name: &'_ [u8]| {
        let at = name.iter().rposition(|&octet| octet == b'@');
        (
            at.map(|at| name[..at].to_vec()),
            name[at.map_or(0, |at| at + 1)..].to_vec(),
        )
    };
    let ((user, host), (other_user, other_host)) = (split(first), split(second));
    let hosts = match host_relation(&host, &other_host) {
        Relation::Below if other_host.first() != Some(&b'.') => Relation::Apart,
        Relation::Above if host.first() != Some(&b'.') => Relation::Apart,
        hosts => hosts,
    };
    match (user, other_user, hosts) {
        (None, None, hosts) => hosts,
        (Some(_), None, Relation::Equal | Relation::Below) => Relation::Below,
        (None, Some(_), Relation::Equal) => Relation::Above,
        (Some(user), Some(other), Relation::Equal) if user == other => Relation::Equal,
        _ => Relation::Apart,
    }
}
