//! The same commands by the original and by us, on the same files; only where a keytool 17 is installed.
//!
//! Both sides begin each command with the same directory. Afterwards their exit codes, texts and files are compared, the
//! original reads what we wrote, and the next command goes on with the files of one of the two sides.
//!
//! `KEYTOOL_STORIES=200 KEYTOOL_SEED=7 cargo test -p compat --test it differential -- --nocapture` runs more of them.

mod original;
mod story;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use compat::Io;

use self::original::Original;
use self::story::{Command, Dice};

/// What one side did.
struct Run {
    code: u8,
    out: String,
    err: String,
    files: BTreeMap<String, Vec<u8>>,
}

#[test]
fn generated_commands_end_the_same_and_each_reads_the_others_stores() {
    let Some(mut world) = World::start() else { return };
    let seed = number("KEYTOOL_SEED").unwrap_or(1);
    println!("KEYTOOL_SEED={seed}");
    let mut dice = Dice::seeded(seed);
    for _ in 0..number("KEYTOOL_STORIES").unwrap_or(3) {
        world.empty();
        let mut teller = story::Teller::new(&mut dice);
        for _ in 0..COMMANDS_PER_STORY {
            let command = teller.next();
            let is_done = world.run(&command, &mut teller);
            teller.learn(&command, is_done);
        }
    }
    println!(
        "{} commands, {} with another text, {} ended differently",
        world.commands,
        world.texts.len(),
        world.ends.len()
    );
    assert!(
        world.ends.is_empty(),
        "KEYTOOL_SEED={seed}\n{}",
        world.ends.join("\n")
    );
    assert!(
        world.texts.len() * 20 <= world.commands,
        "KEYTOOL_SEED={seed}\n{}",
        world.texts.join("\n")
    );
}

/// The directory of both sides, and what was found.
struct World {
    directory: tempfile::TempDir,
    original: Original,
    commands: usize,
    /// Other exit codes, other files, stores that the original cannot read.
    ends: Vec<String>,
    /// Other texts.
    texts: Vec<String>,
}

impl World {
    fn start() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let original = Original::start(directory.path())?;
        let (commands, ends, texts) = (0, Vec::new(), Vec::new());
        Some(Self {
            directory,
            original,
            commands,
            ends,
            texts,
        })
    }

    fn empty(&self) {
        put(self.directory.path(), &BTreeMap::new());
    }

    /// Runs a command on both sides; whether it was done.
    fn run(&mut self, command: &Command, teller: &mut story::Teller<'_>) -> bool {
        self.commands += 1;
        let before = files(self.directory.path());
        let theirs = self.theirs(command);
        put(self.directory.path(), &before);
        let mine = self.mine(command);
        let is_fresh = command.makes_something_new();
        let theirs = without_emptied(theirs, &before);
        let [their_files, my_files] = [&theirs, &mine].map(|run| {
            let mut names = changed(&before, run);
            // A store in which nothing is new may keep its bytes; whether nothing is new is looked at below.
            names.retain(|name| command.password_of(name).is_none() || !before.contains_key(name));
            names
        });
        if (theirs.code, their_files) != (mine.code, my_files) {
            self.note_end(both(command, &theirs, &mine));
        } else if (normal(&theirs.out, is_fresh), normal(&theirs.err, is_fresh))
            != (normal(&mine.out, is_fresh), normal(&mine.err, is_fresh))
        {
            let shown = both(command, &theirs, &mine);
            println!("{shown}");
            self.texts.push(shown);
        }
        let mut touched = [changed(&before, &theirs), changed(&before, &mine)].concat();
        touched.sort();
        touched.dedup();
        for name in touched {
            match command.password_of(&name) {
                Some(password) => self.compare_store(command, &name, &password, &theirs, &mine),
                // The name that a slip puts in the place of a store's.
                None if name == story::NO_STORE => {}
                None if !is_fresh && theirs.files.get(&name) != mine.files.get(&name) => {
                    self.note_end(format!("{command}\n{name} has other bytes"));
                }
                None => {}
            }
        }
        let kept = if teller.takes_ours() {
            &mine.files
        } else {
            &theirs.files
        };
        put(self.directory.path(), kept);
        theirs.code == 0
    }

    /// The original lists both stores: what it says of ours is what it says of its own.
    fn compare_store(&mut self, command: &Command, name: &str, password: &str, theirs: &Run, mine: &Run) {
        let list = Command::list(name, password);
        let [wanted, found] = [theirs, mine].map(|run| {
            put(self.directory.path(), &run.files);
            self.theirs(&list)
        });
        let [left, right] = [theirs, mine].map(|run| opened_by(run.files.get(name), password, command));
        if left != right {
            self.note_end(format!(
                "{command}\nkeys of {name} open by other passwords: {left:?}, ours {right:?}"
            ));
        }
        let is_fresh = command.makes_something_new();
        let [left, right] = [&wanted, &found].map(|run| (run.code, normal(&run.out, is_fresh)));
        if left != right {
            let shown = both(&list, &wanted, &found);
            self.note_end(format!("{command}\nthe original lists them differently: {shown}"));
        }
    }

    fn note_end(&mut self, difference: String) {
        println!("ends differently: {difference}");
        self.ends.push(difference);
    }

    fn theirs(&mut self, command: &Command) -> Run {
        let (code, out, err) = self.original.run(&command.words, &command.typed);
        let files = files(self.directory.path());
        Run {
            code,
            out,
            err,
            files,
        }
    }

    fn mine(&self, command: &Command) -> Run {
        let directory = self.directory.path();
        let mut io = Io::in_memory(directory, command.typed.as_bytes());
        for (name, value) in original::environment(directory) {
            io = io.with_variable(name, &value);
        }
        let words: Vec<OsString> = command.words.iter().map(OsString::from).collect();
        let code = compat::keytool(&words, &mut io);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            code,
            out: text(io.written_out()),
            err: text(io.written_err()),
            files: files(directory),
        }
    }
}

