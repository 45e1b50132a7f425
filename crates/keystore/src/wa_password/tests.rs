use super::*;

#[track_caller]
fn check(file: &[u8], want: Result<&str, WaPasswordError>) {
    match (read_wa_password(file), want) {
        (Ok(found), Ok(wanted)) => assert!(found == Password::new(wanted)),
        (found, wanted) => assert_eq!(found.err(), wanted.err()),
    }
}

#[test]
fn a_file_with_or_without_a_line_end_gives_the_password() {
    check(b"cGFzc3dvcmQ=\n", Ok("password"));
    check(b"cGFzc3dvcmQ=", Ok("password"));
    check(b"cGFzc3dvcmQ=\r\n", Ok("password"));
}

#[test]
fn an_encoded_line_end_and_plain_text_are_told_apart() {
    check(b"cGFzc3dvcmQK\n", Err(WaPasswordError::LineEndInside));
    check(b"pass word\n", Err(WaPasswordError::NotBase64));
    check(b"\n", Err(WaPasswordError::Empty));
}

#[test]
fn a_password_of_8_bytes_makes_a_file_of_13_bytes() {
    assert_eq!(write_wa_password(&Password::new("password")), b"cGFzc3dvcmQ=\n");
    assert_eq!(
        rewrite_wa_password(&Password::new("password"), b"x"),
        b"cGFzc3dvcmQ="
    );
    assert_eq!(
        rewrite_wa_password(&Password::new("password"), b"x\r\n"),
        b"cGFzc3dvcmQ=\r\n"
    );
}
