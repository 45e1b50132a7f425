//! `store diff`: what one store holds and the other does not, whatever their formats.

use keystore::Body;
use keystore::Certificate;
use keystore::Entry;
use keystore::Format;
use serde_json::Value;
use serde_json::json;

use super::all_or_none;
use super::answer::Action;
use super::answer::Line;
use super::content;
use super::from_passwords;
use super::open;
use super::open::Opened;
use super::open::PASSWORD_HINT;
use super::open::Purpose;
use super::open::failed;
use super::select;
use crate::Answer;
use crate::args;
use crate::args::Args;
use crate::cmd::inspect::aliases;
use crate::passwords;
use crate::passwords::Given;
use crate::print;
use crate::print::Failure;

/// Says yes where both hold the same under the same names. Formats, order, dates and passwords are not compared.
///
/// Fails where a part of a store stays locked, or a key that must be compared: unknown is not the same.
pub fn run(args: &Args, these: &args::store::Diff) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let other = from_passwords(&these.from_passwords)?;
    let left = open::open(&these.a, &given, Purpose::Read);
    let right = open_second(&these.b, &given, &other);
    let (left, right) = match (left, right) {
        (Ok(left), Ok(right)) => (left, right),
        (left, right) => {
            return all_or_none(
                Answer::No,
                [left.err(), right.err()].into_iter().flatten().collect(),
            );
        }
    };
    let same_bytes = left.bytes == right.bytes;
    let mut difference = if same_bytes {
        Difference::default()
    } else {
        compare(&left, &right)
    };
    if !same_bytes {
        all_or_none((), std::mem::take(&mut difference.unknown))?;
    }
    show(args, &left, &right, &difference);
    Ok(if difference.is_none() {
        Answer::Yes
    } else {
        Answer::No
    })
}

/// A store beside the first: its own passwords, else the ones of the first, else its stash.
///
/// # Errors
/// As for one store.
pub fn open_second(path: &std::path::Path, first: &Given, own: &Given) -> Result<Opened, Failure> {
    if own.store.is_none() && first.store.is_some() {
        let shared = Given {
            store: first.store.clone(),
            key: own.key.clone().or_else(|| first.key.clone()),
        };
        if let Ok(opened) = open::open(path, &shared, Purpose::Read) {
            return Ok(opened);
        }
    }
    open::open(path, own, Purpose::Read)
}

/// How two stores differ: numbers of entries.
#[derive(Default)]
struct Difference {
    only_left: Vec<usize>,
    only_right: Vec<usize>,
    /// One name, two contents.
    changed: Vec<(usize, usize)>,
    /// One content, two names.
    renamed: Vec<(usize, usize)>,
    same: usize,
    unknown: Vec<Failure>,
}

impl Difference {
    fn is_none(&self) -> bool {
        self.only_left.is_empty()
            && self.only_right.is_empty()
            && self.changed.is_empty()
            && self.renamed.is_empty()
    }
}

fn compare(left: &Opened, right: &Opened) -> Difference {
    let mut difference = Difference::default();
    for opened in [left, right] {
        for note in opened.store.notes() {
            if matches!(note, keystore::Note::LockedPart { .. }) {
                difference
                    .unknown
                    .push(failed(&opened.path, &note.to_string(), PASSWORD_HINT));
            }
        }
    }
    let (names_left, names_right) = (aliases(&left.store), aliases(&right.store));
    let by_name = content::has_names(left.store.format()) && content::has_names(right.store.format());
    // A format that folds names cannot say in which case they were.
    let folds = [left, right]
        .iter()
        .any(|opened| matches!(opened.store.format(), Format::Jceks | Format::Jks));
    let fold = |name: &Option<String>| {
        let name = name.as_ref()?;
        Some(if folds { name.to_lowercase() } else { name.clone() })
    };
    let (folded_left, folded_right): (Vec<_>, Vec<_>) = (
        names_left.iter().map(fold).collect(),
        names_right.iter().map(fold).collect(),
    );
    let mut free: Vec<usize> = (0..names_right.len()).collect();
    let mut rest = Vec::new();
    for (index, name) in folded_left.iter().enumerate() {
        let named = |at: &usize| by_name && name.is_some() && folded_right[*at] == *name;
        // Several of one name: the one with the same content first.
        let pair = free
            .iter()
            .copied()
            .find(|at| named(at) && is_same(left, index, right, *at) == Some(true))
            .or_else(|| free.iter().copied().find(named));
        let Some(at) = pair else {
            rest.push(index);
            continue;
        };
        free.retain(|other| *other != at);
        match is_same(left, index, right, at) {
            Some(true) => difference.same += 1,
            Some(false) => difference.changed.push((index, at)),
            None => difference.unknown.push(locked(left, index, right, at)),
        }
    }
    for index in rest {
        match free
            .iter()
            .copied()
            .find(|at| is_same(left, index, right, *at) == Some(true))
        {
            Some(at) => {
                free.retain(|other| *other != at);
                if by_name {
                    difference.renamed.push((index, at));
                } else {
                    difference.same += 1;
                }
            }
            None => difference.only_left.push(index),
        }
    }
    difference.only_right = free;
    without_issuers(&mut difference.only_left, left, right);
    without_issuers(&mut difference.only_right, right, left);
    difference
}

fn locked(left: &Opened, index: usize, right: &Opened, at: usize) -> Failure {
    let what = format!(
        "{} and {} of {} stay locked: nobody can say whether they are the same",
        select::shown(&left.store, index),
        select::shown(&right.store, at),
        right.path.display()
    );
    failed(
        &left.path,
        &what,
        "--key-password-file FILE and --from-key-password-file FILE",
    )
}

