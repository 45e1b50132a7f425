//! Mistakes in a fleet file, each with the words that a person sees.

use fleet::declare;
use fleet::file;

#[test]
fn what_cannot_be_read_is_named_with_its_line_and_the_nearest_word() {
    check(
        "version = 2",
        "line 1: version = 2 is not known here; hint: this program reads version = 1",
    );
    check(
        "version = 1\nhost.here = {}",
        "line 2: unknown field `host`, expected one of `version`, `hosts`, `components`, `rotate`, `policy`, \
         `waiver`; hint: the nearest known key is `hosts`",
    );
    check(
        "version = 1\n[hosts.here\n",
        "line 2: unclosed table, expected `]`",
    );
}

#[test]
fn a_component_is_refused_with_the_place_of_each_mistake() {
    check(
        "[components.a]\nproduct = \"generic\"",
        "components.a: `host` is missing: name one of [hosts]",
    );
    let known: Vec<&str> = trust::runtimes().map(|profile| profile.name).collect();
    check(
        &in_a("runtime = \"java99\""),
        &format!(
            "components.a.runtime: `java99` is not a runtime whose verdict is known here; known are {}",
            known.join(", ")
        ),
    );
    check(
        &in_a("cost = 0.0"),
        "components.a.cost: 0 is not between 0.001 and 1000000",
    );
    check(
        &in_a("effective = { restart = [\"x\"], each-run = true }"),
        "components.a.effective.identity: give one of `restart`, `reload`, `live`, `each-run`\n\
         components.a.effective.trust: give one of `restart`, `reload`, `live`, `each-run`",
    );
    check(
        &in_a("effective = { restart = [\"x\"], takes = \"soon\" }"),
        "components.a.effective.takes: is not a time such as \"20s\"",
    );
    check(
        &in_a("effective = { restart = [\"x\"], healthy = \"8443\" }"),
        "components.a.effective.healthy: `8443` is neither \"tcp:PORT\" nor a command",
    );
}

#[test]
fn a_store_is_refused_with_the_place_of_each_mistake() {
    check(
        &in_a("stores = [{ id = \"s\", file = \"/s.jks\", holds = [\"keys\"] }]"),
        "components.a.stores.s: holds `keys`: only \"identity\" and \"trust\" are known\n\
         components.a.stores.s: `holds` is missing: [\"identity\"], [\"trust\"] or both",
    );
    check(
        &in_a("stores = [{ id = \"s\", cert-file = \"/s.crt\", holds = [\"identity\"] }]"),
        "components.a.stores.s: needs either `file`, or `key-file` and `cert-file`",
    );
    check(
        &in_a(
            "stores = [{ id = \"s\", file = \"/s.jks\", holds = [\"trust\"], password = { env = \"X\", prompt = true } }]",
        ),
        "components.a.stores.s: a password names exactly one of file, env, command, stash, prompt, literal",
    );
}

#[test]
fn a_sound_component_has_no_mistakes() {
    check(
        &in_a(
            "stores = [{ id = \"s\", file = \"/s.jks\", holds = [\"trust\"], password = { env = \"X\" } }]",
        ),
        "",
    );
}

fn in_a(line: &str) -> String {
    format!("[components.a]\nhost = \"here\"\nproduct = \"generic\"\n{line}\n")
}

/// Each mistake a line; a hint stands behind its mistake.
#[track_caller]
fn check(text: &str, want: &str) {
    let said = match file::read(text) {
        Err(error) => {
            let hint = error.hint.as_ref().map(|hint| format!("; hint: {hint}"));
            format!("{error}{}", hint.unwrap_or_default())
        }
        Ok(doc) => {
            let mistakes = doc
                .components
                .iter()
                .flat_map(|(id, component)| declare::component(id, component).err().unwrap_or_default());
            mistakes
                .map(|mistake| mistake.to_string())
                .collect::<Vec<_>>()
                .join("\n")
        }
    };
    assert_eq!(said, want);
}
