//! Profiles: the same bits, work counted by hand, orders of derivatives, nesting, threads, files.

use std::time::Duration;

use wengert_tape::{
    Cotangents, Event, EventKind, Op, Point, Pool2dOptions, Profile, Profiler, Sweep, Tape, Var, apply, grad,
    hvp, jvp, profile, span,
};
use wengert_tensor::conv::Conv2dOptions;
use wengert_tensor::{Shape, Tensor};

fn numbers(shape: impl Into<Shape>) -> Var<f64> {
    let shape = shape.into();
    Var::from(Tensor::linspace(-1.0, 1.3, shape.count()).reshape(shape))
}

fn operations<'a>(profile: &'a Profile, name: &str) -> Vec<&'a Event> {
    let of = |event: &&Event| event.kind == EventKind::Operation && event.name == name;
    profile.events.iter().filter(of).collect()
}

/// A bit of everything whose loops run by different ways.
fn network(x: &Var<f64>) -> Var<f64> {
    let image = x.reshape([2, 2, 6, 6]);
    let weight = numbers([3, 2, 3, 3]);
    let y = image
        .conv2d(&weight, None, Conv2dOptions::default())
        .max_pool2d(Pool2dOptions::new([2, 2]))
        .reshape([2, 3, 4]);
    let y = y.layer_norm(&numbers([4]), &numbers([4]), 1e-5);
    let y = y.attention(&y, &y, &Default::default()).gelu();
    let square = y.matmul(&y.t()) + Var::from(Tensor::eye(3)) * 9.0;
    square.cholesky().unwrap().logsumexp(-1, false).sum()
}

#[test]
fn what_is_computed_has_the_same_bits() {
    let (x, v) = (numbers([144]), numbers([144]).sin());
    let derivatives = || [grad(network, &x), hvp(network, &x, &v), jvp(network, &x, &v).1];
    let plain = derivatives();
    let (profiled, profile) = profile(derivatives);
    for (a, b) in plain.iter().zip(&profiled) {
        assert_eq!(a.value(), b.value());
    }
    for name in ["conv2d", "attention", "attention_gradients", "layer_norm", "cholesky", "gelu", "max_pool2d"]
    {
        assert!(!operations(&profile, name).is_empty(), "{name} is missing");
    }
}

#[test]
fn products_are_counted_in_all_passes() {
    let (a, b) = (numbers([5, 7]), numbers([7, 3]));
    let both = |v: &Var<f64>| {
        let (a, b) = (v.slice(..35).reshape([5, 7]), v.slice(35..).reshape([7, 3]));
        a.matmul(&b).sum()
    };
    let joined = Var::cat(&[a.reshape([35]), b.reshape([21])], 0);
    let (_, profile) = profile(|| grad(both, &joined));
    let products: Vec<(u8, u64)> =
        operations(&profile, "matmul").iter().map(|event| (event.order, event.flops)).collect();
    assert_eq!(products, [(0, 2 * 5 * 7 * 3), (1, 2 * 5 * 7 * 3), (1, 2 * 5 * 7 * 3)]);
}

#[test]
fn convolutions_are_counted_in_all_passes() {
    let options = Conv2dOptions { stride: [2, 1], groups: 2, ..Default::default() };
    let f = |v: &Var<f64>| {
        let image = v.slice(..2 * 4 * 9 * 8).reshape([2, 4, 9, 8]);
        let weight = v.slice(2 * 4 * 9 * 8..).reshape([6, 2, 3, 3]);
        image.conv2d(&weight, None, options).sum()
    };
    let (_, profile) = profile(|| grad(f, &numbers([2 * 4 * 9 * 8 + 6 * 2 * 9])));
    // 4 by 6 places, 2 images, 6 channels, of 2 channels and 9 places each.
    let work = 2 * (4 * 6) * 2 * 6 * 2 * 9;
    let found: Vec<(u8, u64)> = operations(&profile, "conv2d").iter().map(|e| (e.order, e.flops)).collect();
    assert_eq!(found, [(0, work), (1, work), (1, work)]);
}

#[test]
fn a_second_contribution_that_is_added_in_place_is_counted() {
    let w = numbers([4, 4]);
    let f = |w: &Var<f64>| numbers([2, 4]).matmul(w).matmul(w).sum();
    let (_, profile) = profile(|| grad(f, &w));
    let added = operations(&profile, "matmul_add_right");
    assert_eq!(added.iter().map(|event| event.flops).collect::<Vec<_>>(), [2 * 2 * 4 * 4]);
}

