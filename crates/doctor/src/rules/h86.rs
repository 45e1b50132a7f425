//! H-86: the downloader is not let in.

use crate::finding::Evidence;
use crate::finding::Finding;
use crate::inputs::Inputs;
use crate::rule::Rule;
use crate::rule::Severity;
use crate::rule::Stage;

/// The rule.
pub const RULE: Rule = Rule {
    id: "H-86",
    title: "the downloader is not let in",
    severity: Severity::Error,
    stage: Stage::Application,
    cause: "the API key is wrong, expired, or of a user without DISPLAY on the file _AGENT_CERTIFICATE_; API keys are personal and end with their user and with the key that signed them",
    fix: "make a new API key in the console, or give its user DISPLAY access on FILE _AGENT_CERTIFICATE_",
    source: "domain specification B.8, F-04; domain specification H-86",
    states: &[
        "agentcertificatedownloader && 401",
        "agentcertificatedownloader && 403",
        "api key && invalid",
        "api key && expired",
        "apikey && invalid",
        "_agent_certificate_ && not",
        "apikey && unauthorized",
    ],
    hints: &[],
    explains: &["H-83"],
    find,
};

fn find(inputs: &Inputs) -> Vec<Finding> {
    let mut found = Vec::new();
    for text in &inputs.texts {
        let downloader = [
            "agentcertificatedownloader",
            "wacertificates.zip",
            "jobmanagerrestweb/jobscheduler/agent",
        ]
        .iter()
        .any(|mark| text.speaking_of(mark).next().is_some());
        let refused = ["401", "403"].iter().find_map(|code| {
            text.speaking_of(code).find(|(_, words)| {
                [
                    "http",
                    "code",
                    "status",
                    "error",
                    "returned",
                    "unauthorized",
                    "forbidden",
                ]
                .iter()
                .any(|mark| words.to_lowercase().contains(mark))
            })
        });
        if let (true, Some((line, words))) = (downloader, refused) {
            found.push(
                Finding::proven(&RULE, text.file.clone(), Evidence::line(&text.file, line, words)).stated(),
            );
        }
    }
    found
}
