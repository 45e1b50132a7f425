//! Every kind of altered plan is refused, each for the right reason.

use plan::Goal;
use plan::PlanDocument;
use plan::check;
use plan::read_model;
use plan::read_plan;
use planner::plan_model;

/// Alters a good plan, seals it with a fresh digest, and expects a violation that says all of `wanted`.
#[track_caller]
fn refused(alter: impl FnOnce(&mut PlanDocument), wanted: &[&str]) {
    refused_in(FLEET, alter, wanted);
}

#[track_caller]
fn refused_in(fleet: &str, alter: impl FnOnce(&mut PlanDocument), wanted: &[&str]) {
    let model = read_model(fleet).unwrap();
    let mut document = plan_model(&model, Goal::Retired);
    assert!(check(&model, &document).is_ok());
    alter(&mut document);
    let document = read_plan(&document.to_bytes()).unwrap();
    let refusal = check(&model, &document).expect_err("the mutant lives");
    let said: Vec<String> = refusal
        .report
        .violations
        .iter()
        .map(|v| format!("{}: {}: {}", v.link, v.order, v.reason))
        .collect();
    assert!(
        said.iter().any(|s| wanted.iter().all(|w| s.contains(w))),
        "{wanted:?} not in {said:#?}"
    );
}

fn at(document: &PlanDocument, component: &str, event: plan::Event) -> usize {
    document
        .steps
        .iter()
        .position(|s| s.component == component && s.events.contains(&event))
        .unwrap()
}

#[test]
fn a_dropped_step_is_missed() {
    for event in plan::Event::ALL {
        let drop = |d: &mut PlanDocument| {
            let i = at(d, "hub", event);
            d.steps.remove(i);
        };
        refused(drop, &["hub", event.word(), "never"]);
    }
}

#[test]
fn each_step_that_is_dropped_or_retimed_to_the_end_or_start_is_missed() {
    let model = read_model(FLEET).unwrap();
    let steps = plan_model(&model, Goal::Retired).steps.len();
    for i in 0..steps {
        refused(|d| drop(d.steps.remove(i)), &[]);
        refused(
            |d| d.steps[i].component = "nobody".into(),
            &["nobody", "unknown component"],
        );
        refused(|d| d.steps[i].wave = 0, &["numbered from 1"]);
        refused(|d| d.steps[i].wave = u32::MAX, &[]);
        let twice = |d: &mut PlanDocument| {
            let step = d.steps[i].clone();
            d.steps.push(step);
        };
        refused(twice, &["happens twice"]);
        refused(|d| d.steps[i].events.clear(), &["no events"]);
        refused(
            |d| d.steps[i].effective = Some(plan::Effective::Live),
            &["not by live"],
        );
    }
}

#[test]
fn growing_too_late_breaks_the_link_with_the_validators_reason() {
    let late = |d: &mut PlanDocument| {
        let i = at(d, "hub", plan::Event::Grow);
        d.steps[i].wave = 9;
    };
    let order = "c switch (wave 2) before hub grow (wave 9)";
    refused(late, &["c -> hub", order, "no trust anchor for the new chain"]);
}

#[test]
fn merged_waves_are_refused() {
    for wave in 1..4 {
        let merge = |d: &mut PlanDocument| {
            d.steps
                .iter_mut()
                .filter(|s| s.wave > wave)
                .for_each(|s| s.wave -= 1)
        };
        refused(merge, &["in the same wave"]);
    }
}

#[test]
fn swapped_waves_are_refused() {
    let swap = |d: &mut PlanDocument| {
        let (i, j) = (at(d, "a", plan::Event::Retire), at(d, "hub", plan::Event::Switch));
        let wave = d.steps[i].wave;
        d.steps[i].wave = d.steps[j].wave;
        d.steps[j].wave = wave;
    };
    refused(
        swap,
        &[
            "hub -> a",
            "a retire (wave 4) before hub switch (wave 5)",
            "old chain",
        ],
    );
}

