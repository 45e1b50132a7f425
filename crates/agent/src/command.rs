//! Commands of hosts: no shell, a clean environment, a deadline, bounded output.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use product::AskError;
use product::Command;
use rustix::process::Pid;
use rustix::process::Signal;

/// More output than this is cut.
const MAX_OUTPUT_BYTES: u64 = 4 << 20;

/// The only variables that a command gets from this program's own environment. Source: fleet-file contract, rules.
const KEPT: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"];

/// A command that ended.
#[derive(Debug, Clone)]
pub struct Done {
    /// Exit code; `None` = ended by a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it said beside.
    pub stderr: Vec<u8>,
}

impl Done {
    /// The last line it said, wherever.
    pub fn last_line(&self) -> String {
        let last = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .map(str::to_owned)
        };
        last(&self.stderr)
            .or_else(|| last(&self.stdout))
            .unwrap_or_default()
    }
}

/// Why a command could not be run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// It has no program.
    #[error("the command is empty")]
    Empty,
    /// It could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It took too long and was ended.
    #[error("{program} did not end within {} s and was stopped", limit.as_secs())]
    TooLong {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
}

/// Runs a command of a host. With a root, its absolute first word is taken below the root when it exists there, its
/// arguments stay, and it gets `CAPGROW_ROOT`. It runs in `dir` (else `/`), below the root too.
///
/// # Errors
/// [`CommandError`]; a code other than 0 is no error here.
pub fn run(
    root: Option<&Path>,
    dir: Option<&str>,
    command: &Command,
    limit: Duration,
) -> Result<Done, CommandError> {
    let (program, rest) = command.argv.split_first().ok_or(CommandError::Empty)?;
    let below = |path: &str| root.map(|root| root.join(path.trim_start_matches('/')));
    let found = below(program).filter(|path| program.starts_with('/') && path.exists());
    let mut process = match &found {
        Some(path) => std::process::Command::new(path),
        None => std::process::Command::new(program),
    };
    let dir = dir.unwrap_or("/");
    let dir = below(dir)
        .filter(|path| path.is_dir())
        .unwrap_or_else(|| dir.into());
    process.args(rest).current_dir(dir).env_clear().process_group(0);
    process
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            process.env(name, value);
        }
    }
    process.envs(&command.env);
    if let Some(root) = root {
        process.env("CAPGROW_ROOT", root);
    }
    let child = process.spawn().map_err(|source| CommandError::Start {
        program: program.clone(),
        source,
    })?;
    wait(child, program, limit)
}

fn wait(mut child: Child, program: &str, limit: Duration) -> Result<Done, CommandError> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let out = std::thread::spawn(move || gathered(stdout));
    let err = std::thread::spawn(move || gathered(stderr));
    let deadline = Instant::now() + limit;
    let code = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                if let Some(pid) = pid {
                    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
                }
                let _ = child.kill();
                let _ = child.wait();
                return Err(CommandError::TooLong {
                    program: program.to_owned(),
                    limit,
                });
            }
        }
    };
    // A daemon that inherited the pipes keeps them open: what was said so far is enough then.
    let settle = Instant::now() + Duration::from_millis(300);
    while !(out.is_finished() && err.is_finished()) && Instant::now() < settle {
        std::thread::sleep(Duration::from_millis(2));
    }
    let take = |thread: std::thread::JoinHandle<Vec<u8>>| {
        if thread.is_finished() {
            thread.join().unwrap_or_default()
        } else {
            Vec::new()
        }
    };
    Ok(Done {
        code,
        stdout: take(out),
        stderr: take(err),
    })
}

fn gathered(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes);
    }
    bytes
}

/// The standard output of a read-only command of a product.
///
/// # Errors
/// As `product::HostFiles::ask`.
pub(crate) fn answer(
    root: Option<&Path>,
    dir: Option<&str>,
    command: &Command,
    limit: Duration,
) -> Result<String, AskError> {
    let program = command.argv.first().cloned().unwrap_or_default();
    let path = root.map_or_else(
        || Path::new(&program).to_owned(),
        |root| root.join(program.trim_start_matches('/')),
    );
    if program.starts_with('/') && !path.exists() {
        return Err(AskError::Absent { command: program });
    }
    match run(root, dir, command, limit) {
        Ok(done) if done.code == Some(0) => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        Ok(done) => {
            let status = done
                .code
                .map_or("a signal".to_owned(), |code| format!("code {code}"));
            Err(AskError::Failed {
                command: program,
                status,
                said: done.last_line(),
            })
        }
        Err(CommandError::Start { .. }) => Err(AskError::Absent { command: program }),
        Err(error) => Err(AskError::Failed {
            command: program,
            status: "no end".to_owned(),
            said: error.to_string(),
        }),
    }
}
