use super::*;

#[track_caller]
fn check(modulus: u128, left: u128, right: u128) {
    let by = Modulus::new(&modulus.to_be_bytes()).unwrap();
    let [a, b] = [left, right].map(|number| by.residue(&number.to_be_bytes()).unwrap());
    let plain = |residue: &Residue| {
        let octets = by.octets(residue);
        octets
            .iter()
            .fold(0u128, |sum, octet| sum << 8 | u128::from(*octet))
    };
    assert_eq!(plain(&by.sum(&a, &b)), (left + right) % modulus);
    assert_eq!(plain(&by.difference(&a, &b)), (left + modulus - right) % modulus);
    assert_eq!(plain(&by.product(&a, &b)), left * right % modulus);
    let power = (0..right).fold(1, |power, _| power * left % modulus);
    assert_eq!(plain(&by.power(&a, &right.to_be_bytes())), power);
}

#[test]
fn small_numbers_come_out_as_by_division() {
    for modulus in [3, 5, 255, 0xffff_ffff_ffff_ffc5, 0x1_0000_0000_0000_000d] {
        for (left, right) in [
            (0, 0),
            (1, 0),
            (0, 1),
            (2, 2),
            ((modulus - 1).min(u64::MAX.into()), 2),
        ] {
            check(modulus, left % modulus, right % modulus);
        }
    }
}

#[test]
fn what_is_no_odd_number_or_too_large_is_refused() {
    let long = [vec![1; MAX_BITS / 8], vec![1]].concat();
    for octets in [&[][..], &[0], &[1], &[4], &long] {
        assert!(Modulus::new(octets).is_none());
    }
    let three = Modulus::new(&[3]).unwrap();
    assert!(three.residue(&[3]).is_none() && three.residue(&[1; 9]).is_none());
}
