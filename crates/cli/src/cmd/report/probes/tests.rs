//! Records in a directory become one section, oldest first for each server.

use super::*;

#[test]
fn records_of_before_and_after_stand_below_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let record = |name: &str, at: &str, leaf: &str, severity: &str| {
        let text = format!(
            r#"{{"version":1,"command":"probe","findings":[{{"target":"a:1","rule":"P-46","title":"expired",
            "severity":"{severity}","evidence":[{{"text":"ended"}}]}}],"targets":[{{"target":"a:1","at":"{at}",
            "versions":[{{"version":"TLSv1.3","spoken":true}},{{"version":"TLSv1.2","spoken":false}}],
            "chains":[{{"certificates":[{{"subject":"CN=a|b","not_after":"2027-01-01T00:00:00Z","sha256":"{leaf}"}}]}}],
            "verdicts":{{"java17":{{"ok":true}},"openssl":{{"ok":false}}}}}}]}}"#
        );
        std::fs::write(dir.path().join(name), text).unwrap();
    };
    record("x.json", "2026-11-22T10:00:00Z", "0123456789abcdef99", "note");
    record("y.json", "2026-11-21T10:00:00Z", "fedcba987654321000", "error");
    std::fs::write(dir.path().join("other.txt"), "not a record").unwrap();
    let mut text = String::new();
    section(&read(&[dir.path().to_owned()]).unwrap(), &mut text);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| a:1")).collect();
    assert_eq!(
        rows,
        [
            "| a:1 | 2026-11-21T10:00:00Z | TLSv1.3 | CN=a\\|b | 2027-01-01T00:00:00Z | `fedcba9876543210` | java17, not openssl |",
            "| a:1 | 2026-11-22T10:00:00Z | TLSv1.3 | CN=a\\|b | 2027-01-01T00:00:00Z | `0123456789abcdef` | java17, not openssl |",
        ]
    );
    let findings: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(findings, ["- a:1: error P-46, expired: ended"]);
    assert!(read(&[dir.path().join("other.txt")]).is_err());
    assert!(read(&[dir.path().join("absent")]).is_err());
}
