//! Commands, options, and the help that lists them.

use crate::io::Io;

/// What keytool can be told to do. The order is that of its help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    CertReq,
    ChangeAlias,
    Delete,
    ExportCert,
    GenKeyPair,
    GenSecKey,
    GenCert,
    ImportCert,
    ImportPass,
    ImportKeystore,
    KeyPasswd,
    List,
    PrintCert,
    PrintCertReq,
    PrintCrl,
    StorePasswd,
    ShowInfo,
    // Not in the help from here on.
    KeyClone,
    SelfCert,
    GenCrl,
    IdentityDb,
}

struct Description {
    command: Command,
    name: &'static str,
    old_name: Option<&'static str>,
    purpose: &'static str,
    options: &'static str,
}

impl Command {
    /// The command of a word such as `-list`; case, hyphens and blanks do not count.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let is = |name: &str| same_word(word, name);
        let found = COMMANDS
            .iter()
            .find(|known| is(known.name) || known.old_name.is_some_and(is));
        found.map(|known| known.command)
    }

    /// `-list`.
    pub(crate) fn name(self) -> String {
        format!("-{}", self.description().name)
    }

    /// Everything but what looks at requests and at the program itself reads a store.
    pub(crate) fn reads_a_store(self) -> bool {
        !matches!(self, Self::PrintCertReq | Self::ShowInfo)
    }

    fn description(self) -> &'static Description {
        let mine = |known: &&Description| known.command == self;
        COMMANDS.iter().find(mine).expect("each command has its line")
    }
}

/// Whether two words are the same to the original, which compares letters only: case, hyphens and blanks are ignored.
pub(crate) fn same_word(left: &str, right: &str) -> bool {
    let letters = |word: &str| -> Vec<char> {
        let kept = word.chars().filter(|character| !matches!(character, '-' | ' '));
        kept.flat_map(char::to_lowercase).collect()
    };
    letters(left) == letters(right)
}

/// Whether an option of this name takes an argument, as far as the help knows it.
pub(crate) fn takes_argument(word: &str) -> bool {
    let known = OPTIONS.iter().find(|(name, ..)| same_word(word, name));
    known.is_some_and(|(_, argument, _)| !argument.is_empty())
}

/// Prints the help of one command, or the list of commands.
pub(crate) fn print(command: Option<Command>, io: &mut Io) {
    let Some(command) = command else {
        io.complain("Key and Certificate Management Tool\n\nCommands:\n\n");
        let shown = COMMANDS
            .iter()
            .take_while(|known| known.command != Command::KeyClone);
        for known in shown {
            io.complain(&format!(" {:<20}{}\n", known.command.name(), known.purpose));
        }
        io.complain(&format!("\n{HELP_LINE}\n{COMMAND_HELP_LINES}\n"));
        return;
    };
    let description = command.description();
    io.complain(&format!(
        "keytool {} [OPTION]...\n\n{}\n\nOptions:\n\n",
        command.name(),
        description.purpose
    ));
    let rows: Vec<(Vec<String>, Vec<&str>)> = description.options.split_whitespace().map(row).collect();
    let width = rows
        .iter()
        .flat_map(|(left, _)| left)
        .map(String::len)
        .max()
        .unwrap_or(0);
    for (left, right) in rows {
        for (number, (left, right)) in left.iter().zip(right).enumerate() {
            let indent = if number == 0 { " " } else { "   " };
            io.complain(&format!("{indent}{left:<width$}  {right}\n"));
        }
    }
    io.complain(&format!("\n{HELP_LINE}\n"));
}

/// The lines of an option: its name and argument, and what it means.
fn row(key: &str) -> (Vec<String>, Vec<&'static str>) {
    let (name, meaning) = match key {
        "file-out" => ("file", Some("output file name")),
        name => (name, None),
    };
    let (_, argument, purpose) = OPTIONS
        .iter()
        .find(|(known, ..)| *known == name)
        .expect("each option of a command is described");
    let left = if argument.is_empty() {
        format!("-{name}")
    } else {
        format!("-{name} {argument}")
    };
    let left = left.lines().map(str::to_owned).collect();
    (left, meaning.unwrap_or(purpose).lines().collect())
}

const fn line(
    command: Command,
    name: &'static str,
    old_name: Option<&'static str>,
    purpose: &'static str,
    options: &'static str,
) -> Description {
    Description {
        command,
        name,
        old_name,
        purpose,
        options,
    }
}

