//! Packet captures of handshakes: what is visible before encryption begins.
//!
//! Reads pcap and pcapng, Ethernet, Linux cooked, raw IP and loopback frames, TCP over IPv4 and IPv6, and of TLS the
//! records in the clear: hello versions, suites, server name, certificates up to TLS 1.2, certificate requests and
//! alerts. Source: the pcap file format (draft-ietf-opsawg-pcap), RFC 5246, RFC 8446, RFC 6066.

mod frames;
mod records;

use std::collections::BTreeMap;

use crate::text::conversation::Conversation;

/// The connections in a capture; `None` where the bytes are none.
///
/// Segments are put in order by their sequence numbers; what was lost ends a direction. Bounded by the size of the file.
pub fn read(file: &str, bytes: &[u8]) -> Option<Vec<Conversation>> {
    let segments = frames::segments(bytes)?;
    let mut flows: BTreeMap<(frames::End, frames::End), Flow> = BTreeMap::new();
    for segment in segments {
        let back = (segment.to.clone(), segment.from.clone());
        let (key, is_forward) = if flows.contains_key(&back) {
            (back, false)
        } else {
            ((segment.from.clone(), segment.to.clone()), true)
        };
        let flow = flows.entry(key).or_default();
        let side = if is_forward {
            &mut flow.forward
        } else {
            &mut flow.back
        };
        side.push((segment.sequence, segment.payload));
    }
    let conversations = flows.into_iter().filter_map(|((from, to), flow)| {
        let (one, other) = (joined(flow.forward), joined(flow.back));
        // Who sent a client hello is the client, whoever was seen first.
        let (client, server, target) = if records::is_client_hello(&one) {
            (one, other, to)
        } else if records::is_client_hello(&other) {
            (other, one, from)
        } else {
            return None;
        };
        let mut seen = Conversation::new(file);
        seen.target = Some(target.to_string());
        records::client(&mut seen, &client);
        records::server(&mut seen, &server);
        Some(seen)
    });
    Some(conversations.collect())
}

#[derive(Default)]
struct Flow {
    forward: Vec<(u32, Vec<u8>)>,
    back: Vec<(u32, Vec<u8>)>,
}

/// The bytes of one direction in order, up to the first gap.
fn joined(mut parts: Vec<(u32, Vec<u8>)>) -> Vec<u8> {
    let Some(first) = parts.iter().map(|(sequence, _)| *sequence).reduce(|one, other| {
        if other.wrapping_sub(one) > u32::MAX / 2 {
            other
        } else {
            one
        }
    }) else {
        return Vec::new();
    };
    parts.sort_by_key(|(sequence, _)| sequence.wrapping_sub(first));
    let mut bytes: Vec<u8> = Vec::new();
    for (sequence, payload) in parts {
        let at = sequence.wrapping_sub(first) as usize;
        match bytes.len().checked_sub(at) {
            Some(known) if known < payload.len() => bytes.extend_from_slice(&payload[known..]),
            Some(_) => {}
            None => break,
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
