//! The workstation definitions of the fleet, as composer writes them.

use crate::create::wa::{Host, MASTER_DOMAIN};
use crate::place::Part;

pub(super) fn text(hosts: &[Host]) -> String {
    let mut text = String::new();
    for host in hosts {
        if host.has(Part::Netman) {
            text.push_str(&netman(host));
        }
        if host.role == "MDM" || host.role == "DDM" {
            text.push_str(&format!(
                "CPUNAME {}\n  OS OTHER\n  NODE {} TCPADDR 41114\n  DOMAIN {}\n  FOR MAESTRO\n    TYPE BROKER\n    \
                 AUTOLINK ON\n    BEHINDFIREWALL OFF\n    FULLSTATUS OFF\nEND\n\n",
                host.broker_workstation(),
                host.address,
                host.domain,
            ));
        }
        if host.has(Part::Agent) {
            text.push_str(&format!(
                "CPUNAME {}\n  OS UNIX\n  NODE {} SECUREADDR 31114\n  FOR MAESTRO HOST {}_DWB\n    TYPE AGENT\n  \
                 PROTOCOL HTTPS\nEND\n\n",
                host.agent_workstation(),
                host.address,
                host.broker.to_uppercase(),
            ));
        }
    }
    for host in hosts.iter().filter(|h| matches!(h.role, "MDM" | "DM" | "DDM")) {
        let parent = if host.role == "MDM" {
            String::new()
        } else {
            format!("\n  PARENT {MASTER_DOMAIN}")
        };
        text.push_str(&format!(
            "DOMAIN {}\n  MANAGER {}{parent}\nEND\n\n",
            host.domain,
            host.workstation()
        ));
    }
    text
}

fn netman(host: &Host) -> String {
    let is_manager = matches!(host.role, "MDM" | "DM" | "DDM");
    format!(
        "CPUNAME {}\n  DESCRIPTION \"{}\"\n  OS UNIX\n  NODE {} TCPADDR 31111\n  SECUREADDR 31113\n  DOMAIN {}\n  \
         FOR MAESTRO\n    TYPE {}\n    AUTOLINK ON\n    BEHINDFIREWALL OFF\n    SECURITYLEVEL FORCE_ENABLED\n    \
         FULLSTATUS {}\nEND\n\n",
        host.workstation(),
        host.name,
        host.address,
        host.domain,
        if is_manager { "MANAGER" } else { "FTA" },
        if is_manager || host.full_status {
            "ON"
        } else {
            "OFF"
        },
    )
}
