use super::*;
use expect_test::{Expect, expect};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// The journal of two records, changed by `damage`, and what reading says.
#[track_caller]
fn check(damage: impl Fn(&mut Vec<u8>), want: Expect) {
    let mut bytes = MAGIC.to_vec();
    let mut last = Sha256::of(MAGIC);
    for reason in ["first", "second"] {
        let record = Record::Stopped {
            reason: reason.into(),
            at: Timestamp {
                seconds: 1,
                nanoseconds: 0,
            },
        };
        let (frame, checksum) = frame(bytes.len() as u64, &last, &log::encode(&record));
        bytes.extend(frame);
        last = checksum;
    }
    damage(&mut bytes);
    let said = match parse(&bytes) {
        Ok(parsed) => format!(
            "{} records, {} of {} bytes",
            parsed.records.len(),
            parsed.end_bytes,
            bytes.len()
        ),
        Err(error) => error.to_string(),
    };
    want.assert_eq(&said);
}

#[test]
fn a_whole_journal_is_read_to_its_end() {
    check(|_| {}, expect!["2 records, 249 of 249 bytes"]);
}

#[test]
fn a_torn_tail_is_left_out() {
    check(
        |bytes| bytes.truncate(248),
        expect!["1 records, 132 of 248 bytes"],
    );
    check(
        |bytes| bytes.truncate(142),
        expect!["1 records, 132 of 142 bytes"],
    );
    check(
        |bytes| bytes[132..].fill(0),
        expect!["1 records, 132 of 249 bytes"],
    );
    check(
        |bytes| bytes[182..].fill(0),
        expect!["1 records, 132 of 249 bytes"],
    );
    check(|bytes| bytes.truncate(7), expect!["0 records, 0 of 7 bytes"]);
    check(|bytes| bytes.clear(), expect!["0 records, 0 of 0 bytes"]);
}

#[test]
fn a_damaged_record_before_a_whole_one_is_an_error_with_its_offset() {
    let want = expect![
        "journal record at byte 16 is damaged: it does not fit its checksum, and whole records follow"
    ];
    check(|bytes| bytes[90] ^= 1, want);
    let want = expect![
        "journal record at byte 16 is damaged: it does not fit its checksum, and whole records follow"
    ];
    check(|bytes| bytes[16..20].fill(0), want);
    let want = expect!["journal record at byte 0 is damaged: the first bytes are not those of a journal"];
    check(|bytes| bytes[3] ^= 1, want);
}

#[test]
fn a_record_moved_to_another_place_is_not_accepted() {
    let swap = |bytes: &mut Vec<u8>| {
        let second = bytes.split_off(132);
        bytes.truncate(16);
        bytes.extend(second);
    };
    check(swap, expect!["0 records, 16 of 133 bytes"]);
}

#[test]
fn a_record_that_names_another_parent_is_not_accepted() {
    let exchange = |bytes: &mut Vec<u8>| {
        let record = Record::Stopped {
            reason: "other".into(),
            at: Timestamp {
                seconds: 1,
                nanoseconds: 0,
            },
        };
        let (first, _) = frame(16, &Sha256::of(MAGIC), &log::encode(&record));
        assert_eq!(first.len(), 132 - 16);
        bytes[16..132].copy_from_slice(&first);
    };
    check(
        exchange,
        expect!["journal record at byte 132 is damaged: it does not name the record before it"],
    );
}

#[test]
fn a_journal_of_another_version_is_not_taken_for_a_torn_one() {
    check(
        |bytes| bytes[15] = b'1',
        expect!["journal record at byte 0 is damaged: another version of capgrow wrote it"],
    );
}

#[test]
fn every_record_is_read_as_it_was_written() {
    let attributes = Attributes {
        mode: 0o640,
        owner: Some(crate::machine::Owner { uid: 7, gid: 8 }),
        mtime: Some(Timestamp {
            seconds: -5,
            nanoseconds: 999_999_999,
        }),
        xattrs: [(b"user.\xff".to_vec(), vec![0, 1])].into(),
    };
    let file = log::State::File {
        sha256: Sha256::of(b"x"),
        attributes: attributes.clone(),
    };
    let odd = PathBuf::from(OsString::from_vec(b"/srv/\xfe".to_vec()));
    let changes = vec![
        log::Intended {
            path: odd.clone(),
            named: "/srv/a".into(),
            before: log::State::Absent,
            after: file.clone(),
            backup: None,
        },
        log::Intended {
            path: "/srv/b".into(),
            named: "/srv/b".into(),
            before: file,
            after: log::State::Directory { attributes },
            backup: Some("1-1".into()),
        },
    ];
    let at = Timestamp {
        seconds: 3,
        nanoseconds: 4,
    };
    let reverses = Some(SetId(9));
    let intent = Intent {
        set: SetId(1),
        step: "s".into(),
        host: "h".into(),
        reverses,
        changes,
        at,
    };
    for record in [
        Record::Intent(intent),
        Record::RolledBack {
            set: SetId(1),
            kept: vec![odd],
            at,
        },
    ] {
        assert_eq!(log::decode(&log::encode(&record)), Ok(record));
    }
}
