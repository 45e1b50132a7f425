//! A Rust file with its code, its comments and its strings told apart, without a parser.

/// One Rust file. `code`, `comments` and `strings` have the length and the lines of `text`; what belongs to another
/// of the three is blank there.
pub struct Source {
    pub path: String,
    pub text: String,
    pub code: String,
    pub comments: String,
    pub strings: String,
}

/// A function with a body: its name, the line of its `fn` and the number of lines from there to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
    pub is_test: bool,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let kinds = kinds(text.as_bytes());
        let only = |wanted: Kind| {
            let bytes: Vec<u8> = text
                .bytes()
                .zip(&kinds)
                .map(|(byte, kind)| {
                    if byte == b'\n' || *kind == wanted {
                        byte
                    } else {
                        b' '
                    }
                })
                .collect();
            String::from_utf8(bytes).expect("whole characters are of one kind")
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: only(Kind::Code),
            comments: only(Kind::Comment),
            strings: only(Kind::Text),
        }
    }

    /// Whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs" || part == "benches")
    }

    /// The code without inline `#[cfg(test)] mod … { … }`.
    pub fn shipped(&self) -> String {
        let mut code = self.code.clone();
        let mut from = 0;
        while let Some(at) = code[from..].find("#[cfg(test)]").map(|at| from + at) {
            from = at + 1;
            let Some(open) = code[at..].find(['{', ';']).map(|open| at + open) else {
                break;
            };
            if code.as_bytes()[open] == b'{' {
                let close = closing(&code, open);
                let blank: String = code[at..close]
                    .chars()
                    .map(|c| if c == '\n' { c } else { ' ' })
                    .collect();
                code.replace_range(at..close, &blank);
            }
        }
        code
    }

    /// The line, counted from 1, of a byte offset.
    pub fn line(&self, offset: usize) -> usize {
        line_of(&self.text, offset)
    }
}

/// Every function with a body in `code`, in file order; an inner function counts by itself and within its outer one.
pub fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let rest = &code[at + 2..];
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if name.is_empty() {
            continue; // a function pointer's type
        }
        if let Some(open) = body(code, at) {
            let line = line_of(code, at);
            let before = code[..at].rfind(['}', ';', '{']).map_or(0, |end| end + 1);
            found.push(Function {
                name,
                line,
                lines: line_of(code, closing(code, open)) - line + 1,
                is_test: code[before..at].contains("#[test]"),
            });
        }
    }
    found
}

/// Offsets at which `word` stands as a whole word.
pub fn words(code: &str, word: &str) -> Vec<usize> {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(|at| !part(code[..*at].chars().next_back()) && !part(code[at + word.len()..].chars().next()))
        .collect()
}

/// The brace that opens the body of the function at `at`; `None` for a declaration.
fn body(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' if depth == 0 => return Some(offset),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The offset of the brace that closes the one at `open`; the end when none does.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return offset;
                }
            }
            _ => {}
        }
    }
    code.len()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Text,
}

/// The kind of each byte.
fn kinds(bytes: &[u8]) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(bytes.len());
    while kinds.len() < bytes.len() {
        let (kind, count) = token(bytes, kinds.len());
        kinds.resize((kinds.len() + count.max(1)).min(bytes.len()), kind);
    }
    kinds
}

/// The kind and length of what begins at `at`.
fn token(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = &bytes[at..];
    let inside_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return (
            Kind::Comment,
            rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        );
    }
    if rest.starts_with(b"/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if rest[0] == b'"' {
        return (Kind::Text, quoted(rest, b'"'));
    }
    if rest[0] == b'\'' {
        // A lifetime has no closing quote right after its first character.
        let next = rest.get(1).copied().unwrap_or_default();
        let wide = std::str::from_utf8(&rest[1..])
            .ok()
            .and_then(|text| text.chars().next())
            .map_or(1, char::len_utf8);
        let is_char = next == b'\\' || rest.get(1 + wide) == Some(&b'\'');
        return if is_char {
            (Kind::Text, quoted(rest, b'\''))
        } else {
            (Kind::Code, 1)
        };
    }
    if !inside_word {
        let prefix = rest
            .iter()
            .take_while(|byte| matches!(byte, b'b' | b'c' | b'r'))
            .count();
        let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
        let is_raw = rest[..prefix].contains(&b'r');
        if prefix > 0 && prefix < 3 && is_raw && rest.get(prefix + hashes) == Some(&b'"') {
            return (Kind::Text, raw(rest, prefix + hashes + 1, hashes));
        }
    }
    (Kind::Code, 1)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw(rest: &[u8], from: usize, hashes: usize) -> usize {
    let end: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    rest[from..]
        .windows(end.len())
        .position(|window| window == end)
        .map_or(rest.len(), |at| from + at + end.len())
}

#[test]
fn strings_comments_and_lifetimes_are_told_apart() {
    let text = "let a = \"// no {\"; // yes }\nlet b: &'a str = r#\"{\"}\"#; let c = '{'; /* { /* { */ */ let d = b'\\'';\n";
    let source = Source::new("x.rs", text);
    assert_eq!(
        source.code.matches(['{', '}', '"', '/']).count(),
        0,
        "{}",
        source.code
    );
    assert!(source.code.contains("&'a str"), "{}", source.code);
    assert!(source.code.contains("let d ="), "{}", source.code);
    assert!(source.comments.contains("// yes }"), "{}", source.comments);
    assert!(source.strings.contains("// no {"), "{}", source.strings);
}

#[test]
fn functions_are_found_with_their_lines_and_declarations_are_not() {
    let code = "trait T { fn declared(a: [u8; 4]); }\nfn one(f: fn(u8) -> u8) -> u8 {\n    f(1)\n}\n#[test]\nfn two() {}\n";
    let found = functions(code);
    assert_eq!(
        found,
        [
            Function {
                name: "one".to_owned(),
                line: 2,
                lines: 3,
                is_test: false
            },
            Function {
                name: "two".to_owned(),
                line: 6,
                lines: 1,
                is_test: true
            },
        ]
    );
}

#[test]
fn inline_test_modules_are_not_shipped() {
    let source = Source::new(
        "x.rs",
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n",
    );
    let names: Vec<String> = functions(&source.shipped())
        .into_iter()
        .map(|found| found.name)
        .collect();
    assert_eq!(names, ["a", "c"]);
}
