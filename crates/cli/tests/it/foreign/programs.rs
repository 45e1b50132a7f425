//! nginx, PostgreSQL and a TLS program of the JDK, started in a directory of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use super::material::Party;

/// The programs of the operating system that are needed; `Err` names the one that is not there.
pub struct Programs {
    pub nginx: PathBuf,
    pub pg_ctl: PathBuf,
    pub initdb: PathBuf,
    pub java: PathBuf,
    pub javac: PathBuf,
    pub keytool: PathBuf,
}

impl Programs {
    pub fn find() -> Result<Programs, &'static str> {
        Ok(Programs {
            nginx: program("nginx").ok_or("nginx")?,
            pg_ctl: program("pg_ctl").ok_or("PostgreSQL")?,
            initdb: program("initdb").ok_or("PostgreSQL")?,
            java: program("java").ok_or("java")?,
            javac: program("javac").ok_or("javac")?,
            keytool: program("keytool").ok_or("keytool")?,
        })
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .chain(debian.map(|version| version.path().join("bin")))
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

/// The three, running, with their files below `dir`. They end with it.
pub struct Fleet {
    pub programs: Programs,
    pub dir: PathBuf,
    pub host: String,
    /// nginx, PostgreSQL, Java.
    pub ports: [u16; 3],
    user: Vec<String>,
}

impl Fleet {
    /// Writes their files with certificates of `old` and starts them.
    pub fn start(programs: Programs, dir: &Path, old: &Party) -> Fleet {
        let number = std::process::id();
        let fleet = Fleet {
            programs,
            dir: dir.to_owned(),
            host: format!("127.{}.{}.1", 64 + number / 256 % 64, number % 256),
            ports: [8443, 5432, 9443],
            user: user(),
        };
        fleet.web(old);
        fleet.db(old);
        fleet.ledger(old);
        fleet
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    fn put(&self, path: &str, bytes: &[u8], mode: u32) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn web(&self, old: &Party) {
        let web = old.leaf("web.example");
        self.put("web/tls.crt", &web.chain_pem(), 0o644);
        self.put("web/tls.key", &web.key_pem(), 0o600);
        self.put("web/ca.crt", &old.certificate.to_pem().unwrap(), 0o644);
        let text = WEB
            .replace("DIR", &self.at("web").display().to_string())
            .replace("ADDRESS", &format!("{}:{}", self.host, self.ports[0]));
        self.put("web/nginx.conf", text.as_bytes(), 0o644);
        run(Command::new(&self.programs.nginx).args(self.nginx()));
        self.await_port(0);
    }

    /// Its arguments.
    pub fn nginx(&self) -> Vec<String> {
        let dir = self.at("web").display().to_string();
        vec![
            "-p".into(),
            format!("{dir}/"),
            "-c".into(),
            format!("{dir}/nginx.conf"),
        ]
    }

    fn db(&self, old: &Party) {
        let db = old.leaf("db.example");
        self.put("db/server.crt", &db.chain_pem(), 0o640);
        self.put("db/server.key", &db.key_pem(), 0o600);
        self.put("db/ca.crt", &old.certificate.to_pem().unwrap(), 0o644);
        if let Some(user) = self.user.last() {
            run(Command::new("chown").args(["-R", user]).arg(self.at("db")));
        }
        let data = self.at("db/data");
        let mut initdb = self.as_user(&self.programs.initdb);
        run(initdb
            .args(["-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "-D"])
            .arg(&data));
        let mut conf = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        conf += &DB
            .replace("DIR", &self.at("db").display().to_string())
            .replace("HOST", &self.host)
            .replace("PORT", &self.ports[1].to_string());
        fs::write(data.join("postgresql.conf"), conf).unwrap();
        let who = "hostssl all all 127.0.0.0/8 trust clientcert=verify-ca\n";
        fs::write(data.join("pg_hba.conf"), who).unwrap();
        run(Command::new(&self.postgres("start")[0]).args(&self.postgres("start")[1..]));
        self.await_port(1);
    }

    /// `pg_ctl` as its own user.
    pub fn postgres(&self, what: &str) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(user) = self.user.last() {
            let id = format!("--reuid={user}");
            words.extend(["setpriv".to_owned(), id, "--clear-groups".to_owned()]);
        }
        let (data, log) = (self.at("db/data"), self.at("db/log"));
        words.push(self.programs.pg_ctl.display().to_string());
        words.extend([what, "-w", "-s", "-D", &data.display().to_string()].map(str::to_owned));
        match what {
            "start" => words.extend(["-l".to_owned(), log.display().to_string()]),
            "stop" => words.extend(["-m".to_owned(), "immediate".to_owned()]),
            _ => words.retain(|word| word != "-w"),
        }
        words
    }

    fn as_user(&self, program: &Path) -> Command {
        match self.user.last() {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={user}"))
                    .arg("--clear-groups")
                    .arg(program);
                command
            }
        }
    }

    fn ledger(&self, old: &Party) {
        let source = include_bytes!("Ledger.java");
        self.put("ledger/Ledger.java", source, 0o644);
        let p12 = old.leaf("ledger.example").pkcs12("ledger", "identity");
        self.put("ledger/ledger.p12", &p12, 0o640);
        self.put("ledger/old.pem", &old.certificate.to_pem().unwrap(), 0o644);
        run(Command::new(&self.programs.javac)
            .arg(self.at("ledger/Ledger.java"))
            .arg("-d")
            .arg(self.at("ledger")));
        run(Command::new(&self.programs.keytool)
            .args(["-importcert", "-noprompt", "-alias", "oldca", "-storetype", "JKS"])
            .args(["-storepass", "believed", "-keystore"])
            .arg(self.at("ledger/trust.jks"))
            .arg("-file")
            .arg(self.at("ledger/old.pem")));
        let text = RESTART
            .replace("DIR", &self.at("ledger").display().to_string())
            .replace("JAVA", &self.programs.java.display().to_string())
            .replace(
                "ARGS",
                &format!(
                    "{} {} {} {}",
                    self.host, self.ports[2], self.ports[0], self.ports[1]
                ),
            );
        self.put("ledger/restart.sh", text.as_bytes(), 0o755);
        run(&mut Command::new(self.at("ledger/restart.sh")));
        self.await_port(2);
    }

    fn await_port(&self, which: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect((self.host.as_str(), self.ports[which])).is_err() {
            assert!(
                Instant::now() < deadline,
                "nobody listens at {}",
                self.ports[which]
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let stop = self.postgres("stop");
        let _ = Command::new(&stop[0]).args(&stop[1..]).output();
        let _ = Command::new(&self.programs.nginx)
            .args(self.nginx())
            .args(["-s", "stop"])
            .output();
        let _ = Command::new(self.at("ledger/restart.sh")).arg("stop").output();
    }
}

/// PostgreSQL does not run as root: then whose files and process it is.
fn user() -> Vec<String> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return Vec::new();
    }
    let known = |name: &&str| {
        let id = Command::new("id").args(["-u", name]).output().unwrap();
        id.status.success()
    };
    ["postgres", "nobody"]
        .into_iter()
        .find(known)
        .map(str::to_owned)
        .into_iter()
        .collect()
}

fn run(command: &mut Command) {
    let output = command
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let status = output.status().unwrap();
    assert!(status.success(), "{command:?} ended with {status}");
}

const WEB: &str = "\
worker_processes 2;
pid DIR/nginx.pid;
error_log DIR/error.log info;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3;
    uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
    server {
        listen ADDRESS ssl;
        ssl_certificate DIR/tls.crt;
        ssl_certificate_key DIR/tls.key;
        ssl_client_certificate DIR/ca.crt;
        ssl_verify_client on;
        location / { return 200 'ok'; }
    }
}
";

const DB: &str = "
listen_addresses = 'HOST'
port = PORT
unix_socket_directories = ''
fsync = off
ssl = on
ssl_cert_file = 'DIR/server.crt'
ssl_key_file = 'DIR/server.key'
ssl_ca_file = 'DIR/ca.crt'
";

const RESTART: &str = r#"#!/bin/sh
if [ -f DIR/pid ]; then
    old=$(cat DIR/pid)
    kill "$old" 2>/dev/null
    while grep -q '^State:.[^ZX]' "/proc/$old/status" 2>/dev/null; do sleep 0.05; done
fi
[ "$1" = stop ] && exit 0
cd DIR || exit 1
setsid JAVA -cp DIR Ledger DIR ARGS >DIR/out.log 2>&1 </dev/null &
echo $! >DIR/pid
"#;
