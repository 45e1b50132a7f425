//! What two ends agree on, case by case, and the tables that it stands on.

use trust::cipher::{
    Agreed, KeyNeed, Named, Protocol, Refused, aliases, ends, meet, named, read_side, specs, suite_named,
    suites,
};

#[test]
fn ends_agree_or_fail_as_the_cases_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("../cases/negotiate.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [client, server, want @ ..] = parts.as_slice() else {
            panic!("not a case: {line}")
        };
        let found = said(client, server);
        count += 1;
        if !want
            .iter()
            .all(|want| want.split(" | ").all(|want| holds(&found, want)))
        {
            wrong.push(format!("{line}\n    found: {found}"));
        }
    }
    assert!(count > 75, "only {count} cases");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Every word for the codes of MQ, the whole text for the rest.
fn holds(found: &str, want: &str) -> bool {
    match want.starts_with("AMQ") {
        true => want.split(' ').all(|word| found.contains(word)),
        false => found.contains(want),
    }
}

#[test]
fn every_cipher_spec_of_the_specification_has_its_number_names_protocol_and_key() {
    let Some(rows) = specification() else {
        println!("SKIPPED: the domain specification is not here");
        return;
    };
    let mut wrong = Vec::new();
    for row in &rows {
        for (name, code) in names_and_codes(row) {
            match named(&name) {
                Some(Named::One(spec)) => {
                    let has_version =
                        row.protocol.is_empty() || Protocol::named(&row.protocol) == Some(spec.protocol);
                    let has_key = match row.key.as_str() {
                        "RSA" => spec.key == KeyNeed::Rsa,
                        "EC" => spec.key == KeyNeed::Ec,
                        "RSA or EC" | "any" => spec.key == KeyNeed::Any,
                        _ => spec.key == KeyNeed::None,
                    };
                    if spec.code != code || !has_version || !has_key || spec.is_enabled != row.is_enabled {
                        wrong.push(format!("{name}: {spec:?}, and {row:?}"));
                    }
                    let suite = spec.suite().expect("each has a suite");
                    if row
                        .openssl
                        .chars()
                        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
                        && row.openssl.len() > 4
                        && suite_named(&row.openssl) != Some(suite)
                        && row.openssl != "same"
                    {
                        wrong.push(format!("{name}: OpenSSL name {}", row.openssl));
                    }
                }
                _ => wrong.push(format!("{name}: not known")),
            }
        }
    }
    assert!(rows.len() > 30, "only {} rows read", rows.len());
    let known: usize = rows.iter().map(|row| names_and_codes(row).len()).sum();
    assert_eq!(known, specs().count(), "as many here as there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_list_expands_to_specs_of_its_versions_only_and_is_known_by_javas_name() {
    let all: Vec<_> = specs().filter(|spec| spec.is_enabled).collect();
    for alias in aliases() {
        let list = Named::Alias(*alias).expand(&all);
        assert!(!list.is_empty(), "{}", alias.name);
        let is_in = |spec: &&trust::cipher::Spec| (alias.from..=alias.to).contains(&spec.protocol);
        assert!(list.iter().copied().all(|spec| is_in(&spec)), "{}", alias.name);
        assert_eq!(named(alias.java), Some(Named::Alias(*alias)));
        assert_eq!(named(&alias.name.to_lowercase()), Some(Named::Alias(*alias)));
    }
}

#[test]
fn each_suite_is_found_by_each_of_its_names_and_no_number_stands_twice() {
    for suite in suites() {
        for name in [suite.name.to_owned(), suite.openssl.to_owned(), suite.ibm_name()] {
            if !name.is_empty() {
                assert_eq!(suite_named(&name), Some(suite), "{name}");
            }
        }
        assert_eq!(
            suites().filter(|other| other.code == suite.code).count(),
            1,
            "{}",
            suite.name
        );
    }
}

#[test]
fn every_two_runtimes_of_today_agree_with_an_rsa_key_and_on_the_highest_version() {
    for client in ends() {
        for server in ends() {
            let found = said(client, &format!("{server},key=rsa2048"));
            assert!(found.starts_with("TLSv1.3"), "{client} {server}: {found}");
        }
    }
}

#[test]
fn a_text_that_is_no_end_says_what_is_known() {
    for (text, want) in [
        ("java5", "known: mq, openssl3"),
        ("java17,cipher=x", "known: protocols, suites, groups, key, level"),
        ("java17,key=rot13", "`rot13` is no value of key"),
        ("mq,spec=ANY_TLS14", "`ANY_TLS14` is no value of spec"),
    ] {
        let error = read_side(text).expect_err(text).to_string();
        assert!(error.contains(want), "{text}: {error}");
    }
    let mixed = meet(&read_side("mq").unwrap(), &read_side("java17").unwrap());
    assert!(mixed.unwrap_err().to_string().contains("mq,spec"));
}

fn said(client: &str, server: &str) -> String {
    let side = |text: &str| read_side(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    match meet(&side(client), &side(server)).unwrap() {
        Ok(agreed) => agreed_text(&agreed),
        Err(Refused {
            reason,
            client,
            server,
            derived,
        }) => {
            let mark = if derived.is_empty() { "" } else { "derived" };
            format!("{}; {client}; {server}; {mark}", reason.words())
        }
    }
}

fn agreed_text(agreed: &Agreed) -> String {
    let mut words = vec![agreed.protocol.name().to_owned()];
    words.push(agreed.spec.map_or(agreed.suite.name, |spec| spec.name).to_owned());
    words.extend(agreed.group.map(|group| group.name().to_owned()));
    words.extend(agreed.scheme.map(|scheme| scheme.name.to_owned()));
    words.extend(agreed.derived.first().map(|_| "derived".to_owned()));
    words.join(" ")
}

#[derive(Debug)]
struct Row {
    names: String,
    codes: String,
    openssl: String,
    protocol: String,
    key: String,
    is_enabled: bool,
}

/// Rows with several names hold as many numbers.
fn names_and_codes(row: &Row) -> Vec<(String, u16)> {
    let codes = row
        .codes
        .split(" / ")
        .map(|code| u16::from_str_radix(code.trim(), 16).expect("hex"));
    row.names.split(" / ").map(str::to_owned).zip(codes).collect()
}

/// The two tables of section E.3, from the specification beside the checkout.
#[expect(clippy::disallowed_methods, reason = "a test reads what it is compared with")]
fn specification() -> Option<Vec<Row>> {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/domain/spec.md");
    let text = std::fs::read_to_string(path).ok()?;
    let section = text.split("## E.3 CipherSpecs").nth(1)?.split("## E.4").next()?;
    let mut is_enabled = true;
    let mut rows = Vec::new();
    for line in section.lines() {
        is_enabled &= !line.starts_with("Deprecated");
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [names, codes, _, openssl, protocol, key] = cells.as_slice() else {
            continue;
        };
        if codes.starts_with("hex") || codes.starts_with('-') {
            continue;
        }
        rows.push(Row {
            names: (*names).to_owned(),
            codes: (*codes).to_owned(),
            openssl: (*openssl).to_owned(),
            protocol: (*protocol).to_owned(),
            key: (*key).to_owned(),
            is_enabled,
        });
    }
    Some(rows)
}
