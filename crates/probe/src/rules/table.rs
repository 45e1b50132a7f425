//! The rules as data.

use crate::Rule;
use crate::Severity;

/// All rules, by their names.
pub static RULES: &[&Rule] = &[
    &NO_ADDRESS,
    &REFUSED,
    &NO_CONNECTION,
    &SILENT,
    &HANGS_UP,
    &NOT_TLS,
    &OVERSIZE,
    &STARTTLS,
    &NO_VERSION,
    &PARTLY_UNKNOWN,
    &SSL,
    &OLD_TLS,
    &WEAK_SUITES,
    &SMALL_PRIME,
    &NO_FORWARD_SECRECY,
    &CLIENT_ORDER,
    &COMPRESSION,
    &INSECURE_RENEGOTIATION,
    &HEARTBEAT,
    &NO_FALLBACK_SCSV,
    &UNFINISHED,
    &NO_CERTIFICATE,
    &UNREADABLE,
    &ORDER,
    &MISSING,
    &SUPERFLUOUS,
    &ROOT_SENT,
    &EXPIRED,
    &NOT_YET_VALID,
    &ENDS_SOON,
    &WEAK_KEY,
    &WEAK_SIGNATURE,
    &NAME,
    &REJECTED,
    &BY_NAME,
    &SEVERAL_CHAINS,
    &STAPLE,
    &ASKS,
    &IDENTITY_REFUSED,
    &ISSUER_NOT_LISTED,
];

pub(super) static NO_ADDRESS: Rule = Rule {
    id: "P-01",
    title: "the name has no address",
    severity: Severity::Error,
    cause: "no resolver that this host asks knows the name",
    fix: "correct the name, or add it to DNS or the hosts file",
    source: "RFC 1035",
};

pub(super) static REFUSED: Rule = Rule {
    id: "P-02",
    title: "nobody listens",
    severity: Severity::Error,
    cause: "the host answers that no program listens at this port, or a firewall says so for it",
    fix: "start the server, or ask the port of its settings",
    source: "RFC 9293, 3.5.2",
};

pub(super) static NO_CONNECTION: Rule = Rule {
    id: "P-03",
    title: "no connection",
    severity: Severity::Error,
    cause: "packets are dropped on the way, or the host is down",
    fix: "ask whoever runs the network for the way from here to there",
    source: "RFC 9293",
};

pub(super) static SILENT: Rule = Rule {
    id: "P-04",
    title: "the server says nothing",
    severity: Severity::Error,
    cause: "something takes connections and does not answer a TLS hello: a program that hangs, or one that waits for another protocol",
    fix: "look at the program at this port; where its protocol begins in the clear, name it: smtp://HOST:PORT",
    source: "RFC 8446, 4.1.2",
};

pub(super) static HANGS_UP: Rule = Rule {
    id: "P-05",
    title: "the server hangs up on every hello",
    severity: Severity::Error,
    cause: "something takes connections and closes them on a TLS hello: another protocol, a filter of addresses, or a server without a usable key",
    fix: "look into the server's log at this time; check that its key store opens and holds a private key",
    source: "RFC 8446, 4.1.2",
};

pub(super) static NOT_TLS: Rule = Rule {
    id: "P-06",
    title: "the port does not speak TLS",
    severity: Severity::Error,
    cause: "the answer to a TLS hello is not TLS",
    fix: "ask the port that has TLS, or name the protocol that begins in the clear: smtp://HOST:PORT",
    source: "RFC 8446, 5.1",
};

pub(super) static OVERSIZE: Rule = Rule {
    id: "P-07",
    title: "the answer does not end",
    severity: Severity::Error,
    cause: "the server sends more than a handshake ever needs",
    fix: "look at the program at this port; it is no TLS server in order",
    source: "RFC 8446, 5.1",
};

pub(super) static STARTTLS: Rule = Rule {
    id: "P-08",
    title: "TLS cannot be begun",
    severity: Severity::Error,
    cause: "the server does not answer the words that begin TLS as its protocol has it",
    fix: "switch TLS on in the server",
    source: "RFC 3207, RFC 3501, RFC 4511, PostgreSQL 16 54.2.10, MySQL 8.0 protocol",
};

pub(super) static NO_VERSION: Rule = Rule {
    id: "P-09",
    title: "no protocol version is agreed",
    severity: Severity::Error,
    cause: "the server refuses SSL 3.0 to TLS 1.3 with every registered suite: its own key or its settings leave nothing",
    fix: "look into the server's log at this time; check its key's type against its suites",
    source: "RFC 8446, 4.1.1",
};

pub(super) static PARTLY_UNKNOWN: Rule = Rule {
    id: "P-10",
    title: "not everything could be asked",
    severity: Severity::Warning,
    cause: "the server stopped answering, or a bound of the probe was reached: what was not asked is unknown, not fine",
    fix: "ask again with more time (--timeout) or more connections (--connections), or slower (--rate)",
    source: "the probe's own bounds",
};

