//! The commands, one function each.

use super::choices;
use super::{Command, Effect, Held, NO_STORE, Shelf, Teller, What};

impl Teller<'_> {
    /// The next command.
    pub fn next(&mut self) -> Command {
        let is_bare = self.shelves.iter().all(|shelf| shelf.held.is_empty());
        let kind = if is_bare { 0 } else { self.dice.below(100) };
        let mut command = match kind {
            0..12 => self.pair(),
            12..17 => self.secret(),
            17..20 => self.password_entry(),
            20..28 => self.listing(),
            28..34 => self.export(),
            34..38 => self.print_certificate(),
            38..43 => self.request(),
            43..45 => self.print_request(),
            45..52 => self.sign(),
            52..60 => self.import_certificate(),
            60..63 => self.delete(),
            63..67 => self.rename(),
            67..70 => self.store_password(),
            70..73 => self.key_password(),
            73..86 => self.import_store(),
            86..88 => self.revoke(),
            88..90 => self.print_list(),
            90..92 => self.self_sign(),
            92..94 => self.clone_key(),
            _ => self.help(),
        };
        if self.chance(25) {
            let wrong = choices::OPTIONS_THAT_ARE_WRONG;
            let words = wrong[self.dice.below(wrong.len() as u64) as usize];
            command.add(words);
            command.effects.clear();
            // What the words do is not followed up.
            command.stores.clear();
            command.is_fresh = true;
        }
        command
    }

    fn pair(&mut self) -> Command {
        let shelf = self.some_shelf();
        let alias = self.new_alias(&shelf);
        let is_old = self.chance(6);
        let mut command = self.begin(&["-genkeypair", "-genkey"][usize::from(is_old)..], &shelf);
        self.alias(&mut command, &alias);
        let limit = if self.chance(3) {
            choices::KEYS.len() as u64
        } else {
            choices::GOOD_KEYS
        };
        let key = choices::KEYS[self.dice.below(limit) as usize];
        command.add(key);
        if !self.slips() {
            let limit = if self.chance(3) { choices::NAMES.len() } else { 2 };
            let name = self.dice.of(&choices::NAMES[..limit]);
            command.add(&["-dname", name]);
        } else {
            let lines = [
                "Jo Doe",
                "",
                "Acme",
                "Town",
                "State",
                "DE",
                self.dice.of(&["yes", "no", "y"]),
            ];
            lines.iter().for_each(|line| command.typed_line(line));
        }
        if self.chance(4) {
            let signature = self.dice.of(choices::SIGNATURES);
            command.add(&["-sigalg", signature]);
        }
        self.dates(&mut command);
        self.extensions(&mut command, choices::EXTENSIONS, 2);
        if let (Some(signer), true) = (self.some_of(&shelf, What::Key), self.chance(4)) {
            command.add(&["-signer", &signer.alias]);
            if signer.password != shelf.password || self.chance(3) {
                command.add(&["-signerkeypass", &signer.password]);
            }
        }
        let password = self.key_password_of_a_new_key(&mut command, &shelf);
        self.made(&mut command, &shelf, &alias, What::Key, &password);
        command
    }

    fn secret(&mut self) -> Command {
        let shelf = self.some_shelf();
        let alias = self.new_alias(&shelf);
        let mut command = self.begin(&["-genseckey"], &shelf);
        self.alias(&mut command, &alias);
        command.add(choices::SECRETS[self.dice.below(choices::SECRETS.len() as u64) as usize]);
        let password = self.key_password_of_a_new_key(&mut command, &shelf);
        self.made(&mut command, &shelf, &alias, What::Secret, &password);
        command
    }

    fn password_entry(&mut self) -> Command {
        let shelf = self.some_shelf();
        let alias = self.new_alias(&shelf);
        let mut command = self.begin(&["-importpass"], &shelf);
        self.alias(&mut command, &alias);
        let typed = self.dice.of(&["hidden-one", "hidden-one", "abc", ""]);
        let again = if self.slips() { "other" } else { typed };
        command.typed_line(typed);
        command.typed_line(again);
        if self.chance(4) {
            let key = self
                .dice
                .of(&["PBEWithMD5AndDES", "PBE", "PBEWithHmacSHA256AndAES_128", "AES"]);
            command.add(&["-keyalg", key]);
        }
        let password = self.key_password_of_a_new_key(&mut command, &shelf);
        self.made(&mut command, &shelf, &alias, What::Secret, &password);
        command
    }

    fn listing(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-list"], &shelf);
        if self.chance(2) {
            let alias = self.old_alias(&shelf, None);
            self.alias(&mut command, &alias);
        }
        match self.dice.below(5) {
            0 | 1 => command.add(&["-v"]),
            2 => command.add(&["-rfc"]),
            3 if self.slips() => command.add(&["-v", "-rfc"]),
            _ => {}
        }
        command
    }

    fn export(&mut self) -> Command {
        let shelf = self.some_shelf();
        let is_old = self.chance(6);
        let mut command = self.begin(&["-exportcert", "-export"][usize::from(is_old)..], &shelf);
        let alias = self.old_alias(&shelf, None);
        self.alias(&mut command, &alias);
        if self.chance(2) {
            command.add(&["-rfc"]);
        }
        if !self.chance(6) {
            let file = self.new_file("crt");
            command.add(&["-file", &file]);
            command.effects.push(Effect::Certificate(file));
        }
        command
    }

    fn print_certificate(&mut self) -> Command {
        let mut command = Command::default();
        command.add(&["-printcert"]);
        let file = self.some_file(|teller| &teller.certificates);
        command.add(&["-file", &file]);
        if self.chance(3) {
            command.add(&["-rfc"]);
        }
        if self.chance(5) {
            command.add(&["-v"]);
        }
        command
    }

    fn request(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-certreq"], &shelf);
        let held = self.a_key(&shelf);
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        if self.chance(3) {
            let name = self.dice.of(choices::NAMES);
            command.add(&["-dname", name]);
        }
        if self.chance(4) {
            let signature = self.dice.of(choices::SIGNATURES);
            command.add(&["-sigalg", signature]);
        }
        self.extensions(&mut command, choices::EXTENSIONS, 2);
        command.is_fresh = true;
        if !self.chance(6) {
            let file = self.new_file("csr");
            command.add(&["-file", &file]);
            command.effects.push(Effect::Request(file));
        }
        command
    }

    fn print_request(&mut self) -> Command {
        let mut command = Command::default();
        command.add(&["-printcertreq"]);
        let file = self.some_file(|teller| &teller.requests);
        command.add(&["-file", &file]);
        if self.chance(4) {
            command.add(&["-v"]);
        }
        command
    }

    fn sign(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-gencert"], &shelf);
        let held = self.a_key(&shelf);
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        let request = self.some_file(|teller| &teller.requests);
        command.add(&["-infile", &request]);
        self.dates(&mut command);
        self.extensions(&mut command, choices::EXTENSIONS, 2);
        if self.chance(2) {
            self.extensions(&mut command, choices::HONOURED, 1);
        }
        if self.chance(6) {
            let signature = self.dice.of(choices::SIGNATURES);
            command.add(&["-sigalg", signature]);
        }
        if self.chance(6) {
            let name = self.dice.of(choices::NAMES);
            command.add(&["-dname", name]);
        }
        if self.chance(2) {
            command.add(&["-rfc"]);
        }
        command.is_fresh = true;
        let file = self.new_file("crt");
        command.add(&["-outfile", &file]);
        command.effects.push(Effect::Certificate(file));
        command
    }

    fn import_certificate(&mut self) -> Command {
        let shelf = self.some_shelf();
        let is_old = self.chance(6);
        let mut command = self.begin(&["-importcert", "-import"][usize::from(is_old)..], &shelf);
        let is_reply = self.chance(3);
        let held = self.a_key(&shelf);
        let alias = if is_reply {
            held.alias.clone()
        } else {
            self.new_alias(&shelf)
        };
        self.alias(&mut command, &alias);
        if is_reply {
            self.key_password_option(&mut command, &held, &shelf);
        }
        let file = self.some_file(|teller| &teller.certificates);
        command.add(&["-file", &file]);
        match self.dice.below(3) {
            0 => {
                let answer = self.dice.of(&["yes", "no", "", "maybe\nyes", "y", "YES"]);
                command.typed_line(answer);
            }
            _ => command.add(&["-noprompt"]),
        }
        if self.chance(5) {
            command.add(&["-trustcacerts"]);
        }
        if self.chance(6) {
            command.add(&["-v"]);
        }
        self.writes(&mut command, &shelf);
        if !is_reply {
            let held = Held {
                alias,
                what: What::Trusted,
                password: String::new(),
            };
            command.effects.push(Effect::Put(shelf.file, held));
        }
        command
    }

    fn delete(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-delete"], &shelf);
        let alias = self.old_alias(&shelf, None);
        if self.chance(6) {
            command.typed_line(&alias);
        } else {
            self.alias(&mut command, &alias);
        }
        self.writes(&mut command, &shelf);
        command.effects.push(Effect::Remove(shelf.file, alias));
        command
    }

    fn rename(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-changealias"], &shelf);
        let held = self.anything(&shelf);
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        let new = if self.chance(6) {
            self.old_alias(&shelf, None)
        } else {
            self.new_alias(&shelf)
        };
        if self.chance(6) {
            command.typed_line(&new);
        } else {
            command.add(&["-destalias", &new]);
        }
        self.writes(&mut command, &shelf);
        command.effects.push(Effect::Rename(shelf.file, held.alias, new));
        command
    }

    fn store_password(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-storepasswd"], &shelf);
        let new = if self.slips() {
            "short".to_owned()
        } else {
            self.new_password()
        };
        if self.chance(3) {
            command.typed_line(&new);
            command.typed_line(&new);
        } else {
            command.add(&["-new", &new]);
        }
        command.stores.push((shelf.file.clone(), new.clone()));
        command.effects.push(Effect::Password(shelf.file, new));
        command
    }

    fn key_password(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-keypasswd"], &shelf);
        let held = if self.slips() {
            self.anything(&shelf)
        } else {
            self.a_key(&shelf)
        };
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        let new = if self.slips() {
            "short".to_owned()
        } else {
            self.new_password()
        };
        if self.chance(3) {
            command.typed_line(&new);
            command.typed_line(&new);
        } else {
            command.add(&["-new", &new]);
        }
        self.writes(&mut command, &shelf);
        command
            .effects
            .push(Effect::KeyPassword(shelf.file, held.alias, new));
        command
    }

    fn import_store(&mut self) -> Command {
        let from = self.some_shelf();
        let to = match self.dice.below(6) {
            0 => from.clone(),
            1 => {
                let shelf = self.new_shelf();
                self.shelves.push(shelf.clone());
                shelf
            }
            _ => self.some_shelf(),
        };
        let mut command = Command::default();
        command.add(&[
            "-importkeystore",
            "-srckeystore",
            &from.file,
            "-destkeystore",
            &to.file,
        ]);
        if self.chance(3) {
            let kind = if self.slips() {
                self.dice.of(&["JKS", "JCEKS", "PKCS12"])
            } else {
                from.kind
            };
            command.add(&["-srcstoretype", kind]);
        }
        let to_kind = match self.dice.below(3) {
            0 => None,
            1 => Some(to.kind),
            _ => Some(self.dice.of(&["JKS", "PKCS12", "jceks", "pkcs12"])),
        };
        if let Some(kind) = to_kind.filter(|kind| *kind == to.kind || from.file == to.file || self.slips()) {
            command.add(&["-deststoretype", kind]);
        }
        self.two_passwords(&mut command, &from, &to);
        let one = self.chance(2).then(|| self.anything(&from));
        if let Some(held) = &one {
            command.add(&["-srcalias", &held.alias]);
        }
        let mut new_alias = one.as_ref().map(|held| held.alias.clone()).unwrap_or_default();
        if (one.is_some() && self.chance(2)) || self.slips() {
            new_alias = self.new_alias(&to);
            command.add(&["-destalias", &new_alias]);
        }
        if let Some(held) = &one
            && (held.password != from.password || self.chance(5))
        {
            let password = if self.slips() {
                "not-the-one"
            } else {
                &held.password
            };
            command.add(&["-srckeypass", password]);
        }
        if self.chance(6) {
            let password = self.new_password();
            command.add(&["-destkeypass", &password]);
        }
        if self.chance(2) {
            command.add(&["-noprompt"]);
        }
        if self.chance(8) {
            command.add(&["-v"]);
        }
        let lines = self.dice.below(3);
        for _ in 0..lines {
            let line = self.dice.of(&["yes", "no", "", "other-alias", "nope-nope"]);
            command.typed_line(line);
        }
        self.writes(&mut command, &to);
        let one = one.map(|held| (held.alias, new_alias));
        command.effects.push(Effect::Copy(from.file, to.file, one));
        command
    }

    fn two_passwords(&mut self, command: &mut Command, from: &Shelf, to: &Shelf) {
        let source = if self.slips() {
            "wrong-source"
        } else {
            &from.password
        };
        match self.dice.below(6) {
            0 => command.typed_line(source),
            1 if self.slips() => command.add(&["-srcprotected"]),
            _ => command.add(&["-srcstorepass", source]),
        }
        let dest = if self.slips() { "wrong-dest" } else { &to.password };
        match self.dice.below(6) {
            0 => {
                // The destination is asked for first.
                let rest = std::mem::take(&mut command.typed);
                command.typed_line(dest);
                if self.chance(2) {
                    command.typed_line(dest);
                }
                command.typed.push_str(&rest);
            }
            1 => command.add(&["-storepass", dest]),
            _ => command.add(&["-deststorepass", dest]),
        }
    }

    fn revoke(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-gencrl"], &shelf);
        let held = self.a_key(&shelf);
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        let serial = self.dice.of(&["1", "123456789", "1,2,3", "0x10", "x"]);
        command.add(&["-id", serial]);
        if self.chance(2) {
            let file = self.new_file("crl");
            command.add(&["-file", &file]);
            command.effects.push(Effect::List(file));
        } else {
            command.add(&["-rfc"]);
        }
        command.is_fresh = true;
        command
    }

    fn print_list(&mut self) -> Command {
        let mut command = Command::default();
        command.add(&["-printcrl"]);
        let file = self.some_file(|teller| &teller.lists);
        command.add(&["-file", &file]);
        if self.chance(2) {
            let shelf = self.some_shelf();
            command.add(&["-keystore", &shelf.file, "-storepass", &shelf.password]);
        }
        if self.chance(4) {
            command.add(&["-rfc"]);
        }
        command
    }

    fn self_sign(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-selfcert"], &shelf);
        let held = self.a_key(&shelf);
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        if self.chance(2) {
            let name = self.dice.of(choices::NAMES);
            command.add(&["-dname", name]);
        }
        self.dates(&mut command);
        command.is_fresh = true;
        self.writes(&mut command, &shelf);
        command
    }

    fn clone_key(&mut self) -> Command {
        let shelf = self.some_shelf();
        let mut command = self.begin(&["-keyclone"], &shelf);
        let held = self.anything(&shelf);
        self.alias(&mut command, &held.alias);
        self.key_password_option(&mut command, &held, &shelf);
        let new = self.new_alias(&shelf);
        command.add(&["-dest", &new]);
        let mut password = held.password.clone();
        match self.dice.below(3) {
            0 => {
                password = self.new_password();
                command.add(&["-new", &password]);
            }
            1 => command.typed_line(""),
            _ => {
                command.typed_line(&password);
                command.typed_line(&password);
            }
        }
        if shelf.kind.eq_ignore_ascii_case("pkcs12") {
            password.clone_from(&shelf.password);
        }
        self.made(&mut command, &shelf, &new, held.what, &password);
        command.is_fresh = false;
        command
    }

    fn help(&mut self) -> Command {
        let mut command = Command::default();
        command.add(choices::HELPS[self.dice.below(choices::HELPS.len() as u64) as usize]);
        command
    }

    /// The command, its store and the store's password in one of the ways there are.
    fn begin(&mut self, names: &[&str], shelf: &Shelf) -> Command {
        let mut command = Command::default();
        let file = if self.slips() { NO_STORE } else { &shelf.file };
        command.add(&[names[0], "-keystore", file]);
        let password = if self.slips() {
            self.dice.of(&["wrong-wrong", "short", ""])
        } else {
            &shelf.password
        };
        match self.dice.below(12) {
            0 => {
                command.typed_line(password);
                if self.chance(2) {
                    command.typed_line(password);
                }
            }
            1 if shelf.password == "from-the-env" => command.add(&["-storepass:env", "STOREPW"]),
            _ => command.add(&["-storepass", password]),
        }
        if self.slips() {
            let kind = self.dice.of(&["JKS", "JCEKS", "PKCS12", "CaseExactJKS", "BKS"]);
            command.add(&["-storetype", kind]);
        } else if shelf.held.is_empty() || self.chance(3) {
            command.add(&["-storetype", shelf.kind]);
        }
        if self.chance(12) {
            command.add(&["-v"]);
        }
        command
    }

    fn alias(&mut self, command: &mut Command, alias: &str) {
        if !(alias == "mykey" && self.chance(2)) {
            let shown = if self.chance(8) {
                alias.to_uppercase()
            } else {
                alias.to_owned()
            };
            command.add(&["-alias", &shown]);
        }
    }

    fn dates(&mut self, command: &mut Command) {
        if self.chance(4) {
            let date = self.dice.of(choices::DATES);
            command.add(&["-startdate", date]);
        }
        if self.chance(4) {
            let days = self.dice.of(&[
                "1",
                "365",
                "3650",
                "10000",
                "0",
                "-1",
                "3000000",
                "99999999999",
                "x",
            ]);
            command.add(&["-validity", days]);
        }
    }

    fn extensions(&mut self, command: &mut Command, choices: &[&'static str], one_in: u64) {
        while self.chance(one_in + 1) {
            let extension = self.dice.of(choices);
            command.add(&["-ext", extension]);
        }
    }

    fn key_password_of_a_new_key(&mut self, command: &mut Command, shelf: &Shelf) -> String {
        let mut password = shelf.password.clone();
        match self.dice.below(6) {
            0 => {
                password = if self.slips() {
                    "short".to_owned()
                } else {
                    self.new_password()
                };
                command.add(&["-keypass", &password]);
            }
            1 => {
                password = self.new_password();
                command.typed_line(&password);
                command.typed_line(&password);
            }
            2 => command.typed_line(""),
            _ => command.add(&["-keypass", &shelf.password]),
        }
        match shelf.kind.eq_ignore_ascii_case("pkcs12") {
            true => shelf.password.clone(),
            false => password,
        }
    }

    fn key_password_option(&mut self, command: &mut Command, held: &Held, shelf: &Shelf) {
        let password = if self.slips() {
            "not-the-one"
        } else {
            &held.password
        };
        if held.password != shelf.password {
            match self.chance(4) {
                true => command.typed_line(password),
                false => command.add(&["-keypass", password]),
            }
        } else if self.chance(6) {
            command.add(&["-keypass", password]);
        }
    }

    fn made(&mut self, command: &mut Command, shelf: &Shelf, alias: &str, what: What, password: &str) {
        command.is_fresh = true;
        self.writes(command, shelf);
        let held = Held {
            alias: alias.to_owned(),
            what,
            password: password.to_owned(),
        };
        command.effects.push(Effect::Put(shelf.file.clone(), held));
    }

    fn writes(&mut self, command: &mut Command, shelf: &Shelf) {
        command.stores.push((shelf.file.clone(), shelf.password.clone()));
    }

    fn some_shelf(&mut self) -> Shelf {
        let index = self.dice.below(self.shelves.len() as u64) as usize;
        let first = self.shelves[index].clone();
        // A store without entries has no file yet.
        let filled = self.shelves.iter().find(|shelf| !shelf.held.is_empty()).cloned();
        match filled {
            Some(filled) if first.held.is_empty() && !self.chance(4) => filled,
            _ => first,
        }
    }

    fn some_of(&mut self, shelf: &Shelf, what: What) -> Option<Held> {
        let held: Vec<&Held> = shelf.held.iter().filter(|held| held.what == what).collect();
        match held.len() {
            0 => None,
            count => Some(held[self.dice.below(count as u64) as usize].clone()),
        }
    }

    fn anything(&mut self, shelf: &Shelf) -> Held {
        match shelf.held.len() {
            0 => nothing(),
            count if !self.slips() => shelf.held[self.dice.below(count as u64) as usize].clone(),
            _ => nothing(),
        }
    }

    fn a_key(&mut self, shelf: &Shelf) -> Held {
        match self.slips() {
            true => self.anything(shelf),
            false => self.some_of(shelf, What::Key).unwrap_or_else(nothing),
        }
    }

    fn old_alias(&mut self, shelf: &Shelf, what: Option<What>) -> String {
        let held = match what {
            Some(what) => self.some_of(shelf, what).unwrap_or_else(nothing),
            None => self.anything(shelf),
        };
        held.alias
    }

    fn new_alias(&mut self, shelf: &Shelf) -> String {
        if self.slips() && !shelf.held.is_empty() {
            return self.anything(shelf).alias;
        }
        let base = self.dice.of(choices::ALIASES);
        match self.chance(3) {
            true => base.to_owned(),
            false => format!("{base}{}", self.dice.below(1000)),
        }
    }

    fn new_password(&mut self) -> String {
        format!("{}{}", self.dice.of(choices::PASSWORDS), self.dice.below(10_000))
    }

    fn new_file(&mut self, end: &str) -> String {
        self.number += 1;
        format!("f{}.{end}", self.number)
    }

    fn some_file(&mut self, list: fn(&Self) -> &Vec<String>) -> String {
        let files = list(self).clone();
        if files.is_empty() || self.slips() {
            let all = [&self.certificates, &self.requests, &self.lists];
            let all: Vec<String> = all.into_iter().flatten().cloned().collect();
            return match all.is_empty() || self.chance(2) {
                true => "no-such.file".to_owned(),
                false => all[self.dice.below(all.len() as u64) as usize].clone(),
            };
        }
        files[self.dice.below(files.len() as u64) as usize].clone()
    }
}

fn nothing() -> Held {
    Held {
        alias: "nobody".to_owned(),
        what: What::Trusted,
        password: "no-password".to_owned(),
    }
}
