//! Plans and runs that must not be carried out.

use super::Fleet;
use super::certificates::Wanted;
use super::certificates::make;
use super::certificates::root;

fn planned() -> Fleet {
    let fleet = Fleet::new();
    fleet.check("scan", 0, &[]).check("plan", 0, &["proof: "]);
    fleet
}

#[test]
fn a_plan_altered_by_hand_is_refused_and_check_names_the_link() {
    let fleet = planned();
    let plan = fleet.plan();
    let text = std::fs::read_to_string(&plan).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let steps = value["steps"].as_array_mut().unwrap();
    steps.remove(0);
    std::fs::write(&plan, value.to_string()).unwrap();
    for words in ["apply DIGEST", "apply DIGEST --approve"] {
        fleet.check(words, 2, &["! was altered", "! hint: plan again"]);
    }
    for words in ["check DIGEST", "check PLAN"] {
        fleet.check(words, 1, &["not safe: ", "hub -> agent", "grow"]);
    }
}

#[test]
fn steps_exchanged_or_waves_merged_are_found() {
    for change in [exchange as fn(&mut serde_json::Value), merge] {
        let fleet = planned();
        let text = std::fs::read_to_string(fleet.plan()).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut value);
        fleet.write("altered.json", value.to_string());
        fleet.check("check altered.json", 1, &["not safe: ", " -> "]);
    }
}

/// The first and the last step change places.
fn exchange(plan: &mut serde_json::Value) {
    let steps = plan["steps"].as_array_mut().unwrap();
    let last = steps.len() - 1;
    for word in ["component", "events", "writes"] {
        let first = steps[0][word].take();
        steps[0][word] = steps[last][word].take();
        steps[last][word] = first;
    }
}

/// Everything at once.
fn merge(plan: &mut serde_json::Value) {
    for step in plan["steps"].as_array_mut().unwrap() {
        step["wave"] = 1.into();
    }
}

/// The one document of `.capgrow/WHERE` that was not there before, with its name.
fn newcomer(fleet: &Fleet, place: &str, known: &mut Vec<(String, Vec<u8>)>) -> (String, serde_json::Value) {
    let mut new = None;
    for entry in std::fs::read_dir(fleet.path(".capgrow").join(place)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        match known.iter().find(|(before, _)| *before == name) {
            Some((_, before)) => assert!(*before == bytes, "{name} was changed"),
            None if name == "latest" => {}
            None => {
                new = Some((
                    name.trim_end_matches(".json").to_owned(),
                    serde_json::from_slice(&bytes).unwrap(),
                ));
                known.push((name, bytes));
            }
        }
    }
    new.unwrap()
}

#[test]
fn snapshots_and_plans_never_change_and_each_new_one_names_its_parent() {
    let fleet = Fleet::new();
    let (mut snapshots, mut plans) = (Vec::new(), Vec::new());
    let mut latest = None;
    for turn in 0..3 {
        if turn == 2 {
            fleet.toml("leave-the-old-ca", "another-name");
        }
        // Snapshots are dated to the second.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        fleet.run("scan");
        let (scanned, snapshot) = newcomer(&fleet, "snapshots", &mut snapshots);
        assert_eq!(snapshot["parent"].as_str(), latest.as_deref(), "turn {turn}");
        latest = Some(scanned.clone());
        fleet.run("plan");
        let (resolved, snapshot) = newcomer(&fleet, "snapshots", &mut snapshots);
        assert_eq!(snapshot["parent"], *scanned, "turn {turn}");
        let (_, plan) = newcomer(&fleet, "plans", &mut plans);
        assert_eq!(plan["snapshot"], *resolved, "turn {turn}");
    }
    for (name, bytes) in &snapshots {
        let digest = fleet::snapshot::sha256_hex(bytes);
        assert_eq!(
            *name,
            format!("{digest}.json"),
            "a name is the digest of the content"
        );
    }
}

#[test]
fn a_plan_that_is_no_plan_is_named() {
    let fleet = planned();
    for text in ["", "{", "{}", "[]", "{\"version\": 99}", "hello"] {
        fleet.write("x.json", text);
        fleet.check("check x.json", 2, &["! x.json: ", "! hint: "]);
        std::fs::write(fleet.plan(), text).unwrap();
        fleet.check("apply DIGEST --approve", 2, &["! hint: plan again"]);
    }
}

