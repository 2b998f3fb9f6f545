//! The schema of the SQLite database. Its views add amounts exactly, in SQL alone: SQLite has no decimals, and sums of
//! floats lose digits.

/// Version of the schema, in `PRAGMA user_version`.
pub(super) const SCHEMA_VERSION: u32 = 1;

pub(super) const TABLES: &str = "
CREATE TABLE files (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  format TEXT NOT NULL,
  account TEXT,
  encoding TEXT NOT NULL,
  rows_read INTEGER NOT NULL,
  used INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  duplicate INTEGER NOT NULL,
  rejected INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  time TEXT NOT NULL,
  time_ns INTEGER NOT NULL,
  kind TEXT NOT NULL,
  order_id TEXT,
  trade_id TEXT,
  tx_hash TEXT,
  address TEXT,
  note TEXT
) STRICT;
CREATE TABLE legs (
  number INTEGER PRIMARY KEY,
  event INTEGER NOT NULL REFERENCES events (number),
  nth INTEGER NOT NULL,
  account TEXT NOT NULL,
  asset TEXT NOT NULL,
  amount TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('main', 'fee')),
  value TEXT,
  value_currency TEXT,
  file INTEGER NOT NULL REFERENCES files (number),
  line INTEGER NOT NULL
) STRICT;
CREATE TABLE rows (
  number INTEGER PRIMARY KEY,
  file INTEGER NOT NULL REFERENCES files (number),
  line INTEGER NOT NULL,
  fate TEXT NOT NULL CHECK (fate IN ('used', 'skipped', 'duplicate', 'rejected')),
  event INTEGER REFERENCES events (number),
  reason TEXT
) STRICT;
";

/// Made when the tables are full: that is faster.
pub(super) const INDEXES: &str = "
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_by_time ON events (time_ns);
CREATE UNIQUE INDEX legs_by_event ON legs (event, nth);
CREATE INDEX legs_by_asset ON legs (account, asset, amount);
CREATE INDEX legs_by_row ON legs (file, line);
CREATE INDEX rows_by_place ON rows (file, line);
CREATE INDEX rows_by_event ON rows (event);
";

/// The ledger with its own columns, and one row for each event as far as that goes: as the layouts of those names.
pub(super) const ROW_VIEWS: &str = "
CREATE VIEW ledger AS
SELECT events.id AS event, events.time, events.kind, legs.account, legs.asset, legs.amount, legs.role, legs.value,
  legs.value_currency, events.order_id, events.trade_id, events.tx_hash, events.address, events.note, files.format,
  files.name AS file, legs.line
FROM legs JOIN events ON events.number = legs.event JOIN files ON files.number = legs.file
ORDER BY legs.number;

CREATE VIEW transactions AS
WITH sided AS (
  SELECT *, CASE WHEN role = 'fee' THEN 'fee' WHEN amount LIKE '-%' THEN 'sent' ELSE 'received' END AS side,
    CASE WHEN amount LIKE '-%' THEN substr(amount, 2) WHEN amount = '0' THEN '0' ELSE '-' || amount END AS opposite
  FROM legs
), placed AS (
  SELECT *, row_number() OVER (PARTITION BY event, account, side ORDER BY nth) AS place,
    min(nth) OVER (PARTITION BY event, account) AS first
  FROM sided
)
SELECT events.time, events.kind, placed.account,
  max(CASE side WHEN 'sent' THEN opposite END) AS sent_amount,
  max(CASE side WHEN 'sent' THEN asset END) AS sent_asset,
  max(CASE side WHEN 'received' THEN amount END) AS received_amount,
  max(CASE side WHEN 'received' THEN asset END) AS received_asset,
  max(CASE side WHEN 'fee' THEN opposite END) AS fee_amount,
  max(CASE side WHEN 'fee' THEN asset END) AS fee_asset,
  coalesce(max(CASE side WHEN 'received' THEN value END), max(CASE side WHEN 'sent' THEN value END)) AS value,
  coalesce(max(CASE side WHEN 'received' THEN value_currency END), max(CASE side WHEN 'sent' THEN value_currency END))
    AS value_currency,
  nullif(substr(coalesce(' ' || order_id, '') || coalesce(' ' || trade_id, '') || coalesce(' ' || tx_hash, ''), 2), '')
    AS ids,
  events.note, events.id AS event
FROM placed JOIN events ON events.number = placed.event
GROUP BY placed.event, placed.first, placed.place
ORDER BY placed.event, placed.first, placed.place;
";

/// Nine decimal digits to a limb: a sum of nine billion limbs fits 64 bits, and SQLite's `sum` of whole numbers is exact or
/// an error.
const LIMB_DIGITS: usize = 9;
/// Before the point and behind it: an amount has at most 39 digits on either side.
const LIMBS_PER_SIDE: usize = 5;
const LIMBS: usize = 2 * LIMBS_PER_SIDE;

