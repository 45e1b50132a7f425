//! Every object, action and option of the GSKit command line, in every type of store, under the names it has.

use std::ffi::OsString;
use std::path::Path;

use compat::Io;

/// Runs the lines one after the other in one directory.
///
/// A line is `code words => a text of stdout`; `EXT` and `TYPE` stand for the store's, `~` for a blank within a word, and
/// lines of `only TYPE:` are for that type alone.
#[track_caller]
fn check(program: &str, extension: &str, kind: &str, table: &str) {
    let directory = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.replace("EXT", extension).replace("TYPE", kind);
        let line = match line.strip_prefix("only ").and_then(|rest| rest.split_once(": ")) {
            Some((kinds, rest)) if kinds.split(',').any(|one| one == kind) => rest.to_owned(),
            Some(_) => continue,
            None => line,
        };
        let (command, shown) = line.split_once(" => ").unwrap_or((&line, ""));
        let (code, words) = command.split_once(' ').unwrap();
        let (found, text) = run(program, directory.path(), words);
        if found.to_string() != code || !text.contains(&shown.replace("\\t", "\t")) {
            wrong.push(format!("{line}\n  exit {found}: {text}"));
        }
    }
    assert!(wrong.is_empty(), "{program} {kind}\n{}", wrong.join("\n"));
}

fn run(program: &str, directory: &Path, words: &str) -> (u8, String) {
    let mut io = Io::in_memory(directory, b"").with_variable("TZ", "UTC");
    let words: Vec<OsString> = words
        .split(' ')
        .map(|word| word.replace('~', " ").into())
        .collect();
    let code = compat::run(program.as_ref(), &words, &mut io).unwrap();
    (code, String::from_utf8_lossy(io.written_out()).into_owned())
}

#[test]
fn each_action_takes_each_of_its_options_in_a_key_database() {
    for program in ["gsk8capicmd_64", "runmqakm"] {
        check(program, "kdb", "cms", TABLE);
    }
    check("gskcapicmd", "kdb", "kdb", TABLE);
}

#[test]
fn each_action_takes_each_of_its_options_in_pkcs12() {
    check("gsk8capicmd", "p12", "p12", TABLE);
    check("gsk7capicmd", "p12", "pkcs12", TABLE);
}

#[test]
fn the_commands_written_in_java_have_its_types_too() {
    check("runmqckm", "jks", "jks", TABLE);
    check("ikeycmd", "jceks", "jceks", TABLE);
    check("gskcmd", "p12", "pkcs12", TABLE_OF_JAVA);
}

#[test]
fn secret_keys_go_in_and_out_of_both_types_and_along_when_a_store_is_converted() {
    for (extension, kind) in [("kdb", "cms"), ("p12", "p12")] {
        check("runmqakm", extension, kind, SECRETS);
    }
}

