//! A profile's fields as rows, for the page on profiles and for whoever shows one.

use super::{Cited, Profile, Search};

/// One field: its name, its value in words, its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What is set.
    pub name: &'static str,
    /// To what.
    pub value: String,
    /// Where it was taken from: a specification, a vendor's document or source, or the id of a recorded verdict.
    pub source: &'static str,
}

impl Profile {
    /// Every field with its source, those that all runtimes have first.
    pub fn fields(&self) -> Vec<Field> {
        let mut rows = vec![
            row("names are one", self.naming_words()),
            row("refused when decoded", listed(self.refuses)),
            row("entries that are anchors", shown(self.anchors)),
            row("identity without an alias", shown(self.presents)),
            row("answer to a certificate request", shown(self.answers)),
            row("revocation lists", shown(self.revocation)),
        ];
        if let Some(curves) = self.curves {
            rows.push(row("curves offered in the handshake", listed(curves)));
        }
        match &self.search {
            Search::GnuTls(rules) => rows.extend([
                row("hashes that are broken", listed(rules.broken_hashes)),
                row("smallest RSA key", shown(rules.min_rsa_bits)),
                row("is the program", shown(rules.is_program)),
            ]),
            Search::Go(rules) => rows.push(row("hashes refused", listed(rules.refused_hashes))),
            Search::Gskit(rules) => rows.extend([
                row("basic policy first", shown(rules.basic_first)),
                row("looks at extendedKeyUsage", shown(rules.checks_extended_usage)),
            ]),
            Search::Java(rules) => rows.extend([
                row("validator", shown(rules.validator)),
                row("hashes disabled", listed(rules.disabled_hashes)),
                row("smallest RSA or DSA key", shown(rules.min_rsa_bits)),
                row("smallest EC key", shown(rules.min_ec_bits)),
                row("curves of signatures", listed(rules.curves)),
                row("intermediates in a search", shown(rules.max_searched)),
                row("anchors must be CAs", shown(rules.anchor_must_be_ca)),
            ]),
            Search::Nss(rules) => rows.extend([
                row("backtracks", shown(rules.backtracks)),
                row("anchors must sign", shown(rules.anchor_must_sign)),
                row("wants a name", shown(rules.wants_name)),
                row("wants a key of a kind it knows", shown(rules.wants_known_key)),
                row("hashes refused", listed(rules.refused_hashes)),
                row("critical extensions known", listed(rules.known_extensions)),
            ]),
            Search::OpenSsl(rules) => rows.extend([
                row("partial chain", shown(rules.partial_chain)),
                row("partial chain in servers", shown(rules.partial_in_servers)),
                row("strict", shown(rules.strict)),
                row("security level", shown(rules.auth_level)),
                row("matches names", shown(rules.host)),
                row("words", shown(rules.prints)),
            ]),
            Search::WebPki(rules) => rows.extend([
                row("hashes refused", listed(rules.refused_hashes)),
                row("curve and hash", listed(rules.ecdsa)),
                row("smallest RSA key of an issuer", shown(rules.min_rsa_bits)),
                row("intermediates", shown(rules.max_intermediates)),
            ]),
        }
        rows
    }

    fn naming_words(&self) -> (String, &'static str) {
        let source = match self.search {
            Search::Java(_) => {
                "OpenJDK 17 sun.security.x509.AVA.toRFC2253CanonicalString; verdict odd:dn-case"
            }
            Search::OpenSsl(_) => {
                "OpenSSL 3.0 crypto/x509/x_name.c; verdicts odd:dn-encoding, odd:dn-case, odd:dn-space"
            }
            Search::Gskit(_) => "RFC 5280 7.1; not documented for GSKit",
            Search::GnuTls(_) | Search::Go(_) | Search::Nss(_) | Search::WebPki(_) => {
                "verdicts odd:dn-encoding, odd:dn-case"
            }
        };
        (format!("{:?}", self.naming()), source)
    }
}

fn row(name: &'static str, (value, source): (String, &'static str)) -> Field {
    Field { name, value, source }
}

fn shown<T: std::fmt::Debug>(field: Cited<T>) -> (String, &'static str) {
    (format!("{:?}", field.value), field.source)
}

fn listed<T: std::fmt::Debug>(field: Cited<&'static [T]>) -> (String, &'static str) {
    let values: Vec<String> = field.value.iter().map(|value| format!("{value:?}")).collect();
    let text = if values.is_empty() {
        "none".to_owned()
    } else {
        values.join(", ")
    };
    (text, field.source)
}
