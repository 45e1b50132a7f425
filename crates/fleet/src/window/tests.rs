use super::SHAPE;
use super::Window;

#[track_caller]
fn check(text: &str, days: &str, from: (u8, u8), until: (u8, (u8, u8))) {
    let window = Window::parse(text).unwrap();
    let found: String = (0..7)
        .map(|day| if window.begins_on(day) { 'x' } else { '.' })
        .collect();
    assert_eq!(
        (found.as_str(), window.from(), window.until()),
        (days, from, until),
        "{text}"
    );
    assert_eq!(window.zone(), "Europe/Berlin");
}

#[test]
fn days_times_and_zone_are_read() {
    check("Sat 22:00-04:00 Europe/Berlin", ".....x.", (22, 0), (1, (4, 0)));
    check(
        "sat,SUNDAY 01:30-05:45 Europe/Berlin",
        ".....xx",
        (1, 30),
        (0, (5, 45)),
    );
    check(
        "Mon-Fri  20:00-24:00  Europe/Berlin",
        "xxxxx..",
        (20, 0),
        (1, (0, 0)),
    );
    check(
        "Fri-Mon 00:00-24:00 Europe/Berlin",
        "x...xxx",
        (0, 0),
        (1, (0, 0)),
    );
    check("daily 22:00-00:00 Europe/Berlin", "xxxxxxx", (22, 0), (1, (0, 0)));
}

#[test]
fn what_is_no_window_is_named_with_the_shape_it_should_have() {
    for (text, what) in [
        ("", "it has 0 words"),
        ("Sat 22:00-04:00", "it has 2 words"),
        ("Sat 22:00 - 04:00 Europe/Berlin", "it has 5 words"),
        ("Caturday 22:00-04:00 Europe/Berlin", "`Caturday` is not a day"),
        ("Sat,, 22:00-04:00 Europe/Berlin", "`` is not a day"),
        ("Sat 22-04 Europe/Berlin", "`22` is not a time"),
        ("Sat 22:00 Europe/Berlin", "`22:00` is not HH:MM-HH:MM"),
        ("Sat 22:60-23:00 Europe/Berlin", "`22:60` is not a time"),
        ("Sat 22:00-24:01 Europe/Berlin", "`24:01` is not a time"),
        ("Sat 2:00-04:00 Europe/Berlin", "`2:00` is not a time"),
        ("Sat ２２:00-04:00 Europe/Berlin", "is not a time"),
        ("Sat 24:00-04:00 Europe/Berlin", "cannot begin at 24:00"),
        ("Sat 22:00-22:00 Europe/Berlin", "it ends when it begins"),
    ] {
        let error = Window::parse(text).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains(SHAPE), "{error}");
        assert!(error.contains(&format!("`{text}`")), "{error}");
    }
}
