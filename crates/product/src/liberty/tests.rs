//! Servers as text: `== path` begins a file.

use super::*;
use crate::map_files::MapFiles;

fn server(text: &str) -> Config {
    read(&MapFiles::new("h", text), "/w/usr/servers/engineServer")
}

const SSL: &str = r#"
== /w/usr/servers/engineServer/configDropins/defaults/ssl_config.xml
<server>
  <ssl id="twaSSLSettings" keyStoreRef="twaKeyStore" trustStoreRef="twaTrustStore" clientAuthentication="true"/>
  <keyStore id="twaKeyStore" location="${keystore.location}" password="${keystore.password}" updateTrigger="polled" pollingRate="1s"/>
  <keyStore id="twaTrustStore" location="Trust.jks" password="{aes}AAAA"/>
  <sslDefault sslRef="twaSSLSettings"/>
</server>
== /w/usr/servers/engineServer/configDropins/defaults/ssl_variables.xml
<server><variable name="keystore.location" value="${server.config.dir}/resources/security/Key.jks"/>
<variable name="keystore.password" value="{xor}Lz4sLA=="/></server>
"#;

#[test]
fn stores_and_passwords_are_found_through_their_variables() {
    let config = server(SSL);
    let ssl = config.endpoint_ssl().unwrap();
    assert_eq!(
        (ssl.id.as_str(), ssl.client_authentication, ssl.server_key_alias),
        ("twaSSLSettings", true, None)
    );
    let key_store = ssl.key_store.unwrap();
    assert_eq!(
        key_store.location,
        "/w/usr/servers/engineServer/resources/security/Key.jks"
    );
    assert_eq!((key_store.decodable, key_store.polled_millis), (true, Some(1000)));
    let (file, syntax, key) = key_store.password.unwrap();
    assert_eq!(
        file,
        "/w/usr/servers/engineServer/configDropins/defaults/ssl_variables.xml"
    );
    assert_eq!(
        (syntax, key.as_str()),
        (Syntax::Xml, "variable[@name='keystore.password']/@value")
    );
    let trust_store = ssl.trust_store.unwrap();
    assert_eq!(
        trust_store.location,
        "/w/usr/servers/engineServer/resources/security/Trust.jks"
    );
    assert_eq!((trust_store.decodable, trust_store.polled_millis), (false, None));
}

#[test]
fn an_overrides_copy_shadows_the_defaults_and_is_the_one_to_edit() {
    let text = format!(
        "{SSL}
== /w/usr/servers/engineServer/configDropins/overrides/ssl_config.xml
<server><ssl id='twaSSLSettings' serverKeyAlias='server'/></server>
== /w/usr/servers/engineServer/configDropins/overrides/a.txt
<not read
"
    );
    let place = server(&text)
        .place("ssl", "twaSSLSettings", "serverKeyAlias")
        .unwrap();
    assert!(
        place.file.ends_with("overrides/ssl_config.xml") && place.value.as_deref() == Some("server"),
        "{place:?}"
    );
    let text = text.replace("clientAuthentication=\"true\"", "serverKeyAlias=\"other\"");
    let place = server(&text)
        .place("ssl", "twaSSLSettings", "serverKeyAlias")
        .unwrap();
    assert_eq!(
        place.shadowed,
        ["/w/usr/servers/engineServer/configDropins/defaults/ssl_config.xml"]
    );
    assert_eq!(shadowed(&[&place]).len(), 1);
}

#[test]
fn an_absent_attribute_goes_where_the_element_is() {
    let place = server(SSL)
        .place("ssl", "twaSSLSettings", "serverKeyAlias")
        .unwrap();
    assert_eq!(place.key, "ssl[@id='twaSSLSettings']/@serverKeyAlias");
    assert_eq!(
        (place.value, place.file.ends_with("defaults/ssl_config.xml")),
        (None, true)
    );
}

#[test]
fn includes_are_relative_optional_and_never_endless() {
    let text = r#"
== /w/usr/servers/engineServer/server.xml
<server><include location="more/a.xml"/><include location="gone.xml" optional="true"/><include location="gone.xml"/>
<ssl id="s" serverKeyAlias="late"/></server>
== /w/usr/servers/engineServer/more/a.xml
<server><include location="../server.xml"/><ssl id="s" serverKeyAlias="early" keyStoreRef="k"/></server>
"#;
    let config = server(text);
    assert_eq!(config.ssl()[0].server_key_alias.as_deref(), Some("late"));
    assert_eq!(
        config.notes,
        [
            "/w/usr/servers/engineServer/server.xml includes itself",
            "/w/usr/servers/engineServer/gone.xml is not there"
        ]
    );
    let ignore = text.replace("<ssl id=\"s\" serverKeyAlias=\"late\"/>", "").replace(
        "<include location=\"more/a.xml\"/>",
        "<ssl id=\"s\" serverKeyAlias=\"first\"/><include location=\"more/a.xml\" onConflict=\"IGNORE\"/>",
    );
    assert_eq!(
        server(&ignore).ssl()[0].server_key_alias.as_deref(),
        Some("first")
    );
}

#[test]
fn variables_come_from_xml_then_bootstrap_then_environment_then_default() {
    let config = server(
        r#"
== /w/usr/servers/engineServer/server.env
my_port=1
other.port=1
HOME_PORT=7
== /w/usr/servers/engineServer/bootstrap.properties
other.port=2
== /w/usr/servers/engineServer/server.xml
<server><variable name="a" defaultValue="9"/><variable name="other.port" defaultValue="3"/>
<variable name="loop" value="${loop}"/><variable name="deep" value="x${a}"/>
<httpEndpoint id="defaultHttpEndpoint" host="*" httpsPort="${home.port}"/></server>
"#,
    );
    assert_eq!(
        config.resolve("${my.port} ${other.port} ${a} ${deep} ${none}"),
        "1 2 9 x9 ${none}"
    );
    assert_eq!(config.resolve("${loop}"), "${loop}");
    assert_eq!(config.https(), Some((None, "7".to_owned())));
}

#[test]
fn a_server_may_have_several_ssl_elements() {
    let config = server(
        r#"
== /w/usr/servers/engineServer/server.xml
<server><ssl id="out" keyStoreRef="b"/><ssl id="in" keyStoreRef="a"/><keyStore id="a" location="/a.p12"/>
<keyStore id="b" location="/b.p12"/><sslDefault sslRef="out"/>
<httpEndpoint id="defaultHttpEndpoint" host="127.0.0.1" httpsPort="9443"><sslOptions sslRef="in"/></httpEndpoint></server>
"#,
    );
    assert_eq!(config.ssl().len(), 2);
    assert_eq!(
        config.endpoint_ssl().unwrap().key_store.unwrap().location,
        "/a.p12"
    );
    assert_eq!(
        config.https(),
        Some((Some("127.0.0.1".to_owned()), "9443".to_owned()))
    );
}
