//! Workstation and domain definitions as `composer create FILE from cpu=@` writes them.
//!
//! The text is kept: what an edit does not touch is written again byte by byte, unknown keywords included.
//! Source: domain specification B.5.

use std::ops::Range;

/// A definitions file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definitions {
    text: String,
    /// In file order.
    pub workstations: Vec<Workstation>,
    /// In file order.
    pub domains: Vec<Domain>,
}

/// One `CPUNAME … END`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Workstation {
    /// Without its folder.
    pub name: String,
    /// `UNIX`, `WNT`, `OTHER`, …
    pub os: String,
    /// Host name or address.
    pub node: Option<String>,
    /// `TCPADDR`; 31111 where absent.
    pub tcp_port: u16,
    /// `SECUREADDR`, as written.
    pub secure_port: Option<u16>,
    /// Its domain.
    pub domain: Option<String>,
    /// The workstation that hosts it (a broker for agents), without folder.
    pub hosted_by: Option<String>,
    /// `TYPE` in upper case: `MANAGER`, `FTA`, `BROKER`, `AGENT`, …; `FTA` where absent.
    pub kind: String,
    /// `FULLSTATUS ON`.
    pub full_status: bool,
    /// `SECURITYLEVEL` in upper case with `_`.
    pub security_level: Option<String>,
    span: Range<usize>,
}

/// One `DOMAIN … END`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Domain {
    /// Without its folder.
    pub name: String,
    /// Its manager.
    pub manager: Option<String>,
    /// The domain above; absent for the master domain.
    pub parent: Option<String>,
}

impl Definitions {
    /// Reads definitions; lines outside of `CPUNAME … END` and `DOMAIN … END` are passed over (banners, classes).
    ///
    /// # Errors
    /// [`DefinitionError`] with the line of a definition without name or end, or of a port that is no port.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let mut all = Definitions {
            text: text.to_owned(),
            workstations: Vec::new(),
            domains: Vec::new(),
        };
        let words = words(text);
        let mut at = 0;
        while at < words.len() {
            let opens = if words[at].starts_line {
                words[at].upper()
            } else {
                String::new()
            };
            let (name, end) = match opens.as_str() {
                "CPUNAME" | "DOMAIN" | "CPUCLASS" => block(&words, at)?,
                _ => {
                    at += 1;
                    continue;
                }
            };
            let inner = &words[at + 2..end];
            let span = words[at].at.start..words[end].at.end;
            match opens.as_str() {
                "CPUNAME" => all.workstations.push(workstation(name, inner, span)?),
                "DOMAIN" => all.domains.push(domain(name, inner)),
                _ => {}
            }
            at = end + 1;
        }
        Ok(all)
    }

    /// The text as it is now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The workstation of that name, without regard to case.
    pub fn workstation(&self, name: &str) -> Option<&Workstation> {
        self.workstations
            .iter()
            .find(|seen| seen.name.eq_ignore_ascii_case(bare(name)))
    }

    /// The domain of that name, without regard to case.
    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.domains
            .iter()
            .find(|seen| seen.name.eq_ignore_ascii_case(bare(name)))
    }

    /// The master domain: the one without a parent, else the one of that usual name.
    pub fn master_domain(&self) -> Option<String> {
        let rooted = self.domains.iter().find(|domain| domain.parent.is_none());
        let usual = || {
            self.workstations
                .iter()
                .filter_map(|seen| seen.domain.as_ref())
                .find(|name| is_master(name))
        };
        rooted
            .map(|domain| domain.name.clone())
            .or_else(|| usual().cloned())
    }

    /// The manager of a domain: as its definition says, else the one workstation of type `MANAGER` in it.
    pub fn manager(&self, domain: &str) -> Option<&Workstation> {
        if let Some(name) = self.domain(domain).and_then(|domain| domain.manager.as_ref()) {
            return self.workstation(name);
        }
        let inside = |seen: &&Workstation| {
            seen.kind == "MANAGER"
                && seen
                    .domain
                    .as_ref()
                    .is_some_and(|name| name.eq_ignore_ascii_case(domain))
        };
        self.workstations.iter().find(inside)
    }

    /// The text of one workstation's definition with a last line feed, as it is now.
    pub fn text_of(&self, name: &str) -> Option<String> {
        let seen = self.workstation(name)?;
        Some(self.text[seen.span.clone()].to_owned() + "\n")
    }

    /// The words of one workstation's definition; none where it is not defined.
    pub fn words_of(&self, name: &str) -> Vec<String> {
        let text = self.text_of(name).unwrap_or_default();
        words(&text).into_iter().map(|word| word.text).collect()
    }

    /// The text of one workstation's definition with `SECUREADDR` and `SECURITYLEVEL` set, for `composer replace`.
    /// `None` where it asks for TLS on that port already, or the workstation is not defined. A level that is there
    /// stays.
    ///
    /// Every other keyword, known or not, keeps its place and its bytes.
    pub fn with_security(&self, name: &str, secure_port: u16, level: &str) -> Option<String> {
        let seen = self.workstation(name)?;
        let port_fits = seen.secure_port.unwrap_or(DEFAULT_SECURE_PORT) == secure_port;
        if seen.security_level.is_some() && port_fits {
            return None;
        }
        let mut text = self.text[seen.span.clone()].to_owned();
        if seen.security_level.is_none() {
            text = with_keyword(
                &text,
                &["BEHINDFIREWALL", "AUTOLINK", "TYPE", "MAESTRO"],
                "SECURITYLEVEL",
                level,
            )?;
        }
        text = match seen.secure_port {
            Some(_) => with_value(&text, "SECUREADDR", &secure_port.to_string())?,
            None => with_keyword(
                &text,
                &["TCPADDR", "NODE", "OS"],
                "SECUREADDR",
                &secure_port.to_string(),
            )?,
        };
        Some(text + "\n")
    }
}

