use std::path::{Path, PathBuf};
use std::process::Command;

use wengert_tensor::Tensor;

use super::*;
use crate::log::tests::{at, start, step};
use crate::metric::Metric;

/// A report with everything, and with names that are no HTML.
fn report() -> Report {
    let mut report = Report::new("Digits <b>&\"'").note("A note with <script>alert(1)</script> in it.\0");
    {
        let log: &mut dyn RunObserver<f32> = &mut report;
        start(log, &at(1, 0));
        for epoch in 0..8u64 {
            let now = Moment { epochs: 8, batch: 10, batches: 10, ..at(epoch + 1, 10 * (epoch + 1)) };
            step(log, &now, 0.5, wengert_optim::Step::Updated { gradient_norm: 1.0 });
            let t = epoch as f64;
            let train = [("loss".to_owned(), 2.3 * (-0.9 * t).exp())];
            let _ = log.on(&Event::Values { set: "train", values: &train }, &now);
            let loss = if epoch == 3 { f64::NAN } else { 0.3 + 2.0 * (-0.9 * t).exp() };
            let values =
                [("loss".to_owned(), loss), ("accuracy <%>".to_owned(), 1.0 - 0.5 * (-0.4 * t).exp())];
            let _ = log.on(&Event::Values { set: "validation", values: &values }, &now);
        }
        let end = Moment { epochs: 8, ..at(8, 80) };
        let _ = log.on(&Event::End { reason: "all epochs are done" }, &end);
    }
    let classes: Vec<String> = (0..10).map(|i| format!("<{i}>")).collect();
    let mut matrix = ConfusionMatrix::new().classes(classes.clone());
    for i in 0..400u32 {
        let (label, near) = (i % 10, (i % 10 + i / 10 % 3) % 10);
        let predicted = if i % 4 == 0 { near } else { label };
        let row: Vec<f32> =
            (0..10).map(|c| if i == 77 { f32::NAN } else { f32::from(u8::from(c == predicted)) }).collect();
        let row = Tensor::from_vec(row, [1, 10]).unwrap();
        matrix.update(&row, &Tensor::from_vec(vec![label], [1]).unwrap());
    }
    let mut wrong = WrongExamples::new(12).size(8, 8).classes(classes.clone());
    let images: Vec<f32> = (0..20 * 64).map(|i| ((i % 64 * (i / 64 + 1)) % 17) as f32).collect();
    let outputs: Vec<f32> = (0..200).map(|i| ((i * 7919) % 13) as f32 / 2.0).collect();
    wrong.update(
        &Tensor::from_vec(images, [20, 64]).unwrap(),
        &Tensor::from_vec(outputs, [20, 10]).unwrap(),
        &Tensor::from_vec((0..20).map(|i| i % 10).collect(), [20]).unwrap(),
    );
    report.setting("learning rate", 1e-3).confusion("validation", &matrix).wrong("validation", &wrong)
}

