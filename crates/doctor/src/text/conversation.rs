//! One TLS connection as somebody saw it: `s_client`, a capture, a recorded probe.

use crate::dn::Dn;
use crate::facts::CertFacts;

/// What was seen of one connection.
#[derive(Debug, Clone, Default)]
pub struct Conversation {
    /// The file that shows it.
    pub file: String,
    /// `host:port` that was dialled.
    pub target: Option<String>,
    /// The server name that was asked for.
    pub server_name: Option<String>,
    /// Whether the client asked for no name on purpose.
    pub has_no_server_name: bool,
    /// The name that the client compared.
    pub checked_name: Option<String>,
    /// The chain as the server sent it, leaf first.
    pub sent: Vec<CertFacts>,
    /// The line that says that the server sent none.
    pub has_no_certificate: Option<usize>,
    /// OpenSSL's verify codes with their lines.
    pub verify: Vec<(u32, usize)>,
    /// The protocol that was agreed.
    pub protocol: Option<String>,
    /// The cipher that was agreed.
    pub cipher: Option<String>,
    /// The authorities that the server accepts for clients; `None` where it asked for no certificate, or nobody knows.
    pub authorities: Option<Vec<Dn>>,
    /// Whether the server asked for a client certificate.
    pub was_asked: bool,
    /// Whether the client was given a certificate to present.
    pub has_client_certificate: bool,
    /// The chain that the client sent; `Some` and empty where it was asked and sent none.
    pub client_sent: Option<Vec<CertFacts>>,
    /// TLS versions that the client offered, as numbers: `0x0303` is TLS 1.2.
    pub offered_versions: Vec<u16>,
    /// The version that the server chose.
    pub chosen_version: Option<u16>,
    /// Cipher suites that the client offered.
    pub offered_ciphers: Vec<u16>,
    /// The suite that the server chose.
    pub chosen_cipher: Option<u16>,
    /// Fatal alerts: from the server or not, and the number.
    pub alerts: Vec<(bool, u8)>,
    /// Whether the server answered a hello with something that is no TLS.
    pub is_plain_answer: bool,
}

impl Conversation {
    /// Nothing seen yet.
    pub fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }

    /// The host part of what was dialled, or of what was compared.
    pub fn host(&self) -> Option<&str> {
        self.checked_name
            .as_deref()
            .or(self.server_name.as_deref())
            .or_else(|| {
                let target = self.target.as_deref()?;
                Some(target.rsplit_once(':').map_or(target, |(host, _)| host))
            })
            .map(|host| host.trim_matches(['[', ']']))
    }

    /// The port that was dialled.
    pub fn port(&self) -> Option<u16> {
        self.target.as_deref()?.rsplit_once(':')?.1.parse().ok()
    }
}
