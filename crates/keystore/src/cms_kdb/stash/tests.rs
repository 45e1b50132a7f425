use super::*;

fn filled(start: u8) -> Vec<u8> {
    let mut payload: Vec<u8> = (0..129).map(|at| start.wrapping_add(at)).collect();
    payload[..9].copy_from_slice(b"password\0");
    payload
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn version_2_gives_the_worked_bytes() {
    let salt: Vec<u8> = (0..32).collect();
    let stash = write_payload(&filled(1), StashVersion::V2, &salt);
    assert_eq!(
        stash[32..64],
        hex("491176b0f443c65a7c7d72df47d6cbc0d04e111fb5a619f60d3e77677ab6f919")
    );
    assert_eq!(stash[64..80], hex("78885c41b05d6caa45fbc295ff912606"));
    assert!(read_stash(&stash).unwrap() == (Password::new("password"), StashVersion::V2));
}

#[test]
fn version_1_is_the_payload_under_f5() {
    let stash = write_payload(&filled(1), StashVersion::V1, &[]);
    assert_eq!(stash[..16], hex("85948686829a8791f5fffef9f8fbfae5"));
    assert!(read_stash(&stash).unwrap() == (Password::new("password"), StashVersion::V1));
}

#[test]
fn the_salt_whose_key_has_03_at_byte_8_is_hashed_once_more() {
    let salt = hex("69ff247c71c60152eced8f2bcd4f8284d2076c151bbdf88ad8d3c1eb45b29b59");
    let stash = write_payload(&filled(1), StashVersion::V2, &salt);
    let key = Hash::Sha256.digest(&[&stash[..32], &stash[32..64]]);
    assert_eq!(key[8], 3);
    assert!(read_stash(&stash).unwrap().0 == Password::new("password"));
}

#[test]
fn every_byte_of_the_check_value_is_looked_at() {
    let stash = write_payload(&filled(1), StashVersion::V2, &[7; 32]);
    for at in 0..64 {
        let mut altered = stash.clone();
        altered[at] ^= 1;
        assert!(
            read_stash(&altered).is_err_and(|error| error == StashError::Altered),
            "{at}"
        );
    }
}

#[test]
fn other_lengths_and_empty_passwords_are_refused() {
    for length in [0, 1, 128, 130, 192, 194] {
        assert!(
            read_stash(&vec![0xf5; length])
                .is_err_and(|error| error == StashError::WrongSize { found: length })
        );
    }
    assert!(read_stash(&[0xf5; 129]).is_err_and(|error| error == StashError::Empty));
}

#[test]
fn a_payload_without_a_zero_byte_is_a_password_of_129_bytes() {
    let stash = write_payload(&[b'x'; 129], StashVersion::V1, &[]);
    assert!(read_stash(&stash).unwrap().0 == Password::new([b'x'; 129]));
}

#[test]
fn a_stash_that_begins_like_another_format_is_known_for_what_it_is() {
    for start in [
        &[0x30, 0x2c][..],
        &[0x30, 0x82, 0, 0xbd],
        &[0x30, 0x81, 0xbe, 2, 1, 3],
        &[0xfe, 0xed, 0xfe, 0xed],
        &[0x37, 0x48],
        &[0, 0, 0, 2],
        b"-----BEGIN ",
    ] {
        let mut salt: Vec<u8> = (0..32).collect();
        salt[..start.len()].copy_from_slice(start);
        let stash = write_payload(&filled(1), StashVersion::V2, &salt);
        assert_eq!(crate::sniff(&stash), Some(crate::Format::Stash), "{start:?}");
        let mut altered = stash;
        altered[40] ^= 1;
        assert!(matches!(read_stash(&altered), Err(StashError::Altered)));
    }
}

#[test]
fn a_first_stash_whose_password_makes_it_begin_like_der_is_a_stash() {
    let mut payload = filled(1);
    let password = "\u{179}rebak";
    payload[..password.len()].copy_from_slice(password.as_bytes());
    payload[password.len()] = 0;
    let stash = write_payload(&payload, StashVersion::V1, &[]);
    assert_eq!(stash[0], 0x30);
    assert_eq!(crate::sniff(&stash), Some(crate::Format::Stash));
    let mut der = vec![0x30, 127];
    der.resize(129, 7);
    assert_eq!(crate::sniff(&der), Some(crate::Format::Der));
}
