use keystore::Name;

use super::{encode, show};
use crate::keytool::fault::Stop;

#[track_caller]
fn check(typed: &str, shown: &str) {
    let text = match encode(typed) {
        Ok(der) => show(&Name::parse(&der, 0).unwrap()),
        Err(Stop::Fault(fault)) => fault.to_string(),
        Err(Stop::Usage) => "usage".to_owned(),
    };
    assert_eq!(text, shown, "{typed}");
}

#[test]
fn names_come_back_as_java_prints_them() {
    check("cn=a,OU = b ; o=c", "CN=a, OU=b, O=c");
    check("CN=\"a, b\",C=DE", "CN=\"a, b\", C=DE");
    check("CN=a\\, b", "CN=\"a, b\"");
    check("CN=a  b", "CN=\"a  b\"");
    check("CN=a+OU=b", "CN=a + OU=b");
    check(
        "OID.1.2.3=x,2.5.4.46=q,emailAddress=a@b",
        "OID.1.2.3=x, DNQ=q, EMAILADDRESS=a@b",
    );
    check("CN=\\C3\\BC", "CN=\u{fc}");
    check("", "");
}

#[test]
fn what_is_no_name_is_said_as_java_says_it() {
    check("foo", "java.io.IOException: Incorrect AVA format");
    check("XX=foo", "java.io.IOException: Invalid keyword \"XX\"");
    check(
        "CN=\"a",
        "java.io.IOException: Quoted string did not end in quote",
    );
    check("CN=a,", "java.io.IOException: empty AVA in RDN \"\"");
    check(
        "CN=a\\q",
        "java.io.IOException: Invalid escaped character in AVA: 'q'",
    );
    check("CN=a\\", "java.io.IOException: Invalid trailing backslash");
    check("CN=#zz", "java.io.IOException: AVA parse, invalid hex digit: z");
}
