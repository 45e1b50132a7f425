//! From a capture file to TCP segments.

use std::fmt;
use std::net::IpAddr;

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    address: IpAddr,
    port: u16,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
}

/// One TCP segment that carries bytes.
pub struct Segment {
    pub from: End,
    pub to: End,
    pub sequence: u32,
    pub payload: Vec<u8>,
}

/// All segments of a capture; `None` where the bytes are no capture.
pub fn segments(bytes: &[u8]) -> Option<Vec<Segment>> {
    let frames = match bytes.get(..4)? {
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => classic(bytes, false),
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => classic(bytes, true),
        [0x0a, 0x0d, 0x0d, 0x0a] => next_generation(bytes),
        _ => return None,
    };
    Some(
        frames
            .into_iter()
            .filter_map(|(link, frame)| segment(link, frame))
            .collect(),
    )
}

fn number(bytes: &[u8], at: usize, is_big: bool) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if is_big {
        u32::from_be_bytes(four)
    } else {
        u32::from_le_bytes(four)
    })
}

fn classic(bytes: &[u8], is_big: bool) -> Vec<(u32, &[u8])> {
    let mut frames = Vec::new();
    let link = number(bytes, 20, is_big).unwrap_or(1) & 0xffff;
    let mut at = 24;
    while let Some(length) = number(bytes, at + 8, is_big) {
        let Some(frame) = bytes.get(at + 16..).and_then(|rest| rest.get(..length as usize)) else {
            break;
        };
        frames.push((link, frame));
        at += 16 + length as usize;
    }
    frames
}

/// Section header, interface descriptions, enhanced and simple packets; other blocks are passed over.
fn next_generation(bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let is_big = bytes.get(8..12) == Some(&[0x1a, 0x2b, 0x3c, 0x4d]);
    let mut links = Vec::new();
    let mut frames = Vec::new();
    let mut at = 0;
    while let (Some(kind), Some(length)) = (number(bytes, at, is_big), number(bytes, at + 4, is_big)) {
        let length = length as usize;
        let Some(block) = bytes.get(at..).and_then(|rest| rest.get(..length)) else {
            break;
        };
        if length < 12 {
            break;
        }
        match kind {
            1 => links.push(number(block, 8, is_big).unwrap_or(1) & 0xffff),
            6 => {
                let interface = number(block, 8, is_big).unwrap_or(0) as usize;
                let size = number(block, 20, is_big).unwrap_or(0) as usize;
                if let Some(frame) = block.get(28..).and_then(|rest| rest.get(..size)) {
                    frames.push((links.get(interface).copied().unwrap_or(1), frame));
                }
            }
            3 => {
                if let Some(frame) = block.get(12..length - 4) {
                    frames.push((links.first().copied().unwrap_or(1), frame));
                }
            }
            _ => {}
        }
        at += length;
    }
    frames
}

/// Link types: 0 loopback, 1 Ethernet, 12, 14 and 101 raw IP, 113 and 276 Linux cooked. Source: tcpdump.org/linktypes.html.
fn segment(link: u32, frame: &[u8]) -> Option<Segment> {
    let packet = match link {
        0 => frame.get(4..)?,
        1 => {
            let mut at = 12;
            while matches!(frame.get(at..at + 2)?, [0x81, 0x00] | [0x88, 0xa8]) {
                at += 4;
            }
            frame.get(at + 2..)?
        }
        12 | 14 | 101 => frame,
        113 => frame.get(16..)?,
        276 => frame.get(20..)?,
        _ => return None,
    };
    match packet.first()? >> 4 {
        4 => {
            let header = usize::from(packet[0] & 0x0f) * 4;
            let total = usize::from(u16::from_be_bytes(packet.get(2..4)?.try_into().ok()?));
            let from: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
            let to: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            let end = if total >= header {
                total.min(packet.len())
            } else {
                packet.len()
            };
            (*packet.get(9)? == TCP).then_some(())?;
            tcp(packet.get(header..end)?, from.into(), to.into())
        }
        6 => {
            let from: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
            let to: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            let length = usize::from(u16::from_be_bytes(packet.get(4..6)?.try_into().ok()?));
            (*packet.get(6)? == TCP).then_some(())?;
            let end = (40 + length).min(packet.len());
            tcp(packet.get(40..end)?, from.into(), to.into())
        }
        _ => None,
    }
}

fn tcp(bytes: &[u8], from: IpAddr, to: IpAddr) -> Option<Segment> {
    let port = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let header = usize::from(bytes.get(12)? >> 4) * 4;
    let payload = bytes.get(header..)?;
    (!payload.is_empty()).then_some(())?;
    Some(Segment {
        from: End {
            address: from,
            port: port(0)?,
        },
        to: End {
            address: to,
            port: port(2)?,
        },
        sequence: number(bytes, 4, true)?,
        payload: payload.to_vec(),
    })
}

const TCP: u8 = 6;
