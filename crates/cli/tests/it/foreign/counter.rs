//! Full handshakes with each program, several times a second, as an old and as a new client, up to an answer of its
//! application. What counts: whom the program must let in by what the run said so far.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use openssl::ssl::ErrorCode;
use openssl::ssl::HandshakeError;
use openssl::ssl::Ssl;
use openssl::ssl::SslContext;
use openssl::ssl::SslMethod;
use openssl::ssl::SslSessionCacheMode;
use openssl::ssl::SslStream;
use openssl::ssl::SslVerifyMode;

use super::material::Party;

/// Whom a program must let in, and whether it may be away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Duty {
    pub old: bool,
    pub new: bool,
    pub may_be_away: bool,
}

/// What was counted for one program.
#[derive(Debug, Default, Clone)]
pub struct Count {
    pub good: [u64; 2],
    pub excused: u64,
    pub failed: Vec<String>,
}

/// How the program is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    Http,
    Postgres,
    Plain,
}

/// One program under count.
pub struct Post {
    pub id: &'static str,
    pub address: String,
    pub speech: Speech,
    pub duty: Mutex<Duty>,
    pub count: Mutex<Count>,
}

/// The old and the new client, both believing both authorities.
pub struct Clients {
    pub old: Party,
    pub new: Party,
}

/// Counts until `end`.
pub fn watch(post: &Post, clients: &Clients, end: &Arc<AtomicBool>) {
    let mut turn = 0;
    while !end.load(Ordering::SeqCst) {
        turn = 1 - turn;
        std::thread::sleep(Duration::from_millis(40));
        let due = |duty: Duty| if turn == 0 { duty.old } else { duty.new };
        let before = *post.duty.lock().unwrap();
        if !due(before) {
            continue;
        }
        let outcome = call(post, clients, turn);
        let Err((away, why)) = outcome else {
            post.count.lock().unwrap().good[turn] += 1;
            continue;
        };
        // What the run does is heard of a moment later than it happens.
        std::thread::sleep(Duration::from_millis(1_500));
        let after = *post.duty.lock().unwrap();
        let mut count = post.count.lock().unwrap();
        if away && (before.may_be_away || after.may_be_away) {
            count.excused += 1;
        } else if due(after) {
            let who = ["old", "new"][turn];
            count
                .failed
                .push(format!("{} as the {who} client: {why}", post.id));
        }
    }
}

/// Whether the program lets this client in now.
pub fn is_let_in(post: &Post, clients: &Clients, turn: usize) -> bool {
    call(post, clients, turn).is_ok()
}

/// One call; an error says whether nobody was there.
fn call(post: &Post, clients: &Clients, turn: usize) -> Result<(), (bool, String)> {
    let context = context(clients, turn);
    let lost = |error: std::io::Error| {
        let away = matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
        );
        (away, error.to_string())
    };
    let mut stream = TcpStream::connect(&post.address).map_err(lost)?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    if post.speech == Speech::Postgres {
        let mut answer = [0];
        stream
            .write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
            .map_err(lost)?;
        stream.read_exact(&mut answer).map_err(lost)?;
        if answer != *b"S" {
            return Err((false, "no TLS".to_owned()));
        }
    }
    let ssl = Ssl::new(&context).unwrap();
    let mut stream = ssl.connect(stream).map_err(|error| {
        let HandshakeError::Failure(middle) = &error else {
            return (false, error.to_string());
        };
        let gone = matches!(middle.error().code(), ErrorCode::SYSCALL | ErrorCode::ZERO_RETURN)
            || error.to_string().contains("unexpected eof");
        let before_hello = middle.ssl().peer_certificate().is_none();
        (gone && before_hello, error.to_string())
    })?;
    let talked = talk(&mut stream, post.speech).map_err(|error| (false, error.to_string()))?;
    let _ = stream.shutdown();
    if talked {
        Ok(())
    } else {
        Err((false, "the answer is a refusal".to_owned()))
    }
}

/// One question and its answer: whether the program let us in.
fn talk(stream: &mut SslStream<TcpStream>, speech: Speech) -> std::io::Result<bool> {
    let (question, expected): (&[u8], &[u8]) = match speech {
        Speech::Http => (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200"),
        Speech::Postgres => (
            b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0",
            b"R\0\0\0\x08\0\0\0\0",
        ),
        Speech::Plain => (b"h", b"ok"),
    };
    stream.write_all(question)?;
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer == expected)
}

fn context(clients: &Clients, turn: usize) -> SslContext {
    let client = [&clients.old, &clients.new][turn];
    let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_verify(SslVerifyMode::PEER);
    for party in [&clients.old, &clients.new] {
        let issuer = party.issuer.clone().unwrap();
        builder.cert_store_mut().add_cert(issuer).unwrap();
    }
    builder.set_certificate(&client.certificate).unwrap();
    builder.set_private_key(&client.key).unwrap();
    builder.build()
}
