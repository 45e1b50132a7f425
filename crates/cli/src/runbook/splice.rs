//! Edits of a text as places: which line, which column, what goes, what comes. What stands around them, passwords among
//! it, is never part of them.

/// One edit. Lines count from 1, columns from 0, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Splice {
    /// These lines come after that line (0 = first of all).
    After(usize, Vec<String>),
    /// Within a line: this many bytes go at the column, and this text comes.
    Within(usize, usize, usize, String),
    /// That many lines go, from that line on.
    Without(usize, usize),
}

/// What makes `new` of `old`, the last place first, so that earlier ones stay true.
///
/// Cost: O(bytes).
pub fn splices(old: &[u8], new: &[u8]) -> Vec<Splice> {
    let (old, new) = (lines(old), lines(new));
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let left = old.len().min(new.len()) - head;
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(left)
        .take_while(|(a, b)| a == b)
        .count();
    let (old_middle, new_middle) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut found = Vec::new();
    if old_middle.len() == new_middle.len() {
        for (at, (before, after)) in old_middle.iter().zip(new_middle).enumerate() {
            if before != after {
                found.push(within(head + at + 1, before, after));
            }
        }
    } else {
        if !new_middle.is_empty() {
            let text = new_middle
                .iter()
                .map(|line| String::from_utf8_lossy(line).into_owned());
            found.push(Splice::After(head, text.collect()));
        }
        if !old_middle.is_empty() {
            found.push(Splice::Without(head + 1, old_middle.len()));
        }
        // The lines that go are counted before others come.
        return found.into_iter().rev().collect();
    }
    found.reverse();
    found
}

fn within(line: usize, before: &[u8], after: &[u8]) -> Splice {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let left = before.len().min(after.len()) - head;
    let tail = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take(left)
        .take_while(|(a, b)| a == b)
        .count();
    let text = String::from_utf8_lossy(&after[head..after.len() - tail]).into_owned();
    Splice::Within(line, head, before.len() - tail - head, text)
}

/// The lines without their LF; a final one is no line of its own.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|&byte| byte == b'\n').collect()
}

#[cfg(test)]
mod tests;
