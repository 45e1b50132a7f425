use super::*;

#[track_caller]
fn check(value: &str, want: Result<&str, XorError>) {
    match (read_xor(value), want) {
        (Ok(found), Ok(wanted)) => assert!(found == Password::new(wanted)),
        (found, wanted) => assert_eq!(found.err(), wanted.err()),
    }
}

#[test]
fn the_published_example_reads_and_writes() {
    check("{xor}PDc+MTg6Nis=", Ok("changeit"));
    check("{XOR}PDc+MTg6Nis=", Ok("changeit"));
    assert_eq!(write_xor(&Password::new("changeit")), "{xor}PDc+MTg6Nis=");
}

#[test]
fn text_without_braces_is_the_password_itself() {
    check("changeit", Ok("changeit"));
    check("", Ok(""));
    check("{xor}", Ok(""));
}

#[test]
fn other_algorithms_are_named() {
    check(
        "{aes}ABCD",
        Err(XorError::OtherAlgorithm {
            algorithm: "aes".to_owned(),
        }),
    );
    check("{xor}?", Err(XorError::NotBase64));
}

#[test]
fn every_byte_goes_round() {
    let all: Vec<u8> = (0..=255).collect();
    let written = write_xor(&Password::new(all.clone()));
    assert!(read_xor(&written).ok() == Some(Password::new(all)));
}
