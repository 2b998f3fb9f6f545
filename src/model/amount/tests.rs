use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};

use super::read::parse_long;
use super::*;

fn amount(text: &str) -> Amount {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Mantissas of every length, and the ends of the range.
fn mantissas() -> impl Strategy<Value = i128> {
    prop_oneof![
        4 => (any::<i128>(), 0_u32..127).prop_map(|(mantissa, shift)| mantissa >> shift),
        2 => (any::<i64>(), 0_u32..20).prop_map(|(mantissa, zeros)| i128::from(mantissa) * 10_i128.pow(zeros)),
        1 => -1000_i128..1000,
        1 => prop_oneof![Just(i128::MAX), Just(i128::MIN), Just(i128::MIN + 1), Just(10_i128.pow(38))],
    ]
}

fn amounts() -> impl Strategy<Value = Amount> {
    (mantissas(), 0_u32..=38).prop_filter_map("fits", |(mantissa, scale)| {
        Amount::from_parts(mantissa, scale)
    })
}

/// Texts that are numbers, or nearly.
fn like_numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-+]?[0-9]{0,9}[.]?[0-9]{0,10}",
        "[-+]?[0-9]{0,17}[.]?[0-9]{0,9}0{0,9}",
        "[-+]?0{0,4}[0-9]{0,5}[.]?[0-9]{0,8}0{0,6}",
        "[-+]?[0-9.]{0,20}",
        "[-+]?[0-9]{0,8}[.eE,:/]?[-+]?[0-9]{0,8}[ -~é\\x00]?[0-9]{0,4}",
    ]
}

/// Amounts whose sums and products `rust_decimal` can hold, and the same in its words.
fn with_oracle() -> impl Strategy<Value = (Amount, Decimal)> {
    (any::<i64>(), 0_u32..64, 0_u32..=14).prop_map(|(mantissa, shift, scale)| {
        let mantissa = mantissa >> shift;
        (
            Amount::from_parts(i128::from(mantissa), scale).unwrap(),
            Decimal::new(mantissa, scale),
        )
    })
}

/// `None` beyond the 28 digits of `rust_decimal`.
fn as_decimal(amount: Amount) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(amount.mantissa(), u32::from(amount.scale())).ok()
}

