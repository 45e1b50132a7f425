//! The dialling side: a full mutual handshake on one link several times a second, each with a line there and back.

use std::io::{self, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::SslStream;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::place::now_micros;
use crate::record::{Class, End, Outcome, Record, server_name_of};
use crate::serve::settings::Dial;
use crate::serve::tls::{Watched, handshake_id, judge, session};
use crate::serve::{Loaded, Process};

/// Dials one link until it is gone or the process ends.
pub(super) fn dial_on(process: &Process, link: &str, gone: &AtomicBool) {
    let mut shake = link.bytes().fold(process.address().to_bits(), |sum, b| {
        sum.rotate_left(5) ^ u32::from(b)
    });
    let mut turn = usize::from(shake % 2 == 1);
    let mut next = Instant::now() + process.every.mul_f64(f64::from(shake % 100) / 100.0);
    loop {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        process.under_way.fetch_add(1, Ordering::SeqCst);
        // Asked after it was counted: a process that ends waits for those that are counted.
        if gone.load(Ordering::SeqCst) || !process.dials() {
            process.under_way.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        let loaded = process.loaded();
        if let Some(dial) = loaded.setup.dials.iter().find(|d| d.link == link) {
            let record = shake_hands(process, &loaded, dial, turn);
            process.write_down(&record);
        }
        process.under_way.fetch_sub(1, Ordering::SeqCst);
        turn = 1 - turn;
        shake = shake.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        next += process
            .every
            .mul_f64(0.85 + f64::from(shake >> 16) / 65_536.0 * 0.3);
        next = next.max(Instant::now());
    }
}

fn shake_hands(process: &Process, loaded: &Loaded, dial: &Dial, turn: usize) -> Record {
    let fail = |class, reason: String| (String::from("-"), Outcome::Fail { class, reason });
    let (id, outcome) = match connect(process, dial.to) {
        Err(error) => {
            let class = match error.kind() {
                io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Class::Refused,
                _ => Class::Other,
            };
            fail(class, error.to_string())
        }
        Ok(stream) => match session(&loaded.contexts[dial.material].client[turn]) {
            Err(error) => fail(Class::Other, crate::chain_of(&error)),
            Ok(mut ssl) => {
                // A name that only the lab's own listeners understand; nobody verifies it.
                let named = ssl.set_hostname(&server_name_of(&dial.link));
                match named.and_then(|()| {
                    SslStream::new(
                        ssl,
                        Watched {
                            stream,
                            bytes_read: 0,
                        },
                    )
                }) {
                    Err(stack) => fail(Class::Other, stack.to_string()),
                    Ok(mut stream) => {
                        let outcome = exchange(&mut stream, dial);
                        let id = handshake_id(stream.ssl());
                        let _ = stream.shutdown();
                        (id, outcome)
                    }
                }
            }
        },
    };
    Record {
        at_micros: now_micros(),
        id,
        link: dial.link.clone(),
        end: End::Client,
        outcome,
    }
}

fn exchange(stream: &mut SslStream<Watched>, dial: &Dial) -> Outcome {
    if let Err(error) = stream.connect() {
        let (class, reason) = judge(stream.ssl(), &error, stream.get_ref().bytes_read);
        return Outcome::Fail { class, reason };
    }
    let line = format!("GET {} HTTP/1.1\r\n", dial.path);
    // The line may meet a closed connection when the server refuses late; what was refused is then still to be read.
    let written = stream.write_all(line.as_bytes());
    let mut reply = [0; 512];
    match stream.ssl_read(&mut reply) {
        Ok(read) if reply[..read].starts_with(b"HTTP/1.1 403") => Outcome::Fail {
            class: Class::Other,
            reason: "not authorised".to_owned(),
        },
        Ok(read) if read > 0 => Outcome::Pass {
            version: stream.ssl().version_str().to_owned(),
        },
        Ok(_) => Outcome::Fail {
            class: Class::Other,
            reason: "closed without an answer".to_owned(),
        },
        Err(error) => {
            let (class, mut reason) = judge(stream.ssl(), &error, stream.get_ref().bytes_read);
            if let Err(error) = written {
                reason = format!("{reason}; {error}");
            }
            Outcome::Fail { class, reason }
        }
    }
}

/// Connects from the host's own address, as a real host would.
fn connect(process: &Process, to: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    rustix::net::sockopt::set_socket_timeout(&socket, rustix::net::sockopt::Timeout::Send, Some(PATIENCE))?;
    rustix::net::bind(&socket, &SocketAddrV4::new(process.address(), 0))?;
    rustix::net::connect(&socket, &to)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

const PATIENCE: Duration = Duration::from_secs(5);