pub(super) static SSL: Rule = Rule {
    id: "P-20",
    title: "SSL is spoken",
    severity: Severity::Warning,
    cause: "SSL 2.0 and 3.0 can be broken by whoever stands between",
    fix: "switch SSL off in the server",
    source: "RFC 6176, RFC 7568",
};

pub(super) static OLD_TLS: Rule = Rule {
    id: "P-21",
    title: "TLS 1.0 or 1.1 is spoken",
    severity: Severity::Warning,
    cause: "both are deprecated",
    fix: "switch them off when no client needs them any more",
    source: "RFC 8996",
};

pub(super) static WEAK_SUITES: Rule = Rule {
    id: "P-22",
    title: "weak suites are accepted",
    severity: Severity::Warning,
    cause: "the server takes suites that no client should be given",
    fix: "take them out of the server's list of suites",
    source: "RFC 9325, 4.1; RFC 7465",
};

pub(super) static SMALL_PRIME: Rule = Rule {
    id: "P-23",
    title: "a small Diffie-Hellman group",
    severity: Severity::Warning,
    cause: "primes below 2048 bits are within reach",
    fix: "set a group of RFC 7919 (ffdhe2048 or larger), or leave DHE out",
    source: "RFC 9325, 4.3; weakdh.org",
};

pub(super) static NO_FORWARD_SECRECY: Rule = Rule {
    id: "P-24",
    title: "no suite with forward secrecy",
    severity: Severity::Warning,
    cause: "whoever records traffic today reads it with the server's key tomorrow",
    fix: "add ECDHE suites",
    source: "RFC 9325, 4.1",
};

pub(super) static CLIENT_ORDER: Rule = Rule {
    id: "P-25",
    title: "the client's order of suites counts",
    severity: Severity::Note,
    cause: "the client chooses among what the server takes, the weakest included",
    fix: "set the server to prefer its own order",
    source: "RFC 9325, 4.2.1",
};

pub(super) static COMPRESSION: Rule = Rule {
    id: "P-26",
    title: "TLS compression",
    severity: Severity::Warning,
    cause: "compression tells secrets by length (CRIME)",
    fix: "switch compression off",
    source: "RFC 9325, 3.3",
};

pub(super) static INSECURE_RENEGOTIATION: Rule = Rule {
    id: "P-27",
    title: "no secure renegotiation",
    severity: Severity::Warning,
    cause: "somebody between can put bytes before the client's; OpenSSL 3 refuses such servers",
    fix: "update the server's TLS library",
    source: "RFC 5746",
};

pub(super) static HEARTBEAT: Rule = Rule {
    id: "P-28",
    title: "heartbeats are answered",
    severity: Severity::Note,
    cause: "the extension has no use over TCP; unpatched OpenSSL 1.0.1 leaks memory through it",
    fix: "switch it off, and see that OpenSSL is 1.0.1g or newer",
    source: "RFC 6520; CVE-2014-0160",
};

pub(super) static NO_FALLBACK_SCSV: Rule = Rule {
    id: "P-29",
    title: "downgrades are not noticed",
    severity: Severity::Note,
    cause: "a client that was made to try an older version is let in",
    fix: "update the server's TLS library",
    source: "RFC 7507",
};

pub(super) static UNFINISHED: Rule = Rule {
    id: "P-30",
    title: "a handshake did not come to its end",
    severity: Severity::Error,
    cause: "the server agrees on version and suite and then refuses",
    fix: "look into the server's log at this time",
    source: "RFC 8446, 6",
};

pub(super) static NO_CERTIFICATE: Rule = Rule {
    id: "P-40",
    title: "no certificate is sent",
    severity: Severity::Error,
    cause: "the server takes suites without certificates only, or could not be seen so far",
    fix: "give the server a certificate and a key",
    source: "RFC 8446, 4.4.2",
};

pub(super) static UNREADABLE: Rule = Rule {
    id: "P-41",
    title: "a certificate cannot be read",
    severity: Severity::Error,
    cause: "what is sent as certificate is no X.509",
    fix: "look at the server's certificate file: capgrow inspect FILE",
    source: "RFC 5280, 4.1",
};

pub(super) static ORDER: Rule = Rule {
    id: "P-42",
    title: "the chain is not in order",
    severity: Severity::Warning,
    cause: "some runtimes take the chain as it comes",
    fix: "write the file leaf first, each followed by its issuer",
    source: "RFC 5246, 7.4.2; RFC 8446, 4.4.2",
};