/// Whether each element is closed where it should be.
fn check_nesting(html: &str) {
    let void = ["meta", "img", "br", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !void.contains(&name) && !tag.ends_with('/') {
            open.push(name);
        }
        rest = &rest[end..];
        if name == "style" && !tag.starts_with('/') {
            rest = &rest[rest.find("</style>").unwrap()..];
        }
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn a_report_has_all_that_it_was_told_as_text() {
    let html = report().to_html();
    check_nesting(&html);
    for text in [
        "<h1>Digits &lt;b&gt;&amp;&quot;'</h1>",
        "with &lt;script&gt;alert(1)&lt;/script&gt; in it.\u{fffd}",
        "80 steps · epoch 8 of 8 · 800 examples · 0.1 s · ended: all epochs are done",
        "<tr><th scope=\"row\">train.loss</th><td>0.0042</td><td>0.0042</td><td>8</td><td>2.3000</td><td>1</td></tr>",
        "<th scope=\"row\">validation.accuracy &lt;%&gt;</th>",
        "<th scope=\"row\">optimiser</th><td>adam, &quot;fast&quot;\nor not</td>",
        "<th scope=\"row\">learning rate</th><td>0.001</td>",
        "<th scope=\"col\">&lt;9&gt;</th>",
        " of 400 are right, ",
        "<p>1 were taken for nothing, as an output was NaN.</p>",
        "taken for &lt;",
        "data:image/png;base64,iVBORw0KGgo",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert_eq!((html.matches("<svg").count(), html.matches("<polyline").count()), (2, 4));
    assert_eq!(html.matches("<img").count(), 12);
    // Nothing comes from elsewhere.
    assert!(!html.contains("://") && !html.contains("<script") && !html.contains("url("));
}

#[test]
fn an_empty_report_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/r.html");
    let report =
        Report::new("").confusion("none", &ConfusionMatrix::new()).wrong("none", &WrongExamples::new(0));
    report.write(&path).unwrap();
    check_nesting(&std::fs::read_to_string(&path).unwrap());
    let error = report.write(path.join("r.html")).unwrap_err();
    assert!(matches!(error, ReportError::Write { .. }) && error.to_string().contains("r.html"), "{error}");
}

#[test]
fn a_run_that_goes_on_forgets_later_values() {
    let mut report = report();
    start(&mut report, &at(4, 40));
    assert_eq!(report.history.rows.len(), 12);
    assert!(report.to_html().contains("not ended yet"));
    assert_eq!(report.settings.iter().filter(|(name, _)| name == "optimiser").count(), 1);
}

#[test]
fn the_surest_of_the_wrong_are_kept() {
    let mut wrong = WrongExamples::new(2);
    let images = Tensor::<f32>::zeros([4, 2, 2]);
    let outputs = vec![f32::NAN, 1.0, 3.0, 0.0, 0.0, 0.5, f32::NAN, f32::NAN];
    let outputs = Tensor::from_vec(outputs, [4, 2]).unwrap();
    let labels = |l: [u32; 4]| Tensor::from_vec(l.to_vec(), [4]).unwrap();
    wrong.update(&images, &outputs, &labels([1, 1, 0, 1]));
    wrong.update(&images, &outputs, &labels([0, 0, 9, 0]));
    assert_eq!((wrong.count(), wrong.total()), (5, 8));
    let kept: Vec<_> = wrong.examples().iter().map(|e| (e.index, e.label, e.predicted)).collect();
    assert_eq!(kept, [(4, 0, 1), (1, 1, 0)]);
    assert_eq!(wrong.examples()[0].probability, 1.0);
}

#[test]
#[should_panic(expected = "images of shape [2, 16] are no pictures; rows of pixels need a size")]
fn rows_of_pixels_need_a_size() {
    let labels = Tensor::from_vec(vec![0, 1], [2]).unwrap();
    WrongExamples::new(1).update(&Tensor::<f32>::zeros([2, 16]), &Tensor::zeros([2, 3]), &labels);
}

#[test]
#[should_panic(expected = "outputs of shape [2, 3], labels of shape [3]")]
fn there_is_a_label_for_each_example() {
    let labels = Tensor::from_vec(vec![0, 1, 0], [3]).unwrap();
    WrongExamples::new(1).update(&Tensor::<f32>::zeros([2, 4, 4]), &Tensor::zeros([2, 3]), &labels);
}

#[cfg(feature = "plot")]
#[test]
fn wrong_examples_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    report().wrong[0].1.plot(folder.path().join("wrong.png")).unwrap();
    let mut matrix = ConfusionMatrix::new().classes(["cat"]);
    matrix.update(&Tensor::from([[2.0f32, 1.0], [0.0, 1.0], [f32::NAN, 0.2]]), &Tensor::from([0, 0, 1]));
    matrix.plot(folder.path().join("matrix.svg")).unwrap();
    let svg = std::fs::read_to_string(folder.path().join("matrix.svg")).unwrap();
    for text in ["cat", "predicted", "1 of 3 are right, 33.33 %; 1 were taken for nothing"] {
        assert!(svg.contains(text), "{text}");
    }
    ConfusionMatrix::new().plot(folder.path().join("matrix.png")).unwrap();
    assert!(report().wrong[0].1.plot(folder.path().join("wrong.bmp")).is_err());
}

/// A browser that needs no screen: `$WENGERT_BROWSER`, or Chromium by one of its names.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let asked = std::env::var_os("WENGERT_BROWSER").map(PathBuf::from);
    let found = asked.into_iter().chain(names.map(PathBuf::from)).find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        println!("SKIPPED: there is no Chromium; set WENGERT_BROWSER to one");
    }
    found
}

/// Opens a page and returns what the browser made of it, after it complained of nothing.
fn open(browser: &Path, page: &Path, dark: bool) -> String {
    let profile = tempfile::tempdir().unwrap();
    let picture = page.with_extension(if dark { "dark.png" } else { "light.png" });
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"])
        .args(["--window-size=1200,2600", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--screenshot={}", picture.display()))
        .args(dark.then_some("--blink-settings=preferredColorScheme=0"))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaints}");
    assert!(!complaints.contains("CONSOLE"), "{complaints}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_browser_shows_it_and_asks_for_nothing() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("WENGERT_KEEP_REPORT").map_or(folder.path().to_owned(), PathBuf::from);
    let page = folder.join("report.html");
    report().write(&page).unwrap();
    let html = report().to_html();
    for dark in [false, true] {
        let dom = open(&browser, &page, dark);
        // What the browser understood has all elements that were written, and none that it made up but `tbody`.
        for tag in [
            "<section",
            "<tr",
            "<td",
            "<th ",
            "<figure",
            "<img",
            "<svg",
            "<polyline",
            "<rect",
            "<details",
            "<h2",
        ] {
            assert_eq!(dom.matches(tag).count(), html.matches(tag).count(), "{tag}");
        }
        assert!(!dom.contains("<script") && dom.contains("&lt;script&gt;"));
    }
}
