//! Servers that are none, or want to do harm: a clear finding, in time, whatever they do.

use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use probe::Facts;
use probe::Limits;
use probe::Wants;

use crate::servers::free_port;
use crate::servers::now;
use crate::servers::rules;
use crate::servers::say;
use crate::servers::serve;
use crate::servers::target;

/// Asks a server of ours with little patience and gives the rules and the text of the first finding.
#[track_caller]
fn check(serve_one: impl Fn(TcpStream) + Send + Sync + 'static, want: &str, cause: &str) -> Facts {
    check_port(serve(serve_one), want, cause)
}

#[track_caller]
fn check_port(port: u16, want: &str, cause: &str) -> Facts {
    let limits = Limits {
        connect: Duration::from_millis(300),
        answer: Duration::from_millis(300),
        whole: Duration::from_secs(5),
        ..Limits::default()
    };
    let begun = Instant::now();
    let target = target(&format!("tls://127.0.0.1:{port}"));
    let facts = probe::probe(&target, None, Wants::Everything, &limits, now());
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "it took {:?}",
        begun.elapsed()
    );
    assert_eq!(rules(&facts), want, "{:?}", facts.trouble);
    let first = &probe::findings(&facts, &[], None)[0];
    assert_eq!(first.severity, probe::Severity::Error);
    let text = format!("{} {} {}", first.cause, first.fix, first.evidence.join(" "));
    assert!(text.contains(cause), "{text}");
    facts
}

#[test]
fn nobody_listens() {
    check_port(free_port(), "P-02", "no program listens");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let facts = check(|stream| hold(&stream), "P-04", "no answer within 300 ms");
    assert!(facts.connections <= 4, "{} connections", facts.connections);
}

#[test]
fn a_server_that_hangs_up() {
    check(drop, "P-05", "hung up");
}

#[test]
fn a_server_that_hangs_up_after_the_hello() {
    let serve = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
    };
    check(serve, "P-05", "hung up");
}

#[test]
fn garbage_is_not_tls() {
    check(
        |mut stream| say(&mut stream, b"\x00\x01\x02garbage"),
        "P-06",
        "not TLS",
    );
}

#[test]
fn a_gigabyte_of_zeros_is_not_read() {
    check(|stream| flood(stream, &[0; 65_536]), "P-06", "not TLS");
}

#[test]
fn handshake_records_without_end_are_cut_off() {
    // A Certificate message that claims 16 MiB, in records of 16 KiB.
    let mut record = vec![22, 3, 3, 0x40, 0x00, 11, 0xff, 0xff, 0xff];
    record.resize(5 + 0x4000, 0);
    check(move |stream| flood(stream, &record), "P-07", "more than");
}

#[test]
fn warnings_without_end_are_cut_off() {
    check(
        |stream| flood(stream, &[21, 3, 3, 0, 2, 1, 112]),
        "P-07",
        "more than",
    );
}

#[test]
fn one_byte_at_a_time_does_not_keep_us() {
    let serve = |mut stream: TcpStream| {
        for byte in [22, 3, 3, 0x40, 0x00].iter().chain(&[0; 2000]) {
            say(&mut stream, &[*byte]);
            thread::sleep(Duration::from_millis(20));
        }
    };
    check(serve, "P-04", "no answer within");
}

#[test]
fn plain_http_is_named() {
    let serve = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        say(
            &mut stream,
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        );
    };
    check(serve, "P-06", "plain HTTP");
}

#[test]
fn plain_http_that_waits_for_its_line_is_named() {
    let serve = |mut stream: TcpStream| {
        let mut first = [0; 3];
        let _ = stream.read(&mut first);
        if &first == b"GET" {
            say(&mut stream, b"HTTP/1.0 200 OK\r\n\r\n");
        } else {
            hold(&stream);
        }
    };
    check(serve, "P-06", "plain HTTP");
}

#[test]
fn a_protocol_that_greets_is_named_with_the_way_to_ask_it() {
    let greetings: [(&'static [u8], &str); 4] = [
        (b"220 mail ready\r\n", "smtp://127.0.0.1:"),
        (b"* OK imap ready\r\n", "imap://127.0.0.1:"),
        (b"+OK pop ready\r\n", "pop3://127.0.0.1:"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
    ];
    for (greeting, way) in greetings {
        let serve = move |mut stream: TcpStream| {
            say(&mut stream, greeting);
            hold(&stream);
        };
        check(serve, "P-06", way);
    }
}

#[test]
fn a_hello_that_breaks_off_is_no_version() {
    let serve = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        say(&mut stream, &[22, 3, 3, 0, 60, 2, 0, 0, 56, 3, 3, 1, 2, 3]);
    };
    check(serve, "P-05", "hung up");
}

#[test]
fn alerts_alone_are_no_version() {
    let serve = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        say(&mut stream, &[21, 3, 1, 0, 2, 2, 40]);
    };
    check(serve, "P-09", "alert 40 (handshake_failure)");
}

#[test]
fn a_hello_of_a_suite_that_was_not_offered_ends_the_questions() {
    let serve = |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]);
        let mut message = vec![22, 3, 3, 0, 46, 2, 0, 0, 38, 3, 3];
        message.resize(message.len() + 32, 7);
        // No session, the suite 0xfefe, no compression; then the end of the flight.
        message.extend([0, 0xfe, 0xfe, 0, 14, 0, 0, 0]);
        say(&mut stream, &message);
        hold(&stream);
    };
    let port = serve_on(serve);
    let limits = Limits {
        answer: Duration::from_millis(300),
        whole: Duration::from_secs(5),
        ..Limits::default()
    };
    let target = target(&format!("tls://127.0.0.1:{port}"));
    let facts = probe::probe(&target, None, Wants::Everything, &limits, now());
    assert!(facts.connections < 40, "{} connections", facts.connections);
    assert!(rules(&facts).contains("P-40"), "{}", rules(&facts));
}

fn serve_on(serve_one: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    serve(serve_one)
}

/// Keeps the connection for longer than anybody waits.
fn hold(stream: &TcpStream) {
    thread::sleep(Duration::from_secs(10));
    let _ = stream.peer_addr();
}

/// Sends a gigabyte, or as much as is taken.
fn flood(mut stream: TcpStream, piece: &[u8]) {
    use std::io::Write;
    let mut left = 1usize << 30;
    let block: Vec<u8> = piece
        .iter()
        .copied()
        .cycle()
        .take(piece.len() * (65_536 / piece.len()).max(1))
        .collect();
    while left > 0 && stream.write_all(&block).is_ok() {
        left = left.saturating_sub(block.len());
    }
}
