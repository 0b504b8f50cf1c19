use crate::axis::{Axis, number};
use crate::contour::Grid;
use crate::geometry::{clip, dash, smooth_parts, thin};
use crate::write::Drawing;
use crate::*;

#[test]
fn ticks_are_round_and_inside() {
    let linear = Axis::new("x");
    let ticks: Vec<String> = linear.ticks((-0.9, 1.0)).iter().map(|&t| linear.text(t, (-0.9, 1.0))).collect();
    assert_eq!(
        ticks,
        ["−0.8", "−0.6", "−0.4", "−0.2", "0.0", "0.2", "0.4", "0.6", "0.8", "1.0"][..].to_vec()
    );
    let log = Axis::log("f").range(1e-6, 10.0);
    let ends = log.ends(std::iter::empty());
    let ticks: Vec<String> = log.ticks(ends).iter().map(|&t| log.text(t, ends)).collect();
    assert_eq!(ticks, ["1e−6", "1e−5", "1e−4", "1e−3", "0.01", "0.1", "1", "10"]);
}

#[test]
fn numbers_are_short() {
    let texts = [1e-3, 0.05, 2.0, 5000.0, 1e4, 2.0e10, 0.0, -30.0].map(number);
    assert_eq!(texts, ["1e−3", "0.05", "2", "5000", "1e4", "2e10", "0", "−30"]);
}

#[test]
fn a_log_axis_leaves_out_what_has_no_logarithm() {
    let log = Axis::log("f");
    assert!(log.place(0.0).is_nan() && log.place(-1.0).is_nan());
    let (low, high) = log.ends([0.0, 1.0, 100.0, f64::NAN].into_iter());
    assert!(low < 0.0 && low > -0.1 && high > 2.0 && high < 2.1);
}

#[test]
fn an_axis_of_nines_gives_equal_ratios_of_what_is_missing_equal_lengths() {
    let nines = Axis::nines("accuracy (%)").range(80.0, 99.0);
    assert!((nines.place(95.0) - nines.place(90.0) - (nines.place(99.0) - nines.place(98.0))).abs() < 1e-12);
    assert!(nines.place(100.0).is_nan());
    let ends = nines.ends(std::iter::empty());
    let ticks: Vec<String> = nines.ticks(ends).iter().map(|&t| nines.text(t, ends)).collect();
    assert_eq!(ticks, ["80", "90", "95", "97", "98", "98.5", "99"]);
}

#[test]
fn lines_are_cut_at_the_frame() {
    let parts = clip([(-1.0, 1.0), (3.0, 1.0), (3.0, 5.0), (1.0, 5.0), (1.0, -1.0)], (0.0, 0.0), (2.0, 4.0));
    assert_eq!(parts, [vec![(0.0, 1.0), (2.0, 1.0)], vec![(1.0, 4.0), (1.0, 0.0)]]);
    let gap = clip([(0.0, 0.0), (1.0, 1.0), (f64::NAN, 0.0), (1.0, 0.0), (0.0, 1.0)], (0.0, 0.0), (2.0, 2.0));
    assert_eq!(gap, [vec![(0.0, 0.0), (1.0, 1.0)], vec![(1.0, 0.0), (0.0, 1.0)]]);
}

#[test]
fn thinning_keeps_both_ends() {
    let line: Vec<(f64, f64)> = (0..=100).map(|i| (0.01 * f64::from(i), 0.0)).collect();
    let kept = thin(&line, 0.3);
    assert_eq!((kept[0], kept[kept.len() - 1]), ((0.0, 0.0), (1.0, 0.0)));
    assert!(kept.len() <= 5);
}

#[test]
fn dashes_have_the_length_of_the_pattern() {
    let strokes = dash(&[(0.0, 0.0), (6.0, 0.0), (10.0, 0.0)], &[3.0, 2.0]);
    assert_eq!(strokes, [vec![(0.0, 0.0), (3.0, 0.0)], vec![(5.0, 0.0), (6.0, 0.0), (8.0, 0.0)]]);
}

#[test]
fn the_contour_of_a_cone_is_a_closed_circle() {
    let values = (0..441).map(|i| f64::from(i % 21 - 10).hypot(f64::from(i / 21 - 10))).collect();
    let lines = Grid { columns: 21, values }.lines(6.3);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].first(), lines[0].last());
    assert!(lines[0].iter().all(|p| ((p.0 - 10.0).hypot(p.1 - 10.0) - 6.3).abs() < 0.05));
}

