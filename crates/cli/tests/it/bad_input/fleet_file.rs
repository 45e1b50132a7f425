//! Mistakes in capgrow.toml.

use std::os::unix::fs::PermissionsExt;

use super::Fleet;

#[test]
fn a_fleet_file_that_others_may_write_is_not_read() {
    for mode in [0o666, 0o664, 0o646] {
        let fleet = Fleet::new();
        let file = fleet.path("capgrow.toml");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let first = format!("! capgrow.toml has mode {mode:04o}: others could write it");
        for words in ["scan", "plan", "status", "undo", "apply --resume"] {
            fleet.check(words, 2, &[&first, "! hint: chmod go-w "]);
        }
    }
}

#[test]
fn a_mistake_is_named_with_its_line_and_the_nearest_word() {
    for (from, to, what, hint) in [
        (
            "runtime =",
            "runtimme =",
            "! unknown field `runtimme`",
            "! `runtime`",
        ),
        (
            "[[rotate]]",
            "[[rotates]]",
            "! unknown field `rotates`",
            "! `rotate`",
        ),
        (
            "version = 1",
            "version = 2",
            "! line 1: version = 2 is not known",
            "! version = 1",
        ),
        (
            "identity = \"id\"",
            "identity = \"idd\"",
            "! names the store `idd`, which this component does not have",
            "! `id`",
        ),
        ("leave = {", "leave = { isuer = \"x\",", "! line ", "! "),
    ] {
        let fleet = Fleet::new();
        fleet.toml(from, to);
        fleet.check("scan", 2, &["! capgrow.toml: ", what, hint]);
    }
}

#[test]
fn a_file_that_is_no_toml_is_named_with_its_line() {
    let fleet = Fleet::new();
    fleet.toml_more("[[");
    fleet.check("scan", 2, &["! capgrow.toml: line "]);
}

#[test]
fn a_dial_to_nobody_is_a_question_with_the_nearest_name() {
    let fleet = Fleet::new();
    fleet.toml("to       = \"hub\"", "to       = \"hubb\"");
    let says = ["question: agent: `agent` dials `hubb`", "to = \"hub\""];
    fleet.check("scan", 0, &says);
}

#[test]
fn a_host_whose_root_is_gone_is_named() {
    let fleet = Fleet::new();
    std::fs::remove_dir_all(fleet.path("hosts/hub")).unwrap();
    for words in ["scan", "status"] {
        fleet.check(
            words,
            2,
            &[
                "! host `hub`: root ",
                "! is not a directory",
                "! hint: correct `root`",
            ],
        );
    }
}

#[test]
fn a_rotation_with_nothing_in_it_is_said() {
    let fleet = Fleet::new();
    let text = fleet.read("capgrow.toml");
    let (before, _) = text.split_once("[[rotate]]").unwrap();
    fleet.write("capgrow.toml", before);
    let says = ["! capgrow.toml: there is no [[rotate]] in it", "! hint: "];
    fleet.check("scan", 0, &[]).check("plan", 2, &says);
}

#[test]
fn outside_a_fleet_directory_every_command_says_where_it_looked() {
    let fleet = Fleet::new();
    std::fs::remove_file(fleet.path("capgrow.toml")).unwrap();
    for words in [
        "scan",
        "plan",
        "status",
        "verify",
        "undo",
        "apply 12",
        "apply --resume",
        "prune",
    ] {
        fleet.check(
            words,
            2,
            &["! there is no capgrow.toml in ", "! hint: capgrow init"],
        );
    }
}

#[test]
fn a_leave_that_nothing_answers_to_says_what_is_there_instead() {
    let fleet = Fleet::new();
    fleet.toml("CN=Old Lab CA", "CN=Old Lab C");
    let says = [
        "no plan",
        "no identity and no anchor of the fleet has issuer = \"CN=Old Lab C\"",
        "presented are O=Lab,CN=agent (issuer CN=Old Lab CA, sha256 ",
        "remedy: correct `leave`",
    ];
    fleet.check("scan", 0, &[]).check("plan", 1, &says);
    fleet.toml("issuer = \"CN=Old Lab C\"", "expiring-within = \"1d\"");
    fleet.check("plan", 0, &[]);
}
