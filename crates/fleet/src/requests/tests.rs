//! Who asks for what: which components share a request, and by which names, subject and key.

use serde_json::json;

use super::*;
use crate::file;
use crate::snapshot::UseFacts;

/// A fleet in text, a line each: `id product host:/path address [expects NAME for ID]`.
fn snapshot(fleet: &str) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for line in fleet.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (id, product, place, address) = (words[0], words[1], words[2], words[3]);
        let (host, path) = place.split_once(':').unwrap();
        let mut component = json!({
            "host": host, "product": product, "runtime": "openssl",
            "effective": { "restart": ["restart"] },
            "stores": [{ "id": "id", "file": path, "holds": ["identity", "trust"] }],
            "listens": [{ "name": "api", "address": address, "identity": "id", "trust": "id" }],
        });
        if let ["expects", name, "for", to] = words[4..] {
            component["dials"] = json!([{ "to": to, "endpoint": "api", "trust": "id", "expects": name }]);
        }
        snapshot.components.insert(id.to_owned(), component);
        snapshot.uses.push(UseFacts {
            component: id.to_owned(),
            id: "id".to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            presented: vec![format!("leaf of {id}")],
            alias: None,
            anchors: Vec::new(),
            anchors_with_key: Vec::new(),
            keys: 1,
        });
    }
    snapshot
}

#[track_caller]
fn check_places(fleet: &str, toml: &str, want: &[&str]) {
    let doc = file::read(&format!("version = 1\n{toml}")).unwrap();
    let found: Vec<String> = rotation::candidates(&doc, &doc.rotate[0], &snapshot(fleet))
        .into_iter()
        .map(|(id, _, material)| format!("{id} {material}"))
        .collect();
    assert_eq!(found, want);
}

const ROTATE: &str = "[[rotate]]\nname = \"new ca\"\nto = { csr = \"out/\" }\n";

#[test]
fn each_component_asks_for_itself_unless_it_shares_files() {
    check_places(
        "a generic h1:/a.pem 127.0.0.1:1\nb generic h1:/b.pem 127.0.0.1:2\nc generic h1:/b.pem 127.0.0.1:3\n\
         d generic h2:/b.pem 127.0.0.2:1",
        ROTATE,
        &["a csr:out/a", "b csr:out/b", "c csr:out/b", "d csr:out/d"],
    );
}

#[test]
fn workload_automation_asks_once_under_the_name_of_the_rotation() {
    let fleet = "m workload-automation h1:/m.kdb 127.0.0.1:1\nf workload-automation h2:/f.pem 127.0.0.2:1\n\
                 g generic h3:/g.pem 127.0.0.3:1";
    check_places(
        fleet,
        ROTATE,
        &["f csr:out/new-ca", "g csr:out/g", "m csr:out/new-ca"],
    );
    let clash = ROTATE.replace("new ca", "g");
    check_places(
        fleet,
        &clash,
        &["f csr:out/g-fleet", "g csr:out/g", "m csr:out/g-fleet"],
    );
}

#[test]
fn words_of_a_components_own_take_it_out_of_what_is_shared() {
    let own = "[components.b.new]\ncsr = \"mine\"\n[components.c.new]\nchain = \"c.pem\"\nkey = \"c.key\"\n";
    check_places(
        "a generic h1:/x.pem 127.0.0.1:1\nb generic h1:/x.pem 127.0.0.1:2\nc generic h1:/x.pem 127.0.0.1:3",
        &format!("{ROTATE}{own}"),
        &["a csr:out/a", "b csr:mine/b", "c component:c"],
    );
}

#[test]
fn a_request_has_the_names_of_all_its_components_once() {
    let doc = file::read(
        "version = 1\n[hosts.h1]\nreach = \"ssh://wa@H1.example:22\"\n[hosts.h2]\nreach = \"ssh://h2.example\"\n",
    )
    .unwrap();
    let snapshot = snapshot(
        "a generic h1:/a.pem A.example:1\nb generic h2:/b.pem [fd00::2]:2 expects a-alias.example for a\n\
         c generic h2:/c.pem 0.0.0.0:3 expects a.example for a",
    );
    for (components, want) in [
        (vec!["a"], "a.example a-alias.example h1 h1.example"),
        (vec!["b"], "fd00::2 h2 h2.example"),
        (vec!["c"], "h2 h2.example"),
        (
            vec!["a", "b"],
            "a.example a-alias.example h1 h1.example fd00::2 h2 h2.example",
        ),
    ] {
        let components: Vec<String> = components.into_iter().map(str::to_owned).collect();
        let found: Vec<String> = names(&doc, &snapshot, &components)
            .iter()
            .map(LinkName::to_string)
            .collect();
        assert_eq!(found.join(" "), want);
    }
}

