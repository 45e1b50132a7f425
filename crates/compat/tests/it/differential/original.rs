//! The installed keytool, in one warm Java.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One Java that runs keytool as often as it is asked, in one directory.
pub struct Original {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Original {
    /// Nothing, with a word why, where there is no Java 17 with a compiler.
    pub fn start(directory: &Path) -> Option<Self> {
        let java = crate::program("java")?;
        let version = Command::new(&java).arg("-version").output().ok()?;
        if !String::from_utf8_lossy(&version.stderr).contains("version \"17.") {
            println!("SKIPPED: the Java here is not version 17");
            return None;
        }
        crate::program("javac")?;
        let program = directory.join("Original.java");
        std::fs::write(&program, include_str!("Original.java")).unwrap();
        let home = format!("-Duser.home={}", directory.display());
        let mut child = Command::new(java)
            .args(["-XX:TieredStopAtLevel=1", "-Djava.security.manager=allow", &home])
            .args([
                "--add-exports",
                "java.base/sun.security.tools.keytool=ALL-UNNAMED",
            ])
            .arg("Original.java")
            .current_dir(directory)
            .env_clear()
            .envs(environment(directory))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut original = Self {
            child,
            questions,
            answers,
        };
        // The program is read by now.
        original.run(&["-help".to_owned()], "");
        Some(original)
    }

    /// Exit code, stdout and stderr.
    pub fn run(&mut self, words: &[String], typed: &str) -> (u8, String, String) {
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("x{}", STANDARD.encode(word)))
            .collect();
        writeln!(self.questions, "{}\t{}", words.join(" "), STANDARD.encode(typed)).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let parts: Vec<&str> = line.trim_end_matches('\n').split('\t').collect();
        let text = |part: &str| String::from_utf8_lossy(&STANDARD.decode(part).unwrap()).into_owned();
        (parts[0].parse().unwrap(), text(parts[1]), text(parts[2]))
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What both sides see.
pub fn environment(directory: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("LC_ALL", "C".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("HOME", directory.display().to_string()),
        ("PATH", "/usr/bin:/bin".to_owned()),
        ("STOREPW", "from-the-env".to_owned()),
    ]
}
