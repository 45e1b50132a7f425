//! PEM as Java writes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A block, lines of 64 characters. Java ends the lines of a certificate's body with CR LF, those of a request with LF.
pub(crate) fn block(title: &str, der: &[u8], line_end: &str) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len())
        .step_by(64)
        .map(|at| &body[at..body.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN {title}-----\n{}\n-----END {title}-----\n",
        lines.join(line_end)
    )
}

/// A certificate.
pub(crate) fn certificate(der: &[u8]) -> String {
    block("CERTIFICATE", der, "\r\n")
}
