//! The order in which Java enumerates the entries of a JKS or JCEKS store.

/// Puts items, given in the order in which they were put in, into the order in which `java.util.Hashtable` enumerates
/// them. It begins with `size` buckets (11 where nobody says), doubles plus one when three quarters full, puts the newest first in its bucket, and
/// walks the buckets from the last to the first.
///
/// Source: the documentation of `java.util.Hashtable` for size and load; runs of the original for the order.
pub(crate) fn hash_table<T>(items: Vec<T>, size: usize, key: impl Fn(&T) -> &str) -> Vec<T> {
    let mut buckets: Vec<Vec<usize>> = vec![Vec::new(); size];
    let hashes: Vec<usize> = items.iter().map(|item| string_hash(key(item))).collect();
    for count in 0..items.len() {
        if count >= buckets.len() * 3 / 4 {
            let mut larger: Vec<Vec<usize>> = vec![Vec::new(); buckets.len() * 2 + 1];
            // The newest of a bucket stands at its end here.
            for index in walk(&buckets) {
                let place = hashes[index] % larger.len();
                larger[place].push(index);
            }
            buckets = larger;
        }
        let place = hashes[count] % buckets.len();
        buckets[place].push(count);
    }
    let order = walk(&buckets);
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|index| items[index].take())
        .collect()
}

fn walk(buckets: &[Vec<usize>]) -> Vec<usize> {
    buckets
        .iter()
        .rev()
        .flat_map(|bucket| bucket.iter().rev().copied())
        .collect()
}

/// `String.hashCode`, without its sign.
fn string_hash(text: &str) -> usize {
    let units = text.encode_utf16();
    let hash = units.fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    (hash & 0x7fff_ffff) as usize
}

#[cfg(test)]
mod tests;
