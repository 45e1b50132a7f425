//! The gate itself, run with a cargo that only says what it is told to.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::tree;

#[test]
fn a_green_gate_sums_all_result_lines_and_ends_with_them_alone() {
    check(GREEN, Some(0), "5 passed, 0 failed", None);
}

#[test]
fn a_red_test_stops_the_gate_with_its_count_and_the_command() {
    let red = "test) echo 'test result: ok. 4 passed; 0 failed; 0 ignored'\n\
        echo 'test result: FAILED. 3 passed; 2 failed; 1 ignored'; exit 101 ;;\ndoc) echo UNREACHED ;;";
    let reproduce = "reproduce: cargo test --workspace --locked";
    let said = check(red, Some(1), "7 passed, 2 failed", Some(reproduce));
    assert!(!said.contains("UNREACHED"), "{said}");
}

#[test]
fn a_failed_step_without_tests_counts_as_one_failure() {
    let reproduce = "reproduce: cargo fmt --all --check";
    check("fmt) exit 1 ;;", Some(1), "0 passed, 1 failed", Some(reproduce));
}

#[test]
fn a_demo_that_fails_is_red_after_green_tests() {
    let red = format!("run) exit 1 ;;\n{GREEN}");
    check(
        &red,
        Some(1),
        "5 passed, 1 failed",
        Some("reproduce: cargo run --release --locked -- demo"),
    );
}

#[test]
fn a_step_that_leaves_a_file_behind_is_red_at_the_end() {
    if Command::new("git").arg("--version").output().is_err() {
        println!("SKIPPED: no git");
        return;
    }
    let leave = "test) echo 'test result: ok. 1 passed; 0 failed'; echo x >left-behind ;;\nfmt) git init -q . ;\n\
        git add . ; git -c user.name=x -c user.email=x@example.org commit -qm x ;;";
    let said = check(leave, Some(1), "1 passed, 1 failed", None);
    assert!(
        said.contains("?? left-behind") && said.contains("== clean: FAILED"),
        "{said}"
    );
    let nothing = leave.replace("; echo x >left-behind", "");
    let said = check(&nothing, Some(0), "1 passed, 0 failed", None);
    assert!(said.contains("== clean: ok"), "{said}");
}

/// Runs the gate in a tree of its own. `cases` are arms of a shell `case` over cargo's first argument. Returns what it
/// printed.
#[track_caller]
fn check(cases: &str, code: Option<i32>, last: &str, line: Option<&str>) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let root = dir.path();
    program(&root.join(".ci/run"), &tree::read(".ci/run"));
    program(
        &root.join("bin/cargo"),
        &format!("#!/bin/sh\ncase \"$1\" in\n{cases}\ndeny) exit 1 ;;\nesac\n"),
    );
    program(
        &root.join("target/release/capgrow"),
        "#!/bin/sh\necho capgrow 0.0.0\n",
    );
    let path = std::env::var("PATH").expect("tests run with a PATH");
    let output = Command::new("bash")
        .arg(root.join(".ci/run"))
        .env("PATH", format!("{}:{path}", root.join("bin").display()))
        .env("CI_INSTALL", "no")
        .env("GSKIT_ORACLE_VENV", root.join("none"))
        .env("GIT_CEILING_DIRECTORIES", root.parent().expect("it has a parent"))
        .env_remove("GIT_DIR")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("bash starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.lines().last(), Some(last), "{said}");
    assert_eq!(output.status.code(), code, "{said}");
    if let Some(line) = line {
        assert!(said.lines().any(|said| said == line), "{said}");
    }
    said
}

fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it has a parent")).expect("made");
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("made executable");
}

const GREEN: &str = "test) echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; echo 'running 9 tests'\n\
    echo 'test result: ok. 3 passed; 0 failed; 0 ignored' ;;";
