//! `store convert`: a store in another format, or for another reader.

use std::path::Path;
use std::path::PathBuf;

use keystore::CmsVersion;
use keystore::Edit;
use keystore::Format;
use keystore::Password;
use keystore::StashVersion;
use keystore::Store;
use keystore::WriteProfile;

use super::Edited;
use super::answer::Action;
use super::answer::Line;
use super::commit::Access;
use super::commit::Output;
use super::content;
use super::content::Content;
use super::content::Held;
use super::finish;
use super::format_of;
use super::lock::Lock;
use super::new_password;
use super::open;
use super::open::Opened;
use super::open::Purpose;
use super::open::failed;
use super::open::says;
use super::open::with_env;
use super::password;
use super::profile_of;
use super::select;
use crate::Answer;
use crate::args::Args;
use crate::args::store::Convert;
use crate::cmd::inspect::aliases;
use crate::passwords;
use crate::print;
use crate::print::Failure;

/// Writes all that the store holds to another file, or to its own place. What the new format cannot hold is told, all
/// at once, and then nothing is written unless it is to be left out: exit code 1.
pub fn run(args: &Args, these: &Convert) -> anyhow::Result<Answer> {
    let given = passwords::given(&these.passwords)?;
    let new = new_password(&these.new_password)?;
    let is_same_file = is_same(&these.store, &these.out);
    let purpose = if is_same_file {
        Purpose::Edit
    } else {
        Purpose::Read
    };
    let opened = open::open(&these.store, &given, purpose)?;
    let format = these.to.map_or(opened.store.format(), format_of);
    let profile = profile_of(these.reader);
    if format == opened.store.format() && !(format == Format::Pem && new.is_some()) {
        let edited = rewritten(opened, these, profile, new)?;
        return finish(args, &these.keep, "convert", vec![edited]);
    }
    let (contents, mut left) = contents(&opened, format);
    let password = new.or_else(|| opened.password.clone().filter(|_| content::has_names(format)));
    let (mut edited, refused) = target(
        &Target {
            out: &these.out,
            format,
            profile,
            password,
            clear_key: these.clear_key || is_clear(&opened),
            stash: these.stash,
        },
        &contents,
    )?;
    left.extend(refused);
    if !left.is_empty() && !these.leave_out {
        for failure in left {
            print::error(&failure.into());
        }
        print::line("capgrow: hint: --leave-out writes the rest; nothing was written");
        return Ok(Answer::No);
    }
    edited.notes.extend(
        left.into_iter()
            .map(|failure| format!("left out: {}", failure.what)),
    );
    // Held until the new bytes are in place.
    edited.opened.lock = match lock_of(&these.out, Some(&these.store))? {
        Some(lock) => Some(lock),
        None => opened.lock,
    };
    finish(args, &these.keep, "convert", vec![edited])
}

/// What is to be written, and where.
pub struct Target<'a> {
    /// The file; may exist.
    pub out: &'a Path,
    /// Its format.
    pub format: Format,
    /// Its reader.
    pub profile: WriteProfile,
    /// Its password; in PEM the keys'.
    pub password: Option<Password>,
    /// Whether keys may stand in PEM without a password.
    pub clear_key: bool,
    /// Whether a key database gets a stash.
    pub stash: bool,
}

/// A new store with these contents, and what of them it cannot hold.
///
/// # Errors
/// Where the store cannot be made at all.
pub fn target(target: &Target<'_>, contents: &[Content]) -> anyhow::Result<(Edited, Vec<Failure>)> {
    if target.format == Format::Der {
        return Err(failed(
            target.out,
            "DER holds one certificate or key",
            "--to pem; store export --to der writes one",
        )
        .into());
    }
    let mut opened = open::create(
        target.out,
        target.format,
        &passwords::Given {
            store: target.password.clone(),
            key: None,
        },
    )?;
    if opened.password.is_none() && content::has_names(target.format) {
        return Err(failed(
            target.out,
            &format!("a {} store needs a password", target.format.name()),
            "--new-password-file FILE, --new-password-env VAR or --new-password-fd N",
        )
        .into());
    }
    with_env(None, |env| opened.store.use_profile(target.profile, env))
        .map_err(|error| says(target.out, &error, "choose a format that this reader reads"))?;
    let key_password = target.password.as_ref().filter(|_| target.format == Format::Pem);
    if target.format == Format::Pem
        && key_password.is_none()
        && !target.clear_key
        && contents
            .iter()
            .any(|content| matches!(content.body, Held::Key(..)))
    {
        return Err(failed(
            target.out,
            "the private key would stand in it without a password",
            "--new-password-file FILE encrypts it; --clear-key leaves it so",
        )
        .into());
    }
    let (lines, refused) = fill(target, &mut opened, contents)?;
    let was = open::digest_of(target.out)?;
    opened.held_key = was.is_some() && held_key(target.out);
    opened.was = was;
    let mut edited = Edited::of(opened);
    edited.before = 0;
    edited.lines = lines;
    if target.format == Format::CmsKdb {
        edited.beside = sisters(target)?;
    }
    if edited.lines.is_empty() {
        edited.lines.push(Line::whole(Action::Rewritten));
    }
    Ok((edited, refused))
}

