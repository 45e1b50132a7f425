//! What members of a core must pay at least: sets of them that cannot all find a side, none of whose weight is counted
//! twice. Found by propagation: who has one side left takes it, and whoever that leaves without a side is one too many.
//! Odd cycles of mutual links are the usual case.

use crate::exact::bits;

/// Who excludes whom on which sides.
pub struct Sides {
    /// By member, its side, and the other's side: a mask of others.
    excluded: Vec<[[u64; 2]; 2]>,
}

impl Sides {
    /// From the orders among the members: `early` (grow of x before switch of y) and `late` (switch of x before retire of
    /// y). The only side of `singles`, the first, has all their events in one step.
    pub fn of(early: &[u64], late: &[u64], singles: u64) -> Sides {
        let count = early.len();
        let growing = |_: usize, side: usize| side == 0;
        let retiring = |x: usize, side: usize| side == 1 || singles & 1 << x != 0;
        // The step of x with its switch comes before that of y.
        let before = |(x, a): (usize, usize), (y, b): (usize, usize)| {
            (growing(x, a) && early[x] & 1 << y != 0) || (retiring(y, b) && late[x] & 1 << y != 0)
        };
        let mut excluded = vec![[[0_u64; 2]; 2]; count];
        for (x, excluded) in excluded.iter_mut().enumerate() {
            for y in (0..count).filter(|&y| y != x) {
                for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    if before((x, a), (y, b)) && before((y, b), (x, a)) {
                        excluded[a][b] |= 1 << y;
                    }
                }
            }
        }
        Sides { excluded }
    }

    /// Those that cannot take `other` when `x` takes `side`.
    pub fn excluded(&self, x: usize, side: usize, other: usize) -> u64 {
        self.excluded[x][side][other]
    }

    /// What the undecided must pay at least, and what is left of each one's weight. Stops beyond `enough`.
    pub fn toll(&self, weight: &[u64], undecided: u64, free: [u64; 2], enough: u64) -> (u64, [u64; 64]) {
        let mut rest = [0_u64; 64];
        rest[..weight.len()].copy_from_slice(weight);
        let mut active = bits(undecided)
            .filter(|&x| weight[x] > 0)
            .fold(0_u64, |mask, x| mask | 1 << x);
        let mut toll = 0;
        let mut pay = |members: u64, active: &mut u64| {
            let least = bits(members).map(|x| rest[x]).min().unwrap_or(0);
            for x in bits(members) {
                rest[x] -= least;
                *active &= !(u64::from(rest[x] == 0) << x);
            }
            toll += least;
            toll <= enough
        };
        while let Some(members) = self.conflict(active, free, None) {
            if !pay(members, &mut active) {
                return (toll, rest);
            }
        }
        let mut untried = active & free[0] & free[1];
        while untried != 0 {
            let x = untried.trailing_zeros() as usize;
            let both = self
                .conflict(active, free, Some((x, 0)))
                .and_then(|first| Some(first | self.conflict(active, free, Some((x, 1)))?));
            match both {
                Some(members) if !pay(members, &mut active) => return (toll, rest),
                Some(_) => {}
                None => untried &= !(1 << x),
            }
            untried &= active;
        }
        (toll, rest)
    }

    /// Members that cannot all find a side, given the sides that are free, and that one of them takes a certain side.
    fn conflict(&self, active: u64, free: [u64; 2], taken: Option<(usize, usize)>) -> Option<u64> {
        let start = [free[0] & active, free[1] & active];
        let mut left = start;
        let mut because = [[NOBODY; 64]; 2];
        let mut queue = [0_u8; 64];
        let (mut next, mut end) = (0, 0);
        let mut queued = 0_u64;
        if let Some((x, side)) = taken {
            left[1 - side] &= !(1 << x);
            because[1 - side][x] = x as u8;
            queue[end] = x as u8;
            end += 1;
            queued |= 1 << x;
        }
        for x in bits((start[0] ^ start[1]) & !queued) {
            queue[end] = x as u8;
            end += 1;
            queued |= 1 << x;
        }
        while next < end {
            let x = queue[next] as usize;
            next += 1;
            let side = usize::from(left[0] & 1 << x == 0);
            for other in 0..2 {
                let lost = self.excluded[x][side][other] & left[other];
                left[other] &= !lost;
                for y in bits(lost) {
                    because[other][y] = x as u8;
                    if left[1 - other] & 1 << y == 0 {
                        return Some(trace(y, start, &because));
                    }
                    if queued & 1 << y == 0 {
                        queue[end] = y as u8;
                        end += 1;
                        queued |= 1 << y;
                    }
                }
            }
        }
        None
    }
}

/// All that led to `stuck` having no side left: of it both sides were taken away, of the others one.
fn trace(stuck: usize, start: [u64; 2], because: &[[u8; 64]; 2]) -> u64 {
    let mut found = 1_u64 << stuck;
    let mut open = found;
    while open != 0 {
        let x = open.trailing_zeros() as usize;
        open &= open - 1;
        for side in (0..2).filter(|&side| start[side] & 1 << x != 0) {
            let by = because[side][x];
            if by != NOBODY && found & 1 << by == 0 {
                found |= 1 << by;
                open |= 1 << by;
            }
        }
    }
    found
}

const NOBODY: u8 = u8::MAX;
