//! Domains of five topologies: their plans as texts in `tests/topologies/`, and the orders that each of them keeps.
//!
//! A text holds the steps, of their writes those that are not stores, and why each component stands where it does.
//! `UPDATE_EXPECT=1` rewrites it. The orders are asserted apart from the texts, from the links that `scan` found.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::domain;
use crate::domain::Domain;
use crate::domain::edit;
use crate::domain::steps;

#[test]
fn a_flat_domain() {
    let plan = planned("flat", 14, |dir| {
        domain::flat(dir);
        domain::option(dir, "sw = NO");
    });
    plan.agents_of_the_master_change_in_two_restarts();
}

#[test]
fn agents_below_a_domain_manager() {
    planned("below-a-manager", 14, |dir| domain::option(dir, "sw = NO"))
        .trust_comes_alone(&[("dm1-netman", "fta1-netman"), ("dm1-netman", "fta2-netman")]);
}

#[test]
fn secondary_links() {
    planned("secondary-links", 14, |_| {})
        .trust_comes_alone(&[("dm1-netman", "fta1-netman"), ("bkm1-netman", "fta4-netman")]);
}

#[test]
fn two_masters_with_a_dynamic_domain_manager_and_its_backup() {
    let plan = planned("two-masters", 20, |dir| {
        a_backup_of_the_dynamic_domain_manager(dir);
        // A depot of its own, as an older installation left it.
        let host = |name: &str| dir.join("hosts").join(name).join("opt/IBM/TWA/TWSDATA/ssl");
        let depot = host("ddm1").join("depot");
        std::fs::create_dir_all(&depot).unwrap();
        for (from, to) in [
            ("TWSClient.cer", "tls.crt"),
            ("TWSClient.key", "tls.key"),
            ("password.sth", "tls.sth"),
            ("TWSClient.cer", "ca.crt"),
        ] {
            std::fs::copy(host("dm1").join("OpenSSL").join(from), depot.join(to)).unwrap();
        }
    });
    plan.the_depot_keeps_the_defaults("ddm1-engine");
    plan.the_backup_of_the_dynamic_domain_manager_stands_by();
}

#[test]
fn versions_9_5_to_10_2_in_one_domain() {
    let plan = planned("mixed-versions", 14, |dir| {
        let host = |name: &str| dir.join("hosts").join(name).join("opt/IBM/TWA");
        // The backup's servers below the installation, not below its data.
        std::fs::rename(host("bkm1").join("TWSDATA/usr"), host("bkm1").join("usr")).unwrap();
        // An agent with the file name of the older documents.
        let stores = host("da2").join("TWSDATA/ssl/GSKit");
        for ending in ["kdb", "sth"] {
            let [from, to] = ["TWSClientKeyStore", "TWSClntKeyStore"].map(|name| format!("{name}.{ending}"));
            std::fs::rename(stores.join(from), stores.join(to)).unwrap();
        }
        edit(&host("da2").join("TWSDATA/ITA/cpa/ita/ita.ini"), |text| {
            text.replace("TWSClientKeyStore", "TWSClntKeyStore")
        });
        // One that authenticates by token.
        edit(&host("da1").join("TWSDATA/ITA/cpa/ita/ita.ini"), |text| {
            text.replace("[ITA SSL]", "[ITA SSL]\njwt_file = /opt/IBM/TWA/agent.jwt")
        });
        // A definition that does not ask for TLS, and jobs that JnextPlan would not carry forward.
        domain::option(dir, "cf = YES");
        edit(&dir.join("lab/database/definitions"), |text| {
            let blocks = text
                .split("CPUNAME ")
                .map(|block| match block.starts_with("FTA3\n") {
                    true => block.replace("    SECURITYLEVEL FORCE_ENABLED\n", ""),
                    false => block.to_owned(),
                });
            blocks.collect::<Vec<_>>().join("CPUNAME ")
        });
    });
    plan.definitions_change_first_and_once();
    plan.tokens_end_before_the_signer_changes("da1-agent");
}