/// Puts everything in that the new store can hold; the lines of what came in, and the rest.
fn fill(
    target: &Target<'_>,
    opened: &mut Opened,
    contents: &[Content],
) -> Result<(Vec<Line>, Vec<Failure>), Failure> {
    let key_password = target.password.as_ref().filter(|_| target.format == Format::Pem);
    let mut refused = Vec::new();
    let mut lines = Vec::new();
    for content in contents {
        let wanted = content
            .alias
            .clone()
            .unwrap_or_else(|| content::usual_name(&content.body));
        let name = match content.alias {
            Some(_) => wanted.clone(),
            None => content::free_name(&opened.store, &wanted),
        };
        let mut tried = opened.store.clone();
        match content::put(&mut tried, content, Some(&name), key_password) {
            Ok(()) => {
                opened.store = tried;
                lines.push(line(content, &opened.store, &name));
            }
            Err(stays) => {
                let what = format!("{wanted:?}: {}", fleet::rotation::chain_of(&stays));
                refused.push(failed(target.out, &what, "--leave-out leaves it out"));
            }
        }
    }
    for content in contents {
        if let Held::Key(_, chain) = &content.body {
            content::put_issuers(&mut opened.store, chain)
                .map_err(|error| says(target.out, &error, "nothing was written"))?;
        }
    }
    Ok((lines, refused))
}

/// The line of an entry that came in.
pub fn line(content: &Content, store: &Store, name: &str) -> Line {
    let kind = match &content.body {
        Held::Certificate(..) => "trusted-cert",
        Held::Key(..) => "private-key",
        Held::Secret(_) => "secret-key",
    };
    let first = match &content.body {
        Held::Certificate(certificate, _) => Some(certificate),
        Held::Key(_, chain) => chain.first(),
        Held::Secret(_) => None,
    };
    let alias = store.find(name).and_then(|index| aliases(store)[index].clone());
    Line {
        action: Action::Added,
        was: content.alias.clone().filter(|old| Some(old) != alias.as_ref()),
        alias,
        kind,
        sha256: first.map(|first| crate::cmd::inspect::hex(&first.sha256())),
    }
}

/// Everything that can be taken out of a store for one of another format, and why the rest cannot.
pub fn contents(opened: &Opened, format: Format) -> (Vec<Content>, Vec<Failure>) {
    let mut contents = Vec::new();
    let mut left = Vec::new();
    let is_from_cms = matches!(opened.store.format(), Format::CmsKdb);
    let keeps_mark = matches!(format, Format::CmsKdb | Format::Pkcs12 | Format::Pem);
    for (index, alias) in aliases(&opened.store).into_iter().enumerate() {
        let shown = select::shown(&opened.store, index);
        match content::take(opened, index, alias) {
            Ok(content) => match content.body {
                // The file says that it is not trusted; every certificate of the others is.
                Held::Certificate(_, false) if is_from_cms && !keeps_mark => left.push(failed(
                    &opened.path,
                    &format!(
                        "{shown} is marked as not trusted, and in {} it would be",
                        format.name()
                    ),
                    "--leave-out leaves it out",
                )),
                _ => contents.push(content),
            },
            Err(stays) => left.push(failed(
                &opened.path,
                &format!("{shown}: {}", fleet::rotation::chain_of(&stays)),
                "a locked key: --key-password-file FILE; --leave-out leaves it out",
            )),
        }
    }
    (contents, left)
}

