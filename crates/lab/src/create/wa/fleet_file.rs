//! The fleet file of the kept directory: hosts, passwords and what to leave; the rest is for `scan` to find.

use crate::create::wa::Host;
use crate::place::Part;

pub(super) fn text(hosts: &[Host]) -> String {
    let mut text = "version = 1\n".to_owned();
    for host in hosts {
        text.push_str(&format!("\n[hosts.{0}]\nroot = \"hosts/{0}\"\n", host.name));
        if host.has(Part::Console) {
            text.push_str(&format!(
                "# What the console's settings hold cannot be decoded.\n\
                 passwords = [ {{ for = \"{}/**/*.jks\", password = {{ file = \"secrets/{}.pw\" }} }} ]\n",
                host.install(),
                host.name,
            ));
        }
    }
    for host in hosts.iter().filter(|h| h.has(Part::Console)) {
        text.push_str(&format!(
            "\n# The console keeps its engine connection in its repository, where no file tells of it.\n\
             [components.{0}-console]\nhost    = \"{0}\"\nproduct = \"workload-automation\"\ndir     = \"{1}\"\n\n\
             [[components.{0}-console.dials]]\nto       = \"mdm1-engine\"\nendpoint = \"https\"\n",
            host.name,
            host.install(),
        ));
    }
    text.push_str(
        r#"
[[rotate]]
name  = "leave-the-defaults"
leave = { default-of = "workload-automation" }
to    = { chain = "new/chain.pem", key = "new/tls.key", alias = "glowfish" }
"#,
    );
    text
}
