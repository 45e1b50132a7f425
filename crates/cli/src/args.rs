//! What can be typed.

pub mod store;

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

/// Replaces the TLS certificates of a whole fleet without breaking a single link.
///
/// Exit codes: 0 yes or done, 1 a negative answer, 2 could not run, 3 stopped midway and a person is needed.
#[derive(Debug, Parser)]
#[command(name = "capgrow", version, max_term_width = 100)]
pub struct Args {
    /// The fleet directory (or one below it); default: the current one and upwards.
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// Print one versioned JSON document on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print one JSON line per event on stdout.
    #[arg(long, global = true)]
    pub json_lines: bool,
    /// No progress on stderr.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More on stderr.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a fleet of real processes on loopback and move it live to new certificates.
    Demo(Demo),
    /// Say why it fails: rules over stores, settings, logs, pasted output and captures.
    Doctor(Doctor),
    /// Write a commented capgrow.toml here.
    Init,
    /// Look at every host and write the snapshot; say what changed and what is missing.
    Scan(Scan),
    /// Show stores, certificates, requests and stashes: entries, chains, what is wrong.
    Inspect(Inspect),
    /// Compute the safest order with the fewest restarts, prove it and save it.
    Plan(Box<Plan>),
    /// The independent checker alone, on a digest or a file.
    Check(Check),
    /// Carry a plan out: a dry run until --approve.
    Apply(Apply),
    /// What is so now, from files and journal; dials nobody.
    Status(State),
    /// A real handshake on every link, both ways, with the peers' real stores.
    Verify(State),
    /// The reverse of a run, byte for byte: a dry run until --approve.
    Undo(Undo),
    /// Remove old backups and snapshots, never those of an unfinished run.
    Prune(Prune),
    /// The evidence of a run, for the change record.
    Report(Report),
    /// Handshakes with a server: versions, suites, chain, who would accept it, client authentication.
    Probe(Box<Probe>),
    /// Edit stores by hand: atomically, with a backup, without loss.
    #[command(subcommand)]
    Store(store::Store),
    /// Would this runtime accept this chain.
    Verdict(Verdict),
    /// Stand in for another command, as a link of its name does: keytool.
    Compat {
        /// Which command.
        name: std::ffi::OsString,
        /// Its own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<std::ffi::OsString>,
    },
    /// Print the shell's completions.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// `demo`.
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// How many components.
    #[arg(long, value_name = "N")]
    pub components: Option<usize>,
    /// Replace everything at once instead, and count what fails.
    #[arg(long)]
    pub naive: bool,
    /// Start the fleet in DIR with its default certificates and leave it running.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["naive", "count", "stop"])]
    pub keep: Option<PathBuf>,
    /// Show the counter of the fleet in DIR.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["naive", "stop"])]
    pub count: Option<PathBuf>,
    /// End the fleet in DIR.
    #[arg(long, value_name = "DIR", conflicts_with = "naive")]
    pub stop: Option<PathBuf>,
    /// Which fleet: `generic` is a hub and an agent with PEM files.
    #[arg(long, value_enum, default_value = "workload-automation", hide = true)]
    pub fleet: DemoFleet,
}

/// Which fleet the demo starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DemoFleet {
    /// A hub and an agent, PEM.
    Generic,
    /// A Workload Automation domain in four store formats.
    WorkloadAutomation,
}

/// `scan`.
#[derive(Debug, ClapArgs)]
pub struct Scan {
    /// Trees to look at beside what capgrow.toml names (host paths).
    pub paths: Vec<String>,
}

/// Where passwords come from.
#[derive(Debug, Default, ClapArgs)]
pub struct Passwords {
    /// The store's password: the content of FILE without a final line end.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The store's password: the value of the variable VAR.
    #[arg(long, value_name = "VAR")]
    pub password_env: Option<String>,
    /// The store's password: read from descriptor N.
    #[arg(long, value_name = "N")]
    pub password_fd: Option<u32>,
    /// The private key's password: the content of FILE without a final line end.
    #[arg(long, value_name = "FILE")]
    pub key_password_file: Option<PathBuf>,
    /// The private key's password: the value of the variable VAR.
    #[arg(long, value_name = "VAR")]
    pub key_password_env: Option<String>,
    /// The private key's password: read from descriptor N.
    #[arg(long, value_name = "N")]
    pub key_password_fd: Option<u32>,
}

