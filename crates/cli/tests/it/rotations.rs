//! Plans of small fleets whose files are made on the spot; no process runs. A hub and two that dial it, each on a host of
//! its own, with keys, chains and anchors in PEM.

use serde_json::Value;

use crate::corpus::Ran;
use crate::corpus::capgrow;
use crate::corpus::run;
use crate::domain::steps;
use crate::foreign::material::Party;

const NAMES: [&str; 3] = ["hub", "a", "b"];

/// A hub and two that dial it.
pub struct Star {
    /// The fleet directory.
    pub dir: tempfile::TempDir,
}

/// What one component has, and what it gets.
struct Has<'a> {
    identity: &'a Party,
    trusts: Vec<&'a Party>,
    new: Option<&'a Party>,
    /// Lines of its table.
    more: &'a str,
}

impl Star {
    /// `has` in the order of `NAMES`; `tail` is the rest of the fleet file.
    fn new(has: &[Has<'_>], tail: &str) -> Star {
        let star = Star {
            dir: tempfile::tempdir().unwrap(),
        };
        let mut toml = "version = 1\n".to_owned();
        for (name, has) in NAMES.iter().zip(has) {
            star.put(&format!("hosts/{name}/id.key"), &has.identity.key_pem());
            star.put(&format!("hosts/{name}/id.pem"), &has.identity.chain_pem());
            let anchors: Vec<u8> = has
                .trusts
                .iter()
                .flat_map(|one| one.certificate.to_pem().unwrap())
                .collect();
            star.put(&format!("hosts/{name}/ca.pem"), &anchors);
            toml += &format!(
                "[hosts.{name}]\nroot = \"hosts/{name}\"\n[components.{name}]\nhost = \"{name}\"\nproduct = \"generic\"\nruntime = \"openssl\"\n\
                 effective = {{ restart = [\"true\"], takes = \"30s\" }}\nstores = [\n\
                 {{ id = \"id\", key-file = \"/id.key\", cert-file = \"/id.pem\", holds = [\"identity\"] }},\n\
                 {{ id = \"ca\", file = \"/ca.pem\", holds = [\"trust\"] }} ]\n{}\n",
                has.more
            );
            if *name == "hub" {
                toml += "listens = [{ name = \"api\", address = \"127.0.0.9:9\", client-certificate = \"required\" }]\n";
            } else {
                toml += "dials = [{ to = \"hub\", endpoint = \"api\", identity = \"id\" }]\n";
            }
            if let Some(new) = has.new {
                star.put(&format!("new/{name}.pem"), &new.chain_pem());
                star.put(&format!("new/{name}.key"), &new.key_pem());
                toml += &format!("new = {{ chain = \"new/{name}.pem\", key = \"new/{name}.key\" }}\n");
            }
        }
        star.put("capgrow.toml", format!("{toml}{tail}\n").as_bytes());
        star
    }

    /// Writes a file of the fleet directory.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn toml(&self, from: &str, to: &str) {
        let path = self.dir.path().join("capgrow.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    fn ran(&self, words: &str) -> Ran {
        run(capgrow(self.dir.path()).args(words.split_whitespace()))
    }

    /// The plan after a scan; every plan that is one passes the checker.
    #[track_caller]
    fn plan(&self, words: &str, code: i32) -> Value {
        self.ran("scan");
        let ran = self.ran(&format!("plan --json {words}"));
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        let plan = ran.json();
        if code == 0 {
            let checked = self.ran(&format!("check {}", plan["digest"].as_str().unwrap()));
            assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
        }
        plan
    }
}

fn events(plan: &Value, component: &str) -> Vec<String> {
    steps(plan, component)
        .into_iter()
        .map(|(_, events)| events)
        .collect()
}

/// Everybody has a leaf of `old` and trusts it, and gets a leaf of `new`.
pub fn moved(old: &Party, new: &Party, tail: &str) -> Star {
    let (before, after): (Vec<Party>, Vec<Party>) =
        NAMES.iter().map(|name| (old.leaf(name), new.leaf(name))).unzip();
    let has: Vec<Has<'_>> = before
        .iter()
        .zip(&after)
        .map(|(identity, new)| Has {
            identity,
            trusts: vec![old],
            new: Some(new),
            more: "",
        })
        .collect();
    Star::new(&has, tail)
}

/// Leave every identity.
pub const ALL: &str = "[[rotate]]\nname = \"all\"\nleave = \"*\"\n";

#[test]
fn a_renewal_under_the_same_authority_needs_no_trust_and_one_restart_each() {
    let works = Party::authority("Works CA");
    let star = moved(&works, &works, ALL);
    let plan = star.plan("", 0);
    assert_eq!(
        (&plan["phases"], &plan["restarts"]),
        (&1.into(), &3.into()),
        "{plan}"
    );
    for name in NAMES {
        assert_eq!(events(&plan, name), ["switch"], "{name}");
    }
}

#[test]
fn a_renewal_with_the_same_key_is_a_switch_too() {
    let works = Party::authority("Works CA");
    let before: Vec<Party> = NAMES.iter().map(|name| works.leaf(name)).collect();
    let after: Vec<Party> = before
        .iter()
        .zip(NAMES)
        .map(|(party, name)| works.renewed(party, name))
        .collect();
    let has: Vec<Has<'_>> = before
        .iter()
        .zip(&after)
        .map(|(identity, new)| Has {
            identity,
            trusts: vec![&works],
            new: Some(new),
            more: "",
        })
        .collect();
    let plan = Star::new(&has, ALL).plan("", 0);
    for name in NAMES {
        assert_eq!(events(&plan, name), ["switch"], "{name}");
    }
}

/// two certificates with one name are two certificates.
#[test]
fn a_self_signed_certificate_is_replaced_by_one_of_the_same_name_in_three_events() {
    let star = self_signed(&Party::alone("hub"), &Party::alone("hub"));
    for _ in NAMES {
        star.toml("runtime = \"openssl\"", "runtime = \"java17\"");
    }
    let plan = star.plan("", 0);
    assert_eq!(plan["restarts"], 5);
    for name in ["a", "b"] {
        assert_eq!(events(&plan, name), ["grow", "retire"], "{plan}");
        let waves: Vec<u64> = steps(&plan, name).into_iter().map(|(wave, _)| wave).collect();
        let switch = steps(&plan, "hub")
            .iter()
            .find(|(_, events)| events.contains("switch"))
            .unwrap()
            .0;
        assert!(waves[0] < switch && switch < waves[1], "{plan}");
    }
}

/// OpenSSL takes the first of one name for the issuer of all, where no key identifiers tell them apart: the second is refused
/// although it is trusted, so there is no plan.
#[test]
fn two_of_one_name_that_openssl_takes_for_each_other_are_blocked_with_its_words() {
    let star = self_signed(&Party::alone("hub"), &Party::alone("hub"));
    let said = star.plan("", 1)["blocked"].to_string();
    assert!(said.contains("18: self-signed certificate"), "{said}");
    assert!(
        said.contains("issue the new chain in a form that this verifier accepts"),
        "{said}"
    );
}

/// A hub with a certificate of its own making, which the others trust.
fn self_signed(before: &Party, after: &Party) -> Star {
    let works = Party::authority("Works CA");
    let leaves = ["a", "b"].map(|name| works.leaf(name));
    let has = [
        Has {
            identity: before,
            trusts: vec![&works],
            new: Some(after),
            more: "",
        },
        Has {
            identity: &leaves[0],
            trusts: vec![before],
            new: None,
            more: "",
        },
        Has {
            identity: &leaves[1],
            trusts: vec![before],
            new: None,
            more: "",
        },
    ];
    Star::new(&has, ALL)
}

#[test]
fn several_rotations_share_their_restarts() {
    let [servers, clients] = ["Servers CA", "Clients CA"].map(Party::authority);
    let [new_servers, new_clients] = ["New Servers CA", "New Clients CA"].map(Party::authority);
    let before = [servers.leaf("hub"), clients.leaf("a"), clients.leaf("b")];
    let after = [
        new_servers.leaf("hub"),
        new_clients.leaf("a"),
        new_clients.leaf("b"),
    ];
    let star = |tail: &str| {
        let has = [
            Has {
                identity: &before[0],
                trusts: vec![&clients],
                new: Some(&after[0]),
                more: "",
            },
            Has {
                identity: &before[1],
                trusts: vec![&servers],
                new: Some(&after[1]),
                more: "",
            },
            Has {
                identity: &before[2],
                trusts: vec![&servers],
                new: Some(&after[2]),
                more: "",
            },
        ];
        Star::new(&has, tail)
    };
    let one = |name: &str| format!("[[rotate]]\nname = \"{name}\"\nleave = {{ issuer = \"CN={name}\" }}\n");
    let restarts = |tail: &str| star(tail).plan("", 0)["restarts"].as_u64().unwrap();
    let [first, second] = ["Servers CA", "Clients CA"].map(|name| restarts(&one(name)));
    let both = restarts(&format!("{}{}", one("Servers CA"), one("Clients CA")));
    assert_eq!(both, 6, "two each, as for one");
    assert!(both < first + second, "{both} {first} {second}");
}

#[test]
fn at_the_goal_the_plan_is_empty_and_halfway_only_what_is_left_is_planned() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = moved(&old, &new, ALL);
    let whole = star.plan("", 0);
    assert_eq!(whole["restarts"], 6);
    // One of them was prepared by somebody.
    let anchors = [
        old.certificate.to_pem().unwrap(),
        new.certificate.to_pem().unwrap(),
    ]
    .concat();
    star.put("hosts/a/ca.pem", &anchors);
    star.toml("leave = \"*\"", "leave = { issuer = \"CN=Old Works CA\" }");
    let left = star.plan("", 0);
    assert!(!events(&left, "a").join(" ").contains("grow"), "{left}");
    assert!(events(&left, "b").join(" ").contains("grow"), "{left}");
    // Another goal.
    let less = star.plan("--until coexistence", 0);
    assert!(!less["steps"].to_string().contains("retire"), "{less}");
    for name in NAMES {
        for (from, to) in [("key", "key"), ("pem", "pem")] {
            let bytes = std::fs::read(star.dir.path().join(format!("new/{name}.{from}"))).unwrap();
            star.put(&format!("hosts/{name}/id.{to}"), &bytes);
        }
        star.put(
            &format!("hosts/{name}/ca.pem"),
            &new.certificate.to_pem().unwrap(),
        );
    }
    star.ran("scan");
    let ran = star.ran("plan");
    assert!(
        ran.stdout.contains("nothing to do: the goal is reached"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn two_plans_differ_in_what_moved_and_in_what_they_cost() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = moved(&old, &new, ALL);
    let whole = star.plan("", 0);
    let less = star.plan("--until coexistence", 0);
    let [one, other] = [&whole, &less].map(|plan| plan["digest"].as_str().unwrap().to_owned());
    let told = star.ran(&format!("plan diff {one} {other}"));
    assert_eq!(told.code, 1, "{}", told.stderr);
    assert!(
        told.stdout.contains("hub retire: wave ") && told.stdout.contains(" -> -"),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("restarts, cost "), "{}", told.stdout);
    let same = star.ran(&format!("plan diff {one} {one}"));
    assert_eq!(same.code, 0);
    assert!(same.stdout.contains("the same order"), "{}", same.stdout);
}

#[test]
fn what_nobody_reaches_waits_and_the_rest_is_planned() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = moved(&old, &new, ALL);
    star.toml("root = \"hosts/b\"", "reach = \"ssh://b\"");
    let plan = star.plan("", 0);
    assert_eq!(events(&plan, "b"), [""; 0]);
    assert_eq!(
        events(&plan, "hub"),
        ["grow"],
        "its peer b does not trust the new chain: {plan}"
    );
    let waits = plan["waits"].to_string();
    assert!(waits.contains("b cannot trust the new chain yet"), "{plan}");
    assert!(
        plan["assumed"]
            .to_string()
            .contains("b goes on presenting and trusting what it does today"),
        "{plan}"
    );
    let told = star.ran("plan").stdout;
    assert!(
        told.contains("left out: b: its host cannot be reached (ssh://b)"),
        "{told}"
    );
}

#[test]
fn what_has_something_in_its_way_is_left_out_where_that_is_asked_for() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = moved(&old, &new, ALL);
    star.put("hosts/b/ca.pem", b"not a certificate");
    star.plan("", 1);
    let told = star.ran("plan").stdout;
    assert!(told.contains("capgrow plan --partial"), "{told}");
    let plan = star.plan("--partial", 0);
    assert_eq!(plan["left_out"][0]["component"], "b", "{plan}");
    assert_eq!(events(&plan, "b"), [""; 0]);
    assert!(events(&plan, "a").join(" ").contains("grow"), "{plan}");
    assert!(
        !plan["steps"]
            .to_string()
            .contains("\"hub\",\"effective\":\"restart\",\"events\":[\"retire"),
        "{plan}"
    );
}

