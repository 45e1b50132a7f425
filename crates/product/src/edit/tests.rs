//! Each case: the file, the edit in words, the file afterwards. `¶` is CRLF, `␤` LF, `·` a byte order mark,
//! `ÿ` the byte FF.

use super::*;

#[track_caller]
fn check(syntax: Syntax, file: &str, edit: &str, want: &str) {
    let seen = match change(syntax, &bytes(file), &parse(edit)) {
        Ok(edited) => text(&edited),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(seen, want, "{} | {edit}", file);
}

#[track_caller]
fn reads(syntax: Syntax, file: &str, key: &str, want: &[&str]) {
    let values = find(syntax, &bytes(file), key).unwrap();
    let shown: Vec<String> = values
        .iter()
        .map(|value| format!("{}:{}", value.line, value.text))
        .collect();
    assert_eq!(shown, want);
}

/// `set KEY = VALUE`, `or-add KEY = VALUE`, `add KEY ; ITEM`, `remove KEY ; ITEM`; a leading number is `occurs`.
fn parse(edit: &str) -> SettingChange {
    let (occurs, edit) = match edit.split_once(' ') {
        Some((number, rest)) if number.parse::<usize>().is_ok() => (number.parse().unwrap(), rest),
        _ => (1, edit),
    };
    let (verb, rest) = edit.split_once(' ').unwrap();
    let by = if verb == "add" || verb == "remove" {
        " ; "
    } else {
        " = "
    };
    let (key, value) = rest.split_once(by).unwrap();
    let value = value.to_owned();
    let edit = match verb {
        "set" => SettingEdit::Set { value, or_add: false },
        "or-add" => SettingEdit::Set { value, or_add: true },
        "add" => SettingEdit::AddItem {
            item: value,
            separator: ";".to_owned(),
        },
        "remove" => SettingEdit::RemoveItem {
            item: value,
            separator: ";".to_owned(),
        },
        _ => panic!("{verb}"),
    };
    SettingChange {
        key: key.trim().to_owned(),
        edit,
        occurs,
    }
}

fn bytes(shown: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for letter in shown.chars() {
        match letter {
            '¶' => out.extend_from_slice(b"\r\n"),
            '␤' => out.push(b'\n'),
            '·' => out.extend_from_slice(b"\xef\xbb\xbf"),
            'ÿ' => out.push(0xff),
            _ => out.extend_from_slice(letter.to_string().as_bytes()),
        }
    }
    out
}

fn text(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk
            .invalid()
            .iter()
            .for_each(|byte| out.push(char::from(*byte)));
    }
    out.replace("\r\n", "¶")
        .replace('\n', "␤")
        .replace('\u{feff}', "·")
}

#[test]
fn localopts_names_ignore_case_and_blanks_and_everything_else_stays() {
    let file = "# SSL key = \"/no\"¶SSL key   = \"/a b/c.key\"  # the key ÿ¶nm SSL full port = 31113¶";
    reads(Syntax::Localopts, file, "sslKEY", &["2:/a b/c.key"]);
    reads(Syntax::Localopts, file, "NM sslfullport", &["3:31113"]);
    let want = "# SSL key = \"/no\"¶SSL key   = \"/x/tls.key\"  # the key ÿ¶nm SSL full port = 31113¶";
    check(Syntax::Localopts, file, "set SSL Key = /x/tls.key", want);
    check(
        Syntax::Localopts,
        "·thiscpu =MDM1",
        "set thiscpu = BKM1",
        "·thiscpu =BKM1",
    );
    check(Syntax::Localopts, "a =␤b=1", "set a = x y", "a = \"x y\"␤b=1");
    check(
        Syntax::Localopts,
        "a = \"x # y\" # z",
        "set a = q",
        "a = \"q\" # z",
    );
}

#[test]
fn localopts_refuses_a_key_that_is_absent_or_there_twice() {
    let twice = "ssl key = a␤x = 1␤SSLKEY = b␤";
    check(
        Syntax::Localopts,
        twice,
        "set SSL key = c",
        "error: SSL key occurs 2 times (lines 1, 3), expected 1",
    );
    check(
        Syntax::Localopts,
        twice,
        "2 set SSL key = c",
        "ssl key = c␤x = 1␤SSLKEY = c␤",
    );
    check(
        Syntax::Localopts,
        "SSL certificat = a",
        "set SSL certificate = c",
        "error: there is no SSL certificate; the nearest is SSL certificat on line 1",
    );
    check(
        Syntax::Localopts,
        "a = 1¶b = 2",
        "or-add SSL key = /k",
        "a = 1¶b = 2¶SSL key = \"/k\"",
    );
    check(Syntax::Localopts, "a = 1␤", "or-add c = 3", "a = 1␤c = 3␤");
}