impl Workstation {
    /// Whether the two say the same, wherever they stand and in whatever case.
    pub fn same_as(&self, other: &Workstation) -> bool {
        self.plain() == other.plain()
    }

    fn plain(&self) -> Workstation {
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        Workstation {
            name: self.name.to_lowercase(),
            os: self.os.to_lowercase(),
            node: lower(&self.node),
            domain: lower(&self.domain),
            hosted_by: lower(&self.hosted_by),
            span: 0..0,
            ..self.clone()
        }
    }
}

/// Why definitions could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// A definition has no `END`.
    #[error("line {line}: {name} has no END")]
    NoEnd {
        /// Where it begins.
        line: usize,
        /// Of the definition.
        name: String,
    },
    /// A definition has no name.
    #[error("line {line}: a definition without a name")]
    NoName {
        /// Where it begins.
        line: usize,
    },
    /// Not a port number.
    #[error("line {line}: {value} is no port")]
    Port {
        /// Where it stands.
        line: usize,
        /// As written.
        value: String,
    },
}

#[derive(Debug, Clone)]
struct Word {
    text: String,
    at: Range<usize>,
    line: usize,
    starts_line: bool,
    quoted: bool,
}

impl Word {
    fn upper(&self) -> String {
        if self.quoted {
            String::new()
        } else {
            self.text.to_ascii_uppercase()
        }
    }
}

/// Blank-separated words; quoted text is one word; `#` at the start of a line begins a comment.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let mut rest = line;
        let mut first = true;
        loop {
            let trimmed = rest.trim_start();
            let start = offset + line.len() - trimmed.len();
            let Some(letter) = trimmed.chars().next() else {
                break;
            };
            if first && letter == '#' {
                break;
            }
            let quote = matches!(letter, '"' | '\'').then_some(letter);
            let length = match quote {
                Some(quote) => trimmed[1..]
                    .find(quote)
                    .map_or(trimmed.trim_end().len(), |end| end + 2),
                None => trimmed.find(char::is_whitespace).unwrap_or(trimmed.len()),
            };
            let word = trimmed[..length]
                .trim_matches(|letter| Some(letter) == quote)
                .to_owned();
            words.push(Word {
                text: word,
                at: start..start + length,
                line: index + 1,
                starts_line: first,
                quoted: quote.is_some(),
            });
            first = false;
            rest = &trimmed[length..];
        }
        offset += line.len();
    }
    words
}

/// The name of the definition that begins at `at`, and the index of its `END`.
fn block(words: &[Word], at: usize) -> Result<(&str, usize), DefinitionError> {
    let line = words[at].line;
    let name = words.get(at + 1).ok_or(DefinitionError::NoName { line })?;
    let end = (at + 2..words.len())
        .take_while(|next| !(words[*next].starts_line && is_opening(&words[*next].upper())))
        .find(|next| words[*next].upper() == "END");
    let end = end.ok_or_else(|| DefinitionError::NoEnd {
        line,
        name: name.text.clone(),
    })?;
    Ok((&name.text, end))
}

