//! Numbers as spreadsheets hold them.

/// Digits that a spreadsheet's number keeps. Source: as above.
pub const NUMBER_DIGITS: usize = 15;

/// The number that a spreadsheet holds as exactly this decimal; `None` if there is none.
///
/// This is the one place where a float stands for an amount, because a workbook's numbers are floats: it is taken only
/// where the float's own shortest text is the amount's text again, and no arithmetic is done with it.
pub fn exact_number(text: &str) -> Option<f64> {
    // Zeros at either end take no digit of a float.
    let digits = text.trim_start_matches(['-', '0', '.']);
    let digits = if text.contains('.') {
        digits
    } else {
        digits.trim_end_matches('0')
    };
    if digits.bytes().filter(u8::is_ascii_digit).count() > NUMBER_DIGITS {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_back_letter_for_letter_is_a_number() {
        for text in ["0.1", "-12", "5000", "0.00000002", "123456789012345"] {
            assert_eq!(
                exact_number(text)
                    .map(|number| number.to_string())
                    .as_deref(),
                Some(text)
            );
        }
        for text in [
            "007",
            "0.10",
            "1,5",
            "1e5",
            "",
            "0.12345678901234567",
            "1234567890123456",
            "NaN",
            "inf",
        ] {
            assert_eq!(exact_number(text), None, "{text}");
        }
    }
}