#[test]
fn false_claims_are_refused() {
    refused(
        |d| d.claims.restarts = Some(1),
        &["restarts", "says 1, its steps say 9"],
    );
    refused(|d| d.claims.cost_milli = Some(500), &["cost", "says 0.5"]);
    refused(|d| d.claims.phases = Some(3), &["phases", "says 3"]);
    refused(
        |d| d.claims.lower_bound = Some(8),
        &["lower_bound", "says 8", "proves 9"],
    );
    refused(
        |d| d.claims.lower_bound = Some(10),
        &["lower_bound", "says 10", "proves 9"],
    );
    refused(
        |d| d.claims.cost_lower_bound_milli = Some(1),
        &["cost_lower_bound", "says 0.001"],
    );
}

#[test]
fn false_certificates_are_refused() {
    let toll = |d: &mut PlanDocument, extra: u64| {
        let certificate = d.certificate.as_mut().unwrap();
        certificate.restarts[0].extra_milli = extra;
        d.claims.lower_bound = Some(8 + extra / 1000);
    };
    refused(|d| toll(d, 2000), &["can go for less"]);
    let bipartite = |d: &mut PlanDocument| {
        d.certificate.as_mut().unwrap().restarts[0].components = vec!["hub".into(), "a".into()];
    };
    refused(bipartite, &["can go for less"]);
    let unknown = |d: &mut PlanDocument| {
        d.certificate.as_mut().unwrap().cost[0].components[0] = "nobody".into();
    };
    refused(unknown, &["unknown component nobody"]);
    let twice = |d: &mut PlanDocument| {
        let certificate = d.certificate.as_mut().unwrap();
        let again = certificate.restarts[0].clone();
        certificate.restarts.push(again);
        d.claims.lower_bound = Some(10);
    };
    refused(twice, &["can go for less"]);
}

#[test]
fn a_weighted_packing_that_spends_a_weight_twice_is_refused() {
    let model = read_model(WEIGHTED).unwrap();
    let document = plan_model(&model, Goal::Retired);
    let packing = &document.certificate.as_ref().unwrap().cost;
    let extras: Vec<u64> = packing.iter().map(|toll| toll.extra_milli).collect();
    assert_eq!(
        (packing.len(), extras.iter().sum::<u64>()),
        (2, 5000),
        "{packing:?}"
    );
    for at in 0..packing.len() {
        let dearer = |d: &mut PlanDocument| {
            d.certificate.as_mut().unwrap().cost[at].extra_milli += 1000;
            *d.claims.cost_lower_bound_milli.as_mut().unwrap() += 1000;
        };
        refused_in(WEIGHTED, dearer, &["cost_lower_bound", "can go for less"]);
        let without = |d: &mut PlanDocument| drop(d.certificate.as_mut().unwrap().cost.remove(at));
        refused_in(WEIGHTED, without, &["cost_lower_bound", "its certificate proves"]);
        let again = |d: &mut PlanDocument| {
            let cost = &mut d.certificate.as_mut().unwrap().cost;
            let toll = cost[at].clone();
            *d.claims.cost_lower_bound_milli.as_mut().unwrap() += toll.extra_milli;
            cost.push(toll);
        };
        refused_in(WEIGHTED, again, &["cost_lower_bound", "can go for less"]);
        let shorter = |d: &mut PlanDocument| drop(d.certificate.as_mut().unwrap().cost[at].components.pop());
        refused_in(WEIGHTED, shorter, &["can go for less"]);
    }
}

