//! A revocation list as Java prints it.

use jiff::tz::TimeZone;
use keystore::RevocationList;
use keystore::der::{self, Der, tag};
use keystore::{Extension, ReadError};

use crate::keytool::fault::{self, Result};
use crate::keytool::{certificate_text, dates, extension_text, hex, name_text, weak};

/// The list in words.
pub(crate) fn show(list: &RevocationList<'_>, zone: &TimeZone) -> Result<String> {
    let name = certificate_text::signature_name(&list.signature_algorithm);
    let mark = weak::signature(&name, false).mark();
    let rest = Rest::of(list).map_err(|error| fault::io_fault(error.to_string()))?;
    let mut out = format!(
        "X.509 CRL v{}\nSignature Algorithm: {name}{mark}, OID={}\nIssuer: {}\n\nThis Update: {}\n",
        rest.version,
        list.signature_algorithm.oid(),
        name_text::show(&list.issuer),
        dates::full(list.this_update, zone)
    );
    if let Some(next) = list.next_update {
        out.push_str(&format!("Next Update: {}\n", dates::full(next, zone)));
    }
    if list.revoked.is_empty() {
        out.push_str("\nNO certificates have been revoked\n");
    } else {
        out.push_str(&format!("\nRevoked Certificates: {}\n", list.revoked.len()));
        for (number, ((serial, at), extensions)) in list.revoked.iter().zip(&rest.of_entries).enumerate() {
            if number > 0 {
                out.push('\n');
            }
            out.push_str(&format!(
                "[{}] SerialNumber: {}  On: {}\n",
                number + 1,
                extension_text::pairs(serial),
                dates::full(*at, zone)
            ));
            if !extensions.is_empty() {
                out.push_str(&format!("    CRL Entry Extensions: {}\n", extensions.len()));
                for (number, extension) in extension_text::sorted(extensions).iter().enumerate() {
                    out.push_str(&format!(
                        "    [{}]: {}\n",
                        number + 1,
                        extension_text::one(extension, zone)
                    ));
                }
            }
        }
    }
    if !rest.of_list.is_empty() {
        out.push_str(&format!("\nCRL Extensions: {}", rest.of_list.len()));
        for (number, extension) in extension_text::sorted(&rest.of_list).iter().enumerate() {
            let text = extension_text::one(extension, zone);
            out.push_str(&format!("\n[{}]: {text}", number + 1));
        }
    }
    Ok(out + "\nSignature:\n" + &hex::dump(list.signature) + "\n")
}

/// What the reader of lists leaves out.
struct Rest<'a> {
    version: u64,
    of_entries: Vec<Vec<Extension<'a>>>,
    of_list: Vec<Extension<'a>>,
}

impl<'a> Rest<'a> {
    fn of(list: &RevocationList<'a>) -> std::result::Result<Self, ReadError> {
        let mut rows = der::only(list.tbs, 0, tag::SEQUENCE, "list")?.children();
        let version = match rows.optional(tag::INTEGER, "version")? {
            Some(version) => version.unsigned("version")? + 1,
            None => 1,
        };
        rows.any("algorithm")?;
        rows.any("issuer")?;
        rows.any("this update")?;
        if matches!(rows.peek_tag(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME)) {
            rows.any("next update")?;
        }
        let mut of_entries = Vec::new();
        if let Some(revoked) = rows.optional(tag::SEQUENCE, "revoked")? {
            let mut items = revoked.children();
            while !items.is_empty() {
                let mut item = items.sequence("revoked")?;
                item.any("serial")?;
                item.any("date")?;
                of_entries.push(if item.is_empty() {
                    Vec::new()
                } else {
                    read_extensions(item.sequence("extensions")?)?
                });
            }
        }
        let of_list = match rows.optional(tag::context_constructed(0), "extensions")? {
            Some(wrapped) => read_extensions(wrapped.children().sequence("extensions")?)?,
            None => Vec::new(),
        };
        Ok(Self {
            version,
            of_entries,
            of_list,
        })
    }
}

fn read_extensions(mut rows: Der<'_>) -> std::result::Result<Vec<Extension<'_>>, ReadError> {
    let mut found = Vec::new();
    while !rows.is_empty() {
        let mut parts = rows.sequence("extension")?;
        let oid = parts.expect(tag::OID, "extension")?.oid("extension")?;
        let critical = parts
            .optional(tag::BOOLEAN, "critical")?
            .is_some_and(|flag| flag.content != [0]);
        let value = parts.expect(tag::OCTET_STRING, "value")?;
        found.push(Extension {
            oid,
            critical,
            value: value.content,
            offset: value.content_offset,
        });
    }
    Ok(found)
}
