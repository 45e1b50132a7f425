use super::Text;

fn lines(text: &str) -> Vec<String> {
    Text::new("x", text)
        .lines
        .into_iter()
        .map(|(_, line)| line)
        .collect()
}

#[test]
fn what_a_message_explains_in_general_is_left_out() {
    let text = "11/20/26 20:37:56 - Process(1.2) User(mqm)\nAMQ9633E: Bad SSL certificate.\n\nEXPLANATION:\n(e) revoked\nThe certificate validation error was 575010.\nACTION:\nCheck.\n----- a.c : 1 ---\nnext\n";
    let kept = lines(text);
    assert!(kept.iter().any(|line| line.contains("575010")), "{kept:?}");
    assert!(
        kept.iter()
            .all(|line| !line.contains("revoked") && !line.contains("Check")),
        "{kept:?}"
    );
    assert_eq!(kept.last().map(String::as_str), Some("next"));
}

#[test]
fn a_pattern_may_be_broken_over_two_lines() {
    let text = Text::new("x", "password incorrect or, stash file absent or\nunusable.\n");
    assert_eq!(text.speaking_of("stash file && unusable").count(), 1);
    assert_eq!(text.speaking_of("absent or unusable").count(), 1);
    assert_eq!(text.speaking_of("stash file && usable by nobody").count(), 0);
}

#[test]
fn secrets_of_command_lines_are_no_evidence() {
    let kept = lines(
        "./acd.sh --apikey CANARY --tdwbport 31116\nrunmqakm -cert -list -db key.kdb -pw  CANARY -v\nexport MQKEYRPWD=CANARY x\n",
    );
    assert!(kept.iter().all(|line| !line.contains("CANARY")), "{kept:?}");
    assert!(kept[0].contains("31116") && kept[1].contains("-v"), "{kept:?}");
}