#[test]
fn properties_follow_javas_rules() {
    let file = "! c¶a.b\\:c = x\\u00e9y¶d:1¶e 2¶f=one\\¶   two¶g¶";
    reads(Syntax::Properties, file, "a.b:c", &["2:xéy"]);
    reads(Syntax::Properties, file, "d", &["3:1"]);
    reads(Syntax::Properties, file, "e", &["4:2"]);
    reads(Syntax::Properties, file, "f", &["5:onetwo"]);
    reads(Syntax::Properties, file, "g", &["7:"]);
    check(Syntax::Properties, "g", "set g = 1", "g=1");
    check(Syntax::Properties, "a=b", "set a =  c:\\ü", "a=\\ c:\\\\\\u00FC");
    check(Syntax::Properties, "ÿ=ÿ␤a=b", "set a = c", "ÿ=ÿ␤a=c");
    reads(Syntax::Properties, "a=ÿ", "a", &["1:ÿ"]);
}

#[test]
fn an_item_is_added_and_removed_inside_the_list_alone() {
    let file = "# h¶Broker.AuthorizedCNs=Server;ServerNew¶x=1";
    let grown = "# h¶Broker.AuthorizedCNs=Server;ServerNew;glowfish¶x=1";
    check(
        Syntax::Properties,
        file,
        "add Broker.AuthorizedCNs ; glowfish",
        grown,
    );
    check(
        Syntax::Properties,
        grown,
        "add Broker.AuthorizedCNs ; glowfish",
        grown,
    );
    check(
        Syntax::Properties,
        grown,
        "remove Broker.AuthorizedCNs ; Server",
        "# h¶Broker.AuthorizedCNs=ServerNew;glowfish¶x=1",
    );
    check(
        Syntax::Properties,
        grown,
        "remove Broker.AuthorizedCNs ; glowfish",
        file,
    );
    check(
        Syntax::Properties,
        grown,
        "remove Broker.AuthorizedCNs ; none",
        grown,
    );
    check(Syntax::Properties, "k=", "add k ; a", "k=a");
    check(Syntax::Properties, "k=a; ", "add k ; b", "k=a;b");
    check(Syntax::Properties, "k=a", "remove k ; a", "k=");
    check(
        Syntax::Properties,
        "k=a;\\␤  b;\\␤  c",
        "remove k ; b",
        "k=a;\\␤  c",
    );
    check(Syntax::Properties, "k=a;a;a", "remove k ; a", "k=");
    let absent = "error: there is no Broker.AuthorizedCN; the nearest is Broker.AuthorizedCNs on line 2";
    check(Syntax::Properties, file, "add Broker.AuthorizedCN ; x", absent);
    let twice = "error: k occurs 2 times (lines 1, 2), expected 1";
    check(Syntax::Properties, "k=a␤k=b", "add k ; x", twice);
    assert_eq!(
        value(Syntax::Properties, b"k=a\nk=b", "k").unwrap().as_deref(),
        Some("b")
    );
}

#[test]
fn ini_keys_lie_in_sections() {
    let file =
        "·[ITA]¶tcp_port = 0¶[ITA SSL]¶; c¶ssl_port = 31114 ; note¶cert_label=\"client\"¶¶[Env]¶ssl_port=9";
    reads(Syntax::Ini, file, "ITA SSL/ssl_port", &["5:31114"]);
    reads(Syntax::Ini, file, "ita ssl/CERT_LABEL", &["6:client"]);
    check(
        Syntax::Ini,
        file,
        "set ITA SSL/cert_label = new",
        &file.replace("\"client\"", "\"new\""),
    );
    check(
        Syntax::Ini,
        file,
        "set ITA SSL/ssl_port = 1",
        &file.replace("31114", "1"),
    );
    check(
        Syntax::Ini,
        file,
        "or-add ITA SSL/z = 1",
        &file.replace("\"client\"¶", "\"client\"¶z = 1¶"),
    );
    check(Syntax::Ini, "[a]␤x=1", "or-add b/y = 2", "[a]␤x=1␤[b]␤y=2");
    check(
        Syntax::Ini,
        "[a]␤x=1␤[a]␤x=2",
        "set a/x = 3",
        "error: a/x occurs 2 times (lines 2, 4), expected 1",
    );
    check(
        Syntax::Ini,
        "ssl_cert_file = 'a.crt'  # c␤",
        "set ssl_cert_file = b.crt",
        "ssl_cert_file = 'b.crt'  # c␤",
    );
}

