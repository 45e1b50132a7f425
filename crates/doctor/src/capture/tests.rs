use super::read;

/// A capture of one connection: who says what, in order.
fn capture(says: &[(bool, &[u8])]) -> Vec<u8> {
    let mut file = vec![
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0,
    ];
    let mut sequence = [1_000_u32, 4_000_000_000];
    for (from_client, payload) in says {
        let side = usize::from(!*from_client);
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0];
        let (from, to) = if *from_client {
            ([10, 0, 0, 1], [10, 0, 0, 2])
        } else {
            ([10, 0, 0, 2], [10, 0, 0, 1])
        };
        packet.extend(from);
        packet.extend(to);
        let (source, target) = if *from_client {
            (40_000_u16, 9443_u16)
        } else {
            (9443, 40_000)
        };
        packet.extend(source.to_be_bytes());
        packet.extend(target.to_be_bytes());
        packet.extend(sequence[side].to_be_bytes());
        packet.extend([0, 0, 0, 0, 0x50, 0x18, 0, 0, 0, 0, 0, 0]);
        packet.extend(*payload);
        let total = (packet.len() as u16).to_be_bytes();
        packet[2..4].copy_from_slice(&total);
        sequence[side] = sequence[side].wrapping_add(payload.len() as u32);
        file.extend([0; 8]);
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend((packet.len() as u32).to_le_bytes());
        file.extend(packet);
    }
    file
}

/// TLS 1.2, two suites, server name `a.example`.
fn client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x2f, 0x00, 0x9c, 1, 0]);
    let name = b"a.example";
    let mut extension = vec![
        0,
        0,
        0,
        name.len() as u8 + 5,
        0,
        name.len() as u8 + 3,
        0,
        0,
        name.len() as u8,
    ];
    extension.extend(name);
    body.extend((extension.len() as u16).to_be_bytes());
    body.extend(extension);
    let mut record = vec![22, 3, 1];
    record.extend((body.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0, 0, body.len() as u8]);
    record.extend(body);
    record
}

#[test]
fn a_hello_in_pieces_and_an_alert_are_seen() {
    let hello = client_hello();
    let (one, two) = hello.split_at(20);
    let bytes = capture(&[(true, one), (true, two), (false, &[21, 3, 3, 0, 2, 2, 70])]);
    let seen = read("x.pcap", &bytes).expect("a capture");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].target.as_deref(), Some("10.0.0.2:9443"));
    assert_eq!(seen[0].server_name.as_deref(), Some("a.example"));
    assert_eq!(seen[0].offered_versions, [0x0303]);
    assert_eq!(seen[0].offered_ciphers, [0xc02f, 0x009c]);
    assert_eq!(seen[0].alerts, [(true, 70)]);
    assert!(!seen[0].is_plain_answer);
}

#[test]
fn an_answer_that_is_no_tls_is_plain() {
    let bytes = capture(&[(true, &client_hello()), (false, b"HTTP/1.1 400 Bad Request\r\n")]);
    assert!(read("x.pcap", &bytes).expect("a capture")[0].is_plain_answer);
}

#[test]
fn no_prefix_and_no_flip_of_a_capture_panics() {
    let bytes = capture(&[(true, &client_hello()), (false, &[21, 3, 3, 0, 2, 2, 70])]);
    for end in 0..bytes.len() {
        let _ = read("x.pcap", &bytes[..end]);
        let mut flipped = bytes.clone();
        flipped[end] ^= 0xff;
        let _ = read("x.pcap", &flipped);
    }
    assert!(read("x", b"plain text").is_none());
}
