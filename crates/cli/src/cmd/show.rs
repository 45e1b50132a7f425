//! A plan in words.

use plan::CheckReport;
use plan::Event;
use plan::Goal;
use plan::PlanDocument;
use serde_json::Value;

use crate::print;

/// One screen: phases, restarts, bound, proof, digest, next command.
pub fn plan(document: &PlanDocument, report: Option<&CheckReport>, saved: bool, other: Option<&(Goal, u64)>) {
    if !document.blocked.is_empty() {
        return blocked(document);
    }
    let claims = &document.claims;
    print::answer(&format!(
        "until {}: {} phases, {} steps, {} restarts ({})",
        document.goal.word(),
        claims.phases.unwrap_or(0),
        document.steps.len(),
        claims.restarts.unwrap_or(0),
        bound(document, report)
    ));
    if let Some((goal, bound)) = other {
        print::answer(&format!("until {}: lower bound {bound} restarts", goal.word()));
    }
    for line in crate::taste::prices(document) {
        print::answer(&line);
    }
    let waves = document.steps.iter().map(|step| step.wave).max().unwrap_or(0);
    for wave in 1..=waves {
        let steps: Vec<&plan::Step> = document.steps.iter().filter(|step| step.wave == wave).collect();
        let steps = if steps.len() > MOST_NAMED {
            kinds(&steps)
        } else {
            steps.into_iter().map(told).collect()
        };
        print::answer(&format!("  phase {wave}  {}", steps.join("; ")));
    }
    timetable(document);
    beside(document);
    for question in &document.questions {
        let kind = if question["note"].as_bool() == Some(true) {
            "note"
        } else {
            "question"
        };
        print::answer(&format!(
            "{kind}: {}: {}",
            text(&question["about"]),
            text(&question["text"])
        ));
    }
    if document.extra.contains_key("strategy") {
        print::answer(&format!(
            "rip and replace: everything of a component in one step; {} links are down meanwhile",
            document.waived.len()
        ));
    }
    for waived in &document.waived {
        print::answer(&waived_line(waived));
    }
    if let Some(report) = report {
        print::answer(&format!("proof: {}", crate::cmd::check::proof(report)));
    }
    let digest = document.digest().to_string();
    print::answer(&format!("digest {}", spaced(&digest)));
    let waiting = ["left_out", "waits"].iter().any(|key| {
        let list = document.extra.get(*key).and_then(Value::as_array);
        list.is_some_and(|list| !list.is_empty())
    });
    if document.steps.is_empty() && waiting {
        print::answer("nothing can be done now: the goal is not reached, and what is left waits");
    } else if document.steps.is_empty() {
        print::answer("nothing to do: the goal is reached");
    } else if saved && document.model.is_none() {
        print::answer(&format!(
            "next: capgrow apply {} shows every change; with --approve it is carried out",
            &digest[..12]
        ));
    }
}

/// One step in words.
fn told(step: &plan::Step) -> String {
    format!("{}: {}", step.component, manner(step))
}

/// What happens in a step, and what is special about it.
fn manner(step: &plan::Step) -> String {
    let chain = step
        .chain
        .filter(|chain| *chain == plan::ChainForm::Cross)
        .map_or("", |_| " (cross-signed)");
    let hand = if step.extra.contains_key("by") {
        " (by hand)"
    } else {
        ""
    };
    format!("{}{chain}{hand}", words(&step.events))
}

/// Many steps by what happens in them, with the first few of each by name.
fn kinds(steps: &[&plan::Step]) -> Vec<String> {
    let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
    for step in steps {
        let manner = manner(step);
        match kinds.iter_mut().find(|(known, _)| *known == manner) {
            Some((_, names)) => names.push(&step.component),
            None => kinds.push((manner, vec![&step.component])),
        }
    }
    let told = |(manner, names): (String, Vec<&str>)| {
        let shown = names.len().min(FEW_NAMED);
        let more = names.len() - shown;
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("{manner}: {}{rest}", names[..shown].join(", "))
    };
    kinds.into_iter().map(told).collect()
}