/// For each entry the passwords of the command that open it.
fn opened_by(bytes: Option<&Vec<u8>>, password: &str, command: &Command) -> BTreeMap<String, Vec<String>> {
    let limits = keystore::Limits::default();
    let read = bytes.map(|bytes| keystore::read(bytes, Some(&keystore::Password::new(password)), &limits));
    let Some(Ok(store)) = read else {
        return BTreeMap::new();
    };
    let mut words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    words.extend(command.typed.lines());
    words.sort_unstable();
    words.dedup();
    let opens = |entry: &keystore::Entry, word: &&&str| {
        let word = keystore::Password::new(**word);
        entry.unlock(Some(&word)).is_ok() || entry.unlock_secret(Some(&word)).is_ok()
    };
    let entries = store
        .entries()
        .iter()
        .filter(|entry| entry.protection().is_some());
    entries
        .map(|entry| {
            let words = words.iter().filter(|word| opens(entry, word));
            let words = words.map(|word| (*word).to_owned()).collect();
            (entry.alias().unwrap_or_default().to_owned(), words)
        })
        .collect()
}

fn both(command: &Command, theirs: &Run, mine: &Run) -> String {
    let shown = |run: &Run| format!("exit {}\n{}--- stderr\n{}", run.code, run.out, run.err);
    format!(
        "{command}\n--- original {}--- ours {}",
        shown(theirs),
        shown(mine)
    )
}

/// The original empties the file of `-file` before it looks whether there is something to put in; we do not.
fn without_emptied(mut run: Run, before: &BTreeMap<String, Vec<u8>>) -> Run {
    if run.code != 0 {
        run.files
            .retain(|name, bytes| !bytes.is_empty() || before.contains_key(name));
        for (name, bytes) in run.files.iter_mut().filter(|(_, bytes)| bytes.is_empty()) {
            bytes.clone_from(&before[name]);
        }
    }
    run
}

/// Names of files that are new, other or gone.
fn changed(before: &BTreeMap<String, Vec<u8>>, run: &Run) -> Vec<String> {
    let names = before.keys().chain(run.files.keys());
    let mut names: Vec<String> = names
        .filter(|name| before.get(*name) != run.files.get(*name))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Makes texts comparable. `is_fresh`: each side made keys, serial numbers and certificates of its own.
fn normal(text: &str, is_fresh: bool) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut in_pem = false;
    for line in text.lines() {
        // A name that was not found a moment ago is refused without a reason.
        let line = line.replace(": Name or service not known", "");
        // Said when nothing has come through the pipe by then; which depends on who is quicker.
        let line = line.replace("[WARNING: Input may be visible on screen] ", "");
        let mut line = line.trim_end().to_owned();
        // A stack is no text; there is none here.
        let is_stack =
            line.starts_with("\tat ") || line.starts_with("\t... ") || line.starts_with("Caused by: ");
        if is_stack {
            continue;
        }
        if let Some((head, _)) = line.split_once("ECKeySizeParameterSpec@") {
            line = format!("{head}ECKeySizeParameterSpec");
        }
        if is_fresh {
            line = without_new_things(&line, &mut in_pem);
            if matches!(line.as_str(), "<BASE64>" | "<HEX>") && out.last() == Some(&line) {
                continue;
            }
        }
        out.push(line);
    }
    out.join("\n")
}

fn without_new_things(line: &str, in_pem: &mut bool) -> String {
    if line.starts_with("-----") {
        *in_pem = line.starts_with("-----BEGIN");
    } else if *in_pem {
        return "<BASE64>".to_owned();
    }
    let is_dump = |(at, _): &(&str, &str)| at.len() == 4 && at.ends_with('0');
    if line.split_once(": ").is_some_and(|parts| is_dump(&parts)) {
        return "<HEX>".to_owned();
    }
    if line.starts_with("Serial number: ") {
        return "Serial number: <SERIAL>".to_owned();
    }
    if line.starts_with("Valid from: ") {
        return without_minutes(line);
    }
    match line.rsplit_once(": ") {
        Some((head, tail)) if tail.matches(':').count() >= 15 => format!("{head}: <FP>"),
        _ => line.to_owned(),
    }
}

/// `12:34:56` becomes `12:`: the two sides run seconds apart.
fn without_minutes(line: &str) -> String {
    let word = |word: &str| match word.split(':').collect::<Vec<_>>().as_slice() {
        [hour, _, _] => format!("{hour}:"),
        _ => word.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(&path).unwrap())
    };
    paths.filter(|path| path.is_file()).map(read).collect()
}

/// Makes the directory hold these files and no others.
fn put(directory: &Path, wanted: &BTreeMap<String, Vec<u8>>) {
    let found = files(directory);
    for name in found.keys().filter(|name| !wanted.contains_key(*name)) {
        std::fs::remove_file(directory.join(name)).unwrap();
    }
    for (name, bytes) in wanted
        .iter()
        .filter(|(name, bytes)| found.get(*name) != Some(bytes))
    {
        std::fs::write(directory.join(name), bytes).unwrap();
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

const COMMANDS_PER_STORY: usize = 30;
