//! Maintenance windows: when they are open, which step fits in which, and what must wait.
//!
//! The moment is always an argument. A local time that a change of the clock skips is the moment of the change; one that
//! comes twice is taken so that the window is the shorter one: it begins at the second and ends at the first.

use fleet::window::Window;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;
use jiff::tz::AmbiguousOffset;
use jiff::tz::TimeZone;
use plan::Blocked;
use plan::Step;
use serde_json::Value;
use serde_json::json;

use crate::print;
use crate::print::failure;
use crate::timeline::Timeline;

/// The windows of `[policy]`; none: every moment is open.
#[derive(Debug, Clone, Default)]
pub struct Windows {
    list: Vec<(Window, TimeZone)>,
}

/// A time without interruption in which steps may begin and must end. Seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The first second.
    pub begin: i64,
    /// The first second after it.
    pub end: i64,
    /// The window as written; of the first, where several follow each other without a gap.
    pub text: String,
}

impl Windows {
    /// The windows as written, with the rules of their zones.
    ///
    /// # Errors
    /// What is no window, and a zone that the time zone database does not know.
    pub fn of(written: &[String]) -> anyhow::Result<Windows> {
        let mut list = Vec::new();
        for text in written {
            let window = Window::parse(text).map_err(|error| {
                failure(format!("[policy] windows: {error}"), "correct it in capgrow.toml")
            })?;
            let zone = TimeZone::get(window.zone()).map_err(|_| {
                failure(
                    format!(
                        "[policy] windows: `{text}`: no time zone is called `{}`",
                        window.zone()
                    ),
                    format!("expected {}", fleet::window::SHAPE),
                )
            })?;
            list.push((window, zone));
        }
        Ok(Windows { list })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// When windows are open from `now` on, for somewhat more than a year: long enough to meet every change of the clock.
    /// In order; windows that touch are one.
    pub fn spans(&self, now: i64) -> Vec<Span> {
        let mut spans = Vec::new();
        for (window, zone) in &self.list {
            let today = instant(now).to_zoned(zone.clone()).date();
            let first = today.yesterday().unwrap_or(today);
            for date in first.series(jiff::Span::new().days(1)).take(DAYS_AHEAD) {
                spans.extend(on(window, zone, date).filter(|span| span.end > now));
            }
        }
        spans.sort_by_key(|span| (span.begin, span.end));
        let mut merged: Vec<Span> = Vec::new();
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.begin <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        merged
    }
}

/// The window that begins on that local day; `None` on other days, and where the clock leaves nothing of it.
fn on(window: &Window, zone: &TimeZone, date: Date) -> Option<Span> {
    let weekday = u8::try_from(date.weekday().to_monday_zero_offset()).ok()?;
    if !window.begins_on(weekday) {
        return None;
    }
    let at = |date: Date, (hour, minute): (u8, u8)| -> Option<DateTime> {
        let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
        Some(date.to_datetime(time))
    };
    let (later, until) = window.until();
    let last = if later == 0 { date } else { date.tomorrow().ok()? };
    let [first_begin, begin] = readings(zone, at(date, window.from())?)?;
    let [end, _] = readings(zone, at(last, until)?)?;
    // A window that lies within the hour that comes twice is open the first time.
    let begin = if begin < end { begin } else { first_begin };
    (begin < end).then(|| Span {
        begin,
        end,
        text: window.text().to_owned(),
    })
}

/// The moments at which a clock of that zone shows this time, the first and the last; for a time that it skips, the
/// moment at which it does.
fn readings(zone: &TimeZone, local: DateTime) -> Option<[i64; 2]> {
    let moment = |offset: jiff::tz::Offset| offset.to_timestamp(local).ok().map(|at| at.as_second());
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => Some([moment(offset)?; 2]),
        AmbiguousOffset::Fold { before, after } => Some([moment(before)?, moment(after)?]),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset the time lies before the change.
            let change = zone.following(instant(moment(after)?)).next()?;
            Some([change.timestamp().as_second(); 2])
        }
    }
}

