use super::Dn;

#[test]
fn one_name_in_the_words_of_five_tools_is_one_name() {
    let keytool = Dn::parse("CN=qm a, OU=MQ, O=Acme, C=GB");
    for other in [
        "\"CN=QM A,OU=MQ,O=Acme,C=GB\"",
        "C = GB, O = Acme, OU = MQ, CN = qm a",
        "/C=GB/O=Acme/OU=MQ/CN=qm a",
        "CN=qm a.OU=MQ.O=Acme.C=GB",
        "C=GB, O=Acme, OU=MQ, CN=qm  a",
    ] {
        assert!(keytool.same(&Dn::parse(other)), "{other}");
    }
    assert!(!keytool.same(&Dn::parse("CN=qm b, OU=MQ, O=Acme, C=GB")));
    assert!(!Dn::parse("").same(&Dn::parse("")));
    assert_eq!(Dn::parse("CN=a.example.com").common_name(), Some("a.example.com"));
    assert_eq!(Dn::parse("CN=a,O=Acme\\, Inc,C=GB").value("o"), Some("acme, inc"));
}
