//! The command line.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use keystore::Password;

use crate::io::Io;
use crate::keytool::fault::{self, Result, Stop};
use crate::keytool::usage::{self, Command, same_word};

/// What the command line says. File names keep their bytes; the rest is text.
pub(crate) struct Args {
    pub(crate) command: Option<Command>,
    pub(crate) is_verbose: bool,
    pub(crate) is_rfc: bool,
    pub(crate) no_prompt: bool,
    pub(crate) no_warnings: bool,
    pub(crate) trust_cacerts: bool,
    pub(crate) is_protected: bool,
    pub(crate) is_source_protected: bool,
    pub(crate) cacerts: bool,
    pub(crate) tls: bool,
    pub(crate) store: Option<OsString>,
    pub(crate) store_type: Option<String>,
    pub(crate) store_password: Option<Password>,
    pub(crate) source: Option<OsString>,
    pub(crate) source_type: Option<String>,
    pub(crate) source_password: Option<Password>,
    pub(crate) source_key_password: Option<Password>,
    pub(crate) key_password: Option<Password>,
    pub(crate) new_password: Option<Password>,
    pub(crate) dest_key_password: Option<Password>,
    pub(crate) signer_key_password: Option<Password>,
    pub(crate) alias: Option<String>,
    pub(crate) dest: Option<String>,
    pub(crate) dname: Option<String>,
    pub(crate) key_size: Option<i32>,
    pub(crate) group: Option<String>,
    pub(crate) key_algorithm: Option<String>,
    pub(crate) signature_algorithm: Option<String>,
    pub(crate) signer: Option<String>,
    pub(crate) start_date: Option<String>,
    pub(crate) validity_days: i64,
    pub(crate) extensions: Vec<String>,
    pub(crate) revoked: Vec<String>,
    pub(crate) file: Option<OsString>,
    pub(crate) in_file: Option<OsString>,
    pub(crate) out_file: Option<OsString>,
    pub(crate) server: Option<String>,
    pub(crate) jar: Option<OsString>,
    /// Providers asked for, and whether each is named by its class.
    pub(crate) providers: Vec<(String, bool)>,
    pub(crate) provider_name: Option<String>,
    /// Of options that have no effect here.
    passed_over: Option<String>,
    /// Said after the command, when it was fine.
    pub(crate) warnings: Vec<String>,
}

/// Reads the command line into `args`, which then has no command when only the help was wanted and is printed. After an
/// error it has what stood before it.
///
/// # Errors
/// `Usage` when the help was printed because something is wrong, a fault for two commands and for numbers that are none.
pub(crate) fn read(words: &[OsString], args: &mut Args, io: &mut Io) -> Result<()> {
    let words = look_ahead(words, args, io)?;
    let mut reader = Words {
        words: &words,
        at: 0,
        wants_help: words.is_empty(),
    };
    while let Some(word) = reader.words.get(reader.at).filter(|word| is_option(word)) {
        let word = word.to_string_lossy().into_owned();
        if reader.at + 1 == reader.words.len() && usage::takes_argument(&word) {
            return needs_argument(&word, args.command, io);
        }
        option(&word, &mut reader, args, io)?;
        reader.at += 1;
    }
    if let Some(word) = reader.words.get(reader.at) {
        return illegal(&word.to_string_lossy(), args.command, io);
    }
    match (args.command, reader.wants_help) {
        (command, true) => {
            usage::print(command, io);
            args.command = None;
        }
        (None, false) => {
            io.complain_line("Usage error: no command provided");
            usage::print(None, io);
            return Err(Stop::Usage);
        }
        (Some(_), false) => {}
    }
    Ok(())
}

struct Words<'a> {
    words: &'a [OsString],
    at: usize,
    wants_help: bool,
}

impl Words<'_> {
    /// The argument of the option that stands here.
    fn argument(&mut self) -> Result<&OsStr> {
        self.at += 1;
        let word = self.words.get(self.at).map(OsString::as_os_str);
        word.ok_or_else(|| {
            let message = format!("Index {} out of bounds for length {}", self.at, self.words.len());
            fault::of_class("java.lang.ArrayIndexOutOfBoundsException", message)
        })
    }

    fn text(&mut self) -> Result<String> {
        Ok(self.argument()?.to_string_lossy().into_owned())
    }
}

