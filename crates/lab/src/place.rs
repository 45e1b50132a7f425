//! Where a lab's own things lie, and its truth file.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::LabError;

/// What the lab knows about the fleet it made: for summaries and for the lab's own processes, never for `scan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// The binary that the processes and the product's commands are.
    pub exe: PathBuf,
    /// The components, in the order in which they start.
    pub components: Vec<ComponentTruth>,
    /// Milliseconds between two handshakes of a link.
    pub every_ms: u64,
}

/// One component of the fleet, as the lab made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentTruth {
    /// Such as `fta1-netman`.
    pub id: String,
    /// The host, whose tree is `hosts/<host>`.
    pub host: String,
    /// `hub`, `agent` of a generic fleet; `MDM`, `BKM`, `DM`, `FTA`, `DA`, `DWC` and so on.
    pub role: String,
    /// Which settings the process reads.
    pub part: Part,
    /// The host's own address.
    pub address: Ipv4Addr,
}

/// What kind of process a component is, hence which settings it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The dynamic agent: `ita.ini` and `JobManager.ini`.
    Agent,
    /// The console's Liberty.
    Console,
    /// The master's Liberty with its broker.
    Engine,
    /// A program with a properties file of its own.
    Generic,
    /// `localopts`.
    Netman,
}

/// The truth file of the lab in `dir`.
///
/// # Errors
/// `NoLab` when there is none.
pub fn topology(dir: &Path) -> Result<Topology, LabError> {
    let path = Place::of(dir).truth();
    let bytes = fs::read(&path).map_err(|source| LabError::NoLab {
        dir: dir.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|e| LabError::Content {
        path,
        what: e.to_string(),
    })
}

/// Whether `dir` holds a lab.
#[must_use]
pub fn is_lab(dir: &Path) -> bool {
    Place::of(dir).truth().is_file()
}

/// The paths of one lab.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    dir: PathBuf,
}

impl Place {
    /// The directory is taken by its real name where it has one, as the processes run elsewhere.
    pub(crate) fn of(dir: &Path) -> Place {
        Place {
            dir: fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn host(&self, host: &str) -> PathBuf {
        self.dir.join("hosts").join(host)
    }

    /// Everything of the lab itself; only its owner can look in.
    pub(crate) fn own(&self) -> PathBuf {
        self.dir.join("lab")
    }

    pub(crate) fn truth(&self) -> PathBuf {
        self.own().join("truth.json")
    }

    /// What the product would keep in its database: definitions, options, the console's connection.
    pub(crate) fn database(&self) -> PathBuf {
        self.own().join("database")
    }

    /// The definitions that are in force, as in the product's Symphony file.
    pub(crate) fn plan(&self) -> PathBuf {
        self.own().join("plan")
    }

    /// With which the console's passwords are encrypted.
    pub(crate) fn aes_key(&self) -> PathBuf {
        self.own().join("aes.key")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.own().join("log")
    }

    pub(crate) fn events(&self) -> PathBuf {
        self.logs().join("events")
    }

    pub(crate) fn handshakes(&self, component: &str) -> PathBuf {
        self.logs().join(format!("{component}.handshakes"))
    }

    /// What a process says on its error stream.
    pub(crate) fn says(&self, component: &str) -> PathBuf {
        self.logs().join(format!("{component}.says"))
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.own().join("run")
    }

    pub(crate) fn pid(&self, component: &str) -> PathBuf {
        self.run().join(format!("{component}.pid"))
    }

    /// Locked by the process with which the fleet must end; absent when it is to outlive everybody.
    pub(crate) fn owner(&self) -> PathBuf {
        self.run().join("owner")
    }
}

/// Writes a file and the directories above it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(|source| LabError::File {
            verb: "create",
            path: above.to_owned(),
            source,
        })?;
    }
    fs::write(path, bytes).map_err(|source| LabError::File {
        verb: "write",
        path: path.to_owned(),
        source,
    })
}

/// Writes a file and sets its mode.
pub(crate) fn write_mode(path: &Path, bytes: &[u8], mode: u32) -> Result<(), LabError> {
    use std::os::unix::fs::PermissionsExt;
    write(path, bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|source| LabError::File {
        verb: "set the mode of",
        path: path.to_owned(),
        source,
    })
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LabError> {
    fs::read(path).map_err(|source| LabError::File {
        verb: "read",
        path: path.to_owned(),
        source,
    })
}

/// Reads a whole file as text; bytes that are not UTF-8 are replaced.
pub(crate) fn read_text(path: &Path) -> Result<String, LabError> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// Microseconds since 1970.
pub(crate) fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