#[test]
fn a_core_that_is_searched_again_has_to_cost_what_is_said() {
    let model = read_model(&wheel(5)).unwrap();
    let document = plan_model(&model, Goal::Retired);
    let core = &document.certificate.as_ref().unwrap().restarts;
    assert_eq!((core.len(), core[0].extra_milli), (1, 2000), "{core:?}");
    let dearer = |d: &mut PlanDocument| {
        d.certificate.as_mut().unwrap().restarts[0].extra_milli = 3000;
        *d.claims.lower_bound.as_mut().unwrap() += 1;
    };
    refused_in(&wheel(5), dearer, &["lower_bound", "can go for less"]);
    for member in 0..core[0].components.len() {
        let smaller = |d: &mut PlanDocument| {
            drop(
                d.certificate.as_mut().unwrap().restarts[0]
                    .components
                    .remove(member),
            )
        };
        refused_in(&wheel(5), smaller, &["lower_bound", "can go for less"]);
    }
    let without = |d: &mut PlanDocument| d.certificate = None;
    let unproven = |text: &str| {
        let mut document = document.clone();
        without(&mut document);
        let checked = check(&read_model(text).unwrap(), &document).unwrap();
        checked.report().bound.word()
    };
    assert_eq!(unproven(&wheel(5)), "unproven");
}

#[test]
fn plans_for_shared_files_are_refused_where_one_reader_is_too_early() {
    let early = |d: &mut PlanDocument| {
        let i = at(d, "b", plan::Event::Switch);
        d.steps[i].wave = 1;
    };
    refused_in(
        SHARED,
        early,
        &[
            "a -> hub",
            "a switch in the same wave (1)",
            "no trust anchor for the new chain",
        ],
    );
    let late = |d: &mut PlanDocument| {
        let i = at(d, "a", plan::Event::Retire);
        d.steps[i].wave = 2;
    };
    refused_in(SHARED, late, &["hub -> b", "old chain"]);
    let dropped = |d: &mut PlanDocument| {
        let i = at(d, "b", plan::Event::Retire);
        d.steps.remove(i);
    };
    refused_in(SHARED, dropped, &["b", "retire never happens"]);
}

#[test]
fn a_group_that_is_crowded_into_one_wave_is_refused() {
    let crowd = |d: &mut PlanDocument| {
        let wave = d.steps[at(d, "a", plan::Event::Switch)].wave;
        let i = at(d, "b", plan::Event::Switch);
        d.steps[i].wave = wave;
    };
    refused_in(GROUP, crowd, &["a, b", "2 of the group at once: at most 1"]);
}

#[test]
fn a_store_with_one_anchor_is_not_written_in_two_steps_nor_before_its_peers_have_switched() {
    let apart = |d: &mut PlanDocument| {
        let i = at(d, "a", plan::Event::Grow);
        d.steps[i].events.retain(|&event| event != plan::Event::Grow);
        let mut grow = d.steps[i].clone();
        (grow.id, grow.wave, grow.events) = ("9".into(), 1, vec![plan::Event::Grow]);
        d.steps.push(grow);
    };
    refused_in(SINGLE, apart, &["a", "one anchor only"]);
    let early = |d: &mut PlanDocument| {
        let i = at(d, "a", plan::Event::Retire);
        d.steps[i].wave = 1;
    };
    refused_in(SINGLE, early, &["hub -> a", "a retire (wave 1)", "old chain"]);
}

#[test]
fn a_cross_signed_chain_that_is_left_out_is_missed_by_the_first_old_verifier() {
    let plain = |d: &mut PlanDocument| {
        let i = at(d, "a", plan::Event::Switch);
        d.steps[i].chain = Some(plan::ChainForm::New);
    };
    refused_in(SINGLE, plain, &["a -> hub", "no trust anchor for the new chain"]);
    let retired = |d: &mut PlanDocument| {
        let i = at(d, "hub", plan::Event::Retire);
        d.steps[i].wave = 1;
    };
    refused_in(
        SINGLE,
        retired,
        &["a -> hub", "in the same wave (1)", "old chain"],
    );
}

#[test]
fn orders_that_are_not_kept_are_refused_with_their_line() {
    let swap = |d: &mut PlanDocument| {
        let (i, j) = (at(d, "a", plan::Event::Retire), at(d, "b", plan::Event::Retire));
        let wave = d.steps[i].wave;
        d.steps[i].wave = d.steps[j].wave;
        d.steps[j].wave = wave;
    };
    refused_in(ORDER, swap, &["a, b", "the model asks for it on line 5"]);
}

