use super::Arrangement;
use super::arrange;
use super::improved;

impl Arrangement {
    /// The time that all links together are down in this order.
    pub fn down_time(&self, order: &[usize]) -> u64 {
        let mut begins = vec![0; self.takes.len()];
        let mut now = 0;
        for &x in order {
            begins[x] = now;
            now += self.takes[x];
        }
        let mut sum = 0;
        for &x in order {
            for (&y, [first, _]) in &self.near[x] {
                if begins[x] < begins[y] {
                    sum += first * (begins[y] + self.takes[y] - begins[x]);
                }
            }
        }
        sum
    }
}

/// Splitmix64, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((mixed ^ (mixed >> 27)) >> 16) % bound
    }
}

fn random(random: &mut Random, count: usize) -> Arrangement {
    let takes = (0..count).map(|_| 1 + random.below(9)).collect();
    let mut made = Arrangement::new(takes);
    for a in 0..count {
        for b in a + 1..count {
            if random.below(3) == 0 {
                made.link((a, b), random.below(3) as u32, random.below(3) as u32);
            }
        }
    }
    made
}

#[test]
fn no_order_of_a_small_fleet_has_less_down_time() {
    let seed = 7;
    println!("seed {seed}");
    let mut from = Random(seed);
    for _ in 0..200 {
        let count = 1 + from.below(6) as usize;
        let made = random(&mut from, count);
        let found = arrange(&made);
        let mut sorted = found.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        let mut least = u64::MAX;
        permutations(&mut (0..count).collect::<Vec<_>>(), 0, &mut |order| {
            least = least.min(made.down_time(order));
        });
        assert_eq!(made.down_time(&found), least, "{found:?}");
    }
}

fn permutations(order: &mut Vec<usize>, from: usize, told: &mut impl FnMut(&[usize])) {
    if from + 1 >= order.len() {
        return told(order);
    }
    for i in from..order.len() {
        order.swap(from, i);
        permutations(order, from + 1, told);
        order.swap(from, i);
    }
}

#[test]
fn a_gain_is_what_the_exchange_saves() {
    let seed = 11;
    println!("seed {seed}");
    let mut from = Random(seed);
    for _ in 0..200 {
        let made = random(&mut from, 7);
        let order: Vec<usize> = (0..7).collect();
        let place = order.clone();
        for i in 1..7 {
            let mut other = order.clone();
            other.swap(i - 1, i);
            let saved = i128::from(made.down_time(&order)) - i128::from(made.down_time(&other));
            assert_eq!(made.gain(&place, i - 1, i), saved);
        }
    }
}

#[test]
fn the_hub_of_a_wide_star_comes_in_the_middle() {
    let leaves = 40;
    let mut star = Arrangement::new(vec![10; leaves + 1]);
    for leaf in 1..=leaves {
        star.link((0, leaf), 1, 1);
    }
    let order = arrange(&star);
    let place = order.iter().position(|&x| x == 0).unwrap();
    assert!(place.abs_diff(leaves / 2) <= 1, "{place}");
    let hub_first: Vec<usize> = (0..=leaves).collect();
    assert!(star.down_time(&order) < star.down_time(&hub_first) * 6 / 10);
    assert_eq!(improved(&star, order.clone()), order, "nothing is left to gain");
}