#[test]
fn a_snapshot_altered_or_gone_is_said() {
    let fleet = planned();
    let text = std::fs::read_to_string(fleet.plan()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let name = format!(".capgrow/snapshots/{}.json", value["snapshot"].as_str().unwrap());
    let snapshot = fleet.read(&name);
    fleet.write(&name, format!("{snapshot} "));
    fleet.check(
        "apply DIGEST --approve",
        2,
        &["! was altered", "! hint: capgrow scan"],
    );
    std::fs::remove_file(fleet.path(&name)).unwrap();
    fleet.check("apply DIGEST --approve", 2, &["! snapshot", "! hint: "]);
    fleet.check("check DIGEST", 2, &["! snapshot", "! hint: "]);
}

#[test]
fn what_is_not_there_cannot_be_applied_checked_resumed_or_undone() {
    let fleet = planned();
    for words in ["apply ffff0000", "check ffff0000", "apply ffff0000 --approve"] {
        fleet.check(
            words,
            2,
            &["! there is no plan `ffff0000`", "! hint: capgrow plan"],
        );
    }
    for words in [
        "apply --resume",
        "apply DIGEST --resume",
        "apply --resume --approve",
    ] {
        fleet.check(
            words,
            2,
            &["! on record", "! hint: capgrow apply DIGEST --approve"],
        );
    }
    for words in ["undo", "undo --approve"] {
        fleet.check(words, 2, &["! there is no run yet", "! hint: "]);
    }
    fleet.check(
        "undo 0000 --approve",
        2,
        &["! there is no run `0000`", "! hint: "],
    );
    fleet.check("apply", 2, &["! <DIGEST>"]);
    fleet.check("status --state S7", 2, &["! `S7` is not a state", "! hint: S0"]);
}

#[test]
fn a_plan_before_the_first_scan_says_what_to_type() {
    Fleet::new().check("plan", 2, &["! there is no snapshot yet", "! hint: capgrow scan"]);
}

#[test]
fn a_dry_run_changes_nothing_and_says_so() {
    let fleet = planned();
    let says = [
        "phase 1  ",
        "/srv/hub/bin/restart",
        "dry run: nothing was changed",
        "--approve",
    ];
    fleet.check("apply DIGEST", 0, &says);
    assert!(!fleet.path(".capgrow/runs").exists() || empty(&fleet, ".capgrow/runs"));
}

fn empty(fleet: &Fleet, name: &str) -> bool {
    std::fs::read_dir(fleet.path(name)).unwrap().next().is_none()
}

#[test]
fn a_second_run_at_the_same_time_is_kept_out() {
    let fleet = planned();
    std::fs::create_dir_all(fleet.path(".capgrow/runs")).unwrap();
    let lock = std::fs::File::create(fleet.path(".capgrow/runs/lock")).unwrap();
    lock.try_lock().unwrap();
    for words in [
        "apply DIGEST --approve",
        "apply --resume",
        "undo",
        "undo --approve",
    ] {
        let says = [
            "! another run holds ",
            "! runs/lock",
            "! hint: wait until it has ended",
        ];
        fleet.check(words, 2, &says);
    }
    lock.unlock().unwrap();
    fleet.check("undo", 2, &["! there is no run yet"]);
}

#[test]
fn where_a_component_does_not_run_the_run_stops_and_undo_puts_every_byte_back() {
    let fleet = planned();
    let before = fleet.tree();
    let ran = fleet.run("apply DIGEST --approve");
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("error: step "), "{}", ran.stderr);
    assert!(ran.stderr.contains("capgrow undo"), "{}", ran.stderr);
    let status = fleet.run("status");
    assert!(status.stdout.contains("is not finished"), "{}", status.stdout);
    let again = fleet.run("apply DIGEST --approve");
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("is not finished"), "{}", again.stderr);
    let undone = fleet.run("undo --approve");
    assert!(
        [0, 3].contains(&undone.code),
        "{}{}",
        undone.stdout,
        undone.stderr
    );
    let after: Vec<_> = fleet
        .tree()
        .into_iter()
        .map(|(path, facts)| (path, facts.1))
        .collect();
    let before: Vec<_> = before.into_iter().map(|(path, facts)| (path, facts.1)).collect();
    let kept = |all: Vec<(std::path::PathBuf, Vec<u8>)>| -> Vec<_> {
        all.into_iter()
            .filter(|(path, _)| path.starts_with(fleet.path("hosts")))
            .collect()
    };
    assert!(kept(before) == kept(after), "{}{}", undone.stdout, undone.stderr);
}