#[test]
fn every_spelling_of_a_number_is_the_same_amount() {
    for (text, mantissa, scale) in [
        ("0", 0, 0),
        ("-0", 0, 0),
        ("+0.000", 0, 0),
        ("000", 0, 0),
        ("0e999999999999999999999", 0, 0),
        ("1", 1, 0),
        ("100", 100, 0),
        ("1.50", 15, 1),
        ("-1.50", -15, 1),
        ("+1.5", 15, 1),
        (".5", 5, 1),
        ("5.", 5, 0),
        ("-.5", -5, 1),
        ("0001.5", 15, 1),
        ("8E-08", 8, 8),
        ("1.5e3", 1500, 0),
        ("1.5E+3", 1500, 0),
        ("100e-2", 1, 0),
        ("5.e1", 50, 0),
        (".5e1", 5, 0),
        ("0.000100000000000000", 1, 4),
        ("123.456000000000000000000000", 123_456, 3),
        ("1000000000000000000000", 1_000_000_000_000_000_000_000, 0),
        (
            "12345678901234567890.123456789012345678",
            12_345_678_901_234_567_890_123_456_789_012_345_678,
            18,
        ),
        ("0.00000000000000000000000000000000000001", 1, 38),
        ("170141183460469231731687303715884105727", i128::MAX, 0),
        ("-170141183460469231731687303715884105727", -i128::MAX, 0),
        (
            "10000000000000000000000000000000000000000000000000e-49",
            1,
            0,
        ),
        (
            "0.00000000000000000000000000000000000000000000000001e50",
            1,
            0,
        ),
    ] {
        let read = amount(text);
        assert_eq!(
            (read.mantissa(), u32::from(read.scale())),
            (mantissa, scale),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_a_number_is_refused() {
    assert_eq!(Amount::parse(b""), Err(AmountError::Empty));
    for text in [
        "-",
        "+",
        ".",
        "-.",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1e1.5",
        "1.2.3",
        "1,5",
        " 1",
        "1 ",
        "--1",
        "+-1",
        "0x10",
        "1_000",
        "NaN",
        "inf",
        "1e5e5",
        "１",
        "1234567890123456789012345678901234567890123456789x",
    ] {
        assert_eq!(
            text.parse::<Amount>(),
            Err(AmountError::NotANumber),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_held_exactly_is_refused() {
    for text in [
        "170141183460469231731687303715884105728",
        "-170141183460469231731687303715884105728",
        "340282366920938463463374607431768211456",
        "1e39",
        "1e99999999999999999999",
        "1e-39",
        "1e-99999999999999999999",
        "0.000000000000000000000000000000000000001",
        "1234567890123456789012345678901234567890",
        "1000000000000000000000000000000000000000.1",
    ] {
        assert_eq!(text.parse::<Amount>(), Err(AmountError::TooLarge), "{text}");
    }
}

#[test]
fn amounts_are_written_without_exponent_and_padding() {
    for text in [
        "0",
        "7",
        "-7",
        "10",
        "0.1",
        "-0.1",
        "0.00000008",
        "99.99",
        "100.001",
        "18446744073709551615",
        "18446744073709551616",
        "1844674407370955161.6",
        "10000000000000000000000.000000000000001",
        "170141183460469231731687303715884105727",
        "-170141183460469231731687303715884105727",
        "-1.70141183460469231731687303715884105727",
        "-0.99999999999999999999999999999999999999",
        "0.00000000000000000000000000000000000001",
    ] {
        assert_eq!(amount(text).to_string(), text);
        let mut out = b"x".to_vec();
        amount(text).write_to(&mut out);
        assert_eq!(out, format!("x{text}").as_bytes());
    }
    assert_eq!(
        format!("{:>6}|{:?}", amount("1.5"), amount("1.5")),
        "   1.5|Amount(1.5)"
    );
}

#[test]
fn sums_and_products_that_do_not_fit_are_refused() {
    let most = amount("170141183460469231731687303715884105727");
    let least = amount("0.00000000000000000000000000000000000001");
    assert_eq!(most.checked_add(amount("1")), None);
    assert_eq!(most.neg().checked_sub(amount("1")), None);
    assert_eq!(most.checked_add(least), None);
    assert_eq!(most.checked_mul(amount("2")), None);
    assert_eq!(least.checked_mul(amount("0.1")), None);
    assert_eq!(
        least.checked_mul(amount("10")),
        Some(amount("0.0000000000000000000000000000000000001"))
    );
    // Only in lowest terms does it fit again.
    let half = amount("8.5070591730234615865843651857942052865");
    assert_eq!(
        half.checked_add(half),
        Some(amount("17.014118346046923173168730371588410573"))
    );
    let odd = amount("12345678901234567890123456789.5");
    assert_eq!(
        odd.checked_mul(amount("0.2")),
        Some(amount("2469135780246913578024691357.9"))
    );
    // 2^96 × 5^38 × 10^-38 = 2^58: only 256 bits hold the digits on the way.
    let two_to_the_96 = amount("79228162514264337593543950336");
    let five_to_the_38 = amount("363797880709171295166015625").scale_down(38);
    assert_eq!(
        five_to_the_38.and_then(|factor| two_to_the_96.checked_mul(factor)),
        Some(amount("288230376151711744"))
    );
    // What overflows on the way and comes back.
    let large = amount("17014118346046923173168730371588410573");
    assert_eq!(
        large.checked_sub(amount("0.5")),
        Some(amount("17014118346046923173168730371588410572.5"))
    );
}

#[test]
fn a_quotient_is_rounded_half_to_even_at_the_digits_asked_for() {
    for (left, right, digits, expected) in [
        ("1", "3", 5, "0.33333"),
        ("2", "3", 5, "0.66667"),
        ("-2", "3", 5, "-0.66667"),
        ("1", "8", 2, "0.12"),
        ("3", "8", 2, "0.38"),
        ("1", "8", 3, "0.125"),
        ("1", "8", 38, "0.125"),
        ("1000001", "4", 38, "250000.25"),
        ("10", "0.25", 0, "40"),
        ("0.5", "1", 0, "0"),
        ("1.5", "1", 0, "2"),
        ("0", "7", 8, "0"),
        (
            "1000000000000000000000000000000",
            "1",
            38,
            "1000000000000000000000000000000",
        ),
        (
            "0.00000000000000000000000000000000000001",
            "170141183460469231731687303715884105727",
            38,
            "0",
        ),
        (
            "0.00000000000000000000000000000000000001",
            "170141183460469231731687303715884105727",
            0,
            "0",
        ),
        (
            "1",
            "170141183460469231731687303715884105727",
            38,
            "0.00000000000000000000000000000000000001",
        ),
        (
            "85070591730234615865843651857942052863",
            "170141183460469231731687303715884105727",
            38,
            "0.5",
        ),
        (
            "170141183460469231731687303715884105727",
            "0.1",
            0,
            "1701411834604692317316873037158841057270",
        ),
    ] {
        let quotient = amount(left).checked_div(amount(right), digits);
        assert_eq!(
            quotient,
            expected.parse().ok(),
            "{left} / {right} at {digits}"
        );
    }
    assert_eq!(amount("1").checked_div(Amount::ZERO, 2), None);
    assert_eq!(amount("1").checked_div(amount("3"), 39), None);
    assert_eq!(amount("1000").checked_div(amount("3"), 38), None);
}

#[test]
fn rounding_goes_half_to_even() {
    for (text, digits, expected) in [
        ("0.5", 0, "0"),
        ("1.5", 0, "2"),
        ("-2.5", 0, "-2"),
        ("2.51", 0, "3"),
        ("0.999", 2, "1"),
        ("1.25", 1, "1.2"),
        ("1.25", 9, "1.25"),
        ("-0.4", 0, "0"),
        ("1.00000000000000000000000000000000000001", 37, "1"),
    ] {
        assert_eq!(
            amount(text).round(digits),
            amount(expected),
            "{text} at {digits}"
        );
    }
}

#[test]
fn a_sum_that_does_not_fit_stays_as_it_was() {
    let mut sum = Sum::default();
    sum.add(amount("170141183460469231731687303715884105727"))
        .unwrap();
    assert_eq!(sum.add(amount("1")), Err(Overflow));
    assert_eq!(sum.add(amount("0.1")), Err(Overflow));
    assert_eq!(
        sum.total(),
        amount("170141183460469231731687303715884105727")
    );
    sum.sub(amount("170141183460469231731687303715884105727"))
        .unwrap();
    assert!(sum.is_zero());
    sum.sub(amount("1.5")).unwrap();
    assert_eq!(sum.total(), amount("-1.5"));
    // A scale that is no longer needed does not stand in the way.
    let mut sum = Sum::ZERO;
    sum.add(amount("0.00000000000000000000000000000000000001"))
        .unwrap();
    sum.sub(amount("0.00000000000000000000000000000000000001"))
        .unwrap();
    sum.add(amount("1000000000000")).unwrap();
    assert_eq!(sum.total(), amount("1000000000000"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_written_amount_is_read_back_as_itself(amount in amounts()) {
        let text = amount.to_string();
        prop_assert_eq!(Amount::parse(text.as_bytes()), Ok(amount));
        prop_assert!(!text.contains(['e', 'E', '+']));
        prop_assert!(!text.contains('.') || !text.ends_with('0'));
        prop_assert!(text.len() <= TEXT_BYTES);
    }

    #[test]
    fn padding_and_exponents_change_nothing(amount in amounts(), zeros in 0_usize..60, power in -60_i64..60) {
        let (sign, digits) = if amount.is_negative() { ("-", amount.neg()) } else { ("+", amount) };
        let text = digits.to_string();
        let point = if text.contains('.') { "" } else { "." };
        let padded = format!("{sign}{0}{text}{point}{0}", "0".repeat(zeros));
        prop_assert_eq!(Amount::parse(padded.as_bytes()), Ok(amount));
        let moved = format!("{}e{}", amount.mantissa(), power - i64::from(amount.scale()));
        let by_power = Amount::parse(moved.as_bytes()).and_then(|moved| {
            Amount::parse(format!("{moved}e{}", -power).as_bytes())
        });
        prop_assert!(by_power == Ok(amount) || by_power == Err(AmountError::TooLarge));
        prop_assert!(power != 0 || by_power == Ok(amount));
    }

    #[test]
    fn parsing_any_bytes_does_not_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        digits in "[-+]?[0-9]{0,45}[.]?[0-9]{0,45}([eE][-+]?[0-9]{0,22})?",
    ) {
        let _ = Amount::parse(&bytes);
        let _ = Amount::parse(digits.as_bytes());
    }

    #[test]
    fn every_way_of_reading_reads_the_same(text in like_numbers()) {
        let text = text.as_bytes();
        let expected = match text {
            [] => Err(AmountError::Empty),
            [b'-', number @ ..] => parse_long(true, number),
            [b'+', number @ ..] => parse_long(false, number),
            number => parse_long(false, number),
        };
        prop_assert_eq!(parse_general(text), expected);
        prop_assert_eq!(Amount::parse(text), expected);
        let read = Amount::parse_canonical(text);
        prop_assert_eq!(read.map(|(amount, _)| amount), expected);
        if let Ok((amount, canonical)) = read
            && let Some(range) = canonical.range()
        {
            let canonical = str::from_utf8(&text[range]).unwrap();
            prop_assert_eq!(canonical, amount.abs().to_string());
        }
    }

    #[test]
    fn a_canonical_text_is_found_of_up_to_fifteen_digits_before_the_point_and_sixteen_behind_it(
        sign in "[-+]?", zeros in 0_usize..3, text in "[1-9][0-9]{0,3}|[1-9][0-9]{0,12}[.][0-9]{0,15}[1-9]|0([.][0-9]{0,15}[1-9])?",
        padding in 0_usize..12,
    ) {
        let padding = if text.contains('.') { "0".repeat(padding.min(16 - (text.len() - text.find('.').unwrap() - 1))) } else { String::new() };
        let padded = format!("{sign}{}{text}{padding}", "0".repeat(zeros));
        let (_, canonical) = Amount::parse_canonical(padded.as_bytes()).unwrap();
        prop_assert_eq!(canonical.range().map(|range| &padded[range]), Some(&*text));
    }

    #[test]
    fn reading_agrees_with_rust_decimal(text in "-?[0-9]{1,14}([.][0-9]{0,14})?") {
        let oracle: Decimal = text.parse().unwrap();
        prop_assert_eq!(as_decimal(amount(&text)), Some(oracle));
        prop_assert_eq!(amount(&text).to_string(), oracle.normalize().to_string());
    }

    #[test]
    fn arithmetic_agrees_with_rust_decimal((a, x) in with_oracle(), (b, y) in with_oracle(), digits in 0_u8..8) {
        // Where rust_decimal cannot hold the result it rounds; this is exact.
        for (ours, theirs) in [
            (a.checked_add(b), x.checked_add(y)),
            (a.checked_sub(b), x.checked_sub(y)),
            (a.checked_mul(b), x.checked_mul(y)),
        ] {
            if let Some(exact) = as_decimal(ours.unwrap()) {
                prop_assert_eq!(Some(exact), theirs);
            }
        }
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
        prop_assert_eq!(a == b, x == y);
        let rounded = x.round_dp_with_strategy(u32::from(digits), RoundingStrategy::MidpointNearestEven);
        prop_assert_eq!(as_decimal(a.round(digits)), Some(rounded));
    }

    #[test]
    fn a_quotient_is_the_nearest(a in amounts(), b in amounts(), digits in 0_u8..=38) {
        let Some(quotient) = a.checked_div(b, digits) else { return Ok(()) };
        prop_assert!(quotient.scale() <= digits);
        // |a - quotient × b| ≤ |b| / 2 × 10^-digits, where that can be said at all
        let off = quotient.checked_mul(b).and_then(|product| a.checked_sub(product));
        let half = b.checked_mul(amount("0.5")).and_then(|half| half.scale_down(digits));
        if let (Some(off), Some(half)) = (off, half) {
            prop_assert!(off.abs() <= half.abs());
        }
    }

    #[test]
    fn a_product_divided_is_the_factor(a in amounts(), b in amounts()) {
        if let Some(product) = a.checked_mul(b) && !b.is_zero() {
            let quotient = product.checked_div(b, a.scale());
            prop_assert_eq!(quotient, Some(a));
        }
    }

    #[test]
    fn the_wide_product_is_the_product(a in amounts(), b in amounts()) {
        // By halves: a × b = a × (b_high × 2^32) + a × b_low
        let whole = |mantissa: i128| Amount::from_parts(mantissa, 0);
        let (high, low) = (b.mantissa() >> 32, b.mantissa() & 0xFFFF_FFFF);
        let by_halves = || {
            let left = whole(a.mantissa())?;
            let high = left.checked_mul(whole(high)?)?.checked_mul(whole(1 << 32)?)?;
            high.checked_add(left.checked_mul(whole(low)?)?)
        };
        if let (Some(sum), Some(left), Some(right)) = (by_halves(), whole(a.mantissa()), whole(b.mantissa())) {
            prop_assert_eq!(left.checked_mul(right), Some(sum));
        }
    }

    #[test]
    fn adding_goes_either_way_and_back(a in amounts(), b in amounts()) {
        prop_assert_eq!(a.checked_add(b), b.checked_add(a));
        prop_assert_eq!(a.checked_mul(b), b.checked_mul(a));
        if let Some(sum) = a.checked_add(b) {
            prop_assert_eq!(sum.checked_sub(b), Some(a));
            prop_assert_eq!(sum.cmp(&a), b.cmp(&Amount::ZERO));
        }
        if let Some(difference) = a.checked_sub(b) {
            prop_assert_eq!(a.cmp(&b), difference.cmp(&Amount::ZERO));
        }
    }

    #[test]
    fn order_is_the_order_of_values(a in amounts(), b in amounts(), c in amounts()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        prop_assert_eq!(a.cmp(&b), b.neg().cmp(&a.neg()));
        prop_assert!(!(a <= b && b <= c) || a <= c);
    }

    #[test]
    fn amounts_are_in_lowest_terms(mantissa in mantissas(), scale in 0_u32..80) {
        let Some(a) = Amount::from_parts(mantissa, scale) else { return Ok(()) };
        prop_assert!(a.scale() == 0 || a.mantissa() % 10 != 0);
        prop_assert!(a.scale() <= 38 && a.mantissa() != i128::MIN);
        let hash = |amount: Amount| {
            let mut hasher = DefaultHasher::new();
            amount.hash(&mut hasher);
            hasher.finish()
        };
        if let Some(same) = mantissa.checked_mul(10).and_then(|wider| Amount::from_parts(wider, scale + 1)) {
            prop_assert_eq!(a, same);
            prop_assert_eq!(hash(a), hash(same));
        }
    }

    #[test]
    fn a_sum_is_the_amounts_added_one_by_one(amounts in proptest::collection::vec(amounts(), 0..12)) {
        let mut sum = Sum::default();
        let mut one_by_one = Amount::ZERO;
        for amount in amounts {
            let added = one_by_one.checked_add(amount);
            prop_assert_eq!(sum.add(amount).ok(), added.map(|_| ()));
            one_by_one = added.unwrap_or(one_by_one);
            prop_assert_eq!(sum.total(), one_by_one);
            prop_assert_eq!(sum.is_zero(), one_by_one.is_zero());
        }
    }
}
