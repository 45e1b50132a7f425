use super::day_text;
use super::parse;

#[test]
fn every_tool_s_way_to_print_a_moment_is_read() {
    for (text, want) in [
        ("Fri Nov 20 20:37:56 UTC 2026", Some(1_795_207_076)),
        ("Nov 20 20:37:56 2026 GMT", Some(1_795_207_076)),
        ("November 20, 2026 8:37:56 PM GMT+00:00", Some(1_795_207_076)),
        ("20 November 2026 21:37:56 GMT+01:00", Some(1_795_207_076)),
        ("2026/11/20 20:37:56", Some(1_795_207_076)),
        ("2026-11-20T20:37:56Z", Some(1_795_207_076)),
        ("January 1, 1970 12:00:00 AM GMT+00:00", Some(0)),
        ("not a moment", None),
        ("", None),
    ] {
        assert_eq!(parse(text), want, "{text}");
    }
    assert_eq!(day_text(1_795_207_076), "2026-11-20");
    assert_eq!(day_text(0), "1970-01-01");
}
