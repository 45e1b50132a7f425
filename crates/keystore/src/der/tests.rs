use super::*;

#[track_caller]
fn check(bytes: &[u8], want: Result<(u8, &[u8]), ReadError>) {
    let found = Der::new(bytes)
        .any("thing")
        .map(|element| (element.tag, element.content));
    assert_eq!(found, want);
}

#[test]
fn padded_and_indefinite_lengths_are_read() {
    check(&[4, 0x82, 0, 2, 7, 8], Ok((4, &[7, 8])));
    check(&[0x30, 0x80, 4, 1, 9, 0, 0], Ok((0x30, &[4, 1, 9])));
    check(
        &[0x30, 0x80, 0x30, 0x80, 0, 0, 4, 0, 0, 0],
        Ok((0x30, &[0x30, 0x80, 0, 0, 4, 0])),
    );
}

#[test]
fn a_length_past_the_end_says_where_and_how_much() {
    let error = ReadError::LengthPastEnd {
        what: "thing",
        offset: 2,
        length: 5,
        left: 1,
    };
    check(&[4, 5, 1], Err(error));
    let error = ReadError::LengthPastEnd {
        what: "thing",
        offset: 6,
        length: 0xffff_ffff,
        left: 0,
    };
    check(&[4, 0x84, 0xff, 0xff, 0xff, 0xff], Err(error));
}

#[test]
fn lengths_beyond_64_bits_and_deep_nests_are_refused() {
    check(
        &[4, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        Err(ReadError::BadValue {
            what: "thing",
            offset: 1,
        }),
    );
    let nest = [0x30, 0x80].repeat(1000);
    check(
        &nest,
        Err(ReadError::TooDeep {
            offset: 130,
            limit: 64,
        }),
    );
}

#[test]
fn an_octet_string_in_pieces_is_put_together() {
    let element = Der::new(&[0x24, 0x80, 4, 2, 1, 2, 0x24, 3, 4, 1, 3, 0, 0])
        .any("thing")
        .unwrap();
    assert_eq!(element.octets().unwrap().as_ref(), [1, 2, 3]);
}

#[test]
fn numbers_are_written_in_their_shortest_form() {
    assert_eq!(write_u64(0), [2, 1, 0]);
    assert_eq!(write_u64(127), [2, 1, 127]);
    assert_eq!(write_u64(128), [2, 2, 0, 128]);
    assert_eq!(write_unsigned(&[0, 0, 1, 2]), [2, 2, 1, 2]);
    for number in [0, 1, 127, 128, 255, 256, u64::MAX] {
        let encoded = write_u64(number);
        assert_eq!(
            Der::new(&encoded).any("number").unwrap().unsigned("number"),
            Ok(number)
        );
    }
}

#[test]
fn what_is_written_reads_back_at_every_length_form() {
    for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000] {
        let content = vec![5; length];
        let encoded = write_octets(&content);
        assert_eq!(
            only(&encoded, 0, tag::OCTET_STRING, "octets").unwrap().content,
            content
        );
    }
}