#[test]
fn both_files_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let panel = Panel::new(Axis::new("step"), Axis::log("value"))
        .over(Field {
            name: "f".into(),
            values: Box::new(|x, y| x.iter().zip(y).map(|(x, y)| x * y).collect()),
            levels: vec![0.5],
        })
        .with(Series::path("a < b", 0, vec![(0.0, 1.0), (1.0, 0.1)]))
        .with(Series::points("start", Mark::Dots, vec![(0.0, 1.0)]));
    let [svg, png] = Figure::new("Title", vec![panel]).size(400, 300).save(folder.path(), "f").unwrap();
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(svg.starts_with("<svg width=\"400\" height=\"300\" viewBox=\"0 0 1200 900\""));
    assert!(svg.contains("a &lt; b") && svg.contains("Title"));
    let mut reader =
        png::Decoder::new(std::io::BufReader::new(std::fs::File::open(png).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), (400, 300));
    // The dot at the left end is in ink; the corner is paper.
    assert!(pixels.chunks(3).any(|p| p == [30, 30, 30]) && pixels[..3] == [255, 255, 255]);
}

#[test]
fn lines_part_at_sharp_turns() {
    let back = (0.1, 0.0);
    let parts = smooth_parts(&[(0.0, 0.0), (1.0, 0.0), back, (0.1, 1.0)]);
    assert_eq!(parts, [vec![(0.0, 0.0), (1.0, 0.0)], vec![(1.0, 0.0), back, (0.1, 1.0)]]);
}

#[test]
fn a_matrix_and_a_sheet_are_drawn_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let counts = vec![vec![30.0, 2.0, 0.0], vec![1.0, 25.0, 4.0], vec![0.0, 0.0, 0.0]];
    let matrix =
        Matrix::new("Counts", counts).labels(["a<b", "b", "ccc"]).axes("true", "predicted").note("of 62");
    let svg = matrix.to_svg().unwrap();
    assert!(svg.contains("a&lt;b") && svg.contains("predicted") && svg.contains("30"));
    matrix.save(folder.path(), "matrix").unwrap();
    let tiles = (0..10u8)
        .map(|i| Tile::new(2, 3, &[0, 50, 100, 150, 200, i]).caption(&format!("{i}, not 3\n97 %")))
        .chain([Tile::new(300, 100, &vec![90; 90_000])])
        .collect();
    let sheet = Sheet::new("Tiles", tiles).columns(4);
    let svg = sheet.to_svg().unwrap();
    assert_eq!((svg.matches("<image ").count(), svg.matches("97 %").count()), (11, 10));
    sheet.write(folder.path().join("new/sheet.png")).unwrap();
    let file = std::fs::File::open(folder.path().join("new/sheet.png")).unwrap();
    let reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), Drawing::size(&sheet));
}

#[test]
fn nothing_is_drawn_of_nothing() {
    for svg in [
        Matrix::new("none", vec![]).to_svg(),
        Matrix::new("none", vec![vec![]]).to_svg(),
        Sheet::new("none", vec![]).to_svg(),
        Figure::new("none", vec![]).to_svg(),
    ] {
        assert!(svg.unwrap().contains("none"));
    }
    Sheet::new("", vec![]).to_png().unwrap();
}

#[test]
fn the_name_of_a_file_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let figure = Figure::new("f", vec![Panel::new(Axis::new("x"), Axis::new("y"))]).size(200, 100);
    for name in ["f", "f.gif", "svg"] {
        let error = figure.write(folder.path().join(name)).unwrap_err();
        assert!(matches!(error, PlotError::Extension { .. }), "{name}: {error}");
    }
    std::fs::write(folder.path().join("file"), "").unwrap();
    let error = figure.write(folder.path().join("file/f.svg")).unwrap_err();
    assert!(matches!(error, PlotError::Write { .. }) && error.to_string().contains("f.svg"), "{error}");
    figure.write(folder.path().join("F.SVG")).unwrap();
    assert!(std::fs::read_dir(folder.path()).unwrap().count() == 2);
}

#[test]
#[should_panic(expected = "Tile::new: 5 bytes for 2 × 2 pixels")]
fn a_tile_needs_all_its_bytes() {
    let _ = Tile::new(2, 2, &[0; 5]);
}

#[test]
#[should_panic(expected = "row 1 has 1 counts, row 0 has 2")]
fn a_matrix_has_rows_of_one_length() {
    let _ = Matrix::new("m", vec![vec![1.0, 2.0], vec![3.0]]);
}
