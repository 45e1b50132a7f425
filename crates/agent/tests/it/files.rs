use agent::os::OsMachine;
use exec::digest::Sha256;
use exec::journal::{Journal, RunId};
use exec::machine::{Attributes, Kind, Machine, Obstacle, Over, Owner, Timestamp};
use exec::replace::{AttributeSource, Change, FileSet, ReplaceError, apply, reverse};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A host below a root, and the directory of a fleet beside it.
struct Place {
    _dir: TempDir,
    root: PathBuf,
    runs: PathBuf,
}

fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let real = dir.path().canonicalize().unwrap();
    let (root, runs) = (real.join("root"), real.join("runs"));
    fs::create_dir_all(root.join("srv")).unwrap();
    fs::create_dir(&runs).unwrap();
    Place {
        _dir: dir,
        root,
        runs,
    }
}

impl Place {
    fn host(&self) -> OsMachine {
        OsMachine::new(Some(self.root.clone()))
    }

    fn real(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn obstacles(&self, path: &str) -> Vec<Obstacle> {
        self.host().preflight(Path::new(path), 1000)
    }
}

fn change(path: &str, old: &[u8], new: &[u8]) -> FileSet {
    let replace = Change::Replace {
        path: path.into(),
        expected: Sha256::of(old),
        bytes: new.to_vec(),
        attributes: AttributeSource::Original,
    };
    FileSet {
        step: "s".into(),
        host: "h".into(),
        changes: vec![replace],
        reverses: None,
    }
}

/// Everything of a file that a manifest would show.
fn manifest(machine: &OsMachine, path: &str) -> (Attributes, Vec<u8>) {
    let path = Path::new(path);
    (
        machine.look(path).unwrap().unwrap().attributes,
        machine.read(path, 1 << 20).unwrap(),
    )
}

#[test]
fn a_replacement_keeps_mode_owner_and_xattrs_and_its_undo_restores_the_time_too() {
    let place = place();
    let (own, host) = (OsMachine::new(None), place.host());
    let file = place.real("/srv/key.pem");
    fs::write(&file, b"old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(1234), Some(2345)).unwrap();
    } else {
        println!("SKIPPED: another owner, which only root can give");
    }
    match rustix::fs::setxattr(&file, "user.note", b"kept", rustix::fs::XattrFlags::empty()) {
        Ok(()) => {}
        Err(errno) => println!("SKIPPED: extended attributes are not supported here: {errno}"),
    }
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    let before = manifest(&host, "/srv/key.pem");
    let mut journal = Journal::create(&own, &place.runs, RunId::parse("r1").unwrap()).unwrap();
    let set = apply(&host, &mut journal, &change("/srv/key.pem", b"old", b"new bytes")).unwrap();
    let (attributes, bytes) = manifest(&host, "/srv/key.pem");
    assert_eq!(bytes, b"new bytes");
    assert!(attributes.same_access(&before.0), "{attributes:?} {before:?}");
    assert_ne!(attributes.mtime, before.0.mtime);
    let back = reverse(&journal, set).unwrap();
    apply(&host, &mut journal, &back).unwrap();
    assert_eq!(manifest(&host, "/srv/key.pem"), before);
    assert_eq!(
        fs::read_dir(place.real("/srv")).unwrap().count(),
        1,
        "nothing of ours is left"
    );
    let backups = fs::read_dir(place.runs.join("r1/backups")).unwrap();
    for backup in backups {
        assert_eq!(backup.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    }
    assert_eq!(place.runs.join("r1").metadata().unwrap().mode() & 0o777, 0o700);
}

#[test]
fn an_acl_is_kept_and_one_inherited_from_the_directory_is_not() {
    let place = place();
    let (own, host) = (OsMachine::new(None), place.host());
    let (with, without) = (place.real("/srv/with"), place.real("/srv/without"));
    fs::write(&with, b"old").unwrap();
    fs::write(&without, b"old").unwrap();
    for file in [&with, &without] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o640)).unwrap();
    }
    let acl = acl(4242);
    let flags = rustix::fs::XattrFlags::empty();
    if let Err(errno) = rustix::fs::setxattr(&with, "system.posix_acl_access", &acl, flags) {
        println!("SKIPPED: no ACLs here: {errno}");
        return;
    }
    rustix::fs::setxattr(place.real("/srv"), "system.posix_acl_default", &acl, flags).unwrap();
    let (before_with, before_without) = (manifest(&host, "/srv/with"), manifest(&host, "/srv/without"));
    assert!(
        before_with
            .0
            .xattrs
            .contains_key(b"system.posix_acl_access".as_slice())
    );
    let mut journal = Journal::create(&own, &place.runs, RunId::parse("r1").unwrap()).unwrap();
    apply(&host, &mut journal, &change("/srv/with", b"old", b"new")).unwrap();
    apply(&host, &mut journal, &change("/srv/without", b"old", b"new")).unwrap();
    assert!(manifest(&host, "/srv/with").0.same_access(&before_with.0));
    let found = manifest(&host, "/srv/without").0;
    assert!(found.same_access(&before_without.0), "{found:?}");
}

/// linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each entry. The owning group has nothing, one
/// named user may read, the mask lets it.
fn acl(uid: u32) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (1_u16, 6_u16, u32::MAX),
        (2, 4, uid),
        (4, 0, u32::MAX),
        (16, 4, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

#[test]
fn a_store_behind_a_link_is_replaced_at_its_target_and_the_link_stays() {
    let place = place();
    let (own, host) = (OsMachine::new(None), place.host());
    fs::create_dir_all(place.real("/data/real")).unwrap();
    fs::write(place.real("/data/real/store"), b"old").unwrap();
    // Absolute inside the root, through a linked directory, and spelled with the root itself.
    symlink("/data/real", place.real("/data/link")).unwrap();
    symlink("../data/link/store", place.real("/srv/store")).unwrap();
    symlink(place.real("/srv/store"), place.real("/srv/outer")).unwrap();
    let mut journal = Journal::create(&own, &place.runs, RunId::parse("r1").unwrap()).unwrap();
    let set = apply(&host, &mut journal, &change("/srv/outer", b"old", b"new")).unwrap();
    assert_eq!(fs::read(place.real("/data/real/store")).unwrap(), b"new");
    assert_eq!(
        host.look(Path::new("/srv/store")).unwrap().unwrap().kind,
        Kind::Link
    );
    assert_eq!(
        journal.intent(set).unwrap().changes[0].path,
        Path::new("/data/real/store")
    );
    assert!(
        host.read(Path::new("/data/link/store"), 10).is_err(),
        "no verb but resolve follows a link"
    );
    assert!(host.look(Path::new("/data/link/store")).is_err());
}

#[test]
fn a_link_cannot_lead_out_of_the_root_nor_round_in_circles() {
    let place = place();
    let host = place.host();
    fs::write(place.runs.join("outside"), b"x").unwrap();
    symlink("../../../runs/outside", place.real("/srv/out")).unwrap();
    assert_eq!(
        host.resolve(Path::new("/srv/out")).unwrap_err().reason.kind,
        std::io::ErrorKind::NotFound
    );
    symlink("b", place.real("/srv/a")).unwrap();
    symlink("a", place.real("/srv/b")).unwrap();
    assert!(host.resolve(Path::new("/srv/a")).is_err());
    assert!(host.read(Path::new("/srv/../../runs/outside"), 10).is_err());
}

#[test]
fn drift_is_refused_and_a_new_file_never_replaces_one() {
    let place = place();
    let (own, host) = (OsMachine::new(None), place.host());
    fs::write(place.real("/srv/a"), b"theirs").unwrap();
    let mut journal = Journal::create(&own, &place.runs, RunId::parse("r1").unwrap()).unwrap();
    let error = apply(&host, &mut journal, &change("/srv/a", b"old", b"new")).unwrap_err();
    assert!(matches!(error, ReplaceError::Drift { .. }), "{error:?}");
    let error = apply(&host, &mut journal, &change("/srv/missing", b"old", b"new")).unwrap_err();
    assert!(matches!(error, ReplaceError::Drift { .. }), "{error:?}");
    host.write_new(Path::new("/srv/b"), b"mine", &Attributes::private())
        .unwrap();
    assert!(
        host.write_new(Path::new("/srv/b"), b"", &Attributes::private())
            .is_err()
    );
    let error = host
        .rename(Path::new("/srv/b"), Path::new("/srv/a"), Over::Nothing)
        .unwrap_err();
    assert_eq!(error.reason.kind, std::io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(place.real("/srv/a")).unwrap(), b"theirs");
}

#[test]
fn a_new_file_has_exactly_the_attributes_that_were_asked_for() {
    let place = place();
    let host = place.host();
    let me = Owner {
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
    };
    let mtime = Some(Timestamp {
        seconds: 86_400,
        nanoseconds: 123_456_789,
    });
    for mode in [0o600, 0o644, 0o666, 0o440] {
        let wanted = Attributes {
            mode,
            owner: Some(me),
            mtime,
            ..Attributes::private()
        };
        let path = format!("/srv/{mode:o}");
        host.write_new(Path::new(&path), b"x", &wanted).unwrap();
        assert_eq!(manifest(&host, &path).0, wanted);
    }
    host.mkdir(
        Path::new("/srv/d"),
        &Attributes {
            mode: 0o775,
            ..Attributes::private()
        },
    )
    .unwrap();
    assert_eq!(
        host.look(Path::new("/srv/d")).unwrap().unwrap().attributes.mode,
        0o775
    );
}

#[test]
fn nothing_stands_in_the_way_of_an_ordinary_file() {
    let place = place();
    fs::write(place.real("/srv/a"), b"old").unwrap();
    assert_eq!(place.obstacles("/srv/a"), []);
    assert_eq!(place.obstacles("/srv/new"), []);
}

#[test]
fn hard_links_directories_and_missing_places_are_found_before() {
    let place = place();
    fs::write(place.real("/srv/a"), b"old").unwrap();
    fs::hard_link(place.real("/srv/a"), place.real("/srv/b")).unwrap();
    assert_eq!(
        place.obstacles("/srv/a"),
        [Obstacle::HardLink {
            path: "/srv/a".into(),
            links: 2
        }]
    );
    assert_eq!(
        place.obstacles("/srv"),
        [Obstacle::NotAFile { path: "/srv".into() }]
    );
    assert_eq!(
        place.obstacles("/no/a"),
        [Obstacle::NoDirectory { path: "/no".into() }]
    );
    let huge = place.host().preflight(Path::new("/srv/new"), 1 << 60);
    assert!(matches!(huge.as_slice(), [Obstacle::NoSpace { .. }]), "{huge:?}");
    let status = Command::new("mkfifo")
        .arg(place.real("/srv/fifo"))
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(
        place.obstacles("/srv/fifo"),
        [Obstacle::NotAFile {
            path: "/srv/fifo".into()
        }]
    );
    assert!(
        place.host().read(Path::new("/srv/fifo"), 10).is_err(),
        "a pipe does not block"
    );
}

/// Runs a command that needs rights; whether it could.
fn could(command: &[&str], path: &Path) -> bool {
    let status = Command::new(command[0]).args(&command[1..]).arg(path).output();
    let could = status.is_ok_and(|output| output.status.success());
    if !could {
        println!("SKIPPED: {command:?} does not work here");
    }
    could
}

#[test]
fn immutable_files_and_directories_are_found_before() {
    let place = place();
    let file = place.real("/srv/a");
    fs::write(&file, b"old").unwrap();
    if !could(&["chattr", "+i"], &file) {
        return;
    }
    let found = place.obstacles("/srv/a");
    assert!(could(&["chattr", "-i"], &file));
    assert_eq!(
        found,
        [Obstacle::Immutable {
            path: "/srv/a".into()
        }]
    );
    assert!(could(&["chattr", "+i"], &place.real("/srv")));
    let found = place.obstacles("/srv/a");
    assert!(could(&["chattr", "-i"], &place.real("/srv")));
    assert!(
        found.contains(&Obstacle::Immutable { path: "/srv".into() }),
        "{found:?}"
    );
}

#[test]
fn mount_points_and_read_only_filesystems_are_found_before() {
    let place = place();
    let (file, other, dir) = (place.real("/srv/a"), place.real("/srv/b"), place.real("/ro"));
    fs::write(&file, b"old").unwrap();
    fs::write(&other, b"other").unwrap();
    fs::create_dir(&dir).unwrap();
    if could(&["mount", "--bind", other.to_str().unwrap()], &file) {
        let found = place.obstacles("/srv/a");
        assert!(could(&["umount"], &file));
        assert_eq!(
            found,
            [Obstacle::Mount {
                path: "/srv/a".into()
            }]
        );
    }
    if could(&["mount", "-t", "tmpfs", "-o", "ro", "none"], &dir) {
        let found = place.obstacles("/ro/a");
        assert!(could(&["umount"], &dir));
        assert_eq!(found, [Obstacle::ReadOnlyFilesystem { path: "/ro".into() }]);
    }
}

#[test]
fn a_full_filesystem_leaves_every_file_as_it_was() {
    let place = place();
    let (own, host) = (OsMachine::new(None), place.host());
    let dir = place.real("/small");
    fs::create_dir(&dir).unwrap();
    if !could(&["mount", "-t", "tmpfs", "-o", "size=64k", "none"], &dir) {
        return;
    }
    fs::write(dir.join("a"), b"old").unwrap();
    let found = place.host().preflight(Path::new("/small/a"), 100_000);
    let mut journal = Journal::create(&own, &place.runs, RunId::parse("r1").unwrap()).unwrap();
    let outcome = apply(&host, &mut journal, &change("/small/a", b"old", &[7; 100_000]));
    let (bytes, names) = (
        fs::read(dir.join("a")).unwrap(),
        fs::read_dir(&dir).unwrap().count(),
    );
    assert!(could(&["umount"], &dir));
    assert!(
        matches!(found.as_slice(), [Obstacle::NoSpace { .. }]),
        "{found:?}"
    );
    assert!(matches!(outcome, Err(ReplaceError::Io(_))), "{outcome:?}");
    assert_eq!((bytes.as_slice(), names), (b"old".as_slice(), 1));
    assert!(journal.unfinished().is_empty());
}
