use super::*;

#[test]
fn every_constant_shows_the_number_of_its_comment() {
    let source = include_str!("../oid.rs");
    let mut seen = 0;
    for (before, list) in source
        .match_indices("Oid<'static> = Oid(&[")
        .map(|(at, found)| source.split_at(at + found.len()))
    {
        let comment = before.rsplit("/// ").next().expect("a comment");
        let numbers = comment.split(": ").next().expect("a number");
        let list = list.split(']').next().expect("an end");
        let content: Vec<u8> = list
            .split(',')
            .map(str::trim)
            .filter(|byte| !byte.is_empty())
            .map(|byte| u8::from_str_radix(byte.trim_start_matches("0x"), 16).expect("hex"))
            .collect();
        assert_eq!(
            Oid::from_content(&content).expect("well formed").to_string(),
            numbers
        );
        seen += 1;
    }
    assert!(seen > 100, "only {seen} constants were found");
}

#[test]
fn a_number_past_64_bits_is_a_question_mark() {
    let content = [
        0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x01,
    ];
    assert_eq!(
        Oid::from_content(&content).expect("well formed").to_string(),
        "1.2.?.1"
    );
}

#[test]
fn content_that_ends_inside_a_number_is_no_identifier() {
    assert!(Oid::from_content(&[]).is_none());
    assert!(Oid::from_content(&[0x2a, 0x86]).is_none());
}