/// What a person should know beside the order: what is done by hand, left out, waits, and is taken for granted.
fn beside(document: &PlanDocument) {
    let list = |key: &str| {
        document
            .extra
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    if let Some(line) = crate::downtime::line(document) {
        print::answer(&line);
    }
    if let Some(hurried) = document.extra.get("hurried") {
        print::answer(&format!(
            "so that all is in time, in another order than the cheapest ({} restarts): {}",
            hurried["cheapest"]["restarts"],
            text(&hurried["because"])
        ));
    }
    for step in document.steps.iter().filter(|step| step.extra.contains_key("by")) {
        let seen: Vec<&str> = step
            .extra
            .get("observe")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(text)
            .collect();
        print::answer(&format!(
            "by hand: phase {} {}: done when {}",
            step.wave,
            step.component,
            seen.join(" and ")
        ));
    }
    for one in list("left_out") {
        print::answer(&format!(
            "left out: {}: {}",
            text(&one["component"]),
            text(&one["because"])
        ));
    }
    if list("left_out").next().is_some() && list("waits").next().is_some() {
        print::answer(
            "  remedy: mend it, scan and plan again; or let its links break, with a [[waiver]] for each",
        );
    }
    let mut waits: Vec<(String, Vec<String>)> = Vec::new();
    for one in list("waits") {
        let key = format!("{}: {}", text(&one["component"]), text(&one["because"]));
        match waits.iter_mut().find(|(known, _)| *known == key) {
            Some((_, events)) => events.push(text(&one["event"]).to_owned()),
            None => waits.push((key, vec![text(&one["event"]).to_owned()])),
        }
    }
    for (key, events) in waits {
        print::answer(&format!("waits: {} of {key}", events.join(", ")));
    }
    for one in list("assumed") {
        print::answer(&format!("assumed: {}", text(one)));
    }
}

/// When each phase can be, where there are maintenance windows.
fn timetable(document: &PlanDocument) {
    for phase in document
        .extra
        .get("schedule")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        print::answer(&format!(
            "  phase {}  at the earliest {} to {}, in `{}`",
            phase["wave"],
            local(&phase["begins"]),
            local(&phase["ends"]),
            text(&phase["window"])
        ));
    }
}

/// A moment of a document in local time.
fn local(utc: &Value) -> String {
    let moment = text(utc).parse::<jiff::Timestamp>();
    moment.map_or_else(
        |_| text(utc).to_owned(),
        |moment| print::local_time(moment.as_second()),
    )
}

/// Which waived link is down from when to when, and who said that it may be.
pub fn waived_line(waived: &Value) -> String {
    let place = |place: &Value| match place["wave"].as_u64() {
        Some(wave) => format!("phase {wave} ({})", text(&place["component"])),
        None => "before the first phase".to_owned(),
    };
    let when = match (&waived["down_until"], waived["seconds"].as_u64()) {
        (Value::Null, Some(_)) => "may break, and does not".to_owned(),
        (Value::Null, None) => format!(
            "is down from {} to the end of the plan and after it",
            place(&waived["down_from"])
        ),
        (until, lasts) => format!(
            "is down from {} to {}, about {} s",
            place(&waived["down_from"]),
            place(until),
            lasts.unwrap_or(0)
        ),
    };
    let who = match waived["who"].as_str() {
        Some(who) => format!(
            "waived by {who} until {}: {}",
            text(&waived["until"]),
            text(&waived["why"])
        ),
        None => "not waived".to_owned(),
    };
    format!("waived: {} {when} ({who})", text(&waived["link"]))
}

fn blocked(document: &PlanDocument) {
    print::answer("no plan: something stands in the way");
    for blocked in &document.blocked {
        let what = blocked
            .link
            .as_ref()
            .or(blocked.component.as_ref())
            .map_or("fleet", String::as_str);
        print::answer(&format!("  {what}: {}", blocked.reason));
        for remedy in &blocked.remedies {
            if remedy.contains('\n') {
                print::answer("    remedy: these lines in capgrow.toml");
                remedy.lines().for_each(print::answer);
            } else {
                print::answer(&format!("    remedy: {remedy}"));
            }
        }
    }
    if document.snapshot.is_none()
        && document.model.is_none()
        && document.blocked.iter().any(|one| one.component.is_some())
    {
        print::answer(
            "`capgrow plan --partial` leaves out what has something in its way, and plans the rest where that is safe",
        );
    }
}

fn bound(document: &PlanDocument, report: Option<&CheckReport>) -> String {
    let lower = document.claims.lower_bound.unwrap_or(0);
    let proven = report.is_some_and(|report| report.bound == plan::BoundStatus::Verified);
    match (proven, document.claims.restarts == Some(lower)) {
        (true, true) => format!("lower bound {lower}: optimal"),
        (true, false) => format!("lower bound {lower}"),
        (false, _) => format!("lower bound {lower}: unproven"),
    }
}

/// `grow + switch`.
pub fn words(events: &[Event]) -> String {
    events
        .iter()
        .map(|event| event.word())
        .collect::<Vec<_>>()
        .join(" + ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The first digits of a digest in groups, as people read them out.
pub fn spaced(digest: &str) -> String {
    let groups: Vec<&str> = (0..3)
        .filter_map(|index| digest.get(index * 4..index * 4 + 4))
        .collect();
    groups.join(" ")
}

/// So many steps of a phase are named one by one; of more, so few of each kind.
const MOST_NAMED: usize = 24;
const FEW_NAMED: usize = 6;
