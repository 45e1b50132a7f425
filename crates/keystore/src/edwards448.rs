//! The public half of an Ed448 key.
//!
//! The curve is x^2 + y^2 = 1 - 39081 x^2 y^2 modulo 2^448 - 2^224 - 1. Not constant in time, as `modular.rs` says.
//! Source: RFC 8032 5.2.

use zeroize::Zeroizing;

use crate::modular::{Modulus, Residue, bits};

/// The public key of a private one, both of 57 octets.
///
/// Cost: some 9,000 products modulo 448 bits: about a millisecond.
pub(crate) fn public_key(private: &[u8]) -> Option<Vec<u8>> {
    let private: &[u8; 57] = private.try_into().ok()?;
    let mut scalar = Zeroizing::new(shake256(private)[..57].to_vec());
    scalar[0] &= 0xfc;
    scalar[55] |= 0x80;
    scalar[56] = 0;
    scalar.reverse();
    let curve = Curve::new()?;
    let base = Point {
        x: curve.field.residue(&BASE_X)?,
        y: curve.field.residue(&BASE_Y)?,
        z: curve.field.residue(&[1])?,
    };
    let mut point = Point {
        x: curve.field.residue(&[0])?,
        y: base.z.clone(),
        z: base.z.clone(),
    };
    for bit in bits(&scalar) {
        point = curve.doubled(&point);
        if bit {
            point = curve.added(&point, &base);
        }
    }
    Some(curve.encoded(&point))
}

struct Curve {
    field: Modulus,
    /// 39081: the curve's d is its opposite.
    d: Residue,
}

/// X/Z, Y/Z.
struct Point {
    x: Residue,
    y: Residue,
    z: Residue,
}

impl Curve {
    fn new() -> Option<Self> {
        let field = Modulus::new(&prime())?;
        let d = field.residue(&39_081u32.to_be_bytes())?;
        Some(Self { field, d })
    }

    fn added(&self, left: &Point, right: &Point) -> Point {
        let f = &self.field;
        let a = f.product(&left.z, &right.z);
        let b = f.product(&a, &a);
        let c = f.product(&left.x, &right.x);
        let d = f.product(&left.y, &right.y);
        // E of the source is negative here, as d is.
        let e = f.product(&self.d, &f.product(&c, &d));
        let (with, without) = (f.sum(&b, &e), f.difference(&b, &e));
        let h = f.product(&f.sum(&left.x, &left.y), &f.sum(&right.x, &right.y));
        let mixed = f.difference(&f.difference(&h, &c), &d);
        Point {
            x: f.product(&a, &f.product(&with, &mixed)),
            y: f.product(&a, &f.product(&without, &f.difference(&d, &c))),
            z: f.product(&with, &without),
        }
    }

    fn doubled(&self, point: &Point) -> Point {
        let f = &self.field;
        let both = f.sum(&point.x, &point.y);
        let b = f.product(&both, &both);
        let c = f.product(&point.x, &point.x);
        let d = f.product(&point.y, &point.y);
        let e = f.sum(&c, &d);
        let h = f.product(&point.z, &point.z);
        let j = f.difference(&f.difference(&e, &h), &h);
        Point {
            x: f.product(&f.difference(&b, &e), &j),
            y: f.product(&e, &f.difference(&c, &d)),
            z: f.product(&e, &j),
        }
    }

    /// y, lowest octet first, and the parity of x in the highest bit.
    fn encoded(&self, point: &Point) -> Vec<u8> {
        let mut exponent = prime();
        exponent[55] -= 2;
        let inverse = self.field.power(&point.z, &exponent);
        let [x, mut out] =
            [&point.x, &point.y].map(|part| self.field.octets(&self.field.product(part, &inverse)));
        out.reverse();
        out.push((x[x.len() - 1] & 1) << 7);
        out
    }
}

