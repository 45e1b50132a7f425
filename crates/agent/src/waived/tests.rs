use plan::PlanDocument;
use plan::Step;
use serde_json::json;

use super::Waived;

fn plan() -> PlanDocument {
    let step = |id: &str, wave| Step {
        id: id.to_owned(),
        wave,
        ..Step::default()
    };
    PlanDocument {
        steps: vec![step("3", 3), step("1", 1), step("2", 2), step("4", 4)],
        waived: vec![
            json!({ "link": "a -> hub.x", "down_from": { "step": "2" }, "down_until": { "step": "4" }, "seconds": 60 }),
            json!({ "link": "b -> hub.x", "down_from": { "step": "3" }, "down_until": null, "seconds": null }),
            json!({ "link": "c -> hub.x", "down_from": null, "down_until": null, "seconds": 0 }),
            json!({ "link": "d -> hub.x", "down_from": null, "down_until": { "step": "1" }, "seconds": 5 }),
        ],
        ..PlanDocument::default()
    }
}

#[test]
fn a_waived_link_may_fail_from_the_step_that_takes_it_down_until_the_one_that_brings_it_back() {
    let waived = Waived::of(&plan());
    for (link, wanted) in [
        ("a -> hub.x", [false, true, true, false]),
        ("b -> hub.x", [false, false, true, true]),
        ("c -> hub.x", [false; 4]),
        ("d -> hub.x", [false; 4]),
        ("nobody -> hub.x", [false; 4]),
    ] {
        let found = ["1", "2", "3", "4"].map(|step| waived.may_be_down(step, link));
        assert_eq!(found, wanted, "{link}");
    }
    assert!(waived.stays_down("b -> hub.x") && !waived.stays_down("a -> hub.x"));
    assert!(Waived::of(&PlanDocument::default()).is_empty());
}
