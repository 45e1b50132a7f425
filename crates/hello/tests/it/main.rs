//! Hellos are read back as they were written, flights as they come in, and nothing that comes in does harm.

use hello::Alert;
use hello::ClientHello;
use hello::Flight;
use hello::Group;
use hello::Progress;
use hello::SharedKey;
use hello::Suite;
use hello::Version;
use hello::groups;
use hello::suites;

#[test]
fn a_hello_is_read_back_as_it_was_written() {
    let all: Vec<Group> = groups().collect();
    for version in Version::ALL {
        let mut hello = ClientHello::new(version, &[0x1301, 0xc02f], &all, [7; 32]);
        hello.server_name = Some("mdm1.example");
        hello.protocols = &["h2", "http/1.1"];
        hello.asks_status = true;
        hello.is_fallback = true;
        let bytes = hello.bytes();
        let (messages, alerts) = hello::in_the_clear(&bytes);
        assert!(alerts.is_empty() && messages.len() == 1 && messages[0].0 == 1);
        let heard = hello::read_client_hello(&messages[0].1).expect("a hello");
        assert_eq!(heard.versions, [version.number()]);
        assert_eq!(heard.suites[..3], [0x1301, 0xc02f, 0x5600]);
        let name = (version > Version::Ssl3).then_some("mdm1.example");
        assert_eq!(heard.server_name.as_deref(), name, "{version}");
    }
}

#[test]
fn the_proof_of_a_known_key_stands_at_the_end_over_all_before_it() {
    let mut hello = ClientHello::new(Version::Tls13, &[0x1301], &[], [7; 32]);
    hello.shared_key = Some(SharedKey {
        ticket: b"ticket",
        age: 1,
        proof_bytes: 32,
    });
    let mut proved = Vec::new();
    let bytes = hello.bytes_with_proof(|so_far| {
        proved = so_far.to_vec();
        vec![0xab; 32]
    });
    assert_eq!(bytes[bytes.len() - 32..], [0xab; 32]);
    // Behind the record's head; then the lengths of the list and of the proof.
    assert_eq!(bytes[5..bytes.len() - 35], proved[..]);
    assert_eq!(bytes[bytes.len() - 35..bytes.len() - 32], [0, 33, 32]);
    let short = hello.bytes_with_proof(|_| vec![1]);
    assert_eq!(short[short.len() - 32..], [0; 32]);
}

#[test]
fn suites_are_sorted_and_say_what_their_names_say() {
    let all: Vec<Suite> = suites().collect();
    assert!(all.windows(2).all(|two| two[0].number < two[1].number));
    assert!(all.len() > 330);
    let show = |number: u16| {
        let suite = Suite::of_number(number).expect("registered");
        let (oldest, newest) = suite.versions();
        format!(
            "{} {} {oldest}-{newest} {} {}",
            suite.openssl_name(),
            suite.bits(),
            if suite.has_forward_secrecy() { "fs" } else { "-" },
            suite.weakness().unwrap_or("-")
        )
    };
    let want = [
        (0x0005, "RC4-SHA 128 SSLv3-TLSv1.2 - RC4"),
        (0x000a, "DES-CBC3-SHA 112 SSLv3-TLSv1.2 - 64-bit blocks (SWEET32)"),
        (
            0x0003,
            "EXP-RC4-MD5 40 SSLv3-TLSv1.2 - export grade or single DES",
        ),
        (
            0x0018,
            "ADH-RC4-MD5 128 SSLv3-TLSv1.2 fs the server proves no identity",
        ),
        (0x002f, "AES128-SHA 128 SSLv3-TLSv1.2 - -"),
        (0x003b, "NULL-SHA256 0 TLSv1.2-TLSv1.2 - nothing is encrypted"),
        (0xc02f, "ECDHE-RSA-AES128-GCM-SHA256 128 TLSv1.2-TLSv1.2 fs -"),
        (0xcca8, "ECDHE-RSA-CHACHA20-POLY1305 256 TLSv1.2-TLSv1.2 fs -"),
        (0x1302, "TLS_AES_256_GCM_SHA384 256 TLSv1.3-TLSv1.3 fs -"),
    ];
    for (number, text) in want {
        assert_eq!(show(number), text);
    }
}

#[test]
fn a_flight_up_to_tls_1_2_is_read_however_it_is_cut() {
    let bytes = flight_12();
    for size in [1, 2, 7, 100, bytes.len()] {
        let mut flight = Flight::default();
        let mut last = Progress::More;
        for piece in bytes.chunks(size) {
            assert_eq!(last, Progress::More, "{size}");
            last = flight.push(piece);
        }
        assert_eq!(last, Progress::Done, "{size}");
        let hello = flight.hello.as_ref().expect("a hello");
        assert_eq!((hello.version(), hello.suite), (Some(Version::Tls12), 0xc02f));
        assert_eq!(hello.protocol.as_deref(), Some("h2"));
        assert_eq!(flight.chain, Some(vec![b"leaf".to_vec(), b"issuer".to_vec()]));
        assert_eq!((flight.group, flight.scheme), (Some(29), Some(0x0804)));
        let request = flight.request.as_ref().expect("a request");
        assert_eq!((request.authorities.len(), request.kinds.len()), (2, 2));
    }
}

