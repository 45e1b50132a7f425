//! Whether a client has to show a certificate, and what becomes of ours.

use hello::Version;

use crate::ClientAuth;
use crate::Facts;
use crate::Identity;
use crate::Presented;
use crate::Spoken;
use crate::enumerate::Asked;
use crate::handshake;
use crate::handshake::Offer;
use crate::handshake::Shaken;
use crate::line::Line;
use crate::once;

/// What a handshake without a certificate shows.
pub(crate) fn seen(shaken: &Shaken) -> ClientAuth {
    let came_far = shaken.flight.chain.is_some() || shaken.is_finished;
    match (&shaken.flight.request, came_far) {
        (Some(request), _) => ClientAuth::Asked {
            request: request.clone(),
            required: match (shaken.is_accepted, shaken.alert) {
                (true, None) => Some(false),
                (_, Some(_)) => Some(true),
                // Some hang up without an alert.
                (false, None) if !shaken.is_finished => Some(true),
                (false, None) => None,
            },
        },
        (None, true) => ClientAuth::NotAsked,
        (None, false) => ClientAuth::Unknown,
    }
}

/// Keeps what only a handshake to the end could show of a version.
pub(crate) fn keep(one: &mut Asked, shaken: &Shaken) {
    if one.facts.version == Version::Tls13
        && let Some(first) = &mut one.first
    {
        first.chain.clone_from(&shaken.flight.chain);
        first.request.clone_from(&shaken.flight.request);
        if let (Some(hello), Some(whole)) = (&mut first.hello, &shaken.flight.hello) {
            hello.extensions.clone_from(&whole.extensions);
        }
    }
}

/// Shows the identity that was given, with the newest version that is spoken.
pub(crate) fn ask(line: &mut Line<'_>, facts: &mut Facts, asked: &[Asked], identity: Option<&Identity>) {
    let Some(identity) = identity else { return };
    let newest = asked
        .iter()
        .find(|one| one.facts.spoken == Spoken::Yes && one.facts.version > Version::Ssl3);
    let Some(newest) = newest else { return };
    let offer = Offer {
        identity: Some(identity),
        waits: true,
        ..once::offer(line.target.server_name(), newest.facts.version)
    };
    facts.presented = Some(match handshake::shake(line, &offer) {
        Ok(shaken) if shaken.flight.request.is_none() && shaken.is_finished => return,
        Ok(shaken) if shaken.alert.is_some() => Presented::Refused(shaken.alert),
        Ok(shaken) if shaken.is_accepted => Presented::Taken,
        Ok(shaken) if !shaken.is_finished => Presented::Refused(None),
        Ok(_) | Err(_) => Presented::Unclear,
    });
}
