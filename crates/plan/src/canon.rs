//! Canonical bytes of a JSON document, and the digest that names a plan.

use std::fmt;

use serde_json::Value;
use sha2::Digest as _;

/// SHA-256 of a plan's canonical bytes. Shown in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanDigest([u8; 32]);

impl PlanDigest {
    /// The digest of a plan document: of its canonical bytes without the key `digest`.
    pub fn of(document: &Value) -> PlanDigest {
        let mut bytes = Vec::new();
        match document {
            Value::Object(map) => {
                let rest = map.iter().filter(|(key, _)| *key != "digest").collect();
                write_object(rest, &mut bytes);
            }
            other => write_value(other, &mut bytes),
        }
        PlanDigest::of_bytes(&bytes)
    }

    /// The digest of canonical bytes that already lack the key `digest`.
    pub(crate) fn of_bytes(bytes: &[u8]) -> PlanDigest {
        PlanDigest(sha2::Sha256::digest(bytes).into())
    }

    /// The raw bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// JSON without white space and with the keys of every object sorted by their bytes.
pub fn canonical_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_value(value, &mut bytes);
    bytes
}

/// One member of an object, its key first.
pub(crate) fn write_member(key: &str, value: &Value, out: &mut Vec<u8>) {
    write_string(key, out);
    out.push(b':');
    write_value(value, out);
}

pub(crate) fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(map) => write_object(map.iter().collect(), out),
        Value::String(text) => write_string(text, out),
        Value::Bool(_) | Value::Null | Value::Number(_) => {
            out.extend_from_slice(value.to_string().as_bytes())
        }
    }
}

fn write_object(mut members: Vec<(&String, &Value)>, out: &mut Vec<u8>) {
    members.sort_by(|a, b| a.0.cmp(b.0));
    out.push(b'{');
    for (i, (key, value)) in members.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_member(key, value, out);
    }
    out.push(b'}');
}

/// Escapes as few characters as JSON allows.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte if byte < 0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}