/// `inspect`.
#[derive(Debug, ClapArgs)]
pub struct Inspect {
    /// The files; directories are looked through.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Look at every file anew, and keep nothing for the next time.
    #[arg(long)]
    pub no_cache: bool,
    #[command(flatten)]
    pub passwords: Passwords,
}

/// `doctor`.
#[derive(Debug, ClapArgs)]
pub struct Doctor {
    /// Files and directories: stores, settings, logs, pasted output, captures, records of `probe`; `-` reads standard
    /// input, HOST:PORT asks a server now. Default: the hosts of the fleet directory.
    pub targets: Vec<PathBuf>,
    /// Explain a rule (`H-30`), or list all of them (`all`).
    #[arg(long, value_name = "RULE", conflicts_with = "targets")]
    pub explain: Option<String>,
    #[command(flatten)]
    pub passwords: Passwords,
}

/// How far a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Until {
    /// Everything trusts both and presents the new.
    Coexistence,
    /// Nothing old is left.
    Retired,
}

/// A runbook's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunbookKind {
    /// Windows command file.
    Cmd,
    /// Markdown.
    Md,
    /// POSIX shell.
    Sh,
}

/// `plan`.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Plan {
    /// `plan diff A B`.
    #[command(subcommand)]
    pub diff: Option<PlanDiff>,
    /// How far to go.
    #[arg(long, value_enum)]
    pub until: Option<Until>,
    /// Why this component or link stands where it does.
    #[arg(long, value_name = "COMPONENT|LINK")]
    pub explain: Option<String>,
    /// Where something stands in the way of some components, plan the rest, and say what waits for them.
    #[arg(long)]
    pub partial: bool,
    /// Plan an abstract fleet from FILE (`-` = standard input).
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Write a runbook for hosts without this program on stdout.
    #[arg(long, value_enum)]
    pub runbook: Option<RunbookKind>,
    /// Write the plan as one page with the fleet's graph and a slider for its phases.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Show what can be chosen between: restarts, phases, how many at once.
    #[arg(long, conflicts_with_all = ["choose", "explain", "runbook"])]
    pub front: bool,
    /// Plan number N of --front.
    #[arg(long, value_name = "N")]
    pub choose: Option<usize>,
}

/// Two plans beside each other.
#[derive(Debug, Subcommand)]
pub enum PlanDiff {
    /// What differs between two plans.
    Diff {
        /// A digest or a file.
        a: String,
        /// A digest or a file.
        b: String,
    },
}

/// `check`.
#[derive(Debug, ClapArgs)]
pub struct Check {
    /// A digest (any unambiguous start) or a file.
    pub plan: String,
}

/// `apply`.
#[derive(Debug, ClapArgs)]
pub struct Apply {
    /// The plan's digest (any unambiguous start).
    #[arg(required_unless_present = "resume")]
    pub digest: Option<String>,
    /// Really do it.
    #[arg(long)]
    pub approve: bool,
    /// Stop after this wave.
    #[arg(long, value_name = "WAVE")]
    pub to: Option<u32>,
    /// Go on with what was approved.
    #[arg(long)]
    pub resume: bool,
}

/// `status`, `verify`.
#[derive(Debug, ClapArgs)]
pub struct State {
    /// Compare each component with this state.
    #[arg(long, value_name = "S0|S1|S2")]
    pub state: Option<String>,
}

/// `undo`.
#[derive(Debug, ClapArgs)]
pub struct Undo {
    /// The run (any unambiguous start); absent: the last.
    pub run: Option<String>,
    /// Undo only what came after this wave.
    #[arg(long, value_name = "WAVE")]
    pub to: Option<u32>,
    /// Really do it.
    #[arg(long)]
    pub approve: bool,
}

/// `prune`.
#[derive(Debug, ClapArgs)]
pub struct Prune {
    /// Keep what is younger than this.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    pub older_than: String,
    /// Really do it.
    #[arg(long)]
    pub approve: bool,
}

/// `report`.
#[derive(Debug, ClapArgs)]
pub struct Report {
    /// The run (any unambiguous start); absent: the last.
    pub run: Option<String>,
    /// HTML instead of Markdown.
    #[arg(long)]
    pub html: bool,
    /// What `probe --record` kept, before and after: a file or a directory.
    #[arg(long, value_name = "FILE|DIR")]
    pub probes: Vec<PathBuf>,
}

