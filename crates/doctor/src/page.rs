//! A rule as a page.

use crate::rule::Rule;

/// The page of a rule, in Markdown.
pub fn page(rule: &Rule) -> String {
    let mut page = format!(
        "## {} {}\n\nSeverity: {}. Strikes at: {}.\n\n**Cause.** {}\n\n**Fix.** {}\n",
        rule.id,
        rule.title,
        rule.severity.word(),
        rule.stage.words(),
        rule.cause,
        rule.fix
    );
    for (heading, patterns) in [
        ("Messages that name it", rule.states),
        ("Messages that it has in common with other causes", rule.hints),
    ] {
        if !patterns.is_empty() {
            let list: Vec<String> = patterns
                .iter()
                .map(|pattern| format!("`{}`", pattern.replace(" && ", "` with `")))
                .collect();
            page.push_str(&format!("\n**{heading}.** {}\n", list.join(", ")));
        }
    }
    if !rule.explains.is_empty() {
        page.push_str(&format!("\n**Brings with it.** {}\n", rule.explains.join(", ")));
    }
    page.push_str(&format!("\nSource: {}.\n", rule.source));
    page
}