#[test]
fn xml_attributes_are_spliced_and_nothing_else_changes() {
    let file = "·<?xml version=\"1.0\"?>¶<server>¶  <!-- <ssl id='main' serverKeyAlias='no'/> -->¶  <ssl id='main' serverKeyAlias = 'server' />¶  <ssl id=\"b\"/>¶</server >";
    reads(
        Syntax::Xml,
        file,
        "ssl[@id='main']/@serverKeyAlias",
        &["4:server"],
    );
    check(
        Syntax::Xml,
        file,
        "set ssl[@id='main']/@serverKeyAlias = a'b&<",
        &file.replace("= 'server'", "= 'a&apos;b&amp;&lt;'"),
    );
    check(
        Syntax::Xml,
        file,
        "or-add ssl[@id='b']/@serverKeyAlias = x",
        &file.replace("<ssl id=\"b\"/>", "<ssl id=\"b\" serverKeyAlias=\"x\"/>"),
    );
    check(
        Syntax::Xml,
        file,
        "set ssl[@id='main']/@serverKeyAlia = x",
        "error: there is no ssl[@id='main']/@serverKeyAlia; the nearest is ssl[@id='main']/@serverKeyAlias on line 4",
    );
    check(
        Syntax::Xml,
        "<a><b/>",
        "set b/@c = 1",
        "error: line 1: not well-formed XML",
    );
    check(
        Syntax::Xml,
        "<a/>",
        "set b = 1",
        "error: \"b\" is no key of this syntax: it must end in /@attribute",
    );
}

#[test]
fn three_key_aliases_change_together_or_not_at_all() {
    let three = "<server><x keyAlias=\"server\"/><y keyAlias='server'><z keyAlias=\"server\"/></y></server>";
    check(
        Syntax::Xml,
        three,
        "3 set //@keyAlias = ${mp.jwt.trust.key}",
        &three
            .replace("\"server\"", "\"${mp.jwt.trust.key}\"")
            .replace("'server'", "'${mp.jwt.trust.key}'"),
    );
    let two = "<server><x keyAlias=\"server\"/>\n<y keyAlias='server'/></server>";
    check(
        Syntax::Xml,
        two,
        "3 set //@keyAlias = a",
        "error: //@keyAlias occurs 2 times (lines 1, 2), expected 3",
    );
}

#[test]
fn xml_in_latin_1_and_with_a_dtd_keeps_its_bytes() {
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?>␤<a n='ÿ'><b c='1'/></a>";
    check(
        Syntax::Xml,
        latin,
        "set b/@c = é",
        &latin.replace("'1'/", "'&#233;'/"),
    );
    let dtd = "<!DOCTYPE a [<!ENTITY e \"v\">]>␤<a x=\"&e;1\" y=\"2\">&e;</a>";
    reads(Syntax::Xml, dtd, "a/@x", &["2:v1"]);
    check(Syntax::Xml, dtd, "set a/@y = 3", &dtd.replace("\"2\"", "\"3\""));
    check(
        Syntax::Xml,
        "<a x='ÿ'/>",
        "set a/@x = 1",
        "error: line 1: the file says UTF-8 and is not",
    );
    check(
        Syntax::Xml,
        "<a l='p;q'/>",
        "add a/@l ; r&s",
        "<a l='p;q;r&amp;s'/>",
    );
    check(
        Syntax::Xml,
        "<a l='p;q&amp;r;s'/>",
        "remove a/@l ; q&r",
        "<a l='p;s'/>",
    );
}