/// Keywords that open a definition; `DOMAIN` is also a keyword inside one.
fn is_opening(word: &str) -> bool {
    matches!(word, "CPUNAME" | "CPUCLASS")
}

fn workstation(name: &str, words: &[Word], span: Range<usize>) -> Result<Workstation, DefinitionError> {
    let mut seen = Workstation {
        name: bare(name).to_owned(),
        tcp_port: DEFAULT_TCP_PORT,
        kind: "FTA".to_owned(),
        span,
        ..Workstation::default()
    };
    let mut at = 0;
    while at < words.len() {
        let value = words
            .get(at + 1)
            .map(|word| word.text.clone())
            .unwrap_or_default();
        let taken = match words[at].upper().as_str() {
            "OS" => {
                seen.os = value;
                2
            }
            "NODE" => {
                seen.node = Some(value);
                2
            }
            "TCPADDR" => {
                seen.tcp_port = port(&words[at], &value)?;
                2
            }
            "SECUREADDR" => {
                seen.secure_port = Some(port(&words[at], &value)?);
                2
            }
            "DOMAIN" => {
                seen.domain = Some(bare(&value).to_owned());
                2
            }
            "HOST" => {
                seen.hosted_by = Some(bare(&value).to_owned());
                2
            }
            "TYPE" => {
                seen.kind = value.to_ascii_uppercase();
                2
            }
            "FULLSTATUS" => {
                seen.full_status = value.eq_ignore_ascii_case("on");
                2
            }
            "SECURITYLEVEL" => {
                seen.security_level = Some(value.to_ascii_uppercase().replace('-', "_"));
                2
            }
            "DESCRIPTION" | "LICENSETYPE" | "VARTABLE" | "TIMEZONE" | "TZ" | "AUTOLINK"
            | "BEHINDFIREWALL" | "SERVER" | "PROTOCOL" | "ACCESS" | "AGENTID" => 2,
            _ => 1,
        };
        at += taken;
    }
    Ok(seen)
}

fn domain(name: &str, words: &[Word]) -> Domain {
    let after = |keyword: &str| {
        let at = words.iter().position(|word| word.upper() == keyword)?;
        words.get(at + 1).map(|word| bare(&word.text).to_owned())
    };
    Domain {
        name: bare(name).to_owned(),
        manager: after("MANAGER"),
        parent: after("PARENT"),
    }
}

fn port(word: &Word, value: &str) -> Result<u16, DefinitionError> {
    value.parse().map_err(|_| DefinitionError::Port {
        line: word.line,
        value: value.to_owned(),
    })
}

/// A keyword with its value on a line of its own, behind the first of `after` that is there, indented alike.
fn with_keyword(text: &str, after: &[&str], keyword: &str, value: &str) -> Option<String> {
    let words = words(text);
    let at = after
        .iter()
        .find_map(|name| words.iter().position(|word| word.upper() == *name))?;
    let line_start = text[..words[at].at.start].rfind('\n').map_or(0, |end| end + 1);
    let indent: String = text[line_start..]
        .chars()
        .take_while(|letter| matches!(letter, ' ' | '\t'))
        .collect();
    // `FOR MAESTRO` has no value of its own.
    let last = if words[at].upper() == "MAESTRO" {
        at
    } else {
        at + 1
    };
    let end = words.get(last)?.at.end;
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Some(format!(
        "{}{eol}{indent}{keyword} {value}{}",
        &text[..end],
        &text[end..]
    ))
}

/// The word behind a keyword replaced.
fn with_value(text: &str, keyword: &str, value: &str) -> Option<String> {
    let words = words(text);
    let at = words.iter().position(|word| word.upper() == keyword)?;
    let old = words.get(at + 1)?.at.clone();
    Some(format!("{}{value}{}", &text[..old.start], &text[old.end..]))
}

fn bare(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn is_master(name: &str) -> bool {
    name.eq_ignore_ascii_case("MASTERDM")
}

/// Source: domain specification B.5.
const DEFAULT_TCP_PORT: u16 = 31111;
/// Source: domain specification B.5.
const DEFAULT_SECURE_PORT: u16 = 31113;

#[cfg(test)]
mod tests;
