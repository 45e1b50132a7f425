use super::*;

const TEXT: &str = "IBM Workload Automation banner
CPUNAME /F/MDM1
  DESCRIPTION \"the END of it\"
  OS UNIX
  NODE mdm1.example TCPADDR 31111
  SECUREADDR 31113
  DOMAIN MASTERDM
  FOR MAESTRO
    TYPE MANAGER
    AUTOLINK ON
    NEWTHING zz
    SECURITYLEVEL force-enabled
    FULLSTATUS ON
END

cpuname FTA1\r
  os unix\r
  node 127.0.0.9\r
  tcpaddr 31111\r
  domain DM1DOM\r
  for maestro\r
    type fta\r
    fullstatus off\r
end\r

CPUNAME DA1 OS UNIX NODE da1 SECUREADDR 31114 FOR MAESTRO HOST /F/MDM1_DWB TYPE AGENT PROTOCOL HTTPS END
DOMAIN MASTERDM MANAGER /F/MDM1 END
DOMAIN DM1DOM
  MANAGER DM1
  PARENT MASTERDM
END
";

#[test]
fn workstations_and_domains_are_read_in_any_layout() {
    let all = Definitions::parse(TEXT).unwrap();
    let names: Vec<&str> = all.workstations.iter().map(|seen| seen.name.as_str()).collect();
    assert_eq!(names, ["MDM1", "FTA1", "DA1"]);
    let mdm = all.workstation("mdm1").unwrap();
    assert_eq!(
        (mdm.node.as_deref(), mdm.secure_port, mdm.full_status),
        (Some("mdm1.example"), Some(31113), true)
    );
    assert_eq!(
        (mdm.kind.as_str(), mdm.security_level.as_deref()),
        ("MANAGER", Some("FORCE_ENABLED"))
    );
    let agent = all.workstation("DA1").unwrap();
    assert_eq!(
        (agent.kind.as_str(), agent.hosted_by.as_deref()),
        ("AGENT", Some("MDM1_DWB"))
    );
    assert_eq!(all.master_domain().as_deref(), Some("MASTERDM"));
    assert_eq!(all.manager("MASTERDM").unwrap().name, "MDM1");
    assert_eq!(all.domain("dm1dom").unwrap().parent.as_deref(), Some("MASTERDM"));
}

#[test]
fn the_text_is_written_as_it_was_read() {
    assert_eq!(Definitions::parse(TEXT).unwrap().text(), TEXT);
}

#[test]
fn only_missing_security_attributes_are_added() {
    let all = Definitions::parse(TEXT).unwrap();
    assert_eq!(all.with_security("MDM1", 31113, "FORCE_ENABLED"), None);
    let want = "cpuname FTA1\r\n  os unix\r\n  node 127.0.0.9\r\n  tcpaddr 31111\r\n  SECUREADDR 31113\r\n  domain DM1DOM\r\n  for maestro\r\n    type fta\r\n    SECURITYLEVEL FORCE_ENABLED\r\n    fullstatus off\r\nend\n";
    let text = all.with_security("fta1", 31113, "FORCE_ENABLED").unwrap();
    assert_eq!(text, want);
    let again = Definitions::parse(&text).unwrap();
    let seen = again.workstation("FTA1").unwrap();
    assert_eq!(
        (seen.secure_port, seen.security_level.as_deref()),
        (Some(31113), Some("FORCE_ENABLED"))
    );
}

#[test]
fn a_broken_definition_is_named_with_its_line() {
    let open = Definitions::parse("\nCPUNAME A\n OS UNIX\nCPUNAME B END").unwrap_err();
    assert_eq!(open.to_string(), "line 2: A has no END");
    let port = Definitions::parse("CPUNAME A OS UNIX\nTCPADDR x END").unwrap_err();
    assert_eq!(port.to_string(), "line 2: x is no port");
    assert_eq!(
        Definitions::parse("CPUNAME").unwrap_err().to_string(),
        "line 1: a definition without a name"
    );
}