#[test]
fn without_a_subject_of_today_the_common_name_is_the_alias_or_a_host_name() {
    let long = "x".repeat(60) + ".example";
    for (alias, host, want) in [
        (Some("glowfish"), "a.example", "CN=glowfish"),
        (None, "a.example", "CN=a.example"),
        (None, "127.0.0.1", "CN=billing"),
        (None, long.as_str(), "CN=billing"),
        (Some(""), "127.0.0.1", "CN=billing"),
        (Some("a,b"), "127.0.0.1", "CN=a\\,b"),
    ] {
        let names: Vec<LinkName> = LinkName::read(host).into_iter().collect();
        let place = RequestPlace::new("out", "billing");
        let der = subject(&Snapshot::default(), &[], alias, &names, &place);
        assert_eq!(keystore::Name::parse(&der, 0).unwrap().to_string(), want);
    }
}

#[test]
fn the_key_is_the_smallest_that_the_standards_take() {
    for (standards, want) in [
        ((None, None), Ok(NewKey::Rsa(2048))),
        ((Some(1024), None), Ok(NewKey::Rsa(2048))),
        ((Some(2049), Some(256)), Ok(NewKey::Rsa(3072))),
        ((Some(4096), None), Ok(NewKey::Rsa(4096))),
        ((Some(5000), None), Ok(NewKey::Rsa(8192))),
        ((Some(9000), None), Err(())),
        ((None, Some(224)), Ok(NewKey::Ec(256))),
        ((None, Some(384)), Ok(NewKey::Ec(384))),
        ((None, Some(521)), Ok(NewKey::Ec(521))),
        ((None, Some(522)), Err(())),
    ] {
        let (min_rsa, min_ec) = standards;
        let standards = StandardsDoc {
            min_rsa,
            min_ec,
            ..StandardsDoc::default()
        };
        assert_eq!(new_key(Some(&standards)).map_err(|_| ()), want, "{standards:?}");
    }
    assert_eq!(new_key(None), Ok(NewKey::Rsa(2048)));
}

#[test]
fn files_of_a_request_lie_in_the_directory_that_is_named() {
    for (dir, name, request, of) in [
        ("out/", "a", "out/a.csr", "out"),
        ("out", "a", "out/a.csr", "out"),
        ("./x/y//", "a.b", "./x/y/a.b.csr", "./x/y"),
        (".", "a", "./a.csr", "."),
        ("/srv/ask/", "a", "/srv/ask/a.csr", "/srv/ask"),
        ("/", "a", "/a.csr", "/"),
    ] {
        let place = RequestPlace::new(dir, name);
        assert_eq!((place.request().as_str(), place.dir()), (request, of));
        assert_eq!(RequestPlace::of_material(&place.material()), Some(place.clone()));
        let key = place.key(b"public");
        assert!(key.starts_with(&format!(".capgrow/keys/{name}-")), "{key}");
    }
    assert_eq!(RequestPlace::of_material("rotate:csr"), None);
}

#[test]
fn names_become_file_names_that_are_safe_everywhere() {
    for (name, want) in [
        ("billing", "billing"),
        ("../../etc/passwd", "-.-..-etc-passwd"),
        (".hidden", "-hidden"),
        ("leave the old", "leave-the-old"),
        ("caf\u{e9}", "caf-"),
    ] {
        assert_eq!(file_name(name), want);
    }
}

#[test]
fn the_host_of_an_ssh_address_is_a_name_too() {
    for (reach, want) in [
        ("ssh://user@host.example:22", Some("host.example")),
        ("ssh://host", Some("host")),
        ("ssh://user@[fd00::1]:22", Some("[fd00::1]")),
        ("local", None),
    ] {
        assert_eq!(ssh_host(reach).as_deref(), want);
    }
}
