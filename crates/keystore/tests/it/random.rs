//! Randomness that a failing test can repeat.

use keystore::{Entropy, WriteEnv};

/// Splitmix64 from a seed that the test prints.
pub struct Random(u64);

impl Random {
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// What a writer needs, at a fixed time.
    pub fn env(&mut self) -> WriteEnv<'_> {
        WriteEnv {
            now_ms: 1_700_000_000_000,
            entropy: self,
        }
    }
}

impl Entropy for Random {
    fn fill(&mut self, into: &mut [u8]) {
        into.iter_mut().for_each(|byte| *byte = self.next() as u8);
    }
}

/// Starts from a seed.
pub fn env(seed: u64) -> Random {
    Random(seed)
}