#[test]
fn a_plan_that_calls_itself_blocked_is_refused() {
    let blocked = plan::Blocked {
        reason: "no way".into(),
        ..plan::Blocked::default()
    };
    refused(|d| d.blocked.push(blocked), &["no way"]);
}

#[test]
fn a_cross_signed_chain_nobody_allowed_is_refused() {
    let cross = |d: &mut PlanDocument| {
        let i = at(d, "a", plan::Event::Switch);
        d.steps[i].chain = Some(plan::ChainForm::Cross);
    };
    refused(cross, &["no cross-signed chain is allowed"]);
}

#[test]
fn any_changed_byte_of_a_stored_plan_is_refused_or_unreadable() {
    let model = read_model(FLEET).unwrap();
    let bytes = plan_model(&model, Goal::Retired).to_bytes();
    for at in 0..bytes.len() - 1 {
        for mask in [1, 2, 0x10, 0x80] {
            let mut altered = bytes.clone();
            altered[at] ^= mask;
            let Ok(document) = read_plan(&altered) else {
                continue;
            };
            // A document whose digest has another key claims none.
            if document.stored_digest.is_none() {
                continue;
            }
            assert!(check(&model, &document).is_err(), "byte {at} xor {mask}");
        }
    }
}

#[test]
fn cut_and_hostile_documents_are_errors_and_nothing_worse() {
    let model = read_model(FLEET).unwrap();
    let bytes = plan_model(&model, Goal::Retired).to_bytes();
    for end in 0..bytes.len() - 1 {
        assert!(read_plan(&bytes[..end]).is_err());
    }
    for text in [
        "",
        "null",
        "[]",
        "{\"version\":1}",
        "{\"version\":2,\"steps\":[]}",
        "{\"version\":1,\"steps\":[{\"wave\":-1,\"component\":\"a\",\"events\":[]}]}",
        "{\"version\":1,\"steps\":[{\"wave\":1e300,\"component\":\"a\",\"events\":[]}]}",
        "{\"version\":1,\"steps\":[{\"wave\":1,\"component\":\"a\",\"events\":[\"burn\"]}]}",
        "{\"version\":1,\"steps\":[],\"cost\":1e999}",
        "{\"version\":1,\"steps\":[],\"cost\":-1}",
    ] {
        assert!(read_plan(text.as_bytes()).is_err(), "{text}");
    }
    assert!(read_plan("[".repeat(100_000).as_bytes()).is_err());
    let bare = read_plan(b"{\"version\":1,\"steps\":[]}").unwrap();
    assert!(check(&model, &bare).is_err());
    let huge = "{\"version\":1,\"steps\":[],\"cost_lower_bound\":18446744073709551,\"lower_bound\":18446744073709551615}";
    assert!(check(&model, &read_plan(huge.as_bytes()).unwrap()).is_err());
}

/// Two odd cycles share the dear one, whose weight is spread over both.
const WEIGHTED: &str = "model 1
component dear cost=5
component a b cost=2
component c d cost=3
link dear <-> a
link a <-> b
link b <-> dear
link dear <-> c
link c <-> d
link d <-> dear
";

const SHARED: &str = "model 1
component a b hub
link a <-> hub
link b <-> hub
shared a b
";

const GROUP: &str = "model 1
component a b hub
link a <-> hub
link b <-> hub
group a b max=1
";

const SINGLE: &str = "model 1
component hub a
link a <-> hub
single-anchor a
cross-sign allowed
";

const ORDER: &str = "model 1
component a b hub
link a <-> hub
link b <-> hub
order a.retire < b.retire
";

/// A hub and a ring of so many around it: each spoke is in two triangles.
fn wheel(ring: usize) -> String {
    let mut text = String::from("model 1\ncomponent hub");
    (0..ring).for_each(|x| text += &format!(" r{x}"));
    text.push('\n');
    for x in 0..ring {
        text += &format!("link r{x} <-> hub\nlink r{x} <-> r{}\n", (x + 1) % ring);
    }
    text
}

const FLEET: &str = "model 1
component hub a b c
link a <-> hub
link b <-> hub
link a <-> b
link c <-> hub
";
