use super::*;

struct Fixed;

impl crate::secret::Entropy for Fixed {
    fn fill(&mut self, into: &mut [u8]) {
        into.iter_mut().zip(1u8..).for_each(|(byte, value)| *byte = value);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn worked_salt() -> [u8; 24] {
    let mut salt = [0; 24];
    let mut env = WriteEnv {
        now_ms: 0,
        entropy: &mut Fixed,
    };
    salt.copy_from_slice(&new_salt(&mut env));
    salt
}

#[track_caller]
fn check(version: CmsVersion, slots: Vec<Slot>, verifier: &str, integrity: &str) {
    let slot_size = slots.first().map_or(5000, |slot| slot.raw.len() as u32);
    let header = Header {
        format: Format::CmsKdb,
        version,
        kind: 2,
        expiry: 0,
        slot_size,
        salt: worked_salt(),
    };
    let proof = header.proof(&slots, &Password::new("password"));
    assert_eq!(
        (hex(&proof.verifier).as_str(), hex(&proof.integrity).as_str()),
        (verifier, integrity)
    );
}

#[test]
fn empty_files_have_the_worked_proofs() {
    check(
        CmsVersion::V3,
        vec![],
        "7145fbefb3eceb75be12f050c2be28bc",
        "2446c3d0b018f262ac0ff36b1c5fd710",
    );
    check(
        CmsVersion::V4,
        vec![],
        "8559a8e2d7d12e4b4d70305d7ddb311828942088",
        "4e5e3f7785cf53bb595da5c9206c70e535c277f4",
    );
    check(
        CmsVersion::V6,
        vec![],
        "51af0b2de41b145ea82011f45dc77b3f4eb024ba039966c6a5d18de0c4fa5a32cbc4ea3904055882828c84f54b9278ab",
        "be482b58aa06803e15c0c74e8c2ec0a7c2541291fb092dac5483c7340410193f3c22c0335fbc3b62c98b26493b250c69",
    );
}

#[test]
fn one_free_slot_has_the_worked_proofs() {
    let mut raw = vec![0; 64];
    raw[3] = 2;
    raw[7] = 1;
    let slots = || {
        vec![Slot {
            raw: raw.clone(),
            record: None,
        }]
    };
    check(
        CmsVersion::V3,
        slots(),
        "b818a634345d3c349d7c4f966cdcc8a6",
        "0541e164c14d2f1b9856000f871360ef",
    );
    check(
        CmsVersion::V4,
        slots(),
        "a16b33cff1071dfa5608725638fb5fcfbaf9f76e",
        "8cce0b7abf471a15aee4f3f854ef8ca7d2bbfa05",
    );
    check(
        CmsVersion::V6,
        slots(),
        "b12efc52fd7c135f7f6455cff555b471bb5a004a68ee87dc44793105871ad6d1d84b43c723b508d9721a76cc3808a323",
        "42499156c58c6769fb11d06c20435250835a31a0115373a39f44d7c2dc5b88b9b775866c7c0aae63d5932834ac2d232a",
    );
}

#[test]
fn the_worked_keys_open_with_their_password() {
    let plain = "3016020100300d06092a864886f70d010101050004020500";
    for sealed in [
        "307b305706092a864886f70d01050d304a302906092a864886f70d01050c301c0408a0a1a2a3a4a5a6a7020105020120300a06082a86\
         4886f70d020a301d060960864801650304012a0410a0a1a2a3a4a5a6a7a8a9aaabacadaeaf04201e15bb34bf7d2d2475f8d623a876f0\
         be1b40b8fdd252751cdaf0416be7e3f2f7",
        "304b3027060a2a864886f70d010c010330190414a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b302010a04206e133a102f3cfcbc97\
         5b36cc5a3b4d729109502f2e5b5b6009e5a9c2b1465cae",
        "303e301a06092a864886f70d010503300d0408a0a1a2a3a4a5a6a702010504209835b545554088b52e02aad888ac7d1f8f6a3bf41978\
         0382513a7cad248dd6fb",
    ] {
        let der: Vec<u8> = (0..sealed.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&sealed[at..at + 2], 16).unwrap())
            .collect();
        let key = EncryptedKey::read(&der, 0, 10_000, Widening::Bytes).unwrap();
        let opened = key.private_key(Some(&Password::new("password"))).ok().unwrap();
        assert_eq!(hex(opened.pkcs8_der()), plain);
        assert_eq!(
            key.private_key(Some(&Password::new("passwort"))).err(),
            Some(UnlockError::WrongPassword)
        );
    }
}

/// A record of GSKit's own secret keys, whose layout nobody knows, keeps its bytes whatever happens around it.
#[test]
fn a_secret_key_of_gskits_own_is_kept_byte_for_byte() {
    let (password, mut fixed) = (Password::new("password"), Fixed);
    let mut env = WriteEnv {
        now_ms: 0,
        entropy: &mut fixed,
    };
    let foreign = crate::der::write(0xa3, &[&crate::der::write_sequence(&[b"\x04\x03abc"])]);
    let record = Record::new(7, "theirs", 0x80, record::Body::Secret(foreign));
    let mut database = Database::empty(Format::CmsKdb, CmsVersion::V6);
    let mut slot = Slot::write(record);
    slot.pad(SLOT_SIZE as usize);
    let raw = slot.raw.clone();
    database.slots.push(slot);
    database.password = Some(password.clone());
    let bytes = database.write(None, &mut env).unwrap();

    let mut read = Database::read(Format::CmsKdb, &bytes, Some(&password), &Limits::default()).unwrap();
    assert_eq!(read.write(None, &mut env).unwrap(), bytes);
    let what = |database: &Database| match database.entries()[0].body() {
        Body::Opaque { what } => what.clone(),
        other => panic!("{}", std::any::type_name_of_val(other)),
    };
    assert_eq!(what(&read), "secret key");
    let key = || crate::secret::SecretKey::new("AES", [9; 16]);
    for alias in ["ours", "more"] {
        let edit = Edit::PutSecret {
            alias: Some(alias.to_owned()),
            key: key(),
            key_password: None,
            place: crate::edit::Place::Last,
        };
        read.edit(&edit, &mut env).unwrap();
    }
    read.edit(&Edit::Remove { index: 1 }, &mut env).unwrap();
    let new = Password::new("another");
    let edit = Edit::SetPassword {
        old: None,
        new: new.clone(),
    };
    read.edit(&edit, &mut env).unwrap();
    let bytes = read.write(None, &mut env).unwrap();
    assert!(bytes.windows(raw.len()).any(|window| window == raw));
    let again = Database::read(Format::CmsKdb, &bytes, Some(&new), &Limits::default()).unwrap();
    assert_eq!(what(&again), "secret key");
    let ours = &again.entries()[again.find("more").unwrap()];
    assert_eq!(ours.kind_name(), "secret-key");
    let opened = ours.unlock_secret(Some(&new)).ok().unwrap();
    assert_eq!((opened.algorithm(), opened.raw()), ("AES", &[9; 16][..]));
    assert!(ours.unlock_secret(Some(&password)).is_err());
}
