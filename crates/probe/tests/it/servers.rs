//! Other people's servers as processes, and servers of our own in threads.

use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use probe::Facts;
use probe::Limits;
use probe::Target;
use probe::Wants;

/// A process that ends with the test.
pub struct Server {
    child: Child,
    pub port: u16,
}

impl Server {
    /// Starts a program and waits until it listens.
    pub fn start(command: &mut Command, port: u16) -> Server {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut server = Server { child, port };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.child.try_wait().expect("a state");
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            assert!(Instant::now() < deadline, "{command:?} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program of that name; `None`, and a line that says so, where it is not there.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .chain(debian.map(|version| version.path().join("bin")))
        .map(|dir| dir.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("SKIPPED: no {name}");
    }
    found
}

/// A port that nobody has now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A server of our own: `serve` gets every connection, on a thread of its own. It lives as long as the tests.
pub fn serve(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = std::sync::Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = std::sync::Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    port
}

pub fn target(text: &str) -> Target {
    let mut target = Target::parse(text).expect("a target");
    target.name = Some("localhost".to_owned());
    target
}

pub fn limits() -> Limits {
    Limits {
        per_second: 1000,
        ..Limits::default()
    }
}

/// Asks everything.
pub fn ask(port: u16) -> Facts {
    probe::probe(
        &target(&format!("127.0.0.1:{port}")),
        None,
        Wants::Everything,
        &limits(),
        now(),
    )
}

pub fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("a few years")
}

/// The rules that found something, in their order.
pub fn rules(facts: &Facts) -> String {
    let found = probe::findings(facts, &[], None);
    let ids: Vec<&str> = found.iter().map(|finding| finding.rule.id).collect();
    ids.join(" ")
}

/// Writes and pays no attention to whether anybody reads.
pub fn say(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}