fn instant(unix: i64) -> Timestamp {
    Timestamp::from_second(unix).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The earliest moment from `at` on at which something that lasts so long can begin, and the window it then lies in.
pub fn fit(spans: &[Span], at: i64, lasts: i64) -> Option<(i64, &Span)> {
    spans
        .iter()
        .map(|span| (span.begin.max(at), span))
        .find(|(begin, span)| begin + lasts <= span.end && *begin < span.end)
}

/// When each phase can begin and end at the earliest, as `[{wave, begins, ends, window}]`. Steps between which a link is
/// down (`blocks`) stay in one window.
///
/// # Errors
/// The first steps that no window of the next year is long enough for.
pub fn schedule(
    spans: &[Span],
    now: i64,
    timeline: &Timeline<'_>,
    blocks: &[(usize, usize)],
) -> Result<Vec<Value>, Box<Blocked>> {
    let mut at = now;
    let mut phases: Vec<(u32, i64, i64, String)> = Vec::new();
    let mut next = 0;
    while next < timeline.steps.len() {
        let last = block_of(blocks, next).map_or(next, |(_, last)| last);
        let together = &timeline.steps[next..=last];
        let Some((begins, span)) = fit(spans, at, whole(together.iter().map(|step| step.2).sum())) else {
            return Err(Box::new(too_long(spans, together)));
        };
        at = begins;
        for (step, _, lasts) in together {
            let ends = at + whole(*lasts);
            match phases.last_mut() {
                Some(phase) if phase.0 == step.wave => phase.2 = ends,
                _ => phases.push((step.wave, at, ends, span.text.clone())),
            }
            at = ends;
        }
        next = last + 1;
    }
    let shown = |(wave, begins, ends, window): (u32, i64, i64, String)| json!({ "wave": wave, "begins": print::utc_time(begins), "ends": print::utc_time(ends), "window": window });
    Ok(phases.into_iter().map(shown).collect())
}

fn block_of(blocks: &[(usize, usize)], at: usize) -> Option<(usize, usize)> {
    blocks
        .iter()
        .copied()
        .find(|(first, last)| (*first..=*last).contains(&at))
}

fn too_long(spans: &[Span], steps: &[(&Step, u64, u64)]) -> Blocked {
    let needs = whole(steps.iter().map(|step| step.2).sum());
    let longest = spans.iter().map(|span| span.end - span.begin).max().unwrap_or(0);
    let names: Vec<&str> = steps.iter().map(|(step, ..)| step.component.as_str()).collect();
    let what = match steps {
        [(step, ..)] => format!("its step (phase {}) takes", step.wave),
        _ => format!(
            "links are down until all of {} are replaced, which takes",
            names.join(", ")
        ),
    };
    Blocked {
        component: names.first().map(|&name| name.to_owned()),
        link: None,
        reason: format!("{what} about {needs} s, and the longest maintenance window lasts {longest} s"),
        remedies: vec![
            "a longer window in [policy] windows".to_owned(),
            "a truer `takes` of the component in capgrow.toml".to_owned(),
        ],
    }
}

/// Keeps the steps of one run within the windows.
pub struct Gate {
    windows: Windows,
    /// The id and the length of each step, in the order of the run.
    steps: Vec<(String, u64)>,
    blocks: Vec<(usize, usize)>,
    /// Whether this run has begun a step: then it does not stop while links are down.
    begun: bool,
}

impl Gate {
    /// For the steps of that timeline.
    pub fn new(windows: Windows, timeline: &Timeline<'_>, blocks: Vec<(usize, usize)>) -> Gate {
        let steps = timeline
            .steps
            .iter()
            .map(|(step, _, lasts)| (step.id.clone(), *lasts))
            .collect();
        Gate {
            windows,
            steps,
            blocks,
            begun: false,
        }
    }

    /// Why this step must not begin now, in words; `None` lets it begin.
    ///
    /// Within a window that is too short for the rest, the step waits for the next one. Where links are down and come up
    /// with a later step, the steps up to that one count together, and once begun are not parted: to go on beyond the
    /// window is better than links that stay down until the next.
    pub fn hold(&mut self, step: &str, now: i64) -> Option<String> {
        if self.windows.is_empty() {
            return None;
        }
        let at = self.steps.iter().position(|(id, _)| id == step)?;
        let block = block_of(&self.blocks, at);
        if self.begun && block.is_some_and(|(first, _)| at > first) {
            return None;
        }
        let last = block.map_or(at, |(_, last)| last);
        let needs = whole(self.steps[at..=last].iter().map(|(_, lasts)| lasts).sum());
        let spans = self.windows.spans(now);
        let (begins, span) = match fit(&spans, now, needs) {
            Some((begins, _)) if begins <= now => {
                self.begun = true;
                return None;
            }
            Some(later) => later,
            None => {
                return Some(format!(
                    "no maintenance window is long enough for about {needs} s"
                ));
            }
        };
        let open = spans.iter().find(|span| span.begin <= now && now < span.end);
        let now_is = match open {
            Some(open) => format!(
                "the maintenance window `{}` ends in {} s and the next step needs about {needs} s",
                open.text,
                open.end - now
            ),
            None => "now is outside the maintenance windows".to_owned(),
        };
        Some(format!(
            "{now_is}; the next one, `{}`, opens at {}",
            span.text,
            print::local_time(begins)
        ))
    }
}

/// Milliseconds in seconds, rounded up.
fn whole(ms: u64) -> i64 {
    i64::try_from(crate::timeline::seconds(ms)).unwrap_or(i64::MAX / 4)
}

/// A year, and what it takes to see the same weekday on both sides of each change of the clock.
const DAYS_AHEAD: usize = 380;

#[cfg(test)]
mod tests;