#[test]
fn what_ends_before_its_turn_is_said_at_once() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    // The leaves end in 300 days: what takes a year comes too late.
    let star = moved(&old, &new, ALL);
    star.toml("takes = \"30s\"", "takes = \"8800h\"");
    let plan = star.plan("", 1);
    let said = plan["blocked"].to_string();
    assert!(
        said.contains("the certificate that it presents today ends at"),
        "{said}"
    );
    assert!(
        said.contains("these links must break: a -> hub, b -> hub, hub -> a, hub -> b"),
        "{said}"
    );
    let star = moved(&old, &new, &format!("{ALL}deadline = 2020-01-01\n"));
    let said = star.plan("", 1)["blocked"].to_string();
    assert!(said.contains("all must be done by 2020-01-02"), "{said}");
}

#[test]
fn canaries_go_first_and_what_is_done_by_hand_is_held() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = moved(&old, &new, &format!("{ALL}[policy]\ncanary = [\"site\"]\n"));
    for name in ["a", "b"] {
        star.toml(
            &format!("root = \"hosts/{name}\""),
            &format!("root = \"hosts/{name}\"\nsite = \"oslo\""),
        );
    }
    let plan = star.plan("", 0);
    for event in 0..2 {
        assert!(steps(&plan, "a")[event].0 < steps(&plan, "b")[event].0, "{plan}");
    }
    star.toml("[components.a]", "[components.a]\nmanual = true");
    let plan = star.plan("", 0);
    let first = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["component"] == "a")
        .unwrap();
    assert_eq!(first["by"], "hand");
    assert!(
        first["observe"]
            .to_string()
            .contains("hub is shown the new chain by a"),
        "{first}"
    );
    let sheet = star.ran("plan --runbook md").stdout;
    assert!(sheet.contains("by hand: done when"), "{sheet}");
}

