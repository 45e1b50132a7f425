//! From a command line to its action.

use std::ffi::OsString;

use crate::gskit::args::{self, Args};
use crate::gskit::fault::{self, Fault, Result};
use crate::gskit::{
    Dialect, bring, chain, changes, database, details, issue, key_database, list, request, secret_key, usage,
};
use crate::io::Io;

/// Runs one command.
///
/// # Errors
/// What is printed, and the exit code.
pub(crate) fn run(words: &[OsString], dialect: Dialect, io: &mut Io) -> Result<()> {
    let args = args::read(words)?;
    let done = dispatch(&args, dialect, io);
    if let Some(name) = args.raw("-trace") {
        let code = done.as_ref().err().map_or(0, |fault| fault.code);
        let (object, action) = (args.object.unwrap_or("-"), args.action.as_deref().unwrap_or("-"));
        let text = format!(
            "{}object {object}\naction {action}\nreturn code {code}\n",
            version()
        );
        database::write_file(&io.path(name), text.as_bytes())?;
    }
    done
}

fn dispatch(args: &Args, dialect: Dialect, io: &mut Io) -> Result<()> {
    let Some(object) = args.object else {
        return Err(usage_fault("An object must be specified.", None));
    };
    if ["-crypto", "-tokenlabel", "-secondarydb"]
        .iter()
        .any(|name| args.has(name))
    {
        return Err(fault::not_offered("A PKCS#11 token"));
    }
    match (object, args.action.as_deref()) {
        ("-help", _) => {
            io.print_bytes(usage::table(None).as_bytes());
            Ok(())
        }
        ("-version", _) => {
            io.print_bytes(version().as_bytes());
            Ok(())
        }
        (object, Some("-help")) => {
            io.print_bytes(usage::table(Some(object)).as_bytes());
            Ok(())
        }
        (object, None) => Err(usage_fault(
            "An action must be specified for this object.",
            Some(object),
        )),
        ("-keydb", Some("-list")) => {
            io.print_bytes(match dialect {
                Dialect::Java => b"CMS\nJCEKS\nJKS\nPKCS12\n",
                Dialect::Native => b"CMS\nPKCS12\n",
            });
            Ok(())
        }
        ("-keydb", Some(action)) => key_database(action, args, io),
        ("-cert", Some(action)) => certificate(action, args, io),
        ("-certreq", Some(action)) => certificate_request(action, args, io),
        ("-random", Some("-create")) => key_database::random(args, io),
        ("-secretkey", Some(_)) if dialect == Dialect::Java => {
            Err(fault::not_offered("-secretkey in the commands written in Java"))
        }
        ("-secretkey", Some(action)) => secret_key(action, args, io),
        (object, Some(action)) => Err(unknown(object, action)),
    }
}

fn key_database(action: &str, args: &Args, io: &mut Io) -> Result<()> {
    match action {
        "-changepw" => key_database::change(args, io),
        "-convert" => key_database::convert(args, io),
        "-create" => key_database::create(args, io),
        "-delete" => key_database::delete(args, io),
        "-expiry" => key_database::show_expiry(args, io),
        "-stashpw" => key_database::stash(args, io),
        action => Err(unknown("-keydb", action)),
    }
}

fn certificate(action: &str, args: &Args, io: &mut Io) -> Result<()> {
    match action {
        "-add" => bring::add(args, io),
        "-create" => issue::create(args, io),
        "-delete" => changes::delete(args, io),
        "-details" => details::run(args, io),
        "-export" => bring::export(args, io),
        "-extract" => bring::extract(args, io),
        "-getdefault" => changes::show_default(args, io),
        "-import" => bring::import(args, io),
        "-list" => list::run(args, io),
        "-modify" => changes::modify(args, io),
        "-receive" => bring::receive(args, io),
        "-rename" => changes::rename(args, io),
        "-setdefault" => changes::set_default(args, io),
        "-sign" => issue::sign(args, io),
        "-validate" => chain::validate(args, io),
        action => Err(unknown("-cert", action)),
    }
}

fn certificate_request(action: &str, args: &Args, io: &mut Io) -> Result<()> {
    match action {
        "-create" => request::create(args, io),
        "-delete" => request::delete(args, io),
        "-details" => request::details(args, io),
        "-extract" => request::extract(args, io),
        "-list" => request::list(args, io),
        "-recreate" => request::recreate(args, io),
        action => Err(unknown("-certreq", action)),
    }
}

fn secret_key(action: &str, args: &Args, io: &mut Io) -> Result<()> {
    match action {
        "-add" => secret_key::add(args, io),
        "-create" => secret_key::create(args, io),
        "-delete" => secret_key::delete(args, io),
        "-extract" => secret_key::extract(args, io),
        action => Err(unknown("-secretkey", action)),
    }
}

fn unknown(object: &str, action: &str) -> Fault {
    usage_fault(
        &format!("The action {action} is not known for this object."),
        Some(object),
    )
}

fn usage_fault(words: &str, object: Option<&str>) -> Fault {
    let mut fault = fault::of_line(1, 3000, words);
    fault.text += &usage::table(object);
    fault
}

fn version() -> String {
    format!(
        "capgrow {}, standing in for the GSKit 8 command line\nThe original is not used and not needed.\n",
        env!("CARGO_PKG_VERSION")
    )
}
