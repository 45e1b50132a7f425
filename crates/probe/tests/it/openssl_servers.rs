//! `openssl s_server` in many configurations: the answer is compared with what is expected, with `sslscan` and with
//! `openssl s_client`.

use std::process::Command;

use probe::ClientAuth;
use probe::Facts;
use probe::Order;
use probe::Spoken;

use crate::made::MATERIAL;
use crate::others;
use crate::servers::Server;
use crate::servers::ask;
use crate::servers::free_port;
use crate::servers::program;
use crate::servers::rules;

/// Starts a server, asks it, and compares a short text about the facts; then asks the others.
#[track_caller]
fn check(arguments: &str, want: &str) {
    let Some(openssl) = program("openssl") else { return };
    let port = free_port();
    let mut command = Command::new(openssl);
    command.args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")]);
    command.args(
        arguments
            .split_whitespace()
            .map(|word| match word.strip_prefix('@') {
                Some(file) => MATERIAL.at(file),
                None => word.replace('+', " "),
            }),
    );
    let server = Server::start(&mut command, port);
    let facts = ask(server.port);
    assert_eq!(short(&facts), want, "{arguments}");
    // It takes the server's warning that it does not know the name for a refusal.
    if !arguments.contains("-servername") {
        others::agree_with_sslscan(&facts, arguments);
    }
    others::agree_with_s_client(&facts, arguments);
}

fn short(facts: &Facts) -> String {
    let mut words = Vec::new();
    for seen in &facts.versions {
        if seen.spoken == Spoken::Yes {
            let order = match seen.order {
                Some(Order::Client) => " client",
                Some(Order::Server) => " server",
                None => "",
            };
            let finished = match &seen.finished {
                Some(finished) if finished.is_good => "",
                Some(_) => " unfinished",
                None => " hello",
            };
            words.push(format!(
                "{}({}{order}{finished})",
                seen.version,
                seen.suites.len()
            ));
        }
    }
    match &facts.client {
        ClientAuth::Asked { request, required } => {
            words.push(format!("asks({:?} {})", required, request.authorities.len()));
        }
        ClientAuth::NotAsked => {}
        ClientAuth::Unknown => words.push("client?".to_owned()),
    }
    if facts.staple.is_some() {
        words.push("staple".to_owned());
    }
    if !facts.protocols.is_empty() {
        words.push(facts.protocols.join(","));
    }
    let resumption = facts.resumption;
    let word = |is: Option<bool>| is.map_or("-", |is| if is { "y" } else { "n" });
    words.push(format!(
        "again:{}{}{}",
        word(resumption.session_id),
        word(resumption.ticket),
        word(resumption.taken_13)
    ));
    words.push(rules(facts));
    words.join(" ").trim_end().to_owned()
}

const RSA: &str = "-cert @rsa.pem -key @rsa.key -cert_chain @rsa.issuers";
const EC: &str = "-cert @ec.pem -key @ec.key -cert_chain @ec.issuers";

#[test]
fn a_server_as_it_comes() {
    check(RSA, "TLSv1.3(3 client) TLSv1.2(20 client) again:yyy P-25");
}

#[test]
fn tls_1_3_alone() {
    check(&format!("{EC} -tls1_3"), "TLSv1.3(3 client) again:--y");
}

#[test]
fn tls_1_2_with_an_order_of_its_own() {
    check(
        &format!("{RSA} -tls1_2 -serverpref -cipher AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:AES256-SHA"),
        "TLSv1.2(3 server) again:yy-",
    );
}

#[test]
fn tls_1_0_with_static_rsa() {
    check(
        &format!("{RSA} -tls1 -cipher AES128-SHA:AES256-SHA:@SECLEVEL=0"),
        "TLSv1.0(2 client) again:yy- P-21 P-24 P-25",
    );
}

#[test]
fn everything_that_the_library_still_has() {
    check(
        &format!("{RSA} -cipher ALL:COMPLEMENTOFALL:@SECLEVEL=0 -no_tls1_3"),
        "TLSv1.2(61 client) TLSv1.1(20 client) TLSv1.0(20 client) again:yy- P-22 P-21 P-23 P-25",
    );
}

#[test]
fn two_certificates() {
    check(
        &format!("{RSA} -dcert @ec.pem -dkey @ec.key -dcert_chain @ec.issuers"),
        "TLSv1.3(3 client) TLSv1.2(27 client) again:yyy P-25 P-54",
    );
}

#[test]
fn an_edwards_key() {
    check(
        "-cert @edwards.pem -key @edwards.key -cert_chain @edwards.issuers",
        "TLSv1.3(3 client) TLSv1.2(7 client) again:yyy P-25",
    );
}

#[test]
fn a_client_may_show_a_certificate() {
    check(
        &format!("{EC} -verify 3 -CAfile @root.pem"),
        "TLSv1.3(3 client) TLSv1.2(7 client) asks(Some(false) 1) again:yyy P-25 P-60",
    );
}

#[test]
fn a_client_has_to_show_a_certificate_in_tls_1_3() {
    check(
        &format!("{EC} -Verify 3 -CAfile @root.pem"),
        "TLSv1.3(3 client unfinished) TLSv1.2(7 client unfinished) asks(Some(true) 1) again:--- P-25 P-60",
    );
}

#[test]
fn a_client_has_to_show_a_certificate_in_tls_1_2() {
    check(
        &format!("{EC} -Verify 3 -CAfile @root.pem -tls1_2"),
        "TLSv1.2(7 client unfinished) asks(Some(true) 1) again:--- P-25 P-60",
    );
}

#[test]
fn a_chain_in_disorder_with_its_root() {
    check(
        "-cert @rsa.pem -key @rsa.key -cert_chain @disorder.issuers -tls1_2",
        "TLSv1.2(20 client) again:yy- P-42 P-42 P-25 P-45",
    );
}

#[test]
fn the_leaf_alone() {
    check(
        "-cert @alone.pem -key @rsa.key -tls1_3",
        "TLSv1.3(3 client) again:--y P-43",
    );
}

#[test]
fn an_expired_certificate() {
    check(
        "-cert @expired.pem -key @expired.key -cert_chain @expired.issuers -tls1_3",
        "TLSv1.3(3 client) again:--y P-46",
    );
}

#[test]
fn another_certificate_for_another_name() {
    check(
        &format!("{EC} -servername other.example -cert2 @other.pem -key2 @other.key -tls1_2"),
        "TLSv1.2(7 client) again:yy- P-25",
    );
}

#[test]
fn application_protocols_and_no_tickets() {
    check(
        &format!("{EC} -alpn h2,http/1.1 -no_ticket"),
        "TLSv1.3(3 client) TLSv1.2(7 client) h2,http/1.1 again:yny P-25",
    );
}

#[test]
fn groups_of_its_own() {
    check(
        &format!("{EC} -groups P-384:X25519"),
        "TLSv1.3(3 client) TLSv1.2(7 client) again:yyy P-25",
    );
}

#[test]
fn no_certificate_at_all() {
    check(
        "-nocert -cipher aNULL:@SECLEVEL=0 -tls1_2",
        "TLSv1.2(13 client) again:yy- P-22 P-40 P-23 P-25",
    );
}
