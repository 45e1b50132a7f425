//! What `capgrow probe` saw, in its own document: each target as the connection of a usual client.

use keystore::Certificate;
use serde_json::Value;

use crate::base64::decode;
use crate::dn::Dn;
use crate::facts::CertFacts;
use crate::text::conversation::Conversation;

/// The connections in a probe's document, as `--json` or `--record` wrote it; `None` where the text is none.
///
/// A probe asks many questions that no client asks; only what a usual client would meet is a connection here: the
/// newest version with everything on offer, and the same without a name where another certificate came.
pub fn read(file: &str, text: &str) -> Option<Vec<Conversation>> {
    if !text.trim_start().starts_with('{') || !text.contains("\"probe\"") {
        return None;
    }
    let document: Value = serde_json::from_str(text).ok()?;
    if document["command"] != "probe" {
        return None;
    }
    let targets = document["targets"].as_array()?;
    Some(
        targets
            .iter()
            .flat_map(|target| of_target(file, target))
            .collect(),
    )
}

fn of_target(file: &str, target: &Value) -> Vec<Conversation> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let chains: Vec<Vec<CertFacts>> = list(&target["chains"])
        .iter()
        .map(|chain| {
            list(&chain["certificates"])
                .iter()
                .filter_map(certificate)
                .collect()
        })
        .collect();
    let versions = list(&target["versions"]);
    let mut usual = Conversation::new(file);
    usual.target = text(&target["target"]);
    usual.server_name = text(&target["server_name"]);
    usual.has_no_server_name = usual.server_name.is_none();
    usual.checked_name = text(&target["name"]);
    usual.sent = chains.first().cloned().unwrap_or_default();
    usual.is_plain_answer = target["trouble"]["kind"] == "not-tls";
    usual.offered_versions = (0x0300..=0x0304).rev().collect();
    match versions.iter().find(|version| version["spoken"] == true) {
        Some(newest) => {
            usual.protocol = text(&newest["version"]);
            usual.chosen_version = usual.protocol.as_deref().and_then(number);
            usual.cipher = text(&newest["handshake"]["suite"]).or_else(|| text(&newest["suites"][0]["name"]));
        }
        // Nothing was agreed: what the newest version was refused with is what a client would see.
        None => usual.alerts.extend(
            versions
                .iter()
                .filter_map(|version| alert(&version["alert"]["code"]))
                .take(1)
                .map(|code| (true, code)),
        ),
    }
    client(&mut usual, &target["client"]);
    let nameless = list(&target["names"])
        .iter()
        .find(|asked| asked["name"].is_null())
        .and_then(|asked| usize::try_from(asked["chain"].as_u64()?).ok())
        .filter(|place| *place > 0)
        .and_then(|place| chains.get(place));
    let mut found = Vec::new();
    if let Some(other) = nameless {
        found.push(Conversation {
            server_name: None,
            has_no_server_name: true,
            checked_name: None,
            sent: other.clone(),
            alerts: Vec::new(),
            ..usual.clone()
        });
    }
    found.insert(0, usual);
    found
}

/// Client authentication. Without an identity of ours nobody knows what a client would have met.
fn client(usual: &mut Conversation, client: &Value) {
    usual.was_asked = client["asked"] == true;
    usual.authorities = client["authorities"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).map(Dn::parse).collect());
    let presented = &client["presented"];
    usual.has_client_certificate = presented.is_object();
    if presented["accepted"] == false {
        usual
            .alerts
            .extend(alert(&presented["alert"]).map(|code| (true, code)));
    }
}

fn certificate(value: &Value) -> Option<CertFacts> {
    let der = decode(value["der"].as_str()?)?;
    Certificate::parse(&der)
        .ok()
        .map(|certificate| CertFacts::of(&certificate))
}

fn alert(code: &Value) -> Option<u8> {
    u8::try_from(code.as_u64()?).ok()
}

fn number(version: &str) -> Option<u16> {
    Some(match version {
        "SSLv3" => 0x0300,
        "TLSv1.0" => 0x0301,
        "TLSv1.1" => 0x0302,
        "TLSv1.2" => 0x0303,
        "TLSv1.3" => 0x0304,
        _ => return None,
    })
}
