//! Functions over numbers.

use super::wrong_type;
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::functions::Function;
use crate::value::ResultValue as V;

/// A function of one number (and, for `round`, the decimals).
pub(super) fn call(function: Function, values: &[V], span: Span) -> Outcome<V> {
    use Function as F;
    let first = values.first().unwrap_or(&V::Null);
    match (function, first) {
        (F::Abs, V::Int(whole)) => {
            return whole
                .checked_abs()
                .map(V::Int)
                .ok_or_else(|| QueryError::new(ErrorCode::NumberOutOfRange, span, "the result is beyond 64 bits"));
        }
        (F::Sign, V::Int(whole)) => return Ok(V::Int(whole.signum())),
        (F::Round | F::Ceil | F::Floor, V::Int(whole)) if values.len() < 2 => return Ok(V::Float(*whole as f64)),
        (F::IsNaN, V::Int(_)) => return Ok(V::Bool(false)),
        _ => {}
    }
    let number = of(first, span)?;
    Ok(V::Float(match function {
        F::Abs => number.abs(),
        F::Sign => {
            return Ok(V::Int(if number > 0.0 {
                1
            } else if number < 0.0 {
                -1
            } else {
                0
            }));
        }
        F::IsNaN => return Ok(V::Bool(number.is_nan())),
        F::Ceil => number.ceil(),
        F::Floor => number.floor(),
        F::Round => {
            let places = match values.get(1) {
                Some(V::Int(places)) => (*places).clamp(0, 17) as i32,
                Some(other) => return Err(wrong_type(span, "a whole number", other)),
                None => 0,
            };
            let scale = 10f64.powi(places);
            // Half goes up, as openCypher has it for -0.5 and for 0.5.
            let rounded = (number * scale + 0.5).floor() / scale;
            if rounded.is_finite() { rounded } else { number }
        }
        F::Sqrt => number.sqrt(),
        F::Exp => number.exp(),
        F::Log => number.ln(),
        F::Log10 => number.log10(),
        F::Sin => number.sin(),
        F::Cos => number.cos(),
        F::Tan => number.tan(),
        F::Cot => 1.0 / number.tan(),
        F::Asin => number.asin(),
        F::Acos => number.acos(),
        F::Atan => number.atan(),
        F::Atan2 => number.atan2(of(values.get(1).unwrap_or(&V::Null), span)?),
        F::Degrees => number.to_degrees(),
        F::Radians => number.to_radians(),
        F::Haversin => (1.0 - number.cos()) / 2.0,
        _ => number,
    }))
}

fn of(value: &V, span: Span) -> Outcome<f64> {
    match value {
        V::Int(whole) => Ok(*whole as f64),
        V::Float(number) => Ok(*number),
        other => Err(wrong_type(span, "a number", other)),
    }
}
