use super::*;

#[track_caller]
fn check(text: &str, want: &str) {
    let der = encode(text).unwrap();
    assert_eq!(Name::parse(&der, 0).unwrap().to_string(), want);
}

#[track_caller]
fn same(left: &[u8], right: &[u8]) -> bool {
    Name::parse(left, 0)
        .unwrap()
        .is_same(&Name::parse(right, 0).unwrap())
}

fn single(tag: u8, value: &[u8]) -> Vec<u8> {
    let attribute = der::write_sequence(&[&der::write_oid(oid::COMMON_NAME), &der::write(tag, &[value])]);
    der::write_sequence(&[&der::write_set_of(vec![attribute])])
}

#[test]
fn text_goes_round() {
    check("CN=Server,OU=TWS,O=IBM,C=US", "CN=Server,OU=TWS,O=IBM,C=US");
    check("CN=Server, OU=TWS, O=IBM, C=US", "CN=Server,OU=TWS,O=IBM,C=US");
    check(r"CN=a\,b\+c\\d,O=\ x\ ", r"CN=a\,b\+c\\d,O=\ x\ ");
    check("CN=\"a, b\"", r"CN=a\, b");
    check(r"CN=Pr\C3\BCfstelle", "CN=Prüfstelle");
    check("CN=a+OU=b,DC=example", "CN=a+OU=b,DC=example");
    check("E=x@y.example", "emailAddress=x@y.example");
    check("", "");
}

#[test]
fn text_that_is_no_name_is_refused() {
    for text in ["Server", "XX=1", "CN=a,", "CN=\"a", r"CN=a\4", "C=Ü", r"CN=\FF"] {
        assert!(encode(text).is_err(), "{text}");
    }
}

#[test]
fn control_characters_stay_as_they_are() {
    let der = single(tag::UTF8_STRING, b"a\x1b[31m\nb");
    assert_eq!(Name::parse(&der, 0).unwrap().to_string(), "CN=a\u{1b}[31m\nb");
}

#[test]
fn every_string_type_has_a_text() {
    for (tag, value) in [
        (tag::TELETEX_STRING, b"\xdcb".as_slice()),
        (tag::BMP_STRING, b"\0\xdc\0b"),
        (tag::UNIVERSAL_STRING, b"\0\0\0\xdc\0\0\0b"),
        (tag::PRINTABLE_STRING, b"\xdcb"),
        (tag::UTF8_STRING, "Üb".as_bytes()),
    ] {
        let der = single(tag, value);
        assert_eq!(Name::parse(&der, 0).unwrap().to_string(), "CN=Üb", "{tag:#x}");
    }
}

#[test]
fn names_are_the_same_across_case_blanks_and_string_types() {
    let name = single(tag::UTF8_STRING, b"Big  Root ");
    assert!(same(&name, &single(tag::PRINTABLE_STRING, b"big root")));
    assert!(same(&name, &single(tag::BMP_STRING, b"\0B\0I\0G\0 \0R\0O\0O\0T")));
    assert!(!same(&name, &single(tag::UTF8_STRING, b"bigroot")));
    let two = encode("CN=a,O=b").unwrap();
    assert!(!same(&two, &encode("O=b,CN=a").unwrap()));
    assert!(!same(&two, &encode("CN=a+O=b").unwrap()));
    assert!(same(&encode("CN=a+O=b").unwrap(), &encode("O=B+CN=A").unwrap()));
}
