//! The small path language for attributes.

use roxmltree::Node;

use super::super::EditError;

/// Steps down to an element, then the attribute (`None` in a step = any name).
pub(super) struct Path {
    /// The first step starts at the document's root element.
    rooted: bool,
    steps: Vec<Step>,
    /// The attribute may belong to any element below the last step, too.
    below: bool,
    /// The attribute; `None` = any.
    pub(super) attribute: Option<String>,
}

struct Step {
    name: Option<String>,
    /// Any number of elements may lie before it.
    deep: bool,
    conditions: Vec<(String, Option<String>)>,
}

impl Path {
    pub(super) fn parse(key: &str) -> Result<Self, EditError> {
        let bad = |what| EditError::BadKey {
            key: key.to_owned(),
            what,
        };
        let (mut rooted, mut deep, mut rest) = match (key.strip_prefix("//"), key.strip_prefix('/')) {
            (Some(rest), _) => (false, true, rest),
            (None, Some(rest)) => (true, false, rest),
            (None, None) => (false, true, key),
        };
        let mut steps = Vec::new();
        loop {
            if let Some(attribute) = rest.strip_prefix('@') {
                if attribute.is_empty() || attribute.contains(['/', '[', '@']) {
                    return Err(bad("an attribute name ends the path"));
                }
                rooted &= !steps.is_empty();
                return Ok(Path {
                    rooted,
                    below: deep && !steps.is_empty(),
                    steps,
                    attribute: named(attribute),
                });
            }
            let (step, after) = step(rest, deep).map_err(bad)?;
            steps.push(step);
            (deep, rest) = match (after.strip_prefix("//"), after.strip_prefix('/')) {
                (Some(rest), _) => (true, rest),
                (None, Some(rest)) => (false, rest),
                (None, None) => return Err(bad("it must end in /@attribute")),
            };
        }
    }

    pub(super) fn takes(&self, attribute: &str) -> bool {
        self.attribute.as_deref().is_none_or(|name| name == attribute)
    }

    /// Whether the steps lead to this element.
    pub(super) fn matches(&self, node: &Node<'_, '_>) -> bool {
        if self.below {
            return node.is_element()
                && node
                    .ancestors()
                    .filter(Node::is_element)
                    .any(|above| self.leads(&above, &self.steps));
        }
        node.is_element() && self.leads(node, &self.steps)
    }

    fn leads(&self, node: &Node<'_, '_>, steps: &[Step]) -> bool {
        let Some((last, before)) = steps.split_last() else {
            return true;
        };
        if !last.fits(node) {
            return false;
        }
        let parent = node.parent_element();
        if before.is_empty() {
            return !self.rooted || parent.is_none();
        }
        if !last.deep {
            return parent.is_some_and(|parent| self.leads(&parent, before));
        }
        node.ancestors()
            .skip(1)
            .filter(Node::is_element)
            .any(|above| self.leads(&above, before))
    }
}

impl Step {
    fn fits(&self, node: &Node<'_, '_>) -> bool {
        let name = self
            .name
            .as_deref()
            .is_none_or(|name| node.tag_name().name() == name);
        name && self.conditions.iter().all(|(attribute, wanted)| {
            node.attributes().any(|seen| {
                seen.name() == attribute && wanted.as_deref().is_none_or(|value| seen.value() == value)
            })
        })
    }
}

/// One step and what follows it.
fn step(text: &str, deep: bool) -> Result<(Step, &str), &'static str> {
    let end = text.find(['/', '[']).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() {
        return Err("a step has no name");
    }
    let mut conditions = Vec::new();
    while let Some(inner) = rest.strip_prefix("[@") {
        let end = inner.find(['=', ']']).ok_or("a condition is [@name='value']")?;
        let attribute = inner[..end].trim().to_owned();
        let after = inner[end..].trim_start();
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            None => (None, after),
            Some(value) => {
                let quote = value.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
                let quote = quote.ok_or("the value of a condition stands in quotes")?;
                let (value, after) = value[1..].split_once(quote).ok_or("a quote is not closed")?;
                (Some(value.to_owned()), after.trim_start())
            }
        };
        conditions.push((local(&attribute).to_owned(), value));
        rest = after.strip_prefix(']').ok_or("a condition is [@name='value']")?;
    }
    if rest.starts_with('[') {
        return Err("only conditions on attributes are understood");
    }
    Ok((
        Step {
            name: named(name),
            deep,
            conditions,
        },
        rest,
    ))
}

fn named(name: &str) -> Option<String> {
    (name != "*").then(|| local(name).to_owned())
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}
