//! nginx, stunnel, PostgreSQL and Java.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use hello::Version;
use probe::ClientAuth;
use probe::Facts;
use probe::Order;
use probe::Presented;
use probe::StartTls;
use probe::Wants;

use crate::made::MATERIAL;
use crate::others;
use crate::servers::Server;
use crate::servers::ask;
use crate::servers::free_port;
use crate::servers::limits;
use crate::servers::now;
use crate::servers::program;
use crate::servers::rules;
use crate::servers::target;

#[test]
fn nginx_with_its_own_order_asks_clients_and_goes_on_without() {
    let Some(nginx) = program("nginx") else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let port = free_port();
    let text = NGINX
        .replace("DIR", &dir.path().display().to_string())
        .replace("PEMS", &MATERIAL.path.display().to_string())
        .replace("PORT", &port.to_string());
    let file = dir.path().join("nginx.conf");
    fs::write(&file, text).expect("written");
    let mut command = Command::new(nginx);
    command.args([
        "-p",
        &dir.path().display().to_string(),
        "-c",
        &file.display().to_string(),
    ]);
    let _server = Server::start(&mut command, port);
    let facts = ask(port);
    assert_eq!(spoken(&facts), "TLSv1.3 TLSv1.2");
    assert_eq!(
        facts
            .version(Version::Tls12)
            .map(|seen| (seen.suites.len(), seen.order)),
        Some((4, Some(Order::Server)))
    );
    assert!(matches!(&facts.client, ClientAuth::Asked { request, .. } if request.authorities.len() == 1));
    assert_eq!(facts.protocols, ["h2", "http/1.1", "http/1.0"]);
    others::agree_with_sslscan(&facts, "nginx");
    others::agree_with_s_client(&facts, "nginx");
}

const NGINX: &str = "daemon off; master_process off; pid DIR/pid; error_log DIR/log;
events {}
http {
  access_log off; client_body_temp_path DIR/a; proxy_temp_path DIR/b; fastcgi_temp_path DIR/c;
  uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;
  server {
    listen 127.0.0.1:PORT ssl http2; server_name localhost;
    ssl_certificate PEMS/rsa.pem; ssl_certificate_key PEMS/rsa.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on;
    ssl_ciphers AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA;
    ssl_verify_client on; ssl_client_certificate PEMS/root.pem;
  }
}
";

