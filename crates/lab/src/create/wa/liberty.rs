//! A Liberty server, the master's or the console's, with its stores; and the broker's properties.

use std::path::Path;

use keystore::Format;

use crate::LabError;
use crate::create::wa::Host;
use crate::create::wa::stores::{DELIVERED, Defaults, Item, store, xor};
use crate::place::{Part, Place, write, write_mode};

pub(super) fn write_liberty(
    place: &Place,
    host: &Host,
    hosts: &[Host],
    defaults: &Defaults,
    console_password: &str,
) -> Result<(), LabError> {
    let is_console = host.has(Part::Console);
    let name = if is_console { "dwcServer" } else { "engineServer" };
    let root = place.host(&host.name);
    let server = root.join(&host.variable()[1..]).join("usr/servers").join(name);
    let file = |path: &str, text: &str| write_mode(&server.join(path), text.as_bytes(), 0o640);
    let (password, written) = if is_console {
        (console_password, crate::secret::conceal(place, console_password)?)
    } else {
        (DELIVERED, xor(DELIVERED))
    };
    file("server.xml", if is_console { CONSOLE } else { ENGINE })?;
    let polled = if is_console {
        " updateTrigger=\"polled\" pollingRate=\"1s\""
    } else {
        ""
    };
    file(
        "configDropins/defaults/ssl_config.xml",
        &SSL.replace("@POLLED@", polled),
    )?;
    file(
        "configDropins/defaults/ssl_variables.xml",
        &VARIABLES.replace("@PASSWORD@", &written),
    )?;
    let port = if is_console {
        ("9444", "9443")
    } else {
        ("31115", "31116")
    };
    file(
        "configDropins/defaults/ports_variables.xml",
        &variables(
            "ports_variables",
            &[("host.http.port", port.0), ("host.https.port", port.1)],
        ),
    )?;
    let address = host.address.to_string();
    file(
        "configDropins/overrides/host_variables.xml",
        &variables("host_variables", &[("default.host", &address)]),
    )?;
    if !is_console {
        file(
            "configDropins/overrides/jwt_variables.xml",
            &variables("jwt_variables", &[("mp.jwt.trust.key", "twstrustkey")]),
        )?;
    }
    write_stores(&server, password, defaults)?;
    let master = hosts.iter().find(|h| h.role == "MDM").unwrap_or(host);
    if is_console {
        // The console's database, which is no file of its host.
        let connection = format!("{}:31116\n", master.address);
        return write(
            &place.database().join(format!("{}-console", host.name)),
            connection.as_bytes(),
        );
    }
    write_broker(&root, host, master)
}

fn write_stores(server: &Path, password: &str, defaults: &Defaults) -> Result<(), LabError> {
    let security = server.join("resources/security");
    let keys = store(
        Format::Jks,
        password,
        &[Item::Key("server", &defaults.server_new)],
    )?;
    write_mode(&security.join("TWSServerKeyFile.jks"), &keys, 0o640)?;
    let trusted = [
        Item::Trust("twstrustkey", &defaults.server_new),
        Item::Trust("twstrustkeyold", &defaults.server),
        Item::Trust("client", &defaults.client_new),
        Item::Trust("clientold", &defaults.client),
    ];
    let trusted = store(Format::Jks, password, &trusted)?;
    write_mode(&security.join("TWSServerTrustFile.jks"), &trusted, 0o640)
}

fn write_broker(root: &Path, host: &Host, master: &Host) -> Result<(), LabError> {
    let text = format!(
        "# Properties of the broker's workstation\n\
         Broker.Workstation.Name={}\nBroker.Workstation.Port=41114\nBroker.Workstation.PortSSL=false\n\
         Broker.Workstation.Enabled=true\nBroker.Workstation.CpuType=6\nBroker.Workstation.RetryLink=600\n\
         DomainManager.Workstation.Name={}\nDomainManager.Workstation.Port=31111\nDomainManager.Workstation.Domain={}\n\
         MasterDomainManager.Name={}\nMasterDomainManager.HostName={}\nMasterDomainManager.HttpsPort=31116\n\
         Broker.CertificateExpirationInterval=15\n\
         # Beginnings of the common names that may speak to the broker, separated by semicolons\n\
         Broker.AuthorizedCNs=Server;ServerNew\n",
        host.broker_workstation(),
        host.workstation(),
        host.domain,
        master.workstation(),
        master.address,
    );
    let path = root
        .join(&host.variable()[1..])
        .join("broker/config/BrokerWorkstation.properties");
    write_mode(&path, text.as_bytes(), 0o640)
}

fn variables(description: &str, values: &[(&str, &str)]) -> String {
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<server description=\"{description}\">\n");
    for (name, value) in values {
        text.push_str(&format!("    <variable name=\"{name}\" value=\"{value}\"/>\n"));
    }
    text + "</server>\n"
}

const SSL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<server description="ssl_config">
    <ssl id="twaSSLSettings" keyStoreRef="twaKeyStore" trustStoreRef="twaTrustStore" sslProtocol="TLSv1.2,TLSv1.3" clientAuthentication="true"/>
    <keyStore id="twaKeyStore" location="${keystore.location}" password="${keystore.password}" type="${keystore.type}"@POLLED@/>
    <keyStore id="twaTrustStore" location="${truststore.location}" password="${truststore.password}" type="${truststore.type}"@POLLED@/>
    <sslDefault sslRef="twaSSLSettings"/>
    <ltpa expiration="120m"/>
</server>
"#;

const VARIABLES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<server description="ssl_variables">
    <variable name="keystore.location" value="${server.config.dir}/resources/security/TWSServerKeyFile.jks"/>
    <variable name="keystore.password" value="@PASSWORD@"/>
    <variable name="keystore.type" value="JKS"/>
    <variable name="truststore.location" value="${server.config.dir}/resources/security/TWSServerTrustFile.jks"/>
    <variable name="truststore.password" value="@PASSWORD@"/>
    <variable name="truststore.type" value="JKS"/>
</server>
"#;

const ENGINE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<server description="engineServer">
    <featureManager>
        <feature>transportSecurity-1.0</feature>
        <feature>jwt-1.0</feature>
        <feature>mpJwt-1.1</feature>
    </featureManager>

    <include optional="true" location="${server.config.dir}/engine_datasource.xml"/>

    <httpEndpoint id="defaultHttpEndpoint" host="${default.host}" httpPort="${host.http.port}" httpsPort="${host.https.port}"/>

    <!-- Tokens are signed by the server's own key -->
    <jwtBuilder id="twsApiKey" keyStoreRef="twaKeyStore" keyAlias="server" issuer="engineServer" expiry="8760h"/>
    <jwtBuilder id="twsAgent" keyStoreRef="twaKeyStore" keyAlias="server" issuer="engineServer" expiry="24h"/>
    <jwtBuilder id="twsUser" keyStoreRef="twaKeyStore" keyAlias="server" issuer="engineServer" expiry="2h"/>
    <mpJwt id="twsJwt" keyName="${mp.jwt.trust.key}" issuer="engineServer" sslRef="twaSSLSettings"/>
</server>
"#;

const CONSOLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<server description="dwcServer">
    <featureManager>
        <feature>transportSecurity-1.0</feature>
    </featureManager>

    <httpEndpoint id="defaultHttpEndpoint" host="${default.host}" httpPort="${host.http.port}" httpsPort="${host.https.port}"/>
</server>
"#;