#[test]
fn a_run_stops_before_a_step_that_a_person_makes() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let star = moved(&old, &new, ALL);
    star.toml("[components.hub]", "[components.hub]\nmanual = true");
    let plan = star.plan("", 0);
    assert_eq!(plan["steps"][0]["by"], "hand", "{plan}");
    let before = std::fs::read(star.dir.path().join("hosts/hub/ca.pem")).unwrap();
    let stopped = star.ran(&format!("apply {} --approve", plan["digest"].as_str().unwrap()));
    assert_eq!(stopped.code, 1, "{}{}", stopped.stdout, stopped.stderr);
    let said = format!("{}{}", stopped.stdout, stopped.stderr);
    assert!(
        said.contains("is made by hand") && said.contains("capgrow plan --runbook"),
        "{said}"
    );
    assert_eq!(
        std::fs::read(star.dir.path().join("hosts/hub/ca.pem")).unwrap(),
        before
    );
}

/// The new chain as it is sent: the leaf, then these.
fn present(star: &Star, leaves: &[Party], behind: &[&Party]) {
    for (name, leaf) in NAMES.iter().zip(leaves) {
        let chain: Vec<u8> = std::iter::once(leaf)
            .chain(behind.iter().copied())
            .flat_map(|party| party.certificate.to_pem().unwrap())
            .collect();
        star.put(&format!("new/{name}.pem"), &chain);
        star.put(&format!("new/{name}.key"), &leaf.key_pem());
    }
}

