//! A dynamic agent's settings and stores.

use keystore::Format;

use crate::LabError;
use crate::create::wa::stores::{DELIVERED, Defaults, Item, base64_line, stash, store};
use crate::create::wa::{Generation, Host};
use crate::material::pem_of;
use crate::place::{Place, write_mode};

pub(super) fn write_agent(
    place: &Place,
    host: &Host,
    hosts: &[Host],
    defaults: &Defaults,
) -> Result<(), LabError> {
    let variable = host.variable();
    let root = place.host(&host.name);
    let file =
        |path: &str, bytes: &[u8], mode| write_mode(&root.join(&variable[1..]).join(path), bytes, mode);
    let keys = match host.generation {
        Generation::V101 => {
            let items = [
                Item::Trust("server", &defaults.server_new),
                Item::Trust("serverold", &defaults.server),
                Item::Key("client", &defaults.client_new),
            ];
            file(
                "ssl/GSKit/TWSClientKeyStore.kdb",
                &store(Format::CmsKdb, DELIVERED, &items)?,
                0o600,
            )?;
            file("ssl/GSKit/TWSClientKeyStore.sth", &stash(DELIVERED)?, 0o600)?;
            let items = [
                Item::Trust("server", &defaults.server_new),
                Item::Key("client", &defaults.client_new),
            ];
            file(
                "ssl/TWSClientKeyStoreJKS.jks",
                &store(Format::Jks, DELIVERED, &items)?,
                0o600,
            )?;
            file("ssl/TWSClientKeyStoreJKS.sth", &base64_line(DELIVERED), 0o600)?;
            format!(
                "cert_label=client\nkey_db_name=TWSClientKeyStore\nkey_repository_dir={variable}/ssl/GSKit\n"
            )
        }
        Generation::V102 => {
            let items = [Item::Key("client", &defaults.client_new)];
            file(
                "ssl/certs/TWSClientKeyStore.p12",
                &store(Format::Pkcs12, DELIVERED, &items)?,
                0o600,
            )?;
            file("ssl/certs/tls.sth", &base64_line(DELIVERED), 0o600)?;
            let trusted = pem_of(&defaults.all().map(|made| &made.certificate))?;
            file("ssl/certs/TWSClientTrustStore.pem", &trusted, 0o644)?;
            format!("cert_label=client\nkeyrepository_path={variable}/ssl/certs\n")
        }
    };
    let ita = format!(
        "[ITA]\n# 0: no connections in the clear\ntcp_port=0\n\n[ITA SSL]\nssl_port=31114\n\
         ssl_version=atleast.TLSv1.2\n{keys}\n[Env]\nLANG=C\n"
    );
    file("ITA/cpa/ita/ita.ini", ita.as_bytes(), 0o644)?;
    let broker = hosts
        .iter()
        .find(|h| h.name == host.broker)
        .map_or(host.address, |h| h.address);
    let manager = format!(
        "[ResourceAdvisorAgent]\n\
         ResourceAdvisorUrl = https://{broker}:31116/JobManagerRESTWeb/JobScheduler/resource\n\
         BackupResourceAdvisorUrls = \n\
         FullyQualifiedHostname = {}\n\
         CPUScannerPeriodSeconds = 10\nNotifyToResourceAdvisorPeriodSeconds = 180\n\n\
         [Launchers]\nBaseDir = {}/TWS/bin\n\n[Display]\nDisplayName = {}\n",
        host.address,
        host.install(),
        host.agent_workstation(),
    );
    file("ITA/cpa/config/JobManager.ini", manager.as_bytes(), 0o644)
}