/// The view of balances. Each amount is cut into limbs of nine digits, those are added by themselves, and what a limb has
/// too much is carried to the one before it.
///
/// The sum of limbs is looked at twice, as it is and with all signs turned: one of the two has no sign after carrying, and
/// that one's digits are the balance's.
pub(super) fn balances_view() -> String {
    let side = LIMB_DIGITS * LIMBS_PER_SIDE;
    let zeros = "0".repeat(side);
    let base = format!("1{}", "0".repeat(LIMB_DIGITS));
    let list = |each: &dyn Fn(usize) -> String| (0..LIMBS).map(each).collect::<Vec<_>>().join(", ");
    let cut = list(&|limb| {
        let sum = format!(
            "sum(sign * CAST(substr(digits, {}, {LIMB_DIGITS}) AS INTEGER))",
            limb * LIMB_DIGITS + 1
        );
        // Few amounts have more than 18 digits on a side, and the others need not be looked at so far out.
        let far = match limb {
            0..3 => "point > 19",
            7.. => "places > 18",
            _ => return format!("{sum} AS limb{limb}"),
        };
        format!("coalesce({sum} FILTER (WHERE {far}), 0) AS limb{limb}")
    });
    let plain = list(&|limb| format!("limb{limb}"));
    let turned = list(&|limb| format!("-limb{limb}"));
    let mut view = format!(
        "
CREATE VIEW balances AS
WITH split AS (
  SELECT account, asset, amount LIKE '-%' AS negative, ltrim(amount, '-') AS plain,
    instr(ltrim(amount, '-') || '.', '.') AS point
  FROM legs
), padded AS (
  SELECT account, asset, point, length(plain) - point AS places, 1 - 2 * negative AS sign,
    substr('{zeros}' || substr(plain, 1, point - 1), -{side}) || substr(substr(plain, point + 1) || '{zeros}', 1, {side})
      AS digits
  FROM split
), added AS MATERIALIZED (
  SELECT account, asset, count(*) AS legs, {cut}
  FROM padded GROUP BY account, asset
), step{LIMBS} AS MATERIALIZED (
  SELECT account, asset, legs, '' AS mark, {plain} FROM added
  UNION ALL
  SELECT account, asset, legs, '-', {turned} FROM added
)"
    );
    for limb in (1..LIMBS).rev() {
        // What is left of a limb is never below zero, so what is carried may be.
        let rest = format!("((limb{limb} % {base}) + {base}) % {base}");
        let carried = list(&|other| match other {
            _ if other == limb => format!("{rest} AS limb{other}"),
            _ if other + 1 == limb => {
                format!("limb{other} + (limb{limb} - {rest}) / {base} AS limb{other}")
            }
            _ => format!("limb{other}"),
        });
        view.push_str(&format!(
            ", step{limb} AS MATERIALIZED (\n  SELECT account, asset, legs, mark, {carried} FROM step{}\n)",
            limb + 1
        ));
    }
    let limbs = |range: std::ops::Range<usize>| {
        let limbs: Vec<String> = range.map(|limb| format!("limb{limb}")).collect();
        limbs.join(", ")
    };
    let form = format!("%0{LIMB_DIGITS}d").repeat(LIMBS_PER_SIDE);
    let any: Vec<String> = (0..LIMBS).map(|limb| format!("limb{limb} <> 0")).collect();
    view.push_str(&format!(
        "
SELECT account, asset,
  mark || coalesce(nullif(ltrim(printf('{form}', {}), '0'), ''), '0')
    || coalesce('.' || nullif(rtrim(printf('{form}', {}), '0'), ''), '') AS amount,
  legs
FROM step1
WHERE limb0 >= 0 AND (mark = '' OR {})
ORDER BY account, asset;
",
        limbs(0..LIMBS_PER_SIDE),
        limbs(LIMBS_PER_SIDE..LIMBS),
        any.join(" OR "),
    ));
    view
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;

    use super::*;
    use crate::model::{Amount, Sum};

    fn database() -> Connection {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch(TABLES).unwrap();
        database.execute_batch(ROW_VIEWS).unwrap();
        database.execute_batch(&balances_view()).unwrap();
        database
            .execute_batch(
                "INSERT INTO files VALUES (1, 'a.csv', 'x/y', NULL, 'UTF-8', 0, 0, 0, 0, 0);
                 INSERT INTO events VALUES (1, '00', '', 0, 'trade', NULL, NULL, NULL, NULL, NULL);",
            )
            .unwrap();
        database
    }

    /// The balance that the view tells of these amounts.
    fn balance(database: &Connection, amounts: &[Amount]) -> String {
        database.execute_batch("DELETE FROM legs").unwrap();
        for (nth, amount) in amounts.iter().enumerate() {
            database
                .execute(
                    "INSERT INTO legs VALUES (?1, 1, ?1, 'A', 'B', ?2, 'main', NULL, NULL, 1, 1)",
                    (nth as i64 + 1, amount.to_string()),
                )
                .unwrap();
        }
        database
            .query_one("SELECT amount FROM balances", [], |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_balance_is_exact_where_a_float_is_not() {
        let database = database();
        let of = |texts: &[&str]| {
            let amounts: Vec<Amount> = texts.iter().map(|text| text.parse().unwrap()).collect();
            balance(&database, &amounts)
        };
        assert_eq!(of(&["0.1", "0.2"]), "0.3");
        assert_eq!(of(&["1", "-1"]), "0");
        assert_eq!(of(&["1", "-1.000000000000000001"]), "-0.000000000000000001");
        assert_eq!(of(&["999999999.999999999", "0.000000001"]), "1000000000");
        assert_eq!(of(&["-1000000000", "0.000000001"]), "-999999999.999999999");
        assert_eq!(
            of(&["99999999999999999999999999999999999999", "1", "-0"]),
            "100000000000000000000000000000000000000"
        );
        assert_eq!(
            of(&["0.00000000000000000000000000000000000001", "-100"]),
            "-99.99999999999999999999999999999999999999"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn a_balance_in_sql_is_the_sum(parts in prop::collection::vec((-10_i128.pow(30)..10_i128.pow(30), 0_u32..=12), 1..12)) {
            let amounts: Vec<Amount> =
                parts.iter().filter_map(|(mantissa, scale)| Amount::from_parts(*mantissa, *scale)).collect();
            let mut sum = Sum::ZERO;
            let fits = amounts.iter().all(|amount| sum.add(*amount).is_ok());
            prop_assume!(fits);
            prop_assert_eq!(balance(&database(), &amounts), sum.total().to_string());
        }
    }
}
