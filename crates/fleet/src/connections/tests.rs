use super::far_end;

#[track_caller]
fn check(line: &str, want: Option<&str>) {
    let far = far_end(line).map(|at| at.to_string());
    assert_eq!(far.as_deref(), want, "{line}");
}

#[test]
fn the_far_end_is_that_of_an_established_connection_in_either_family() {
    check(
        "   0: 0A00000A:C350 0900000A:7A6C 01 00000000:00000000 00:00000000",
        Some("10.0.0.9:31340"),
    );
    // A listener, and a connection that is being closed.
    check("   1: 00000000:7A6C 00000000:0000 0A 00000000:00000000", None);
    check("   2: 0A00000A:C350 0900000A:7A6C 06 00000000:00000000", None);
    check(
        "   0: B80D0120000000000000000001000000:C350 B80D0120000000000000000002000000:01BB 01 0:0",
        Some("[2001:db8::2]:443"),
    );
    // An address of the older family within the newer.
    check(
        "   0: 0000000000000000FFFF00000A00000A:C350 0000000000000000FFFF00000900000A:01BB 01 0:0",
        Some("10.0.0.9:443"),
    );
}

#[test]
fn what_is_no_line_of_such_a_table_says_nothing() {
    for line in [
        "",
        "  sl  local_address rem_address   st",
        "0: x y:z 01",
        "0: 1 é12345678:1 01",
        "0: 1 00000000: 01",
    ] {
        check(line, None);
    }
}