/// Finds repeated options, a second command and the file of options, before anything is read in earnest.
fn look_ahead(words: &[OsString], args: &mut Args, io: &mut Io) -> Result<Vec<OsString>> {
    let (mut seen, mut at, mut options_file) = (BTreeSet::new(), 0, None);
    while let Some(word) = words.get(at) {
        at += 1;
        if !is_option(word) {
            continue;
        }
        let word = word.to_string_lossy();
        let lower = word.to_lowercase();
        if !seen.insert(lower.clone()) && !REPEATABLE.contains(&lower.as_str()) {
            args.warnings.push(format!(
                "The {lower} option is specified multiple times. All except the last one will be ignored."
            ));
        }
        if same_word(&word, "-conf") {
            if at == words.len() {
                return needs_argument(&word, args.command, io);
            }
            options_file = words.get(at);
            at += 1;
        } else if let Some(command) = Command::of(&word) {
            if let Some(first) = args.command {
                return Err(fault::plain(format!(
                    "Only one command is allowed: both {} and {} were specified.",
                    first.name(),
                    command.name()
                )));
            }
            args.command = Some(command);
        }
    }
    match (options_file, args.command) {
        (Some(file), Some(command)) => expand(file, command, words, io),
        _ => Ok(words.to_vec()),
    }
}

/// Puts the lines `keytool.all` and `keytool.COMMAND` of an options file in front.
fn expand(file: &OsStr, command: Command, words: &[OsString], io: &mut Io) -> Result<Vec<OsString>> {
    let path = io.path(file);
    let bytes = std::fs::read(&path).map_err(|error| fault::not_opened(&file.to_string_lossy(), &error))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (mut all, mut own) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        match key.trim() {
            "keytool.all" => all = split_words(value),
            key if key
                .strip_prefix("keytool.")
                .is_some_and(|name| Command::of(name) == Some(command)) =>
            {
                own = split_words(value);
            }
            _ => {}
        }
    }
    let front = all.into_iter().chain(own).map(OsString::from);
    Ok(front.chain(words.iter().cloned()).collect())
}

