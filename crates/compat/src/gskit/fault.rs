//! Errors the way the original shows them: `CTGSK2` and the code in three digits, `W`, and a sentence.

use keystore::{EditError, ParseError, StashError, UnlockError, WriteError};

use crate::keytool::fault::Stop;

/// One error: what is printed, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: u8,
    /// Lines with their ends.
    pub(crate) text: String,
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// An error by its number alone.
pub(crate) fn code(code: u8) -> Fault {
    with(code, "")
}

/// An error by its number, and what it is about in a second line.
pub(crate) fn with(code: u8, about: &str) -> Fault {
    let words = MESSAGES.iter().find(|(known, _)| *known == code);
    let words = words.map_or("An error occurred.", |(_, words)| words);
    let about = match about {
        "" => String::new(),
        about => format!("Additional untranslated info: {about}\n"),
    };
    Fault {
        code,
        text: format!("CTGSK2{code:03}W {words}\n{about}"),
    }
}

/// An error of the command line's own, with its number of four digits.
pub(crate) fn of_line(code: u8, number: u16, words: &str) -> Fault {
    Fault {
        code,
        text: format!("CTGSK{number}W {words}\n"),
    }
}

/// What the original does and we do not.
pub(crate) fn not_offered(what: &str) -> Fault {
    Fault {
        code: 1,
        text: format!("CTGSK2001W {what} is not offered by this program.\n"),
    }
}

/// No entry has this label.
pub(crate) fn no_label(label: &str) -> Fault {
    let words = format!("The database doesn't contain an entry with label \"{label}\".");
    of_line(117, 3029, &words)
}

impl From<EditError> for Fault {
    fn from(error: EditError) -> Self {
        let number = match &error {
            EditError::AliasExists { .. } => 29,
            EditError::PasswordUnusable { .. } => 69,
            EditError::WrongPassword => 16,
            EditError::KeyMismatch => 109,
            EditError::KeyLocked { .. } => 33,
            _ => 65,
        };
        with(number, &error.to_string())
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        let number = match &error {
            WriteError::WrongPassword { .. } => 16,
            WriteError::PasswordUnusable { .. } => 69,
            _ => 13,
        };
        with(number, &error.to_string())
    }
}

impl From<ParseError> for Fault {
    fn from(error: ParseError) -> Self {
        let number = match &error {
            ParseError::WrongPassword { .. } => 16,
            ParseError::BadMac { .. } => 120,
            ParseError::UnknownFormat | ParseError::Empty => 17,
            ParseError::Altered { .. } => 19,
            ParseError::Unsupported { .. } => 134,
            _ => 18,
        };
        with(number, &error.to_string())
    }
}

impl From<StashError> for Fault {
    fn from(error: StashError) -> Self {
        let number = match &error {
            StashError::PasswordUnusable { .. } => 69,
            _ => 30,
        };
        with(number, &error.to_string())
    }
}

impl From<UnlockError> for Fault {
    fn from(error: UnlockError) -> Self {
        with(33, &error.to_string())
    }
}

/// What the parts shared with the other front end refuse: names, extensions, keys.
impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Fault(fault) => with(65, fault.message.as_deref().unwrap_or(fault.class)),
            Stop::Usage => code(65),
        }
    }
}

/// Source: the return codes in IBM's manuals of the command line.
#[rustfmt::skip]
const MESSAGES: &[(u8, &str)] = &[
    (1, "An unknown error occurred."),
    (2, "An ASN.1 encoding/decoding error occurred."),
    (5, "A database error occurred."),
    (6, "An error occurred while opening the database file, check for file existence and permission."),
    (8, "Database creation failed."),
    (9, "The database already exists."),
    (10, "An error occurred while deleting the database file."),
    (12, "An error occurred while reading the database file."),
    (13, "An error occurred while writing data to the database file."),
    (16, "An invalid database password was encountered."),
    (17, "An invalid database file type was encountered."),
    (18, "The specified database has been corrupted."),
    (19, "An invalid password was provided or the key database has been tampered or corrupted."),
    (21, "A duplicate key already exists in the database."),
    (25, "A duplicate certificate already exists in the database."),
    (29, "The label is already used by an entry of the database."),
    (30, "A password encryption error occurred."),
    (33, "An encryption or decryption error occurred."),
    (35, "An error occurred while signing data."),
    (36, "An error occurred while verifying data."),
    (39, "An unsupported algorithm was encountered."),
    (41, "An unsupported modulus size was specified."),
    (43, "Key entry validation failed."),
    (47, "The validity period does not include today or does not fall within its issuer's validity period."),
    (50, "The issuer of the certificate was not found."),
    (52, "The certificate has an invalid basic constraint extension."),
    (53, "The signature validation of the certificate failed."),
    (54, "The root of the certificate chain is not trusted."),
    (65, "An invalid parameter was found."),
    (67, "A number or a size is out of bounds."),
    (68, "The old password is invalid."),
    (69, "The new password is invalid."),
    (70, "The password has expired."),
    (74, "An I/O error occurred."),
    (80, "An option that is not recognized was found."),
    (86, "An error occurred while opening files, check for file existence and permission."),
    (88, "An error occurred while opening a file for writing."),
    (89, "There is no such file."),
    (90, "The file cannot be opened because of its permission setting."),
    (91, "An error occurred while writing data to files."),
    (101, "The specified key database does not exist."),
    (102, "The specified request database does not exist."),
    (103, "The password stash file for the specified key database does not exist."),
    (104, "The new password is identical to the old one."),
    (105, "No key was found in the key database."),
    (106, "No request key was found in the request database."),
    (108, "No request key was found for the certificate."),
    (109, "No private key was found for the certificate."),
    (110, "There is no default key in the key database."),
    (111, "There is no private key in the key record."),
    (112, "There is no certificate in the key record."),
    (116, "An invalid distinguished name (DN) input was found."),
    (117, "No key entry was found that has the specified key label."),
    (119, "The input data is not valid PKCS12 data."),
    (120, "The password is not valid or the PKCS12 data has been corrupted or been created with a later version of PKCS12."),
    (129, "The number of days entered is larger than the permitted validity period."),
    (130, "The password is too short."),
    (131, "A password must contain at least one numeric digit."),
    (132, "All characters in the password are either alphabetic or numeric characters."),
    (133, "An unrecognized or unsupported signature algorithm was specified."),
    (134, "An invalid database type was encountered."),
    (146, "The certificate chain is invalid."),
];
