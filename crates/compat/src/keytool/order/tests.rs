use super::hash_table;

#[track_caller]
fn check(put_in: &str, enumerated: &str) {
    let items: Vec<String> = put_in.split(' ').map(str::to_owned).collect();
    assert_eq!(hash_table(items, 11, |item| item).join(" "), enumerated);
}

/// Both sides were printed by OpenJDK 17: `new Hashtable`, `put` from left to right, `keys()`.
#[test]
fn the_order_is_that_of_java() {
    check("server ca", "ca server");
    check("a b", "b a");
    check("server client selfie root ica", "root selfie client server ica");
    check(
        "glowfish server web db1 db2 db3 mq-channel ibmwebspheremqqm1 root issuing1 issuing2",
        "mq-channel issuing2 issuing1 server db3 glowfish db2 web db1 ibmwebspheremqqm1 root",
    );
    check(
        "host1 host2 host3 host4 host5 host6 host7 host8 host9 host10 host11 host12 host13 host14 host15 host16 host17 host18 host19 host20 host21 host22 host23 host24 host25 host26 host27 host28 host29 host30 host31 host32 host33 host34 host35 host36 host37 host38 host39 host40",
        "host29 host28 host27 host26 host25 host24 host23 host22 host21 host20 host9 host8 host7 host6 host5 host4 host3 host2 host1 host19 host18 host17 host16 host15 host14 host13 host12 host11 host10 host40 host39 host38 host37 host36 host35 host34 host33 host32 host31 host30",
    );
}
