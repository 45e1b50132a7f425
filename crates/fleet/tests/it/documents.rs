//! The examples that people copy mean something.

use fleet::declare;
use fleet::file;
use fleet::file::FleetDoc;
use product::Means;

#[test]
fn the_example_of_the_readme_is_a_fleet_of_two_components_with_one_link() {
    let doc = file::read(&example()).unwrap_or_else(|error| panic!("README.md: {error}"));
    let ledger = component(&doc, "ledger");
    let billing = component(&doc, "billing");
    assert_eq!(ledger.stores.len(), 2);
    assert_eq!(ledger.listens[0].name, "api");
    assert_eq!(billing.dials[0].to, "ledger");
    assert!(billing.stores.iter().all(|store| store.password.is_some()));
    for component in [&ledger, &billing] {
        let restart = Means::Restart(vec![product::Command {
            argv: ["systemctl", "restart", &component.id]
                .map(str::to_owned)
                .to_vec(),
            ..product::Command::default()
        }]);
        assert_eq!(component.effective.identity, restart, "{}", component.id);
        assert_eq!(component.effective.trust, restart, "{}", component.id);
    }
    assert_eq!(doc.rotate.len(), 1);
    assert!(doc.rotate[0].to.is_some());
}

#[test]
fn a_store_that_the_example_lacks_is_missed() {
    let text = example().replace("identity = \"id\"", "identity = \"idd\"");
    let doc = file::read(&text).unwrap();
    let errors = declare::component("billing", &doc.components["billing"]).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "components.billing.dials.ledger: names the store `idd`, which this component does not have; \
         the nearest is `id`"
    );
}

fn component(doc: &FleetDoc, id: &str) -> product::Component {
    declare::component(id, &doc.components[id]).unwrap_or_else(|errors| panic!("{id}: {errors:?}"))
}

fn example() -> String {
    let readme = include_str!("../../../../README.md");
    let rest = readme.split("```toml\n").nth(1).expect("an example");
    rest.split("```").next().expect("its end").to_owned()
}
