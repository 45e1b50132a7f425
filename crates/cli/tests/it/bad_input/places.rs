//! Files and directories that cannot be replaced, and things under scan that are no files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use super::Fleet;
use super::is_root;
use super::program;
use crate::corpus::capgrow;
use crate::corpus::run;

#[test]
fn a_hard_link_is_found_by_plan() {
    let fleet = Fleet::new();
    std::fs::hard_link(fleet.hub("trust.pem"), fleet.hub("other.pem")).unwrap();
    let says = ["no plan", "/srv/hub/trust.pem is one of 2 hard links", "remedy: "];
    fleet.check("scan", 0, &[]).check("plan", 1, &says);
}

#[test]
fn an_immutable_file_or_directory_is_found_by_plan() {
    for name in ["trust.pem", ""] {
        let fleet = Fleet::new();
        let path = fleet.hub(name);
        let chattr = |flag: &str| program(&[OsStr::new("chattr"), OsStr::new(flag), path.as_os_str()]);
        if !chattr("+i") {
            println!("SKIPPED: chattr +i is not possible here");
            return;
        }
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let says = [
                "no plan",
                "/srv/hub",
                "is immutable or append-only (chattr)",
                "remedy: ",
            ];
            fleet.check("scan", 0, &[]).check("plan", 1, &says);
        }));
        assert!(chattr("-i"));
        looked.unwrap();
    }
}

#[test]
fn a_file_mounted_over_is_found_by_plan() {
    let fleet = Fleet::new();
    let path = fleet.hub("trust.pem");
    let mount = ["mount", "--bind", path.to_str().unwrap(), path.to_str().unwrap()].map(OsStr::new);
    if !program(&mount) {
        println!("SKIPPED: no right to mount");
        return;
    }
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let says = [
            "no plan",
            "/srv/hub/trust.pem is a mount point of its own",
            "remedy: ",
        ];
        fleet.check("scan", 0, &[]).check("plan", 1, &says);
    }));
    assert!(program(&["umount", path.to_str().unwrap()].map(OsStr::new)));
    looked.unwrap();
}

#[test]
fn a_full_filesystem_is_found_by_plan() {
    let fleet = Fleet::new();
    let dir = fleet.hub("");
    let dir = dir.to_str().unwrap().trim_end_matches('/');
    let apart = fleet.path("apart");
    let move_all = |from: &str, to: &str| {
        let from = format!("{from}/.");
        assert!(program(&["cp", "-a", &from, to].map(OsStr::new)));
    };
    std::fs::create_dir(&apart).unwrap();
    move_all(dir, apart.to_str().unwrap());
    let mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", dir];
    if !program(&mount.map(OsStr::new)) {
        println!("SKIPPED: no right to mount");
        return;
    }
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        move_all(apart.to_str().unwrap(), dir);
        let says = ["no plan", "the filesystem of /srv/hub", "bytes free", "remedy: "];
        fleet.check("scan", 0, &[]).check("plan", 1, &says);
    }));
    assert!(program(&["umount", dir].map(OsStr::new)));
    looked.unwrap();
}

#[test]
fn a_link_is_followed_and_a_loop_is_named() {
    let fleet = Fleet::new();
    std::fs::rename(fleet.hub("trust.pem"), fleet.hub("real.pem")).unwrap();
    std::os::unix::fs::symlink("real.pem", fleet.hub("trust.pem")).unwrap();
    fleet
        .check("scan", 0, &["hub:/srv/hub/real.pem"])
        .check("plan", 0, &["proof: "]);
    std::fs::remove_file(fleet.hub("trust.pem")).unwrap();
    std::os::unix::fs::symlink("trust.pem", fleet.hub("trust.pem")).unwrap();
    let says = [
        "hub:/srv/hub/trust.pem: cannot read ",
        "symbolic links",
        "store `ca` of `hub`",
    ];
    fleet.check("scan", 0, &says).check("plan", 1, &says);
}

#[test]
fn pipes_devices_and_loops_are_passed_by_under_scan() {
    let fleet = Fleet::new();
    assert!(program(&[
        OsStr::new("mkfifo"),
        fleet.hub("pipe.pem").as_os_str()
    ]));
    std::os::unix::fs::symlink("loop.pem", fleet.hub("loop.pem")).unwrap();
    std::os::unix::fs::symlink(".", fleet.hub("here")).unwrap();
    let device = fleet.hub("device.pem");
    let words = ["mknod", device.to_str().unwrap(), "c", "1", "5"].map(OsStr::new);
    if !program(&words) {
        println!("SKIPPED: no right to make a device");
    }
    let _socket = std::os::unix::net::UnixListener::bind(fleet.hub("socket.pem")).unwrap();
    fleet
        .check("scan", 0, &["2 components, 4 stores"])
        .check("plan", 0, &["proof: 4 trust edges"]);
}