/// As the backup master's host is, one more host: it bears the name of the broker that it would take over.
fn a_backup_of_the_dynamic_domain_manager(dir: &Path) {
    let definitions = dir.join("lab/database/definitions");
    let text = std::fs::read_to_string(&definitions).unwrap();
    let like = text
        .split("CPUNAME ")
        .find(|block| block.starts_with("BKM1\n"))
        .unwrap();
    let address = like
        .split("NODE ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .unwrap();
    let own = format!("{}.200", address.rsplit_once('.').unwrap().0);
    let renamed = |text: &str| {
        text.replace(address, &own)
            .replace("BKM1_DWB", "DDM1_DWB")
            .replace(
                "DomainManager.Workstation.Name=BKM1",
                "DomainManager.Workstation.Name=DDM1",
            )
            .replace("BKM1", "BDDM1")
            .replace("bkm1", "bddm1")
            .replace("DOMAIN MASTERDM", "DOMAIN DDM1DOM")
            .replace("Workstation.Domain=MASTERDM", "Workstation.Domain=DDM1DOM")
    };
    std::fs::write(&definitions, format!("CPUNAME {}{text}", renamed(like))).unwrap();
    copied(&dir.join("hosts/bkm1"), &dir.join("hosts/bddm1"), &renamed);
    edit(&dir.join("capgrow.toml"), |text| {
        let host = "[hosts.bkm1]\nroot = \"hosts/bkm1\"\n";
        text.replace(host, &format!("{host}\n[hosts.bddm1]\nroot = \"hosts/bddm1\"\n"))
    });
}

/// A tree of files; texts are changed on the way.
fn copied(from: &Path, to: &Path, change: &dyn Fn(&str) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copied(&from, &to, change);
            continue;
        }
        std::fs::copy(&from, &to).unwrap();
        if std::fs::read_to_string(&from).is_ok() {
            edit(&to, change);
        }
    }
}

/// Plans a domain, compares it with its text, and asserts what every topology keeps.
fn planned(name: &str, components: usize, arrange: impl FnOnce(&Path)) -> Planned {
    let domain = Domain::made(components, arrange);
    let scan = domain.run(&["scan"], 0);
    let plan = domain.run(&["plan"], 0);
    let planned = Planned { domain, scan, plan };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/topologies/{name}.txt"));
    expect_test::expect_file![file].assert_eq(&planned.told());
    let digest = planned.plan["digest"].as_str().unwrap();
    let checked = planned.domain.run(&["check", digest], 0);
    assert_eq!(checked["bound"], "verified", "{checked}");
    planned.every_verifier_trusts_first();
    planned.the_masters_own_agents_go_last();
    planned.servers_stand_where_the_documents_want_them();
    planned.the_depot_keeps_the_defaults("mdm1-engine");
    planned
}

struct Planned {
    domain: Domain,
    scan: Value,
    plan: Value,
}

impl Planned {
    /// both ends of every link.
    fn every_verifier_trusts_first(&self) {
        let links = list(&self.scan["links"]);
        assert!(links.len() > 20, "{}", self.scan["links"]);
        for link in links {
            let ends = [&link["from"], &link["to"]].map(|end| end.as_str().unwrap());
            for [prover, verifier] in [ends, [ends[1], ends[0]]] {
                let [grow, switch, retire] = [(verifier, "grow"), (prover, "switch"), (verifier, "retire")]
                    .map(|(component, event)| self.wave(component, event));
                assert!(
                    grow < switch && switch < retire,
                    "{prover} -> {verifier}: {grow} {switch} {retire}"
                );
            }
        }
    }

    /// an agent of the master's host presents nothing new before everybody who talks to the host trusts
    /// it, because both of its agents read one file.
    fn the_masters_own_agents_go_last(&self) {
        let [netman, agent] = ["mdm1-netman", "mdm1-agent"].map(|one| self.wave(one, "switch"));
        // What the first of them writes, the other may load at any moment.
        let written = netman.min(agent);
        for link in list(&self.scan["links"]) {
            for (one, other) in [("from", "to"), ("to", "from")] {
                if link[one] == "mdm1-netman" || link[one] == "mdm1-agent" {
                    let peer = link[other].as_str().unwrap();
                    assert!(self.wave(peer, "grow") < written, "{peer}");
                }
            }
        }
        let said = self.explained("mdm1-agent");
        assert!(
            said.contains("reads the same files as mdm1-netman")
                && said.contains("(it talks to mdm1-netman)"),
            "why the agent waits: {said}"
        );
    }