/// Whether two entries hold the same; `None` where a locked key hides it.
fn is_same(left: &Opened, index: usize, right: &Opened, at: usize) -> Option<bool> {
    let (one, other) = (&left.store.entries()[index], &right.store.entries()[at]);
    if one.kind_name() != other.kind_name() {
        return Some(false);
    }
    match (one.body(), other.body()) {
        (
            Body::TrustedCert {
                certificate: one,
                trusted: mark,
                ..
            },
            Body::TrustedCert {
                certificate: other,
                trusted: other_mark,
                ..
            },
        ) => {
            let has_marks =
                content::has_names(left.store.format()) && content::has_names(right.store.format());
            Some(one == other && (mark == other_mark || !has_marks))
        }
        (Body::PrivateKey { chain, .. }, Body::PrivateKey { chain: others, .. }) => {
            if !same_chain(chain, others, left, right) {
                return Some(false);
            }
            // A key is known by its certificate; without one only its bytes tell.
            if !chain.is_empty() {
                return Some(true);
            }
            same_keys(left, one, right, other)
        }
        (Body::SecretKey { .. }, Body::SecretKey { .. }) => {
            let of = |opened: &Opened, entry: &Entry, name: usize| {
                content::take(opened, name, entry.alias().map(str::to_owned)).ok()
            };
            match (of(left, one, index)?.body, of(right, other, at)?.body) {
                (content::Held::Secret(one), content::Held::Secret(other)) => {
                    Some(one.raw() == other.raw() && one.algorithm().eq_ignore_ascii_case(other.algorithm()))
                }
                _ => None,
            }
        }
        (Body::Request { der, .. }, Body::Request { der: other, .. }) => Some(der == other),
        (Body::Opaque { what }, Body::Opaque { what: other }) if what != other => Some(false),
        _ => None,
    }
}

/// Where one of the stores keeps no chains, only what both keep is compared: the leaf.
fn same_chain(one: &[Certificate], other: &[Certificate], left: &Opened, right: &Opened) -> bool {
    if has_chains(left) && has_chains(right) {
        one == other
    } else {
        one.first() == other.first()
    }
}

/// A database of GSKit finds the issuers of a key among its other entries; PEM has blocks only.
fn has_chains(opened: &Opened) -> bool {
    opened.store.format() != Format::CmsKdb && content::has_names(opened.store.format())
}

/// The entries but those certificates that the other store has somewhere in a chain.
fn without_issuers(entries: &mut Vec<usize>, own: &Opened, other: &Opened) {
    if has_chains(own) && has_chains(other) {
        return;
    }
    let others: Vec<&Certificate> = other
        .store
        .entries()
        .iter()
        .flat_map(Entry::certificates)
        .collect();
    entries.retain(|index| match own.store.entries()[*index].body() {
        Body::TrustedCert { certificate, .. } => !others.contains(&certificate),
        _ => true,
    });
}

fn same_keys(left: &Opened, one: &Entry, right: &Opened, other: &Entry) -> Option<bool> {
    let (one, _) = content::unlock(left, one).ok()?;
    let (other, _) = content::unlock(right, other).ok()?;
    Some(one == other)
}

fn show(args: &Args, left: &Opened, right: &Opened, difference: &Difference) {
    let (names_left, names_right) = (aliases(&left.store), aliases(&right.store));
    let of_left = |index: &usize| {
        Line::about(
            Action::Removed,
            &left.store.entries()[*index],
            names_left[*index].clone(),
        )
    };
    let of_right = |index: &usize| {
        Line::about(
            Action::Added,
            &right.store.entries()[*index],
            names_right[*index].clone(),
        )
    };
    if args.json || args.json_lines {
        let entry = |line: Line| json!({ "alias": line.alias, "kind": line.kind, "sha256": line.sha256 });
        let pair =
            |(one, other): &(usize, usize)| json!({ "a": entry(of_left(one)), "b": entry(of_right(other)) });
        let side = |opened: &Opened| {
            json!({ "path": opened.path.to_string_lossy(), "format": opened.store.format().name(),
                "entries": opened.store.entries().len() })
        };
        let value: Value = json!({
            "version": 1, "same": difference.is_none(), "a": side(left), "b": side(right),
            "only_a": difference.only_left.iter().map(|index| entry(of_left(index))).collect::<Vec<_>>(),
            "only_b": difference.only_right.iter().map(|index| entry(of_right(index))).collect::<Vec<_>>(),
            "changed": difference.changed.iter().map(pair).collect::<Vec<_>>(),
            "renamed": difference.renamed.iter().map(pair).collect::<Vec<_>>(),
        });
        return if args.json_lines {
            print::json_line(&value)
        } else {
            print::json(&value)
        };
    }
    let words = |line: Line| {
        line.text()
            .split_once(' ')
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default()
    };
    for index in &difference.only_left {
        print::answer(&format!("- {}", words(of_left(index))));
    }
    for index in &difference.only_right {
        print::answer(&format!("+ {}", words(of_right(index))));
    }
    for (one, other) in &difference.changed {
        print::answer(&format!(
            "! {} is {} there",
            words(of_left(one)),
            words(of_right(other))
        ));
    }
    for (one, other) in &difference.renamed {
        print::answer(&format!(
            "~ {} is named {} there",
            words(of_left(one)),
            select::shown(&right.store, *other)
        ));
    }
    let text = if difference.is_none() {
        "hold the same"
    } else {
        "differ"
    };
    print::answer(&format!(
        "{} ({}) and {} ({}) {text}",
        left.path.display(),
        left.store.format().name(),
        right.path.display(),
        right.store.format().name()
    ));
}