pub(super) static MISSING: Rule = Rule {
    id: "P-43",
    title: "an intermediate certificate is missing",
    severity: Severity::Warning,
    cause: "a verifier that has the root only finds no way to it",
    fix: "add the issuing certificates behind the leaf",
    source: "RFC 5246, 7.4.2",
};

pub(super) static SUPERFLUOUS: Rule = Rule {
    id: "P-44",
    title: "a superfluous certificate",
    severity: Severity::Note,
    cause: "it is on no path from the leaf",
    fix: "leave it out",
    source: "RFC 8446, 4.4.2",
};

pub(super) static ROOT_SENT: Rule = Rule {
    id: "P-45",
    title: "the root is sent, too",
    severity: Severity::Note,
    cause: "whoever believes it has it already",
    fix: "leave it out",
    source: "RFC 5246, 7.4.2",
};

pub(super) static EXPIRED: Rule = Rule {
    id: "P-46",
    title: "expired",
    severity: Severity::Error,
    cause: "verifiers refuse it",
    fix: "renew it, and restart or reload the server",
    source: "RFC 5280, 4.1.2.5",
};

pub(super) static NOT_YET_VALID: Rule = Rule {
    id: "P-47",
    title: "not yet valid",
    severity: Severity::Error,
    cause: "verifiers refuse it until then, if their clocks are right",
    fix: "check the server's clock and that of the CA, or go back to the former certificate",
    source: "RFC 5280, 4.1.2.5",
};

pub(super) static ENDS_SOON: Rule = Rule {
    id: "P-48",
    title: "ends soon",
    severity: Severity::Warning,
    cause: "less than a month is left",
    fix: "renew it: capgrow plan",
    source: "RFC 5280, 4.1.2.5",
};

pub(super) static WEAK_KEY: Rule = Rule {
    id: "P-49",
    title: "a small key",
    severity: Severity::Warning,
    cause: "keys below 2048 bits are refused by most runtimes",
    fix: "make a new key",
    source: "RFC 9325, 4.4; jdk.certpath.disabledAlgorithms",
};

pub(super) static WEAK_SIGNATURE: Rule = Rule {
    id: "P-50",
    title: "a weak signature",
    severity: Severity::Warning,
    cause: "MD5 and SHA-1 can be forged; most runtimes refuse them",
    fix: "have it issued anew with SHA-256",
    source: "RFC 9155; jdk.certpath.disabledAlgorithms",
};

pub(super) static NAME: Rule = Rule {
    id: "P-51",
    title: "the name does not fit",
    severity: Severity::Error,
    cause: "the dialled name is not among the names of the certificate",
    fix: "dial a name of the certificate, or have one issued with this name",
    source: "RFC 9525, 6",
};

pub(super) static REJECTED: Rule = Rule {
    id: "P-52",
    title: "a runtime rejects the chain",
    severity: Severity::Error,
    cause: "see what it prints",
    fix: "add the issuing CA to that runtime's trust store, or present a chain that ends in it",
    source: "docs of the runtime; capgrow verdict --as RUNTIME -v shows the search",
};

pub(super) static BY_NAME: Rule = Rule {
    id: "P-53",
    title: "the answer depends on the name",
    severity: Severity::Note,
    cause: "clients that send no name, or another, get something else",
    fix: "give such clients the name, or make this certificate the default",
    source: "RFC 6066, 3",
};

pub(super) static SEVERAL_CHAINS: Rule = Rule {
    id: "P-54",
    title: "several certificates",
    severity: Severity::Note,
    cause: "which one is sent depends on version and suite",
    fix: "rotate all of them",
    source: "RFC 8446, 4.4.2.2",
};

pub(super) static STAPLE: Rule = Rule {
    id: "P-55",
    title: "the staple is missing",
    severity: Severity::Error,
    cause: "clients that know the extension refuse the certificate",
    fix: "switch OCSP stapling on, or have the certificate issued without the extension",
    source: "RFC 7633",
};

pub(super) static ASKS: Rule = Rule {
    id: "P-60",
    title: "a client's certificate is asked for",
    severity: Severity::Note,
    cause: "the server verifies its clients",
    fix: "give clients an identity of a CA that the server lists",
    source: "RFC 8446, 4.3.2",
};

pub(super) static IDENTITY_REFUSED: Rule = Rule {
    id: "P-61",
    title: "the identity is refused",
    severity: Severity::Error,
    cause: "the server does not accept the certificate that was shown",
    fix: "add its CA to the server's trust store, or show one of a CA that the server lists",
    source: "RFC 8446, 6.2",
};

pub(super) static ISSUER_NOT_LISTED: Rule = Rule {
    id: "P-62",
    title: "the identity's CA is not on the server's list",
    severity: Severity::Warning,
    cause: "clients that choose by the list (Java, browsers) show nothing",
    fix: "add the CA to the server's trust store",
    source: "RFC 8446, 4.2.4; domain specification H",
};
