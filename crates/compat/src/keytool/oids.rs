//! Object identifiers by number and by the names that Java gives them.

use keystore::der;
use keystore::oid::Oid;

use crate::keytool::fault::{self, Result};

/// Encodes dotted numbers, tag included.
///
/// # Errors
/// `IOException`, as Java refuses what is no identifier.
pub(crate) fn encode(dotted: &str) -> Result<Vec<u8>> {
    let number = |part: &str| -> Result<u128> {
        let why = format!("java.lang.NumberFormatException: For input string: \"{part}\"");
        part.parse()
            .map_err(|_| fault::io_fault(format!("ObjectIdentifier() -- Invalid format: {why}")))
    };
    let numbers = dotted.split('.').map(number).collect::<Result<Vec<u128>>>()?;
    let [first, second, rest @ ..] = numbers.as_slice() else {
        return Err(fault::io_fault(
            "ObjectIdentifier() -- Must be at least two oid components ",
        ));
    };
    if *first > 2 {
        return Err(fault::io_fault(
            "ObjectIdentifier() -- First oid component is invalid ",
        ));
    }
    if *first < 2 && *second > 39 {
        return Err(fault::io_fault(
            "ObjectIdentifier() -- Second oid component is invalid ",
        ));
    }
    let mut content = Vec::new();
    for number in std::iter::once(&(first * 40 + second)).chain(rest) {
        let mut groups = vec![(number & 0x7f) as u8];
        let mut left = number >> 7;
        while left > 0 {
            groups.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        content.extend(groups.into_iter().rev());
    }
    Ok(der::write(der::tag::OID, &[&content]))
}

/// The name of a purpose of extendedKeyUsage, or its number.
pub(crate) fn purpose(oid: Oid<'_>) -> String {
    let dotted = oid.to_string();
    let known = PURPOSES.iter().find(|(number, _)| *number == dotted);
    known.map_or(dotted.clone(), |(_, name)| (*name).to_owned())
}

const PURPOSES: &[(&str, &str)] = &[
    ("2.5.29.37.0", "anyExtendedKeyUsage"),
    ("1.3.6.1.5.5.7.3.1", "serverAuth"),
    ("1.3.6.1.5.5.7.3.2", "clientAuth"),
    ("1.3.6.1.5.5.7.3.3", "codeSigning"),
    ("1.3.6.1.5.5.7.3.4", "emailProtection"),
    ("1.3.6.1.5.5.7.3.5", "ipsecEndSystem"),
    ("1.3.6.1.5.5.7.3.6", "ipsecTunnel"),
    ("1.3.6.1.5.5.7.3.7", "ipsecUser"),
    ("1.3.6.1.5.5.7.3.8", "timeStamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSPSigning"),
];