#[test]
fn paths_choose_by_step_and_condition() {
    let file = "<Server><Service><Connector port='1' a='x'/><Connector port='2' a='y'><C a='z'/></Connector></Service></Server>";
    reads(Syntax::Xml, file, "Connector[@port='2']/@a", &["1:y"]);
    reads(
        Syntax::Xml,
        file,
        "/Server/Service/Connector[@port=\"1\"]/@a",
        &["1:x"],
    );
    reads(Syntax::Xml, file, "Service//@a", &["1:x", "1:y", "1:z"]);
    reads(Syntax::Xml, file, "/Service/Connector/@a", &[]);
    reads(Syntax::Xml, file, "Service/*/@port", &["1:1", "1:2"]);
}

#[test]
fn toml_keeps_line_ends_and_comments() {
    let file = "·# h¶[tls]¶alias = 'old' # c¶n = 1¶";
    check(
        Syntax::Toml,
        file,
        "set tls.alias = new",
        "·# h¶[tls]¶alias = 'new' # c¶n = 1¶",
    );
    check(
        Syntax::Toml,
        file,
        "set tls.n = 2",
        &file.replace("n = 1", "n = 2"),
    );
    check(
        Syntax::Toml,
        file,
        "or-add tls.z = q",
        &file.replace("[tls]¶", "[tls]¶z = \"q\"¶"),
    );
    check(Syntax::Toml, "a.b = \"x\"", "set a.b = y\"", "a.b = \"y\\\"\"");
    check(
        Syntax::Toml,
        "names = \"a;b\"",
        "add names ; c",
        "names = \"a;b;c\"",
    );
    check(
        Syntax::Toml,
        "a = 1␤a = 2",
        "set a = 3",
        "error: line 2: not valid TOML",
    );
    check(
        Syntax::Toml,
        "alias = 'x'",
        "set alia = 3",
        "error: there is no alia; the nearest is alias on line 1",
    );
}

#[test]
fn yaml_scalars_change_in_place() {
    let file = "# h¶server:¶  ssl:¶    key-alias: old # c¶    names: 'a;b'¶  list:¶    - x: 1¶other: \"v\"";
    reads(Syntax::Yaml, file, "server.ssl.key-alias", &["4:old"]);
    check(
        Syntax::Yaml,
        file,
        "set server.ssl.key-alias = new",
        &file.replace("old", "new"),
    );
    check(
        Syntax::Yaml,
        file,
        "add server.ssl.names ; c",
        &file.replace("a;b", "a;b;c"),
    );
    check(
        Syntax::Yaml,
        file,
        "or-add server.ssl.z = true",
        &file.replace("    key-alias", "    z: \"true\"¶    key-alias"),
    );
    check(
        Syntax::Yaml,
        "a: [1, 2]",
        "set a = x",
        "error: line 1: a value that is not a scalar on one line",
    );
    check(
        Syntax::Yaml,
        "a: &x y",
        "set a = x",
        "error: line 1: an anchor, an alias or a tag",
    );
    check(
        Syntax::Yaml,
        "a: 1␤a: 2",
        "set a = x",
        "error: a occurs 2 times (lines 1, 2), expected 1",
    );
    check(
        Syntax::Yaml,
        "a:␤\tb: 1",
        "set a.b = x",
        "error: line 2: a tab as indentation",
    );
    check(
        Syntax::Yaml,
        "a: 1␤---␤a: 2",
        "set a = x",
        "error: line 2: several documents in one file",
    );
}

#[test]
fn a_line_is_a_value_a_list_or_a_word_with_its_rest() {
    check(
        Syntax::Line,
        "# names¶Server¶ServerNew",
        "add  ; glowfish",
        "# names¶Server¶ServerNew¶glowfish",
    );
    check(
        Syntax::Line,
        "Server¶ServerNew¶",
        "remove  ; Server",
        "ServerNew¶",
    );
    check(Syntax::Line, "alias", "set 1 = other", "other");
    check(
        Syntax::Line,
        "  ssl_certificate   /a.crt;␤",
        "set ssl_certificate = /b.crt",
        "  ssl_certificate   /b.crt;␤",
    );
    let twice = "error: ssl_certificate occurs 2 times (lines 1, 2), expected 1";
    check(
        Syntax::Line,
        "ssl_certificate /a;␤ssl_certificate /b;",
        "set ssl_certificate = /c",
        twice,
    );
}
