//! Numbers whose distributions differ from element to element: each has a stream of its own.

use rand_distr::{Distribution, Poisson};

use super::Generator;
use crate::array::element::Float;
use crate::compiled_here;
use crate::machine::parallel::for_each_chunk;

/// Elements that one thread draws at a time.
const CHUNK: usize = 1024;

impl Generator {
    /// Writes `draw(generator, i)` to each element, where the generator is one of the element's own: the numbers do not
    /// depend on the number of threads, however many words an element takes. This one moves on by one block.
    ///
    /// ```
    /// # use wengert_tensor::random::Generator;
    /// let mut throws = [0u32; 100];
    /// // The number of throws of a die until it shows a six.
    /// Generator::seeded(0).fill_each(&mut throws, |g, _| {
    ///     1 + std::iter::repeat_with(|| g.below(6)).take_while(|&n| n != 5).count() as u32
    /// });
    /// assert!(throws.iter().all(|&n| n >= 1));
    /// ```
    pub fn fill_each<T: Send>(
        &mut self,
        out: &mut [T],
        draw: impl Fn(&mut Generator, usize) -> T + Sync + Send,
    ) {
        let base = self.split();
        let parallel = out.len() > CHUNK;
        for_each_chunk(out, CHUNK, parallel, |start, out| {
            for (i, x) in (start..).zip(out) {
                let mut own = base.clone();
                own.stream = own.stream.wrapping_add(i as u64);
                *x = draw(&mut own, i);
            }
        });
    }

    /// Replaces each rate by a number of the Poisson distribution of that mean (by the methods of D. E. Knuth, 1969, and
    /// J. H. Ahrens and U. Dieter, 1982). This generator moves on by one block.
    ///
    /// # Panics
    /// If a rate is negative, above 1.8·10¹⁹, or NaN.
    ///
    /// ```
    /// # use wengert_tensor::random::Generator;
    /// let mut counts = vec![4.0f32; 1000];
    /// Generator::seeded(0).poisson(&mut counts);
    /// assert!((counts.iter().sum::<f32>() / 1000.0 - 4.0).abs() < 0.3);
    /// ```
    #[track_caller]
    pub fn poisson<T: Float>(&mut self, rates: &mut [T]) {
        compiled_here! {
            fn draw<T: Float>(generator: &mut Generator, rates: &mut [T]) {
                let of = rates.to_vec();
                generator.fill_each(rates, |own, i| match Poisson::new(of[i].to_f64()) {
                    Ok(distribution) => T::from_f64(distribution.sample(own)),
                    // The rate 0.
                    Err(_) => T::ZERO,
                });
            }
        }
        for rate in rates.iter().map(|rate| rate.to_f64()) {
            assert!((0.0..=1.8e19).contains(&rate), "poisson: the rate {rate} is not in [0, 1.8e19]");
        }
        draw(self, rates);
    }
}
