//! A netman's `localopts` and the stores that it names.

use openssl::symm::Cipher;

use crate::LabError;
use crate::create::wa::stores::{DELIVERED, Defaults, Item, base64_line, store};
use crate::create::wa::{Generation, Host};
use crate::material::pem_of;
use crate::place::{Part, Place, write_mode};

pub(super) fn write_netman(place: &Place, host: &Host, defaults: &Defaults) -> Result<(), LabError> {
    let variable = host.variable();
    let root = place.host(&host.name);
    let file =
        |path: &str, bytes: &[u8], mode| write_mode(&root.join(&variable[1..]).join(path), bytes, mode);
    let trusted = pem_of(&defaults.all().map(|made| &made.certificate))?;
    // On a host with a dynamic agent both use the agent's database.
    let tls = if host.has(Part::Agent) {
        file("ssl/OpenSSL/TWSTrustCertificates.cer", &trusted, 0o644)?;
        of_gskit(&variable)
    } else {
        match host.generation {
            Generation::V101 => {
                let cipher = Cipher::aes_256_cbc();
                let key = defaults
                    .client_new
                    .key
                    .private_key_to_pem_pkcs8_passphrase(cipher, DELIVERED.as_bytes())
                    .map_err(|source| LabError::OpenSsl {
                        verb: "write a key",
                        source,
                    })?;
                file("ssl/OpenSSL/TWSClient.key", &key, 0o600)?;
                file(
                    "ssl/OpenSSL/TWSClient.cer",
                    &pem_of(&[&defaults.client_new.certificate])?,
                    0o644,
                )?;
                file("ssl/OpenSSL/password.sth", &base64_line(DELIVERED), 0o600)?;
                file("ssl/OpenSSL/TWSTrustCertificates.cer", &trusted, 0o644)?;
                file("ssl/OpenSSL/TWS.rnd", &[0x5a; 256], 0o600)?;
                of_pem(&variable)
            }
            Generation::V102 => {
                let items = [Item::Key("client", &defaults.client_new)];
                let bytes = store(keystore::Format::Pkcs12, DELIVERED, &items)?;
                file("ssl/certs/TWSClientKeyStore.p12", &bytes, 0o600)?;
                file("ssl/certs/tls.sth", &base64_line(DELIVERED), 0o600)?;
                file("ssl/certs/TWSClientTrustStore.pem", &trusted, 0o644)?;
                file("ssl/certs/tls.rnd", &[0x5a; 256], 0o600)?;
                of_pkcs12(&variable)
            }
        }
    };
    let text = format!("{}{tls}{}", head(&host.workstation(), host.install()), TAIL);
    file("localopts", text.as_bytes(), 0o644)
}

fn head(workstation: &str, install: &str) -> String {
    format!(
        "#############################################################################\n\
         # Local options of this workstation. Changes count after netman was restarted.\n\
         #############################################################################\n\
         #\n\
         thiscpu                  = {workstation}\n\
         merge stdlists           = yes\n\
         stdlist width            = 0\n\
         syslog local             = -1\n\
         #\n\
         # batchman, jobman and mailman\n\
         #\n\
         bm check file            = 120\n\
         bm check status          = 300\n\
         bm look                  = 15\n\
         bm read                  = 10\n\
         bm stats                 = off\n\
         jm job table size        = 1024\n\
         jm look                  = 300\n\
         jm nice                  = 0\n\
         jm read                  = 10\n\
         mm read                  = 15\n\
         mm response              = 600\n\
         mm retry link            = 600\n\
         mm sound off             = no\n\
         mm unlink                = 960\n\
         #\n\
         # netman\n\
         #\n\
         nm mortal                = no\n\
         nm port                  = 31111\n\
         nm read                  = 10\n\
         nm retry                 = 800\n\
         nm SSL port              = 0\n\
         nm SSL full port         = 31113\n\
         #\n\
         useropts                 = useropts_wauser\n\
         #\n\
         # TLS; everything below {install}\n\
         #\n\
         SSL auth mode            = caonly\n\
         SSL auth string          = tws\n"
    )
}

fn of_pem(variable: &str) -> String {
    let at = format!("{variable}/ssl/OpenSSL");
    format!(
        "SSL FIPS compliance      = no\n\
         SSL key                  = \"{at}/TWSClient.key\"\n\
         SSL certificate          = \"{at}/TWSClient.cer\"\n\
         SSL key pwd              = \"{at}/password.sth\"\n\
         SSL CA certificate       = \"{at}/TWSTrustCertificates.cer\"\n\
         SSL random seed          = \"{at}/TWS.rnd\"\n\
         SSL Encryption Cipher    = HIGH\n"
    )
}

fn of_gskit(variable: &str) -> String {
    let (kdb, pem) = (
        format!("{variable}/ssl/GSKit/TWSClientKeyStore"),
        format!("{variable}/ssl/OpenSSL"),
    );
    format!(
        "SSL FIPS compliance      = yes\n\
         # OpenSSL: not read with FIPS compliance\n\
         SSL CA certificate       = \"{pem}/TWSTrustCertificates.cer\"\n\
         # GSKit\n\
         SSL keystore file        = \"{kdb}.kdb\"\n\
         SSL certificate keystore label = \"client\"\n\
         SSL keystore pwd         = \"{kdb}.sth\"\n"
    )
}

fn of_pkcs12(variable: &str) -> String {
    let at = format!("{variable}/ssl/certs");
    format!(
        "SSL FIPS compliance      = no\n\
         SSL key                  = \"\"\n\
         SSL certificate          = \"{at}/TWSClientKeyStore.p12\"\n\
         SSL key pwd              = \"{at}/tls.sth\"\n\
         SSL CA certificate       = \"{at}/TWSClientTrustStore.pem\"\n\
         SSL random seed          = \"{at}/tls.rnd\"\n\
         SSL cert type            = P12\n\
         SSL Version              = atleast.TLSv1.2\n"
    )
}

const TAIL: &str = "CLI SSL server auth      = no\n#\n# Remote command line\n#\nis remote cli            = no\n\
                    tcp timeout              = 300\ntcp connect timeout      = 15\n";