#[test]
fn an_undo_to_a_certificate_that_has_expired_is_refused() {
    let fleet = Fleet::new();
    // The hub alone, without a link, so that its first step replaces its identity.
    let text = fleet.read("capgrow.toml");
    let rotate = text.split_once("[[rotate]]").unwrap().1;
    let root = root("Short root");
    let wanted = Wanted {
        common_name: "short",
        valid: (-1, 0),
        seconds: 4,
        ..Wanted::default()
    };
    let short = make(&wanted, Some(&root));
    let identity = [short.key_pem(), short.pem()].concat();
    fleet.write("hosts/hub/srv/hub/id.pem", &identity);
    fleet.write("hosts/hub/srv/hub/trust.pem", root.pem());
    let rotate = rotate.replace("leave = { issuer = \"CN=Old Lab CA\" }", "leave = \"*\"");
    fleet.write(
        "capgrow.toml",
        format!(
            "version = 1\n[hosts.hub]\nroot = \"hosts/hub\"\n[components.hub]\nhost = \"hub\"\n\
             product = \"generic\"\nruntime = \"openssl\"\ndir = \"/srv/hub\"\n\
             [[components.hub.stores]]\nid = \"id\"\nfile = \"/srv/hub/id.pem\"\nholds = [\"identity\"]\n\
             [components.hub.effective]\nrestart = [\"/bin/false\"]\ntakes = \"1s\"\n[[rotate]]{rotate}"
        ),
    );
    fleet.check("scan", 0, &[]).check("plan", 0, &["hub: "]);
    let ran = fleet.run("apply DIGEST --approve");
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_ne!(std::fs::read(fleet.hub("id.pem")).unwrap(), identity);
    std::thread::sleep(std::time::Duration::from_secs(6));
    fleet.check("undo", 2, &["! CN=short", "! expired", "! hint: "]);
    fleet.check("undo --approve", 2, &["! CN=short", "! expired", "! hint: "]);
}

#[test]
fn a_store_rewritten_by_its_product_during_the_run_stops_it_and_is_kept() {
    let fleet = Fleet::new();
    let text = fleet.read("capgrow.toml");
    let mut toml = "version = 1\n".to_owned();
    for name in ["agent", "hub"] {
        toml += &format!(
            "[hosts.{name}]\nroot = \"hosts/{name}\"\n[components.{name}]\nhost = \"{name}\"\n\
             product = \"generic\"\nruntime = \"openssl\"\ndir = \"/srv/{name}\"\n\
             stores = [{{ id = \"id\", file = \"/srv/{name}/id.pem\", holds = [\"identity\"] }}, \
             {{ id = \"ca\", file = \"/srv/{name}/trust.pem\", holds = [\"trust\"] }}]\n\
             effective = {{ restart = [\"/srv/{name}/bin/restart\"], takes = \"1s\" }}\n"
        );
    }
    toml += &format!("[[rotate]]{}", text.split_once("[[rotate]]").unwrap().1);
    fleet.write("capgrow.toml", toml);
    let trust = fleet.hub("trust.pem");
    // The first component's restart rewrites a file that the second step is about to replace.
    let script = format!("#!/bin/sh\necho '# mine' > '{}'\n", trust.display());
    fleet.write("hosts/agent/srv/agent/bin/restart", script);
    fleet.check("scan", 0, &[]).check("plan", 0, &["hub: "]);
    let ran = fleet.run("apply DIGEST --approve");
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    for says in [
        "changed since the plan was checked: hub:/srv/hub/trust.pem (expected ",
        "hint: look at the change",
        "capgrow undo",
    ] {
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    let undone = fleet.run("undo --approve");
    assert_eq!(undone.code, 0, "{}{}", undone.stdout, undone.stderr);
    assert_eq!(
        std::fs::read(&trust).unwrap(),
        b"# mine\n",
        "what the product wrote stays"
    );
    let own = fleet.read("hosts/agent/srv/agent/id.pem");
    assert!(own == Fleet::new().read("hosts/agent/srv/agent/id.pem"));
}
