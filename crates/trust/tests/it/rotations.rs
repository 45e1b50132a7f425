//! Every chain that a rotation presents, against every store that a verifier may have meanwhile, for all runtimes.
//!
//! The table is `tests/cases/rotations.txt`; `UPDATE_EXPECT=1` rewrites it. The certificates are made anew each time. Rows
//! bear the names of the recorded vectors: where there is one, the cell is what the runtime said.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use keystore::Certificate;
use serde_json::Value;
use trust::{Computed, Profile, Purpose, Question, Reject, Verdict, runtimes, verdict};

use crate::replay::read;
use crate::rotation_made::{Row, rows};

#[test]
fn every_chain_of_a_rotation_gets_the_verdict_of_the_table() {
    let profiles: Vec<&'static Profile> = runtimes().collect();
    let rows = rows();
    let table = rendered(&profiles, &rows);
    expect_test::expect_file!["../cases/rotations.txt"].assert_eq(&table);
}

#[test]
fn the_table_says_what_the_runtimes_said() {
    let Some(text) = read("rotation") else {
        println!("SKIPPED: rotation: recorded verdicts are not here");
        return;
    };
    let recorded: BTreeMap<String, Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("one JSON object a line"))
        .map(|row| (row["id"].as_str().expect("an id").to_owned(), row))
        .collect();
    let signatures = Computed::new();
    let (mut cells, mut wrong) = (0, Vec::new());
    for row in rows() {
        let Some(vector) = recorded.get(&format!("rot:{}", row.id)) else {
            continue;
        };
        for profile in runtimes() {
            let said = &vector["verdicts"][profile.name];
            let is_chance = vector["unpredictable"]
                .as_array()
                .is_some_and(|names| names.iter().any(|name| name == profile.name));
            let Some(ok) = said["ok"].as_bool().filter(|_| !is_chance) else {
                continue;
            };
            cells += 1;
            if asked(profile, &row, &signatures).accepts() != ok {
                wrong.push(format!("{} {}: recorded {said}", row.id, profile.name));
            }
        }
    }
    println!("{cells} cells of the table are recorded");
    assert!(cells > 600, "only {cells}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a cross-signed plan stands on. Java's SunX509 trust manager reads a chain as it was sent and knows no second way, so
/// even this form is no form for everybody.
#[test]
fn the_cross_certificate_last_passes_with_either_root_but_for_one_old_trust_manager() {
    let signatures = Computed::new();
    let mut refusals: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows() {
        let Some((form, store)) = row.id.strip_prefix("ca:").and_then(|id| id.split_once('/')) else {
            continue;
        };
        let refused = refusals.entry(form.to_owned()).or_default();
        for profile in runtimes().filter(|_| store != "neither") {
            if !leans_to_accept(&asked(profile, &row, &signatures)) {
                refused.push(format!("{} {store}", profile.name));
            }
        }
    }
    assert_eq!(refusals["xroot"], ["java-sunx509 new", "java-sunx509-tls new"]);
    assert!(
        refusals.values().all(|refused| !refused.is_empty()),
        "{refusals:?}"
    );
}

#[test]
fn nobody_accepts_where_neither_root_is_trusted() {
    let signatures = Computed::new();
    for row in rows().iter().filter(|row| row.id.ends_with("/neither")) {
        for profile in runtimes() {
            let found = asked(profile, row, &signatures);
            assert!(!leans_to_accept(&found), "{} {}", row.id, profile.name);
        }
    }
}

fn leans_to_accept(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Undecided(undecided) => undecided.leans_to_accept,
        decided => decided.accepts(),
    }
}

fn asked(profile: &'static Profile, row: &Row, signatures: &Computed) -> Verdict {
    let question = Question {
        chain: &row.chain,
        anchors: &row.anchors,
        intermediates_known: &[],
        purpose: Purpose::Server,
        name: Some("agent1.fleet.test"),
        at_unix: NOON,
    };
    verdict(profile, &question, signatures)
}

/// Names as steps above their columns, then a line for each row.
fn rendered(profiles: &[&'static Profile], rows: &[Row]) -> String {
    let mut text = LEGEND.to_owned();
    for (at, profile) in profiles.iter().enumerate() {
        let _ = writeln!(text, "{:WIDTH$}{}{}", "", "|  ".repeat(at), profile.name);
    }
    let signatures = Computed::new();
    let mut family = "";
    for row in rows {
        let own = row.id.rsplit_once('/').map_or(row.id.as_str(), |(own, _)| own);
        if own != family {
            let _ = writeln!(text, "\n{own}: {}", sent(&row.chain));
            family = own;
        }
        let mut line = format!("{:WIDTH$}", format!("  {}", row.id));
        for profile in profiles {
            let _ = write!(line, "{:3}", cell(&asked(profile, row, &signatures)));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The chain in the words of its subjects and issuers.
fn sent(chain: &[Certificate]) -> String {
    let name = |certificate: &Certificate| certificate.subject().common_name().unwrap_or_default();
    let words = chain
        .iter()
        .map(|certificate| match certificate.is_self_issued() {
            true => name(certificate),
            false => {
                let issuer = certificate.issuer().common_name().unwrap_or_default();
                format!("{} <- {issuer}", name(certificate))
            }
        });
    words.collect::<Vec<_>>().join(", ")
}

fn cell(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accept(_) => "+",
        Verdict::Undecided(_) => "?",
        Verdict::Reject(_) => match verdict.reason().expect("a rejection has a reason") {
            Reject::NoAnchor => "a",
            Reject::SelfSigned => "r",
            Reject::EmptyStore => "0",
            Reject::BadSignature => "s",
            Reject::ChainOrder => "o",
            Reject::Expired => "x",
            Reject::NotCa => "c",
            Reject::KeyUsage => "u",
            Reject::TooDeep => "d",
            Reject::Form => "f",
            Reject::NameMismatch => "n",
            Reject::Purpose => "p",
            other => panic!("{other:?}: give it a letter in the legend"),
        },
    }
}

const WIDTH: usize = 38;
const NOON: i64 = 1_795_262_400;
const LEGEND: &str = "\
Chains of a rotation by the certificates that a verifier trusts; one column for each runtime.
  +  accepted                    a  no path to an anchor       s  a signature does not verify
  ?  chance, or not documented   r  ends in an unknown root    o  not in order
  0  no anchor in the store      x  expired                    c  a certificate that is no CA has to be one
  d  longer than it searches     u  key usage                  n  name
  f  a field that strict runtimes ask for                      p  purpose

";
