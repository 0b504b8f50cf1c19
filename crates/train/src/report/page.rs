//! The page of a report.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Confusion, Report};
use crate::history::Row;
use crate::number::{duration, short};

const STYLE: &str = include_str!("style.css");

/// Classes whose counts are shown as a table; of more, the pairs alone.
const TABLE: usize = 40;

/// A text in HTML. Characters that are not allowed there are replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() => html.push('\u{fffd}'),
            // Noncharacters.
            c if (c as u32) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&c) => {
                html.push('\u{fffd}')
            }
            c => html.push(c),
        }
    }
    html
}

/// The whole page. A string takes all that is written to it.
pub(super) fn page(report: &Report) -> String {
    let title = escaped(&report.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    let _ = writeln!(html, "<p class=\"facts\">{}</p>", facts(report));
    for note in &report.notes {
        let _ = writeln!(html, "<p>{}</p>", escaped(note));
    }
    values(&mut html, report);
    if !report.history.rows.is_empty() {
        let charts = super::chart::charts(&report.history);
        let _ =
            writeln!(html, "<section>\n<h2>Curves</h2>\n<div class=\"sheet\">\n{charts}</div>\n</section>");
    }
    for confusion in &report.confusions {
        matrix(&mut html, confusion);
    }
    for (set, wrong) in &report.wrong {
        let _ = writeln!(
            html,
            "<section>\n<h2>Wrong examples, {}</h2>\n<p>{}</p>\n<div class=\"sheet\">",
            escaped(set),
            wrong.note()
        );
        for example in wrong.examples() {
            let (picture, caption) = (&example.picture, escaped(&wrong.caption(example)));
            let _ = writeln!(
                html,
                "<figure><img src=\"data:image/png;base64,{}\" width=\"{}\" height=\"{}\" alt=\"example {}\">\
                 <figcaption>{}</figcaption></figure>",
                STANDARD.encode(picture.to_png()),
                picture.width(),
                picture.height(),
                example.index,
                caption.replace('\n', "<br>")
            );
        }
        html.push_str("</div>\n</section>\n");
    }
    if !report.settings.is_empty() {
        html.push_str("<section>\n<h2>Settings</h2>\n<div class=\"wide\"><table class=\"settings\">\n");
        for (name, value) in &report.settings {
            let (name, value) = (escaped(name), escaped(value));
            let _ = writeln!(html, "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
        }
        html.push_str("</table></div>\n</section>\n");
    }
    history(&mut html, report);
    let _ = write!(
        html,
        "<footer>Written by Wengert {}.</footer>\n</main>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    html
}

/// How the run went, in a line.
fn facts(report: &Report) -> String {
    let mut facts = Vec::new();
    let now = &report.now;
    if now.step > 0 {
        facts.push(format!("{} steps", now.step));
        let epochs = if now.batch > 0 || now.batches == 0 { now.epoch } else { now.epoch.saturating_sub(1) };
        facts.push(match now.epochs {
            0 => format!("epoch {epochs}"),
            all => format!("epoch {} of {all}", epochs.clamp(1, all)),
        });
        if now.examples > 0 {
            facts.push(format!("{} examples", now.examples));
        }
        facts.push(duration(now.elapsed));
    }
    facts.push(match &report.reason {
        Some(reason) => format!("ended: {}", escaped(reason)),
        None if now.step > 0 => "not ended yet".into(),
        None => "a report".into(),
    });
    facts.join(" · ")
}

/// Last, least and greatest of all values.
fn values(html: &mut String, report: &Report) {
    let history = &report.history;
    if history.rows.is_empty() {
        return;
    }
    html.push_str(
        "<section>\n<h2>Values</h2>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">value</th><th scope=\"col\">last</th>\
         <th scope=\"col\">least</th><th scope=\"col\">in epoch</th><th scope=\"col\">greatest</th><th scope=\"col\">in epoch</th></tr></thead>\n<tbody>\n",
    );
    for name in history.names() {
        let best = |goal| history.best(&name, goal);
        let cells = |row: Option<&Row>| match row {
            Some(row) => format!("<td>{}</td><td>{}</td>", short(row.value), row.epoch),
            None => "<td>–</td><td>–</td>".into(),
        };
        let last = history.last(&name).map(short).unwrap_or_default();
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{last}</td>{}{}</tr>",
            escaped(&name),
            cells(best(wengert_optim::first::Goal::Min)),
            cells(best(wengert_optim::first::Goal::Max))
        );
    }
    html.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// The table of counts, and the pairs that are confused most.
fn matrix(html: &mut String, confusion: &Confusion) {
    let class = |i: usize| escaped(confusion.labels.get(i).map_or(i.to_string().as_str(), String::as_str));
    let _ = writeln!(html, "<section>\n<h2>Confusion matrix, {}</h2>", escaped(&confusion.set));
    let counts = &confusion.counts;
    let total = counts.iter().flatten().sum::<u64>() + confusion.undecided;
    let right: u64 = counts.iter().enumerate().filter_map(|(i, row)| row.get(i)).sum();
    let share = if total > 0 { 100.0 * right as f64 / total as f64 } else { 0.0 };
    let _ = writeln!(
        html,
        "<p>{right} of {total} are right, {share:.2} %. A row is a true class, a column what was predicted.</p>"
    );
    if confusion.undecided > 0 {
        let _ =
            writeln!(html, "<p>{} were taken for nothing, as an output was NaN.</p>", confusion.undecided);
    }
    if (1..=TABLE).contains(&counts.len()) {
        html.push_str("<div class=\"wide\"><table class=\"matrix\">\n<thead><tr><th></th>");
        for c in 0..counts.len() {
            let _ = write!(html, "<th scope=\"col\">{}</th>", class(c));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for (r, row) in counts.iter().enumerate() {
            let _ = write!(html, "<tr><th scope=\"row\">{}</th>", class(r));
            let all: u64 = row.iter().sum();
            for (c, &count) in row.iter().enumerate() {
                let part = if all > 0 { (count as f64 / all as f64).sqrt() } else { 0.0 };
                let colour = if c == r { "0,130,190" } else { "220,90,0" };
                let text = if count > 0 { count.to_string() } else { String::new() };
                let _ =
                    write!(html, "<td style=\"background:rgba({colour},{:.3})\">{text}</td>", 0.75 * part);
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>\n</table></div>\n");
    }
    let mut pairs: Vec<(u64, usize, usize)> = counts
        .iter()
        .enumerate()
        .flat_map(|(r, row)| row.iter().enumerate().map(move |(c, &count)| (count, r, c)))
        .filter(|&(count, r, c)| count > 0 && r != c)
        .collect();
    pairs.sort_by_key(|&(count, r, c)| (std::cmp::Reverse(count), r, c));
    if !pairs.is_empty() {
        let pairs: Vec<String> = pairs
            .iter()
            .take(8)
            .map(|&(count, r, c)| format!("{} for {} ({count})", class(r), class(c)))
            .collect();
        let _ = writeln!(html, "<p>Taken most often: {}.</p>", pairs.join(", "));
    }
    html.push_str("</section>\n");
}

/// All values, by moment.
fn history(html: &mut String, report: &Report) {
    let (names, lines) = report.history.table();
    if lines.is_empty() {
        return;
    }
    html.push_str(
        "<section>\n<details>\n<summary>All values</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">epoch</th><th scope=\"col\">step</th>",
    );
    for name in names {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escaped(&name));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for line in lines {
        html.push_str("<tr>");
        for cell in line {
            let _ = write!(html, "<td>{cell}</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table></div>\n</details>\n</section>\n");
}