/// Whether the keys of the file stand in the clear, so that a copy in the clear gives nothing away.
fn is_clear(opened: &Opened) -> bool {
    opened
        .store
        .entries()
        .iter()
        .all(|entry| entry.protection().is_none_or(|words| words == "none"))
}

/// The same format for another reader or under another password: nothing is taken apart.
fn rewritten(
    mut opened: Opened,
    these: &Convert,
    profile: WriteProfile,
    new: Option<Password>,
) -> anyhow::Result<Edited> {
    let path = opened.path.clone();
    let mut notes = Vec::new();
    let refused = |error: keystore::EditError| says(&path, &error, super::add_trust::hint(&error));
    if profile != WriteProfile::AsRead {
        with_env(None, |env| opened.store.use_profile(profile, env)).map_err(refused)?;
    }
    if let Some(new) = new {
        let leaves_keys = matches!(
            opened.store.format(),
            Format::CmsCrl | Format::CmsKdb | Format::CmsRdb | Format::Pkcs12
        );
        let mut edited = Edited::of(opened);
        password::named(&mut edited, &new, leaves_keys)?;
        notes = edited.notes;
        opened = edited.opened;
    }
    let (was, held_key) = match is_same(&these.store, &these.out) {
        true => (opened.was, opened.held_key),
        false => (open::digest_of(&these.out)?, held_key(&these.out)),
    };
    let before = opened.store.entries().len();
    if let Some(lock) = lock_of(&these.out, Some(&these.store))? {
        opened.lock = Some(lock);
    }
    opened.path = these.out.clone();
    (opened.was, opened.held_key) = (was, held_key);
    let mut edited = Edited::of(opened);
    edited.before = before;
    edited.notes = notes;
    edited.lines.push(Line::whole(Action::Rewritten));
    Ok(edited)
}

/// Request and revocation files of a new key database, and its stash where one is wanted.
fn sisters(target: &Target<'_>) -> anyhow::Result<Vec<Output>> {
    let Some(password) = &target.password else {
        return Ok(Vec::new());
    };
    let mut outputs = Vec::new();
    let mut output = |path: PathBuf, bytes: Vec<u8>| -> anyhow::Result<()> {
        let was = open::digest_of(&path)?;
        outputs.push(Output {
            path,
            was,
            bytes,
            access: Access::Keep,
        });
        Ok(())
    };
    let password_of = Edit::SetPassword {
        old: None,
        new: password.clone(),
    };
    for (end, mut store) in [
        ("rdb", Store::empty_requests(CmsVersion::V6)),
        ("crl", Store::empty_revocations(CmsVersion::V6)),
    ] {
        let path = target.out.with_extension(end);
        if open::digest_of(&path)?.is_some() {
            return Err(failed(
                &path,
                "belongs to another key database",
                "give --out another name, or move it away",
            )
            .into());
        }
        let bytes = with_env(None, |env| {
            store.edit(&password_of, env)?;
            Ok::<_, anyhow::Error>(store.write(None, env)?)
        })?;
        output(path, bytes)?;
    }
    if target.stash {
        let stash = with_env(None, |env| keystore::write_stash(password, StashVersion::V2, env)).map_err(
            |error| {
                says(
                    target.out,
                    &error,
                    "choose another password, or leave --stash out",
                )
            },
        )?;
        output(target.out.with_extension("sth"), stash)?;
    }
    Ok(outputs)
}

/// Whether both names lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Whether the file that is replaced held a key, as far as can be told without its password.
pub fn held_key(path: &Path) -> bool {
    let bytes = crate::cmd::inspect::read_file(path);
    let store = bytes.map(|(bytes, _)| keystore::read(&bytes, None, &keystore::Limits::default()));
    matches!(store, Ok(Ok(store)) if open::holds_key(&store))
}

/// The lock on a file that is about to be replaced, unless it is held already as the store that is read.
///
/// # Errors
/// Locked by another writer.
pub fn lock_of(out: &Path, read: Option<&Path>) -> Result<Option<Lock>, Failure> {
    if out.is_file() && !read.is_some_and(|read| is_same(read, out)) {
        Lock::take(out).map(Some)
    } else {
        Ok(None)
    }
}