    /// names are allowed with the trust, aliases and the tokens' signer change with the switch,
    /// what is old goes with the retirement.
    fn servers_stand_where_the_documents_want_them(&self) {
        for component in list(&self.scan["components"]) {
            let role = component["role"].as_str().unwrap_or_default();
            let id = component["id"].as_str().unwrap();
            if !(id.ends_with("-engine") && ["MDM", "BKM", "DDM", "BDDM"].contains(&role)) {
                continue;
            }
            for (file, events) in [
                ("BrokerWorkstation.properties", &["grow", "retire"][..]),
                ("/ssl_config.xml", &["switch"]),
                ("/jwt_variables.xml", &["switch"]),
                ("/server.xml", &["switch"]),
            ] {
                for event in events {
                    let found = self.writes(id, event);
                    let there = found
                        .iter()
                        .any(|write| write["path"].as_str().unwrap().ends_with(file));
                    // The alias is pinned where a second key enters, so before the switch too.
                    assert!(there, "{id} {event}: {file} in {found:?}");
                }
            }
        }
    }

    /// an agent that downloads midway trusts what the master presents at that moment.
    fn the_depot_keeps_the_defaults(&self, engine: &str) {
        let depot = |event: &str| -> Vec<(String, String)> {
            let of = self.writes(engine, event);
            let depot = of
                .iter()
                .filter(|write| write["path"].as_str().unwrap().contains("/depot/"));
            depot
                .map(|write| {
                    let path = write["path"].as_str().unwrap();
                    let name = path.split("/depot/").nth(1).unwrap_or_default();
                    (
                        name.to_owned(),
                        write["edit"]["kind"].as_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect()
        };
        let grown = depot("grow");
        let default = "additionalCAs/ServerNew.crt";
        let at = |name: &str| grown.iter().position(|(found, _)| found == name);
        assert!(at(default).is_some(), "{grown:?}");
        assert!(at(default) < at("ca.crt"), "{grown:?}");
        assert!(
            at("tls.sth") < at("tls.key") && at("tls.key") < at("tls.crt"),
            "{grown:?}"
        );
        assert!(depot("switch").is_empty());
        assert!(depot("retire").contains(&(default.to_owned(), "remove".to_owned())));
    }

    /// B.1: it is told from its manager although both bear one broker's name, it links with the manager and
    /// with the master, and the agents stay their manager's.
    fn the_backup_of_the_dynamic_domain_manager_stands_by(&self) {
        let components = list(&self.scan["components"]);
        let role = |id: &str| {
            let found = components.iter().find(|component| component["id"] == id);
            found.map(|component| component["role"].as_str().unwrap_or_default())
        };
        assert_eq!(role("ddm1-engine"), Some("DDM"));
        assert_eq!(role("bddm1-engine"), Some("BDDM"));
        assert_eq!(role("bddm1-netman"), Some("BDM"));
        let linked = |from: &str, to: &str| {
            let links = list(&self.scan["links"]);
            links.iter().any(|link| link["from"] == from && link["to"] == to)
        };
        for (from, to) in [
            ("bddm1-engine", "mdm1-engine"),
            ("bddm1-netman", "ddm1-netman"),
            ("ddm1-netman", "bddm1-netman"),
            ("ddm1-engine", "da4-agent"),
            ("da4-agent", "ddm1-engine"),
        ] {
            assert!(linked(from, to), "{from} -> {to}: {}", self.scan["links"]);
        }
        assert!(!linked("bddm1-engine", "da4-agent"), "{}", self.scan["links"]);
    }

    /// one JnextPlan for all changed definitions, before the first step; `cf` as it was.
    fn definitions_change_first_and_once(&self) {
        let steps = list(&self.plan["steps"]);
        let first = steps
            .iter()
            .find(|step| step["component"] == "mdm1-netman")
            .unwrap();
        assert_eq!(first["wave"], 1);
        let run = &first["writes"][0]["edit"];
        assert_eq!(run["kind"], "run", "{first}");
        let argv: Vec<String> = list(&run["lines"])
            .iter()
            .map(|line| line["argv"].to_string())
            .collect();
        let at = |words: &str| argv.iter().position(|line| line.contains(words)).unwrap();
        assert!(
            at("replace") < at("chg") && at("chg") < at("JnextPlan"),
            "{argv:?}"
        );
        assert!(
            at("JnextPlan") < argv.iter().rposition(|line| line.contains("chg")).unwrap(),
            "{argv:?}"
        );
        let everywhere = self.plan["steps"].to_string();
        assert_eq!(
            everywhere.matches("/JnextPlan\"").count(),
            run.to_string().matches("/JnextPlan\"").count()
        );
    }

    ///
    fn tokens_end_before_the_signer_changes(&self, agent: &str) {
        let comments_out = |write: &&Value| write["path"].as_str().unwrap().ends_with("/ita.ini");
        let grow = self.writes(agent, "grow");
        assert!(grow.iter().any(comments_out), "{grow:?}");
        for engine in ["mdm1-engine", "bkm1-engine"] {
            assert!(self.wave(agent, "grow") < self.wave(engine, "switch"));
        }
    }

    /// R-275, where the document's order is safe: an agent changes trust and identity at once.
    fn agents_of_the_master_change_in_two_restarts(&self) {
        for agent in ["fta1-netman", "fta4-netman", "da1-agent"] {
            assert_eq!(steps(&self.plan, agent).len(), 2, "{agent}");
        }
        assert_eq!(self.plan["restarts"], self.plan["lower_bound"]);
    }

    /// R-275, where it is not: one end of such a link trusts first and presents later.
    fn trust_comes_alone(&self, links: &[(&str, &str)]) {
        for (one, other) in links {
            let first = |component: &str| steps(&self.plan, component)[0].1.clone();
            assert!(
                first(one) == "grow" || first(other) == "grow",
                "{one} and {other}: {}",
                self.plan["steps"]
            );
        }
    }

    /// The phase of an event. Every component of a domain has all three.
    #[track_caller]
    fn wave(&self, component: &str, event: &str) -> u64 {
        let found = steps(&self.plan, component);
        let of = found
            .iter()
            .find(|(_, events)| events.split('+').any(|one| one == event));
        of.unwrap_or_else(|| panic!("{component} has no {event}: {found:?}"))
            .0
    }

    /// The writes of an event.
    fn writes(&self, component: &str, event: &str) -> Vec<&Value> {
        let host = component.split('-').next().unwrap_or_default();
        let steps = list(&self.plan["steps"])
            .iter()
            .filter(|step| step["component"] == component);
        let writes = steps.flat_map(|step| list(&step["writes"]));
        writes
            .filter(|write| write["event"] == event && write["host"] == host)
            .collect()
    }

    fn explained(&self, what: &str) -> String {
        self.domain.said(&["plan", "--explain", what], 0).0
    }

    /// The plan as text, without what differs from run to run.
    fn told(&self) -> String {
        let plan = &self.plan;
        let mut text = format!(
            "{} components, {} links; restarts {} (lower bound {}), {} phases\n\n",
            list(&self.scan["components"]).len(),
            list(&self.scan["links"]).len(),
            plan["restarts"],
            plan["lower_bound"],
            plan["phases"]
        );
        for step in list(&plan["steps"]) {
            let events: Vec<&str> = list(&step["events"]).iter().filter_map(Value::as_str).collect();
            let component = step["component"].as_str().unwrap();
            let _ = writeln!(
                text,
                "phase {}  {component}: {}",
                step["wave"],
                events.join(" + ")
            );
            for write in list(&step["writes"]) {
                told_write(write, &mut text);
            }
        }
        text.push_str("\nquestions and notes\n");
        for question in list(&plan["questions"]) {
            let [about, said] =
                [&question["about"], &question["text"]].map(|text| text.as_str().unwrap_or_default());
            let _ = writeln!(text, "  {about}: {said}");
        }
        text.push_str("\nwhy\n");
        for id in EXPLAINED {
            text.push_str(&self.explained(id));
        }
        text
    }
}

/// A write that is not of a store: those are many, and the same in every topology.
fn told_write(write: &Value, text: &mut String) {
    let path = write["path"].as_str().unwrap();
    let [event, why] = [&write["event"], &write["why"]].map(|text| text.as_str().unwrap_or_default());
    if write["edit"]["kind"] == "run" {
        for line in list(&write["edit"]["lines"]) {
            let words: Vec<&str> = list(&line["argv"]).iter().filter_map(Value::as_str).collect();
            let _ = writeln!(text, "    first {}", words.join(" "));
        }
        return;
    }
    let ends = [".properties", ".xml", ".ini"];
    if path.contains("/depot/") || ends.iter().any(|end| path.ends_with(end)) {
        let _ = writeln!(text, "    {event} {path}: {why}");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// One of each kind.
const EXPLAINED: [&str; 9] = [
    "mdm1-engine",
    "mdm1-agent",
    "mdm1-netman",
    "bkm1-engine",
    "bkm1-netman",
    "dm1-netman",
    "fta1-netman",
    "da1-agent",
    "dwc1-console",
];
