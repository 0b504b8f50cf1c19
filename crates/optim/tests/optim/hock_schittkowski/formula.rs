//! Formulas of the problem file, read and evaluated over any scalar.

use crate::problems::dual::Scalar;

#[derive(Debug)]
pub(crate) enum Formula {
    Number(f64),
    /// x with this index.
    Variable(usize),
    Sum(Vec<Formula>),
    Product(Vec<Formula>),
    Negative(Box<Formula>),
    Reciprocal(Box<Formula>),
    Power(Box<Formula>, f64),
    Call(String, Box<Formula>),
}

use Formula::{Call, Negative, Number, Power, Product, Reciprocal, Sum, Variable};

impl Formula {
    pub(crate) fn parse(text: &str) -> Self {
        let mut reader = Reader { rest: text };
        let formula = reader.sum();
        assert!(reader.rest.is_empty(), "{text}: {:?} is left", reader.rest);
        formula
    }

    pub(crate) fn at<S: Scalar>(&self, x: &[S]) -> S {
        match self {
            Number(value) => S::from(*value),
            Variable(index) => x[*index],
            Sum(terms) => terms.iter().map(|t| t.at(x)).reduce(|a, b| a + b).unwrap(),
            Product(factors) => factors.iter().map(|f| f.at(x)).reduce(|a, b| a * b).unwrap(),
            Negative(of) => -of.at(x),
            Reciprocal(of) => of.at(x).recip(),
            Power(base, exponent) if *exponent == exponent.round() => {
                let base = base.at(x);
                (1..*exponent as usize).fold(base, |power, _| power * base)
            }
            Power(base, exponent) => (base.at(x).ln() * *exponent).exp(),
            Call(name, of) => {
                let of = of.at(x);
                match name.as_str() {
                    "sqrt" => of.sqrt(),
                    "exp" => of.exp(),
                    "ln" => of.ln(),
                    "sin" => of.sin(),
                    "cos" => of.cos(),
                    _ => panic!("no function {name}"),
                }
            }
        }
    }
}

/// Descends by precedence: sums, products, signs, powers.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, symbol: char) -> bool {
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sum(&mut self) -> Formula {
        let mut terms = vec![self.product()];
        loop {
            if self.take('+') {
                terms.push(self.product());
            } else if self.take('-') {
                terms.push(Negative(Box::new(self.product())));
            } else {
                return Sum(terms);
            }
        }
    }

    fn product(&mut self) -> Formula {
        let mut factors = vec![self.signed()];
        loop {
            if self.take('*') {
                factors.push(self.signed());
            } else if self.take('/') {
                factors.push(Reciprocal(Box::new(self.signed())));
            } else {
                return Product(factors);
            }
        }
    }

    fn signed(&mut self) -> Formula {
        if self.take('-') { Negative(Box::new(self.signed())) } else { self.power() }
    }

    fn power(&mut self) -> Formula {
        let base = self.atom();
        if !self.take('^') {
            return base;
        }
        let sign = if self.take('-') { -1.0 } else { 1.0 };
        Power(Box::new(base), sign * self.number())
    }

    fn number(&mut self) -> f64 {
        let mut text = self.word(|c| c.is_ascii_digit() || c == '.').to_owned();
        if self.take('e') {
            text.push('e');
            text.push_str(self.word(|c| c.is_ascii_digit() || c == '-'));
        }
        text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
    }

    fn atom(&mut self) -> Formula {
        if self.take('(') {
            let inside = self.sum();
            assert!(self.take(')'), "no ) before {:?}", self.rest);
            return inside;
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Number(self.number());
        }
        match self.word(char::is_alphabetic) {
            "x" => Variable(self.number() as usize - 1),
            "pi" => Number(std::f64::consts::PI),
            name => Call(name.to_owned(), Box::new(self.atom())),
        }
    }
}
