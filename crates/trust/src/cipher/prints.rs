//! What each end prints when nothing is agreed.
//!
//! Source: openssl/sslerr.h and its messages; OpenJDK sun.security.ssl; gnutls_strerror(3); Go crypto/tls; rustls
//! `PeerIncompatible`, `AlertDescription`; NSS sslerr.h; GSKit return codes.

use super::Discord;
use super::end::{End, Family, Refused};

/// The refusal with the words of both ends.
pub(super) fn refused(reason: Discord, client: &End, server: &End) -> Refused {
    let mut derived = Vec::new();
    if [client, server].iter().any(|end| end.family == Family::Gskit) {
        derived.push("GSKit's return code for this case: from its list of codes, not from a run");
    }
    // A client at a higher level refuses the certificate itself; a server does not even start with it.
    Refused {
        reason,
        client: at_client(reason, client, server),
        server: at_server(reason, server).to_owned(),
        derived,
    }
}

fn at_client(reason: Discord, client: &End, server: &End) -> String {
    let is_version = reason == Discord::Protocol;
    if reason == Discord::KeyWeak {
        return match client.level >= server.level {
            true => "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed: EE certificate key too weak".to_owned(),
            false => "connection refused: the server does not start".to_owned(),
        };
    }
    match (client.family, is_version) {
        (Family::OpenSsl, true) => "error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version",
        (Family::OpenSsl, false) => {
            "error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure"
        }
        (Family::Node, true) => "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
        (Family::Node, false) => "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
        (Family::Java, true) => "javax.net.ssl.SSLHandshakeException: Received fatal alert: protocol_version",
        (Family::Java, false) => {
            "javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure"
        }
        (Family::GnuTls, true) => "*** Received alert [70]: Error in protocol version",
        (Family::GnuTls, false) => "*** Received alert [40]: Handshake failed",
        (Family::Go, true) => "remote error: tls: protocol version not supported",
        (Family::Go, false) => "remote error: tls: handshake failure",
        (Family::Rustls, true) => "received fatal alert: ProtocolVersion",
        (Family::Rustls, false) => "received fatal alert: HandshakeFailure",
        (Family::Nss, true) => "SSL_ERROR_PROTOCOL_VERSION_ALERT",
        (Family::Nss, false) => "SSL_ERROR_NO_CYPHER_OVERLAP",
        (Family::Gskit, true) => "GSK_ERROR_UNSUPPORTED (5), GSK_ERROR_SOCKET_CLOSED (420)",
        (Family::Gskit, false) => "GSK_ERROR_SOCKET_CLOSED (420)",
    }
    .to_owned()
}

fn at_server(reason: Discord, server: &End) -> &'static str {
    match (server.family, reason) {
        (Family::OpenSsl | Family::Node, Discord::Protocol) => {
            "error:0A000102:SSL routines:tls_early_post_process_client_hello:unsupported protocol"
        }
        (Family::OpenSsl | Family::Node, Discord::KeyWeak) => {
            "error:0A00018F:SSL routines:SSL_CTX_use_certificate:ee key too small, or the client's alert"
        }
        (Family::OpenSsl | Family::Node, Discord::Scheme) => {
            "error:0A000076:SSL routines:tls_choose_sigalg:no suitable signature algorithm"
        }
        (Family::OpenSsl | Family::Node, Discord::Group) => {
            "error:0A000065:SSL routines:final_key_share:no suitable key share"
        }
        (Family::OpenSsl | Family::Node, _) => {
            "error:0A0000C1:SSL routines:tls_post_process_client_hello:no shared cipher"
        }
        (Family::Java, Discord::Protocol) => {
            "javax.net.ssl.SSLHandshakeException: Client requested protocol is not enabled or supported in server context"
        }
        (Family::Java, Discord::Scheme) => {
            "javax.net.ssl.SSLHandshakeException: No available authentication scheme"
        }
        (Family::Java, _) => "javax.net.ssl.SSLHandshakeException: no cipher suites in common",
        (Family::GnuTls, Discord::Protocol) => "A packet with illegal or unsupported version was received.",
        (Family::GnuTls, _) => "No supported cipher suites have been found.",
        (Family::Go, Discord::Protocol) => "tls: client offered only unsupported versions",
        (Family::Go, Discord::Scheme) => {
            "tls: peer doesn't support any of the certificate's signature algorithms"
        }
        (Family::Go, _) => "tls: no cipher suite supported by both client and server",
        (Family::Rustls, Discord::Protocol) => "peer is incompatible: Tls12NotOfferedOrEnabled",
        (Family::Rustls, Discord::Scheme) => "peer is incompatible: NoSignatureSchemesInCommon",
        (Family::Rustls, Discord::Group) => "peer is incompatible: NoKxGroupsInCommon",
        (Family::Rustls, _) => "peer is incompatible: NoCipherSuitesInCommon",
        (Family::Nss, Discord::Protocol) => "SSL_ERROR_UNSUPPORTED_VERSION",
        (Family::Nss, _) => "SSL_ERROR_NO_CYPHER_OVERLAP",
        (Family::Gskit, Discord::Protocol) => "GSK_ERROR_UNSUPPORTED (5)",
        (Family::Gskit, _) => "GSK_ERROR_NO_CIPHERS (412)",
    }
}
