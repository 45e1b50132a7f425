//! `capgrow init`: a commented `capgrow.toml`.

use anyhow::Context;

use crate::Answer;
use crate::args::Args;
use crate::document;
use crate::print;
use crate::print::failure;

/// Writes the file where none is.
pub fn run(args: &Args) -> anyhow::Result<Answer> {
    let dir = match &args.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => std::env::current_dir().context("cannot tell the current directory")?,
    };
    let path = dir.join("capgrow.toml");
    if path.exists() {
        return Err(failure(
            format!("{} is there already", path.display()),
            "edit it; init never overwrites",
        ));
    }
    document::write(&path, EXAMPLE.as_bytes(), 0o644)?;
    if args.json {
        print::json(&serde_json::json!({ "version": 1, "written": path.to_string_lossy() }));
    } else {
        print::answer(&format!("wrote {}", path.display()));
        print::answer("next: name your hosts and the new chain in it, then  capgrow scan");
    }
    Ok(Answer::Yes)
}

const EXAMPLE: &str = r#"# capgrow.toml: what capgrow may look at, and where to go. Only its owner may write it: it names commands.
version = 1

[hosts.this]
reach = "local"                       # this machine
# root = "copies/this"                # a copied tree instead of /
# site = "oslo"                       # where it stands, for canaries by site
look-in = []                          # where to look for products and stores, for example ["/opt/IBM/TWA"]
# passwords = [ { for = "/opt/IBM/**/*.jks", password = { file = "secrets/this.pw" } } ]

# A program that no built-in product describes:
# [components.billing]
# host    = "this"
# product = "generic"
# manual  = true                      # a person makes its steps, with the runbook, on a host that nobody else reaches
# runtime = "java17"                  # whose verdict counts; openssl, java8, java11, java17, java21, gskit8 ...
#
# [[components.billing.stores]]
# id       = "id"
# file     = "/srv/billing/key.p12"
# holds    = ["identity"]             # "identity", "trust", or both
# alias    = "billing"
# password = { file = "secrets/billing.pw" }
#
# [[components.billing.stores]]
# id       = "ca"
# file     = "/srv/billing/trust.jks"
# holds    = ["trust"]
# password = { file = "secrets/billing.pw" }
#
# [components.billing.effective]
# restart = ["systemctl", "restart", "billing"]
# healthy = "tcp:8443"
# takes   = "20s"
#
# [[components.billing.listens]]
# name     = "api"
# address  = "127.0.0.1:8443"
# identity = "id"
# trust    = "ca"
# client-certificate = "required"
#
# [[components.billing.dials]]
# to       = "ledger"
# endpoint = "api"
# identity = "id"
# trust    = "ca"

# [[rotate]]
# name  = "leave-the-old-ca"
# leave = { issuer = "CN=Old CA" }    # or "*", default-of = "workload-automation", sha256 = [...], expiring-within = "45d"
# to    = { chain = "new/chain.pem", key = "new/tls.key" }    # or csr = "out/": plan makes keys and requests for your CA
# deadline = 2027-01-31               # the last day on which it may be finished
#
# [policy]
# canary = ["store", "site"]          # of those alike by type of store and site, one goes first
"#;

#[cfg(test)]
mod tests;