/// Everybody moves from `old` to `new`, presents `behind` after the leaf, and has the runtime of its place.
fn crossed(old: &Party, new: &Party, behind: &[&Party], runtimes: [&str; 3]) -> Star {
    let star = moved(old, new, ALL);
    star.put("new/root.pem", &new.certificate.to_pem().unwrap());
    star.toml("leave = \"*\"", "leave = \"*\"\ntrust = \"new/root.pem\"");
    for (name, runtime) in NAMES.iter().zip(runtimes) {
        let before = format!("host = \"{name}\"\nproduct = \"generic\"\nruntime = ");
        star.toml(&format!("{before}\"openssl\""), &format!("{before}\"{runtime}\""));
    }
    let leaves: Vec<Party> = NAMES.iter().map(|name| new.leaf(name)).collect();
    present(&star, &leaves, behind);
    star
}

#[test]
fn a_new_chain_that_the_old_root_vouches_for_needs_no_trust_before_it() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let cross = new.signed_by(&old);
    let star = crossed(&old, &new, &[&cross], ["openssl", "java17", "gnutls"]);
    let plan = star.plan("", 0);
    for name in ["a", "b"] {
        assert_eq!(events(&plan, name), ["grow+switch+retire"], "{plan}");
    }
    assert!(plan["restarts"].as_u64() < Some(6), "{plan}");
}

