use super::{open, seal};

/// Every nonce and tag length opens what it sealed, and nothing that was altered. The values themselves are checked on
/// BouncyCastle's stores.
#[test]
fn what_is_sealed_is_opened_and_an_altered_byte_is_not() {
    let key = [7; 32];
    for nonce_len in 7..=13 {
        for tag_len in [4, 6, 8, 10, 12, 14, 16] {
            for len in [0, 1, 15, 16, 17, 100] {
                let (nonce, clear) = (vec![9; nonce_len], vec![3; len]);
                let mut sealed = seal(&key, &nonce, tag_len, &clear).unwrap();
                assert_eq!(sealed.len(), len + tag_len);
                assert_eq!(*open(&key, &nonce, tag_len, &sealed).unwrap(), clear);
                let last = sealed.len() - 1;
                sealed[last] ^= 1;
                assert!(open(&key, &nonce, tag_len, &sealed).is_none());
            }
        }
    }
    assert!(seal(&key, &[0; 6], 8, b"x").is_none());
    assert!(seal(&key, &[0; 12], 5, b"x").is_none());
    assert!(open(&key, &[0; 12], 8, b"short").is_none());
}
