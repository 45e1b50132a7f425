use super::*;
use crate::der::{self, Der};

#[track_caller]
fn check(tag: u8, text: &str, want: Option<i64>) {
    let encoded = der::write(tag, &[text.as_bytes()]);
    assert_eq!(
        read(Der::new(&encoded).any("date").unwrap(), "date").ok(),
        want,
        "{text}"
    );
}

#[test]
fn dates_of_both_types_and_all_centuries() {
    check(tag::UTC_TIME, "700101000000Z", Some(0));
    check(tag::UTC_TIME, "491231235959Z", Some(2_524_607_999));
    check(tag::UTC_TIME, "500101000000Z", Some(-631_152_000));
    check(tag::GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000));
    check(tag::GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799));
    check(tag::GENERALIZED_TIME, "20000229120000Z", Some(951_825_600));
    check(tag::GENERALIZED_TIME, "00010101000000Z", Some(-62_135_596_800));
}

#[test]
fn old_forms_without_seconds_or_with_an_offset_are_read() {
    check(tag::UTC_TIME, "7001010000Z", Some(0));
    check(tag::UTC_TIME, "700101020000+0200", Some(0));
    check(tag::GENERALIZED_TIME, "19700101000000.5Z", Some(0));
}

#[test]
fn dates_that_do_not_exist_are_refused() {
    for text in [
        "700230000000Z",
        "701301000000Z",
        "700101240000Z",
        "700101000000",
        "7001Z",
        "",
        "Z",
        "+0101000000Z",
    ] {
        check(tag::UTC_TIME, text, None);
    }
}
