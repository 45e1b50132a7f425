//! Commands of chance: a few stores that live for some dozen commands, with slips of all kinds in between.

mod choices;
mod commands;

use std::fmt;

/// One command line, what is typed into it, and what it does when it is done.
#[derive(Default)]
pub struct Command {
    pub words: Vec<String>,
    pub typed: String,
    is_fresh: bool,
    /// Stores that may be written, each with the password that opens it afterwards.
    stores: Vec<(String, String)>,
    effects: Vec<Effect>,
}

/// What a command that went well leaves behind.
enum Effect {
    Put(String, Held),
    Remove(String, String),
    Rename(String, String, String),
    /// Another password for the store, and in PKCS#12 for its keys.
    Password(String, String),
    KeyPassword(String, String, String),
    /// All of one store into another, or one entry under another name.
    Copy(String, String, Option<(String, String)>),
    Certificate(String),
    Request(String),
    List(String),
}

/// An entry as the teller remembers it.
#[derive(Clone)]
struct Held {
    alias: String,
    what: What,
    password: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Key,
    Secret,
    Trusted,
}

#[derive(Clone)]
struct Shelf {
    file: String,
    kind: &'static str,
    password: String,
    held: Vec<Held>,
}

/// Tells one story.
pub struct Teller<'a> {
    dice: &'a mut Dice,
    shelves: Vec<Shelf>,
    certificates: Vec<String>,
    requests: Vec<String>,
    lists: Vec<String>,
    number: u64,
}

impl Command {
    /// The store's entries at length.
    pub fn list(file: &str, password: &str) -> Self {
        let words = ["-list", "-v", "-keystore", file, "-storepass", password].map(str::to_owned);
        Self {
            words: words.to_vec(),
            ..Self::default()
        }
    }

    /// Whether each side makes keys, serial numbers or signatures of its own.
    pub fn makes_something_new(&self) -> bool {
        self.is_fresh
    }

    /// The password of a file that is a store.
    pub fn password_of(&self, file: &str) -> Option<String> {
        let found = self.stores.iter().find(|(name, _)| name == file);
        found.map(|(_, password)| password.clone())
    }

    fn add(&mut self, words: &[&str]) {
        self.words.extend(words.iter().map(|word| (*word).to_owned()));
    }

    fn typed_line(&mut self, line: &str) {
        self.typed.push_str(line);
        self.typed.push('\n');
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keytool")?;
        for word in &self.words {
            match word.contains([' ', '"']) || word.is_empty() {
                true => write!(f, " '{word}'")?,
                false => write!(f, " {word}")?,
            }
        }
        match self.typed.is_empty() {
            true => Ok(()),
            false => write!(f, " <<< {:?}", self.typed),
        }
    }
}

impl<'a> Teller<'a> {
    pub fn new(dice: &'a mut Dice) -> Self {
        let number = dice.below(1000);
        let mut teller = Self {
            dice,
            shelves: Vec::new(),
            certificates: Vec::new(),
            requests: Vec::new(),
            lists: Vec::new(),
            number,
        };
        for _ in 0..3 {
            let shelf = teller.new_shelf();
            teller.shelves.push(shelf);
        }
        teller
    }

    /// Whose files the story goes on with.
    pub fn takes_ours(&mut self) -> bool {
        self.dice.below(2) == 0
    }

    /// Remembers what a command did.
    pub fn learn(&mut self, command: &Command, is_done: bool) {
        if !is_done {
            return;
        }
        for effect in &command.effects {
            self.learn_one(effect);
        }
    }

    fn learn_one(&mut self, effect: &Effect) {
        match effect {
            Effect::Put(file, held) => self.put(file, held.clone()),
            Effect::Remove(file, alias) => {
                self.shelf(file)
                    .held
                    .retain(|held| !held.alias.eq_ignore_ascii_case(alias));
            }
            Effect::Rename(file, alias, new) => {
                for held in &mut self.shelf(file).held {
                    if held.alias == *alias {
                        held.alias.clone_from(new);
                    }
                }
            }
            Effect::Password(file, new) => {
                let shelf = self.shelf(file);
                shelf.password.clone_from(new);
                let is_pkcs12 = shelf.kind.eq_ignore_ascii_case("pkcs12");
                for held in shelf.held.iter_mut().filter(|_| is_pkcs12) {
                    held.password.clone_from(new);
                }
            }
            Effect::KeyPassword(file, alias, new) => {
                for held in &mut self.shelf(file).held {
                    if held.alias == *alias {
                        held.password.clone_from(new);
                    }
                }
            }
            Effect::Copy(from, to, one) => self.copy(from, to, one.as_ref()),
            Effect::Certificate(name) => self.certificates.push(name.clone()),
            Effect::Request(name) => self.requests.push(name.clone()),
            Effect::List(name) => self.lists.push(name.clone()),
        }
    }

    fn copy(&mut self, from: &str, to: &str, one: Option<&(String, String)>) {
        let copied = self.shelf(from).held.clone();
        let password = self.shelf(to).password.clone();
        let is_pkcs12 = self.shelf(to).kind.eq_ignore_ascii_case("pkcs12");
        for mut held in copied {
            match one {
                Some((alias, _)) if held.alias != *alias => continue,
                Some((_, new)) => held.alias.clone_from(new),
                None => {}
            }
            if is_pkcs12 {
                held.password.clone_from(&password);
            }
            self.put(to, held);
        }
    }

    fn put(&mut self, file: &str, held: Held) {
        let shelf = self.shelf(file);
        shelf
            .held
            .retain(|other| !other.alias.eq_ignore_ascii_case(&held.alias));
        shelf.held.push(held);
    }

    fn shelf(&mut self, file: &str) -> &mut Shelf {
        let found = self.shelves.iter().position(|shelf| shelf.file == file);
        let index = found.expect("effects name known stores");
        &mut self.shelves[index]
    }

    fn new_shelf(&mut self) -> Shelf {
        self.number += 1;
        let kind = self
            .dice
            .of(&["PKCS12", "PKCS12", "JKS", "JCEKS", "pkcs12", "jks"]);
        let password = match self.dice.below(8) {
            0 => "from-the-env".to_owned(),
            _ => format!("{}{}", self.dice.of(choices::PASSWORDS), self.dice.below(10_000)),
        };
        Shelf {
            file: format!("s{}.{}", self.number, self.dice.of(&["p12", "jks", "store"])),
            kind,
            password,
            held: Vec::new(),
        }
    }

    /// Sometimes something is wrong.
    fn slips(&mut self) -> bool {
        self.dice.below(16) == 0
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.dice.below(one_in) == 0
    }
}

/// SplitMix64.
pub struct Dice(u64);

impl Dice {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A store that nobody made.
pub const NO_STORE: &str = "no-such.store";
