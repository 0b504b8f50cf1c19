//! Groups: patterns, learning rates, and a random attack on both.

use wengert_optim::first::*;
use wengert_optim::schedule::{Constant, Schedule, Warmup};
use wengert_optim::*;
use wengert_tensor::random::Generator;

fn layout() -> Layout {
    Layout::new([
        ("hidden.weight", vec![2, 2]),
        ("hidden.bias", vec![2]),
        ("out.weight", vec![2]),
        ("bias", vec![1]),
    ])
}

fn sgd(rate: f64) -> impl Fn(&Layout) -> Result<Sgd<f64>, HyperParameterError> {
    move |_| Sgd::with_config(rate, SgdConfig::default())
}

/// The learning rate of each of the 9 parameters: how far a gradient of 1 moves it.
fn rates(optimizer: &mut dyn Optimizer<f64>) -> Vec<f64> {
    let mut x = [0.0; 9];
    optimizer.step(&mut x, &[-1.0; 9]);
    x.to_vec()
}

fn of_tensors([weight, bias, out, last]: [f64; 4]) -> Vec<f64> {
    vec![weight, weight, weight, weight, bias, bias, out, out, last]
}

#[test]
fn patterns_fit_whole_names_or_are_errors() {
    let groups = |pattern: &str| Groups::of(&layout()).group(pattern, sgd(0.5)).rest(sgd(0.25));
    // `bias` is one parameter, not every bias.
    assert_eq!(rates(&mut groups("bias").unwrap()), of_tensors([0.25, 0.25, 0.25, 0.5]));
    assert_eq!(rates(&mut groups("*bias").unwrap()), of_tensors([0.25, 0.5, 0.25, 0.5]));
    assert_eq!(rates(&mut groups("*.bias").unwrap()), of_tensors([0.25, 0.5, 0.25, 0.25]));
    assert_eq!(rates(&mut groups("???.*").unwrap()), of_tensors([0.25, 0.25, 0.5, 0.25]));
    for (pattern, nearest) in [
        ("hiden.*", "the nearest are `hidden.weight`, `hidden.bias`, "),
        ("bais", "the nearest are `bias`, "),
        ("weight", "the nearest are `out.weight`, "),
        ("", "the nearest are `bias`, "),
    ] {
        let says = format!("no parameter's name fits `{pattern}`: {nearest}");
        let same = |error: Option<GroupsError>| {
            let error = error.unwrap();
            assert!(matches!(&error, GroupsError::Pattern(e) if e.pattern == pattern), "{error:?}");
            assert!(error.to_string().starts_with(&says), "{error}");
        };
        same(groups(pattern).err());
        same(Groups::of(&layout()).frozen(pattern).rest(sgd(0.1)).err());
        same(Groups::of(&layout()).frozen("bias").group(pattern, sgd(0.1)).rest(sgd(0.1)).err());
        same(groups("bias").unwrap().set_enabled(pattern, false).err());
        let clip = AdaptiveClip::new(0.1, 1e-3, &layout());
        assert!(clip.without(pattern).unwrap_err().to_string().starts_with(&says));
    }
    let taken = Groups::of(&layout()).group("*", sgd(0.1)).frozen("hidden.*").rest(sgd(0.1)).err().unwrap();
    let says = "every parameter that fits `hidden.*` belongs to the earlier group `*`";
    assert_eq!(taken.to_string(), says);
    let mut shared = groups("bias").unwrap();
    let before = shared.state();
    let error = shared.set_enabled("*bias", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`*bias` fits `hidden.bias`, but not `hidden.weight`, which shares its optimiser"
    );
    assert_eq!(shared.state(), before);
}

#[test]
#[should_panic(expected = "MaxNorm::apply: no parameter's name fits `weights`: the nearest are")]
fn a_limit_on_no_parameter() {
    MaxNorm::new(1.0, "weights").apply(&mut [0.0f32; 9], &layout());
}

#[test]
fn groups_keep_their_own_rates() {
    // Three times the rest's, a rate of 0, and the rest's own.
    let build = || {
        Groups::of(&layout())
            .group("hidden.weight", sgd(0.3))
            .group("hidden.bias", sgd(0.0))
            .group("bias", sgd(0.1))
            .rest(sgd(0.1))
            .unwrap()
    };
    let first = of_tensors([0.3, 0.0, 0.1, 0.1]);
    let mut groups = build();
    assert_eq!(rates(&mut groups), first);
    // Up from nothing and back: the bits of the first rates.
    let warmup = Warmup::new(10, Constant::new(0.1));
    for step in 0..10 {
        groups.set_learning_rate(if step == 0 { 0.0 } else { warmup.at(step) });
        let rate = groups.learning_rate();
        for (got, first) in rates(&mut groups).iter().zip(&first) {
            assert!((got - first * rate / 0.1).abs() < 1e-16);
        }
        let mut resumed = build();
        resumed.load_state(&groups.state()).unwrap();
        assert_eq!(rates(&mut resumed), rates(&mut groups));
        resumed.set_learning_rate(0.1);
        assert_eq!(rates(&mut resumed), first);
    }
    groups.set_learning_rate(0.1);
    assert_eq!(rates(&mut groups), first);
    // In wrappers and groups of groups.
    let mut wrapped = Lookahead::new(build(), 5, 0.5);
    wrapped.set_learning_rate(0.05);
    assert_eq!(rates(&mut wrapped), of_tensors([0.15, 0.0, 0.05, 0.05]));
    let inner = |layout: &Layout| Ok(Groups::of(layout).group("*.bias", sgd(0.6)).rest(sgd(0.2)).unwrap());
    let mut nested = Groups::of(&layout()).group("hidden.*", inner).rest(sgd(0.1)).unwrap();
    nested.set_learning_rate(0.05);
    assert_eq!(rates(&mut nested), of_tensors([0.1, 0.3, 0.05, 0.05]));
}

