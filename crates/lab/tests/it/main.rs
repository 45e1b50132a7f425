//! The lab from outside: fleets of real processes, started, counted, restarted and ended.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod generic;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab::{Count, Kind, LabSpec, Lifetime, Running};

/// A fleet that runs in a directory of its own, and ends with the test.
///
/// One at a time: two cores carry one domain without losing beats.
pub(crate) struct Fleet {
    pub(crate) dir: tempfile::TempDir,
    _running: Running,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Fleet {
    #[track_caller]
    pub(crate) fn start(kind: Kind) -> Fleet {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = tempfile::tempdir().unwrap();
        lab::create(&LabSpec {
            dir: dir.path().to_owned(),
            kind,
            exe: exe(),
        })
        .unwrap();
        let running = lab::start(dir.path(), Lifetime::WithCaller).unwrap();
        lab::wait_ready(dir.path(), PATIENCE).unwrap();
        Fleet {
            dir,
            _running: running,
            _alone: alone,
        }
    }

    pub(crate) fn host(&self, host: &str) -> PathBuf {
        self.dir.path().join("hosts").join(host)
    }

    pub(crate) fn count(&self) -> Count {
        lab::count(self.dir.path()).unwrap()
    }

    /// Runs a command of the product in an empty environment.
    #[track_caller]
    pub(crate) fn run(&self, host: &str, command: &str, args: &[&str]) -> String {
        let path = self.host(host).join(command.trim_start_matches('/'));
        let done = Command::new(&path)
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/")
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "{command} {args:?}: {}: {err}",
            done.status
        );
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// Polls until the counter is as wanted.
    #[track_caller]
    pub(crate) fn wait_until(&self, wanted: impl Fn(&Count) -> bool) -> Count {
        let end = Instant::now() + PATIENCE;
        loop {
            let count = self.count();
            if wanted(&count) {
                return count;
            }
            assert!(Instant::now() < end, "not within {PATIENCE:?}: {count:#?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The same, and that it comes within so many seconds of the fleet's own time: a busy machine dials less often, so
    /// what counts is how many handshakes were made meanwhile.
    #[track_caller]
    pub(crate) fn wait_beats(&self, seconds: u64, wanted: impl Fn(&Count) -> bool) -> Count {
        let before = self.count().handshakes;
        let count = self.wait_until(wanted);
        let every_ms = lab::topology(self.dir.path()).unwrap().every_ms;
        // What is made while a test looks is not the fleet's delay.
        let most = count.links.len() as u64 * (seconds * 1000 / every_ms + 4);
        let made = count.handshakes - before;
        assert!(
            made <= most,
            "{made} handshakes, {seconds} s have {most}: {count:#?}"
        );
        count
    }
}

/// Only a fleet that hangs comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with the hidden subcommand.
pub(crate) fn exe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_capgrow-lab"))
}

/// A self-signed certificate that nobody presents.
pub(crate) fn stranger() -> Vec<u8> {
    let key = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    let mut name = openssl::x509::X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "Stranger").unwrap();
    let name = name.build();
    let mut made = openssl::x509::X509::builder().unwrap();
    made.set_version(2).unwrap();
    made.set_subject_name(&name).unwrap();
    made.set_issuer_name(&name).unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&openssl::asn1::Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    made.set_not_after(&openssl::asn1::Asn1Time::days_from_now(9).unwrap())
        .unwrap();
    made.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
    made.build().to_pem().unwrap()
}

/// Replaces a file as careful programs do.
pub(crate) fn replace(path: &Path, bytes: &[u8]) {
    let beside = path.with_extension("beside");
    fs::write(&beside, bytes).unwrap();
    fs::rename(&beside, path).unwrap();
}