/// `probe`.
#[derive(Debug, ClapArgs)]
pub struct Probe {
    /// `HOST:PORT`, `[ADDRESS]:PORT`, or `SCHEME://HOST:PORT`: https, ldaps, tls; smtp, imap, pop3, ftp, ldap, postgres and
    /// mysql begin with their own words, as their usual ports do without a scheme. A scheme needs no port.
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// More targets, one on each line; `-` is standard input, `#` begins a comment.
    #[arg(long = "targets", value_name = "FILE")]
    pub targets_file: Option<PathBuf>,
    /// Runtimes that judge the chain, separated by commas; default: all, where --trust is given.
    #[arg(long = "as", value_name = "RUNTIME,…", value_delimiter = ',')]
    pub runtimes: Vec<String>,
    /// Their trust stores, of any format.
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
    /// The name to ask for (SNI) and to compare; default: the host.
    #[arg(long)]
    pub name: Option<String>,
    /// What is said before TLS begins, whatever the port: smtp, imap, pop3, ftp, ldap, postgres, mysql, none.
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<String>,
    /// Show the private key and chain of FILE to a server that asks.
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// The entry of --identity.
    #[arg(long, value_name = "NAME", requires = "identity")]
    pub alias: Option<String>,
    /// Handshakes only: no list of suites and groups.
    #[arg(long)]
    pub quick: bool,
    /// Keep what was seen: in DIR/, one file for each target, or in FILE; `doctor` and `report` read it.
    #[arg(long, value_name = "DIR|FILE")]
    pub record: Option<PathBuf>,
    /// Seconds to wait for a connection and for each answer.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<f64>,
    /// Seconds for one target at most.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub whole: Option<f64>,
    /// Connections to one target at most.
    #[arg(long, value_name = "N")]
    pub connections: Option<usize>,
    /// Connections to one target in a second at most.
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Targets at a time.
    #[arg(long, value_name = "N")]
    pub parallel: Option<usize>,
    #[command(flatten)]
    pub passwords: Passwords,
}

/// A number of seconds above zero, with or without a fraction, up to a day.
fn seconds(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("not a number of seconds above 0 and up to 86400"),
    }
}

/// `verdict`.
#[derive(Debug, ClapArgs)]
pub struct Verdict {
    /// The chain as sent, leaf first.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["vectors", "negotiate", "presents"])]
    pub chain: Option<PathBuf>,
    /// The verifier's stores.
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
    /// Runtimes, separated by commas; default: all.
    #[arg(long = "as", value_name = "RUNTIME,…", value_delimiter = ',')]
    pub runtimes: Vec<String>,
    /// The name that is dialled.
    #[arg(long)]
    pub name: Option<String>,
    /// Which end is judged.
    #[arg(long, default_value = "server", value_parser = ["server", "client"])]
    pub purpose: String,
    /// The moment, such as 2026-11-21T12:00:00Z; default: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Revocation lists (PEM or DER), for the runtimes that look at any; nothing is fetched.
    #[arg(long, value_name = "FILE", requires = "chain")]
    pub crl: Vec<PathBuf>,
    /// One JSON line per vector of FILE.
    #[arg(long, value_name = "FILE")]
    pub vectors: Option<PathBuf>,
    /// Which identity of STORE a client sends to a server whose list of authorities is what --trust holds.
    #[arg(long, value_name = "STORE", conflicts_with_all = ["chain", "vectors", "negotiate"])]
    pub presents: Option<PathBuf>,
    /// The alias or label that the client has configured.
    #[arg(long, requires = "presents")]
    pub alias: Option<String>,
    /// Kinds of keys that the server takes, in its order.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_parser = ["rsa", "ec", "dsa"], requires = "presents")]
    pub takes: Vec<String>,
    /// What a client and a server agree on, or what each prints. An end is RUNTIME[,SETTING=VALUE…], values joined by +:
    /// `java17`, `openssl3,level=1,key=rsa1024` (settings: protocols, suites, groups, key, level), or an MQ channel:
    /// `mq,spec=ANY_TLS12_OR_HIGHER,key=p256` (spec, key, tls13, allowed, weak, version).
    #[arg(long, num_args = 2, value_names = ["CLIENT", "SERVER"], conflicts_with_all = ["chain", "vectors", "trust"])]
    pub negotiate: Vec<String>,
    #[command(flatten)]
    pub passwords: Passwords,
}
