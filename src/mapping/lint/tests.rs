//! Each law: a mapping that breaks it, and the place that is named.

use super::*;

const HEAD: &str =
    "mapping = 1\nexchange = 'X'\nreport = 'Y'\nhow_to_get = 'Ask'\ngenerations = ['one']\n";
const COLUMNS: &str = "[columns]\ntime = { header = 'T', type = 'time', formats = ['iso'], zone = 'UTC' }\nkind_of = { header = 'K', type = 'choice', blank = ['-'] }\nsub = 'S'\nqty = { header = 'Q', type = 'amount' }\n";
const DEFAULTS: &str = "[defaults]\nmove = 'qty BTC'\nkind = 'adjustment'\nnote = 'sub'\n";

/// The mapping without its rules is sound, so that a warning is of what a test adds.
fn with_rules(rules: &str) -> String {
    format!("{HEAD}{COLUMNS}{DEFAULTS}{rules}")
}

fn linted(text: &str) -> Vec<(usize, String)> {
    let mut library = Library::built_in();
    library.insert("x/y", "x.toml".to_owned(), text.to_owned());
    let mapping = library.get("x/y").expect("just added");
    let found = lint(mapping, &library);
    let errors: Vec<&Diagnostic> = found
        .iter()
        .filter(|diagnostic| diagnostic.level == Level::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    found
        .into_iter()
        .map(|diagnostic| {
            (
                diagnostic.line_and_column(text).map_or(0, |place| place.0),
                diagnostic.message,
            )
        })
        .collect()
}

/// The only warning, and the line of the rules on which it stands, from 1.
fn one(rules: &str) -> (usize, String) {
    let mut found = linted(&with_rules(rules));
    assert_eq!(found.len(), 1, "{found:?}");
    let (line, message) = found.remove(0);
    (line - with_rules("").lines().count(), message)
}

const BUY: &str = "[[rule]]\nwhen = { kind_of = 'buy' }\n";

#[test]
fn a_sound_mapping_gets_no_warning() {
    let rules = "[[rule]]\nwhen = { kind_of = ['buy', 'sell'], sub = '' }\n[[rule]]\nwhen = { kind_of = 'buy' }\n[[rule]]\nwhen = [{ kind_of = 'sell' }, 'qty > 0']\n[[rule]]\nwhen = { kind_of = 'sell' }\n[otherwise]\n";
    assert_eq!(linted(&with_rules(rules)), []);
    // Nor does one that leaves `[otherwise]` out: unknown words are then rejected, on purpose.
    assert_eq!(linted(&with_rules(BUY)), []);
}

#[test]
fn the_same_test_twice_is_found() {
    let (line, message) = one(&format!("{BUY}{BUY}"));
    assert_eq!(
        (line, message.as_str()),
        (
            3,
            "this rule can never match: rule 1 takes all its rows before it"
        )
    );
    let twice = "[[rule]]\nwhen = [{ kind_of = 'buy' }, 'qty > 0']\n[[rule]]\nwhen = \"qty > 0 and kind_of == 'buy'\"\n";
    assert_eq!(one(twice).0, 3);
}

#[test]
fn a_rule_after_one_without_conditions_never_matches() {
    let (line, message) = one(&format!("[[rule]]\nnote = 'kind_of'\n{BUY}"));
    assert_eq!(
        (line, message.as_str()),
        (
            3,
            "this rule can never match: rule 1 takes all its rows before it"
        )
    );
    assert_eq!(
        one(&format!("{BUY}[[rule]]\n[otherwise]\n")),
        (
            4,
            "this [otherwise] can never match: rule 2 takes all its rows before it".to_owned()
        )
    );
}

#[test]
fn words_that_several_rules_take_together_never_come_to_a_later_one() {
    let rules = "[[rule]]\ncases = [\n{ kind_of = 'buy', sub = '' },\n{ kind_of = 'buy' },\n{ kind_of = 'sell' },\n{ kind_of = ['sell', 'buy'], sub = 'x' },\n]\n";
    let (line, message) = one(rules);
    assert_eq!(
        (line, message.as_str()),
        (
            6,
            "this case can never match: rule 1, case 2 and rule 1, case 3 together take all its rows before it"
        )
    );
}

#[test]
fn a_skip_takes_rows_from_rules() {
    let rules = format!(
        "[[skip]]\nwhen = \"kind_of == 'buy' or kind_of == 'sell'\"\nbecause = 'no'\n{BUY}"
    );
    assert_eq!(
        one(&rules),
        (
            4,
            "this rule can never match: skip 1 takes all its rows before it".to_owned()
        )
    );
}

#[test]
fn a_rule_with_a_condition_that_the_later_one_does_not_have_takes_nothing_for_certain() {
    assert_eq!(
        linted(&with_rules(&format!("[[rule]]\nwhen = 'qty > 0'\n{BUY}"))),
        []
    );
    assert_eq!(
        linted(&with_rules(
            "[[rule]]\nwhen = \"kind_of != 'buy'\"\n[[rule]]\nwhen = { kind_of = 'buy' }\n"
        )),
        []
    );
    assert_eq!(
        linted(&with_rules(
            "[[rule]]\nwhen = \"kind_of not in ['buy']\"\n[[rule]]\nwhen = { kind_of = '' }\n"
        ))
        .len(),
        1
    );
}

#[test]
fn a_word_that_is_taken_already_is_named() {
    let rules = format!("{BUY}[[rule]]\nwhen = {{ kind_of = ['sell',\n 'buy'] }}\n");
    assert_eq!(
        one(&rules),
        (
            5,
            "`kind_of = 'buy'` never comes to this rule: rule 1 takes all such rows before it"
                .to_owned()
        )
    );
}

#[test]
fn words_that_exclude_each_other_never_match() {
    let rules = "[[rule]]\nwhen = { kind_of = 'buy' }\ncases = [\n{ kind_of = 'sell' },\n{ sub = 'x' },\n]\n";
    assert_eq!(
        one(rules),
        (
            4,
            "this case can never match: it asks `kind_of` for words that exclude each other"
                .to_owned()
        )
    );
}

#[test]
fn a_word_that_counts_as_blank_never_matches() {
    assert_eq!(
        one("[[rule]]\nwhen = { kind_of = '-' }\n").1,
        "`-` counts as an empty cell of `kind_of`, so this never matches"
    );
}

#[test]
fn a_column_that_no_rule_uses_is_named() {
    let text = with_rules(BUY).replace(
        "sub = 'S'",
        "sub = 'S'\nidle = ['I', 'J']\nsecret = { header = 'P', private = true }",
    );
    assert_eq!(
        linted(&text),
        [(10, "column `idle` is used by no rule".to_owned())]
    );
    // A column with the name of an id is used by that name.
    assert_eq!(linted(&text.replace("idle", "order_id")), []);
}

#[test]
fn what_only_an_unused_derived_column_uses_is_one_mistake() {
    let text = with_rules(BUY)
        .replace("sub = 'S'", "sub = 'S'\nidle = 'I'")
        .replace("[defaults]", "[derive]\nlost = \"upper(idle)\"\n[defaults]");
    assert_eq!(
        linted(&text),
        [(13, "derived column `lost` is used by nothing".to_owned())]
    );
    let text = text.replace("[defaults]", "found = \"lost + '!'\"\n[defaults]");
    let found: Vec<String> = linted(&text)
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert_eq!(
        found,
        [
            "derived column `lost` is used only by what is not used itself",
            "derived column `found` is used by nothing"
        ]
    );
}

#[test]
fn a_choice_that_no_rule_asks_for_is_named() {
    let text = with_rules("[[rule]]\nnote = 'kind_of + sub'\n");
    assert_eq!(
        linted(&text),
        [(
            8,
            "`kind_of` is a choice, and no rule asks for its words".to_owned()
        )]
    );
    assert_eq!(
        linted(&with_rules("[[rule]]\nwhen = \"lower(kind_of) == 'x'\"\n")),
        []
    );
}

#[test]
fn a_kind_that_contradicts_the_direction_is_named() {
    assert_eq!(
        one(&format!("{BUY}kind = 'deposit'\nout = 'qty BTC'\n")),
        (
            3,
            "`deposit` comes in, and this rule has only `out`".to_owned()
        )
    );
    assert_eq!(
        one(&format!("{BUY}kind = 'burn'\nin = 'qty BTC'\n")),
        (3, "`burn` goes out, and this rule has only `in`".to_owned())
    );
    let cases = "[[rule]]\nin = 'qty BTC'\ncases = [\n{ kind_of = 'a', kind = 'airdrop' },\n{ kind_of = 'b', kind = 'payment' },\n]\n";
    assert_eq!(one(cases).0, 5);
    assert_eq!(
        linted(&with_rules(&format!("{BUY}kind = 'withdrawal'\n"))),
        []
    );
}

#[test]
fn a_trade_of_one_leg_is_named_unless_rows_are_gathered() {
    assert_eq!(
        one(&format!("{BUY}kind = 'trade'\n")).1,
        "a trade has two sides, and this rule makes one leg"
    );
    assert_eq!(
        linted(&with_rules(&format!("{BUY}kind = 'trade'\nby = ['sub']\n"))),
        []
    );
    assert_eq!(
        linted(&with_rules(&format!(
            "{BUY}kind = 'trade'\nin = 'qty BTC'\nout = 'qty ETH'\n"
        ))),
        []
    );
}

#[test]
fn empty_sentences_are_named() {
    let text = with_rules(&format!(
        "[[skip]]\nwhen = {{ sub = 'x' }}\nbecause = ''\n{BUY}"
    ))
    .replace("'Ask'", "' '")
    .replace("generations = ['one']\n", "");
    let found: Vec<String> = linted(&text)
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert_eq!(
        found,
        [
            "no header generation is named",
            "`how_to_get` is empty",
            "`because` is empty"
        ]
    );
}

#[test]
fn a_header_that_is_listed_twice_is_named() {
    let text = with_rules(BUY)
        .replace(
            "sub = 'S'",
            "sub = ['S', 'S  s',\n'S s']\nlast = { header = 'S', nth = 2, private = true }",
        )
        .replace("[columns]", "unused = ['U', 'U', 'K']\n[columns]");
    let found = linted(&text);
    assert_eq!(
        found,
        [
            (6, "`U` is listed twice".to_owned()),
            (6, "`K` is not unused: it is column `kind_of`".to_owned()),
            (11, "column `sub`: `S s` is listed twice".to_owned()),
        ]
    );
    // Of two columns with one header text the second is used, and the first is not.
    let text = text
        .replace("'U', 'U', 'K'", "'S'")
        .replace("sub = ['S', 'S  s',\n'S s']", "sub = 's'");
    assert_eq!(linted(&text), []);
}

#[test]
fn a_case_has_a_place_of_its_own() {
    let text =
        with_rules("[[rule]]\ncases = [\n{ kind_of = 'a' },\n{ kind_of = 'b' },\n]\n[otherwise]\n");
    let mut library = Library::built_in();
    library.insert("x/y", "x.toml".to_owned(), text.clone());
    let places = TestPlaces::of(library.get("x/y").expect("just added")).expect("it is a mapping");
    let shown: Vec<&str> = places
        .rules
        .iter()
        .flatten()
        .map(|span| &text[span.clone()])
        .collect();
    assert_eq!(
        shown,
        ["{ kind_of = 'a' }", "{ kind_of = 'b' }", "[otherwise]"]
    );
}

#[test]
fn an_alias_table_is_checked() {
    assert!(lint_aliases("a.toml", "[alias]\nXXBT = 'BTC'\n").is_empty());
    assert_eq!(
        lint_aliases("a.toml", "strip = ['(']\n")[0].span,
        Some(10..11)
    );
    assert_eq!(lint_aliases("a.toml", "alias = 1\n").len(), 1);
}

#[test]
fn words_that_an_expression_gives_are_followed_too() {
    let text = |last: &str| {
        let rules = format!(
            "[[rule]]\nwhen = {{ side = 'in' }}\n[[rule]]\nwhen = \"lower(kind_of) == 'x'\"\n[[rule]]\nwhen = \"{last}\"\n"
        );
        with_rules(&rules).replace(
            "[defaults]",
            "[derive]\nside = \"if qty < 0 then 'out' else 'in'\"\n[defaults]",
        )
    };
    assert_eq!(linted(&text("side != 'in' or lower(kind_of) == 'y'")), []);
    let never = |last: &str| linted(&text(last))[0].1.clone();
    let taken = "this rule can never match: rule 1 takes all its rows before it";
    assert_eq!(never("side in ['in'] and kind_of == 'y'"), taken);
    assert_eq!(
        never("side == 'in' and side == 'out'"),
        "this rule can never match: it asks for words that exclude each other"
    );
}
