//! A master with the product's commands, and two agents with the definitions of each case.

use super::super::scan::ScanContext;
use super::super::scan::scan;
use super::*;
use crate::map_files::MapFiles;

/// The scan of a master and two agents; `fta1` and `fta2` say what their definitions say of security.
fn found(fta1: &str, fta2: &str, options: &str, commands: &str) -> Found {
    let definitions = format!(
        "CPUNAME MDM1 OS UNIX NODE 127.0.1.1 TCPADDR 31111 SECUREADDR 31113 DOMAIN MASTERDM\n\
         FOR MAESTRO TYPE MANAGER SECURITYLEVEL FORCE_ENABLED FULLSTATUS ON END\n\
         CPUNAME FTA1\n  DESCRIPTION \"first\"\n  OS UNIX\n  NODE 127.0.1.2 TCPADDR 31111\n  DOMAIN MASTERDM\n  \
         FOR MAESTRO\n    TYPE FTA\n{fta1}END\n\
         CPUNAME FTA2\n  OS UNIX\n  NODE 127.0.1.3 TCPADDR 31111\n  DOMAIN MASTERDM\n  \
         FOR MAESTRO\n    TYPE FTA\n{fta2}END\n\
         DOMAIN MASTERDM MANAGER MDM1 END\n"
    );
    let netman = |cpu: &str| {
        format!(
            "== /i/TWSDATA/localopts\nthiscpu = {cpu}\nnm port = 31111\nnm SSL full port = 31113\nSSL key = /i/k\n\
             SSL certificate = /i/c\nSSL CA certificate = /i/a\n"
        )
    };
    let mut master = netman("MDM1");
    for name in commands.split_whitespace() {
        master.push_str(&format!("== /i/TWS/{name}\n"));
    }
    if commands.contains("composer") {
        master.push_str(&format!(
            "$ /i/TWS/bin/composer create /dev/stdout from cpu=@\n{definitions}$ /i/TWS/bin/optman ls\n{options}\n"
        ));
    }
    let hosts = [
        MapFiles::new("mdm1", &master),
        MapFiles::new("fta1", &netman("FTA1")),
        MapFiles::new("fta2", &netman("FTA2")),
    ];
    let hosts: Vec<&dyn HostFiles> = hosts.iter().map(|host| host as &dyn HostFiles).collect();
    let context = ScanContext {
        definitions: vec![definitions],
        ..ScanContext::default()
    };
    scan(&hosts, &context)
}

const ALL: &str = "bin/composer bin/optman bin/conman bin/JnextPlan";
const RIGHT: &str = "    SECURITYLEVEL FORCE_ENABLED\n";
const CF_YES: &str = "enCarryForward / cf = YES\nenSwfaultTol / sw = NO";

fn procedure_of(found: &Found) -> Procedure {
    assert_eq!(found.first.len(), 1, "one for all: {:#?}", found.first);
    assert_eq!(found.first[0].component, "mdm1-netman");
    match &found.first[0].change.edit {
        FileEdit::Run(procedure) => procedure.clone(),
        other => panic!("{other:?}"),
    }
}

fn argv(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.argv.join(" ")).collect()
}

#[test]
fn one_next_plan_puts_all_changed_definitions_in_force_and_cf_is_as_it_was() {
    let found = found("", "    SECURITYLEVEL ON\n  SECUREADDR 31999\n", CF_YES, ALL);
    let procedure = procedure_of(&found);
    let want = [
        "/i/TWS/bin/composer replace {file}",
        "/i/TWS/bin/optman chg cf = all",
        "/i/TWS/bin/JnextPlan -for 0000",
        "/i/TWS/bin/optman chg cf = yes",
    ];
    assert_eq!(argv(&procedure.lines), want);
    assert_eq!(argv(&procedure.undo), want);
    let new = procedure.lines[0].file.clone().unwrap();
    assert!(
        new.contains("NODE 127.0.1.2 TCPADDR 31111\n  SECUREADDR 31113\n"),
        "{new}"
    );
    assert!(
        new.contains("TYPE FTA\n    SECURITYLEVEL FORCE_ENABLED\n"),
        "{new}"
    );
    assert!(new.contains("SECURITYLEVEL ON\n  SECUREADDR 31113\n"), "{new}");
    assert!(!new.contains("MDM1"), "{new}");
    let old = procedure.undo[0].file.clone().unwrap();
    assert!(
        old.contains("DESCRIPTION \"first\"") && old.contains("SECUREADDR 31999"),
        "{old}"
    );
    assert_eq!(
        procedure.seen.unwrap().shown,
        Shown::Linked(vec!["FTA1".to_owned(), "FTA2".to_owned()])
    );
}

#[test]
fn what_carries_everything_forward_already_is_not_touched() {
    let found = found("", RIGHT, "enCarryForward / cf = ALL", ALL);
    let want = [
        "/i/TWS/bin/composer replace {file}",
        "/i/TWS/bin/JnextPlan -for 0000",
    ];
    assert_eq!(argv(&procedure_of(&found).lines), want);
}

#[test]
fn right_definitions_need_nothing() {
    for level in ["FORCE_ENABLED", "force-enabled", "ON", "FORCE"] {
        let right = format!("    SECURITYLEVEL {level}\n");
        let found = found(
            &right,
            "  SECURITYLEVEL ENABLED\n  SECUREADDR 31113\n",
            CF_YES,
            ALL,
        );
        assert_eq!(found.first, []);
        assert_eq!(found.notes.iter().find(|note| note.contains("definition")), None);
    }
}

#[test]
fn without_the_commands_a_person_gets_the_steps() {
    for commands in [
        "",
        "bin/composer bin/optman bin/conman",
        "bin/composer bin/conman bin/JnextPlan",
    ] {
        let found = found("", RIGHT, CF_YES, commands);
        assert_eq!(found.first, [], "{commands}");
        let steps = found
            .notes
            .iter()
            .find(|note| note.contains("composer replace"))
            .unwrap();
        assert!(
            steps.contains("SECURITYLEVEL FORCE_ENABLED") && steps.contains("JnextPlan -for 0000"),
            "{steps}"
        );
    }
}

#[test]
fn a_command_that_ran_is_known_by_the_product_s_own_words() {
    let found = found("", RIGHT, CF_YES, ALL);
    let procedure = procedure_of(&found);
    let replace = procedure.lines[0].state.clone().unwrap();
    let old = procedure.undo[0].file.clone().unwrap();
    let new = procedure.lines[0].file.clone().unwrap();
    // Composer writes what it was given in its own order and case.
    let shown = "cpuname fta1 description \"first\" os UNIX node 127.0.1.2 tcpaddr 31111 secureaddr 31113\n\
                 domain MASTERDM for maestro type fta autolink on securitylevel force_enabled end\n";
    assert!(replace.before.is_in(&old) && !replace.after.is_in(&old));
    assert!(replace.after.is_in(&new) && !replace.before.is_in(&new));
    assert!(replace.after.is_in(shown) && !replace.before.is_in(shown));
    let other = old.replace("first", "changed since");
    assert!(
        !replace.before.is_in(&other) && !replace.after.is_in(&other),
        "drift is neither"
    );
    let all = procedure.lines[1].state.clone().unwrap();
    assert!(all.before.is_in("enCarryForward / cf = YES") && all.after.is_in("enCarryForward / cf = ALL"));
    assert!(!all.before.is_in("enCarryForward / cf = NO") && !all.after.is_in(""));
}