/// Words at blanks; quotes of both kinds keep blanks.
fn split_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_open) = (Vec::new(), String::new(), None, false);
    for character in line.trim().chars() {
        match (quote, character) {
            (Some(mark), _) if mark == character => quote = None,
            (None, '"' | '\'') => (quote, is_open) = (Some(character), true),
            (None, _) if character.is_whitespace() => {
                if is_open {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            _ => {
                word.push(character);
                is_open = true;
            }
        }
    }
    if is_open {
        words.push(word);
    }
    words
}

fn is_option(word: &OsString) -> bool {
    word.as_encoded_bytes().first() == Some(&b'-')
}

/// Takes one option and its argument.
fn option(word: &str, reader: &mut Words<'_>, args: &mut Args, io: &mut Io) -> Result<()> {
    let (name, modifier) = match word.find(':') {
        Some(at) if at > 0 => (&word[..at], Some(&word[at + 1..])),
        _ => (word, None),
    };
    if let Some(command) = Command::of(name) {
        args.command = Some(command);
        return Ok(());
    }
    let is = |known: &[&str]| known.iter().any(|known| same_word(name, known));
    if is(&["help", "h"]) || name == "-?" || name == "--?" {
        reader.wants_help = true;
    } else if is(&["conf"]) {
        reader.at += 1;
    } else if let Some(flag) = flag(name, args) {
        *flag = true;
    } else if let Some(slot) = password_slot(name) {
        let argument = reader.argument()?.to_owned();
        let password = password(modifier, &argument, args.command, io)?;
        *slot(args) = Some(password);
    } else if let Some(slot) = file_slot(name) {
        let file = reader.argument()?.to_owned();
        if is(&["keystore"]) && is_cacerts(&file, io) {
            io.complain_line("Warning: use -cacerts option to access cacerts keystore");
        }
        *slot(args) = Some(file);
    } else if let Some(slot) = text_slot(name) {
        let text = reader.text()?;
        *slot(args) = Some(text);
    } else if is(&["storetype", "deststoretype"]) {
        args.store_type = Some(reader.text()?);
    } else if is(&["srcstoretype"]) {
        args.source_type = Some(reader.text()?);
    } else if is(&["keysize"]) {
        args.key_size = Some(number(&reader.text()?)?);
    } else if is(&["validity"]) {
        args.validity_days = number(&reader.text()?)?;
    } else if is(&["ext"]) {
        args.extensions.push(reader.text()?);
    } else if is(&["id"]) {
        args.revoked.push(reader.text()?);
    } else if is(&["provider", "providerclass", "addprovider"]) {
        let provider = (reader.text()?, !is(&["addprovider"]));
        args.providers.push(provider);
        let next = reader.words.get(reader.at + 1).map(|word| word.to_string_lossy());
        if next.is_some_and(|next| same_word(&next, "-providerarg")) {
            if reader.words.len() == reader.at + 2 {
                return needs_argument("-providerarg", args.command, io);
            }
            reader.at += 2;
        }
    } else {
        return illegal(name, args.command, io);
    }
    Ok(())
}

fn flag<'a>(name: &str, args: &'a mut Args) -> Option<&'a mut bool> {
    let is = |known: &str| same_word(name, known);
    Some(match () {
        () if is("v") => &mut args.is_verbose,
        () if is("rfc") => &mut args.is_rfc,
        () if is("noprompt") => &mut args.no_prompt,
        () if is("nowarn") => &mut args.no_warnings,
        () if is("trustcacerts") => &mut args.trust_cacerts,
        () if is("protected") || is("destprotected") => &mut args.is_protected,
        () if is("srcprotected") => &mut args.is_source_protected,
        () if is("cacerts") => &mut args.cacerts,
        () if is("tls") => &mut args.tls,
        () if is("debug") => &mut args.is_verbose,
        () => return None,
    })
}

type Slot<T> = fn(&mut Args) -> &mut Option<T>;

fn password_slot(name: &str) -> Option<Slot<Password>> {
    let slots: &[(&str, Slot<Password>)] = &[
        ("storepass", |args| &mut args.store_password),
        ("deststorepass", |args| &mut args.store_password),
        ("srcstorepass", |args| &mut args.source_password),
        ("srckeypass", |args| &mut args.source_key_password),
        ("keypass", |args| &mut args.key_password),
        ("new", |args| &mut args.new_password),
        ("destkeypass", |args| &mut args.dest_key_password),
        ("signerkeypass", |args| &mut args.signer_key_password),
    ];
    slot(name, slots)
}

fn file_slot(name: &str) -> Option<Slot<OsString>> {
    let slots: &[(&str, Slot<OsString>)] = &[
        ("keystore", |args| &mut args.store),
        ("destkeystore", |args| &mut args.store),
        ("srckeystore", |args| &mut args.source),
        ("file", |args| &mut args.file),
        ("infile", |args| &mut args.in_file),
        ("outfile", |args| &mut args.out_file),
        ("jarfile", |args| &mut args.jar),
    ];
    slot(name, slots)
}

fn text_slot(name: &str) -> Option<Slot<String>> {
    let slots: &[(&str, Slot<String>)] = &[
        ("alias", |args| &mut args.alias),
        ("srcalias", |args| &mut args.alias),
        ("dest", |args| &mut args.dest),
        ("destalias", |args| &mut args.dest),
        ("dname", |args| &mut args.dname),
        ("groupname", |args| &mut args.group),
        ("keyalg", |args| &mut args.key_algorithm),
        ("sigalg", |args| &mut args.signature_algorithm),
        ("signer", |args| &mut args.signer),
        ("startdate", |args| &mut args.start_date),
        ("sslserver", |args| &mut args.server),
        ("providername", |args| &mut args.provider_name),
        ("destprovidername", |args| &mut args.provider_name),
        ("srcprovidername", |args| &mut args.passed_over),
        ("providerpath", |args| &mut args.passed_over),
    ];
    slot(name, slots)
}

