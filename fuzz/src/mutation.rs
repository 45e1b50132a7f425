//! Alterations that know where files have lengths, tags and counts.

use crate::Source;

/// One altered copy of `seed`: one to four alterations; some take bytes from `other`.
pub fn mutated(seed: &[u8], marks: &[usize], other: &[u8], random: &mut Source) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            return other.to_vec();
        }
        alter(&mut bytes, marks, other, random);
    }
    bytes
}

/// Where the elements of DER begin that are long enough to have others inside, as far as their first bytes show: in
/// every format certificates and keys are among them. In Java's and GSKit's formats also the lengths in front of these.
pub fn marks(seed: &[u8]) -> Vec<usize> {
    let mut marks = Vec::new();
    for at in 0..seed.len().saturating_sub(4) {
        let is_element = matches!(seed[at], 0x30 | 0x31 | 0x02..=0x06 | 0x0c | 0x13 | 0x17 | 0xa0..=0xa3);
        let length = usize::from(seed[at + 1]);
        let fits = match length {
            0x81 => at + 3 + usize::from(seed[at + 2]) <= seed.len(),
            0x82 => at + 4 + (usize::from(seed[at + 2]) << 8 | usize::from(seed[at + 3])) <= seed.len(),
            1..=0x7f => seed[at] >= 0x30 && at + 2 + length <= seed.len(),
            _ => false,
        };
        if is_element && fits {
            marks.push(at);
        }
    }
    // The head of a binary store: version, counts, salt and rounds.
    marks.extend(0..seed.len().min(16));
    marks
}

fn alter(bytes: &mut Vec<u8>, marks: &[usize], other: &[u8], random: &mut Source) {
    let at = random.below(bytes.len());
    let mark = match marks {
        [] => at,
        marks => marks[random.below(marks.len())].min(bytes.len() - 1),
    };
    match random.below(14) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.draw() as u8,
        2 => bytes[at] = INTERESTING[random.below(INTERESTING.len())],
        // Tags.
        3 | 4 => bytes[mark] = TAGS[random.below(TAGS.len())],
        // DER lengths.
        5 | 6 => {
            let at = (mark + 1).min(bytes.len() - 1);
            bytes[at] = LENGTHS[random.below(LENGTHS.len())];
        }
        7 => nudge(bytes, mark + 1 + random.below(3), random),
        // Counts and lengths of two and four bytes, in front of elements and anywhere.
        8 => put_number(bytes, mark.saturating_sub(4), 4, random),
        9 => put_number(bytes, at, 4, random),
        10 => put_number(bytes, at, 2, random),
        11 => bytes.truncate(at),
        12 => {
            let len = random.below(bytes.len() - at).min(200);
            let run = bytes[at..at + len].to_vec();
            match random.below(2) {
                0 => drop(bytes.splice(at..at, run)),
                _ => drop(bytes.drain(at..at + len)),
            }
        }
        _ => {
            if !other.is_empty() {
                let from = random.below(other.len());
                let run = &other[from..(from + random.below(100)).min(other.len())];
                let end = (at + run.len() * random.below(2)).min(bytes.len());
                bytes.splice(at..end, run.iter().copied());
            }
        }
    }
}

/// One more or one less.
fn nudge(bytes: &mut [u8], at: usize, random: &mut Source) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = match random.below(2) {
            0 => byte.wrapping_add(1),
            _ => byte.wrapping_sub(1),
        };
    }
}

fn put_number(bytes: &mut [u8], at: usize, width: usize, random: &mut Source) {
    let numbers = [
        0,
        1,
        2,
        0x7f,
        0xff,
        0x100,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        bytes.len() as u32,
    ];
    let number = numbers[random.below(numbers.len())].to_be_bytes();
    if let Some(there) = bytes.get_mut(at..at + width) {
        there.copy_from_slice(&number[4 - width..]);
    }
}

const INTERESTING: [u8; 9] = [0, 1, 0x20, 0x2d, 0x30, 0x7f, 0x80, 0xed, 0xff];
const TAGS: [u8; 18] = [
    0, 1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x17, 0x1e, 0x24, 0x30, 0x31, 0x80, 0xa0, 0xa1, 0xff,
];
const LENGTHS: [u8; 10] = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x89, 0xff];