#[test]
fn attention_is_two_products_and_five() {
    let x = numbers([2, 3, 5, 4]);
    let f = |x: &Var<f64>| x.attention(x, x, &Default::default()).sum();
    let (_, profile) = profile(|| grad(f, &x));
    let scores = 2 * 3 * 5 * 5;
    assert_eq!(operations(&profile, "attention")[0].flops, 2 * 2 * scores * 4 + 5 * scores);
    assert_eq!(operations(&profile, "attention_gradients")[0].flops, 5 * 2 * scores * 4 + 5 * scores);
}

#[test]
fn orders_are_those_of_the_derivatives() {
    let x = numbers([6]);
    let f = |x: &Var<f64>| x.sin().square().sum();
    let orders = |profile: &Profile| {
        let mut orders: Vec<u8> = profile.events.iter().map(|event| event.order).collect();
        orders.sort_unstable();
        orders.dedup();
        orders
    };
    assert_eq!(orders(&profile(|| f(&x)).1), [0]);
    assert_eq!(orders(&profile(|| grad(f, &x)).1), [0, 1]);
    assert_eq!(orders(&profile(|| jvp(f, &x, &x)).1), [0, 1]);
    assert_eq!(orders(&profile(|| hvp(f, &x, &x)).1), [0, 1, 2]);
    let thrice = |x: &Var<f64>| grad(|x: &Var<f64>| grad(|x: &Var<f64>| grad(f, x).sum(), x).sum(), x);
    assert_eq!(orders(&profile(|| thrice(&x)).1), [0, 1, 2, 3]);
    // What a rule computes again by a tape of its own is part of that rule.
    let again = |x: &Var<f64>| wengert_tape::checkpoint(|x| x[0].sin().exp(), &[x]).sum();
    let (_, profile) = profile(|| grad(again, &x));
    assert_eq!(orders(&profile), [0, 1]);
    // The value, the same again, and the slope.
    assert_eq!(operations(&profile, "sin").iter().map(|e| e.order).collect::<Vec<_>>(), [0, 1, 1]);
}

#[test]
fn events_are_nested_and_times_add_up() {
    let x = numbers([40, 40]);
    let (_, profile) = profile(|| {
        let _outer = span("outer");
        {
            let _inner = span("inner");
            x.matmul(&x);
        }
        grad(|x: &Var<f64>| x.matmul(x).sum(), &x)
    });
    let events = &profile.events;
    assert_eq!(
        (events[0].name.as_str(), events[1].name.as_str(), events[2].name.as_str()),
        ("outer", "inner", "matmul")
    );
    assert_eq!((events[0].depth, events[1].depth, events[2].depth), (0, 1, 2));
    let mut open: Vec<&Event> = Vec::new();
    for event in events {
        open.truncate(event.depth);
        assert_eq!(open.len(), event.depth);
        if let Some(outer) = open.last() {
            assert!(outer.start <= event.start && event.start + event.time <= outer.start + outer.time);
        }
        open.push(event);
    }
    let own: Duration = events.iter().map(|event| event.own).sum();
    assert_eq!(own, events[0].time);
    assert!(own <= profile.wall);
    // Spans have the work of what ran inside of them, and their own time is without spans inside.
    let spans = profile.spans();
    let row = |name: &str| spans.rows.iter().find(|row| row.name == name).unwrap();
    assert_eq!(row("inner").flops, 2 * 40 * 40 * 40);
    assert_eq!(row("outer").flops, profile.flops());
    assert_eq!(spans.rows.iter().map(|row| row.own).sum::<Duration>(), events[0].time);
}

#[test]
fn a_profile_inside_of_another_is_part_of_it() {
    let x = numbers([3]);
    let ((_, inner), outer) = profile(|| {
        let _span = span("outside");
        profile(|| x.exp().ln())
    });
    assert_eq!(inner.events.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["exp", "ln"]);
    assert_eq!(outer.events.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["outside", "exp", "ln"]);
    assert_eq!(outer.events[1].depth, 1);
    assert_eq!(inner.events[0].time, outer.events[1].time);
}

#[test]
fn a_panic_leaves_profiles_as_they_should_be() {
    let x = numbers([3]);
    let profiler = Profiler::new();
    let broken = std::panic::AssertUnwindSafe(|| {
        profiler.record(|| {
            let _span = span("broken");
            x.exp();
            &x + numbers([4])
        })
    });
    assert!(std::panic::catch_unwind(broken).is_err());
    x.exp();
    profiler.record(|| x.sin());
    let profile = profiler.finish();
    // The operation that panicked did not come to its end, the span did.
    assert_eq!(profile.events.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["broken", "exp", "sin"]);
    assert_eq!(profile.events[2].depth, 0);
}