fn slot<T>(name: &str, slots: &[(&str, Slot<T>)]) -> Option<Slot<T>> {
    slots
        .iter()
        .find(|(known, _)| same_word(name, known))
        .map(|(_, slot)| *slot)
}

/// A password as it stands, from a variable (`:env`), or the first line of a file (`:file`).
fn password(
    modifier: Option<&str>,
    argument: &OsStr,
    command: Option<Command>,
    io: &mut Io,
) -> Result<Password> {
    use std::os::unix::ffi::OsStrExt;
    let complaint = match modifier {
        None => return Ok(Password::new(argument.as_bytes())),
        Some(kind) if same_word(kind, "env") => match io.variable(argument) {
            Some(value) => return Ok(Password::new(value.as_bytes())),
            None => "Cannot find environment variable: ",
        },
        Some(kind) if same_word(kind, "file") => {
            let name = argument
                .to_str()
                .and_then(|text| text.strip_prefix("file:"))
                .map_or(argument, OsStr::new);
            match std::fs::read(io.path(name)) {
                Ok(bytes) => {
                    let bytes = zeroize::Zeroizing::new(bytes);
                    let line = bytes
                        .split(|byte| matches!(byte, b'\n' | b'\r'))
                        .next()
                        .unwrap_or_default();
                    return Ok(Password::new(line));
                }
                Err(_) => "Cannot find file: ",
            }
        }
        Some(kind) => {
            io.complain_line(&format!("Unknown password type: {kind}"));
            usage::print(command, io);
            return Err(Stop::Usage);
        }
    };
    io.complain_line(&format!("{complaint}{}", argument.to_string_lossy()));
    usage::print(command, io);
    Err(Stop::Usage)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| {
        let message = format!("For input string: \"{text}\"");
        fault::of_class("java.lang.NumberFormatException", message)
    })
}

fn illegal<T>(word: &str, command: Option<Command>, io: &mut Io) -> Result<T> {
    io.complain_line(&format!("Illegal option:  {word}"));
    usage::print(command, io);
    Err(Stop::Usage)
}

fn needs_argument<T>(word: &str, command: Option<Command>, io: &mut Io) -> Result<T> {
    io.complain_line(&format!("Command option {word} needs an argument."));
    usage::print(command, io);
    Err(Stop::Usage)
}

/// Whether a name leads to the CA certificates of the host's Java.
fn is_cacerts(file: &OsStr, io: &Io) -> bool {
    let canonical = |path| std::fs::canonicalize(path).ok();
    let own = canonical(io.path(file));
    own.is_some() && own == crate::keytool::vault::cacerts_path(io).and_then(canonical)
}

/// The arguments of an empty command line.
pub(crate) fn none() -> Args {
    Args {
        command: None,
        is_verbose: false,
        is_rfc: false,
        no_prompt: false,
        no_warnings: false,
        trust_cacerts: false,
        is_protected: false,
        is_source_protected: false,
        cacerts: false,
        tls: false,
        store: None,
        store_type: None,
        store_password: None,
        source: None,
        source_type: None,
        source_password: None,
        source_key_password: None,
        key_password: None,
        new_password: None,
        dest_key_password: None,
        signer_key_password: None,
        alias: None,
        dest: None,
        dname: None,
        key_size: None,
        group: None,
        key_algorithm: None,
        signature_algorithm: None,
        signer: None,
        start_date: None,
        validity_days: 90,
        extensions: Vec::new(),
        revoked: Vec::new(),
        file: None,
        in_file: None,
        out_file: None,
        server: None,
        jar: None,
        providers: Vec::new(),
        provider_name: None,
        passed_over: None,
        warnings: Vec::new(),
    }
}

/// Options that may stand several times.
const REPEATABLE: &[&str] = &[
    "-ext",
    "-id",
    "-provider",
    "-addprovider",
    "-providerclass",
    "-providerarg",
];