/// What the spec of the command line lists, action by action.
const TABLE: &str = "
    0 -version => capgrow
    0 -help => -keydb
    1 -cert => CTGSK3000W An action must be specified for this object.
    1 -keydb -nonsense => is not known
    0 -keydb -list => CMS
    0 -keydb -create -db a.EXT -pw first1 -type TYPE -stash -expire 100 -f
    9 -keydb -create -db a.EXT -pw first1 -type TYPE => CTGSK2009W
    0 -keydb -create -db v1.EXT -pw first1 -type TYPE -stash -v1stash -expire 0
    0 -cert -list -db v1.EXT -stashed => No certificates were found.
    130 -keydb -create -db s.EXT -pw short -type TYPE -strong => CTGSK2130W
    0 -keydb -create -db s.EXT -pw A-long-Pass-w0rd! -type TYPE -strong -populate -pqc false
    0 -keydb -create -db g.EXT -genpw -type TYPE -stash
    0 -cert -list -db g.EXT -stashed => No certificates were found.
    0 -keydb -expiry -db a.EXT -pw first1 => Validity
    0 -keydb -stashpw -db s.EXT -pw A-long-Pass-w0rd! -type TYPE -v1stash
    0 -cert -list -db s.EXT -stashed -type TYPE => No certificates were found.
    0 -keydb -changepw -db s.EXT -stashed -new_pw An0ther-Pass-word -strong -stash -v1stash -expire 30 -type TYPE
    0 -keydb -changepw -db s.EXT -stashed -new_genpw -stash
    104 -keydb -changepw -db a.EXT -pw first1 -new_pw first1 => CTGSK2104W
    65 -cert -list -db a.EXT -pw first1 -stashed => exclude each other
    0 -keydb -delete -db s.EXT -stashed -type TYPE
    101 -cert -list -db s.EXT -pw x => CTGSK2101W

    0 -cert -create -db a.EXT -stashed -type TYPE -label root -dn CN=Root,O=Acme~Ltd,C=DE -size 2048 -sigalg SHA512WithRSA -expire 3650 -x509version 3 -ca true -ku keyCertSign,cRLSign -certpolicy 1.2.3.4,1.2.3.5
    0 -cert -create -db a.EXT -pw first1 -label own -dn CN=own -size 256 -sig_alg SHA256_WITH_ECDSA -default_cert no -eku serverAuth,clientAuth -san_dnsname a.test,b.test -san_emailaddr a@b.test -san_ipaddr 10.0.0.1
    0 -cert -create -db a.EXT -stashed -label old -dn CN=old -size 1024 -sigalg SHA1WithRSA -x509version 1
    0 -cert -create -db a.EXT -stashed -label two -dn CN=two -x509version 2 -sigalg EC_ecdsa_with_SHA384
    65 -cert -create -db a.EXT -stashed -label bad -dn CN=two -x509version 1 -ca true => only certificates of version 3
    0 -cert -create -db a.EXT -stashed -label dsa -dn CN=dsa -sigalg SHA1WithDSA -size 1024
    0 -cert -create -db a.EXT -stashed -label sha2 -dn CN=sha2 -sigalg sha256 -fips
    0 -cert -create -db a.EXT -stashed -label shaw -dn CN=shaw -sigalg SHA2WithRSA -fips false
    129 -cert -create -db a.EXT -stashed -label bad -dn CN=x -expire 7301 => CTGSK2129W
    29 -cert -create -db a.EXT -stashed -label own -dn CN=x => CTGSK2029W
    0 -cert -list all -db a.EXT -stashed -type TYPE => -\\town
    0 -cert -list personal -db a.EXT -stashed -v => -\\troot \"CN=Root,O=Acme Ltd,C=DE\" \"CN=Root,O=Acme Ltd,C=DE\"
    0 -cert -list ca -db a.EXT -stashed => No certificates were found.
    0 -cert -list -db a.EXT -stashed -label own -rfc3339 -expiry => Not After : 20
    0 -cert -list -db a.EXT -stashed -expiry 400 => own
    0 -cert -details -db a.EXT -stashed -label root -type TYPE => 1.2.3.5
    0 -cert -details -db a.EXT -stashed -label own -showOID -rfc3339 => eku (2.5.29.37)
    0 -cert -details -db a.EXT -stashed -label own -locale en_GB => GMT+00:00
    0 -cert -details -db a.EXT -stashed -label own => iPAddress: 10.0.0.1
    0 -cert -details -db a.EXT -stashed -label old => Version : X509 V1
    0 -cert -details -db a.EXT -stashed -label two => Version : X509 V2
    0 -cert -details -db a.EXT -stashed -label dsa => DSA
    only cms,kdb,p12,pkcs12: 117 -cert -details -db a.EXT -stashed -label Own => The database doesn't contain an entry with label \"Own\".
    0 -cert -extract -db a.EXT -stashed -label root -target root.pem -format ascii
    0 -cert -extract -db a.EXT -stashed -label root -target root.der -format binary -type TYPE
    0 -cert -details -file root.der -format binary => Acme Ltd
    0 -cert -details -file root.pem => Key Size : 2048
    0 -cert -validate -db a.EXT -stashed -label root -keymatch => OK

    0 -keydb -create -db b.EXT -pw second2 -type TYPE -stash
    0 -cert -add -db b.EXT -stashed -file root.pem -label Root -format ascii -trust enable -type TYPE
    25 -cert -add -db b.EXT -stashed -file root.der -format binary => CTGSK2025W
    only cms,kdb,p12,pkcs12: 0 -cert -list ca -db b.EXT -stashed => !\\tRoot
    only jks,jceks: 0 -cert -list ca -db b.EXT -stashed => !\\troot
    only cms,kdb: 0 -cert -modify -db b.EXT -stashed -label Root -trust disable
    only cms,kdb: 0 -cert -details -db b.EXT -stashed -label Root => Trust Status : Disabled
    only cms,kdb: 0 -cert -modify -db b.EXT -stashed -label Root -trust enable -type TYPE
    0 -cert -rename -db b.EXT -stashed -label Root -new_label rOOT
    0 -certreq -create -db b.EXT -stashed -label srv -dn CN=srv -size 2048 -sigalg SHA256WithRSA -file srv.csr -ku digitalSignature -eku serverAuth -ca false -san_dnsname srv.test -san_ipaddr 10.0.0.9 -san_emailaddr s@srv.test -type TYPE
    0 -certreq -list -db b.EXT -stashed => Certificates requests found
    0 -certreq -details -db b.EXT -stashed -label srv => dNSName: srv.test
    0 -certreq -extract -db b.EXT -stashed -label srv -target again.csr
    0 -cert -sign -db a.EXT -stashed -label root -file srv.csr -target srv.pem -format ascii -expire 200 -sigalg SHA384WithRSA -sernum 4711 -preserve
    0 -cert -details -file srv.pem => Serial : 1267
    0 -cert -receive -db b.EXT -stashed -file srv.pem -format ascii -default_cert yes -type TYPE
    0 -certreq -list -db b.EXT -stashed => No certificate requests were found.
    0 -cert -validate -db b.EXT -stashed -label srv -keymatch -type TYPE => OK
    only cms,kdb: 0 -cert -getdefault -db b.EXT -stashed => Label : srv
    only p12,pkcs12,jks,jceks: 110 -cert -getdefault -db b.EXT -stashed => CTGSK2110W
    only cms,kdb: 0 -cert -setdefault -db b.EXT -stashed -label srv
    0 -certreq -recreate -db b.EXT -stashed -label srv -target new.csr -sigalg SHA512WithRSA
    0 -cert -sign -db a.EXT -stashed -label root -file new.csr -target new.der -format binary -ca false -ku digitalSignature -eku clientAuth -sernum 0x1f
    0 -cert -receive -db b.EXT -stashed -file new.der -format binary
    0 -certreq -create -db b.EXT -stashed -label gone -dn CN=gone -file gone.csr -sigalg SHA256WithECDSA
    0 -certreq -delete -db b.EXT -stashed -label gone -type TYPE
    117 -certreq -delete -db b.EXT -stashed -label gone => CTGSK3029W
    108 -cert -receive -db a.EXT -stashed -file new.der => CTGSK2108W

    0 -cert -export -db b.EXT -stashed -label srv -target x.p12 -target_pw third3 -target_type p12 -encryption strong -type TYPE
    0 -cert -export -db b.EXT -stashed -label srv -target w.p12 -target_pw third3 -target_type pkcs12 -encryption weak
    0 -cert -list -db w.p12 -pw third3 -type p12 => -\\tsrv
    0 -cert -export -db b.EXT -stashed -label srv -target x.kdb -target_pw third3 -target_type cms
    0 -keydb -stashpw -db x.kdb -pw third3
    0 -cert -list -db x.kdb -stashed => -\\tsrv
    0 -keydb -create -db c.EXT -pw fourth4 -type TYPE -stash
    0 -cert -import -db x.p12 -pw third3 -type p12 -label srv -new_label moved -target c.EXT -target_stashed -target_type TYPE -pfx
    0 -cert -import -file x.p12 -pw third3 -label srv -new_label again -target c.EXT -target_pw fourth4
    0 -cert -import -db x.kdb -stashed -type cms -label srv -target c.EXT -target_stashed
    0 -cert -list personal -db c.EXT -stashed => -\\tagain
    29 -cert -import -db x.p12 -pw third3 -label srv -new_label moved -target c.EXT -target_stashed => CTGSK2029W
    101 -cert -import -db x.p12 -pw third3 -type p12 -target none.p12 -target_pw fifth5 -target_type p12 => CTGSK2101W
    0 -keydb -create -db d.p12 -type p12 -pw fifth5
    0 -cert -import -db x.p12 -pw third3 -type p12 -target d.p12 -target_pw fifth5 -target_type p12
    120 -cert -import -db x.p12 -pw wrong -label srv -target c.EXT -target_stashed
    0 -cert -delete -db c.EXT -stashed -label again -type TYPE
    117 -cert -delete -db c.EXT -stashed -label again => CTGSK3029W

    0 -keydb -convert -db b.EXT -stashed -type TYPE -target conv.p12 -new_format p12 -new_pw S1xth-Pass-word -stash -strong
    0 -keydb -convert -db x.p12 -pw third3 -old_format pkcs12 -target conv.kdb -new_format cms -stash -v1stash -expire 10
    0 -cert -validate -db conv.kdb -stashed -label srv -keymatch => OK
    0 -keydb -convert -db x.p12 -pw third3 -new_db conv2.kdb -new_format cms -preserve
    0 -keydb -convert -db x.p12 -pw third3 -target conv3.kdb -target_type kdb -target_pw seventh7
    0 -cert -list -db conv3.kdb -pw seventh7 => -\\tsrv

    0 -random -create -length 20 -strong
    130 -random -create -length 8 -strong => CTGSK2130W
    0 -trace t.log -cert -list -db b.EXT -stashed
    80 -cert -list -db b.EXT -stashed -bogus => CTGSK2080W
    1 -cert -list -crypto lib.so -tokenlabel t -pw x => is not offered
