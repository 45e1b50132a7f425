//! Texts that name servers, and texts that do not.

use super::*;

#[track_caller]
fn check(text: &str, want: &str) {
    let shown = match Target::parse(text) {
        Ok(target) => format!(
            "{target} {}",
            target.starttls.map_or("direct", |protocol| protocol.name())
        ),
        Err(error) => error.to_string(),
    };
    assert_eq!(shown, want);
}

#[test]
fn a_target_is_read_as_a_person_writes_it() {
    check("mdm1:31116", "mdm1:31116 direct");
    check("[::1]:443", "[::1]:443 direct");
    check("https://mdm1/console", "mdm1:443 direct");
    check("https://[2001:db8::1]/", "[2001:db8::1]:443 direct");
    check("mail:25", "mail:25 smtp");
    check("tls://mail:25", "mail:25 direct");
    check("postgres://db", "db:5432 postgres");
    check("ldap://dir:3890", "dir:3890 ldap");
    check("ldaps://dir", "dir:636 direct");
}

#[test]
fn what_is_missing_is_said() {
    check("mdm1", "mdm1: no port");
    check("::1", "::1: no port");
    check(":443", ":443: no host");
    check("mdm1:0", "mdm1:0: 0 is no port");
    check("mdm1:https", "mdm1:https: https is no port");
    check("gopher://x", "gopher://x: unknown scheme gopher");
}
