//! The main job on real processes: the fleet moves, is killed half-way, goes on, and comes back byte for byte.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::Value;

const CAPGROW: &str = env!("CARGO_BIN_EXE_capgrow");

/// One fleet at a time: a machine of two cores carries one without losing beats.
static ALONE: Mutex<()> = Mutex::new(());

pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A kept fleet that ends with the test.
pub struct Kept {
    pub dir: PathBuf,
    _alone: MutexGuard<'static, ()>,
    _place: tempfile::TempDir,
}

impl Kept {
    /// Starts a fleet of that kind and waits until every link works.
    pub fn start(fleet: &str) -> Kept {
        let alone = alone();
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("fleet");
        let kept = Kept {
            dir: dir.clone(),
            _alone: alone,
            _place: place,
        };
        let output = Command::new(CAPGROW)
            .args(["demo", "--fleet", fleet, "--keep"])
            .arg(&dir)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        kept
    }

    /// Runs a command in its directory.
    pub fn run(&self, words: &[&str]) -> Output {
        Command::new(CAPGROW)
            .arg("-C")
            .arg(&self.dir)
            .args(words)
            .output()
            .unwrap()
    }

    /// Runs a command that must end so, and gives its JSON.
    pub fn json(&self, words: &[&str], code: i32) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", said(&output)))
    }

    /// Plans, and gives the digest.
    pub fn digest(&self, words: &[&str]) -> String {
        self.json(&[&["plan"], words].concat(), 0)["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// What the lab itself counted.
    pub fn count(&self) -> Value {
        let output = Command::new(CAPGROW)
            .args(["demo", "--json", "--count"])
            .arg(&self.dir)
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Gives two stores what an administrator may have given them: an attribute, another mode.
    fn mark(&self) {
        let ssl = self.dir.join("hosts/fta3/opt/IBM/TWA/TWSDATA/ssl/OpenSSL");
        let marked = ssl.join("TWSTrustCertificates.cer");
        let set = rustix::fs::setxattr(&marked, "user.ticket", b"CHG-7", rustix::fs::XattrFlags::empty());
        if set.is_err() {
            println!("SKIPPED: extended attributes: this filesystem keeps none");
        }
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&marked, std::fs::Permissions::from_mode(0o640)).unwrap();
    }

    /// Path, bytes, mode, owner, time and extended attributes of everything below `hosts/`; of directories not the time.
    pub fn manifest(&self) -> Vec<String> {
        let mut lines = Vec::new();
        walk(&self.dir.join("hosts"), &mut lines);
        lines.sort();
        lines
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = Command::new(CAPGROW)
            .args(["demo", "--stop"])
            .arg(&self.dir)
            .output();
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn walk(dir: &Path, lines: &mut Vec<String>) {
    use std::os::unix::fs::MetadataExt;
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let who = format!(
            "{:o} {}:{} {:?}",
            metadata.mode(),
            metadata.uid(),
            metadata.gid(),
            extended(&path)
        );
        if metadata.is_dir() {
            lines.push(format!("{} {who}", path.display()));
            walk(&path, lines);
        } else {
            let time = format!("{}.{}", metadata.mtime(), metadata.mtime_nsec());
            let bytes = if metadata.is_file() {
                std::fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            lines.push(format!("{} {who} {time} {bytes:?}", path.display()));
        }
    }
}

/// Extended attributes with their values; none where the filesystem keeps none.
fn extended(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap_or(0);
    names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let name = String::from_utf8_lossy(name).into_owned();
            let mut value = vec![0; 4096];
            let length = rustix::fs::lgetxattr(path, name.as_str(), &mut value).unwrap();
            value.truncate(length);
            (name, value)
        })
        .collect()
}

#[test]
fn the_domain_moves_with_the_fewest_restarts_and_no_failed_handshake() {
    let _alone = alone();
    let output = Command::new(CAPGROW).args(["demo", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["failed"], 0, "{seen}");
    assert_eq!(seen["state"], "S2", "{seen}");
    assert_eq!(seen["restarts"], seen["plan"]["lower_bound"], "{seen}");
    assert!(seen["handshakes"].as_u64().unwrap() > 500, "{seen}");
}

#[test]
fn replacing_everything_at_once_breaks_links_by_certificate() {
    let _alone = alone();
    let output = Command::new(CAPGROW)
        .args(["demo", "--naive", "--json"])
        .output()
        .unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(seen["failed_by"]["certificate"].as_u64().unwrap() > 0, "{seen}");
    assert!(seen.get("plan").is_none(), "{seen}");
}

#[test]
fn coexistence_is_the_table_s_s1_and_undo_gives_every_byte_back() {
    let kept = Kept::start("workload-automation");
    let before = kept.manifest();
    kept.json(&["scan"], 0);
    let digest = kept.digest(&["--until", "coexistence"]);
    kept.json(&["apply", &digest], 0);
    assert_eq!(kept.manifest(), before, "a dry run changes nothing");
    let done = kept.json(&["apply", &digest, "--approve"], 0);
    assert_eq!(done["outcome"], "done");
    kept.json(&["verify", "--state", "S1"], 0);
    kept.json(&["verify", "--state", "S2"], 1);
    let rest = kept.digest(&[]);
    kept.json(&["apply", &rest, "--approve"], 0);
    kept.json(&["verify", "--state", "S2"], 0);
    assert_eq!(
        kept.json(&["plan"], 0)["steps"].as_array().unwrap().len(),
        0,
        "at the goal the plan is empty"
    );
    kept.json(&["undo", "--approve"], 0);
    kept.json(&["verify", "--state", "S1"], 0);
    kept.json(&["undo", "--approve"], 0);
    assert_eq!(kept.manifest(), before);
    let count = kept.count();
    assert_eq!(count["failed"], 0, "{count}");
}

#[test]
fn a_run_killed_at_any_moment_goes_on_and_comes_back() {
    let kept = Kept::start("workload-automation");
    kept.mark();
    let before = kept.manifest();
    kept.json(&["scan"], 0);
    let digest = kept.digest(&[]);
    let mut seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut words = vec!["apply", digest.as_str(), "--approve", "-q"];
    let mut killed = 0;
    while killed < 20 {
        let mut child = Command::new(CAPGROW)
            .arg("-C")
            .arg(&kept.dir)
            .args(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(100 + (seed >> 33) % 1_900));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{words:?} ended with {status}");
            println!("finished after {killed} kills");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed += 1;
        let approved = std::fs::read_dir(kept.dir.join(".capgrow/runs")).unwrap().count() > 1;
        words = if approved {
            vec!["apply", "--resume", "-q"]
        } else {
            words
        };
    }
    let output = kept.run(&["apply", "--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    kept.json(&["verify", "--state", "S2"], 0);
    kept.json(&["undo", "--approve"], 0);
    assert_eq!(kept.manifest(), before);
    let count = kept.count();
    assert_eq!(count["failed"], 0, "{count}");
}

/// What one of the master's own commands says.
fn master(kept: &Kept, words: &[&str]) -> String {
    let program = kept.dir.join("hosts/mdm1/opt/IBM/TWA/TWS/bin").join(words[0]);
    let done = Command::new(program).args(&words[1..]).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", said(&done));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn definitions_without_tls_are_changed_once_before_every_step_and_come_back() {
    let kept = Kept::start("workload-automation");
    let before = kept.manifest();
    let right = master(&kept, &["composer", "display", "cpu=FTA3"]);
    let wrong = right
        .replace("    SECURITYLEVEL FORCE_ENABLED\n", "")
        .replace("SECUREADDR 31113", "SECUREADDR 31999");
    assert_ne!(right, wrong);
    let file = kept.dir.join("wrong.txt");
    std::fs::write(&file, &wrong).unwrap();
    master(&kept, &["composer", "replace", file.to_str().unwrap()]);
    master(&kept, &["optman", "chg", "cf", "=", "yes"]);

    kept.json(&["scan"], 0);
    let plan = kept.json(&["plan"], 0);
    let digest = plan["digest"].as_str().unwrap();
    assert_eq!(plan["restarts"], plan["lower_bound"]);
    let steps = plan["steps"].as_array().unwrap();
    let runs = |step: &&Value| {
        step["writes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|w| w["edit"]["kind"] == "run")
    };
    let bearing: Vec<&Value> = steps.iter().filter(runs).collect();
    assert_eq!(bearing.len(), 1, "one JnextPlan for all");
    assert_eq!(bearing[0]["wave"], 1);
    let dry = String::from_utf8(kept.run(&["apply", digest]).stdout).unwrap();
    for words in [
        "composer replace {file}",
        "+     SECURITYLEVEL FORCE_ENABLED",
        "optman chg cf = all",
        "JnextPlan -for 0000",
        "optman chg cf = yes",
    ] {
        assert!(dry.contains(words), "{words}: {dry}");
    }

    kept.json(&["apply", digest, "--approve", "--to", "1"], 1);
    assert_eq!(master(&kept, &["composer", "display", "cpu=FTA3"]), right);
    assert!(master(&kept, &["optman", "show", "cf"]).contains("YES"));
    let report = String::from_utf8(kept.run(&["report"]).stdout).unwrap();
    assert!(report.contains("seen: \"FTA3 linked\""), "{report}");
    kept.json(&["undo", "--approve"], 0);
    assert_eq!(master(&kept, &["composer", "display", "cpu=FTA3"]), wrong);
    assert!(master(&kept, &["optman", "show", "cf"]).contains("YES"));
    assert_eq!(kept.manifest(), before);
    let count = kept.count();
    // Its port is wrong again, as it was: only its links are concerned, and none by a certificate.
    assert_eq!(count["failed_by"]["certificate"], 0, "{count}");
}

#[test]
fn a_strangers_anchor_shows_in_the_counter_and_in_verify() {
    let kept = Kept::start("workload-automation");
    kept.json(&["scan"], 0);
    kept.json(&["verify"], 0);
    // The netman's CA file, followed by that component's restart.
    let path = kept
        .dir
        .join("hosts/fta3/opt/IBM/TWA/TWSDATA/ssl/OpenSSL/TWSTrustCertificates.cer");
    std::fs::copy(kept.dir.join("new/chain.pem"), &path).unwrap();
    let host = kept.dir.join("hosts/fta3/opt/IBM/TWA/TWS");
    for words in [
        &["bin/conman", "stop;wait"][..],
        &["bin/conman", "shut;wait"],
        &["StartUp"],
        &["bin/conman", "start"],
    ] {
        let done = Command::new(host.join(words[0]))
            .args(&words[1..])
            .output()
            .unwrap();
        assert!(done.status.success(), "{words:?}: {}", said(&done));
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while kept.count()["failed_by"]["certificate"].as_u64().unwrap() == 0 {
        assert!(std::time::Instant::now() < deadline, "{}", kept.count());
        std::thread::sleep(Duration::from_millis(200));
    }
    kept.json(&["verify"], 1);
}