#[test]
fn a_pipe_in_the_place_of_a_store_is_named() {
    let fleet = Fleet::new();
    std::fs::remove_file(fleet.hub("id.pem")).unwrap();
    assert!(program(&[OsStr::new("mkfifo"), fleet.hub("id.pem").as_os_str()]));
    let says = [
        "hub:/srv/hub/id.pem: ",
        "not a regular file",
        "store `id` of `hub`",
    ];
    fleet.check("scan", 0, &says).check("plan", 1, &says);
}

#[test]
fn a_name_that_is_no_utf8_is_said_and_passed_by() {
    let fleet = Fleet::new();
    std::fs::copy(
        fleet.hub("id.pem"),
        fleet.hub("").join(OsStr::from_bytes(b"a\xffb.pem")),
    )
    .unwrap();
    let says = ["warning: hub:/srv/hub/a\u{fffd}b.pem: the name is not UTF-8"];
    fleet.check("scan", 0, &says).check("plan", 0, &["proof: "]);
}

#[test]
fn control_characters_in_a_name_are_escaped() {
    let fleet = Fleet::new();
    std::fs::write(
        fleet.hub("a\n\u{1b}[31m\u{202e}.pem"),
        "-----BEGIN CERTIFICATE-----\n",
    )
    .unwrap();
    let ran = fleet.run("scan --json");
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    fleet.check("scan", 0, &["1 more stores"]);
    let later = fleet.hub("b\n\u{1b}[31m.pem");
    std::fs::write(&later, "-----BEGIN CERTIFICATE-----\n").unwrap();
    fleet.check(
        "scan",
        0,
        &["new since the last scan: hub:/srv/hub/b\\n\\u{1b}[31m.pem"],
    );
}

#[test]
fn what_the_user_may_not_read_or_replace_is_named() {
    let fleet = Fleet::new();
    let nobody = 65_534;
    let chmod = |name: &str, mode: u32| {
        std::fs::set_permissions(fleet.hub(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    if is_root() {
        let owner = format!("{nobody}:{nobody}");
        let words = ["chown", "-R", &owner, fleet.dir.path().to_str().unwrap()].map(OsStr::new);
        assert!(program(&words));
    }
    let as_user = |words: &[&str]| {
        let mut command = capgrow(fleet.dir.path());
        if is_root() {
            command.uid(nobody).gid(nobody);
        }
        command.args(words);
        // The test's own build directory may be closed to that user.
        command.output().ok().map(|_| run(&mut command))
    };
    let Some(fine) = as_user(&["scan"]) else {
        println!("SKIPPED: the binary cannot be run as another user");
        return;
    };
    assert_eq!(fine.code, 0, "{}", fine.stderr);
    std::fs::create_dir(fleet.hub("closed")).unwrap();
    let before = fleet.tree();

    chmod("", 0o500);
    let ran = as_user(&["scan"]).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = as_user(&["plan"]).unwrap();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("/srv/hub"), "{}", ran.stdout);
    chmod("", 0o755);

    if is_root() {
        std::os::unix::fs::chown(fleet.hub("trust.pem"), Some(12_345), None).unwrap();
        let ran = as_user(&["plan"]).unwrap();
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        let says = "no right to give a new /srv/hub/trust.pem its owner 12345";
        assert!(ran.stdout.contains(says), "{}", ran.stdout);
        std::os::unix::fs::chown(fleet.hub("trust.pem"), Some(nobody), None).unwrap();
    } else {
        println!("SKIPPED: no right to give a file away");
    }

    chmod("closed", 0o000);
    chmod("id.pem", 0o000);
    let ran = as_user(&["scan"]).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for text in [
        "error: hub:/srv/hub/id.pem: cannot read /srv/hub/id.pem: Permission denied",
        "warning: hub:/srv/hub/closed: the directory cannot be read: Permission denied",
    ] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
    let ran = as_user(&["plan"]).unwrap();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Permission denied"), "{}", ran.stdout);
    chmod("id.pem", 0o600);
    chmod("closed", 0o755);
    assert!(before == fleet.tree());
}