fn prime() -> [u8; 56] {
    let mut prime = [0xff; 56];
    prime[27] = 0xfe;
    prime
}

/// The first 136 octets of SHAKE256 over `message`, of which one block is enough. Source: FIPS 202.
fn shake256(message: &[u8; 57]) -> Zeroizing<Vec<u8>> {
    let mut block = Zeroizing::new(vec![0; 200]);
    block[..57].copy_from_slice(message);
    block[57] ^= 0x1f;
    block[135] ^= 0x80;
    let mut state = [0u64; 25];
    for (lane, octets) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane = u64::from_le_bytes(octets.try_into().expect("eight octets"));
    }
    keccak(&mut state);
    let octets = state.iter().flat_map(|lane| lane.to_le_bytes());
    let out = Zeroizing::new(octets.take(136).collect());
    zeroize::Zeroize::zeroize(&mut state);
    out
}

fn keccak(state: &mut [u64; 25]) {
    for constant in ROUNDS {
        let column = |state: &[u64; 25], x: usize| (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]);
        let columns: [u64; 5] = std::array::from_fn(|x| column(state, x));
        for (at, lane) in state.iter_mut().enumerate() {
            *lane ^= columns[(at + 4) % 5] ^ columns[(at + 1) % 5].rotate_left(1);
        }
        let (mut moved, mut last) = (*state, state[1]);
        for (&target, turn) in TARGETS.iter().zip(TURNS) {
            moved[target] = last.rotate_left(turn);
            last = state[target];
        }
        for (at, lane) in state.iter_mut().enumerate() {
            let row = at / 5 * 5;
            *lane = moved[at] ^ (!moved[row + (at + 1) % 5] & moved[row + (at + 2) % 5]);
        }
        state[0] ^= constant;
    }
}

#[rustfmt::skip]
const TARGETS: [usize; 24] = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
#[rustfmt::skip]
const TURNS: [u32; 24] = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
#[rustfmt::skip]
const ROUNDS: [u64; 24] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808a, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808b, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008a, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000a,
    0x0000_0000_8000_808b, 0x8000_0000_0000_008b, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800a, 0x8000_0000_8000_000a,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
];
#[rustfmt::skip]
const BASE_X: [u8; 56] = [
    0x4f, 0x19, 0x70, 0xc6, 0x6b, 0xed, 0x0d, 0xed, 0x22, 0x1d, 0x15, 0xa6, 0x22, 0xbf, 0x36, 0xda, 0x9e, 0x14, 0x65,
    0x70, 0x47, 0x0f, 0x17, 0x67, 0xea, 0x6d, 0xe3, 0x24, 0xa3, 0xd3, 0xa4, 0x64, 0x12, 0xae, 0x1a, 0xf7, 0x2a, 0xb6,
    0x65, 0x11, 0x43, 0x3b, 0x80, 0xe1, 0x8b, 0x00, 0x93, 0x8e, 0x26, 0x26, 0xa8, 0x2b, 0xc7, 0x0c, 0xc0, 0x5e,
];
#[rustfmt::skip]
const BASE_Y: [u8; 56] = [
    0x69, 0x3f, 0x46, 0x71, 0x6e, 0xb6, 0xbc, 0x24, 0x88, 0x76, 0x20, 0x37, 0x56, 0xc9, 0xc7, 0x62, 0x4b, 0xea, 0x73,
    0x73, 0x6c, 0xa3, 0x98, 0x40, 0x87, 0x78, 0x9c, 0x1e, 0x05, 0xa0, 0xc2, 0xd7, 0x3a, 0xd3, 0xff, 0x1c, 0xe6, 0x7c,
    0x39, 0xc4, 0xfd, 0xbd, 0x13, 0x2c, 0x4e, 0xd7, 0xc8, 0xad, 0x98, 0x08, 0x79, 0x5b, 0xf2, 0x30, 0xfa, 0x14,
];

#[cfg(test)]
mod tests;