";

const TABLE_OF_JAVA: &str = "
    0 -keydb -list => JKS
    1 -secretkey -create -db a.p12 -pw x -label s -size 16 => is not offered
";

const SECRETS: &str = "
    0 -keydb -create -db a.EXT -pw first1 -type TYPE -stash
    0 -secretkey -create -db a.EXT -stashed -label s16 -size 16 -type TYPE
    0 -secretkey -create -db a.EXT -pw first1 -label s24 -size 24
    0 -secretkey -create -db a.EXT -stashed -label s32 -size 32
    67 -secretkey -create -db a.EXT -stashed -label bad -size 17 => 16, 24 or 32
    29 -secretkey -create -db a.EXT -stashed -label s16 -size 16 => CTGSK2029W
    0 -cert -list -db a.EXT -stashed => #\\ts24
    0 -cert -list personal -db a.EXT -stashed => No certificates were found.
    0 -secretkey -extract -db a.EXT -stashed -label s32 -target s32.txt
    0 -secretkey -extract -db a.EXT -stashed -label s32 -target s32.bin -format binary
    0 -secretkey -delete -db a.EXT -stashed -label s16 -type TYPE
    117 -secretkey -delete -db a.EXT -stashed -label s16 => CTGSK3029W
    0 -secretkey -add -db a.EXT -stashed -label back -file s32.txt
    0 -secretkey -add -db a.EXT -stashed -label raw -file s32.bin -format binary
    0 -secretkey -extract -db a.EXT -stashed -label raw -target raw.txt
    67 -secretkey -add -db a.EXT -stashed -label bad -file a.sth => 16, 24 or 32
    0 -cert -create -db a.EXT -stashed -label own -dn CN=own -sigalg SHA256WithECDSA
    105 -secretkey -extract -db a.EXT -stashed -label own -target x => CTGSK2105W
    0 -keydb -changepw -db a.EXT -stashed -new_pw second2 -stash
    0 -secretkey -extract -db a.EXT -stashed -label back -target back.txt
    0 -cert -rename -db a.EXT -stashed -label back -new_label Back
    0 -keydb -convert -db a.EXT -stashed -target k.kdb -new_format cms -new_pw third3 -stash
    0 -secretkey -extract -db k.kdb -stashed -label Back -target k.txt
    0 -keydb -convert -db k.kdb -stashed -target p.p12 -new_format p12 -new_pw fourth4
    0 -secretkey -extract -db p.p12 -pw fourth4 -label Back -target p.txt
    0 -cert -list -db p.p12 -pw fourth4 => #\\tBack
    0 -cert -validate -db p.p12 -pw fourth4 -label own -keymatch => OK
";

#[test]
fn a_secret_key_comes_back_as_it_went_in_and_no_file_shows_it() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let key = b"0123456789abcdef";
    std::fs::write(directory.path().join("in.bin"), key).unwrap();
    for line in [
        "-keydb -create -db a.kdb -pw first1 -stash",
        "-secretkey -add -db a.kdb -stashed -label s -file in.bin",
        "-secretkey -extract -db a.kdb -stashed -label s -target out.txt",
        "-secretkey -extract -db a.kdb -stashed -label s -target out.bin -format binary",
    ] {
        let (code, text) = run("gsk8capicmd_64", directory.path(), line);
        assert_eq!(code, 0, "{line}\n{text}");
    }
    let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
    assert_eq!(read("out.bin"), key);
    assert_eq!(
        String::from_utf8(read("out.txt")).unwrap(),
        "-----BEGIN SECRET KEY-----\nMDEyMzQ1Njc4OWFiY2RlZg==\n-----END SECRET KEY-----\n"
    );
    assert!(!read("a.kdb").windows(key.len()).any(|window| window == key));
    for name in ["out.txt", "a.kdb", "a.sth"] {
        let file = std::fs::metadata(directory.path().join(name)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}