#[test]
fn a_span_that_leaves_its_profile_is_left_out() {
    let (escaped, first) = profile(|| span("escaped"));
    let (_, second) = profile(|| {
        numbers([2]).exp();
        drop(escaped);
    });
    assert!(first.events.is_empty());
    assert_eq!(second.events.len(), 1);
}

#[test]
fn threads_are_told_apart() {
    let profiler = Profiler::new();
    let other = profiler.record(|| numbers([3]).exp());
    std::thread::scope(|threads| {
        threads.spawn(|| profiler.record(|| drop(numbers([3]).sin())));
        // A thread that nobody records adds nothing.
        threads.spawn(|| drop(numbers([3]).cos()));
    });
    let profile = profiler.finish();
    assert_eq!(other.len(), 3);
    let found: Vec<(usize, &str)> = profile.events.iter().map(|e| (e.thread, e.name.as_str())).collect();
    assert_eq!(found, [(0, "exp"), (1, "sin")]);
}

/// Twice a vector, by a million operations.
struct Slow;

impl Op<f64> for Slow {
    fn name(&self) -> &str {
        "slow \"quoted\"\n"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Tensor<f64> {
        x[0] * 2.0
    }
    fn vjp(&self, _: &Point<f64>, v: &Var<f64>, into: &mut Cotangents<f64>) {
        into.add(0, || v * 2.0);
    }
    fn flops(&self, _: &[&Shape], _: &Shape) -> Option<u64> {
        Some(1_000_000)
    }
}

#[test]
fn a_trace_is_a_file_of_events() {
    let ((), profile) = profile(|| {
        let _span = span("layer");
        grad(|x: &Var<f64>| apply(Slow, &[x]).sum(), &numbers([3]));
    });
    let path = std::env::temp_dir().join(format!("wengert-profile-{}.json", std::process::id()));
    profile.write_trace(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let trace: serde_json::Value = serde_json::from_str(&text).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let complete: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    assert_eq!(complete.len(), profile.events.len());
    let slow = complete.iter().find(|event| event["name"] == "slow \"quoted\"\n").unwrap();
    assert_eq!((slow["args"]["flops"].as_u64(), slow["cat"].as_str()), (Some(1_000_000), Some("operation")));
    for event in &complete {
        let (start, time) = (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap());
        assert!(start >= 0.0 && time >= 0.0 && start + time <= profile.wall.as_secs_f64() * 1e6 + 1.0);
    }
    assert!(events.iter().any(|event| event["ph"] == "C"));
    assert!(events.iter().any(|event| event["ph"] == "M" && event["args"]["name"] == "thread 0"));

    let error = profile.write_trace(std::env::temp_dir()).unwrap_err();
    assert!(error.to_string().contains("a folder"), "{error}");
}

#[test]
fn a_table_is_sorted_and_adds_up() {
    let x = numbers([30, 30]);
    let (_, profile) = profile(|| grad(|x: &Var<f64>| x.matmul(x).tanh().sum(), &x));
    let table = profile.table();
    assert!(table.rows.windows(2).all(|pair| pair[0].own >= pair[1].own));
    assert_eq!(table.rows.iter().map(|row| row.calls).sum::<usize>(), profile.events.len());
    assert_eq!(table.rows.iter().map(|row| row.flops).sum::<u64>(), profile.flops());
    let text = table.to_string();
    assert_eq!(text.lines().count(), table.rows.len() + 2);
    assert!(text.contains("rule of matmul") && text.contains("reverse sweep"), "{text}");
    assert!(profile.peak_bytes() > 0);
}

#[test]
fn drawings_have_times_where_the_recording_was_profiled() {
    let record = || {
        let tape = Tape::new();
        let x = tape.var(numbers([3]).into_value());
        let y = x.exp().sum();
        tape.pull_back(&y, Var::ones(y.shape()), &[&x], Sweep::Retain);
        (tape.to_dot(), tape.to_mermaid())
    };
    let (dot, mermaid) = record();
    assert!(!dot.contains("µs") && !mermaid.contains("µs"));
    let ((dot, mermaid), _) = profile(record);
    let exp = dot.lines().find(|line| line.contains("exp")).unwrap();
    assert!(exp.contains("[3]") && exp.contains(" µs, rule ") && exp.ends_with("\"];"), "{exp}");
    assert!(mermaid.lines().any(|line| line.contains("exp<br/>[3]<br/>") && line.contains(" µs, rule ")));
}
