use super::{Check, Inside, Purpose, Sealing};
use crate::der::{Der, tag};
use crate::limits::Limits;
use crate::secret::Password;

/// What is inside the sealed store, of a file whose derivations have one round.
fn opened() -> Vec<u8> {
    let file = include_bytes!("../../../../../fuzz/seeds/bcfks-pbkdf2.bcfks");
    let mut parts = Der::new(file).sequence("store").unwrap();
    let mut fields = parts.sequence("sealed store").unwrap();
    let sealing = Sealing::read(fields.sequence("algorithm").unwrap())
        .unwrap()
        .unwrap();
    let sealed = fields.expect(tag::OCTET_STRING, "sealed store").unwrap();
    let password = Password::new("changeit");
    let clear = sealing.open(&password, Purpose::Store, sealed.content, 1000);
    clear.unwrap_or_else(|error| panic!("{error}")).to_vec()
}

/// The MAC keeps altered bytes away from the inner reader, so it is given them directly.
#[test]
fn no_altered_inner_byte_makes_the_reader_panic() {
    let (clear, check, limits) = (opened(), Check::usual(), Limits::default());
    let seed = 0x9e37_79b9_7f4a_7c15_u64;
    println!("seed {seed:#x}");
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let (mut read, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut bytes = clear.clone();
        for _ in 0..=next() % 3 {
            let at = next() % bytes.len();
            match next() % 4 {
                0 => bytes[at] = next() as u8,
                1 => bytes[at] = [0, 1, 0x30, 0x7f, 0x80, 0x84, 0xff][next() % 7],
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(0x30);
            }
        }
        match Inside::read(&bytes, 100, &check, &limits) {
            Ok(inside) => {
                read += 1;
                let keys = inside.entries.iter();
                for entry in keys.filter(|entry| entry.kind_name() == "private-key") {
                    let _ = entry.protection();
                }
            }
            Err(error) => {
                refused += 1;
                assert!(error.offset().is_some_and(|at| at >= 100), "{error}");
            }
        }
    }
    assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
}
