use super::*;

/// Carries splices out as the scripts do.
fn spliced(old: &str, splices: &[Splice]) -> String {
    let mut lines: Vec<String> = old
        .trim_end_matches('\n')
        .split('\n')
        .map(str::to_owned)
        .collect();
    for splice in splices {
        match splice {
            Splice::After(at, new) => {
                lines.splice(*at..*at, new.iter().cloned());
            }
            Splice::Within(line, column, count, text) => {
                lines[line - 1].replace_range(*column..column + count, text);
            }
            Splice::Without(from, count) => {
                lines.drain(from - 1..from - 1 + count);
            }
        }
    }
    lines.join("\n") + "\n"
}

#[track_caller]
fn check(old: &str, new: &str, want: usize) {
    let found = splices(old.as_bytes(), new.as_bytes());
    assert_eq!(found.len(), want, "{found:?}");
    assert_eq!(spliced(old, &found), new, "{found:?}");
}

#[test]
fn an_edit_is_told_by_its_place() {
    check("a\nb=1\nc\n", "a\nb=2\nc\n", 1);
    check("a\nb=1\nc\nd=1\n", "a\nb=22\nc\nd=\n", 2);
    check("a\nc\n", "a\nb\nc\n", 1);
    check("a\nb\nc\n", "a\nc\n", 1);
    check("a\nb\nc\nd\n", "a\nx\nd\n", 2);
    check("a\n", "a\nz\n", 1);
    check("a\n", "a\n", 0);
}

#[test]
fn what_stands_beside_an_edit_is_not_told() {
    let found = splices(
        b"<ssl password=\"{xor}secret\" keyAlias=\"a\"/>\n",
        b"<ssl password=\"{xor}secret\" keyAlias=\"b\"/>\n",
    );
    assert!(!format!("{found:?}").contains("secret"), "{found:?}");
}
