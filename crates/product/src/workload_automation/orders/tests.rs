//! The published orders on the small fleet in memory.

use super::document_orders;
use crate::order::Order;
use crate::order::OrderEvent;
use crate::workload_automation::test_fleet::TestFleet;

fn orders() -> Vec<Order> {
    let found = TestFleet::new().scan();
    let components: Vec<&crate::Component> = found.components.iter().collect();
    document_orders(&components)
}

/// Whether some order puts the one before the other.
fn is_before(orders: &[Order], early: (&str, OrderEvent), late: (&str, OrderEvent)) -> bool {
    orders.iter().any(|order| match order {
        Order::Before { before, after, .. } => {
            let has = |list: &[(String, OrderEvent)], (id, event): (&str, OrderEvent)| {
                list.iter().any(|(found, at)| found == id && *at == event)
            };
            has(before, early) && has(after, late)
        }
        Order::OneStep { .. } => false,
    })
}

fn one_step(orders: &[Order], id: &str) -> bool {
    orders.iter().any(
        |order| matches!(order, Order::OneStep { component, events, .. } if component == id && events.len() == 2),
    )
}

#[test]
fn agents_grow_and_switch_in_one_step_and_the_masters_netman_does_not() {
    let orders = orders();
    for id in [
        "fta1-netman",
        "fta2-netman",
        "da1-agent",
        "da3-agent",
        "mdm1-agent",
        "dwc1-console",
    ] {
        assert!(one_step(&orders, id), "{id}: {orders:#?}");
    }
    for id in ["mdm1-netman", "mdm1-engine"] {
        assert!(!one_step(&orders, id), "{id}: {orders:#?}");
    }
}

#[test]
fn the_master_goes_last_and_trims_its_anchors_last_of_all() {
    use OrderEvent::{Retire, Switch};
    let orders = orders();
    for id in ["fta1-netman", "fta2-netman", "da1-agent", "da3-agent"] {
        assert!(is_before(&orders, (id, Switch), ("mdm1-agent", Switch)), "{id}");
        assert!(is_before(&orders, (id, Switch), ("mdm1-netman", Switch)), "{id}");
        assert!(is_before(&orders, (id, Retire), ("mdm1-netman", Retire)), "{id}");
    }
}

#[test]
fn nothing_retires_before_all_are_in_coexistence_and_servers_restart_twice() {
    use OrderEvent::{Grow, Retire, Switch};
    let orders = orders();
    for late in [
        "mdm1-engine",
        "mdm1-netman",
        "fta1-netman",
        "da1-agent",
        "dwc1-console",
    ] {
        for early in ["fta2-netman", "da3-agent", "mdm1-netman", "dwc1-console"] {
            assert!(
                is_before(&orders, (early, Switch), (late, Retire)),
                "{early} {late}"
            );
            assert!(
                is_before(&orders, (early, Grow), (late, Retire)),
                "{early} {late}"
            );
        }
    }
    assert!(is_before(
        &orders,
        ("mdm1-engine", Switch),
        ("mdm1-engine", Retire)
    ));
    assert!(is_before(&orders, ("da1-agent", Switch), ("mdm1-engine", Switch)));
}

#[test]
fn other_products_have_no_published_order() {
    let found = TestFleet::new().scan();
    let mut components = found.components;
    for component in &mut components {
        "generic".clone_into(&mut component.product);
    }
    let components: Vec<&crate::Component> = components.iter().collect();
    assert_eq!(document_orders(&components), Vec::new());
}
