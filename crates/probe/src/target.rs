//! Whom to ask.

use std::fmt;
use std::net::IpAddr;

use crate::StartTls;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is said before TLS.
    pub starttls: Option<StartTls>,
    /// The name to ask for and to compare, where it is not the host.
    pub name: Option<String>,
}

/// Why a text names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No port, and the scheme has none of its own.
    #[error("{text}: no port")]
    NoPort {
        /// What was given.
        text: String,
    },
    /// The port is no number from 1 to 65535.
    #[error("{text}: {port} is no port")]
    BadPort {
        /// What was given.
        text: String,
        /// Its port.
        port: String,
    },
    /// No host.
    #[error("{text}: no host")]
    NoHost {
        /// What was given.
        text: String,
    },
    /// A scheme that is not known.
    #[error("{text}: unknown scheme {scheme}")]
    UnknownScheme {
        /// What was given.
        text: String,
        /// Its scheme.
        scheme: String,
    },
}

impl Target {
    /// Reads `host:port`, `[address]:port`, `scheme://host[:port]`, each with an optional path that does not count.
    ///
    /// Schemes: `https`, `tls`, and those of [`StartTls`], which also begin with their words. Without a scheme the
    /// port says whether something is said before TLS: 25 and 587, 143, 110, 21, 389, 5432, 3306.
    ///
    /// # Errors
    /// [`TargetError`] says which part is missing or wrong.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let given = text.to_owned();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let rest = rest.split('/').next().unwrap_or_default();
        let (host, port) = split(rest);
        if host.is_empty() {
            return Err(TargetError::NoHost { text: given });
        }
        let (of_scheme, default_port) = match scheme.as_deref() {
            None => (None, None),
            Some("https") => (None, Some(443)),
            Some("tls" | "ssl" | "tcp") => (None, None),
            Some("ldaps") => (None, Some(636)),
            Some(scheme) => match StartTls::parse(scheme) {
                Some(protocol) => (Some(protocol), Some(protocol.port())),
                None => {
                    return Err(TargetError::UnknownScheme {
                        text: given,
                        scheme: scheme.to_owned(),
                    });
                }
            },
        };
        let port = match port {
            Some(digits) => match digits.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => {
                    return Err(TargetError::BadPort {
                        text: given,
                        port: digits.to_owned(),
                    });
                }
            },
            None => default_port.ok_or(TargetError::NoPort { text: given })?,
        };
        let starttls = match scheme {
            Some(_) => of_scheme,
            None => StartTls::of_port(port),
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            starttls,
            name: None,
        })
    }

    /// The name that is compared with the certificate.
    pub fn expected_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.host)
    }

    /// The name in the hello; `None` for an address, which RFC 6066 does not allow there.
    pub fn server_name(&self) -> Option<&str> {
        let name = self.expected_name();
        name.parse::<IpAddr>().is_err().then_some(name)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Host and port; an address with more than one colon needs brackets before a port.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some(inner) = text.strip_prefix('[')
        && let Some((host, rest)) = inner.split_once(']')
    {
        return (host, rest.strip_prefix(':'));
    }
    match text.rsplit_once(':') {
        Some((host, _)) if host.contains(':') => (text, None),
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests;