#[test]
fn a_retry_of_tls_1_3_names_suite_and_group() {
    let mut flight = Flight::default();
    assert_eq!(flight.push(&retry_13()), Progress::Done);
    let hello = flight.hello.as_ref().expect("a hello");
    assert_eq!(
        (hello.version(), hello.suite, hello.is_retry),
        (Some(Version::Tls13), 0x1301, true)
    );
    assert_eq!(flight.agreed_group().map(|group| group.name), Some("secp256r1"));
}

#[test]
fn alerts_warnings_and_other_protocols_are_told_apart() {
    let push = |bytes: &[u8]| Flight::default().push(bytes);
    let refused = |code, is_fatal| Progress::Refused(Alert { is_fatal, code });
    assert_eq!(push(&[21, 3, 1, 0, 2, 2, 40]), refused(40, true));
    assert_eq!(push(&[21, 3, 1, 0, 2, 1, 0]), refused(0, false));
    assert_eq!(push(&[21, 3, 1, 0, 2, 1, 112]), Progress::More);
    assert_eq!(push(b"HTTP/1.1 400 Bad Request"), Progress::NotTls(0));
    assert_eq!(push(&[22, 3]), Progress::More);
    assert_eq!(push(&[22, 3, 3, 0xff, 0xff]), Progress::NotTls(0));
    let many = vec![0; Flight::MAX_BYTES + 1];
    assert_eq!(push(&many), Progress::NotTls(0));
    // A handshake message of 16 MiB in records of 16 KiB.
    let mut endless = Flight::default();
    let mut record = vec![22, 3, 3, 0x40, 0];
    record.resize(5 + 0x4000, 0xff);
    let end = (0..100)
        .map(|_| endless.push(&record))
        .find(|progress| *progress != Progress::More);
    assert_eq!(end, Some(Progress::Oversize));
}

#[test]
fn ssl_2_is_told_from_everything_else() {
    let hello = hello::ssl2_hello([9; 16]);
    assert_eq!(
        hello[..5],
        [0x80, u8::try_from(hello.len() - 2).expect("short"), 1, 0, 2]
    );
    let mut answer = vec![0x80, 0, 4, 0, 1, 0, 2, 0, 3, 0, 6, 0, 1];
    answer.extend(b"der\x01\x00\x80\x07\x00\xc0x");
    answer[1] = u8::try_from(answer.len() - 2).expect("short");
    let read = hello::ssl2_kinds(&answer).expect("an answer");
    assert_eq!(read.certificate, b"der");
    assert_eq!(
        read.kinds,
        ["SSL_CK_RC4_128_WITH_MD5", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"]
    );
    assert_eq!(hello::ssl2_kinds(&answer[..answer.len() - 3]), None);
    assert_eq!(hello::ssl2_kinds(&[21, 3, 1, 0, 2, 2, 40]), None);
}

/// Two hundred thousand altered flights from a seed: none does harm, and none is read as more than it holds.
#[test]
fn altered_flights_do_no_harm() {
    let mut seed = 0x5eed_u64;
    println!("seed {seed:#x}");
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).expect("31 bits")
    };
    for original in [
        flight_12(),
        retry_13(),
        ClientHello::new(Version::Tls12, &[1, 2], &[], [0; 32]).bytes(),
    ] {
        for _ in 0..70_000 {
            let mut bytes = original.clone();
            for _ in 0..=random() % 4 {
                let at = random() % bytes.len();
                match random() % 3 {
                    0 => bytes[at] = u8::try_from(random() % 256).expect("a byte"),
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, 0xff),
                }
            }
            let mut flight = Flight::default();
            flight.push(&bytes);
            let held: usize = flight.chain.iter().flatten().map(Vec::len).sum();
            assert!(held <= bytes.len());
            for (_, body) in hello::in_the_clear(&bytes).0 {
                let _ = hello::read_client_hello(&body);
            }
            let _ = hello::ssl2_kinds(&bytes);
        }
    }
}

fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - width..], content].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &vector(3, body)].concat()
}

fn record(content: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &vector(2, content)].concat()
}

fn server_hello(random: [u8; 32], suite: u16, extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    body.extend(vector(2, extensions));
    message(2, &body)
}

/// Hello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone, over three records.
fn flight_12() -> Vec<u8> {
    let alpn = [&[0, 16][..], &vector(2, &vector(2, &vector(1, b"h2")))].concat();
    let hello = server_hello([1; 32], 0xc02f, &alpn);
    let list = [vector(3, b"leaf"), vector(3, b"issuer")].concat();
    let certificate = message(11, &vector(3, &list));
    let exchange = [
        &[3, 0, 29][..],
        &vector(1, &[5; 32]),
        &[8, 4],
        &vector(2, &[6; 64]),
    ]
    .concat();
    let names = [vector(2, b"one"), vector(2, b"two")].concat();
    let request = [vector(1, &[1, 64]), vector(2, &[8, 4, 4, 3]), vector(2, &names)].concat();
    let all = [
        hello,
        certificate,
        message(12, &exchange),
        message(13, &request),
        message(14, &[]),
    ]
    .concat();
    all.chunks(60).flat_map(record).collect()
}

/// RFC 8446, 4.1.4: supported_versions and the group wanted.
fn retry_13() -> Vec<u8> {
    let random = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
        0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];
    record(&server_hello(
        random,
        0x1301,
        &[0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 23],
    ))
}
