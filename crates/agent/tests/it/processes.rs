use agent::process::{listeners, process, process_of_file};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn a_process_is_known_by_number_and_start_until_it_ends() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut child = Command::new("sleep")
        .arg("60")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let seen = process(child.id()).unwrap().unwrap();
    assert_eq!(process(child.id()).unwrap(), Some(seen));
    let off = seen.started.seconds.abs_diff(i64::try_from(now).unwrap());
    assert!(off <= 2, "started at {:?}, the clock said {now}", seen.started);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    assert_eq!(process_of_file(&file).unwrap(), None);
    std::fs::write(&file, format!("{}\n", child.id())).unwrap();
    assert_eq!(process_of_file(&file).unwrap(), Some(seen));
    child.kill().unwrap();
    // Not waited for yet: what is left of it is no process any more.
    let deadline = SystemTime::now() + std::time::Duration::from_secs(10);
    while process(child.id()).unwrap().is_some() && SystemTime::now() < deadline {
        std::thread::yield_now();
    }
    assert_eq!(process(child.id()).unwrap(), None);
    child.wait().unwrap();
    std::fs::write(&file, "none").unwrap();
    assert!(process_of_file(&file).is_err());
}

#[test]
fn the_owner_of_a_listening_socket_is_found() {
    let me = process(std::process::id()).unwrap().unwrap();
    for bound in ["127.0.0.7:0", "0.0.0.0:0"] {
        let socket = TcpListener::bind(bound).unwrap();
        let mut address = socket.local_addr().unwrap();
        address.set_ip("127.0.0.7".parse().unwrap());
        assert_eq!(listeners(address).unwrap(), [me], "{bound}");
        drop(socket);
        assert_eq!(listeners(address).unwrap(), [], "{bound}");
    }
}
