//! One run: check the arguments, open the store, ask for what is missing, do it, save, warn.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use keystore::{Certificate, Format, Password};

use crate::io::Io;
use crate::keytool::args::{self, Args};
use crate::keytool::fault::{self, Fault, Result, Stop};
use crate::keytool::usage::{self, Command};
use crate::keytool::vault::{self, EntryKind, Kind, Vault};
use crate::keytool::{
    changes, export, generate, import_cert, import_store, list, print, request, secret, sign,
};
use crate::replace;

/// The state of a run.
pub(crate) struct Session<'a> {
    pub(crate) io: &'a mut Io,
    pub(crate) args: Args,
    /// The store's name as typed, or the default one.
    pub(crate) store_name: OsString,
    /// Whether its file was there when we began.
    pub(crate) store_exists: bool,
    pub(crate) vault: Vault,
    pub(crate) is_passwordless: bool,
    pub(crate) store_password: Option<Password>,
    /// The password that the store gets.
    pub(crate) next_password: Option<Password>,
    pub(crate) key_password: Option<Password>,
    pub(crate) dest_key_password: Option<Password>,
    /// The host's CA certificates, where they count.
    pub(crate) cacerts: Option<Vault>,
    pub(crate) warnings: Vec<String>,
    /// The original store of an import in place: where it was copied to.
    pub(crate) backup: Option<(OsString, Kind)>,
    pub(crate) must_save: bool,
    /// Held from before the store is read until it is written.
    lock: Option<std::fs::File>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(io: &'a mut Io) -> Self {
        Self {
            io,
            args: args::none(),
            store_name: OsString::new(),
            store_exists: false,
            vault: Vault::empty(Kind::Pkcs12).unwrap_or_else(|_| unreachable!("PKCS#12 stores can be made")),
            is_passwordless: false,
            store_password: None,
            next_password: None,
            key_password: None,
            dest_key_password: None,
            cacerts: None,
            warnings: Vec::new(),
            backup: None,
            must_save: false,
            lock: None,
        }
    }

    /// Runs the command that `words` say.
    pub(crate) fn run(&mut self, words: &[OsString]) -> Result<()> {
        args::read(words, &mut self.args, self.io)?;
        self.warnings = std::mem::take(&mut self.args.warnings);
        let Some(command) = self.args.command else {
            return Ok(());
        };
        self.check_arguments(command)?;
        let source = match command {
            Command::ImportKeystore => import_store::open_in_place(self)?,
            _ => None,
        };
        let is_in_place = source.is_some();
        if command.reads_a_store() && !is_in_place {
            self.find_store(command)?;
        }
        self.ask_aliases(command)?;
        self.open_store(command, is_in_place)?;
        if self.vault.kind.is_pkcs12() && command == Command::KeyPasswd {
            let message = "-keypasswd commands not supported if -storetype is PKCS12";
            return Err(fault::of_class(fault::UNSUPPORTED, message));
        }
        if !self.ask_store_password(command)? {
            return Ok(());
        }
        self.same_passwords_in_pkcs12();
        self.load_cacerts(command)?;
        self.dispatch(command, source)?;
        if self.must_save {
            self.save()?;
        }
        if command.reads_a_store() {
            self.warn_of_format();
        }
        Ok(())
    }

    /// Prints what is to be warned of, and forgets it. `before_prompt` sets it off from the question that follows.
    pub(crate) fn print_warnings(&mut self, before_prompt: bool) {
        let warnings = std::mem::take(&mut self.warnings);
        if warnings.is_empty() || self.args.no_warnings {
            return;
        }
        self.io.complain_line("\nWarning:");
        for warning in warnings {
            self.io.complain_line(&warning);
        }
        if before_prompt {
            self.io.complain_line("");
        }
    }

    /// Prints an error as the original does: on stdout.
    pub(crate) fn print_fault(&mut self, fault: &Fault) {
        self.io.print(&format!("keytool error: {fault}\n"));
        if self.args.is_verbose {
            self.io.print(&format!("{fault}\n"));
        }
    }

    /// The alias asked for, or the default one.
    pub(crate) fn alias(&self) -> String {
        self.args.alias.clone().unwrap_or_else(|| "mykey".to_owned())
    }

    /// Text for stderr.
    pub(crate) fn say(&mut self, text: &str) {
        self.io.complain_line(text);
    }

    /// A yes-or-no question, asked until it is answered; nothing is no.
    pub(crate) fn asks_yes(&mut self, question: &str) -> Result<bool> {
        for _ in 0..=20 {
            self.io.complain(question);
            let answer = self.io.read_answer().unwrap_or_default();
            match answer.to_lowercase().replace([' ', '-'], "").as_str() {
                "" | "n" | "no" => return Ok(false),
                "y" | "yes" => return Ok(true),
                _ => self.say("Wrong answer, try again"),
            }
        }
        let message = "Too many retries, program terminated";
        Err(fault::of_class("java.lang.RuntimeException", message))
    }

    /// Reads a file that the command line names.
    pub(crate) fn read_file(&self, name: &OsStr) -> Result<Vec<u8>> {
        let read = std::fs::read(self.io.path(name));
        read.map_err(|error| fault::not_opened(&name.to_string_lossy(), &error))
    }

    /// A file that the command line names, or all of stdin.
    pub(crate) fn read_input(&mut self, name: Option<&OsStr>) -> Result<Vec<u8>> {
        match name {
            Some(name) => self.read_file(name),
            None => Ok(self.io.read_all()),
        }
    }

    /// Writes bytes to a file that the command line names, or to stdout.
    pub(crate) fn write_output(&mut self, name: Option<&OsStr>, bytes: &[u8]) -> Result<()> {
        match name {
            Some(name) => self.write_file(name, bytes),
            None => {
                self.io.print_bytes(bytes);
                Ok(())
            }
        }
    }

    /// Fails early where an output could not be written at the end; nothing is made or changed yet.
    pub(crate) fn check_output(&self, name: Option<&OsStr>) -> Result<()> {
        let Some(name) = name else { return Ok(()) };
        let path = self.io.path(name);
        let open = std::fs::OpenOptions::new().write(true).open(&path);
        let refused = match open {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                parent.and_then(|parent| std::fs::metadata(parent).err())
            }
            other => other.err(),
        };
        match refused {
            Some(error) => Err(fault::not_opened(&name.to_string_lossy(), &error)),
            None => Ok(()),
        }
    }

    pub(crate) fn write_file(&mut self, name: &OsStr, bytes: &[u8]) -> Result<()> {
        let written = replace::replace(&self.io.path(name), bytes);
        written.map_err(|error| fault::not_opened(&name.to_string_lossy(), &error))
    }

    /// Whether a certificate is among the trusted ones of the store, or of the host where those count.
    pub(crate) fn is_trusted(&self, certificate: &Certificate) -> bool {
        let in_cacerts = self
            .cacerts
            .as_ref()
            .is_some_and(|vault| vault.alias_of(certificate).is_some());
        in_cacerts
            || self
                .vault
                .alias_of(certificate)
                .is_some_and(|(_, is_trusted)| is_trusted)
    }

    /// Providers are classes of Java: those that come with it are taken for there, and BouncyCastle's types are ours.
    fn check_providers(&self) -> Result<()> {
        for (provider, is_class) in &self.args.providers {
            let lower = provider.to_lowercase();
            let is_known = ["sun", "com.sun.", "xmldsig", "jdk", "bc", "org.bouncycastle."]
                .iter()
                .any(|start| lower.starts_with(start));
            if !is_known {
                let named = if *is_class { "" } else { "named " };
                return Err(fault::plain(format!("Provider {named}\"{provider}\" not found")));
            }
        }
        Ok(())
    }

    fn check_arguments(&mut self, command: Command) -> Result<()> {
        let is_token = |name: &String| {
            name.eq_ignore_ascii_case("PKCS11") || name.to_lowercase().starts_with("windows-")
        };
        if let Some(name) = self.args.store_type.clone().filter(is_token)
            && self.args.store.as_ref().is_some_and(|store| store != "NONE")
        {
            let name = name.to_uppercase();
            self.say(&format!("-keystore must be NONE if -storetype is {name}\n"));
            usage::print(self.args.command, self.io);
            return Err(Stop::Usage);
        }
        let args = &mut self.args;
        if args.cacerts {
            if args.store.is_some() || args.store_type.is_some() {
                let message = "The -keystore or -storetype option cannot be used with the -cacerts option";
                return Err(fault::of_class(fault::ILLEGAL_ARGUMENT, message));
            }
            args.store = Some(vault::cacerts_path(self.io).map_or_else(|| "cacerts".into(), PathBuf::into));
        }
        let has_password = args.store_password.is_some()
            || args.key_password.is_some()
            || args.new_password.is_some()
            || args.dest_key_password.is_some();
        if args.is_protected && has_password {
            let message =
                "if -protected is specified, then -storepass, -keypass, and -new must not be specified";
            return Err(fault::of_class(fault::ILLEGAL_ARGUMENT, message));
        }
        if args.is_source_protected && (args.source_password.is_some() || args.source_key_password.is_some())
        {
            let message =
                "if -srcprotected is specified, then -srcstorepass and -srckeypass must not be specified";
            return Err(fault::of_class(fault::ILLEGAL_ARGUMENT, message));
        }
        if args.validity_days <= 0 {
            return Err(fault::plain("Validity must be greater than zero"));
        }
        self.check_providers()?;
        let args = &mut self.args;
        if command == Command::List && args.is_verbose && args.is_rfc {
            self.io
                .complain_line("Must not specify both -v and -rfc with 'list' command");
            usage::print(self.args.command, self.io);
            return Err(Stop::Usage);
        }
        let is_short = |password: &Option<Password>| password.as_ref().is_some_and(is_short);
        if command == Command::GenKeyPair && is_short(&args.key_password) {
            return Err(fault::plain("Key password must be at least 6 characters"));
        }
        if is_short(&args.new_password) || is_short(&args.dest_key_password) {
            return Err(fault::plain("New password must be at least 6 characters"));
        }
        self.store_password = args.store_password.take();
        self.key_password = args.key_password.take();
        self.dest_key_password = args.dest_key_password.take();
        self.store_name = args.store.clone().unwrap_or_else(|| {
            let home = self.io.variable("HOME").unwrap_or(OsStr::new("."));
            PathBuf::from(home).join(".keystore").into_os_string()
        });
        Ok(())
    }

    /// Looks whether the store is there, as far as the command asks.
    fn find_store(&mut self, command: Command) -> Result<()> {
        let metadata = std::fs::metadata(self.io.path(&self.store_name)).ok();
        if metadata
            .as_ref()
            .is_some_and(|metadata| metadata.is_file() && metadata.len() == 0)
        {
            return Err(fault::plain(format!(
                "Keystore file exists, but is empty: {}",
                self.store_name.to_string_lossy()
            )));
        }
        let is_readable = std::fs::File::open(self.io.path(&self.store_name)).is_ok();
        self.store_exists = is_readable && metadata.is_some_and(|metadata| !metadata.is_dir());
        let makes_it = matches!(
            command,
            Command::GenKeyPair
                | Command::GenSecKey
                | Command::IdentityDb
                | Command::ImportCert
                | Command::ImportPass
                | Command::ImportKeystore
                | Command::PrintCrl
                | Command::PrintCert
        );
        if !self.store_exists && !makes_it {
            return Err(fault::plain(format!(
                "Keystore file does not exist: {}",
                self.store_name.to_string_lossy()
            )));
        }
        Ok(())
    }

    fn ask_aliases(&mut self, command: Command) -> Result<()> {
        if matches!(command, Command::KeyClone | Command::ChangeAlias) && self.args.dest.is_none() {
            self.io.complain("Enter destination alias name:  ");
            match self.io.read_answer() {
                Some(alias) if alias.is_empty() => {
                    return Err(fault::plain("Must specify destination alias"));
                }
                answer => self.args.dest = answer,
            }
        }
        if command == Command::Delete && self.args.alias.is_none() {
            self.io.complain("Enter alias name:  ");
            match self.io.read_answer() {
                Some(alias) if alias.is_empty() => return Err(fault::plain("Must specify alias")),
                answer => self.args.alias = answer,
            }
        }
        Ok(())
    }

    /// Opens the store, or makes a new one in memory.
    fn open_store(&mut self, command: Command, is_in_place: bool) -> Result<()> {
        let named = self.args.store_type.clone();
        let kind = named
            .map(|name| Kind::of(&name, &self.args.providers))
            .transpose()?;
        if !command.reads_a_store() {
            return Ok(());
        }
        if !self.store_exists || is_in_place {
            self.vault = Vault::empty(kind.unwrap_or(Kind::Pkcs12))?;
            return Ok(());
        }
        if changes_the_store(command) {
            self.lock_store()?;
        }
        let bytes = self.read_file(&self.store_name)?;
        let kind = match kind {
            Some(kind) => kind,
            // With a provider the original does not look into the file.
            None if self.args.provider_name.is_some() => Kind::Pkcs12,
            None => Vault::probe(&bytes)?,
        };
        self.vault = Vault::read(&bytes, kind, self.store_password.as_ref())?;
        if kind.is_pkcs12() {
            self.is_passwordless = match self.store_password {
                None => self.vault.is_passwordless(),
                Some(_) => Vault::read(&bytes, kind, None).is_ok_and(|vault| vault.is_passwordless()),
            };
        }
        Ok(())
    }

    /// Keeps other writers of ours out; the original does not look, so that its writers are not kept out.
    fn lock_store(&mut self) -> Result<()> {
        let Ok(file) = std::fs::File::open(self.io.path(&self.store_name)) else {
            return Ok(());
        };
        if matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            let name = self.store_name.to_string_lossy();
            return Err(fault::io_fault(format!(
                "{name} is being written by another program; try again when it is done"
            )));
        }
        self.lock = Some(file);
        Ok(())
    }

    /// Asks for the store's password where it is not given. `false`: no good one was typed, the run is over.
    fn ask_store_password(&mut self, command: Command) -> Result<bool> {
        if let Some(password) = &self.store_password {
            if !self.store_exists && is_short(password) && command.reads_a_store() {
                return Err(fault::plain("Keystore password must be at least 6 characters"));
            }
            return Ok(true);
        }
        if self.args.is_protected || !command.reads_a_store() || self.is_passwordless {
            return Ok(true);
        }
        match command {
            Command::PrintCrl | Command::PrintCert => return Ok(true),
            Command::ExportCert | Command::List | Command::GenCert | Command::GenCrl => {
                self.io.complain("Enter keystore password:  ");
                self.store_password = self.io.read_password().map(|typed| Password::new(typed.to_vec()));
            }
            _ => {
                if !self.ask_three_times(command) {
                    self.say("Too many failures - try later");
                    return Ok(false);
                }
            }
        }
        if self.store_exists {
            let bytes = self.read_file(&self.store_name)?;
            self.vault = Vault::read(&bytes, self.vault.kind, self.store_password.as_ref())?;
        }
        Ok(true)
    }

    fn ask_three_times(&mut self, command: Command) -> bool {
        for _ in 0..3 {
            self.io.complain(match command {
                Command::ImportKeystore => "Enter destination keystore password:  ",
                _ => "Enter keystore password:  ",
            });
            let typed = self.io.read_password().map(|typed| Password::new(typed.to_vec()));
            let Some(typed) = typed.filter(|typed| !is_short(typed)) else {
                self.say("Keystore password is too short - must be at least 6 characters");
                continue;
            };
            if !self.store_exists {
                self.io.complain("Re-enter new password: ");
                let again = self.io.read_password().map(|typed| Password::new(typed.to_vec()));
                if again.as_ref() != Some(&typed) {
                    self.say("They don't match. Try again");
                    continue;
                }
            }
            self.store_password = Some(typed);
            return true;
        }
        false
    }

    /// In PKCS#12 keys have the password of the store, whatever was asked.
    fn same_passwords_in_pkcs12(&mut self) {
        let Some(store) = self
            .store_password
            .clone()
            .filter(|_| self.vault.kind.is_pkcs12())
        else {
            return;
        };
        for (option, is_key) in [("-keypass", true), ("-destkeypass", false)] {
            let slot = if is_key {
                &mut self.key_password
            } else {
                &mut self.dest_key_password
            };
            if slot.as_ref().is_some_and(|given| *given != store) {
                *slot = Some(store.clone());
                self.say(&ignored_password(option));
            }
        }
    }

    fn load_cacerts(&mut self, command: Command) -> Result<()> {
        let counts = matches!(
            command,
            Command::ImportCert | Command::PrintCert | Command::PrintCrl
        );
        if !self.args.trust_cacerts || !counts {
            self.args.trust_cacerts = false;
            return Ok(());
        }
        let Some(path) = vault::cacerts_path(self.io) else {
            return Ok(());
        };
        let bytes = self.read_file(path.as_os_str())?;
        let kind = Vault::probe(&bytes)?;
        // Nearly every host leaves the password as it came; without it what is in the clear is read.
        let known = Vault::read(&bytes, kind, Some(&Password::new("changeit")));
        self.cacerts = Some(known.or_else(|_| Vault::read(&bytes, kind, None))?);
        Ok(())
    }

    fn dispatch(&mut self, command: Command, source: Option<import_store::Source>) -> Result<()> {
        match command {
            Command::CertReq => request::make(self),
            Command::ChangeAlias => changes::change_alias(self),
            Command::Delete => changes::delete(self),
            Command::ExportCert => export::run(self),
            Command::GenKeyPair => generate::run(self),
            Command::GenSecKey => secret::generate(self),
            Command::GenCert => sign::certificate(self),
            Command::ImportCert => import_cert::run(self),
            Command::ImportPass => secret::import_password(self),
            Command::ImportKeystore => import_store::run(self, source),
            Command::KeyPasswd => changes::key_password(self),
            Command::List => list::run(self),
            Command::PrintCert => print::certificates(self),
            Command::PrintCertReq => request::print(self),
            Command::PrintCrl => print::revocation_lists(self),
            Command::StorePasswd => changes::store_password(self),
            Command::ShowInfo => print::info(self),
            Command::KeyClone => changes::clone_key(self),
            Command::SelfCert => sign::self_signed(self),
            Command::GenCrl => sign::revocation_list(self),
            Command::IdentityDb => {
                self.say("No entries from identity database added");
                Ok(())
            }
        }
    }

    fn save(&mut self) -> Result<()> {
        if self.args.is_verbose {
            let line = format!("[Storing {}]", self.store_name.to_string_lossy());
            self.say(&line);
        }
        let password = self.next_password.as_ref().or(self.store_password.as_ref());
        let bytes = self.vault.write(password, self.io.now_ms())?;
        let name = self.store_name.clone();
        self.write_file(&name, &bytes)?;
        self.store_exists = true;
        Ok(())
    }

    /// What is said of stores that hold more than certificates and are of Java's own formats.
    fn warn_of_format(&mut self) {
        let format = self.vault.format();
        let kind = match format {
            _ if !self.store_exists => return,
            Format::Jks => "JKS",
            Format::Jceks => "JCEKS",
            _ => "PKCS12",
        };
        let name = self.store_name.to_string_lossy().into_owned();
        let has_keys = self
            .vault
            .items()
            .iter()
            .any(|item| item.kind != EntryKind::TrustedCert);
        if kind != "PKCS12" && has_keys {
            self.warnings.push(format!(
                "The {kind} keystore uses a proprietary format. It is recommended to migrate to PKCS12 which is an industry \
                 standard format using \"keytool -importkeystore -srckeystore {name} -destkeystore {name} -deststoretype \
                 pkcs12\"."
            ));
        }
        if let Some((backup, old)) = &self.backup {
            let source = self.args.source.clone().unwrap_or_default();
            let (source, backup, old) = (source.to_string_lossy(), backup.to_string_lossy(), old.name());
            self.warnings.push(if kind == old {
                format!("The original keystore \"{source}\" is backed up as \"{backup}\"...")
            } else {
                format!("Migrated \"{source}\" to {kind}. The {old} keystore is backed up as \"{backup}\".")
            });
        }
    }
}

fn changes_the_store(command: Command) -> bool {
    !matches!(
        command,
        Command::CertReq
            | Command::ExportCert
            | Command::GenCert
            | Command::GenCrl
            | Command::List
            | Command::PrintCert
            | Command::PrintCertReq
            | Command::PrintCrl
            | Command::ShowInfo
    )
}

/// Fewer than six characters.
pub(crate) fn is_short(password: &Password) -> bool {
    let bytes = password.as_bytes();
    std::str::from_utf8(bytes).map_or(bytes.len(), |text| text.encode_utf16().count()) < 6
}

/// What is said when PKCS#12 cannot have a second password.
pub(crate) fn ignored_password(option: &str) -> String {
    format!(
        "Warning:  Different store and key passwords not supported for PKCS12 KeyStores. Ignoring user-specified {option} \
         value."
    )
}