#[test]
fn where_the_rest_has_no_rate_groups_keep_theirs() {
    let mut groups =
        Groups::of(&layout()).group("hidden.*", sgd(0.5)).group("out.*", sgd(0.0)).rest(sgd(0.0)).unwrap();
    assert_eq!(rates(&mut groups), of_tensors([0.5, 0.5, 0.0, 0.0]));
    for rate in [0.1, 0.0, 0.2] {
        groups.set_learning_rate(rate);
        assert_eq!(rates(&mut groups), of_tensors([0.5, 0.5, rate, rate]));
    }
}

#[test]
fn any_grouping_gives_each_parameter_its_own_optimiser() {
    let names = ["a.weight", "a.bias", "b.weight", "b.bias", "c", "ab.weight"];
    let layout = Layout::new(names.map(|n| (n, vec![2])));
    let mut generator = Generator::seeded(7);
    let mut draw = |n: usize| generator.below(n as u64) as usize;
    let patterns = ["*", "a.*", "*.bias", "?.weight", "c", "ab*", "*b*", "z.*", "bias", "a?.*", ""];
    let (mut built, mut refused) = (0, 0);
    for _ in 0..3000 {
        let chosen: Vec<(&str, Option<f64>)> = (0..draw(4))
            .map(|_| (patterns[draw(patterns.len())], (draw(3) > 0).then(|| [0.0, 0.1, 0.5][draw(3)])))
            .collect();
        let base = [0.0, 0.1, 0.4][draw(3)];
        let builder = chosen.iter().fold(Groups::of(&layout), |builder, &(pattern, rate)| match rate {
            Some(rate) => builder.group(pattern, sgd(rate)),
            None => builder.frozen(pattern),
        });
        let group_of = |name: &str| chosen.iter().position(|(pattern, _)| name_matches(pattern, name));
        let used = |group: usize| names.iter().any(|name| group_of(name) == Some(group));
        let groups = builder.rest(sgd(base));
        if !(0..chosen.len()).all(used) {
            assert!(
                matches!(groups.err(), Some(GroupsError::Pattern(_) | GroupsError::Taken { .. })),
                "{chosen:?}"
            );
            refused += 1;
            continue;
        }
        let mut groups = groups.unwrap_or_else(|error| panic!("{chosen:?}: {error}"));
        built += 1;
        for rate in [None, Some(0.0), Some(0.2), Some(base)] {
            if let Some(rate) = rate {
                groups.set_learning_rate(rate);
            }
            let mut x = [0.0; 12];
            groups.step(&mut x, &[-1.0; 12]);
            for (i, name) in names.iter().enumerate() {
                let now = rate.unwrap_or(base);
                let expected = match group_of(name).map(|group| chosen[group].1) {
                    None => now,
                    Some(None) => 0.0,
                    Some(Some(own)) if own == base => now,
                    Some(Some(own)) if base > 0.0 => own * (now / base),
                    Some(Some(own)) => own,
                };
                assert_eq!(
                    x[2 * i..2 * i + 2],
                    [expected; 2],
                    "{chosen:?}, base {base}, at {rate:?}: {name}"
                );
            }
        }
    }
    assert!(built > 300 && refused > 300, "{built} built, {refused} refused");
}

#[test]
fn errors_of_hyper_parameters_name_their_group() {
    let bad = |_: &Layout| AdamW::<f64>::with_config(0.1, AdamWConfig { beta1: 1.5, ..Default::default() });
    let says = |groups: Result<Groups<f64>, GroupsError>| groups.err().expect("beta1 = 1.5").to_string();
    assert_eq!(
        says(Groups::of(&layout()).group("out.*", sgd(0.1)).group("hidden.*", bad).rest(sgd(0.1))),
        "group `hidden.*`: adamw: beta1 is 1.5, but must be at least 0 and below 1"
    );
    assert_eq!(
        says(Groups::of(&layout()).group("out.*", sgd(0.1)).rest(bad)),
        "group `*`: adamw: beta1 is 1.5, but must be at least 0 and below 1"
    );
    // The rest is checked even where there is none.
    let all = Groups::of(&layout()).group("*", sgd(0.1)).rest(bad);
    assert!(says(all).starts_with("group `*`: adamw: beta1"));
}
