//! Numbers with the values of functions, by mpmath.

/// A number and what `transcendental.txt` has for it.
pub(crate) struct Golden {
    pub(crate) arguments: Vec<f64>,
    pub(crate) value: f64,
    /// The exact result less `value`, in ulp of `value`.
    rest: f64,
}

impl Golden {
    pub(crate) fn ulps(&self, got: f64) -> f64 {
        if got.to_bits() == self.value.to_bits() {
            return self.rest.abs();
        }
        if !(got.is_finite() && self.value.is_finite()) {
            return f64::INFINITY;
        }
        let exponent = ((self.value.abs().to_bits() >> 52) as i32 - 1023).clamp(-1022, 1023);
        // The unit itself may be subnormal: both sides times 2⁶⁰.
        let unit = 2f64.powi(exponent - 52 + if exponent < 0 { 60 } else { -60 });
        let factor = 2f64.powi(if exponent < 0 { 60 } else { -60 });
        ((got * factor - self.value * factor) / unit - self.rest).abs()
    }
}

/// A section of the golden files.
pub(crate) fn golden(name: &str) -> Vec<Golden> {
    let texts = [include_str!("../golden/transcendental.txt"), include_str!("../golden/special.txt")];
    let mut sections = texts.iter().flat_map(|text| text.split("# "));
    let section = sections.find(|s| s.lines().next() == Some(name)).expect("a section of a golden file");
    let count = match name {
        "powf" | "polygamma" | "erfcx_derivative" => 2,
        "bessel_i" | "log_gamma_sample" => 3,
        _ => 1,
    };
    let float = |field: &str| f64::from_bits(u64::from_str_radix(field, 16).expect("hexadecimal bits"));
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let rest = fields.get(count + 1).map_or(0.0, |f| f.parse::<f64>().expect("an integer") / 256.0);
        Golden {
            arguments: fields[..count].iter().map(|f| float(f)).collect(),
            value: float(fields[count]),
            rest,
        }
    };
    section.lines().skip(1).map(parse).collect()
}
