//! The command line: modifiers, an object, an action, options in any order.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::gskit::fault::{self, Result};

/// What is asked.
pub(crate) struct Args {
    /// `-keydb` and so on; `None` when there is none.
    pub(crate) object: Option<&'static str>,
    /// `-create` and so on; `None` when there is none.
    pub(crate) action: Option<String>,
    /// The bare word behind `-list`.
    pub(crate) selection: Option<String>,
    options: BTreeMap<&'static str, OsString>,
}

impl Args {
    /// Whether an option is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    /// The value of an option, as typed.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.options.get(name).map(OsString::as_os_str)
    }

    /// The value of an option as text; what is not UTF-8 is no text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>> {
        let text = |value: &OsStr| value.to_str().map(str::len);
        match self.raw(name) {
            None => Ok(None),
            Some(value) if text(value).is_some() => Ok(value.to_str()),
            Some(_) => Err(fault::with(65, &format!("the value of {name} is not UTF-8"))),
        }
    }

    /// The first of several options that mean the same.
    pub(crate) fn one_of(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// An option that must be there.
    pub(crate) fn needed(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// A file that must be named.
    pub(crate) fn file(&self, name: &str) -> Result<&OsStr> {
        self.raw(name).ok_or_else(|| missing(name))
    }

    /// A number within bounds.
    pub(crate) fn number(&self, name: &str, low: i64, high: i64, default: i64) -> Result<i64> {
        let Some(text) = self.text(name)? else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| {
            let code = if name == "-expire" { 129 } else { 67 };
            fault::with(
                code,
                &format!("{name} {text}: a number from {low} to {high} is needed"),
            )
        })
    }

    /// `yes|no`, `true|false`, `enable|disable`; `None` when it is not there.
    pub(crate) fn switch(&self, name: &str) -> Result<Option<bool>> {
        match self.text(name)?.map(str::to_lowercase).as_deref() {
            None => Ok(None),
            Some("yes" | "true" | "enable") => Ok(Some(true)),
            Some("no" | "false" | "disable") => Ok(Some(false)),
            Some(other) => Err(fault::with(65, &format!("{name} {other}: yes or no is needed"))),
        }
    }
}

/// Reads the words behind the program's name.
///
/// # Errors
/// Code 80 for an option that nobody knows, 65 for a value that is missing.
pub(crate) fn read(words: &[OsString]) -> Result<Args> {
    let mut args = Args {
        object: None,
        action: None,
        selection: None,
        options: BTreeMap::new(),
    };
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let text = word.to_str().unwrap_or_default();
        let is_value = |next: &&OsString| !next.as_encoded_bytes().starts_with(b"-");
        if let Some(object) = OBJECTS
            .iter()
            .find(|object| args.object.is_none() && **object == text)
        {
            args.object = Some(object);
        } else if args.object.is_some() && args.action.is_none() && is_action(text) {
            args.action = Some(text.to_owned());
            let next = words.get(at).filter(is_value).filter(|_| text == "-list");
            if let Some(selection) = next {
                args.selection = Some(selection.to_string_lossy().into_owned());
                at += 1;
            }
        } else if let Some((name, arity)) = OPTIONS.iter().find(|(name, _)| *name == plain_name(text)) {
            let value = words.get(at).filter(is_value).filter(|_| *arity != Arity::None);
            match (value, arity) {
                (Some(value), _) => {
                    args.options.insert(name, value.clone());
                    at += 1;
                }
                (None, Arity::One) => return Err(fault::with(65, &format!("{text} needs a value"))),
                (None, _) => {
                    args.options.insert(name, OsString::new());
                }
            }
        } else {
            // A word that is no option may be a password that lost its option: it is not repeated.
            let shown = if text.starts_with('-') {
                text
            } else {
                "a word that belongs to no option"
            };
            return Err(fault::with(80, shown));
        }
    }
    Ok(args)
}

fn missing(name: &str) -> fault::Fault {
    fault::with(65, &format!("{name} is needed"))
}

fn is_action(text: &str) -> bool {
    text.starts_with('-') && !["-fips", "-locale", "-trace", "-prompt"].contains(&text)
}

/// Spellings that mean the same.
fn plain_name(name: &str) -> &str {
    match name {
        "-sig_alg" => "-sigalg",
        "-old_format" => "-type",
        "-new_db" => "-target",
        "-new_format" | "-target_format" => "-target_type",
        other => other,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Arity {
    None,
    Maybe,
    One,
}

const OBJECTS: &[&str] = &[
    "-cert",
    "-certreq",
    "-help",
    "-keydb",
    "-random",
    "-secretkey",
    "-version",
];

#[rustfmt::skip]
const OPTIONS: &[(&str, Arity)] = &[
    ("-ca", Arity::One), ("-certpolicy", Arity::One), ("-crypto", Arity::One), ("-db", Arity::One),
    ("-default_cert", Arity::One), ("-dn", Arity::One), ("-eku", Arity::One), ("-encryption", Arity::One),
    ("-expire", Arity::One), ("-expiry", Arity::Maybe), ("-f", Arity::None), ("-file", Arity::One), ("-fips", Arity::Maybe),
    ("-format", Arity::One), ("-genpw", Arity::None), ("-keymatch", Arity::None), ("-ku", Arity::One),
    ("-label", Arity::One), ("-length", Arity::One), ("-locale", Arity::One), ("-new_genpw", Arity::None),
    ("-new_label", Arity::One), ("-new_pw", Arity::One), ("-pfx", Arity::None), ("-populate", Arity::None),
    ("-pqc", Arity::Maybe), ("-preserve", Arity::None), ("-prompt", Arity::None), ("-pw", Arity::One),
    ("-rfc3339", Arity::None), ("-san_dnsname", Arity::One), ("-san_emailaddr", Arity::One), ("-san_ipaddr", Arity::One),
    ("-secondarydb", Arity::One), ("-secondarydbpw", Arity::One), ("-secondarydbtype", Arity::One),
    ("-sernum", Arity::One), ("-showOID", Arity::None), ("-sigalg", Arity::One), ("-size", Arity::One),
    ("-stash", Arity::None), ("-stashed", Arity::None), ("-strong", Arity::None), ("-target", Arity::One),
    ("-target_pw", Arity::One), ("-target_stashed", Arity::None), ("-target_type", Arity::One),
    ("-tokenlabel", Arity::One), ("-trace", Arity::One), ("-trust", Arity::One), ("-type", Arity::One), ("-v", Arity::None),
    ("-v1stash", Arity::None), ("-x509version", Arity::One),
];