#[test]
fn stunnel_in_front_of_something() {
    let Some(stunnel) = program("stunnel4").or_else(|| program("stunnel")) else {
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let port = free_port();
    let text = format!(
        "foreground = yes\npid = {0}/pid\n[x]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:9\n\
         cert = {1}\nkey = {2}\nsslVersionMin = TLSv1\nciphers = AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA:@SECLEVEL=0\nsecurityLevel = 0\n",
        dir.path().display(),
        MATERIAL.at("rsa.pem"),
        MATERIAL.at("rsa.key"),
    );
    let file = dir.path().join("stunnel.conf");
    fs::write(&file, text).expect("written");
    let _server = Server::start(Command::new(stunnel).arg(&file), port);
    let facts = ask(port);
    assert_eq!(spoken(&facts), "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1.0");
    assert!(rules(&facts).starts_with("P-21"), "{}", rules(&facts));
    others::agree_with_sslscan(&facts, "stunnel");
    others::agree_with_s_client(&facts, "stunnel");
}

#[test]
fn postgres_begins_with_its_own_message() {
    let (Some(initdb), Some(postgres)) = (program("initdb"), program("postgres")) else {
        return;
    };
    // It refuses to run as root.
    let user = if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        Some("65534")
    } else {
        None
    };
    let dir = tempfile::tempdir().expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    for name in ["rsa.pem", "rsa.key", "root.pem"] {
        fs::copy(MATERIAL.at(name), dir.path().join(name)).expect("copied");
    }
    fs::set_permissions(dir.path().join("rsa.key"), fs::Permissions::from_mode(0o600)).expect("a mode");
    if let Some(user) = user {
        let status = Command::new("chown").args(["-R", user]).arg(dir.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "chown");
    }
    let as_user = |program: &Path| match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={user}"))
                .arg("--clear-groups")
                .arg(program);
            command
        }
        None => Command::new(program),
    };
    let data = dir.path().join("data");
    let made = as_user(&initdb)
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "-N",
            "-E",
            "UTF8",
            "--no-locale",
            "-D",
        ])
        .arg(&data)
        .output()
        .expect("initdb runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let port = free_port();
    let mut command = as_user(&postgres);
    command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={}", dir.path().display()),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}/rsa.pem", dir.path().display()),
        format!("ssl_key_file={}/rsa.key", dir.path().display()),
        format!("ssl_ca_file={}/root.pem", dir.path().display()),
    ] {
        command.args(["-c", &setting]);
    }
    let _server = Server::start(&mut command, port);
    let mut target = target(&format!("127.0.0.1:{port}"));
    target.starttls = Some(StartTls::Postgres);
    let facts = probe::probe(&target, None, Wants::Everything, &limits(), now());
    assert_eq!(spoken(&facts), "TLSv1.3 TLSv1.2", "{:?}", facts.trouble);
    assert!(matches!(
        facts.client,
        ClientAuth::Asked {
            required: Some(false),
            ..
        }
    ));
    others::agree_with_sslscan(&facts, "postgres");
    others::agree_with_s_client(&facts, "postgres");
    // Asked for TLS at once it says what it is, or hangs up.
    let direct = crate::servers::target(&format!("tls://127.0.0.1:{port}"));
    let facts = probe::probe(&direct, None, Wants::Everything, &limits(), now());
    assert!(
        matches!(rules(&facts).as_str(), "P-05" | "P-06"),
        "{}",
        rules(&facts)
    );
}

#[test]
fn java_requires_a_client_and_takes_ours() {
    let (Some(java), Some(openssl)) = (program("java"), program("openssl")) else {
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("server.p12");
    let chain = dir.path().join("chain.pem");
    let pems = ["rsa.pem", "root.pem"].map(|name| fs::read(MATERIAL.at(name)).expect("read"));
    fs::write(&chain, pems.concat()).expect("written");
    let made = Command::new(openssl)
        .args([
            "pkcs12",
            "-export",
            "-name",
            "server",
            "-passout",
            "pass:changeit",
            "-in",
        ])
        .arg(&chain)
        .args(["-inkey", &MATERIAL.at("rsa.key"), "-out"])
        .arg(&store)
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let source = dir.path().join("Server.java");
    fs::write(&source, include_str!("Server.java")).expect("written");
    let port = free_port();
    let mut command = Command::new(java);
    command
        .arg("-Xshare:auto")
        .arg(&source)
        .arg(&store)
        .args(["changeit", &port.to_string()]);
    let _server = Server::start(&mut command, port);
    let facts = ask(port);
    assert_eq!(spoken(&facts), "TLSv1.3 TLSv1.2", "{:?}", facts.trouble);
    let ClientAuth::Asked { request, required } = &facts.client else {
        panic!("{:?}", facts.client);
    };
    assert_eq!((request.authorities.len(), *required), (1, Some(true)));
    assert_eq!(facts.chain().map(|chain| chain.sent.len()), Some(3));
    others::agree_with_s_client(&facts, "java");
    others::agree_with_sslscan(&facts, "java");
    let identity = MATERIAL.identity();
    let target = target(&format!("127.0.0.1:{port}"));
    let facts = probe::probe(&target, Some(&identity), Wants::Handshakes, &limits(), now());
    assert_eq!(facts.presented, Some(Presented::Taken));
    assert!(
        probe::findings(&facts, &[], Some(&identity))
            .iter()
            .all(|one| one.rule.id != "P-61")
    );
}

fn spoken(facts: &Facts) -> String {
    let names: Vec<&str> = facts.spoken().map(|seen| seen.version.name()).collect();
    names.join(" ")
}
