//! `plan --html`: the page, as a browser shows it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const CAPGROW: &str = env!("CARGO_BIN_EXE_capgrow");
const MODEL: &str = "model 1\ncomponent hub a b c d\nlink a <-> hub\nlink b <-> hub\nlink c -> hub\nlink hub -> d\nlink a <-> b\n";

#[test]
fn the_page_shows_for_every_phase_what_each_link_presents_and_that_it_is_accepted() {
    let place = tempfile::tempdir().unwrap();
    let plan = planned(place.path(), "page.html");
    let page = std::fs::read_to_string(place.path().join("page.html")).unwrap();
    for foreign in ["http://", "https://", "src=", "href=", "@import"] {
        assert!(!page.contains(foreign), "the page asks for {foreign}");
    }
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
    else {
        println!("SKIPPED: no chromium here to open the page");
        return;
    };
    let phases = plan["phases"].as_u64().unwrap();
    let checked = checked(place.path(), &plan);
    let page = page.replace("</html>", MOVER);
    std::fs::write(place.path().join("moved.html"), page).unwrap();
    let shown = dom(browser, place.path(), "moved.html", None);
    for phase in 0..=phases {
        let at = shown
            .find(&format!("slider at {phase}: "))
            .unwrap_or_else(|| panic!("{phase}: {shown}"));
        let line = shown[at..].lines().next().unwrap();
        let want = format!(
            "slider at {phase}: phase {phase}, links {}, all {} trust edges accept",
            expected(&plan, phase),
            checked["edges"]
        );
        assert_eq!(line, want);
    }
    assert!(shown.contains("key right from 0: phase 1"), "{shown}");
    // A phase can be named in the address.
    let last = dom(browser, place.path(), "page.html", Some(phases));
    assert!(last.contains(&format!("data-phase=\"{phases}\"")), "{last}");
}

/// Moves the slider as a person does, phase by phase, and writes down what the page says then.
const MOVER: &str = r#"<script>
const told = document.createElement("pre");
const slider = document.getElementById("phase");
for (let k = 0; k <= +slider.max; k++) {
  slider.value = k;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  told.append(`slider at ${k}: phase ${document.body.dataset.phase}, links ${document.body.dataset.links}, ${document.getElementById("doing").textContent}\n`);
}
slider.value = 0;
slider.dispatchEvent(new Event("input", { bubbles: true }));
document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
told.append(`key right from 0: phase ${document.body.dataset.phase}\n`);
document.body.append(told);
</script></html>"#;

/// What `check` says of the plan: safe in every phase, over so many trust edges.
fn checked(place: &Path, plan: &Value) -> Value {
    std::fs::write(place.join("plan.json"), plan.to_string()).unwrap();
    let output = Command::new(CAPGROW)
        .args(["check", "plan.json", "--json"])
        .current_dir(place)
        .output()
        .unwrap();
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["safe"], true, "{checked}");
    checked
}

#[test]
fn a_file_that_is_no_page_of_a_plan_is_not_overwritten() {
    let place = tempfile::tempdir().unwrap();
    planned(place.path(), "page.html");
    planned(place.path(), "page.html");
    std::fs::write(place.path().join("letter.html"), "dear reader").unwrap();
    let output = run(place.path(), "letter.html");
    assert_eq!(output.status.code(), Some(2));
    let kept = std::fs::read_to_string(place.path().join("letter.html")).unwrap();
    assert_eq!(kept, "dear reader");
}

fn run(place: &Path, page: &str) -> std::process::Output {
    std::fs::write(place.join("model"), MODEL).unwrap();
    Command::new(CAPGROW)
        .args(["plan", "--json", "--model", "model", "--html", page])
        .current_dir(place)
        .output()
        .unwrap()
}

fn planned(place: &Path, page: &str) -> Value {
    let output = run(place, page);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The page after its script has run.
fn dom(browser: &str, place: &Path, page: &str, phase: Option<u64>) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!(
            "file://{}{}",
            place.join(page).display(),
            phase.map_or(String::new(), |phase| format!("#phase={phase}"))
        ))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// One letter a trust edge, from the steps alone: edges lie in the order of prover and verifier in the model.
fn expected(plan: &Value, phase: u64) -> String {
    let provers = ["hub", "hub", "hub", "a", "a", "b", "b", "d"];
    let switched = |name: &str| {
        plan["steps"].as_array().unwrap().iter().any(|step| {
            let events = step["events"].as_array().unwrap();
            step["component"] == name
                && step["wave"].as_u64().unwrap() <= phase
                && events.contains(&Value::from("switch"))
        })
    };
    provers
        .iter()
        .map(|prover| if switched(prover) { 'n' } else { 'o' })
        .collect()
}
