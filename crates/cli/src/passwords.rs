//! Passwords that the command line names: from a file, a variable or a descriptor; never in an argument.

use std::io::IsTerminal;
use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use anyhow::Context;
use keystore::Password;

use crate::args;
use crate::print;
use crate::print::failure;

/// The passwords given. `None` is no password; an empty one is a password.
#[derive(Default)]
pub struct Given {
    /// The store's.
    pub store: Option<Password>,
    /// The private key's own.
    pub key: Option<Password>,
}

/// Takes the passwords from where the options say.
///
/// Fails on a file that cannot be read or is longer than 64 KiB, an unset variable, a descriptor that is not open, and
/// on two options for one password. No error holds anything of a password.
pub fn given(these: &args::Passwords) -> anyhow::Result<Given> {
    let store = Sources {
        name: "password",
        file: these.password_file.as_deref(),
        env: these.password_env.as_deref(),
        fd: these.password_fd,
    };
    let key = Sources {
        name: "key-password",
        file: these.key_password_file.as_deref(),
        env: these.key_password_env.as_deref(),
        fd: these.key_password_fd,
    };
    Ok(Given {
        store: store.take()?,
        key: key.take()?,
    })
}

/// Asks a person at the terminal; `None` where there is none or nothing was typed.
pub fn ask(what: &str) -> Option<Password> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let typed = rpassword::prompt_password(format!("password for {}: ", print::safe(what))).ok()?;
    (!typed.is_empty()).then(|| Password::new(typed))
}

/// The options that can name one password.
pub struct Sources<'a> {
    /// What stands before `-file`, `-env` and `-fd`.
    pub name: &'static str,
    /// A file.
    pub file: Option<&'a Path>,
    /// A variable.
    pub env: Option<&'a str>,
    /// A descriptor.
    pub fd: Option<u32>,
}

impl Sources<'_> {
    /// The password; `None` where no option names one. Fails as [`given`] does.
    pub fn take(&self) -> anyhow::Result<Option<Password>> {
        let given = usize::from(self.file.is_some())
            + usize::from(self.env.is_some())
            + usize::from(self.fd.is_some());
        if given > 1 {
            return Err(failure(
                format!("{given} options name the {}", self.name.replace('-', " ")),
                format!("keep one of --{0}-file, --{0}-env and --{0}-fd", self.name),
            ));
        }
        if let Some(path) = self.file {
            let text = std::fs::File::open(path)
                .map_err(anyhow::Error::from)
                .and_then(content)
                .with_context(|| format!("cannot read password file {}", path.display()))?;
            return Ok(Some(text));
        }
        if let Some(variable) = self.env {
            let value = std::env::var_os(variable).ok_or_else(|| {
                failure(
                    format!("--{}-env: the variable {variable} is not set", self.name),
                    "export it, or leave the option out where there is no password",
                )
            })?;
            return Ok(Some(Password::new(value.into_vec())));
        }
        if let Some(fd) = self.fd {
            let text = std::fs::File::open(format!("/dev/fd/{fd}"))
                .map_err(anyhow::Error::from)
                .and_then(content)
                .with_context(|| format!("--{}-fd: cannot read descriptor {fd}", self.name))?;
            return Ok(Some(text));
        }
        Ok(None)
    }
}

/// The content without one final LF or CRLF. The buffer never moves, so that no copy stays behind.
fn content(from: std::fs::File) -> anyhow::Result<Password> {
    let mut bytes = Vec::with_capacity(MAX_BYTES + 1);
    from.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let (read, kept) = (bytes.len(), without_line_end(&bytes).len());
    bytes.truncate(kept);
    let password = Password::new(bytes);
    if read > MAX_BYTES {
        anyhow::bail!("it is longer than {MAX_BYTES} bytes: not a password");
    }
    Ok(password)
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    match bytes {
        [text @ .., b'\r', b'\n'] | [text @ .., b'\n'] => text,
        all => all,
    }
}

/// No format takes more.
const MAX_BYTES: usize = 64 << 10;
