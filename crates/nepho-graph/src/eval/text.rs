//! Text: how values are shown, and functions over characters.

use crate::value::ResultValue as V;

/// A scalar as `toString` shows it.
pub(crate) fn shown(value: &V) -> String {
    match value {
        V::Bool(flag) => flag.to_string(),
        V::Int(whole) => whole.to_string(),
        V::Float(number) => float(*number),
        V::String(text) => text.to_string(),
        V::Time(time) => time.to_string(),
        V::Temporal(of) => of.to_string(),
        _ => String::new(),
    }
}

/// A floating-point number always with a point or an exponent.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        let text = format!("{number:E}");
        return match text.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
            _ => text,
        };
    }
    let text = number.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// Characters from `start`, so many; `None` when a number is negative.
pub(super) fn substring(text: &str, start: i64, length: Option<i64>) -> Option<String> {
    let start = usize::try_from(start).ok()?;
    let length = match length {
        Some(length) => usize::try_from(length).ok()?,
        None => usize::MAX,
    };
    Some(text.chars().skip(start).take(length).collect())
}

/// Whether a text matches a pattern of `*` (any characters) and `?` (one).
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(sign) if *sign == '?' || *sign == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // Back to the last star, which takes one more character.
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::{float, glob, substring};

    #[test]
    fn globs() {
        for (pattern, text, holds) in [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("arn:aws:iam::*:root", "arn:aws:iam::1:root", true),
            ("?", "", false),
            ("a?c*", "abcd", true),
            ("*a*b", "xaxbxb", true),
        ] {
            assert_eq!(glob(pattern, text), holds, "{pattern} over {text}");
        }
    }

    #[test]
    fn floats_keep_their_point() {
        for (number, text) in [(1.0, "1.0"), (0.1, "0.1"), (1e9, "1.0E9"), (1.5e-7, "1.5E-7"), (-0.0, "-0.0")] {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn substrings_count_characters() {
        assert_eq!(substring("äöü", 1, Some(1)).as_deref(), Some("ö"));
        assert_eq!(substring("äöü", 5, None).as_deref(), Some(""));
        assert_eq!(substring("äöü", -1, None), None);
    }
}
