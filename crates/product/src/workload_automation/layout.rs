//! Where an installation lies, whatever its prefix. Source: domain specification B.3, E-48.

use std::collections::BTreeMap;

use crate::files::FileKind;
use crate::files::HostFiles;

/// One installation on a host: its directories, as far as they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Site {
    /// `…/TWA`, `…/DWC`.
    pub(crate) install: String,
    /// `…/TWA/TWSDATA`; on Windows and before 9.5 `…/TWA/TWS`.
    pub(crate) data: String,
    /// The `localopts` of netman.
    pub(crate) localopts: Option<String>,
    /// `…/usr/servers/engineServer`.
    pub(crate) engine: Option<String>,
    /// `…/usr/servers/dwcServer`.
    pub(crate) console: Option<String>,
    /// `…/ITA/cpa`.
    pub(crate) agent: Option<String>,
    /// Where the same part lies under a second root and is passed over.
    pub(crate) notes: Vec<String>,
}

impl Site {
    /// The first of these files below the installation that is there, else the first name.
    pub(crate) fn program(&self, host: &dyn HostFiles, names: &[&str]) -> String {
        let path = |name: &&str| format!("{}/{name}", self.install);
        let there = names.iter().find(|name| exists(host, &path(name)));
        path(there.unwrap_or(&names[0]))
    }

    /// Where commands run.
    pub(crate) fn work_dir(&self, host: &dyn HostFiles) -> String {
        let inner = format!("{}/TWS", self.install);
        if host.list(&inner).is_empty() {
            self.install.clone()
        } else {
            inner
        }
    }
}

/// All installations below these directories, in path order.
///
/// Cost: lists each directory once, at most 16 levels deep; links and devices are not entered.
pub(crate) fn find(host: &dyn HostFiles, look_in: &[String]) -> Vec<Site> {
    let mut parts = Parts {
        host,
        sites: BTreeMap::new(),
        left: MAX_DIRECTORIES,
    };
    for dir in look_in {
        let dir = dir.trim_end_matches('/');
        parts.walk(dir, 0);
    }
    parts.sites.into_values().collect()
}

/// The site whose installation directory this is.
pub(crate) fn at(host: &dyn HostFiles, install: &str) -> Option<Site> {
    let install = install.trim_end_matches('/');
    let all = find(host, &[install.to_owned()]);
    all.iter()
        .find(|site| site.install == install)
        .or(all.first())
        .cloned()
}

pub(crate) fn exists(host: &dyn HostFiles, path: &str) -> bool {
    host.head(path, 1).is_ok()
}

struct Parts<'a> {
    host: &'a dyn HostFiles,
    sites: BTreeMap<String, Site>,
    left: usize,
}

impl Parts<'_> {
    fn walk(&mut self, dir: &str, depth: usize) {
        if depth > MAX_DEPTH || self.left == 0 {
            return;
        }
        self.left -= 1;
        let entries = self.host.list(if dir.is_empty() { "/" } else { dir });
        let file = |name: &str| {
            entries
                .iter()
                .any(|entry| entry.name == name && matches!(entry.kind, FileKind::File | FileKind::Link))
        };
        if file("localopts") && (dir.ends_with("/TWSDATA") || dir.ends_with("/TWS")) {
            self.put(dir, &format!("{dir}/localopts"), |site| &mut site.localopts);
        }
        if file("server.xml") {
            if let Some(root) = dir.strip_suffix("/usr/servers/engineServer") {
                self.put(root, dir, |site| &mut site.engine);
            } else if let Some(root) = dir.strip_suffix("/usr/servers/dwcServer") {
                self.put(root, dir, |site| &mut site.console);
            }
        }
        if file("ita.ini")
            && let Some(root) = dir.strip_suffix("/ITA/cpa/ita")
        {
            self.put(root, &format!("{root}/ITA/cpa"), |site| &mut site.agent);
        }
        for entry in &entries {
            if entry.kind == FileKind::Directory
                && !(dir.is_empty() && NOT_FILES.contains(&entry.name.as_str()))
            {
                self.walk(&format!("{dir}/{}", entry.name), depth + 1);
            }
        }
    }

    /// Enters a part that lies under `root`; the data directory wins over the installation directory.
    fn put(&mut self, root: &str, path: &str, part: impl Fn(&mut Site) -> &mut Option<String>) {
        let (parent, last) = root.rsplit_once('/').unwrap_or(("", root));
        let inner = DATA_DIRECTORIES.contains(&last);
        let install = if inner { parent } else { root };
        let site = self.sites.entry(install.to_owned()).or_insert_with(|| Site {
            install: install.to_owned(),
            data: install.to_owned(),
            ..Site::default()
        });
        let better = rank(last) > rank(site.data.rsplit('/').next().unwrap_or_default());
        if better || site.data == site.install {
            site.data = root.to_owned();
        }
        let slot = part(site);
        match slot.replace(path.to_owned()) {
            Some(old) if rank(root_name(&old)) > rank(last) => {
                *slot = Some(old);
                site.notes
                    .push(format!("{path} is passed over: the data directory has its own"));
            }
            Some(old) => site
                .notes
                .push(format!("{old} is passed over: the data directory has its own")),
            None => {}
        }
    }
}

/// Which of two roots of one tree counts. Source: E-48, R-101.
fn rank(name: &str) -> usize {
    match name {
        "TWSDATA" | "DWC_DATA" => 2,
        "TWS" => 1,
        _ => 0,
    }
}

/// The data directory in a path, where there is one.
fn root_name(path: &str) -> &str {
    path.split('/')
        .rfind(|part| DATA_DIRECTORIES.contains(part))
        .unwrap_or_default()
}

const DATA_DIRECTORIES: &[&str] = &["DWC_DATA", "TWS", "TWSDATA"];
const MAX_DEPTH: usize = 16;
const MAX_DIRECTORIES: usize = 200_000;
/// Directories at the top of a system that hold no files.
const NOT_FILES: &[&str] = &["dev", "proc", "sys"];