const COMMANDS: &[Description] = &[
    line(
        Command::CertReq,
        "certreq",
        None,
        "Generates a certificate request",
        "alias sigalg file-out keypass keystore dname ext storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::ChangeAlias,
        "changealias",
        None,
        "Changes an entry's alias",
        "alias destalias keypass keystore cacerts storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::Delete,
        "delete",
        None,
        "Deletes an entry",
        "alias keystore cacerts storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::ExportCert,
        "exportcert",
        Some("export"),
        "Exports certificate",
        "rfc alias file-out keystore cacerts storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::GenKeyPair,
        "genkeypair",
        Some("genkey"),
        "Generates a key pair",
        "alias keyalg keysize groupname sigalg dname startdate ext validity keypass keystore signer signerkeypass storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::GenSecKey,
        "genseckey",
        None,
        "Generates a secret key",
        "alias keypass keyalg keysize keystore storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::GenCert,
        "gencert",
        None,
        "Generates certificate from a certificate request",
        "rfc infile outfile alias sigalg dname startdate ext validity keypass keystore storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::ImportCert,
        "importcert",
        Some("import"),
        "Imports a certificate or a certificate chain",
        "noprompt trustcacerts protected alias file keypass keystore cacerts storepass storetype providername addprovider providerclass providerpath v",
    ),
    line(
        Command::ImportPass,
        "importpass",
        Some("importpassword"),
        "Imports a password",
        "alias keypass keyalg keysize keystore storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::ImportKeystore,
        "importkeystore",
        None,
        "Imports one or all entries from another keystore",
        "srckeystore destkeystore srcstoretype deststoretype srcstorepass deststorepass srcprotected destprotected srcprovidername destprovidername srcalias destalias srckeypass destkeypass noprompt addprovider providerclass providerpath v",
    ),
    line(
        Command::KeyPasswd,
        "keypasswd",
        None,
        "Changes the key password of an entry",
        "alias keypass new keystore storepass storetype providername addprovider providerclass providerpath v",
    ),
    line(
        Command::List,
        "list",
        None,
        "Lists entries in a keystore",
        "rfc alias keystore cacerts storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::PrintCert,
        "printcert",
        None,
        "Prints the content of a certificate",
        "rfc file sslserver jarfile keystore storepass storetype trustcacerts providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::PrintCertReq,
        "printcertreq",
        None,
        "Prints the content of a certificate request",
        "file v",
    ),
    line(
        Command::PrintCrl,
        "printcrl",
        None,
        "Prints the content of a CRL file",
        "file keystore storepass storetype trustcacerts providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::StorePasswd,
        "storepasswd",
        None,
        "Changes the store password of a keystore",
        "new keystore cacerts storepass storetype providername addprovider providerclass providerpath v",
    ),
    line(
        Command::ShowInfo,
        "showinfo",
        None,
        "Displays security-related information",
        "tls v",
    ),
    line(
        Command::KeyClone,
        "keyclone",
        None,
        "Clones a key entry",
        "alias destalias keypass new storetype keystore storepass providername addprovider providerclass providerpath v",
    ),
    line(
        Command::SelfCert,
        "selfcert",
        None,
        "Generates a self-signed certificate",
        "alias sigalg dname startdate ext validity keypass storetype keystore storepass providername addprovider providerclass providerpath v",
    ),
    line(
        Command::GenCrl,
        "gencrl",
        None,
        "Generates CRL",
        "rfc file-out id alias sigalg keypass keystore storepass storetype providername addprovider providerclass providerpath v protected",
    ),
    line(
        Command::IdentityDb,
        "identitydb",
        None,
        "Imports entries from a JDK 1.1.x-style identity database",
        "file storetype keystore storepass providername addprovider providerclass providerpath v",
    ),
];

/// Name, argument, meaning. A meaning of two lines belongs to an argument of two lines.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("alias", "<alias>", "alias name of the entry to process"),
    (
        "groupname",
        "<name>",
        "Group name. For example, an Elliptic Curve name.",
    ),
    ("destalias", "<alias>", "destination alias"),
    ("destkeypass", "<arg>", "destination key password"),
    ("destkeystore", "<keystore>", "destination keystore name"),
    ("destprotected", "", "destination keystore password protected"),
    ("destprovidername", "<name>", "destination keystore provider name"),
    ("deststorepass", "<arg>", "destination keystore password"),
    ("deststoretype", "<type>", "destination keystore type"),
    ("dname", "<name>", "distinguished name"),
    ("ext", "<value>", "X.509 extension"),
    ("file", "<file>", "input file name"),
    ("id", "<id:reason>", "Serial ID of cert to revoke"),
    ("infile", "<file>", "input file name"),
    ("keyalg", "<alg>", "key algorithm name"),
    ("keypass", "<arg>", "key password"),
    ("keysize", "<size>", "key bit size"),
    ("keystore", "<keystore>", "keystore name"),
    ("cacerts", "", "access the cacerts keystore"),
    ("new", "<arg>", "new password"),
    ("noprompt", "", "do not prompt"),
    ("outfile", "<file>", "output file name"),
    ("protected", "", "password through protected mechanism"),
    (
        "providerclass",
        "<class>\n[-providerarg <arg>]",
        "add security provider by fully-qualified class name\nconfigure argument for -providerclass",
    ),
    (
        "addprovider",
        "<name>\n[-providerarg <arg>]",
        "add security provider by name (e.g. SunPKCS11)\nconfigure argument for -addprovider",
    ),
    ("providername", "<name>", "provider name"),
    ("providerpath", "<list>", "provider classpath"),
    ("rfc", "", "output in RFC style"),
    ("sigalg", "<alg>", "signature algorithm name"),
    ("signer", "<alias>", "signer alias"),
    ("signerkeypass", "<arg>", "signer key password"),
    ("srcalias", "<alias>", "source alias"),
    ("srckeypass", "<arg>", "source key password"),
    ("srckeystore", "<keystore>", "source keystore name"),
    ("srcprotected", "", "source keystore password protected"),
    ("srcprovidername", "<name>", "source keystore provider name"),
    ("srcstorepass", "<arg>", "source keystore password"),
    ("srcstoretype", "<type>", "source keystore type"),
    ("sslserver", "<server[:port]>", "SSL server host and port"),
    ("jarfile", "<file>", "signed jar file"),
    ("startdate", "<date>", "certificate validity start date/time"),
    ("storepass", "<arg>", "keystore password"),
    ("storetype", "<type>", "keystore type"),
    ("tls", "", "Displays TLS configuration information"),
    ("trustcacerts", "", "trust certificates from cacerts"),
    ("v", "", "verbose output"),
    ("validity", "<days>", "validity number of days"),
];

const HELP_LINE: &str = "Use \"keytool -?, -h, or --help\" for this help message";
const COMMAND_HELP_LINES: &str = "Use \"keytool -command_name --help\" for usage of command_name.\n\
                                  Use the -conf <url> option to specify a pre-configured options file.";
