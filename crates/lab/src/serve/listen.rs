//! The listening side: accepts, shakes hands, applies the list of whom it lets in, answers in a line.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use openssl::nid::Nid;
use openssl::ssl::{ErrorCode, NameType, SslRef, SslStream};
use openssl::x509::X509Ref;

use crate::LabError;
use crate::place::now_micros;
use crate::record::{Class, End, Outcome, Record, link_of};
use crate::serve::settings::{Listen, Setup};
use crate::serve::tls::{Watched, handshake_id, judge, session};
use crate::serve::{Loaded, Process};

/// Binds every address that the settings name.
pub(super) fn bind_all(setup: &Setup) -> Result<Vec<TcpListener>, LabError> {
    let bind = |listen: &Listen| {
        TcpListener::bind(listen.address).map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => LabError::PortTaken {
                address: listen.address.to_string(),
                source,
            },
            _ => LabError::System {
                verb: "listen",
                source,
            },
        })
    };
    setup.listens.iter().map(bind).collect()
}

/// Accepts until the process ends; each connection has a thread of its own, up to a bound.
pub(super) fn accept_all(process: &Arc<Process>, index: usize, socket: &TcpListener) {
    loop {
        match socket.accept() {
            Ok((stream, _)) if !process.ends() => {
                if process.under_way.fetch_add(1, Ordering::SeqCst) >= MOST {
                    process.under_way.fetch_sub(1, Ordering::SeqCst);
                    continue;
                }
                let process = Arc::clone(process);
                thread::spawn(move || {
                    serve_one(&process, index, stream);
                    process.under_way.fetch_sub(1, Ordering::SeqCst);
                });
            }
            Ok(_) | Err(_) if process.ends() => return,
            Ok(_) => {}
            Err(error) => {
                eprintln!("cannot accept: {error}");
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn serve_one(process: &Process, index: usize, stream: TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).ok();
    stream.set_write_timeout(Some(PATIENCE)).ok();
    stream.set_nodelay(true).ok();
    let loaded = process.loaded();
    let Some(listen) = loaded.setup.listens.get(index) else {
        return;
    };
    let Ok(ssl) = session(&loaded.contexts[listen.material].server) else {
        return;
    };
    let Ok(mut stream) = SslStream::new(
        ssl,
        Watched {
            stream,
            bytes_read: 0,
        },
    ) else {
        return;
    };
    let shaken = stream.accept();
    if stream.get_ref().bytes_read == 0 {
        // Somebody looked whether the port is open.
        return;
    }
    let outcome = match shaken {
        Ok(()) => answer(&mut stream, listen, &loaded),
        Err(error) => {
            let (class, reason) = judge(stream.ssl(), &error, stream.get_ref().bytes_read);
            Outcome::Fail { class, reason }
        }
    };
    let record = Record {
        at_micros: now_micros(),
        id: handshake_id(stream.ssl()),
        link: link_of_client(stream.ssl()).unwrap_or_else(|| "-".to_owned()),
        end: End::Server,
        outcome,
    };
    process.write_down(&record);
    let _ = stream.shutdown();
    drain(stream.get_ref());
}

/// Reads one line and answers in one. Who says nothing for a while gets a line too: a late refusal of TLS 1.3 can be
/// told from a success only by a byte of the peer.
fn answer(stream: &mut SslStream<Watched>, listen: &Listen, loaded: &Loaded) -> Outcome {
    let version = stream.ssl().version_str().to_owned();
    let of_the_lab = link_of_client(stream.ssl()).is_some();
    let patience = if of_the_lab { PATIENCE } else { SILENCE };
    stream.get_ref().stream.set_read_timeout(Some(patience)).ok();
    let mut line = [0; 512];
    let mut filled = 0;
    while filled < line.len() && !line[..filled].contains(&b'\n') {
        match stream.ssl_read(&mut line[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.code() == ErrorCode::WANT_READ && !of_the_lab => break,
            // A stranger who has seen enough and says goodbye: there is nobody to answer.
            Err(error) if error.code() == ErrorCode::ZERO_RETURN && !of_the_lab => {
                return Outcome::Pass { version };
            }
            Err(error) => {
                let (class, reason) = judge(stream.ssl(), &error, stream.get_ref().bytes_read);
                return Outcome::Fail { class, reason };
            }
        }
    }
    let asked = String::from_utf8_lossy(&line[..filled]).into_owned();
    let peer = stream.ssl().peer_certificate();
    let admitted = match &listen.admits {
        Some(list) if asked.contains(AGENTS_ASK) => peer.as_deref().is_some_and(|p| admits(list, p)),
        _ => true,
    };
    let _ = loaded;
    let reply: &[u8] = match (asked.is_empty(), admitted) {
        (true, _) => b"ready\n",
        (false, true) => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        (false, false) => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    };
    if let Err(error) = stream.write_all(reply) {
        return Outcome::Fail {
            class: Class::Other,
            reason: format!("no answer possible: {error}"),
        };
    }
    if admitted {
        Outcome::Pass { version }
    } else {
        let who = peer.as_deref().and_then(common_name).unwrap_or_default();
        Outcome::Fail {
            class: Class::Other,
            reason: format!("{who:?} is not in the list of authorised names"),
        }
    }
}

/// Whether the broker lets a client in: its CN begins with an item of the list, or is the product's own default.
fn admits(list: &[String], peer: &X509Ref) -> bool {
    let Some(name) = common_name(peer) else {
        return false;
    };
    OWN_NAMES.contains(&name.as_str()) || list.iter().any(|item| !item.is_empty() && name.starts_with(item))
}

fn common_name(certificate: &X509Ref) -> Option<String> {
    let entry = certificate
        .subject_name()
        .entries_by_nid(Nid::COMMONNAME)
        .last()?;
    entry.data().to_string().ok()
}

fn link_of_client(ssl: &SslRef) -> Option<String> {
    link_of(ssl.servername(NameType::HOST_NAME)?)
}

/// Says that nothing more comes and takes what the peer still sends; else a reset could overtake the alert.
fn drain(watched: &Watched) {
    let mut stream = &watched.stream;
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    stream.set_read_timeout(Some(SILENCE)).ok();
    let mut rest = [0; 1024];
    for _ in 0..16 {
        if !matches!(stream.read(&mut rest), Ok(read) if read > 0) {
            return;
        }
    }
}

/// What a dynamic agent asks its broker for.
pub(super) const AGENTS_ASK: &str = "/JobManagerRESTWeb/";
/// The default client identities of the product need no entry in the list.
const OWN_NAMES: [&str; 2] = ["Client", "ClientNew"];
/// How many connections are served at once.
const MOST: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_millis(150);
