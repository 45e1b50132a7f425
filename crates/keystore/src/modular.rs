//! Products and powers modulo an odd number, for the two kinds of key whose public half no library of ours derives: DSA
//! and Ed448.
//!
//! Not constant in time: for keys that were opened to be compared with a certificate, never to sign.
//! Source: Montgomery's multiplication, Handbook of Applied Cryptography 14.36.

/// An odd number to count by.
pub(crate) struct Modulus {
    /// Lowest first.
    limbs: Vec<u64>,
    /// -1 / limbs\[0\] modulo 2^64.
    inverse: u64,
    /// 2^(128 n), by which numbers are brought into Montgomery's form.
    square: Vec<u64>,
}

/// A number below the modulus, in Montgomery's form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Residue(Vec<u64>);

impl Modulus {
    /// From big-endian octets; nothing for an even number, for one, and for more than [`MAX_BITS`].
    ///
    /// Cost: 128 additions for each 64 bits.
    pub(crate) fn new(octets: &[u8]) -> Option<Self> {
        let limbs = limbs(octets, 0)?;
        let is_usable = limbs.first()? & 1 == 1 && limbs != [1] && limbs.len() * 64 <= MAX_BITS;
        if !is_usable {
            return None;
        }
        // Newton: each step doubles the bits that are right.
        let inverse = (0..6).fold(1u64, |known, _| {
            known.wrapping_mul(2u64.wrapping_sub(limbs[0].wrapping_mul(known)))
        });
        let mut modulus = Self {
            square: vec![0; limbs.len()],
            inverse: inverse.wrapping_neg(),
            limbs,
        };
        let mut power = Residue(vec![0; modulus.limbs.len()]);
        power.0[0] = 1;
        for _ in 0..128 * modulus.limbs.len() {
            power = modulus.sum(&power, &power);
        }
        modulus.square = power.0;
        Some(modulus)
    }

    /// A number from big-endian octets; nothing when it is not below the modulus.
    pub(crate) fn residue(&self, octets: &[u8]) -> Option<Residue> {
        let plain = limbs(octets, self.limbs.len())?;
        (plain.len() == self.limbs.len() && is_less(&plain, &self.limbs))
            .then(|| self.product(&Residue(plain), &Residue(self.square.clone())))
    }

    /// Big-endian octets, as many as the modulus has limbs for.
    pub(crate) fn octets(&self, residue: &Residue) -> Vec<u8> {
        let mut one = Residue(vec![0; self.limbs.len()]);
        one.0[0] = 1;
        let plain = self.product(residue, &one);
        plain.0.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
    }

    /// Cost: 2 n^2 multiplications of 64 bits.
    pub(crate) fn product(&self, left: &Residue, right: &Residue) -> Residue {
        let n = self.limbs.len();
        let mut sum = vec![0u64; n + 2];
        for &factor in &left.0 {
            let carry = add_product(&mut sum, &right.0, factor);
            add_at(&mut sum, n, carry);
            let quotient = sum[0].wrapping_mul(self.inverse);
            let carry = add_product(&mut sum, &self.limbs, quotient);
            add_at(&mut sum, n, carry);
            sum.copy_within(1.., 0);
            sum[n + 1] = 0;
        }
        self.reduced(sum)
    }

    /// The sum of two.
    pub(crate) fn sum(&self, left: &Residue, right: &Residue) -> Residue {
        let mut sum = left.0.clone();
        sum.push(0);
        let mut carry = false;
        for (at, &limb) in right.0.iter().enumerate() {
            (sum[at], carry) = sum[at].carrying(limb, carry);
        }
        sum[right.0.len()] = u64::from(carry);
        self.reduced(sum)
    }

    /// The difference of two.
    pub(crate) fn difference(&self, left: &Residue, right: &Residue) -> Residue {
        let mut opposite = self.limbs.clone();
        subtract(&mut opposite, &right.0);
        self.sum(left, &self.reduced([opposite, vec![0]].concat()))
    }

    /// `base` to the power of a number in big-endian octets.
    ///
    /// Cost: at most two products for each bit.
    pub(crate) fn power(&self, base: &Residue, exponent: &[u8]) -> Residue {
        let mut one = Residue(vec![0; self.limbs.len()]);
        one.0[0] = 1;
        let mut power = self.product(&one, &Residue(self.square.clone()));
        for bit in bits(exponent) {
            power = self.product(&power, &power);
            if bit {
                power = self.product(&power, base);
            }
        }
        power
    }

    fn reduced(&self, mut sum: Vec<u64>) -> Residue {
        let n = self.limbs.len();
        if sum[n..].iter().any(|limb| *limb != 0) || !is_less(&sum[..n], &self.limbs) {
            subtract(&mut sum, &self.limbs);
        }
        sum.truncate(n);
        Residue(sum)
    }
}

/// The bits of big-endian octets, highest first.
pub(crate) fn bits(octets: &[u8]) -> impl Iterator<Item = bool> {
    octets
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |at| octet >> at & 1 == 1))
}

/// 64 bits each, lowest first, at least `least` of them.
fn limbs(octets: &[u8], least: usize) -> Option<Vec<u64>> {
    let start = octets
        .iter()
        .position(|octet| *octet != 0)
        .unwrap_or(octets.len());
    let octets = &octets[start..];
    if octets.len() * 8 > MAX_BITS {
        return None;
    }
    let limb = |chunk: &[u8]| chunk.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
    let mut limbs: Vec<u64> = octets.rchunks(8).map(limb).collect();
    limbs.resize(limbs.len().max(least), 0);
    Some(limbs)
}

fn is_less(left: &[u64], right: &[u64]) -> bool {
    left.iter().rev().lt(right.iter().rev())
}

/// Adds `factor` times `row`; what goes over its last limb comes back.
fn add_product(sum: &mut [u64], row: &[u64], factor: u64) -> u64 {
    let mut carry = 0u128;
    for (at, &limb) in row.iter().enumerate() {
        carry += u128::from(limb) * u128::from(factor) + u128::from(sum[at]);
        sum[at] = carry as u64;
        carry >>= 64;
    }
    carry as u64
}

fn add_at(sum: &mut [u64], at: usize, value: u64) {
    let (low, is_over) = sum[at].overflowing_add(value);
    sum[at] = low;
    sum[at + 1] += u64::from(is_over);
}

fn subtract(from: &mut [u64], what: &[u64]) {
    let mut borrow = false;
    for (at, limb) in from.iter_mut().enumerate() {
        let (low, first) = limb.overflowing_sub(what.get(at).copied().unwrap_or(0));
        let (low, second) = low.overflowing_sub(u64::from(borrow));
        (*limb, borrow) = (low, first || second);
    }
}

trait Carrying: Sized {
    fn carrying(self, other: Self, carry: bool) -> (Self, bool);
}

impl Carrying for u64 {
    fn carrying(self, other: Self, carry: bool) -> (Self, bool) {
        let (sum, first) = self.overflowing_add(other);
        let (sum, second) = sum.overflowing_add(Self::from(carry));
        (sum, first || second)
    }
}

/// More than twice the 3072 bits of the longest DSA key; a larger one would be a way to keep us busy.
const MAX_BITS: usize = 8192;

#[cfg(test)]
mod tests;