/// The self-signed root before the one that is cross-signed: Java finds its way, OpenSSL stops at the root it does not know.
#[test]
fn a_cross_signed_chain_that_one_verifier_refuses_waits_for_its_trust() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let cross = new.signed_by(&old);
    let behind = [&new, &cross];
    let plan = |runtimes| crossed(&old, &new, &behind, runtimes).plan("", 0);
    assert!(plan(["java17"; 3])["restarts"].as_u64() < Some(6));
    let star = crossed(&old, &new, &behind, ["java17", "openssl", "java17"]);
    let one = star.plan("", 0);
    let wave = |name: &str, event: &str| {
        let mut found = steps(&one, name)
            .into_iter()
            .filter(|(_, events)| events.contains(event));
        found.next().unwrap().0
    };
    assert!(wave("a", "grow") < wave("hub", "switch"), "{one}");
    let why = star.ran("plan --explain hub").stdout;
    assert!(
        why.contains("switch waits for a in phase 1")
            && why.contains("otherwise a says: 19: self-signed certificate in certificate chain"),
        "{why}"
    );
    assert!(!why.contains("otherwise b says: 19"), "{why}");
}

#[test]
fn the_same_chain_without_the_cross_certificate_waits_for_everybody() {
    let [old, new] = ["Old Works CA", "New Works CA"].map(Party::authority);
    let plan = crossed(&old, &new, &[], ["java17", "openssl", "gnutls"]).plan("", 0);
    assert_eq!(plan["restarts"], 6, "{plan}");
}
