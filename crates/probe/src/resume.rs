//! Whether sessions are taken up again.
//!
//! Up to TLS 1.2 the answer is in the clear: a server that takes a session up echoes its id and sends no certificate.
//! So the second hello is made by hand and no key is needed. In TLS 1.3 it needs a proof that the client has the key.

use hello::Version;

use crate::Facts;
use crate::Spoken;
use crate::enumerate::Asked;
use crate::handshake;
use crate::handshake::Offer;
use crate::line::Line;
use crate::once;

/// Asks with the newest version, and with the newest before TLS 1.3.
pub(crate) fn ask(line: &mut Line<'_>, facts: &mut Facts, asked: &[Asked]) {
    let spoken = |version: Version| {
        asked
            .iter()
            .any(|one| one.facts.version == version && one.facts.spoken == Spoken::Yes)
    };
    if spoken(Version::Tls13) {
        let offer = Offer {
            waits: true,
            ..once::offer(line.target.server_name(), Version::Tls13)
        };
        if let Ok(shaken) = handshake::shake(line, &offer)
            && shaken.is_finished
        {
            facts.resumption.tickets_13 = Some(shaken.tickets);
        }
    }
}
