//! Rip and replace on real processes: the links go down as the plan says, and come back; undo restores.

use serde_json::Value;

use crate::live::Kept;

/// Adds what the blocked plan says is missing to the fleet file.
fn paste_the_waiver(kept: &Kept) {
    let path = kept.dir.join("capgrow.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = format!("{text}strategy = \"rip-and-replace\"\n");
    std::fs::write(&path, &text).unwrap();
    let blocked = kept.json(&["plan"], 1);
    let remedies: Vec<&str> = blocked["blocked"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|blocked| blocked["remedies"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    let lines = remedies
        .iter()
        .find(|lines| lines.starts_with("[[waiver]]"))
        .unwrap();
    std::fs::write(&path, format!("{text}\n{lines}\n")).unwrap();
}

#[test]
fn a_waived_rip_and_replace_ends_in_s2_says_what_failed_and_is_undone_from_anywhere() {
    let kept = Kept::start("generic");
    let before = kept.manifest();
    kept.json(&["scan"], 0);
    paste_the_waiver(&kept);
    let plan = kept.json(&["plan"], 0);
    let waived = plan["waived"].as_array().unwrap();
    assert_eq!(waived.len(), 2, "{plan}");
    assert_eq!((&plan["restarts"], &plan["lower_bound"]), (&2.into(), &2.into()));
    for link in waived {
        assert_eq!(
            (&link["down_from"]["wave"], &link["down_until"]["wave"]),
            (&1.into(), &2.into()),
            "{link}"
        );
        assert_eq!(link["seconds"], 40, "{link}");
    }
    let digest = plan["digest"].as_str().unwrap().to_owned();

    let half = kept.json(&["apply", &digest, "--approve", "--to", "1"], 1);
    assert_eq!(
        (&half["outcome"], &half["steps_done"]),
        (&"stopped".into(), &1.into())
    );
    assert!(
        half["failed"].as_u64().unwrap() > 0,
        "what failed is counted: {half}"
    );
    assert_eq!(
        half["down"].as_array().unwrap().len(),
        2,
        "the links that stay down are named: {half}"
    );
    kept.json(&["verify"], 1);
    let back = kept.json(&["undo", "--approve"], 0);
    assert_eq!(
        (&back["outcome"], &back["down"]),
        (&"done".into(), &serde_json::json!([])),
        "{back}"
    );
    assert_eq!(kept.manifest(), before, "undone in the middle of the outage");
    kept.json(&["verify", "--state", "S0"], 0);

    kept.json(&["scan"], 0);
    let digest = kept.digest(&[]);
    let done = kept.json(&["apply", &digest, "--approve"], 0);
    assert_eq!(
        (&done["outcome"], &done["restarts"]),
        (&"done".into(), &2.into()),
        "{done}"
    );
    assert!(done["failed"].as_u64().unwrap() > 0, "{done}");
    kept.json(&["verify", "--state", "S2"], 0);
    let failed = &kept.count()["failed_by"]["certificate"];
    assert!(
        failed.as_u64().unwrap() > 0,
        "the links were down, and the fleet says so"
    );
    let report = String::from_utf8(kept.run(&["report"]).stdout).unwrap();
    assert!(
        report.contains("waived true") && report.contains("down "),
        "{report}"
    );
    let page = String::from_utf8(kept.run(&["report", "--html"]).stdout).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.contains("<table>"),
        "{page}"
    );
    assert!(
        !page.contains("src=") && !page.contains("href="),
        "the page needs nothing from elsewhere"
    );

    std::thread::sleep(std::time::Duration::from_secs(2));
    let failed = kept.count()["failed_by"]["certificate"].clone();
    let dry = kept.json(&["undo"], 0);
    assert_eq!(
        dry["waived"],
        serde_json::json!([]),
        "the way back needs no waiver: {dry}"
    );
    kept.json(&["undo", "--approve"], 0);
    assert_eq!(kept.manifest(), before);
    kept.json(&["verify", "--state", "S0"], 0);
    assert_eq!(
        kept.count()["failed_by"]["certificate"],
        failed,
        "the way back breaks nothing"
    );
}
